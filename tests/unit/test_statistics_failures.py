"""Failed animals reach the statistics: each arm's number is counted, whole blocks of animals too."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from paget.results import Result


def lost(block: int, replicates: int, rows: list[tuple[str, int, str]]) -> dict[str, int]:
    status = pd.DataFrame(rows, columns=["arm", "animal", "status"])
    study = SimpleNamespace(replicates=replicates)
    result = SimpleNamespace(model={"block": block}, status=status, study=study, arms=("control", "drug"))
    return Result.failed.fget(result)  # type: ignore[attr-defined]


@pytest.mark.parametrize("block", [0, 1])
def test_failed_animals_are_counted_in_each_arm(block: int) -> None:
    rows = [("control", 0, "done"), ("control", 1, "pending"), ("drug", 0, "failed"), ("drug", 1, "failed")]
    assert lost(block, 2, rows) == {"control": 0, "drug": 2}


def test_of_a_failed_block_all_animals_are_lost_and_the_last_block_may_be_short() -> None:
    rows = [("control", 0, "done"), ("control", 100, "failed"), ("drug", 0, "failed"), ("drug", 100, "failed")]
    assert lost(100, 130, rows) == {"control": 30, "drug": 130}
