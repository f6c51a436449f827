"""Laws by which a tumour grows, solved exactly, with a first-order loss such as treatment.

Every law is one member of a family: with the specific rate s = (dx/dt) / x and constants g and c of the law,

    ds/dt = -(c + g s) s,   so   x(t) = x (1 + g s(x) phi)^(1/g),   phi = (1 - e^(-ct)) / c

and x e^(s phi) where g = 0. Time to a size and specific rate follow from the same two constants:

    code         law (without loss)                    g       c (with loss `kill`)
    EXPONENTIAL  dx = rate x                           0       0
    GOMPERTZ     dx = rate x ln(limit / x)             0       rate
    BERTALANFFY  dx = rate x^p - rate limit^(p-1) x    1 - p   (1 - p) (rate limit^(p-1) + kill)
    LOGISTIC     dx = rate x (1 - x / limit)           -1      rate - kill
    POWER        dx = rate x^p                         1 - p   (1 - p) kill

Sizes may be cells or volumes; then `rate` of BERTALANFFY and POWER is in size^(1-p)/h and all others in 1/h. `limit` is the
size at which growth ends without loss, `power` is p; laws that do not have them ignore them.
Sources: Gerlee 2013, doi:10.1158/0008-5472.CAN-12-4355; Benzekry et al. 2014, doi:10.1371/journal.pcbi.1003800.
"""

from __future__ import annotations

import numpy as np

from paget.kernels.compile import kernel

__all__ = ["BERTALANFFY", "EXPONENTIAL", "GOMPERTZ", "LOGISTIC", "POWER", "grown", "integral", "specific", "time_to"]

EXPONENTIAL, GOMPERTZ, BERTALANFFY, LOGISTIC, POWER = 0, 1, 2, 3, 4

_NEAR_ONE = 0.25  # distance from 1 within which the logarithm is taken of the distance
_ABSCISSAE, _WEIGHTS = np.polynomial.legendre.leggauss(16)  # on -1 to 1
_FEW_ABSCISSAE, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(5)
_FOLDS = 8.0  # by how much the logarithm of the integrand may change over one piece
_SMOOTH = 0.1  # of that and of the law's own clock, for which five points do
_STEADY = 1e-13  # below this change the integrand is constant


@kernel
def _constants(law: int, rate: float, limit: float, power: float, kill: float) -> tuple[float, float]:
    """Constants g and c of a law; see above."""
    if law == GOMPERTZ:
        return 0.0, rate
    if law == LOGISTIC:
        return -1.0, rate - kill
    if law == BERTALANFFY:
        return 1.0 - power, (1.0 - power) * (rate * limit ** (power - 1.0) + kill)
    if law == POWER:
        return 1.0 - power, (1.0 - power) * kill
    return 0.0, 0.0


@kernel
def _reach(c: float, t: float) -> float:
    """phi = (1 - e^(-ct)) / c, or t where c is 0."""
    return t if c == 0.0 or c * t == 0.0 else float(-np.expm1(-c * t) / c)


@kernel
def specific(law: int, size: float, rate: float, limit: float, power: float) -> float:
    """Net growth per cell and hour at a size, without loss; 0 where there is nothing to grow."""
    if size <= 0.0:
        return 0.0
    if law == GOMPERTZ:
        return float(rate * np.log(limit / size))
    if law == LOGISTIC:
        return rate * (1.0 - size / limit)
    if law == BERTALANFFY:
        return float(rate * (size ** (power - 1.0) - limit ** (power - 1.0)))
    if law == POWER:
        return float(rate * size ** (power - 1.0))
    return rate


@kernel
def _supply(law: int, size: float, rate: float, limit: float, power: float) -> float:
    """The part of the specific rate that changes with size, where g is not 0; the rest is -c / g."""
    return -rate * size / limit if law == LOGISTIC else float(rate * size ** (power - 1.0))


@kernel
def grown(law: int, size: float, dt: float, rate: float, limit: float, power: float, kill: float) -> float:
    """Size after `dt` h under a law and a loss of `kill` per cell and hour; 0 stays 0, and what explodes is inf.

    size, limit : > 0, cells or um3; dt : h, inf for the size approached; rate, kill : see above
    """
    if size <= 0.0:
        return 0.0
    if dt <= 0.0:
        return size
    net = specific(law, size, rate, limit, power) - kill
    if net == 0.0:
        return size
    g, c = _constants(law, rate, limit, power, kill)
    reach = _reach(c, dt)
    if g == 0.0:
        return float(size * np.exp(net * reach))
    if abs(g * net * reach) < _NEAR_ONE:
        return float(size * np.exp(np.log1p(g * net * reach) / g))
    # Far from 1, a sum of two numbers of one sign instead of a difference.
    ratio = np.exp(-c * dt) if c != 0.0 else 1.0
    supply = _supply(law, size, rate, limit, power)
    if supply != 0.0:
        ratio += g * supply * reach
    if ratio <= 0.0:
        return np.inf
    return size / ratio if g == -1.0 else float(size * np.exp(np.log(ratio) / g))


@kernel
def time_to(law: int, size: float, target: float, rate: float, limit: float, power: float, kill: float) -> float:
    """Time in h until the size is `target`, growing or shrinking, under the law and a loss; inf if that never happens."""
    if size == target:
        return 0.0
    if size <= 0.0 or target <= 0.0:
        return np.inf
    net = specific(law, target, rate, limit, power) - kill
    if net == 0.0:
        return np.inf
    g, c = _constants(law, rate, limit, power, kill)
    # The same law, followed backwards from the target.
    folds = np.log(target / size)
    reach = (folds if g == 0.0 else -np.expm1(-g * folds) / g) / net
    if c == 0.0:
        return reach if reach > 0.0 else np.inf
    if 1.0 + c * reach <= 0.0:
        return np.inf
    time = np.log1p(c * reach) / c
    return time if time > 0.0 else np.inf


@kernel
def integral(
    law: int, size: float, dt: float, rate: float, limit: float, power: float, kill: float, exponent: float
) -> float:
    """Integral over `dt` h of size(t)^exponent, of what a tumour sheds or exchanges through its surface.

    In closed form for EXPONENTIAL; else by Gauss and Legendre's rule of 16 points on pieces over which the integrand changes
    by at most e^8 and the law's own clock by a unit, of 5 where it hardly changes, to a relative error below 1e-10.
    """
    if size <= 0.0 or dt <= 0.0:
        return 0.0
    if law == EXPONENTIAL:
        return float(size**exponent * _reach(-exponent * (rate - kill), dt))
    if np.isinf(grown(law, size, dt, rate, limit, power, kill)):
        return np.inf
    g, c = _constants(law, rate, limit, power, kill)
    total, left = 0.0, dt
    while True:
        net = specific(law, size, rate, limit, power) - kill
        if abs(exponent * net) * left <= _STEADY:
            return float(total + size**exponent * left)
        piece = min(left, _FOLDS / abs(exponent * net)) if exponent != 0.0 else left
        if c != 0.0:
            piece = min(piece, 1.0 / abs(c))
        if g != 0.0:
            piece = min(piece, 1.0 / abs(g * net))
        few = abs(exponent * net) * piece <= _FOLDS * _SMOOTH and max(abs(c), abs(g * net)) * piece <= _SMOOTH
        part = 0.0
        for i in range(_FEW_ABSCISSAE.size if few else _ABSCISSAE.size):
            x, weight = (_FEW_ABSCISSAE[i], _FEW_WEIGHTS[i]) if few else (_ABSCISSAE[i], _WEIGHTS[i])
            part += weight * grown(law, size, 0.5 * piece * (1.0 + x), rate, limit, power, kill) ** exponent
        total += 0.5 * piece * part
        if piece >= left:
            return total
        left -= piece
        size = grown(law, size, piece, rate, limit, power, kill)
