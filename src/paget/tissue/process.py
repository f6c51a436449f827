"""Processes of a tissue: they act on all cells at once, by tables with a row for each cell type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.evidence import Parameter
from paget.process import Named, Process, Values
from paget.tissue.behaviours import variable_of
from paget.tissue.definition import CellDefinition

if TYPE_CHECKING:
    from paget.access import See

__all__ = ["TissueProcess"]

MANY = 20_000  # cells; with fewer, kernels of physiology lose more by starting threads than they gain


@dataclass(frozen=True, kw_only=True)
class TissueProcess(Process):
    """One mechanism of all cell types of a tissue.

    definitions : one of each cell type, in the order of the model's types, so that `cell.type` is the row of a table; a tissue
    fills in its own, their units and what is ruled, where a process of its `processes` has none
    units : unit of each field. ruled : behaviours that have a column of their own, because a rule or a cell changes them
    parts : slots of the definitions, by their beginning, that are the numbers of this process
    """

    whole: ClassVar[bool] = True
    parts: ClassVar[tuple[str, ...]] = ()

    definitions: tuple[CellDefinition, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    ruled: tuple[str, ...] = ()

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(definition.name for definition in self.definitions)

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        own = tuple(
            (f"{index}.{slot}", value, unit)
            for index, definition in enumerate(self.definitions)
            for slot, value, unit in definition.listed(self.units)
            if slot.startswith(self.parts)
        )
        return super().numbers + own

    def prepared(self, values: Values) -> Any:
        return self.prepare(vars(values))

    def prepare(self, values: dict[str, float]) -> Any:
        """Turn the numbers of one animal, keyed ``<index of type>.<slot>``, into the tables that `step` reads."""
        return values

    def behaviour(self, see: See, name: str, base: NDArray[np.float64]) -> NDArray[np.float64]:
        """A behaviour [n] of every cell: its own value where it has one, else that of its type, `base` [n_types]."""
        if name in self.ruled:
            column: NDArray[np.float64] = see[variable_of(name)]
            return column
        kind: NDArray[np.int64] = see["cell.type"]
        return base[kind]

    def reads_of(self, *behaviours: str) -> tuple[str, ...]:
        """Names of the columns of those of the behaviours that have one."""
        return tuple(variable_of(name) for name in behaviours if name in self.ruled)

    @staticmethod
    def crew(see: See) -> int:
        """How many threads pay for a kernel that does little for each cell; the bits are the same for any number."""
        return see.threads if see.count >= MANY else 1
