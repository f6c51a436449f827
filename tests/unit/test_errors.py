"""Messages that help: the nearest name, all names where none is near, every problem at once."""

from __future__ import annotations

import pytest

from paget.errors import ModelError, UnknownNameError, nearest

DRUGS = ("doxorubicin", "cisplatin", "dasatinib", "quercetin")


@pytest.mark.parametrize(
    ("given", "meant"),
    [("doxorubicine", "doxorubicin"), ("doxo", "doxorubicin"), ("Cisplatin", "cisplatin"), ("dasatinb", "dasatinib")],
)
def test_a_misspelt_or_shortened_name_gets_the_nearest_known_one(given: str, meant: str) -> None:
    assert nearest(given, DRUGS) == f"Did you mean '{meant}'?"


def test_a_name_near_to_none_gets_the_list_of_known_ones() -> None:
    assert nearest("xyz", DRUGS) == "Known: cisplatin, dasatinib, doxorubicin, quercetin."
    assert nearest("xyz", ()) == "None are known here."


def test_an_unknown_name_reads_as_a_sentence_and_is_a_key_error() -> None:
    problem = UnknownNameError("drug", "doxorubicine", DRUGS)
    assert str(problem) == "Unknown drug 'doxorubicine'. Did you mean 'doxorubicin'?"
    assert isinstance(problem, KeyError)


def test_a_model_error_lists_every_problem() -> None:
    assert str(ModelError("It cannot be built:", ["first", "second"])).splitlines() == [
        "It cannot be built:",
        "  - first",
        "  - second",
    ]
