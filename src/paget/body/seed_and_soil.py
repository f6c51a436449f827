"""Seed and soil: how many cells reach an organ, how hospitable it is, and how well seed and soil match.

The mean number of metastases of primary i in organ j is taken as λ_ij = L · v_ij, with a load L for each series of autopsies
(how far the disease had come) and a relative rate v_ij by one of three models:

    flow    v_ij = a_ij                      arrivals: the exact landing of the circulation, one arrest probability F
    soil    v_ij = h_j · m_ij                hospitality of the organ, and match of seed and soil
    both    v_ij = a_ij · h_j · m_ij

with m_ij = 1 + w Σ_k seed_ik soil_kj over the interactions k of `INTERACTIONS`. Of the cells, a share q leaves by lymph:
a_ij = (1 - q) landing by blood + q landing by lymph. An autopsy finds metastases with the probability 1 - exp(-λ_ij).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from paget.body.anatomy import Anatomy, human
from paget.body.autopsies import Finding, load_autopsies
from paget.body.circulation import fate
from paget.errors import UnknownNameError
from paget.evidence import ParameterTable, load_parameters

__all__ = [
    "HOSPITABLE",
    "INTERACTIONS",
    "MODELS",
    "ORIGINS",
    "Model",
    "Pattern",
    "arrivals",
    "calibrated",
    "found_in",
    "likeness",
    "load_of",
]

Real = NDArray[np.float64]
Model = Literal["flow", "soil", "both"]
MODELS: tuple[Model, ...] = get_args(Model)
ORIGINS = {  # where the primary tumour sits in the anatomy
    "breast": "mammary gland",
    "lung": "lung",
    "prostate": "prostate",
    "colon": "colon",
    "pancreas": "pancreas",
    "kidney": "kidney",
}
INTERACTIONS = ("cxcl12", "itga6", "itgav_itgb5", "itgav_itgb3", "selectin")
HOSPITABLE = ("liver", "bone marrow", "brain", "adrenal gland", "kidney", "lymph node", "rest")  # relative to the lung


@dataclass(frozen=True)
class Pattern:
    """One model with its numbers: relative rates of metastasis for any primary.

    arrest : probability of arrest per pass; match : weight w of the interactions; hospitality : h of the organs
    """

    model: Model
    arrest: float
    match: float
    hospitality: tuple[tuple[str, float], ...]

    def rates(self, organs: Sequence[str], landed: Mapping[str, float], alike: Mapping[str, float]) -> Real:
        """Relative rates v of metastases in organs, [organs], from the arrivals in them and the likeness of seed and soil."""
        rates = np.ones(len(organs))
        if self.model != "soil":
            rates *= [landed[organ] for organ in organs]
        if self.model != "flow":
            known = dict(self.hospitality)
            rates *= [1.0 if organ == "lung" else known.get(organ, known["rest"]) for organ in organs]
            rates *= [1.0 + self.match * alike[organ] for organ in organs]
        return rates

    @classmethod
    def from_table(cls, model: Model, table: ParameterTable) -> Pattern:
        """The model with the numbers of the parameter table."""
        arrest = 0.0 if model == "soil" else table[f"{model}_arrest"].inside("")
        match = 0.0 if model == "flow" else table[f"{model}_match"].inside("")
        names = () if model == "flow" else HOSPITABLE
        found = tuple((name, table[f"{model}_hospitality_{name}".replace(" ", "_")].inside("")) for name in names)
        return cls(model, arrest, match, found)


def arrivals(anatomy: Anatomy, primary: str, arrest: float, lymphatic: float) -> dict[str, float]:
    """Share of the cells of a primary that is arrested in every organ, by blood and lymph, if none dies on the way."""
    if primary not in ORIGINS:
        raise UnknownNameError("primary tumour", primary, ORIGINS)
    chain, origin = anatomy.chain(), ORIGINS[primary]
    by_blood = fate(chain, arrest, 0.0, origin, "blood").landing
    by_lymph = fate(chain, arrest, 0.0, origin, "lymph").landing
    return dict(zip(chain.organs, ((1.0 - lymphatic) * by_blood + lymphatic * by_lymph).tolist(), strict=True))


def likeness(table: ParameterTable, primary: str, organ: str) -> float:
    """Sum over the interactions of the level on the seed times that in the soil; levels that no row gives are 0."""

    def level(*words: str) -> float:
        key = "_".join(words).replace(" ", "_")
        return table[key].inside("") if key in table else 0.0

    own = {interaction: f"soil_{organ}_{interaction}".replace(" ", "_") in table for interaction in INTERACTIONS}
    return sum(
        level("seed", primary, interaction) * level("soil", organ if own[interaction] else "rest", interaction)
        for interaction in INTERACTIONS
    )


def found_in(load: float, rates: Real) -> Real:
    """Probability that an autopsy finds metastases, 1 - exp(-L v)."""
    return np.asarray(-np.expm1(-load * rates))


def unlikeliness(shares: Real, found: Real, autopsies: Real) -> float:
    """Binomial deviance of predicted shares, -2 log-likelihood ratio to the observed ones."""

    def log_likelihood(p: Real) -> float:
        p = np.clip(p, 1e-12, 1.0 - 1e-12)
        return float((found * np.log(p) + (autopsies - found) * np.log1p(-p)).sum())

    return 2.0 * (log_likelihood(found / autopsies) - log_likelihood(shares))


def load_of(rates: Real, found: Real, autopsies: Real) -> float:
    """The load L under which the findings of one series are likeliest."""
    middle = float(np.log(np.clip(found / autopsies, 1e-3, 0.999).mean() / rates.mean()))
    best = minimize_scalar(
        lambda log_load: unlikeliness(found_in(np.exp(log_load), rates), found, autopsies),
        bounds=(middle - 8.0, middle + 12.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.exp(best.x))


def calibrated(model: Model, anatomy: Anatomy | None = None, table: ParameterTable | None = None) -> Pattern:
    """Fit a model to the series that are marked calibration, by greatest likelihood; slow, for making the table.

    Free are the arrest probability (flow, both), the weight of the match and the hospitalities (soil, both), and one load
    for each series.
    """
    body = human() if anatomy is None else anatomy
    rows = load_parameters("organ_pattern") if table is None else table
    series: dict[tuple[str, str], list[Finding]] = {}
    for finding in load_autopsies():
        if finding.use == "calibration" and finding.organ:
            series.setdefault((finding.series, finding.primary), []).append(finding)
    lymphatic = rows["lymphatic_share"].inside("")
    landed = functools.lru_cache(maxsize=64)(lambda primary, arrest: arrivals(body, primary, arrest, lymphatic))
    alike = {
        primary: {f.organ: likeness(rows, primary, f.organ) for f in group} for (_, primary), group in series.items()
    }
    moves, grows = int(model != "soil"), int(model != "flow")

    def pattern(free: Real) -> Pattern:
        arrest = float(1.0 / (1.0 + np.exp(-free[0]))) if moves else 0.0
        match, *hospitality = free[moves : moves + 1 + len(HOSPITABLE)].tolist() if grows else (0.0,)
        return Pattern(model, arrest, match, tuple(zip(HOSPITABLE, np.exp(hospitality).tolist(), strict=False)))

    def total(free: Real) -> float:
        tried, sum_of = pattern(free), 0.0
        for log_load, ((_, primary), group) in zip(free[-len(series) :], series.items(), strict=True):
            arriving = landed(primary, tried.arrest) if moves else {}
            rates = tried.rates([f.organ for f in group], arriving, alike[primary])
            found, autopsies = (np.array([getattr(f, name) for f in group], float) for name in ("found", "autopsies"))
            sum_of += unlikeliness(found_in(np.exp(log_load), rates), found, autopsies)
        return sum_of

    begins = [-2.0] * moves + [0.5] * grows + [0.0] * (len(HOSPITABLE) * grows) + [0.0] * len(series)
    limits = [(-9.0, 5.0)] * moves + [(0.0, 10.0)] * grows
    limits += [(-8.0, 8.0)] * (len(begins) - len(limits))
    best = minimize(total, begins, method="L-BFGS-B", bounds=limits, options={"maxiter": 2000, "ftol": 1e-12})
    return pattern(best.x)
