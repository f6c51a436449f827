"""The report in a real browser: plots are drawn, folds fold, nothing is fetched, downloads hold the data, all can use it."""

from __future__ import annotations

import csv
import io
import itertools
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, Tab, needs_chromium, started

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from body_report_data import body_result, body_study
from report_data import DemoResult, demo_result, demo_study

from paget.report import write_report

pytestmark = needs_chromium
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = "document.documentElement?.dataset.drawn"
TABLES = "[...document.querySelectorAll('.table')]"


def demo() -> DemoResult:
    """Three arms of three animals; one of them failed."""
    dose = {"drug": "doxorubicin", "amount": "5 mg/kg", "start": "7 day", "every": "7 day", "count": 3}
    arms = [
        {"name": "vehicle"},
        {"name": "doxorubicin", "versus": "vehicle", "doses": [dose]},
        {"name": "cisplatin", "versus": "vehicle", "doses": [{**dose, "drug": "cisplatin"}]},
    ]
    return demo_result(demo_study(3, arms=arms), days=(0.0, 60.0), failed=(("doxorubicin", 1),))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(demo(), tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def tab(browser: Browser, page: Path) -> Tab:
    """The page as a reader has it before them; the tests that use it leave its folds open."""
    shown = browser.open(page)
    shown.until(DRAWN)
    return shown


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# ---- what is shown ----------------------------------------------------------------------------------------------------


def test_every_plot_is_drawn_nothing_goes_wrong_and_nothing_is_fetched(tab: Tab) -> None:
    drawn = tab.evaluate("[...document.querySelectorAll('.plot')].map((p) => p.querySelectorAll('.main-svg').length)")
    assert len(drawn) == 1 + 7 + 5 + 1
    assert all(count >= 1 for count in drawn)
    assert tab.problems == []
    assert tab.requests == []


def test_a_request_that_a_page_makes_is_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "asks.html").write_text('<img src="https://example.org/x.png"><script>console.error("oh")</script>')
    asking = browser.open(tmp_path / "asks.html")
    assert asking.requests == ["https://example.org/x.png"]
    assert "oh" in asking.problems
    asking.close()


def test_the_page_fits_windows_from_a_telephone_to_a_desk(tab: Tab) -> None:
    for width in (400, 800, 1300):
        tab.resize(width)
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(23, 25, 28)"


def test_the_dark_scheme_recolours_page_and_plots(tab: Tab) -> None:
    tab.scheme(True)
    tab.until("[...document.querySelectorAll('.plot')].every((p) => p.dataset.palette === 'dark')")
    assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(233, 235, 238)"
    assert "#e9ebee" in tab.evaluate("document.querySelector('#figure-1-b').layout.font.color")
    tab.scheme(False)
    tab.until("[...document.querySelectorAll('.plot')].every((p) => p.dataset.palette === 'light')")


def test_the_table_sorts_by_number_and_says_so(tab: Tab) -> None:
    found = """(() => {
      const box = document.querySelector('[data-name="effects"]');
      const head = [...box.querySelectorAll('.sort')].find((b) => b.textContent === 'p'); head.click();
      const rows = [...box.querySelectorAll('tbody tr')];
      return [head.closest('th').getAttribute('aria-sort'), rows.map((r) => r.cells[8].dataset.value)];
    })()"""
    direction, values = tab.evaluate(found)
    numbers = [float(v) for v in values if v is not None]
    assert direction == "ascending"
    assert numbers == sorted(numbers)
    assert len(numbers) > 10


def test_tabs_switch_and_an_arm_can_be_hidden(tab: Tab) -> None:
    tab.click('[role="tab"]:nth-child(2)')
    assert tab.evaluate("[...document.querySelectorAll('[role=\"tabpanel\"]')].map((p) => p.hidden)") == [True, False]
    lines = "document.querySelectorAll('#figure-1-b .scatterlayer .trace .js-line').length"
    before = tab.evaluate(lines)
    tab.click('.legend [data-arm="doxorubicin"]')
    tab.until(f"{lines} === {before - 3}")
    tab.click('.legend [data-arm="doxorubicin"]')
    tab.until(f"{lines} === {before}")


# ---- folds ------------------------------------------------------------------------------------------------------------


def test_sections_fold_and_the_address_remembers_which(browser: Browser, page: Path) -> None:
    shown = browser.open(page)
    shown.until(DRAWN)
    opened = "[...document.querySelectorAll('details.section')].filter((d) => d.open).map((d) => d.parentElement.id)"
    everything = shown.evaluate(opened)
    assert len(everything) >= 8
    shown.click("#figures > details > summary")
    shown.until("location.hash === '#;folded=figures'")
    shown.evaluate("window.left = true; setTimeout(() => location.reload(), 0); 0")
    shown.until(f"!window.left && {DRAWN} && document.querySelector('#figures > details').open === false")
    shown.until(f"{opened}.length === {len(everything) - 1}")
    assert shown.evaluate(opened) == [name for name in everything if name != "figures"]
    assert shown.evaluate("document.querySelectorAll('#figures .main-svg').length") == 0
    shown.click('nav a[href="#figures"]')
    shown.until("document.querySelectorAll('#figures .main-svg').length > 13")
    assert shown.evaluate("document.activeElement.closest('section').id") == "figures"
    shown.click('[data-fold="close"]')
    shown.until(f"{opened}.length === 0")
    shown.click('[data-fold="open"]')
    shown.until(f"{opened}.length === {len(everything)}")
    assert shown.problems == []
    shown.close()


def test_the_keyboard_reaches_and_works_the_folds(tab: Tab) -> None:
    tab.evaluate("document.querySelector('#methods summary').focus()")
    tab.press("Enter", 13)
    tab.until("document.querySelector('#methods > details').open === false")
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Enter", 13)
    tab.until("document.querySelector('#methods > details').open")
    tab.press("Tab", 9)
    assert tab.evaluate("document.activeElement !== document.body")


# ---- downloads --------------------------------------------------------------------------------------------------------


def test_the_data_of_plotted_figures_are_those_of_the_result(tab: Tab) -> None:
    name, text = tab.download('#figure-2 [data-download="csv"]')
    assert name == "figure-2.csv"
    kept = [r for r in rows(text) if (r["readout"], r["arm"]) == ("neutrophils", "doxorubicin")]
    assert [r["animal"] for r in kept] == ["0", "2"]
    outcomes = demo().outcomes
    chosen = outcomes[(outcomes["readout"] == "neutrophils") & (outcomes["arm"] == "doxorubicin")]
    assert [float(r["value"]) for r in kept] == pytest.approx(chosen["value"].tolist(), rel=1e-4)
    _, text = tab.download('#figure-1 [data-download="csv"]')
    assert {r["series"] for r in rows(text) if r["panel"] == "b"} == {"mean", "95 % low", "95 % high"}


def test_the_data_of_pictures_are_their_cells_and_their_values(tab: Tab) -> None:
    _, text = tab.download('#figure-4 [data-download="cells"]')
    cells = demo().cells("cisplatin", 0, 60.0)
    shown = [r for r in rows(text) if (r["arm"], r["day"]) == ("cisplatin", "60")]
    assert len({r["animal"] for r in shown}) == 1
    assert len(shown) == len(demo().cells("cisplatin", int(shown[0]["animal"]), 60.0))
    assert {r["type"] for r in shown} == set(cells["type"])
    assert all(0.0 <= float(r["x_um"]) <= 1000.0 for r in shown)
    _, text = tab.download('#figure-5 [data-download="data"]')
    assert {"Arm", "Node", "n"} <= set(rows(text)[0])
    name, text = tab.download('[data-name="effects"] .download')
    assert name == "effects.csv"
    assert len(rows(text)) == 2 * 8
    assert {"effect", "low", "high", "p_adjusted", "failed_arm"} <= set(rows(text)[0])


@pytest.mark.parametrize(
    ("number", "kind", "parts"), [(1, "svg", 8), (2, "svg", 5), (3, "svg", 1), (4, "tissue", 6), (5, "drawings", 2)]
)
def test_every_figure_can_be_saved_as_a_picture_that_stands_alone(tab: Tab, number: int, kind: str, parts: int) -> None:
    name, text = tab.download(f'#figure-{number} [data-download="{kind}"]')
    root = ElementTree.fromstring(text)
    assert name == f"figure-{number}.svg"
    assert root.tag == f"{SVG}svg"
    assert "var(" not in text
    found = {
        "svg": root.findall(f"{SVG}g"),
        "tissue": root.findall(f"{SVG}image"),
        "drawings": root.findall(f"{SVG}svg"),
    }
    assert len(found[kind]) == parts
    links = [v for e in root.iter() for key, v in e.attrib.items() if key.endswith(("href", "src"))]
    assert all(link.startswith(("data:", "#")) for link in links)


def test_the_pictures_of_a_body_can_be_saved_and_its_days_move(browser: Browser, tmp_path: Path) -> None:
    shown = browser.open(write_report(body_result(body_study(2, 12)), tmp_path / "body.html"))
    shown.until(DRAWN)
    _, text = shown.download('figure[data-name="body"] [data-download="drawings"]')
    root = ElementTree.fromstring(text)
    assert len(root.findall(f"{SVG}svg")) == 3 + 1
    assert "var(" not in text
    assert any("Day 12" in (t.text or "") for t in root.iter(f"{SVG}text"))
    shown.evaluate(
        "(() => { const s = document.querySelector('.days input'); s.value = 0; s.dispatchEvent(new Event('input')); })()"
    )
    assert "day 0" in shown.evaluate("document.querySelector('svg.body-map').getAttribute('aria-label')")
    _, text = shown.download('figure[data-name="migration"] [data-download="data"]')
    assert {"arm", "origin", "site", "founders"} <= set(rows(text)[0])
    shown.resize(400)
    assert shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert shown.problems == []
    assert shown.violations() == []
    shown.close()


# ---- for everyone, and for paper --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
def test_the_automated_check_of_accessibility_finds_nothing(tab: Tab, dark: bool) -> None:
    tab.scheme(dark)
    tab.until(
        f"[...document.querySelectorAll('.plot')].every((p) => p.dataset.palette === '{'dark' if dark else 'light'}')"
    )
    for width in (400, 1300):
        tab.resize(width)
        assert tab.violations(("moderate", "serious", "critical")) == []
    tab.scheme(False)


def test_headings_landmarks_and_language_are_in_order(tab: Tab) -> None:
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.evaluate("['header', 'nav', 'main', 'footer'].every((n) => document.querySelector(n))")
    pictures = "[...document.querySelectorAll('img:not(dialog img), svg.drawing, .plot')]"
    told = tab.evaluate(f"{pictures}.map((p) => p.alt ?? p.getAttribute('aria-label') ?? '')")
    assert len(told) > 20
    assert [words for words in told if len(words) < 30] == []


def test_the_missing_animal_is_counted_in_every_table_that_counts_animals(tab: Tab) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    marks, notes = (
        set(tab.evaluate(f"{TABLES}.filter((t) => t.innerText.includes('{words}')).map((t) => t.dataset.name)"))
        for words in ("2 of 3", "Did not finish")
    )
    assert marks <= notes
    assert marks >= {"effects", "omnibus", "arms", "chain", "tissue-cells", "log-rank-time_to_first_metastasis"}
    captions = tab.evaluate("[...document.querySelectorAll('figcaption')].map((c) => c.innerText)")
    assert all("NumericalError: netosis at day 12" in caption for caption in captions)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext (poppler) on PATH to read the print with")
def test_the_print_holds_every_section_although_some_are_folded(browser: Browser, page: Path, tmp_path: Path) -> None:
    shown = browser.open(page)
    shown.until(DRAWN)
    shown.click('[data-fold="close"]')
    (tmp_path / "page.pdf").write_bytes(shown.pdf())
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    for heading in shown.evaluate("[...document.querySelectorAll('h2')].map((h) => h.textContent)"):
        assert heading in text
    for words in (
        "Senescent fibroblasts",
        "Figure 5",
        "Number at risk",
        "Every parameter with its basis",
        "10.1016/j.ccell",
        "2.4.6",
    ):
        assert words.lower() in text.lower()
    shown.close()


def test_a_sweep_is_readable_and_its_maps_give_their_numbers(browser: Browser, tmp_path: Path) -> None:
    both = {
        "name": "both",
        "versus": "vehicle",
        "doses": [{"drug": drug, "amount": "5 mg/kg", "at": "7 day"} for drug in ("doxorubicin", "dasatinib")],
    }
    doses = {"doxorubicin": ["0 mg/kg", "1 mg/kg", "10 mg/kg"], "dasatinib": ["0 mg/kg", "3 mg/kg", "8 mg/kg"]}
    study = demo_study(3, arms=[{"name": "vehicle"}, both], sweep={"like": "both", "doses": doses})
    shown = browser.open(write_report(demo_result(study, days=(0.0, 60.0)), tmp_path / "sweep.html"))
    shown.until(DRAWN)
    assert shown.problems == []
    assert shown.evaluate("[...document.querySelectorAll('h2')].map((h) => h.textContent)")[:3] == [
        "Abstract",
        "Design",
        "Figures",
    ]
    wide = shown.evaluate("[...document.querySelectorAll('.swatch, .dot')].map((s) => s.getBoundingClientRect().width)")
    assert max(wide) <= 30
    _, text = shown.download('#figure-1 [data-download="csv"]')
    found = [row for row in rows(text) if row["readout"] == "metastases" and row["series"] == "mean"]
    assert {(row["doxorubicin (mg/kg)"], row["dasatinib (mg/kg)"]) for row in found} == set(
        itertools.product(("0", "1", "10"), ("0", "3", "8"))
    )
    assert all(float(row["value"]) >= 0 for row in found)
    for dark in (False, True):
        shown.scheme(dark)
        for width in (400, 1300):
            shown.resize(width)
            assert shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            assert shown.violations(("minor", "moderate", "serious", "critical")) == []
    shown.close()
