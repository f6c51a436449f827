"""The guides to tissues, rules and models of PhysiCell say what is so: their code runs, and the names in their tables exist."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from physicell_files import written

from paget.engine.simulation import Simulation
from paget.rules.behaviours import BEHAVIOURS, behaviour, canonical
from paget.rules.signals import signal

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is not beside the tests")


def blocks(name: str) -> list[str]:
    """The blocks of Python in a page of the documentation."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.S | re.M)


def first_column(name: str, heading: str) -> list[str]:
    """What stands in code in the first column of the table under a heading."""
    section = (ROOT / "docs" / name).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture
def briefly(monkeypatch, tmp_path):
    """Every run lasts two ticks, in an empty folder."""
    whole = Simulation.run
    monkeypatch.setattr(Simulation, "run", lambda self, _, **given: whole(self, 2.0 * self.dt, **given))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str) -> dict[str, object]:
    """Run all blocks of a page, one after the other, and give the names that they leave."""
    names: dict[str, object] = {}
    for number, code in enumerate(blocks(name)):
        exec(compile(code, f"{name}, block {number}", "exec"), names)
    return names


# ---- code ---------------------------------------------------------------------------------------------------------
def test_the_guide_to_tissues_runs(briefly):
    names = run("tissue.md")
    later, simulation, other = (names[name] for name in ("later", "simulation", "other"))
    assert isinstance(later, Simulation)
    assert isinstance(simulation, Simulation)
    assert isinstance(other, Simulation)
    assert later.fingerprint() == simulation.fingerprint() == other.fingerprint()


def test_the_guide_to_rules_runs(briefly):
    run("rules.md")


def test_the_guide_to_networks_inside_cells_runs(briefly):
    names = run("signalling.md")
    assert "node_TWIST1" in names["simulation"].cells


def test_the_guide_to_models_of_physicell_runs(briefly):
    written(briefly)
    names = run("physicell.md")
    assert (briefly / "output" / "output00000000.xml").exists()
    assert (briefly / "export" / "PhysiCell_settings.xml").exists()
    assert names["restarted"].placed.types == ("tumour", "T cell", "tumour")


def test_the_readme_s_tissue_runs(briefly):
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## A tissue of your own\n")[1].split("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    names: dict[str, object] = {}
    exec(code, names)
    assert isinstance(names["simulation"], Simulation)


def test_the_example_of_killing_is_that_of_the_guide(briefly):
    example = (ROOT / "examples" / "killing.py").read_text(encoding="utf-8")
    assert blocks("tissue.md")[1] in example
    names = runpy.run_path(str(ROOT / "examples" / "killing.py"))
    assert names["living"](names["killing"].simulation(seed=1)) == 91


def test_the_example_of_a_spheroid_draws_its_picture(briefly):
    names = runpy.run_path(str(ROOT / "examples" / "spheroid.py"))
    simulation = names["grow"]()
    names["draw"](simulation, "ball.png")
    assert Path("ball.png").stat().st_size > 10_000


# ---- tables -------------------------------------------------------------------------------------------------------
def test_all_behaviours_are_listed_and_those_listed_exist():
    listed = {canonical(name.split(" (")[0]) for name in first_column("rules.md", "Behaviours")}
    every = {"<k>": "1", "<type>": "T cell", "<field>": "oxygen"}
    for name in listed:
        for pattern, partner in every.items():
            name = name.replace(pattern, partner)
        assert behaviour(name) is not None, name
    assert set(BEHAVIOURS) <= listed


def test_the_signals_listed_are_read_as_what_they_are_said_to_be():
    kinds = {"oxygen gradient": "gradient", "time": "time", "node <name>": "node"}
    kinds |= dict.fromkeys(("attacking", "dead", "apoptotic", "necrotic"), "state")
    for name in first_column("rules.md", "Signals"):
        wanted = kinds.get(name, "contact" if name.startswith("contact") else "variable")
        assert signal(name).kind == wanted, name


def test_links_between_pages_lead_somewhere():
    for page in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
