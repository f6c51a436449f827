"""Observations of which organs hold metastases, on virtual autopsies under blood flow, seed and soil together."""

from __future__ import annotations

import numpy as np

from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, share_of

__all__ = ["CASES", "EXPERIMENTS"]

BONE, AUTOPSIES = "bone marrow", "diSibio and French 2008"
PRIMARIES = ("breast", "lung", "prostate", "colon", "pancreas", "kidney")
PROSTATE = {"bone": BONE, "lung": "lung", "liver": "liver", "adrenal": "adrenal gland"}
EARLY = 1e-3  # share of the load at autopsy at which almost nobody has a second metastasis


def _subject(primary: str, series: str):  # type: ignore[no-untyped-def]  # the type would load the catalogue
    from paget.catalogue.organ_pattern import organ_pattern

    return organ_pattern({"primary": primary, "series": series})


def autopsies(quick: bool) -> dict[str, Measured]:
    """Shares of autopsies with metastases, and bone among the organs of those who have any."""
    found: dict[str, Measured] = {}
    bubendorf = _subject("prostate", "Bubendorf 2000").incidence()
    for part, organ in PROSTATE.items():
        n = 556
        found[f"H095 {part}"] = share_of(
            bubendorf[organ] * n, n, f"predicted share, interval as of {n} autopsies of prostate cancer"
        )
    seen = bones = 0.0
    for primary in PRIMARIES:
        subject = _subject(primary, AUTOPSIES)
        shares, n = subject.incidence(), subject.findings[0].autopsies
        seen, bones = seen + n, bones + n * shares[BONE]
        name = "lung adenocarcinoma" if primary == "lung" else primary
        if name in LISTED:
            found[f"H048 {name}"] = _among_metastatic(shares)
    found["H045"] = share_of(bones, round(seen), f"{seen:.0f} virtual autopsies of six tumours")
    return found


LISTED = ("prostate", "breast", "kidney", "lung adenocarcinoma")


def _among_metastatic(shares: dict[str, float]) -> Measured:
    """Bone metastases among patients with any: at the load of autopsies, and from there down to the first metastasis."""
    rates = {organ: -np.log1p(-share) for organ, share in shares.items()}

    def bone(load: float) -> float:
        any_organ = -np.expm1(-load * sum(rates.values()))
        return float(100.0 * -np.expm1(-load * rates[BONE]) / any_organ)

    ends = sorted((bone(EARLY), bone(1.0)))
    return Measured(
        value=bone(1.0),
        low=ends[0],
        high=ends[1],
        how="share of those with metastases in any organ; interval from the first metastasis to the load of autopsies",
    )


EXPERIMENTS = (Computation(key="organs", title="Virtual autopsies", run=autopsies),)
_LOAD = "how far the disease had come is set by these autopsies; how it spreads over organs is not"
CASES = (
    *(Case(observation=f"H095 {part}", experiment="organs", remark=_LOAD) for part in PROSTATE),
    *(
        Case(
            observation=f"H048 {part}",
            experiment="organs",
            stands_in="autopsies, later in the disease than the diagnosis"
            + ("; lung cancers of all kinds" if part.startswith("lung") else ""),
        )
        for part in LISTED
    ),
    Case(observation="H045", experiment="organs", stands_in="autopsies of six tumours"),
)
