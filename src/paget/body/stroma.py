"""What chemotherapy does to the stroma of an organ without cells of its own: senescence, and dormant cells that wake by it.

The mean of what the fibroblasts of the lung do one by one: DNA damage, p21, commitment to senescence, the secretome, senolysis.
The traps that the secretome calls remodel laminin, and dormant cells wake with the share of laminin that their integrins find.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paget.body.values import Number
from paget.process import Values, parameter
from paget.rules.response import hill

__all__ = ["STROMA", "StromaBiology", "advanced", "awakening", "untouched"]

Real = NDArray[np.float64]

SENOLYTIC = ("dasatinib", "quercetin", "navitoclax")
STROMA = ("damage", "p21", "resting", "senescent", "secretome", "remodelled")
DAMAGE, P21, RESTING, SENESCENT, SECRETOME, REMODELLED = range(6)


@dataclass(frozen=True, kw_only=True)
class StromaBiology:
    """The numbers of the stroma: those of the lung's fibroblasts, and two fitted to the lung's tumour cells."""

    damage_rate: Number = parameter("damage_rate", "1/h")
    doxorubicin_half: Number = parameter("damage_doxorubicin_half", "nM")
    cisplatin_half: Number = parameter("damage_cisplatin_half", "nM")
    cisplatin_strength: Number = parameter("cisplatin_senescence_strength", "")
    repair: Number = parameter("damage_repair_half_life", "h")
    p21_time: Number = parameter("p21_half_time", "h")
    p21_half: Number = parameter("p21_damage_half", "")
    p21_hill: Number = parameter("p21_damage_hill", "")
    senescence: Number = parameter("senescence_rate", "1/h")
    senescence_background: Number = parameter("senescence_background", "1/h")
    senescence_half: Number = parameter("senescence_p21_half", "")
    senescence_hill: Number = parameter("senescence_p21_hill", "")
    loss: Number = parameter("senescent_loss", "1/h")
    secretome_time: Number = parameter("secretome_half_time", "h")
    dasatinib_rate: Number = parameter("dasatinib_senolysis_rate", "1/h")
    dasatinib_half: Number = parameter("dasatinib_senolysis_half", "nM")
    quercetin_rate: Number = parameter("quercetin_senolysis_rate", "1/h")
    quercetin_half: Number = parameter("quercetin_senolysis_half", "nM")
    navitoclax_rate: Number = parameter("navitoclax_senolysis_rate", "1/h")
    navitoclax_half: Number = parameter("navitoclax_senolysis_half", "nM")
    senolysis_hill: Number = parameter("senolysis_hill", "")
    remodelling: Number = parameter("remodelling_rate", "1/h")
    remodelling_half: Number = parameter("remodelling_secretome_half", "")
    remodelling_hill: Number = parameter("remodelling_secretome_hill", "")
    renewal: Number = parameter("laminin_renewal", "h")
    integrin_half: Number = parameter("integrin_half", "")
    integrin_hill: Number = parameter("integrin_hill", "")
    awakening_gain: Number = parameter("awakening_gain", "")


def untouched() -> Real:
    """The stroma [6] before any treatment: all fibroblasts rest."""
    state = np.zeros(len(STROMA))
    state[RESTING] = 1.0
    return state


def _towards(value: float, source: float, loss: float, dt: float) -> float:
    """The solution of y' = source - loss y after dt."""
    if loss <= 0.0:
        return value + source * dt
    rest = source / loss
    return rest + (value - rest) * math.exp(-loss * dt)


def advanced(state: Real, levels: Mapping[str, float], p: Values, dt: float) -> Real:
    """The stroma [6] after dt under levels of drugs in nM, each equation exact with the others held for the tick.

    damage' = r (S(dox) + s S(cis)) - ln2/T damage;  p21' = (S(damage) - p21) / T
    resting' = -h(p21) resting;  senescent' = h(p21) resting - (loss + senolysis) senescent, of the fibroblasts at the start
    secretome' = (senescent - secretome) / T - (loss + senolysis) secretome
    remodelled' = k S(secretome) (1 - remodelled) - ln2/T remodelled
    """
    d, q, rest, s, m, r = (float(v) for v in state)
    struck = hill(levels.get("doxorubicin", 0.0), p.doxorubicin_half)
    struck += hill(levels.get("cisplatin", 0.0), p.cisplatin_half, top=p.cisplatin_strength)
    weights = {
        drug: (max(levels.get(drug, 0.0), 0.0) / getattr(p, f"{drug}_half")) ** p.senolysis_hill for drug in SENOLYTIC
    }
    tops = sum(weight * getattr(p, f"{drug}_rate") for drug, weight in weights.items())
    loss = (p.loss + tops) / (1.0 + sum(weights.values()))
    raised = (max(q, 0.0) / p.senescence_half) ** p.senescence_hill
    commitment = (p.senescence_background + raised * p.senescence) / (1.0 + raised)
    committed = rest * -math.expm1(-commitment * dt)
    cut = hill(m, p.remodelling_half, p.remodelling_hill, p.remodelling)
    return np.array(
        [
            _towards(d, p.damage_rate * struck, math.log(2.0) / p.repair, dt),
            _towards(q, hill(d, p.p21_half, p.p21_hill) / p.p21_time, 1.0 / p.p21_time, dt),
            rest - committed,
            _towards(s, committed / dt, loss, dt),
            _towards(m, s / p.secretome_time, 1.0 / p.secretome_time + loss, dt),
            _towards(r, cut, cut + math.log(2.0) / p.renewal, dt),
        ]
    )


def awakening(state: Real, p: Values) -> float:
    """The factor by which dormant cells wake sooner: 1 + gain x share of integrins that find remodelled laminin."""
    return float(1.0 + p.awakening_gain * hill(float(state[REMODELLED]), p.integrin_half, p.integrin_hill))
