"""The network of the tumour cell in the lung, in the place of the small FAK-ERK switch of disseminated tumour cells."""

from __future__ import annotations

from paget.catalogue.dormancy import TUMOUR
from paget.catalogue.networks import NETWORKS
from paget.evidence import load_parameters
from paget.model import Model
from paget.process import Named
from paget.tissue.networks import CellNetworks, HillInput, Inhibitor, ShareInput

__all__ = ["network_signalling", "with_network"]


def network_signalling() -> CellNetworks:
    """Disseminated tumour cells carry the network of the tumour cell: integrin a3b1 to FAK and ERK, and what ERK depends on.

    Remodelled laminin is an input by the share of integrin that it engages. ERK sustains itself by an autocrine growth
    factor, as in the small switch it does by feedback, so that cycling cells go on without remodelled laminin.
    Thrombospondin-1 is not wired: it already acts on awakening itself.
    """
    return CellNetworks(
        role="adhesion_signalling",
        summary="The network of the tumour cell runs in every disseminated tumour cell, from integrin a3b1 to FAK and ERK.",
        networks=dict.fromkeys(TUMOUR, NETWORKS["tumour cell"]),
        sensors=(
            ShareInput(
                node="Remodelled_laminin",
                signal="cell.integrin",
                switching=Named("integrin_switching_rate", "1/h"),
            ),
            HillInput(
                node="GF",
                signal="cell.erk",
                half=Named("autocrine_half", ""),
                hill=Named("autocrine_hill", ""),
                most=Named("autocrine_most", ""),
                switching=Named("autocrine_rate", "1/h"),
            ),
        ),
        perturbations=(Inhibitor(node="PTK2", signal="body.fak_inhibitor", half=Named("fak_inhibitor_half", "nM")),),
        shown={"PTK2": "cell.fak", "MAPK1": "cell.erk"},
        smoothing=Named("erk_activity_time", "h"),
        sources=("He2025", "Shibue2009", "Xiong2003"),
    )


def with_network(model: Model) -> Model:
    """The lung with the network of the tumour cell in the place of the small switch."""
    parameters = load_parameters("lung_awakening", "networks", "lung_network")
    return model.changed(parameters=parameters).replace(adhesion_signalling=network_signalling())
