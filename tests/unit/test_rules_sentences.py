"""Rules about tissue cells: the published sentence, the short one and the table say the same, and nonsense is named."""

from __future__ import annotations

import math

import pytest

from paget.errors import ModelError, UnitError, UnknownNameError
from paget.process import Named
from paget.rules import Lexicon, Rule, problems, read_table, write_table
from paget.vocabulary import VARIABLES, Variable

PUBLISHED = (
    "In malignant epithelial cell cells, pressure decreases cycle entry from 0.001/min towards 0/min with half-max 1 and "
    "Hill power 4, applies to dead cells"
)
SHORT = (
    "malignant epithelial cell: pressure decreases cycle entry from 0.001/min towards 0/min, half-max 1, hill 4, "
    "applies to dead cells"
)
TYPES = ("malignant epithelial cell", "T cell")
LEXICON = Lexicon(
    TYPES,
    {
        **{name: v for name, v in VARIABLES.items() if not name.startswith("field.")},
        "field.oxygen": VARIABLES["field.oxygen"],
        "field.glucose": Variable("field.glucose", "nM", "glucose"),
        "cell.stemness": Variable("cell.stemness", "", "stemness"),
    },
)


def _wrong(sentence: str, lexicon: Lexicon = LEXICON) -> list[str]:
    return list(problems(Rule(sentence), lexicon))


def test_the_published_and_the_short_sentence_are_one_rule():
    assert Rule(PUBLISHED) == Rule(SHORT)
    assert hash(Rule(PUBLISHED)) == hash(Rule(SHORT))


def test_a_published_sentence_is_read_into_its_parts():
    rule = Rule(PUBLISHED)
    assert (rule.cell, rule.signal, rule.behaviour) == ("malignant epithelial cell", "cell.pressure", "cycle entry")
    assert not rule.increases
    assert rule.applies_to_dead
    numbers = {slot: (number.value, unit) for slot, number, unit in rule.numbers}
    assert numbers == {
        "towards": (0.0, "1/h"),
        "half": (1.0, ""),
        "hill": (4.0, ""),
        "base": (pytest.approx(0.06), "1/h"),
    }


def test_a_rule_without_the_words_does_not_apply_to_the_dead():
    assert not Rule(SHORT.replace(", applies to dead cells", "")).applies_to_dead
    assert Rule(SHORT.replace(", applies to dead cells", "")) != Rule(SHORT)


def test_leaving_a_phase_of_the_cycle_is_not_taken_for_a_base_value():
    rule = Rule("T cell: oxygen increases exit from cycle phase 2 from 0.1/h towards 1/h, half-max 5 mmHg, hill 1")
    assert rule.behaviour == "exit from cycle phase 2"
    assert [slot for slot, _, _ in rule.numbers] == ["towards", "half", "hill", "base"]


@pytest.mark.parametrize(
    ("signal", "name", "unit"),
    [
        ("oxygen", "field.oxygen", "mmHg"),
        ("field.oxygen", "field.oxygen", "mmHg"),
        ("oxygen gradient", "field.oxygen gradient", "mmHg/um"),
        ("gradient of oxygen", "field.oxygen gradient", "mmHg/um"),
        ("pressure", "cell.pressure", ""),
        ("volume", "cell.volume", "um**3"),
        ("damage", "cell.injury", ""),
        ("contact with T cell", "contact with T cell", ""),
        ("contact with dead cells", "contact with dead cell", ""),
        ("time", "time", "h"),
        ("attacking", "attacking", ""),
        ("custom:stemness", "cell.stemness", ""),
        ("body.doxorubicin", "body.doxorubicin", "nM"),
        ("node p53", "node p53", ""),
    ],
)
def test_signals_are_known_by_their_published_names(signal, name, unit):
    half = f"1 {unit}".strip()
    rule = Rule(f"T cell: {signal} increases apoptosis towards 1/h, half-max {half}, hill 1")
    assert rule.signal == name
    assert rule.sensed.unit(LEXICON.variables) == unit


@pytest.mark.parametrize(
    ("behaviour", "quantity", "value", "unit"),
    [
        ("migration speed", "1 um/min", 60.0, "um/h"),
        ("migration persistence time", "30 min", 0.5, "h"),
        ("migration bias", "0.5", 0.5, ""),
        ("oxygen uptake", "10/min", 600.0, "1/h"),
        ("oxygen secretion target", "38 mmHg", 38.0, "mmHg"),
        ("oxygen export", "1000 mmHg*um**3/min", 60.0, "mmHg*pL/h"),
        ("glucose secretion target", "1 uM", 1000.0, "nM"),
        ("attack T cell", "0.1/h", 0.1, "1/h"),
        ("cell-cell adhesion", "0.4 um/min", 24.0, "um/h"),
        ("chemotactic response to oxygen", "-1", -1.0, ""),
        ("is movable", "0", 0.0, ""),
    ],
)
def test_each_behaviour_has_its_own_unit(behaviour, quantity, value, unit):
    rule = Rule(f"T cell: pressure increases {behaviour} towards {quantity}, half-max 1, hill 1")
    assert not list(problems(rule, LEXICON))
    slot, number, found = rule.numbers_in(LEXICON)[0]
    assert (slot, found) == ("towards", unit)
    assert math.isclose(number.value, value, rel_tol=1e-12)


def test_other_published_names_of_a_behaviour_are_understood():
    rule = Rule("T cell: pressure increases transition to macrophage towards 1/h, half-max 1, hill 1")
    assert rule.behaviour == "transform to macrophage"


def test_a_type_and_a_field_that_only_the_model_knows_are_allowed():
    rule = Rule("organoid cell: glucose increases lactate export towards 1 nM*pL/h, half-max 5 uM, hill 1")
    assert rule.cell == "organoid cell"
    assert rule.signal_unit is None
    assert (rule.numbers[1][1].value, rule.numbers[1][2]) == (5.0, "uM")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("B cell: oxygen increases apoptosis towards 1/h, half-max 5 mmHg, hill 1", "Unknown cell type 'B cell'"),
        ("T cell: oxygn increases apoptosis towards 1/h, half-max 5 mmHg, hill 1", "Did you mean 'oxygen'?"),
        ("T cell: contact with B cell increases apoptosis towards 1/h, half-max 1, hill 1", "Unknown signal"),
        ("T cell: presure increases apoptosis towards 1/h, half-max 1, hill 1", "Did you mean 'pressure'?"),
        ("T cell: glucose increases apoptosis towards 1/h, half-max 5 um, hill 1", "not convertible to nM"),
        (
            "T cell: oxygen increases lactate uptake towards 1/h, half-max 5 mmHg, hill 1",
            "unknown behaviour 'lactate uptake'",
        ),
        (
            "T cell: oxygen increases attack B cell towards 1/h, half-max 5 mmHg, hill 1",
            "Did you mean 'attack T cell'?",
        ),
        ("T cell: intracellular oxygen increases apoptosis towards 1/h, half-max 5, hill 1", "'intracellular oxygen'"),
        ("T cell: total attack time increases apoptosis towards 1/h, half-max 5, hill 1", "is not kept; use damage"),
        ("T cell: node p53 increases apoptosis towards 1/h, half-max 1, hill 1", "this model has none"),
    ],
)
def test_what_a_model_does_not_have_is_named(sentence, reason):
    assert any(reason in problem for problem in _wrong(sentence)), _wrong(sentence)


def test_a_node_of_a_network_that_the_model_has_is_a_signal():
    sentence = "T cell: node p53 increases apoptosis towards 1/h, half-max 0.5, hill 1"
    assert not _wrong(sentence, Lexicon(TYPES, LEXICON.variables, ("p53",)))
    assert any(
        "Did you mean 'node p53'?" in p for p in _wrong(sentence.replace("p53", "p35"), Lexicon(TYPES, {}, ("p53",)))
    )


def test_a_dimension_that_can_be_known_is_checked_at_once():
    with pytest.raises(UnitError, match="not convertible to um/h"):
        Rule("T cell: pressure increases migration speed towards 1/h, half-max 1, hill 1")


def test_a_misspelt_behaviour_is_met_with_the_right_name():
    with pytest.raises(UnknownNameError, match="Did you mean 'cycle entry'"):
        Rule("tumour: oxygen increases cycle entri towards 1/h, half-max 5 mmHg, hill 1")


def test_a_rate_below_zero_is_refused_where_it_means_nothing():
    with pytest.raises(ModelError, match="must be zero or positive"):
        Rule("T cell: pressure increases apoptosis towards -1/h, half-max 1, hill 1")


def test_names_in_braces_take_the_unit_of_the_behaviour():
    rule = Rule("T cell: pressure increases migration speed towards {fast}, half-max {crowded}, hill {steep}")
    assert rule.numbers[0][1] == Named("fast", "um/h")


def test_keys_of_numbers_tell_types_and_directions_apart():
    one, other = (Rule(SHORT.replace("malignant epithelial cell", cell)).numbers[0][1].key for cell in TYPES)
    assert one == "malignant epithelial cell: pressure decreases cycle entry: saturation"
    assert other == "T cell: pressure decreases cycle entry: saturation"


# ---- tables -------------------------------------------------------------------------------------------------------
def test_a_table_holds_the_rules():
    rules = (
        Rule(PUBLISHED),
        Rule("T cell: oxygen increases attack malignant epithelial cell towards 1/h, half-max 5 mmHg, hill 2"),
    )
    assert read_table(write_table(rules)) == rules


def test_everything_wrong_with_a_table_is_told_by_line():
    header, good = write_table([Rule(SHORT)]).splitlines()
    bad = "\n".join((header, good, good.replace(",4,", ",four,"), "a,b", good[:-2] + "7,"))
    with pytest.raises(ModelError) as caught:
        read_table(bad, "mine.csv")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["line 3", "line 4", "line 5"]


def test_a_table_with_other_columns_is_refused():
    with pytest.raises(ModelError, match="the columns must be cell, signal"):
        read_table("a,b\n1,2\n")
