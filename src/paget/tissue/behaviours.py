"""Where the behaviours that rules can change lie in the definitions of a tissue's cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from paget.rules.behaviours import BEHAVIOURS, Behaviour, behaviour, behaviours_of, column_of, variable_of
from paget.tissue.definition import CellDefinition

__all__ = [
    "BEHAVIOURS",
    "Behaviour",
    "base_values",
    "behaviour",
    "behaviours_of",
    "column_of",
    "lacks",
    "variable_of",
]


def lacks(definition: CellDefinition, behaviour: Behaviour) -> str:
    """The part that a cell type would need for a behaviour and does not have, or nothing."""
    part = behaviour.part
    if part.startswith("exchange."):
        return "" if part.removeprefix("exchange.") in definition.exchange else part
    if part == "cycle" and definition.cycle is not None:
        index = int(behaviour.slot.rsplit("/", 1)[1])
        return "" if index < len(definition.cycle.phases) else f"phase {index} of its cycle"
    return "" if getattr(definition, part) is not None else part


def base_values(
    values: dict[str, float], definitions: Sequence[CellDefinition], behaviours: Sequence[Behaviour]
) -> NDArray[np.float64]:
    """Base values [n_behaviours, n_types] of the behaviours; `values` are keyed ``<index of type>.<slot>``."""
    bases = np.zeros((len(behaviours), len(definitions)))
    for row, one in enumerate(behaviours):
        for index, definition in enumerate(definitions):
            if one.slot == "mechanics.movable":
                bases[row, index] = float(definition.mechanics.movable)
            else:
                bases[row, index] = values.get(f"{index}.{one.slot}", one.absent)
    return bases
