"""Contrasts of two arms: textbook data, adjusted p-values, incomplete and degenerate data, and the sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind, ttest_rel

from paget.compare import Comparison, compare
from paget.compare.contrasts import holm
from paget.compare.defaults import DEFAULTS, TESTS
from paget.errors import ResultError, UnknownNameError

# Student (1908): hours of sleep gained by ten patients with two drugs.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

KINDS = ("continuous", "fraction", "count", "time")
CONTRAST = (("treated", "control"),)


def outcomes(arms: Mapping[str, Sequence[float]], readout: str = "x", observed: bool = True) -> pd.DataFrame:
    rows = [(arm, i, readout, value, observed) for arm, values in arms.items() for i, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def one(
    treated: Sequence[float], control: Sequence[float], kind: str = "continuous", paired: bool = True, **tests: str
) -> Comparison:
    table = outcomes({"treated": treated, "control": control})
    (comparison,) = compare(table, [{"name": "x", "kind": kind}], CONTRAST, paired, tests=tests)
    return comparison


def test_paired_t_test_of_students_sleep_data_is_that_of_the_textbook() -> None:
    found = one(SLEEP_1, SLEEP_2, continuous="t")
    assert found.test == "paired t test"
    assert found.paired
    assert (found.n_arm, found.n_versus) == (10, 10)
    assert found.effect == pytest.approx(-1.58)
    assert found.interval == pytest.approx((-2.4598858, -0.7001142))
    assert found.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert found.sd_arm == pytest.approx(1.789010, abs=1e-6)


def test_welch_t_test_of_students_sleep_data_is_that_of_the_textbook() -> None:
    found = one(SLEEP_1, SLEEP_2, paired=False, continuous="t")
    assert found.test == "Welch t test"
    assert not found.paired
    assert found.interval == pytest.approx((-3.3654832, 0.2054832))
    assert found.statistic == pytest.approx(-1.8608, abs=5e-5)
    assert found.p == pytest.approx(0.07939, abs=5e-6)


def test_counts_of_pairs_are_tested_by_ranks_if_asked_and_sized_by_the_mean_difference() -> None:
    treated, control = [4, 6, 5, 3, 6, 7, 11], [9, 12, 8, 11, 10, 14, 11]
    found = one(treated, control, "count", count="ranks")
    reference = ttest_rel(treated, control).confidence_interval(0.95)
    assert found.test == "exact Wilcoxon signed-rank test"
    assert found.p == pytest.approx(2 / 2**6)
    assert found.interval == pytest.approx((reference.low, reference.high))
    assert (found.effect_size, found.effect_size_name) == (-1.0, "rank-biserial correlation")
    assert found.note == "1 pair without a difference not ranked"


def test_counts_of_independent_groups_are_tested_by_the_exact_rank_sum_if_asked() -> None:
    treated, control = [1, 2, 3, 4], [5, 6, 7, 9, 9]
    found = one(treated, control, "count", paired=False, count="ranks")
    reference = ttest_ind(treated, control, equal_var=False).confidence_interval(0.95)
    assert found.test == "exact Mann-Whitney test"
    assert found.p == pytest.approx(2 / math.comb(9, 4))
    assert found.interval == pytest.approx((reference.low, reference.high))


def test_every_kind_of_readout_has_a_default_test() -> None:
    assert set(DEFAULTS) == set(KINDS)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, named in TESTS.items() for name in named])
@pytest.mark.parametrize("paired", [True, False])
def test_every_test_with_a_name_answers_for_its_kind(kind: str, name: str, paired: bool) -> None:
    found = one([float(i % 5) for i in range(9)], [float(i % 3) for i in range(9)], kind, paired, **{kind: name})
    assert found.p is not None
    assert 0 < found.p <= 1
    assert found.interval is not None


def test_a_test_of_an_unknown_name_or_kind_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ranks'"):
        one(SLEEP_1, SLEEP_2, continuous="rank")
    with pytest.raises(UnknownNameError, match="Did you mean 'count'"):
        one(SLEEP_1, SLEEP_2, counts="ranks")


def test_failed_animals_are_told_with_every_comparison_of_their_arm() -> None:
    table = outcomes({"treated": SLEEP_1[:8], "control": SLEEP_2})
    readouts = [{"name": "x", "kind": "continuous"}]
    (found,) = compare(table, readouts, CONTRAST, failed={"treated": 2, "control": 0, "elsewhere": 3})
    assert (found.failed_arm, found.failed_versus) == (2, 0)
    assert "n = 8 pairs, failed and missing: 2 of 'treated', p" in str(found)
    (whole,) = compare(table, readouts, CONTRAST)
    assert "failed" not in str(whole)


def test_holm_adjusted_values_are_those_computed_by_hand() -> None:
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, then never decreasing
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == pytest.approx([0.03, None, 0.06, 0.06, 0.02])
    assert holm([None]) == [None]


def test_holm_adjusted_values_follow_the_step_down_definition() -> None:
    p = np.sort(np.random.default_rng(1).uniform(size=25) ** 3)
    stepped = np.minimum(np.maximum.accumulate(np.arange(25, 0, -1) * p), 1.0)
    assert holm(p.tolist()) == pytest.approx(stepped.tolist(), rel=1e-12)


def test_holm_adjustment_counts_the_readouts_of_one_contrast_only() -> None:
    rng = np.random.default_rng(2)
    arms = ("a", "b", "c")
    tables = [outcomes({arm: rng.normal(i, 1.5, 8).tolist() for i, arm in enumerate(arms)}, name) for name in "uvw"]
    readouts = [{"name": name, "kind": "continuous"} for name in "uvw"]
    found = compare(pd.concat(tables), readouts, [("b", "a"), ("c", "a")])
    assert [(c.arm, c.readout) for c in found] == [(arm, name) for arm in "bc" for name in "uvw"]
    for family in (found[:3], found[3:]):
        assert [c.p_adjusted for c in family] == pytest.approx(holm([c.p for c in family]))
        smallest = min(c.p for c in family if c.p is not None)
        assert min(c.p_adjusted for c in family if c.p_adjusted is not None) == pytest.approx(3 * smallest)


def test_readouts_without_a_test_do_not_cost_the_others_significance() -> None:
    full = outcomes({"treated": SLEEP_1, "control": SLEEP_2}, "full")
    empty = outcomes({"treated": [1.0], "control": [2.0]}, "empty")
    readouts = [{"name": "full", "kind": "continuous"}, {"name": "empty", "kind": "continuous"}]
    tested, untested = compare(pd.concat([full, empty]), readouts, CONTRAST)
    assert tested.p_adjusted == tested.p
    assert untested.p is None
    assert untested.p_adjusted is None


def test_incomplete_pairs_are_left_out_and_counted_in_the_note() -> None:
    table = outcomes({"treated": SLEEP_1, "control": SLEEP_2})
    failed = (table["arm"] == "control") & table["animal"].isin([2, 5])
    (found,) = compare(table[~failed], [{"name": "x", "kind": "continuous"}], CONTRAST, tests={"continuous": "t"})
    kept = [i for i in range(10) if i not in (2, 5)]
    expected = ttest_rel(np.array(SLEEP_1)[kept], np.array(SLEEP_2)[kept])
    assert found.n_arm == found.n_versus == 8
    assert found.p == pytest.approx(expected.pvalue)
    assert "2 animals without a partner left out" in found.note


def test_pairs_are_matched_by_animal_not_by_the_order_of_rows() -> None:
    table = outcomes({"treated": SLEEP_1, "control": SLEEP_2})
    shuffled = table.sample(frac=1.0, random_state=4)
    readouts = [{"name": "x", "kind": "continuous"}]
    assert compare(shuffled, readouts, CONTRAST) == compare(table, readouts, CONTRAST)


def test_missing_values_are_left_out_and_counted_in_the_note() -> None:
    found = one([*SLEEP_1[:9], math.nan], SLEEP_2, continuous="t")
    assert found.n_arm == 9
    assert found.p == pytest.approx(ttest_rel(SLEEP_1[:9], SLEEP_2[:9]).pvalue)
    assert "1 missing value in 'treated' left out" in found.note
    assert "1 animal without a partner" in found.note


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("kind", ["continuous", "fraction", "count"])
def test_equal_values_in_both_arms_give_p_one_and_say_so(kind: str, paired: bool) -> None:
    found = one([0.1 + 0.2] * 6, [0.3] * 6, kind, paired) if kind != "count" else one([3] * 6, [3] * 6, kind, paired)
    assert (found.effect, found.interval, found.p) == (0.0, (0.0, 0.0), 1.0)
    assert found.note == "all values equal in both arms"


@pytest.mark.parametrize("kind", ["continuous", "count"])
def test_animals_untouched_by_the_treatment_give_p_one_and_say_so(kind: str) -> None:
    found = one([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], kind)
    assert (found.effect, found.p) == (0.0, 1.0)
    assert found.note == "every animal has the same value in both arms"


def test_a_constant_difference_of_all_pairs_is_tested_by_ranks_not_by_a_vanishing_error() -> None:
    # subtracting large numbers leaves differences that vary in their last digits only
    found = one([10.0**i + 0.1 for i in range(8)], [10.0**i for i in range(8)])
    assert found.effect == pytest.approx(0.1)
    assert found.interval is None
    assert found.p == pytest.approx(2 / 2**8)
    assert found.test == "exact Wilcoxon signed-rank test"
    assert "ranks replace the t test" in found.note


def test_two_flat_arms_that_differ_are_tested_by_ranks_not_by_a_vanishing_error() -> None:
    found = one([1.0] * 5, [2.0] * 5, paired=False)
    assert found.p == pytest.approx(2 / math.comb(10, 5))
    assert found.effect == -1.0
    assert found.interval is None
    assert found.effect_size is None


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("treated", "control"), [([1.0], [2.0]), ([], [1.0, 2.0, 3.0]), ([math.nan] * 4, [1.0] * 4)])
def test_fewer_than_two_animals_give_no_p_value_and_a_note(
    treated: list[float], control: list[float], kind: str, paired: bool
) -> None:
    found = one(treated, control, kind, paired)
    assert found.p is None
    assert found.p_adjusted is None
    assert found.interval is None
    assert "needs at least 2 animals" in found.note
    assert "no p-value" in str(found)


def test_two_animals_are_tested_but_flagged() -> None:
    found = one([1.0, 2.5], [2.0, 4.0])
    assert found.p is not None
    assert found.note == "only 2 complete pairs"


def test_a_test_that_cannot_reach_five_per_cent_says_so() -> None:
    found = one([1, 2, 3, 4, 5], [11, 12, 14, 15, 18], "count", count="ranks")
    assert found.p == pytest.approx(2 / 2**5)
    assert found.note == "with so few animals this test cannot give p below 0.062"
    # eight pairs of which three differ: of eight exchanges the two extreme ones count half
    few = one([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 2, 0, 0, 4], "count")
    assert few.p == pytest.approx(1 / 2**3)
    assert few.note == "with so few animals that differ this test cannot give p below 0.12"


def test_an_arm_whose_animals_all_failed_is_reported_not_raised() -> None:
    table = outcomes({"control": SLEEP_2})
    (found,) = compare(table, [{"name": "x", "kind": "continuous"}], CONTRAST)
    assert found.n_arm == 0
    assert "no animal of 'treated' in the outcomes" in found.note


def test_unknown_readouts_kinds_and_columns_are_named() -> None:
    table = outcomes({"treated": SLEEP_1, "control": SLEEP_2}, "metastases")
    with pytest.raises(UnknownNameError, match="Did you mean 'metastases'"):
        compare(table, [{"name": "metastasis", "kind": "count"}], CONTRAST)
    with pytest.raises(UnknownNameError, match="Did you mean 'count'"):
        compare(table, [{"name": "metastases", "kind": "counts"}], CONTRAST)
    with pytest.raises(ResultError, match="has no 'kind'"):
        compare(table, [{"name": "metastases"}], CONTRAST)
    with pytest.raises(ResultError, match="observed"):
        compare(table.drop(columns="observed"), [{"name": "metastases", "kind": "count"}], CONTRAST)


def test_doubled_animals_and_infinite_values_are_refused() -> None:
    table = outcomes({"treated": SLEEP_1, "control": SLEEP_2})
    readouts = [{"name": "x", "kind": "continuous"}]
    with pytest.raises(ResultError, match="Animal 0 of arm 'treated' has 'x' twice"):
        compare(pd.concat([table, table.iloc[:1]]), readouts, CONTRAST)
    with pytest.raises(ResultError, match="animal 3 in arm 'treated' is infinite"):
        compare(table.assign(value=table["value"].where(table.index != 3, math.inf)), readouts, CONTRAST)


def test_a_comparison_reads_like_a_paper() -> None:
    found = replace(
        one(SLEEP_1, SLEEP_2, continuous="t"),
        title="metastases",
        arm="doxorubicin + DQ",
        versus="doxorubicin",
        effect=-6.1,
        interval=(-8.02, -4.18),
        effect_size=-1.234,
        p=0.0004,
        p_adjusted=0.0021,
    )
    assert str(found) == (
        "metastases, doxorubicin + DQ versus doxorubicin: -6.1 (95 % CI -8.0 to -4.2), Hedges g -1.23, "
        "paired t test, n = 10 pairs, p < 0.001, Holm-adjusted p = 0.002"
    )


def test_the_sentence_shows_unit_digits_and_note_that_fit() -> None:
    found = one([100.1, 200.4, 301.2, 398.9], [100.12, 200.39, 301.25, 398.87], paired=False)
    text = replace(found, unit="um", note="only a toy").sentence()
    assert "0 um (95 % CI -223 to 223)" in text
    assert "-0 um" not in text
    assert "(95 % CI -0.40 to 0.00)" in replace(found, effect=-0.2, interval=(-0.4, -0.001)).sentence()
    assert "n = 4 and 4, p = 0.99" in text
    assert text.endswith("(only a toy)")
