"""Genes act on nodes and numbers with evidence, by level, and a model that is perturbed and back runs on with the same bits."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from carried_networks import carrying, network, on
from small_body import body, life, spatial_body

from paget.catalogue.cascade_mouse import cascade_mouse
from paget.catalogue.lung import lung_awakening
from paget.catalogue.metaspread.subject import metaspread
from paget.engine.animal import TissueAnimal
from paget.engine.chance import Chance
from paget.engine.simulation import Simulation
from paget.errors import EvidenceError, StudyError, UnknownNameError
from paget.evidence import load_sources
from paget.genes import gene_sources, load_genes, read_genes
from paget.signalling import Node

LUMPED = {"primary": "lumped", "lung": "lumped"}
HEADER = "gene,also,parameter,cells,exponent,without,most,reason,source\n"


@functools.cache
def lung(signalling="switch"):
    return lung_awakening({"size": 400, "signalling": signalling})


@functools.cache
def mouse(**options):
    return cascade_mouse(options)


def animal(model, animal=0):
    return TissueAnimal(model, 1, animal, 2.0, frozenset({"doxorubicin"}))


def bits(state):
    return {name: np.ascontiguousarray(values).tobytes() for name, values in state.items()}


def test_every_row_of_the_table_acts_in_some_model_and_has_a_source_and_a_reason():
    acting = {text.split(" (")[0] for model in (lung(), mouse()) for texts in model.genes.values() for text in texts}
    for effect in load_genes():
        assert effect.parameter in acting, effect
        assert effect.reason
        assert set(effect.sources) <= set(load_sources())


def test_the_sources_of_genes_can_be_cited():
    assert gene_sources(["RAB27A", "FLT1", "PTK3"]) == ("Kaplan2005", "Peinado2012")


def test_a_knock_out_leaves_nothing_and_a_level_scales_the_number_with_its_reason_and_sources():
    base = lung().parameters["netosis_rate"]
    off, half = (lung().perturbed({("PADI4", ""): level}).parameters["netosis_rate"] for level in (0.0, 0.5))
    assert off.value == 0.0
    assert half.value == 0.5 * base.value
    assert half.changed
    assert half.basis == "assumed"
    assert "PADI4 at 0.5" in half.reason
    assert "LiP2010" in half.source


def test_without_its_receptor_a_signal_leaves_the_background():
    table = lung().parameters
    for level in (0.0, 0.25, 2.0):
        found = lung().perturbed({("CXCR2", ""): level}).parameters["neutrophil_recruitment"].inside("1/h")
        background, top = table["neutrophil_entry"].inside("1/h"), table["neutrophil_recruitment"].inside("1/h")
        assert found == pytest.approx(background + level * (top - background), rel=1e-12)


def test_a_probability_stays_one_however_much_a_gene_is_over_expressed():
    assert mouse().perturbed({("JUP", ""): 50.0}).parameters["clusters_together"].value == 1.0


def test_genes_of_one_number_act_one_after_the_other():
    both = mouse().perturbed({("CXCR4", ""): 0.5, ("CXCL12", ""): 0.2}).parameters["cxcr4_activity"]
    assert both.value == pytest.approx(0.1)
    assert "CXCR4 at 0.5" in both.reason
    assert "CXCL12 at 0.2" in both.reason


def test_animals_differ_in_a_knocked_down_number_as_they_did_before():
    base = lung().parameters["senescence_rate"]
    down = lung().perturbed({("CDKN1A", ""): 0.5}).parameters["senescence_rate"]
    assert base.spread > 0.0
    draws = [Chance(1, animal).draw(down) / Chance(1, animal).draw(base) for animal in range(4)]
    assert draws == pytest.approx([down.value / base.value] * 4, rel=1e-12)


def test_a_body_changes_its_own_tables_and_those_of_its_tissues():
    found = mouse().perturbed({("VEGFA", ""): 0.0, ("PADI4", "neutrophil"): 0.0})
    assert found.parameters["vegfa_secretion"].value == 0.0
    tissues = {site.name: site.model for site in found.spatial}
    assert tissues["primary"].parameters["primary_vegf_export"].value == 0.0
    assert tissues["lung"].parameters["netosis_rate"].value == 0.0


def test_genes_of_what_a_body_does_not_resolve_are_unknown_to_it_rather_than_silent():
    assert "JUP" in mouse().genes
    assert "PADI4" in mouse().genes
    assert {"JUP", "PADI4", "ZEB1"}.isdisjoint(mouse(**LUMPED).genes)
    assert "CXCR4" not in mouse(**LUMPED).without("niche").genes
    with pytest.raises(UnknownNameError, match="Unknown gene 'JUP'"):
        mouse(**LUMPED).perturbed({("JUP", ""): 0.0})


@pytest.mark.parametrize(
    ("gene", "cells", "level", "error", "words"),
    [
        ("CXCR5", "", 0.0, UnknownNameError, "Unknown gene 'CXCR5'. Did you mean 'CXCR2'"),
        ("PAD4", "", 0.0, StudyError, "Unknown gene 'PAD4'. Did you mean 'PADI4'"),
        ("PADI4", "fibroblast", 0.0, StudyError, "does nothing in 'fibroblast' here; it acts in neutrophil"),
        ("PADI4", "neutrofil", 0.0, UnknownNameError, "Unknown cell type 'neutrofil'. Did you mean 'neutrophil'"),
        ("THBS1", "neutrophil", 0.0, StudyError, "in no certain cells; leave 'cells' out"),
        ("PADI4", "", -1.0, StudyError, "must be 0 .knocked out. or above"),
    ],
)
def test_what_cannot_be_perturbed_is_refused_by_name(gene, cells, level, error, words):
    with pytest.raises(error, match=words):
        lung().perturbed({(gene, cells): level})


def test_a_published_model_without_genes_refuses():
    assert metaspread({}).genes == {}
    with pytest.raises(StudyError, match="has no genes"):
        metaspread({}).perturbed({("CXCR4", ""): 0.0})


def test_a_name_of_cells_means_the_type_and_those_that_qualify_it():
    whole, part = (lung().perturbed({("PADI4", cells): 0.0}) for cells in ("", "neutrophil"))
    assert whole.parameters["netosis_rate"] == part.parameters["netosis_rate"]
    assert lung().perturbed({("PTK2", "tumour cell"): 0.0}).parameters["fak_activity"].value == 0.0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("PADI4,,netosis_rate,,1,0,,because,Nobody1900", "'Nobody1900' is not in sources.bib"),
        ("PADI4,,netosis_rate,,1,0,,,LiP2010", "'reason' is not given"),
        ("PADI4,,netosis_rate,,0,0,,because,LiP2010", "exponent must be above 0"),
        ("PADI4,,netosis_rate,,1,0,,because", "different number of columns"),
    ],
)
def test_a_row_without_evidence_is_refused_with_its_line(row, words):
    with pytest.raises(EvidenceError, match=f"genes.csv:2: .*{words}"):
        read_genes(HEADER + row + "\n", "genes.csv")


# ---- nodes ------------------------------------------------------------------------------------------------------------
def test_a_gene_that_is_a_node_is_told_with_its_network_and_cells():
    assert lung("network").genes["PTK2"] == (
        "node PTK2 of the network 'tumour cell' in dormant tumour cell, cycling tumour cell",
    )
    assert lung().genes["PTK2"] == ("fak_activity (tumour cell)",)


def test_a_node_in_some_cells_leaves_the_same_gene_of_other_cells_to_its_number():
    model = lung("network")
    assert len(model.genes["MMP9"]) == 2
    in_traps = model.perturbed({("MMP9", "neutrophil"): 0.0})
    assert in_traps.parameters["mmp9_release"].value == 0.0
    assert not in_traps.processes["adhesion_signalling"].perturbations[1:]
    in_tumour = model.perturbed({("MMP9", "tumour cell"): 0.0})
    assert in_tumour.parameters["mmp9_release"] == model.parameters["mmp9_release"]
    assert [p.node for p in in_tumour.processes["adhesion_signalling"].perturbations] == ["PTK2", "MMP9"]


RECEIVING = network(Node(name="Ligand", initial=1.0), Node(name="Receptor", logic="Ligand", up="{slow}"))
DEAF = network(Node(name="Ligand"), Node(name="Receptor", logic="Ligand", up="{slow}"))


def share_on(carried, node, level, cells=4000, hours="40 h"):
    tissue = carrying(carried, n=cells, tick="10 h")
    model = tissue.model().perturbed({(node, ""): level})
    now = Simulation(model, seed=3, tick=10.0).run(hours)
    return float(on(now, "networks", node).mean())


@pytest.mark.parametrize("level", [0.0, 0.25, 0.8])
def test_a_knocked_down_node_is_on_for_the_share_of_its_time_that_is_left(level):
    assert abs(share_on(RECEIVING, "Receptor", level) - level) <= 5.0 * np.sqrt(level * (1.0 - level) / 4000)


def test_an_over_expressed_node_is_off_for_one_in_so_many_parts_of_its_time():
    assert abs(share_on(DEAF, "Receptor", 4.0) - 0.75) <= 5.0 * np.sqrt(0.75 * 0.25 / 4000)


def test_an_input_that_nothing_switches_is_off_in_the_share_of_cells_that_is_knocked_down():
    assert abs(share_on(RECEIVING, "Ligand", 0.25) - 0.25) <= 5.0 * np.sqrt(0.25 * 0.75 / 4000)
    assert abs(share_on(DEAF, "Ligand", 4.0) - 0.75) <= 5.0 * np.sqrt(0.25 * 0.75 / 4000)
    assert share_on(RECEIVING, "Ligand", 0.0) == 0.0


# ---- perturbed and back ---------------------------------------------------------------------------------------------
def run_on(make, model, ticks, swaps=()):
    one, swaps = make(model), dict(swaps)
    for tick in range(ticks):
        if tick in swaps:
            state = one.state()
            one = make(swaps[tick])
            one.restore(state)
        one.advance((("doxorubicin", 0.0, 5.0, ""),) if tick == 3 else (), ())
    return bits(one.state())


def small_life(model):
    return life(model, drugs=("doxorubicin",))


@pytest.mark.parametrize(
    ("make", "build", "gene", "ticks"),
    [
        (animal, lung, "THBS1", 10),
        (animal, functools.partial(lung, "network"), "PTK2", 10),
        (small_life, spatial_body, "VEGFA", 12),
        (small_life, body, "FGA", 12),
    ],
    ids=["lung", "lung with networks", "body", "lumped body"],
)
def test_a_model_rebuilt_from_its_state_runs_on_with_the_same_bits(make, build, gene, ticks):
    model = build()
    plain = run_on(make, model, ticks)
    untouched = model.perturbed({(gene, ""): 1.0})
    assert run_on(make, model, ticks, {4: untouched, 7: model}) == plain
    assert run_on(make, model, ticks, {4: model.perturbed({(gene, ""): 0.0})}) != plain
