"""Curated networks of the cell types of metastasis, one module of nodes per mechanism.

Each has at most 64 nodes besides its inputs, so that its state takes two machine words. Influences cite rows of the
table of mechanisms or a source; rates and shares are rows of the table of parameters ``networks``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from paget.catalogue.networks import (
    adhesion,
    cytoskeleton,
    dormancy,
    emt,
    growth,
    hypoxia,
    inflammation,
    inputs,
    secretome,
    stemness,
    survival,
)
from paget.catalogue.networks.bone import OSTEOBLAST, OSTEOCLAST
from paget.catalogue.networks.neutrophils import NEUTROPHIL
from paget.catalogue.networks.nodes import composed
from paget.catalogue.networks.senescence import FIBROBLAST
from paget.catalogue.networks.stroma import MESENCHYMAL_STEM_CELL
from paget.catalogue.networks.vessels import ENDOTHELIUM
from paget.errors import UnknownNameError
from paget.evidence import ParameterTable, load_parameters
from paget.process import Named
from paget.signalling import Network

__all__ = ["MERGED", "NETWORKS", "network"]

# Molecules without a node of their own in the tumour cell, and the node that stands for them.
MERGED: Mapping[str, str] = MappingProxyType(
    {"PXN": "PTK2", "PRKCA": "MTORC2", "TLR4": "NFKB1", "CDH2": "EMT", "GLI1": "HH"}
)

_TUMOUR = (
    *inputs.TUMOUR,
    *growth.NODES,
    *adhesion.NODES,
    *survival.NODES,
    *hypoxia.NODES,
    *inflammation.CHEMOTAXIS,
    *inflammation.NODES,
    *secretome.NODES,
    *emt.NODES,
    *cytoskeleton.NODES,
    *stemness.NODES,
    *dormancy.NODES,
)

NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        one.name: one
        for one in (
            composed(
                "tumour cell",
                "A tumour cell from the primary tumour to a distant organ",
                _TUMOUR,
                ("WangYing2010", "PreMetastaticNiche2020", "Zhang2026", "MtorBone2018", "He2025"),
            ),
            composed(
                "fibroblast", "A fibroblast of the lung that chemotherapy makes senescent", FIBROBLAST, ("He2025",)
            ),
            composed("neutrophil", "A neutrophil from recruitment to traps", NEUTROPHIL, ("He2025", "MtorBone2018")),
            composed("osteoclast", "An osteoclast and its precursor", OSTEOCLAST, ("MtorBone2018",)),
            composed("osteoblast", "An osteoblast with the arms of raptor and rictor", OSTEOBLAST, ("MtorBone2018",)),
            composed(
                "mesenchymal stem cell",
                "A mesenchymal stem cell that a tumour educates",
                MESENCHYMAL_STEM_CELL,
                ("PreMetastaticNiche2020",),
            ),
            composed(
                "endothelium",
                "Endothelium of blood and lymph vessels",
                ENDOTHELIUM,
                ("WangYing2010", "PreMetastaticNiche2020", "MtorBone2018"),
            ),
        )
    }
)


def network(name: str, parameters: ParameterTable | None = None) -> Network:
    """A curated network to run by itself, with its rates taken from a table of parameters, by default the one of paget.

    A model takes the networks from `NETWORKS`, whose rates are those of the model's own table.

    Raises
    ------
    UnknownNameError
    """
    if name not in NETWORKS:
        raise UnknownNameError("network", name, NETWORKS)
    found, table = NETWORKS[name], load_parameters("networks") if parameters is None else parameters
    rows = {key: table[one.key] for key, one in found.quantities.items() if isinstance(one, Named)}
    return dataclasses.replace(found, quantities=rows)
