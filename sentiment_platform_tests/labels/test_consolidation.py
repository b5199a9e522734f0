from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.agreement import FEEDBACK, Conflict, evaluate_agreement
from sentiment_platform.labels.consolidation import Consolidated, consolidate, trainable
from sentiment_platform.statistics.agreement import PairAgreement
from sentiment_platform.store.labels import StoredLabel

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)


def said(
    label: str, annotator: str, *, kind: str = "human", text: str = "t", label_set: str = "desk", weight: float = 1.0
) -> StoredLabel:
    name = f"{label_set} {annotator} {text} {label} {kind}"
    return StoredLabel(
        id=name,
        label_set=label_set,
        text=f"Text {text}",
        text_hash=text,
        label=label,
        weight=weight,
        article_id=None,
        story_id=None,
        available_at=None,
        annotator=annotator,
        kind=kind,
    )


def outcome(*rows: StoredLabel) -> tuple[list[str], Consolidated]:
    found = consolidate(rows)
    assert consolidate(rows[::-1]) == found
    return [row.label for row in found.kept], found


def test_the_majority_of_annotators_decides() -> None:
    labels, found = outcome(said("positive", "ada"), said("negative", "bob"), said("positive", "eve"))
    assert (labels, found.disputed, found.ties) == (["positive"], 1, 0)


def test_weights_count_and_not_heads() -> None:
    assert outcome(said("positive", "ada"), said("negative", "bob", weight=3.0), said("positive", "eve"))[0] == ["negative"]


def test_a_tie_is_left_out_and_counted() -> None:
    labels, found = outcome(said("positive", "ada"), said("negative", "bob"), said("neutral", "ada", text="other"))
    assert (labels, found.ties, found.disputed) == (["neutral"], 1, 1)


def test_feedback_is_not_heard_where_an_annotator_has_spoken() -> None:
    users = [said("negative", "user", kind="feedback", label_set=f"f{n}", weight=9.0) for n in range(3)]
    labels, found = outcome(said("positive", "ada"), *users)
    assert (labels, found.overruled, found.heard_sets) == (["positive"], 3, ("desk",))


def test_where_nobody_else_has_spoken_each_voice_of_feedback_is_heard_once() -> None:
    users = [
        said(label, voice, kind="feedback") for voice, label in (("k1", "negative"), ("k2", "positive"), ("k1/eve", "negative"))
    ]
    labels, found = outcome(*users)
    assert (labels, found.overruled, found.voiceless) == (["negative"], 0, 0)


def test_a_voice_that_repeats_itself_ten_thousand_times_is_one_voice_and_its_last_word_counts() -> None:
    loud = [
        replace(said("negative", "k1", kind="feedback", weight=9.0), id=f"{n:05}", labelled_at=NOON + timedelta(seconds=n))
        for n in range(10_000)
    ]
    others = [said("positive", "k2", kind="feedback"), said("positive", "k3", kind="feedback")]
    assert outcome(*loud, *others)[0] == ["positive"]
    changed = replace(loud[0], id="z", label="neutral", labelled_at=NOON + timedelta(days=1))
    labels, found = outcome(*loud, changed)
    assert (labels, found.voiceless, found.disputed) == (["neutral"], 0, 0)


def test_a_key_that_is_called_as_an_annotator_is_another_voice() -> None:
    rows = [said("negative", "ada", kind="feedback"), said("positive", "ada", kind="feedback", text="other")]
    report = evaluate_agreement([said("positive", "ada"), *rows])
    assert report.texts == 1


def test_feedback_does_not_break_the_tie_of_annotators() -> None:
    rows = (said("positive", "ada"), said("negative", "bob"), said("negative", "user", kind="feedback"))
    assert outcome(*rows)[0] == []


def test_an_annotator_is_heard_once_however_many_sets_repeat_him() -> None:
    levels = [said("positive", "majority", label_set=name) for name in ("50agree", "66agree", "75agree", "allagree")]
    labels, found = outcome(*levels, said("negative", "ada"), said("negative", "bob"))
    assert (labels, found.heard_sets) == (["negative"], ("50agree", "66agree", "75agree", "allagree", "desk"))
    # The largest of the weights that he gave it counts.
    levels[2] = replace(levels[2], weight=2.5)
    assert outcome(*levels, said("negative", "ada"), said("negative", "bob"))[0] == ["positive"]


def test_who_says_two_things_of_a_text_is_not_heard_on_it_and_others_are() -> None:
    both = [said("positive", "ada"), said("negative", "ada", label_set="other")]
    labels, found = outcome(*both, said("negative", "bob"))
    assert (labels, found.voiceless, found.disputed, found.heard_sets) == (["negative"], 1, 0, ("desk",))
    labels, found = outcome(*both)
    assert (labels, found.voiceless, found.ties) == ([], 1, 0)


def test_the_earliest_row_of_the_winner_stands_for_it() -> None:
    rows = [
        replace(said("positive", "ada", label_set="a"), available_at=None),
        replace(said("positive", "bob", label_set="b"), available_at=NOON + timedelta(days=1)),
        replace(said("positive", "eve", label_set="c"), available_at=NOON),
        replace(said("negative", "dan", label_set="d"), available_at=NOON - timedelta(days=9)),
    ]
    assert [row.label_set for row in consolidate(rows).kept] == ["c"]


@pytest.mark.parametrize("kind", ["outcome", "machine", "anything"])
def test_what_the_market_or_a_machine_said_is_refused_and_left_out_where_labels_are_read(kind: str) -> None:
    rows = [said("positive", "ada"), said("negative", "market", kind=kind, text="other")]
    with pytest.raises(PermanentError, match=f"is of kind '{kind}': no training set takes it"):
        consolidate(rows)
    assert trainable(rows) == rows[:1]
    # The control: the same words from a person are taken.
    assert len(consolidate([rows[0], replace(rows[1], kind="human")]).kept) == 2


def test_agreement_is_over_texts_with_several_voices_and_conflicts_are_named() -> None:
    rows = [
        *(said(label, "ada", text=str(n)) for n, label in enumerate(["positive", "negative", "neutral", "neutral"])),
        *(said(label, "bob", text=str(n)) for n, label in enumerate(["positive", "negative", "positive"])),
        said("negative", "eve", text="0"),
        said("positive", "eve", text="0", label_set="other"),
        *(said(label, "user", kind="feedback", text="3", label_set=label) for label in ("neutral", "neutral")),
    ]
    found = evaluate_agreement(rows)
    assert found.pairs == (PairAgreement("ada", "bob", 3, 2 / 3), PairAgreement("ada", FEEDBACK, 1, 1.0))
    assert found.texts == 4
    assert found.alpha is not None
    assert 0 < found.alpha < 1
    assert found.conflicts == (
        Conflict("Text 0", {"negative": ("eve",), "positive": ("ada", "bob", "eve")}),
        Conflict("Text 2", {"neutral": ("ada",), "positive": ("bob",)}),
    )
    assert evaluate_agreement(rows[:4]).alpha is None
