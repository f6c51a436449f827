"""Matrix: traps cut laminin in two steps and destroy thrombospondin-1; the tissue renews both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import FieldLoss, FieldRelease
from paget.process import Named, Phase, Process, Values, parameter

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["ElastaseProteolysis", "LamininRenewal", "Mmp9Proteolysis", "Tsp1Proteolysis", "Tsp1Renewal", "mmp9"]


@dataclass(frozen=True, kw_only=True)
class ElastaseProteolysis(Process):
    """Neutrophil elastase, held on the DNA of traps, makes the first cut in laminin-111.

    d(laminin)/dt = -k net laminin, all of which becomes nicked laminin
    """

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "elastase_proteolysis"
    sources: tuple[str, ...] = ("Albrengues2018", "He2025")
    rate: Named = parameter("elastase_cut_rate", "pL/h")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("field.net",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.laminin", "field.nicked_laminin")

    def step(self, see: See, do: Do, p: Values) -> None:
        do.transfer("field.laminin", "field.nicked_laminin", p.rate * see["field.net"])


@dataclass(frozen=True, kw_only=True)
class Mmp9Proteolysis(Process):
    """MMP9 makes the second cut, after which laminin shows the epitope that integrin a3b1 binds.

    d(nicked)/dt = -k mmp9 nicked, all of which becomes remodelled laminin
    """

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "mmp9_proteolysis"
    sources: tuple[str, ...] = ("Albrengues2018", "He2025")
    rate: Named = parameter("mmp9_cut_rate", "1/h/nM")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("field.mmp9",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.nicked_laminin", "field.remodelled_laminin")

    def step(self, see: See, do: Do, p: Values) -> None:
        do.transfer("field.nicked_laminin", "field.remodelled_laminin", p.rate * see["field.mmp9"])


@dataclass(frozen=True, kw_only=True)
class Tsp1Proteolysis(Process):
    """Trap proteases degrade thrombospondin-1, which keeps tumour cells dormant.

    d(tsp1)/dt = -k net tsp1
    """

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "tsp1_proteolysis"
    sources: tuple[str, ...] = ("He2025", "Ghajar2013")
    rate: Named = parameter("tsp1_cut_rate", "pL/h")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("field.net",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.tsp1",)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.lose("field.tsp1", p.rate * see["field.net"])


@dataclass(frozen=True, kw_only=True)
class Tsp1Renewal(Process):
    """Stromal cells renew thrombospondin-1 towards its level in healthy lung.

    d(tsp1)/dt = ln2/T (expression - tsp1)
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    role: str = "tsp1_renewal"
    half_life: Named = parameter("tsp1_renewal", "h")
    expression: Named = parameter("thbs1_expression", "")

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.tsp1",)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.add("field.tsp1", np.log(2.0) / p.half_life * p.expression)
        do.lose("field.tsp1", np.log(2.0) / p.half_life)


@dataclass(frozen=True, kw_only=True)
class LamininRenewal(Process):
    """Cut laminin is cleared and replaced by intact laminin over weeks; the total stays constant.

    d(nicked)/dt = -ln2/T nicked and d(remodelled)/dt = -ln2/T remodelled, both into intact laminin
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    role: str = "laminin_renewal"
    half_life: Named = parameter("laminin_renewal", "h")

    @property
    def adds(self) -> tuple[str, ...]:
        return ("field.laminin", "field.nicked_laminin", "field.remodelled_laminin")

    def step(self, see: See, do: Do, p: Values) -> None:
        for cut in ("field.nicked_laminin", "field.remodelled_laminin"):
            do.transfer(cut, "field.laminin", np.log(2.0) / p.half_life)


def mmp9() -> tuple[FieldRelease, FieldLoss]:
    """MMP9 leaves traps, diffuses and is lost."""
    return (
        FieldRelease(
            role="mmp9_release",
            summary="MMP9 leaves the traps.",
            structure="field.net",
            factor="field.mmp9",
            rate=Named("mmp9_release", "nM*pL/h"),
            sources=("Albrengues2018",),
        ),
        FieldLoss(
            role="mmp9_decay",
            summary="Free MMP9 is inhibited and lost.",
            factor="field.mmp9",
            half_life=Named("mmp9_half_life", "h"),
        ),
    )
