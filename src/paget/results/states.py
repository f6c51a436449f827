"""Exact states of an animal as files: what a checkpoint holds, and what is kept of a chosen day to go on from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from paget.errors import DamagedResultError, ResultError
from paget.experiment import HOURS_PER_DAY
from paget.results.record import FilePart

__all__ = ["packed", "state_name", "unpacked"]

_HOUR_DIGITS = 6  # times are sums of ticks; what lies below a microhour is rounding


def state_name(time: float) -> str:
    """Path of the state kept at a time in h, inside the folder of its animal.

    >>> state_name(288.0), state_name(294.1)
    ('states/day-000012.npz', 'states/day-000012-6.1h.npz')
    """
    day, hours = divmod(round(time, _HOUR_DIGITS), HOURS_PER_DAY)
    within = f"-{round(hours, _HOUR_DIGITS):g}h" if round(hours, _HOUR_DIGITS) else ""
    return f"states/day-{int(day):06d}{within}.npz"


def packed(state: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The arrays of a state as the one npz file that they have; `ResultError` if one holds Python objects."""
    opaque = sorted(name for name, values in state.items() if np.asarray(values).dtype.hasobject)
    if opaque:
        raise ResultError(
            f"The checkpoint can hold numbers and fixed-width text only, not Python objects: {json.dumps(opaque)}."
        )
    buffer = io.BytesIO()
    np.savez(buffer, **state)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpacked(path: Path, expected: FilePart, advice: str = "") -> dict[str, npt.NDArray[Any]]:
    """The arrays of a committed state, bit for bit; `DamagedResultError` with `advice` if the file is another one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DamagedResultError(f"{path} is missing, although it was committed. {advice}".rstrip()) from None
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise DamagedResultError(f"{path} is not what was committed. {advice}".rstrip())
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
