"""Does a version get better or worse from day to day? The slope of its daily accuracy in a window, as a figure like any other."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sentiment_platform.statistics.estimate import ACCURACY_TREND
from sentiment_platform.statistics.trend import accuracy_trend
from sentiment_platform.store.figures import Figure


def trend_figures(
    version: str, window: str, answers: Sequence[tuple[datetime, str, bool]], coverage: float, least: int
) -> list[Figure]:
    """The change of accuracy a day with its interval; nothing with fewer than `least` texts, or on too few UTC days.

    Args:
        answers: when each labelled answer was given, the hash of its text, and whether it was right. A text counts once, on its first day.
    """
    first_of_text: dict[str, tuple[datetime, bool]] = {}
    for at, text, is_right in sorted(answers, key=lambda answer: answer[0]):
        first_of_text.setdefault(text, (at, is_right))
    told = list(first_of_text.values())
    if len(told) < least:
        return []
    days = [at.astimezone(UTC).date() for at, _ in told]
    labelled, right = Counter(days), Counter(day for day, (_, is_right) in zip(days, told, strict=True) if is_right)
    first = min(labelled)
    numbered = sorted(labelled)
    trend = accuracy_trend(
        [(day - first).days for day in numbered], [right[day] for day in numbered], [labelled[day] for day in numbered]
    )
    if trend is None:
        return []
    return [
        Figure(
            version=version,
            window=window,
            metric=ACCURACY_TREND,
            value=trend.slope,
            low=trend.low,
            high=trend.high,
            n=len(told),
            label_coverage=coverage,
        )
    ]
