"""The reader of the sample in `sample/`: labelled headlines about invented companies, and feeds that carry part of them.

Reading only. Importing labels into the store belongs to `labels/`, serving the feeds over HTTP to `local/feeds.py`.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from sentiment_platform.errors import PermanentError
from sentiment_platform.text.sentiment import LABELS, Label
from sentiment_platform.times.own import own_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleHeadline:
    """One headline as one outlet carried it; the columns are explained in `sample/README.md`."""

    id: str
    published_at: datetime  # aware, UTC
    outlet: str
    url: str
    title: str
    summary: str  # empty for about two thirds
    tickers: tuple[str, ...]
    label: Label
    story: str  # shared by the copies of one story at several outlets
    pair: str | None  # shared by two headlines that read alike and mean different things


def sample_directory() -> Path:
    """The folder of the sample.

    Raises:
        PermanentError: the package is not unpacked on disk, or was built without its data.
    """
    folder = files("sentiment_platform.local.demo").joinpath("sample")
    if not isinstance(folder, Path) or not folder.is_dir():
        raise PermanentError(
            f"The sample is not a folder on disk: {folder}.",
            remedy="Install the package unpacked and with its data files, for example with `pip install .`.",
        )
    return folder


def read_headlines() -> list[SampleHeadline]:
    """All rows of `headlines.csv`, syndicated copies included, oldest first."""
    return _read(sample_directory() / "headlines.csv")


def second_wave() -> list[SampleHeadline]:
    """All rows of `second_wave.csv`, oldest first: a shock after the last of `read_headlines`, none of them repeated."""
    return _read(sample_directory() / "second_wave.csv")


def ordinary_questions(number: int) -> list[SampleHeadline]:
    """The first headline of each of so many stories, oldest first: what users ask about before the shock."""
    first: dict[str, SampleHeadline] = {}
    for headline in read_headlines():
        first.setdefault(headline.story, headline)
    return list(first.values())[:number]


def days_of_the_sample(newest: int | None = None) -> tuple[str, str]:
    """First and last UTC day of `read_headlines`, as partition keys; of the `newest` days alone where that is given."""
    days = sorted(headline.published_at.astimezone(UTC).date() for headline in read_headlines())
    first = days[0] if newest is None else days[-1] - timedelta(days=newest - 1)
    return first.isoformat(), days[-1].isoformat()


def feed_files() -> list[Path]:
    """The feeds, RSS and Atom, in the order of their names."""
    return sorted((sample_directory() / "feeds").glob("*.xml"))


def _read(path: Path) -> list[SampleHeadline]:
    with path.open(encoding="utf-8", newline="") as file:
        return [_headline(row) for row in csv.DictReader(file, strict=True)]


def _headline(row: dict[str, str]) -> SampleHeadline:
    label = row["label"]
    if label not in LABELS:
        raise PermanentError(
            f"Headline {row['id']} of the sample is labelled {label!r}.", remedy=f"Use one of {', '.join(LABELS)}."
        )
    return SampleHeadline(
        id=row["id"],
        published_at=own_moment(row["published_at"]),
        outlet=row["outlet"],
        url=row["url"],
        title=row["title"],
        summary=row["summary"],
        tickers=tuple(row["tickers"].split()),
        label=label,
        story=row["story"],
        pair=row["pair"] or None,
    )
