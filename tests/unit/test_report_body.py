"""The pictures of a body: where organs stand, what colours and arrows mean, and poor results that still make a page."""

from __future__ import annotations

import html
import itertools
import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from body_report_data import SITES, BodyResult, body_model, body_result, body_study
from report_data import DemoResult, demo_model, demo_result, demo_study

from paget.cli.catalogued import _extent
from paget.errors import ResultError
from paget.report import write_report
from paget.report.body_map import (
    BodyCourse,
    body_course,
    body_drawing,
    body_key,
    burden_colour,
    draw_body_map,
    flow_width,
    slug,
    states,
)
from paget.report.body_outline import SEATS, outline_of
from paget.report.drawing import Path2D, Words, clear_bends, curve, moved, oval, svg
from paget.report.material import Material, collect
from paget.report.migration import draw_migration, migration, migration_drawing, migration_key, seedings
from paget.report.theme import BURDEN_STEPS, CLONES, palettes
from paget.report.tissue import tissue_figures
from paget.report.traffic import arrival_panels, blood_panels, draw_traffic, fate_panels, fates, quartiles

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
STUDY = body_study(3, 22)


@pytest.fixture(scope="module")
def result() -> BodyResult:
    return body_result(STUDY)


@pytest.fixture(scope="module")
def material(result: BodyResult) -> Material:
    return collect(result)


@pytest.fixture(scope="module")
def course(material: Material, result: BodyResult) -> BodyCourse:
    found = body_course(material, result)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def page(result: BodyResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(result, tmp_path_factory.mktemp("body") / "r.html").read_text(encoding="utf-8")


def section(page: str) -> str:
    """The section of the body; empty if there is none."""
    found = re.search(r'<section id="body">.*?</section>', page, re.DOTALL)
    return found[0] if found else ""


# ---- outlines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_every_usual_site_has_its_organ_and_its_seat_inside_the_picture(species: str) -> None:
    outline = outline_of(species)
    assert set(outline.organs) == set(SITES) == set(SEATS)
    for organ in (*outline.organs.values(), outline.heart):
        numbers = [float(n) for part in organ.parts for n in re.findall(r"-?\d+\.?\d*", part)]
        assert all(10 < x < 190 for x in numbers[0::2])
        assert all(0 < y < outline.height for y in numbers[1::2])
        assert any(_holds(d, organ.place) for d in outline.silhouette)


def _holds(d: str, point: tuple[float, float]) -> bool:
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", d)]
    ends = list(itertools.batched(numbers, 2)) if hasattr(itertools, "batched") else list(zip(*[iter(numbers)] * 2))  # noqa: B905
    crossed = False
    for (x0, y0), (x1, y1) in zip(ends, ends[1:] + ends[:1], strict=True):
        if (y0 > point[1]) != (y1 > point[1]) and point[0] < x0 + (point[1] - y0) / (y1 - y0) * (x1 - x0):
            crossed = not crossed
    return crossed


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_names_of_organs_on_one_side_do_not_touch(species: str) -> None:
    outline = outline_of(species)
    for side in ("left", "right"):
        heights = sorted(o.label[1] for o in (*outline.organs.values(), outline.heart) if o.label[0] == side)
        assert len(heights) >= 4
        assert min(b - a for a, b in itertools.pairwise(heights)) >= 40


def test_bodies_are_mirror_images_of_their_halves() -> None:
    for species in ("mouse", "human"):
        numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", outline_of(species).silhouette[-1])]
        places = {(round(x, 3), round(y, 3)) for x, y in zip(numbers[0::2], numbers[1::2], strict=True)}
        assert {(round(200 - x, 3), y) for x, y in places} == places


# ---- drawing --------------------------------------------------------------------------------------------------------


def test_a_moved_path_is_scaled_then_shifted() -> None:
    assert moved("M 1 2 L 3 -4 Z", 10, 20, 2.0) == "M 12.0 24.0 L 16.0 12.0 Z"


def test_an_arrow_keeps_clear_of_both_ends_and_points_along_its_way() -> None:
    path, tip, angle = curve((0.0, 0.0), (100.0, 0.0), 0.0, 10.0, 20.0)
    first = float(path.split()[1])
    assert first >= 10.0
    assert 75.0 < tip[0] <= 80.0
    assert angle == pytest.approx(0.0)


def test_an_arc_goes_round_what_stands_between() -> None:
    places = {"a": (50.0, 100.0), "b": (350.0, 100.0), "c": (200.0, 100.0)}
    keep = dict.fromkeys(places, 40.0)
    assert abs(clear_bends(places, [("a", "b")], keep, (400.0, 200.0))["a", "b"]) > 0.1
    assert abs(clear_bends(places, [("a", "b")], {"a": 25.0, "b": 25.0}, (400.0, 200.0))["a", "b"]) <= 0.1


def test_every_colour_that_a_drawing_names_exists_in_both_palettes(course: BodyCourse, result: BodyResult) -> None:
    found = migration(collect(result), result)
    assert found is not None
    drawings = [
        body_drawing(course, "untreated", course.days[-1]),
        body_key(course),
        migration_drawing(found, "surgery"),
    ]
    named = {name for d in drawings for name in re.findall(r"var\((--[\w-]+)\)", svg(d, "x"))}
    named |= {colour for colour, _ in migration_key(found)}
    assert len(named) > BURDEN_STEPS
    assert named <= set(palettes()["light"])
    assert named <= set(palettes()["dark"])


def test_words_of_a_drawing_are_escaped() -> None:
    from paget.report.drawing import Drawing

    text = svg(Drawing(9, 9, "<b>", [Words(0, 0, "a < b & c"), Path2D(oval(1, 1, 1, 1), told="<i>")]), "x")
    assert "<b>" not in text
    assert "<i>" not in text
    assert "a &lt; b &amp; c" in text


# ---- the body map ---------------------------------------------------------------------------------------------------


def test_burden_is_the_median_over_the_animals(course: BodyCourse, result: BodyResult) -> None:
    rows = result.metrics[(result.metrics["arm"] == "surgery") & (result.metrics["day"] == 20.0)]
    for site in SITES:
        assert course.value("surgery", 20.0, "cells", site) == rows[f"cells_{slug(site)}"].median()
    assert course.in_blood("surgery", 20.0, "ctc_per_ml") == rows["ctc_per_ml"].median()


def test_colours_go_by_the_logarithm_from_one_cell_to_the_highest_decade() -> None:
    assert burden_colour(0.0, 6) == burden_colour(math.nan, 6) == "--paper"
    assert burden_colour(1.0, 6) == burden_colour(0.5, 6) == "--burden-0"
    assert burden_colour(1e3, 6) == f"--burden-{BURDEN_STEPS // 2}"
    assert burden_colour(1e6, 6) == f"--burden-{BURDEN_STEPS}"


def test_colours_of_burden_get_steadily_darker_on_paper_and_lighter_on_dark_screens() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = bytes.fromhex(colour[1:])
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    for mode, side in (("light", -1), ("dark", 1)):
        levels = [lightness(palettes()[mode][f"--burden-{i}"]) for i in range(BURDEN_STEPS + 1)]
        assert all(side * (b - a) > 0 for a, b in itertools.pairwise(levels))


def test_arrows_count_the_founders_that_had_arrived_by_that_day(course: BodyCourse, result: BodyResult) -> None:
    events = result.table[(result.table["arm"] == "surgery") & (result.table["site"] == "lung")]
    events = events[events["origin"] == "primary"]
    flows = course.flows[(course.flows["arm"] == "surgery") & (course.flows["site"] == "lung")]
    flows = flows[flows["origin"] == "primary"].set_index("day")["founders"]
    for day in (5.0, 12.0, 22.0):
        assert flows[day] == pytest.approx((events["day"] <= day).sum() / 3)


def test_an_arrow_is_wider_for_more_founders_and_absent_for_none() -> None:
    widths = [flow_width(n) for n in (0.0, 0.2, 1.0, 10.0, 100.0)]
    assert widths[0] == 0.0
    assert all(a < b for a, b in itertools.pairwise(widths))


def test_the_states_of_the_last_day_are_what_the_page_shows_first(course: BodyCourse) -> None:
    for arm in ("untreated", "surgery"):
        drawing = body_drawing(course, arm, course.days[-1])
        last = states(course, arm)[-1]
        parts = {item.part: item for item in drawing.items if item.part}
        assert set(last) == {*parts, "alt"}
        assert last["alt"] == drawing.alt
        lung = next(part for part in parts if part == f"o{SITES.index('lung')}")
        assert last[lung] == parts[lung].fill  # type: ignore[union-attr]


def test_every_day_changes_the_same_parts(course: BodyCourse) -> None:
    assert len({frozenset(state) for state in states(course, "untreated")}) == 1


def test_long_studies_show_at_most_forty_days_with_the_first_and_the_last(result: BodyResult) -> None:
    metrics = pd.concat([result.metrics.assign(day=result.metrics["day"] + 23.0 * i) for i in range(5)])
    found = body_course(collect(replace(result, metrics=metrics)), result)
    assert found is not None
    assert len(found.days) == 40
    assert (found.days[0], found.days[-1]) == (0.0, metrics["day"].max())


def test_a_site_that_no_outline_has_is_drawn_beside_the_body() -> None:
    found = body_result(body_study(1, 12), sites=(*SITES[:3], "bone marrow"))
    model = body_model(sites=("primary", "lung", "liver", "spleen"))
    changed = replace(found, manifest={**found.manifest, "model": model})
    seen = body_course(collect(changed), changed)
    assert seen is not None
    words = [item.text for item in body_drawing(seen, "surgery", 12.0).items if isinstance(item, Words)]
    assert "Spleen" in words


def test_the_map_says_what_it_shows_in_words(course: BodyCourse) -> None:
    alt = body_drawing(course, "untreated", 22.0).alt
    assert alt.startswith("Body of untreated on day 22, medians: primary ")
    assert "lung" in alt
    assert "CTC/mL" in alt


# ---- the migration graph --------------------------------------------------------------------------------------------


def test_the_graph_counts_the_arrivals_of_one_animal(result: BodyResult, material: Material) -> None:
    found = migration(material, result)
    assert found is not None
    for arm in material.arms:
        events = result.events(arm, found.animal)
        assert found.of(arm)["founders"].sum() == len(events)
        pair = events[(events["origin"] == "primary") & (events["site"] == "lung")]
        edges = found.of(arm)
        edges = edges[(edges["origin"] == "primary") & (edges["site"] == "lung")]
        assert dict(zip(edges["clone"], edges["founders"], strict=True)) == pair["clone"].value_counts().to_dict()


def test_only_what_left_a_metastasis_is_dashed(result: BodyResult, material: Material) -> None:
    found = migration(material, result)
    assert found is not None
    for arm in material.arms:
        strands = [i for i in migration_drawing(found, arm).items if isinstance(i, Path2D) and " to " in i.told]
        assert strands
        assert all(bool(item.dash) != item.told.startswith("primary to") for item in strands)
        told = {item.told.split(",")[0] for item in strands}
        edges = found.of(arm)
        assert told == {f"{o} to {s}" for o, s in zip(edges["origin"], edges["site"], strict=True)}


def test_clones_beyond_the_palette_are_counted_together(result: BodyResult, material: Material) -> None:
    found = migration(material, result)
    assert found is not None
    assert len(found.clones) == CLONES
    assert found.edges["clone"].nunique() > CLONES
    assert migration_key(found)[-1] == ("--clone-other", "other clones")
    strands = [
        i.told for i in migration_drawing(found, "untreated").items if isinstance(i, Path2D) and " to " in i.told
    ]
    counts = [int(re.search(r"([\d,]+) founders?$", told)[1].replace(",", "")) for told in strands]  # type: ignore[index]
    assert sum(counts) == found.of("untreated")["founders"].sum()


def test_cells_that_come_back_to_their_own_site_are_a_loop_without_a_tip(result: BodyResult) -> None:
    first = result.table.iloc[[0]].assign(animal=0, site="primary", origin="primary", arm="surgery")
    changed = replace(result, table=pd.concat([first.assign(animal=a) for a in range(3)]))
    found = migration(collect(changed), changed)
    assert found is not None
    items = [item for item in migration_drawing(found, "surgery").items if isinstance(item, Path2D)]
    (loop,) = [item for item in items if item.told.startswith("primary to primary")]
    assert loop.d.endswith("Z")
    assert all(item.place is None for item in items)


def test_events_of_other_kinds_are_no_seedings(result: BodyResult, material: Material) -> None:
    divided = result.table.assign(kind="division")
    assert len(seedings(material, replace(result, table=divided))) == 0


# ---- time courses ---------------------------------------------------------------------------------------------------


def test_curves_are_medians_with_quartiles(material: Material) -> None:
    panel = next(p for p in blood_panels(material) if p.title == "Single cells in the blood")
    bands = quartiles(material.metrics, "ctc_single")
    rows = bands[bands["arm"] == "untreated"]
    sample = material.metrics[(material.metrics["arm"] == "untreated") & (material.metrics["day"] == 15.0)][
        "ctc_single"
    ]
    assert rows.set_index("day").loc[15.0, "high"] == sample.quantile(0.75)
    for series, column in (("median", "median"), ("lower quartile", "low"), ("upper quartile", "high")):
        (trace,) = [t for t in panel.figure.data if t.meta["arm"] == "untreated" and t.meta["series"] == series]
        assert list(trace.customdata) == pytest.approx(rows[column].tolist(), rel=1e-4)
    assert panel.figure.layout.yaxis.type == "log"


def test_zeros_lie_on_the_lower_edge_of_a_logarithmic_axis(material: Material) -> None:
    panel = next(p for p in blood_panels(material) if p.title == "Single cells in the blood")
    low = 10 ** panel.figure.layout.yaxis.range[0]
    for trace in panel.figure.data:
        assert min(trace.y) >= low * 0.999
        if 0.0 in trace.customdata:
            assert min(trace.y) == pytest.approx(low, rel=0.1)


def test_arrivals_share_one_scale(material: Material) -> None:
    ranges = {tuple(p.figure.layout.yaxis.range) for p in arrival_panels(material)}
    assert len(ranges) == 1
    assert {p.title.lower() for p in arrival_panels(material)} <= set(SITES)


def test_shed_cells_are_those_that_died_arrived_or_are_on_their_way(material: Material) -> None:
    found = fates(material)
    assert found is not None
    table = found.table
    total = table["arrived"] + table["transit"] + table["died"]
    assert total.to_numpy() == pytest.approx(table["shed"].to_numpy())
    for panel in fate_panels(material, found):
        shares = np.sum([np.array(t.y, float) for t in panel.figure.data], axis=0)
        assert shares == pytest.approx(1.0, abs=1e-4)


def test_axes_of_shares_end_above_what_did_not_die(material: Material) -> None:
    found = fates(material)
    assert found is not None
    last = found.table[found.table["day"] == 22.0]
    alive = ((last["arrived"] + last["transit"]) / last["shed"]).max()
    assert alive < found.top < 0.25


# ---- the page -------------------------------------------------------------------------------------------------------


def test_the_body_stands_between_the_figures_and_the_statistics(page: str) -> None:
    names = re.findall(r'<section id="([\w-]+)"', page)
    assert names.index("body") == names.index("figures") + 1
    assert names.index("body") < names.index("statistics")
    numbers = [int(n) for n in re.findall(r'<figure id="figure-(\d+)"', page)]
    assert numbers == list(range(1, len(numbers) + 1))
    titles = re.findall(r"<h3><span>Figure \d+</span> ([^<]+)</h3>", section(page))
    assert titles == [
        "The body",
        "Tumour cells in blood, and their arrivals",
        "What became of shed cells",
        "Who seeded whom",
    ]


def test_a_study_of_one_tissue_has_no_body(tmp_path: Path) -> None:
    for model in (demo_model(), demo_model() | {"sites": []}):
        found = demo_result(demo_study(1), model, days=())
        text = write_report(found, tmp_path / "t.html").read_text(encoding="utf-8")
        assert section(text) == ""
        assert 'class="states"' not in text


def test_the_page_of_a_body_fetches_nothing_and_tells_every_picture_in_words(page: str) -> None:
    own = section(page)
    assert not re.search(r'(?:src|href|srcset|data)="(?!#|data:|https://doi)', own)
    drawings = re.findall(r'<svg class="drawing [^>]*role="img"[^>]*aria-label="([^"]*)"', own)
    assert len(drawings) == own.count('<svg class="drawing ') == 3 + 1 + 3
    assert all(len(text) > 30 for text in drawings)
    plots = re.findall(r'<div class="plot" id="[^"]+" role="group" aria-label="([^"]+)"', own)
    assert len(plots) == 3 + len(SITES) + 3
    assert all(len(text) > 30 for text in plots)


def test_the_days_of_the_slider_hold_values_for_every_part_of_the_pictures(page: str, course: BodyCourse) -> None:
    stored = json.loads(re.search(r'class="states">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert [float(day) for day in stored["days"]] == list(course.days)
    maps = re.findall(r'<svg class="drawing body-map".*?</svg>', page, re.DOTALL)
    assert len(maps) == len(stored["arms"]) == 3
    for drawn, days in zip(maps, stored["arms"], strict=True):
        parts = set(re.findall(r'data-part="([^"]+)"', drawn))
        assert len(days) == len(course.days)
        assert all(set(day) == parts | {"alt"} for day in days)


def test_the_numbers_behind_the_pictures_can_be_saved(page: str, course: BodyCourse) -> None:
    box = re.search(
        r'data-name="body-map" data-figure>.*?<script type="application/json">(.*?)</script>', page, re.DOTALL
    )
    records = json.loads(box[1])  # type: ignore[index]
    assert len(records) == 3 * len(course.days) * len(SITES)
    assert {"arm", "day", "site", "cells", "nodules", "dormant", "arrivals"} == set(records[0])
    box = re.search(
        r'data-name="migration" data-figure>.*?<script type="application/json">(.*?)</script>', page, re.DOTALL
    )
    assert {"animal", "arm", "origin", "site", "clone", "founders", "first_day"} == set(json.loads(box[1])[0])  # type: ignore[index]


def test_medians_are_named_in_the_caption(page: str) -> None:
    assert "median of the animals of an arm (n = 3)" in section(page)


def lacking(*starts: str) -> BodyResult:
    found = body_result(STUDY)
    kept = [c for c in found.metrics.columns if not c.startswith(starts)]
    return replace(found, metrics=found.metrics[kept])


def no_arrivals() -> BodyResult:
    found = body_result(STUDY)
    zero = {c: 0.0 for c in found.metrics.columns if c.startswith(("arrivals", "nodules", "dormant"))}
    zero |= {f"cells_{slug(s)}": 0.0 for s in SITES[1:]}
    return replace(found, metrics=found.metrics.assign(**zero), table=found.table.iloc[:0])


def nothing_finished() -> BodyResult:
    study = body_study(1, 12)
    return replace(
        body_result(study),
        failed=tuple((arm, 0) for arm in study.arm_names),
        metrics=body_result(study).metrics.iloc[:0],
    )


def two_sites() -> BodyResult:
    return body_result(body_study(2, 15), sites=("primary", "lung"))


@pytest.mark.parametrize(
    ("make", "said", "unsaid"),
    [
        (lambda: body_result(body_study(1, 15)), "Who seeded whom", "NaN"),
        (lambda: body_result(STUDY, species="human"), "Who seeded whom", "NaN"),
        (
            lambda: lacking("ctc_s", "ctc_c", "ctc_per", "shed"),
            "Founders arrived so far in",
            "Circulating tumour cells",
        ),
        (lambda: lacking("arrivals", "died"), "Circulating tumour cells", "What became of shed cells"),
        (lambda: lacking("cells_", "nodules_", "dormant_"), "Who seeded whom", "no cells"),
        (no_arrivals, "no arrows are drawn", "Who seeded whom"),
        (lambda: replace(body_result(STUDY), table=body_result(STUDY).table.drop(columns="site")), "no arrows", "NaN"),
        (two_sites, "Lung", "Kidney"),
        (nothing_finished, "did not finish", "Who seeded whom"),
    ],
    ids=[
        "one animal",
        "a human",
        "no cells counted in the blood",
        "no arrivals counted",
        "no burden counted",
        "nothing arrived",
        "events without sites",
        "two sites",
        "no animal finished",
    ],
)
def test_poor_results_of_bodies_still_make_a_page(make: Any, said: str, unsaid: str, tmp_path: Path) -> None:
    page = write_report(make(), tmp_path / "p.html").read_text(encoding="utf-8")
    own = re.sub(r"<script.*?</script>", "", section(page) or page.split("<script>/**")[0], flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", "", own))
    assert said in text
    assert unsaid not in text


class Many(DemoResult):
    """A cohort: many individuals, no events of single ones."""

    def events(self, arm: str, animal: int) -> pd.DataFrame:
        raise ResultError("Individuals of a cohort have no events.")

    @property
    def status(self) -> pd.DataFrame:
        names = ["arm", "animal", "status", "tries", "wall_seconds", "error"]
        rows = [(arm, animal, "done", 1, 0.1, "") for arm in self.arms for animal in self.animals]
        return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize("sites", [(), ("primary", "lung")])
def test_ten_thousand_patients_make_a_page_with_and_without_a_body(sites: tuple[str, ...], tmp_path: Path) -> None:
    study = body_study(10_000, 1, arms=[{"name": "surgery"}])
    days = np.array([0.0, 365.0, 730.0])
    animals = np.repeat(np.arange(10_000), 3)
    burden = np.tile(days, 10_000) * (1 + animals % 7)
    metrics = pd.DataFrame({"arm": "surgery", "animal": animals, "day": np.tile(days, 10_000)})
    columns = {"metastatic_burden": burden, "nodules": burden // 900, "ctc_peak": 0.1, "cells_lung": burden}
    metrics = metrics.assign(cells_primary=1e9, nodules_lung=burden // 900, **columns)
    model = body_model("human", sites)
    outcomes = metrics.groupby("animal")[["metastatic_burden", "nodules", "ctc_peak"]].last().stack().reset_index()
    outcomes.columns = ["animal", "readout", "value"]
    result = Many(study, tmp_path, {"model": model, "versions": {}}, days=(), metrics=metrics)

    class Quick(Many):
        outcomes = property(lambda _: outcomes.assign(arm="surgery", observed=True))  # type: ignore[assignment]

    quick = Quick(**{name: getattr(result, name) for name in result.__dataclass_fields__})
    page = write_report(quick, tmp_path / "c.html").read_text(encoding="utf-8")
    assert bool(section(page)) == bool(sites)
    if sites:
        assert "n = 10,000" in section(page)
        assert "Who seeded whom" not in section(page)


def test_names_of_sites_and_arms_are_escaped(tmp_path: Path) -> None:
    name = "<img src=x> & Co"
    study = body_study(1, 10, arms=[{"name": name}])
    found = body_result(study, sites=("primary", "lung"))
    table = found.table.replace({"site": {"lung": "<b>lung"}})
    model = body_model(sites=("primary", "<b>lung"))
    changed = replace(found, table=table, manifest={**found.manifest, "model": model})
    page = write_report(changed, tmp_path / "e.html").read_text(encoding="utf-8")
    assert "<img src=x" not in section(page)
    assert "<b>lung" not in section(page)


def test_sites_that_are_cell_by_cell_are_shown_each_in_its_own_extent(result: BodyResult) -> None:
    shown = replace(result, days=(0.0, 22.0))
    figures = tissue_figures(collect(shown), shown)
    assert [figure.site for figure in figures] == ["primary", "lung"]
    cells = shown.cells("untreated", figures[0].animal, 22.0)
    lung = figures[1].tiles["untreated", 22.0]
    assert lung.image is not None
    assert sum(lung.counts.values()) == (cells["site"] == 1).sum()


def test_sites_of_frames_may_be_given_by_their_names(result: BodyResult) -> None:
    class Named(BodyResult):
        def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame:
            frame = super().cells(arm, animal, day)
            return frame.assign(site=[SITES[code] for code in frame["site"]])

    named = Named(**{name: getattr(result, name) for name in result.__dataclass_fields__})
    shown = replace(named, days=(22.0,))
    assert [figure.site for figure in tissue_figures(collect(shown), shown)] == ["primary", "lung"]


def test_the_command_line_tells_the_extent_of_a_tissue_and_the_sites_of_a_body() -> None:
    assert _extent(demo_model()) == "2-D, 1000 x 1000 um"
    assert _extent(body_model(sites=("primary", "lung"))) == "a body of primary, lung"
    assert _extent({"name": "x"}) == "without space"


# ---- files for print ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [draw_body_map, draw_migration, draw_traffic])
def test_pictures_for_print_are_the_same_each_time(draw: Any, result: BodyResult, tmp_path: Path) -> None:
    first, second = (draw(result, tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    assert draw(result, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_the_printed_map_names_its_day_and_its_organs(result: BodyResult, tmp_path: Path) -> None:
    text = draw_body_map(result, tmp_path / "map.svg", day=12.0).read_text(encoding="utf-8")
    assert "Day 12" in text
    assert text.count("Adrenal gland") == 3


@pytest.mark.parametrize("draw", [draw_body_map, draw_migration, draw_traffic])
def test_a_result_without_a_body_is_not_drawn(draw: Any, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="was not written"):
        draw(demo_result(demo_study(1), days=()), tmp_path / "no.svg")


@pytest.mark.parametrize("draw", [draw_body_map, draw_migration, draw_traffic])
def test_an_unknown_ending_is_refused(draw: Any, result: BodyResult, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"ends in \.svg, \.pdf, \.png"):
        draw(result, tmp_path / "map.gif")


def test_a_day_that_was_not_recorded_is_refused_with_those_that_were(result: BodyResult, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"no day 3\.5 .*0, 1, 2"):
        draw_body_map(result, tmp_path / "map.svg", day=3.5)


# ---- in a browser ---------------------------------------------------------------------------------------------------

PROBE = """
<script>
window.problems = [];
window.addEventListener("error", (event) => problems.push(String(event.message)));
document.addEventListener("securitypolicyviolation", (event) => problems.push("fetched " + event.blockedURI));
</script>
"""
MOVE = """
<script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const saved = {}, saving = [];
let content = null;
URL.createObjectURL = (blob) => { content = blob; return "blob:none"; };
HTMLAnchorElement.prototype.click = function () {
  const name = this.download;
  saving.push(content.text().then((text) => { saved[name] = text; }));
};
(async () => {
  while (!document.documentElement.dataset.drawn) await wait(50);
  const map = document.querySelector("svg.body-map");
  const look = () => ({
    alt: map.getAttribute("aria-label").slice(0, 40),
    lung: map.querySelector('[data-part="a1"]').textContent,
    fill: map.querySelector('[data-part="o1"]').style.fill,
    widths: [...map.querySelectorAll('[data-part^="f"]')].map((p) => Number(p.getAttribute("stroke-width"))),
    day: document.querySelector(".days output").textContent,
  });
  const last = look();
  const slider = document.querySelector(".days input");
  slider.value = 2;
  slider.dispatchEvent(new Event("input"));
  const early = look();
  for (const button of document.querySelectorAll('[data-download="drawings"]')) { button.click(); await wait(60); }
  await Promise.all(saving);
  window.dispatchEvent(new Event("beforeprint"));
  const print = look();
  window.dispatchEvent(new Event("afterprint"));
  const after = look();
  const report = document.createElement("pre");
  report.id = "probe";
  report.textContent = JSON.stringify({ last, early, print, after, saved, problems,
    fetched: performance.getEntriesByType("resource").map((r) => r.name) });
  document.body.append(report);
})();
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH to open the page with")
def test_the_slider_changes_the_map_and_print_shows_the_last_day(page: str, course: BodyCourse, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    text = page.replace("<title>", PROBE + "<title>", 1).replace("</body>", MOVE + "</body>", 1)
    path = tmp_path / "probe.html"
    path.write_text(text, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    flags += [
        "--no-first-run",
        "--disable-component-update",
        "--disable-quic",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    flags += ["--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run([CHROMIUM, *flags, path.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    seen = json.loads(html.unescape(found[1]))
    assert seen["problems"] == []
    assert seen["fetched"] == []
    assert seen["last"] == seen["print"]
    assert seen["early"] == seen["after"] != seen["last"]
    state = states(course, "untreated")[2]
    assert seen["early"]["day"] == "2"
    assert seen["early"]["lung"] == state["a1"]
    assert seen["early"]["fill"] == f"var({state['o1']})"
    assert seen["early"]["widths"] == [state[f"f{i}"] for i in range(len(seen["early"]["widths"]))]
    assert seen["last"]["alt"].startswith("Body of untreated on day 22")
    pictures = [text for name, text in seen["saved"].items() if name.endswith(".svg")]
    assert len(pictures) == 2
    assert all("var(--" not in text for text in pictures)
