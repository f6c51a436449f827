"""Observations of tumours in bone: the niche of three networks at a bone surface, and the equations of remodelling."""

from __future__ import annotations

import numpy as np

from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, as_reduction, contrast

__all__ = ["CASES", "EXPERIMENTS"]

HOURS, SATURATING = "192 h", "100 nM"
SEEDS, QUICK = 8, 4


def _niche(seed: int, sirolimus: str, hours: str = HOURS, denosumab: str = "0 nM") -> tuple[float, float]:
    """Tumour cells added, and mean resorption of the osteoclasts, after some days at a bone surface."""
    from paget.catalogue.bone_niche import OSTEOCLAST, TUMOUR, bone_niche

    start = 36
    cells = bone_niche(start, sirolimus=sirolimus, denosumab=denosumab).simulation(seed=seed).run(hours).cells
    resorption = float(cells.loc[cells["type"] == OSTEOCLAST, "node_Resorption"].mean())
    return float((cells["type"] == TUMOUR).sum()) - start, resorption


def _paired(arm: np.ndarray, control: np.ndarray, how: str) -> Measured:
    from scipy.stats import ttest_rel

    same = bool(np.ptp(arm - control) == 0.0)
    p = (1.0 if arm[0] == control[0] else 0.0) if same else float(ttest_rel(arm, control).pvalue)
    return contrast(arm, control, p, how, paired=True)


def vicious_cycle(quick: bool) -> dict[str, Measured]:
    """Bone with tumour cells under a saturating level of sirolimus or denosumab, and without."""
    seeds = range(QUICK if quick else SEEDS)
    plain = np.array([_niche(seed, "0 nM") for seed in seeds])
    rapamycin = np.array([_niche(seed, SATURATING) for seed in seeds])
    how = f"{len(plain)} strips of bone, eight days; paired t test"
    return {
        "H049 osteolysis": _paired(rapamycin[:, 1], plain[:, 1], f"mean resorption of osteoclasts, {how}"),
        "H050": as_reduction(_paired(rapamycin[:, 0], plain[:, 0], f"tumour cells added, {how}")),
    }


def remodelling(quick: bool) -> dict[str, Measured]:
    """Active osteoclasts of the model of Lemaire et al. 2004 when RANKL is bound away, as denosumab does it."""
    from paget.catalogue.kinetics.bone import bone_signalling

    found = {}
    course = bone_signalling().solve([0.0, 7.0, 90.0], changes={"I_O": DECOY})
    rest = float(course["C"][0])
    for name, at in (("H065 1 week", 1), ("H065 3 months", 2)):
        left = float(course["C"][at]) / rest
        found[name] = Measured(
            value=100.0 * (1.0 - left),
            sign=-1,
            n=1,
            how="active osteoclasts, equations of Lemaire et al. 2004 with RANKL bound away",
            details=f"{rest:.3g} to {left * rest:.3g}",
        )
    return found


DECOY = "1e9 pM/day"
EXPERIMENTS = (
    Computation(key="bone", title="Tumour cells at a bone surface", run=vicious_cycle),
    Computation(key="remodelling", title="Bone remodelling without RANKL", run=remodelling),
)
CASES = (
    Case(
        observation="H049 osteolysis",
        experiment="bone",
        stands_in="mean resorption of osteoclasts",
        remark="a saturating level; kinetics of rapamycin in the mouse are not in the model",
    ),
    Case(
        observation="H050",
        experiment="bone",
        stands_in="tumour cells added in eight days, sirolimus for everolimus",
        remark="a saturating level; kinetics of everolimus in the mouse are not in the model",
    ),
    Case(
        observation="H065 1 week",
        experiment="remodelling",
        stands_in="active osteoclasts for the marker uNTx; a decoy of RANKL for denosumab",
    ),
    Case(
        observation="H065 3 months",
        experiment="remodelling",
        stands_in="active osteoclasts for the marker uNTx; a decoy of RANKL for denosumab",
    ),
)
