"""What is read out of a whole body."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from paget.body.whole.definition import slug

if TYPE_CHECKING:
    from paget.body.whole.life import Life

__all__ = ["largest", "readings"]

UM_PER_MM = 1e3


def readings(life: Life) -> dict[str, float]:
    """Every readout of a body that is measured, by name."""
    found: dict[str, float] = {}
    counts = life.traffic.counts()
    for site in life.sites:
        name, piece = slug(site), life.pieces.get(site)
        found[f"cells_{name}"] = float(life.burden(site))
        found[f"nodules_{name}"] = float(life.nodules(site))
        dormant = life.lesions.cells(site, "dormant") if site in life.lesions.names else 0
        dormant += life.reservoir.cells(site)
        found[f"dormant_{name}"] = float(dormant + (piece.dormant if piece is not None else 0))
        found[f"arrivals_{name}"] = float(life.arrived[site])
    found["metastases"] = sum(found[f"nodules_{slug(s)}"] for s in life.sites if s != life.body.primary)
    found["metastatic_cells"] = float(life.burden("metastases"))
    found["ctc_single"], found["ctc_clusters"] = float(counts.single), float(counts.clusters)
    found["ctc_per_ml"] = counts.cells / life.blood_ml
    found["held_in_capillaries"] = float(counts.lodged)
    found["shed"], found["died_in_blood"] = float(life.traffic.shed), float(life.traffic.died)
    found["dead"] = float(life.dead)
    if life.body.measures_sizes:
        found["largest_metastasis"] = largest(life)
    return {readout.name: found[readout.name] for readout in life.body.readouts if readout.kind != "time"}


def largest(life: Life) -> float:
    """Diameter in mm of the largest metastasis outside the site of the primary tumour; 0 if there is none.

    Cells of a lesion fill a sphere; in a section, cells of a colony fill the disc through the middle of one.
    """
    found = 0.0
    if life.lesions.names:
        cells = life.lesions.column("cells")
        if life.body.primary in life.lesions.names:
            cells = cells[life.lesions.column("site") != life.lesions.names.index(life.body.primary)]
        found = (6.0 / math.pi * float(cells.max(initial=0.0)) / life.density) ** (1.0 / 3.0)
    elsewhere = (piece for site, piece in life.pieces.items() if site != life.body.primary)
    return max([found, *(piece.largest(life.density) for piece in elsewhere)]) / UM_PER_MM
