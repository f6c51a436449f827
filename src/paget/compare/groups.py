"""Several arms at once: is any of them different, and which?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from paget.compare.contrasts import holm
from paget.compare.defaults import Choice, choose
from paget.compare.effects import all_equal
from paget.compare.findings import CONFIDENCE, Interval
from paget.compare.kaplan_meier import several_log_rank
from paget.compare.outcomes import EMPTY, Kind, Sample, gather, read_readout
from paget.compare.rate_ratio import several_count_deviances
from paget.compare.wording import join_notes, p_in_words
from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Omnibus", "PostHoc", "omnibus"]

# Dunnett's p-values are integrals over a multivariate t distribution that scipy evaluates at random points;
# relabellings of several arms are drawn. Fixed seeds give the same p in every run.
_INTEGRATION_SEED = 20260101
_RELABELLINGS = 19_999
# Above so many values drawn, the chi-squared distribution is as good as the relabellings.
_MOST_DRAWN = 20_000_000


@dataclass(frozen=True)
class PostHoc:
    """One arm against another after a test of all: `effect` is `arm` minus `versus`, `p` is adjusted for all the pairs.

    `interval` is the simultaneous 95 % interval (Dunnett, Tukey); None where the procedure has none.
    """

    arm: str
    versus: str
    effect: float | None
    interval: Interval | None
    p: float


@dataclass(frozen=True)
class Omnibus:
    """Whether several arms differ in one readout, and the comparisons that follow it.

    `arms`, `n`, `means` and `sds` go together and hold the arms that entered the test; `means` and `sds` are None for
    kind "time", where the restricted means of each pair stand in `post_hoc`.
    """

    readout: str
    title: str
    unit: str
    kind: Kind
    arms: tuple[str, ...]
    n: tuple[int, ...]
    means: tuple[float, ...] | None
    sds: tuple[float, ...] | None
    test: str
    statistic: float | None
    p: float | None
    post_hoc_test: str
    post_hoc: tuple[PostHoc, ...]
    note: str

    def sentence(self) -> str:
        """Write the test of all arms as a paper would report it."""
        outcome = "no p-value" if self.p is None else f"p {p_in_words(self.p)}"
        text = f"{self.title}, {len(self.arms)} arms, n = {', '.join(map(str, self.n))}: {self.test}, {outcome}"
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.sentence()


@dataclass(frozen=True)
class _Verdict:
    test: str
    statistic: float | None
    p: float | None
    post_hoc_test: str
    post_hoc: tuple[PostHoc, ...]
    note: str = ""


def omnibus(
    outcomes: pd.DataFrame,
    readout: Mapping[str, Any],
    arms: Sequence[str],
    control: str | None = None,
    *,
    tests: Mapping[Kind, str] | None = None,
) -> Omnibus:
    """Test several arms at once, then each against the control, or all against all if there is no control.

    Means (continuous, fraction) are tested by one-way ANOVA with Dunnett's or Tukey's comparisons, counts by the
    negative binomial likelihood ratio under relabelling with pairwise score tests (or, by choice, by Kruskal-Wallis
    with exact Mann-Whitney tests), times by the log-rank test of all arms with pairwise log-rank tests; the pairwise
    tests of counts and times are Holm-adjusted. Arms with fewer than two animals are left out and named in the note.

    Parameters
    ----------
    outcomes, readout : as for `compare`, with one readout.
    arms : the arms to test.
    control : the arm that the others are compared with.
    tests : for a kind of readout the name of a test other than the default, as for `compare`.

    Raises
    ------
    ResultError
        If fewer than two arms, or one arm twice, are given.
    UnknownNameError
        If the control is none of the arms.

    Notes
    -----
    *Leaves out* that animals of one number are the same animal in every arm: as groups they are compared more
    cautiously than in the pairs of `compare`.

    Source: Dunnett CW (1955) J Am Stat Assoc 50:1096-1121; Tukey JW (1949) Biometrics 5:99-114; Kruskal WH, Wallis WA
    (1952) J Am Stat Assoc 47:583-621.
    """
    if len(arms) < 2 or len(set(arms)) < len(arms):
        raise ResultError(
            f"A test of several arms needs at least two different arms; given: {', '.join(arms) or 'none'}."
        )
    if control is not None and control not in arms:
        raise UnknownNameError("control arm", control, arms)
    described = read_readout(readout)
    gathered = gather(outcomes, [described])
    every = {arm: gathered.get((described.name, arm), EMPTY) for arm in arms}
    samples = {arm: sample for arm, sample in every.items() if len(sample) >= 2}
    notes = [f"'{arm}' left out with {len(every[arm])} animal(s)" for arm in arms if arm not in samples]
    notes += [f"{s.missing} missing in '{arm}' left out" for arm, s in samples.items() if s.missing]
    if len(samples) < 2:
        verdict = _Verdict("no test", None, None, "", (), "a test needs two arms with at least 2 animals")
    else:
        pairs = _pairs(tuple(samples), control)
        choice = choose(described.kind, tests)
        if choice.several == "means":
            verdict = _by_means(samples, pairs, control)
        elif choice.several == "counts":
            verdict = _by_counts(samples, pairs, choice)
        elif choice.several == "ranks":
            verdict = _by_ranks(samples, pairs)
        else:
            statistic, p = several_log_rank(list(samples.values()))
            verdict = _Verdict("log-rank test", statistic, p, *_pairwise(samples, pairs, choice))
    timed = described.kind == "time"
    return Omnibus(
        readout=described.name,
        title=described.title,
        unit=described.unit,
        kind=described.kind,
        arms=tuple(samples),
        n=tuple(len(sample) for sample in samples.values()),
        means=None if timed else tuple(float(sample.values.mean()) for sample in samples.values()),
        sds=None if timed else tuple(float(sample.values.std(ddof=1)) for sample in samples.values()),
        test=verdict.test,
        statistic=verdict.statistic,
        p=verdict.p,
        post_hoc_test=verdict.post_hoc_test,
        post_hoc=verdict.post_hoc,
        note=join_notes(*notes, verdict.note),
    )


def _pairs(arms: tuple[str, ...], control: str | None) -> list[tuple[str, str]]:
    if control is None:
        return [(later, earlier) for earlier, later in combinations(arms, 2)]
    return [(arm, control) for arm in arms if arm != control and control in arms]


def _by_means(samples: Mapping[str, Sample], pairs: list[tuple[str, str]], control: str | None) -> _Verdict:
    from scipy.stats import f_oneway

    values = [sample.values for sample in samples.values()]
    if all_equal(np.concatenate(values)):
        equal = tuple(PostHoc(arm, versus, 0.0, (0.0, 0.0), 1.0) for arm, versus in pairs)
        return _Verdict("one-way ANOVA", 0.0, 1.0, _name_of_means(control), equal, "all values equal in all arms")
    if all(all_equal(group) for group in values):
        ranked = _by_ranks(samples, pairs)
        note = "no spread within any arm, so ranks replace the ANOVA"
        return _Verdict(ranked.test, ranked.statistic, ranked.p, ranked.post_hoc_test, ranked.post_hoc, note)
    result = f_oneway(*values)
    after = _tukey(samples, pairs) if control is None else _dunnett(samples, pairs)
    return _Verdict("one-way ANOVA", float(result.statistic), float(result.pvalue), _name_of_means(control), after)


def _name_of_means(control: str | None) -> str:
    return "Tukey HSD test" if control is None else "Dunnett test"


def _tukey(samples: Mapping[str, Sample], pairs: list[tuple[str, str]]) -> tuple[PostHoc, ...]:
    from scipy.stats import tukey_hsd

    result = tukey_hsd(*(sample.values for sample in samples.values()))
    bounds = result.confidence_interval(CONFIDENCE)
    low, high = np.asarray(bounds.low), np.asarray(bounds.high)
    place = {arm: i for i, arm in enumerate(samples)}
    found = []
    for arm, versus in pairs:
        at = (place[arm], place[versus])
        interval = (float(low[at]), float(high[at]))
        found.append(PostHoc(arm, versus, float(result.statistic[at]), interval, float(result.pvalue[at])))
    return tuple(found)


def _dunnett(samples: Mapping[str, Sample], pairs: list[tuple[str, str]]) -> tuple[PostHoc, ...]:
    from scipy.stats import dunnett

    if not pairs:
        return ()
    control = samples[pairs[0][1]].values
    treated = [samples[arm].values for arm, _ in pairs]
    result = dunnett(*treated, control=control, random_state=np.random.default_rng(_INTEGRATION_SEED))
    bounds = result.confidence_interval(CONFIDENCE)
    low, high, p = np.asarray(bounds.low), np.asarray(bounds.high), np.asarray(result.pvalue)
    return tuple(
        PostHoc(arm, versus, float(group.mean() - control.mean()), (float(low[i]), float(high[i])), float(p[i]))
        for i, ((arm, versus), group) in enumerate(zip(pairs, treated, strict=True))
    )


def _by_counts(samples: Mapping[str, Sample], pairs: list[tuple[str, str]], choice: Choice) -> _Verdict:
    from scipy.stats import chi2

    after_name, after = _pairwise(samples, pairs, choice)
    values = np.concatenate([sample.values for sample in samples.values()])
    if values.min() < 0.0:
        ranked = _by_ranks(samples, pairs)
        note = "values below zero are no counts, so ranks replace their ratio"
        return _Verdict(ranked.test, ranked.statistic, ranked.p, ranked.post_hoc_test, ranked.post_hoc, note)
    name = "negative binomial likelihood-ratio test"
    if all_equal(values):
        return _Verdict(f"{name} (permutation)", 0.0, 1.0, after_name, after, "all values equal in all arms")
    sizes = [len(sample) for sample in samples.values()]
    statistic = float(several_count_deviances(values[None, :], sizes)[0])
    if len(values) * _RELABELLINGS > _MOST_DRAWN:
        p = float(chi2.sf(statistic, len(sizes) - 1))
        return _Verdict(f"{name} (chi-squared)", statistic, p, after_name, after)
    drawn = np.random.default_rng(_INTEGRATION_SEED).permuted(np.tile(values, (_RELABELLINGS, 1)), axis=1)
    as_extreme = int((several_count_deviances(drawn, sizes) >= statistic * (1 - 1e-9)).sum())
    return _Verdict(f"{name} (permutation)", statistic, (as_extreme + 1) / (_RELABELLINGS + 1), after_name, after)


def _by_ranks(samples: Mapping[str, Sample], pairs: list[tuple[str, str]]) -> _Verdict:
    from scipy.stats import kruskal

    after_name, after = _pairwise(samples, pairs, choose("count", {"count": "ranks"}))
    values = [sample.values for sample in samples.values()]
    if all_equal(np.concatenate(values)):
        return _Verdict("Kruskal-Wallis test", 0.0, 1.0, after_name, after, "all values equal in all arms")
    result = kruskal(*values)
    return _Verdict("Kruskal-Wallis test", float(result.statistic), float(result.pvalue), after_name, after)


def _pairwise(
    samples: Mapping[str, Sample], pairs: list[tuple[str, str]], choice: Choice
) -> tuple[str, tuple[PostHoc, ...]]:
    findings = [choice.groups(samples[arm], samples[versus]) for arm, versus in pairs]
    adjusted = holm([finding.p for finding in findings])
    after = tuple(
        PostHoc(arm, versus, finding.effect, None, 1.0 if p is None else p)
        for (arm, versus), finding, p in zip(pairs, findings, adjusted, strict=True)
    )
    return f"{findings[0].test}, Holm-adjusted" if findings else "", after
