"""A labelled text before and after the contract.

Not here: reading files (`label_files`, `importers`, `tools`), how a label may be spelled (`spelling`), the contract (`quality`), storing (`importing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sentiment_platform.text.sentiment import Label

LabelKind = Literal["human", "feedback", "machine", "outcome"]
"""Who speaks in a set: annotators who read the text; users who saw an answer; a vendor's model; the market afterwards."""
TRAINABLE: frozenset[LabelKind] = frozenset({"human", "feedback"})
"""The kinds that a model may learn from: people who read the text."""

FEEDBACK_SET = "feedback"
"""The set of labels that came as feedback, which is the only one of its kind."""
AUDIT_SET = "audit"
"""The set of labels that people gave to the random sample of served texts (`store.audit_sample`): live accuracy reads no other."""
ANONYMOUS = "anonymous"
"""The annotator of feedback that came without a valid key; no key's id has this form."""

SCORE_BAND = 0.1
"""A score from -0.1 to 0.1, both included, is neutral: scores of -1 to 1 crowd around 0, and their sign alone is noise there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLabel:
    """A row as an importer found it; what it lacks is None, `label` is as spelled there where the spelling is unknown.

    `problem` says why a row could not be read at all; `payload` is the row as it came.
    """

    text: str | None
    label: str | None
    annotator: str | None
    external_id: str | None = None
    weight: float = 1.0
    score: float | None = None
    agreement: float | None = None
    labelled_at: datetime | None = None
    published_at: datetime | None = None
    url: str | None = None
    problem: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledExample:
    """One annotator's word on one text.

    Attributes:
        label_set: name of the data set, part of every figure made from it.
        external_id: id inside the set; the same id imported again is the same label.
        score: the annotator's number from -1 to 1, where the label was made of one.
        agreement: share of annotators (at least) who gave this label, where several were asked.
        labelled_at: when the annotator spoke, aware UTC.
        published_at: aware UTC where the text has a date, for time-based splits.
        url: address of the article, to link it with one that was collected.
    """

    label_set: str
    external_id: str
    text: str
    label: Label
    annotator: str
    licence: str
    weight: float = 1.0
    published_at: datetime | None = None
    url: str | None = None
    kind: LabelKind = "human"
    score: float | None = None
    agreement: float | None = None
    labelled_at: datetime | None = None


def label_of_score(score: float) -> Label:
    """The label of a score from -1 to 1; within SCORE_BAND it is neutral."""
    return "neutral" if abs(score) <= SCORE_BAND else "positive" if score > 0 else "negative"
