"""Mechanisms that are one sentence of biology, written as one sentence.

    fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2

The grammar is that of the cell behaviour hypothesis grammar (Johnson et al. 2025, doi:10.1016/j.cell.2025.06.048): a signal
raises or lowers a behaviour of a cell type from its base towards a saturation, along a Hill curve. In a catalogue sentence a
name in braces stands for a row of the parameter table: ``towards {senescence_rate}``.

Rules on one behaviour combine as in that grammar. With w = (signal / half-max)^hill of each rule,

    U = sum(w up) / (1 + sum(w up)),   D likewise for the lowering rules,
    behaviour = (1 - D) * ((1 - U) * base + U * high) + D * low,

where `high` and `low` are the saturations of the rules, weighted by w where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnitError, UnknownNameError
from paget.evidence import Parameter
from paget.evidence.parameters import Basis
from paget.process import Named
from paget.units import to_internal
from paget.vocabulary import CELL_TYPES, VARIABLES

__all__ = ["Rule", "hill", "respond"]

Number = Named | Parameter

_SENTENCE = re.compile(
    r"^\s*(?P<cell>[^:]+?)\s*:\s*(?P<signal>[\w.]+)\s+(?P<direction>increases|decreases)\s+(?P<behaviour>.+?)\s+"
    r"towards\s+(?P<towards>[^,]+?)\s*,\s*half-max\s+(?P<half>[^,]+?)\s*,\s*hill\s+(?P<hill>[^,]+?)\s*$"
)
_REFERENCE = re.compile(r"^\{(\w+)\}$")


@dataclass(frozen=True)
class Rule:
    """One sentence: on which cell, which signal, changes which behaviour, how.

    Raises
    ------
    ModelError
        If the sentence does not have the form shown above.
    UnknownNameError
        If the cell type or the signal is not in the vocabulary.
    """

    sentence: str
    source: str = ""

    def __post_init__(self) -> None:
        match = _SENTENCE.match(self.sentence)
        if match is None:
            raise ModelError(
                f"Cannot read the rule '{self.sentence}'. Its form is '<cell type>: <signal> increases|decreases <behaviour> "
                "towards <quantity>, half-max <quantity>, hill <number>'."
            )
        if match["cell"] not in CELL_TYPES:
            raise UnknownNameError("cell type", match["cell"], CELL_TYPES)
        if match["signal"] not in VARIABLES:
            raise UnknownNameError("signal", match["signal"], VARIABLES)
        object.__setattr__(self, "_parts", match.groupdict())
        for slot, unit in (("towards", "1/h"), ("half", self.signal_unit), ("hill", "")):
            self._number(slot, unit)

    @property
    def _part(self) -> dict[str, str]:
        parts: dict[str, str] = self.__dict__["_parts"]
        return parts

    @property
    def cell(self) -> str:
        return self._part["cell"]

    @property
    def signal(self) -> str:
        return self._part["signal"]

    @property
    def signal_unit(self) -> str:
        return VARIABLES[self.signal].unit

    @property
    def increases(self) -> bool:
        return self._part["direction"] == "increases"

    @property
    def behaviour(self) -> str:
        return self._part["behaviour"]

    def _number(self, slot: str, unit: str) -> Number:
        text = self._part[slot]
        reference = _REFERENCE.match(text)
        if reference:
            return Named(reference[1], unit)
        try:
            value = to_internal(text, unit)
        except UnitError as problem:
            raise UnitError(f"rule '{self.sentence}': {problem}") from problem
        if value < 0 or (slot != "towards" and value == 0):
            raise ModelError(
                f"rule '{self.sentence}': '{text}' must be {'zero or ' if slot == 'towards' else ''}positive"
            )
        basis: Basis = "measured" if self.source else "assumed"
        title = {"towards": "saturation", "half": "half-maximal signal", "hill": "Hill power"}[slot]
        key = f"{self.behaviour} by {self.signal.split('.')[1]}: {title}"
        return Parameter(key, key, value, unit, basis, "written in a rule sentence", self.source)

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        """(slot, number, unit) of the saturation, the half-maximal signal and the Hill power."""
        return tuple(
            (slot, self._number(slot, unit), unit)
            for slot, unit in (("towards", "1/h"), ("half", self.signal_unit), ("hill", ""))
        )


def hill(signal: Any, half: float, power: float = 1.0, top: float = 1.0) -> Any:
    """Saturating response: top * signal^power / (half^power + signal^power), of a number or an array.

    >>> hill(50.0, half=50.0, power=2.0)
    0.5
    """
    raised = signal**power
    return top * raised / (half**power + raised)


def respond(
    base: float,
    signals: Sequence[NDArray[np.float64] | float],
    increases: Sequence[bool],
    numbers: Sequence[tuple[float, float, float]],
    n: int,
) -> NDArray[np.float64]:
    """Rate [n] of a behaviour under its rules; `numbers` are (saturation, half-max, hill) of each.

    >>> respond(0.0, [np.array([0.0, 50.0])], [True], [(1.0, 50.0, 2.0)], 2)
    array([0. , 0.5])
    """
    up, high, down, low = (np.zeros(n) for _ in range(4))
    for signal, raises, (saturation, half, hill) in zip(signals, increases, numbers, strict=True):
        weight = (np.maximum(signal, 0.0) / half) ** hill
        if raises:
            up += weight
            high += weight * saturation
        else:
            down += weight
            low += weight * saturation
    # high / (1 + sum w) is U times the weighted saturation, so nothing is divided by a weight that may be zero.
    raised = (base + high) / (1.0 + up)
    return np.asarray((raised + low) / (1.0 + down))
