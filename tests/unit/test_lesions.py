"""Lesions without a tissue: founders, dormancy, growth, treatment and shedding, against a twin and closed forms."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from paget.body.growth_laws import exponential, gompertz
from paget.body.lesions import Lesions
from paget.body.lumped import EFFECTS, LumpedSite
from paget.errors import EvidenceError, IdentityError, LedgerError, ModelError, NumericalError, UnknownNameError
from paget.kernels import reference_lesions
from paget.kernels.lesions import LARGEST, LISTED
from paget.kernels.reference_lesions import Colony
from paget.process import quantity

KEY = np.uint64(11)
DAY = 24.0
ERROR = 1e-5  # rate at which each test of a distribution may fail by chance


def q(text):
    return quantity(text, reason="a test")


def lung(rate="0.2 1/day", **given):
    """A site with nothing but growth, and what is given."""
    quiet = dict.fromkeys(
        (
            "turnover",
            "growth_spread",
            "dormancy",
            "awakening",
            "dormant_death",
            "shedding",
            "cluster_share",
            "lymph_share",
        ),
        0,
    )
    law = given.pop("growth", exponential(q(rate)))
    numbers = {**quiet, "survival": q("1"), "shedding_exponent": q("1"), "visible": q("1e15 cell"), **given}
    return LumpedSite(name=given.pop("name", "lung"), growth=law, **{k: v for k, v in numbers.items() if k != "name"})


def started(site, cells, n=1, settled=True, when=0.0):
    lesions = Lesions((site,))
    lesions.seed(site.name, np.arange(1, n + 1), np.full(n, float(cells)), when, settled=settled)
    return lesions


def run(lesions, days, dt=DAY, first=0, effects=None):
    steps = []
    for tick in range(first, first + round(days * DAY / dt)):
        steps.append(lesions.advance(tick * dt, dt, KEY, tick, effects))
    return steps


def near(sample, other, errors=4.5):
    """Whether two means agree within their standard errors."""
    spread = math.hypot(np.std(sample) / math.sqrt(len(sample)), np.std(other) / math.sqrt(len(other)))
    return abs(np.mean(sample) - np.mean(other)) <= errors * spread


# ---- what happens -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("steps", [1, 6])
def test_a_lesion_does_what_its_twin_does_event_by_event(steps):
    colony = Colony(0.02, 0.012, survival=0.7, dormancy=0.6, awakening=0.004, dormant_death=0.006, shedding=0.003)
    site = lung(
        "0.008 1/h",
        turnover=q("0.6"),
        survival=q("0.7"),
        dormancy=q("0.6"),
        awakening=q("0.004 1/h"),
        dormant_death=q("0.006 1/h"),
        shedding=q("0.003 1/h"),
    )
    t, founders, n = 96.0, 4, 40_000
    lesions = started(site, founders, n, settled=False)
    done = run(lesions, t / DAY, dt=t / steps)
    rng = np.random.default_rng(3)
    twins = [reference_lesions.live(colony, founders, t, rng) for _ in range(4000)]
    mine = {name: np.zeros(n) for name in ("born", "died", "left")}
    for step in done:
        for name, values in mine.items():
            values[(step.ids - np.uint64(1)).astype(int)] += getattr(step, name)
    final = lesions.table().set_index("id").reindex(np.arange(1, n + 1)).fillna({"cycling": 0.0, "dormant": 0.0})
    mine |= {name: final[name].to_numpy() for name in ("cycling", "dormant")}
    for name, values in mine.items():
        theirs = np.array([twin[name] for twin in twins])
        assert near(values, theirs), name
    for name in ("cycling", "dormant"):
        theirs = np.array([twin[name] for twin in twins])
        assert near(mine[name] == 0, theirs == 0), name
        assert stats.ks_2samp(mine[name], theirs).pvalue > ERROR


def test_cells_fall_dormant_again():
    # C' = (g - q) C, D' = q C: after t, D = q C0 (e^((g - q) t) - 1) / (g - q) while none wakes.
    site = lung("0.02 1/h", turnover=q("0.5"), re_entry=q("0.005 1/h"))
    lesions = started(site, 20, 4000)
    run(lesions, 4.0, dt=8.0)
    growth = math.exp(0.015 * 96.0)
    table = lesions.table()
    dormant, cycling = table["dormant"].sum() / 4000, table["cycling"].sum() / 4000
    assert cycling == pytest.approx(20 * growth, rel=4.5 * math.sqrt(2 / (20 * 4000)) * 2)
    assert dormant == pytest.approx(0.005 * 20 * (growth - 1) / 0.015, rel=0.03)


def test_dormant_lesions_wake_after_exponential_times():
    rate = 0.01
    lesions = started(lung(dormancy=q("1"), awakening=q(f"{rate} 1/h")), 1, 3000, settled=False)
    run(lesions, 60)
    table = lesions.table()
    assert np.all(np.isfinite(table["awoken_at"]))
    assert table["ever_dormant"].all()
    assert stats.kstest(table["awoken_at"], stats.expon(scale=1 / rate).cdf).pvalue > ERROR


def test_awakening_is_reported_once_with_its_moment():
    lesions = started(lung(dormancy=q("1"), awakening=q("0.01 1/h")), 2, 500, settled=False)
    found = {}
    for step in run(lesions, 20):
        for row, when in zip(step.awoken, step.awoken_at, strict=True):
            assert step.ids[row] not in found
            found[int(step.ids[row])] = when
    table = lesions.table()
    assert found == {int(i): t for i, t in zip(table["id"], table["awoken_at"], strict=True) if np.isfinite(t)}


def test_many_waking_at_once_grow_as_if_each_were_drawn():
    # 600 wake in one step, more than are drawn singly: their offspring has the mean of the convolution of both laws.
    rate, r, t = 0.02, 0.01, 40.0
    site = lung(f"{r} 1/h", dormancy=q("1"), awakening=q(f"{rate} 1/h"))
    lesions = started(site, 1000, 400, settled=False)
    lesions.advance(0.0, t, KEY, 0)
    mean = 1000 * rate * (math.exp(r * t) - math.exp(-rate * t)) / (r + rate)
    cells = lesions.table()["cycling"]
    assert cells.mean() == pytest.approx(mean, abs=4.5 * cells.std() / 20.0 + 2e-3 * mean)


def test_founders_live_only_from_their_moment_on():
    early, late = started(lung(), 5, 4000, when=0.0), started(lung(), 5, 4000, when=18.0)
    run(early, 1)
    run(late, 1)
    assert early.cells("lung") / 20_000 == pytest.approx(math.exp(0.2), rel=0.01)
    assert late.cells("lung") / 20_000 == pytest.approx(math.exp(0.05), rel=0.01)
    # ... and those who came in the step before owe its rest.
    owing = started(lung(), 5, 4000, when=-12.0)
    run(owing, 1)
    assert owing.cells("lung") / 20_000 == pytest.approx(math.exp(0.3), rel=0.01)


def test_growth_above_the_threshold_is_the_law_to_a_cell():
    law = gompertz(q("0.08 1/day"), q("1e10 cell"))
    lesions = started(lung(growth=law, turnover=q("0.9")), 1e5, 50)
    run(lesions, 30, effects={("lung", "kill"): 0.002})
    expected = float(law.size("30 day", start=1e5, kill=0.002))
    assert lesions.table()["cells"].to_numpy() == pytest.approx(expected, rel=1e-5)
    # Rounding by a draw has no bias: half a cell in 1e5 grows to some 500 cells in a lesion, a seventh of it in the mean.
    assert lesions.table()["cells"].mean() == pytest.approx(expected, abs=300.0)


def test_a_large_lesion_that_only_dies_has_no_births():
    lesions = started(lung("0 1/day"), 1e6, 300)
    (step,) = run(lesions, 1, effects={("lung", "kill"): 0.01})
    assert np.all(step.born == 0.0)
    assert step.died.mean() == pytest.approx(1e6 * -math.expm1(-0.24), abs=0.5)
    (step,) = run(started(lung("0.1 1/day"), 1e6, 300), 1)
    assert np.all(step.died == 0.0)


def test_mean_growth_has_no_step_at_the_threshold():
    lesions = started(lung("0.3 1/day", turnover=q("0.9")), 3000, 3000)
    run(lesions, 4)
    assert lesions.table()["cells"].min() < 1e4 < lesions.table()["cells"].max()
    run(lesions, 6, first=4)
    cells = lesions.table()["cells"]
    assert cells.mean() == pytest.approx(3000 * math.exp(3.0), abs=4.5 * cells.std() / math.sqrt(3000))


def test_daily_and_hourly_steps_give_lesions_of_the_same_law():
    law = gompertz(q("0.05 1/day"), q("1e6 cell"))
    site = lung(growth=law, turnover=q("0.7"), shedding=q("0.05 1/day"), shedding_exponent=q("0.7"))
    daily, hourly = started(site, 3, 6000), started(site, 3, 6000)
    run(daily, 6)
    run(hourly, 6, dt=1.0)
    assert stats.ks_2samp(daily.column("cells"), hourly.column("cells")).pvalue > ERROR
    a, b = daily.account("lung"), hourly.account("lung")
    assert a.left == pytest.approx(b.left, rel=4.5 * math.sqrt(40 / b.left))
    assert a.died == pytest.approx(b.died, rel=0.05)


def test_rates_of_growth_differ_between_lesions_and_stay_theirs():
    site = lung("0.3 1/day", growth_spread=q("0.4"))
    lesions = started(site, 2e4, 4000)
    run(lesions, 3)
    own = lesions.table()["growth"].to_numpy()
    sigma = math.sqrt(math.log(1.16))
    assert stats.kstest(np.log(own), stats.norm(0, sigma).cdf).pvalue > ERROR
    assert np.log(lesions.table()["cells"] / 2e4).to_numpy() == pytest.approx(0.9 * own, rel=1e-3, abs=1e-3)
    run(lesions, 1, first=3)
    assert np.array_equal(lesions.table()["growth"], own)


def test_treatment_kills_cycling_and_spares_dormant_cells_unless_it_reaches_them():
    def cells(effects):
        site = lung("0.1 1/day", dormancy=q("0.5"), turnover=q("0.5"))
        lesions = started(site, 10, 3000, settled=False)
        run(lesions, 5, effects=effects)
        return lesions.cells("lung", "cycling") / 15_000, lesions.cells("lung", "dormant") / 15_000

    cycling, dormant = cells({("lung", "kill"): 0.02})
    assert cycling == pytest.approx(math.exp(0.5 - 2.4), rel=0.05)
    assert dormant == pytest.approx(1.0, rel=0.04)
    cycling, dormant = cells({("lung", "kill dormant"): 0.02, ("lung", "growth"): 0.0})
    assert cycling == pytest.approx(1.0, rel=0.04)
    assert dormant == pytest.approx(math.exp(-2.4), rel=0.1)


def test_a_small_lesion_under_treatment_follows_its_law_with_the_loss():
    law = gompertz(q("0.05 1/day"), q("1e6 cell"))
    lesions = started(lung(growth=law, turnover=q("0.5")), 800, 400)
    run(lesions, 5, dt=6.0, effects={("lung", "kill"): 0.01})
    expected = float(law.size("5 day", start=800, kill=0.01))
    assert 1000 < expected < 5000  # all below the threshold
    # A mean of 400 lesions of some 1300 cells; chance and the law's curvature move it by less than a per cent.
    assert lesions.table()["cells"].mean() == pytest.approx(expected, rel=0.02)


def test_lesions_above_their_limit_shrink_to_it():
    lesions = started(lung(growth=gompertz(q("0.5 1/day"), q("200 cell")), turnover=q("0.8")), 1000, 300)
    run(lesions, 30)
    assert lesions.table()["cells"].mean() == pytest.approx(200, rel=0.1)


# ---- shedding ---------------------------------------------------------------------------------------------------
def test_a_large_lesion_sheds_by_the_integral_of_its_size():
    site = lung("0.2 1/day", shedding=q("1e-3 1/h"), shedding_exponent=q("0.8"), cluster_share=q("0.1"),
                cluster_size=q("5 cell"), lymph_share=q("0.25"))  # fmt: skip
    lesions = started(site, 1e6, 400)
    (step,) = run(lesions, 1)
    expected = 1e-3 * (1e6**0.8) * (math.exp(0.8 * 0.2) - 1) / (0.8 * 0.2 / DAY)
    party = 0.9 + 0.1 * 5
    # a Poisson number of parties, whose squared sizes average 0.9 + 0.1 (25 + 15)
    error = math.sqrt(expected / party * 4.9 / 400)
    assert step.left.mean() == pytest.approx(expected, abs=4.5 * error)
    shed = step.shed
    assert (shed.size * shed.parties).sum() == step.left.sum()
    assert shed.parties[shed.size > 1].sum() / shed.parties.sum() == pytest.approx(0.1, rel=0.05)
    assert shed.parties[shed.medium == 1].sum() / shed.parties.sum() == pytest.approx(0.25, rel=0.02)
    clusters = shed.size > 1
    assert np.average(shed.size[clusters], weights=shed.parties[clusters]) == pytest.approx(5, rel=0.02)
    assert np.all(np.bincount(shed.row) <= 2 * LARGEST)


def test_a_whole_tumour_sheds_a_million_cells_a_day_in_a_few_rows():
    site = lung(growth=gompertz(q("0.002 1/day"), q("1e12 cell")), turnover=q("0.9"), shedding=q("1e-6 1/day"),
                cluster_share=q("0.03"), cluster_size=q("4 cell"))  # fmt: skip
    lesions = started(site, 9e11)
    for step in run(lesions, 20):
        assert step.left[0] == pytest.approx(9e5, rel=0.02)
        assert step.shed.row.size <= LARGEST
    account = lesions.account("lung")
    assert account.arrived + account.born - account.died - account.left == account.present == lesions.cells("lung")


def test_few_parties_have_moments_that_follow_growth_and_many_are_counted():
    site = lung("1.5 1/day", shedding=q("1.5e-5 1/h"))
    lesions = started(site, 2e4, 2000)
    (step,) = run(lesions, 1)
    shed = step.shed
    assert np.all(shed.parties == 1)
    grown = math.exp(1.5)
    assert stats.kstest((np.exp(1.5 * shed.when / DAY) - 1) / (grown - 1), stats.uniform.cdf).pvalue > ERROR
    assert np.bincount(shed.row).max() <= LISTED
    many = started(lung("1.5 1/day", shedding=q("4e-2 1/h")), 2e4, 20)
    (step,) = run(many, 1)
    assert step.shed.row.size == 20
    assert np.all(step.shed.parties > LISTED)
    assert np.all((step.shed.when > 12.0) & (step.shed.when < DAY))


def test_a_small_lesion_sheds_no_more_cells_than_it_has():
    site = lung("0.01 1/day", shedding=q("1 1/h"), cluster_share=q("0.5"), cluster_size=q("10 cell"))
    lesions = started(site, 7, 200)
    (step,) = run(lesions, 1)
    assert lesions.cells("lung") == 0
    assert step.extinct.size == 200
    assert step.left.sum() == 1400 + step.born.sum()
    assert (step.shed.size * step.shed.parties).sum() == step.left.sum()


# ---- bookkeeping ------------------------------------------------------------------------------------------------
def test_a_lesion_is_first_seen_at_the_moment_of_crossing():
    lesions = started(lung("0.2 1/day", visible=q("1e6 cell")), 1e5)
    steps = run(lesions, 20)
    assert lesions.table()["visible_at"][0] == pytest.approx(DAY * math.log(10) / 0.2, rel=1e-5)
    assert sum(step.seen.size for step in steps) == 1
    assert lesions.count("lung", above=1e6) == 1


def test_records_mother_and_origin_go_with_the_lesion():
    lesions = Lesions((lung(), lung(name="liver")), records=("cell.clone", "cell.founder"))
    lesions.seed("liver", [9, 4], [3, 2], 1.0, {"cell.clone": [7, 8], "cell.founder": 1}, mother=[2, 3], origin=5)
    lesions.seed("lung", [6], [1], 2.0, {"cell.clone": 1, "cell.founder": 2})
    step = lesions.advance(0.0, DAY, KEY, 0)
    assert step.ids.tolist() == [4, 6, 9]
    assert step.records.tolist() == [[8, 1, 7], [1, 2, 1]]
    table = lesions.table()
    assert table["site"].tolist() == ["liver", "lung", "liver"]
    assert table["mother"].tolist() == [3, 0, 2]
    assert table["origin"].tolist() == [5, -1, 5]
    assert table["founders"].tolist() == [2, 1, 3]
    assert lesions.column("cell.clone").tolist() == [8, 1, 7]


def test_resection_takes_lesions_and_is_booked():
    lesions = Lesions((lung(), lung(name="primary")))
    lesions.seed("primary", [1, 2], [100, 50], 0.0, settled=True)
    lesions.seed("lung", [3], [10], 0.0, settled=True)
    run(lesions, 1)
    before = lesions.cells("primary")
    one = lesions.resect("primary", ids=[2])
    assert 0 < one < before
    assert lesions.resect("primary") == before - one
    assert lesions.cells("primary") == 0
    assert lesions.account("primary").removed == before
    assert lesions.cells("lung") > 0
    run(lesions, 2, first=1)


def test_the_ledger_balances_to_the_cell_at_every_site():
    site = lung("0.1 1/day", turnover=q("0.8"), survival=q("0.6"), dormancy=q("0.5"), awakening=q("0.02 1/h"),
                dormant_death=q("0.01 1/h"), re_entry=q("0.01 1/h"), shedding=q("0.01 1/h"), cluster_share=q("0.2"),
                cluster_size=q("3 cell"))  # fmt: skip
    lesions = started(site, 6, 500, settled=False)
    run(lesions, 30)
    a = lesions.account("lung")
    assert a.arrived + a.born - a.died - a.left - a.removed == a.present == lesions.cells("lung")
    assert min(a) >= 0
    state = lesions.state()
    state["cycling"][0] += 1
    lesions.restore(state)
    with pytest.raises(LedgerError, match="'lung' do not balance"):
        run(lesions, 1, first=30)


def test_extinct_lesions_are_reported_and_then_gone():
    lesions = started(lung(), 3, 100)
    step = lesions.advance(0.0, DAY, KEY, 0, {("lung", "kill"): 5.0})
    assert step.extinct.size == 100
    assert len(lesions) == 0
    assert lesions.table().empty
    assert lesions.advance(DAY, DAY, KEY, 1).ids.size == 0


ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is not beside the tests")
def test_the_page_on_lesions_runs_and_names_every_effect():
    page = (ROOT / "docs" / "lesions.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    exec(re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)[0], names)
    assert names["lesions"].cells("primary") > 1e8
    table = page.split("## Effects of treatment")[1]
    assert tuple(re.findall(r"^\| `([^`]+)`", table, re.M)) == EFFECTS


# ---- errors -----------------------------------------------------------------------------------------------------
def test_bare_numbers_are_refused_by_name():
    with pytest.raises(EvidenceError, match=r"turnover = 0\.9"):
        LumpedSite(name="lung", growth=exponential(q("1 day")), turnover=0.9)


def test_impossible_sites_are_refused_with_everything_that_is_wrong():
    bad = lung(
        survival=q("1.5"), turnover=q("1"), visible=q("0.5 cell"), cluster_share=q("0.1"), cluster_size=q("99 cell")
    )
    with pytest.raises(ModelError) as refused:
        Lesions((bad, lung(growth=gompertz(q("1 1/day"), q("1 mm**3"), unit="mm**3"))))
    assert [p.split(":")[0] for p in refused.value.problems] == [
        "the site 'lung' is given twice", "'lung'", "'lung'", "'lung'", "'lung'", "'lung'"
    ]  # fmt: skip
    for text in ("survival is 1.5", "turnover is 1", "cluster_size is 99", "visible is 0.5", "mm**3"):
        assert text in str(refused.value)


def test_impossible_founders_are_refused():
    lesions = Lesions((lung(),), records=("cell.clone",))
    with pytest.raises(ModelError, match=r"(?s)cell\.clone are missing.*cell\.colour were not named.*whole number"):
        lesions.seed("lung", [1], [0.5], 0.0, {"cell.colour": 3})
    lesions.seed("lung", [1], [1], 0.0, {"cell.clone": 3})
    with pytest.raises(IdentityError, match="id 1"):
        lesions.seed("lung", [1], [1], 0.0, {"cell.clone": 3})
    with pytest.raises(UnknownNameError, match="Did you mean 'lung'"):
        lesions.seed("lungs", [2], [1], 0.0, {"cell.clone": 3})
    assert lesions.account("lung").arrived == 1
    with pytest.raises(ModelError, match="founded after the step"):
        lesions.advance(-48.0, DAY, KEY, 0)


def test_unknown_effects_are_refused_with_a_suggestion():
    lesions = started(lung(), 1)
    with pytest.raises(UnknownNameError, match="Did you mean 'awakening'"):
        lesions.advance(0.0, DAY, KEY, 0, {("lung", "awaken"): 2.0})
    with pytest.raises(UnknownNameError, match="lumped site 'brain'"):
        lesions.advance(0.0, DAY, KEY, 0, {("brain", "kill"): 2.0})
    with pytest.raises(ModelError, match="at least 0"):
        lesions.advance(0.0, DAY, KEY, 0, {("lung", "kill"): -1.0})


@pytest.mark.parametrize("cells", [1.0, 1e5])
def test_a_lesion_without_limit_ends_with_a_clear_error(cells):
    lesions = started(lung("40 1/day"), cells)
    with pytest.raises(NumericalError, match=r"Lesion 1 at 'lung' grew beyond 2\*\*53"):
        run(lesions, 3)
