"""Which parameters and doses of a sweep matter: partial rank correlations, and shares of the variance if a surrogate holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paget.compare.contrasts import holm
from paget.compare.wording import join_notes, p_in_words
from paget.design.treatments import Found, told_of
from paget.errors import ResultError
from paget.experiment.sweep import Axis

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Influence", "Sensitivity", "sensitivity", "sensitivity_of"]

Values = npt.NDArray[np.float64]

_CONFIDENCE = 0.95
_SIGNIFICANT = 0.05
_HONEST = 0.8  # share of the variance that a surrogate must predict of points that it was not fitted to
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Influence:
    """How one swept parameter or dose moves a readout.

    Attributes
    ----------
    name, low, high, unit : what was swept, and between which limits.
    prcc, prcc_low, prcc_high : partial rank correlation, from -1 to 1, of what the others do not explain; its 95 % interval.
    p, p_adjusted : two-sided, and after Holm over the axes.
    first, total : share of the readout's variance that it causes alone, and with all its interactions (Sobol indices of a
        quadratic surrogate); None where no surrogate holds.
    """

    name: str
    unit: str
    low: float
    high: float
    prcc: float
    prcc_low: float
    prcc_high: float
    p: float
    p_adjusted: float
    first: float | None
    total: float | None


@dataclass(frozen=True)
class Sensitivity:
    """What matters for a readout within the limits of a sweep, the strongest first.

    Attributes
    ----------
    points, animals : size of the design, and the fewest animals at a point.
    predicted : share of the variance between points that a quadratic surrogate predicts of a point left out; below 0.8 the
        surrogate is not used. note : what a reader must know beside this.
    """

    readout: str
    title: str
    unit: str
    design: str
    points: int
    animals: int
    influences: tuple[Influence, ...]
    predicted: float | None
    note: str

    def table(self) -> pd.DataFrame:
        """One row per axis, the strongest first; indices of variance are not a number where no surrogate holds."""
        import pandas as pd

        return pd.DataFrame([vars(influence) for influence in self.influences]).astype({"first": float, "total": float})

    def sentence(self) -> str:
        """Write the finding as a paper would."""
        clear = [i for i in self.influences if i.p_adjusted < _SIGNIFICANT]
        said = [
            f"{i.name} (PRCC {i.prcc:+.2f}, 95 % CI {i.prcc_low:+.2f} to {i.prcc_high:+.2f}, "
            f"Holm-adjusted p {p_in_words(i.p_adjusted)})"
            for i in clear
        ]
        what = ", ".join(said) if said else "none of what was swept has a clear monotone influence"
        tail = f"{self.design} of {self.points} points, n = {self.animals} animals at each"
        return f"{self.title}: {what} ({join_notes(tail, self.note)})"

    def __str__(self) -> str:
        return self.sentence()


def sensitivity(result: Found, readout: str) -> Sensitivity:
    """Rank the parameters and doses of a sweep by their influence on a readout.

    Parameters
    ----------
    result : a finished result of a study with a sweep; a Latin hypercube or Sobol design tells most per animal.
    readout : what is read out; the mean of the animals of a point counts.

    Raises
    ------
    ResultError, UnknownNameError
        If the study has no sweep, no such readout, or too few points for the number of axes.
    """
    told, sweep = told_of(result, readout), result.study.sweep
    if sweep is None:
        raise ResultError(f"The study '{result.study.name}' has no sweep, so no parameter was varied on purpose.")
    axes = [axis for axis in sweep.axes if axis.low < axis.high]
    table = result.outcomes[result.outcomes["readout"] == readout].dropna(subset=["value"])
    means, counts = table.groupby("arm")["value"].mean(), table.groupby("arm")["value"].count()
    whole = [arm for arm in result.study.arms if arm.name in means.index and all(a.name in arm.point for a in axes)]
    places = np.array([[arm.point[axis.name] for axis in axes] for arm in whole], np.float64).reshape(-1, len(axes))
    values = np.array([means[arm.name] for arm in whole], np.float64)
    notes = []
    planned = sum(bool(arm.point) for arm in result.study.arms)
    if len(whole) < planned:
        notes.append(f"{planned - len(whole)} of {planned} points without a finished animal left out")
    if told.kind == "time" and not table["observed"].astype(bool).all():
        notes.append("times that were not reached count as the end of the study")
    fewest = int(min((counts[arm.name] for arm in whole), default=0))
    return sensitivity_of(
        places, values, axes, told.name, told.title, told.unit, sweep.design, fewest, join_notes(*notes)
    )


def sensitivity_of(
    places: Values,
    values: Values,
    axes: Sequence[Axis],
    readout: str,
    title: str = "",
    unit: str = "",
    design: str = "design",
    animals: int = 1,
    note: str = "",
) -> Sensitivity:
    r"""Partial rank correlations, and Sobol indices where a quadratic surrogate holds.

    The partial rank correlation of an axis is the correlation of what is left of the ranks of axis and readout once the ranks
    of all other axes are taken out by linear regression; its interval is Fisher's, with :math:`N - k - 2` in place of
    :math:`N - 3` for :math:`k` axes. It sees what rises or falls throughout, and not what turns back.

    The Sobol indices are exact for the surrogate, a polynomial of second degree with all interactions in the axes scaled to
    -1 to 1 (in the log where the sweep was), whose Legendre coefficients give its variance part by part. They are given only if
    the surrogate predicts 80 % of the variance of points that it was not fitted to (leave one out); chance between animals
    counts against it.

    Parameters
    ----------
    places [points, axes], values [points] : where the points lie, and the mean of the readout at each.

    Source: Marino S et al (2008) J Theor Biol 254:178-196; Sudret B (2008) Reliab Eng Syst Saf 93:964-979.
    """
    points, dimensions = places.shape
    if points < dimensions + 4:
        raise ResultError(
            f"{points} finished points cannot tell {dimensions} axes apart; at least {dimensions + 4} are needed, ten per axis "
            "are usual."
        )
    if np.ptp(values) == 0:
        raise ResultError(f"'{readout}' is {values[0]:g} at every point, so nothing that was swept moves it.")
    found = [_partial(places, values, i) for i in range(dimensions)]
    adjusted = holm([p for *_, p in found])
    shares, predicted, why = _variance(places, values, axes)
    influences = [
        Influence(
            axis.name,
            axis.unit,
            axis.low,
            axis.high,
            *prcc,
            p_adjusted=float(p or 0.0),
            first=None if shares is None else float(shares[0][i]),
            total=None if shares is None else float(shares[1][i]),
        )
        for i, (axis, prcc, p) in enumerate(zip(axes, found, adjusted, strict=True))
    ]
    strongest = sorted(influences, key=lambda i: -abs(i.prcc))
    return Sensitivity(
        readout, title or readout, unit, design, points, animals, tuple(strongest), predicted, join_notes(note, why)
    )


def _partial(places: Values, values: Values, axis: int) -> tuple[float, float, float, float]:
    """Partial rank correlation of one axis, its interval, and its two-sided p."""
    from scipy.stats import norm, rankdata, t

    ranks = rankdata(places, axis=0)
    others = np.column_stack([np.ones(len(values)), np.delete(ranks, axis, axis=1)])
    both = np.column_stack([ranks[:, axis], rankdata(values)])
    left = both - others @ np.linalg.lstsq(others, both, rcond=None)[0]
    scale = math.sqrt(float((left[:, 0] ** 2).sum() * (left[:, 1] ** 2).sum()))
    total = float(((both - both.mean(axis=0)) ** 2).sum())
    r = float((left[:, 0] * left[:, 1]).sum()) / scale if scale > _ROUNDING * total else 0.0
    r = float(np.clip(r, -1 + _ROUNDING, 1 - _ROUNDING))
    controlled = others.shape[1] - 1
    freedom = len(values) - 2 - controlled
    reach = float(norm.ppf(0.5 + _CONFIDENCE / 2)) / math.sqrt(max(freedom - 1, 1))
    p = 2 * float(t.sf(abs(r) * math.sqrt(freedom / (1 - r * r)), freedom))
    return r, math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach), p


def _variance(
    places: Values, values: Values, axes: Sequence[Axis]
) -> tuple[tuple[Values, Values] | None, float | None, str]:
    """First-order and total indices [axes] of the surrogate, what it predicts, and why it is not used."""
    points, dimensions = places.shape
    terms = _terms(dimensions)
    if points < 1.5 * len(terms):
        return (
            None,
            None,
            f"no Sobol indices: a quadratic surrogate has {len(terms)} terms, too many for {points} points",
        )
    scaled = np.array([[2 * axis.share(x) - 1 for axis, x in zip(axes, row, strict=True)] for row in places])
    levels = min(len(np.unique(scaled[:, i].round(9))) for i in range(dimensions))
    if levels < 3:
        return None, None, "no Sobol indices: an axis with two values cannot show a bend"
    basis = _basis(scaled, terms)
    coefficients, *_ = np.linalg.lstsq(basis, values, rcond=None)
    leverage = np.einsum("ij,ji->i", basis, np.linalg.pinv(basis))
    left_out = (values - basis @ coefficients) / np.maximum(1 - leverage, _ROUNDING)
    predicted = 1 - float((left_out**2).sum() / ((values - values.mean()) ** 2).sum())
    if predicted < _HONEST:
        return (
            None,
            predicted,
            f"no Sobol indices: a quadratic surrogate predicts {100 * max(predicted, 0):.0f} % of the variance",
        )
    parts = coefficients[1:] ** 2
    involved = np.array([[axis in term for axis in range(dimensions)] for term in terms[1:]])
    alone = np.array([len(set(term)) == 1 for term in terms[1:]])
    whole = parts.sum()
    return ((parts[alone] @ involved[alone]) / whole, (parts @ involved) / whole), predicted, ""


def _terms(dimensions: int) -> list[tuple[int, ...]]:
    """The polynomials of second degree: none, one axis, one axis squared, two axes."""
    single = [(i,) for i in range(dimensions)]
    return [(), *single, *((i, i) for i in range(dimensions)), *((i, j) for i in range(dimensions) for j in range(i))]


def _basis(scaled: Values, terms: Sequence[tuple[int, ...]]) -> Values:
    """Legendre polynomials of unit variance over -1 to 1, [points, terms]."""
    line = math.sqrt(3.0) * scaled
    bend = math.sqrt(5.0) * (3 * scaled**2 - 1) / 2
    columns = [
        bend[:, term[0]] if len(term) == 2 and term[0] == term[1] else np.prod(line[:, list(term)], axis=1)
        for term in terms
    ]
    return np.stack(columns, axis=1)
