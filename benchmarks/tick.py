"""Halve the tick of the default study and compare every readout of every arm with its own 95 % interval.

Exit status 1 if a readout moves by more than half the width of its interval.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import paget as pg


def outcomes(study: pg.Study, tick: float, workers: int | None) -> pd.DataFrame:
    """Outcomes (arm, animal, readout, value) of the study at one tick, in h."""
    with tempfile.TemporaryDirectory() as folder:
        result = pg.simulate(study.changed(tick=f"{tick} h"), out=Path(folder) / "run", workers=workers)
        return result.outcomes


def moved(coarse: pd.DataFrame, fine: pd.DataFrame, fractions: frozenset[str]) -> pd.DataFrame:
    """Per arm and readout: both means, the width of the 95 % interval, and the shift in units of that width."""
    rows = []
    for (arm, readout), group in coarse.groupby(["arm", "readout"], sort=False):
        other = fine[(fine["arm"] == arm) & (fine["readout"] == readout)]["value"].to_numpy(float)
        values = group["value"].to_numpy(float)
        values, other = values[np.isfinite(values)], other[np.isfinite(other)]
        if values.size < 2 or other.size < 2:
            continue
        if readout in fractions:
            # A t interval collapses for fractions near 0 or 1; Wilson's, with an animal as the unit, does not.
            low, high = proportion_confint(values.sum(), values.size, method="wilson")
            width = high - low
        else:
            width = 2.0 * stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
        shift = abs(values.mean() - other.mean())
        ratio = 0.0 if shift == 0.0 else (shift / width if width > 0.0 else np.inf)
        rows.append(
            {
                "arm": arm,
                "readout": readout,
                "mean": values.mean(),
                "halved": other.mean(),
                "width": width,
                "shift/width": ratio,
            }
        )
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="lung_awakening")
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--workers", type=int, default=None)
    chosen = parser.parse_args()
    study = pg.load(chosen.study).changed(replicates=chosen.replicates)
    fractions = frozenset(r.name for r in pg.build_model(study).readouts if r.kind == "fraction")
    table = moved(
        outcomes(study, study.tick, chosen.workers), outcomes(study, study.tick / 2.0, chosen.workers), fractions
    )
    with pd.option_context("display.width", 160, "display.max_rows", None):
        print(table.round(3).to_string(index=False))
    worst = table.loc[table["shift/width"].idxmax()]
    beyond = table[table["shift/width"] > 0.5]
    print(f"\nlargest shift: {worst['shift/width']:.2f} of the interval ({worst['readout']}, {worst['arm']})")
    print(f"{len(beyond)} of {len(table)} readouts move by more than half of their interval")
    return 1 if len(beyond) else 0


if __name__ == "__main__":
    raise SystemExit(main())
