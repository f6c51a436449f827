"""What the processes of one tick ask for, gathered until the engine merges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.access.names import Real, Rows
from paget.state.bonds import Bonds

__all__ = ["Emission", "Ledgers"]


@dataclass(frozen=True)
class Emission:
    """Structural events that a process asks for; the engine applies the earliest of every cell.

    rows : slots [k] of the cells; rings : time of the event within the tick [k] in h; values : numbers or [k]
    partner : slots [k] of those who take over the variables `gives` of the cells, or -1
    places : positions [3, k] um of newcomers that no cell lets in; they have no rows
    account : body variable that counts the cells outside the tissue, from which newcomers come and to which leavers go
    parties : names [k] of the groups in which cells leave; those of one name stay together
    """

    role: str
    kind: str
    event: str
    rows: Rows
    rings: Real
    to: str = ""
    leaves: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    counts: NDArray[np.int64] | None = None
    partner: Rows | None = None
    gives: tuple[str, ...] = ()
    places: Real | None = None
    account: str = ""
    parties: NDArray[np.uint64] | None = None


class Ledgers:
    """What the processes of one tick add, in the fixed order of their roles."""

    def __init__(self) -> None:
        self.cell_source: dict[str, Real] = {}
        self.cell_loss: dict[str, Real] = {}
        self.cell_sets: dict[str, tuple[Rows | slice, Any]] = {}
        self.body_sets: dict[str, Any] = {}
        self.field_source: dict[str, Real] = {}
        self.field_loss: dict[str, Real | float] = {}
        self.field_saturable: dict[str, list[tuple[Real, float]]] = {}
        self.field_exchange: dict[str, list[tuple[Real, float, str]]] = {}
        self.field_faces: dict[str, dict[str, tuple[str, float, str]]] = {}
        self.field_held: dict[str, list[tuple[NDArray[np.bool_], Any]]] = {}
        self.transfers: list[tuple[str, str, Real | float]] = []
        self.bindings: list[tuple[str, str, Real | float, float, float]] = []
        self.body_source: dict[str, float] = {}
        self.body_loss: dict[str, float] = {}
        self.emissions: list[Emission] = []
        self.bound: list[Bonds] = []
        self.unbound: list[Rows] = []
        self.vessels: Any = None
