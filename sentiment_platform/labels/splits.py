"""Which part of a training set a story belongs to: train, validation or test; and the check that nothing leaks between them.

Dated stories are split by time: the newest are the test part, those just before them the validation part. Undated ones are split by
a hash of the words of their first text. A story is never divided, so syndicated copies and near-duplicates stay together.
Feedback trains and nothing more: people speak where a model erred, and a holdout of what they say would be against that model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sentiment_platform.text.normalise import split_bucket, text_key

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, Part, Part] = ("train", "validation", "test")

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class StoryText:
    """A text, the story it tells, and since when it was available (None: undated); `from_feedback`: users alone labelled it."""

    text: str
    story_id: str
    available_at: datetime | None
    from_feedback: bool = False


def assign_parts(rows: Sequence[StoryText]) -> list[Part]:
    """The part of each row, decided per story from its first row that annotators labelled; stories of feedback alone train.

    What feedback says of a story that is held out belongs to no part: `feedback_held_out` names it.
    """
    first: dict[str, StoryText] = {}
    for row in rows:
        if row.from_feedback:
            continue
        earliest = first.setdefault(row.story_id, row)
        # Any date beats none: a story with a date must not be dealt by hash into a part of another time.
        if row.available_at and (earliest.available_at is None or row.available_at < earliest.available_at):
            first[row.story_id] = row
    parts: dict[str, Part] = {story: _by_hash(row.text) for story, row in first.items() if row.available_at is None}
    dated = sorted((row.available_at, story) for story, row in first.items() if row.available_at is not None)
    test_from = len(dated) - round(len(dated) * TEST_SHARE)
    validation_from = test_from - round(len(dated) * VALIDATION_SHARE)
    for position, (_, story) in enumerate(dated):
        parts[story] = "test" if position >= test_from else "validation" if position >= validation_from else "train"
    return [parts.get(row.story_id, "train") for row in rows]


def feedback_held_out(rows: Sequence[StoryText], parts: Sequence[Part]) -> list[bool]:
    """Whether a row is feedback on a story of the validation or the test part: it is left out, since it may only train."""
    return [row.from_feedback and part != "train" for row, part in zip(rows, parts, strict=True)]


def leaks(rows: Sequence[StoryText], parts: Sequence[Part]) -> Mapping[str, int]:
    """Kind of leak -> how many; all zero for a sound split.

    Kinds: a story in two parts, the same words in two parts, a dated story of the test part that began before a training story, feedback
    in a part that judges. The order of time is that of what annotators labelled: feedback trains whenever its text was answered, and a
    story of it alone may be newer than the test part.
    """
    stories: dict[str, set[Part]] = {}
    texts: dict[str, set[Part]] = {}
    begins: dict[str, tuple[datetime, Part]] = {}
    for row, part in zip(rows, parts, strict=True):
        stories.setdefault(row.story_id, set()).add(part)
        texts.setdefault(text_key(row.text), set()).add(part)
        if (
            row.available_at
            and not row.from_feedback
            and (row.story_id not in begins or row.available_at < begins[row.story_id][0])
        ):
            begins[row.story_id] = (row.available_at, part)
    newest_training = max((at for at, part in begins.values() if part == "train"), default=None)
    return {
        "stories in two parts": sum(len(held_by) > 1 for held_by in stories.values()),
        "texts in two parts": sum(len(held_by) > 1 for held_by in texts.values()),
        "test stories older than a training story": sum(
            1 for at, part in begins.values() if part == "test" and newest_training is not None and at < newest_training
        ),
        "feedback outside of the training part": sum(feedback_held_out(rows, parts)),
    }


def _by_hash(text: str) -> Part:
    bucket = split_bucket(text)
    if bucket % 5 == 0:
        return "test"
    return "validation" if (bucket // 5) % 8 == 0 else "train"
