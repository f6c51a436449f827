"""The report as a page: it holds everything, loads nothing, hides no failure, and survives poor results."""

from __future__ import annotations

import copy
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_data import DemoResult, demo_model, demo_result, demo_study

from paget.errors import ResultError
from paget.report import write_report
from paget.report.material import collect
from paget.report.prose import findings

FEW_FRAMES = {"days": (0.0, 60.0)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    result = demo_result(demo_study(6), failed=(("doxorubicin", 3),), **FEW_FRAMES)
    return write_report(result, folder / "report.html").read_text(encoding="utf-8")


def written(result: DemoResult, folder: Path) -> str:
    return write_report(result, folder / "other.html").read_text(encoding="utf-8")


def without_plotly(page: str) -> str:
    """The page without the plotting library, whose text is no part of the report."""
    return max(re.split(r"<script>/\*\*\s*\* plotly\.js.*?</script>", page, flags=re.DOTALL), key=len)


class Loads(HTMLParser):
    """Collects the addresses that a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "action") or (name == "href" and tag != "a"):
                self.fetched.append(value or "")
            if name == "href" and tag == "a":
                self.links.append(value or "")


def test_the_page_fetches_nothing(page: str) -> None:
    loads = Loads()
    loads.feed(page)
    assert [a for a in loads.fetched if not a.startswith("data:image/png;base64,")] == []
    assert "@import" not in without_plotly(page)
    assert not re.search(r"url\((?!['\"]?data:)", re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1])
    assert "default-src 'none'" in page


def test_sources_are_linked_by_doi(page: str) -> None:
    loads = Loads()
    loads.feed(page)
    assert "https://doi.org/10.1016/j.ccell.2025.06.007" in loads.links
    assert "https://doi.org/10.1038/s41467-022-33598-x" in loads.links


def test_the_page_stays_small(page: str) -> None:
    assert len(page.encode()) < 4e6


def test_every_plot_of_the_page_has_its_data_and_its_alternative_text(page: str) -> None:
    places = re.findall(r'<div class="plot" id="([^"]+)" role="group" aria-label="([^"]+)"', page)
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', page, re.DOTALL)[1])
    assert [name for name, _ in places] == list(plots)
    assert len(places) == 1 + 7 + 5 + 1
    assert all(len(text) > 30 for _, text in places)
    assert all(plot["data"] for plot in plots.values())


def test_failed_animals_are_counted_in_sight(page: str) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", " ", without_plotly(page)))
    assert "One animal did not finish." in text
    assert "5 of 6" in text
    assert "NumericalError: netosis at day 12" in text


def test_limits_say_that_only_directions_are_claimed(page: str) -> None:
    assert "What is not claimed" in page
    assert "only directions are claimed" in page


def test_findings_are_the_sentences_of_the_surest_comparisons(page: str) -> None:
    chosen = findings(collect(demo_result(demo_study(6), failed=(("doxorubicin", 3),))))
    assert len({(c.arm, c.versus) for c in chosen}) == 5
    text = html.unescape(re.sub(r"<[^>]+>", "", without_plotly(page)))
    text = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    assert all(c.sentence() in text for c in chosen)


def test_both_hypotheses_stand_side_by_side_with_both_sources(page: str) -> None:
    sides = re.findall(r'<div class="side">(.*?)</div></div>|<div class="side">(.*?)</ul>', page, re.DOTALL)
    text = " ".join("".join(s) for s in sides)
    panel = re.search(r'<section class="contested">.*?</section>', page, re.DOTALL)[0]
    own, other = panel.split("Hypothesis B")
    assert text
    assert "0.04 1/day" in own
    assert ">He2025</a>" in own
    assert "<strong>0 1/day</strong>" in other.split("<table>")[0]
    assert ">Monteran2022</a>" in other.split("<table>")[0]
    assert panel.count('<th scope="row">') == 6


def test_names_are_escaped_wherever_they_appear(folder: Path) -> None:
    name = "5 < 6 & <img src=x onerror=alert(1)> µ"
    study = demo_study(3, arms=[{"name": "control"}, {"name": name, "versus": "control"}], title="</script><b>bold")
    page = without_plotly(written(demo_result(study, **FEW_FRAMES), folder))
    assert "<img src=x" not in page
    assert "<b>bold" not in page
    assert html.escape(name) in page
    assert "\\u003cimg" in page


def test_the_manifest_is_told_to_the_last_entry(page: str) -> None:
    provenance = page[page.index('<section id="provenance">') :]
    for word in ("seed", "2.4.6", "3.11.2", "2 cores", "571.2"):
        assert word in provenance


def test_effects_can_be_saved_with_every_number_in_its_own_column(page: str) -> None:
    box = re.search(r'data-name="effects">.*?<script type="application/json">(.*?)</script>', page, re.DOTALL)
    records = json.loads(box[1])
    assert len(records) == 5 * 8
    assert {"arm", "versus", "readout", "effect", "low", "high", "test", "n_arm", "p", "p_adjusted", "paired"} <= set(
        records[0]
    )


def test_the_report_goes_to_the_folder_of_the_result_by_default(tmp_path: Path) -> None:
    result = demo_result(demo_study(1), days=(), path=tmp_path)
    assert write_report(result) == tmp_path / "report.html"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"no folder .*nowhere"):
        write_report(demo_result(demo_study(1), days=()), tmp_path / "nowhere" / "report.html")


def no_event() -> DemoResult:
    result = demo_result(demo_study(3), **FEW_FRAMES)
    metrics = result.metrics.assign(metastases=0.0, time_to_first_metastasis=np.nan)
    return replace(result, metrics=metrics)


class WithoutTimes(DemoResult):
    @property
    def outcomes(self) -> Any:
        table = super().outcomes
        table.loc[table["readout"] == "time_to_first_metastasis", "value"] = np.nan
        return table


def no_times() -> DemoResult:
    result = demo_result(demo_study(3), **FEW_FRAMES)
    return WithoutTimes(**{name: getattr(result, name) for name in result.__dataclass_fields__})


def all_failed(*arms: str) -> DemoResult:
    study = demo_study(2)
    return demo_result(study, failed=tuple((arm, i) for arm in arms or study.arm_names for i in range(2)), **FEW_FRAMES)


def twelve_arms() -> DemoResult:
    names = [f"treatment {i} with a long name that goes on & on" for i in range(11)]
    arms = [{"name": "control"}, *({"name": n, "versus": "control"} for n in names)]
    return demo_result(demo_study(3, arms=arms), **FEW_FRAMES)


def with_model(**changes: Any) -> DemoResult:
    model = copy.deepcopy(demo_model())
    for key, value in changes.items():
        if value is None:
            del model[key]
        else:
            model[key] = value
    return demo_result(demo_study(2), model, thickness=200.0 if changes.get("dimensions") == 3 else 0.0, **FEW_FRAMES)


BARE = ("cell_types", "fields", "processes", "parameters", "variants", "assumptions", "sources", "methods", "limits")


@pytest.mark.parametrize(
    ("make", "said", "unsaid"),
    [
        (lambda: demo_result(demo_study(3, arms=[{"name": "alone"}]), **FEW_FRAMES), "names no control arm", "p ="),
        (lambda: demo_result(demo_study(1), **FEW_FRAMES), "could not be tested", "log-rank test, n"),
        (no_event, "Kaplan-Meier estimate", "NaN"),
        (no_times, "Every animal", "Kaplan-Meier"),
        (all_failed, "No animal finished, so there are no curves", "Kaplan-Meier"),
        (lambda: all_failed("doxorubicin"), "Two animals did not finish", "NaN"),
        (twelve_arms, "Twelve arms of three virtual animals each", "NaN"),
        (lambda: demo_result(demo_study(2), days=()), "Figure 4", "Figure 5"),
        (
            lambda: demo_result(demo_study(2), lost_frames=(("vehicle", 60.0),), **FEW_FRAMES),
            "No frame is stored for vehicle on day 60",
            "NaN",
        ),
        (
            lambda: with_model(
                dimensions=3, domain={"size_um": [1000.0, 1000.0, 200.0], "voxel_um": 20.0, "shape": [10, 50, 50]}
            ),
            "the middle slab of 20 µm",
            "NaN",
        ),
        (lambda: with_model(chain=None), "Figure 4", "The causal chain"),
        (lambda: with_model(**dict.fromkeys(BARE)), "The model names no source", "NaN"),
    ],
    ids=[
        "one arm without control",
        "one animal",
        "no metastasis anywhere",
        "no time known",
        "every animal failed",
        "an arm failed",
        "twelve arms",
        "no frames",
        "a frame is missing",
        "three dimensions",
        "no chain",
        "a model that says little",
    ],
)
def test_poor_results_still_make_a_page(make: Any, said: str, unsaid: str, folder: Path) -> None:
    page = without_plotly(written(make(), folder))
    text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)))
    assert said in text
    assert unsaid not in text
