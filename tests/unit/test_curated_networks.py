"""The curated networks: evidence of every influence, numbers of every rate, sane states of rest, and their page in step."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from paget.catalogue.networks import MERGED, NETWORKS, network
from paget.catalogue.networks.nodes import share_of
from paget.catalogue.networks.page import page, words
from paget.errors import EvidenceError, UnknownNameError
from paget.evidence import load_parameters, load_sources
from paget.evidence.mechanisms import Mechanism, cited, load_mechanisms, read_mechanisms
from paget.signalling import Expression, Tables, parse
from paget.signalling.expression import evaluate
from paget.signalling.population import Population, simulate

ROOT = Path(__file__).parents[2]
NAMES = tuple(NETWORKS)
HEADER = "id,subject,relation,object,sign,cell_type,sources,status\n"
ROW = "M001,AKT1,phosphorylates,TSC2,-,malignant cell,He2025,read\n"


@pytest.fixture(scope="module", params=NAMES)
def curated(request):
    return network(request.param)


def parts(formula: Expression, inside: str = ""):
    """All parts of a formula, each with the operation that it is an operand of."""
    yield formula, inside
    for one in formula.args:
        yield from parts(one, formula.op)


def formulas(curated):
    for node in curated.nodes:
        yield from ((node, one) for one in (*node.formulas, *node.speeds) if one is not None)


# ---- evidence ---------------------------------------------------------------------------------------------------------
def test_every_influence_has_evidence_that_exists(curated):
    for node in curated.nodes:
        assert set(node.edges) == set(curated.regulators(node.name)), node.name
        for source, evidence in node.edges.items():
            assert cited(evidence), f"{source} on {node.name}"


def test_signs_of_influences_are_those_of_their_evidence(curated):
    """Where a row of the table of mechanisms names the regulator and what it regulates."""
    compared = 0
    for edge in curated.edges:
        spoken = {edge.source, *curated.node(edge.source).genes}
        heard = {edge.target, *curated.node(edge.target).genes}
        for row in cited(edge.evidence):
            if not isinstance(row, Mechanism) or edge.sign == 0:
                continue
            if spoken & set(re.split(r"[/+ ]", row.subject)) and heard & set(re.split(r"[/+ ]", row.object)):
                stated = {"+": 1, "-": -1}[row.sign] * (-1 if "siRNA" in row.subject else 1)
                assert stated == edge.sign, f"{row} for {edge.source} on {edge.target}"
                compared += 1
    assert compared >= (60 if curated.name == "tumour cell" else 1)


def test_every_regulator_matters(curated):
    found = {(edge.source, edge.target) for edge in curated.edges}
    for node in curated.nodes:
        for source in curated.regulators(node.name):
            assert source == node.name or (source, node.name) in found, f"{source} on {node.name}"
    assert {edge.source for edge in curated.edges} >= set(curated.inputs)


def test_every_row_of_the_table_of_mechanisms_is_used_by_a_network_or_tried_on_one():
    used = {
        row.id
        for one in NETWORKS.values()
        for node in one.nodes
        for evidence in node.edges.values()
        for row in cited(evidence)
        if isinstance(row, Mechanism)
    }
    with (Path(__file__).parents[1] / "verification" / "statements.csv").open(encoding="utf-8") as file:
        tried = {key for row in csv.DictReader(file) for key in re.split(r"[;, ]+", row["mechanisms"]) if key}
    assert used <= set(load_mechanisms()) <= used | tried


def test_networks_name_sources_that_exist():
    for one in NETWORKS.values():
        assert one.sources
        assert set(one.sources) <= set(load_sources())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,subject\n" + ROW, "x.csv: the columns must be id, subject, relation, object"),
        (HEADER + ROW.replace("He2025", "He2052"), "source 'He2052' is not in sources.bib. Did you mean 'He2025'?"),
        (HEADER + ROW.replace(",-,", ",down,"), "x.csv:2: sign 'down' is none of +, -, 0"),
        (HEADER + ROW.replace("read\n", "guessed\n"), "status 'guessed' is none of read, reviewed, recalled"),
        (HEADER + ROW.replace("TSC2", ""), "x.csv:2: object is empty"),
        (HEADER + ROW + ROW, "x.csv:3: mechanism 'M001' is given twice"),
        (HEADER + ROW.replace(",read", ""), "x.csv:2: the row has a different number of columns"),
    ],
)
def test_a_faulty_mechanism_is_refused_with_file_and_line(text, reason):
    with pytest.raises(EvidenceError) as caught:
        read_mechanisms(text, "x.csv")
    assert reason in str(caught.value)


def test_a_mechanism_says_what_it_states():
    (row,) = read_mechanisms(HEADER + ROW).values()
    assert str(row) == "M001: AKT1 phosphorylates TSC2 (He2025)"


def test_evidence_that_is_neither_mechanism_nor_source_is_refused():
    with pytest.raises(EvidenceError, match=r"'He2052' is neither a mechanism nor a source. Did you mean 'He2025'\?"):
        cited("N001;He2052")


# ---- numbers ----------------------------------------------------------------------------------------------------------
def test_every_number_of_a_rate_is_a_row_of_the_table_of_parameters(curated):
    """Bare are only 0 and 1, for never, always and the whole, and the levels that a node is compared with."""
    for node, formula in formulas(curated):
        for part, inside in parts(formula):
            if part.op == "number" and inside not in (">=", "=="):
                assert part.value in (0.0, 1.0), f"{node.name}: {formula}"
    assert all(node.initial in (0.0, 1.0) for node in curated.nodes)


def test_every_row_of_the_table_of_rates_is_used_and_has_an_interval():
    table = load_parameters("networks")
    assert {named.key for one in NETWORKS.values() for named in one.quantities.values()} == set(table)
    for row in table.values():
        assert row.low < row.value <= row.high, row.key


def test_shares_are_shares_in_every_state(curated):
    values = curated.values()
    flat = curated.expanded()
    for node in flat.nodes:
        share = share_of(node)
        if share is not None:
            involved = tuple(name for name in flat.regulators(node.name))
            index = np.arange(2 ** len(involved))
            states = {name: (index >> k & 1).astype(bool) for k, name in enumerate(involved)}
            found = evaluate(share, states, values)
            assert np.all((found >= 0.0) & (found <= 1.0)), node.name


# ---- form -------------------------------------------------------------------------------------------------------------
def test_at_most_64_nodes_are_regulated(curated):
    assert len(curated.regulated) <= 64


def test_the_tumour_cell_fits_two_words():
    one = network("tumour cell")
    assert Tables.of(one, one.values()).words == 2


def test_genes_are_written_as_gene_symbols(curated):
    for node in curated.nodes:
        assert node.label, node.name
        for gene in node.genes:
            assert re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", gene), f"{node.name}: {gene}"
        if node.name in {gene for other in curated.nodes for gene in other.genes}:
            assert node.name in node.genes, node.name


def test_truth_tables_stay_small(curated):
    """They are laid out anew for every animal: 20,000 entries take a hundredth of a second, 16 regulators have 65,536."""
    assert Tables.of(curated, curated.values()).table.size < 20_000


def test_a_molecule_that_was_merged_is_no_node_but_what_it_goes_with_is():
    one = NETWORKS["tumour cell"]
    assert not set(MERGED) & set(one.names)
    assert set(MERGED.values()) <= set(one.names)


def test_a_network_without_a_name_in_the_catalogue_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'tumour cell'"):
        network("tumor cell")


def test_rates_are_taken_from_the_table_that_is_given():
    table = load_parameters("networks").with_values({"anoikis_rate": "0.1 1/day"})
    assert network("tumour cell", table).values()["anoikis_rate"] == pytest.approx(0.1 / 24)


# ---- rest -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["tumour cell", "fibroblast", "neutrophil", "osteoclast"])
def test_cells_start_in_a_state_that_nothing_leaves(name):
    one = network(name).expanded()
    state = {node.name: np.array([node.initial > 0.0]) for node in one.nodes}
    values = one.values()
    for node in one.nodes:
        if node.is_input:
            continue
        called = evaluate(node.formulas[0], state, values) if node.formulas else None
        up, down = (float(np.sum(evaluate(speed, state, values))) for speed in one.speeds_of(node))
        if called is not None:
            up, down = (up, 0.0) if np.any(called) else (0.0, down)
        assert (down if state[node.name][0] else up) == 0.0, node.name


def test_other_cells_stay_near_their_start():
    """Those with nodes that are on for a share of the time move to that share, and nothing else changes."""
    moving = {
        "osteoblast": {"MTORC1", "MTORC2", "TNFRSF11B"},
        "mesenchymal stem cell": {"Adipogenesis", "TGFB1", "HGF", "IL17B"},
        "endothelium": {"Survival"},
    }
    for name, expected in moving.items():
        one = network(name)
        found = simulate(one, [400.0, 500.0], cells=500)
        start = np.array([node.initial for node in one.nodes])
        moved = {node for node, change in zip(found.nodes, found.mean[-1] - start, strict=True) if abs(change) > 0.02}
        assert moved == expected, name


def test_a_resting_tumour_cell_is_an_epithelial_cell_out_of_cycle():
    population = Population(network("tumour cell"), 100)
    population.advance(300.0)
    for name, level in {"CDH1": 1, "MIR200": 1, "EMT": 0, "Proliferation": 0, "Dormancy": 1, "Apoptosis": 0}.items():
        assert np.all(population.level(name) == level), name


# ---- what was wrong in a draft of these networks -------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["Hypoxia", "DLL", "WNT", "HH", "GF", "IL6", "TNF", "BDNF"])
def test_no_single_inducer_brings_full_emt_to_most_cells(name):
    """In two weeks, which TGF-beta needs for most of them. TNF and BDNF act through several inducers, and bring partial EMT."""
    population = Population(network("tumour cell"), 1_000, start={name: 1.0})
    population.advance(336.0)
    level = population.level("EMT")
    assert 0.1 < np.mean(level > 0) < (0.95 if name in ("TNF", "BDNF") else 0.6)
    assert np.mean(level == 2) < (0.6 if name in ("TNF", "BDNF") else 0.2)


def test_tgf_beta_brings_full_emt_and_its_withdrawal_reverses_it():
    population = Population(network("tumour cell"), 1_000, start={"TGFB": 1.0})
    population.advance(336.0)
    assert np.mean(population.level("EMT") == 2) > 0.65
    assert np.mean(population.level("EMT") > 0) > 0.95
    population.advance(168.0, hold={"TGFB": 0.0})
    assert np.mean(population.level("EMT") > 0) < 0.1


def test_loss_of_p53_lowers_the_hazard_of_anoikis_tenfold():
    """Deaths before 12 h among cells without matrix, when few have died: their ratio is that of the hazards."""
    curated = network("tumour cell")
    hazard = {}
    for state in (0.0, 1.0):
        population = Population(curated, 20_000, start={"ECM": 0.0, "BCL2": 0.0})
        population.advance(3.0, hold={"TP53": state, "Anoikis": 0.0})
        population.advance(2.0, hold={"TP53": state})
        hazard[state] = -np.log(1.0 - np.mean(population.level("Anoikis")))
    # 280 deaths without p53: three standard errors of the ratio are 18 %.
    assert hazard[0.0] / hazard[1.0] == pytest.approx(curated.values()["anoikis_share_without_p53"], rel=0.2)


def test_fak_sirna_with_chemotherapy_kills_more_than_chemotherapy_and_spares_some():
    dead = {}
    for label, hold in {"chemotherapy": {}, "both": {"PTK2": 0.0}}.items():
        population = Population(network("tumour cell"), 2_000, start={"GF": 1.0})
        population.advance(168.0)
        population.advance(24.0, hold=hold)
        population.advance(168.0, hold={"DNA_damage": 1.0, **hold})
        dead[label] = np.mean(population.level("Apoptosis"))
    assert 0.2 < dead["chemotherapy"] < dead["both"] - 0.1 < 0.85


def test_dormant_cells_survive_chemotherapy_that_kills_cycling_ones():
    dead = {}
    for label, start in {"cycling": {"GF": 1.0}, "dormant": {"GF": 1.0, "THBS1": 1.0}}.items():
        population = Population(network("tumour cell"), 2_000, start=start)
        population.advance(168.0)
        population.advance(48.0, hold={"DNA_damage": 1.0})
        dead[label] = np.mean(population.level("Apoptosis"))
    assert dead["dormant"] < 0.3 * dead["cycling"]


def test_s6_kinase_shuts_the_signal_of_igf1_but_not_that_of_other_growth_factors():
    for ligand, lower in {"IGF1": True, "GF": False}.items():
        free, fed_back = (
            simulate(network("tumour cell"), [48.0, 96.0], cells=500, start={ligand: 1.0}, hold=hold)["RTK"][-1]
            for hold in ({"RPS6KB1": 0.0}, {"RPS6KB1": 1.0})
        )
        assert (fed_back < 0.1 < 0.9 < free) if lower else (min(free, fed_back) > 0.9)


def test_sirolimus_that_stays_takes_mtorc2_within_days_and_not_at_once():
    population = Population(network("tumour cell"), 2_000, start={"GF": 1.0})
    population.advance(48.0)
    shares = []
    for hours in (4.0, 92.0):
        population.advance(hours, hold={"MTORC1": 0.0, "Sirolimus": 1.0})
        shares.append(np.mean(population.level("MTORC2")))
    # With a mean of 24 h: exp(-4 / 24) = 0.85 and exp(-4) = 0.02; five standard errors of 2,000 cells are 0.04.
    assert shares == pytest.approx([0.85, 0.02], abs=0.04)


# ---- the page ---------------------------------------------------------------------------------------------------------
def test_the_page_of_the_networks_is_in_step():
    if not (ROOT / "docs").is_dir():
        pytest.skip("the documentation is not beside the tests")
    assert (ROOT / "docs" / "networks.md").read_text(encoding="utf-8") == page(), (
        "write it anew: python -m paget.catalogue.networks.page > docs/networks.md"
    )


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("!A & (B | C)", "not A and (B or C)"),
        ("A & B | !(C & D)", "A and B or not (C and D)"),
        ("A ? (B ? {anoikis_share_with_fak} : 0) : 1", "(0.2 if B, else 0) if A, else 1"),
        ("A ? 0 : B ? 1 : 0", "0 if A, 1 if B, else 0"),
        ("min(1, {anoikis_share_with_fak} * (A + B))", "at most 1: 0.2 × (A + B)"),
        ("EMT >= 2", "EMT at level 2 or above"),
        ("(A ? 1 : 0) * (B + C)", "(1 if A, else 0) × (B + C)"),
    ],
)
def test_a_formula_is_put_in_words(formula, text):
    assert words(parse(formula), load_parameters("networks")) == text
