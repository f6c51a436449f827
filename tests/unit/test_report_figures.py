"""The plotted panels: what is drawn is what was computed, in the colours of the arms."""

from __future__ import annotations

import itertools
import re

import pytest
from report_data import demo_result, demo_study

from paget.compare import series_bands
from paget.report.boxes import box_panels
from paget.report.figures import cascade_panels, protocol_panel
from paget.report.material import Material, collect
from paget.report.plotting import plain
from paget.report.survival import survival_panels
from paget.report.theme import arm_styles, number_text, p_text, palettes, shortened, stars, wrapped


@pytest.fixture(scope="module")
def material() -> Material:
    return collect(demo_result(demo_study(6), failed=(("vehicle", 2),)))


def traces(panel, **meta):  # type: ignore[no-untyped-def]
    return [t for t in panel.figure.data if t.meta and all(t.meta.get(k) == v for k, v in meta.items())]


def test_curves_follow_the_chain_from_cause_to_effect(material: Material) -> None:
    assert [panel.title for panel in cascade_panels(material)] == [
        "Senescent fibroblasts",
        "C3 in tissue",
        "Neutrophils in tissue",
        "NET area",
        "Remodelled laminin",
        "Cycling disseminated tumour cells",
        "Metastases",
    ]


def test_curves_and_bands_are_those_of_the_statistics(material: Material) -> None:
    panel = cascade_panels(material)[0]
    bands = series_bands(material.metrics, "senescent_fibroblasts", ["doxorubicin"])
    for series, column in (("mean", "mean"), ("95 % low", "low"), ("95 % high", "high")):
        (trace,) = traces(panel, arm="doxorubicin", series=series)
        assert list(trace.x) == bands["day"].tolist()
        assert list(trace.y) == pytest.approx(bands[column].tolist(), rel=1e-4)


def test_an_arm_has_one_colour_in_every_figure(material: Material) -> None:
    panels = [*cascade_panels(material), *box_panels(material), *(p for p, _ in survival_panels(material))]
    seen: dict[str, set[str]] = {}
    for panel in panels:
        for trace in panel.figure.data:
            if trace.meta and trace.mode == "lines" and trace.meta["series"] in ("mean", "without event"):
                seen.setdefault(trace.meta["arm"], set()).add(trace.line.color)
            if trace.meta and trace.mode == "markers" and trace.meta["series"] == "animal":
                seen.setdefault(trace.meta["arm"], set()).add(trace.marker.color)
    assert set(seen) == set(material.arms)
    assert all(len(colours) == 1 for colours in seen.values())
    assert seen["vehicle"] == {"var(--arm-0)"}
    plain_arms = [arm.name for arm in material.study.arms if not arm.parameters]
    assert len({next(iter(seen[arm])) for arm in plain_arms}) == len(plain_arms)


def test_a_hypothesis_arm_is_the_dashed_and_hollow_twin_of_its_treatment() -> None:
    styles = arm_styles(demo_study(2))
    twin, hypothesis = styles["cisplatin"], styles["cisplatin, no senescence"]
    assert hypothesis.colour == twin.colour
    assert (twin.dash, twin.hollow) == ("solid", False)
    assert (hypothesis.dash, hypothesis.hollow) == ("dash", True)
    assert hypothesis.symbol.endswith("-open")


def test_every_colour_that_a_figure_names_exists_in_both_palettes(material: Material) -> None:
    light, dark = palettes()["light"], palettes()["dark"]
    panels = [protocol_panel(material), *cascade_panels(material), *box_panels(material)]
    panels += [panel for panel, _ in survival_panels(material)]
    named = {name for panel in panels for name in re.findall(r"var\((--[\w-]+)\)", panel.figure.to_json())}
    assert named
    assert named <= set(light)
    assert set(light) == set(dark)


def test_doses_are_ticked_on_the_time_axis(material: Material) -> None:
    days = {7, 14, 21, 24, 25, 26, 38, 39, 40}
    assert {shape.x0 for shape in cascade_panels(material)[0].figure.layout.shapes} == days
    panel = protocol_panel(material)
    assert {name: sorted(set(t.x)) for t in panel.figure.data if (name := t.name)} == {
        "doxorubicin": [7, 14, 21],
        "cisplatin": [7, 14, 21],
        "dasatinib": [24, 25, 26, 38, 39, 40],
        "quercetin": [24, 25, 26, 38, 39, 40],
        "ABT-263": [24, 25, 26, 38, 39, 40],
    }


def test_every_animal_is_a_point(material: Material) -> None:
    panel = next(p for p in box_panels(material) if p.title == "Neutrophils in tissue")
    for arm in material.arms:
        (points,) = traces(panel, arm=arm, series="animal")
        rows = material.values("neutrophils", arm)
        assert list(points.customdata) == rows["animal"].tolist()
        assert list(points.y) == pytest.approx(rows["value"].tolist(), rel=1e-4)
    assert len(traces(panel, arm="vehicle", series="animal")[0].y) == 5


def test_lines_join_one_animal_in_two_arms(material: Material) -> None:
    panel = box_panels(material)[0]
    joins = next(t for t in panel.figure.data if t.type == "scatter" and t.mode == "lines" and None in t.x)
    assert len(joins.x) == 3 * 5
    for start in range(0, len(joins.x), 3):
        left, right = joins.x[start : start + 2]
        assert right - left == pytest.approx(1.0)


def test_brackets_show_the_adjusted_p_and_never_cross(material: Material) -> None:
    panel = next(p for p in box_panels(material) if p.title == "Metastases")
    drawn = [t for t in panel.figure.data if t.type == "scatter"]
    labels = [t for t in drawn if t.mode == "text"]
    brackets = [t for t in drawn if t.mode == "lines" and len(t.x) == 4]
    assert len(labels) == len(brackets) == len(material.study.contrasts)
    by_ends = {(round(b.x[0]), round(b.x[3])): t.text[0] for b, t in zip(brackets, labels, strict=True)}
    place = {arm: i for i, arm in enumerate(material.arms)}
    for arm, versus in material.study.contrasts:
        comparison = material.comparison("metastases", arm, versus)
        assert comparison is not None
        ends = tuple(sorted((place[arm], place[versus])))
        assert by_ends[ends] == stars(comparison.p_adjusted)
    spans = sorted((b.y[1], b.x[0], b.x[3]) for b in brackets)
    for (low, _, end), (high, start, _) in itertools.pairwise(spans):
        assert high > low or start > end
    assert max(b.y[1] for b in brackets) < panel.figure.layout.yaxis.range[1]


def test_brackets_are_scatter_lines_not_shapes(material: Material) -> None:
    assert all(not panel.figure.layout.shapes for panel in box_panels(material))


def test_survival_shows_the_numbers_at_risk_under_their_days(material: Material) -> None:
    ((panel, curves),) = survival_panels(material)
    assert panel.title == "Time to first metastasis"
    for curve in curves.curves:
        (numbers,) = traces(panel, arm=curve.arm, series="at risk")
        assert list(numbers.x) == list(curves.risk_days)
        assert list(numbers.text) == [str(n) for n in curve.at_risk]
        (line,) = traces(panel, arm=curve.arm, series="without event")
        assert line.line.shape == "hv"
        assert list(line.y) == pytest.approx(list(curve.survival), rel=1e-4)
    assert list(panel.figure.layout.xaxis.tickvals) == list(curves.risk_days)


def test_an_arm_without_animals_keeps_its_place(material: Material) -> None:
    study = demo_study(2)
    alone = collect(demo_result(study, failed=(("doxorubicin", 0), ("doxorubicin", 1))))
    panel = box_panels(alone)[0]
    assert list(panel.figure.layout.xaxis.ticktext)[:3] == ["vehicle", "doxorubicin", "cisplatin"]
    assert not traces(panel, arm="doxorubicin")
    assert "doxorubicin 0" not in panel.alt


def test_text_cannot_become_markup_or_a_template_of_plotly() -> None:
    assert plain("a <b>& %{y}") == "a &lt;b&gt;&amp; % {y}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (-0.0123, "−0.0123"),
        (2.5e-5, "2.50 × 10⁻⁵"),
        (float("inf"), "–"),
        (None, "–"),
    ],
)
def test_numbers_are_written_with_three_digits(value: float | None, text: str) -> None:
    assert number_text(value) == text


def test_p_values_are_written_and_starred_alike() -> None:
    assert [p_text(p) for p in (0.0004, 0.02, 0.3, None)] == ["< 0.001", "0.020", "0.30", "–"]
    assert [stars(p) for p in (0.0004, 0.004, 0.04, 0.05, None)] == ["***", "**", "*", "n.s.", "–"]


def test_long_names_keep_both_ends() -> None:
    name = "doxorubicin + dasatinib and quercetin, started late"
    assert len(shortened(name, 24)) <= 24
    assert shortened(name, 24).startswith("doxorubicin")
    assert shortened(name, 24).endswith("late")
    assert all(len(line) <= 20 for line in wrapped(name, 20))
    assert len(wrapped(name, 20)) == 2
