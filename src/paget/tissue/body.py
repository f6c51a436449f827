"""What lies outside a tissue and belongs to the same body: levels in plasma, the amounts behind them, and counts of cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from paget.errors import NumericalError, UnitError
from paget.evidence import Parameter
from paget.process import Named, Phase, Process, Values
from paget.tissue.definition import Given, Part, in_unit, number
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["BodyVariable", "PlasmaLevel", "is_amount_of"]


@dataclass(frozen=True, kw_only=True)
class BodyVariable(Part):
    """A quantity of the body around the tissue, as the level of a drug in plasma or a number of circulating cells.

    name : begins with ``body.``; unit : "" for plain numbers; initial : where it starts
    """

    name: str
    unit: str = ""
    initial: Given = number("@")
    meaning: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "initial", in_unit(self.initial, self.unit))


@dataclass(frozen=True, kw_only=True)
class PlasmaLevel(Process):
    """The level of a substance in plasma is its amount over the volume of plasma.

    level : body variable in the unit of the field that vessels supply. account : body variable that holds the amount, in that
    unit times pL, which `VesselExchange` draws on. The level is that of the start of the tick.

    Raises
    ------
    NumericalError
        If the tissue took more in a tick than the plasma held.
    """

    phase: ClassVar[Phase] = Phase.BODY

    role: str = "plasma_level"
    level: str
    account: str
    volume: Named | Parameter = field(metadata={"unit": "pL"})

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.account,)

    @property
    def sets(self) -> tuple[str, ...]:
        return (self.level,)

    def step(self, see: See, do: Do, p: Values) -> None:
        amount = float(see[self.account])
        if amount < 0.0:
            raise NumericalError(
                f"process '{self.role}' at {see.time:g} h (tick {see.tick}): '{self.account}' is {amount:g}; the tissue took "
                "more in a tick than the plasma held. Choose a shorter tick, or a volume of plasma that fits the tissue."
            )
        do.set(self.level, amount / p.volume)


def is_amount_of(amount: str, level: str) -> bool:
    """Whether a body variable in the unit `amount` holds amounts of what has its level in the unit `level`: level times pL.

    >>> is_amount_of("nM*pL", "nM")
    True
    """
    try:
        return to_internal(f"1 {level or 'dimensionless'}*pL", amount) == 1.0
    except UnitError:
        return False
