from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from sentiment_platform.errors import ConflictError
from sentiment_platform.labels.consolidation import trainable
from sentiment_platform.labels.examples import LabelKind, LabelledExample, RawLabel
from sentiment_platform.labels.importers import phrasebank, plain
from sentiment_platform.labels.importing import TakenIn, import_feedback, import_labels, import_report
from sentiment_platform.labels.licences import commercial_use
from sentiment_platform.labels.quality import RefusedLabel
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.store.articles import insert_articles
from sentiment_platform.store.label_sets import LabelSet, imported_files, label_sets
from sentiment_platform.store.labels import all_labels
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform.store.stories import StoryAssignment, write_stories
from sentiment_platform.store.tables import Feedback, Prediction
from sentiment_platform_tests.store.articles import article

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
LATER, MINUTE = NOON + timedelta(days=40), timedelta(minutes=1)


def example(number: int, **changes: object) -> LabelledExample:
    plain = LabelledExample(
        label_set="mine",
        external_id=str(number),
        text=f"Sales of unit {number} rose",
        label="positive",
        annotator="ada",
        licence="CC0-1.0",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT xmin, ctid, l.* FROM platform.labels l ORDER BY id"))]


def test_importing_again_changes_nothing_not_even_across_batches(engine: Engine) -> None:
    # The same two labels at both ends of more than one batch.
    examples = [*(example(n) for n in range(2500)), example(0), example(1)]
    assert import_labels(engine, examples) == 2500
    before = rows(engine)
    assert import_labels(engine, examples) == 0
    assert import_labels(engine, examples[::-1]) == 0
    assert rows(engine) == before


@pytest.mark.parametrize(
    "change",
    [
        {"label": "neutral"},
        {"text": "Sales fell"},
        {"weight": 2.0},
        {"published_at": NOON},
        {"score": 0.5},
        {"agreement": 0.75},
        {"labelled_at": NOON},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_corrected_label_replaces_itself(engine: Engine, change: dict[str, object]) -> None:
    import_labels(engine, [example(1), example(2)])
    assert import_labels(engine, [example(1, **change), example(2)]) == 1
    assert len(rows(engine)) == 2


def test_two_annotators_and_two_sets_are_different_labels(engine: Engine) -> None:
    assert import_labels(engine, [example(1), example(1, annotator="bob"), example(1, label_set="other")]) == 3


def made_report(folder: Path, *lines: str, licence: str = "CC0-1.0", kind: LabelKind = "human") -> ImportReport:
    path = folder / "desk.csv"
    path.write_text("\n".join(["text,label,annotator,score", *lines]))
    return plain(path, "desk", licence, kind)


def test_a_file_leaves_its_digest_its_refused_rows_and_its_licence(engine: Engine, tmp_path: Path) -> None:
    report = made_report(tmp_path, "Sales rose,positive,ada,0.9", "Sales fell,great,ada,", "Sales stood,neutral,bob,5")
    for run, changed in (("first", 1), ("second", 0)):
        assert import_report(engine, report, run_id=run, now=NOON) == TakenIn(changed, 2)
    with engine.connect() as connection:
        (imported,) = imported_files(connection, "desk")
        items = quarantined_items(connection, source="desk")
        assert label_sets(connection) == {"desk": LabelSet("desk", "human", "CC0-1.0", True)}
        stored = connection.execute(text("SELECT annotator, score, import_id FROM platform.labels")).all()
    assert stored == [("ada", 0.9, imported.id)]
    assert (imported.file_name, imported.file_digest) == ("desk.csv", sha256((tmp_path / "desk.csv").read_bytes()).hexdigest())
    assert (imported.rows_read, imported.rows_kept) == (3, 1)
    assert imported.refused == {"label_is_known": 1, "score_is_from_minus_1_to_1": 1}
    assert {(item.boundary, item.rule, item.run_id) for item in items} == {
        ("labels", "label_is_known", "first"),
        ("labels", "score_is_from_minus_1_to_1", "first"),
    }
    assert {item.payload["text"] for item in items} == {"Sales fell", "Sales stood"}


def test_rows_with_what_a_database_cannot_hold_are_kept_or_quarantined_all_the_same(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    hostile = ["a\\u0000b", "a\\ud800b"]
    rows = [
        f'{{"text": "Sales {n} {word}", "label": "positive", "id": "{n}{word}", "annotator": "{word}", "url": "{word}"}}'
        for n, word in enumerate(hostile)
    ]
    rows += [f'{{"text": "Sales fell {word}", "label": "{word}"}}' for word in hostile]
    rows.append('{"text": "Sales stood", "label": "neutral", "score": NaN}')
    path.write_text("\n".join(rows))
    assert import_report(engine, plain(path), run_id="r", now=NOON) == TakenIn(1, 4), (
        "half a character is no text: its rows wait in quarantine"
    )


@pytest.mark.parametrize("label", ["negative", ""], ids=["labelled", "not labelled yet"])
def test_a_row_leaves_quarantine_when_it_is_not_refused_any_more(engine: Engine, tmp_path: Path, label: str) -> None:
    report = made_report(tmp_path, "Sales rose,positive,ada,", f"Sales fell,{label},bob,")
    row = RawLabel(text="Sales fell", label=label, annotator="bob", payload=[*report.payloads, *report.unlabelled][1])
    before = replace(
        report,
        examples=report.examples[:1],
        payloads=report.payloads[:1],
        unlabelled=(),
        refused=(RefusedLabel(row, "label_is_known", "as an older contract saw it"),),
    )
    import_report(engine, before, run_id="r", now=NOON)
    with engine.connect() as connection:
        assert len(quarantined_items(connection, source="desk")) == 1
    import_report(engine, report, run_id="r", now=NOON)
    with engine.connect() as connection:
        assert quarantined_items(connection, source="desk") == []


def test_a_set_does_not_change_its_licence_or_kind_behind_peoples_backs(engine: Engine, tmp_path: Path) -> None:
    row = "Sales rose,positive,ada,"
    import_report(engine, made_report(tmp_path, row, licence="unstated"), run_id="r", now=NOON)
    with engine.connect() as connection:
        assert label_sets(connection)["desk"].commercial_use is None
    # What was not stated may be stated, once.
    import_report(engine, made_report(tmp_path, row, licence="CC-BY-NC-4.0"), run_id="r", now=NOON)
    for report in (made_report(tmp_path, row, licence="MIT"), made_report(tmp_path, row, licence="CC-BY-NC-4.0", kind="outcome")):
        with pytest.raises(ConflictError, match="holds human labels under CC-BY-NC"):
            import_report(engine, report, run_id="r", now=NOON)
    import_report(engine, made_report(tmp_path, row, licence="unstated"), run_id="r", now=NOON)
    with engine.connect() as connection:
        assert label_sets(connection)["desk"] == LabelSet("desk", "human", "CC-BY-NC-4.0", False)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("CC-BY-NC-SA-3.0", False),
        ("cc by-nc 4.0", False),
        ("Non-commercial use", False),
        ("MIT", True),
        ("Apache-2.0", True),
        ("CC-BY-4.0", True),
        ("unstated", None),
        ("NCSA", None),
        ("sync licence", None),
    ],
)
def test_what_a_licence_says_of_commercial_use_is_read_and_otherwise_not_known(licence: str, allowed: bool | None) -> None:
    assert commercial_use(licence) is allowed


def test_a_label_is_linked_with_its_article_by_address_or_headline(engine: Engine) -> None:
    by_url = replace(article(1), url="https://e.example/1")
    with engine.begin() as connection:
        insert_articles(connection, [by_url, article(2, hours=5), article(3)])
        write_stories(connection, [StoryAssignment(article(2).id, article(1).id, "title_key", 1.0)])
    examples = [
        example(1, url="https://e.example/1", published_at=NOON - timedelta(days=9)),
        example(2, text="Title 2"),
        example(3, text="Nowhere", published_at=NOON),
        example(4, text="Undated"),
    ]
    import_labels(engine, examples)
    with engine.connect() as connection:
        found = [(label.article_id, label.story_id, label.available_at) for label in all_labels(connection)]
    assert found == [
        (article(1).id, None, NOON),
        (article(2).id, article(1).id, NOON + timedelta(hours=5)),
        (None, None, NOON),
        (None, None, None),
    ]


def test_a_label_is_linked_once_its_article_arrives(engine: Engine) -> None:
    assert import_labels(engine, [example(1, text="Title 1")]) == 1
    with engine.begin() as connection:
        insert_articles(connection, [article(1)])
    assert import_labels(engine, [example(1, text="Title 1")]) == 1
    assert import_labels(engine, [example(1, text="Title 1")]) == 0


def prediction(name: str) -> dict[str, object]:
    return {
        "id": name,
        "predicted_at": NOON,
        "route": "/predict",
        "family": "vader",
        "model_version": "v1.0.0-vader",
        "manifest_digest": "00",
        "deployment_revision": 1,
        "text": f"Text of {name}",
        "text_hash": name,
        "feature_schema": "v1",
        "features": [],
        "features_hash": "",
        "feature_status": "MISSING",
        "probabilities": [0.1, 0.2, 0.7],
        "sentiment": 0.6,
        "confidence": 0.7,
        "cache_hit": False,
        "degraded": False,
        "latency_ms": {},
        "instance": "test",
    }


def say(engine: Engine, *words: tuple[str | None, str, str | None]) -> None:
    """(voice, prediction, label) in the order in which it is said, a minute apart."""
    with engine.begin() as connection:
        number = connection.execute(text("SELECT count(*) FROM platform.feedback")).scalar_one()
        rows = [
            {
                "id": f"f{number + n}",
                "prediction_id": p,
                "label": label,
                "voice": voice,
                "received_at": LATER + (number + n) * MINUTE,
            }
            for n, (voice, p, label) in enumerate(words)
        ]
        connection.execute(insert(Feedback), rows)


def labels_from_feedback(engine: Engine, *, anonymous: bool = False) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        known = trainable(all_labels(connection), anonymous=anonymous)
    return sorted((label.annotator, label.text, label.label) for label in known if label.kind == "feedback")


def test_the_last_word_of_a_voice_on_a_text_becomes_its_label(engine: Engine) -> None:
    answered = [prediction("p1"), prediction("p2"), {**prediction("p1 again"), "text": "Text of p1", "text_hash": "p1"}]
    with engine.begin() as connection:
        connection.execute(insert(Prediction), answered)
    say(engine, ("ada", "p1", "negative"), ("bob", "p1", "neutral"), ("ada", "p2", None), ("ada", "not arrived yet", "positive"))
    assert import_feedback(engine, run_id="r", now=NOON) == TakenIn(2, 0)
    assert import_feedback(engine, run_id="r", now=NOON) == TakenIn(0, 0)
    say(engine, ("ada", "p1 again", "positive"))
    assert import_feedback(engine, run_id="r", now=NOON) == TakenIn(1, 0)
    assert labels_from_feedback(engine) == [("ada", "Text of p1", "positive"), ("bob", "Text of p1", "neutral")]
    with engine.begin() as connection:
        connection.execute(insert(Prediction), [prediction("not arrived yet")])
    assert import_feedback(engine, run_id="r", now=NOON).changed == 1


def test_a_label_from_feedback_has_the_time_of_its_text_and_not_that_of_the_word(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Prediction), [prediction("p1")])
    say(engine, ("ada", "p1", "negative"))
    import_feedback(engine, run_id="r", now=NOON)
    with engine.connect() as connection:
        (label,) = all_labels(connection)
    assert (label.available_at, label.labelled_at) == (NOON, LATER)


def test_words_without_a_key_become_no_label_and_where_a_setting_says_so_those_of_one_voice(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Prediction), [prediction("p1")])
    say(engine, *((None, "p1", "negative"),) * 200, (None, "p1", "neutral"), ("ada", "p1", "positive"))
    assert import_feedback(engine, run_id="r", now=NOON).changed == 1
    assert labels_from_feedback(engine) == [("ada", "Text of p1", "positive")]
    assert import_feedback(engine, run_id="r", now=NOON, anonymous=True).changed == 1
    both = [("ada", "Text of p1", "positive"), ("anonymous", "Text of p1", "neutral")]
    assert labels_from_feedback(engine, anonymous=True) == both
    # What was learnt from while the setting stood otherwise is not learnt from any more.
    assert labels_from_feedback(engine) == both[:1]


@pytest.mark.shared_data
def test_phrasebank_is_imported_once(engine: Engine, shared_data: Path) -> None:
    report = phrasebank(shared_data / "labelled/phrasebank/Sentences_50Agree.txt")
    # 8 sentences stand twice; 2 of them with two labels, which are refused.
    assert import_report(engine, report, run_id="r", now=NOON) == TakenIn(4846 - 8 - 2, 4)
    assert import_report(engine, report, run_id="r", now=NOON) == TakenIn(0, 4)
