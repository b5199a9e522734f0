"""From many annotators' words on a text to the one label that a model learns: a rule with a version.

All words are kept in the database, whatever this rule makes of them; where annotators stand apart is in `agreement`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import ANONYMOUS, TRAINABLE
from sentiment_platform.settings import Settings
from sentiment_platform.store.labels import StoredLabel

CONSOLIDATION = "v2"
"""Part of the digest of every training set. Another rule gets another name.

v1: where an annotator has spoken, feedback on the same text is not heard. Each annotator has one voice a text, its weight the largest
that he gave it, whatever the number of sets that repeat it; one who says two things has none. The label with the largest sum of
weights wins; texts without a winner are left out and counted.
v2: in feedback a voice is a key, or the client that its holder names, with one voice a text of weight 1; its last word counts. In v1
each piece of feedback was another voice.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidated:
    """One label a text, and what the rule did to the others.

    Attributes:
        kept: the earliest row that says what won, sorted by text hash.
        heard_sets: every set whose words were counted, whichever set the kept row is of.
        ties: texts left out because no label won.
        voiceless: (text, annotator) pairs left out because the annotator says two things; a text without any voice is left out too.
        overruled: feedback not heard because an annotator has spoken.
        disputed: texts on which those who were heard said different things.
    """

    kept: tuple[StoredLabel, ...]
    heard_sets: tuple[str, ...]
    ties: int
    voiceless: int
    overruled: int
    disputed: int


def hears_anonymous(settings: Settings) -> bool:
    """Whether feedback without a voice of its own teaches and judges models, all of it together as one voice."""
    return settings.anonymous_feedback == "learn"


def trainable(labels: Sequence[StoredLabel], *, anonymous: bool = False) -> list[StoredLabel]:
    """The labels of people who read the text; what a machine or the market said is no example to learn from.

    Feedback without a voice is left out as well, unless `anonymous`: then all of it is one voice.
    """
    return [
        label
        for label in labels
        if label.kind in TRAINABLE and (anonymous or label.kind != "feedback" or label.annotator != ANONYMOUS)
    ]


def consolidate(labels: Sequence[StoredLabel]) -> Consolidated:
    """Apply rule v2.

    Raises:
        PermanentError: a label is of a kind that is never learnt from, such as an outcome.
    """
    for label in labels:
        if label.kind not in TRAINABLE:
            raise PermanentError(
                f"Label {label.id} of set {label.label_set!r} is of kind {label.kind!r}: no training set takes it.",
                remedy="Train on what people said; judge predictions by outcomes.",
            )
    by_text: dict[str, list[StoredLabel]] = defaultdict(list)
    for label in labels:
        by_text[label.text_hash].append(label)
    kept: list[StoredLabel] = []
    sets: set[str] = set()
    ties = voiceless = overruled = disputed = 0
    for rows in by_text.values():
        by_people = [row for row in rows if row.kind == "human"]
        overruled += len(rows) - len(by_people) if by_people else 0
        heard, without_voice = _voices(by_people or rows)
        voiceless += without_voice
        sets |= {row.label_set for row in heard}
        # Exact sums: a rounded one depends on the order of its terms, and a tie must not.
        votes = {
            label: fsum(weight for said, weight in _weights(heard) if said == label) for label in {row.label for row in heard}
        }
        disputed += len(votes) > 1
        winners = [label for label, weight in votes.items() if weight == max(votes.values())]
        if len(winners) == 1:
            kept.append(min((row for row in heard if row.label == winners[0]), key=_earliest))
        else:
            ties += len(winners) > 1
    ordered = tuple(sorted(kept, key=lambda row: row.text_hash))
    return Consolidated(
        kept=ordered, heard_sets=tuple(sorted(sets)), ties=ties, voiceless=voiceless, overruled=overruled, disputed=disputed
    )


def voice_of(label: StoredLabel) -> str:
    """Whose voice a row is: an annotator's, across all sets; a key or a client of it in feedback, whatever annotator has that name."""
    return label.annotator if label.kind != "feedback" else f"feedback {label.annotator}"


def _voices(rows: Sequence[StoredLabel]) -> tuple[list[StoredLabel], int]:
    """The rows of everybody who says one thing about the text, and how many say several; of feedback the last row of each voice."""
    by_voice: dict[str, list[StoredLabel]] = defaultdict(list)
    for row in rows:
        by_voice[voice_of(row)].append(row)
    by_voice = {who: [max(said, key=_last)] if said[0].kind == "feedback" else said for who, said in by_voice.items()}
    heard = [said for said in by_voice.values() if len({row.label for row in said}) == 1]
    return [row for said in heard for row in said], len(by_voice) - len(heard)


def _weights(rows: Sequence[StoredLabel]) -> list[tuple[str, float]]:
    """(label, weight) of every voice."""
    largest: dict[str, tuple[str, float]] = {}
    for row in rows:
        voice, weight = voice_of(row), 1.0 if row.kind == "feedback" else row.weight
        largest[voice] = (row.label, max(weight, largest.get(voice, (row.label, 0.0))[1]))
    return list(largest.values())


def _earliest(row: StoredLabel) -> tuple[object, ...]:
    return (row.available_at is None, row.available_at, row.label_set, row.id)


def _last(row: StoredLabel) -> tuple[object, ...]:
    return (row.labelled_at is not None, row.labelled_at, row.id)
