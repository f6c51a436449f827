"""Two drugs together: more than each by itself would give, by the two meanings that the field gives to "expected"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paget.compare.wording import join_notes
from paget.design.dose_response import trend_test
from paget.design.hill import Constraints, HillFits, fit_hill, hill_dose
from paget.design.resampling import FEWEST_ANIMALS, RESAMPLES, Estimate, estimate, mean_resamples
from paget.design.treatments import Animals, Found, Told, animals_of, checkerboard, told_of
from paget.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Single", "SynergyMap", "Well", "synergy", "synergy_of"]

Values = npt.NDArray[np.float64]
Amounts = tuple[float, float]

_SIGNIFICANT = 0.05
_HALVINGS = 60
_FEWEST_DOSES = 3
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Well:
    """One combination of two drugs, beside what was expected of it; intervals hold 95 % for each well by itself.

    Attributes
    ----------
    doses : mg/kg of the two drugs. arm, n : the arm and its animals.
    mean : of the readout. effect : fraction affected, 1 - mean / mean of the control.
    bliss : effect beyond that of two drugs that act independently. loewe : effect beyond that of two drugs of which one is
    a dilution of the other. index : combination index, below 1 for synergy. None where it cannot be given.
    """

    doses: Amounts
    arm: str
    n: int
    mean: float
    effect: Estimate
    bliss: Estimate | None = None
    loewe: Estimate | None = None
    index: Estimate | None = None


@dataclass(frozen=True)
class Single:
    """The Hill curve of one drug alone, on fractions affected; an inactive drug has `emax` 0."""

    drug: str
    active: bool
    emax: float
    ec50: float
    hill: float


@dataclass(frozen=True)
class SynergyMap:
    """A checkerboard of two drugs.

    Attributes
    ----------
    drugs, readout, title, unit : what was given, and what was read out.
    control : mean without drugs.
    wells : every arm of the board, those with one drug or none too.
    singles : the curves of the drugs alone, from which additivity follows; empty if they cannot be fitted.
    bliss, loewe : mean excess over all combinations, with its interval: the number to report.
    paired : whether the same animals are in every arm. note : what a reader must know beside this.
    """

    drugs: tuple[str, str]
    readout: str
    title: str
    unit: str
    control: float
    wells: tuple[Well, ...]
    singles: tuple[Single, ...]
    bliss: Estimate
    loewe: Estimate | None
    paired: bool
    note: str

    @property
    def combinations(self) -> tuple[Well, ...]:
        """The wells with both drugs."""
        return tuple(well for well in self.wells if min(well.doses) > 0)

    def table(self) -> pd.DataFrame:
        """One row per well, with every number and its limits."""
        import pandas as pd

        rows = []
        for well in self.wells:
            row: dict[str, object] = dict(zip(self.drugs, well.doses, strict=True))
            row |= {"arm": well.arm, "animals": well.n, "mean": well.mean}
            for name in ("effect", "bliss", "loewe", "index"):
                found = getattr(well, name)
                row |= {
                    name: math.nan if found is None else found.value,
                    f"{name} low": math.nan if found is None else found.low,
                    f"{name} high": math.nan if found is None else found.high,
                }
            rows.append(row)
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """Write the finding as a paper would."""
        parts = [f"mean Bliss excess {_percent(self.bliss)}"]
        if self.loewe is not None:
            parts.append(f"mean Loewe excess {_percent(self.loewe)}")
        said = f"{self.title}, {self.drugs[0]} with {self.drugs[1]}: {', '.join(parts)}"
        fewest = min(well.n for well in self.wells)
        tail = f"95 % CI, n = {fewest} animals{' that got every combination' if self.paired else ' per arm'}"
        return f"{said} ({join_notes(tail, self.verdict, self.note)})"

    @property
    def verdict(self) -> str:
        """What the mean excesses say: synergy, antagonism, or neither shown."""
        said = []
        for name, score in (("Bliss", self.bliss), ("Loewe", self.loewe)):
            if score is not None:
                low, high = score.low, score.high
                word = "synergy" if low > _ROUNDING else "antagonism" if high < -_ROUNDING else "neither shown"
                said.append(f"{name}: {word}")
        return ", ".join(said)

    def __str__(self) -> str:
        return self.sentence()


def synergy(result: Found, first: str, second: str, readout: str, *, paired: bool = True, seed: int = 1) -> SynergyMap:
    """Judge a checkerboard of two drugs by Bliss' and by Loewe's rule.

    Parameters
    ----------
    result : a finished result with arms over the doses of two drugs, 0 among them.
    first, second : the drugs. readout : one that the drugs lower, such as a count of metastases.
    paired : whether animals of one number are one animal, as in every study of paget.
    seed : of the resampling.

    Raises
    ------
    ResultError, UnknownNameError
        If the study is no checkerboard of these drugs, or animals are too few, or the control has none of what is read out.
    """
    board = checkerboard(result.study, first, second)
    animals = animals_of(result, readout, tuple(board.values()), paired)
    return synergy_of(tuple(board), animals, (first, second), told_of(result, readout), seed=seed)


def synergy_of(
    board: tuple[Amounts, ...],
    animals: Animals,
    drugs: tuple[str, str],
    told: Told,
    *,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> SynergyMap:
    r"""Compare every combination with independence and with additivity of doses.

    With the fraction affected :math:`f = 1 - \bar y/\bar y_0` of the mean without drugs:

    .. math:: \text{Bliss excess} = f_{ab} - (f_a + f_b - f_a f_b), \qquad
              \text{Loewe excess} = f_{ab} - f^*,\quad \frac{a}{D_A(f^*)} + \frac{b}{D_B(f^*)} = 1, \qquad
              \mathrm{CI} = \frac{a}{D_A(f_{ab})} + \frac{b}{D_B(f_{ab})}

    where :math:`D` is the dose of a drug that alone has the effect, by the Hill curve of that drug from 0, with
    saturation at most 1. A drug beyond its own saturation adds nothing to the sums. A drug without a trend over its doses is
    inactive. Intervals come from animals drawn again, in all their arms if they are the same animals, with all
    curves fitted anew.

    *Assumes* a readout that drugs lower; where they raise it, fractions are negative and Loewe's rule is not given.

    Source: Bliss CI (1939) Ann Appl Biol 26:585-615; Loewe S (1953) Arzneimittelforschung 3:285-290; Chou TC, Talalay P
    (1984) Adv Enzyme Regul 22:27-55; Foucquier J, Guedj M (2015) Pharmacol Res Perspect 3:e00149.
    """
    if animals.fewest < FEWEST_ANIMALS:
        raise ResultError(f"Intervals need at least {FEWEST_ANIMALS} animals per arm; there are {animals.fewest}.")
    places = {amounts: i for i, amounts in enumerate(board)}
    means = np.concatenate(
        [animals.means[None, :], mean_resamples(list(animals.values), animals.paired, seed, resamples)]
    )
    none = means[:, places[0.0, 0.0]]
    if none[0] <= 0:
        raise ResultError(
            f"'{told.name}' is {none[0]:g} without drugs, so no fraction of it can be affected; choose another readout."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        fractions = np.where(none[:, None] > 0, 1.0 - means / none[:, None], np.nan)
    kept = np.isfinite(fractions).all(axis=1)
    fractions = fractions[kept]
    singles, curves, why = _alone(board, animals, fractions, drugs)
    wells, excesses = [], {"bliss": list[Values](), "loewe": list[Values]()}
    for amounts, i in places.items():
        effect = fractions[:, i]
        found = _judged(amounts, effect, fractions, places, curves)
        for name in excesses:
            if name in found:
                excesses[name].append(found[name])
        wells.append(
            Well(
                amounts,
                animals.arms[i],
                len(animals.values[i]),
                float(means[0, i]),
                _with_interval(effect, animals.fewest),
                **{name: _with_interval(values, animals.fewest) for name, values in found.items()},
            )
        )
    mean = {name: np.mean(values, axis=0) for name, values in excesses.items() if values}
    if "bliss" not in mean:
        raise ResultError(f"No combination of {drugs[0]} and {drugs[1]} has both of its doses alone beside it.")
    return SynergyMap(
        drugs=drugs,
        readout=told.name,
        title=told.title,
        unit=told.unit,
        control=float(none[0]),
        wells=tuple(wells),
        singles=singles,
        bliss=_with_interval(mean["bliss"], animals.fewest),
        loewe=_with_interval(mean["loewe"], animals.fewest) if "loewe" in mean else None,
        paired=animals.paired,
        note=join_notes(why, animals.left_out),
    )


def _judged(
    amounts: Amounts, effect: Values, fractions: Values, places: Mapping[Amounts, int], curves: tuple[HillFits, ...]
) -> dict[str, Values]:
    """What can be said of one combination: the numbers found, followed by those of resampled animals."""
    a, b = amounts
    if min(a, b) == 0:
        return {}
    found = {}
    if (a, 0.0) in places and (0.0, b) in places:
        one, two = fractions[:, places[a, 0.0]], fractions[:, places[0.0, b]]
        found["bliss"] = effect - (one + two - one * two)
    if curves:
        found["loewe"] = effect - additive_effect(a, b, *curves)
        some = np.where(effect > 0, effect, np.nan)
        terms = [dose / hill_dose(some, c.emax, c.ec50, c.hill) for dose, c in zip(amounts, curves, strict=True)]
        index = np.where(effect > 0, terms[0] + terms[1], np.inf)
        # beyond what either drug reaches alone no dose is equivalent
        index = np.where(effect >= np.maximum(curves[0].emax, curves[1].emax), np.nan, index)
        if np.isfinite(index[0]):
            found["index"] = index
    return found


def additive_effect(a: float, b: float, first: HillFits, second: HillFits) -> Values:
    """Effect of doses of two drugs that are dilutions of each other, for each pair of curves [n] that start at 0."""
    low = np.zeros(len(first))
    high = np.maximum(np.maximum(first.emax, second.emax), 0.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            total = a / hill_dose(middle, first.emax, first.ec50, first.hill)
            total = total + b / hill_dose(middle, second.emax, second.ec50, second.hill)
        more = total > 1  # the doses are worth more than this effect
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return (low + high) / 2


def _alone(
    board: tuple[Amounts, ...], animals: Animals, fractions: Values, drugs: tuple[str, str]
) -> tuple[tuple[Single, ...], tuple[HillFits, ...], str]:
    """The curve of each drug alone, for the numbers found and all resampled ones; or why there are none."""
    singles, curves = [], []
    for which, drug in enumerate(drugs):
        line = [i for i, amounts in enumerate(board) if amounts[1 - which] == 0]
        treated = [i for i in line if board[i][which] > 0]
        if len(treated) < _FEWEST_DOSES:
            return (), (), f"additivity needs at least {_FEWEST_DOSES} doses of {drug} alone; there are {len(treated)}"
        subset = Animals(
            tuple(animals.arms[i] for i in line), tuple(animals.values[i] for i in line), animals.paired, ""
        )
        doses = np.array([board[i][which] for i in treated])
        active = trend_test(subset) < _SIGNIFICANT
        if active and fractions[0, treated[-1]] < 0:
            return (), (), f"{drug} raises the readout, to which additivity of fractions affected does not apply"
        curve = fit_hill(doses, fractions[:, treated], known=Constraints(e0=0.0))
        full = fit_hill(doses, fractions[:, treated], known=Constraints(e0=0.0, emax=1.0))
        curve = curve.where(curve.emax > 1.0, full)
        if not active:
            curve = HillFits(curve.e0, np.zeros(len(curve)), curve.ec50, curve.hill, curve.squares)
        singles.append(Single(drug, active, float(curve.emax[0]), float(curve.ec50[0]), float(curve.hill[0])))
        curves.append(curve)
    idle = [single.drug for single in singles if not single.active]
    return tuple(singles), tuple(curves), f"{' and '.join(idle)} has no trend alone, taken as inactive" if idle else ""


def _with_interval(values: Values, animals: int) -> Estimate:
    return estimate(float(values[0]), values[1:], animals)


def _percent(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} % ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
