"""What a comparison may not depend on: which arm is named first, the order of animals, zero and unit."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.compare import Comparison, compare

KINDS = ("continuous", "fraction", "count", "time")
Rows = list[tuple[float, float, bool, bool]]

# Eighths are exact in binary, so that shifting and scaling them changes no rank and no difference.
eighths = st.integers(0, 320).map(lambda i: i / 8)
animals = st.lists(st.tuples(eighths, eighths, st.booleans(), st.booleans()), min_size=2, max_size=9)
kinds = st.sampled_from(KINDS)
few = settings(max_examples=15, deadline=None)


def result(rows: Rows, kind: str, paired: bool, arms: tuple[str, str] = ("treated", "control")) -> Comparison:
    table = [("treated", i, "x", a, seen) for i, (a, _, seen, _) in enumerate(rows)]
    table += [("control", i, "x", b, seen) for i, (_, b, _, seen) in enumerate(rows)]
    outcomes = pd.DataFrame(table, columns=["arm", "animal", "readout", "value", "observed"])
    (found,) = compare(outcomes, [{"name": "x", "kind": kind}], [arms], paired)
    return found


def close(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)


@few
@given(animals, kinds, st.booleans())
def test_swapping_the_arms_flips_every_sign_and_keeps_p(rows: Rows, kind: str, paired: bool) -> None:
    there, back = result(rows, kind, paired), result(rows, kind, paired, ("control", "treated"))
    assert back.p == close(there.p)
    assert back.effect is not None
    assert -back.effect == close(there.effect)
    assert (back.mean_arm, back.mean_versus) == (there.mean_versus, there.mean_arm)
    assert (back.interval is None) == (there.interval is None)
    if back.interval and there.interval:
        assert (-back.interval[1], -back.interval[0]) == pytest.approx(there.interval, rel=1e-6, abs=1e-9)
    if kind != "count" or 0 not in (back.mean_arm, there.mean_arm):  # a ratio to no count at all is unbounded
        assert (back.effect_size is None) == (there.effect_size is None)
    if back.effect_size and there.effect_size is not None:
        flipped = 1 / back.effect_size if there.effect_size_name.endswith("ratio") else -back.effect_size
        assert flipped == close(there.effect_size)


@few
@given(animals, st.sampled_from(["continuous", "fraction", "count"]), st.booleans(), st.integers(-80, 80))
def test_adding_a_constant_to_all_animals_changes_neither_effect_nor_p(
    rows: Rows, kind: str, paired: bool, constant: int
) -> None:
    constant = abs(constant) if kind == "count" else constant
    moved = [(a + constant, b + constant, s, q) for a, b, s, q in rows]
    before, after = result(rows, kind, paired), result(moved, kind, paired)
    assert after.p == close(before.p)
    assert after.effect == close(before.effect)
    if kind != "count":  # ratios of counts have a zero
        assert after.effect_size == close(before.effect_size)


@few
@given(animals, kinds, st.booleans(), st.sampled_from([0.25, 2.0, 32.0]))
def test_another_unit_scales_the_effect_and_keeps_p(rows: Rows, kind: str, paired: bool, factor: float) -> None:
    scaled = [(a * factor, b * factor, s, q) for a, b, s, q in rows]
    before, after = result(rows, kind, paired), result(scaled, kind, paired)
    assert after.p == close(before.p)
    assert before.effect is not None
    assert after.effect == close(before.effect * factor)
    assert after.effect_size == close(before.effect_size)


@few
@given(animals, kinds, st.booleans(), st.randoms(use_true_random=False))
def test_renumbering_the_animals_changes_nothing(rows: Rows, kind: str, paired: bool, chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = result(rows, kind, paired), result(shuffled, kind, paired)
    for old, new in zip(astuple(before), astuple(after), strict=True):
        if isinstance(old, float):
            assert new == close(old)
        elif isinstance(old, tuple):
            assert new == pytest.approx(old, rel=1e-6, abs=1e-9)
        else:
            assert new == old


@few
@given(animals, kinds, st.booleans())
def test_p_is_a_probability_and_the_interval_holds_the_effect(rows: Rows, kind: str, paired: bool) -> None:
    found = result(rows, kind, paired)
    assert found.p is not None
    assert 0.0 <= found.p <= 1.0
    assert found.p_adjusted == found.p
    assert found.effect is not None
    if found.interval is not None:
        low, high = found.interval
        assert low - 1e-9 <= found.effect <= high + 1e-9
    assert "nan" not in str(found).lower()
