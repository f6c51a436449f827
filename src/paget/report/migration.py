"""Who seeded whom: the founders that arrived in each site, by where they came from and by their clone.

The graph is read like a body: sites stand where organs lie. Strands are coloured by clone; dashed ones left a metastasis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paget.errors import ResultError
from paget.report.body_outline import SEATS
from paget.report.drawing import (
    Drawing,
    Item,
    Path2D,
    Point,
    Words,
    arc_points,
    clear_bends,
    curve,
    oval,
    save_drawings,
)
from paget.report.material import collect
from paget.report.theme import CLONES, joined, number_text
from paget.report.tissue import representative_animal

if TYPE_CHECKING:
    from paget.report.material import Material, ResultLike

__all__ = [
    "Migration",
    "clone_name",
    "draw_migration",
    "migration",
    "migration_drawing",
    "migration_key",
    "migration_key_drawing",
    "primary_of",
    "seedings",
]

_PRIMARY = "primary"
SEEDING_COLUMNS = ("arm", "animal", "day", "origin", "site", "clone", "medium")
TIP = "M 0 0 L -8 -4 L -6 0 L -8 4 Z"

_ARRIVAL = "arrival"
_OTHERS = -1
_MOST_READ = 20  # animals of an arm whose events are read: each may have millions
_WIDTH, _HEIGHT = 400.0, 400.0
_EDGE_LEFT, _EDGE_TOP = 42.0, 18.0
_NODE = 13.0
_NAME = 24.0  # from the middle of a node to the middle of its name
_CLEAR = 30.0
_FAN = 0.045


@dataclass(frozen=True)
class Migration:
    """The seedings of one animal in every arm: columns arm, origin, site, clone, founders, first (day).

    clones : those with a colour of their own, most founders first
    """

    animal: int
    animals: int
    sites: tuple[str, ...]
    edges: pd.DataFrame
    clones: tuple[int, ...]

    @property
    def primary(self) -> str:
        """The site whose tumour is there from the start."""
        return primary_of(self.sites)

    def of(self, arm: str) -> pd.DataFrame:
        """The edges of one arm."""
        rows: pd.DataFrame = self.edges[self.edges["arm"] == arm]
        return rows


def seedings(material: Material, result: ResultLike, animals: Sequence[int] | None = None) -> pd.DataFrame:
    """Every founder that arrived, one row each: arm, animal, day, origin, site, clone, medium.

    Origin and medium are empty and the clone is -1 where events do not tell. Of many animals the first twenty that
    finished are read.
    """
    done = material.status[material.status["status"] == "done"]
    pieces = []
    for arm in material.arms:
        finished = [int(a) for a in done.loc[done["arm"] == arm, "animal"]]
        chosen = finished[:_MOST_READ] if animals is None else [a for a in animals if a in finished]
        pieces += [_arrivals(result, arm, animal) for animal in chosen]
    filled = [piece for piece in pieces if len(piece)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(SEEDING_COLUMNS))


def animals_read(material: Material, arm: str) -> int:
    """How many animals of an arm `seedings` reads."""
    done = material.status[(material.status["status"] == "done") & (material.status["arm"] == arm)]
    return min(len(done), _MOST_READ)


def _arrivals(result: ResultLike, arm: str, animal: int) -> pd.DataFrame:
    try:
        events = result.events(arm, animal)
    except ResultError:
        return pd.DataFrame(columns=list(SEEDING_COLUMNS))
    if "site" not in events:
        return pd.DataFrame(columns=list(SEEDING_COLUMNS))
    came = events[events["kind"] == _ARRIVAL]
    table = pd.DataFrame({"arm": arm, "animal": animal, "day": came["day"].to_numpy(np.float64)})
    table["origin"] = _text(came, "origin")
    table["site"] = _text(came, "site")
    table["clone"] = came["clone"].to_numpy(np.int64) if "clone" in came else _OTHERS
    table["medium"] = _text(came, "medium")
    return table[table["site"] != ""].reset_index(drop=True)


def _text(rows: pd.DataFrame, column: str) -> Any:
    return rows[column].astype(str).to_numpy(object) if column in rows else ""


def migration(material: Material, result: ResultLike) -> Migration | None:
    """Read the seedings of the animal nearest the medians of the arms; None where nothing arrived in it."""
    animal = representative_animal(material.outcomes, material.readouts)
    if animal is None or not material.sites:
        return None
    rows = seedings(material, result, [animal])
    rows = rows[rows["origin"] != ""]
    if rows.empty:
        return None
    keys = ["arm", "origin", "site", "clone"]
    edges = rows.groupby(keys, sort=False).agg(founders=("day", "size"), first=("day", "min")).reset_index()
    order = {arm: place for place, arm in enumerate(material.arms)}
    edges = edges.sort_values(
        ["arm", "founders", "origin", "site", "clone"],
        ascending=[True, False, True, True, True],
        key=lambda column: column.map(order) if column.name == "arm" else column,
        ignore_index=True,
    )
    known = edges[edges["clone"] != _OTHERS].groupby("clone")["founders"].sum()
    ranked = sorted(known.index, key=lambda clone: (-known[clone], clone))
    met = dict.fromkeys([*material.sites, *edges["origin"], *edges["site"]])
    return Migration(animal, material.study.replicates, tuple(met), edges, tuple(int(c) for c in ranked[:CLONES]))


def primary_of(sites: Sequence[str]) -> str:
    """The site whose tumour is there from the start: the one of that name, or else the first."""
    return _PRIMARY if _PRIMARY in sites or not sites else sites[0]


def clone_name(clone: int) -> str:
    """The name of a clone; what has none is said so."""
    return f"clone {clone}" if clone >= 0 else "clone unknown"


def migration_drawing(found: Migration, arm: str) -> Drawing:
    """Draw the graph of one arm: an arrow for each pair of sites and clone, with the founders of each pair counted."""
    edges = found.of(arm)
    seats = _seats(found.sites)
    pairs: dict[tuple[str, str], pd.DataFrame] = dict(iter(edges.groupby(["origin", "site"], sort=False)))  # type: ignore[arg-type]
    ways = clear_bends(seats, list(pairs), dict.fromkeys(seats, 2.1 * _NODE), (_WIDTH, _HEIGHT))
    strands: list[Item] = []
    taken = [(x, y + (0.0 if above else _NAME)) for x, y in seats.values() for above in (True, False)]
    counts: list[Item] = []
    for (origin, site), rows in sorted(pairs.items(), key=lambda pair: pair[0][0] != found.primary):
        strands += _strands(found, seats, (origin, site), ways[origin, site], rows)
        place = _free_place(seats[origin], seats[site], ways[origin, site], taken)
        taken.append(place)
        count = number_text(float(rows["founders"].sum()))
        counts.append(Words(place[0], place[1] + 4.0, count, 11.5, bold=True, anchor="middle", halo=True))
    nodes = [item for name in found.sites for item in _node(name, seats[name], edges, name == found.primary)]
    return Drawing(_WIDTH, _HEIGHT, _told(found, arm, edges), [*strands, *nodes, *counts], arm)


def _told(found: Migration, arm: str, edges: pd.DataFrame) -> str:
    if edges.empty:
        return f"Migration graph of {arm}, animal {found.animal}: no founder arrived anywhere."
    totals = edges.groupby(["origin", "site"], sort=False)["founders"].sum().sort_values(ascending=False, kind="stable")
    ways = [f"{origin} to {site} {count}" for (origin, site), count in totals.items()]  # type: ignore[misc, has-type]
    late = int(edges.loc[edges["origin"] != found.primary, "founders"].sum())
    return (
        f"Migration graph of {arm}, animal {found.animal}: founders from {joined(ways)}. "
        f"{late} of {int(edges['founders'].sum())} founders left a metastasis."
    )


def _seats(sites: Sequence[str]) -> dict[str, Point]:
    strange = [name for name in sites if name not in SEATS]
    places = dict(SEATS) | {name: (1.0, 0.36 + 0.12 * rank) for rank, name in enumerate(strange)}
    wide, high = _WIDTH - 2 * _EDGE_LEFT, _HEIGHT - 2 * _EDGE_TOP - 14.0
    return {n: (_EDGE_LEFT + places[n][0] * wide, _EDGE_TOP + places[n][1] * high) for n in sites}


def _free_place(start: Point, end: Point, bend: float, taken: Sequence[Point]) -> Point:
    """Where on an arc its count stands: as near its middle as other counts and names allow."""
    if start == end:
        return _loop_middle(start)
    points = arc_points(start, end, bend, 40)
    order = sorted(range(8, 33), key=lambda i: abs(i - 21))

    def room(i: int) -> float:
        # words are wider than high
        return min((math.hypot(points[i][0] - x, 1.9 * (points[i][1] - y)) for x, y in taken), default=99.0)

    return points[next((i for i in order if room(i) > _CLEAR), max(order, key=room))]


def _strands(
    found: Migration, seats: Mapping[str, Point], pair: tuple[str, str], bend: float, rows: pd.DataFrame
) -> list[Item]:
    origin, site = pair
    shown = rows[rows["clone"].isin(found.clones)]
    strands = [
        (found.clones.index(clone), count)
        for clone, count in zip(shown["clone"].tolist(), shown["founders"].tolist(), strict=True)
    ]
    rest = int(rows["founders"].sum() - shown["founders"].sum())
    strands = sorted(strands) + ([(_OTHERS, rest)] if rest else [])
    dash = "" if origin == found.primary else "6 4"
    items: list[Item] = []
    length = math.dist(seats[origin], seats[site]) or 1.0
    for place, (rank, count) in enumerate(strands):
        colour = f"--clone-{rank}" if rank >= 0 else "--clone-other"
        name = clone_name(found.clones[rank]) if rank >= 0 else "other clones"
        width = round(1.1 + 0.75 * math.log10(count), 2)
        told = f"{origin} to {site}, {name}: {number_text(count)} {'founder' if count == 1 else 'founders'}"
        if origin == site:
            loop = oval(*_loop_middle(seats[origin]), 9.0 + 2.4 * place, 9.0 + 2.4 * place)
            items.append(Path2D(loop, line=colour, width=width, dash=dash, told=told))
            continue
        spread = (place - (len(strands) - 1) / 2) * min(_FAN, 5.5 / length)
        way, tip, angle = curve(seats[origin], seats[site], bend + spread, _NODE + 1.0, _NODE + 3.0)
        if dash:  # on paper, so that the few that left a metastasis are seen over the many that did not
            items.append(Path2D(way, line="--paper", width=width + 2.4, opacity=0.85))
        items.append(Path2D(way, line=colour, width=width, dash=dash, told=told))
        items.append(Path2D(TIP, fill=colour, place=(*tip, angle, round(0.8 + 0.12 * width, 2))))
    return items


def _loop_middle(seat: Point) -> Point:
    side = 1.0 if seat[0] > _WIDTH / 2 else -1.0
    return seat[0] + side * (_NODE + 8.0), seat[1] - 6.0


def _node(name: str, seat: Point, edges: pd.DataFrame, primary: bool) -> list[Item]:
    x, y = seat
    came = int(edges.loc[edges["site"] == name, "founders"].sum())
    went = int(edges.loc[edges["origin"] == name, "founders"].sum())
    told = f"{name}: {came} founders came, {went} left for other sites"
    touched = came or went
    fill = "--ink" if primary else "--raised"
    line = "--ink" if touched else "--line"
    return [
        Path2D(oval(x, y, _NODE, _NODE), fill=fill, line=line, width=1.4, dash="" if touched else "3 3", told=told),
        Words(
            x,
            y + _NAME + 4.0,
            name[:1].upper() + name[1:],
            12.0,
            colour="--ink" if touched else "--muted",
            bold=primary,
            anchor="middle",
            halo=True,
        ),
    ]


def migration_key(found: Migration) -> list[tuple[str, str]]:
    """Colour and name of every clone that a graph shows."""
    shown = [(f"--clone-{rank}", clone_name(clone)) for rank, clone in enumerate(found.clones)]
    others = found.edges[~found.edges["clone"].isin(found.clones)]
    return [*shown, *([("--clone-other", "other clones")] if len(others) else [])]


def migration_key_drawing(found: Migration) -> Drawing:
    """Draw what dashes and colours mean."""
    key: list[Item] = []
    entries = [("--muted", "from the primary tumour", ""), ("--muted", "from a metastasis", "6 4")]
    entries += [(colour, name, "") for colour, name in migration_key(found)]
    for rank, (colour, name, dash) in enumerate(entries):
        x, y = 170.0 * (rank % 3), 12.0 + 16.0 * (rank // 3)
        key += [
            Path2D(f"M {x} {y} L {x + 26.0} {y}", line=colour, width=2.2, dash=dash),
            Words(x + 33.0, y + 4.0, name),
        ]
    high = 16.0 * -(-len(entries) // 3) + 6.0
    return Drawing(510.0, high, f"Key: {joined([name for _, name, _ in entries])}", key)


def draw_migration(result: ResultLike, path: str | Path) -> Path:
    """Draw the migration graph of every arm, for the animal nearest the medians, into a file: SVG, PDF or PNG.

    Raises
    ------
    ResultError
        If the result is not one of a body, if nothing arrived, or for another ending.
    """
    material = collect(result)
    found = migration(material, result)
    if found is None:
        raise ResultError(f"'{path}' was not written: no event of this result tells of a cell that arrived in a site.")
    drawings = [migration_drawing(found, arm) for arm in material.arms]
    return save_drawings(drawings, path, most=2, key=migration_key_drawing(found))
