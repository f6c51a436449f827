"""Commands and figures of designs tell what was found, write it to files, and overwrite nothing."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pandas as pd
import pytest
from sweep_data import Swept, amount, few_resamples, swept_study  # noqa: F401

import paget as pg
from paget.catalogue import check_study
from paget.cli import main
from paget.design import dose_response, plan, power_curve, sensitivity, synergy
from paget.design.hill import hill
from paget.io.study_file import parse_study
from paget.report.design_panels import (
    design_panels,
    dose_response_panel,
    power_panel,
    sensitivity_panel,
    synergy_panels,
)
from paget.results import Result

AMOUNTS = ["0 mg/kg", "0.5 mg/kg", "1 mg/kg", "2 mg/kg", "4 mg/kg"]
SERIES = {"like": "A", "doses": {"A": AMOUNTS}}
BOARD = {"like": "A + B", "doses": {"A": AMOUNTS, "B": AMOUNTS}}
CUBE = {"like": "A", "design": "sobol", "points": 16}
CUBE["parameters"] = {
    "k": {"from": "1 h", "to": "9 h"},
    "a_long_name_of_a_parameter_of_senescence": {"from": 1, "to": 2},
}


def swept(sweep, replicates=5):
    def mean(arm):
        one, two = hill(amount(arm, "A"), 0, 0.9, 1.5, 1.4), hill(amount(arm, "B"), 0, 0.7, 2, 2)
        return float(40 * (1 - one) * (1 - two)) + 2 * arm.point.get("k", 0.0)

    return Swept(swept_study(sweep, replicates), mean)


@pytest.fixture
def opened(monkeypatch):
    """The folder of a result holds what was put here."""
    held = {}
    monkeypatch.setattr(Result, "open", classmethod(lambda cls, path: held["result"]))
    return held


def material(result):
    def values(readout, arm):
        table = result.outcomes
        return table[(table["readout"] == readout) & (table["arm"] == arm)]

    return SimpleNamespace(
        study=result.study,
        readouts=result.readouts,
        outcomes=result.outcomes,
        headline=[{"summary": "final", **result.readouts[0]}],
        values=values,
        comparison=lambda readout, arm, versus: None,
        individual="animal",
        individuals="animals",
    )


# ---- figures ------------------------------------------------------------------------------------------------------
def test_a_study_has_the_panels_that_its_sweep_allows():
    titles = {name: [p.title for p in design_panels(material(swept(s)))] for name, s in
              {"none": None, "series": SERIES, "board": BOARD, "cube": CUBE}.items()}  # fmt: skip
    assert titles["none"] == []
    assert [title.split(":")[0] for title in titles["series"]] == ["Nodules over the dose of A"]
    assert re.search(r"EC50 1\.\d+ \(.+ to .+\) mg/kg", titles["series"][0])
    board = [title.split(", mean")[0] for title in titles["board"]]
    assert board == ["Nodules", "Nodules: Bliss excess", "Nodules: Loewe excess"]
    assert titles["cube"] == ["What moves nodules"]


def test_a_sweep_without_finished_animals_has_no_panels():
    result = swept(SERIES)
    empty = SimpleNamespace(**{**vars(material(result)), "outcomes": result.outcomes.iloc[:0]})
    assert design_panels(empty) == []


def test_the_data_of_a_dose_response_panel_are_doses_and_means():
    found = dose_response(swept(SERIES), "A", "burden")
    panel = dose_response_panel(found)
    (points,) = [t for t in panel.figure.data if t.meta and t.meta["series"] == "mean"]
    assert list(points.customdata) == list(found.doses)
    assert list(points.y) == pytest.approx(found.means, rel=1e-4)
    assert points.x[0] > 0  # the dose 0 has a place on an axis of logs
    assert panel.figure.layout.xaxis.ticktext[0] == "0"
    assert found.sentence() in panel.alt


def test_a_map_shows_every_combination_and_marks_what_is_clear():
    found = synergy(swept(BOARD), "A", "B", "burden")
    bliss, loewe = synergy_panels(found)
    heat = bliss.figure.data[0]
    assert len(heat.z) == 5
    told = {(t.meta["A"], t.meta["B"]): t.customdata[0] for t in bliss.figure.data if t.meta}
    assert len(told) == 16
    (well,) = [w for w in found.combinations if w.doses == (4.0, 0.5)]
    assert told[4.0, 0.5] == pytest.approx(100 * well.bliss.value, abs=1e-3)
    assert "Loewe" in loewe.title
    marks = [text for row in loewe.figure.data[0].text for text in row]
    assert any(text.endswith("*") for text in marks) == any(
        w.loewe.low > 0 or w.loewe.high < 0 for w in found.combinations
    )


def test_the_strongest_influence_is_on_top():
    panel = sensitivity_panel(sensitivity(swept(CUBE), "burden"))
    assert panel.figure.data[0].customdata[-1] == "k"
    assert panel.figure.layout.yaxis.ticktext[-1] == "k"


def test_a_power_curve_ends_at_its_target():
    curve = power_curve(plan("continuous", 10, 6, sd=3), studies=100)
    panel = power_panel({"pilot": curve})
    assert list(panel.figure.data[0].x) == [point.animals for point in curve.points]
    assert curve.sentence() in panel.alt
    json.loads(panel.figure.to_json())


# ---- commands -----------------------------------------------------------------------------------------------------
def test_power_of_numbers_is_told_and_written(tmp_path, capsys):
    table, figure = tmp_path / "power.csv", tmp_path / "power.svg"
    given = ["--control", "10", "--treated", "6", "--sd", "3", "--studies", "200"]
    assert main(["power", *given, "--csv", str(table), "--svg", str(figure)]) == 0
    told = capsys.readouterr().out
    needed = int(re.search(r"SD 3, (\d+)", told)[1])
    assert 9 <= needed <= 12  # 10 by the formula
    assert "10 animals per arm show a change from 10 to" in told
    rows = pd.read_csv(table)
    assert needed in set(rows["animals per arm"])
    words = "".join(ElementTree.parse(figure).getroot().itertext())
    assert "Animals per arm" in words
    assert main(["power", *given, "--csv", str(table)]) == 1
    assert "exists already; it is left as it is" in capsys.readouterr().err


def test_power_of_a_pilot_is_told_for_the_same_and_for_different_animals(opened, capsys):
    opened["result"] = swept(None, 8)
    assert main(["power", "pilot", "--readout", "burden", "--arm", "A", "--studies", "60"]) == 0
    told = capsys.readouterr().out
    assert "The same animals in both arms" in told
    assert "Different animals in both arms" in told
    assert "of few animals they are themselves uncertain" in told


def test_power_without_enough_to_go_on_says_what_is_missing(opened, capsys):
    assert main(["power", "--kind", "cont", "--control", "10"]) == 1
    told = capsys.readouterr().err
    assert "Did you mean 'continuous'?" in told
    assert "--treated is missing" in told
    assert main(["power", "pilot", "--readout", "burden"]) == 1
    assert "needs --readout and --arm" in capsys.readouterr().err


def test_a_dose_response_is_told_and_written(opened, tmp_path, capsys):
    opened["result"] = swept(SERIES)
    table, figure = tmp_path / "curve.csv", tmp_path / "curve.pdf"
    given = ["dose-response", "DIR", "--drug", "A", "--readout", "burden"]
    assert main([*given, "--csv", str(table), "--pdf", str(figure)]) == 0
    told = capsys.readouterr().out
    assert "EC50 (mg/kg)" in told
    assert "95 % CI" in told
    assert list(pd.read_csv(table)["dose (mg/kg)"]) == [0.0, 0.5, 1.0, 2.0, 4.0, 5.0]
    assert figure.read_bytes().startswith(b"%PDF")
    assert main([*given, "--svg", str(tmp_path / "curve.png")]) == 1
    assert "ends in .svg" in capsys.readouterr().err


def test_a_checkerboard_is_told(opened, capsys, tmp_path):
    opened["result"] = swept(BOARD)
    table = tmp_path / "board.csv"
    assert main(["synergy", "DIR", "--drugs", "A,B", "--readout", "burden", "--csv", str(table)]) == 0
    told = capsys.readouterr().out
    assert "A alone: EC50" in told
    assert "mean Bliss excess" in told
    assert len(pd.read_csv(table)) == 25
    assert main(["synergy", "DIR", "--drugs", "A", "--readout", "burden"]) == 1
    assert "two drugs are needed" in capsys.readouterr().err


def test_a_ranking_is_told(opened, capsys):
    opened["result"] = swept(CUBE)
    assert main(["sensitivity", "DIR", "--readout", "burden"]) == 0
    told = capsys.readouterr().out
    assert "PRCC" in told
    assert re.search(r"k\s+1\s+9\s+h\s+\+0\.\d\d|k\s+1\s+9\s+h\s+\+1\.00", told)


def test_commands_of_designs_are_among_those_of_the_help(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("power", "dose-response", "synergy", "sensitivity"))


# ---- the guide ----------------------------------------------------------------------------------------------------
GUIDE = Path(__file__).parents[2] / "docs" / "designs.md"
guided = pytest.mark.skipif(not GUIDE.is_file(), reason="the documentation is not beside the tests")


def in_guide(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.S | re.M)


@guided
def test_the_studies_of_the_guide_can_be_run():
    studies = [parse_study(text, "guide.yaml") for text in in_guide("yaml")]
    for study in studies:
        check_study(study)
    assert [sum(bool(arm.point) for arm in study.arms) for study in studies] == [5, 16, 32]


@guided
def test_the_code_of_the_guide_runs(monkeypatch, capsys):
    drugs = {"doxorubicin": (0, 1, 0.3, 2), "dasatinib": (0, 0.6, 2, 1.5), "quercetin": (0, 0.5, 20, 1.5)}
    results = {}
    for text in in_guide("yaml"):
        file = re.match(r"# (\w+)\.yaml", text)[1]
        study = parse_study(text, f"{file}.yaml").changed(replicates=6)

        def mean(arm):
            left = math.prod(1 - 0.7 * hill(amount(arm, drug), *curve) for drug, curve in drugs.items())
            return float(50 * left) + arm.point.get("cell_cycle", 0.0)

        readouts = [{"name": n, "kind": "continuous"} for n in ("senescent_fibroblasts", "cycling_cells")]
        results[file] = Swept(study, mean, readouts=readouts, names=tuple(r["name"] for r in readouts))
    monkeypatch.setattr(pg, "open_result", lambda path: results[path.removesuffix("-results")])
    names: dict[str, object] = {}
    for number, code in enumerate(in_guide("python")):
        exec(compile(code, f"designs.md, block {number}", "exec"), names)
    assert names["found"].identified
    assert names["ranking"].influences[0].name == "cell_cycle"
    assert "EC50" in capsys.readouterr().out


@guided
def test_commands_of_the_guide_have_the_options_that_it_shows(capsys):
    for line in re.findall(r"^paget (.+)$", "\n".join(in_guide("text")), re.M):
        command, *words = line.split()
        assert main([command, "--help"]) == 0
        told = capsys.readouterr().out
        assert all(word in told for word in words if word.startswith("--")), line
