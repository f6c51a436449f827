import json
import re
from pathlib import Path

import jsonschema
import pytest
import small_catalogue
import yaml

from paget.errors import StudyError
from paget.io.study_file import (
    check_study_file,
    dump_study,
    load_study_file,
    parse_study,
    schema_path,
    study_schema,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch, tmp_path_factory):
    small_catalogue.install(monkeypatch, tmp_path_factory.mktemp("catalogue"))


def problems(text: str, name: str = "study.yaml") -> list[str]:
    with pytest.raises(StudyError) as caught:
        parse_study(text, name)
    return list(caught.value.problems)


def one_arm(**settings: str) -> str:
    lines = {"model": "m", "duration": "10 day", "arms": "[{name: a}]", **settings}
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def dose(**settings: str) -> str:
    inner = ", ".join(
        f"{key}: {value}" for key, value in {"drug": "d", "amount": "1 mg/kg", "at": "1 day", **settings}.items()
    )
    return one_arm(arms=f"[{{name: a, doses: [{{{inner}}}]}}]")


# ---- a file of its own ---------------------------------------------------------------------------------------------
def test_a_file_becomes_a_study_in_internal_units():
    study = parse_study(dose(amount="5 mg/kg", at="[0 day, 12 h]"))
    assert (study.duration, study.arms[0].doses[0].amount, study.arms[0].doses[0].times) == (240.0, 5.0, (0.0, 12.0))


def test_a_study_without_a_name_is_called_after_its_file():
    assert parse_study(one_arm(), "some/where/late dq (2).yaml").name == "late_dq_2"
    assert parse_study(one_arm(name="mine"), "other.yaml").name == "mine"


def test_names_may_be_unicode():
    study = parse_study(one_arm(title="Schläfer", arms="[{name: α-PD-1}, {name: 対照, versus: α-PD-1}]"))
    assert study.title == "Schläfer"
    assert study.contrasts == (("対照", "α-PD-1"),)


def test_words_that_yaml_1_1_takes_for_truth_or_time_stay_text():
    study = parse_study(one_arm(arms="[{name: on}, {name: no}, {name: 12:30}]", parameters="{x: 1e-3, y: 0x1F}"))
    assert study.arm_names == ("on", "no", "12:30")
    assert study.parameters == {"x": 1e-3, "y": "0x1F"}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (one_arm(replicate="3"), 4, "replicate: unknown setting 'replicate'. Did you mean 'replicates'?"),
        (one_arm(bases="x"), 4, "bases: unknown setting 'bases'. Did you mean 'base'?"),
        (one_arm(replicates="0"), 4, "replicates: must be at least 1, not 0"),
        (one_arm(replicates="ten"), 4, "replicates: expected a whole number, not 'ten'"),
        (one_arm(replicates="2.5"), 4, "replicates: expected a whole number, not 2.5"),
        (one_arm(replicates="true"), 4, "replicates: expected a whole number, not true"),
        (one_arm(seed="-1"), 4, "seed: must be at least 0, not -1"),
        (one_arm(duration="60 um"), 2, "duration: '60 um' is not convertible to h"),
        (one_arm(duration="60"), 2, "duration: '60' has no unit; expected a quantity convertible to h, such as '60 h'"),
        (one_arm(duration="soon"), 2, "duration: cannot read 'soon' as a quantity in h"),
        (one_arm(duration="-3 day"), 2, "duration: '-3 day' must be above 0 h"),
        (one_arm(duration="[3 day]"), 2, "duration: expected a quantity such as '1 h', not a list"),
        (one_arm(duration="5 10**10**10 day"), 2, "cannot read '5 10**10**10 day' as a quantity in h"),
        (one_arm(duration="1e999 day"), 2, "duration: '1e999 day' is not a finite quantity"),
        (one_arm(name="a b"), 4, "name: 'a b' is not allowed. Short name of letters, digits, '-' and '_'"),
        (one_arm(title="5"), 4, "title: expected text, not 5; put it in quotes: '5'"),
        (one_arm(options="[a]"), 4, "options: expected settings (key: value), not a list"),
        (one_arm(options="{a: [1]}"), 4, "options.a: expected text or a number, not a list"),
        (one_arm(options="{a: true}"), 4, "options.a: expected text or a number, not true"),
        (one_arm(parameters="{a: .nan}"), 4, "parameters.a: 'nan' is not a finite number"),
        (one_arm(record="{metric: 1 day}"), 4, "record.metric: unknown setting 'metric'. Did you mean 'metrics'?"),
        (one_arm(record="{frames: 36 h}"), 4, "record.frames: 36 h must be a multiple of record.metrics (24 h)"),
        (one_arm(tick="7 h"), 2, "duration: 240 h must be a whole number of ticks (7 h)"),
        (one_arm(arms="[]"), 3, "arms: needs at least 1 entry"),
        (one_arm(arms="{a: 1}"), 3, "arms: expected a list of arms ('- name: ...' lines), not settings (key: value)"),
        (one_arm(arms="[vehicle]"), 3, "arms.0: expected settings (key: value), not 'vehicle'"),
        (one_arm(arms="[{note: x}]"), 3, "arms.0.name: is missing. Name of the arm"),
        (one_arm(arms="[{name: ''}]"), 3, "arms.0.name: must not be empty"),
        (one_arm(arms=f"[{{name: {'x' * 81}}}]"), 3, "arms.0.name: has 81 characters; at most 80 are allowed"),
        (one_arm(arms='[{name: "a\\nb"}]'), 3, "arms.0.name: a name is one line of printable text"),
        (one_arm(arms="[{name: a}, {name: a}]"), 3, "arms.1.name: two arms are called 'a'"),
        (one_arm(arms="[{name: a, versus: a}]"), 3, "arms.0.versus: arm 'a' cannot be compared with itself"),
        (one_arm(arms="[{name: abc}, {name: b, versus: abd}]"), 3, "Unknown arm 'abd'. Did you mean 'abc'?"),
        (one_arm(arms="[{name: a, resections: [{at: 11 day}]}]"), 3, "the resection on day 11 is past the end"),
        (one_arm(arms="[{name: a, shift: {d: 1 day}}]"), 3, "arms.0.shift: changes the arm named by 'like'"),
        (one_arm(keep="[a]"), 4, "keep: chooses among the arms of 'base'"),
        (dose(amount="-5 mg/kg"), 3, "arms.0.doses.0.amount: '-5 mg/kg' must be at least 0 mg/kg"),
        (dose(amount="5 mg"), 3, "arms.0.doses.0.amount: '5 mg' is not convertible to mg/kg"),
        (dose(amount="5"), 3, "arms.0.doses.0.amount: '5' has no unit"),
        (dose(at="10 day"), 3, "arms.0.doses.0: arm 'a': d on day 10 is past the end of the study (day 10)"),
        (dose(at="null"), 3, "arms.0.doses.0.at: expected a list, not nothing"),
        (dose(start="1 day"), 3, "arms.0.doses.0: give either 'at' (a list of times) or 'start'"),
        (dose(every="1 day"), 3, "arms.0.doses.0: 'every', 'count', 'cycle_every' and 'cycles' go with 'start'"),
    ],
)
def test_a_wrong_setting_is_reported_with_its_line_and_what_is_needed(text, line, message):
    found = problems(text)
    assert any(problem.startswith(f"study.yaml:{line}: ") and message in problem for problem in found), found
    assert not any("Value error" in problem or "Input should" in problem for problem in found)


@pytest.mark.parametrize("missing", ["model", "duration", "arms"])
def test_a_needed_setting_that_is_missing_is_named(missing):
    text = "".join(line for line in one_arm().splitlines(keepends=True) if not line.startswith(missing))
    (problem,) = problems(text)
    assert problem.startswith(f"study.yaml:1: {missing}: is missing.")


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = """\
model: m
duration: 10 um
replicate: 3
seed: -1
arms:
  - name: a
    doses:
      - drug: d
        amount: 5 mg
        at: [1 day, soon]
  - name: 3
"""
    lines = [int(problem.split(":")[1]) for problem in problems(text)]
    assert lines == [2, 3, 4, 9, 10, 11]


def test_an_unknown_setting_does_not_hide_what_does_not_fit_together():
    found = problems(dose(at="30 day", ammount="1 mg/kg") + "repicates: 3\n")
    assert [problem.partition(": ")[2][:24] for problem in found] == [
        "arms.0.doses.0.ammount: ",
        "arms.0.doses.0: arm 'a':",
        "repicates: unknown setti",
    ]


# ---- text that is no study -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("- model: m\n", 1, "expected settings (key: value) such as 'model: ...', not a list"),
        ("hello", 1, "not 'hello'"),
        ("model: m\narms:\n\t- name: a\n", 3, "a tab stands where YAML needs spaces"),
        ("model: m\nmodel: n\n", 2, "model: 'model' is set twice, on lines 1 and 2; keep one"),
        ("model: m\narms:\n  - {name: a, name: b}\n", 3, "arms.0.name: 'name' is set twice"),
        (
            "model: !!python/object/apply:os.system [ls]\n",
            1,
            "the tag '!!python/object/apply:os.system' is not allowed",
        ),
        ("model: !!python/name:os.system\n", 1, "the tag '!!python/name:os.system' is not allowed"),
        ("model: !secret x\n", 1, "the tag '!secret' is not allowed"),
        ("model: 'm\n", 1, "not valid YAML"),
        ("model: m\narms: [a\n", 2, "not valid YAML"),
        ("model: m\n---\nmodel: n\n", 2, "a second document begins here"),
        ("model: m\ntitle: \x07\n", 2, "the character U+0007 is not allowed in YAML"),
        ("? [a]\n: b\n", 1, "cannot be the name of a setting"),
        ("model: &a [*a]\n", 1, "does an alias hold itself?"),
        ("[" * 10_000, 1, "nested more than 30 levels deep"),
        ("[" + "1," * 60_000 + "]", 1, "more than 50000 values; that is no study"),
        ("seed: " + "9" * 5_000, 1, "as a number"),
        ("model: m\nseed: !!int x\n", 2, "cannot read 'x' as a number"),
    ],
)
def test_text_that_is_no_study_is_refused_with_its_line(text, line, message):
    found = problems(text)
    assert any(problem.startswith(f"study.yaml:{line}: ") and message in problem for problem in found), found


def test_few_aliases_are_read_and_many_are_refused():
    shared = "model: m\nduration: 10 day\narms:\n  - name: a\n    versus: b\n"
    shared += "    doses: &same [{drug: d, amount: 1 mg/kg, at: 1 day}]\n"
    assert len(parse_study(shared + "  - {name: b, doses: *same}\n").arms[1].doses) == 1
    many = "".join(f"  - {{name: b{i}, doses: *same}}\n" for i in range(60))
    assert "more than 50 aliases" in problems(shared + many)[0]


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory():
    bomb = "a0: &a0 [x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 7)}]\n" for i in range(1, 8))
    assert "more than 50000 values" in problems(bomb)[0]


def test_a_file_that_is_missing_is_told_with_the_nearest_name(tmp_path):
    (tmp_path / "late_dq.yaml").write_text(one_arm())
    with pytest.raises(StudyError, match=r"There is no file '.*late_qd.yaml'. Did you mean 'late_dq.yaml'\?"):
        load_study_file(tmp_path / "late_qd.yaml")


def test_a_folder_is_no_study_file(tmp_path):
    with pytest.raises(StudyError, match="is a folder"):
        load_study_file(tmp_path)


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(StudyError, match="larger than 1 MB"):
        load_study_file(path)


def test_bytes_that_are_not_utf_8_are_reported_with_their_line(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"model: m\ntitle: Schl\xe4fer\n")
    with pytest.raises(StudyError, match=r"latin.yaml:2: byte 0xe4 is not UTF-8"):
        load_study_file(path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + one_arm().replace("\n", "\r\n").encode())
    assert load_study_file(path).model == "m"


# ---- a file on top of a study of the catalogue ---------------------------------------------------------------------
def test_a_base_is_taken_over_and_the_settings_of_the_file_are_laid_over_it():
    text = """\
base: lung_awakening
replicates: 3
options: {mesh: fine}
parameters: {x: 1 um}
without: [netosis]
record: {frames: 10 day}
"""
    study = parse_study(text, "mine.yaml")
    base = small_catalogue.study()
    assert (study.name, study.replicates, study.model) == ("mine", 3, base.model)
    assert study.options == {"dimensions": 2, "mesh": "fine"}
    assert (study.parameters, study.without, study.arms) == ({"x": "1 um"}, ("netosis",), base.arms)
    assert (study.record.frames, study.record.metrics) == (240.0, 24.0)


def test_an_arm_may_be_given_by_what_differs_from_another():
    text = """\
base: lung_awakening
arms:
  - name: late DQ
    like: doxorubicin + DQ
    shift: {dasatinib: 7 day, quercetin: -1 day}
  - name: later still
    like: late DQ
    without: [quercetin]
    doses: [{drug: cisplatin, amount: 3 mg/kg, at: 1 day}]
    resections: [{at: 5 day}]
    parameters: {x: 1 um}
    note: a hypothesis
"""
    late, later = parse_study(text).arms[-2:]
    base = small_catalogue.study()
    assert (
        late
        == base.with_arm("late DQ", like="doxorubicin + DQ", shift={"dasatinib": "7 day", "quercetin": "-1 day"}).arms[
            -1
        ]
    )
    assert [dose.drug for dose in later.doses] == ["doxorubicin", "dasatinib", "cisplatin"]
    assert (later.versus, later.note, later.parameters, len(later.resections)) == (
        "doxorubicin",
        "a hypothesis",
        {"x": "1 um"},
        1,
    )


def test_only_the_arms_to_keep_are_taken_from_the_base():
    text = "base: lung_awakening\nkeep: [doxorubicin]\narms:\n  - {name: late, like: doxorubicin + DQ}\n"
    study = parse_study(text)
    assert study.arm_names == ("doxorubicin", "late")
    assert study.contrasts == (("late", "doxorubicin"),)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("base: lung_awakning\narms: []\n", 1, "base: Unknown study 'lung_awakning'. Did you mean 'lung_awakening'?"),
        ("title: x\nbase: 3\n", 2, "base: expected the name of a study in the catalogue, not 3"),
        (
            "base: lung_awakening\nkeep: [vehicel]\n",
            2,
            "keep.0: Unknown arm of the base study 'vehicel'. Did you mean 'vehicle'?",
        ),
        ("base: lung_awakening\nkeep: vehicle\n", 2, "keep: expected a list of arms of the base study, not 'vehicle'"),
        (
            "base: lung_awakening\nkeep: [vehicle]\narms:\n  - {name: late, like: doxorubicin + DQ}\n",
            4,
            "arms.0: arm 'late' is compared with 'doxorubicin', which 'keep' leaves out",
        ),
        (
            "base: lung_awakening\nduration: 3 day\n",
            2,
            "duration: arm 'doxorubicin + DQ': dasatinib on day 4 is past the end",
        ),
        ("base: lung_awakening\narms:\n  - name: vehicle\n", 3, "arms.0.name: two arms are called 'vehicle'"),
        (
            "base: lung_awakening\narms:\n  - name: x\n    like: vehicel\n",
            4,
            "Unknown arm 'vehicel'. Did you mean 'vehicle'?",
        ),
        (
            "base: lung_awakening\narms: [{name: x, like: y}, {name: y}]\n",
            2,
            "arm 'y' stands below this one; put it above",
        ),
        (
            "base: lung_awakening\narms:\n  - name: x\n    like: doxorubicin\n    shift:\n      doxorubicine: 3 day\n",
            6,
            "arms.0.shift.doxorubicine: Unknown drug in arm 'doxorubicin' 'doxorubicine'. Did you mean 'doxorubicin'?",
        ),
        (
            "base: lung_awakening\narms:\n  - name: x\n    like: doxorubicin\n    shift: {doxorubicin: -3 day}\n",
            5,
            "arms.0.shift.doxorubicin: doxorubicin would be given before the study begins, on day -3",
        ),
        (
            "base: lung_awakening\narms:\n  - name: x\n    like: doxorubicin\n    shift: {doxorubicin: 90 day}\n",
            3,
            "arms.0: arm 'x': doxorubicin on day 90 is past the end of the study (day 60)",
        ),
        (
            "base: lung_awakening\narms:\n"
            "  - {name: x, like: doxorubicin, without: [doxorubicin], shift: {doxorubicin: 1 day}}\n",
            3,
            "doxorubicin is left out too",
        ),
        ("base: lung_awakening\noptions: 5\n", 2, "options: expected settings (key: value), not 5"),
    ],
)
def test_what_does_not_fit_the_base_is_reported_with_its_line(text, line, message):
    found = problems(text)
    assert any(problem.startswith(f"study.yaml:{line}: ") and message in problem for problem in found), found


def test_the_line_of_a_problem_that_only_the_model_can_know_is_found(tmp_path):
    path = tmp_path / "mine.yaml"
    text = """\
base: lung_awakening
readouts: [metastases, metastasis]
arms:
  - name: x
    versus: vehicle
    doses:
      - drug: cisplatine
        amount: 1 mg/kg
        at: 1 day
"""
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        check_study_file(path, small_catalogue.check_study)
    first, second = caught.value.problems
    assert first.startswith(f"{path}:2: Unknown readout 'metastasis'")
    assert second.startswith(f"{path}:7: arm 'x': unknown drug 'cisplatine'")


# ---- written, and described for others -----------------------------------------------------------------------------
def test_a_study_is_written_in_days_and_reads_back_the_same():
    study = small_catalogue.study()
    text = dump_study(study, schema="s.json")
    assert text.startswith("# yaml-language-server: $schema=s.json\nname: lung_awakening\n")
    assert "duration: 60 day" in text
    assert "at: [0 day]" in text
    assert parse_study(text) == study


@pytest.mark.parametrize(
    "word", ["1e3", "010", "0x1F", "no", "true", "~", "null", "12:30", "2026-01-31", ".5", "=", "<<"]
)
def test_text_that_looks_like_something_else_to_some_reader_of_yaml_stays_text(word):
    study = parse_study(one_arm(title=f"'{word}'"))
    assert study.title == word
    assert parse_study(dump_study(study)) == study
    assert yaml.safe_load(dump_study(study))["title"] == word


def test_the_schema_that_comes_with_the_package_is_current():
    assert json.loads(schema_path().read_text()) == study_schema()


def test_the_schema_describes_every_setting():
    schema = study_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, setting in part.get("properties", {}).items():
            assert setting.get("description"), name


@pytest.mark.parametrize("text", [small_catalogue.LUNG, dump_study(small_catalogue.study()), "base: lung_awakening\n"])
def test_the_schema_accepts_what_is_read(text):
    jsonschema.Draft202012Validator.check_schema(study_schema())
    jsonschema.validate(yaml.safe_load(text), study_schema())


def test_the_schema_accepts_the_example():
    jsonschema.validate(yaml.safe_load((EXAMPLES / "late_dq.yaml").read_text()), study_schema())


@pytest.mark.parametrize(
    "text",
    [
        one_arm(replicate="3"),
        one_arm(replicates="0"),
        one_arm(duration="60"),
        "title: x\n",
        one_arm(arms="[{name: a, dose: []}]"),
    ],
)
def test_the_schema_refuses_what_is_refused(text):
    assert problems(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), study_schema())


def test_the_example_is_ten_lines_about_one_question():
    study = load_study_file(EXAMPLES / "late_dq.yaml")
    assert study.name == "late_dq"
    assert study.contrasts[-1] == ("late DQ", "doxorubicin")
    assert [d.times[0] for d in study.arm("late DQ").doses] == [0.0, 9 * 24.0, 9 * 24.0]


def test_the_studies_in_the_documentation_are_read_and_fit_the_schema():
    text = (EXAMPLES.parent / "docs" / "study_file.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert [parse_study(block).arms[-1].name for block in blocks] == ["late DQ", "quercetin alone", "late doxorubicin"]
    for block in blocks:
        jsonschema.validate(yaml.safe_load(block), study_schema())


def test_the_errors_in_the_documentation_are_those_that_are_told():
    text = (EXAMPLES.parent / "docs" / "study_file.md").read_text(encoding="utf-8")
    right = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[0]
    wrong = right.replace("replicates", "replicate").replace("like: doxorubicin + DQ", "like: doxorubicin + QD")
    with pytest.raises(StudyError) as caught:
        parse_study(wrong.replace("{dasatinib: 7 day", "{dasatinib: 7"), "late_dq.yaml")
    assert str(caught.value) in text
