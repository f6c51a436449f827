"""The Hill curve, and the least-squares fit of one to many sets of responses at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FREE", "MOST_STEEP", "WIDER", "Constraints", "HillFits", "fit_hill", "hill", "hill_dose"]

Values = npt.NDArray[np.float64]

WIDER = 30.0  # how far beyond the doses a half-effective dose is looked for
MOST_STEEP = 12.0
_LEAST_STEEP = 0.2
_GRID = (25, 9)
_STEPS = 100
_SMALLEST_GAIN = 1e-13  # of the squares about the mean
_MOST_DAMPED = 1e5


@dataclass(frozen=True)
class Constraints:
    """What is known of a curve beforehand: the responses without drug and at saturation, and the steepness."""

    e0: float | None = None
    emax: float | None = None
    hill: float | None = None

    @property
    def free(self) -> int:
        """How many of the four numbers are left to find."""
        return 1 + sum(given is None for given in (self.e0, self.emax, self.hill))


FREE = Constraints()


@dataclass(frozen=True, eq=False)
class HillFits:
    """One curve for each set of responses [n]: plateaus, half-effective dose, steepness, weighted sum of squares."""

    e0: Values
    emax: Values
    ec50: Values
    hill: Values
    squares: Values

    def __len__(self) -> int:
        return len(self.e0)

    def at(self, doses: npt.ArrayLike) -> Values:
        """Responses [n, doses]."""
        rows = (value[:, None] for value in (self.e0, self.emax, self.ec50, self.hill))
        return hill(np.asarray(doses, np.float64)[None, :], *rows)

    def where(self, chosen: npt.NDArray[np.bool_], other: HillFits) -> HillFits:
        """These curves, with those of `other` where `chosen`."""
        mine, theirs = vars(self), vars(other)
        return HillFits(**{name: np.where(chosen, theirs[name], mine[name]) for name in mine})


def hill(
    dose: npt.ArrayLike, e0: npt.ArrayLike, emax: npt.ArrayLike, ec50: npt.ArrayLike, power: npt.ArrayLike
) -> Values:
    r"""Response to a dose.

    .. math:: E(d) = E_0 + (E_{max} - E_0)\,\frac{d^h}{EC_{50}^h + d^h}

    Source: Hill AV (1910) J Physiol 40:iv-vii; Goutelle S et al (2008) Fundam Clin Pharmacol 22:633-648.

    >>> float(hill(2.0, 10.0, 0.0, 2.0, 3.0))
    5.0
    """
    e0, emax = np.asarray(e0, np.float64), np.asarray(emax, np.float64)
    return np.asarray(e0 + (emax - e0) * _share(np.asarray(dose, np.float64), np.log(ec50), np.asarray(power)))


def hill_dose(effect: npt.ArrayLike, emax: npt.ArrayLike, ec50: npt.ArrayLike, power: npt.ArrayLike) -> Values:
    r"""The dose of a drug that alone has an effect; infinite where it never has.

    .. math:: D(e) = EC_{50}\Big(\frac{e}{E_{max} - e}\Big)^{1/h}

    >>> float(hill_dose(0.4, 0.8, 3.0, 2.0)), float(hill_dose(0.9, 0.8, 3.0, 2.0)), float(hill_dose(0.0, 0.8, 3.0, 2.0))
    (3.0, inf, 0.0)
    """
    effect, emax = np.asarray(effect, np.float64), np.asarray(emax, np.float64)
    ec50, power = np.asarray(ec50, np.float64), np.asarray(power, np.float64)
    reached = effect < emax
    odds = np.where(reached, np.maximum(effect, 0.0) / np.where(reached, emax - effect, 1.0), np.inf)
    return np.asarray(ec50 * odds ** (1.0 / power))


def fit_hill(doses: Values, responses: Values, weights: Values | None = None, known: Constraints = FREE) -> HillFits:
    r"""Fit a Hill curve to each row of responses by weighted least squares.

    For a given half-effective dose and steepness the plateaus follow from linear equations, so the search has two
    dimensions: over a grid first, from whose best point Levenberg and Marquardt's steps lead to the minimum.

    Parameters
    ----------
    doses [k] : each one once, 0 among them or not.
    responses [n, k] : what was found at each dose.
    weights [k] : how much each dose counts, such as its number of animals; alike if left out.
    known : numbers of the curve that are not to be found.

    Notes
    -----
    The half-effective dose is looked for between the lowest dose above 0 divided by 30 and the highest times 30, the
    steepness between 0.2 and 12.

    Source: Golub GH, Pereyra V (1973) SIAM J Numer Anal 10:413-432; Marquardt DW (1963) J SIAM 11:431-441.
    """
    weight = np.ones(len(doses)) if weights is None else weights
    positive = doses[doses > 0]
    limits = (np.log(positive.min() / WIDER), np.log(positive.max() * WIDER))
    powers = np.log([_LEAST_STEEP, MOST_STEEP]) if known.hill is None else np.log([known.hill] * 2)
    best = np.full(len(responses), np.inf)
    place = np.zeros((len(responses), 2))
    for half in np.linspace(limits[0], limits[1], _GRID[0]):
        for power in np.linspace(powers[0], powers[1], _GRID[1] if known.hill is None else 1):
            share = _share(doses, np.array(half), np.exp(power))
            squares = _plateaus(share[None, :], responses, weight, known)[2]
            better = squares < best
            best = np.where(better, squares, best)
            place[better] = half, power
    return _refined(doses, responses, weight, known, place, np.array(limits), powers)


def _share(dose: Values, log_ec50: npt.ArrayLike, power: npt.ArrayLike) -> Values:
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(np.asarray(power) * (np.asarray(log_ec50) - np.log(dose)))))


def _plateaus(share: Values, responses: Values, weight: Values, known: Constraints) -> tuple[Values, Values, Values]:
    """Best plateaus for given shares [n or 1, k] of the full effect, and the weighted sum of squares."""
    rest = 1.0 - share
    if known.e0 is not None and known.emax is not None:
        e0, emax = np.full(len(responses), known.e0), np.full(len(responses), known.emax)
    elif known.e0 is not None or known.emax is not None:
        fixed, free = (rest, share) if known.e0 is not None else (share, rest)
        level = known.e0 if known.e0 is not None else known.emax
        left = responses - fixed * float(level or 0.0)
        found = (left * free * weight).sum(axis=1) / np.maximum((free**2 * weight).sum(axis=1), 1e-300)
        e0 = found if known.e0 is None else np.full(len(responses), known.e0)
        emax = found if known.emax is None else np.full(len(responses), known.emax)
    else:
        aa, bb = (rest**2 * weight).sum(axis=1), (share**2 * weight).sum(axis=1)
        ab = (rest * share * weight).sum(axis=1)
        ya, yb = (responses * rest * weight).sum(axis=1), (responses * share * weight).sum(axis=1)
        determinant = np.maximum(aa * bb - ab**2, 1e-300)
        e0, emax = (ya * bb - yb * ab) / determinant, (yb * aa - ya * ab) / determinant
    left = responses - e0[:, None] * rest - emax[:, None] * share
    return e0, emax, np.asarray((left**2 * weight).sum(axis=1))


def _refined(
    doses: Values,
    responses: Values,
    weight: Values,
    known: Constraints,
    place: Values,
    halves: Values,
    powers: Values,
) -> HillFits:
    """Follow every row to its minimum; `place` [n, 2] is the log of half-effective dose and steepness."""
    low, high = np.array([halves[0], powers[0]]), np.array([halves[1], powers[1]])
    moving = 1 if known.hill is not None else 2

    def judged(at: Values, rows: npt.NDArray[np.int64]) -> tuple[Values, Values, Values, Values]:
        share = _share(doses[None, :], at[:, :1], np.exp(at[:, 1:]))
        return share, *_plateaus(share, responses[rows], weight, known)

    rows = np.arange(len(place))
    share, e0, emax, squares = judged(place, rows)
    damping = np.full(len(place), 1e-2)
    tiny = 1e-30 + _SMALLEST_GAIN * ((responses - responses.mean(axis=1, keepdims=True)) ** 2 * weight).sum(axis=1)
    for _ in range(_STEPS):
        slope = _slopes(doses, place[rows], share[rows], (emax - e0)[rows, None], weight, known)[:, :, :moving]
        left = responses[rows] - e0[rows, None] * (1 - share[rows]) - emax[rows, None] * share[rows]
        weighted = slope * weight[None, :, None]
        normal = weighted.transpose(0, 2, 1) @ slope
        downhill = (weighted * left[:, :, None]).sum(axis=1)
        scale = np.einsum("nii->ni", normal)
        ridge = damping[rows, None] * scale + 1e-12 * scale.max(axis=1, keepdims=True) + 1e-300
        step = np.linalg.solve(normal + ridge[:, :, None] * np.eye(moving), downhill[:, :, None])[:, :, 0]
        tried = place[rows]
        tried[:, :moving] = np.clip(tried[:, :moving] + np.clip(step, -1.0, 1.0), low[:moving], high[:moving])
        new = judged(tried, rows)
        gain = squares[rows] - new[3]
        better = gain > 0
        kept = rows[better]
        place[kept], share[kept] = tried[better], new[0][better]
        e0[kept], emax[kept], squares[kept] = new[1][better], new[2][better], new[3][better]
        damping[rows] = np.where(better, damping[rows] / 5, damping[rows] * 4)
        settled = np.where(better, gain < tiny[rows], damping[rows] > _MOST_DAMPED)
        rows = rows[~settled]
        if not len(rows):
            break
    return HillFits(e0, emax, np.exp(place[:, 0]), np.exp(place[:, 1]), squares)


def _slopes(doses: Values, place: Values, share: Values, height: Values, weight: Values, known: Constraints) -> Values:
    """How responses change with the two logs [n, k, 2], with the plateaus following (Kaufman's approximation).

    What the plateaus can make up for is taken out of each slope, so that a step moves along what only the two change.
    """
    power = np.exp(place[:, 1:])
    with np.errstate(divide="ignore"):
        distance = np.where(doses > 0, np.log(np.where(doses > 0, doses, 1.0)), 0.0)[None, :] - place[:, :1]
    steep = share * (1 - share) * height * power
    slope = np.stack([-steep, steep * distance], axis=2)
    taken: list[Values] = []
    for column, given in ((1 - share, known.e0), (share, known.emax)):
        if given is None:
            for other in taken:
                column = column - other * ((column * other * weight).sum(axis=1, keepdims=True))
            length = np.sqrt((column**2 * weight).sum(axis=1, keepdims=True))
            taken.append(column / np.maximum(length, 1e-150))
    for column in taken:
        slope = slope - column[:, :, None] * (slope * (column * weight)[:, :, None]).sum(axis=1, keepdims=True)
    return np.asarray(slope)
