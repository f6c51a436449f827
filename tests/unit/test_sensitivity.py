"""What moves a readout is found, what does not is not, and a surrogate that does not hold is not used."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import qmc, rankdata
from sweep_data import Swept, swept_study

from paget.design import sensitivity
from paget.design.sensitivity import sensitivity_of
from paget.errors import ResultError
from paget.experiment.sweep import Axis

AXES = [Axis(name, False, "", (), 0.0, 1.0, False) for name in "klm"]
PLACES = qmc.Sobol(d=3, rng=1).random(64)


def of(values, places=PLACES, axes=AXES):
    return {i.name: i for i in sensitivity_of(places, values, axes, "y").influences}


def test_partial_rank_correlations_are_those_of_the_inverse_matrix():
    values = 3 * PLACES[:, 0] - PLACES[:, 1] ** 3 + np.random.default_rng(1).normal(0, 0.3, 64)
    precision = np.linalg.inv(np.corrcoef(np.column_stack([rankdata(PLACES, axis=0), rankdata(values)]).T))
    for i, axis in enumerate(AXES):
        theirs = -precision[i, 3] / math.sqrt(precision[i, i] * precision[3, 3])
        assert of(values)[axis.name].prcc == pytest.approx(theirs, abs=1e-9)


def test_the_order_is_that_of_influence_and_what_does_nothing_is_not_significant():
    values = np.exp(4 * PLACES[:, 1]) - 4 * PLACES[:, 0] + np.random.default_rng(1).normal(0, 0.5, 64)
    found = sensitivity_of(PLACES, values, AXES, "y")
    assert [i.name for i in found.influences] == ["l", "k", "m"]
    assert found.influences[0].prcc_low > 0.8
    assert found.influences[2].p_adjusted > 0.05
    assert "m (" not in found.sentence()


def test_sobol_indices_of_a_polynomial_are_exact():
    values = 3 * PLACES[:, 0] - PLACES[:, 1] + 4 * PLACES[:, 0] * PLACES[:, 1] + 6 * (PLACES[:, 2] - 0.5) ** 2
    found = of(values)
    # variances over the unit cube by hand: of 5 k, of l, of 4 (k - 1/2) (l - 1/2), and of 6 (m - 1/2)^2
    parts = np.array([25 / 12, 1 / 12, 16 / 144, 36 / 180])
    assert found["k"].first == pytest.approx(parts[0] / parts.sum())
    assert found["l"].total == pytest.approx((parts[1] + parts[2]) / parts.sum())
    assert found["m"].first == pytest.approx(parts[3] / parts.sum())
    assert found["m"].total == pytest.approx(parts[3] / parts.sum())
    assert abs(found["m"].prcc) < 0.3  # turns back, which ranks do not see


def test_a_surrogate_that_does_not_predict_is_not_used():
    # Ishigami's function, which no polynomial of second degree follows
    x = 2 * math.pi * (PLACES - 0.5)
    found = sensitivity_of(
        PLACES, np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]), AXES, "y"
    )
    assert found.predicted < 0.8
    assert found.influences[0].first is None
    assert "no Sobol indices" in found.note


def test_an_axis_swept_on_a_log_scale_is_judged_on_it():
    axes = [Axis("k", False, "", (), 1.0, 1000.0, True), AXES[1], AXES[2]]
    places = PLACES.copy()
    places[:, 0] = 1000.0 ** PLACES[:, 0]
    assert of(np.log(places[:, 0]) + 0.0, places, axes)["k"].first == pytest.approx(1.0)


def test_too_few_points_and_a_readout_that_never_moves_are_refused():
    with pytest.raises(ResultError, match="at least 7 are needed"):
        of(PLACES[:6, 0], PLACES[:6])
    with pytest.raises(ResultError, match="is 1 at every point"):
        of(np.ones(64))


def test_the_influence_of_a_result_is_that_of_its_sweep():
    sweep = {"like": "A", "design": "latin hypercube", "points": 40}
    sweep["parameters"] = {"k": {"from": "1 h", "to": "10 h"}, "l": {"from": 1, "to": 2}}
    result = Swept(swept_study(sweep, 4), lambda arm: 20.0 + 3 * arm.point.get("k", 5.0), noise=0.02)
    found = sensitivity(result, "burden")
    assert (found.points, found.animals, found.design) == (40, 4, "latin hypercube")
    assert found.influences[0].name == "k"
    assert found.influences[0].unit == "h"
    assert found.influences[0].prcc_low > 0.9
    assert found.influences[0].total > 0.9
    assert list(found.table()["name"]) == ["k", "l"]
    with pytest.raises(ResultError, match="has no sweep"):
        sensitivity(Swept(swept_study(None), lambda arm: 1.0), "burden")
