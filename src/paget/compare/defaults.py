"""Which test answers for which kind of readout: the one table in which the defaults are chosen.

============  ==================  ===================  ==============================  ============================
kind          pairs               independent groups   interval of the difference of   several arms
============  ==================  ===================  ==============================  ============================
continuous    paired t            Welch t              means                           ANOVA, Dunnett or Tukey
fraction      paired t            Welch t              means                           ANOVA, Dunnett or Tukey
count         exact signed rank   exact Mann-Whitney   means                           Kruskal-Wallis, Mann-Whitney
time          log-rank            log-rank             restricted means                log-rank
============  ==================  ===================  ==============================  ============================

Effect sizes are Hedges g for means, the rank-biserial correlation for counts and Peto's hazard ratio for times. All
p-values are two-sided and all intervals hold 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from paget.compare.findings import Finding
from paget.compare.outcomes import Kind, Sample
from paget.compare.two_arms import log_rank, paired_t, rank_sum, signed_rank, welch_t

__all__ = ["DEFAULTS", "Choice", "TwoArmTest"]

TwoArmTest = Callable[[Sample, Sample], Finding]


@dataclass(frozen=True)
class Choice:
    """The tests of one kind of readout; `pairs` is None where pairs are analysed as independent groups."""

    pairs: TwoArmTest | None
    groups: TwoArmTest
    several: Literal["means", "ranks", "log-rank"]


DEFAULTS: Mapping[Kind, Choice] = MappingProxyType(
    {
        "continuous": Choice(pairs=paired_t, groups=welch_t, several="means"),
        "fraction": Choice(pairs=paired_t, groups=welch_t, several="means"),
        "count": Choice(pairs=signed_rank, groups=rank_sum, several="ranks"),
        "time": Choice(pairs=None, groups=log_rank, several="log-rank"),
    }
)
