"""Births and deaths of a clone, drawn exactly for any span of time in which the rates stay (linear birth-death process).

Each of n cells divides at the rate b and dies at the rate d, so r = b - d. With E = e^(rt) and e = (E - 1) / r (t where r = 0),
a lineage has died out by t with probability P0 = d e / (1 + b e); else its cells are geometric, with ratio
eta = b e / (1 + b e) (Kendall 1948, doi:10.1214/aoms/1177730285). So the lineages that live are binomial and the cells beyond
one for each are negative binomial, whatever the span.

Samplers are exact, that is, without a normal or other approximation: Hormann 1993 (doi:10.1080/00949659308811496 for the
binomial, doi:10.1016/0167-6687(93)90997-4 for Poisson), Marsaglia and Tsang 2000 (gamma, doi:10.1145/358407.358414), Leva 1992
(normal, doi:10.1145/138351.138364). Densities are computed as by Loader 2000, so that they hold for counts up to 2**53.

Random numbers come from a stream of `paget.kernels.streams`; every sampler returns the stream moved on, then what it drew.
Counts are whole numbers in float64.
"""

from __future__ import annotations

import math

import numpy as np

from paget.kernels.compile import kernel
from paget.kernels.streams import draw_exponential, draw_uniform

__all__ = ["binomial", "extinction", "gamma", "leap", "negative_binomial", "normal", "poisson", "turnover"]

Word = np.uint64

MOST = 9007199254740992.0  # 2**53, beyond which float64 would not count one by one
_FEW = 16.0  # trials or lineages that are drawn one by one
_SMALL_MEAN = 10.0  # below, counts are found by adding probabilities up
_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)
_TABLED = 16  # numbers up to which factorials are tabulated
_LACKING = np.array(
    [0.0] + [math.lgamma(k + 1.0) - (k + 0.5) * math.log(k) + k - _HALF_LOG_TAU for k in range(1, _TABLED)]
)
_SMALL = 0.1  # of r t, below which sums of series stand for differences
_TERMS = 9
_A = np.array([(k - 1) / math.factorial(k) for k in range(2, 2 + _TERMS)])
_T = np.array([(2**k - 2 * k) / math.factorial(k) for k in range(3, 3 + _TERMS)])
_C = np.array([(k - 2) / math.factorial(k) for k in range(3, 3 + _TERMS)])


# ---- samplers ---------------------------------------------------------------------------------------------------
@kernel
def normal(stream: Word, increment: Word) -> tuple[Word, float]:
    """A standard normal number, by the ratio of uniform numbers."""
    while True:
        stream, u = draw_uniform(stream, increment)
        stream, v = draw_uniform(stream, increment)
        u = 1.0 - u  # never 0
        v = 1.7156 * (v - 0.5)
        x, y = u - 0.449871, abs(v) + 0.386595
        q = x * x + y * (0.196 * y - 0.25472 * x)
        if q < 0.27597:
            return stream, v / u
        if q <= 0.27846 and v * v <= -4.0 * u * u * np.log(u):
            return stream, v / u


@kernel
def gamma(shape: float, stream: Word, increment: Word) -> tuple[Word, float]:
    """A number from the gamma distribution of a shape > 0 and scale 1."""
    boost = 1.0
    if shape < 1.0:
        stream, waited = draw_exponential(stream, increment)
        boost = np.exp(-waited / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while True:
        stream, x = normal(stream, increment)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        stream, u = draw_uniform(stream, increment)
        if u < 1.0 - 0.0331 * x * x * x * x or np.log(u) < 0.5 * x * x + d * (1.0 - v + np.log(v)):
            return stream, boost * d * v


@kernel
def _stirling(k: float) -> float:
    """What Stirling's formula lacks: ln k! - (k + 1/2) ln k + k - ln sqrt(2 pi), k >= 1."""
    if k < _TABLED:
        return float(_LACKING[int(k)])
    s = 1.0 / (k * k)
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - s / 1188.0) * s) * s) * s) / k


@kernel
def _deviance(k: float, mean: float) -> float:
    """k ln(k / mean) - k + mean for k > 0, without cancellation where they are close."""
    off = (k - mean) / mean
    return float(mean * ((1.0 + off) * np.log1p(off) - off))


@kernel
def poisson(mean: float, stream: Word, increment: Word) -> tuple[Word, float]:
    """A Poisson number, exact for any mean up to 2**53."""
    if mean <= 0.0:
        return stream, 0.0
    if not mean < MOST:
        return stream, mean  # beyond counting, or no number: for the caller to see
    if mean < _SMALL_MEAN:
        none = np.exp(-mean)
        while True:
            stream, u = draw_uniform(stream, increment)
            p, k = none, 0.0
            while u >= p and p > 0.0:
                u -= p
                k += 1.0
                p *= mean / k
            if p > 0.0:
                return stream, k
    width = np.sqrt(mean)
    b = 0.931 + 2.53 * width
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    safe = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        stream, u = draw_uniform(stream, increment)
        stream, v = draw_uniform(stream, increment)
        u -= 0.5
        near = 0.5 - abs(u)
        if near <= 0.0 or v <= 0.0:
            continue
        k = np.floor((2.0 * a / near + b) * u + mean + 0.43)
        if near >= 0.07 and v <= safe:
            return stream, k
        if k < 0.0 or (near < 0.013 and v > near):
            continue
        density = -mean if k == 0.0 else -_deviance(k, mean) - 0.5 * np.log(k) - _stirling(k) - _HALF_LOG_TAU
        if np.log(v * inverse_alpha / (a / (near * near) + b)) <= density:
            return stream, k


@kernel
def binomial(n: float, chance: float, stream: Word, increment: Word) -> tuple[Word, float]:
    """How many of n, whole, succeed, each with the same chance; exact for n up to 2**53."""
    if n <= 0.0 or chance <= 0.0:
        return stream, 0.0
    if not n <= MOST or np.isnan(chance):
        return stream, np.nan
    if chance >= 1.0:
        return stream, n
    if n <= _FEW:
        hits = 0.0
        for _ in range(int(n)):
            stream, u = draw_uniform(stream, increment)
            if u < chance:
                hits += 1.0
        return stream, hits
    p = min(chance, 1.0 - chance)
    k = 0.0
    if n * p < _SMALL_MEAN:
        none = np.exp(n * np.log1p(-p))
        odds = p / (1.0 - p)
        while True:
            stream, u = draw_uniform(stream, increment)
            q, k = none, 0.0
            while u >= q and q > 0.0:
                u -= q
                k += 1.0
                q *= odds * (n - k + 1.0) / k
            if q > 0.0:
                break
    else:
        width = np.sqrt(n * p * (1.0 - p))
        b = 1.15 + 2.53 * width
        a = -0.0873 + 0.0248 * b + 0.01 * p
        centre = n * p + 0.5
        alpha = (2.83 + 5.1 / b) * width
        safe = 0.92 - 4.2 / b
        top = 1.0  # logarithm of the probability of the mode, once it is needed
        while True:
            stream, u = draw_uniform(stream, increment)
            stream, v = draw_uniform(stream, increment)
            u -= 0.5
            near = 0.5 - abs(u)
            if near <= 0.0 or v <= 0.0:
                continue
            k = np.floor((2.0 * a / near + b) * u + centre)
            if near >= 0.07 and v <= safe:
                break
            if k < 0.0 or k > n:
                continue
            if top > 0.0:
                top = _binomial_density(n, np.floor((n + 1.0) * p), p)
            if np.log(v * alpha / (a / (near * near) + b)) <= _binomial_density(n, k, p) - top:
                break
    return stream, (k if p == chance else n - k)


@kernel
def _binomial_density(n: float, k: float, p: float) -> float:
    """Logarithm of the binomial probability of k of n."""
    if k == 0.0:
        return float(n * np.log1p(-p))
    if k == n:
        return float(n * np.log(p))
    return float(
        _stirling(n)
        - _stirling(k)
        - _stirling(n - k)
        - _deviance(k, n * p)
        - _deviance(n - k, n * (1.0 - p))
        + 0.5 * np.log(n / (k * (n - k)))
        - _HALF_LOG_TAU
    )


@kernel
def negative_binomial(k: float, odds: float, stream: Word, increment: Word) -> tuple[Word, float]:
    """Sum of k geometric numbers from 0, each of mean `odds` = eta / (1 - eta)."""
    if k <= 0.0 or odds <= 0.0:
        return stream, 0.0
    if k <= _FEW:
        scale = 1.0 / np.log1p(1.0 / odds)  # an exponential number of this mean, rounded down, is geometric
        total = 0.0
        for _ in range(int(k)):
            stream, waited = draw_exponential(stream, increment)
            total += np.floor(waited * scale)
        return stream, total
    stream, intensity = gamma(k, stream, increment)
    return poisson(intensity * odds, stream, increment)


# ---- the birth-death process ------------------------------------------------------------------------------------
@kernel
def _spread(birth: float, death: float, t: float) -> tuple[float, float]:
    """E = e^(rt) and e = (E - 1) / r."""
    r = birth - death
    less = np.expm1(r * t)
    return (np.exp(r * t) if less < -0.5 else 1.0 + less), (t if r * t == 0.0 else less / r)


@kernel
def extinction(birth: float, death: float, t: float) -> float:
    """Chance that the offspring of one cell has died out by `t` h; for t = inf, that it ever does."""
    if np.isinf(t):
        return min(death / birth, 1.0) if birth > 0.0 else (1.0 if death > 0.0 else 0.0)
    if (birth - death) * t > 300.0:
        return death / birth
    _, e = _spread(birth, death, t)
    return death * e / (1.0 + birth * e)


@kernel
def turnover(birth: float, death: float, t: float) -> tuple[float, float, float]:
    """Mean number of deaths by `t` > 0 h in a lineage that died out, and slope and constant of that in one of j >= 1 cells.

    With deaths counted by y, the generating function F of cells obeys dF/dt = b F^2 - (b + d) F + d y. Its derivative at y = 1
    is d F_x(t) times the integral of 1 / F_x, a polynomial in x; so the mean given j is a straight line in j. With u = rt,

        extinct:  (e + 2 b t^2 A + b^2 t^3 T) / (e (1 + b e)),       A = (1 - E + uE) / u^2
        slope:    d b t^3 T / (e (1 + b e)),                         T = (E^2 - 1 - 2uE) / u^3
        constant: d b t^3 (T + 2 (1 + b e) C) / (e (1 + b e)),       C = (2 - 2E + u + uE) / u^3

    for u up to 300. Returns the three.
    """
    u = (birth - death) * t
    grown_by, e = _spread(birth, death, t)
    if abs(u) < _SMALL:
        a, x, c = 0.0, 0.0, 0.0
        for k in range(_TERMS - 1, -1, -1):
            a, x, c = a * u + _A[k], x * u + _T[k], c * u + _C[k]
    else:
        a = (1.0 - grown_by + u * grown_by) / (u * u)
        x = (grown_by * grown_by - 1.0 - 2.0 * u * grown_by) / (u * u * u)
        c = (2.0 - 2.0 * grown_by + u + u * grown_by) / (u * u * u)
    more = 1.0 + birth * e
    cube = t * t * t / (e * more)
    extinct = (e + 2.0 * birth * t * t * a) / (e * more) + birth * birth * cube * x
    return extinct, death * birth * cube * x, death * birth * cube * (x + 2.0 * more * c)


@kernel
def leap(
    n: float, birth: float, death: float, dt: float, stream: Word, increment: Word
) -> tuple[Word, float, float, float]:
    """Cells after `dt` h of n cells now, drawn exactly, and how many were born and died meanwhile.

    n : whole, up to 2**53; birth, death : 1/h per cell; dt : h, with (birth - death) dt up to 300
    Returns the stream moved on, cells, born, died, with born - died = cells - n exactly.
    *Leaves out*: the number of cells is exact; that of the deaths has its exact mean given how many lineages live and how
    many cells they have, but Poisson's variance around it. Without birth or without death it is exact too.
    """
    if n <= 0.0 or dt <= 0.0 or (birth <= 0.0 and death <= 0.0):
        return stream, max(n, 0.0), 0.0, 0.0
    grown_by, e = _spread(birth, death, dt)
    more = 1.0 + birth * e
    lost = death * e / more  # a chance near 1 is drawn by its complement, which is the more precise number
    if lost < 0.5:
        stream, dead = binomial(n, lost, stream, increment)
        alive = n - dead
    else:
        stream, alive = binomial(n, grown_by / more, stream, increment)
    stream, extra = negative_binomial(alive, birth * e, stream, increment)
    cells = alive + extra
    died = n - alive
    if death > 0.0 and birth > 0.0:
        deaths, slope, constant = turnover(birth, death, dt)
        stream, further = poisson((n - alive) * (deaths - 1.0) + alive * constant + cells * slope, stream, increment)
        died += further
    return stream, cells, cells - n + died, died
