"""The anatomy of a body: organs with capillary beds, and the vessels and routes on which cells travel between them.

Blood flows round: the arteries divide it among the organs by their flow fractions, veins collect it, the lung passes all of
it, and the portal vein leads the blood of stomach, gut, pancreas and spleen through the liver first. Beside the main vein of
an organ there are routes: vertebral veins, on which blood passes the marrow of the spine, and lymph.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from paget.body.chain import Chain
from paget.body.checks import problems_of
from paget.body.ways import assembled, flows_of, volumes_of
from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter
from paget.units import to_internal

__all__ = ["Anatomy", "Conduit", "Medium", "Organ", "Route"]

Medium = Literal["blood", "lymph"]
_NUMBERS_OF_BODY = ("body_mass", "cardiac_output", "blood", "plasma")
_NUMBERS_OF_ORGAN = ("flow", "tissue", "vessels", "capillary", "capillary_spread")


@dataclass(frozen=True)
class Organ:
    """An organ as blood sees it: one capillary bed with its share of the arterial flow.

    flow : share of the cardiac output that its arteries bring (0 for the lung, which veins supply)
    tissue : volume of the organ; vessels : volume of the blood in its small vessels
    capillary, capillary_spread : inner diameter of its capillaries, mean and standard deviation
    drains : the conduit into which its veins lead
    """

    name: str
    uberon: str
    flow: Parameter
    tissue: Parameter
    vessels: Parameter
    capillary: Parameter
    capillary_spread: Parameter
    drains: str = "vena cava"


@dataclass(frozen=True)
class Conduit:
    """A great vessel with the part of the heart before it, in which no cell is arrested.

    into : the conduit or organ that it leads to; empty for the arteries, which lead to every organ by its flow
    share : its share of the blood that is not in the small vessels of organs
    """

    name: str
    into: str
    share: Parameter


@dataclass(frozen=True)
class Route:
    """A way on which cells leave organs beside their main vein.

    shares : for each organ that it drains, the share of the venous outflow (blood) or of the lymph that takes this way
    passes : the organ whose bed it leads through, empty for none; into : the route or conduit that follows
    vessels : volume of its blood (medium blood); transit : mean time on it (medium lymph)
    """

    name: str
    medium: Medium
    into: str
    shares: tuple[tuple[str, Parameter], ...]
    passes: str = ""
    vessels: Parameter | None = None
    transit: Parameter | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", tuple(dict(self.shares).items()))


@dataclass(frozen=True)
class Anatomy:
    """A species' organs, great vessels and routes; an anatomy that cannot carry blood round is refused.

    Raises
    ------
    ModelError
        With everything that is wrong: flow fractions that do not add up to 1, organs that nothing reaches or from which
        blood does not return, volumes and times that are not positive, shares outside 0 to 1, unknown names.
    """

    species: str
    body_mass: Parameter
    cardiac_output: Parameter
    blood: Parameter
    plasma: Parameter
    organs: tuple[Organ, ...]
    conduits: tuple[Conduit, ...]
    routes: tuple[Route, ...] = field(default=())

    def __post_init__(self) -> None:
        problems = problems_of(self)
        if problems:
            raise ModelError(f"The anatomy of '{self.species}' cannot be used:", problems)

    def __getitem__(self, organ: str) -> Organ:
        for one in self.organs:
            if one.name == organ:
                return one
        raise UnknownNameError("organ", organ, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the organs, in the order of their indices."""
        return tuple(organ.name for organ in self.organs)

    @property
    def numbers(self) -> tuple[Parameter, ...]:
        """Every number of the anatomy with its evidence, for citations and tables."""
        found = [getattr(self, name) for name in _NUMBERS_OF_BODY]
        found += [getattr(organ, name) for organ in self.organs for name in _NUMBERS_OF_ORGAN]
        found += [conduit.share for conduit in self.conduits]
        for route in self.routes:
            found += [share for _, share in route.shares]
            found += [number for number in (route.vessels, route.transit) if number is not None]
        return tuple(found)

    @property
    def circuit_time(self) -> float:
        """Mean time of blood for one round, blood volume over cardiac output, in h."""
        return self.blood.inside("mL") / self.cardiac_output.inside("mL/h")

    def flows(self) -> dict[str, float]:
        """Blood through every node, mL/h; 0 where lymph flows."""
        output = self.cardiac_output.inside("mL/h")
        return {name: output * share for name, share in flows_of(self).items()}

    def volumes(self) -> dict[str, float]:
        """Blood in every node, mL; together the blood volume."""
        return volumes_of(self)

    def capillaries(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the capillary diameter of every organ, um, each [organs]."""
        mean = np.array([organ.capillary.inside("um") for organ in self.organs])
        return mean, np.array([organ.capillary_spread.inside("um") for organ in self.organs])

    def chain(self) -> Chain:
        """The circulation as a Markov chain: a node holds a cell for the time that its blood needs to be replaced.

        The mean stay is the volume of blood in the node over the flow through it, so that a round takes blood volume over
        cardiac output on average. Cells leave an organ where its veins begin: they meet its own capillaries last.
        """
        return assembled(self)

    def changed(self, **numbers: str | float | Parameter) -> Anatomy:
        """Return the anatomy with numbers of the body changed: ``anatomy.changed(cardiac_output="20 mL/min")``."""
        for name in numbers:
            if name not in _NUMBERS_OF_BODY:
                raise UnknownNameError("number of the body", name, _NUMBERS_OF_BODY)
        changes: dict[str, Any] = {name: _given(value, getattr(self, name)) for name, value in numbers.items()}
        return replace(self, **changes)

    def with_organ(self, organ: str, *, drains: str | None = None, **numbers: str | float | Parameter) -> Anatomy:
        """Return the anatomy with one organ changed: ``anatomy.with_organ("liver", vessels="0.4 mL")``."""
        old = self[organ]
        for name in numbers:
            if name not in _NUMBERS_OF_ORGAN:
                raise UnknownNameError("number of an organ", name, _NUMBERS_OF_ORGAN)
        changes: dict[str, Any] = {name: _given(value, getattr(old, name)) for name, value in numbers.items()}
        new = replace(old, drains=old.drains if drains is None else drains, **changes)
        return replace(self, organs=tuple(new if one is old else one for one in self.organs))

    def with_flow(self, organ: str, flow: str | float | Parameter, *, instead_of: str = "other") -> Anatomy:
        """Return the anatomy with another flow to one organ; what it gains, `instead_of` loses."""
        if organ == instead_of:
            raise ModelError(f"The flow of '{organ}' can only be changed at the cost of another organ")
        old, payer = self[organ], self[instead_of]
        new = _given(flow, old.flow)
        left = payer.flow.inside("") + old.flow.inside("") - new.inside("")
        rest = replace(
            payer.flow,
            value=left,
            low=np.nan,
            high=np.nan,
            basis="derived",
            reason=f"what is left after the flow of {organ} was changed",
            changed=True,
        )
        changes = {organ: replace(old, flow=new), instead_of: replace(payer, flow=rest)}
        return replace(self, organs=tuple(changes.get(one.name, one) for one in self.organs))

    def without_route(self, name: str) -> Anatomy:
        """Return the anatomy without one route; its organs drain by their veins alone."""
        if name not in [route.name for route in self.routes]:
            raise UnknownNameError("route", name, [route.name for route in self.routes])
        return replace(self, routes=tuple(route for route in self.routes if route.name != name))

    def with_route(self, route: Route) -> Anatomy:
        """Return the anatomy with a route added, or in place of the one of that name."""
        return replace(self, routes=(*(one for one in self.routes if one.name != route.name), route))


def _given(value: str | float | Parameter, old: Parameter) -> Parameter:
    if isinstance(value, Parameter):
        value.inside(old.unit)
        return value
    return replace(
        old,
        value=to_internal(value, old.unit),
        low=np.nan,
        high=np.nan,
        basis="assumed",
        reason=f"set by the user (was {old.value:g})",
        changed=True,
    )
