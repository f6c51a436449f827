"""What the README and the documentation tell a newcomer to do works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import paget as pg
from paget.experiment import Study

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="the README is not beside the tests")


def blocks(path: Path, language: str) -> list[str]:
    """Code blocks of one language in a Markdown file, with the indent of the list they stand in removed."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.S | re.M)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


def test_the_first_command_leaves_a_report_that_opens_offline_the_data_and_a_manifest(tmp_path: Path) -> None:
    install, run = blocks(ROOT / "README.md", "sh")[0].strip().split(" && ")
    assert install == "pip install ."
    words = run.split()
    assert words[:2] == ["paget", "run"]
    small = ["--arms", "vehicle,doxorubicin", "--replicates", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "paget.cli", *words[1:], *small],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    folder = tmp_path / f"{words[2]}-results"
    assert f"{words[2]}-results" in done.stdout
    for name in ("report.html", "manifest.json", "metrics.parquet", "outcomes.parquet", "study.yaml"):
        assert (folder / name).stat().st_size > 0, name
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=[\"']https?:", page)


def test_the_second_command_is_the_one_that_continuous_integration_calls() -> None:
    install, run = blocks(ROOT / "README.md", "sh")[1].strip().split(" && ")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert run == "pytest"
    assert install.removeprefix("pip install ") in script
    assert re.search(r"^pytest$", script, re.M)


def test_the_lines_of_python_in_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(name: str) -> Study:
        return (
            load(name).only("vehicle", "doxorubicin", "doxorubicin + DQ").with_options(size=400).changed(replicates=2)
        )

    load = pg.load
    monkeypatch.setattr(pg, "load", small)
    monkeypatch.chdir(tmp_path)
    exec(blocks(ROOT / "README.md", "python")[0], {})
    assert (tmp_path / "late_dq.html").stat().st_size > 0


def test_the_examples_of_the_extension_guide_run(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for code in blocks(ROOT / "docs" / "extending.md", "python"):
        exec(code, names)
        if isinstance(names.get("study"), Study):
            pg.build_model(names["study"])
    assert "awakened_cells" in capsys.readouterr().out
