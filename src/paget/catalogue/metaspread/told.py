"""What the model of metastatic spread tells about itself in a study: its parts, cells, readouts, options and limits."""

from __future__ import annotations

from paget.catalogue.metaspread.settings import KINDS, TABLE, MetaSpread
from paget.model import Option
from paget.readouts import Readout
from paget.subject import Mechanism
from paget.vocabulary import CellType

__all__ = [
    "ASSUMPTIONS",
    "CELL_TYPES",
    "LIMITS",
    "MECHANISMS",
    "METHODS",
    "OPTIONS",
    "SITES",
    "SOURCES",
    "TAKEN_OUT",
    "readouts",
    "slug",
]

SITES = ("primary", *(grid.name for grid in MetaSpread.destinations))
SOURCES = ("Franssen2019", "HernandezInostroza2024")
TAKEN_OUT = {  # settings that are 0 when a part is taken out
    "haptotaxis": ("haptotaxis_mesenchymal", "haptotaxis_epithelial"),
    "mmp2": ("mmp2_secretion",),
    "matrix_digestion": ("matrix_digestion_cell", "matrix_digestion_mmp2"),
}
OPTIONS = (
    Option(
        "version",
        ("stated", "shipped"),
        "stated",
        "stated: the model as its paper has it; shipped: as the released program executes it, defects included",
    ),
    Option(
        "scenario",
        ("default", "dense"),
        "default",
        "default: the published numbers; dense: small grids with many vessels and much survival, where metastases are common",
    ),
)
MESENCHYMAL, EPITHELIAL = (f"{kind} tumour cell" for kind in KINDS)
CELL_TYPES = (
    CellType(MESENCHYMAL, "mesenchymal-like tumour cell", "CL:0001064", "tumour", "#c2185b"),
    CellType(EPITHELIAL, "epithelial-like tumour cell", "CL:0001064", "tumour", "#e3b505"),
    CellType("vessel", "vessel", "CL:2000016", "vessel", "#5b6f95", fixed=True),
    CellType("ruptured vessel", "ruptured vessel", "CL:2000016", "vessel", "#8c1c13", fixed=True),
)


def slug(site: str) -> str:
    """The name of a site in names of readouts: ``grid_2``."""
    return site.replace(" ", "_")


def _keys(*names: str) -> tuple[str, ...]:
    return tuple(f"{TABLE}_{name}" for name in names)


def _both(name: str) -> tuple[str, ...]:
    return _keys(*(f"{name}_{kind}" for kind in KINDS))


_CELLS = (MESENCHYMAL, EPITHELIAL)
MECHANISMS = (
    Mechanism(
        "lattice",
        "start",
        "Three square grids with room for a few cells on every site; the tumour begins in the middle of the first.",
        _keys("tick", "field_tick", "spacing", "sites", "room", "founders", "founder_sites", "mesenchymal_share"),
        SOURCES,
        essential=True,
    ),
    Mechanism(
        "circulation",
        "blood",
        "After a fixed time clusters leave the blood: some cells leave their cluster, parties survive or die, and those that "
        "survive settle around a vessel of a grid.",
        _keys(
            "time_in_blood",
            "leaving_cluster",
            "survival_single",
            "survival_cluster",
            "share_second",
            "share_third",
            "vessels",
        ),
        SOURCES,
        on=_CELLS,
        emits=("arrival",),
        essential=True,
    ),
    Mechanism(
        "mmp2",
        "fields",
        "Mesenchymal-like cells secrete MMP-2, which diffuses and decays.",
        _keys("mmp2_diffusion", "mmp2_secretion", "mmp2_decay"),
        SOURCES,
        on=(MESENCHYMAL,),
    ),
    Mechanism(
        "matrix_digestion",
        "fields",
        "MT1-MMP of mesenchymal-like cells and MMP-2 digest the extracellular matrix, which is not renewed.",
        _keys("matrix_digestion_cell", "matrix_digestion_mmp2"),
        SOURCES,
        on=(MESENCHYMAL,),
    ),
    Mechanism(
        "division",
        "act",
        "All cells of a kind double at once where their sites have room.",
        _both("doubling_time"),
        SOURCES,
        on=_CELLS,
        essential=True,
    ),
    Mechanism("motility", "move", "Cells walk at random.", _both("diffusion"), SOURCES, on=_CELLS, essential=True),
    Mechanism(
        "haptotaxis",
        "move",
        "Cells go rather where there is more matrix.",
        _both("haptotaxis"),
        SOURCES,
        on=_CELLS,
    ),
    Mechanism(
        "intravasation",
        "move",
        "A mesenchymal-like cell at a vessel, or any cell at a ruptured one, takes all cells around it into the blood.",
        _keys("normal_vessels", "ruptured_vessels", "free_sites", "margin"),
        SOURCES,
        on=_CELLS,
        essential=True,
    ),
)


def readouts() -> tuple[Readout, ...]:
    """Totals first, then each grid."""
    found = [
        Readout(
            "metastatic_cells",
            "Metastatic cells",
            "",
            "continuous",
            "final",
            "tumour cells on all grids but the primary",
            headline=True,
            claim="hardly any without the advantage of clusters",
        ),
        Readout(
            "parties_arrived",
            "Metastases founded",
            "",
            "count",
            "final",
            "single cells and clusters that left the blood alive and found room, since the start",
            headline=True,
        ),
        Readout(
            "time_to_metastasis",
            "Time to first metastasis",
            "day",
            "time",
            "first",
            "day on which the first party has settled",
            first_of="parties_arrived",
        ),
        Readout(
            "entries",
            "Entries into blood",
            "",
            "count",
            "final",
            "events by which cells entered a vessel, since the start",
            headline=True,
            claim="more with the doubling times as released; fewer without haptotaxis",
        ),
        Readout(
            "mesenchymal_share",
            "Mesenchymal-like share",
            "",
            "fraction",
            "final",
            "of the tumour cells of the primary, the mesenchymal-like ones",
            headline=True,
            claim="a minority as the paper states the model, most as released",
        ),
        Readout(
            "cells_arrived", "Cells arrived", "", "count", "final", "cells that left the blood alive and found room"
        ),
        Readout(
            "cluster_entries", "Entries of clusters", "", "count", "final", "of the entries, those of two or more cells"
        ),
        Readout("shed", "Cells shed", "", "continuous", "final", "tumour cells that entered the blood since the start"),
        Readout(
            "died_in_blood",
            "Cells that died in blood",
            "",
            "continuous",
            "final",
            "of those, the ones that died there, or found no room around the vessel by which they left",
        ),
        Readout("ctc_single", "Single cells in blood", "", "continuous", "peak", "single tumour cells that circulate"),
        Readout("ctc_clusters", "Clusters in blood", "", "continuous", "peak", "clusters that circulate"),
        Readout("cells_born", "Cells born", "", "continuous", "final", "divisions on all grids since the start"),
        Readout(
            "rms_radius",
            "Radius of the tumour",
            "um",
            "continuous",
            "final",
            "root mean square distance of the cells of the primary from their centre",
            headline=True,
            claim="smaller without haptotaxis",
        ),
        Readout(
            "largest_radius",
            "Furthest cell",
            "um",
            "continuous",
            "final",
            "distance of the outermost cell from there",
        ),
        Readout(
            "occupied_sites", "Occupied sites", "", "continuous", "final", "sites of the primary grid that hold a cell"
        ),
        Readout(
            "mean_matrix", "Matrix left", "", "fraction", "final", "mean matrix of the primary grid; 1 at the start"
        ),
        Readout(
            "mean_mmp2", "MMP-2", "", "continuous", "final", "mean MMP-2 of the primary grid, in units of the model"
        ),
        Readout(
            "negative_probabilities",
            "Steps out of range",
            "",
            "count",
            "final",
            "cells so far for which the rule of movement gave a negative probability",
        ),
    ]
    for site in SITES:
        name = slug(site)
        found.append(Readout(f"cells_{name}", f"Tumour cells: {site}", "", "continuous", "final", "tumour cells there"))
        for kind in KINDS:
            title, meaning = f"{kind.capitalize()}-like cells: {site}", f"{kind}-like tumour cells there"
            found.append(Readout(f"{kind}_{name}", title, "", "continuous", "final", meaning))
        if site != SITES[0]:
            found.append(
                Readout(
                    f"arrivals_{name}",
                    f"Arrivals: {site}",
                    "",
                    "count",
                    "final",
                    "cells that came by blood and settled",
                )
            )
    return tuple(found)


ASSUMPTIONS = (
    "Cells live on a lattice, with a few to a site, and all of a kind divide at the same moments.",
    "No cell dies outside the blood, changes its kind or falls dormant; metastases shed nothing.",
    "All cells spend the same time in blood, and survival there depends on nothing but whether a cell is alone.",
    "In pictures the cells of a site stand side by side, and vessels are two sites wide; the model gives neither a size.",
)
LIMITS = (
    "Research use only; not for decisions about animals or patients.",
    "A published model as it was published: the numbers are its own, and most of them were chosen rather than measured.",
    "Grids 2 and 3 stand for no organ.",
)
METHODS = (
    "Tumour cells of two kinds, mesenchymal- and epithelial-like, walk on a square lattice with haptotaxis towards more "
    "extracellular matrix, which they digest by MT1-MMP and by diffusing MMP-2 (explicit scheme of five points, mirrors at "
    "the borders). At a vessel, the cells around it enter the blood as one cluster; after two hours single cells and clusters "
    "die, or settle around a vessel of another grid. Steps are 40 s long (200 s in the dense scenario). Cells are counted in "
    "whole numbers, and founders and births balance cells on grids, in blood and lost after every step. An animal has the same "
    "founders, vessels and random numbers in every arm, so arms are compared animal by animal."
)
