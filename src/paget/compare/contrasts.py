"""Every contrast of a study in every readout, with p-values adjusted for the number of readouts."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paget.compare.comparison import Comparison
from paget.compare.defaults import Choice, choose
from paget.compare.outcomes import EMPTY, Kind, Readout, Sample, gather, partners, read_readout
from paget.compare.two_arms import undecided
from paget.compare.wording import join_notes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare", "holm"]


def compare(
    outcomes: pd.DataFrame,
    readouts: Sequence[Mapping[str, Any]],
    contrasts: Sequence[tuple[str, str]],
    paired: bool = True,
    *,
    failed: Mapping[str, int] | None = None,
    tests: Mapping[Kind, str] | None = None,
) -> tuple[Comparison, ...]:
    """Compare each arm with its control in each readout, by the test that suits the kind of the readout.

    Animals of one number in two arms are one animal treated in two ways, so by default the tests use pairs; pairs that
    are not complete (a failed animal) are left out and counted in the note. p-values are Holm-adjusted over the
    readouts within each contrast; readouts without a p-value are no part of that family.

    Parameters
    ----------
    outcomes : one row per arm, animal and readout, with columns arm, animal, readout, value and observed (False where
        a time is a censoring time). Missing values (NaN) are left out and counted in the note.
    readouts : readouts as a model describes them, with name, title, unit and kind.
    contrasts : pairs (arm, versus).
    paired : whether animals of one number are the same animal.
    failed : for each arm the animals that failed; they have no rows, and are told with every comparison of the arm.
    tests : for a kind of readout the name of a test other than the default, ``{"count": "ranks"}``; the names are in
        `paget.compare.defaults.TESTS`.

    Returns
    -------
    tuple of Comparison
        For each contrast in turn, each readout in turn.

    Raises
    ------
    ResultError, UnknownNameError
        If the table lacks a column or a readout, has an animal twice, holds an infinite value, or a kind or test is
        unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = {"control": [9, 12, 8, 11, 10, 14, 7, 13], "treated": [4, 6, 5, 3, 6, 7, 5, 7]}
    >>> rows = [(arm, i, "nodules", v, True) for arm, values in counts.items() for i, v in enumerate(values)]
    >>> outcomes = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
    >>> print(compare(outcomes, [{"name": "nodules", "kind": "count"}], [("treated", "control")])[0])
    nodules, treated versus control: -5.1 (95 % CI -6.8 to -3.4), rate ratio 0.51 (95 % CI 0.32 to 0.79), negative \
binomial score test (permutation), n = 8 pairs, p = 0.004, Holm-adjusted p = 0.004
    """
    described = [read_readout(readout) for readout in readouts]
    samples = gather(outcomes, described)
    found: list[Comparison] = []
    for arm, versus in contrasts:
        family = [
            _compare_one(
                readout,
                (arm, versus),
                (samples.get((readout.name, arm), EMPTY), samples.get((readout.name, versus), EMPTY)),
                choose(readout.kind, tests),
                paired,
            )
            for readout in described
        ]
        adjusted = holm([comparison.p for comparison in family])
        lost = (failed or {}).get(arm, 0), (failed or {}).get(versus, 0)
        found += [
            replace(comparison, p_adjusted=p, failed_arm=lost[0], failed_versus=lost[1])
            for comparison, p in zip(family, adjusted, strict=True)
        ]
    return tuple(found)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    r"""Adjust p-values so that the chance of any false alarm among them stays what it was for one; None stays None.

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min\{(m - j + 1)\, p_{(j)},\, 1\}

    Source: Holm S (1979) Scand J Stat 6:65-70.
    """
    from statsmodels.stats.multitest import multipletests

    known = [place for place, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    if known:
        # statsmodels collects garbage at every call, a tenth of a second among the objects of a report; frozen
        # ones are passed.
        gc.freeze()
        try:
            values = multipletests([p_values[place] for place in known], method="holm")[1]
        finally:
            gc.unfreeze()
        for place, value in zip(known, values, strict=True):
            adjusted[place] = float(value)
    return adjusted


def _compare_one(
    readout: Readout, names: tuple[str, str], both: tuple[Sample, Sample], choice: Choice, paired: bool
) -> Comparison:
    in_pairs = paired and choice.pairs is not None
    test = choice.pairs if in_pairs and choice.pairs is not None else choice.groups
    arm, versus = both
    notes = [_gaps(sample, name) for sample, name in zip(both, names, strict=True)]
    if in_pairs:
        arm, versus, alone = partners(arm, versus)
        if alone and len(arm):
            notes.append(f"{alone} {'animal' if alone == 1 else 'animals'} without a partner left out")
    fewest = min(len(arm), len(versus))
    finding = test(arm, versus) if fewest >= 2 else undecided(arm, versus, readout.kind == "time")
    if fewest < 3:
        notes.append(_few(fewest, in_pairs))
    return Comparison(
        readout=readout.name,
        title=readout.title,
        unit=readout.unit,
        kind=readout.kind,
        arm=names[0],
        versus=names[1],
        n_arm=len(arm),
        n_versus=len(versus),
        mean_arm=finding.mean_arm,
        mean_versus=finding.mean_versus,
        mean_name=finding.mean_name,
        sd_arm=finding.sd_arm,
        sd_versus=finding.sd_versus,
        effect=finding.effect,
        interval=finding.interval,
        effect_size=finding.effect_size,
        effect_size_name=finding.effect_size_name,
        test=finding.test,
        statistic=finding.statistic,
        p=finding.p,
        p_adjusted=None,
        paired=in_pairs,
        note=join_notes(*notes, finding.note),
        effect_size_interval=finding.effect_size_interval,
    )


def _few(number: int, in_pairs: bool) -> str:
    what = ("complete pair" if in_pairs else "animal") + ("" if number == 1 else "s")
    return f"only {number} {what}" + ("" if in_pairs else " in an arm")


def _gaps(sample: Sample, arm: str) -> str:
    if sample is EMPTY:
        return f"no animal of '{arm}' in the outcomes"
    if sample.missing:
        return f"{sample.missing} missing {'value' if sample.missing == 1 else 'values'} in '{arm}' left out"
    return ""
