"""Where tumours go: the tables of autopsies, the three models, their fit and their scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from paget.body.anatomy import human
from paget.body.autopsies import load_autopsies, read_autopsies, wilson
from paget.body.organ_pattern import compare_patterns, organ_pattern, score
from paget.body.seed_and_soil import (
    HOSPITABLE,
    INTERACTIONS,
    MODELS,
    ORIGINS,
    Pattern,
    arrivals,
    calibrated,
    found_in,
    likeness,
    load_of,
)
from paget.errors import EvidenceError, ModelError, UnknownNameError
from paget.evidence import load_parameters

HEADER = "series,primary,site,organ,autopsies,found,use,source,where,note\n"


def test_every_organ_and_primary_of_the_autopsies_is_in_the_anatomy():
    names = human().names
    assert {finding.organ for finding in load_autopsies()} - {""} <= set(names)
    assert {finding.primary for finding in load_autopsies()} == set(ORIGINS)
    assert set(ORIGINS.values()) <= set(names)


def test_lung_cancers_of_disibio_have_their_619_metastases():
    counts = [f.found for f in load_autopsies() if f.primary == "lung" and f.series.startswith("diSibio")]
    assert (len(counts), sum(counts)) == (27, 619)


def test_wilson_intervals_are_those_of_the_textbook():
    # solution of |p - x/n| = z sqrt(p (1 - p) / n)
    for found, of in ((0, 20), (3, 20), (20, 20), (432, 1000)):
        for edge, side in zip(wilson(found, of), (1.0, -1.0), strict=True):
            assert (found / of - edge) * side == pytest.approx(
                1.959963984540054 * np.sqrt(edge * (1 - edge) / of), abs=1e-9
            )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s,breast,lung,lung,10,11,prediction,Abrams1950,,", "11 of 10 autopsies"),
        ("s,breast,lung,lung,0,0,prediction,Abrams1950,,", "0 of 0 autopsies"),
        ("s,breast,lung,lung,10,few,prediction,Abrams1950,,", "whole numbers"),
        ("s,breast,lung,lung,10,1,decoration,Abrams1950,,", "calibration or prediction"),
        ("s,breast,lung,lung,10,1,prediction,Nobody1900,,", "'Nobody1900' is not in sources.bib"),
        ("s,breast,lung,lung,10,1,prediction,Abrams1950,,\n" * 2, "given twice"),
    ],
)
def test_a_wrong_row_of_autopsies_is_refused_with_its_place(row, said):
    with pytest.raises(EvidenceError, match=f"t.csv:[23]: .*{said}"):
        read_autopsies(HEADER + row, "t.csv")
    with pytest.raises(EvidenceError, match="the columns must be"):
        read_autopsies(row, "t.csv")


def test_every_cell_arrives_somewhere():
    for primary in ORIGINS:
        assert sum(arrivals(human(), primary, 0.3, 0.4).values()) == pytest.approx(1.0, abs=1e-12)
    assert (
        arrivals(human(), "breast", 0.3, 1.0)["lymph node"] > 0.3 > arrivals(human(), "breast", 0.3, 0.0)["lymph node"]
    )
    with pytest.raises(UnknownNameError, match="Did you mean 'breast'"):
        arrivals(human(), "brest", 0.3, 0.4)


def test_seeds_of_the_gut_match_the_liver_and_of_the_prostate_the_marrow():
    table = load_parameters("organ_pattern")
    best = {p: max(("lung", "liver", "bone marrow", "brain"), key=lambda o: likeness(table, p, o)) for p in ORIGINS}
    assert best["colon"] == best["pancreas"] == "liver"
    assert best["prostate"] == "bone marrow"
    # the sum over interactions, by hand
    assert likeness(table, "colon", "liver") == 0.5 * 1.0 + 1.0 * 1.0 + 1.0 * 0.5
    assert likeness(table, "colon", "skin") == 0.5 * 0.25
    assert len(INTERACTIONS) == 5


def test_rates_are_products_of_arrival_hospitality_and_match():
    organs, landed, alike = (
        ["lung", "liver", "skin"],
        {"lung": 0.5, "liver": 0.2, "skin": 0.1},
        dict.fromkeys(("lung", "liver", "skin"), 2.0),
    )
    hospitality = tuple((name, 3.0 if name == "liver" else 5.0) for name in HOSPITABLE)
    both = Pattern("both", 0.1, 0.5, hospitality).rates(organs, landed, alike)
    np.testing.assert_allclose(both, [0.5 * 1 * 2, 0.2 * 3 * 2, 0.1 * 5 * 2])
    np.testing.assert_allclose(Pattern("flow", 0.1, 0.5, ()).rates(organs, landed, {}), [0.5, 0.2, 0.1])
    np.testing.assert_allclose(Pattern("soil", 0.1, 0.5, hospitality).rates(organs, {}, alike), [2, 6, 10])


def test_the_load_is_the_likeliest():
    rates, autopsies = np.array([1.0, 0.3, 0.05]), np.array([1e6, 1e6, 1e6])
    found = found_in(2.5, rates) * autopsies
    assert load_of(rates, found, autopsies) == pytest.approx(2.5, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_fitted_numbers_of_the_table_are_those_that_the_fit_gives(model):
    # 1 %: the likelihood is flat near its maximum; the table has five digits
    kept, fitted = Pattern.from_table(model, load_parameters("organ_pattern")), calibrated(model)
    assert kept.arrest == pytest.approx(fitted.arrest, rel=0.01)
    assert kept.match == pytest.approx(fitted.match, rel=0.01)
    assert dict(kept.hospitality) == pytest.approx(dict(fitted.hospitality), rel=0.01)


def test_numbers_were_fitted_to_two_series_only():
    used = {(f.series, f.primary) for f in load_autopsies() if f.use == "calibration"}
    assert used == {("diSibio and French 2008", "breast"), ("diSibio and French 2008", "lung")}


def test_a_pattern_tells_observed_and_predicted_shares():
    result = organ_pattern("breast")
    first = result.table.iloc[0]
    assert (first["organ"], first["observed"], first["n"]) == ("lung", 247 / 432, 432)
    assert first["low"] < first["observed"] < first["high"]
    assert set(result.table["series"]) == {"diSibio and French 2008", "Abrams 1950"}
    assert result.predicted.equals(result.table["both"])
    assert ((result.table[list(MODELS)] >= 0.0) & (result.table[list(MODELS)] <= 1.0)).all(axis=None)
    assert organ_pattern("breast", model="flow").predicted.equals(result.table["flow"])


def test_scores_leave_the_regional_lymph_nodes_out():
    result = organ_pattern("colon")
    assert "lymph node" in set(result.table["organ"])
    assert result.scores["organs"].tolist() == [4, 4, 4, 2, 2, 2]


def test_scores_are_the_correlations_of_the_textbook():
    predicted, found = np.array([0.5, 0.2, 0.3, 0.1]), np.array([40.0, 30.0, 20.0, 10.0])
    reached = score(predicted, found, np.full(4, 100.0))
    assert reached.r2 == pytest.approx(np.corrcoef(predicted, found)[0, 1] ** 2)
    assert reached.rank == pytest.approx(spearmanr(predicted, found).statistic)
    assert reached.rank_low <= reached.rank <= reached.rank_high
    assert reached.r2_low < reached.r2 < reached.r2_high
    assert reached == score(predicted, found, np.full(4, 100.0))


def test_intervals_narrow_with_the_number_of_autopsies():
    predicted, shares = np.array([0.5, 0.2, 0.3, 0.1]), np.array([0.4, 0.3, 0.2, 0.1])
    few, many = (score(predicted, shares * n, np.full(4, n)) for n in (50.0, 5000.0))
    assert many.r2_high - many.r2_low < 0.2 * (few.r2_high - few.r2_low)


def test_patterns_are_compared_for_every_series_and_over_all_predictions():
    table = compare_patterns()
    assert len(table) == 3 * (10 + 1)
    overall = table[table["primary"] == "all"].set_index("model")
    assert overall["organs"].tolist() == [30, 30, 30]
    assert overall["r2"].to_dict() == pytest.approx(
        {"flow": 0.18, "soil": 0.73, "both": 0.79}, abs=0.01
    )  # as documented


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'prostate'"):
        organ_pattern("prostat")
    with pytest.raises(UnknownNameError, match="Did you mean 'both'"):
        organ_pattern("breast", model="bothh")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="compared with a human, not with a mouse"):
        organ_pattern("breast", species="mouse")
