"""Sentences, rows and objects are three spellings of one rule, here and in the published table."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.io.physicell.rule_tables import rules_from, write_rules
from paget.rules import Rule, read_table, write_table
from paget.tissue.cycles import live
from paget.tissue.definition import Apoptosis, CellDefinition, Exchange, Interactions, Motility, Necrosis
from paget.tissue.rules import CellRules

WHY = "for a test"
UNITS = {"field.oxygen": "mmHg", "field.pro_inflammatory_factor": "nM"}


def _definition(name: str) -> CellDefinition:
    return CellDefinition(
        name=name,
        cycle=live(),
        apoptosis=Apoptosis(),
        necrosis=Necrosis(rate="0.003 1/min", reason=WHY),
        motility=Motility(speed="1 um/min", reason=WHY),
        exchange={name: Exchange(uptake="10 1/min", reason=WHY) for name in UNITS},
        interactions=Interactions(attack={"B cell": "0.01 1/min"}, reason=WHY),
    )


DEFINITIONS = (_definition("malignant epithelial cell"), _definition("B cell"))
BEHAVIOURS = {
    "cycle entry": "1/min",
    "necrosis": "1/min",
    "migration speed": "um/min",
    "migration persistence time": "min",
    "oxygen uptake": "1/min",
    "pro_inflammatory_factor secretion target": "nM",
    "oxygen export": "mmHg*um**3/min",
    "attack B cell": "1/min",
    "transform to B cell": "1/min",
    "migration bias": "",
}
SIGNALS = {
    "field.oxygen": "mmHg",
    "field.pro_inflammatory_factor": "nM",
    "field.oxygen gradient": "mmHg/um",
    "cell.pressure": "",
    "cell.volume": "um**3",
    "contact with B cell": "",
    "contact with dead cell": "",
    "time": "min",
    "apoptotic": "",
}
positive = st.floats(1e-6, 1e6)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    behaviour, unit = draw(st.sampled_from(sorted(BEHAVIOURS.items())))
    signal, half = draw(st.sampled_from(sorted(SIGNALS.items())))
    return Rule.of(
        draw(st.sampled_from([d.name for d in DEFINITIONS])),
        signal,
        draw(st.sampled_from(("increases", "decreases"))),
        behaviour,
        f"{draw(st.floats(0.0, 1e6))!r} {unit}".strip(),
        f"{draw(positive)!r} {half}".strip(),
        repr(draw(st.floats(0.5, 10.0))),
        base=draw(st.sampled_from(("", f"0.5 {unit}".strip()))),
        dead=draw(st.booleans()),
        source=draw(st.sampled_from(("", "He2025"))),
    )


@given(rule=rules())
def test_a_rule_survives_being_written_as_the_published_sentence(rule):
    assert Rule(rule.published, rule.source) == rule


@given(listed=st.lists(rules(), max_size=5))
def test_rules_survive_being_written_as_a_table(listed):
    assert read_table(write_table(listed)) == tuple(listed)


def _one_of_each(listed: list[Rule]) -> list[Rule]:
    """Rules that one tissue may have together, without a base of their own."""
    found = {(r.cell, r.behaviour, r.signal, r.increases): r for r in listed}
    return [Rule(r.sentence.replace(f" from {r.row[4]}", "") if r.row[4] else r.sentence) for r in found.values()]


@settings(deadline=None, max_examples=50)
@given(listed=st.lists(rules(), min_size=1, max_size=6))
def test_rules_survive_the_published_table_once_they_share_their_saturations(listed):
    read, wrong = rules_from(_published(_one_of_each(listed)), "table", DEFINITIONS, UNITS)
    assert not wrong
    again = write_rules(read, definitions=DEFINITIONS, units=UNITS)
    assert rules_from(again, "table", DEFINITIONS, UNITS) == (read, [])


def _published(listed: list[Rule]) -> str:
    lines = []
    for rule in listed:
        cell, _, direction, behaviour, _, towards, half, hill, dead = rule.row
        numbers = (towards.split(" ")[0], half.split(" ")[0], hill)
        lines.append(",".join((cell, rule.sensed.word, direction, behaviour, *numbers, dead)))
    return "\n".join(lines)


def _incumbent(base: float, rows: list[tuple[float, bool, float, float, float]]) -> float:
    """The published simulator's formula: one highest and one lowest value for all rules of a behaviour."""

    def side(raises: bool) -> float:
        total = sum((signal / half) ** hill for signal, up, _, half, hill in rows if up is raises)
        return total / (1.0 + total)

    highest = max([base, *(to for _, up, to, _, _ in rows if up)])
    lowest = min([base, *(to for _, up, to, _, _ in rows if not up)])
    raised = base + (highest - base) * side(True)
    return raised + (lowest - raised) * side(False)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.floats(0.0, 50.0), st.booleans(), st.floats(0.0, 0.01), st.floats(0.5, 20.0), st.floats(0.5, 6.0)),
        min_size=1,
        max_size=5,
    )
)
def test_imported_rules_answer_as_the_published_simulator_does(rows):
    signals = ["oxygen", "pressure", "volume", "pro_inflammatory_factor", "time"]
    table = "\n".join(
        f"B cell,{name},{'increases' if up else 'decreases'},necrosis,{to!r},{half!r},{hill!r},0"
        for name, (_, up, to, half, hill) in zip(signals, rows, strict=False)
    )
    read, wrong = rules_from(table, "table", DEFINITIONS, UNITS)
    assert not wrong
    process = CellRules(definitions=DEFINITIONS, units=UNITS, rules=read)
    parameters = {"necrosis": 0.003 * 60.0}
    values = {slot: number.inside(unit) for slot, number, unit in process.numbers}
    level = {rule.signal: signal for rule, (signal, *_) in zip(read, rows, strict=True)}
    given_here = np.array([[level[s.name] / (60.0 if s.name == "time" else 1.0)] for s in process.signals])
    none = np.full((1, 1), np.nan)
    found = process.prepare(values).respond(
        1, np.ones(1, np.int64), np.zeros(1, np.int64), given_here, none, np.empty((0, 0))
    )
    base = parameters["necrosis"]
    expected = _incumbent(base, [(s, up, to * 60.0, half, hill) for s, up, to, half, hill in rows])
    assert abs(found[0, 0] - expected) <= 1e-12 * max(base, 0.6)
