"""Dose-response curves: the Hill curve through the animals of a dose series, and whether the doses tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paget.compare.wording import join_notes, p_in_words
from paget.design.hill import FREE, MOST_STEEP, Constraints, HillFits, fit_hill
from paget.design.resampling import FEWEST_ANIMALS, RESAMPLES, Estimate, estimate, expanded_interval, mean_resamples
from paget.design.treatments import Animals, Found, Told, animals_of, dose_series, told_of
from paget.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DoseResponse", "dose_response", "fit_animals"]

Values = npt.NDArray[np.float64]

_SIGNIFICANT = 0.05
_AT_BOUND = 0.999


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """The response to a drug over its dose, fitted by a Hill curve.

    Attributes
    ----------
    drug, readout, title, unit : what was given, and what was read out.
    doses, arms, n, means, sds : one of each per dose, in mg/kg from the lowest up.
    trend_p : two-sided p of the test that the response rises or falls with the order of the doses.
    identified : whether the doses and animals tell the curve; if not, `reason` says why, and what to do.
    e0, emax, ec50, hill : response without drug and at saturation, half-effective dose in mg/kg, steepness, each with its
        95 % interval; None where it cannot be told, and 0 or infinity for a limit beyond the doses. A number that was
        given beforehand has itself as limits.
    lack_of_fit_p : p of the test that the means lie on a Hill curve; None with as many numbers as doses.
    paired : whether the same animals got every dose. note : what a reader must know beside this.
    """

    drug: str
    readout: str
    title: str
    unit: str
    doses: tuple[float, ...]
    arms: tuple[str, ...]
    n: tuple[int, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]
    trend_p: float
    identified: bool
    reason: str
    e0: Estimate | None
    emax: Estimate | None
    ec50: Estimate | None
    hill: Estimate | None
    lack_of_fit_p: float | None
    paired: bool
    note: str
    _best: HillFits = field(repr=False)
    _resampled: HillFits = field(repr=False)

    def curve(self, doses: npt.ArrayLike) -> tuple[Values, Values, Values]:
        """The fitted response at doses in mg/kg, and the limits of its 95 % band, each for itself."""
        among = self._resampled.at(doses)
        bands = [expanded_interval(among[:, i], min(self.n)) for i in range(among.shape[1])]
        return self._best.at(doses)[0], np.array([low for low, _ in bands]), np.array([high for _, high in bands])

    def table(self) -> pd.DataFrame:
        """One row per dose: animals, mean, standard deviation, and the fitted response with its 95 % band."""
        import pandas as pd

        rows: dict[str, tuple[Any, ...]] = {"dose (mg/kg)": self.doses, "arm": self.arms, "animals": self.n}
        rows |= {"mean": self.means, "sd": self.sds}
        if self.identified:
            fitted, low, high = self.curve(self.doses)
            rows |= {"fitted": tuple(fitted), "fitted low": tuple(low), "fitted high": tuple(high)}
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """Write the finding as a paper would."""
        about = f"{self.title} over the dose of {self.drug}"
        count = f"n = {min(self.n)} animals" + (" that got every dose" if self.paired else " per dose")
        tail = f"{count}, {len(self.doses)} doses, trend p {p_in_words(self.trend_p)}"
        if not self.identified:
            return f"{about}: no EC50 can be given. {self.reason} ({tail})"
        assert self.ec50 is not None
        assert self.hill is not None
        parts = [f"EC50 {_told(self.ec50)} mg/kg", f"Hill coefficient {_told(self.hill)}"]
        unit = f" {self.unit}" if self.unit else ""
        for name, found in (("without drug", self.e0), ("at saturation", self.emax)):
            parts.append(f"{name} {_told(found)}{unit}" if found is not None else f"{name} not known")
        return f"{about}: {', '.join(parts)} (95 % CI; {join_notes(tail, self.note)})"

    def __str__(self) -> str:
        return self.sentence()


def dose_response(
    result: Found, drug: str, readout: str, *, known: Constraints = FREE, paired: bool = True, seed: int = 1
) -> DoseResponse:
    """Fit a Hill curve to the arms of a result that differ in nothing but the amount of a drug.

    Parameters
    ----------
    result : a finished result, with a sweep over the dose or arms made by hand.
    drug, readout : what was given, and what is read out.
    known : numbers of the curve that are known, such as ``Constraints(emax=0.0)``.
    paired : whether animals of one number are one animal, as in every study of paget.
    seed : of the resampling.

    Raises
    ------
    ResultError, UnknownNameError
        If there is no such drug, readout or series of doses, or too few doses or animals.
    """
    series = dose_series(result.study, drug)
    told = told_of(result, readout)
    animals = animals_of(result, readout, tuple(series.values()), paired)
    return fit_animals(np.array(list(series)), animals, drug, told, known=known, seed=seed)


def fit_animals(
    doses: Values,
    animals: Animals,
    drug: str,
    told: Told,
    *,
    known: Constraints = FREE,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> DoseResponse:
    r"""Fit a Hill curve to the animals of each dose, with intervals from resampled animals.

    The curve is the one with the least sum of squares over all animals. Intervals are expanded percentiles of curves
    fitted to animals drawn again, each with all its doses if they are the same animals. No half-effective dose is
    given where the response does not change with the dose (trend test), or where half of the effect is reached
    outside the doses: such a number would come from the formula, not from the animals.

    *Assumes* one rising or falling curve. *Leaves out* that a response may turn back at high doses; the test of lack of
    fit tells.
    """
    positive = doses[doses > 0]
    if len(doses) < known.free:
        raise ResultError(
            f"A Hill curve with {known.free} unknown numbers needs at least {known.free} doses (0 may be one of them); "
            f"'{told.name}' has {len(doses)}. Add doses, or give numbers that are known."
        )
    if animals.fewest < FEWEST_ANIMALS:
        raise ResultError(f"Intervals need at least {FEWEST_ANIMALS} animals per dose; there are {animals.fewest}.")
    weights = np.array([len(values) for values in animals.values], np.float64)
    best = fit_hill(doses, animals.means[None, :], weights, known)
    means = mean_resamples(list(animals.values), animals.paired, seed, resamples)
    resampled = fit_hill(doses, means, weights, known)
    p = trend_test(animals)
    low, high = float(positive.min()), float(positive.max())
    found = _estimates(best, resampled, animals.fewest, known, (low, high))
    reason = _why_not(float(best.ec50[0]), p, (low, high))
    steep = found["hill"]
    notes = [animals.left_out]
    if not reason and known.hill is None and steep.high >= _AT_BOUND * MOST_STEEP:
        notes.append("the doses are too far apart to tell how steep the curve is")
    if not reason and known.emax is None and math.isinf(found["ec50"].high):
        notes.append("the response at saturation is not reached, so EC50 has no upper limit")
    kept: Mapping[str, Estimate | None] = {} if reason else found
    return DoseResponse(
        drug=drug,
        readout=told.name,
        title=told.title,
        unit=told.unit,
        doses=tuple(map(float, doses)),
        arms=animals.arms,
        n=tuple(len(values) for values in animals.values),
        means=tuple(map(float, animals.means)),
        sds=tuple(float(values.std(ddof=1)) for values in animals.values),
        trend_p=p,
        identified=not reason,
        reason=reason,
        e0=kept.get("e0"),
        emax=kept.get("emax"),
        ec50=kept.get("ec50"),
        hill=kept.get("hill"),
        lack_of_fit_p=lack_of_fit(animals, float(best.squares[0]), known.free),
        paired=animals.paired,
        note=join_notes(*notes),
        _best=best,
        _resampled=resampled,
    )


def trend_test(animals: Animals) -> float:
    r"""Test whether a response rises or falls with the order of the doses; returns the two-sided p.

    With the ranks of the doses, centred, as weights :math:`c_j`, the contrast is :math:`\sum_j c_j \bar y_j`. If the same
    animals got every dose, the contrast is taken in each animal and tested by Student's t; if not, its standard error
    has Welch and Satterthwaite's degrees of freedom.

    Source: Tukey JW, Ciminera JL, Heyse JF (1985) Biometrics 41:295-301.
    """
    from scipy.stats import t

    weights = np.arange(len(animals.values)) - (len(animals.values) - 1) / 2
    if animals.paired:
        each = np.stack(animals.values, axis=1) @ weights
        contrast, parts = float(each.mean()), np.array([each.var(ddof=1) / len(each)])
        freedoms = np.array([len(each) - 1.0])
    else:
        counts = np.array([len(values) for values in animals.values], np.float64)
        spreads = np.array([values.var(ddof=1) for values in animals.values])
        contrast, parts, freedoms = float(animals.means @ weights), weights**2 * spreads / counts, counts - 1
    variance = float(parts.sum())
    if variance <= 1e-24 * max(1e-300, float(np.abs(animals.means).max()) ** 2):
        return 1.0 if abs(contrast) <= 1e-12 * float(np.abs(animals.means).max()) else 0.0
    freedom = variance**2 / float((parts**2 / freedoms).sum())
    return float(2 * t.sf(abs(contrast) / math.sqrt(variance), freedom))


def lack_of_fit(animals: Animals, squares: float, free: int) -> float | None:
    r"""Test whether the means lie on the curve, against the spread of animals at one dose; p, or None without doses to spare.

    .. math:: F = \frac{\sum_j n_j (\bar y_j - E(d_j))^2 / (k - p)}{\mathrm{MS}_{within}}

    For the same animals at all doses the spread between animals is taken out of the mean square first.

    *Assumes* one spread at all doses. Source: Neill JW (1988) Ann Stat 16:733-740; Bates DM, Watts DG (1988) ch. 1.
    """
    from scipy.stats import f

    doses = len(animals.values)
    if doses <= free:
        return None
    if animals.paired:
        table = np.stack(animals.values, axis=1)
        left = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
        freedom = (len(table) - 1) * (doses - 1)
        within = float((left**2).sum()) / freedom
    else:
        freedom = sum(len(values) - 1 for values in animals.values)
        within = sum(float(((values - values.mean()) ** 2).sum()) for values in animals.values) / freedom
    if within == 0.0:
        return None
    return float(f.sf(squares / (doses - free) / within, doses - free, freedom))


def _estimates(
    best: HillFits, resampled: HillFits, animals: int, known: Constraints, within: tuple[float, float]
) -> dict[str, Estimate]:
    found = {}
    for name in ("e0", "emax", "ec50", "hill"):
        value = float(getattr(best, name)[0])
        given = name != "ec50" and getattr(known, name) is not None
        found[name] = Estimate(value, value, value) if given else estimate(value, getattr(resampled, name), animals)
    half = found["ec50"]
    found["ec50"] = Estimate(
        half.value, half.low if half.low >= within[0] else 0.0, half.high if half.high <= within[1] else math.inf
    )
    return found


def _why_not(ec50: float, p: float, within: tuple[float, float]) -> str:
    if p >= _SIGNIFICANT:
        return f"The response does not clearly rise or fall with the dose (trend p {p_in_words(p)})."
    if ec50 > within[1]:
        return f"Half of the effect would lie above the highest dose, {within[1]:g} mg/kg; give higher doses."
    if ec50 < within[0]:
        return f"Half of the effect lies below the lowest dose, {within[0]:g} mg/kg; give lower doses."
    return ""


def _told(found: Estimate) -> str:
    value = f"{found.value:.3g}"
    if found.low == found.high:
        return f"{value} (given)"
    low = "no lower limit" if found.low in (0.0, -math.inf) else f"{found.low:.3g}"
    high = "no upper limit" if found.high == math.inf else f"{found.high:.3g}"
    return f"{value} ({low} to {high})"
