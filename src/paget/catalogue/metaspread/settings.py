"""Settings of the model of metastatic spread by Franssen et al. 2019, as its paper states it or as MetaSpread executes it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from paget.errors import EvidenceError, StudyError, nearest
from paget.evidence import Parameter, load_parameters
from paget.process import Named, parameter

__all__ = ["DEFECTS", "KINDS", "TABLE", "Destination", "MetaSpread"]

TABLE = "metaspread"
KINDS = ("mesenchymal", "epithelial")
AS_SHIPPED = "as shipped"

DEFECTS = {
    "doubling times": "mesenchymal cells double in 8e4 s and epithelial ones in 1.2e5 s, the reverse of the text",
    "negative probabilities": "a cell may have a negative probability to go one way, which others then make up for",
    "vessel capacity": "any number of cells fits on the site of a vessel",
    "disaggregation": "a cell leaves its cluster with one minus the stated probability",
    "decay clock": "MMP-2 decays by the time step of the cells, not by its own",
    "matrix order": "the matrix meets the MMP-2 of the end of the step, not of its start",
    "total": "the count of all cells never loses those that left for the blood",
}
LARGEST_DIFFUSION_NUMBER = 0.25
MOST_DESTINATIONS = 100
WHOLE = 1e-9  # how far a number of ticks may be from a whole one by rounding


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A grid that clusters reach through the blood.

    share : of the surviving clusters; vessels : points at which they leave the blood
    """

    name: str
    share: Any
    vessels: Any = parameter("metaspread_vessels", "")


SECOND = Destination(name="grid 2", share=Named("metaspread_share_second", ""))
THIRD = Destination(name="grid 3", share=Named("metaspread_share_third", ""))


@dataclass(frozen=True, kw_only=True)
class MetaSpread:
    """Mesenchymal- and epithelial-like cells invade, enter vessels in clusters, circulate and settle in other grids.

        dM/dt = D_M lap M - Phi_M div(M grad w)            single cells on a lattice, `room` to a site; E alike
        dm/dt = D_m lap m + theta M - lambda m             MMP-2
        dw/dt = -(gamma_1 M + gamma_2 m) w                 extracellular matrix

    Every number is a row of the table ``metaspread``, or is given with why it is believed:
    ``MetaSpread(survival_single=quantity("0.05", reason="many arrivals"))``.

    legacy : False for the model as its paper states it; True for what the released program executes, all of `DEFECTS`
        included; or the names of some of them
    primary : name of the grid of the primary tumour; destinations : the other grids

    Leaves out: death outside the blood, change of phenotype, dormancy, spread from metastases.

    Raises
    ------
    StudyError
        With all problems at once.
    """

    legacy: bool | tuple[str, ...] = False
    primary: str = "grid 1"
    destinations: tuple[Destination, ...] = (SECOND, THIRD)
    tick: Any = parameter("metaspread_tick", "h")
    field_tick: Any = parameter("metaspread_field_tick", "h")
    spacing: Any = parameter("metaspread_spacing", "um")
    sites: Any = parameter("metaspread_sites", "")
    room: Any = parameter("metaspread_room", "")
    diffusion_mesenchymal: Any = parameter("metaspread_diffusion_mesenchymal", "um**2/h")
    diffusion_epithelial: Any = parameter("metaspread_diffusion_epithelial", "um**2/h")
    haptotaxis_mesenchymal: Any = parameter("metaspread_haptotaxis_mesenchymal", "um**2/h")
    haptotaxis_epithelial: Any = parameter("metaspread_haptotaxis_epithelial", "um**2/h")
    doubling_time_mesenchymal: Any = parameter("metaspread_doubling_time_mesenchymal", "h")
    doubling_time_epithelial: Any = parameter("metaspread_doubling_time_epithelial", "h")
    mmp2_diffusion: Any = parameter("metaspread_mmp2_diffusion", "um**2/h")
    mmp2_secretion: Any = parameter("metaspread_mmp2_secretion", "1/h")
    mmp2_decay: Any = parameter("metaspread_mmp2_decay", "1/h")
    matrix_digestion_cell: Any = parameter("metaspread_matrix_digestion_cell", "1/h")
    matrix_digestion_mmp2: Any = parameter("metaspread_matrix_digestion_mmp2", "1/h")
    time_in_blood: Any = parameter("metaspread_time_in_blood", "h")
    survival_single: Any = parameter("metaspread_survival_single", "")
    survival_cluster: Any = parameter("metaspread_survival_cluster", "")
    leaving_cluster: Any = parameter("metaspread_leaving_cluster", "")
    normal_vessels: Any = parameter("metaspread_normal_vessels", "")
    ruptured_vessels: Any = parameter("metaspread_ruptured_vessels", "")
    free_sites: Any = parameter("metaspread_free_sites", "")
    margin: Any = parameter("metaspread_margin", "")
    founders: Any = parameter("metaspread_founders", "")
    founder_sites: Any = parameter("metaspread_founder_sites", "")
    mesenchymal_share: Any = parameter("metaspread_mesenchymal_share", "")

    def __post_init__(self) -> None:
        problems = list(self._unread())
        if not problems:
            problems = [*_problems(self)]
        if problems:
            raise StudyError("MetaSpread cannot be run with these settings:", problems)

    def _unread(self) -> Iterator[str]:
        """What is not a number with a basis, or no name."""
        if not isinstance(self.legacy, bool):
            for name in self.legacy:
                if name not in DEFECTS:
                    yield f"legacy: unknown defect '{name}'. {nearest(name, DEFECTS)}"
        if len(set(self.grids)) < len(self.grids):
            yield f"grids: two have the same name: {', '.join(self.grids)}"
        if not self.destinations:
            yield "destinations: at least one grid must receive what survives in the blood"
        if len(self.destinations) > MOST_DESTINATIONS:
            yield f"destinations: {len(self.destinations)} grids are more than the {MOST_DESTINATIONS} that a body can have"
        for name, value, unit in self._given():
            try:
                _read(name, value, unit, False)
            except Exception as problem:  # every kind is told to the user with the others
                yield str(problem)

    def _given(self) -> Iterator[tuple[str, Any, str]]:
        for item in dataclasses.fields(self):
            if "unit" in item.metadata:
                yield item.name, getattr(self, item.name), item.metadata["unit"]
        for grid in self.destinations:
            yield f"share of {grid.name}", grid.share, ""
            yield f"vessels of {grid.name}", grid.vessels, ""

    @property
    def grids(self) -> tuple[str, ...]:
        """Names of all grids, the primary tumour's first."""
        return (self.primary, *(grid.name for grid in self.destinations))

    def has(self, defect: str) -> bool:
        """Whether this defect of the released program is copied."""
        return self.legacy if isinstance(self.legacy, bool) else defect in self.legacy

    @property
    def parameters(self) -> tuple[tuple[str, Parameter], ...]:
        """Every number in use, with its basis, by the name of its setting."""
        shipped = self.has("doubling times")
        return tuple((name, _read(name, value, unit, shipped)) for name, value, unit in self._given())

    @property
    def values(self) -> SimpleNamespace:
        """All numbers in internal units (um, h), whole ones as int; `shares` and `vessels` of the destinations as tuples."""
        units = {name: unit for name, _, unit in self._given()}
        numbers = {name: row.inside(units[name]) for name, row in self.parameters}
        found = {name: number for name, number in numbers.items() if " of " not in name}
        for name in _WHOLE:
            found[name] = round(found[name])
        shares = tuple(numbers[f"share of {grid.name}"] for grid in self.destinations)
        vessels = tuple(round(numbers[f"vessels of {grid.name}"]) for grid in self.destinations)
        return SimpleNamespace(**found, shares=shares, vessels=vessels)

    @property
    def digest(self) -> str:
        """A short name of all that decides what happens."""
        defects = sorted(name for name in DEFECTS if self.has(name))
        text = f"{sorted(vars(self.values).items())} {self.grids} {defects}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def citations(self) -> tuple[str, ...]:
        """Keys of the sources of all numbers in use."""
        keys = {key.strip() for _, row in self.parameters for key in row.source.split(";") if key.strip()}
        return tuple(sorted(keys))


_WHOLE = ("sites", "room", "normal_vessels", "ruptured_vessels", "free_sites", "margin", "founders", "founder_sites")
_PROBABILITIES = ("survival_single", "survival_cluster", "leaving_cluster", "mesenchymal_share")
_POSITIVE = ("tick", "field_tick", "spacing", "doubling_time_mesenchymal", "doubling_time_epithelial", "time_in_blood")


def _read(name: str, value: Any, unit: str, shipped: bool) -> Parameter:
    """The parameter of a setting; the variant that the released program ships where that is asked for."""
    if isinstance(value, Named):
        table = load_parameters(TABLE)
        variants = table.variants_of(value.key)
        found = variants[AS_SHIPPED] if shipped and AS_SHIPPED in variants else table[value.key]
    elif isinstance(value, Parameter):
        found = value
    else:
        unit_text = f" {unit}" if unit else ""
        raise EvidenceError(
            f'{name} = {value!r} has no basis; name a parameter, or write quantity("...{unit_text}", reason="...")'
        )
    found.inside(unit)
    return found


def _problems(settings: MetaSpread) -> Iterator[str]:
    """What is wrong with numbers that can be read."""
    p = settings.values
    rows = dict(settings.parameters)
    counts = {name: rows[name].value for name in _WHOLE}
    counts |= {f"vessels of {g.name}": rows[f"vessels of {g.name}"].value for g in settings.destinations}
    for name, value in counts.items():
        if value != round(value) or value < 0:
            yield f"{name} = {value:g} must be a whole number of 0 or more"
    for name in (*_PROBABILITIES, *(f"share of {g.name}" for g in settings.destinations)):
        if not 0.0 <= rows[name].value <= 1.0:
            yield f"{name} = {rows[name].value:g} must be a probability, from 0 to 1"
    for name in _POSITIVE:
        if not getattr(p, name) > 0.0:
            yield f"{name} = {rows[name].value:g} {rows[name].unit} must be above 0"
    for name, row in rows.items():
        if row.value < 0.0 and name not in (*counts, *_PROBABILITIES, *_POSITIVE) and " of " not in name:
            yield f"{name} = {row.value:g} {row.unit} must not be negative"
    if p.room < 1:
        yield "room = 0 leaves no place for a cell; give at least 1"
    if abs(sum(p.shares) - 1.0) > WHOLE:
        yield f"the shares of the destinations add up to {sum(p.shares):g}; they must add up to 1"
    for grid, vessels in zip(settings.destinations, p.vessels, strict=True):
        if vessels == 0 and rows[f"share of {grid.name}"].value > 0:
            yield f"{grid.name} has no vessel, so that nothing can arrive there; give it one, or a share of 0"
    yield from _problems_of_space(p)
    if p.tick > 0.0 and p.field_tick > 0.0 and p.spacing > 0.0:
        yield from _problems_of_steps(settings, p)


def _problems_of_space(p: SimpleNamespace) -> Iterator[str]:
    if p.sites < 3:
        yield f"sites = {p.sites} makes grids too small for neighbours; give at least 3"
        return
    if not 0 <= p.founder_sites <= p.sites**2:
        yield f"founder_sites = {p.founder_sites} is more than the {p.sites**2} sites of a grid"
    if p.founders > p.founder_sites * p.room:
        yield (
            f"founders = {p.founders} do not fit on {p.founder_sites} sites with room for {p.room} cells each; "
            f"at most {p.founder_sites * p.room} do"
        )
    inside = max(p.sites - 2 * p.margin, 0) ** 2
    wanted = p.normal_vessels + p.ruptured_vessels
    if wanted > inside - p.free_sites:
        yield (
            f"{wanted} vessels do not fit into the primary grid: {inside} sites lie off its border, of which the "
            f"{p.free_sites} most central ones are kept free"
        )


def _problems_of_steps(settings: MetaSpread, p: SimpleNamespace) -> Iterator[str]:
    number = p.mmp2_diffusion * p.field_tick / p.spacing**2
    if number > LARGEST_DIFFUSION_NUMBER:
        longest = 3600.0 * LARGEST_DIFFUSION_NUMBER * p.spacing**2 / p.mmp2_diffusion
        yield (
            f"the diffusion number of MMP-2 is {number:.3g}, above {LARGEST_DIFFUSION_NUMBER} the explicit scheme is not "
            f"stable; take a field_tick of at most {longest:.4g} s"
        )
    digested = p.field_tick * (p.matrix_digestion_cell * p.room)
    if digested > 1.0:
        yield f"a site full of mesenchymal cells digests {digested:.3g} of its matrix in one step; take a shorter field_tick"
    for kind in KINDS:
        diffusion, haptotaxis = getattr(p, f"diffusion_{kind}"), getattr(p, f"haptotaxis_{kind}")
        most = 2.0 * p.tick / p.spacing**2 * max(2.0 * diffusion, diffusion + haptotaxis / 4.0)
        if most > 1.0:
            yield f"a {kind} cell could move with probability {most:.3g} in one step; take a shorter tick"
    for name in ("time_in_blood", "doubling_time_mesenchymal", "doubling_time_epithelial"):
        ticks = getattr(p, name) / p.tick
        if abs(ticks - round(ticks)) > WHOLE * max(ticks, 1.0) or round(ticks) < 1:
            yield f"{name} is {ticks:.6g} ticks; it must be a whole number of them, at least one"
    if not math.isclose(p.tick, p.field_tick, rel_tol=WHOLE) and not settings.has("decay clock"):
        yield (
            f"tick = {3600.0 * p.tick:g} s and field_tick = {3600.0 * p.field_tick:g} s differ, so that cells and fields "
            "would live in different times; make them equal"
        )
