import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.errors import StudyError
from paget.experiment import Dose, Study
from paget.io.study_file import dump_study, parse_study

few = settings(max_examples=40, deadline=None)

hours = st.one_of(st.integers(0, 2000).map(float), st.floats(0, 2000, allow_subnormal=False))
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
word = st.text("abcdefgh +-_:#[]{}'\"0123456789.eon", min_size=1, max_size=12).filter(str.strip)
values = st.one_of(text.map(str.strip), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def doses(draw: st.DrawFn) -> dict[str, object]:
    drug = {"drug": draw(word), "amount": f"{draw(st.floats(0, 1e3))!r} mg/kg"}
    if draw(st.booleans()):
        return {**drug, "at": [f"{time!r} h" for time in draw(st.lists(hours, min_size=1, max_size=4))]}
    every, cycle = (f"{draw(st.floats(0.5, 99))!r} h" for _ in range(2))
    counts = {"count": draw(st.integers(1, 5)), "cycles": draw(st.integers(1, 3))}
    return {**drug, "start": f"{draw(hours)!r} h", "every": every, "cycle_every": cycle, **counts}


@st.composite
def studies(draw: st.DrawFn) -> Study:
    names = draw(st.lists(word.map(str.strip), min_size=1, max_size=4, unique=True))
    arms = [
        {
            "name": name,
            "versus": draw(st.sampled_from(names[:i])) if i else None,
            "doses": draw(st.lists(doses(), max_size=3)),
            "resections": [{"at": f"{time!r} h"} for time in draw(st.lists(hours, max_size=2))],
            "parameters": draw(st.dictionaries(word, values, max_size=2)),
            "note": draw(text),
        }
        for i, name in enumerate(names)
    ]
    tick = draw(st.sampled_from([0.25, 0.5, 1.0, 2.0]))
    metrics = tick * draw(st.integers(1, 48))
    return Study.model_validate(
        {
            "name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,8}", fullmatch=True)),
            "title": draw(text),
            "description": draw(text),
            "model": draw(word),
            "options": draw(st.dictionaries(word, values, max_size=3)),
            "duration": "2000 day",
            "tick": f"{tick!r} h",
            "replicates": draw(st.integers(1, 1000)),
            "seed": draw(st.integers(0, 2**63 - 1)),
            "arms": arms,
            "readouts": draw(st.lists(word, max_size=3)),
            "rules": draw(st.lists(text, max_size=2)),
            "without": draw(st.lists(word, max_size=2)),
            "record": {
                "metrics": f"{metrics!r} h",
                "frames": f"{metrics * draw(st.integers(1, 9))!r} h",
                "checkpoint": f"{metrics * draw(st.integers(1, 9))!r} h",
            },
        }
    )


@few
@given(studies())
def test_a_study_written_as_yaml_reads_back_the_same(study):
    assert parse_study(dump_study(study)) == study


@few
@given(studies())
def test_a_study_written_as_json_reads_back_the_same(study):
    assert Study.model_validate(json.loads(study.model_dump_json())) == study


@few
@given(studies())
def test_a_reader_of_yaml_1_1_finds_the_same_text_as_we_do(study):
    theirs = yaml.safe_load(dump_study(study))
    assert (theirs["name"], theirs["model"]) == (study.name, study.model)
    assert [arm["name"] for arm in theirs["arms"]] == list(study.arm_names)


@few
@given(doses(), st.floats(0, 1000))
def test_shifting_doses_keeps_their_number_and_amount_and_moves_each_by_the_same_time(plain, delay):
    dose = Dose.model_validate(plain)
    moved = dose.shifted(delay)
    assert moved.amount == dose.amount
    assert len(moved.times) == len(dose.times)
    assert all(
        abs(after - before - delay) < 1e-9 * (1 + after) for before, after in zip(dose.times, moved.times, strict=True)
    )


@few
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda b: b.decode("latin-1")))
def test_text_that_is_no_study_is_refused_with_a_line(text):
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    assert caught.value.problems
    assert all(problem.startswith("study.yaml:") for problem in caught.value.problems)
