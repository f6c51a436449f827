"""A sweep is told as one thing, drawn as maps, and stands before its points; branches, moments and competing events too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_data import DemoResult, demo_model, demo_result, demo_study

from paget.experiment import Study
from paget.report.boxes import box_panels
from paget.report.design_panels import design_panels
from paget.report.design_plates import design_plates
from paget.report.figures import cascade_panels, protocol_panel
from paget.report.focus import focused
from paget.report.incidence import incidence_panels, incidence_tables
from paget.report.material import Material, collect
from paget.report.moments import moments_table
from paget.report.page import sections
from paget.report.prose import abstract, findings, for_readers, listed_arms
from paget.report.response_maps import response_maps
from paget.report.survival import survival_panels
from paget.report.sweeps import coordinates, points_of, sweep_in_words
from paget.report.theme import DAYS_PER_YEAR
from paget.report.trends import trends

COMBINED = {
    "name": "both",
    "versus": "vehicle",
    "doses": [
        {"drug": "doxorubicin", "amount": "5 mg/kg", "at": "7 day"},
        {"drug": "dasatinib", "amount": "5 mg/kg", "at": "9 day"},
    ],
}
BOARD = {
    "like": "both",
    "doses": {"doxorubicin": ["0 mg/kg", "1 mg/kg", "10 mg/kg"], "dasatinib": ["0 mg/kg", "8 mg/kg"]},
}


def swept(sweep: dict[str, Any] = BOARD, replicates: int = 4) -> Study:
    return demo_study(replicates, arms=[{"name": "vehicle"}, COMBINED], sweep=sweep)


def board() -> DemoResult:
    """A checkerboard of which the points with 10 mg/kg of doxorubicin have many more metastases."""
    result = demo_result(swept(), days=())
    alike = result.metrics[result.metrics["arm"] == "vehicle"]
    metrics = pd.concat([alike.assign(arm=arm) for arm in result.study.arm_names], ignore_index=True)
    strong = metrics["arm"].str.startswith("doxorubicin 10")
    metrics.loc[strong, "metastases"] += 30.0 + metrics.loc[strong, "animal"]
    return replace(result, metrics=metrics)


@pytest.fixture(scope="module")
def checkerboard() -> Material:
    return collect(board())


def waited(result: DemoResult, days: list[float]) -> Material:
    moments = pd.DataFrame(
        {"arm": "drug", "animal": range(len(days)), "moment": "neutrophils reaches 100", "day": days}
    )
    return replace(collect(result), moments=moments)


def branched(result: DemoResult) -> Material:
    material = collect(result)
    branch = {"result": "/data/trunk", "arm": "vehicle", "at": "15 day"}
    study = Study.model_validate({**material.study.model_dump(mode="json"), "branch": branch})
    return replace(material, study=study, metrics=material.metrics[material.metrics["day"] >= 15.0])


TWO = [{"name": "vehicle"}, {"name": "drug", "versus": "vehicle"}]


# ---- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_told_by_its_axes_and_by_how_many_points_differ(checkerboard: Material) -> None:
    text = abstract(checkerboard, focused(checkerboard))
    assert (
        "Six of the arms are points of a sweep of doxorubicin (3 doses, 0 to 10 mg/kg) and dasatinib (2 doses, 0 to 8 mg/kg)."
    ) in text
    assert "Two points of 6 differ from vehicle in a main readout (adjusted p < 0.05): " in text
    assert "doxorubicin 10 + dasatinib 0 mg/kg and doxorubicin 10 + dasatinib 8 mg/kg, which raised metastases." in text
    assert text.count("doxorubicin 0 + dasatinib") == 0


def test_of_many_arms_a_sentence_names_three() -> None:
    assert listed_arms(["a", "b"]) == "a and b"
    assert listed_arms([f"arm {i}" for i in range(8)]) == "eight arms (arm 0, arm 1, arm 2 and 5 more)"
    assert listed_arms(["treated when cells come", "a"]) == "“treated when cells come” and a"


def test_findings_are_significant_and_at_most_six(checkerboard: Material) -> None:
    found = findings(checkerboard)
    assert 0 < len(found) <= 6
    assert all(c.p_adjusted is not None and c.p_adjusted < 0.05 for c in found)
    nothing = replace(checkerboard, comparisons=[replace(c, p_adjusted=0.2) for c in checkerboard.comparisons])
    assert findings(nothing) == []


def test_points_are_named_by_their_coordinates_where_room_is_short(checkerboard: Material) -> None:
    names = coordinates(checkerboard.study)
    assert names.title == "doxorubicin · dasatinib (mg/kg)"
    assert [names[arm] for arm in points_of(checkerboard.study)] == [
        "0 · 0",
        "0 · 8",
        "1 · 0",
        "1 · 8",
        "10 · 0",
        "10 · 8",
    ]
    assert names["vehicle"] == "vehicle"
    assert box_panels(checkerboard)[0].figure.layout.xaxis.ticktext[-1] == "10 · 8"
    assert "10 · 8" in survival_panels(checkerboard)[0][0].figure.layout.yaxis2.ticktext[-1]


def test_axes_in_two_units_keep_theirs_and_named_values_have_no_coordinates() -> None:
    two = {
        "like": "both",
        "doses": {"doxorubicin": ["0 mg/kg", "1 mg/kg"]},
        "parameters": {"net.half_life": ["10 h", "20 h"]},
    }
    study = swept(two)
    assert coordinates(study).title == "doxorubicin (mg/kg) · net.half_life (h)"
    assert sweep_in_words(study, {"net.half_life": "half-life of traps"}) == (
        "doxorubicin (2 doses, 0 to 1 mg/kg) and half-life of traps (2 values, 10 to 20 h)"
    )
    variants = swept({"like": "both", "parameters": {"cisplatin.senescence_rate": ["monteran2022", "0.1 1/day"]}})
    assert coordinates(variants).title == ""


def test_the_design_comes_before_the_arms_one_by_one_and_has_maps_of_the_means(checkerboard: Material) -> None:
    names = [name for name, plates in sections(checkerboard, checkerboard, board()) if plates]
    assert names[:2] == ["design", "figures"]
    panels = response_maps(checkerboard)
    metastases = next(p for p in panels if p.title == "Metastases")
    heat, points = metastases.figure.data
    assert np.array(heat.z).shape == (2, 3)
    assert metastases.figure.layout.xaxis.title.text == "doxorubicin (mg/kg)"
    assert [text.endswith("*") for text in heat.text[0]] == [False, False, True]
    assert points.meta["text"] == "doxorubicin (mg/kg)"
    assert points.meta["hovertext"] == "dasatinib (mg/kg)"
    mean = checkerboard.values("metastases", "doxorubicin 10 + dasatinib 8 mg/kg")["value"].mean()
    assert dict(zip(zip(points.text, points.hovertext, strict=True), points.customdata, strict=True))["10", "8"] == mean


@pytest.mark.parametrize(("name", "judged"), [("metastases", False), ("neutrophils", True)])
def test_synergy_is_judged_only_where_no_drug_alone_raises_the_readout(
    checkerboard: Material, name: str, judged: bool
) -> None:
    alone = replace(checkerboard, readouts=[r for r in checkerboard.readouts if r["name"] == name])
    assert any("Bliss excess" in panel.title for panel in design_panels(alone)) is judged
    (plate,) = design_plates(alone)
    assert ("Synergy is not judged" in plate.caption) is not judged
    assert ("single drugs show the share affected" in plate.caption) is judged


def test_a_study_without_a_sweep_has_no_maps_and_no_coordinates() -> None:
    material = collect(demo_result(demo_study(2, arms=TWO), days=()))
    assert response_maps(material) == []
    assert coordinates(material.study)["drug"] == "drug"
    assert points_of(material.study) == ()


# ---- moments and branches ---------------------------------------------------------------------------------------------


def test_when_it_happened_is_a_table_and_a_mark_for_every_animal() -> None:
    material = waited(demo_result(demo_study(3, arms=TWO), days=()), [12.0, 20.0, float("nan")])
    table = moments_table(material)
    assert "2 of 3" in table
    assert '"moment":"neutrophils reaches 100","day":12.0' in table
    assert "did not happen in 1 of 3 animals" in abstract(material, material)
    (marks,) = [t for t in protocol_panel(material).figure.data if t.name == "neutrophils reaches 100"]
    assert list(marks.x) == [12.0, 20.0]


def test_what_never_happened_is_told_in_plain_words() -> None:
    material = waited(demo_result(demo_study(2, arms=TWO), days=()), [float("nan")] * 2)
    assert "none of 2: what waits for it was not done" in moments_table(material)
    assert "In drug, “neutrophils reaches 100” did not happen in any animal" in abstract(material, material)
    assert moments_table(replace(material, moments=material.moments.iloc[:0])) == ""


def test_a_study_that_branched_off_says_from_where_and_its_axes_begin_there() -> None:
    material = branched(demo_result(demo_study(3, arms=TWO), days=()))
    text = abstract(material, material)
    assert "followed from day 15 to day 60" in text
    assert "those of arm “vehicle” of the study in “trunk” as they were on day 15" in text
    assert cascade_panels(material)[0].figure.layout.xaxis.range[0] == 15.0
    ((panel, _),) = survival_panels(material)
    assert panel.figure.layout.xaxis.range[0] == 15.0
    assert min(panel.figure.layout.xaxis.tickvals) >= 15.0


# ---- statistics -------------------------------------------------------------------------------------------------------


def cohort() -> DemoResult:
    """Forty animals per arm with two times: a relapse, and a death that may come first."""
    model = demo_model()
    relapse = {**next(r for r in model["readouts"] if r["kind"] == "time"), "name": "relapse", "title": "Relapse"}
    relapse = {**relapse, "competing": ["death"]}
    death = {**relapse, "name": "death", "title": "Death", "competing": []}
    model = model | {"readouts": [relapse, death]}
    luck = np.random.default_rng(3)
    rows = []
    for arm, rate in (("vehicle", 20.0), ("drug", 60.0)):
        for animal in range(40):
            for day in (0.0, 60.0):
                last = day == 60.0
                first, dies = luck.exponential(rate), luck.exponential(70.0)
                rows.append(
                    (arm, animal, day, first if last and first < 60 else np.nan, dies if last and dies < 60 else np.nan)
                )
    metrics = pd.DataFrame(rows, columns=["arm", "animal", "day", "relapse", "death"])
    return DemoResult(demo_study(40, arms=TWO), Path(), {"model": model}, days=(), metrics=metrics)


def test_events_that_compete_are_drawn_as_cumulative_incidence_with_grays_test() -> None:
    material = collect(cohort())
    ((panel, found),) = incidence_panels(material)
    assert panel.title == "Relapse"
    ends = {
        t.meta["series"]: t.y[-1]
        for t in panel.figure.data
        if t.meta["arm"] == "vehicle" and "95" not in t.meta["series"]
    }
    assert set(ends) == {"incidence", "incidence of Death first"}
    assert 0.4 < ends["incidence"] < 1.0 - ends["incidence of Death first"] + 1e-6
    table = incidence_tables(material, [found])
    assert "Gray’s tests: Relapse, where death may come first" in table
    shown = next(c for c in found[1].contrasts)
    assert (shown.arm, shown.versus) == ("drug", "vehicle")
    assert "40 pairs" in table


def test_times_that_name_no_competing_event_have_no_such_figure() -> None:
    assert incidence_panels(collect(demo_result(demo_study(3, arms=TWO), days=()))) == []


def test_readouts_are_told_from_the_end_of_the_causal_chain_in_whatever_order_the_model_names_them() -> None:
    material = collect(demo_result(demo_study(2, arms=TWO), days=()))
    names = [r["name"] for r in material.headline_from_end]
    assert names == ["metastases", "cycling_dtc", "net_area", "neutrophils", "senescent_fibroblasts"]
    turned = replace(material, readouts=list(reversed(material.readouts)))
    assert [r["name"] for r in turned.headline_from_end] == names


def test_whole_courses_are_compared_in_a_folded_table() -> None:
    text = trends(collect(demo_result(demo_study(5, arms=TWO), days=())))
    assert text.startswith("<details><summary>Whole courses, 5 comparisons")
    assert "t tests of each animal" in text or "mixed model" in text
    assert '"slope adjusted p"' in text


def test_courses_that_cannot_be_compared_are_named_with_the_reason() -> None:
    result = demo_result(demo_study(5, arms=TWO), days=())
    flat = result.metrics.assign(metastases=0.0)
    text = trends(collect(replace(result, metrics=flat)))
    assert "Whole courses, 4 comparisons" in text
    assert "Left out: metastases in drug (the arms are alike on every day)." in text


def test_courses_of_a_large_cohort_are_left_out_with_a_sentence() -> None:
    material = collect(demo_result(demo_study(3, arms=TWO), days=()))
    large = replace(material, study=material.study.model_copy(update={"replicates": 10_000}))
    assert "10,000 animals per arm" in trends(large)


def test_comparisons_of_long_studies_of_patients_speak_of_years_and_patients() -> None:
    model = demo_model() | {"individuals": "patients"}
    material = collect(demo_result(demo_study(3, arms=TWO), model, days=()))
    time = next(c for c in material.comparisons if c.kind == "time")
    short = for_readers(replace(time, note="1 animal without a partner left out"), material)
    assert short.note == "1 patient without a partner left out"
    assert short.unit == "day"
    study = material.study.model_copy(update={"duration": 20 * DAYS_PER_YEAR * 24.0})
    told = for_readers(
        replace(
            time,
            effect=2 * DAYS_PER_YEAR,
            interval=(DAYS_PER_YEAR, 3 * DAYS_PER_YEAR),
            mean_name="restricted mean to day 7305",
        ),
        replace(material, study=study),
    )
    assert (told.effect, told.interval, told.unit) == (2.0, (1.0, 3.0), "years")
    assert told.mean_name == "restricted mean to year 20"
