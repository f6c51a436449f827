"""The published model of spread and the autopsies as studies: they run, resume, pair and refuse like all others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from report_data import demo_result, demo_study

from paget.body.organ_pattern import organ_pattern as pattern_of
from paget.catalogue import build_model, check_study, load_study
from paget.catalogue.metaspread import MetaSpread, simulate
from paget.catalogue.organ_pattern import findings_of
from paget.engine.ensemble import simulate as simulate_study
from paget.engine.simulate import run_animal
from paget.errors import ModelError, StudyError
from paget.report import write_report
from paget.report.material import collect
from paget.results.memory import MemoryRecorder

SURVIVING = {"metaspread_survival_single": 0.5, "metaspread_survival_cluster": 1.0}
SERIES = "diSibio and French 2008"


def spread(**changes):
    """The dense scenario for a day and a half, with much survival in blood."""
    settings = {
        "options": {"scenario": "dense"},
        "parameters": SURVIVING,
        "duration": "36 h",
        "record": {"metrics": "4 h", "frames": "12 h", "checkpoint": "12 h"},
        "arms": [{"name": "alone"}],
    }
    return load_study("metaspread").changed(**{**settings, **changes})


def followed(study, arm="alone", animal=0, recorder=None):
    recorder = recorder or MemoryRecorder()
    run_animal(build_model(study), study, arm, animal, recorder)
    return recorder


@pytest.fixture(scope="module")
def one_animal():
    return followed(spread())


def refused(study):
    with pytest.raises(StudyError) as caught:
        check_study(study)
    return "\n".join(caught.value.problems)


# ---- spread on lattices -------------------------------------------------------------------------------------------


def test_an_animal_of_the_study_is_a_run_of_the_model(one_animal):
    study = spread()
    settings = build_model(study).settings()
    course = simulate(settings, study.seed, 36 * 18, every=4 * 18).course
    seen = one_animal.metrics
    np.testing.assert_allclose(seen["day"], course["day"])
    for ours, theirs in {
        "mesenchymal_primary": "mesenchymal cells in primary",
        "epithelial_grid_2": "epithelial cells in grid 2",
        "entries": "entries into blood",
        "cells_arrived": "cells arrived",
        "rms_radius": "rms radius",
    }.items():
        np.testing.assert_array_equal(seen[ours], course[theirs])
    np.testing.assert_array_equal(seen["ctc_single"] + seen["ctc_clusters"], course["clusters in blood"])
    np.testing.assert_array_equal(
        seen["cells_primary"], course[[c for c in course if c.endswith("in primary")]].sum(axis=1)
    )
    assert seen["cells_arrived"].iloc[-1] > 20  # there was something to compare


def test_what_is_shed_arrives_dies_or_circulates():
    crowded = {"metaspread_ruptured_vessels": 200, "metaspread_vessels": 1, "metaspread_leaving_cluster": 0}
    study = spread(parameters={**SURVIVING, **crowded})
    last = followed(study).metrics.iloc[-1]
    end = simulate(build_model(study).settings(), study.seed, 36 * 18, every=36 * 18).course.iloc[-1]
    arrived = last["arrivals_grid_2"] + last["arrivals_grid_3"]
    circulating = end["mesenchymal cells in blood"] + end["epithelial cells in blood"]
    assert arrived == last["cells_arrived"] > 0
    assert end["cells without room"] > 0
    assert last["shed"] == arrived + last["died_in_blood"] + circulating


def test_numbers_and_defects_are_those_of_the_settings_under_every_option():
    for version, legacy in (("stated", False), ("shipped", True)):
        settings = build_model(load_study("metaspread").with_options(version=version)).settings()
        own = MetaSpread(legacy=legacy, primary="primary")
        assert (settings.values, settings.legacy) == (own.values, own.legacy)
    assert own.values.doubling_time_mesenchymal < own.values.doubling_time_epithelial


def test_the_arm_as_released_swaps_the_doubling_times():
    study = load_study("metaspread")
    model = build_model(study)
    released = model.with_parameters(study.arm("doubling times as released").parameters).settings().values
    stated = model.settings().values
    assert released.doubling_time_mesenchymal == stated.doubling_time_epithelial
    assert released.doubling_time_epithelial == stated.doubling_time_mesenchymal


def test_parts_taken_out_have_no_effect():
    model = build_model(spread(without=["mmp2", "haptotaxis"]))
    values = model.settings().values
    assert (values.haptotaxis_mesenchymal, values.haptotaxis_epithelial, values.mmp2_secretion) == (0.0, 0.0, 0.0)
    assert "metaspread_mmp2_secretion" not in model.numbers_used()
    with pytest.raises(ModelError, match="cannot be taken out"):
        model.without("division")


def test_a_frame_shows_every_cell_on_a_grid_once_and_all_vessels(one_animal):
    model, frame, last = build_model(spread()), one_animal.cells(1.5), one_animal.metrics.iloc[-1]
    names = np.array([t.name for t in model.cell_types])[frame["type"]]
    tumour = np.char.endswith(names.astype(str), "tumour cell")
    for code, site in enumerate(("primary", "grid_2", "grid_3")):
        there = frame["site"] == code
        assert (there & (names == "mesenchymal tumour cell")).sum() == last[f"mesenchymal_{site}"]
        assert (there & tumour).sum() == last[f"cells_{site}"]
    assert (names == "ruptured vessel").sum() == 20
    assert frame["id"].is_unique
    assert not frame[tumour].duplicated(["x", "y", "site"]).any()
    cells = frame[tumour & (frame["site"] == 0)]
    sites = cells.assign(x=cells["x"] // 10, y=cells["y"] // 10).groupby(["x", "y"]).size()
    assert (len(sites), sites.max()) == (last["occupied_sites"], 4)


def test_a_grid_is_shown_from_when_cells_reach_it_and_vessels_keep_their_ids(one_animal):
    assert set(one_animal.cells(0.0)["site"]) == {0}
    vessels = [frame[frame["id"] >= 2**63] for frame in (one_animal.cells(1.0), one_animal.cells(1.5))]
    assert len(vessels[1]) == 80  # 60 and 10 and 10
    both = vessels[0].merge(vessels[1], on="id")
    assert len(both) == len(vessels[0])
    np.testing.assert_array_equal(both[["x_x", "y_x", "site_x"]], both[["x_y", "y_y", "site_y"]])


def test_every_cell_that_settles_is_told_once_with_its_founder(one_animal):
    events, last = one_animal.events, one_animal.metrics.iloc[-1]
    assert len(events) == last["cells_arrived"]
    np.testing.assert_array_equal(
        events["site"].value_counts().sort_index(), [last["arrivals_grid_2"], last["arrivals_grid_3"]]
    )
    assert (events["origin"] == 0).all()
    known = one_animal.cells(1.5).set_index("id")["founder"]
    still = events[events["cell"].isin(known.index)]
    assert len(still) == len(events)  # nothing dies on the grids
    np.testing.assert_array_equal(known[still["cell"]], still["clone"])
    first = one_animal.metrics.set_index("day")["cells_arrived"]
    assert (events["day"] <= 0.5).sum() == first[0.5]


def test_grids_that_are_no_organs_get_pictures_and_arrivals_but_no_map_of_a_body(tmp_path):
    study = spread(duration="12 h", replicates=1)
    result = simulate_study(study, out=tmp_path / "result", workers=1)
    assert result.events("alone", 0)["origin"].unique().tolist() == ["primary"]
    page = write_report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The tissue: primary" in page
    assert "Who seeded whom" in page
    assert 'class="body-maps"' not in page


def test_an_interrupted_animal_ends_the_same(one_animal):
    class Interrupted(Exception):
        pass

    def interrupt(fraction):
        if fraction > 0.6:
            raise Interrupted

    study, recorder = spread(), MemoryRecorder()
    with pytest.raises(Interrupted):
        run_animal(build_model(study), study, "alone", 0, recorder, interrupt)
    followed(study, recorder=recorder)
    pd.testing.assert_frame_equal(recorder.metrics, one_animal.metrics)
    pd.testing.assert_frame_equal(recorder.events, one_animal.events)
    pd.testing.assert_frame_equal(recorder.cells(1.5), one_animal.cells(1.5))


def test_animals_and_seeds_differ():
    ends = [
        followed(spread(duration="12 h", seed=seed), animal=animal).metrics["mean_mmp2"].iloc[-1]
        for seed, animal in ((1, 0), (1, 1), (2, 0))
    ]
    assert len(set(ends)) == 3


def test_settings_ticks_and_operations_that_cannot_be_are_told_before_the_run():
    told = refused(
        spread(
            arms=[
                {"name": "operated", "resections": [{"site": "primary", "at": "1 h"}]},
                {"name": "crowded", "parameters": {"metaspread_founders": 10000}},
            ]
        )
    )
    assert "arm 'operated': the model knows no surgery" in told
    assert "arm 'crowded': founders = 10000 do not fit" in told
    assert "whole number of them, as '200 s'" in refused(spread(tick="40 s"))
    arms = [{"name": "alone"}, {"name": "other", "parameters": {"metaspread_survival_single": 0.1}}]
    assert refused(spread(parameters={"metaspread_sites": 2}, arms=arms)).count("makes grids too small") == 1


def test_options_of_the_model_of_spread_are_named():
    told = refused(spread(options={"scenari": "dense", "version": "old"}))
    assert "Did you mean 'scenario'" in told
    assert "one of stated, shipped, not 'old'" in told


# ---- autopsies ----------------------------------------------------------------------------------------------------


def autopsies(arm="both", patients=432, **options):
    """The model of an arm of the study of autopsies, the study, and the arm."""
    study = load_study("organ_pattern").changed(replicates=patients).with_options(**options)
    chosen = study.arm(arm)
    return build_model(study).with_parameters(chosen.parameters), study, chosen


def found_at_the_end(columns, readout):
    return columns[readout][1::2]


@pytest.mark.parametrize(("arm", "model"), [("both", "both"), ("flow alone", "flow"), ("soil alone", "soil")])
@pytest.mark.parametrize("primary", ["breast", "colon"])
def test_the_incidence_of_an_arm_is_that_of_its_model(arm, model, primary):
    table = pattern_of(primary).table
    wanted = table[table["series"] == SERIES].set_index("organ")[model]
    incidence = autopsies(arm, primary=primary)[0].incidence()
    assert list(incidence) == list(wanted.index)
    np.testing.assert_allclose(list(incidence.values()), wanted, rtol=1e-12)


def test_shares_of_many_autopsies_are_the_incidence():
    subject, study, arm = autopsies(patients=40000)
    columns = subject.readings(study, arm, 0, 40000)
    for organ, share in subject.incidence().items():
        got = found_at_the_end(columns, organ.replace(" ", "_")).mean()
        assert abs(got - share) < 4.5 * np.sqrt(share * (1 - share) / 40000)  # fails in 1 of 30,000 correct programs


def test_a_patient_does_not_depend_on_the_block_it_is_computed_in():
    subject, study, arm = autopsies()
    whole = subject.readings(study, arm, 0, 100)
    parts = [subject.readings(study, arm, first, count) for first, count in ((0, 37), (37, 63))]
    for name, column in whole.items():
        np.testing.assert_array_equal(column, np.concatenate([part[name] for part in parts]))
    np.testing.assert_array_equal(whole["animal"], np.repeat(np.arange(100), 2))
    assert set(whole["time"]) == {0.0, study.duration}
    organs = [readout.name for readout in subject.readouts if readout.name != "organs"]
    np.testing.assert_array_equal(whole["organs"], sum(whole[name] for name in organs))
    assert found_at_the_end(whole, "organs").max() > 2
    assert not whole["organs"][::2].any()


def test_patients_computed_in_blocks_are_counted_one_by_one_in_the_report():
    found = collect(demo_result(demo_study(5)))
    blocks = pd.DataFrame({"arm": np.repeat(found.arms, 2), "animal": [0, 3] * len(found.arms), "status": "done"})
    blocks.loc[1, "status"] = "failed"
    in_blocks = replace(found, status=blocks, manifest={**found.manifest, "model": {**found.model, "block": 3}})
    assert list(in_blocks.finished.values()) == [3, *[5] * (len(found.arms) - 1)]
    assert list(found.finished.values()) == [5] * len(found.arms)


def test_arms_are_paired_patient_by_patient():
    likely, rare = (
        found_at_the_end(subject.readings(study, arm, 0, 2000), "bone_marrow").astype(bool)
        for subject, study, arm in (autopsies("both"), autopsies("flow alone"))
    )
    assert rare.sum() > 50
    assert likely[rare].all()


def test_organs_are_drawn_apart():
    subject, study, arm = autopsies(patients=20000)
    columns = subject.readings(study, arm, 0, 20000)
    names = [readout.name for readout in subject.readouts if readout.name != "organs"]
    between = np.corrcoef([found_at_the_end(columns, name) for name in names])
    assert np.abs(between - np.eye(len(names))).max() < 4.5 / np.sqrt(20000)


def test_readouts_tell_what_real_autopsies_found():
    readouts = {readout.name: readout for readout in autopsies()[0].readouts}
    assert readouts["lung"].title == "Lung (found: 57.2 %)"
    assert "found them in 57.2 % of 432 (95 % interval 52 to 62 %)" in readouts["lung"].meaning
    assert list(readouts)[:2] == ["lung", "lymph_node"]  # the most frequent first
    kept = {readout.name for readout in autopsies(primary="lung")[0].readouts}
    assert "adrenal_gland" in kept
    assert "thyroid" in kept


def test_whether_numbers_were_fitted_to_the_autopsies_is_told():
    assert "no prediction" in autopsies(primary="breast")[0].limits[-1]
    assert "No number but the load" in autopsies(primary="colon")[0].limits[-1]
    for primary in ("breast", "lung", "prostate", "colon", "pancreas", "kidney"):
        assert len({finding.use for finding in findings_of(primary, SERIES)}) == 1


def test_without_vertebral_veins_fewer_prostate_cancers_reach_the_marrow():
    subject, _, _ = autopsies("flow alone", primary="prostate")
    assert subject.without("vertebral_veins").incidence()["bone marrow"] < 0.9 * subject.incidence()["bone marrow"]


def test_switches_flows_and_series_that_cannot_be_are_told_before_the_run():
    study = load_study("organ_pattern")
    told = refused(
        study.changed(
            arms=[
                {"name": "nothing", "parameters": {"flow_counts": 0, "soil_counts": 0}},
                {"name": "half", "parameters": {"flow_counts": 0.5}},
                {"name": "bled", "parameters": {"human_brain_flow": 0.9}},
                {"name": "operated", "resections": [{"site": "primary", "at": "1 h"}]},
            ]
        )
    )
    assert "arm 'nothing': flow_counts = 0, soil_counts = 0: each must be 0 or 1" in told
    assert "arm 'half': flow_counts = 0.5, soil_counts = 1" in told
    assert "arm 'bled': " in told
    assert "arm 'operated': autopsies know no surgery" in told
    assert "has no autopsies of kidney cancer; it has breast, lung, colon" in refused(
        study.with_options(primary="kidney", series="Abrams 1950")
    )
    assert "Did you mean 'primary'" in refused(study.with_options(primery="lung"))
