"""Vessels at work in a tissue: they supply and drain fields, sprout towards VEGF, and regress where no blood runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.evidence import Parameter
from paget.process import Named, Phase, Process, Values, parameter
from paget.state import Grid
from paget.tissue.body import is_amount_of
from paget.tissue.definition import Part, number
from paget.tissue.vessels.exchange import exchange_coefficient
from paget.tissue.vessels.network import VesselNetwork
from paget.tissue.vessels.sprouting import Sprouting, grow, guidance_from
from paget.vocabulary import VARIABLES

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["Angiogenesis", "Supply", "VesselExchange"]

Number = Named | Parameter
VESSELS = "tissue.vessels"


@dataclass(frozen=True, kw_only=True)
class Supply(Part):
    """What one field exchanges with the blood.

    permeability : of a mature capillary wall. plasma : level in the plasma, or `level` the body variable that holds it.
    diffusion : in the tissue, if the steep field at a vessel is to be accounted for below the size of a voxel
    account : body variable, in (unit of the field) pL, that pays for what enters the tissue and gets what leaves it
    """

    field: str
    permeability: Number = number("um/h")
    plasma: Number = number("@")
    level: str = ""
    diffusion: Number = number("um**2/h")
    account: str = ""


@dataclass(frozen=True, kw_only=True)
class VesselExchange(Process):
    """Molecules pass through the walls of perfused vessels, from where there are more of them.

    dc/dt = P S / V (c_plasma - c) in every voxel, with the surface S of the vessels inside it: oxygen and drugs enter the
    tissue, proteins leak, and what the tissue holds beyond the plasma level is cleared.

    supplies : what each field exchanges. field_units : units of those fields and body variables that are not in the vocabulary;
    a tissue fills in its own

    Assumes that the plasma level is the same along all vessels.

    Raises
    ------
    ModelError
        If a level of the body has another unit than the field that it supplies, or an account is not in that unit times pL.
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT

    role: str = "vessel_exchange"
    sources: tuple[str, ...] = ("Peaceman1978",)
    supplies: tuple[Supply, ...] = ()
    field_units: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for supply in self.supplies:
            here = self._unit_of(supply.field)
            if self._knows(supply.level, supply.field) and self._unit_of(supply.level) != here:
                raise ModelError(
                    f"process '{self.role}': '{supply.level}' is in {self._unit_of(supply.level) or 'plain numbers'}, "
                    f"'{supply.field}' in {here or 'plain numbers'}; a plasma level needs the unit of its field"
                )
            account = self._unit_of(supply.account)
            if self._knows(supply.account, supply.field) and not is_amount_of(account, here):
                raise ModelError(
                    f"process '{self.role}': '{supply.account}' is in {account or 'plain numbers'}; what pays for "
                    f"'{supply.field}' is in {here or 'dimensionless'}*pL"
                )

    def _knows(self, *names: str) -> bool:
        return all(name in VARIABLES or name in dict(self.field_units) for name in names)

    def _unit_of(self, name: str) -> str:
        return dict(self.field_units).get(name) or (VARIABLES[name].unit if name in VARIABLES else "")

    @property
    def numbers(self) -> tuple[tuple[str, Number, str], ...]:
        return tuple(self._listed())

    def _listed(self) -> Iterator[tuple[str, Number, str]]:
        for index, supply in enumerate(self.supplies):
            for slot, value, unit in supply.listed():
                if not (slot == "plasma" and supply.level):
                    yield f"{index}.{slot}", value, unit.replace("@", self._unit_of(supply.field) or "dimensionless")

    @property
    def reads(self) -> tuple[str, ...]:
        fields = dict.fromkeys(supply.field for supply in self.supplies)
        return (VESSELS, *fields, *dict.fromkeys(s.level for s in self.supplies if s.level))

    @property
    def adds(self) -> tuple[str, ...]:
        accounts = (supply.account for supply in self.supplies if supply.account)
        return tuple(dict.fromkeys((*(supply.field for supply in self.supplies), *accounts)))

    def prepared(self, values: Values) -> Any:
        """Numbers of every supply, and room for what was computed for the network at hand."""
        return vars(values), {}

    def step(self, see: See, do: Do, p: Any) -> None:
        numbers, known = p
        network = see.vessels
        if network is None:
            return
        if known.get("network") is not network:
            # Coefficients depend on nothing but the network; it is the same object until vessels grow.
            known.clear()
            known["network"] = network
        for index, supply in enumerate(self.supplies):
            if index not in known:
                known[index] = exchange_coefficient(
                    network,
                    _grid(see, see[supply.field]),
                    numbers[f"{index}.permeability"],
                    numbers[f"{index}.diffusion"],
                )
            plasma = float(see[supply.level]) if supply.level else numbers[f"{index}.plasma"]
            do.exchange(supply.field, known[index], plasma, supply.account)


@dataclass(frozen=True, kw_only=True)
class Angiogenesis(Process):
    """Perfused vessels sprout where VEGF is; tips climb its gradient, join other vessels, and vessels without flow regress.

    A sprout arises at rate * V^hill / (half^hill + V^hill) per length of vessel, but not near a tip or a branch (lateral
    inhibition by Delta and Notch). Its tip migrates with the same dependence on VEGF and lays a vessel behind it. When it
    meets a vessel the two join, the flow of blood is solved anew, and what then has flow supplies the tissue. A segment that
    had no flow for `patience` is lost. Tips take up VEGF.

    Assumes straight stalks of one radius. Leaves out the proliferation of stalk cells, remodelling of radii by shear,
    pericytes.
    """

    phase: ClassVar[Phase] = Phase.ACT

    role: str = "angiogenesis"
    sources: tuple[str, ...] = ("Qutub2009", "Anderson1998", "Pries1994")
    field: str = "field.vegf"
    rate: Number = parameter("sprouting_rate", "1/(um*h)")
    half: Number = parameter("sprouting_vegf_half", "nM")
    hill: Number = parameter("sprouting_hill", "")
    spacing: Number = parameter("sprout_spacing", "um")
    speed: Number = parameter("tip_speed", "um/h")
    persistence: Number = parameter("tip_persistence", "h")
    bias: Number = parameter("tip_bias", "")
    capture: Number = parameter("anastomosis_distance", "um")
    apart: Number = parameter("anastomosis_loop", "um")
    segment: Number = parameter("vessel_segment_length", "um")
    radius: Number = parameter("vessel_radius", "um")
    leakiness: Number = parameter("sprout_leakiness", "")
    viscosity: Number = parameter("blood_viscosity", "mPa*s")
    patience: Number = parameter("regression_time", "h")
    uptake: Number = parameter("tip_vegf_uptake", "pL/h")

    @property
    def reads(self) -> tuple[str, ...]:
        return (VESSELS, self.field)

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.field,)

    @property
    def sets(self) -> tuple[str, ...]:
        return (VESSELS,)

    def prepared(self, values: Values) -> Any:
        numbers = dict(vars(values))
        uptake = numbers.pop("uptake")
        return Sprouting(**numbers), uptake

    def step(self, see: See, do: Do, p: Any) -> None:
        sprouting, uptake = p
        network: VesselNetwork | None = see.vessels
        if network is None:
            return
        vegf = see[self.field]
        grid = _grid(see, vegf)
        if uptake > 0.0 and network.tip.any():
            do.lose(self.field, _at_tips(network, grid) * (uptake / grid.voxel_volume))
        after = grow(network, guidance_from(vegf, grid), grid, see.dt, see.key, see.tick + 1, sprouting)
        if after is not network:
            do.grow_vessels(after)


def _grid(see: See, values: NDArray[np.float64]) -> Grid:
    """The grid of a field [nz, ny, nx]."""
    size = tuple(float(length) for length in see.size)
    x, y, z = (length / count for length, count in zip(size, values.shape[::-1], strict=True))
    return Grid((size[0], size[1], size[2]), (x, y, z))


def _at_tips(network: VesselNetwork, grid: Grid) -> NDArray[np.float64]:
    """Number of tips [nz, ny, nx] in each voxel."""
    spots = network.position[:, network.tip] / np.array(grid.spacing)[:, None]
    ix, iy, iz = np.minimum(spots.astype(np.int64), np.array(grid.shape[::-1])[:, None] - 1)
    flat = (iz * grid.shape[1] + iy) * grid.shape[2] + ix
    return np.bincount(flat, minlength=math.prod(grid.shape)).reshape(grid.shape).astype(np.float64)
