"""Rates of a lumped site from pieces of tissue: what is counted, what is estimated from it, and what is made of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from plain_patches import CYCLING, DORMANT, plain, recorded
from scipy import stats

from paget.body.growth_laws import exponential
from paget.body.lesions import Lesions
from paget.body.lumped import LumpedSite, resolved
from paget.body.patch import measure, watch
from paget.body.patch.estimates import chance_and_scatter, interval_of_rate, jackknife, share_of
from paget.body.patch.fits import cluster_size_of, growth_of, shedding_of
from paget.body.patch.rates import TITLES
from paget.body.values import Numbers
from paget.body.whole import SpatialSite
from paget.errors import ModelError
from paget.evidence import load_parameters
from paget.process import quantity

TYPES = (CYCLING, DORMANT)


@pytest.fixture(scope="module")
def busy():
    """Pieces in which everything happens that can."""
    tissue = plain(0.05, 0.02, 150, dormant=150, wakes=0.02, sleeps=0.01, dies_asleep=0.005, leaving=0.01)
    return measure(tissue, "36 h", 4, seed=3, dormant=(DORMANT,))


# ---- what is counted ----------------------------------------------------------------------------------------------
def test_every_cell_of_a_piece_is_accounted_for(busy):
    w, flow = busy.watched, busy.watched.flows
    cycling = flow["born"] + flow["arrived"] + flow["woken"] - flow["died"] - flow["left"] - flow["slept"]
    dormant = flow["slept"] + flow["dormant arrived"] - flow["woken"] - flow["dormant died"] - flow["dormant left"]
    assert np.array_equal(np.diff(w.cycling, axis=1), cycling)
    assert np.array_equal(np.diff(w.dormant, axis=1), dormant)
    assert all(flow[name].sum() > 0 for name in ("born", "woken", "died", "left", "slept", "dormant died"))
    assert not flow["arrived"].any()
    assert sum(sizes.sum() for sizes in w.parties) == flow["left"].sum() + flow["dormant left"].sum()


def test_known_rates_of_every_kind_lie_in_their_intervals(busy):
    # Six intervals of 95 %, all of which hold at about three seeds of four; this is one of them.
    known = {"birth": 0.05, "death": 0.02, "awakening": 0.02, "re_entry": 0.01, "dormant_death": 0.005}
    known["shed_per_cell"] = 0.01
    for name, value in known.items():
        e = busy.estimates[name]
        assert e.low <= value <= e.high, name
        assert 0.6 * value < e.value < 1.6 * value, name


def test_a_dying_cell_counts_as_dead_while_its_body_lies_there():
    w = watch(plain(0.0, 0.2, 50).model(), TYPES, (), hours=6.0, after=0.0, dt=1.0, pieces=2, seed=1)
    assert np.all(w.cycling[:, -1] < 35)
    assert np.array_equal(50 - w.cycling[:, -1], w.total("died"))


def test_time_left_out_at_the_start_changes_nothing_of_what_follows():
    tissue = plain(0.05, 0.02, 20).model()
    whole = watch(tissue, TYPES, (), hours=10.0, after=0.0, dt=1.0, pieces=2, seed=1)
    late = watch(tissue, TYPES, (), hours=6.0, after=4.0, dt=1.0, pieces=2, seed=1)
    assert np.array_equal(late.cycling, whole.cycling[:, 4:])
    assert np.array_equal(late.times, whole.times[4:])


def test_the_number_of_threads_changes_no_bit():
    one, two = (measure(plain(0.05, 0.02, 20), 6.0, 2, seed=5, threads=n) for n in (1, 2))
    assert one == two
    assert np.array_equal(one.watched.cycling, two.watched.cycling)


def test_a_site_of_a_body_knows_its_tumour_cells_and_the_dormant_of_them():
    tissue = plain(0.05, 0.02, 20, dormant=20, wakes=0.05)
    number = quantity("30", reason="a test")
    reach = quantity("22 um", reason="a test")
    site = SpatialSite(
        name="lung",
        model=tissue.model(),
        tumour=TYPES,
        dormant=(DORMANT,),
        newcomer=CYCLING,
        nodule=number,
        reach=reach,
    )
    by_site = measure(site, 4.0, 2, tick="1 h")
    assert by_site == measure(tissue, 4.0, 2, dormant=(DORMANT,))
    assert by_site.awakening.value > 0.0


# ---- estimates ----------------------------------------------------------------------------------------------------
def test_the_interval_of_a_rate_is_that_of_a_poisson_count():
    e = interval_of_rate(np.array([5.0, 5.0]), np.array([50.0, 50.0]), "1/h", "", "")
    assert (e.value, e.low) == (0.1, pytest.approx(stats.chi2.ppf(0.025, 20) / 200.0))
    assert e.high == pytest.approx(stats.chi2.ppf(0.975, 22) / 200.0)


def test_no_event_still_bounds_a_rate_from_above():
    e = interval_of_rate(np.zeros(3), np.full(3, 100.0), "1/h", "", "")
    assert (e.value, e.low) == (0.0, 0.0)
    assert e.high == pytest.approx(-math.log(0.025) / 300.0)


def test_replicates_that_differ_more_than_chance_widen_intervals():
    hours = np.full(4, 100.0)
    alike, unlike = (interval_of_rate(np.array(n, float), hours, "1/h", "", "") for n in ([50] * 4, [10, 90, 20, 80]))
    assert alike.value == unlike.value
    assert unlike.high - unlike.low > 3.0 * (alike.high - alike.low)
    assert chance_and_scatter(np.full(4, 50.0), np.full(4, 50.0), np.full(4, 50.0)) == 1.0


def test_a_share_has_the_exact_interval_of_a_binomial_count():
    e = share_of(np.array([2.0, 2.0]), np.array([10.0, 10.0]), "")
    exact = stats.binomtest(4, 20).proportion_ci()
    assert (e.low, e.high) == (pytest.approx(exact.low), pytest.approx(exact.high))
    assert share_of(np.zeros(2), np.full(2, 10.0), "").low == 0.0


def test_the_jackknife_of_a_mean_is_student_s_interval():
    x = np.array([1.0, 4.0, 2.0, 7.0])
    value, half = jackknife(lambda k: np.array([x[k].mean()]), 4)
    expected = stats.t.interval(0.95, 3, x.mean(), stats.sem(x))
    assert value[0] == x.mean()
    assert half[0] == pytest.approx(expected[1] - x.mean())


# ---- laws ---------------------------------------------------------------------------------------------------------
def curves(rate, limit, starts, span=300, loss=0.0):
    """Gompertz's law, with a loss that is recorded as cells that left."""
    t = np.arange(span + 1.0)
    top = math.log(limit) - loss / rate
    logs = top + (np.log(starts)[:, None] - top) * np.exp(-rate * t)
    cells = np.round(np.exp(logs))
    return recorded(t, cells, left=np.round(loss * 0.5 * (cells[:, 1:] + cells[:, :-1])))


def test_gompertz_s_law_is_found_again_whatever_the_start():
    growth = growth_of(curves(0.008, 2e6, np.array([5e3, 1e4, 2e4])))
    assert growth.law == "gompertz"
    assert growth.rate.value == pytest.approx(0.008, rel=1e-3)
    assert growth.limit.value == pytest.approx(2e6, rel=1e-3)
    assert growth.rate.low <= growth.rate.value <= growth.rate.high


def test_what_is_shed_does_not_count_as_slow_growth():
    growth = growth_of(curves(0.01, 2e6, np.array([5e3, 1e4, 2e4]), loss=0.005))
    assert growth.limit.value == pytest.approx(2e6, rel=0.01)


def test_growth_that_does_not_slow_is_exponential_at_births_less_deaths():
    t = np.arange(101.0)
    cells = np.round(1e4 * np.exp(0.02 * t) * np.array([[0.97], [1.0], [1.02]]))
    born = np.diff(cells, axis=1) + 100.0
    growth = growth_of(recorded(t, cells, born=born, died=np.full_like(born, 100.0)))
    assert (growth.law, growth.limit) == ("exponential", None)
    assert growth.rate.value == pytest.approx(0.02, rel=1e-4)


def test_a_piece_that_dies_out_leaves_births_and_deaths_to_be_measured():
    growth = growth_of(recorded([0, 1, 2], [[4, 2, 0], [4, 5, 6]], born=[[0, 0], [1, 1]], died=[[2, 2], [0, 0]]))
    assert growth.law == "exponential"
    assert growth.rate.value == pytest.approx(-2.0 / 14.0)


def test_the_spread_of_growth_is_that_of_rates_less_what_chance_explains():
    chance = np.random.default_rng(2)
    rates = 0.008 * np.exp(0.2 * chance.standard_normal(30))
    t, top = np.arange(301.0), math.log(2e6)
    cells = np.round(np.exp(top + (math.log(1e4) - top) * np.exp(-rates[:, None] * t)))
    growth = growth_of(recorded(t, cells))
    assert math.sqrt(growth.variance) == pytest.approx(0.2, rel=0.4)  # three standard errors of 30 rates
    assert growth.chance == 0.0


def test_lesions_of_one_piece_have_no_spread_where_only_chance_makes_pieces_differ():
    many = measure(plain(0.05, 0.02, 15), "40 h", 24, seed=2)
    assert many.growth.chance == pytest.approx(many.growth.variance, rel=0.7)  # a variance of 24 is known to 30 %
    one, big = (many.site("lung", scale=scale).growth_spread.value for scale in (1.0, 1e5))
    assert one < 0.75 * big


def test_the_power_with_which_pieces_shed_is_found_again():
    chance = np.random.default_rng(4)
    t = np.arange(301.0)
    cells = np.round(np.exp(np.linspace(4.0, 8.0, 301)))[None, :].repeat(6, 0)
    for power, c in ((1.0, 3e-3), (0.5, 0.1)):
        mean = c * (0.5 * (cells[:, 1:] + cells[:, :-1])) ** power
        shed = shedding_of(recorded(t, cells, left=chance.poisson(mean)))
        assert shed.exponent.value == pytest.approx(power, abs=0.08)  # four standard deviations
        assert shed.coefficient.value * 1000.0**shed.exponent.value == pytest.approx(c * 1000.0**power, rel=0.08)
        assert (shed.exponent.value == 1.0) == (power == 1.0)


def test_few_cells_that_left_say_nothing_of_the_power():
    shed = shedding_of(recorded([0, 1, 2], [[100, 100, 100]] * 2, left=[[1, 0], [0, 1]]))
    assert shed.exponent is None
    assert shed.coefficient.value == pytest.approx(2.0 / 400.0)


def test_clusters_are_as_large_as_a_lumped_site_can_shed():
    e = cluster_size_of([np.array([1, 1, 3, 5]), np.array([2, 90])])
    assert e.value == pytest.approx((3 + 5 + 2 + 31) / 4.0)
    assert cluster_size_of([np.array([1, 1])]) is None


# ---- the site -----------------------------------------------------------------------------------------------------
def test_the_numbers_of_a_site_are_derived_and_say_from_what(busy):
    site = busy.site("lung")
    for name in ("turnover", "shedding", "awakening", "dormant_death", "re_entry", "growth_spread"):
        number = getattr(site, name)
        assert number.basis == "derived", name
        assert number.low <= number.value <= number.high, name
        assert "4 pieces of the tissue 'plain' over 36 h" in number.reason
    assert site.turnover.value == pytest.approx(busy.death.value / busy.birth.value)
    assert site.visible == LumpedSite(name="lung", growth=site.growth).visible
    resolved((site,), Numbers(load_parameters("lesions")))


def test_what_pieces_cannot_tell_is_as_in_the_site_that_is_given(busy):
    like = LumpedSite(
        name="liver",
        growth=exponential(quantity("1 day", reason="a test")),
        visible=quantity("7 cell", reason="a test"),
    )
    site = busy.site("lung", like=like)
    assert (site.name, site.visible, site.survival) == ("lung", like.visible, like.survival)
    assert site.awakening is not like.awakening


def test_a_lesion_of_many_pieces_grows_and_sheds_as_they_do():
    t = np.arange(301.0)
    cells = np.round(np.exp(math.log(4e5) + (math.log(1e4) - math.log(4e5)) * np.exp(-0.01 * t)))
    chance = np.random.default_rng(1)
    left = chance.poisson(0.02 * (0.5 * (cells[1:] + cells[:-1])) ** 0.5, (4, 300))
    w = recorded(t, np.tile(cells, (4, 1)), born=np.diff(cells) + left, left=left)
    measured = measure(plain(0.05, 0.02, 5), 2.0, 2)
    growth, shed = growth_of(w), shedding_of(w)
    changed = {"growth": growth, "shedding": shed.coefficient, "shedding_exponent": shed.exponent}
    pieces = type(measured)(**{**vars(measured), **changed, "watched": w})
    one, many = (pieces.site("primary", scale=scale) for scale in (1.0, 1000.0))
    assert many.growth.limit.value == pytest.approx(1000.0 * one.growth.limit.value)
    assert many.growth.rate.value == one.growth.rate.value
    p, x = shed.exponent.value, 5e4
    assert p != 1.0
    by_many = many.shedding.value * (1000.0 * x) ** many.shedding_exponent.value
    assert by_many == pytest.approx(1000.0 * one.shedding.value * x**p)


def test_lesions_live_by_measured_numbers(busy):
    lesions = Lesions((busy.site("lung"),))
    lesions.seed("lung", [1], [500], 0.0, settled=True)
    for tick in range(4):
        lesions.advance(6.0 * tick, 6.0, np.uint64(1), tick)
    account = lesions.account("lung")
    assert account.left > 0
    assert account.born > 0


def test_the_table_has_a_row_for_every_number_with_its_interval(busy):
    table = busy.table().set_index("number")
    assert set(table.index) == set(busy.estimates)
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table.loc["awakening", "unit"] == "1/h"


# ---- errors -------------------------------------------------------------------------------------------------------
def test_everything_that_does_not_fit_is_said_at_once():
    with pytest.raises(ModelError) as found:
        measure(plain(0.05, 0.02).model(), -1.0, 1, tumour=("cycling sell",), dormant=(DORMANT,), after=-2.0)
    text = str(found.value)
    for part in ("cycling sell", "not among the tumour cells", "1 piece", "tick=", "must not be below 0"):
        assert part in text


def test_pieces_without_tumour_cells_are_refused():
    with pytest.raises(ModelError, match="no living tumour cell"):
        measure(plain(0.05, 0.02, 5), 2.0, 2, tumour=(DORMANT,))


def test_pieces_that_do_not_grow_make_no_site():
    shrinking = measure(plain(0.01, 0.2, 40), 4.0, 2)
    assert shrinking.death.value > shrinking.birth.value
    with pytest.raises(ModelError, match="do not grow"):
        shrinking.site("lung")
    with pytest.raises(ModelError, match=r"scale is 0.5"):
        shrinking.site("lung", scale=0.5)


# ---- the guide ----------------------------------------------------------------------------------------------------
def test_the_guide_to_both_resolutions_runs_and_lists_every_number():
    page = Path(__file__).parents[2] / "docs" / "two_resolutions.md"
    if not page.is_file():
        pytest.skip("the documentation is not beside the tests")
    text = page.read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    names: dict[str, object] = {}
    exec(code.replace('"10 day", replicates=4', '"12 h", replicates=2'), names)
    assert names["primary"].name == "primary"
    rows = "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == set(TITLES)
