"""A slow, clear twin of `paget.kernels.blood.walk`: one party at a time, lists in place of places, hazards by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels.streams import draw_exponential, draw_uniform, open_stream

Real = NDArray[np.float64]

WAITING = -1


@dataclass
class Party:
    """Cells that travel together; `members` are rows of the tables of survival signals and mesenchymal shares."""

    name: int
    where: int
    members: list[int]
    radius: float
    tension: float
    escort: bool = False
    seen: bool = False
    since: float = 0.0


@dataclass(frozen=True)
class Body:
    """Numbers by name; per organ: `width` and `spread` of ln(um), `pressure`, `adhesion`, `extravasation`.

    ways [nodes] : list of (node, cumulative share); organ [nodes] : index or -1; exposure [nodes]
    entry : list of (node, cumulative share) of the origin and medium of the party
    """

    numbers: dict[str, float]
    beds: list[dict[str, float]]
    transit: list[float]
    organ: list[int]
    ways: list[list[tuple[int, float]]]
    exposure: list[float]
    entry: list[tuple[int, float]]


def bonds_of(size: int) -> float:
    """Bonds per cell: none, one, or 2 (3 n - 6) / n."""
    return {1: 0.0, 2: 1.0}.get(size, 2.0 * (3.0 * size - 6.0) / size)


def chance_of_arrest(party: Party, body: Body, organ: int) -> float:
    """1 - (1 - trapped) (1 - stuck)."""
    n, bed, of = len(party.members), body.beds[organ], body.numbers
    if n > of["longest_file"]:
        narrowest = 2.0 * party.radius * n ** (1.0 / 3.0)
    else:
        pressure = bed["pressure"] / (1.0 + of["file_friction"] * (n - 1.0))
        # Pa, mN/m and um: 2 T / r is 2000 T / r Pa.
        narrowest = 1.0 / (pressure / (2000.0 * party.tension) + 1.0 / party.radius) * 2.0
    z = (math.log(narrowest) - bed["width"]) / bed["spread"]
    trapped = min(1.0, of["trapping"] * 0.5 * (1.0 + math.erf(z / math.sqrt(2.0))))
    stuck = 1.0 - math.exp(-bed["adhesion"] * (of["escort_grip"] if party.escort else 1.0))
    return 1.0 - (1.0 - trapped) * (1.0 - stuck)


def hazards(party: Party, body: Body, survival: Real, mesenchymal: Real) -> dict[str, float]:
    """Rates (1/h) of what can happen to a party, in the order in which they share one random number."""
    of, n, nodes = body.numbers, len(party.members), len(body.transit)
    lodged = party.where >= nodes
    beside = bonds_of(n)
    doubt = sum(1.0 - survival[m] for m in party.members)
    anoikis = of["anoikis"] * (1.0 - of["bond_anchorage"]) ** beside * doubt
    killing = n * (1.0 - of["bond_masking"]) ** beside * (1.0 - of["escort_shield"] * party.escort)
    turn = of["escort_loss"] if party.escort else of["escort_gain"]
    if lodged:
        mean = sum(mesenchymal[m] for m in party.members) / n
        passage = mean + (1.0 - mean) * of["epithelial_passage"]
        passage *= of["escort_passage"] if party.escort else 1.0
        return {
            "leave": passage * body.beds[body.organ[party.where - nodes]]["extravasation"],
            "loosen": of["detachment"],
            "anoikis": anoikis * of["lodged_anoikis"],
            "shear": 0.0,
            "killer": killing * of["nk_lodged"],
            "turn": turn,
        }
    exposed = body.exposure[party.where]
    return {
        "hop": 1.0 / body.transit[party.where],
        "break": of["break_up"] * (n - 1.0),
        "anoikis": anoikis,
        "shear": exposed * of["shear"] * n * n ** (-1.0 / 3.0),
        "killer": exposed * killing * of["nk_flowing"],
        "turn": turn,
    }


def drawn(draw: Any, stream: Any, increment: Any) -> tuple[Any, float]:
    """A draw, called from outside compiled code, where words come back as plain integers."""
    return draw(np.uint64(stream), np.uint64(increment))  # type: ignore[no-any-return]


def choose(ways: list[tuple[int, float]], u: float) -> int:
    """The node whose cumulative share first exceeds u."""
    return next((node for node, share in ways if u < share), ways[-1][0])


def cut_off(party: Party, first: int, ids: Any) -> list[int]:
    """Take the members behind the first ones from a party; the one it is named after stays."""
    front, back = party.members[:first], party.members[first:]
    if any(ids[m] == party.name for m in back):
        front, back = back, front
    party.members = front
    return back


def walk(
    party: Party, body: Body, ids: Any, survival: Real, mesenchymal: Real, dt: float, key: Any, step: int
) -> tuple[list[Party], list[tuple[Any, ...]]]:
    """Walk a party and what breaks off it; those that are still there, and events (what, time, name of the party, ...)."""
    todo = [replace(party, members=list(party.members))]
    there: list[Party] = []
    events: list[tuple[Any, ...]] = []
    nodes = len(body.transit)
    while todo:
        one = todo.pop()
        t = max(one.since, 0.0)
        if t >= dt:
            there.append(one)
            continue
        stream, increment = open_stream(key, np.uint64(one.name), step)
        if one.where == WAITING:
            stream, u = drawn(draw_uniform, stream, increment)
            one.where = choose(body.entry, u)
        while one.members:
            rates = hazards(one, body, survival, mesenchymal)
            total = sum(rates.values())
            stream, wait = drawn(draw_exponential, stream, increment)
            if t + wait / total >= dt:
                there.append(one)
                break
            t += wait / total
            stream, u = drawn(draw_uniform, stream, increment)
            mark = u * total
            what = "turn"
            for name, rate in rates.items():
                if mark < rate:
                    what = name
                    break
                mark -= rate
            if what == "leave":
                events.append(("leave", t, one.name, body.organ[one.where - nodes], tuple(one.members)))
                break
            n = len(one.members)
            if what == "hop":
                u, organ = mark / rates["hop"], body.organ[one.where]
                if organ >= 0:
                    held = chance_of_arrest(one, body, organ)
                    if u < held:
                        if not one.seen:
                            events.append(("arrest", t, one.name, organ))
                        one.seen, one.where = True, one.where + nodes
                        continue
                    u = (u - held) / (1.0 - held)
                one.where = choose(body.ways[one.where], u)
            elif what == "loosen":
                one.where = choose(body.ways[one.where - nodes], mark / rates["loosen"])
            elif what == "break":
                off = cut_off(one, 1 + min(int(mark / rates["break"] * (n - 1.0)), n - 2), ids)
                part = replace(one, name=int(min(ids[m] for m in off)), members=off, since=t)
                events.append(("break", t, one.name, part.name, len(off)))
                todo.append(part)
            elif what == "turn":
                one.escort = not one.escort
            else:
                weights = [1.0 - survival[m] if what == "anoikis" else 1.0 for m in one.members]
                mark *= sum(weights) / rates[what]
                place = 0
                while place < n - 1 and mark >= weights[place]:
                    mark -= weights[place]
                    place += 1
                events.append(("die", t, one.name, what, one.members[place], one.where))
                last = one.members.pop()
                if place < n - 1:
                    one.members[place] = last
    return there, events
