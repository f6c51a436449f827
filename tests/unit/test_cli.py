import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import small_catalogue

import paget
from paget.cli import main
from paget.errors import FolderInUseError, SimulationFailed
from paget.io.study_file import load_study_file, parse_study, study_schema


@pytest.fixture(autouse=True)
def _workplace(monkeypatch, tmp_path):
    """An empty folder to work in, the small catalogue, and a terminal that is a pipe of known width."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    small_catalogue.install(monkeypatch, tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "PAGET_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def call(capsys, monkeypatch):
    """Call the command line and give its exit code, its output and what it said on standard error."""

    def called(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["paget", *arguments])
        code = main(arguments)
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return called


class FakeResult:
    """What `simulate` gives back, with one comparison in each readout."""

    def __init__(self, study, path: Path) -> None:
        self.study, self.path, self.arms = study, path, study.arm_names
        self.readouts = small_catalogue.DESCRIPTION["readouts"]
        rows = [(arm, i, "metastases", float(i), True) for arm in self.arms for i in range(study.replicates)]
        self.outcomes = pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])
        self.reported: list[Path | None] = []
        self.failed = dict.fromkeys(self.arms, 0)
        self.moments = pd.DataFrame([], columns=["arm", "animal", "moment", "day"])

    def comparisons(self):
        from paget.compare import Comparison

        return tuple(
            Comparison(
                readout=name, title=name.title(), unit="", kind="count", arm=arm, versus=versus,
                n_arm=1, n_versus=1, mean_arm=5.25, mean_versus=2.5, mean_name="mean", sd_arm=1.0, sd_versus=1.0,
                effect=2.75, interval=(1.25, 4.25), effect_size=None, effect_size_name="", test="t", statistic=1.0,
                p=0.0004, p_adjusted=0.0004, paired=True, note="",
            )
            for name in ("nets", "metastases")
            for arm, versus in self.study.contrasts
        )  # fmt: skip

    def report(self, path: Path | None = None) -> Path:
        self.reported.append(path)
        page = path or self.path / "report.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text("<html>")
        return page


@pytest.fixture
def simulated(monkeypatch):
    """Replace the simulation; what it was asked to do is in the list."""
    import paget.engine.ensemble as ensemble

    asked: list[SimpleNamespace] = []

    def simulate(study, **settings):
        asked.append(SimpleNamespace(study=study, **settings))
        total = len(study.arms) * study.replicates
        for i in range(1, total + 1):
            message = "animal 0 of arm 'vehicle': killed; started again" if i == 2 else ""
            event = ensemble.Event("done", study.arm_names[0], i - 1, 1.0, i, 0, total, i / total, message)
            settings["progress"](event)
        asked[-1].result = FakeResult(study, Path(settings["out"]))
        return asked[-1].result

    monkeypatch.setattr(ensemble, "simulate", simulate)
    return asked


# ---- the whole ----------------------------------------------------------------------------------------------------
def test_help_tells_every_command_and_costs_no_heavy_import():
    heavy = ("numpy", "pandas", "scipy", "numba", "pydantic", "pint", "yaml", "zarr", "pyarrow", "matplotlib")
    code = f"import sys; from paget.cli import main; main(['--help']); print([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(Path(paget.__file__).parents[1]), "COLUMNS": "90"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    for command in ("list", "show", "explain", "run", "report", "info", "new", "schema", "import", "grow"):
        assert f" {command} " in done.stdout
    assert done.stdout.strip().endswith("[]")


def test_the_version_is_shown(call):
    assert call("--version").out == f"paget {paget.__version__}\n"


def test_wrong_usage_has_exit_code_2_and_offers_the_nearest_command(call):
    wrong = call("shwo", "lung_awakening")
    assert wrong.code == 2
    assert "Did you mean 'show'" in wrong.err
    assert call("run").code == 2
    assert call("run", "lung_awakening", "--replicates", "many").code == 2
    assert call("run", "lung_awakening", "--replicate", "3").code == 2


def test_every_command_has_help_with_its_arguments(call):
    for command in ("list", "show", "explain", "run", "report", "info", "new", "schema", "import", "grow"):
        told = call(command, "--help")
        assert told.code == 0
        assert f"Usage: paget {command}" in told.out


@pytest.mark.parametrize("width", ["20", "40", "200"])
def test_no_terminal_is_too_narrow(call, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    for arguments in (["--help"], ["list"], ["show", "lung_awakening"], ["explain", "lung_awakening"]):
        told = call(*arguments)
        assert told.code == 0
        assert "\x1b" not in told.out


def test_an_output_that_knows_only_ascii_gets_no_error():
    root = Path(paget.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"}
    code = "from paget.cli.terminal import *; make_encodings_safe(); say('5 µm → β'); grid(['µ'], [['β']])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout.startswith(b"5 ?m ? ?")


# ---- looking ------------------------------------------------------------------------------------------------------
def test_list_tells_studies_models_and_drugs(call):
    told = call("list").out
    assert "Dormant cells in the lung" in told
    assert "60 days" in told
    assert "Dormant tumour cells in lung tissue" in told
    assert "Damages DNA." in told


def test_show_tells_arms_in_words_readouts_options_and_sources(call):
    told = " ".join(call("show", "lung_awakening").out.split())
    assert "doxorubicin 5 mg/kg on day 0" in told
    assert "colonies of at least 20 cells" in told
    assert "slice or block of tissue" in told
    assert "https://doi.org/10.1073/pnas.1200419109" in told


def test_show_takes_a_file_and_its_readouts(call):
    Path("mine.yaml").write_text("base: lung_awakening\nname: mine\nreadouts: [nets]\nseed: 77\n")
    told = call("show", "mine.yaml").out
    assert "released chromatin" in told
    assert "colonies of at least 20 cells" not in told
    assert "77" in told


def test_explain_tells_processes_parameters_and_assumptions(call):
    told = " ".join(call("explain", "lung_awakening").out.split())
    for part in (
        "DNases dissolve traps.",
        "reads field.nets; adds field.nets",
        "net_half_life*",
        "8 h, CV 20%",
        "assumed",
    ):
        assert part in told
    for part in ("between two [published]", "[Demers2012, Fig. 2]", "Vessels do not grow.", "No claim about patients."):
        assert part in told


def test_explain_as_json_is_the_description_of_the_model(call):
    assert json.loads(call("explain", "lung_awakening", "--json").out) == small_catalogue.DESCRIPTION


# ---- errors -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "lung_awakenin"], "Unknown study 'lung_awakenin'. Did you mean 'lung_awakening'?"),
        (["show", "absent.yaml"], "There is no file 'absent.yaml'."),
        (["run", "lung_awakening", "--arms", "vehicel"], "Unknown arm 'vehicel'. Did you mean 'vehicle'?"),
        (["run", "lung_awakening", "--arms", ""], "Unknown arm ''"),
        (["run", "lung_awakening", "--replicates", "0"], "replicates: must be at least 1, not 0"),
        (["run", "lung_awakening", "--seed", "-1"], "seed: must be at least 0, not -1"),
        (["run", "lung_awakening", "--workers", "0"], "--workers 0: at least one animal"),
        (["run", "lung_awakening", "--option", "dimensions"], "expected KEY=VALUE"),
        (
            ["run", "lung_awakening", "--option", "dimension=3"],
            "Unknown option 'dimension'. Did you mean 'dimensions'?",
        ),
        (["run", "lung_awakening", "--resume"], "add --out DIR"),
        (["info", "nowhere"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["new", "mine.txt"], "ends in .yaml"),
        (["new", "mine.yaml", "--base", "lungs"], "Unknown study 'lungs'"),
    ],
)
def test_an_error_is_one_message_with_exit_code_1_and_leaves_nothing(call, arguments, message):
    told = call(*arguments)
    assert told.code == 1
    assert told.err.startswith("Error: ")
    assert message in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
    assert list(Path().iterdir()) == []


def test_problems_of_a_file_come_with_their_lines(call):
    Path("mine.yaml").write_text("base: lung_awakening\nreplicate: 3\nseed: -1\n")
    told = call("run", "mine.yaml")
    assert told.code == 1
    assert "mine.yaml:2: replicate: unknown setting 'replicate'. Did you mean 'replicates'?" in told.err
    assert "mine.yaml:3: seed: must be at least 0, not -1" in told.err


def test_problems_with_the_model_come_with_their_lines_too(call):
    Path("mine.yaml").write_text("base: lung_awakening\nreplicates: 3\nreadouts: [metastasis]\n")
    assert "mine.yaml:3: Unknown readout 'metastasis'. Did you mean 'metastases'?" in call("show", "mine.yaml").err


def test_a_file_without_the_ending_is_told_apart_from_a_study(call):
    Path("mine").write_text("base: lung_awakening\n")
    assert "A study file ends in .yaml." in call("show", "mine").err


def test_with_paget_debug_the_error_is_raised(monkeypatch):
    monkeypatch.setenv("PAGET_DEBUG", "1")
    with pytest.raises(paget.errors.UnknownNameError):
        main(["show", "lungs"])


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "The disk is full: '/full/run.json'."),
        (errno.EACCES, "No permission to use '/full/run.json'."),
        (errno.EIO, "Input/output error: '/full/run.json'"),
    ],
)
def test_an_error_of_the_system_is_told_without_a_traceback(call, monkeypatch, number, message):
    def fail(**kwargs):
        raise OSError(number, os.strerror(number), "/full/run.json")

    monkeypatch.setattr("paget.engine.ensemble.simulate", lambda study, **settings: fail())
    told = call("run", "lung_awakening")
    assert told.code == 1
    assert message in told.err
    assert "Traceback" not in told.err


# ---- running ------------------------------------------------------------------------------------------------------
def test_run_simulates_writes_the_report_and_tells_the_headline(call, simulated):
    told = call("run", "lung_awakening", "--replicates", "2", "--seed", "7", "--workers", "1")
    assert told.code == 0
    (asked,) = simulated
    assert (asked.study.replicates, asked.study.seed, asked.workers, asked.resume) == (2, 7, 1, False)
    assert asked.out == Path("lung_awakening-results")
    assert asked.result.reported == [None]
    assert "lung_awakening: 3 arms x 2 = 6 animals, 60 days, seed 7, into lung_awakening-results" in told.out
    assert "+2.8 (1.2 to 4.2)" in told.out
    assert "< 0.001" in told.out
    assert "Nets" not in told.out
    assert told.out.count("fewer than the 2 animals planned") == 1
    assert told.out.rstrip().endswith(f"Report: {Path('lung_awakening-results/report.html')}")


def test_run_without_a_report_tells_the_folder(call, simulated):
    told = call("run", "lung_awakening", "--out", "here", "--no-report")
    assert simulated[0].result.reported == []
    assert told.out.rstrip().endswith("Result: here")


def test_progress_goes_to_standard_error_in_plain_lines(call, simulated):
    told = call("run", "lung_awakening", "--replicates", "2")
    assert "6 of 6 animals done (100%)" in told.err
    assert "killed; started again" in told.err
    assert "animals done" not in told.out
    assert "\x1b" not in told.err + told.out


def test_arms_may_be_listed_or_repeated_and_their_names_may_hold_a_plus(call, simulated):
    call("run", "lung_awakening", "--arms", "doxorubicin + DQ,vehicle")
    call("run", "lung_awakening", "--arms", "doxorubicin", "--arms", "vehicle", "--out", "b")
    assert [asked.study.arm_names for asked in simulated] == [
        ("vehicle", "doxorubicin + DQ"),
        ("vehicle", "doxorubicin"),
    ]


def test_an_arm_without_its_control_is_remarked_and_its_means_are_told(call, simulated):
    told = call("run", "lung_awakening", "--arms", "doxorubicin", "--replicates", "3")
    assert "'doxorubicin' will not be compared: its control 'vehicle'" in told.err
    assert told.out.split("Results")[1].split()[:4] == ["readout", "arm", "mean", "animals"]


def test_options_are_numbers_where_they_look_like_numbers(call, simulated):
    call("run", "lung_awakening", "--option", "dimensions=3")
    assert simulated[0].study.options == {"dimensions": 3}


def test_the_text_kept_with_a_result_describes_what_was_run(call, simulated):
    Path("mine.yaml").write_text("# my question\nbase: lung_awakening\n")
    call("run", "mine.yaml")
    call("run", "mine.yaml", "--seed", "9", "--out", "b")
    assert simulated[0].source_text == "# my question\nbase: lung_awakening\n"
    assert parse_study(simulated[1].source_text) == simulated[1].study
    assert simulated[1].study.seed == 9


def test_a_second_run_gets_a_folder_of_its_own(call, simulated):
    call("run", "lung_awakening")
    call("run", "lung_awakening")
    assert [asked.out.name for asked in simulated] == ["lung_awakening-results", "lung_awakening-results-2"]


def test_ctrl_c_tells_how_to_go_on_in_the_same_folder(call, monkeypatch):
    def interrupted(study, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("paget.engine.ensemble.simulate", interrupted)
    told = call("run", "lung_awakening", "--seed", "3")
    assert told.code == 130
    assert "paget run lung_awakening --seed 3 --out lung_awakening-results --resume" in told.err
    told = call("run", "lung_awakening", "--out", "my folder", "--resume")
    assert "paget run lung_awakening --out 'my folder' --resume\n" in told.err


def test_a_stop_by_the_system_keeps_its_exit_code(call, monkeypatch):
    def terminated(study, **settings):
        raise SystemExit(143)

    monkeypatch.setattr("paget.engine.ensemble.simulate", terminated)
    told = call("run", "lung_awakening")
    assert told.code == 143
    assert "--resume" in told.err


def test_failed_animals_leave_a_folder_that_can_be_reported(call, monkeypatch):
    def failed(study, **settings):
        raise SimulationFailed("1 animal could not be finished.")

    monkeypatch.setattr("paget.engine.ensemble.simulate", failed)
    told = call("run", "lung_awakening", "--out", "here")
    assert told.code == 1
    assert "1 animal could not be finished.\nFor a report of the others: paget report here" in told.err


def test_a_folder_in_use_is_left_alone(call, monkeypatch):
    def taken(study, **settings):
        raise FolderInUseError("here holds results; continue them with --resume.")

    monkeypatch.setattr("paget.engine.ensemble.simulate", taken)
    assert (
        call("run", "lung_awakening", "--out", "here").err
        == "Error: here holds results; continue them with --resume.\n"
    )


def test_the_time_left_is_judged_by_this_run_alone():
    from paget.cli.progress import Remaining

    clock = iter([0.0, 1.0, 60.0, 600.0, 20_000.0])
    remaining = Remaining(lambda: next(clock))
    assert remaining.words(0.5) == ""
    assert remaining.words(0.6) == ""
    assert remaining.words(0.75) == "about 1 min left"
    assert remaining.words(0.99) == "about 12 s left"
    assert remaining.words(0.75) == "about 5.6 h left"


# ---- results ------------------------------------------------------------------------------------------------------
@pytest.fixture
def opened(monkeypatch):
    study = small_catalogue.study().changed(replicates=2)
    result = FakeResult(study, Path("here"))
    rows = [(arm, i, "done", 1, 3.0, "") for arm in study.arm_names for i in range(2)]
    rows[1] = ("vehicle", 1, "failed", 3, 1.0, "the cells left the tissue")
    rows[2] = ("doxorubicin", 0, "pending", 0, 0.0, "")
    result.status = pd.DataFrame(rows, columns=["arm", "animal", "status", "tries", "wall_seconds", "error"])
    monkeypatch.setattr("paget.results.Result.open", lambda path: result)
    return result


def test_report_writes_where_it_is_told(call, opened):
    assert call("report", "here", "--out", "page.html").out == "Report: page.html\n"
    assert opened.reported == [Path("page.html")]


# ---- writing ------------------------------------------------------------------------------------------------------
def test_new_writes_a_file_that_runs_and_never_overwrites(call):
    assert call("new", "mine.yaml").code == 0
    study = load_study_file("mine.yaml")
    assert study.name == "mine"
    assert study.arms[-1].name == "my doxorubicin + DQ"
    assert study.arms[-1].doses[-1].times[0] == 9 * 24.0
    assert "doxorubicin 5 mg/kg on day 0" in Path("mine.yaml").read_text()
    Path("mine.yaml").write_text("mine")
    told = call("new", "mine.yaml")
    assert told.code == 1
    assert "exists already" in told.err
    assert Path("mine.yaml").read_text() == "mine"


def test_new_in_a_folder_that_is_not_there_says_so(call):
    told = call("new", "absent/mine.yaml")
    assert told.code == 1
    assert "No such file or directory: 'absent/mine.yaml'" in told.err


def test_schema_is_the_schema_of_study_files(call):
    assert json.loads(call("schema").out) == study_schema()
