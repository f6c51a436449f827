"""The commands on networks: what they tell of files and of the catalogue, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
import sys
from types import SimpleNamespace

import pytest

from paget.cli import main

BND = """
node Signal { logic = Signal; }
node A { logic = Signal & !B; rate_up = @logic ? $u : 0; rate_down = @logic ? 0 : 1; }
node B { logic = !A; }
node Fate { logic = A; }
"""
CFG = "$u = 2;\n[Signal].istate = 0.5 [0], 0.5 [1];\nA.istate = 0;\nB.istate = 0;\nFate.istate = 0;\nmax_time = 10;\n"
BNET = "targets, factors\nSignal, Signal\nA, Signal & !B\nB, !A\nFate, A\n"


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Call `paget network` in a folder with small files and give its exit code, its output and what it said besides."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "PAGET_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "switch.bnd").write_text(BND)
    (tmp_path / "switch.cfg").write_text(CFG)
    (tmp_path / "other.cfg").write_text(CFG.replace("$u = 2", "$u = 3"))
    (tmp_path / "switch.bnet").write_text(BNET)

    def called(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["paget", "network", *arguments])
        code = main(("network", *arguments))
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return called


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_network_is_shown_with_its_numbers(call):
    found = call("show", "switch.bnd")
    assert found.code == 0
    assert "4 nodes, 1 of them inputs, 4 influences" in found.out
    assert "Signal & !B" in found.out
    table = {row["node"]: row for row in rows(call("show", "switch.bnd", "--csv").out)}
    assert (table["A"]["up (1/h)"], table["Signal"]["start"]) == ("2", "0.5")
    about = json.loads(call("show", "switch.bnd", "--cfg", "other.cfg", "--json").out)
    assert about["inputs"] == ["Signal"]
    assert {"source": "B", "target": "A", "effect": "inhibits", "evidence": ""} in about["edges"]
    assert next(node for node in about["nodes"] if node["node"] == "A")["up"] == "3"


def test_attractors_are_listed_with_their_phenotypes(call):
    pytest.importorskip("biodivine_aeon")
    found = call("attractors", "switch.bnet", "--phenotype", "fated=Fate & A")
    assert found.code == 0
    assert "3 fixed points, 0 complex attractors" in found.out
    assert "no rates" in found.err
    given = call("attractors", "switch.bnd", "--hold", "Signal=1,B=0", "--csv", "--phenotype", "fated=Fate")
    assert rows(given.out) == [{"phenotype": "fated", "Signal": "1", "A": "1", "B": "0", "Fate": "1"}]
    assert len(json.loads(call("attractors", "switch.bnd", "--json").out)["fixed points"]) == 3
    few = call("attractors", "switch.bnd", "--most", "2")
    assert few.code == 1
    assert "3 fixed points, more than the 2 to list" in few.err


def test_populations_are_simulated_and_drawn(call, tmp_path):
    common = ("switch.bnd", "--times", "1,30", "--cells", "2000", "--seed", "3")
    table = {row["node"]: row for row in rows(call("simulate", *common, "--hold", "B=0,Signal=1", "--csv").out)}
    assert float(table["Fate"]["30 h"]) == 1.0
    assert 0.0 < float(table["Fate"]["1 h"]) < 1.0
    states = json.loads(call("simulate", *common, "--outputs", "A,B", "--json").out)
    assert sum(row["30 h"] for row in states) == pytest.approx(1.0)
    dosed = rows(call("simulate", *common, "--hold", "B=0,Signal=1", "--inhibit", "A=0.75", "--csv").out)
    assert float(dosed[1]["30 h"]) == pytest.approx(0.25, abs=0.04)
    drawn = call("simulate", *common, "--picture", "now.svg")
    assert "Wrote now.svg" in drawn.err
    assert (tmp_path / "now.svg").exists()


def test_screens_show_the_largest_effects_first(call):
    common = ("screen", "switch.bnd", "--readouts", "Fate", "--at", "30", "--cells", "2000", "--double")
    found = call(*common, "--top", "1")
    assert found.code == 0
    assert "5 more; --top 0 shows all." in found.out
    table = rows(call(*common, "--csv", "--workers", "1", "--phenotype", "waiting=Signal & !Fate").out)
    effects = [abs(float(row["effect"])) for row in table]
    assert effects == sorted(effects, reverse=True)
    assert {row["readout"] for row in table} == {"Fate", "waiting"}
    assert any(row["epistasis"] for row in table)


def test_differences_are_told(call):
    found = call("diff", "switch.bnd", "switch.bnd", "--other-cfg", "other.cfg")
    assert "A: rate up 2 / h -> 3 / h" in found.out
    assert "do the same" in call("diff", "switch.bnd", "switch.bnd").out
    lines = json.loads(call("diff", "switch.bnd", "switch.bnet", "--json").out)["differences"]
    assert "~ Signal: start 0.5 -> 0" in lines


def test_networks_of_the_catalogue_are_found_by_name(call):
    assert "Apoptosis" in call("show", "tumour cell").out
    missing = call("show", "tumor cell")
    assert missing.code == 1
    assert "Did you mean 'tumour cell'?" in missing.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "switch.txt"), "Unknown"),
        (("show", "./switch.txt"), "ends in .bnd, .bnet or .sbml"),
        (("show", "switch.bnet", "--cfg", "switch.cfg"), "--cfg goes with a .bnd file"),
        (("simulate", "switch.bnd", "--times", "soon"), "--times soon"),
        (("simulate", "switch.bnd", "--times", "1", "--hold", "B"), "write NODE=NUMBER"),
        (("simulate", "switch.bnd", "--times", "1", "--hold", "C=1"), "Unknown node 'C'"),
        (("simulate", "switch.bnd", "--times", "1", "--outputs", "A", "--picture", "a.svg"), "leave --outputs out"),
        (("screen", "switch.bnd", "--readouts", "Fat", "--at", "1"), "Did you mean 'Fate'"),
        (("screen", "switch.bnd", "--readouts", "Fate", "--at", "1", "--phenotype", "odd"), "NAME=FORMULA"),
        (("show", "absent.bnd"), "absent.bnd"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(call, arguments, told):
    found = call(*arguments)
    assert found.code == 1
    assert told in found.err
    assert "Traceback" not in found.err
