"""Means of the blood: every cell is somewhere in the end, limits that can be written down, and draws that are Poisson."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from circulations import ORGANS, small_biology, small_chain

from paget.body.blood import blood_parameters, founding, pools
from paget.errors import ModelError, UnknownNameError
from paget.process import quantity

QUIET = {"anoikis": 0.0, "shear": 0.0, "nk_killing": 0.0, "break_up": 0.0, "aggregation": 0.0}


def kind(size=1, **given):
    return pools.Kind(**({"size": size, "radius": 6.0, "tension": 1.5, "survival": 0.4, "mesenchymal": 0.7} | given))


@pytest.mark.parametrize("size", [1, 2, 7, 24])
@pytest.mark.parametrize("medium", ["blood", "lymph"])
def test_every_cell_leaves_the_vessels_or_dies(size, medium):
    mean = pools.expected(small_chain(), small_biology(), kind(size), "other", medium)
    assert mean.cells.sum() + mean.died.sum() == pytest.approx(size, rel=1e-12)
    assert mean.by_size.sum(axis=1) == pytest.approx(mean.extravasated, rel=1e-14)


def test_cells_that_cannot_die_all_leave_the_vessels_in_the_organ_that_holds_them():
    mean = pools.expected(small_chain(), small_biology(detachment="0 1/h"), kind(), "other", effects=QUIET)
    assert mean.extravasated.sum() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(mean.extravasated, mean.arrested, rtol=1e-10)


def test_a_large_stiff_cell_is_caught_in_the_first_bed_on_its_way():
    stiff = kind(radius=30.0, tension=1e6)
    held = {
        origin: pools.expected(small_chain(), small_biology(), stiff, origin, effects=QUIET).arrested
        for origin in ORGANS
    }
    lung, liver = ORGANS.index("lung"), ORGANS.index("liver")
    assert held["gut"][liver] == pytest.approx(1.0, abs=1e-6)  # through the portal vein
    assert held["liver"][lung] == pytest.approx(1.0, abs=1e-6)
    assert held["other"][[lung, liver]] == pytest.approx([0.5, 0.5], abs=1e-6)  # half of its blood takes either
    assert held["lung"] == pytest.approx([0.0, 0.1, 0.2, 0.7], abs=1e-6)  # by flow


def test_a_single_cell_with_one_fate_waits_an_exponential_time():
    only_shear = {**QUIET, "shear": 1.0, "trapping": 0.0, "adhesion": 0.0}
    chain, biology = small_chain(), small_biology()
    mean = pools.expected(chain, biology, kind(), "other", effects=only_shear)
    assert mean.residence_h == pytest.approx(1.0 / biology["shear"], rel=1e-9)
    assert mean.died == pytest.approx([0.0, 1.0, 0.0], abs=1e-9)
    times = np.array([0.1, 0.2, 0.5])
    flowing = pools.in_flow(chain, biology, kind(), "other", times, effects=only_shear)
    np.testing.assert_allclose(flowing, np.exp(-biology["shear"] * times), rtol=1e-9)


def test_pairs_break_into_single_cells_at_the_rate_of_their_bond():
    breaking = {**QUIET, "break_up": 1.0, "trapping": 0.0, "adhesion": 0.0}
    chain, biology = small_chain(), small_biology(break_up="4 1/h")
    flowing = pools.in_flow(chain, biology, kind(2), "lung", np.array([0.1, 0.4]), effects=breaking)
    np.testing.assert_allclose(flowing, 2.0 - np.exp([-0.4, -1.6]), rtol=1e-9)


def test_one_sweep_over_sizes_gives_each_size_alone():
    chain, biology = small_chain(), small_biology()
    together = pools.expected_up_to(chain, biology, kind(6), "gut")
    for size in (1, 4, 6):
        alone = pools.expected(chain, biology, kind(size), "gut")
        for one, other in zip(alone, together[size - 1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_landings_are_poisson_numbers_of_the_expected_mean():
    mean = pools.expected(small_chain(), small_biology(), kind(3), "other")
    drawn = np.array([pools.landings(mean, 40.0, 0.5, 9, 4, tick) for tick in range(4000)])
    expected = 20.0 * mean.by_size
    error = np.sqrt(expected / 4000)
    assert np.all(np.abs(drawn.mean(axis=0) - expected) < 4.5 * error)
    busy = expected > 0.5
    np.testing.assert_allclose(drawn.var(axis=0)[busy], expected[busy], rtol=0.15)
    assert pools.landings(mean, 40.0, 0.5, 9, 4, 7).tolist() == drawn[7].tolist()
    assert not np.array_equal(drawn[7], pools.landings(mean, 40.0, 0.5, 9, 5, 7))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"origin": "lungs"}, "Did you mean 'lung'"),
        ({"origin": "other", "medium": "air"}, "Unknown medium"),
        ({"origin": "lung", "medium": "lymph"}, "no lymph drains it"),
        ({"origin": "lung", "kind": kind(0)}, "1 cell or more"),
    ],
)
def test_means_of_what_cannot_be_are_refused(given, words):
    with pytest.raises((ModelError, UnknownNameError), match=words):
        pools.expected(small_chain(), small_biology(), **({"kind": kind()} | given))


def test_cluster_sizes_have_the_mean_that_is_asked_for():
    shares = founding.cluster_sizes(5.0, 400)
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ np.arange(2, 401) == pytest.approx(5.0)
    with pytest.raises(ModelError, match="cannot be"):
        founding.cluster_sizes(2.0, 10)


def test_a_cluster_that_keeps_all_its_cells_is_worth_their_number_where_colonies_are_rare():
    chain, biology = small_chain(), small_biology(anoikis="0 1/h", shear="0 1/h", break_up="0 1/h")
    biology = replace(biology, nk_lodged=quantity("0 1/h", reason="t"), nk_flowing=quantity("0 1/h", reason="t"))
    five = np.array([0.0, 0.0, 0.0, 1.0])
    assert founding.advantage(chain, biology, "other", sizes=five) == pytest.approx(5.0, rel=1e-2)
    alone = founding.advantage(chain, biology, "other", sizes=five, without=("founding together",))
    assert alone == pytest.approx(1.0, rel=1e-9)


def test_an_unknown_ablation_is_refused():
    with pytest.raises(ModelError, match="'bonds' is none of"):
        founding.ablated(small_biology(), "bonds")


def test_all_numbers_of_both_species_can_be_had():
    for species in ("mouse", "human"):
        table = blood_parameters(species)
        assert table["ctc_adhesion_lung"].variant == ("human" if species == "human" else "")
