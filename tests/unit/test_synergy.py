"""Independent drugs have no Bliss excess, a drug with itself no Loewe excess, and what is no checkerboard is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sweep_data import Swept, amount, few_resamples, swept_study  # noqa: F401

from paget.design import synergy
from paget.design.hill import HillFits, hill
from paget.design.synergy import additive_effect
from paget.design.treatments import checkerboard
from paget.errors import ResultError

AMOUNTS = ["0 mg/kg", "0.5 mg/kg", "1 mg/kg", "2 mg/kg", "4 mg/kg"]
BOARD = {"like": "A + B", "doses": {"A": AMOUNTS, "B": AMOUNTS}}
KILLED_BY_A, KILLED_BY_B = (0.0, 0.9, 1.5, 1.4), (0.0, 0.7, 2.0, 2.0)


def board(effect, replicates=4, **habits):
    """A checkerboard in which so large a fraction is affected by doses of A and B."""
    habits = {"noise": 0.0, **habits}
    study = swept_study(BOARD, replicates)
    return Swept(study, lambda arm: 40.0 * (1 - effect(amount(arm, "A"), amount(arm, "B"))), **habits)


def independent(a, b):
    one, two = float(hill(a, *KILLED_BY_A)), float(hill(b, *KILLED_BY_B))
    return one + two - one * two


def of_itself(a, b):
    return float(hill(a + b, *KILLED_BY_A))


def test_independent_drugs_have_no_bliss_excess():
    found = synergy(board(independent), "A", "B", "burden")
    assert len(found.combinations) == 16
    assert max(abs(well.bliss.value) for well in found.combinations) < 1e-12
    assert found.verdict.startswith("Bliss: neither shown")


def test_a_drug_with_itself_has_no_loewe_excess_and_an_index_of_one():
    found = synergy(board(of_itself), "A", "B", "burden")
    assert max(abs(well.loewe.value) for well in found.combinations) < 1e-6
    assert all(well.index.value == pytest.approx(1.0, abs=1e-5) for well in found.combinations)
    assert "Loewe: neither shown" in found.verdict
    assert [single.ec50 for single in found.singles] == pytest.approx([1.5, 1.5], rel=1e-5)


def test_additive_doses_of_one_drug_have_the_effect_of_their_sum():
    first = HillFits(*(np.array([value]) for value in (0.0, 0.9, 1.5, 1.4, 0.0)))
    # the second is the first, diluted four times
    second = HillFits(*(np.array([value]) for value in (0.0, 0.9, 6.0, 1.4, 0.0)))
    for a, b in ((1.0, 2.0), (0.1, 9.0), (3.0, 0.0)):
        assert additive_effect(a, b, first, second)[0] == pytest.approx(float(hill(a + b / 4, *KILLED_BY_A)), abs=1e-12)


def test_more_than_independent_is_synergy_and_less_is_antagonism():
    def more(a, b):
        return min(0.99, independent(a, b) + (0.12 if a and b else 0.0))

    def less(a, b):
        return max(float(hill(a, *KILLED_BY_A)), float(hill(b, *KILLED_BY_B))) * (0.8 if a and b else 1.0)

    assert synergy(board(more, 8, noise=0.05), "A", "B", "burden").bliss.low > 0
    found = synergy(board(less, 8, noise=0.05), "A", "B", "burden")
    assert found.bliss.high < 0
    assert found.loewe.high < 0
    assert found.verdict == "Bliss: antagonism, Loewe: antagonism"


def test_an_inactive_partner_leaves_the_curve_of_the_other():
    found = synergy(board(lambda a, b: float(hill(a, *KILLED_BY_A))), "A", "B", "burden")
    assert [single.active for single in found.singles] == [True, False]
    assert max(abs(well.loewe.value) for well in found.combinations) < 1e-6
    assert "B has no trend alone, taken as inactive" in found.note


def test_the_effect_is_a_fraction_of_the_control():
    found = synergy(board(independent), "A", "B", "burden")
    (well,) = [w for w in found.wells if w.doses == (4.0, 0.0)]
    assert well.effect.value == pytest.approx(float(hill(4.0, *KILLED_BY_A)))
    assert well.bliss is None
    table = found.table()
    assert len(table) == 25
    assert math.isnan(table.loc[table["arm"] == well.arm, "bliss"].iloc[0])


def test_too_few_single_doses_leave_bliss_alone():
    two = ["0 mg/kg", "1 mg/kg", "4 mg/kg"]
    study = swept_study({"like": "A + B", "doses": {"A": two, "B": two}}, 4)
    result = Swept(study, lambda arm: 40.0 * (1 - independent(amount(arm, "A"), amount(arm, "B"))))
    found = synergy(result, "A", "B", "burden")
    assert found.loewe is None
    assert "additivity needs at least 3 doses of A alone; there are 2" in found.note


def test_drugs_that_raise_the_readout_have_no_additivity():
    found = synergy(board(lambda a, b: -0.2 * (a + b)), "A", "B", "burden")
    assert found.loewe is None
    assert "raises the readout" in found.note


def test_what_is_no_checkerboard_says_what_it_lacks():
    study = swept_study({"like": "A", "doses": {"A": AMOUNTS}})
    with pytest.raises(ResultError, match="lacks arms with B alone"):
        checkerboard(study, "A", "B")
    with pytest.raises(ResultError, match="given twice"):
        checkerboard(study, "A", "A")


def test_a_control_without_any_of_the_readout_is_refused():
    with pytest.raises(ResultError, match="is 0 without drugs"):
        synergy(Swept(swept_study(BOARD, 4), lambda arm: 0.0), "A", "B", "burden")
