"""Designs against what is published, against closed forms, and against how often their intervals hold."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import binomtest, norm
from statsmodels.stats.power import TTestIndPower, TTestPower

from paget.design import plan, power_at, power_curve
from paget.design.dose_response import fit_animals
from paget.design.hill import fit_hill, hill
from paget.design.power import binomial_interval
from paget.design.synergy import synergy_of
from paget.design.treatments import Animals, Told

TOLD = Told("response", "Response", "", "continuous")

# Root length of ryegrass (cm) over ferulic acid (mM). Inderjit, Streibig JC, Olofsdotter M (2002) Physiol Plant 114:422-428;
# Ritz C, Streibig JC (2005) J Stat Softw 12(5):1-22, data set "ryegrass" of the R package drc.
RYEGRASS = {
    0.0: (7.58, 8.0, 8.3285714, 7.25, 7.375, 7.9625),
    0.94: (8.3555556, 6.9142857, 7.75),
    1.88: (6.8714286, 6.45, 5.9222222),
    3.75: (1.925, 2.8857143, 4.2333333),
    7.5: (1.1875, 0.8571429, 1.0571429),
    15.0: (0.6875, 0.525, 0.825),
    30.0: (0.25, 0.22, 0.44),
}
# drm(rootl ~ conc, fct = LL.4()): steepness, lower limit, upper limit, ED50, and their standard errors
DRC = {"hill": (2.98222, 0.46506), "emax": (0.48141, 0.21219), "e0": (7.79296, 0.18857), "ec50": (3.05795, 0.18573)}

DOSES = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
TRUE = {"e0": 50.0, "emax": 10.0, "ec50": 2.0, "hill": 1.5}


def arms(values, paired):
    return Animals(tuple(map(str, range(len(values)))), tuple(values), paired, "")


def test_the_curve_of_published_data_is_that_of_the_package_drc(gallery):
    doses = np.array(list(RYEGRASS))
    values = [np.array(given) for given in RYEGRASS.values()]
    found = fit_animals(doses, arms(values, False), "ferulic acid", TOLD)
    spread = np.concatenate(values)
    told = (
        f"drc gives ED50 3.058 (SE 0.186), here {found.ec50.value:.3f} ({found.ec50.low:.2f} to {found.ec50.high:.2f})"
    )
    with gallery(
        "designs-ryegrass",
        title="A dose-response curve of published data",
        text=f"Root length of ryegrass under ferulic acid (Inderjit et al. 2002), fitted by four numbers; {told}. Steepness "
        "and both limits agree to the last digit that drc prints as well.",
    ) as axes:
        along = np.geomspace(0.3, 30, 80)
        middle, low, high = found.curve(along)
        axes.fill_between(along, low, high, alpha=0.2, lw=0)
        axes.plot(along, middle)
        axes.plot(along, hill(along, *(DRC[name][0] for name in ("e0", "emax", "ec50", "hill"))), "k:", label="drc")
        axes.plot(np.repeat(np.maximum(doses, 0.3), [len(v) for v in values]), spread, "o", ms=4, mfc="none")
        axes.set(xscale="log", xlabel="ferulic acid (mM)", ylabel="root length (cm)")
        axes.legend()
    for name, (value, _) in DRC.items():
        # six digits are published; both minimise the same sum of squares
        assert getattr(found, name).value == pytest.approx(value, abs=2e-4)


def test_the_minimum_is_found_for_every_kind_of_curve():
    """Against scipy from many starts: 40 noisy curves of all shapes."""
    luck = np.random.default_rng(1)
    worse = []
    for _ in range(40):
        true = (
            luck.uniform(0, 50),
            luck.uniform(0, 50),
            math.exp(luck.uniform(-1, 2)),
            math.exp(luck.uniform(-0.5, 1.2)),
        )
        row = hill(DOSES, *true) + luck.normal(0, 2, len(DOSES))
        found = float(fit_hill(DOSES, row[None, :]).squares[0])
        best = math.inf
        for half in (0.4, 1.5, 5.0):
            for power in (0.7, 2.0, 6.0):
                with contextlib.suppress(RuntimeError):  # a start from which scipy gives up
                    theirs, _ = curve_fit(
                        hill, DOSES, row, (row[0], row[-1], half, power),
                        bounds=([-1e3, -1e3, 0.25 / 30, 0.2], [1e3, 1e3, 480, 12]), max_nfev=400,
                    )  # fmt: skip
                    best = min(best, float(((hill(DOSES, *theirs) - row) ** 2).sum()))
        worse.append(found / best - 1)
    # a shallow valley may be left at a millionth of the sum of squares
    assert max(worse) < 1e-4


@pytest.mark.parametrize("animals", [5, 10])
def test_intervals_of_a_curve_hold_as_often_as_they_say(animals, gallery):
    """Counts whose spread grows with the mean, of the same animals at all doses, and of different ones."""
    trials, covered, answered = 60, {}, {}
    for paired in (True, False):
        luck = np.random.default_rng(7)
        hits, answered[paired] = dict.fromkeys(TRUE, 0), 0
        for trial in range(trials):
            vigour = luck.lognormal(-0.045, 0.3, (animals, 1 if paired else len(DOSES)))
            values = luck.poisson(hill(DOSES, *TRUE.values()) * vigour).astype(float)
            found = fit_animals(DOSES, arms(list(values.T), paired), "drug", TOLD, seed=trial, resamples=800)
            if found.identified:
                answered[paired] += 1
                for name, value in TRUE.items():
                    hits[name] += getattr(found, name).low <= value <= getattr(found, name).high
        covered[paired] = hits
    told = {
        paired: ", ".join(f"{name} {100 * hit / answered[paired]:.0f} %" for name, hit in hits.items())
        + f" ({trials - answered[paired]} refused)"
        for paired, hits in covered.items()
    }
    with gallery(
        f"designs-coverage-{animals}",
        title=f"Intervals of dose-response curves, {animals} animals",
        text=f"Share of {trials} simulated studies (counts, eight doses) in which the 95 % interval holds the truth. The same "
        f"animals at all doses: {told[True]}. Different animals: {told[False]}.",
    ) as axes:
        for shift, paired in ((-0.12, True), (0.12, False)):
            shares = np.array(list(covered[paired].values())) / answered[paired]
            limits = np.array([binomial_interval(hit, answered[paired]) for hit in covered[paired].values()]).T
            label = "the same" if paired else "different"
            axes.errorbar(np.arange(4) + shift, shares, np.abs(limits - shares), fmt="o", label=label)
        axes.axhline(0.95, ls=":", c="k")
        axes.set(xticks=range(4), xticklabels=list(TRUE), ylim=(0.6, 1.02), ylabel="intervals that hold the truth")
        axes.legend(title="animals at all doses", loc="lower right")
    for paired, hits in covered.items():
        # a half-effective dose that seems to lie above the doses is refused; of these counts that is rare
        assert answered[paired] >= 0.85 * trials
        for name, hit in hits.items():
            # sixteen shares are judged: below 95 % (90 % for five animals) by chance once in a thousand each
            share = binomtest(hit, answered[paired], 0.95 if animals >= 10 else 0.90, alternative="less")
            assert share.pvalue > 1e-3, (name, hit)


def test_false_synergy_is_as_rare_as_the_intervals_say(gallery):
    """Independent drugs judged by Bliss, a drug with itself by Loewe: the interval of the mean excess rarely leaves out 0."""
    levels = (0.0, 0.5, 1.0, 2.0, 4.0)
    board = tuple((a, b) for a in levels for b in levels)
    one, two = (0.0, 0.9, 1.5, 1.4), (0.0, 0.7, 2.0, 2.0)
    effects = {
        "bliss": [float(hill(a, *one) + hill(b, *two) - hill(a, *one) * hill(b, *two)) for a, b in board],
        "loewe": [float(hill(a + b, *one)) for a, b in board],
    }
    trials, animals, outside, found = 40, 8, {}, {}
    for rule, effect in effects.items():
        luck = np.random.default_rng(3)
        found[rule] = []
        for trial in range(trials):
            vigour = luck.lognormal(0, 0.25, (animals, 1))
            values = luck.poisson(60 * (1 - np.array(effect)) * vigour).astype(float)
            score = getattr(
                synergy_of(board, arms(list(values.T), True), ("A", "B"), TOLD, seed=trial, resamples=800), rule
            )
            found[rule].append((score.low, score.value, score.high))
        outside[rule] = sum(low > 0 or high < 0 for low, _, high in found[rule])
    with gallery(
        "designs-synergy",
        title="No synergy where there is none",
        text=f"Mean excess of 5 x 5 checkerboards of counts, 95 % intervals, {animals} animals. Independent drugs, Bliss: 0 "
        f"left out in {outside['bliss']} of {trials} studies; a drug with itself, Loewe: {outside['loewe']} of {trials}.",
        panels=2,
    ) as axes:
        for axis, (rule, scores) in zip(axes, found.items(), strict=True):
            low, value, high = (100 * np.array(scores)[np.argsort([s[1] for s in scores])]).T
            axis.errorbar(value, range(trials), xerr=[value - low, high - value], fmt=".", ms=3, lw=0.7)
            axis.axvline(0, c="k", ls=":")
            axis.set(xlabel=f"mean {rule.capitalize()} excess (% points)", yticks=[])
    for rule, count in outside.items():
        # 5 % are expected; one in a thousand by chance
        assert binomtest(count, trials, 0.05, alternative="greater").pvalue > 1e-3, rule
        middle = np.array(found[rule])[:, 1]
        # the mean over studies is off by no more than one point, which is what curves of few animals add
        assert abs(middle.mean()) < 0.01


@pytest.mark.parametrize("correlation", [None, 0.5])
def test_power_of_exchanges_is_that_of_the_t_test_for_normal_values(correlation, gallery):
    size = 1.0
    curve = power_curve(plan("continuous", 10, 7, sd=3, correlation=correlation), animals=range(3, 32, 2), studies=4000)
    formula = TTestIndPower() if correlation is None else TTestPower()
    exact = [formula.power(size, point.animals, 0.05) for point in curve.points]
    name = "independent" if correlation is None else "paired"
    needed = math.ceil(formula.solve_power(size, power=0.8, alpha=0.05))
    with gallery(
        f"designs-power-{name}",
        title=f"Power for continuous readouts, {name} animals",
        text=f"4,000 simulated studies tested by permutation against the power of the t test (noncentral t, statsmodels). For "
        f"80 %: {needed} by the formula, {curve.needed} ({curve.needed_low} to {curve.needed_high}) by simulation.",
    ) as axes:
        axes.plot([p.animals for p in curve.points], exact, label="formula")
        error = [[p.power - p.low for p in curve.points], [p.high - p.power for p in curve.points]]
        axes.errorbar(
            [p.animals for p in curve.points], [p.power for p in curve.points], error, fmt="o", ms=3, label="simulated"
        )
        axes.set(xlabel="animals per arm", ylabel="power")
        axes.legend()
    assert curve.needed_low <= needed <= curve.needed_high
    for point, theirs in zip(curve.points, exact, strict=True):
        # three standard errors; few animals have few exchanges, and Welch's test loses a little against the pooled one
        assert abs(point.power - theirs) < 3 * math.sqrt(theirs * (1 - theirs) / 4000) + (
            0.03 if point.animals < 8 else 0.003
        )


def test_power_of_the_log_rank_test_is_that_of_schoenfeld(gallery):
    """Schoenfeld DA (1981) Biometrika 68:316-319: power from the number of events and the hazard ratio."""
    numbers, follow_up, medians = (20, 30, 45, 60), 60.0, (20.0, 36.0)
    scenario = plan("time", *medians, follow_up=follow_up)
    rates = [math.log(2) / m for m in medians]
    happen = sum(1 - math.exp(-r * follow_up) for r in rates) / 2
    found = [power_at(scenario, n, studies=600)[0] for n in numbers]
    exact = [
        norm.cdf(math.sqrt(2 * n * happen) / 2 * abs(math.log(rates[1] / rates[0])) - norm.ppf(0.975)) for n in numbers
    ]
    told = "; ".join(
        f"{n} animals {100 * f.power:.0f} % ({100 * e:.0f} %)" for n, f, e in zip(numbers, found, exact, strict=True)
    )
    with gallery(
        "designs-power-logrank",
        title="Power of the log-rank test",
        text=f"Simulated exponential times with censoring against Schoenfeld's formula: {told}.",
    ) as axes:
        axes.plot(numbers, exact, label="Schoenfeld")
        error = [[p.power - p.low for p in found], [p.high - p.power for p in found]]
        axes.errorbar(numbers, [p.power for p in found], error, fmt="o", ms=3, label="simulated")
        axes.set(xlabel="animals per arm", ylabel="power", ylim=(0, 1))
        axes.legend()
    for point, theirs in zip(found, exact, strict=True):
        # three standard errors, and two points because the formula takes the hazard ratio as near 1
        assert abs(point.power - theirs) < 3 * math.sqrt(theirs * (1 - theirs) / 600) + 0.02
