"""Names of what the engine offers beside plain variables, and the types that access is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALL", "BONDS", "CONTACTS", "MAY_BE_NAN", "POSITION", "VESSELS", "Real", "Rows"]

Real = NDArray[np.float64]
Rows = NDArray[np.int64]

POSITION = "cell.position"
CONTACTS = "cell.contacts"
BONDS = "tissue.bonds"
VESSELS = "tissue.vessels"
ALL = slice(None)
MAY_BE_NAN = frozenset({"cell.woke_at"})  # a time that has not come yet
