"""The report in a real browser: every plot is drawn, nothing is fetched or goes wrong, downloads hold the data."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from report_data import demo_result, demo_study

from paget.report import write_report

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH to open the page with")

# Presses the buttons of the page and writes what they would have saved, and every problem, into the page.
PROBE = """
<script>
window.problems = [];
window.addEventListener("error", (event) => problems.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => problems.push("fetched " + event.blockedURI));
const said = console.error;
console.error = (...words) => { problems.push(words.join(" ")); said(...words); };
</script>
"""
PRESS = """
<script>
const saved = {};
let content = null;
URL.createObjectURL = (blob) => { content = blob; return "blob:none"; };
HTMLAnchorElement.prototype.click = function () {
  const name = this.download;
  content.text().then((text) => { saved[name] = text; });
};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  while (!document.documentElement.dataset.drawn) await wait(50);
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  for (const button of document.querySelectorAll("[data-download]")) { button.click(); await wait(60); }
  const head = [...document.querySelectorAll('[data-name="effects"] .sort')].find((b) => b.textContent === "p");
  head.click();
  document.querySelectorAll('[role="tab"]')[2].click();
  document.querySelector('.legend [data-arm="doxorubicin"]').click();
  await wait(1500);
  const report = document.createElement("pre");
  report.id = "probe";
  report.textContent = JSON.stringify({
    problems, saved,
    plots: [...document.querySelectorAll(".plot")].map((p) => [p.id, p.querySelectorAll(".main-svg").length]),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    order: [...document.querySelectorAll('[data-name="effects"] tbody tr')].map((r) => r.cells[8].dataset.value),
    tabs: [...document.querySelectorAll('[role="tabpanel"]')].map((p) => p.hidden),
    drawnArms: [...document.querySelectorAll("#figure-1-b .scatterlayer .trace .js-line")].length,
    resources: performance.getEntriesByType("resource").map((r) => r.name),
    ink: getComputedStyle(document.body).color,
  });
  document.body.append(report);
})();
</script>
"""


def opened(page: Path, profile: Path, *flags: str) -> str:
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
        "--virtual-time-budget=30000",
        *flags,
        "--dump-dom",
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    result = demo_result(demo_study(4), days=(0.0, 60.0), failed=(("doxorubicin", 1),))
    text = write_report(result, folder / "report.html").read_text(encoding="utf-8")
    probed = text.replace("<style>", PROBE + "<style>", 1)
    end = probed.rindex("</body>")
    (folder / "probed.html").write_text(probed[:end] + PRESS + probed[end:], encoding="utf-8")
    return folder / "probed.html"


def probe(page: Path, profile: Path, *flags: str) -> dict[str, object]:
    found = re.search(r'<pre id="probe">(.*?)</pre>', opened(page, profile, *flags), re.DOTALL)
    assert found, "the page did not come to its end"
    told: dict[str, object] = json.loads(html.unescape(found[1]))
    return told


@pytest.fixture(scope="module")
def told(page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return probe(page, tmp_path_factory.mktemp("profile"), "--window-size=1400,1000")


def test_every_plot_is_drawn(told: dict[str, object]) -> None:
    assert len(told["plots"]) == 1 + 7 + 5 + 1
    assert all(count >= 1 for _, count in told["plots"])


def test_nothing_goes_wrong_and_nothing_is_fetched(told: dict[str, object]) -> None:
    assert told["problems"] == []
    assert [name for name in told["resources"] if not name.startswith(("data:", "blob:"))] == []


def test_the_table_sorts_by_number_the_tabs_switch_and_an_arm_can_be_hidden(told: dict[str, object]) -> None:
    order = [float(v) for v in told["order"] if v is not None]
    assert order == sorted(order)
    assert len(order) > 10
    assert [i for i, hidden in enumerate(told["tabs"]) if not hidden] == [2]
    assert told["drawnArms"] == 5 * 3


def test_the_data_of_a_figure_can_be_saved_as_a_table(told: dict[str, object]) -> None:
    rows = list(csv.DictReader(io.StringIO(told["saved"]["figure-2.csv"].lstrip("\ufeff"))))
    kept = [r for r in rows if (r["readout"], r["arm"]) == ("neutrophils", "doxorubicin")]
    assert [r["animal"] for r in kept] == ["0", "2", "3"]
    result = demo_result(demo_study(4), failed=(("doxorubicin", 1),))
    outcomes = result.outcomes
    chosen = outcomes[(outcomes["readout"] == "neutrophils") & (outcomes["arm"] == "doxorubicin")]
    assert [float(r["value"]) for r in kept] == pytest.approx(chosen["value"].tolist(), rel=1e-4)
    curves = list(csv.DictReader(io.StringIO(told["saved"]["figure-1.csv"].lstrip("\ufeff"))))
    assert {r["series"] for r in curves if r["panel"] == "b"} == {"mean", "95 % low", "95 % high"}


def test_the_effects_can_be_saved_as_a_table(told: dict[str, object]) -> None:
    rows = list(csv.DictReader(io.StringIO(told["saved"]["effects.csv"].lstrip("\ufeff"))))
    assert len(rows) == 5 * 8
    assert {"effect", "low", "high", "p_adjusted"} <= set(rows[0])


def test_figures_can_be_saved_as_svg(told: dict[str, object]) -> None:
    for name, panels in (("figure-1.svg", 8), ("figure-2.svg", 5), ("figure-3.svg", 1)):
        root = ElementTree.fromstring(told["saved"][name])
        assert len(root.findall("{http://www.w3.org/2000/svg}g")) == panels
        assert "var(--" not in told["saved"][name]
    chain = next(text for name, text in told["saved"].items() if name == "figure-5.svg")
    assert ElementTree.fromstring(chain).tag.endswith("svg")


@pytest.mark.parametrize("width", [800, 1400])
def test_the_page_fits_the_window_in_the_dark_too(page: Path, tmp_path: Path, width: int) -> None:
    dark = probe(page, tmp_path, f"--window-size={width},900", "--blink-settings=preferredColorScheme=0")
    assert dark["overflow"] <= 0
    assert dark["problems"] == []
    assert dark["ink"] == "rgb(233, 235, 238)"
