"""Family trees follow from division events, one for each daughter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paget.errors import ResultError
from paget.results.lineage import newick, parents


def daughters(cell: int) -> tuple[int, int]:
    """Made-up ids as large as real ones."""
    return 2**63 + 2 * cell, 2**63 + 2 * cell + 1


def events(*rows: tuple[float, str, int], division: str = "division") -> pd.DataFrame:
    """The table of an animal from (day, kind, cell), with the two rows that a division leaves."""
    told = []
    for day, kind, cell in rows:
        others = daughters(cell) if kind == division else (0,)
        told += [(day, kind, cell, other) for other in others]
    return pd.DataFrame(told, columns=["day", "kind", "cell", "other"]).astype({"cell": np.uint64, "other": np.uint64})


def test_every_division_gives_two_daughters_with_one_mother():
    first, second = daughters(7)
    table = parents(events((1.0, "arrival", 7), (2.0, "division", 7), (3.0, "division", 8)))
    assert table["cell"].tolist() == [first, second, *daughters(8)]
    assert table["mother"].tolist() == [7, 7, 8, 8]
    assert table["day"].tolist() == [2.0, 2.0, 3.0, 3.0]


def test_branches_run_from_birth_to_division_loss_or_the_end():
    first, second = daughters(7)
    table = events((1.0, "arrival", 7), (2.5, "division", 7), (4.0, "death", second), (9.0, "division", 8))
    assert newick(table, 7, end=10.0) == f"({first}:7.5,{second}:1.5)7:1.5;"
    assert newick(table, 7) == f"({first}:6.5,{second}:1.5)7:1.5;"


def test_a_founder_that_was_there_from_the_start_is_rooted_on_day_zero():
    first, second = daughters(7)
    assert newick(events((2.0, "division", 7)), 7, end=3.0) == f"({first}:1,{second}:1)7:2;"


def test_events_other_than_arrival_division_and_death_neither_begin_nor_end_a_branch():
    assert newick(events((2.0, "conversion", 7)), 7, end=5.0) == "7:5;"


def test_other_names_of_divisions_and_losses_can_be_given():
    first, second = daughters(7)
    table = events((2.0, "budding", 7), (3.0, "clearance", first), division="budding")
    assert newick(table, 7, end=5.0, division="budding", losses=("clearance",)) == f"({first}:1,{second}:3)7:2;"


def test_a_lineage_deeper_than_the_recursion_limit_is_written():
    rows = [(float(g), "division", g, other) for g in range(3000) for other in (g + 1, 10**6 + g)]
    tree = newick(pd.DataFrame(rows, columns=["day", "kind", "cell", "other"]), 0)
    assert tree.count("(") == tree.count(")") == 3000


def test_a_founder_without_events_is_refused():
    with pytest.raises(ResultError, match="names the cell 9"):
        newick(events((0.0, "arrival", 7)), 9)
