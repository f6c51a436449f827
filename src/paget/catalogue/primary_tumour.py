"""A primary tumour in section: clones of epithelial cells that turn mesenchymal in hypoxia, call vessels, and get into them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import norm

from paget.evidence import ParameterTable, load_parameters
from paget.process import Named
from paget.rules import Rule
from paget.tissue import (
    Apoptosis,
    CellDefinition,
    Cells,
    Cycle,
    CyclePhase,
    Exchange,
    Interactions,
    Mechanical,
    Motility,
    Necrosis,
    OxygenDependence,
    Substrate,
    Tissue,
    hexagonal_disc,
)
from paget.tissue.vessels import Angiogenesis, Intravasation, Supply, VesselExchange, parallel_bed, with_flow

__all__ = ["COMPETENCE", "EPITHELIAL", "MESENCHYMAL", "primary_tumour"]

EPITHELIAL, MESENCHYMAL = "epithelial tumour cell", "mesenchymal tumour cell"
COMPETENCE = "cell.competence"  # of a clone to get into vessels
VOXEL = 20.0
SPACING = 16.0
RULES = (
    Rule(
        f"{EPITHELIAL}: field.oxygen decreases transform to {MESENCHYMAL} towards {{emt_base}}, "
        "half-max {emt_oxygen_half}, hill 4",
        source="WangYing2010",
    ),
    *(
        Rule(
            f"{cell}: field.oxygen decreases vegf export towards 0 nM*pL/h, half-max {{vegf_hypoxia_half}}, hill 4",
            source="WangYing2010",
        )
        for cell in (EPITHELIAL, MESENCHYMAL)
    ),
    Rule(
        f"{MESENCHYMAL}: {COMPETENCE} increases intravasation towards {{mesenchymal_intravasation}}, "
        "half-max {competence_half}, hill 2",
        source="Butler1975",
    ),
    *(
        Rule(f"{cell}: pressure decreases cycle entry towards 0/h, half-max {{primary_pressure_half}}, hill 4")
        for cell in (EPITHELIAL, MESENCHYMAL)
    ),
)


def _cell(name: str, colour: str, other: str, change: str, **parts: Any) -> CellDefinition:
    return CellDefinition(
        name=name,
        label=name,
        ontology="CL:0001064",
        group="tumour",
        colour=colour,
        cycle=Cycle(
            name="live",
            phases=(CyclePhase(name="live", rate=Named("primary_cycle_rate", "1/h"), grows=True, divides=True),),
        ),
        apoptosis=Apoptosis(),
        necrosis=Necrosis(),
        oxygen=OxygenDependence(),
        exchange={
            "field.oxygen": Exchange(uptake=Named("primary_oxygen_uptake", "1/h")),
            "field.vegf": Exchange(export=Named("primary_vegf_export", "nM*pL/h")),
        },
        own={COMPETENCE: Named("competence_mean", "")},
        interactions=Interactions(becomes={other: Named(change, "1/h")}),
        **parts,
    )


def primary_tumour(parameters: ParameterTable | None = None, *, edge: float = 600.0) -> Tissue:
    """A section of a growing carcinoma between capillaries, of `edge` um.

    Assumes that the section is one of many like it. Leaves out fibroblasts, macrophages and the fat pad itself.
    """
    table = parameters or load_parameters("tissue", "vessels", "cascade_mouse")
    size = (edge, edge, VOXEL)
    founders, clones = (round(table[key].value) for key in ("primary_founders", "primary_clones"))
    radius = SPACING * math.sqrt(founders * math.sqrt(3.0) / (2.0 * math.pi))
    places = hexagonal_disc(3.0 * radius, SPACING, (edge / 2.0, edge / 2.0, VOXEL / 2.0))
    near = np.argsort(((places - places.mean(axis=0)) ** 2).sum(axis=1), kind="stable")[:founders]
    clone = np.arange(founders) % clones
    # Clones differ in how readily they get into vessels by quantiles of a log-normal distribution of mean 1.
    sigma = math.sqrt(math.log1p(table["clone_spread"].value ** 2))
    factor = np.exp(sigma * norm.ppf((np.arange(clones) + 0.5) / clones) - 0.5 * sigma**2)
    return Tissue(
        name="primary tumour",
        title="A section of a primary tumour with its vessels",
        size=size,
        voxel=VOXEL,
        cells=(
            _cell(
                EPITHELIAL,
                "#c2185b",
                MESENCHYMAL,
                "emt_rate",
                mechanics=Mechanical(),
                motility=Motility(intravasation=Named("epithelial_intravasation", "1/h")),
            ),
            _cell(
                MESENCHYMAL,
                "#e08a1e",
                EPITHELIAL,
                "met_rate",
                mechanics=Mechanical(adhesion=0),
                motility=Motility(
                    speed=Named("primary_speed", "um/h"), intravasation=Named("epithelial_intravasation", "1/h")
                ),
            ),
        ),
        placed=Cells(places[near], EPITHELIAL, columns={"cell.clone": clone, COMPETENCE: factor[clone]}),
        substrates=(
            Substrate(
                field="field.oxygen",
                unit="mmHg",
                title="oxygen",
                diffusion=Named("primary_oxygen_diffusion", "um**2/h"),
                decay=Named("primary_oxygen_decay", "1/h"),
                initial=Named("primary_oxygen_start", "mmHg"),
            ),
            Substrate(
                field="field.vegf",
                unit="nM",
                title="VEGF",
                diffusion=Named("primary_vegf_diffusion", "um**2/h"),
                decay=Named("primary_vegf_decay", "1/h"),
            ),
        ),
        rules=RULES,
        processes=(
            VesselExchange(
                supplies=(
                    Supply(
                        field="field.oxygen",
                        permeability=Named("oxygen_wall_permeability", "um/h"),
                        plasma=Named("capillary_oxygen", "mmHg"),
                    ),
                )
            ),
            Angiogenesis(),
            Intravasation(together=Named("clusters_together", ""), gaps=True),
        ),
        vessels=with_flow(
            parallel_bed(
                size,
                2.0 * table["vessel_spacing"].inside("um"),
                table["vessel_radius"].inside("um"),
                step=table["vessel_segment_length"].inside("um"),
            ),
            table["blood_viscosity"].inside("mPa*s"),
        ),
        parameters=table,
        tick="1 h",
    )
