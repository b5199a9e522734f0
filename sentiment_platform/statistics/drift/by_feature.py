"""Which features have drifted: KS and PSI for every feature of two samples, judged together.

The tests themselves are `ks` and `psi`. Where the samples come from, what a drift leads to and how it is stored belong to
`monitoring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats
from sentiment_platform.statistics.drift.ks import KsResult, ks_of_sorted
from sentiment_platform.statistics.drift.psi import PsiResult, psi_of_sorted
from sentiment_platform.statistics.significance import holm

DriftTest = Literal["ks", "psi", "auc"]

KS_THRESHOLD = 0.1
PSI_THRESHOLD = 0.25
MIN_ROWS = 30


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One test of one feature. Where it could not be made, the figures are None and `not_testable` says why.

    `drifted` holds when `statistic >= threshold` (large enough to matter) and `adjusted_p < alpha` (not chance). `effect_size` is
    the shift of the mean in standard deviations of the reference, signed (None where the reference does not vary), for "ks"; for
    "psi" it is the change of the missing share, in [-1, 1]. "auc" is the test of all texts together (`texts`), its statistic from 0.5 on.
    """

    feature: str
    test: DriftTest
    statistic: float | None
    p_value: float | None
    adjusted_p: float | None
    effect_size: float | None
    threshold: float
    drifted: bool
    n_reference: int
    n_current: int
    not_testable: str | None = None


def drift_by_feature(
    reference: Floats,
    current: Floats,
    names: Sequence[str],
    *,
    alpha: float = 0.05,
    ks_threshold: float = KS_THRESHOLD,
    psi_threshold: float = PSI_THRESHOLD,
    min_rows: int = MIN_ROWS,
) -> tuple[FeatureDrift, ...]:
    """Two rows a feature, "ks" then "psi", in the order of `names`, for samples (n, k) and (m, k); NaN means missing.

    KS compares the present values; PSI has a bin for the missing ones, so a feature that disappears is seen there. p values are
    adjusted by Holm over all tests of the report: without any drift, the chance that the report names any feature at all is at
    most alpha. KS may find any difference in a million rows, hence its threshold: 0.1 is a quarter of a standard deviation.
    Samples of fewer than `min_rows` (for KS: present values) are not tested.

    Raises:
        PermanentError: shapes that do not fit together, repeated names.
    """
    reference, current = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    k = len(names)
    if reference.ndim != 2 or current.ndim != 2 or reference.shape[1] != k or current.shape[1] != k:
        raise PermanentError(
            f"{k} names do not fit samples of shape {reference.shape} and {current.shape}.",
            remedy="Pass two-dimensional samples with one column a name.",
        )
    if len(set(names)) != k:
        raise PermanentError(f"A name occurs twice in {list(names)}.", remedy="Name each feature once.")

    rows: list[FeatureDrift] = []
    for column, name in enumerate(names):
        # One sorted copy a column at a time: memory stays at a few columns, and both tests want sorted values.
        a, b = _present_sorted(reference[:, column]), _present_sorted(current[:, column])
        missing_a, missing_b = reference.shape[0] - a.size, current.shape[0] - b.size
        rows.append(_ks_row(name, a, b, threshold=ks_threshold, min_rows=min_rows))
        rows.append(_psi_row(name, a, b, missing_a, missing_b, threshold=psi_threshold, min_rows=min_rows))
    return _decide(rows, alpha)


def _ks_row(name: str, a: Floats, b: Floats, *, threshold: float, min_rows: int) -> FeatureDrift:
    few = _too_few(a.size, b.size, min_rows)
    if few:
        return _untested(name, "ks", few, threshold, a.size, b.size)
    result = ks_of_sorted(a, b)
    return _tested(name, "ks", result, _standardised_shift(a, b), threshold)


def _psi_row(name: str, a: Floats, b: Floats, missing_a: int, missing_b: int, *, threshold: float, min_rows: int) -> FeatureDrift:
    n, m = a.size + missing_a, b.size + missing_b
    few = _too_few(n, m, min_rows)
    if not few and a.size == 0 and b.size == 0:
        few = "present in neither sample"
    if few:
        return _untested(name, "psi", few, threshold, n, m)
    result = psi_of_sorted(a, b, missing_a, missing_b)
    return _tested(name, "psi", result, missing_b / m - missing_a / n, threshold)


def _tested(
    name: str, test: DriftTest, result: KsResult | PsiResult, effect_size: float | None, threshold: float
) -> FeatureDrift:
    n, m = result.n_reference, result.n_current
    return FeatureDrift(
        feature=name,
        test=test,
        statistic=result.statistic,
        p_value=result.p_value,
        adjusted_p=None,
        effect_size=effect_size,
        threshold=threshold,
        drifted=False,
        n_reference=n,
        n_current=m,
    )


def _untested(name: str, test: DriftTest, why: str, threshold: float, n: int, m: int) -> FeatureDrift:
    return FeatureDrift(
        feature=name,
        test=test,
        statistic=None,
        p_value=None,
        adjusted_p=None,
        effect_size=None,
        threshold=threshold,
        drifted=False,
        n_reference=n,
        n_current=m,
        not_testable=why,
    )


def _too_few(n: int, m: int, min_rows: int) -> str | None:
    needed = max(1, min_rows)
    if n >= needed and m >= needed:
        return None
    if n == 0 and m == 0:
        return "present in neither sample"
    return f"{n} reference and {m} current values, {needed} of each needed"


def _decide(rows: list[FeatureDrift], alpha: float) -> tuple[FeatureDrift, ...]:
    adjusted = iter(holm([row.p_value for row in rows if row.p_value is not None]))
    decided: list[FeatureDrift] = []
    for row in rows:
        if row.statistic is None:
            decided.append(row)
            continue
        p = float(next(adjusted))
        drifted = row.statistic >= row.threshold and p < alpha
        decided.append(msgspec.structs.replace(row, adjusted_p=p, drifted=drifted))
    return tuple(decided)


def _present_sorted(values: Floats) -> Floats:
    ordered = np.sort(values)
    return ordered[: int(np.searchsorted(ordered, np.nan, side="left"))]


def _standardised_shift(a: Floats, b: Floats) -> float | None:
    with np.errstate(invalid="ignore", over="ignore"):
        spread = float(a.std())
        shift = float(b.mean() - a.mean())
    if not np.isfinite(spread) or not np.isfinite(shift) or a[0] == a[-1]:
        return None
    return shift / spread
