"""The vicious cycle at a bone surface: three networks that speak through fields only."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from paget.catalogue.bone_niche import OSTEOCLAST, TUMOUR, bone_niche

HOURS = "192 h"


@functools.cache
def outcome(tumour: int = 36, **drugs: str) -> dict[str, Any]:
    now = bone_niche(tumour, **drugs).simulation(seed=1).run(HOURS)
    cells = now.cells
    of = {kind: cells[cells["type"] == kind] for kind in (TUMOUR, OSTEOCLAST)}
    return {
        "tumour": len(of[TUMOUR]),
        "resorption": float(of[OSTEOCLAST]["node_Resorption"].mean()),
        "smad3": float(of[TUMOUR]["node_SMAD3"].mean()) if tumour else 0.0,
        **{name: float(now.field(f"field.{name}").max()) for name in ("pthlh", "tnfsf11", "tgfb", "igf1")},
    }


def test_bone_without_tumour_cells_is_not_resorbed() -> None:
    alone = outcome(0)
    assert alone["resorption"] == 0.0
    assert alone["tnfsf11"] == 0.0
    assert alone["tgfb"] == 0.0


def test_tumour_cells_osteoblasts_and_osteoclasts_drive_each_other() -> None:
    found = outcome()
    assert found["resorption"] > 0.8
    assert found["smad3"] > 0.8  # TGF-beta freed from bone reaches the tumour cells
    assert found["tumour"] > 2 * 36


def test_the_cycle_feeds_back_on_pthrp() -> None:
    # Without resorption the tumour cells make PTHrP as well, but less of it, each of them and all together.
    assert outcome()["pthlh"] > 2.0 * outcome(denosumab="100 nM")["pthlh"]


@pytest.mark.parametrize("drug", ["denosumab", "sirolimus"])
def test_a_drug_on_one_link_breaks_the_cycle(drug: str) -> None:
    treated, control = outcome(**{drug: "100 nM"}), outcome()
    assert treated["resorption"] < 0.1 * control["resorption"]
    assert treated["tgfb"] < 0.1 * control["tgfb"]
    assert treated["tumour"] < 0.6 * control["tumour"]


def test_less_antibody_than_ligand_leaves_the_cycle_running() -> None:
    assert outcome(denosumab="0.01 nM")["resorption"] > 0.8
