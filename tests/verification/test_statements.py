"""What the literature says about the cells of metastasis, statement by statement, on the networks of the catalogue.

The table and its rows were written from the literature by another hand than the networks, without reading these.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import statement_pictures as pictures
import statement_table as table
from statement_table import Outcome, Statement

from paget.errors import PagetError
from paget.evidence.mechanisms import load_mechanisms
from paget.signalling import Network, Node

STATEMENTS = table.read_table()
TOPICS = tuple(dict.fromkeys(one.topic for one in STATEMENTS))
LEVEL = table.FALSE_ACCEPTANCE


# ---- the table itself -----------------------------------------------------------------------------------------------------
def test_rows_of_the_table_are_whole():
    wrong = []
    for one in STATEMENTS:
        if one.comparison not in table.COMPARISONS or one.origin not in table.ORIGINS or one.kind not in table.KINDS:
            wrong.append(f"{one.id}: {one.comparison}, {one.origin}, {one.kind}")
        if bool(one.versus) == one.comparison.startswith("at "):
            wrong.append(f"{one.id}: '{one.comparison}' with {len(one.versus)} arms to compare with")
        if len(set(one.arms)) < len(one.arms):
            wrong.append(f"{one.id}: an arm is compared with itself")
        if one.first_run not in table.FIRST_RUNS or (one.origin == "repaired" and one.first_run.startswith("held")):
            wrong.append(f"{one.id}: {one.origin}, and it {one.first_run or 'was not tried'} at first")
        if one.document != "control" and not one.mechanisms and "doi:" not in one.source:
            wrong.append(f"{one.id}: neither a mechanism nor a paper")
        if one.kind != "control" and one.comparison == "unchanged" and one.margin > 0.05:
            wrong.append(f"{one.id}: 'unchanged' leaves room for {one.margin:g}")
        unknown = [key for key in re.split(r"[;, ]+", one.mechanisms) if key and key not in load_mechanisms()]
        if unknown:
            wrong.append(f"{one.id}: {', '.join(unknown)} is not in the table of mechanisms")
    assert not wrong
    assert len({one.id for one in STATEMENTS}) == len(STATEMENTS) >= 60


def test_words_of_the_table_name_nodes_of_the_networks():
    networks = pytest.importorskip("paget.catalogue.networks")
    wrong = []
    for one in STATEMENTS:
        network = networks.network(one.network)
        try:
            for arm in one.arms:
                for words in (arm.before, arm.now):
                    treated = table.treatment(words, network, networks.MERGED)
                    _ = [network.node(name) for name in (*treated.hold, *treated.inhibit)]
            for name in table.names(table.parse(one.readout)):
                table.node_of(network, name, networks.MERGED)
        except (PagetError, ValueError) as problem:
            wrong.append(f"{one.id}: {problem}")
    assert not wrong, "\n".join(wrong)


# ---- the verdicts ---------------------------------------------------------------------------------------------------------
def _toy() -> Network:
    return Network(
        name="toy", nodes=(Node(name="A"), Node(name="B", logic="A", up="0.3", down="0.1"), Node(name="C", logic="B"))
    )


def _claim(
    comparison: str, margin: float, readout: str = "C", arm: str = "A 1", versus: tuple[str, ...] = ("none",)
) -> Statement:
    return Statement(
        "T", "toy", "toy", "a claim", "none", "none", arm, versus, readout, comparison, margin, 60.0, *[""] * 7
    )


def _judged(claim: Statement, cells: int = 2_000) -> Outcome:
    return table.Bench({"toy": _toy()}, {}, cells).outcome(claim)


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        (_claim("higher", 0.3), True),
        (_claim("lower", 0.1), False),
        (_claim("unchanged", 0.05), False),
        (_claim("unchanged", 0.05, versus=("A 0, loss B",), arm="none"), True),
        (_claim("at least", 0.9), True),
        (_claim("at most", 0.9), False),
        (_claim("lower", 0.3, arm="A 1, siRNA B", versus=("A 1",)), True),
        (_claim("higher", 0.05, versus=("none", "A 1, siRNA B")), True),
        (_claim("higher", 0.05, versus=("A 1, siRNA B", "none")), False),
    ],
)
def test_a_true_statement_about_a_toy_is_accepted_and_a_false_one_is_not(claim, true):
    found = _judged(claim)
    assert (found.p < 1e-6) if true else (found.p > 0.5)


def test_half_maximal_concentration_of_a_toy_is_that_of_its_inhibitor(monkeypatch):
    monkeypatch.setitem(table.DRUGS, "sirolimus", (("B",), table.DRUGS["sirolimus"][1]))
    claim = Statement(
        "T", "toy", "toy", "", "A 1", "A 1", "sirolimus", ("none",), "B", "half-maximal", 2.0, 60.0, *[""] * 7
    )
    found = _judged(claim, 4_000)
    # P(on) = 1 - h at rest, so the response is the inhibition itself; three standard errors.
    assert abs(np.log(found.effect / 5.0)) < 3.0 * np.log(found.high / found.low) / (2 * 1.96)
    assert found.p < 1e-6


def test_statements_at_the_edge_of_their_margin_are_accepted_as_rarely_as_stated():
    random = np.random.default_rng(5)
    claim = _claim("higher", 0.1)
    tables, rows, n = 400, 50, 400
    accepted = 0
    for _ in range(tables):
        chances = [table.judge(claim, [random.random(n) < 0.3, random.random(n) < 0.4]).p for _ in range(rows)]
        accepted += bool(np.any(table.holm(chances) < LEVEL))
    # One table in a hundred; 99.9 % of binomial samples of 400 tables have at most 12.
    assert accepted <= 12


def test_holm_is_the_step_down_of_bonferroni():
    assert table.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


# ---- the statements -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def verdicts() -> dict[str, tuple[Outcome, float]]:
    """Outcome of every row and its chance adjusted for the whole table."""
    networks = pytest.importorskip("paget.catalogue.networks")
    bench = table.Bench({name: networks.network(name) for name in networks.NETWORKS}, networks.MERGED)
    outcomes = [bench.outcome(one) for one in STATEMENTS]
    adjusted = table.holm([one.p for one in outcomes])
    return {one.statement.id: (one, float(p)) for one, p in zip(outcomes, adjusted, strict=True)}


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: one.id)
def test_statement_holds(statement, verdicts):
    found, p = verdicts[statement.id]
    arms = " | ".join((*statement.versus, statement.arm))
    shares = " | ".join(f"{share:.3f}" for share in found.shares)
    assert p < LEVEL, (
        f"{statement.statement}. {statement.readout}, with {statement.context}: {arms}: {shares}; "
        f"wanted {statement.comparison} by {statement.margin:g}"
    )


def _exchanged(network: Network, random: np.random.Generator) -> Network:
    """The network with what switches its on-off nodes, logic and rates, exchanged between them at random."""
    nodes = [network.node(name) for name in network.regulated if network.node(name).levels == 1]
    order = random.permutation(len(nodes))
    pairs = ((node, nodes[k]) for node, k in zip(nodes, order, strict=True))
    return network.changed(
        *(replace(node, logic=other.logic, up=other.up, down=other.down, edges={}) for node, other in pairs)
    )


def test_few_statements_hold_on_networks_whose_logic_was_exchanged(verdicts, gallery):
    networks = pytest.importorskip("paget.catalogue.networks")
    random = np.random.default_rng(11)
    false = {name: _exchanged(networks.network(name), random) for name in networks.NETWORKS}
    bench = table.Bench(false, networks.MERGED, 500)
    claims = [one for one in STATEMENTS if one.kind != "control" and one.comparison in ("higher", "lower")]
    by_chance = {one: bench.outcome(one).p < LEVEL / len(claims) for one in claims}
    held = {
        name: (
            np.mean([verdicts[one.id][1] < LEVEL for one in claims if one.network == name]),
            np.mean([found for one, found in by_chance.items() if one.network == name]),
        )
        for name in networks.NETWORKS
    }
    share = np.mean(list(by_chance.values()))
    text = (
        f"Of the {len(claims)} statements that something is higher or lower {share:.0%} hold on networks of the same nodes "
        "whose logic was exchanged at random (grey), beside those that hold on the networks of the catalogue (green)."
    )
    with gallery("statements-exchanged", title="The same statements on networks at random", text=text) as axes:
        pictures.beside(axes, held)
    # By chance a readout answers to the arm in half of the rows or fewer, and then in either direction.
    assert share < 0.3


def test_overview(verdicts, gallery):
    networks = pytest.importorskip("paget.catalogue.networks")
    merged = [one.id for one in STATEMENTS if table.stands_in(one, networks.network(one.network), networks.MERGED)]

    def text() -> str:
        return pictures.summary(verdicts, LEVEL, merged)

    with gallery("statements", title="Statements of the literature", text=text) as axes:
        pictures.overview(axes, verdicts, LEVEL)
    assert len(verdicts) == len(STATEMENTS)


@pytest.mark.parametrize("topic", TOPICS)
def test_topic(topic, verdicts, gallery):
    rows = [verdicts[one.id] for one in STATEMENTS if one.topic == topic]
    held = sum(p < LEVEL for _, p in rows)
    text = (
        f"{held} of {len(rows)} statements hold. Filled: the arm that the statement is about, open: what it is compared "
        "with, as the share of cells (of a node with levels, its mean level over the highest), with the difference and its "
        "95 % interval at the right. Red: does not hold. Diamonds: consistency checks; squares: the networks were changed to "
        "meet them. A bar marks a stated bound."
    )
    name = topic.replace(",", "").replace(" ", "-").lower()
    with gallery(f"statements-{name}", title=f"Statements: {topic}", text=text) as axes:
        pictures.rows(axes, rows, LEVEL)
    assert all(0.0 <= share <= 1.0 for found, _ in rows for share in found.shares)


# ---- courses in time --------------------------------------------------------------------------------------------------------
def _course(network: str, phases: tuple[tuple[str, float], ...], readouts: tuple[str, ...], step: float = 2.0):
    """Shares of cells [readout, time] through phases of (treatment, hours), and the times in h; at rest for a week before."""
    networks = pytest.importorskip("paget.catalogue.networks")
    return table.course(networks.network(network), networks.MERGED, phases, readouts, step)


def test_tgf_beta_gives_emt_and_its_withdrawal_met(gallery):
    readouts = ("EMT", "EMT >= 2", "CDH1", "SNAI1", "ZEB1", "MIR200")
    times, shares = _course("tumour cell", (("none", 24.0), ("TGFB 1", 240.0), ("none", 336.0)), readouts, 4.0)
    emt, cadherin = shares[0], shares[2]
    before, treated, after = (np.searchsorted(times, hour) for hour in (24.0, 264.0, 600.0))
    text = (
        f"Ten days of TGF-beta (shaded), then none. Mean EMT goes from {emt[before]:.2f} to {emt[treated]:.2f} and back to "
        f"{emt[after]:.2f}; E-cadherin from {cadherin[before]:.2f} to {cadherin[treated]:.2f} and {cadherin[after]:.2f}."
    )
    with gallery("statements-course-emt", title="TGF-beta gives EMT, its withdrawal MET", text=text) as axes:
        shown = dict(zip(("mean EMT", "full EMT", *readouts[2:]), shares, strict=True))
        pictures.courses(axes, times, shown, shaded=(24.0, 264.0))
    # A tenth is the margin of the table; the standard error of a share of 4,000 cells is below a hundredth.
    assert emt[treated] > emt[before] + 0.3
    assert emt[after] < emt[treated] - 0.3
    assert cadherin[after] > cadherin[treated] + 0.3


def test_survival_without_anchorage(gallery):
    lost = "ECM 0, Contact 0"
    arms = {
        "attached": "none",
        "in suspension": lost,
        "with BDNF": f"{lost}, BDNF 1",
        "with BDNF and PI3K inhibitor": f"{lost}, BDNF 1, inhibitor PIK3CA",
        "without p53": f"{lost}, loss TP53",
    }
    alive = {}
    for name, words in arms.items():
        times, shares = _course("tumour cell", ((words, 72.0),), ("!Apoptosis",), 1.5)
        alive[name] = shares[0]
    last = {name: share[-1] for name, share in alive.items()}
    text = f"Living share after three days: {', '.join(f'{name} {share:.2f}' for name, share in last.items())}."
    with gallery("statements-course-anoikis", title="Survival without anchorage", text=text) as axes:
        pictures.courses(axes, times, alive, label="share alive")
    assert last["attached"] > last["in suspension"] + 0.3
    assert last["with BDNF"] > last["with BDNF and PI3K inhibitor"] + 0.1
    assert alive["without p53"][24] > alive["in suspension"][24] + 0.1  # at 36 h; later all may die


def test_laminin_cut_by_nets_ends_dormancy_unless_fak_is_inhibited(gallery):
    shown = {}
    for name, words in (("", ""), (", FAK inhibitor", ", inhibitor PTK2")):
        phases = (("none", 24.0), (f"Remodelled_laminin 1{words}", 144.0))
        times, shares = _course("tumour cell", phases, ("Dormancy", "Proliferation", "MAPK1"), 3.0)
        shown |= {
            f"{label}{name}": share for label, share in zip(("dormant", "proliferating", "ERK"), shares, strict=True)
        }
    text = (
        f"Six days on laminin that NETs have cut (shaded): {shown['dormant'][-1]:.2f} of the cells are dormant, "
        f"{shown['proliferating'][-1]:.2f} proliferate; with a FAK inhibitor {shown['dormant, FAK inhibitor'][-1]:.2f} and "
        f"{shown['proliferating, FAK inhibitor'][-1]:.2f}."
    )
    with gallery("statements-course-dormancy", title="Awakening, and FAK", text=text) as axes:
        pictures.courses(axes, times, shown, shaded=(24.0, 168.0), pairs=True)
    assert shown["dormant"][-1] < shown["dormant, FAK inhibitor"][-1] - 0.3
    assert shown["proliferating"][-1] > shown["proliferating, FAK inhibitor"][-1] + 0.2


def test_dose_response_of_movement_to_cxcl12(verdicts, gallery):
    found = [verdicts[one.id][0] for one in STATEMENTS if one.comparison == "half-maximal"]
    fits = ", ".join(f"{one.statement.arm} {one.effect:.1f} nM ({one.low:.1f} to {one.high:.1f})" for one in found)
    text = (
        f"Half of the effect on movement to CXCL12 at: {fits}; measured 5 and 6 nM. The inhibition of their "
        "complexes was derived from those same values, so that this shows only that the network neither shifts nor sharpens "
        "the response much."
    )
    with gallery("statements-dose-response", title="Rapamycin, Torin2 and movement to CXCL12", text=text) as axes:
        pictures.dose_response(axes, found)
    assert all(np.isfinite(one.effect) for one in found)
