"""What nobody would do on purpose is refused at once, with file and line, and arms that do nothing are their control."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_body import body, forward, life, lived

import paget as pg
from paget.engine.protocol import Protocol
from paget.engine.simulate import run_animal
from paget.errors import StudyError
from paget.experiment import Antibody, Arm, Depletion, Dose, Override, Perturbation, Study, plan
from paget.io.study_file import dump_study, parse_study
from paget.results.memory import MemoryRecorder

few = settings(max_examples=15, deadline=None)
DAY = 24.0
WAITING = "when nodules reaches 2"


def refused(arm, **changes):
    """Every line of the error about a study with one treated arm."""
    settings = {
        "model": "m",
        "duration": "30 day",
        "arms": [{"name": "control"}, {"name": "a", "versus": "control", **arm}],
    }
    with pytest.raises(StudyError) as caught:
        parse_study(dump({**settings, **changes}), name="mine.yaml")
    assert all(problem.startswith("mine.yaml:") for problem in caught.value.problems)
    return "\n".join(caught.value.problems)


def dump(data):
    return json.dumps(data, indent=1)  # JSON is YAML too, and keeps a line for each setting


def dosed(**when):
    return {"doses": [{"drug": "d", "amount": "1 mg/kg", **when}]}


# ---- too much --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "when",
    [
        {"start": "0 day", "every": "1 s", "until": "29 day"},
        {"start": "0 day", "every": "1e-300 s", "until": WAITING},
        {"start": "at the resection", "every": "1 s", "until": WAITING},
        {"start": "0 day", "every": "1 s", "count": 10**9},
        {"start": "0 day", "every": "1 s", "count": 10**6, "cycles": 10**6, "cycle_every": "1 s"},
    ],
)
def test_doses_too_many_to_count_are_refused_in_no_time(when):
    begun = time.process_time()
    assert "administrations; at most 10000 can be given" in refused({**dosed(**when), "resections": [{"at": "1 day"}]})
    assert time.process_time() - begun < 2.0  # listing them takes gigabytes and minutes


def test_more_animals_than_a_folder_can_hold_are_refused():
    assert "1000000000 animals in each of 2 arms" in refused({}, replicates=10**9)


def test_a_sweep_of_more_steps_than_arms_is_refused_before_its_steps_are_made():
    swept = {"parameters": {"k": {"from": "1 h", "to": "2 h", "steps": 10**11}}}
    assert "sweep.parameters.k.steps: must be at most 4096" in refused({}, sweep=swept)


# ---- what cannot be --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("level", ["nan", "inf", "-inf"])
def test_a_level_that_no_readout_reaches_is_refused(level):
    assert f"'{level}' is no level that can be reached" in refused(dosed(at=f"when nodules reaches {level}"))


def test_nothing_is_moved_to_before_what_it_waits_for():
    arms = [{"name": "control"}, {"name": "a", "versus": "control", **dosed(at=WAITING)}]
    arms.append({"name": "b", "like": "a", "shift": {"d": "-2 day"}})
    assert "d would be given '2 day before nodules reaches 2', which nobody knows beforehand" in refused({}, arms=arms)


def test_what_follows_its_own_end_is_refused_not_left_out():
    late = {"parameter": "k", "value": 1, "at": "5 day", "until": "at the first dose"}
    assert "k would end before it begins: k = 1.0 from day 5 until the first dose" in refused(
        {**dosed(at="2 day"), "overrides": [late]}
    )


def test_a_dose_past_the_end_is_refused_although_another_one_waits_for_a_readout():
    doses = [
        {"drug": "d", "amount": "1 mg/kg", "at": "25 day"},
        {"drug": "e", "amount": "1 mg/kg", "at": "9 day after the last dose of d"},
        {"drug": "f", "amount": "1 mg/kg", "start": "0 day", "every": "1 day", "until": WAITING},
    ]
    assert "e on day 34 is past the end of the study (day 30)" in refused({"doses": doses})


def test_a_cluster_of_more_cells_than_are_injected_is_refused():
    assert "3 cells make no cluster of 5" in refused({"injections": [{"cells": "c", "number": 3, "cluster": 5}]})


def test_a_rate_cannot_be_made_negative_by_an_override():
    study = lung(overrides=[{"parameter": "net_half_life", "value": "-1 h"}])
    with pytest.raises(StudyError, match=r"net_half_life.*'-1 h' is negative"):
        pg.simulate(study)


# ---- moments ---------------------------------------------------------------------------------------------------------
def test_the_first_dose_is_known_although_nobody_knows_when_the_last_one_is():
    """A course that goes on until a readout is met must not hide when the first drug was given."""
    open_ended = Dose(drug="q", amount="1 mg/kg", start="1 day", every="1 day", until=WAITING)
    first = Dose(drug="d", amount="1 mg/kg", at="0 day")
    follows = Perturbation(gene="G", change="knock-out", at="12 h after the first dose")
    last = Perturbation(gene="H", change="knock-out", at="1 day after the last dose")
    known = plan((open_ended, first, follows, last), 5 * DAY)
    assert [act.time for _, act in known.of(Perturbation)] == [12.0]


def test_moments_that_step_back_behind_one_another_are_refused_in_no_time():
    doses = [
        {"drug": "a", "amount": "1 mg/kg", "at": "9 day"},
        {"drug": "b", "amount": "1 mg/kg", "at": "1 day before the first dose"},
        {"drug": "c", "amount": "1 mg/kg", "at": "1 day before the first dose"},
    ]
    assert "these moments wait for one another" in refused({"doses": doses})


# ---- spelling --------------------------------------------------------------------------------------------------------
word = st.text("abcdefg +-_:#'\"0123456789.é🐭", min_size=1, max_size=9).map(str.strip).filter(bool)
hours = st.floats(0, 900, allow_subnormal=False).map(lambda h: f"{h!r} h")
spans = st.floats(0.5, 99).map(lambda h: f"{h!r} h")
readout = st.from_regex("[a-z]{3,8}", fullmatch=True)
conditions = st.builds("{} {} {}".format, readout, st.sampled_from(["reaches", "falls below"]), st.integers(1, 99))
awaited = st.one_of(conditions.map("when {}".format), st.builds("{} after {}".format, spans, conditions))
moments = hours | awaited
ends = st.one_of(st.just({}), st.builds(lambda d: {"duration": d}, spans), st.builds(lambda u: {"until": u}, awaited))
lasting = st.builds(lambda at, end: {"at": at, **end}, moments, ends)
courses = st.one_of(
    st.builds(lambda at: {"at": at}, st.lists(moments, min_size=1, max_size=3)),
    st.builds(lambda s, e, n: {"start": s, "every": e, "count": n}, moments, st.just("2 h"), st.integers(1, 9)),
    st.builds(lambda s, u: {"start": s, "every": "1 day", "until": u}, moments, awaited),
)
amounts = st.floats(0, 1e3).map(lambda n: f"{n!r} mg/kg")


def together(**parts):
    """A strategy for a mapping: fixed keys, and dicts under keys that begin with an underscore, which are merged."""
    return st.fixed_dictionaries(parts).map(
        lambda d: {k: v for key, value in d.items() for k, v in (value.items() if key[0] == "_" else [(key, value)])}
    )


INTERVENTIONS = {
    "doses": together(drug=word, amount=amounts, route=st.sampled_from([None, "oral"]), _when=courses),
    "antibodies": together(target=word, amount=amounts, affinity=st.sampled_from([None, "2 nM"]), _when=courses),
    "resections": together(site=word, at=moments),
    "injections": together(cells=word, number=st.integers(5, 10**9), cluster=st.integers(1, 5), into=word, at=moments)
    | together(exosomes=word, amount=st.sampled_from(["10 ug", "1e10"]), at=moments),
    "perturbations": together(
        gene=word, change=st.just("knock-down"), level=st.floats(0.01, 0.99), cells=word, _when=lasting
    ),
    "depletions": together(cells=word, fraction=st.floats(0, 1), _when=lasting),
    "overrides": together(parameter=word, value=st.floats(-9, 9) | word, _when=lasting),
}
arms = st.fixed_dictionaries({kind: st.lists(entries, max_size=2) for kind, entries in INTERVENTIONS.items()})


@few
@given(arms)
def test_an_arm_with_every_kind_of_intervention_reads_back_the_same(arm):
    both = [{"name": "control"}, {"name": "a", "versus": "control", **arm}]
    study = Study.model_validate({"name": "s", "model": "m", "duration": "3000 h", "arms": both})
    assert parse_study(dump_study(study)) == study
    assert Study.model_validate_json(study.model_dump_json()) == study


@few
@given(arms, st.sampled_from(["0 day", "0 h"]))
def test_an_arm_moved_by_nothing_is_the_arm_and_without_everything_it_is_its_control(arm, nothing):
    both = [{"name": "control"}, {"name": "a", "versus": "control", **arm}]
    study = Study.model_validate({"name": "s", "model": "m", "duration": "3000 h", "arms": both})
    labels = {what.label for what in study.arm("a").interventions}
    study = study.with_arm("moved", like="a", shift=dict.fromkeys(labels, nothing))
    study = study.with_arm("undone", like="a", without=tuple(labels))
    assert study.arm("moved").interventions == study.arm("a").interventions
    assert study.arm("undone") == Arm(name="undone", versus="control")


# ---- what does nothing -----------------------------------------------------------------------------------------------
def lung(**lists):
    base = pg.load("lung_awakening").with_options(size=400).only("vehicle")
    return base.changed(replicates=1, duration="30 h", record={"metrics": "6 h", "frames": "30 h"}).with_arm(
        "a", versus="vehicle", **lists
    )


def ran(study, arm):
    recorder = MemoryRecorder(study.record.frames)
    run_animal(pg.build_model(study), study, arm, 0, recorder)
    return recorder


def test_what_takes_nothing_away_and_gives_nothing_changes_no_bit():
    study = lung(
        doses=[Dose(drug="doxorubicin", amount="0 mg/kg", at="6 h")],
        antibodies=[Antibody(target="CXCL1", amount="1e-12 mg/kg", at="3 h")],
        depletions=[Depletion(cells="neutrophil", fraction=0, at="6 h", duration="12 h")],
        overrides=[Override(parameter="net_half_life", value=own_value("net_half_life"), at="4 h", duration="8 h")],
    )
    treated, untreated = ran(study, "a"), ran(study, "vehicle")
    assert treated.metrics.equals(untreated.metrics)
    assert all(treated.cells(30 / DAY)[name].equals(column) for name, column in untreated.cells(30 / DAY).items())


def test_a_dose_of_nothing_is_not_given_to_any_animal():
    arm = Arm(name="a", doses=(Dose(drug="d", amount="0 mg/kg", at="0 h"), Dose(drug="e", amount="1 mg/kg", at="0 h")))
    assert Protocol(arm, (), DAY, 1.0).due(0.0, 1.0).doses == (("e", 0.0, 1.0, ""),)


@pytest.mark.parametrize(("before", "after"), [((), ("doxorubicin",)), (("doxorubicin",), ())])
def test_a_body_goes_on_under_an_arm_with_other_drugs_as_if_it_had_always_been_in_it(before, after):
    doses = {2: (("doxorubicin", 0.0, 5.0, ""),)} if before else {}
    kept = lived(body(), 5, drugs=before, doses=doses)
    branched = life(body(), drugs=after)
    branched.restore(kept.state())
    whole = lived(body(), 5, drugs=("doxorubicin",), doses=doses)
    later = {6: (("doxorubicin", 0.0, 5.0, ""),)} if after else {}
    ends = [forward(one, 5, doses=later).state() for one in (branched, whole)]
    assert ends[0].keys() == ends[1].keys()
    assert all(ends[0][name].tobytes() == ends[1][name].tobytes() for name in ends[0])


def own_value(key):
    value = pg.build_model(pg.load("lung_awakening")).parameters[key]
    return f"{value.value!r} {value.unit}"


def test_the_state_of_day_0_is_kept_when_it_is_asked_for():
    study = lung().changed(record={"metrics": "6 h", "states": ["0 day"]}, duration="6 h")
    assert ran(study, "vehicle").state(0.0)["cells.ids"].size > 0
