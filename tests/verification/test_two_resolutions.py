"""A lumped site measured from pieces of tissue: known rates come back, and its lesions do what other pieces do."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from plain_patches import plain

from paget.body.lesions import Lesions
from paget.body.patch import measure, watch
from paget.body.values import Numbers
from paget.catalogue.primary_tumour import primary_tumour
from paget.evidence import load_parameters

ALARM = 1e-3  # share of seeds at which a correct procedure fails a test of chance here
INK, MARK, SECOND = "#1f2933", "#c2185b", "#1769aa"
DAY = 24.0


def test_known_rates_lie_in_as_many_intervals_as_these_promise(gallery):
    birth, death, seeds, pieces = 0.04, 0.015, 24, 5
    known = {"birth": birth, "death": death, "turnover": death / birth, "growth_rate": birth - death}
    tissue = plain(birth, death)
    found = [measure(tissue, "48 h", pieces, seed=seed).estimates for seed in range(seeds)]
    # Intervals may be wider than promised, as they are never narrower than those of chance, but not narrower.
    least = int(stats.binom.ppf(ALARM / len(known), seeds, 0.95))
    held = {name: sum(e[name].low <= value <= e[name].high for e in found) for name, value in known.items()}
    assert min(held.values()) >= least, held
    for name, value in known.items():
        mean = float(np.mean([e[name].value for e in found]))
        error = float(stats.sem([e[name].value for e in found]))
        z = stats.t.ppf(1.0 - ALARM / (2.0 * len(known)), seeds - 1)
        assert abs(mean - value) < z * error, name
    text = (
        f"{pieces} pieces of 60 cells that divide at {birth:g} and die at {death:g} per hour are watched for 48 h, anew with "
        f"each of {seeds} seeds. Of the 95 % intervals, those of {held['birth']} hold the rate of birth, of {held['death']} "
        f"that of death, of {held['turnover']} the turnover, and of {held['growth_rate']} the rate of growth; fewer than "
        f"{least} of any are found in less than one of a thousand trials. Dots are estimates, lines the known rates."
    )
    with gallery("patch-intervals", title="Rates measured from pieces of tissue", text=text) as axes:
        for name, colour in (("birth", MARK), ("death", SECOND)):
            e = [each[name] for each in found]
            bars = [[x.value - x.low for x in e], [x.high - x.value for x in e]]
            axes.errorbar(range(seeds), [x.value for x in e], bars, fmt=".", color=colour, lw=1, label=name)
            axes.axhline(known[name], color=colour, lw=0.8)
        axes.set(xlabel="seed", ylabel="per cell and hour", ylim=(0.0, 0.06))
        axes.legend(loc="upper right", ncols=2)


def lumped(site, founders, times, lesions=100):
    """Cycling cells, and cells shed up to each time, [lesions, n] of lesions at one site."""
    body = Lesions((site,), Numbers(load_parameters("lesions")))
    body.seed(site.name, np.arange(1, lesions + 1), np.full(lesions, founders), 0.0, settled=True)
    cells, shed = [body.column("cycling")], [np.zeros(lesions)]
    for tick, (start, end) in enumerate(itertools.pairwise(times)):
        step = body.advance(start, end - start, np.uint64(7), tick)
        cells.append(body.column("cycling"))
        shed.append(shed[-1] + step.left)
    return np.array(cells).T, np.array(shed).T


def test_a_measured_lumped_tumour_grows_and_sheds_as_pieces_that_were_not_used(gallery):
    days, further, pieces, scale, founders = 10.0, 15.0, 4, 2e5, 30.0
    tissue, others = primary_tumour(), 3
    measured = measure(tissue, days * DAY, pieces, seed=1)
    model = tissue.model()
    fresh = watch(model, model.cell_types, (), hours=further * DAY, after=0.0, dt=1.0, pieces=others, seed=2)
    site = measured.site("primary", scale=scale)
    t = np.arange(0.0, further * DAY + 1.0, 6.0)
    cells, shed = (x / scale for x in lumped(site, scale * founders, t))
    seen = fresh.cycling[:, ::6].astype(float)
    left = np.concatenate([np.zeros((others, 1)), np.cumsum(fresh.flows["left"], axis=1)], axis=1)[:, ::6]

    end = int(days * DAY / 6.0)
    apart = np.log(cells.mean(axis=0) / seen.mean(axis=0))
    # The law is not the tissue's own: it misses numbers by up to a tenth; the means of three pieces scatter by as much.
    assert np.abs(apart[: end + 1]).max() < 0.25
    low, high = np.quantile(cells, [0.025, 0.975], axis=0)
    assert low[end] < seen[:, end].mean() < high[end]
    rate = measured.shedding
    slow, fast = (shed.mean(axis=0) * x / rate.value for x in (rate.low, rate.high))
    assert slow[end] < left[:, end].mean() < fast[end]
    # Beyond the days that were measured the pieces fill their section, of which the law has seen little.
    assert cells[:, -1].mean() > 1.05 * seen[:, -1].mean()
    assert shed[:, -1].mean() > 1.05 * left[:, -1].mean()

    law, power = measured.growth, measured.shedding_exponent
    text = (
        f"The section of the primary tumour of the mouse, {pieces} pieces of which are watched for {days:.0f} days, and the "
        f"lumped tumour made of them (Gompertz's law, rate {law.rate.value:.2g} per hour with the interval "
        f"{law.rate.low:.2g} to {law.rate.high:.2g}, limit {law.limit.value:.0f} cells of a section, "
        f"{law.limit.low:.0f} to {law.limit.high:.0f}; turnover {measured.turnover.value:.2f}), beside {others} other pieces "
        f"(lines). Bands of growth hold 95 % of 100 lumped tumours; those of shedding, the interval of its rate. Up to day "
        f"{days:.0f} numbers differ by at most {100.0 * np.expm1(np.abs(apart[: end + 1]).max()):.0f} %. The law misses that "
        "pieces grow fast as long as their vessels reach all cells, and then stop rather at once as the section fills: on day "
        f"{further:.0f}, which was not measured, it gives {cells[:, -1].mean():.0f} cells instead of {seen[:, -1].mean():.0f}. "
        f"Up to day {days:.0f} pieces shed {', '.join(f'{n:.0f}' for n in left[:, end])} cells each, in bursts, and the lumped "
        f"tumour evenly {shed[:, end].mean():.0f} for each ({slow[end]:.0f} to {fast[end]:.0f}). Its shedding goes with the "
        f"number of cells to the power {power.value:.2f} ({power.low:.2f} to {power.high:.2f}), which stands for the time in "
        "which cells turn mesenchymal and vessels become leaky, and wrongly goes on thereafter: up to day "
        f"{further:.0f} it sheds {shed[:, -1].mean():.0f} instead of {left[:, -1].mean():.0f}."
    )
    with gallery("patch-primary", title="One tumour in two resolutions", text=text, panels=2) as axes:
        grow, flow = axes
        bands = ((grow, seen, cells, (low, high), MARK), (flow, left, shed, (slow, fast), SECOND))
        for axis, piece, many, band, colour in bands:
            axis.fill_between(t / DAY, *band, color=colour, alpha=0.25, lw=0)
            axis.plot(t / DAY, many.mean(axis=0), color=colour, label="lumped, measured")
            axis.plot(t / DAY, piece.T, color=INK, lw=0.8, label=["other pieces", *[None] * (others - 1)])
            axis.axvline(days, color=INK, lw=0.6, ls=":")
            axis.set(xlabel="days")
        grow.set(yscale="log", ylabel="tumour cells in a section")
        flow.set(ylabel="cells shed by a section", ylim=(0.0, 1.5 * left.max()))
        grow.annotate(
            "measured up to here", (days, 35.0), xytext=(-4, 0), textcoords="offset points", ha="right", fontsize=8
        )
        grow.legend(loc="upper left", fontsize=8)
