"""Which subjects have moved from one sample to the other, and which of them keep doing so. Pure functions of samples.

The tests are `statistics.drift`; what a drift leads to is `severity`.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from sentiment_platform.monitoring.samples import Sample, Texts
from sentiment_platform.monitoring.severity import CLOCK, PREDICTED_LABEL, TEXT
from sentiment_platform.statistics.drift.by_feature import MIN_ROWS, FeatureDrift, drift_by_feature
from sentiment_platform.statistics.drift.texts import AUC_THRESHOLD, text_shift
from sentiment_platform.statistics.significance import holm

ALPHA = 0.05
PERSISTS = 2
"""In so many windows, the newest one of them, a subject must have moved before it is called drifted."""


def judge(
    samples: Sequence[Sample], texts: Texts | None = None, *, alpha: float = ALPHA, min_rows: int = MIN_ROWS
) -> tuple[FeatureDrift, ...]:
    """KS and PSI of every subject on the values that are present, and the test of all texts; "drifted" decided over all together.

    Missing values are left out of both tests: whether a context feature is there is up to the caller and to how an example was
    labelled, and the model masks it. Their shares stand beside the report. The predicted label, a category, has PSI only. Features that
    tell the time are measured and never judged. Samples of fewer than `min_rows` values are not tested.
    """
    rows = [row for sample in samples for row in _tests(sample, min_rows)]
    if texts is not None:
        rows.append(_test_of(texts, min_rows))
    adjusted = iter(holm([row.p_value for row in rows if row.p_value is not None and row.feature not in CLOCK]))
    judged: list[FeatureDrift] = []
    for row in rows:
        if row.statistic is None or row.p_value is None or row.feature in CLOCK:
            judged.append(msgspec.structs.replace(row, adjusted_p=None, drifted=False))
            continue
        # The same rule as drift_by_feature, but adjusted over features, scores and texts alike, which are samples of different sizes.
        p = float(next(adjusted))
        judged.append(msgspec.structs.replace(row, adjusted_p=p, drifted=row.statistic >= row.threshold and p < alpha))
    return tuple(judged)


def lasting(windows: Sequence[Sequence[FeatureDrift]]) -> tuple[tuple[FeatureDrift, ...], Mapping[str, int]]:
    """The rows of the newest of the judged `windows` (newest first), "drifted" where the subject has moved in `PERSISTS` of them.

    Returns:
        The rows, and for each subject in how many windows at least one test says that it has moved.
    """
    moved = [{row.feature for row in rows if row.drifted} for rows in windows]
    newest = windows[0]
    counts = {row.feature: sum(row.feature in names for names in moved) for row in newest}
    rows = tuple(msgspec.structs.replace(row, drifted=row.drifted and counts[row.feature] >= PERSISTS) for row in newest)
    return rows, counts


def telling_words(texts: Texts, min_rows: int) -> tuple[str, ...]:
    """The words by which the current texts differ most from the reference; none where there are too few of either."""
    if min(len(texts.reference), len(texts.current)) < min_rows:
        return ()
    return text_shift(texts.reference, texts.current).words


def _tests(sample: Sample, min_rows: int) -> list[FeatureDrift]:
    sides = [values[~np.isnan(values)][:, np.newaxis] for values in (sample.reference, sample.current)]
    rows = drift_by_feature(sides[0], sides[1], [sample.subject], min_rows=min_rows)
    if sample.subject == PREDICTED_LABEL:
        rows = tuple(row for row in rows if row.test == "psi")
    # Missing values are left out here, so that the change of their share, which is PSI's effect size, would always be 0.
    rows = tuple(msgspec.structs.replace(row, effect_size=None) if row.test == "psi" else row for row in rows)
    where = _absent(sample, len(sides[0]), len(sides[1]), min_rows)
    return [msgspec.structs.replace(row, not_testable=where) if where and row.statistic is None else row for row in rows]


def _test_of(texts: Texts, min_rows: int) -> FeatureDrift:
    n, m = len(texts.reference), len(texts.current)
    enough = min(n, m) >= min_rows
    shift = text_shift(texts.reference, texts.current) if enough else None
    return FeatureDrift(
        feature=TEXT,
        test="auc",
        statistic=shift.auc if shift else None,
        p_value=shift.p_value if shift else None,
        adjusted_p=None,
        effect_size=None,
        threshold=AUC_THRESHOLD,
        drifted=False,
        n_reference=n,
        n_current=m,
        not_testable=None if enough else f"{n} reference and {m} current texts, {min_rows} of each needed",
    )


def _absent(sample: Sample, reference: int, current: int, min_rows: int) -> str | None:
    if sample.reference.size == 0:
        return f"no {sample.part} values to compare with"
    if sample.reference.size >= min_rows and reference == 0:
        return "missing in every row of the reference"
    if sample.current.size >= min_rows and current == 0:
        return "missing in everything served"
    return None
