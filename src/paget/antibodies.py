"""Antibodies that neutralise what a gene makes: how much of the target they leave free.

The concentration C of an antibody rises by each dose and falls with its half-life; the target is bound at equilibrium, so that
the share K / (K + C) of it is free, with K the dissociation constant.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from paget.evidence import Parameter, load_parameters

if TYPE_CHECKING:
    from paget.experiment import Antibody

__all__ = ["antibody_numbers", "free_fraction"]


def antibody_numbers() -> dict[str, Parameter]:
    """The numbers of an antibody that does not bring its own, by key: molar mass, volume, half-life, affinity."""
    return dict(load_parameters("antibodies"))


def free_fraction(antibody: Antibody, doses: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """Mean share of the target that is free from `begin` to `end` (h), after doses of one antibody.

    Between doses C falls as C0 exp(-k t), and the mean of K / (K + C) has the closed form
    1 + ln((K + C0 exp(-k L)) / (K + C0)) / (k L) over a time L.

    doses : (time in h, mg/kg); those at or after `end` do nothing yet

    Assumes
        More antibody than target, at once in the whole volume.
    Leaves out
        Binding by the target speeding up the loss of the antibody; antibodies against the antibody.

    Examples
    --------
    >>> from paget.experiment import Antibody
    >>> anti_ccl2 = Antibody(target="CCL2", amount="5 mg/kg", at="0 day", affinity="1 nM")
    >>> round(free_fraction(anti_ccl2, [(0.0, 5.0)], 0.0, 12.0), 4)
    0.0031
    """
    numbers = antibody_numbers()
    half_life = numbers["antibody_half_life"].inside("h") if antibody.half_life is None else antibody.half_life
    affinity = numbers["antibody_affinity"].inside("nM") if antibody.affinity is None else antibody.affinity
    per_dose = 1e6 / (numbers["antibody_molar_mass"].inside("g/mol") * numbers["antibody_volume"].inside("L/kg"))
    rate = math.log(2.0) / half_life
    moments = [begin, *sorted({time for time, _ in doses if begin < time < end}), end]
    free = 0.0
    for start, stop in itertools.pairwise(moments):
        level = sum(
            amount * per_dose * math.exp(-rate * (start - time)) for time, amount in sorted(doses) if time <= start
        )
        span = stop - start
        free += span + math.log((affinity + level * math.exp(-rate * span)) / (affinity + level)) / rate
    return min(free / (end - begin), 1.0)
