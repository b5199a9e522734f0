import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.labels.consolidation import CONSOLIDATION
from sentiment_platform.labels.example_contract import require_sound
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.labels.training_set import RULE, build, build_and_store, content_digest, leaks_in
from sentiment_platform.local.demo.demo import FEEDBACK_PREDICTIONS
from sentiment_platform.local.demo.sample_data import read_headlines, second_wave
from sentiment_platform.store.articles import insert_articles
from sentiment_platform.store.labels import StoredLabel
from sentiment_platform.store.training_sets import latest_training_set, training_examples
from sentiment_platform.store.vectors import FeatureRow, write_features
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.labels.stored_labels import NOON, label, made, many
from sentiment_platform_tests.store.articles import article


def labels_of(labels: Sequence[StoredLabel], content: str) -> list[str]:
    return [e.label for e in made([*many(), *labels]).examples if e.text == content]


def test_one_example_a_text_with_its_features_and_nothing_leaks() -> None:
    snapshot = made(many())
    assert len(snapshot.examples) == len(many()) == snapshot.summary["examples"]
    assert all(example.features == compute_v1(example.text) for example in snapshot.examples)
    assert not any(leaks_in(snapshot.examples).values())
    assert sum(sum(counts.values()) for counts in snapshot.summary["parts"].values()) == len(many())
    assert all(set(counts) == set(LABELS) for counts in snapshot.summary["parts"].values())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_digest_does_not_depend_on_the_order_of_the_labels(seed: int) -> None:
    # Near-duplicates and several voices a text, so that order could matter.
    rows = [*many(), *(label(f"{row.text} today", row.label, f"copy {row.id}") for row in many()[::5])]
    rows += [label(many()[0].text, "neutral", f"voice {n}", weight=weight) for n, weight in enumerate((0.1, 0.2, 0.3, 0.4))]
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    assert made(shuffled) == made(rows)


@pytest.mark.slow
def test_the_digest_is_the_same_in_other_processes_zones_and_hash_seeds() -> None:
    program = (
        "from sentiment_platform_tests.labels.stored_labels import many, made;"
        "from datetime import timedelta, timezone; from dataclasses import replace;"
        "rows = [replace(r, available_at=r.available_at and r.available_at.astimezone(timezone(timedelta(hours=9)))) for r in many()];"
        "print(made(many()).digest, made(rows).digest)"
    )
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        found = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        assert found.stdout.split() == [made(many()).digest] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Oslo mill opens", "text_hash": text_hash("Oslo mill opens")},
        {"label": "neutral"},
        {"label_set": "other"},
        {"available_at": NOON + timedelta(microseconds=1)},
        {"story_id": "b" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_a_label_changes_the_digest(change: dict[str, object]) -> None:
    rows = many()
    before = made(rows).digest
    rows[0] = replace(rows[0], **change)  # type: ignore[arg-type]
    assert made(rows).digest != before


def test_a_label_more_or_less_changes_the_digest_and_its_name_does_not() -> None:
    rows = many()
    digests = {made(rows).digest, made(rows[1:]).digest, made([*rows, label("A new one", "neutral")]).digest}
    assert len(digests) == 3
    rows[0] = replace(rows[0], id="another id", weight=7.0)
    assert made(rows).digest in digests


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ([("negative", 1.0)], ["negative"]),
        ([("negative", 1.0), ("positive", 1.0), ("positive", 1.0)], ["positive"]),
        ([("negative", 1.0), ("positive", 1.0)], []),
        ([("negative", 1.0), ("positive", 1.0), ("neutral", 1.0)], []),
        ([("negative", 3.0), ("positive", 1.0), ("positive", 1.0)], ["negative"]),
        # Sums are exact: 0.1 and 0.2 as floating-point numbers are together a little more than 0.3.
        ([("negative", 0.3), ("positive", 0.1), ("positive", 0.2)], ["positive"]),
        ([("negative", 1.0), ("negative", 1.0), ("positive", 2.0), ("neutral", 0.5)], []),
    ],
)
def test_the_label_of_a_text_is_the_weighted_majority_and_a_tie_is_left_out(
    votes: list[tuple[str, float]], outcome: list[str]
) -> None:
    rows = [label("Disputed words", said, f"voice {n}", weight=weight) for n, (said, weight) in enumerate(votes)]
    assert labels_of(rows, "Disputed words") == outcome
    assert labels_of(rows[::-1], "Disputed words") == outcome
    assert made([*many(), *rows]).summary["ties_left_out"] == (0 if outcome else 1)


def test_alike_texts_tell_one_story_and_the_collected_story_brings_its_own() -> None:
    rows = [
        label("Harbour of Vigo floods 3 of its piers after the storm", "negative", available_at=NOON),
        label("Harbour of Vigo floods 5 of its piers after the storm", "negative", available_at=NOON + timedelta(days=200)),
        label("Harbour of Vigo floods 9 of its piers after the storm", "neutral", story_id="c" * 32, article_id="y"),
    ]
    examples = {example.text: example for example in made([*many(), *rows]).examples}
    mine = [examples[row.text] for row in rows]
    assert len({example.story_id for example in mine}) == len({example.part for example in mine}) == 1
    assert mine[0].part == "train"


def test_syndicated_copies_count_once_and_the_first_known_stands_for_them() -> None:
    rows = [
        label("Harbour of Vigo floods after the big storm", "negative", available_at=NOON + timedelta(days=1)),
        label("Harbour of Vigo floods after the storm", "negative", available_at=NOON),
        label("Quite another headline about water", "negative", available_at=NOON, story_id="c" * 32, article_id="x"),
        label("Water, said quite another way", "negative", available_at=NOON + timedelta(1), story_id="c" * 32, article_id="y"),
    ]
    for order in (rows, rows[::-1]):
        snapshot = made([*many(), *order])
        texts = {example.text for example in snapshot.examples}
        assert texts - {row.text for row in many()} == {rows[1].text, rows[2].text}
        assert snapshot.summary["syndicated_copies_left_out"] == 2
    assert made(many()).summary["syndicated_copies_left_out"] == 0


def test_context_comes_from_the_article_and_words_from_the_label() -> None:
    stored = compute_v1(
        "The article's own headline is much longer than that",
    )
    context = (3.0, 8.0, 9.0, 12.0, 0.0)
    features = {
        "article:a": FeatureRow(
            entity="article:a", schema_version="v1", as_of=NOON, article_id="a", values=(*stored[:10], *context)
        )
    }
    snapshot = build([*many(), label("Short words", "neutral", article_id="a", available_at=NOON)], features, V1)
    (example,) = (example for example in snapshot.examples if example.text == "Short words")
    assert example.features == (*compute_v1("Short words")[:10], *context)
    assert snapshot.digest != made([*many(), label("Short words", "neutral", article_id="a", available_at=NOON)]).digest


def test_feedback_trains_and_never_judges_and_annotators_stand_for_what_both_labelled() -> None:
    rows = many()
    held_out = [example for example in made(rows).examples if example.part != "train"]
    late = NOON + timedelta(days=4000)
    complaints = [
        replace(
            label(f"Reader {n} of {rows[n].text} objects to it strongly", "negative", f"k{n}", available_at=late), kind="feedback"
        )
        for n in range(30)
    ]
    copies = [
        replace(label(f"{example.text} today", "neutral", "k1", available_at=NOON - timedelta(days=9)), kind="feedback")
        for example in held_out[:5]
    ]
    complaints, copies = ([replace(row, label_set="feedback") for row in each] for each in (complaints, copies))
    snapshot = made([*rows, *complaints, *copies])
    assert [example for example in snapshot.examples if example.part != "train"] == held_out
    assert {example.part for example in snapshot.examples if example.label_set == "feedback"} == {"train"}
    assert not any(leaks_in(snapshot.examples).values())
    assert not any(example.text in {row.text for row in copies} for example in snapshot.examples)
    assert snapshot.summary["feedback_that_trains"] > 0
    # The control: the same words from annotators are the newest stories, and would judge.
    people = made([*rows, *(replace(row, kind="human") for row in complaints)])
    assert any(example.part == "test" and example.available_at == late for example in people.examples)


def test_too_few_labels_are_refused_with_what_is_missing() -> None:
    with pytest.raises(PermanentError, match=r"Only \d training texts are negative; 10 are needed"):
        made([row for row in many() if row.label != "negative"] + [row for row in many() if row.label == "negative"][:5])


def examples() -> list[LabelledExample]:
    return [
        LabelledExample(
            label_set="made",
            external_id=str(n),
            text=row.text,
            label=row.label,
            annotator="ada",
            licence="CC0-1.0",
            published_at=row.available_at,
        )  # type: ignore[arg-type]
        for n, row in enumerate(many())
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"text": ""}, "text_is_present"),
        ({"label": "bullish"}, "label_is_known"),
        ({"part": "holdout"}, "part_is_known"),
        ({"story_id": ""}, "story_is_named"),
        ({"features": (0.5,)}, "features_are_in_range"),
        ({"features": (None,) * len(V1.names)}, "features_are_in_range"),
        ({"features": (-1.0,) * len(V1.names)}, "features_are_in_range"),
    ],
)
def test_a_training_set_with_one_broken_example_is_refused_with_the_rule(change: dict[str, object], rule: str) -> None:
    sound = made(many()).examples
    require_sound(sound, V1)
    with pytest.raises(PermanentError, match=f"1 of {len(sound)} .*{rule}: 1.*{sound[2].example_id}"):
        require_sound([*sound[:2], replace(sound[2], **change), *sound[3:]], V1)  # type: ignore[arg-type]
    with pytest.raises(PermanentError, match="example_is_there_once: 2"):
        require_sound([*sound, sound[0]], V1)


def test_the_snapshot_is_stored_once_and_read_back_whole(engine: Engine) -> None:
    import_labels(engine, examples())
    snapshot, new = build_and_store(engine, V1)
    again, new_again = build_and_store(engine, V1)
    assert (new, new_again, again) == (True, False, snapshot)
    with engine.connect() as connection:
        stored = latest_training_set(connection)
        assert stored is not None
        assert (stored.digest, stored.feature_schema, stored.summary) == (
            snapshot.digest,
            "v1",
            json.loads(json.dumps(snapshot.summary)),
        )
        assert tuple(training_examples(connection, snapshot.digest)) == snapshot.examples
        parts = [training_examples(connection, snapshot.digest, part) for part in ("train", "validation", "test")]
        assert sorted((e for part in parts for e in part), key=lambda e: e.example_id) == list(snapshot.examples)


def test_the_digest_does_not_depend_on_the_zone_of_the_database(engine: Engine) -> None:
    import_labels(engine, examples())
    first, _ = build_and_store(engine, V1)
    with engine.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone = 'America/New_York'"))
    engine.dispose()
    assert build_and_store(engine, V1)[0].digest == first.digest


def test_a_snapshot_that_is_made_again_after_another_is_the_newest_again(engine: Engine) -> None:
    import_labels(engine, examples())
    first, _ = build_and_store(engine, V1)
    changed = examples()
    changed[0] = replace(changed[0], label="neutral")
    import_labels(engine, changed)
    second, _ = build_and_store(engine, V1)
    import_labels(engine, examples())
    third, new = build_and_store(engine, V1)
    assert (third.digest, new) == (first.digest, False)
    assert second.digest != first.digest
    with engine.connect() as connection:
        newest = latest_training_set(connection)
        assert newest is not None
        assert newest.digest == first.digest
    build_and_store(engine, V1)
    with engine.connect() as connection:
        assert latest_training_set(connection) == newest


def test_labels_that_no_person_gave_are_stored_apart_and_never_learnt_from(engine: Engine) -> None:
    import_labels(engine, examples())
    before, _ = build_and_store(engine, V1)
    others = [replace(one, label_set="market", annotator="market", label="neutral", kind="outcome") for one in examples()]
    others += [
        LabelledExample(
            label_set="vendor",
            external_id="x",
            text="Only a machine said this",
            label="positive",
            annotator="model",
            licence="MIT",
            kind="machine",
        )
    ]
    assert import_labels(engine, others) == len(others)
    after, new = build_and_store(engine, V1)
    assert (after, new) == (before, False)
    # The control: the same words from people change the training set.
    import_labels(engine, [replace(one, label_set="people", kind="human") for one in others[-1:]])
    assert build_and_store(engine, V1)[0].digest != before.digest


def test_a_noncommercial_licence_is_named_wherever_its_set_was_heard(engine: Engine) -> None:
    import_labels(engine, examples())
    assert build_and_store(engine, V1)[0].summary["noncommercial_sets"] == []
    # The set says what others have said before: no row of the training set is its own.
    repeated = replace(examples()[0], label_set="bank", annotator="bob", licence="CC-BY-NC-SA-3.0")
    import_labels(engine, [repeated])
    summary = build_and_store(engine, V1)[0].summary
    assert (summary["licences"], summary["noncommercial_sets"]) == ({"bank": "CC-BY-NC-SA-3.0", "made": "CC0-1.0"}, ["bank"])
    assert "label set bank: CC-BY-NC-SA-3.0 (NON-COMMERCIAL USE ONLY)" in summary["licence_notes"]


def test_the_rule_of_consolidation_is_part_of_the_digest() -> None:
    snapshot = made(many())
    assert snapshot.summary["rule"]["consolidation"] == CONSOLIDATION == "v2"
    assert content_digest(snapshot.examples, V1) == snapshot.digest
    assert content_digest(snapshot.examples, V1, RULE | {"consolidation": "v1"}) != snapshot.digest


def test_only_features_known_at_that_moment_are_used(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_articles(connection, [article(1)])
        known = FeatureRow(
            entity=f"article:{article(1).id}",
            schema_version="v1",
            as_of=NOON,
            article_id=article(1).id,
            values=(*compute_v1("Title 1")[:10], 2.0, 3.0, 4.0, 5.0, 6.0),
        )
        write_features(
            connection, [known, replace(known, as_of=NOON + timedelta(days=1), values=(*known.values[:10], *(6.0,) * 5))]
        )
    import_labels(
        engine,
        [
            *examples(),
            LabelledExample(
                label_set="made", external_id="x", text="Title 1", label="neutral", annotator="ada", licence="CC0-1.0"
            ),
        ],
    )
    snapshot, _ = build_and_store(engine, V1, now=lambda: NOON.astimezone(timezone(timedelta(hours=2))))
    (example,) = (example for example in snapshot.examples if example.text == "Title 1")
    assert example.features == known.values
    assert example.available_at == NOON


def test_every_label_that_the_demo_gives_as_feedback_trains() -> None:
    known = [label(one.title, one.label, one.id, available_at=one.published_at) for one in read_headlines()]
    said = [
        replace(
            label(one.title, one.label, "a key", available_at=NOON + timedelta(days=4000)), kind="feedback", label_set="feedback"
        )
        for one in second_wave()[:FEEDBACK_PREDICTIONS]
    ]
    summary = made([*known, *said]).summary
    assert (summary["feedback_that_trains"], summary["feedback_left_out_of_the_holdout"]) == (len(said), 0)
    assert made(known).summary["parts"]["test"] == summary["parts"]["test"]
