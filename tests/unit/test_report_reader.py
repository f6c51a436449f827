"""What a reader is told and can see: missing animals, patients and years, interventions of every kind, many arms, colours."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_data import DemoResult, demo_model, demo_result, demo_study

from paget.report import write_report
from paget.report.acts import acts, treatment, waiting
from paget.report.boxes import box_panels
from paget.report.figures import protocol_panel
from paget.report.focus import focused, overview
from paget.report.material import collect
from paget.report.plotting import time_axis
from paget.report.survival import survival_panels
from paget.report.theme import DAYS_PER_YEAR, arm_styles, length_text, moment_text, palettes

TWO = [{"name": "vehicle"}, {"name": "drug", "versus": "vehicle"}]


def told(result: DemoResult, folder: Path) -> str:
    page = write_report(result, folder / "r.html").read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)))


# ---- missing animals --------------------------------------------------------------------------------------------------


def test_numbers_of_animals_are_marked_where_some_are_missing_and_the_reason_is_told() -> None:
    material = collect(demo_result(demo_study(4, arms=TWO), days=(), failed=(("drug", 2),)))
    assert dict(material.lost) == {"drug": 1}
    assert (material.of_asked(4), material.of_asked(3)) == ("4", "3 of 4†")
    assert material.lost_in_words() == (
        "Did not finish and is left out: 1 in drug (NumericalError: netosis at day 12)."
    )
    assert collect(demo_result(demo_study(2, arms=TWO), days=())).lost_in_words() == ""


# ---- patients and years -----------------------------------------------------------------------------------------------


def test_a_study_of_patients_speaks_of_patients(tmp_path: Path) -> None:
    model = demo_model() | {"individuals": "patients"}
    text = told(demo_result(demo_study(3, arms=TWO), model, days=()), tmp_path)
    assert "Two arms of three virtual patients each" in text
    assert "Every patient" in text
    assert "no patient was treated" in text
    assert "patients still without the event" in text


def test_long_studies_are_told_in_years_and_stored_in_days() -> None:
    assert (length_text(60.0), length_text(10 * DAYS_PER_YEAR)) == ("60 days", "10 years")
    assert (moment_text(12.0, 60.0), moment_text(2.5 * DAYS_PER_YEAR, 4000.0)) == ("day 12", "year 2.5")
    axis = time_axis(20 * DAYS_PER_YEAR)
    assert axis["title_text"] == "Year"
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True))[5 * DAYS_PER_YEAR] == "5"
    assert time_axis(60.0)["title_text"] == "Day"


def test_survival_over_years_is_ticked_at_whole_years() -> None:
    result = demo_result(demo_study(2, arms=TWO, duration="3653 day"), days=())
    ((panel, _),) = survival_panels(collect(result))
    assert panel.figure.layout.xaxis.title.text == "Year"
    assert list(panel.figure.layout.xaxis.ticktext) == ["0", "2", "4", "6", "8", "10"]


def test_of_very_many_steps_of_a_survival_curve_those_drawn_lie_where_they_are() -> None:
    study = demo_study(2000, arms=[{"name": "alone"}])
    luck = np.random.default_rng(5)
    days = np.sort(luck.uniform(1.0, 59.0, 2000).round(2))
    readout = next(r for r in demo_model()["readouts"] if r["kind"] == "time")
    outcomes = pd.DataFrame(
        {"arm": "alone", "animal": range(2000), "readout": readout["name"], "value": days, "observed": True}
    )
    material = replace(collect(demo_result(demo_study(2, arms=TWO), days=())), study=study, outcomes=outcomes)
    ((panel, curves),) = survival_panels(replace(material, styles=arm_styles(study)))
    (drawn,) = [t for t in panel.figure.data if t.meta["series"] == "without event"]
    whole = curves.curves[0]
    assert 400 < len(drawn.x) < 600
    assert drawn.y[-1] == 0.0
    nearest = [int(np.abs(np.array(whole.days) - x).argmin()) for x in drawn.x]
    assert [whole.survival[i] for i in nearest] == pytest.approx(list(drawn.y), abs=1e-4)


def test_of_many_yes_and_no_answers_the_share_is_drawn_with_its_interval() -> None:
    result = demo_result(demo_study(60, arms=TWO), days=())
    metrics = result.metrics.assign(metastases=(result.metrics["animal"] % 4 == 0).astype(float))
    material = collect(DemoResult(result.study, result.path, result.manifest, days=(), metrics=metrics))
    panel = next(p for p in box_panels(material) if p.title == "Metastases")
    bars = [t for t in panel.figure.data if t.type == "bar"]
    assert [bar.y[0] for bar in bars] == [0.25, 0.25]
    # Wilson's interval of 15 in 60
    assert bars[0].y[0] + bars[0].error_y.array[0] == pytest.approx(0.3723, abs=5e-4)
    assert bars[0].y[0] - bars[0].error_y.arrayminus[0] == pytest.approx(0.1578, abs=5e-4)


# ---- interventions ----------------------------------------------------------------------------------------------------


def treated() -> DemoResult:
    arm = {
        "name": "everything",
        "versus": "vehicle",
        "doses": [
            {"drug": "doxorubicin", "amount": "5 mg/kg", "at": ["7 day", "14 day"]},
            {"drug": "cisplatin", "amount": "2 mg/kg", "at": "7 day after the last dose of doxorubicin"},
            {"drug": "dasatinib", "amount": "5 mg/kg", "at": "when neutrophils reaches 100"},
        ],
        "perturbations": [{"gene": "LOX", "change": "knock-out", "at": "10 day", "duration": "20 day"}],
        "depletions": [{"cells": "neutrophil", "at": "30 day"}],
        "injections": [{"cells": "tumour cell", "number": 1000, "at": "1 day"}],
        "resections": [{"at": "15 day"}],
    }
    return demo_result(demo_study(3, arms=[{"name": "vehicle"}, arm]), days=())


def test_every_kind_of_intervention_is_a_mark_or_a_bar_at_its_day() -> None:
    study = treated().study
    found = {(a.label, a.start): a.end for a in acts(study.arms[1], study.duration)}
    assert found == {
        ("doxorubicin", 7.0): None,
        ("doxorubicin", 14.0): None,
        ("cisplatin", 21.0): None,
        ("knock-out of LOX", 10.0): 30.0,
        ("depletion of neutrophil", 30.0): 60.0,
        ("injection of tumour cell", 1.0): None,
        ("resection", 15.0): None,
    }
    assert len(waiting(study.arms[1], study.duration)) == 1
    assert "neutrophils reaches 100" in waiting(study.arms[1], study.duration)[0]
    assert acts(study.arms[0], study.duration) == []


def test_the_time_lines_show_marks_bars_and_when_events_happened() -> None:
    class Waited(DemoResult):
        @property
        def moments(self) -> pd.DataFrame:
            days = [12.0, 18.0, np.nan]
            return pd.DataFrame(
                {"arm": "everything", "animal": range(3), "moment": "neutrophils reaches 100", "day": days}
            )

    plain = treated()
    panel = protocol_panel(collect(Waited(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})))
    bars = [tuple(t.x) for t in panel.figure.data if t.mode == "lines" and t.line.width == 4]
    assert sorted(bars) == [(10.0, 30.0), (30.0, 60.0)]
    (moment,) = [t for t in panel.figure.data if t.name == "neutrophils reaches 100"]
    assert list(moment.x) == [12.0, 18.0]
    assert moment.text[0] == (
        "animal 0 of everything: neutrophils reaches 100, median day 15 (day 12 to day 18), 2 of 3 animals"
    )
    assert "“neutrophils reaches 100” did not happen in 1 of 3 animals" in panel.alt
    assert any("dasatinib" in t.text[0] for t in panel.figure.data if t.mode == "text")


def test_one_treatment_written_in_two_ways_is_one_treatment() -> None:
    ways = ({"at": ["7 day", "14 day"]}, {"start": "7 day", "every": "7 day", "count": 2})
    arms = [
        {"name": str(i), "doses": [{"drug": "doxorubicin", "amount": "5 mg/kg", **way}]} for i, way in enumerate(ways)
    ]
    study = demo_study(1, arms=arms)
    one, other = (treatment(arm, study.duration) for arm in study.arms)
    assert one == other
    assert one != treatment(demo_study(1).arms[0], study.duration)


# ---- many arms --------------------------------------------------------------------------------------------------------


def test_of_many_arms_the_figures_show_the_control_and_those_furthest_from_it() -> None:
    names = [f"dose {i}" for i in range(20)]
    result = demo_result(
        demo_study(3, arms=[{"name": "vehicle"}, *({"name": n, "versus": "vehicle"} for n in names)]), days=()
    )
    strong = result.metrics["arm"].isin(names[5:9])
    metrics = result.metrics.copy()
    metrics.loc[strong, "neutrophils"] *= 6.0
    material = collect(DemoResult(result.study, result.path, result.manifest, days=(), metrics=metrics))
    shown = focused(material)
    assert len(shown.arms) == 10
    assert {"vehicle", *names[5:9]} <= set(shown.arms)
    assert {c.arm for c in shown.comparisons} == set(shown.arms) - {"vehicle"}
    table = overview(material, shown)
    assert all(f">{n}<" in table for n in names)
    assert table.count("<tr>") == 1 + 21
    assert "The figures show 10 of them" in table
    assert overview(shown, shown) == ""


# ---- colours ----------------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009) doi:10.1109/TVCG.2009.113, complete loss of one kind of cones, in linear RGB
CONES = {
    "all": np.eye(3),
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("eyes", CONES)
def test_arms_are_told_apart_by_colour_blind_readers(mode: str, eyes: str) -> None:
    """A difference of 2.3 is just seen beside each other; four times that is seen across a figure."""
    palette = palettes()[mode]
    seen = [lab(np.array(CONES[eyes]) @ linear(palette[f"--arm-{i}"])) for i in range(12)]
    apart = {(i, j): np.linalg.norm(seen[i] - seen[j]) for i, j in itertools.combinations(range(12), 2)}
    assert min(d for (_, j), d in apart.items() if j < 7) > 4 * 2.3
    assert min(apart.values()) > 3 * 2.3


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_words_and_marks_stand_out_from_their_ground(mode: str) -> None:
    """4.5 for words and 3 for marks are the limits of WCAG 2.2, 1.4.3 and 1.4.11."""
    palette = palettes()[mode]
    for word in ("ink", "muted", "accent", "measured", "derived", "fitted", "assumed"):
        assert contrast(palette[f"--{word}"], palette["--paper"]) >= 4.5, word
    assert contrast(palette["--muted"], palette["--raised"]) >= 4.5
    for mark in (*(f"arm-{i}" for i in range(12)), "up", "down", "blood", "portal", "lymph"):
        assert contrast(palette[f"--{mark}"], palette["--paper"]) >= 3.0, mark
