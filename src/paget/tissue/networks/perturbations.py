"""What drugs, silencing, mutations and antibodies do to the nodes of a network inside cells.

They combine: inhibitors and activators of one node as independent events (Bliss 1939), activation before inhibition; what
holds a node off wins over what holds it on. A dose of zero changes no bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paget.errors import EvidenceError, ModelError, UnitError
from paget.process import is_nothing
from paget.rules.signals import signal
from paget.tissue.definition import OF_FIELD, Given, Number, Part, in_unit, number
from paget.tissue.networks.sensors import Sensing, one_where_not_given
from paget.units import to_internal
from paget.vocabulary import Variable

__all__ = [
    "Activator",
    "Activity",
    "Antibody",
    "Clamp",
    "Dose",
    "FractionInhibitor",
    "Inhibitor",
    "Perturbation",
    "Silencing",
]


@dataclass(frozen=True, kw_only=True)
class Dose(Sensing):
    """A drug with the effect e = most C^hill / (half^hill + C^hill) at the exposure C of the cell itself.

    signal : the exposure, as ``body.sirolimus`` or ``field.doxorubicin``. most : the effect at saturation, from 0 to 1;
    spread : its standard deviation between cells, each of which keeps its own for life
    """

    half: Given = number(OF_FIELD)
    hill: Given = one_where_not_given("hill", "one molecule binds one site")
    most: Given = one_where_not_given("full", "a saturating dose has its full effect")
    spread: Given = number("")

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_nothing(self.half):
            raise EvidenceError(f"{type(self).__name__} of '{self.node}': the exposure of half its effect is not given")


@dataclass(frozen=True, kw_only=True)
class Inhibitor(Dose):
    """A graded inhibitor: in every cell the node is on 1 - e of the time that it would be, exactly at steady state."""


@dataclass(frozen=True, kw_only=True)
class Activator(Dose):
    """A graded activator: in every cell the node is on e of the time that it would be off."""


@dataclass(frozen=True, kw_only=True)
class FractionInhibitor(Dose):
    """An inhibitor that holds the node off in the share e of the cells and leaves it alone in the others.

    Every cell has a threshold for life, so that a higher dose adds cells to those that already answer.
    """


@dataclass(frozen=True, kw_only=True)
class Silencing(Part):
    """RNA interference: a graded inhibitor by an efficiency of its own in every cell, that sets in and wears off in days.

    at : moments of the transfections, as ("1 day", "4 day"). efficiency : share of the protein that is gone at the peak
    spread : its standard deviation between cells. onset, half_life : half-times of setting in and wearing off
    The course of one transfection is a difference of two exponentials with peak 1; several add up, to 1 at most.
    """

    node: str
    at: tuple[str, ...]
    efficiency: Given = number("")
    spread: Given = number("")
    onset: Given = number("h")
    half_life: Given = number("h")
    cells: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for slot in ("efficiency", "onset", "half_life"):
            if is_nothing(getattr(self, slot)):
                raise EvidenceError(f"Silencing of '{self.node}': {slot} is not given")
        _ = self.moments

    @property
    def moments(self) -> tuple[float, ...]:
        """Moments of the transfections in h."""
        return tuple(_moment(text, f"Silencing of '{self.node}'") for text in self.at)

    def listed_in(self, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number."""
        yield from self.listed()


def silenced(since: float, onset: float, half_life: float) -> float:
    """Course of silencing at `since` h after a transfection, with peak 1; both half-times in h.

    >>> round(silenced(24.0, 6.0, 48.0), 3)
    0.986
    """
    if since <= 0.0:
        return 0.0
    on, off = math.log(2.0) / onset, math.log(2.0) / half_life
    if math.isclose(on, off, rel_tol=1e-6):
        return on * since * math.exp(1.0 - on * since)
    peak = math.log(on / off) / (on - off)

    def course(t: float) -> float:
        return math.exp(-off * t) - math.exp(-on * t)

    return course(since) / course(peak)


@dataclass(frozen=True, kw_only=True)
class Clamp(Part):
    """A knock-out (level 0) or a gain of function (level 1, or a higher one), from one moment to the next.

    Takes hold at once, and the node stays until it is let go. clones : values of `cell.clone` of the cells that carry it, all
    cells if empty: a mutation of a clone. begins, ends : moments, as "2 day"; without, from the start and for good
    """

    node: str
    level: int
    clones: tuple[int, ...] = ()
    begins: str = ""
    ends: str = ""
    cells: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """Beginning and end in h."""
        where = f"Clamp of '{self.node}'"
        begins = _moment(self.begins, where) if self.begins else -math.inf
        ends = _moment(self.ends, where) if self.ends else math.inf
        if not begins < ends:
            raise ModelError(f"{where}: it ends at {self.ends}, before it begins at {self.begins}")
        return begins, ends

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.span

    def listed_in(self, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Number, str]]:
        """A clamp has no numbers."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Activity(Part):
    """A gene that is knocked down or over-expressed, so that its node has another activity, always.

    left : activity that is left, as a multiple of normal. Below 1, the node is on for that share of the time that it would
    be; above 1, it is off for 1 / left of the time that it would be. An input that nothing inside switches is off in the share
    1 - left of the cells, for life, or on in the share 1 - 1 / left.
    """

    node: str
    left: Given = number("")
    cells: tuple[str, ...] = ()

    def listed_in(self, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of every number."""
        yield from self.listed()


@dataclass(frozen=True, kw_only=True)
class Antibody(Part):
    """An antibody that binds a ligand, so that sensors see what is left free of it, at equilibrium of one to one binding.

    ligand : the signal, as ``field.tgfb``. signal : the level of the antibody, in the same unit. affinity : its dissociation
    constant
    An antibody on a receptor is an `Inhibitor` of the receptor's node, with `half` at its dissociation constant and hill 1.
    """

    ligand: str
    signal: str
    affinity: Given = number(OF_FIELD)

    def __post_init__(self) -> None:
        super().__post_init__()
        if is_nothing(self.affinity):
            raise EvidenceError(f"Antibody on '{self.ligand}': its affinity is not given")

    def listed_in(self, variables: Mapping[str, Variable]) -> Iterator[tuple[str, Number, str]]:
        """(slot, number, unit) of the affinity, in the unit of the ligand."""
        here = signal(self.ligand).unit(variables) or ""
        for slot, value, _ in self.listed():
            yield slot, in_unit(value, here), here


Perturbation = Inhibitor | Activator | FractionInhibitor | Silencing | Clamp | Activity | Antibody


def _moment(text: str, where: str) -> float:
    try:
        return float(to_internal(text, "h"))
    except UnitError as problem:
        raise UnitError(f"{where}: {problem}") from problem
