"""Families follow from division events, one for each daughter, and are written as trees that others read."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from stored_results import BIG, BODY, stored

from paget.errors import DamagedResultError, ResultError
from paget.explain import process_table
from paget.results.lineage import event_roles, lineage, parents
from paget.results.trees import newick

ROLES = {"division": "division", "death": "death", "arrival": "arrival", "leave": "leave"}


def daughters(cell: int) -> tuple[int, int]:
    """Made-up ids as large as real ones."""
    return (2**63 + 2 * cell) % 2**64, (2**63 + 2 * cell + 1) % 2**64


def events(*rows: tuple[float, str, int]) -> pd.DataFrame:
    """The table of an animal from (day, kind, cell), with the two rows that a division leaves."""
    told = []
    for day, kind, cell in rows:
        others = daughters(cell) if kind == "division" else (cell,)
        told += [(day, kind, cell, other, "cell") for other in others]
    table = pd.DataFrame(told, columns=["day", "kind", "cell", "other", "type"])
    return table.astype({"cell": np.uint64, "other": np.uint64})


def tree(table: pd.DataFrame, founder: int, **choices) -> str:
    return newick(lineage(table, ROLES), founders=[founder], comments=False, **choices).strip()


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("body") / "result", BODY)


def grown(rng: np.random.Generator, cells: int) -> pd.DataFrame:
    """Divisions and deaths, one a day, among cells chosen at random; three founders."""
    living, rows = [1, 2, 3], []
    for day in range(cells):
        cell = living.pop(int(rng.integers(len(living))))
        if rng.random() < 0.3 and len(living) > 2:
            rows.append((float(day), "death", cell, cell))
        else:
            pair = (2**63 + 2 * day, 2**63 + 2 * day + 1)
            living += pair
            rows += [(float(day), "division", cell, other) for other in pair]
    table = pd.DataFrame(rows, columns=["day", "kind", "cell", "other"]).astype({"cell": np.uint64, "other": np.uint64})
    return table.assign(type="cell")


def by_recursion(table: pd.DataFrame, cell: int, born: float, end: float) -> str:
    """The tree of a cell, written as its definition says."""
    mine = table[(table["cell"] == np.uint64(cell)) & table["kind"].isin(["division", "death"])]
    over = float(mine["day"].iloc[0]) if len(mine) else end
    births = mine[mine["kind"] == "division"]["other"].tolist()
    inner = f"({','.join(by_recursion(table, d, over, end) for d in sorted(births))})" if births else ""
    return f"{inner}{cell}:{over - born:.6g}"


# ---- the table ------------------------------------------------------------------------------------------------------
def test_every_division_gives_two_daughters_with_one_mother():
    first, second = daughters(7)
    table = parents(events((1.0, "arrival", 7), (2.0, "division", 7), (3.0, "division", 8)))
    assert table["cell"].tolist() == [first, second, *daughters(8)]
    assert table["mother"].tolist() == [7, 7, 8, 8]
    assert table["day"].tolist() == [2.0, 2.0, 3.0, 3.0]


def test_the_kinds_of_events_are_known_by_what_the_model_says_they_do():
    model = {
        "event_kinds": ["NETosis", "budding", "fainting", "awakening", "removal", "division", "intravasation"],
        "processes": [{"emits": ["death: fainting"]}, {"emits": ["division: budding"]}, {"emits": ["leave"]}],
    }
    assert event_roles(model) == {
        "NETosis": "death",
        "budding": "division",
        "fainting": "death",
        "awakening": "conversion",
        "removal": "death",
        "division": "division",
        "intravasation": "leave",
    }


def test_a_cell_keeps_its_ancestry_across_sites(body):
    family = body.lineage("control", 0).set_index("cell")
    assert family.loc[BIG + 122, ["founder", "generation", "site", "fate"]].tolist() == [BIG + 1, 2, "lung", "alive"]
    assert family.loc[BIG + 12, ["mother", "born", "ended", "fate"]].tolist() == [BIG + 1, 1.0, 5.0, "division"]
    assert family.loc[BIG + 12, ["site", "origin"]].tolist() == ["lung", "primary"]
    assert family["mother"].isna().sum() == 4


def test_clones_are_inherited_and_belong_to_the_tumour_alone(body):
    clone = body.lineage("control", 0).set_index("cell")["clone"]
    assert clone[[BIG + c for c in (1, 11, 12, 121, 122)]].tolist() == [7] * 5
    assert clone[[BIG + 2, BIG + 20]].tolist() == [8, 8]
    assert clone[[BIG + 3]].isna().all()


def test_an_ancestor_has_the_clone_of_the_descendant_of_which_it_is_known():
    first, second = daughters(7)
    last = pd.DataFrame({"id": np.array([first], np.uint64), "type": ["cell"], "clone": [4]})
    table = events((1.0, "division", 7), (2.0, "death", second))
    family = lineage(table, ROLES, last=last, day=3.0).set_index("cell")
    assert family["clone"].to_dict() == {7: 4, first: 4, second: 4}


def test_every_cell_ends_as_its_last_event_says_or_lives(body):
    family = body.lineage("control", 0).set_index("cell")
    assert family["fate"].to_dict() == {
        BIG + 1: "division",
        BIG + 2: "NETosis",
        BIG + 3: "alive",
        BIG + 11: "removal",
        BIG + 12: "division",
        BIG + 20: "not followed",
        BIG + 121: "removal",
        BIG + 122: "alive",
    }
    assert family.loc[BIG + 3, "type"] == "senescent fibroblast"
    assert family.loc[BIG + 122, "ended"] == 10.0


def test_the_living_are_the_cells_of_the_last_frame_and_no_others(small_lung, run):
    model, study = small_lung(days=5, size=600)
    recorder = run(model, study, "vehicle")
    days, kinds = recorder.frame_days, np.array(model.event_kinds, dtype=object)
    table = recorder.events.assign(kind=lambda e: kinds[e["kind"]], type="cell").sort_values("day", kind="stable")
    described = {"event_kinds": model.event_kinds, "processes": process_table(model)}
    first, last = (recorder.cells(day).assign(type="cell") for day in (days[0], days[-1]))
    family = lineage(table.reset_index(drop=True), event_roles(described), first=first, last=last, day=days[-1])
    assert sorted(family.loc[family["fate"] == "alive", "cell"]) == sorted(last["id"])
    assert set(family["fate"]) <= {"alive", "division", "death", "NETosis", "senolysis"}
    assert (family["ended"] >= family["born"]).all()
    assert (family["fate"] == "division").sum() == family["mother"].nunique() > 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"event_kinds": ["arrival"]}, "records no divisions of its cells"),
        ({"event_kinds": [], "cell_types": []}, "not single cells"),
    ],
)
def test_a_study_that_records_no_divisions_has_no_lineages(body, changes, why):
    model = {**body.model, **changes}
    other = dataclasses.replace(body, manifest={**body.manifest, "model": model})
    with pytest.raises(ResultError, match=why):
        other.lineage("control", 0)


def test_a_cell_born_twice_is_refused():
    table = events((1.0, "division", 7), (2.0, "division", 7))
    with pytest.raises(DamagedResultError, match="was born twice"):
        lineage(table, ROLES)


def test_a_cell_among_its_own_ancestors_is_refused():
    table = pd.DataFrame({"day": [1.0, 2.0], "kind": "division", "cell": [7, 8], "other": [8, 7], "type": "cell"})
    with pytest.raises(DamagedResultError, match="descends from itself"):
        lineage(table, ROLES)


# ---- the trees ------------------------------------------------------------------------------------------------------
def test_branches_run_from_birth_to_division_loss_or_the_end():
    first, second = daughters(7)
    table = events((1.0, "arrival", 7), (2.5, "division", 7), (4.0, "death", second), (9.0, "death", 8))
    assert tree(table, 7) == f"({first}:6.5,{second}:1.5)7:1.5;"


def test_a_founder_that_was_there_from_the_start_is_rooted_on_day_zero():
    first, second = daughters(7)
    assert tree(events((2.0, "division", 7), (3.0, "death", 9)), 7) == f"({first}:1,{second}:1)7:2;"


def test_events_that_neither_begin_nor_end_a_life_leave_no_trace_in_the_tree():
    assert tree(events((2.0, "conversion", 7), (5.0, "death", 8)), 7) == "7:5;"


@pytest.mark.parametrize("seed", range(5))
def test_trees_are_what_their_definition_says(seed):
    table = grown(np.random.default_rng(seed), 60)
    written = newick(lineage(table, ROLES), comments=False).splitlines()
    assert written == [by_recursion(table, founder, 0.0, 59.0) + ";" for founder in (1, 2, 3)]


def test_the_tree_of_the_living_branches_only_where_both_daughters_have_living_progeny():
    first, second = daughters(7)
    a, b = daughters(second)
    c, d = daughters(a)
    table = events(
        (1.0, "division", 7), (2.0, "death", first), (3.0, "division", second), (4.0, "division", a), (6.0, "death", 8)
    )
    assert tree(table, 7, survivors=True) == f"((({c}:2,{d}:2){a}:1,{b}:3){second}:2)7:1;"
    assert tree(table, 7).count(":") == 7


@pytest.mark.parametrize("seed", range(3))
def test_the_leaves_of_the_tree_of_the_living_are_the_living(seed):
    family = lineage(grown(np.random.default_rng(seed), 200), ROLES)
    text = newick(family, survivors=True, joined=True, comments=False)
    leaves = re.findall(r"(?<=[(,])(\d+):", text)
    assert sorted(map(int, leaves)) == sorted(family.loc[family["fate"] == "alive", "cell"])


def test_the_path_to_every_living_cell_is_as_long_as_the_study():
    dendropy = pytest.importorskip("dendropy", reason="the reader of trees is an extra of the tests")
    family = lineage(grown(np.random.default_rng(4), 300), ROLES)
    read = dendropy.Tree.get(data=newick(family, survivors=True, joined=True), schema="newick")
    far = [leaf.distance_from_root() for leaf in read.leaf_node_iter()]
    assert len(far) > 20
    assert far == pytest.approx([299.0] * len(far), rel=1e-4)  # lengths are written with six digits


def test_other_readers_find_names_lengths_sites_and_clones(body):
    dendropy = pytest.importorskip("dendropy", reason="the reader of trees is an extra of the tests")
    text = body.newick("control", 0, joined=True)
    read = dendropy.Tree.get(
        data=text, schema="newick", extract_comment_metadata=True, suppress_internal_node_taxa=True
    )
    nodes = {node.taxon.label if node.taxon else node.label: node for node in read.preorder_node_iter()}
    assert {int(name) - BIG for name in nodes if name.isdigit()} == {1, 2, 11, 12, 121, 122}
    told = {a.name: a.value for a in nodes[str(BIG + 122)].annotations}
    assert told == {"S": "lung", "C": "7", "type": "tumour_cell", "fate": "alive"}
    assert nodes[str(BIG + 122)].parent_node is nodes[str(BIG + 12)]
    assert nodes[str(BIG + 12)].edge.length == 4.0
    assert nodes[str(BIG + 1)].parent_node is nodes["founders"]


def test_founders_of_one_clone_share_a_branch(body):
    family = body.lineage("control", 0)
    family.loc[family["cell"] == BIG + 2, "clone"] = 7
    text = body.newick("control", 0, family, joined=True, comments=False)
    assert text.endswith(f"{BIG + 1}:1,{BIG + 2}:5.5)clone_7:0[&&NHX:C=7])founders:0;\n")


def test_a_lineage_deeper_than_the_recursion_limit_is_written():
    rows = [(float(g), "division", g, other, "cell") for g in range(3000) for other in (g + 1, 10**6 + g)]
    table = pd.DataFrame(rows, columns=["day", "kind", "cell", "other", "type"])
    text = tree(table, 0)
    assert text.count("(") == text.count(")") == 3000


def test_a_founder_without_events_is_refused():
    with pytest.raises(ResultError, match="names a founder 9"):
        tree(events((0.0, "arrival", 7)), 9)


def test_a_family_without_the_wanted_cells_is_refused():
    with pytest.raises(ResultError, match="no wanted cell has living progeny"):
        tree(events((1.0, "death", 7)), 7, survivors=True)
