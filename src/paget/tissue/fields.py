"""The substances of a tissue: how they spread and decay, and where they are held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from paget.errors import EvidenceError, ModelError
from paget.evidence import Parameter
from paget.process import Named, Phase, Process, Values
from paget.tissue.definition import Given, Part, in_unit, number, numbers
from paget.vocabulary import VARIABLES

if TYPE_CHECKING:
    from paget.access import Do, See

__all__ = ["FACES", "FieldBinding", "FieldDecay", "HeldField", "HeldVoxels", "Substrate"]

FACES = {"xmin": "x-", "xmax": "x+", "ymin": "y-", "ymax": "y+", "zmin": "z-", "zmax": "z+"}


@dataclass(frozen=True, kw_only=True)
class HeldVoxels(Part):
    """Voxels that are held at a value. indices : (x, y, z) of each voxel; value : in the unit of the field."""

    indices: tuple[tuple[int, int, int], ...]
    value: Given = number("@")


@dataclass(frozen=True, kw_only=True)
class Substrate(Part):
    """One substance. walls : face -> value at which it is held there; the other faces are closed.

    at : where a face is held: in the centres of its "voxels", or at the "wall" itself, half a voxel further out
    inflow : face -> flux that comes in through it. held : voxels that are held at a value.
    immobile : material that does not diffuse.
    """

    field: str
    unit: str
    diffusion: Given = number("um**2/h")
    decay: Given = number("1/h")
    initial: Given = number("@")
    walls: Mapping[str, Given] = numbers("@")
    inflow: Mapping[str, Given] = numbers("@*um/h")
    at: str = "voxels"
    held: tuple[HeldVoxels, ...] = ()
    immobile: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "initial", in_unit(self.initial, self.unit))
        unknown = [face for face in (*self.walls, *self.inflow) if face not in FACES]
        if unknown:
            raise ModelError(f"{self.field}: '{unknown[0]}' is no face of the tissue; faces are {', '.join(FACES)}")
        for where, value in (
            ("the start", self.initial),
            *self.walls.items(),
            *(("voxels", h.value) for h in self.held),
        ):
            if isinstance(value, Parameter) and value.value < 0.0:
                raise ModelError(f"{self.field}: the value at {where} is {value.value:g} {self.unit}, below zero")
        for name in ("diffusion", "decay"):
            value = getattr(self, name)
            if isinstance(value, Parameter) and value.value < 0.0:
                raise ModelError(f"{self.field}: the {name} is negative ({value.value:g} {value.unit})")

    @property
    def bounded(self) -> bool:
        """Whether something takes the substance out of the tissue, cells apart."""
        decays = not (isinstance(self.decay, Parameter) and self.decay.value == 0.0)
        return decays or bool(self.walls) or bool(self.held)


@dataclass(frozen=True, kw_only=True)
class FieldDecay(Process):
    """A substance is lost everywhere at a first-order rate."""

    phase: ClassVar[Phase] = Phase.TRANSPORT
    factor: str
    rate: Named | Parameter = field(default=Named("", "1/h"), metadata={"unit": "1/h"})

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.factor,)

    def step(self, see: See, do: Do, p: Values) -> None:
        do.lose(self.factor, p.rate)


@dataclass(frozen=True, kw_only=True)
class HeldField(Process):
    """A substance is held at given values along walls and in voxels, as by a large and well stirred surrounding."""

    phase: ClassVar[Phase] = Phase.TRANSPORT
    substrate: Substrate
    shape: tuple[int, int, int]

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.substrate.field,)

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        given, unit = self.substrate, self.substrate.unit
        walls = tuple((f"wall/{face}", value, unit) for face, value in given.walls.items())
        flux = f"{unit or 'dimensionless'}*um/h"
        inflow = tuple((f"inflow/{face}", value, flux) for face, value in given.inflow.items())
        return (*walls, *inflow, *((f"held/{index}", held.value, unit) for index, held in enumerate(given.held)))

    def prepared(self, values: Values) -> tuple[dict[str, float], dict[str, float], NDArray[np.bool_], Any]:
        """Values and fluxes of the faces; which voxels [nz, ny, nx] are held, and at what [k]."""
        given = vars(values)
        walls = {FACES[face]: given[f"wall/{face}"] for face in self.substrate.walls}
        inflow = {FACES[face]: given[f"inflow/{face}"] for face in self.substrate.inflow}
        mask, level = np.zeros(self.shape, bool), np.zeros(self.shape)
        for index, held in enumerate(self.substrate.held):
            for x, y, z in held.indices:
                if not (0 <= x < self.shape[2] and 0 <= y < self.shape[1] and 0 <= z < self.shape[0]):
                    raise ModelError(f"{self.substrate.field}: the held voxel ({x}, {y}, {z}) is outside the tissue")
                mask[z, y, x], level[z, y, x] = True, given[f"held/{index}"]
        return walls, inflow, mask, level[mask]

    def step(self, see: See, do: Do, p: Any) -> None:
        walls, inflow, mask, level = p
        for face, value in walls.items():
            do.hold_face(self.substrate.field, face, value, at=self.substrate.at)
        for face, flux in inflow.items():
            do.let_in(self.substrate.field, face, flux)
        if level.size:
            do.hold(self.substrate.field, mask, level)


@dataclass(frozen=True, kw_only=True)
class FieldBinding(Process):
    """A substance binds to sites that do not move, as VEGF to heparan sulphates of the matrix, and is released again.

    d bound / dt = a free (capacity - bound) - d bound in every voxel, solved exactly; free and bound together stay the same.
    Half of a tick's binding acts before transport and half after it, so that a tick counts in second order.

    factor : the field that binds; bound : immobile field in the same unit, of what is bound
    sites : immobile field of the material that binds, if there are not as many sites everywhere
    capacity : sites, taken or not, in the unit of the factor (for each unit of `sites`)
    association, dissociation : rates a and d; d / a is the concentration that fills half of the sites
    unit, site_unit : of the factor and of the sites, where they are not in the vocabulary

    Assumes one kind of site. What is bound where the material is degraded becomes free.

    Raises
    ------
    EvidenceError
        If a number has no basis.
    """

    phase: ClassVar[Phase] = Phase.TRANSPORT
    factor: str
    bound: str
    sites: str = ""
    capacity: Named | Parameter
    association: Named | Parameter
    dissociation: Named | Parameter
    unit: str = ""
    site_unit: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for slot in ("capacity", "association", "dissociation"):
            if not isinstance(getattr(self, slot), (Named, Parameter)):
                raise EvidenceError(
                    f"process '{self.role}': {slot} = {getattr(self, slot)!r} has no basis; name a parameter, or give a "
                    "quantity with its reason"
                )

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.sites,) if self.sites else ()

    @property
    def adds(self) -> tuple[str, ...]:
        return (self.factor, self.bound)

    @property
    def numbers(self) -> tuple[tuple[str, Named | Parameter, str], ...]:
        unit = _unit(self.factor, self.unit) or "dimensionless"
        each = _unit(self.sites, self.site_unit) if self.sites else ""
        capacity = f"{unit}/({each})" if each else unit
        return (
            ("capacity", self.capacity, "" if capacity == "dimensionless" else capacity),
            ("association", self.association, f"1/({unit}*h)"),
            ("dissociation", self.dissociation, "1/h"),
        )

    def step(self, see: See, do: Do, p: Values) -> None:
        capacity = p.capacity * see[self.sites] if self.sites else p.capacity
        do.bind_field(self.factor, self.bound, capacity, p.association, p.dissociation)


def _unit(name: str, given: str) -> str:
    return given or (VARIABLES[name].unit if name in VARIABLES else "")


def unit_of(substrates: tuple[Substrate, ...]) -> Mapping[str, str]:
    """The unit of each field."""
    return MappingProxyType({substrate.field: substrate.unit for substrate in substrates})
