"""The FAK-ERK switch of a disseminated tumour cell: two rates with positive feedback, hence a threshold and a memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.compile import kernel

Real = NDArray[np.float64]


@kernel
def fak_erk(
    fak: Real,
    erk: Real,
    integrin: Real,
    tonic: Real,
    inhibition: float,
    dt: float,
    fak_rate: float,
    erk_rate: float,
    drive: float,
    feedback: float,
    half: float,
    power: float,
    sub_steps: int,
) -> None:
    """Advance FAK and ERK activity (fractions of maximum) of every cell by `dt` hours, in place.

    d(fak)/dt = fak_rate * ((1 - inhibition) * integrin - fak)
    d(erk)/dt = erk_rate * (tonic + drive * fak + feedback * erk^n / (half^n + erk^n) - erk)

    fak, erk, integrin, tonic : float64 [n]; the classical fourth-order Runge-Kutta scheme with `sub_steps` steps.
    """
    h = dt / sub_steps
    top = half**power
    for i in range(fak.size):
        f = fak[i]
        e = erk[i]
        goal = (1.0 - inhibition) * integrin[i]
        for _ in range(sub_steps):
            kf1 = fak_rate * (goal - f)
            ep = max(e, 0.0) ** power
            ke1 = erk_rate * (tonic[i] + drive * f + feedback * ep / (top + ep) - e)
            f2 = f + 0.5 * h * kf1
            e2 = e + 0.5 * h * ke1
            kf2 = fak_rate * (goal - f2)
            ep = max(e2, 0.0) ** power
            ke2 = erk_rate * (tonic[i] + drive * f2 + feedback * ep / (top + ep) - e2)
            f3 = f + 0.5 * h * kf2
            e3 = e + 0.5 * h * ke2
            kf3 = fak_rate * (goal - f3)
            ep = max(e3, 0.0) ** power
            ke3 = erk_rate * (tonic[i] + drive * f3 + feedback * ep / (top + ep) - e3)
            f4 = f + h * kf3
            e4 = e + h * ke3
            kf4 = fak_rate * (goal - f4)
            ep = max(e4, 0.0) ** power
            ke4 = erk_rate * (tonic[i] + drive * f4 + feedback * ep / (top + ep) - e4)
            f += h * (kf1 + 2.0 * kf2 + 2.0 * kf3 + kf4) / 6.0
            e += h * (ke1 + 2.0 * ke2 + 2.0 * ke3 + ke4) / 6.0
        fak[i] = min(max(f, 0.0), 1.0)
        erk[i] = min(max(e, 0.0), 1.0)
