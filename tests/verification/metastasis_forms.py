"""Closed forms and exact equations of metastasis, written from their publications, and what compares counts with them."""

from __future__ import annotations

import functools

import numpy as np
from scipy import stats
from scipy.special import exp1

from paget.body.emission import Emission
from paget.body.growth_laws import gompertz
from paget.process import quantity

ALARM = 0.001
DAY = 24.0
WIDE = float(stats.norm.isf(0.005))  # half a 99 % interval in standard errors
INK, MARK, SECOND = "#1f2933", "#2a78d6", "#d1495b"

# Iwata, Kawasaki & Shigesada 2000: hepatocellular carcinoma; per day and cell
A, B, M, ALPHA = 0.00286, 7.3e10, 5.3e-8, 0.663
DAYS = {678: 200_000, 1110: 20_000, 1237: 10_000, 1310: 7_000}  # days of the scans and patients simulated
CLASSES = (0.0, 1e5, 1e7, 1e8, 1e9)


def given(number, unit=""):
    return quantity(f"{float(number)!r} {unit}", reason="of the case that is checked")


def days_of(number):
    return f"{float(number)!r} day"


IWATA = gompertz(given(A, "1/day"), given(B, "cell"))
EMISSION = Emission(given(M, "1/day"), given(ALPHA))


# ---- closed forms -------------------------------------------------------------------------------------------------
SCALE, BEND = M * B**ALPHA, ALPHA * np.log(B)


def rate(age):
    """Emission of a tumour of an age, 1/day."""
    return SCALE * np.exp(-BEND * np.exp(-A * np.asarray(age, float)))


def total(age):
    """Emission up to an age."""
    return SCALE / A * (exp1(BEND * np.exp(-A * np.asarray(age, float))) - exp1(BEND))


def time_to(cells):
    """Days from one cell to a number of cells."""
    return -np.log(1.0 - np.log(cells) / np.log(B)) / A if cells > 1.0 else 0.0


@functools.cache
def descendants(until, step=1.0):
    """Mean and variance of the number of metastases of all generations at 0, step, ..., until days, by renewal equations.

    A tumour emits in a Poisson process, and each metastasis brings itself and its own: with N = 1 + its descendants,
    mean = Int K E[N], variance = Int K E[N^2].
    """

    def solve(h):
        n = round(until / h)
        kernel = rate(h * np.arange(n + 1))
        mean, variance = np.zeros(n + 1), np.zeros(n + 1)
        for i in range(1, n + 1):
            for into, source in ((mean, 1.0 + mean), (variance, (1.0 + mean) ** 2 + variance)):
                inner = kernel[i - 1 : 0 : -1] @ source[1:i]
                into[i] = h * (inner + 0.5 * kernel[i] * source[0] + 0.5 * kernel[0] * source[i])
        return np.stack([mean, variance])

    one, two = solve(step), solve(0.5 * step)[:, ::2]
    return two + (two - one) / 3.0  # without the error that falls with the square of the step


@functools.cache
def chances(until, most=64, step=2.0):
    """Probability of 0, 1, ... metastases after `until` days, from the generating function on the unit circle.

    F(s, t) = exp Int_0^t K(u) (s F(s, t - u) - 1) du.
    """
    s = np.exp(2j * np.pi * np.arange(most) / most)

    def solve(h):
        n = round(until / h)
        kernel = rate(h * np.arange(n + 1))
        f = np.ones((n + 1, most), complex)
        for i in range(1, n + 1):
            ends = 0.5 * kernel[i] * (s * f[0] - 1.0) + 0.5 * kernel[0] * (s * f[i - 1] - 1.0)
            inner = np.ascontiguousarray(kernel[i - 1 : 0 : -1]).astype(complex)
            f[i] = np.exp(h * (s * (inner @ f[1:i]) - inner.sum() + ends))
        return np.fft.fft(f[-1]).real / most

    one, two = solve(step), solve(0.5 * step)
    return two + (two - one) / 3.0


def expected(days, cells=0.0):
    """Mean number of metastases of more than some cells: those that were there so long ago as such a one is old."""
    age = days - time_to(cells)
    if age <= 0.0:
        return 0.0
    whole = descendants(2000)[0]
    return float(np.interp(age, np.arange(whole.size), whole))


def limit_of(comparisons):
    """How many standard errors one of several comparisons may be off."""
    return float(stats.norm.isf(0.5 * ALARM / comparisons))


def merged(seen, mean):
    """Counts and expectations, neighbours joined until at least 10 are expected in each."""
    joined, waiting = [], np.zeros(2)
    for pair in zip(seen, mean, strict=True):
        waiting = waiting + pair
        if waiting[1] >= 10.0:
            joined.append(waiting)
            waiting = np.zeros(2)
    joined[-1] = joined[-1] + waiting
    return np.array(joined).T


def chi_square(seen, mean, lost=0):
    """p-value of counts against expectations."""
    n, e = merged(seen, mean)
    return float(stats.chi2.sf(np.sum((n - e) ** 2 / e), e.size - 1 - lost))
