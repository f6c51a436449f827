"""What came out of a study, in a table that fits a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paget.cli.terminal import grid, heading, remark, say

if TYPE_CHECKING:
    from paget.compare import Comparison
    from paget.results import Result

__all__ = ["print_findings", "tell_failures"]


def print_findings(result: Result) -> None:
    """Print the headline readouts: every arm against its control, or the means of arms that stand alone."""
    headline = [r["name"] for r in result.readouts if r["headline"]] or [r["name"] for r in result.readouts]
    found = [c for c in result.comparisons() if c.readout in headline]
    heading("Results")
    _print_moments(result)
    if found:
        found.sort(key=lambda c: headline.index(c.readout))
        columns = ("readout", "arm", "mean", "versus", "mean", "difference (95 % CI)", "p (Holm)")
        grid(columns, [_compared(c) for c in found], right=("mean",))
        planned = result.study.replicates
        short = [c for c in found if min(c.n_arm, c.n_versus) < planned]
        for name in dict.fromkeys(c.title for c in short):
            say(
                f"{name} rests on fewer than the {planned} animals planned in some arms; the report tells which and why."
            )
        return
    rows = []
    for name in headline:
        readout = next(r for r in result.readouts if r["name"] == name)
        for arm in result.arms:
            table = result.outcomes
            values = table.loc[(table["arm"] == arm) & (table["readout"] == name), "value"]
            mean = f"{values.mean():.4g} {readout['unit']}".strip() if len(values) else "-"
            rows.append((readout["title"], arm, mean, str(len(values))))
    grid(("readout", "arm", "mean", "animals"), rows, right=("mean", "animals"))


def tell_failures(result: Result) -> None:
    """Say how many animals of each arm failed, as whatever is written of the result lacks them."""
    lost = {arm: number for arm, number in result.failed.items() if number}
    if lost:
        told = ", ".join(f"{number} of arm '{arm}'" for arm, number in lost.items())
        remark(
            f"Failed, and not in it: {told} (of {result.study.replicates} planned in each arm); paget info tells why."
        )


def _print_moments(result: Result) -> None:
    """Tell in how many animals something that an arm waits for did not happen, so that nothing followed it."""
    for (arm, moment), rows in result.moments.groupby(["arm", "moment"], sort=False):
        never = int(rows["day"].isna().sum())
        if never:
            which = "any animal" if never == len(rows) else f"{never} of {len(rows)} animals"
            say(f"{arm}: '{moment}' did not happen in {which}, so that what waits for it was not done there.")


def _compared(c: Comparison) -> tuple[str, ...]:
    from paget.compare.wording import p_in_words, with_decimals

    unit = f" ({c.unit})" if c.unit else ""
    scale = (c.interval[1] - c.interval[0]) / 2 if c.interval else abs(c.effect or 0.0)
    decimals = with_decimals(scale or abs(c.mean_versus or 0.0))
    sign = "+" if c.effect else ""
    difference = "-" if c.effect is None else f"{c.effect:{sign}.{decimals}f}"
    if c.interval is not None:
        difference += f" ({c.interval[0]:.{decimals}f} to {c.interval[1]:.{decimals}f})"
    p = c.p_adjusted if c.p_adjusted is not None else c.p
    return (
        f"{c.title}{unit}",
        c.arm,
        "-" if c.mean_arm is None else f"{c.mean_arm:.{decimals}f}",
        c.versus,
        "-" if c.mean_versus is None else f"{c.mean_versus:.{decimals}f}",
        difference,
        "-" if p is None else p_in_words(p).removeprefix("= "),
    )
