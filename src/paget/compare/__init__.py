"""Statistics of a virtual experiment: what differs between arms, by how much, and how surely.

Which test answers for which kind of readout is one table, `paget.compare.defaults.DEFAULTS`. scipy,
lifelines and pandas are imported when a test runs, so that importing this package costs nothing at start-up.
"""

from __future__ import annotations

from paget.compare.comparison import Comparison
from paget.compare.competing import CumulativeIncidence, IncidenceContrast, IncidenceCurve, cumulative_incidence
from paget.compare.contrasts import compare
from paget.compare.defaults import TESTS
from paget.compare.effects import hedges_g, hedges_g_paired, rank_biserial, rank_biserial_paired
from paget.compare.equivalence import Equivalence, equivalence
from paget.compare.groups import Omnibus, PostHoc, omnibus
from paget.compare.kaplan_meier import LogRank, SurvivalCurve, SurvivalCurves, survival
from paget.compare.rate_ratio import RateRatio, rate_ratio, rate_ratio_paired
from paget.compare.repeated_measures import Repeated, Trend, repeated
from paget.compare.series import series_bands
from paget.compare.time_to_event import RestrictedMean, peto_hazard_ratio, restricted_mean

__all__ = [
    "TESTS",
    "Comparison",
    "CumulativeIncidence",
    "Equivalence",
    "IncidenceContrast",
    "IncidenceCurve",
    "LogRank",
    "Omnibus",
    "PostHoc",
    "RateRatio",
    "Repeated",
    "RestrictedMean",
    "SurvivalCurve",
    "SurvivalCurves",
    "Trend",
    "compare",
    "cumulative_incidence",
    "equivalence",
    "hedges_g",
    "hedges_g_paired",
    "omnibus",
    "peto_hazard_ratio",
    "rank_biserial",
    "rank_biserial_paired",
    "rate_ratio",
    "rate_ratio_paired",
    "repeated",
    "restricted_mean",
    "series_bands",
    "survival",
]
