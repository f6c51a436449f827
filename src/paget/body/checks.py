"""What is wrong with an anatomy, all of it at once and in the words of the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from paget.body.ways import MEDIA, edges_of, reached
from paget.errors import UnitError, nearest
from paget.evidence import Parameter

if TYPE_CHECKING:
    from paget.body.organs import Anatomy

__all__ = ["ROUNDING", "problems_of"]

ROUNDING = 1e-6  # how far fractions that are read from tables may miss 1


def problems_of(anatomy: Anatomy) -> tuple[str, ...]:
    """Everything that keeps an anatomy from carrying blood round; empty if nothing does."""
    problems = [*_names(anatomy), *_numbers(anatomy)]
    if not problems:  # sums and ways mean something only for names and numbers that exist
        problems = [*_sums(anatomy), *_ways(anatomy)]
    return tuple(problems)


def _names(anatomy: Anatomy) -> Iterator[str]:
    organs = anatomy.names
    conduits = [conduit.name for conduit in anatomy.conduits]
    routes = [route.name for route in anatomy.routes]
    nodes = [*organs, *conduits, *routes]
    for name, times in Counter(nodes).items():
        if times > 1:
            yield f"'{name}' names {times} organs, conduits or routes; give each its own name"
    arteries = [conduit.name for conduit in anatomy.conduits if not conduit.into]
    if len(arteries) != 1:
        yield f"one conduit, the arteries, must lead to all organs (into=''); {len(arteries)} do"
    for organ in anatomy.organs:
        if organ.drains not in conduits:
            yield f"organ '{organ.name}' drains into '{organ.drains}', which is no conduit. {nearest(organ.drains, conduits)}"
    for conduit in anatomy.conduits:
        if conduit.into and conduit.into not in nodes:
            yield f"conduit '{conduit.name}' leads into '{conduit.into}', which does not exist. {nearest(conduit.into, nodes)}"
    for route in anatomy.routes:
        if route.medium not in MEDIA:
            yield f"route '{route.name}' carries '{route.medium}'; a route carries blood or lymph"
        if route.into not in [*conduits, *routes]:
            known = [*conduits, *routes]
            yield f"route '{route.name}' leads into '{route.into}', which does not exist. {nearest(route.into, known)}"
        if route.passes and route.passes not in organs:
            yield f"route '{route.name}' passes '{route.passes}', which is no organ. {nearest(route.passes, organs)}"
        for name, _ in route.shares:
            if name not in organs:
                yield f"route '{route.name}' drains '{name}', which is no organ. {nearest(name, organs)}"
        if route.medium == "blood" and route.vessels is None:
            yield f"route '{route.name}' needs the volume of its vessels"
        if route.medium == "lymph" and route.transit is None:
            yield f"route '{route.name}' needs the time that lymph takes on it (transit)"


def _numbers(anatomy: Anatomy) -> Iterator[str]:
    body = f"the {anatomy.species}"
    yield from _positive(f"body mass of {body}", anatomy.body_mass, "g")
    yield from _positive(f"cardiac output of {body}", anatomy.cardiac_output, "mL/h")
    yield from _positive(f"blood volume of {body}", anatomy.blood, "mL")
    yield from _positive(f"plasma volume of {body}", anatomy.plasma, "mL")
    for organ in anatomy.organs:
        yield from _fraction(f"flow fraction of '{organ.name}'", organ.flow)
        yield from _positive(f"volume of '{organ.name}'", organ.tissue, "mL")
        yield from _positive(f"volume of the small vessels of '{organ.name}'", organ.vessels, "mL")
        yield from _positive(f"capillary diameter of '{organ.name}'", organ.capillary, "um")
        yield from _positive(f"spread of the capillary diameter of '{organ.name}'", organ.capillary_spread, "um")
    for conduit in anatomy.conduits:
        yield from _fraction(f"share of '{conduit.name}' in the blood of the great vessels", conduit.share)
        if conduit.share.value == 0.0:
            yield f"conduit '{conduit.name}' holds no blood: its share must be above 0"
    for route in anatomy.routes:
        for organ_name, share in route.shares:
            yield from _fraction(f"share of '{organ_name}' that leaves by '{route.name}'", share)
        if route.vessels is not None:
            yield from _positive(f"volume of the vessels of '{route.name}'", route.vessels, "mL")
        if route.transit is not None:
            yield from _positive(f"transit time of '{route.name}'", route.transit, "h")


def _inside(what: str, number: Parameter, unit: str) -> tuple[float, str]:
    try:
        return number.inside(unit), ""
    except UnitError as problem:
        return 0.0, f"{what}: {problem}"


def _positive(what: str, number: Parameter, unit: str) -> Iterator[str]:
    value, problem = _inside(what, number, unit)
    if problem:
        yield problem
    elif value <= 0.0:
        yield f"{what} is {number.value:g} {number.unit}; it must be above 0"


def _fraction(what: str, number: Parameter) -> Iterator[str]:
    value, problem = _inside(what, number, "")
    if problem:
        yield problem
    elif not 0.0 <= value <= 1.0:
        yield f"{what} is {value:.6g}; it must be from 0 to 1"


def _sums(anatomy: Anatomy) -> Iterator[str]:
    flows = sum(organ.flow.inside("") for organ in anatomy.organs)
    if abs(flows - 1.0) > ROUNDING:
        yield f"flow fractions of the organs add up to {flows:.6g}, not to 1{_remedy(anatomy, flows)}"
    shares = sum(conduit.share.inside("") for conduit in anatomy.conduits)
    if abs(shares - 1.0) > ROUNDING:
        yield f"shares of the conduits in the blood of the great vessels add up to {shares:.6g}, not to 1"
    for medium in MEDIA:
        total: dict[str, float] = {}
        for route in (route for route in anatomy.routes if route.medium == medium):
            for organ, share in route.shares:
                total[organ] = total.get(organ, 0.0) + share.inside("")
            if not any(share.inside("") > 0.0 for _, share in route.shares) and route.name not in [
                other.into for other in anatomy.routes
            ]:
                yield f"route '{route.name}' drains no organ; leave it out"
        for organ, taken in total.items():
            if medium == "blood" and taken > 1.0 + ROUNDING:
                yield f"routes take {taken:.6g} of the venous blood of '{organ}'; at most all of it (1) can leave"
            if medium == "lymph" and abs(taken - 1.0) > ROUNDING:
                yield f"shares of the lymph of '{organ}' add up to {taken:.6g}, not to 1"
    blood, plasma = anatomy.blood.inside("mL"), anatomy.plasma.inside("mL")
    if plasma >= blood:
        yield f"the plasma ({plasma:.6g} mL) must be less than the blood ({blood:.6g} mL)"
    beds = sum(organ.vessels.inside("mL") for organ in anatomy.organs)
    beds += sum(route.vessels.inside("mL") for route in anatomy.routes if route.vessels is not None)
    if beds >= blood:
        yield (
            f"small vessels and routes hold {beds:.6g} mL, which leaves nothing of the blood volume "
            f"({blood:.6g} mL) for the great vessels"
        )


def _remedy(anatomy: Anatomy, flows: float) -> str:
    if "other" not in anatomy.names:
        return "; add an organ 'other' for the rest of the body"
    right = anatomy["other"].flow.inside("") + 1.0 - flows
    if right < 0.0:
        return f"; 'other' cannot make up for {flows - 1.0:.6g} too much: lower the flow of an organ"
    return f"; with 'other' at {right:.6g} they would"


def _ways(anatomy: Anatomy) -> Iterator[str]:
    edges = edges_of(anatomy)
    arteries = next(conduit.name for conduit in anatomy.conduits if not conduit.into)
    fed = reached(edges, arteries)
    for organ in anatomy.organs:
        if organ.name not in fed:
            yield (
                f"organ '{organ.name}' is not reached: its flow fraction is {organ.flow.value:g} and no vein leads to it; "
                "give it a flow, or leave it out"
            )
        if arteries not in reached(edges, organ.name):
            yield (
                f"blood does not return from organ '{organ.name}': its veins lead to '{organ.drains}', "
                "from which no way leads back to the arteries"
            )
    for conduit in anatomy.conduits:
        if conduit.name not in fed:
            yield f"conduit '{conduit.name}' is not reached by blood; let an organ drain into it, or leave it out"
    for route in anatomy.routes:
        if arteries not in reached(edges, route.name):
            yield f"route '{route.name}' does not lead back to the arteries"
        if route.medium == "blood" and route.name not in fed:
            yield f"route '{route.name}' is not reached by blood"
