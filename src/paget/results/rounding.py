"""Drop the digits that a picture of tissue does not need, so that what is stored compresses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["round_mantissa", "round_positions"]

POSITION_STEPS_PER_UM = 64
MANTISSA_BITS = 10
_DROPPED = 23 - MANTISSA_BITS


def round_positions(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Round coordinates in um to 1/64 um.

    >>> round_positions([10.001, 10.01]).tolist()
    [10.0, 10.015625]
    """
    exact = np.asarray(values, np.float64)
    return np.asarray(np.rint(exact * POSITION_STEPS_PER_UM) / POSITION_STEPS_PER_UM, np.float32)


def round_mantissa(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Round to 10 bits after the leading one, ties to even: a relative error below 2^-11. NaN and infinity stay.

    >>> round_mantissa([1.0, 3.14159265]).tolist()
    [1.0, 3.140625]
    """
    exact = np.array(values, np.float32)
    bits = exact.view(np.uint32)
    even = (bits >> np.uint32(_DROPPED)) & np.uint32(1)
    rounded = (bits + (np.uint32((1 << (_DROPPED - 1)) - 1) + even)) & np.uint32(0xFFFFFFFF << _DROPPED & 0xFFFFFFFF)
    return np.where(np.isfinite(exact), rounded.view(np.float32), exact)
