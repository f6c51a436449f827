"""Numbers, births and sizes of metastases against closed forms and the exact renewal equation, each written here anew.

Patients are simulated by inversion of their emission (`paget.body.colonies`), and no comparison uses a number of it. A correct
engine fails a test of chance here once in a thousand seeds at most (`ALARM`, shared among the comparisons of a case); seeds are
fixed. Intervals in pictures and texts are of 99 %.
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
from metastasis_forms import (
    ALARM,
    BEND,
    CLASSES,
    DAY,
    DAYS,
    EMISSION,
    INK,
    IWATA,
    MARK,
    SCALE,
    SECOND,
    WIDE,
    A,
    chances,
    chi_square,
    days_of,
    descendants,
    expected,
    given,
    limit_of,
    total,
)
from scipy import stats
from scipy.optimize import brentq
from scipy.special import beta, gamma, gammainc

from paget.body.colonies import colonies
from paget.body.emission import BirthDeath, Emission, emitted
from paget.body.growth_laws import exponential
from paget.kernels.colonies import clone_sizes


# ---- Iwata 2000 ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def whole():
    """Patients with metastases of all generations at each day."""
    return {day: colonies(IWATA, EMISSION, f"{day} day", n, seed=day, threads=2) for day, n in DAYS.items()}


def test_metastases_of_all_generations_are_as_many_as_the_renewal_equation_says(whole, gallery):
    tabulated = {  # more than 0, 1e5, 1e7, 1e8, 1e9 cells
        678: (8.5938, 0.6742, 0.0475, 0.0035, 0.0),
        1110: (134.908, 42.275, 15.600, 6.214, 1.061),
        1237: (262.986, 85.516, 37.686, 18.502, 4.915),
        1310: (395.535, 124.540, 57.791, 30.810, 9.880),
    }
    found = {}
    for day, grown in whole.items():
        for cells, known in zip(CLASSES, tabulated[day], strict=True):
            exact = expected(day, cells)
            assert exact == pytest.approx(known, rel=1e-6, abs=6e-5 if day == 678 else 6e-4)
            counts = grown.counts(above=cells)
            if exact * counts.size >= 100.0:
                found[day, cells] = exact, counts.mean(), counts.std() / np.sqrt(counts.size)
    z = np.array([(mean - exact) / error for exact, mean, error in found.values()])
    patients = ", ".join(f"{n:,}" for n in DAYS.values())
    text = (
        f"Growth, emission and re-emission of Iwata et al. 2000 in {patients} patients at days 678, 1110, 1237 and "
        f"1310, against the renewal equation: all metastases and those above 1e5 to 1e9 cells. The means of {z.size} "
        f"classes are within {np.abs(z).max():.2f} standard errors; at day 1310 there are {found[1310, 0.0][1]:.1f} ± "
        f"{WIDE * found[1310, 0.0][2]:.1f} metastases (exact {found[1310, 0.0][0]:.3f}), of which "
        f"{found[1310, 1e9][1]:.3f} ± {WIDE * found[1310, 1e9][2]:.3f} exceed 1e9 cells (exact "
        f"{found[1310, 1e9][0]:.3f})."
    )
    with gallery("iwata-all-generations", title="Metastases that metastasise", text=text, panels=2) as axes:
        for day, colour in zip(DAYS, ("#9fb3c8", "#627d98", MARK, INK), strict=True):
            edges = np.logspace(0, 10.5, 120)
            axes[0].loglog(edges, [max(expected(day, x), 1e-9) for x in edges], color=colour, lw=1, label=f"day {day}")
            points = [(max(c, 1.0), m, WIDE * e) for (d, c), (_, m, e) in found.items() if d == day]
            axes[0].errorbar(*np.array(points).T, fmt="o", ms=3, color=colour)
        axes[0].set(ylim=(1e-3, 1e3), xlabel="cells", ylabel="metastases of more cells")
        axes[0].legend(fontsize=7)
        ratio = np.array([(m / e, WIDE * s / e) for e, m, s in found.values()])
        axes[1].errorbar(np.arange(z.size), ratio[:, 0], ratio[:, 1], fmt="o", ms=3, color=MARK)
        axes[1].axhline(1.0, color=INK, lw=0.8)
        axes[1].set(xlabel="class of size and day", ylabel="simulated / exact", xticks=[])
    assert np.all(np.abs(z) < limit_of(z.size))
    assert z.size >= 18


def test_numbers_at_diagnosis_have_the_exact_distribution(whole, gallery):
    exact = chances(678)
    mean, variance = descendants(2000)[:, 678]
    assert mean == pytest.approx(8.5938, abs=5e-5)
    assert variance == pytest.approx(8.6648, abs=1e-4)
    assert exact @ np.arange(exact.size) == pytest.approx(mean, rel=1e-5)
    counts = whole[678].counts()
    n = counts.size
    seen = np.bincount(counts, minlength=exact.size)
    p = chi_square(seen, n * exact)
    centred = counts - counts.mean()
    error = np.sqrt((np.mean(centred**4) - counts.var() ** 2) / n)
    text = (
        f"Metastases of {n:,} patients at diagnosis (day 678) against the exact distribution from its generating "
        f"function (chi-square p = {p:.3g}); the variance is {counts.var():.4f} ± {WIDE * error:.4f} (exact "
        f"{variance:.4f}), not the mean of {mean:.4f}: metastases of metastases come in families."
    )
    with gallery("iwata-numbers-at-diagnosis", title="Numbers of metastases at diagnosis", text=text) as axes:
        axes.bar(np.arange(25), seen[:25] / n, color=MARK, alpha=0.4, label="simulated")
        axes.plot(np.arange(25), exact[:25], "o", ms=3, color=INK, label="exact")
        axes.set(xlabel="metastases at day 678", ylabel="share of patients")
        axes.legend()
    assert p > ALARM / 2
    assert abs(counts.var() - variance) < limit_of(2) * error


def test_the_exact_numbers_are_those_of_the_reference(reference):
    with (reference / "body" / "iwata2000_exact.csv").open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    exact = descendants(2000)[0]
    compared = 0
    for row in rows:
        day = float(row["t_days"])
        if day != round(day) or day > 1310 or day < 1:
            continue
        # the table was made with the trapezoid rule and steps of half a day
        assert float(row["N_total"]) == pytest.approx(exact[round(day)], rel=2e-4)
        assert float(row["Lambda_first_generation"]) == pytest.approx(float(total(day)), rel=1e-4)
        compared += 1
    assert compared > 50
    with (reference / "body" / "iwata2000_pmf_total_mets_day678.csv").open() as file:
        known = np.array([float(row[1]) for row in list(csv.reader(file))[1:]])
    assert np.allclose(chances(678)[: known.size], known, rtol=0.0, atol=2e-5)


def test_a_population_of_metastases_grows_at_the_rate_of_malthus(gallery):
    def surplus(growth):
        order = growth / A
        return SCALE / A * BEND**-order * gamma(order) * gammainc(order, BEND) - 1.0

    malthus = brentq(surplus, 1e-4, 0.1)
    assert malthus == pytest.approx(0.00580566, abs=5e-9)
    late = descendants(4000, 4.0)[0]
    slope = np.log(late[-1] / late[-26]) / 100.0
    assert slope == pytest.approx(malthus, rel=1e-5)
    patients = 100
    grown = colonies(IWATA, EMISSION, "1900 day", patients, seed=9, threads=2)
    shown = np.arange(500, 1901, 100)
    course = np.array([np.bincount(grown.patient[grown.born <= day * DAY], minlength=patients) for day in shown])
    before, after = course[10], course[14]
    found = np.log(after.mean() / before.mean()) / 400.0
    share = after / after.mean() - before / before.mean()
    error = share.std() / np.sqrt(patients) / 400.0
    exact = descendants(2000)[0]
    true = np.log(exact[1900] / exact[1500]) / 400.0
    text = (
        f"Left alone, metastases of metastases take over and the number grows at {malthus:.8f} per day (doubling in "
        f"{np.log(2) / malthus:.1f} days), the root of Euler's equation. From day 1500 to 1900 the renewal equation "
        f"still says {true:.6f}; {patients} patients with {after.mean():,.0f} metastases each give {found:.6f} ± "
        f"{WIDE * error:.6f}."
    )
    with gallery("iwata-malthus", title="Growth of the number of metastases", text=text) as axes:
        t = np.arange(100, 2001)
        axes.semilogy(t, exact[100:], color=INK, lw=1, label="renewal equation")
        axes.semilogy(t, exact[1900] * np.exp(malthus * (t - 1900)), ":", color=SECOND, label="rate of Malthus")
        axes.semilogy(shown, course.mean(1), "o", ms=3, color=MARK, label="simulated")
        axes.set(ylim=(1e-3, 1e5), xlabel="day", ylabel="metastases of a patient")
        axes.legend(fontsize=7)
    assert abs(found - true) < limit_of(1) * error


def test_daughters_of_the_primary_are_a_poisson_process(gallery):
    patients = 20_000
    grown = colonies(IWATA, EMISSION, "1110 day", patients, seed=5, threads=2, generations=1)
    counts = grown.counts()
    mean = float(total(1110.0))
    assert mean == pytest.approx(111.776, abs=5e-4)
    support = np.arange(300)
    p_counts = chi_square(np.bincount(counts, minlength=300), patients * stats.poisson.pmf(support, mean))
    uniform = total(grown.born / DAY) / mean
    p_births = stats.kstest(uniform, "uniform").pvalue
    first = np.full(patients, np.inf)
    np.minimum.at(first, grown.patient, grown.born / DAY)
    p_first = stats.kstest(-np.expm1(-total(first)), "uniform").pvalue
    median = np.median(first)
    exact = brentq(lambda t: total(t) - np.log(2.0), 1.0, 1000.0)
    assert exact == pytest.approx(464.245, abs=1e-3)
    text = (
        f"Without metastases of metastases, {patients:,} patients have {counts.mean():.2f} ± "
        f"{WIDE * counts.std() / np.sqrt(patients):.2f} at day 1110 (exact {mean:.3f}) with a Poisson distribution (p "
        f"= {p_counts:.2g}), born as L(t) grows (p = {p_births:.2g}), and the share without any falls as exp(-L(t)) "
        f"(p = {p_first:.2g}; the first comes at a median of {median:.1f} days, exact {exact:.1f})."
    )
    with gallery("iwata-first-generation", title="Metastases of the primary alone", text=text, panels=2) as axes:
        t = np.linspace(300, 700, 200)
        axes[0].plot(t, np.exp(-total(t)), color=INK, lw=1, label="exp(-L)")
        shown = np.linspace(320, 680, 19)
        left = np.array([np.mean(first > day) for day in shown])
        axes[0].errorbar(
            shown, left, WIDE * np.sqrt(left * (1 - left) / patients), fmt="o", ms=3, color=MARK, label="simulated"
        )
        axes[0].set(xlabel="day", ylabel="share without a metastasis")
        axes[0].legend()
        n = np.arange(70, 155)
        axes[1].bar(n, np.bincount(counts, minlength=300)[n] / patients, color=MARK, alpha=0.4)
        axes[1].plot(n, stats.poisson.pmf(n, mean), color=INK, lw=1)
        axes[1].set(xlabel="metastases at day 1110", ylabel="share of patients")
    assert min(p_counts, p_births, p_first) > ALARM / 3


# ---- clones by birth and death ------------------------------------------------------------------------------------
def test_clones_die_out_and_grow_as_the_linear_birth_and_death_process(gallery):
    birth, death, days, patients = 1.0, 0.9, 50.0, 100
    clones = BirthDeath(given(birth, "1/day"), given(death, "1/day"))
    # births of metastases are spread evenly over three hours, so that ages run from 50 days to 50 days and 3 hours
    steady = Emission(given(10000, "1/h"), given(0))
    grown = colonies(clones, steady, "1203 h", patients, seed=6, primary=IWATA, generations=1, resection="3 h")
    age = grown.until - grown.born
    n = age.size
    cells = clone_sizes_at(grown, days * DAY)
    rise = np.exp((birth - death) * days)
    lost = death * (rise - 1.0) / (birth * rise - death)
    ratio = birth * (rise - 1.0) / (birth * rise - death)
    mean = 1.0 / (1.0 - ratio)
    assert lost == pytest.approx(0.8993899, abs=5e-8)
    assert mean == pytest.approx(1475.13, abs=5e-3)
    dead = np.mean(cells == 0.0)
    alive = cells[cells > 0.0]
    edges = np.append(np.arange(0.0, 6000.0, 100.0), np.inf)
    seen = np.histogram(alive, edges + 0.5)[0]
    p = chi_square(seen, alive.size * -np.diff(np.append(ratio ** edges[:-1], 0.0)))
    errors = np.sqrt(lost * (1 - lost) / n), mean * np.sqrt(ratio / alive.size)
    text = (
        f"{n:,} clones of one cell with division at 1 and death at 0.9 per day, after 50 days: {dead:.5f} ± "
        f"{WIDE * errors[0]:.5f} are extinct (exact {lost:.7f}); the others have {alive.mean():.1f} ± "
        f"{WIDE * errors[1]:.1f} cells (exact {mean:.2f}), geometrically distributed (p = {p:.2g})."
    )
    with gallery("birth-death-clones", title="Extinction and size of clones", text=text) as axes:
        x = np.arange(0, 10_000, 50)
        axes.semilogy(x, ratio**x, color=INK, lw=1, label="geometric")
        axes.semilogy(x, [np.mean(alive > i) for i in x], ".", ms=3, color=MARK, label="simulated")
        axes.set(xlabel="cells", ylabel="share of living clones above")
        axes.legend()
    assert abs(dead - lost) < limit_of(3) * errors[0]
    assert abs(alive.mean() - mean) < limit_of(3) * errors[1]
    assert p > ALARM / 3


def clone_sizes_at(grown, hours):
    """Cells of every clone at one age."""
    ages = np.full(grown.born.size, hours)
    return clone_sizes(np.uint64(77), 0, grown.patients, grown.first, grown.lineage, ages, *grown.law.rates)


def test_sizes_of_metastases_follow_luria_and_delbrueck(gallery):
    slow, fast, cells, nu, patients = 0.05, 0.1, 1e6, 1e-4, 1500
    primary = exponential(given(slow, "1/day"))
    clones = BirthDeath(given(fast, "1/day"), given(0, "1/day"))
    until = days_of(np.log(cells) / slow)
    grown = colonies(
        clones, Emission(given(nu, "1/day"), given(1)), until, patients, 7, 2, primary=primary, generations=1
    )
    sizes = grown.sizes()
    share = slow / fast

    def mean(k):
        return nu * cells / fast * beta(1.0 + share, k)

    assert mean(1) == pytest.approx(666.667, abs=1e-3)
    assert mean(100) == pytest.approx(0.882921, abs=1e-6)
    small = np.arange(1, 301)
    # numbers of metastases of each size are independent Poisson numbers
    n = np.bincount(np.minimum(sizes, 301).astype(int), minlength=302)[1:301]
    z = (n - patients * mean(small)) / np.sqrt(patients * mean(small))
    p = float(stats.chi2.sf(np.sum(z**2), z.size))
    total_seen, total_mean = sizes.size / patients, nu * (cells - 1.0) / slow
    tail = sizes[sizes >= 500.0] - 0.5
    # of k >= 500 the law is a power law to 1 / 500: exponent by maximum likelihood (Hill)
    exponent = 1.0 / np.mean(np.log(tail / 499.5))
    error = exponent / np.sqrt(tail.size)
    text = (
        f"Clones that grow twice as fast as the primary that founds them, at its 1e6 cells: {patients:,} patients "
        f"with {total_seen:.1f} ± {WIDE * np.sqrt(total_mean / patients):.1f} metastases (exact {total_mean:.1f}). "
        f"Numbers of each size from 1 to 300 cells fit (nu N / l2) B(1 + l1/l2, k) (p = {p:.2g}); the largest half a "
        f"percent falls with the power {exponent:.4f} ± {WIDE * error:.4f} (exact {share})."
    )
    with gallery("luria-delbrueck-sizes", title="Sizes of metastases: Luria and Delbrück", text=text, panels=2) as axes:
        axes[0].loglog(small, mean(small), color=INK, lw=1, label="exact")
        axes[0].loglog(small, n / patients, ".", ms=3, color=MARK, label="simulated")
        axes[0].set(xlabel="cells k", ylabel="metastases of k cells")
        axes[0].legend()
        x = np.logspace(2, 8, 60)
        axes[1].loglog(x, [np.mean(sizes > i) for i in x], ".", ms=3, color=MARK)
        axes[1].loglog(x, gamma(1.0 + share) * x**-share, color=INK, lw=1)
        axes[1].set(xlabel="cells k", ylabel="share of metastases above")
    assert p > ALARM / 3
    assert abs(total_seen - total_mean) < limit_of(3) * np.sqrt(total_mean / patients)
    assert abs(exponent - share) < limit_of(3) * error


def test_relapse_after_resection_comes_when_it_should(gallery):
    slow, birth, death, cells, nu, seen_at, patients = 0.02, 0.25, 0.20, 1e9, 1e-10, 1e6, 100_000
    fast, kept = birth - death, 1.0 - death / birth
    share = slow / fast

    def relapsed(days):
        lower = gamma(share) * gammainc(share, seen_at * kept * np.exp(-fast * days))
        return -np.expm1(-nu * cells * kept / fast * (seen_at * kept) ** -share * np.exp(slow * days) * lower)

    start = np.log(cells) / slow
    grown = colonies(
        BirthDeath(given(birth, "1/day"), given(death, "1/day")),
        Emission(given(nu, "1/day"), given(1)),
        days_of(start + 400.0),
        patients,
        8,
        2,
        primary=exponential(given(slow, "1/day")),
        generations=1,
        resection="1e9 cell",
    )
    days = np.arange(0.0, 401.0, 50.0)
    exact = relapsed(days)
    assert exact[[1, 2, 4, 6, 8]] == pytest.approx([0.0181122, 0.0484714, 0.307276, 0.625749, 0.632077], rel=1e-5)
    found = np.array([np.mean(grown.counts(grown.removed + day * DAY, above=seen_at - 1.0) > 0) for day in days])
    error = np.sqrt(exact * (1.0 - exact) / patients)
    z = (found - exact) / error
    shown = ", ".join(f"{found[i]:.4f} ± {WIDE * error[i]:.4f} ({exact[i]:.4f})" for i in (2, 4, 6, 8))
    text = (
        "A primary is resected at 1e9 cells; its metastases divide at 0.25 and die at 0.20 per day and are detected "
        f"at 1e6 cells. Of {patients:,} patients these relapsed by 100, 200, 300 and 400 days (closed form): {shown}; "
        "the rest never will."
    )
    with gallery("relapse-after-resection", title="Relapse after resection", text=text) as axes:
        t = np.linspace(0, 400, 200)
        axes.plot(t, relapsed(t), color=INK, lw=1, label="closed form")
        axes.errorbar(days, found, WIDE * error, fmt="o", ms=3, color=MARK, label="simulated")
        axes.set(xlabel="days after resection", ylabel="share relapsed")
        axes.legend()
    assert np.all(np.abs(z) < limit_of(z.size))


def test_a_random_primary_has_no_metastasis_as_often_as_first_passage_says(gallery):
    birth, death, patients = 0.25, 0.20, 20_000
    growth, kept = birth - death, 1.0 - death / birth
    random = BirthDeath(given(birth, "1/day"), given(death, "1/day"), exact_below=1000)

    def without(cells, nu):
        """First passage: in the integral of its size as its clock, the primary is a random walk that emission ends."""
        high, low = np.sort(np.roots([birth, -(birth + death + nu * kept), death]))[::-1]
        reached = (1.0 - death / birth) / (1.0 - (death / birth) ** cells)
        return (high - low) / (high**cells - low**cells) / reached

    sizes = np.array([25, 50, 100, 200])
    # emission per cell and day: the same at all sizes, and such that nu q N / l is 0.2, for which 0.8187 is known
    rates = np.full(4, 5e-3), 0.2 * growth / (kept * sizes)
    found = np.empty((2, 4))
    for i, nus in enumerate(rates):
        for j, (cells, nu) in enumerate(zip(sizes, nus, strict=True)):
            # only metastases that survive are followed: emission times their share
            emission = Emission(given(nu * kept, "1/day"), given(1))
            grown = colonies(
                random,
                emission,
                "2000 day",
                patients,
                10 + i,
                2,
                primary=random,
                generations=1,
                resection=f"{cells} cell",
            )
            assert np.all(np.isfinite(grown.removed))
            found[i, j] = np.mean(np.diff(grown.first) == 0)
    exact = np.array([[without(cells, nu) for cells, nu in zip(sizes, nus, strict=True)] for nus in rates])
    error = np.sqrt(exact * (1.0 - exact) / patients)
    z = (found - exact) / error
    assert without(20_000, 0.2 * growth / (kept * 20_000)) == pytest.approx(np.exp(-0.2), abs=1e-4)
    text = (
        f"A primary that grows from one cell by random division (0.25 per day) and death (0.20), {patients:,} "
        f"patients: the share without a surviving metastasis when it first has 200 cells is {found[0, -1]:.4f} ± "
        f"{WIDE * error[0, -1]:.4f} at an emission of 0.005 per cell and day (first passage of a random walk: "
        f"{exact[0, -1]:.4f}), and {found[1, -1]:.4f} ± {WIDE * error[1, -1]:.4f} where nu q N / l = 0.2 (exact "
        f"{exact[1, -1]:.4f}). The usual exp(-nu q N / l), which neglects chance in the primary, says "
        f"{np.exp(-5e-3 * kept * 200 / growth):.4f} and {np.exp(-0.2):.4f}, and holds for large N."
    )
    with gallery("no-metastasis", title="Primaries without a metastasis", text=text, panels=2) as axes:
        x = np.arange(15, 251)
        walk = [without(i, 5e-3) for i in x], [without(i, 0.2 * growth / (kept * i)) for i in x]
        simple = np.exp(-5e-3 * kept * x / growth), np.full(x.size, np.exp(-0.2))
        names = "emission 0.005 per cell and day", "nu q N / l = 0.2"
        for i in range(2):
            axes[i].errorbar(sizes, found[i], WIDE * error[i], fmt="o", ms=3, color=MARK, label="simulated")
            axes[i].plot(x, walk[i], color=INK, lw=1, label="first passage")
            axes[i].plot(x, simple[i], ":", color=SECOND, label="exp(-nu q N / l)")
            axes[i].set(xlabel="cells of the primary", ylabel="share without a metastasis", title=names[i])
        axes[0].legend()
    assert np.all(np.abs(z) < limit_of(z.size))


# ---- Benzekry 2021 ------------------------------------------------------------------------------------------------
DOUBLING = 48.0  # h
PATIENTS_2021 = (  # primary in mm3, emission per cell and day, diameter in mm from which one is visible, visible metastases
    (1142859.0474984066, 0.0003032140520920622, 3.3564730352040772, 50.499943912214526),
    (824668.0715673207, 0.03640526243481737, 15.472635781531928, 44.55882665315464),
    (434392.62388108595, 0.007844431594371223, 8.229743900127392, 33.66657928904638),
    (508242.67070755194, 0.00801582012811867, 22.377447339413454, 1.9803897860797726),
)


def test_visible_metastases_of_neuroblastoma_are_the_published_ones(gallery):
    growth = np.log(2.0) / DOUBLING * DAY
    law = exponential(given(np.log(2.0) / DOUBLING, "1/h"))
    patients, means, errors = 20_000, [], []
    for volume, mu, diameter, published in PATIENTS_2021:
        primary, visible = 1e6 * volume, 1e6 * np.pi / 6.0 * diameter**3
        closed = mu / growth * (primary / visible - 1.0)
        assert closed == pytest.approx(published, rel=1e-13)
        emission = Emission(given(mu, "1/day"), given(1))
        born_by = np.log(primary / visible) / growth  # those born later are not yet visible
        assert emitted(law, emission, np.array([born_by * DAY]))[0] == pytest.approx(published, rel=1e-11)
        counts = colonies(law, emission, days_of(born_by), patients, 11, 2, generations=1).counts()
        means.append(counts.mean())
        errors.append(np.sqrt(published / patients))
    means, errors = np.array(means), np.array(errors)
    published = np.array([row[3] for row in PATIENTS_2021])
    example = 1e-3 / growth * (1e6 * 1142859.0474984066 / (1e6 * np.pi / 6.0 * 125.0) - 1.0)
    assert round(example, 1) == 50.4
    z = (means - published) / errors
    shown = ", ".join(f"{m:.3f} ± {WIDE * e:.3f} ({p:.3f})" for m, e, p in zip(means, errors, published, strict=True))
    text = (
        "Four fitted patients of Benzekry et al. 2021: the closed form gives the published numbers to 1e-13; "
        f"{patients:,} simulated patients each have these numbers of visible metastases on average (published): "
        f"{shown}."
    )
    with gallery("benzekry-2021", title="Neuroblastoma: visible metastases per patient", text=text) as axes:
        axes.errorbar(published, means / published, WIDE * errors / published, fmt="o", ms=4, color=MARK)
        axes.axhline(1.0, color=INK, lw=0.8)
        axes.set(xlabel="visible metastases, published", ylabel="simulated / published")
    assert np.all(np.abs(z) < limit_of(z.size))


def test_total_burden_of_exponential_growth_is_the_closed_form(gallery):
    mu, patients, days = 0.02, 20_000, np.array([5.0, 10.0, 15.0, 20.0, 25.0])
    growth = np.log(2.0) / DOUBLING * DAY
    law = exponential(given(np.log(2.0) / DOUBLING, "1/h"))
    grown = colonies(law, Emission(given(mu, "1/day"), given(1)), "25 day", patients, 12, 2, generations=1)
    burden = np.array([grown.burden(day * DAY).mean() for day in days])
    mean = mu * days * np.exp(growth * days)
    error = np.sqrt(mu / growth * np.exp(2 * growth * days) * -np.expm1(-growth * days) / patients)
    z = (burden - mean) / error
    text = (
        f"Cells in all metastases when primary and metastases double in 48 h: mu t exp(a t). {patients:,} simulated "
        f"patients have {burden[-1]:.1f} ± {WIDE * error[-1]:.1f} cells after 25 days, exact {mean[-1]:.1f}."
    )
    with gallery("metastatic-burden", title="Total burden of metastases", text=text) as axes:
        t = np.linspace(3, 25, 100)
        axes.semilogy(t, mu * t * np.exp(growth * t), color=INK, lw=1, label="closed form")
        axes.errorbar(days, burden, WIDE * error, fmt="o", ms=3, color=MARK, label="simulated")
        axes.set(xlabel="day", ylabel="cells in metastases")
        axes.legend()
    # sums of few large lesions are skewed: five standard errors of 20,000 patients
    assert np.all(np.abs(z) < 5.0)
