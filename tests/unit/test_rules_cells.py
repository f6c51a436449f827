"""The rules of a tissue change what its cells do, by the stated formula, whatever the threads and the order of the cells."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from paget.errors import ModelError
from paget.kernels import reference_rules
from paget.kernels import rules as kernel
from paget.rules import Rule, respond
from paget.rules.behaviours import BEHAVIOURS, behaviour, behaviours_of, column_of, variable_of
from paget.tissue.behaviours import base_values, lacks
from paget.tissue.cycles import live
from paget.tissue.definition import Apoptosis, CellDefinition, Exchange, Interactions, Motility
from paget.tissue.rules import CellRules
from paget.vocabulary import VARIABLES

WHY = "for a test"
UNITS = {"field.oxygen": "mmHg", "field.factor": ""}


def _cells() -> tuple[CellDefinition, CellDefinition]:
    tumour = CellDefinition(
        name="tumour",
        cycle=live("0.04 1/h"),
        apoptosis=Apoptosis(rate="0.01 1/h", reason=WHY),
        exchange={"field.oxygen": Exchange(uptake="10 1/min", reason=WHY)},
        own={},
    )
    hunter = CellDefinition(
        name="hunter",
        motility=Motility(speed="60 um/h", reason=WHY),
        interactions=Interactions(attack={"tumour": "0.5 1/h"}, reason=WHY),
    )
    return tumour, hunter


RULES = tuple(
    Rule(text)
    for text in (
        "tumour: oxygen increases cycle entry towards 0.2/h, half-max 20 mmHg, hill 4",
        "tumour: pressure decreases cycle entry towards 0/h, half-max 1, hill 2",
        "tumour: pressure increases oxygen uptake towards 20/min, half-max 1, hill 2, applies to dead cells",
        "hunter: contact with tumour decreases migration speed towards 6 um/h, half-max 0.5, hill 8",
        "hunter: contact with dead cell increases attack tumour towards 1/h, half-max 1, hill 1",
        "hunter: oxygen gradient increases migration speed towards 120 um/h, half-max 0.1 mmHg/um, hill 1",
        "tumour: time increases apoptosis towards 1/h, half-max 48 h, hill 1",
        "tumour: dead increases oxygen uptake towards 20/min, half-max 1, hill 1",
    )
)


class _See:
    """What a process sees, from plain arrays."""

    def __init__(
        self, columns: dict[str, Any], fields: dict[str, Any], contacts: tuple[Any, Any], threads: int = 1
    ) -> None:
        self.columns, self.fields, self._contacts, self.threads = columns, fields, contacts, threads
        self.time, self.count = 24.0, columns["cell.type"].size

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    @property
    def cell_types(self) -> tuple[str, ...]:
        return tuple(definition.name for definition in _cells())

    def is_type(self, cell_type: str) -> Any:
        return self.columns["cell.type"] == self.cell_types.index(cell_type)

    def here(self, name: str) -> Any:
        return self.fields[name]

    def slope(self, name: str) -> Any:
        return self.fields[f"{name} slope"]

    def contacts(self) -> tuple[Any, Any]:
        return self._contacts


class _Do:
    def __init__(self) -> None:
        self.columns: dict[str, Any] = {}

    def set(self, name: str, values: Any) -> None:
        self.columns[name] = np.array(values)


def _process(rules: tuple[Rule, ...] = RULES, **more: Any) -> CellRules:
    return CellRules(definitions=_cells(), units=UNITS, rules=rules, **more)


def _table(process: CellRules) -> Any:
    return process.prepare(
        {slot: number.inside(unit) for slot, number, unit in process.numbers if hasattr(number, "inside")}
    )


def _scene(process: CellRules, *, threads: int = 1, **columns: Any) -> _See:
    """Four cells: tumour, hunter beside both tumours, dead tumour, hunter alone."""
    base: dict[str, Any] = {
        "cell.type": np.array([0, 1, 0, 1]),
        "cell.death": np.array([0, 0, 1, 0]),
        "cell.pressure": np.array([1.0, 0.0, 1.0, 0.0]),
        **{b.variable: np.full(4, math.nan) for b in process.behaviours},
        **columns,
    }
    fields = {"field.oxygen": np.full(4, 20.0), "field.oxygen slope": np.array([[0.0] * 4, [0.06] * 4, [0.08] * 4])}
    contacts = (np.array([0, 1, 3, 4, 4]), np.array([1, 0, 2, 1]))
    return _See(base, fields, contacts, threads)


def _run(process: CellRules, **scene: Any) -> dict[str, Any]:
    do = _Do()
    process.step(_scene(process, **scene), do, _table(process))  # type: ignore[arg-type]
    return do.columns


# ---- behaviours ---------------------------------------------------------------------------------------------------
def test_every_behaviour_has_a_column_of_its_own_that_no_variable_of_the_vocabulary_has():
    names = [b.variable for b in behaviours_of(("a", "b"), ("x", "y"), phases=3).values()]
    assert len(set(names)) == len(names)
    assert not set(names) & set(VARIABLES)


def test_behaviours_lie_where_the_definitions_list_them():
    tumour, hunter = _cells()
    listed = {slot for d in (tumour, hunter) for slot, _, _ in d.listed(UNITS)}
    for name in ("cycle entry", "apoptosis", "oxygen uptake", "migration speed", "attack tumour", "damage rate"):
        found = behaviour(name)
        assert found is not None
        assert found.slot in listed, name


def test_slots_of_all_behaviours_exist_in_a_definition():
    parts = CellDefinition(name="x")
    for found in BEHAVIOURS.values():
        first = found.part.split(".")[0]
        assert hasattr(parts, first), found.name


def test_a_name_of_no_behaviour_is_no_behaviour():
    assert behaviour("senescence") is None
    assert behaviour("attack ") is None
    assert behaviour("exit from cycle phase two") is None


def test_affinity_and_immunogenicity_are_one_where_a_type_says_nothing():
    behaviours = [b for b in map(behaviour, ("adhesive affinity to hunter", "immunogenicity to hunter")) if b]
    assert base_values({}, _cells(), behaviours).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_cell_that_holds_its_place_has_a_base_of_zero():
    tumour, hunter = _cells()
    fixed = dataclasses.replace(tumour, mechanics=dataclasses.replace(tumour.mechanics, movable=False))
    found = behaviour("is movable")
    assert found is not None
    assert base_values({}, (fixed, hunter), [found]).tolist() == [[0.0, 1.0]]


def test_columns_carry_the_unit_of_the_field():
    assert column_of("oxygen export", "mmHg").unit == "mmHg*pL/h"
    assert column_of("factor secretion target", "").unit == ""
    assert math.isnan(column_of("cycle entry").default)


def test_lacking_parts_are_named():
    tumour, _ = _cells()
    found = {
        name: behaviour(name) for name in ("migration speed", "exit from cycle phase 1", "factor uptake", "apoptosis")
    }
    assert [lacks(tumour, b) for b in found.values() if b] == [
        "motility",
        "phase 1 of its cycle",
        "exchange.field.factor",
        "",
    ]


# ---- the process --------------------------------------------------------------------------------------------------
def test_cells_do_what_their_rules_say():
    found = _run(_process())
    # Alive tumour at half-max oxygen and pressure: up to (0.04 + 0.2) / 2, and half of that.
    assert found["cell.cycle_entry"][0] == pytest.approx(0.06)
    assert found["cell.oxygen_uptake"][0] == pytest.approx(900.0)
    assert found["cell.apoptosis"][0] == pytest.approx((0.01 + 0.5 * 1.0) / 1.5)
    # A hunter with two neighbours, one of them dead, on a slope of 0.1 mmHg/um.
    weight = (2 / 0.5) ** 8
    assert found["cell.migration_speed"][1] == pytest.approx((90.0 + weight * 6.0) / (1.0 + weight))
    assert found["cell.attack_tumour"][1] == pytest.approx(0.75)
    assert found["cell.migration_speed"][3] == pytest.approx(90.0)
    assert found["cell.attack_tumour"][3] == pytest.approx(0.5)


def test_dead_cells_answer_only_to_rules_for_the_dead():
    process = _process()
    kept = {b.variable: np.full(4, 7.0) for b in process.behaviours}
    found = _run(process, **kept)
    assert found["cell.cycle_entry"][2] == 7.0
    assert found["cell.apoptosis"][2] == 7.0
    assert found["cell.oxygen_uptake"][2] == pytest.approx(900.0)


def test_a_type_without_a_rule_keeps_its_base():
    assert _run(_process())["cell.cycle_entry"][1] == 0.0
    assert _run(_process())["cell.attack_tumour"][0] == 0.0


def test_a_cells_own_base_takes_the_place_of_that_of_its_type():
    process = _process(personal=("cycle entry", "migration speed"))
    own = {
        "cell.base_cycle_entry": np.array([0.4, math.nan, 0.4, 0.0]),
        "cell.base_migration_speed": np.full(4, math.nan),
    }
    assert _run(process, **own)["cell.cycle_entry"][0] == pytest.approx((0.4 + 0.2) / 2 / 2)
    assert _run(process, **own)["cell.migration_speed"][3] == pytest.approx(90.0)
    assert set(own) <= set(process.reads)


def test_the_order_in_which_rules_are_written_changes_no_bit():
    listed = tuple(
        Rule(f"tumour: {signal} increases apoptosis towards {to}/h, half-max {half}, hill 1.7")
        for signal, to, half in (
            ("volume", 0.3, "0.7 um**3"), ("oxygen", 0.7, "0.3 mmHg"), ("pressure", 0.1, "0.9"), ("damage", 0.9, "0.1")
        )
    )  # fmt: skip
    n = 1000
    signals = np.random.default_rng(5).uniform(0.0, 3.0, (4, n))
    none, kept = np.zeros(n, np.int64), np.full((1, n), math.nan)
    one, other = (
        _table(_process(rules)).respond(1, none, none, signals, kept, np.empty((0, 0)))
        for rules in (listed, tuple(reversed(listed)))
    )
    assert np.array_equal(one, other)


def test_the_process_declares_what_it_reads_and_sets():
    process = _process()
    assert set(process.sets) == {variable_of(rule.behaviour) for rule in RULES}
    assert {"cell.type", "cell.death", "cell.pressure", "field.oxygen", "cell.contacts"} <= set(process.reads)
    assert {v.name for v in process.variables} == set(process.sets)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        (
            "tumour: oxygen increases migration speed towards 1 um/h, half-max 1 mmHg, hill 1",
            "'tumour' has no motility",
        ),
        (
            "hunter: oxygen increases oxygen uptake towards 1/h, half-max 1 mmHg, hill 1",
            "has no exchange with field.oxygen",
        ),
        ("tumour: oxygen increases cycle entry towards 1/h, half-max 1 mmHg, hill 1", "has another rule by which"),
        (
            "tumour: volume increases cycle entry from 0.05/h towards 1/h, half-max 1 um**3, hill 1",
            "base of cycle entry",
        ),
    ],
)
def test_rules_that_do_not_fit_the_tissue_are_refused(sentence, reason):
    with pytest.raises(ModelError, match=reason):
        _process((*RULES, Rule(sentence)))


def test_all_problems_are_told_at_once():
    wrong = (
        Rule("tumour: oxygen increases migration speed towards 1 um/h, half-max 1 mmHg, hill 1"),
        Rule("ghost: oxygen increases apoptosis towards 1/h, half-max 1 mmHg, hill 1"),
    )
    with pytest.raises(ModelError) as caught:
        _process(wrong)
    assert len(caught.value.problems) == 2


# ---- kernels ------------------------------------------------------------------------------------------------------
def _random(n: int, seed: int) -> tuple[Any, ...]:
    chance = np.random.default_rng(seed)
    groups = np.sort(chance.integers(0, 6, 12))
    start = np.searchsorted(groups, np.arange(7)).astype(np.int64)
    numbers = np.stack([chance.uniform(0, 5, 12), chance.uniform(0.1, 3, 12), chance.uniform(0.5, 8, 12)], axis=1)
    whole = [chance.integers(0, top, size) for top, size in ((4, 12), (2, 12), (2, 12))]
    types, death = chance.integers(0, 2, n), chance.integers(0, 2, n)
    signals, current = chance.uniform(-1, 4, (4, n)), chance.uniform(0, 1, (3, n))
    current[0, ::3] = math.nan
    return types, death, signals, current, np.empty((0, 0)), chance.uniform(0, 2, (3, 2)), start, *whole, numbers


def test_the_kernel_agrees_with_its_twin():
    types, death, signals, current, personal, base, start, signal, raises, dead_too, numbers = _random(200, 1)
    found = kernel.respond(1, types, death, signals, current, personal, base, start, signal, raises, dead_too, numbers)
    for b in range(3):
        for i in range(types.size):
            rows = range(start[b * 2 + types[i]], start[b * 2 + types[i] + 1])
            rows = [k for k in rows if death[i] == 0 or dead_too[k] == 1]
            if death[i] and not rows:
                expected = base[b, types[i]] if math.isnan(current[b, i]) else current[b, i]
            else:
                listed = [(signals[signal[k], i], bool(raises[k]), *numbers[k]) for k in rows]
                expected = reference_rules.respond_one(base[b, types[i]], listed)
            assert found[b, i] == pytest.approx(expected, rel=1e-12)


def test_the_kernel_agrees_with_the_formula_of_the_catalogue():
    signals = np.array([[0.0, 0.3, 2.0], [1.0, 0.0, 5.0]])
    numbers = np.array([[2.0, 0.5, 2.0], [0.1, 1.0, 4.0]])
    ones, zeros = np.ones(2, np.int64), np.zeros(3, np.int64)
    rows = np.array([0, 1]), np.array([1, 0])
    start = np.array([0, 2])
    empty = np.full((1, 3), math.nan)
    found = kernel.respond(
        1, zeros, zeros, signals, empty, np.empty((0, 0)), np.array([[0.7]]), start, *rows, ones, numbers
    )
    expected = respond(0.7, list(signals), [True, False], [tuple(row) for row in numbers], 3)
    assert np.allclose(found[0], expected, rtol=1e-14)


def test_neighbours_are_counted_as_the_twin_counts_them():
    start, other = np.array([0, 1, 3, 4, 4]), np.array([1, 0, 2, 1])
    kind = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], np.uint8)
    beside = [other[start[i] : start[i + 1]].tolist() for i in range(4)]
    assert np.array_equal(
        kernel.count_neighbours(1, start, other, kind), reference_rules.count_neighbours(beside, kind)
    )


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_no_bit(threads):
    given = _random(5000, 2)
    assert np.array_equal(kernel.respond(1, *given), kernel.respond(threads, *given))


def test_the_order_of_cells_in_memory_changes_no_bit():
    types, death, signals, current, *rest = _random(500, 3)
    order = np.random.default_rng(0).permutation(500)
    one = kernel.respond(1, types, death, signals, current, *rest)
    other = kernel.respond(1, types[order], death[order], signals[:, order].copy(), current[:, order].copy(), *rest)
    assert np.array_equal(one[:, order], other)
