"""One name, one meaning, one unit: cell types and the variables of cells, fields and the body.

A model lists the entries it uses; processes refer to them by name (`cell.erk`, `field.cxcl1`, `body.serum_c3`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["CELL_TYPES", "VARIABLES", "CellType", "Variable", "cell_type", "variable"]

Inheritance = Literal["copy", "halve", "fresh"]


@dataclass(frozen=True)
class CellType:
    """A kind of cell, or one of its discrete states where behaviour differs.

    `ontology` is a Cell Ontology id. `solid` cells take part in mechanics, `fixed` ones push but do not yield.
    """

    name: str
    label: str
    ontology: str
    group: Literal["tumour", "stroma", "vessel", "immune"]
    colour: str
    solid: bool = True
    fixed: bool = False


@dataclass(frozen=True)
class Variable:
    """A quantity of every cell, voxel or of the body.

    `inherit` says what daughters get: a copy, half each, or a fresh start at `default`. `whole` numbers are integers.
    Immobile fields do not diffuse. `width` is the number of values of a body variable (compartments of a drug). `wide`
    whole numbers need all their 64 bits in a stored frame: states of nodes, ids.
    """

    name: str
    unit: str
    meaning: str
    inherit: Inheritance = "copy"
    default: float = 0.0
    whole: bool = False
    immobile: bool = False
    title: str = ""
    colour: str = ""
    wide: bool = False

    @property
    def place(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def noun(self) -> str:
        return self.name.split(".", 1)[1]


CELL_TYPES: dict[str, CellType] = {
    t.name: t
    for t in (
        CellType("fibroblast", "lung fibroblast", "CL:0002553", "stroma", "#9db7a8"),
        CellType("senescent fibroblast", "senescent fibroblast", "CL:0002553", "stroma", "#b5651d"),
        CellType("capillary", "capillary segment", "CL:2000016", "vessel", "#d8a7a7", fixed=True),
        CellType("neutrophil", "neutrophil", "CL:0000775", "immune", "#8fa8dc", solid=False),
        CellType("activated neutrophil", "activated neutrophil", "CL:0000775", "immune", "#3f5fb0", solid=False),
        CellType("dormant tumour cell", "dormant disseminated tumour cell", "CL:0001064", "tumour", "#e3b505"),
        CellType("cycling tumour cell", "cycling tumour cell", "CL:0001064", "tumour", "#c2185b"),
    )
}

VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        # every cell
        Variable("cell.type", "", "index into the model's cell types", whole=True),
        Variable("cell.x", "um", "position of the centre"),
        Variable("cell.y", "um", "position of the centre"),
        Variable("cell.z", "um", "position of the centre"),
        Variable("cell.radius", "um", "radius"),
        Variable("cell.age", "h", "time since birth or arrival", inherit="fresh"),
        Variable(
            "cell.founder", "", "index of the founder of this lineage; -1 if it came by blood", default=-1, whole=True
        ),
        Variable("cell.clone", "", "number of the clone that the cell belongs to; mutations name it", whole=True),
        Variable("cell.pressure", "", "summed relative overlap with neighbours"),
        # volume, cycle and death of a tissue cell
        Variable("cell.volume", "um**3", "volume", inherit="halve"),
        Variable("cell.nuclear_volume", "um**3", "volume of the nucleus", inherit="halve"),
        Variable("cell.fluid", "um**3", "volume of fluid", inherit="halve"),
        Variable("cell.nuclear_solid", "um**3", "volume of nuclear solids", inherit="halve"),
        Variable("cell.cytoplasmic_solid", "um**3", "volume of cytoplasmic solids", inherit="halve"),
        Variable("cell.target_nuclear_solid", "um**3", "volume that nuclear solids approach", inherit="halve"),
        Variable("cell.target_cytoplasmic_solid", "um**3", "volume that cytoplasmic solids approach", inherit="halve"),
        Variable("cell.calcified", "", "calcified fraction"),
        Variable("cell.rupture_volume", "um**3", "volume at which a necrotic cell bursts"),
        Variable("cell.phase", "", "index of the phase in the cycle of the cell type", inherit="fresh", whole=True),
        Variable("cell.phase_time", "h", "time since the cell entered its phase of the cycle", inherit="fresh"),
        Variable("cell.owed", "h", "time since birth within a tick, which the cycle has yet to live", inherit="fresh"),
        Variable("cell.death", "", "0 alive, 1 apoptotic, 2 necrotic and swelling, 3 necrotic and lysed", whole=True),
        Variable("cell.death_time", "h", "time since this stage of dying began", inherit="fresh"),
        Variable("cell.injury", "", "damage dealt by attacks and stress, not yet repaired"),
        Variable("cell.attack_left", "h", "time that the present attack of this cell goes on", inherit="fresh"),
        Variable(
            "cell.attack_victim", "", "id of the cell under attack by this cell", inherit="fresh", whole=True, wide=True
        ),
        Variable("cell.axis_x", "", "axis of the cell, such as apical to basal; a polar cell divides across it"),
        Variable("cell.axis_y", "", "axis of the cell, such as apical to basal; a polar cell divides across it"),
        Variable("cell.axis_z", "", "axis of the cell, such as apical to basal; a polar cell divides across it"),
        Variable("cell.polarity", "", "how strictly a cell divides across its axis, from 0 (not) to 1 (always)"),
        # movement
        Variable("cell.migration_x", "um/h", "velocity of active migration, mean over the tick"),
        Variable("cell.migration_y", "um/h", "velocity of active migration, mean over the tick"),
        Variable("cell.migration_z", "um/h", "velocity of active migration, mean over the tick"),
        Variable("cell.heading_x", "", "direction of migration", inherit="fresh"),
        Variable("cell.heading_y", "", "direction of migration", inherit="fresh"),
        Variable("cell.heading_z", "", "direction of migration", inherit="fresh"),
        Variable("cell.anchored", "", "1 if the cell holds on to the matrix", inherit="fresh", whole=True),
        Variable("cell.anchor_x", "um", "point of the matrix that the cell holds", inherit="fresh"),
        Variable("cell.anchor_y", "um", "point of the matrix that the cell holds", inherit="fresh"),
        Variable("cell.anchor_z", "um", "point of the matrix that the cell holds", inherit="fresh"),
        # tumour cells
        Variable(
            "cell.cycle", "", "progress through the cell cycle, from 0 at birth to 1 at division", inherit="fresh"
        ),
        Variable("cell.integrin", "", "fraction of integrin a3b1 (ITGA3:ITGB1) engaged by remodelled laminin"),
        Variable("cell.fak", "", "FAK (PTK2) activity as a fraction of its maximum"),
        Variable("cell.erk", "", "ERK (MAPK1, MAPK3) activity as a fraction of its maximum"),
        Variable("cell.erk_tone", "", "ERK activity that this cell keeps without matrix signals"),
        Variable("cell.ever_dormant", "", "1 if the cell or an ancestor was ever dormant (DormTracer)", whole=True),
        Variable(
            "cell.woke_at",
            "h",
            "when the lineage first woke from dormancy; NaN if never (DormTracer)",
            default=math.nan,
        ),
        Variable(
            "cell.dormant_now", "", "1 if the cell was dormant when the tracer last looked (DormTracer)", whole=True
        ),
        # fibroblasts
        Variable("cell.damage", "", "unrepaired DNA damage relative to that of a saturating pulse"),
        Variable("cell.p21", "", "p21 (CDKN1A) as a fraction of its maximum"),
        Variable("cell.secretome", "", "maturity of the senescent secretome, 0 to 1"),
        # diffusing factors
        Variable("field.oxygen", "mmHg", "oxygen", title="oxygen", colour="Blues"),
        Variable("field.vegf", "nM", "vascular endothelial growth factor VEGFA", title="VEGF", colour="Oranges"),
        Variable("field.c3", "nM", "complement C3", title="C3", colour="Oranges"),
        Variable("field.cxcl1", "nM", "chemokine CXCL1", title="CXCL1", colour="Oranges"),
        Variable("field.mif", "nM", "macrophage migration inhibitory factor MIF", title="MIF", colour="Oranges"),
        Variable(
            "field.mmp9", "nM", "matrix metalloproteinase MMP9 released from traps", title="MMP9", colour="Purples"
        ),
        # immobile material
        Variable("field.net", "1/pL", "neutrophil extracellular traps", immobile=True, title="NETs", colour="Blues"),
        Variable(
            "field.tsp1",
            "",
            "thrombospondin-1 (THBS1) relative to healthy lung",
            immobile=True,
            title="TSP1",
            colour="Greens",
        ),
        Variable(
            "field.laminin",
            "",
            "intact laminin-111 relative to healthy lung",
            immobile=True,
            title="intact laminin",
            colour="Greens",
        ),
        Variable(
            "field.nicked_laminin",
            "",
            "laminin after the first, elastase cut",
            immobile=True,
            title="nicked laminin",
            colour="Greens",
        ),
        Variable(
            "field.remodelled_laminin",
            "",
            "laminin after the second, MMP9 cut, which shows the a3b1 epitope",
            immobile=True,
            title="remodelled laminin",
            colour="Reds",
        ),
        # body
        Variable("body.doxorubicin", "nM", "doxorubicin at its site of action in tissue, as plasma equivalents"),
        Variable("body.cisplatin", "nM", "free cisplatin at its site of action in tissue, as plasma equivalents"),
        Variable("body.dasatinib", "nM", "dasatinib at its site of action, as plasma equivalents"),
        Variable("body.quercetin", "nM", "unchanged quercetin at its site of action, as plasma equivalents"),
        Variable("body.navitoclax", "nM", "navitoclax (ABT-263) in plasma"),
        Variable("body.dnase", "nM", "DNase I in plasma"),
        Variable("body.anti_ly6g", "nM", "neutrophil-depleting antibody (anti-Ly6G) in plasma"),
        Variable("body.fak_inhibitor", "nM", "FAK inhibitor in plasma"),
        Variable("body.blood_neutrophils", "", "blood neutrophils relative to the untreated animal"),
        Variable("body.primary_tumour", "", "cells of the primary tumour, in millions"),
        Variable("body.serum_c3", "", "serum C3 above baseline, index"),
        Variable("body.serum_mif", "", "serum MIF above baseline, index"),
        Variable("body.serum_net", "", "serum NET remnants, index"),
    )
}


def variable(name: str) -> Variable:
    """The variable of that name."""
    return VARIABLES[name]


def cell_type(name: str) -> CellType:
    """The cell type of that name."""
    return CELL_TYPES[name]
