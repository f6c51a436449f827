"""Pictures of statements: the whole table at a glance, a topic row by row, courses in time, responses to dose."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from statement_table import CONCENTRATIONS, MEASURED, Outcome, fitted, hill

HELD, FAILED, GREY, MUTED, INK = "#2f7d5b", "#c0392b", "#b8c1cb", "#66727f", "#1f2933"
MARKERS = {"independent": "o", "consistency": "D", "repaired": "s"}
LINES = ("#1f6f8b", "#d1495b", "#2f7d5b", "#8a5fbf", "#e0a030", "#5b6770")

Verdicts = Mapping[str, tuple[Outcome, float]]


def summary(verdicts: Verdicts, level: float, merged: list[str]) -> str:
    """What the table shows and what it does not; `merged` rows are about a molecule that shares a node with another."""
    rows = [(found.statement, p) for found, p in verdicts.values()]
    by = {
        origin: [one for one, _ in rows if one.origin == origin]
        for origin in ("independent", "consistency", "repaired")
    }
    kinds = {kind: sum(one.kind == kind for one in by["independent"]) for kind in ("rule", "outcome", "control")}
    failed = [one.id for one, p in rows if p >= level]
    own = by["independent"] + by["repaired"]
    written = [one for one in own if not one.first_run.endswith("later")]
    later = [one for one in own if one.first_run.endswith("later")]
    revised = [one.id for one in by["independent"] if one.revised and one.first_run.startswith("failed")]
    words = (
        f"{len(rows) - len(failed)} of {len(rows)} statements hold, each on 4,000 cells an arm, by a margin stated in the "
        f"table; the chance that any was accepted though false is below {level:.0%} (Holm). "
        f"{len(written)} rows were written from the literature by another hand than the networks, and without reading them. "
        f"{sum(one.first_run == 'held' for one in written)} of these held on the first networks. "
        f"{len(by['repaired'])} (ringed) are met by changes made to the networks after that, so that they test them no more; "
        f"in {len(revised)} the experiment was at fault and changed, as the table says ({', '.join(revised)}). "
        f"{len(later)} more were written after those changes, still without reading the networks: "
        f"{sum(one.first_run == 'held later' for one in later)} of these held at first sight. "
        f"Of the {len(by['independent'])} that remain independent, {kinds['rule']} state a single influence, which both hands "
        f"may have read in the same place: they show only that it was written down. {kinds['outcome']} are results of several "
        f"influences, {kinds['control']} perturbations that should not matter. {len(by['consistency'])} rows (dotted) are "
        "consistency checks, for which the networks or drugs have a switch or a number of their own: they could hardly fail. "
    )
    if merged:
        words += f"In {', '.join(merged)} a molecule has no node of its own and another stands for it. "
    if failed:
        words += f"What does not hold (crossed): {', '.join(failed)}."
    return words


def _claimed(found: Outcome) -> float:
    """Effect in the direction that the statement claims, from -1 to 1."""
    one, last = found.statement, found.shares[-1]
    if one.comparison in ("at least", "at most"):
        return last if one.comparison == "at least" else 1.0 - last
    if one.comparison == "half-maximal":
        return found.shares[0] - last
    change = last - found.shares[-2]
    return {"higher": change, "lower": -change, "unchanged": 1.0 - abs(change)}[one.comparison]


def overview(axes: Any, verdicts: Verdicts, level: float) -> None:
    """One square for each statement, a line for each topic: how large the effect is, and whether the statement holds."""
    from matplotlib.patches import Rectangle

    topics = tuple(dict.fromkeys(one.statement.topic for one, _ in verdicts.values()))
    axes.figure.set_size_inches(13.0, 6.2)
    for line, topic in enumerate(topics):
        for column, (found, p) in enumerate(one for one in verdicts.values() if one[0].statement.topic == topic):
            strength = float(np.clip(_claimed(found), 0.0, 1.0))
            colour = HELD if p < level else FAILED
            shade = 0.15 + 0.75 * strength
            axes.add_patch(Rectangle((column, line), 0.94, 0.9, facecolor=colour, alpha=shade, edgecolor="none"))
            dark = "white" if shade > 0.55 else INK
            axes.text(column + 0.47, line + 0.47, found.statement.id, ha="center", va="center", fontsize=7, color=dark)
            if found.statement.origin != "independent":
                inside = INK if found.statement.origin == "consistency" else "white"
                axes.plot(column + 0.82, line + 0.16, "o", color=INK, markerfacecolor=inside, markersize=4)
            if p >= level:
                axes.plot([column, column + 0.94], [line + 0.9, line], color=FAILED, linewidth=0.8, alpha=0.6)
    widest = max(sum(one.statement.topic == topic for one, _ in verdicts.values()) for topic in topics)
    axes.set(xlim=(-0.2, widest), ylim=(len(topics), -0.1), xticks=[])
    axes.set_yticks(np.arange(len(topics)) + 0.45, topics, fontsize=9)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(
        "green: holds; red, crossed: does not; the darker the larger the effect; "
        "dot: consistency check; ring: the networks were changed to meet it"
    )


def rows(axes: Any, found: list[tuple[Outcome, float]], level: float) -> None:
    """Every statement of a topic as a line: arms as shares of cells, and the effect with its interval."""
    n = len(found)
    axes.figure.set_size_inches(11.5, 1.0 + 0.34 * n)
    labels = []
    for line, (one, p) in enumerate(found):
        claim = one.statement
        colour, marker = HELD if p < level else FAILED, MARKERS[claim.origin]
        shares = one.shares if claim.comparison != "half-maximal" else (one.shares[0], one.shares[-1])
        axes.plot([min(shares), max(shares)], [line, line], color=colour, linewidth=2, alpha=0.5, zorder=1)
        for share in shares[:-1]:
            axes.plot(share, line, marker, color=colour, markerfacecolor="white", markersize=6, zorder=2)
        axes.plot(shares[-1], line, marker, color=colour, markersize=6, zorder=3)
        if claim.comparison in ("at least", "at most"):
            axes.plot([claim.margin, claim.margin], [line - 0.3, line + 0.3], color=INK, linewidth=1.5)
        unit = " nM" if claim.comparison == "half-maximal" else ""
        sign = "+" if claim.comparison in ("higher", "lower", "unchanged") else ""
        effect = f"{one.effect:{sign}.2f}{unit} ({one.low:{sign}.2f} to {one.high:{sign}.2f})"
        axes.text(
            1.06,
            line,
            f"{claim.readout}: {claim.comparison}",
            va="center",
            fontsize=7,
            color=MUTED if p < level else colour,
        )
        axes.text(1.62, line, effect, va="center", fontsize=7, color=INK if p < level else colour)
        labels.append(f"{textwrap.shorten(claim.statement, 74, placeholder='...')}  {claim.id}")
    axes.set_yticks(range(n), labels, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(-0.03, 2.05), ylim=(n - 0.4, -0.6), xticks=np.linspace(0.0, 1.0, 6))
    axes.set_xlabel("share of cells", loc="left")
    axes.spines["bottom"].set_bounds(0.0, 1.0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", color="#eef1f4", zorder=0)
    axes.set_axisbelow(True)


def beside(axes: Any, held: Mapping[str, tuple[float, float]]) -> None:
    """Shares of statements that hold, by network: as it is, and with its logic exchanged."""
    places = np.arange(len(held))
    for k, (colour, name) in enumerate(((HELD, "catalogue"), (GREY, "exchanged"))):
        axes.barh(places + 0.38 * (k - 0.5), [shares[k] for shares in held.values()], 0.36, color=colour, label=name)
    axes.set_yticks(places, list(held))
    axes.set(xlim=(0.0, 1.0), xlabel="share of statements that hold")
    axes.invert_yaxis()
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def courses(
    axes: Any,
    times: np.ndarray,
    shares: Mapping[str, np.ndarray],
    *,
    shaded: tuple[float, float] | None = None,
    label: str = "share of cells",
    pairs: bool = False,
) -> None:
    """Shares over time; in pairs the second half of the lines is dashed, in the colours of the first."""
    axes.figure.set_size_inches(7.2, 3.8)
    if shaded:
        axes.axvspan(shaded[0] / 24.0, shaded[1] / 24.0, color="#f0f3f6", zorder=0)
    half = len(shares) // 2 if pairs else len(shares)
    for k, (name, share) in enumerate(shares.items()):
        axes.plot(times / 24.0, share, "--" if k >= half else "-", color=LINES[k % half], label=name)
    axes.set(xlabel="time (day)", ylabel=label, ylim=(-0.03, 1.03))
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def dose_response(axes: Any, found: list[Outcome]) -> None:
    """Share of moving cells against concentration, with the fitted curve and the measured half-maximal concentration."""
    axes.figure.set_size_inches(6.4, 3.8)
    fine = np.geomspace(min(CONCENTRATIONS) / 2.0, max(CONCENTRATIONS) * 2.0, 200)
    for colour, one in zip(LINES, found, strict=False):
        drug = one.statement.arm
        axes.plot(CONCENTRATIONS, one.shares[1:], "o", color=colour, label=f"{drug}: half at {one.effect:.1f} nM")
        axes.axhline(one.shares[0], color=GREY, linewidth=0.8, zorder=0)
        if np.isfinite(one.effect):
            values, _ = fitted(one.shares, np.full(len(one.shares), 0.01), one.effect)
            axes.plot(fine, hill(fine, *values), color=colour)
        axes.axvline(MEASURED[drug].inside("nM"), color=colour, linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="concentration (nM)", ylabel="share of cells that move", ylim=(0.0, None))
    axes.legend(fontsize=8)
