"""Which test answers for which kind of readout: the one table in which the defaults are chosen.

==========  ==========================  ========================  ====================  ==========================
kind        pairs                       independent groups        effect size           several arms
==========  ==========================  ========================  ====================  ==========================
continuous  means, exchanged in pairs   means, relabelled         Hedges g              ANOVA, Dunnett or Tukey
fraction    means, exchanged in pairs   means, relabelled         Hedges g              ANOVA, Dunnett or Tukey
count       negative binomial score,    negative binomial score,  rate ratio            negative binomial
            exchanged in pairs          relabelled                                      likelihood ratio
time        log-rank scores,            log-rank scores,          hazard ratio (Peto)   log-rank
            exchanged in pairs          relabelled
==========  ==========================  ========================  ====================  ==========================

Other tests of a kind are chosen by the names in `TESTS`. The effect itself is the difference of the means (for times,
of the restricted means) with its interval of Student's t. All p-values are two-sided and all intervals hold 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from paget.compare.findings import Finding
from paget.compare.outcomes import Kind, Sample
from paget.compare.permuted_arms import count_groups, count_pairs, mean_groups, mean_pairs, time_groups, time_pairs
from paget.compare.two_arms import log_rank, paired_t, rank_sum, signed_rank, welch_t
from paget.errors import UnknownNameError

__all__ = ["DEFAULTS", "TESTS", "Choice", "TwoArmTest", "choose"]

TwoArmTest = Callable[[Sample, Sample], Finding]


@dataclass(frozen=True)
class Choice:
    """The tests of one kind of readout; `pairs` is None where pairs are analysed as independent groups."""

    pairs: TwoArmTest | None
    groups: TwoArmTest
    several: Literal["means", "counts", "ranks", "log-rank"]


_T = Choice(pairs=paired_t, groups=welch_t, several="means")
_PERMUTATION = Choice(pairs=mean_pairs, groups=mean_groups, several="means")
_RANKS = Choice(pairs=signed_rank, groups=rank_sum, several="ranks")

TESTS: Mapping[Kind, Mapping[str, Choice]] = MappingProxyType(
    {
        "continuous": {"permutation": _PERMUTATION, "t": _T, "ranks": _RANKS},
        "fraction": {"permutation": _PERMUTATION, "t": _T, "ranks": _RANKS},
        "count": {
            "negative binomial": Choice(pairs=count_pairs, groups=count_groups, several="counts"),
            "ranks": _RANKS,
            "permutation": _PERMUTATION,
        },
        "time": {
            "log-rank": Choice(pairs=time_pairs, groups=time_groups, several="log-rank"),
            "log-rank, chi-squared": Choice(pairs=None, groups=log_rank, several="log-rank"),
        },
    }
)
"""The tests of each kind of readout by name, the default first."""

DEFAULTS: Mapping[Kind, Choice] = MappingProxyType({kind: next(iter(named.values())) for kind, named in TESTS.items()})


def choose(kind: Kind, tests: Mapping[Kind, str] | None) -> Choice:
    """Give the test of a kind: the one named for it, or else the default.

    Raises
    ------
    UnknownNameError
        If a kind, or the test of a kind, has no such name.
    """
    for named in tests or {}:
        if named not in TESTS:
            raise UnknownNameError("kind of readout", named, TESTS)
    if not tests or kind not in tests:
        return DEFAULTS[kind]
    if tests[kind] not in TESTS[kind]:
        raise UnknownNameError(f"test of readouts of kind '{kind}'", tests[kind], TESTS[kind])
    return TESTS[kind][tests[kind]]
