"""The shapes everything in this folder speaks: classes (n,) and probabilities (n, 3), refused early when they are something else.

No statistics here; only the types and the checks at the door.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sentiment_platform.errors import PermanentError
from sentiment_platform.text.sentiment import LABELS, Label

__all__ = [
    "LABELS",
    "N_CLASSES",
    "Classes",
    "Floats",
    "Ints",
    "Label",
    "Matrix",
    "as_classes",
    "as_probabilities",
]

N_CLASSES = len(LABELS)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Classes = npt.NDArray[np.integer[Any]] | Sequence[int]
Matrix = npt.NDArray[np.floating[Any]] | Sequence[Sequence[float]]


def as_classes(values: Classes, *, name: str = "classes") -> Ints:
    """Class indices as int64, shape (n,) with n >= 1, each an index into `LABELS`.

    Raises:
        PermanentError: not one-dimensional, empty, not integers, or outside 0..2.
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise PermanentError(f"{name} has shape {array.shape}.", remedy="Pass a non-empty one-dimensional array.")
    if array.dtype.kind not in "iu":
        raise PermanentError(f"{name} holds {array.dtype}, not integers.", remedy="Pass indices into LABELS.")
    if int(array.min()) < 0 or int(array.max()) >= N_CLASSES:
        raise PermanentError(
            f"{name} holds values from {array.min()} to {array.max()}.", remedy=f"Pass indices 0..{N_CLASSES - 1}."
        )
    return array.astype(np.int64, copy=False)


def as_probabilities(values: Matrix, *, n: int, name: str = "probabilities") -> Floats:
    """Class probabilities as float64, shape (n, 3), rows summing to 1 within 1e-3 (float32 and JSON rounding).

    Raises:
        PermanentError: another shape, NaN, infinite or negative values, rows that do not sum to 1.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n, N_CLASSES):
        raise PermanentError(f"{name} has shape {array.shape}, expected {(n, N_CLASSES)}.", remedy="Check the model.")
    if not np.isfinite(array).all() or float(array.min()) < 0.0:
        raise PermanentError(f"{name} holds NaN, infinite or negative values.", remedy="Check the model's output.")
    if not np.allclose(array.sum(axis=1), 1.0, rtol=0.0, atol=1e-3):
        raise PermanentError(f"{name} has rows that do not sum to 1.", remedy="Pass probabilities, not logits.")
    return array
