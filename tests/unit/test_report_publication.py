"""Figures for print: every mark of a panel is there, in its place and its colour, as words and vectors."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from body_report_data import body_result, body_study
from matplotlib.figure import Figure
from report_data import DemoResult, demo_result, demo_study

from paget.errors import ResultError
from paget.report import publish
from paget.report.boxes import box_panels
from paget.report.figures import cascade_panels, protocol_panel
from paget.report.material import collect
from paget.report.plotting import Panel, empty_figure
from paget.report.publication import publish_panels
from paget.report.survival import survival_panels
from paget.report.theme import palettes
from paget.report.translated_values import Axes, solid, worded
from paget.report.translation import paint


@pytest.fixture(scope="module")
def result() -> DemoResult:
    dose = {"drug": "doxorubicin", "amount": "5 mg/kg", "start": "7 day", "every": "7 day", "count": 3}
    arms = [{"name": "vehicle"}, {"name": "doxorubicin", "versus": "vehicle", "doses": [dose]}]
    return demo_result(demo_study(3, arms=arms), days=(60.0,), failed=(("doxorubicin", 1),))


@pytest.fixture(scope="module")
def files(result: DemoResult, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return publish(result, tmp_path_factory.mktemp("print"), ["svg"])


def painted(panel: Panel | go.Figure, wide: float = 400.0, high: float = 300.0) -> Figure:
    drawn = panel.figure if isinstance(panel, Panel) else panel
    figure = Figure(figsize=(wide / 72, high / 72))
    paint(figure, Axes(drawn.to_plotly_json(), 0.0, 0.0, wide, high, wide, high, 1.0))
    return figure


def words(file: Path) -> str:
    root = ElementTree.parse(file).getroot()
    return " ".join("".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text"))


def test_every_figure_of_the_page_has_a_file_of_its_number(files: list[Path]) -> None:
    names = ["figure-1-cascade", "figure-2-animals", "figure-3-survival", "figure-4-tissue", "figure-5-chain"]
    assert [f.stem for f in files] == names


def test_words_stay_words_and_colours_are_those_of_paper(files: list[Path]) -> None:
    assert "Senescent fibroblasts (cells)" in words(files[0])
    assert "doxorubicin" in words(files[0])
    assert "Number at risk" in words(files[2])
    assert "100 µm" in words(files[3])
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "var(--" not in text
        assert 'width="510' in text or file.stem.endswith("chain")  # points, that is 180 mm


def test_the_same_panel_gives_the_same_file(result: DemoResult, tmp_path: Path) -> None:
    panels = cascade_panels(collect(result))[:1]
    for name in ("one.svg", "two.svg"):
        publish_panels(panels, [tmp_path / name])
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_circles_of_one_size_are_stored_once(files: list[Path]) -> None:
    text = files[3].read_text(encoding="utf-8")
    assert len(re.findall(r"<use ", text)) > 1_000
    assert len(text) < 1e6


def test_a_format_that_does_not_exist_is_named(result: DemoResult, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"no format 'gif'.* svg, pdf, png"):
        publish(result, tmp_path, ["gif"])


def test_a_body_has_its_drawings_and_time_courses(tmp_path: Path) -> None:
    files = publish(body_result(body_study(2, 12)), tmp_path, ["pdf"])
    stems = {f.stem.split("-", 2)[2] for f in files}
    assert {"body", "traffic", "shed-cells", "migration"} <= stems
    assert all(f.read_bytes().startswith(b"%PDF") for f in files)


def test_every_line_and_band_of_a_curve_is_drawn_with_its_values_in_the_colour_of_its_arm(result: DemoResult) -> None:
    panel = cascade_panels(collect(result))[0]
    (axes,) = painted(panel).axes
    lines = [t for t in panel.figure.data if t.mode == "lines" and t.line.width]
    assert len(axes.lines) == len(lines) + len(panel.figure.layout.shapes)
    for drawn, trace in zip(axes.lines, lines, strict=False):
        assert np.allclose(drawn.get_ydata(), np.array(trace.y, dtype=float))
        assert drawn.get_color() == solid(trace.line.color)[0]
    assert len(axes.collections) == len([t for t in panel.figure.data if t.fill == "tonexty"])
    assert axes.get_ylim() == pytest.approx(panel.figure.layout.yaxis.range)


def test_boxes_points_and_brackets_stand_where_plotly_puts_them(result: DemoResult) -> None:
    panel = box_panels(collect(result))[0]
    (axes,) = painted(panel).axes
    boxes = [t for t in panel.figure.data if t.type == "box"]
    assert len(axes.patches) == len(boxes)
    for patch, trace in zip(axes.patches, boxes, strict=True):
        assert patch.get_extents().transformed(axes.transData.inverted()).y1 == pytest.approx(trace.q3[0])
    points = [t for t in panel.figure.data if t.type == "scatter" and t.mode == "markers"]
    assert [list(c.get_offsets()[:, 1]) for c in axes.collections] == [list(t.y) for t in points]
    stars = [t.text[0] for t in panel.figure.data if t.type == "scatter" and t.mode == "text"]
    assert [t.get_text() for t in axes.texts] == stars
    assert [t.get_text() for t in axes.get_xticklabels()] == list(panel.figure.layout.xaxis.ticktext)


def test_numbers_at_risk_have_axes_of_their_own_below_the_curves(result: DemoResult) -> None:
    ((panel, _),) = survival_panels(collect(result))
    curves, risk = painted(panel).axes
    assert risk.get_position().y1 < curves.get_position().y0
    assert risk.get_yticklabels()[0].get_text() == "Number at risk"
    assert {line.get_drawstyle() for line in curves.lines} == {"steps-post"}


def test_the_marks_of_the_time_lines_are_explained(result: DemoResult) -> None:
    panel = protocol_panel(collect(result))
    legend = painted(panel).axes[0].get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == [t.name for t in panel.figure.data if t.name]


def test_bars_stacks_heat_and_errors_are_drawn() -> None:
    figure = empty_figure(left=40, top=10, bottom=30)
    figure.add_bar(x=[0, 1], y=[2.0, 3.0], marker={"color": "var(--arm-1)"}, error_y={"array": [0.5, 0.5]})
    figure.add_scatter(x=[0, 1], y=[1.0, 1.0], stackgroup="a", fillcolor="var(--up)", line={"width": 0})
    figure.add_scatter(x=[0, 1], y=[2.0, 3.0], stackgroup="a", fillcolor="var(--down)", line={"width": 0})
    axes = painted(figure).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2.0, 3.0]
    top = axes.collections[-1].get_paths()[0].vertices
    assert top[:, 1].max() == 4.0
    heat = empty_figure(left=40, top=10, bottom=30)
    heat.add_heatmap(
        z=[[0.0, 1.0], [2.0, None]], x=["a", "b"], y=["c", "d"], colorscale=[[0, "#ffffff"], [1, "var(--up)"]]
    )
    (mesh,) = painted(heat).axes[0].collections
    assert np.array_equal(np.ma.filled(np.ma.masked_invalid(mesh.get_array()), -1.0).ravel(), [0.0, 1.0, 2.0, -1.0])
    assert [t.get_text() for t in painted(heat).axes[0].get_xticklabels()] == ["a", "b"]


def test_a_kind_of_trace_that_is_not_known_is_refused() -> None:
    with pytest.raises(ResultError, match="'pie'"):
        painted(go.Figure(go.Pie(values=[1, 2])))


def test_colours_and_words_of_the_page_become_those_of_paper() -> None:
    assert solid("var(--ink)") == (palettes()["light"]["--ink"], 1.0)
    assert solid("var(--arm-1-band)")[1] == 0.16
    assert worded("10<sup>-3</sup> &lt; <b>x</b><br>5 $") == "10⁻³ < x\n5 \\$"
