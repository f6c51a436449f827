"""A sentence of biology is read strictly, and rules on one behaviour combine by the stated formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paget.behaviours import Conversion
from paget.errors import ModelError, PagetError, UnitError, UnknownNameError
from paget.evidence import Parameter
from paget.process import Named
from paget.rules import Rule, respond

SENESCENCE = "fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2"


# ---- grammar ------------------------------------------------------------------------------------------------------
def test_a_sentence_is_read_into_its_parts():
    rule = Rule(SENESCENCE, source="He2025")
    assert (rule.cell, rule.signal, rule.behaviour, rule.increases) == (
        "fibroblast",
        "body.doxorubicin",
        "senescence",
        True,
    )
    (_, towards, _), (_, half, _), (_, hill, _) = rule.numbers
    assert math.isclose(towards.value, 0.05 / 24)
    assert (towards.unit, half.value, half.unit, hill.value) == ("1/h", 50.0, "nM", 2.0)
    assert (towards.basis, towards.source) == ("measured", "He2025")


def test_a_number_without_a_source_is_an_assumption():
    assert {number.basis for _, number, _ in Rule(SENESCENCE).numbers} == {"assumed"}


def test_a_name_in_braces_stands_for_a_parameter():
    rule = Rule("senescent fibroblast: cell.p21 decreases death towards {floor}, half-max {half}, hill {power}")
    assert not rule.increases
    assert [number for _, number, _ in rule.numbers] == [Named("floor", "1/h"), Named("half", ""), Named("power", "")]


def test_spacing_does_not_matter_and_behaviours_may_have_several_words():
    rule = Rule("  cycling tumour cell :cell.erk   decreases drug death towards 0/day ,half-max 0.5 , hill 3 ")
    assert (rule.cell, rule.behaviour) == ("cycling tumour cell", "drug death")
    assert [number.value for _, number, _ in rule.numbers] == [0.0, 0.5, 3.0]


def test_the_signal_decides_the_unit_of_the_half_maximum():
    rule = Rule("fibroblast: field.net increases death towards 1/h, half-max 0.1 1/pL, hill 1")
    assert rule.numbers[1][1].unit == "1/pL"


@pytest.mark.parametrize(
    ("sentence", "error", "reason"),
    [
        ("fibroblasts become old", ModelError, "Its form is '<cell type>: <signal> increases|decreases"),
        (SENESCENCE.replace(", hill 2", ""), ModelError, "Cannot read the rule"),
        (SENESCENCE.replace("increases", "raises"), ModelError, "Cannot read the rule"),
        (SENESCENCE.replace("fibroblast", "fibrobast"), UnknownNameError, "Did you mean 'fibroblast'?"),
        (SENESCENCE.replace("doxorubicin", "doxorubicine"), UnknownNameError, "Did you mean 'body.doxorubicin'?"),
        (SENESCENCE.replace("50 nM", "50 um"), UnitError, "'50 um' is not convertible to nM"),
        (SENESCENCE.replace("50 nM", "50"), UnitError, "'50' has no unit"),
        (SENESCENCE.replace("0.05/day", "0.05"), UnitError, "has no unit"),
        (SENESCENCE.replace("0.05/day", "0/um"), UnitError, "not convertible to 1/h"),
        (SENESCENCE.replace("hill 2", "hill 2 h"), UnitError, "not convertible"),
        (SENESCENCE.replace("0.05/day", "-0.05/day"), ModelError, "'-0.05/day' must be zero or positive"),
        (SENESCENCE.replace("50 nM", "0 nM"), ModelError, "'0 nM' must be positive"),
        (SENESCENCE.replace("50 nM", "-1 nM"), ModelError, "must be positive"),
        (SENESCENCE.replace("hill 2", "hill 0"), ModelError, "must be positive"),
    ],
)
def test_a_sentence_that_cannot_be_meant_is_refused_with_what_to_write(sentence, error, reason):
    with pytest.raises(error) as caught:
        Rule(sentence)
    assert reason in str(caught.value)
    assert isinstance(caught.value, PagetError)


def test_equal_sentences_are_equal_rules():
    assert Rule(SENESCENCE) == Rule(SENESCENCE)
    assert hash(Rule(SENESCENCE)) == hash(Rule(SENESCENCE))
    assert Rule(SENESCENCE) != Rule(SENESCENCE, source="He2025")


def test_a_behaviour_refuses_a_rule_about_another():
    with pytest.raises(ModelError, match="is about 'neutrophil: activation', not about the rule 'fibroblast: "):
        Conversion(
            role="activation", cell="neutrophil", behaviour="activation", to="neutrophil", rules=(Rule(SENESCENCE),)
        )


def test_the_rules_of_a_behaviour_say_what_it_reads_and_which_numbers_it_uses():
    process = Conversion(
        role="senescence",
        cell="fibroblast",
        behaviour="senescence",
        to="senescent fibroblast",
        rules=(Rule(SENESCENCE),) * 2,
    )
    assert process.reads == ("body.doxorubicin",)
    assert [slot for slot, _, _ in process.numbers] == [
        "base",
        *(f"rule{i}_{slot}" for i in range(2) for slot in ("towards", "half", "hill")),
    ]
    assert all(isinstance(number, Parameter) for _, number, _ in process.numbers)


# ---- the formula --------------------------------------------------------------------------------------------------
def _one(signal, *, base=0.2, raises=True, saturation=1.0, half=50.0, hill=2.0):
    return float(respond(base, [np.array([float(signal)])], [raises], [(saturation, half, hill)], 1)[0])


def test_one_rule_gives_the_values_worked_out_by_hand():
    assert _one(0.0) == 0.2
    assert math.isclose(_one(50.0), 0.6)
    assert math.isclose(_one(150.0), (0.2 + 9.0) / 10.0)
    assert math.isclose(_one(50.0, raises=False, saturation=0.0), 0.1)
    assert math.isclose(_one(100.0, raises=False, saturation=0.1, hill=1.0), (0.2 + 2 * 0.1) / 3)


def test_the_rate_saturates_where_the_sentence_says():
    assert math.isclose(_one(1e9), 1.0, rel_tol=1e-9)
    assert math.isclose(_one(1e9, raises=False, saturation=0.05), 0.05, rel_tol=1e-9)


def test_two_rules_give_the_values_worked_out_by_hand():
    # w = 1 up towards 1, w = 4 up towards 3, w = 1 down towards 0: U = 5/6, high = 13/5, raised = 13/6, half of it.
    found = respond(
        0.0,
        [50.0, np.array([100.0]), 3.0],
        [True, True, False],
        [(1.0, 50.0, 2.0), (3.0, 50.0, 2.0), (0.0, 3.0, 1.0)],
        1,
    )
    assert math.isclose(float(found[0]), 13 / 12)


def test_a_negative_signal_counts_as_none():
    assert _one(-10.0) == 0.2


def test_every_cell_answers_to_its_own_signal():
    found = respond(0.0, [np.array([0.0, 50.0, 1e9])], [True], [(1.0, 50.0, 2.0)], 3)
    assert np.allclose(found, [0.0, 0.5, 1.0])


def test_without_rules_the_rate_is_the_base():
    assert respond(0.3, [], [], [], 2).tolist() == [0.3, 0.3]


positive = st.floats(0.01, 100.0)
level = st.floats(0.0, 100.0)
rules = st.lists(st.tuples(level, st.booleans(), level, positive, st.floats(0.5, 4.0)), min_size=1, max_size=5)


def _respond(base, parts):
    return float(respond(base, [p[0] for p in parts], [p[1] for p in parts], [p[2:] for p in parts], 1)[0])


@given(base=level, parts=rules)
def test_the_response_is_the_stated_formula(base, parts):
    def side(raises):
        weighted = [((signal / half) ** hill, to) for signal, up, to, half, hill in parts if up is raises]
        total = sum(w for w, _ in weighted)
        return total / (1.0 + total), sum(w * to for w, to in weighted) / total if total > 0.0 else 0.0

    (up, high), (down, low) = side(True), side(False)
    expected = (1.0 - down) * ((1.0 - up) * base + up * high) + down * low
    assert math.isclose(_respond(base, parts), expected, rel_tol=1e-9, abs_tol=1e-12)


@given(base=level, parts=rules, order=st.randoms(use_true_random=False))
def test_rules_combine_in_any_order(base, parts, order):
    shuffled = list(parts)
    order.shuffle(shuffled)
    assert math.isclose(_respond(base, shuffled), _respond(base, parts), rel_tol=1e-12, abs_tol=1e-300)


@given(base=level, parts=rules)
def test_the_response_lies_between_the_base_and_the_saturations(base, parts):
    bounds = [base, *(to for _, _, to, _, _ in parts)]
    assert min(bounds) - 1e-9 <= _respond(base, parts) <= max(bounds) * (1.0 + 1e-12) + 1e-9


@given(base=level, gain=level, half=positive, hill=st.floats(0.5, 4.0), signals=st.tuples(level, level).map(sorted))
def test_more_of_a_signal_never_lowers_what_it_increases(base, gain, half, hill, signals):
    low, high = (_one(s, base=base, saturation=base + gain, half=half, hill=hill) for s in signals)
    assert low <= high * (1.0 + 1e-12) + 1e-300
    low, high = (_one(s, base=base + gain, raises=False, saturation=base, half=half, hill=hill) for s in signals)
    assert high <= low * (1.0 + 1e-12) + 1e-300
