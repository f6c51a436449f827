"""T cells follow a chemokine to a tumour and kill it; and the other future of the same cells, in which they are exhausted.

    python examples/killing.py

Takes less than a minute on two cores.
"""

from dataclasses import replace

import numpy as np

import paget as pg
from paget.tissue import (
    Apoptosis,
    CellDefinition,
    Cells,
    Exchange,
    Interactions,
    Motility,
    Substrate,
    Tissue,
    hexagonal_disc,
)
from paget.tissue.cycles import flow_cytometry_separated

reason = "to show how"
tumour = CellDefinition(
    name="tumour cell",
    cycle=flow_cytometry_separated(),
    apoptosis=Apoptosis(),
    exchange={"field.cxcl9": Exchange(secretion="1 /min", saturation="1 nM", reason=reason)},
)
killer = CellDefinition(
    name="T cell",
    motility=Motility(
        speed="4 um/min", persistence="10 min", bias="0.5", towards={"field.cxcl9": "1"}, normalised=True, reason=reason
    ),
    interactions=Interactions(attack={"tumour cell": "0.01 /min"}, attack_duration="15 min", reason=reason),
)
chemokine = Substrate(
    field="field.cxcl9", unit="nM", diffusion="1000 um**2/min", decay="0.02 /min",
    walls={"xmin": "0 nM", "xmax": "0 nM"}, reason=reason,
)  # fmt: skip
disc = hexagonal_disc(80.0, 16.0)
around = 150.0 * np.array([(np.cos(a), np.sin(a), 0.0) for a in np.arange(12) * np.pi / 6])
killing = Tissue(
    name="killing",
    size=(400.0, 400.0, 20.0),  # one layer of voxels: a 2-D tissue
    origin=(-200.0, -200.0, -10.0),
    substrates=(chemokine,),
    cells=(tumour, killer),
    rules=(pg.Rule("tumour cell: damage increases apoptosis towards 0.02/min, half-max 10, hill 4"),),
    placed=Cells(np.concatenate([disc, around]), ("tumour cell",) * len(disc) + ("T cell",) * len(around)),
)

exhausted = replace(killer, interactions=Interactions(attack={"tumour cell": "0 /min"}, reason="T cells are exhausted"))


def living(simulation: pg.Simulation) -> int:
    """The number of tumour cells alive."""
    cells = simulation.cells
    return int(((cells["type"] == "tumour cell") & (cells["death"] == 0)).sum())


if __name__ == "__main__":
    simulation = killing.simulation(seed=1).run("12 h")
    other = simulation.branch(killing.changed(cells=(tumour, exhausted)).model())
    print("   h   T cells kill   exhausted from 12 h on")
    for _ in range(7):
        print(f"{simulation.time:4.0f} {living(simulation):14} {living(other):24}", flush=True)
        simulation.run("6 h")
        other.run("6 h")
