"""A labelled text as an importer hands it over, and how a label may be spelled.

Not here: reading files (`importers`), storing (`store.labels`), splitting (`splits`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sentiment_platform.errors import PermanentError
from sentiment_platform.text.sentiment import Label

SPELLINGS: Mapping[str, Label] = {
    "negative": "negative",
    "neutral": "neutral",
    "positive": "positive",
    "neg": "negative",
    "neu": "neutral",
    "pos": "positive",
    "bearish": "negative",
    "bullish": "positive",
    "-1": "negative",
    "0": "neutral",
    "1": "positive",
}


@dataclass(frozen=True, slots=True)
class LabelledExample:
    """One annotator's word on one text.

    Attributes:
        label_set: name of the data set, part of every figure made from it.
        external_id: id inside the set; the same id imported again is the same label.
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


def read_label(value: str, spellings: Mapping[str, Label] = SPELLINGS) -> Label:
    """The label that `value` spells.

    Raises:
        PermanentError: an unknown spelling; guessing would poison the training set.
    """
    try:
        return spellings[value.strip().lower()]
    except KeyError:
        raise PermanentError(f"{value!r} is not a label.", remedy=f"Use one of {', '.join(spellings)}.") from None
