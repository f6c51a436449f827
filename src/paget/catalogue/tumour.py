"""Growth of tumour cells: the cell cycle, crowding, division, death by drugs and for lack of adhesion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paget.behaviours import Death
from paget.process import Named, Phase, Process, Values, parameter
from paget.rules import Rule

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["CellCycle", "CellGrowth", "Division", "chemotherapy_killing", "cycling_death", "dormant_death"]

CYCLING = ("cycling tumour cell",)


@dataclass(frozen=True, kw_only=True)
class CellCycle(Process):
    """A cycling tumour cell advances through its cycle, slower when crowded.

    d(cycle)/dt = exp(s z) / T / (1 + (pressure / half)^n), z a standard normal number that the cell keeps for life
    """

    phase: ClassVar[Phase] = Phase.ACT
    role: str = "cell_cycle"
    duration: Named = parameter("cell_cycle", "h")
    spread: Named = parameter("cell_cycle_spread", "")
    crowding_half: Named = parameter("crowding_half", "")
    crowding_hill: Named = parameter("crowding_hill", "")

    @property
    def on(self) -> tuple[str, ...]:
        return CYCLING

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.pressure",)

    @property
    def adds(self) -> tuple[str, ...]:
        return ("cell.cycle",)

    def step(self, see: See, do: Do, p: Values) -> None:
        if see.count:
            pace = np.exp(p.spread * see.personal(1)[:, 0]) / p.duration
            do.add("cell.cycle", pace / (1.0 + (see["cell.pressure"] / p.crowding_half) ** p.crowding_hill))


@dataclass(frozen=True, kw_only=True)
class Division(Process):
    """A cell that has completed its cycle divides into two, which start where the overshoot of the tick leaves them."""

    phase: ClassVar[Phase] = Phase.MOVE
    role: str = "division"

    @property
    def on(self) -> tuple[str, ...]:
        return CYCLING

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.cycle",)

    @property
    def emits(self) -> tuple[str, ...]:
        return ("division",)

    def step(self, see: See, do: Do, p: Values) -> None:
        if see.count:
            cycle = see["cell.cycle"]
            do.emit(
                "division", np.where(cycle >= 1.0, see.dt, np.inf), values={"cell.cycle": np.maximum(cycle - 1.0, 0.0)}
            )


@dataclass(frozen=True, kw_only=True)
class CellGrowth(Process):
    """A tumour cell doubles its volume on the way to division.

    radius = r0 (1 + cycle)^(1/3)
    """

    phase: ClassVar[Phase] = Phase.SENSE
    role: str = "cell_growth"
    radius: Named = parameter("tumour_cell_radius", "um")

    @property
    def on(self) -> tuple[str, ...]:
        return ("dormant tumour cell", "cycling tumour cell")

    @property
    def reads(self) -> tuple[str, ...]:
        return ("cell.cycle",)

    @property
    def sets(self) -> tuple[str, ...]:
        return ("cell.radius",)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.set("cell.radius", p.radius * np.cbrt(1.0 + np.clip(see["cell.cycle"], 0.0, 1.0)))


def chemotherapy_killing() -> Death:
    """Chemotherapy kills cycling tumour cells, by dose and time; dormant cells are spared."""
    cytotoxic = tuple(
        Rule(
            f"cycling tumour cell: body.{drug} increases drug death towards {{{drug}_kill_rate}}, "
            f"half-max {{{drug}_kill_half}}, hill {{{drug}_kill_hill}}",
            source="He2025",
        )
        for drug in ("doxorubicin", "cisplatin")
    )
    return Death(
        role="chemotherapy_killing",
        summary="Chemotherapy kills cycling tumour cells, by dose and time; dormant cells are spared.",
        cell="cycling tumour cell",
        behaviour="drug death",
        base=0,
        rules=cytotoxic,
        sources=("He2025",),
    )


def cycling_death() -> Death:
    """Cycling tumour cells without FAK activity die about as fast as they divide, so that most early colonies regress."""
    return Death(
        role="cycling_death",
        summary="Cycling tumour cells without FAK activity die about as fast as they divide.",
        cell="cycling tumour cell",
        behaviour="death",
        base=Named("cycling_death", "1/h"),
        rules=(
            Rule(
                "cycling tumour cell: cell.fak decreases death towards {cycling_death_floor}, "
                "half-max {survival_fak_half}, hill {survival_fak_hill}",
                source="Shibue2009",
            ),
        ),
        sources=("Shibue2009", "Luzzi1998"),
    )


def dormant_death() -> Death:
    """Dormant tumour cells are lost slowly, and not to chemotherapy."""
    return Death(
        role="dormant_death",
        summary="Dormant tumour cells are lost slowly.",
        cell="dormant tumour cell",
        behaviour="death",
        base=Named("dormant_death", "1/h"),
        sources=("Meng2004",),
    )
