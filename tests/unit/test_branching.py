"""One animal continued from a kept state under several treatments: identical until the first difference."""

import numpy as np
import pandas as pd
import pytest

import paget as pg
from paget.engine.ensemble.branching import check_branch
from paget.engine.simulate import run_animal
from paget.errors import ResultError, StudyError
from paget.results.memory import MemoryRecorder

DAY = 24.0


DOSE = {"drug": "doxorubicin", "amount": "5 mg/kg", "at": "3 day"}


def study(**changes):
    base = pg.load("lung_awakening").with_options(size=400).only("vehicle")
    base = base.with_arm("doxorubicin", versus="vehicle", doses=[DOSE])
    return base.changed(
        **{"duration": "8 day", "replicates": 2, "record": {"frames": "4 day", "states": ["3 day"]}, **changes}
    )


def ran(of, arm, begin=None, animal=0):
    recorder = MemoryRecorder(of.record.frames)
    run_animal(pg.build_model(of), of, arm, animal, recorder, begin=begin)
    return recorder


def with_arm(of, name, **lists):
    return of.with_arm(name, versus="vehicle", **lists)


@pytest.fixture(scope="module")
def trunk():
    return ran(study(), "vehicle")


def test_the_branches_of_one_state_are_what_the_whole_runs_are(trunk):
    whole = ran(study(), "doxorubicin").metrics  # its first dose is on day 3, until when nothing was different
    state = trunk.state(3)
    branch = ran(study(), "doxorubicin", begin=state).metrics
    later = whole[whole["day"] >= 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(branch.reset_index(drop=True), later, check_exact=True)
    same = ran(study(), "vehicle", begin=state).metrics
    assert same["day"].iloc[0] == 3
    assert same.iloc[0].equals(branch.iloc[0])
    assert not same.equals(branch)


def test_a_rebuilt_animal_goes_on_as_if_nothing_had_happened():
    """A parameter overridden by its own value makes the engine rebuild the animal twice."""
    value = pg.build_model(study()).parameters["netosis_rate"]
    given = f"{value.value!r} {value.unit}"
    touched = with_arm(
        study(),
        "touched",
        overrides=[{"parameter": "netosis_rate", "value": given, "at": "2 day", "duration": "3 day"}],
    )
    pd.testing.assert_frame_equal(ran(touched, "touched").metrics, ran(touched, "vehicle").metrics, check_exact=True)


def test_an_override_acts_in_its_time_only():
    dying = {"parameter": "dormant_death", "value": "2 1/day", "at": "2 day", "until": "4 day"}
    off = with_arm(study(duration="6 day"), "dying", overrides=[dying])
    changed, normal = ran(off, "dying").metrics, ran(off, "vehicle").metrics
    early = normal["day"] <= 2
    pd.testing.assert_frame_equal(changed[early], normal[early], check_exact=True)
    assert not changed.equals(normal)


def test_a_treatment_that_waits_for_a_readout_begins_when_it_is_met(trunk):
    cells = trunk.metrics["tumour_cells"].to_numpy()
    level = float(np.unique(cells)[1])
    waits = with_arm(
        study(),
        "waits",
        doses=[{"drug": "doxorubicin", "amount": "5 mg/kg", "at": f"when tumour_cells reaches {level:g}"}],
    )
    recorder = ran(waits, "waits")
    day = DAY * float(trunk.metrics["day"].to_numpy()[np.flatnonzero(cells >= level)[0]])
    assert recorder.moments == {f"tumour_cells reaches {level:g}": day}
    fixed = with_arm(study(), "waits", doses=[{"drug": "doxorubicin", "amount": "5 mg/kg", "at": f"{day:g} h"}])
    pd.testing.assert_frame_equal(recorder.metrics, ran(fixed, "waits").metrics, check_exact=True)


def test_what_was_awaited_survives_a_stop(trunk):
    level = float(np.unique(trunk.metrics["tumour_cells"])[1])
    course = {
        "drug": "doxorubicin",
        "amount": "5 mg/kg",
        "start": f"when tumour_cells reaches {level:g}",
        "every": "1 day",
        "count": 3,
    }
    waits = with_arm(study(record={"frames": "4 day", "checkpoint": "2 day"}), "waits", doses=[course])
    straight = ran(waits, "waits").metrics

    class Stop(Exception):
        pass

    def stop(fraction):
        if fraction >= 0.6:
            raise Stop

    recorder = MemoryRecorder(waits.record.frames)
    with pytest.raises(Stop):
        run_animal(pg.build_model(waits), waits, "waits", 0, recorder, progress=stop)
    run_animal(pg.build_model(waits), waits, "waits", 0, recorder)
    pd.testing.assert_frame_equal(recorder.metrics, straight, check_exact=True)


# ---- through folders -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return pg.simulate(study(), arms=["vehicle"], out=tmp_path_factory.mktemp("trunk") / "out", workers=1)


def test_a_result_is_branched_off_and_compared(result, tmp_path):
    branch = result.branch("vehicle", 3).with_arm(
        "late", versus="as before", doses=[{"drug": "doxorubicin", "amount": "5 mg/kg", "at": "3 day"}]
    )
    found = pg.simulate(branch, out=tmp_path / "branched", workers=1)
    before = result.metrics[result.metrics["day"] >= 3].reset_index(drop=True)
    same = found.metrics[found.metrics["arm"] == "as before"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same.drop(columns="arm"), before.drop(columns="arm"), check_exact=True)
    assert found.study.branch.study_sha256 == result.manifest["study_sha256"]
    assert found.effect("tumour_cells", "late").paired


def test_states_that_are_not_there_are_told(result):
    with pytest.raises(ResultError, match="stored days: 3"):
        result.branch("vehicle", 4)
    elsewhere = result.branch("vehicle", 3)
    for changes, message in (
        ({"seed": 9}, "'seed' must be as in 'lung_awakening', whose animals go on: 1 there, 9 here"),
        ({"replicates": 5}, "5 animals, but 'lung_awakening' has 2"),
        ({"branch": {"result": "nowhere", "arm": "vehicle", "at": "3 day"}}, "nowhere is not a folder"),
        ({"branch": {**elsewhere.branch.model_dump(), "at": "4 day"}}, "no state of day 4 is kept of animal 0, 1"),
        ({"branch": {**elsewhere.branch.model_dump(), "arm": "vehicel"}}, "Did you mean 'vehicle'"),
        ({"branch": {**elsewhere.branch.model_dump(), "study_sha256": "0"}}, "holds another study now"),
    ):
        with pytest.raises(StudyError, match=message):
            check_branch(elsewhere.changed(**changes))
    with pytest.raises(StudyError, match="comes before the animals branch off, on day 3"):
        elsewhere.with_arm(
            "early", versus="as before", doses=[{"drug": "doxorubicin", "amount": "5 mg/kg", "at": "1 day"}]
        )
    with pytest.raises(StudyError, match="the study ends on day 2"):
        elsewhere.changed(duration="2 day")


def test_the_command_writes_a_study_file_that_branches_off(result, tmp_path, capsys):
    from paget.cli import main
    from paget.io.study_file import load_study_file

    file = tmp_path / "later.yaml"
    assert main(["branch", str(result.path), str(file), "--arm", "vehicle", "--day", "3"]) == 0
    assert load_study_file(file) == result.branch("vehicle", 3)
    assert main(["branch", str(result.path), str(file), "--arm", "vehicle", "--day", "3"]) == 1
    assert "exists already" in capsys.readouterr().err
    with file.open("a") as more:
        more.write("  - {name: x, versus: as before, doses: [{drug: doxorubicin, amount: 5 mg/kg, at: 6 day}]}\n")
    assert load_study_file(file).arm_names == ("as before", "x")
    file.write_text(file.read_text().replace("at: 3 day", "at: 5 day", 1))
    assert main(["show", str(file)]) == 1
    assert "no state of day 5 is kept of animal 0, 1" in capsys.readouterr().err


def test_a_path_in_a_file_is_meant_from_where_the_file_is(result, tmp_path):
    from paget.io.study_file import load_study_file

    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "later.yaml"
    file.write_text("base: lung_awakening\nkeep: [vehicle]\nbranch: {result: ../out, arm: vehicle, at: 3 day}\n")
    assert load_study_file(file).branch.result == str(tmp_path / "there" / "../out")


def test_what_did_not_happen_is_told(tmp_path, capsys):
    from paget.cli.findings import print_findings

    never = study().only("vehicle").changed(duration="2 day", record={"frames": "2 day"})
    never = with_arm(
        never, "waits", doses=[{"drug": "doxorubicin", "amount": "5 mg/kg", "at": "when tumour_cells reaches 1e6"}]
    )
    found = pg.simulate(never, out=tmp_path / "never", workers=1)
    assert found.moments["day"].isna().all()
    assert list(found.moments.columns) == ["arm", "animal", "moment", "day"]
    print_findings(found)
    assert "waits: 'tumour_cells reaches 1e6' did not happen in any animal" in capsys.readouterr().out
