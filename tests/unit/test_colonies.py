"""Trees of metastases: the compiled engine against its slow twin, closed forms of emission, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import exp1

from paget.body.colonies import colonies
from paget.body.emission import BirthDeath, Emission, emitted, grown_from_one, inverse, time_from_one
from paget.body.growth_laws import exponential, gompertz
from paget.errors import ModelError, ResultError
from paget.kernels import colonies as kernels
from paget.kernels import growth, reference_colonies
from paget.process import Named, quantity

KEY = 20
DAY = 24.0
RATE, LIMIT, COEFFICIENT, EXPONENT = 0.00286 / DAY, 7.3e10, 5.3e-8 / DAY, 0.663


@dataclass(frozen=True)
class Plain:
    """A law of growth by its numbers."""

    code: int
    rate: float
    limit: float = np.inf

    def kernel(self):
        return self.code, self.rate, self.limit, 1.0


SLOW = Plain(growth.GOMPERTZ, RATE, LIMIT)
EVEN = Plain(growth.EXPONENTIAL, 0.01)


def per(text):
    return quantity(text, reason="a test")


EMISSION = Emission(per("5.3e-8 1/day"), per("0.663"))


def total_of_gompertz(age):
    """Emission by an age under Gompertz growth, in closed form."""
    scale, bend = COEFFICIENT * LIMIT**EXPONENT, EXPONENT * np.log(LIMIT)
    return scale / RATE * (exp1(bend * np.exp(-RATE * age)) - exp1(bend))


def total_of_exponential(age, coefficient, exponent):
    return coefficient / (exponent * EVEN.rate) * np.expm1(exponent * EVEN.rate * age)


def grow(until, begin=0, end=20, generations=99, kept=np.inf, most=10**6, start=0.0, stop=np.inf, early=()):
    """The kernel on patients that all have the same primary."""
    table = inverse(SLOW, EMISSION, until)
    moments, n = np.tile(np.asarray(early, float), end), end
    given = np.arange(n + 1) * len(early)
    return kernels.grow_trees(
        np.uint64(KEY),
        begin,
        end,
        until,
        generations,
        kept,
        most,
        np.full(n, start),
        np.full(n, stop),
        moments,
        given,
        table,
        table,
    )


# ---- emission -----------------------------------------------------------------------------------------------------
def test_total_emission_is_that_of_the_closed_forms():
    ages = np.linspace(1.0, 1310 * DAY, 300)
    # the closed form loses digits where it is a difference of two nearly equal numbers: compared beyond 100 days
    late = ages > 100 * DAY
    assert np.allclose(emitted(SLOW, EMISSION, ages)[late], total_of_gompertz(ages[late]), rtol=1e-12)
    ages = np.linspace(0.0, 3000.0, 300)
    own = Emission(per("1e-9 1/h"), per("0.8"))
    assert np.allclose(emitted(EVEN, own, ages), total_of_exponential(ages, 1e-9, 0.8), rtol=1e-12, atol=0.0)
    assert np.allclose(emitted(EVEN, Emission(per("0.01 1/h"), per("0")), ages), 0.01 * ages, rtol=1e-13)


@pytest.mark.parametrize("days", [30, 678, 1310])
def test_the_age_at_a_total_is_its_inverse(days):
    horizon = days * DAY
    table = inverse(SLOW, EMISSION, horizon)
    ages = np.concatenate([np.geomspace(1e-12, 1e-3, 50) * horizon, np.linspace(1e-3, 0.9999, 500) * horizon])
    found = [kernels.emission_age(y, table) for y in emitted(SLOW, EMISSION, np.append(ages, horizon))[:-1]]
    # of the cubic between nodes, of which there are some 180 in an e-fold; below the first, at 1e-9 of the horizon, L is
    # taken as proportional to age, which over such a time it is to 1e-7
    assert np.allclose(found, ages, rtol=2e-9, atol=1e-16 * horizon)
    assert kernels.emission_age(table.top * 1.0001, table) == np.inf


def test_a_primary_of_many_cells_emits_from_that_size_on():
    late = time_from_one(SLOW, 1e6)
    table = inverse(SLOW, EMISSION, 100 * DAY, 1e6)
    y = total_of_gompertz(late + 50 * DAY) - total_of_gompertz(late)
    assert kernels.emission_age(y, table) == pytest.approx(50 * DAY, rel=1e-8)


# ---- trees --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "case",
    [
        {"until": 900 * DAY},
        {"until": 900 * DAY, "generations": 1},
        {"until": 900 * DAY, "stop": 700 * DAY},
        {"until": 900 * DAY, "start": 100 * DAY, "stop": 850 * DAY, "early": (5.0, 60.0, 2300.0)},
    ],
)
def test_trees_are_those_of_the_slow_twin(case):
    births, generations, mothers, lineages, upto, counted, cut = grow(**case)
    assert not counted.any()
    assert not cut.any()
    for patient in range(20):
        rows = slice(upto[patient], upto[patient + 1])
        twin = reference_colonies.tree(
            KEY,
            patient,
            case["until"],
            case.get("generations", 99),
            case.get("start", 0.0),
            case.get("stop", np.inf),
            list(case.get("early", ())),
            total_of_gompertz,
            total_of_gompertz,
        )
        assert np.array_equal(lineages[rows], np.array([x.lineage for x in twin], np.uint64))
        assert np.array_equal(generations[rows], [x.generation for x in twin])
        assert np.array_equal(mothers[rows], [x.mother for x in twin])
        assert np.allclose(births[rows], [x.birth for x in twin], rtol=0.0, atol=1e-5)
    assert upto[-1] > 200
    assert (generations.max() > 1) == ("generations" not in case)


def test_a_patient_does_not_depend_on_the_others_or_on_the_threads():
    few = colonies(SLOW, EMISSION, "800 day", 5, seed=3)
    many = colonies(SLOW, EMISSION, "800 day", 3000, seed=3, threads=2)
    alone = colonies(SLOW, EMISSION, "800 day", 3000, seed=3, threads=1)
    n = few.born.size
    assert n > 50
    for name in ("born", "generation", "mothers", "lineage"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:n])
        assert np.array_equal(getattr(alone, name), getattr(many, name))
    assert not np.array_equal(colonies(SLOW, EMISSION, "800 day", 5, seed=4).born[:5], few.born[:5])


def test_a_longer_time_adds_lesions_and_changes_none():
    short, long = (colonies(SLOW, EMISSION, f"{days} day", 50, seed=1) for days in (800, 1000))
    assert np.isin(short.lineage, long.lineage).all()
    early = long.born <= short.until
    assert np.array_equal(np.sort(long.lineage[early]), np.sort(short.lineage))
    order, other = np.argsort(long.lineage[early]), np.argsort(short.lineage)
    assert np.allclose(long.born[early][order], short.born[other], rtol=1e-8)


def test_removal_of_the_primary_ends_its_emission_and_no_other():
    whole = colonies(SLOW, EMISSION, "1000 day", 50, seed=1)
    for removed in (
        colonies(SLOW, EMISSION, "1000 day", 50, seed=1, resection=r) for r in ("700 day", "2.48926e+09 cell")
    ):
        assert removed.removed[0] == pytest.approx(700 * DAY, rel=1e-4)
        own = removed.generation == 1
        assert removed.born[own].max() <= removed.removed[0]
        expected = np.isin(whole.lineage, removed.lineage)
        assert np.array_equal(whole.lineage[expected], removed.lineage)
        assert (expected | (whole.generation > 1) | (whole.born > removed.removed[0])).all()
        assert removed.born[~own].max() > removed.removed[0]


@pytest.mark.parametrize("generations", [None, 1, 2])
def test_small_metastases_are_counted_and_not_listed(generations):
    whole = colonies(SLOW, EMISSION, "1000 day", 50, seed=1, generations=generations)
    part = colonies(SLOW, EMISSION, "1000 day", 50, seed=1, generations=generations, least=1e5)
    listed = whole.sizes() >= 1e5
    assert np.array_equal(part.lineage, whole.lineage[listed])
    assert np.array_equal(part.counts(), whole.counts())
    assert part.counted.sum() == np.sum(~listed) > 1000
    assert np.array_equal(part.counts("900 day", above=1e5), whole.counts("900 day", above=1e5))
    with pytest.raises(ResultError, match="more than 100000 cells"):
        part.counts("900 day")
    with pytest.raises(ResultError, match="smaller `least`"):
        part.counts(above=10.0)


@pytest.mark.parametrize("least", [0.0, 1e5, 1e12])
def test_a_patient_with_too_many_metastases_is_cut_and_marked(least):
    whole = colonies(SLOW, EMISSION, "1000 day", 50, seed=1)
    part = colonies(SLOW, EMISSION, "1000 day", 50, seed=1, most=60, least=least)
    assert np.array_equal(part.cut, whole.counts() > 60)
    assert part.cut.any()
    assert not part.cut.all()
    assert np.array_equal(part.counts()[~part.cut], whole.counts()[~part.cut])
    assert np.all(part.counts()[part.cut] > 60)
    assert np.all(part.counts()[part.cut] <= 62)


def test_sizes_follow_the_law_from_one_cell_at_birth():
    grown = colonies(SLOW, EMISSION, "900 day", 20, seed=1)
    at = 850 * DAY
    age = at - grown.born
    closed = np.where(age >= 0.0, LIMIT ** (1.0 - np.exp(-RATE * age)), 0.0)
    assert np.allclose(grown.sizes("850 day"), closed, rtol=1e-11)
    assert np.array_equal(grown.counts("850 day"), np.bincount(grown.patient[age >= 0.0], minlength=20))
    assert np.allclose(grown.burden(at), np.bincount(grown.patient, closed, 20))
    each = np.linspace(600, 900, 20) * DAY
    assert np.allclose(grown.sizes(each), grown_from_one(SLOW, each[grown.patient] - grown.born))
    table = grown.table()
    assert np.array_equal(table["patient"], grown.patient)
    daughters = grown.generation > 1
    assert np.all(grown.born[grown.mother[daughters]] < grown.born[daughters])
    assert np.array_equal(grown.patient[grown.mother[daughters]], grown.patient[daughters])
    with pytest.raises(ResultError, match="grow them for longer"):
        grown.sizes("901 day")


# ---- chance in clones and primaries -------------------------------------------------------------------------------
@pytest.mark.parametrize(("birth", "death"), [(0.05, 0.02), (0.03, 0.03), (0.02, 0.03), (0.04, 0.0)])
def test_clones_have_the_sizes_of_the_slow_twin(birth, death):
    first = np.array([0, 300, 700])
    lineages = np.random.default_rng(1).integers(0, 2**63, 700).astype(np.uint64)
    ages = np.random.default_rng(2).uniform(-10.0, 120.0, 700)
    found = kernels.clone_sizes(np.uint64(KEY), 0, 2, first, lineages, ages, birth, death)
    twin = [
        0 if age < 0.0 else reference_colonies.clone_size(KEY, int(i >= 300), lineages[i], age, birth, death)
        for i, age in enumerate(ages)
    ]
    assert np.array_equal(found, twin)
    assert np.max(found) > 5
    later = kernels.clone_sizes(np.uint64(KEY), 0, 2, first, lineages, ages + 5.0, birth, death)
    assert np.all(later[(found == 0.0) & (ages >= 0.0)] == 0.0)
    assert np.all((later >= found) | (later == 0.0))


def test_random_primaries_are_those_of_the_slow_twin():
    coefficient, exponent = 0.001, 0.7
    moments, upto, reached = kernels.stochastic_primaries(
        np.uint64(KEY), 0, 40, 0.05, 0.03, coefficient, exponent, 300.0, 280.0
    )
    for patient in range(40):
        twin, when = reference_colonies.stochastic_primary(
            KEY, patient, lambda x: coefficient * x**exponent, 0.05, 0.03, 300.0, 280.0
        )
        assert np.array_equal(moments[upto[patient] : upto[patient + 1]], twin)
        assert reached[patient] == when
    assert 5 < np.isinf(reached).sum() < 35
    assert moments.size > 20


def test_random_primaries_go_on_as_their_mean_from_the_size_they_are_followed_to():
    primary = BirthDeath(per("0.05 1/h"), per("0.03 1/h"), exact_below=200)
    own = Emission(per("1e-4 1/h"), per("1"))
    grown = colonies(EVEN, own, "600 h", 4000, 5, primary=primary, generations=1, resection="2000 cell")
    reached = grown.removed - np.log(10.0) / 0.02
    assert np.all(grown.born <= grown.removed[grown.patient])
    late = grown.born > reached[grown.patient]
    known = np.isfinite(grown.removed) & (grown.removed < grown.until)
    # emission while x grows from 200 to 2000 cells at a rate of 0.02 / h: 1e-4 * 1800 / 0.02 = 9 on average, Poisson
    n = np.bincount(grown.patient[late], minlength=4000)[known]
    assert n.size > 3500
    assert abs(n.mean() - 9.0) < 4.0 * np.sqrt(9.0 / n.size)
    assert abs(n.var() - 9.0) < 4.0 * np.sqrt((9.0 + 2 * 81.0) / n.size)
    both = colonies(EVEN, own, "600 h", 4000, 5, 2, primary=primary, generations=1, resection="2000 cell")
    assert np.array_equal(both.born, grown.born)


def test_clones_that_do_not_emit_are_extinct_as_often_as_they_should_be():
    clones = BirthDeath(per("0.05 1/h"), per("0.03 1/h"))
    grown = colonies(clones, Emission(per("0.05 1/h"), per("0")), "200 h", 20_000, 2, primary=EVEN, generations=1)
    age = grown.until - grown.born
    lost = np.sum(grown.sizes() == 0.0)
    rise = np.exp(0.02 * age)
    chance = 0.03 * (rise - 1.0) / (0.05 * rise - 0.03)
    # two-sided error rate 1e-4
    assert abs(lost - chance.sum()) < stats.norm.isf(5e-5) * np.sqrt(np.sum(chance * (1.0 - chance)))


# ---- errors -------------------------------------------------------------------------------------------------------
def test_everything_wrong_is_said_at_once():
    clones = BirthDeath(per("0.05 1/h"), per("0.06 1/h"))
    with pytest.raises(ModelError) as raised:
        colonies(clones, EMISSION, "0 h", 0, 1, 0, primary=clones, least=-1.0, most=0)
    text = str(raised.value)
    for word in ("patients is 0", "threads is 0", "most is 0", "until is 0 h", "generations=1", "least", "dies out"):
        assert word in text
    with pytest.raises(ModelError, match="generation 1"):
        colonies(SLOW, EMISSION, "1 day", 1, 1, generations=0)
    with pytest.raises(ModelError, match="leave out `least`"):
        colonies(clones, EMISSION, "1 day", 1, 1, generations=1, primary=EVEN, least=10.0)


def test_laws_in_other_units_or_without_their_numbers_are_refused():
    volume = gompertz(per("0.08 1/day"), per("1e4 mm**3"), unit="mm**3")
    named = exponential(Named("growth_of_lesions", "1/h"))
    with pytest.raises(ModelError) as raised:
        colonies(volume, EMISSION, "1 day", 1, 1, primary=named)
    assert "of metastases is in mm**3; colonies are counted in cells" in str(raised.value)
    assert "of the primary names rows of a table" in str(raised.value)


def test_laws_that_make_no_sense_are_refused():
    with pytest.raises(ModelError, match="above 0"):
        Emission(per("0 1/day"), per("1"))
    with pytest.raises(ModelError, match="must not be negative"):
        Emission(per("1 1/day"), per("-1"))
    with pytest.raises(ModelError) as raised:
        BirthDeath(per("0 1/day"), per("-1 1/day"), exact_below=1)
    assert all(word in str(raised.value) for word in ("birth is 0", "death is -1", "at least 2"))
    with pytest.raises(ModelError, match="never has"):
        inverse(SLOW, EMISSION, 1000.0, 1e11)


# ---- the page -----------------------------------------------------------------------------------------------------
def test_the_page_on_the_theory_runs_and_says_the_numbers_that_come_out():
    page = Path(__file__).parents[2] / "docs" / "metastasis_theory.md"
    if not page.is_file():
        pytest.skip("the documentation is not beside the tests")
    names = {}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)):
        exec(compile(block, f"metastasis_theory.md, block {number}", "exec"), names)
    assert names["patients"].counts().mean() == pytest.approx(134.9, rel=0.02)
    assert names["patients"].counts("678 day").mean() == pytest.approx(8.6, rel=0.05)
    assert names["detected"].mean() == pytest.approx(0.307, abs=0.06)
