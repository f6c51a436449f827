"""Cells answer to rules as the published simulator computes it from the same rule table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paget.io.physicell.rule_tables import read_rules
from paget.tissue.definition import Apoptosis, CellDefinition, Cycle, CyclePhase, Exchange, Necrosis
from paget.tissue.rules import CellRules

WHY = "value of the comparison"
BASES = {"cycle entry": "0.001 1/min", "necrosis": "0.0028 1/min", "oxygen uptake": "10 1/min"}
COLUMNS = {"cycle entry": "cycle_entry", "necrosis": "necrosis", "oxygen uptake": "oxygen_uptake"}


def _rules(folder: Path) -> CellRules:
    cycle = Cycle(
        name="live", phases=(CyclePhase(name="live", rate=BASES["cycle entry"], grows=True, divides=True),), reason=WHY
    )
    cell = CellDefinition(
        name="cancer cell",
        cycle=cycle,
        apoptosis=Apoptosis(),
        necrosis=Necrosis(rate=BASES["necrosis"], reason=WHY),
        exchange={"field.oxygen": Exchange(uptake=BASES["oxygen uptake"], reason=WHY)},
    )
    units = {"field.oxygen": "mmHg"}
    return CellRules(
        definitions=(cell,), units=units, rules=read_rules(folder / "rules_in.csv", definitions=(cell,), units=units)
    )


def _responses(process: CellRules, signals: dict[str, np.ndarray], dead: np.ndarray) -> dict[str, np.ndarray]:
    values = {slot: number.inside(unit) for slot, number, unit in process.numbers}
    table = process.prepare(values)
    sensed = np.stack([signals[s.name] for s in process.signals])
    n = dead.size
    kept = np.full((len(process.behaviours), n), np.nan)
    found = table.respond(1, np.zeros(n, np.int64), dead, sensed, kept, np.empty((0, 0)))
    return {behaviour.name: found[row] / 60.0 for row, behaviour in enumerate(process.behaviours)}


def test_responses_are_those_of_the_published_simulator_to_rounding(reference, gallery):
    folder = reference / "physicell"
    if not (folder / "rules_response.csv").is_file():
        pytest.skip("the responses of the published simulator are not here")
    expected = pd.read_csv(folder / "rules_response.csv")
    process = _rules(folder)
    signals = {"field.oxygen": expected.oxygen.to_numpy(float), "cell.pressure": expected.pressure.to_numpy(float)}
    found = _responses(process, signals, expected.dead.to_numpy(np.int64))
    excess, worst = {}, 0.0
    for name, column in COLUMNS.items():
        wanted = expected[column].to_numpy()
        off = np.abs(found[name] - wanted)
        # The file has twelve significant digits, and its formula, base + (low - base) D, loses those of a value far below
        # the base: it is exact to a few roundings of the base.
        excess[name] = float(np.max(off - (5e-12 * wanted + 4.0 * np.finfo(float).eps * wanted.max())))
        worst = max(worst, float(np.max(off) / wanted.max()))
    text = (
        "Cycle entry, necrosis and oxygen uptake under five rules at 56 combinations of oxygen, pressure and death: the "
        f"largest difference from PhysiCell 1.14.2 is {worst:.1e} of the behaviour's range, the rounding of its file."
    )
    with gallery("rule-responses", title="Rules on oxygen and pressure", text=text, panels=3) as axes:
        oxygen = np.linspace(0.0, 38.0, 200)
        for axis, (name, column) in zip(axes, COLUMNS.items(), strict=True):
            for pressure in (0.0, 0.3, 1.0, 2.5):
                level = np.full(oxygen.size, pressure)
                alive = np.zeros(oxygen.size, np.int64)
                curve = _responses(process, {"field.oxygen": oxygen, "cell.pressure": level}, alive)
                axis.plot(oxygen, curve[name], label=f"pressure {pressure:g}")
                shown = expected[(expected.dead == 0) & (expected.pressure == pressure)]
                axis.plot(shown.oxygen, shown[column], "o", color="#1f2933", markersize=3)
            axis.set(xlabel="oxygen (mmHg)", ylabel=f"{name} (1/min)")
        axes[0].plot([], [], "o", color="#1f2933", markersize=3, label="PhysiCell 1.14.2")
        axes[0].legend(fontsize=8)
    assert max(excess.values()) <= 0.0, excess
