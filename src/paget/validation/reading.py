"""Numbers read off the result of a study: a contrast of two arms, a value on a day, a share of animals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paget.validation.measured import Measured, as_reduction, contrast, share_of

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["Contrast", "Occupied"]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A readout in one arm against another, by the test that the project uses for its kind, before any adjustment.

    percent_less : give per cent less than the control instead of the ratio to it.
    """

    readout: str
    arm: str
    versus: str
    percent_less: bool = False

    def __call__(self, result: Result) -> Measured:
        found = result.effect(self.readout, self.arm, self.versus)
        table = result.outcomes[result.outcomes["readout"] == self.readout]
        sides = {name: table[table["arm"] == name].set_index("animal")["value"] for name in (self.arm, self.versus)}
        shared = sides[self.arm].dropna().index.intersection(sides[self.versus].dropna().index)
        arm, control = (sides[name].loc[shared].to_numpy(float) for name in (self.arm, self.versus))
        if len(shared) == 0:
            return Measured(value=math.nan, how=f"{found.test}; no animal has this readout in both arms")
        p = math.nan if found.p is None else float(found.p)
        how = f"{found.title.lower()}, {self.arm} against {self.versus}; {found.test}"
        measured = contrast(arm, control, p, how, paired=True, unit=found.unit)
        if (
            found.kind == "time" and found.effect is not None
        ):  # censored times: the test and the restricted means decide
            measured = replace(measured, sign=int(np.sign(found.effect)))
        if self.percent_less:
            measured = as_reduction(measured)
        return measured


@dataclass(frozen=True, kw_only=True)
class Occupied:
    """Share of the animals of an arm, in per cent, whose readout is above 0 at the end."""

    readout: str
    arm: str

    def __call__(self, result: Result) -> Measured:
        table = result.outcomes
        values = table.loc[(table["arm"] == self.arm) & (table["readout"] == self.readout), "value"].dropna()
        found = int((values > 0.0).sum())
        return share_of(
            found, len(values), f"animals with {self.readout} above 0, {self.arm}", details=f"{found} of {len(values)}"
        )
