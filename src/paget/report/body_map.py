"""The body map: an outline with its organs coloured by tumour burden, and the traffic of cells between them.

Burden is the median over the animals of an arm, on one logarithmic scale for all arms and days; arrows are founders that
have arrived so far, the mean over animals, with widths that grow by the logarithm of their number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paget.errors import ResultError
from paget.report.body_outline import Organ, outline_of
from paget.report.drawing import Drawing, Item, Path2D, Words, clear_bends, curve, moved, oval, save_drawings
from paget.report.material import collect
from paget.report.migration import TIP, animals_read, primary_of, seedings
from paget.report.theme import BURDEN_STEPS, joined, number_text

if TYPE_CHECKING:
    from paget.report.material import Material, ResultLike

__all__ = ["BodyCourse", "body_course", "body_drawing", "body_key", "draw_body_map", "slug", "states"]

QUANTITIES = ("cells", "nodules", "dormant", "arrivals")
BLOOD = ("ctc_per_ml", "ctc_single", "ctc_clusters")
MEDIA: Mapping[str, tuple[str, str]] = {
    "blood": ("--blood", "by blood"),
    "portal vein": ("--portal", "by the portal vein"),
    "lymph": ("--lymph", "by lymph"),
}

_MOST_DAYS = 40
_WIDTH = 390.0
_BODY_LEFT = 65.0
_SCALE = 1.3
_TOP = 4.0
_HEART = "blood"
_BLOOD_ROOM = 72.0  # its line to the heart runs below the name, past the longest number there may be
_LETTER = 6.9  # of bold letters of size 12
_STRANGE_TOP, _STRANGE_STEP = 320.0, 50.0


@dataclass(frozen=True)
class BodyCourse:
    """What the map shows on each of its days.

    sites : medians over animals, indexed by arm and day; columns are pairs of a quantity (cells, nodules, dormant, arrivals)
        and a site, only those that were recorded
    blood : the same of circulating tumour cells
    flows : founders that arrived per animal; columns arm, day, origin, site, medium, founders (cumulative mean)
    """

    species: str
    names: tuple[str, ...]
    days: tuple[float, ...]
    sites: pd.DataFrame
    blood: pd.DataFrame
    flows: pd.DataFrame
    animals: Mapping[str, int]
    top: int

    def value(self, arm: str, day: float, quantity: str, site: str) -> float:
        """A median, or NaN where it was not recorded."""
        if (quantity, site) not in self.sites.columns or (arm, day) not in self.sites.index:
            return math.nan
        found: Any = self.sites.at[(arm, day), (quantity, site)]
        return float(found)

    def in_blood(self, arm: str, day: float, name: str) -> float:
        """A median of circulating tumour cells, or NaN."""
        if name not in self.blood.columns or (arm, day) not in self.blood.index:
            return math.nan
        found: Any = self.blood.at[(arm, day), name]
        return float(found)


def slug(site: str) -> str:
    """The name of a site as it stands in names of columns."""
    return site.replace(" ", "_")


def body_course(material: Material, result: ResultLike) -> BodyCourse | None:
    """Collect what the map shows; None for a study of one tissue or one in which no animal finished."""
    columns = {
        (quantity, site): f"{quantity}_{slug(site)}"
        for quantity in QUANTITIES
        for site in material.sites
        if f"{quantity}_{slug(site)}" in material.metrics.columns
    }
    if not material.sites or not material.arms_with_data:
        return None
    days = _chosen_days(material.metrics)
    rows = material.metrics[material.metrics["day"].isin(days)]
    grouped = rows.groupby(["arm", "day"], observed=True)
    medians = grouped[list(columns.values())].median() if columns else pd.DataFrame(index=grouped.size().index)
    medians.columns = (
        pd.MultiIndex.from_tuples(list(columns)) if columns else pd.MultiIndex(levels=[[], []], codes=[[], []])
    )
    ctc = [name for name in BLOOD if name in rows.columns]
    cells = [pair for pair in columns if pair[0] == "cells"]
    most = float(np.nanmax(medians[cells].to_numpy(np.float64), initial=1.0)) if cells else 1.0
    return BodyCourse(
        species=str(material.model.get("species") or ""),
        names=material.sites,
        days=days,
        sites=medians,
        blood=grouped[ctc].median() if ctc else pd.DataFrame(index=medians.index),
        flows=_flows(material, seedings(material, result), days),
        animals={arm: int(rows.loc[rows["arm"] == arm, "animal"].nunique()) for arm in material.arms},
        top=max(2, math.ceil(math.log10(max(most, 1.0)) - 1e-9)),
    )


def _chosen_days(metrics: pd.DataFrame) -> tuple[float, ...]:
    """At most forty of the recorded days, evenly, the first and the last among them."""
    days = np.sort(metrics["day"].unique().astype(np.float64))
    if len(days) > _MOST_DAYS:
        days = days[np.linspace(0, len(days) - 1, _MOST_DAYS).round().astype(int)]
    return tuple(days.tolist())


def _flows(material: Material, rows: pd.DataFrame, days: Sequence[float]) -> pd.DataFrame:
    pieces = []
    known = rows[(rows["origin"] != "") & (rows["origin"] != rows["site"])]
    for (arm, origin, site, medium), group in known.groupby(["arm", "origin", "site", "medium"], sort=False):
        so_far = np.searchsorted(np.sort(group["day"].to_numpy(np.float64)), np.asarray(days) + 1e-9, side="right")
        mean = so_far / animals_read(material, str(arm))
        pieces.append(
            pd.DataFrame({"arm": arm, "day": days, "origin": origin, "site": site, "medium": medium, "founders": mean})
        )
    columns = ["arm", "day", "origin", "site", "medium", "founders"]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=columns)


# ---- the picture of one arm on one day ------------------------------------------------------------------------------


def body_drawing(course: BodyCourse, arm: str, day: float) -> Drawing:
    """Draw the body of an arm on one of the days of the course.

    What differs between days has the number of a part, so that two days differ in the values of parts alone.
    """
    outline = outline_of(course.species)
    organs = _placed(course.species, course.names)
    items: list[Item] = [
        Path2D(moved(d, _BODY_LEFT, _TOP, _SCALE), fill="--raised", line="--line", width=1.3)
        for d in outline.silhouette
    ]
    items += [Path2D(moved(d, _BODY_LEFT, _TOP, _SCALE), line="--line", width=0.9) for d in outline.lines]
    for site, organ in organs.items():
        items += _organ(course, arm, day, site, organ)
    items += [
        Path2D(moved(d, _BODY_LEFT, _TOP, _SCALE), fill="--paper", line="--muted", width=0.9, told="heart")
        for d in outline.heart.parts
    ]
    items += _arrows(course, arm, day)
    for site, organ in organs.items():
        items += _label(site, organ, site_lines(course, arm, day, site), str(course.names.index(site)))
    if len(course.blood.columns):
        items += _label(_HEART, _shifted(outline.heart), blood_lines(course, arm, day), _HEART)
    lowest = max([outline.height * _SCALE, *(organ.label[1] + 40.0 for organ in organs.values())])
    return Drawing(_WIDTH, lowest + 2 * _TOP, _told(course, arm, day), items, arm)


def states(course: BodyCourse, arm: str) -> list[dict[str, Any]]:
    """The values of all parts on each day: words of labels, colours of organs, widths of arrows, sizes of their tips."""
    out = []
    for day in course.days:
        drawing = body_drawing(course, arm, day)
        state: dict[str, Any] = {"alt": drawing.alt}
        for item in drawing.items:
            if item.part:
                state[item.part] = _state(item)
        out.append(state)
    return out


def _state(item: Item) -> str | float:
    if isinstance(item, Words):
        return item.text
    if item.place is not None:
        return item.place[3]
    return item.fill if item.fill != "none" else item.width


@dataclass(frozen=True)
class _Arc:
    """The way of an arrow: its path, its tip and the direction there; it is the same on every day."""

    origin: str
    site: str
    medium: str
    path: str
    tip: tuple[float, float, float]


@lru_cache(maxsize=8)
def _placed(species: str, names: tuple[str, ...]) -> Mapping[str, Organ]:
    """The organs of the sites that a body has, from back to front; a site that no outline has becomes a disc beside it."""
    outline = outline_of(species)
    organs = {name: organ for name, organ in outline.organs.items() if name in names}
    strange = [name for name in names if name not in outline.organs]
    for rank, name in enumerate(strange):
        side, x = ("right", 162.0) if rank % 2 == 0 else ("left", 38.0)
        y = _STRANGE_TOP + _STRANGE_STEP * (rank // 2)
        organs[name] = Organ(
            (oval(x, y, 9.0, 9.0),), (x, y), 10.0, (side, y), (), (x + (9 if rank % 2 == 0 else -9), y)
        )
    return {name: _shifted(organ) for name, organ in organs.items()}


def _shifted(organ: Organ) -> Organ:
    pointer = organ.pointer or organ.place
    return Organ(
        parts=tuple(moved(d, _BODY_LEFT, _TOP, _SCALE) for d in organ.parts),
        place=(organ.place[0] * _SCALE + _BODY_LEFT, organ.place[1] * _SCALE + _TOP),
        radius=organ.radius * _SCALE,
        label=(organ.label[0], organ.label[1] * _SCALE + _TOP),
        lines=tuple(moved(d, _BODY_LEFT, _TOP, _SCALE) for d in organ.lines),
        pointer=(pointer[0] * _SCALE + _BODY_LEFT, pointer[1] * _SCALE + _TOP),
    )


@lru_cache(maxsize=8)
def _arcs(species: str, names: tuple[str, ...], ways: tuple[tuple[str, str, str], ...]) -> tuple[_Arc, ...]:
    organs = _placed(species, names)
    drawn = [(o, s, m) for o, s, m in ways if o in organs and s in organs]
    places = {name: organ.place for name, organ in organs.items()}
    keep = {name: 0.9 * organ.radius for name, organ in organs.items()}
    size = (_WIDTH, outline_of(species).height * _SCALE)
    bends = clear_bends(places, list(dict.fromkeys((o, s) for o, s, _ in drawn)), keep, size)
    arcs = []
    for rank, (origin, site, medium) in enumerate(drawn):
        twin = 0.07 * sum((o, s) == (origin, site) for o, s, _ in drawn[:rank])
        bend = bends[origin, site] + math.copysign(twin, bends[origin, site])
        path, (x, y), angle = curve(
            places[origin], places[site], bend, organs[origin].radius, 0.75 * organs[site].radius
        )
        arcs.append(_Arc(origin, site, medium, path, (x, y, angle)))
    return tuple(arcs)


def _organ(course: BodyCourse, arm: str, day: float, site: str, organ: Organ) -> list[Item]:
    fill = burden_colour(course.value(arm, day, "cells", site), course.top)
    part = f"o{course.names.index(site)}"
    return [
        *(Path2D(d, fill=fill, line="--ink", width=0.9, told=_titled(site), part=part) for d in organ.parts),
        *(Path2D(d, line="--muted", width=0.8) for d in organ.lines),
    ]


def burden_colour(cells: float, top: int) -> str:
    """The colour of a number of cells on the scale from 1 to ten to the power `top`; paper where there are none."""
    if not cells > 0.0:
        return "--paper"
    level = min(1.0, max(0.0, math.log10(cells) / top))
    return f"--burden-{round(level * BURDEN_STEPS)}"


def flow_width(founders: float) -> float:
    """Width of an arrow: 0.6 for one founder, 0.55 more for each tenfold; nothing for none."""
    return 0.0 if founders <= 0.0 else round(max(0.4, 0.6 + 0.55 * math.log10(founders)), 2)


def tip_size(width: float) -> float:
    """Scale of the tip of an arrow of this width."""
    return round(0.55 + 0.2 * width, 2) if width else 0.0


def _arrows(course: BodyCourse, arm: str, day: float) -> list[Item]:
    ways = tuple(dict.fromkeys(zip(course.flows["origin"], course.flows["site"], course.flows["medium"], strict=True)))
    now = course.flows[(course.flows["arm"] == arm) & (course.flows["day"] == day)]
    numbers = dict(zip(zip(now["origin"], now["site"], now["medium"], strict=True), now["founders"], strict=True))
    below: list[Item] = []
    items: list[Item] = []
    for rank, arc in enumerate(_arcs(course.species, course.names, ways)):
        width = flow_width(float(numbers.get((arc.origin, arc.site, arc.medium), 0.0)))
        colour = MEDIA.get(arc.medium, ("--blood", ""))[0]
        # a pale line below keeps arrows and organs of like colour apart
        below.append(
            Path2D(arc.path, line="--paper", width=width + 1.6 if width else 0.0, part=f"h{rank}", opacity=0.75)
        )
        told = f"{arc.origin} to {arc.site}" + (f", {MEDIA[arc.medium][1]}" if arc.medium in MEDIA else "")
        items.append(Path2D(arc.path, line=colour, width=width, part=f"f{rank}", told=told))
        items.append(Path2D(TIP, fill=colour, place=(*arc.tip, tip_size(width)), part=f"t{rank}"))
    return below + items


def _label(site: str, organ: Organ, lines: tuple[str, str], part: str) -> list[Item]:
    side, height = organ.label
    left = side == "left"
    x = 0.0 if left else _WIDTH
    anchor = "start" if left else "end"
    name = _titled(site)
    reach = 5.0 + max(_LETTER * len(name), _BLOOD_ROOM if site == _HEART else 0.0)
    start = reach if left else _WIDTH - reach
    assert organ.pointer is not None
    px, py = organ.pointer
    return [
        Path2D(f"M {start:.1f} {height - 3.5:.1f} L {px:.1f} {py:.1f}", line="--muted", width=0.6),
        Path2D(oval(px, py, 1.3, 1.3), fill="--muted"),
        Words(x, height, name, 12.0, bold=True, anchor=anchor, halo=True),
        Words(x, height + 14.0, lines[0], 11.5, anchor=anchor, halo=True, part=f"a{part}"),
        Words(x, height + 27.5, lines[1], 11.5, "--muted", anchor=anchor, halo=True, part=f"b{part}"),
    ]


def _titled(site: str) -> str:
    return site[:1].upper() + site[1:]


def _counted(value: float, one: str, many: str) -> str:
    return f"{number_text(value, 2)} {one if value == 1 else many}"


def site_lines(course: BodyCourse, arm: str, day: float, site: str) -> tuple[str, str]:
    """What stands below the name of a site: its burden, and its nodules, or dormant cells where it has none."""
    cells = course.value(arm, day, "cells", site)
    second = ""
    if site != primary_of(course.names):
        for quantity, one, many in (
            ("nodules", "nodule", "nodules"),
            ("dormant", "dormant cell", "dormant cells"),
            ("arrivals", "arrival", "arrivals"),
        ):
            value = course.value(arm, day, quantity, site)
            if value > 0.0:
                second = _counted(value, one, many)
                break
    if math.isnan(cells):
        return "", second
    return (_counted(cells, "cell", "cells") if cells > 0.0 else "no cells"), second


def blood_lines(course: BodyCourse, arm: str, day: float) -> tuple[str, str]:
    """Circulating tumour cells: per mL, and clusters, or the single cells there are."""
    per_ml = course.in_blood(arm, day, "ctc_per_ml")
    single, clusters = course.in_blood(arm, day, "ctc_single"), course.in_blood(arm, day, "ctc_clusters")
    first = f"{number_text(per_ml, 2)} CTC/mL" if not math.isnan(per_ml) else ""
    told = [_counted(single, "single cell", "single cells")] if not math.isnan(single) else []
    told += [_counted(clusters, "cluster", "clusters")] if not math.isnan(clusters) else []
    if first:
        return first, told[-1] if told else ""
    return (told[0] if told else ""), (told[1] if len(told) > 1 else "")


def _told(course: BodyCourse, arm: str, day: float) -> str:
    sites = []
    for site in course.names:
        said = ", ".join(filter(None, site_lines(course, arm, day, site)))
        sites.append(f"{site} {said or 'not recorded'}")
    blood = ", ".join(filter(None, blood_lines(course, arm, day)))
    return f"Body of {arm} on day {day:g}, medians: {'; '.join(sites)}{f'; blood {blood}' if blood else ''}."


# ---- the key, and files for print -----------------------------------------------------------------------------------


def body_key(course: BodyCourse) -> Drawing:
    """Draw the scale of colours, the widths of arrows and the colours of ways."""
    items: list[Item] = []
    wide, step = 240.0, 240.0 / (BURDEN_STEPS + 1)
    for i in range(BURDEN_STEPS + 1):
        left, right = i * step, (i + 1) * step + 0.3
        box = f"M {left:.1f} 18 L {right:.1f} 18 L {right:.1f} 30 L {left:.1f} 30 Z"
        items.append(Path2D(box, fill=f"--burden-{i}"))
    items.append(Path2D(f"M 0 18 L {wide} 18 L {wide} 30 L 0 30 Z", line="--muted", width=0.7))
    items.append(Words(0.0, 11.0, "Tumour cells (median of animals); blank: none", 11.0))
    every = max(1, math.ceil(course.top / 4))
    for power in range(0, course.top + 1, every):
        x = wide * power / course.top
        items.append(Path2D(f"M {x:.1f} 30 L {x:.1f} 34", line="--muted", width=0.8))
        items.append(Words(x, 45.0, _power(power), 10.5, anchor="start" if power == 0 else "middle"))
    if course.flows.empty:
        return Drawing(300.0, 50.0, f"Scale of burden, 1 to {_power(course.top)} cells", items)
    items.append(Words(290.0, 11.0, "Founders arrived (mean per animal)", 11.0))
    for rank, number in enumerate((1, 100, 10_000)):
        x, width = 290.0 + 70.0 * rank, flow_width(number)
        items.append(Path2D(f"M {x} 24 L {x + 24} 24", line="--blood", width=width))
        items.append(Path2D(TIP, fill="--blood", place=(x + 32.0, 24.0, 0.0, tip_size(width))))
        items.append(Words(x + 38.0, 28.0, f"{number:,}", 10.5))
    met = [name for name in MEDIA if name in set(course.flows["medium"])]
    x = 290.0
    for name in met:
        colour, text = MEDIA[name]
        items.append(Path2D(f"M {x} 43 L {x + 18} 43", line=colour, width=2.4))
        items.append(Words(x + 23.0, 46.5, text, 10.5))
        x += 36.0 + 5.4 * len(text)
    return Drawing(
        560.0,
        52.0,
        f"Scale of burden, 1 to {_power(course.top)} cells, and of arrows; ways {joined(met) or 'not told apart'}",
        items,
    )


def _power(power: int) -> str:
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return "1" if power == 0 else "10" if power == 1 else f"10{raised}"


def draw_body_map(result: ResultLike, path: str | Path, day: float | None = None) -> Path:
    """Draw the body of every arm on a day, the last if none is given, into a file for print: SVG, PDF or PNG.

    Raises
    ------
    ResultError
        If the result is not one of a body, if the day is not among those recorded, or for another ending.
    """
    material = collect(result)
    course = body_course(material, result)
    if course is None:
        raise ResultError(f"'{path}' was not written: this result has no sites of a body, or no animal finished.")
    shown = course.days[-1] if day is None else day
    if shown not in course.days:
        known = ", ".join(f"{d:g}" for d in course.days)
        raise ResultError(f"There is no day {shown:g} in the body map; days with records: {known}.")
    drawings = [body_drawing(course, arm, shown) for arm in material.arms_with_data]
    return save_drawings(drawings, path, title=f"Day {shown:g}", key=body_key(course))
