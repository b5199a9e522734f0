"""What drift reports say of real headlines: ordinary weeks, March 2020, and a version that was trained on another source.

The windows, features, tests and thresholds are those of `monitoring`; Reuters' headlines stand for what users ask. Their days have no time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sentiment_platform.features.compute import compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.models.families import load_model, trainer
from sentiment_platform.models.family import Floats, TrainingOptions, TrainingWorld
from sentiment_platform.monitoring.judging import judge, lasting
from sentiment_platform.monitoring.samples import Sample, Texts, scores
from sentiment_platform.monitoring.severity import RESPONSES, TEXT, Severity, severity_of
from sentiment_platform.monitoring.windows import EARLIER_WINDOWS, MIN_TEXTS, WINDOW, WINDOWS
from sentiment_platform.news.stories.near_duplicates import counted_as
from sentiment_platform_tests.benchmarks.collection import reuters
from sentiment_platform_tests.benchmarks.labelled_data import training_data
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure

UNUSUAL = date(2020, 2, 1)
MARCH, APRIL = date(2020, 3, 1), date(2020, 4, 1)


@dataclass(frozen=True)
class Asked:
    """Headlines with their day, features (n, k) and the answers (n, 3) of the version."""

    days: Sequence[date]
    texts: Sequence[str]
    features: Floats
    answers: Floats

    def between(self, since: date, until: date) -> "Asked":
        """Stories of the days in (since, until], the newest copy of each."""
        rows = [row for row, day in enumerate(self.days) if since < day <= until]
        counted = counted_as([self.texts[row] for row in rows], [None] * len(rows))
        kept = [row for position, row in enumerate(rows) if counted[position] == position]
        return Asked([self.days[row] for row in kept], [self.texts[row] for row in kept], self.features[kept], self.answers[kept])


@cache
def asked() -> tuple[Asked, Asked, Asked]:
    """Reuters, and the train and the test part of PhraseBank, answered by VADER that was trained on that train part."""
    data, family = training_data(("phrasebank",)), trainer("vader", TrainingWorld())
    with TemporaryDirectory(prefix="drift-") as folder:
        family.export(family.train(data, TrainingOptions(), _silent), data, Path(folder), _silent)
        model = load_model("vader", Path(folder))
    days, texts = zip(*reuters(), strict=True)

    def answered(days: Sequence[date], texts: Sequence[str]) -> Asked:
        features = _values(texts)
        return Asked(days, texts, features, model.predict(texts, features))

    undated = [date.min] * max(len(data.train), len(data.test))
    train, test = (answered(undated[: len(part)], list(part.texts)) for part in (data.train, data.test))
    return answered(list(days), list(texts)), train, test


def report(all_asked: Asked, now: date) -> tuple[Severity, set[str]]:
    """Severity and what drifted in the week that ends with `now`."""
    cuts = [now - i * WINDOW for i in range(WINDOWS + 1)]
    earlier = all_asked.between(cuts[-1] - EARLIER_WINDOWS * WINDOW, cuts[-1])
    windows = [all_asked.between(start, end) for end, start in pairwise(cuts)]
    rows, _ = lasting([judge(*_samples(earlier, earlier, one), min_rows=MIN_TEXTS) for one in windows])
    return severity_of(rows), {row.feature for row in rows if row.drifted}


@TABLE.row("E.11", "drift on Reuters before February 2020, under a version of PhraseBank")
def on_reuters() -> Iterator[Figure]:
    traffic, train, test = asked()
    first = traffic.days[0] + (WINDOWS + EARLIER_WINDOWS) * WINDOW
    weeks = [first + i * WINDOW for i in range((UNUSUAL - first).days // 7 + 1)]
    said = [report(traffic, week) for week in weeks if week < UNUSUAL]
    alarms = [severity for severity, _ in said if RESPONSES[severity].alert]
    low = sum(severity == "low" for severity, _ in said)
    yield Figure("share of ordinary weeks that alarm", len(alarms) / len(said), "", 0.05, len(said), explains={"low": low})
    newest = traffic.between(weeks[0] - WINDOW, weeks[0])
    fit = judge(*_samples(train, test, newest), min_rows=MIN_TEXTS)
    differs = sorted({row.feature for row in fit if row.drifted})
    area = next(row.statistic for row in fit if row.feature == TEXT) or 0.0
    yield Figure(
        "subjects by which Reuters differs from PhraseBank: the fit, told once",
        len(differs),
        "",
        1,
        len(newest.texts),
        True,
        {"subjects": differs, "area of the texts": round(area, 3)},
    )


@TABLE.row("E.12", "drift on Reuters in March 2020, under the same version")
def in_march() -> Iterator[Figure]:
    traffic, _, _ = asked()
    days = [MARCH + timedelta(days=i) for i in range((APRIL - MARCH).days)]
    alarmed = [day for day in days if RESPONSES[report(traffic, day)[0]].alert]
    told = {"first": alarmed[0].isoformat() if alarmed else "none", "days": len(alarmed)}
    yield Figure("days of March 2020 with an alarm", len(alarmed), "days", 1, len(days), True, told)


def _samples(reference: Asked, answered: Asked, current: Asked) -> tuple[list[Sample], Texts]:
    features = [Sample(name, "reference", reference.features[:, i], current.features[:, i]) for i, name in enumerate(V1.names)]
    sides = scores(answered.answers), scores(current.answers)
    both = [Sample(name, "reference", sides[0][name], sides[1][name]) for name in sides[0]]
    return [*features, *both], Texts("reference", reference.texts, current.texts)


def _values(texts: Sequence[str]) -> Floats:
    vectors = [compute_v1(text) for text in texts]
    return np.array([[np.nan if value is None else value for value in vector] for vector in vectors], dtype=np.float64)


def _silent(progress: object) -> None:
    del progress
