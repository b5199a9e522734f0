"""What training changed of an encoder, in few numbers, and the encoder with these changes: numpy alone, the same bytes everywhere.

A large matrix is changed by a product of two thin ones. They are kept as whole numbers of a power of two, so their product is exact
whatever a machine adds up first. Smaller tensors are kept whole, unchanged ones not at all.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = Mapping[str, npt.NDArray[Any]]
UP, DOWN, EXPONENTS = ".up", ".down", ".exponents"
"""Ends of the names of the two factors of a matrix, and of the powers of two that they were multiplied by."""
LARGEST = 2**15 - 1


def changes_between(before: Tensors, after: Tensors, rank: int) -> dict[str, npt.NDArray[Any]]:
    """The changes that lead from `before` to `after`; `before` may lack tensors of `after`, which are kept whole then.

    Of a matrix with more than `rank` rows and columns that is in both, the best approximation of this rank is kept (Eckart & Young
    1936): all of its change where that was trained as a product of this rank.
    """
    from threadpoolctl import threadpool_limits

    changes: dict[str, npt.NDArray[Any]] = {}
    for name, now in sorted(after.items()):
        then = before.get(name)
        if then is not None and np.array_equal(then, now):
            continue
        if then is None or now.ndim != 2 or min(now.shape) <= rank:
            changes[name] = now
            continue
        # On a busy machine waking threads for matrices this small costs more than they win.
        with threadpool_limits(limits=1, user_api="blas"):
            left, strengths, right = np.linalg.svd(now.astype(np.float64) - then.astype(np.float64), full_matrices=False)
        shares = np.sqrt(strengths[:rank])
        up, up_exponent = _whole(left[:, :rank] * shares)
        down, down_exponent = _whole(shares[:, None] * right[:rank])
        changes |= {name + UP: up, name + DOWN: down, name + EXPONENTS: np.array([up_exponent, down_exponent], dtype=np.int16)}
    return changes


def changed(before: Tensors, changes: Tensors) -> dict[str, npt.NDArray[Any]]:
    """`before` with the changes; every tensor float32."""
    after = {name: value.astype(np.float32) for name, value in before.items()}
    for name, value in changes.items():
        if name.endswith(UP):
            matrix = name.removesuffix(UP)
            # Integers of 16 bits: their products and sums are whole numbers that float64 holds exactly.
            product = value.astype(np.float64) @ changes[matrix + DOWN].astype(np.float64)
            exponent = int(changes[matrix + EXPONENTS].astype(np.int64).sum())
            after[matrix] = (before[matrix].astype(np.float64) + np.ldexp(product, -exponent)).astype(np.float32)
        elif not name.endswith((DOWN, EXPONENTS)):
            after[name] = value.astype(np.float32)
    return after


def changed_matrices(changes: Tensors) -> set[str]:
    """Names of the matrices that are changed by a product."""
    return {name.removesuffix(UP) for name in changes if name.endswith(UP)}


def _whole(matrix: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int16], int]:
    """Whole numbers, and the power of two that `matrix` was multiplied by."""
    largest = float(np.abs(matrix).max())
    exponent = int(np.floor(np.log2(LARGEST / largest))) if largest > 0 else 0
    return np.rint(np.ldexp(matrix, exponent)).astype(np.int16), exponent
