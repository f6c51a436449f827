"""The fate of cells in the circulation: exact sums, limits, times, and a simulation that agrees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from paget.body.anatomy import Anatomy, anatomy_of, human, mouse
from paget.body.circulation import by_organ, fate, in_blood, steady_state, steps, where_it_begins
from paget.errors import ModelError, UnknownNameError


@pytest.fixture(params=["human", "mouse"])
def anatomy(request: pytest.FixtureRequest) -> Anatomy:
    return anatomy_of(request.param)


@pytest.mark.parametrize("arrest", [1.0, 0.5, 1e-3, 1e-8])
@pytest.mark.parametrize("death", [0.0, 1.0, 1e3])
@pytest.mark.parametrize("origin", ["mammary gland", "colon", "lung", "lymph node"])
def test_landings_and_deaths_are_all_that_happens(anatomy, arrest, death, origin):
    # 1e-12: sums of some hundred positive terms, each exact to rounding
    done = fate(anatomy.chain(), arrest, death, origin)
    assert done.landing.sum() + done.died == pytest.approx(1.0, abs=1e-12)
    assert (done.landing >= 0.0).all()
    assert done.died >= 0.0


def test_lymph_borne_cells_are_counted_too(anatomy):
    done = fate(anatomy.chain(), 0.3, 2.0, "mammary gland", "lymph")
    assert done.landing.sum() + done.died == pytest.approx(1.0, abs=1e-12)
    first = 0.3 / (1.0 + 2.0 * anatomy.chain().transit[anatomy.chain().names.index("lymph vessels")])
    assert done.landing_in("lymph node") > first
    assert done.landing_in("lymph node") == pytest.approx(first, rel=0.05)
    assert (
        done.time_in_lymph > done.time_in_blood > 0.0
    )  # a third is arrested in the node, most of the rest in one round
    assert done.time_in_blood + done.time_in_lymph == pytest.approx(done.residence.sum(), rel=1e-12)
    assert fate(anatomy.chain(), 0.3, 2.0, "mammary gland").time_in_lymph == 0.0


def test_sure_arrest_takes_all_cells_in_the_first_bed():
    chain = human().without_route("vertebral veins").chain()
    assert fate(chain, 1.0, 0.0, "mammary gland").landing_in("lung") == 1.0
    assert fate(chain, 1.0, 0.0, "colon").landing_in("liver") == 1.0
    assert fate(chain, 1.0, 0.0, "mammary gland", "lymph").landing_in("lymph node") == 1.0
    from_lung = fate(chain, 1.0, 0.0, "lung")
    flows = [organ.flow.inside("") for organ in human().organs]
    np.testing.assert_allclose(from_lung.landing, flows, atol=1e-12)  # arteries share cells out as they share blood


def test_the_vertebral_share_lands_in_marrow_before_it_sees_the_lung():
    chain = human().chain()
    assert fate(chain, 1.0, 0.0, "prostate").landing_in("bone marrow") == pytest.approx(0.1)
    assert fate(chain, 1.0, 0.0, "thyroid").landing_in("bone marrow") == 0.0


def test_rare_arrest_lands_cells_as_blood_flows(anatomy):
    done = fate(anatomy.chain(), 1e-9, 0.0, "mammary gland")
    flows = anatomy.flows()
    through = np.array([flows[organ] for organ in anatomy.names])
    if "vertebral veins" in flows:
        through[anatomy.names.index("bone marrow")] += flows["vertebral veins"]
    np.testing.assert_allclose(done.landing, through / through.sum(), rtol=1e-6)  # the first round is not yet mixed


def test_without_arrest_all_cells_die_and_live_as_long_as_death_lets_them(anatomy):
    done = fate(anatomy.chain(), 0.0, 3.0, "kidney")
    assert done.died == pytest.approx(1.0, abs=1e-13)
    assert done.time_in_blood == pytest.approx(1.0 / 3.0, rel=1e-12)
    assert done.half_life == pytest.approx(np.log(2.0) / 3.0, rel=1e-9)
    assert done.slowest_half_life == pytest.approx(np.log(2.0) / 3.0, rel=1e-9)


def test_death_may_differ_between_nodes(anatomy):
    chain = anatomy.chain()
    rates = np.zeros(len(chain.names))
    rates[chain.names.index("arteries")] = 5.0
    done = fate(chain, 0.0, rates, "kidney")
    assert done.died == pytest.approx(1.0, abs=1e-13)
    assert done.residence[chain.names.index("arteries")] == pytest.approx(0.2, rel=1e-12)


def test_time_spent_is_the_integral_of_survival(anatomy):
    done = fate(anatomy.chain(), 0.2, 4.0, "colon")
    # exp(G t) integrated to infinity is -1/G; compared through the matrix exponential of an augmented generator
    count = len(anatomy.chain().names)
    wide = np.zeros((2 * count, 2 * count))
    wide[:count, :count], wide[:count, count:] = done.generator, np.eye(count)
    spent = done.begins @ expm(wide * 40.0 * done.residence.sum())[:count, count:]
    np.testing.assert_allclose(spent, done.residence, rtol=1e-8, atol=1e-12)


def test_survival_begins_at_one_and_halves_at_the_half_life(anatomy):
    done = fate(anatomy.chain(), 0.1, 1.0, "mammary gland")
    assert done.survival(0.0)[0] == 1.0
    assert done.survival(done.half_life)[0] == pytest.approx(0.5, abs=1e-9)
    times = np.linspace(0.0, 5.0 * done.half_life, 20).reshape(4, 5)
    assert done.survival(times).shape == (4, 5)
    assert (np.diff(done.survival(times).ravel()) < 0.0).all()
    late = 20.0 * done.half_life
    ratio = done.survival(late + done.slowest_half_life)[0] / done.survival(late)[0]
    assert ratio == pytest.approx(0.5, rel=1e-6)


def test_a_walk_of_many_cells_agrees():
    # 20,000 walks: shares within 4 standard errors (family error rate below 1e-3), mean time within 4 standard errors
    chain, arrest, death, walks = mouse().chain(), 0.15, 30.0, 20_000
    done = fate(chain, arrest, death, "mammary gland")
    dice = np.random.default_rng(5)
    onward, begins = steps(chain), where_it_begins(chain, "mammary gland")
    landed, died, times = np.zeros(len(chain.organs)), 0, np.zeros(walks)
    for walk in range(walks):
        node = dice.choice(len(begins), p=begins)
        while True:
            stay, life = dice.exponential(chain.transit[node]), dice.exponential(1.0 / death)
            times[walk] += min(stay, life)
            if life < stay:
                died += 1
                break
            if chain.organ[node] >= 0 and dice.random() < arrest:
                landed[chain.organ[node]] += 1
                break
            node = dice.choice(len(begins), p=onward[node])
    expected = np.append(done.landing, done.died)
    error = np.sqrt(expected * (1.0 - expected) / walks) + 1.0 / walks
    assert (np.abs(np.append(landed, died) / walks - expected) < 4.0 * error).all()
    assert times.mean() == pytest.approx(done.time_in_blood, abs=4.0 * times.std() / np.sqrt(walks))


def test_the_number_in_blood_is_shedding_times_mean_time(anatomy):
    done = fate(anatomy.chain(), 0.01, 0.5, "mammary gland")
    blood = anatomy.blood.inside("mL")
    pool = steady_state(done, 1000.0, blood)
    assert pool.blood == pytest.approx(1000.0 * done.time_in_blood)
    assert pool.per_mL == pytest.approx(pool.blood / blood)
    assert pool.nodes.sum() == pytest.approx(pool.blood + pool.lymph)
    # in a steady state as many are lost as are shed
    np.testing.assert_allclose(-(pool.nodes @ done.generator), 1000.0 * done.begins, atol=1e-7)


def test_lymph_is_told_from_blood():
    chain = human().chain()
    lymph = {name for name, is_blood in zip(chain.names, in_blood(chain), strict=True) if not is_blood}
    assert lymph == {"lymph vessels", "thoracic duct"}


def test_numbers_by_organ_may_be_one_all_or_named():
    chain = human().chain()
    assert by_organ(chain, 0.2, "x").tolist() == [0.2] * len(chain.organs)
    assert by_organ(chain, {"liver": 0.7}, "x").sum() == pytest.approx(0.7)
    with pytest.raises(UnknownNameError, match="Did you mean 'liver'"):
        by_organ(chain, {"livre": 0.7}, "x")
    with pytest.raises(ModelError, match="one for each of 19 organs"):
        by_organ(chain, [0.1, 0.2], "x")


def test_a_mean_pass_ends_in_arrest_with_its_probability(anatomy):
    done = fate(anatomy.chain(), 0.25, 0.0, "kidney")
    np.testing.assert_allclose(done.landing, 0.25 * done.passes, rtol=1e-12)
    assert done.mean_passes == pytest.approx(4.0, rel=1e-12)


def test_numbers_that_make_no_sense_are_all_named():
    chain = human().chain()
    with pytest.raises(ModelError) as refused:
        fate(chain, {"liver": 1.5, "lung": -0.1}, -1.0, "colon")
    assert "arrest in 'liver' is 1.5" in str(refused.value)
    assert "arrest in 'lung' is -0.1" in str(refused.value)
    assert "death rate is negative" in str(refused.value)
    with pytest.raises(ModelError, match="2 death rates are given"):
        fate(chain, 0.5, [1.0, 2.0], "colon")
    with pytest.raises(ModelError, match="stay in the blood for ever"):
        fate(chain, 0.0, 0.0, "colon")
    with pytest.raises(ModelError, match="no lymph drains 'brain'"):
        fate(chain, 0.5, 0.0, "brain", "lymph")
    with pytest.raises(UnknownNameError, match="Did you mean 'blood'"):
        fate(chain, 0.5, 0.0, "brain", "bloot")
    with pytest.raises(ModelError, match="cannot be negative"):
        steady_state(fate(chain, 0.5, 0.0, "brain"), -1.0, 5300.0)
