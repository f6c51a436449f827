"""An export writes what was selected or nothing, overwrites nothing, and says in words why it cannot."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from export_data import BODY, COHORT, TISSUE, columns, fields, with_sites, written

from paget.errors import ResultError, StorageFullError, UnknownNameError
from paget.io import export as package
from paget.io.export import FORMATS, Format, Selection, export, needed
from paget.io.export.hdf5 import hdf5_file


@pytest.fixture(scope="module")
def tissue(tmp_path_factory):
    model = {**TISSUE, "networks": []}
    return written(tmp_path_factory.mktemp("tissue") / "study", model, columns, fields)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return written(tmp_path_factory.mktemp("body") / "study", BODY, with_sites)


@pytest.fixture
def letters(monkeypatch):
    """A format whose writer does what a test asks of it."""

    def install(write):
        class Letters(Format):
            @property
            def write(self):
                return write

        one = Letters("letters", "letters", ".txt", "people", "", "letters")
        monkeypatch.setattr(package, "FORMATS", {**FORMATS, "letters": one})

    return install


def two_letters(result, folder, selection):
    for name in "ab":
        (folder / f"{name}.txt").write_text(name)
    return tuple(folder / f"{name}.txt" for name in "ab")


# ---- selection ----------------------------------------------------------------------------------------------------
def test_everything_is_selected_unless_something_is_asked_for(tissue):
    (frames,) = Selection().frames(tissue)
    assert (frames.arm, frames.animal, frames.days) == ("control", 0, (0.0, 1.0, 2.0))


def test_days_narrow_the_frames(tissue):
    (frames,) = Selection(days=(2.0, 0.0)).frames(tissue, "fields")
    assert frames.days == (0.0, 2.0)


def test_all_that_does_not_exist_is_named_at_once(body):
    with pytest.raises(ResultError) as found:
        Selection(arms=("contrl",), animals=(4,), sites=("lungs", "lung")).check(body)
    text = str(found.value)
    assert "no arm 'contrl'. Did you mean 'control'?" in text
    assert "no animal 4" in text
    assert "no site 'lungs'. Did you mean 'lung'?" in text


def test_a_tissue_has_no_sites(tissue):
    with pytest.raises(ResultError, match="follows one tissue, not a body"):
        Selection(sites=("lung",)).frames(tissue)


def test_a_day_that_is_stored_nowhere_is_refused_with_those_that_are(tissue):
    with pytest.raises(ResultError, match=r"of day 1\.5, 9; stored days: 0, 1, 2"):
        Selection(days=(0.0, 1.5, 9.0)).frames(tissue)


def test_an_animal_that_was_never_begun_has_no_frames(tissue):
    with pytest.raises(ResultError, match="stored frame of cells yet"):
        Selection(arms=("drug + X",)).frames(tissue)


def test_a_cohort_keeps_no_cells(tmp_path):
    cohort = written(tmp_path / "study", COHORT, None)
    with pytest.raises(ResultError, match="keeps no cells: its model follows numbers of cells"):
        Selection().frames(cohort)


def test_a_body_keeps_no_fields(body):
    with pytest.raises(ResultError, match="keeps no fields"):
        Selection().frames(body, "fields")


# ---- writing ------------------------------------------------------------------------------------------------------
def test_a_folder_is_made_with_all_files_in_it(tissue, tmp_path, letters):
    letters(two_letters)
    made = export(tissue, "letters", tmp_path / "deep" / "out")
    assert made == (tmp_path / "deep" / "out" / "a.txt", tmp_path / "deep" / "out" / "b.txt")
    assert [path.read_text() for path in made] == ["a", "b"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_one_file_takes_the_name_that_is_given(tissue, tmp_path, letters):
    letters(lambda result, folder, selection: two_letters(result, folder, selection)[:1])
    assert export(tissue, "letters", tmp_path / "mine.txt") == (tmp_path / "mine.txt",)
    assert (tmp_path / "mine.txt").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_several_files_do_not_fit_one_name(tissue, tmp_path, letters):
    letters(two_letters)
    with pytest.raises(ResultError, match="makes 2 files"):
        export(tissue, "letters", tmp_path / "mine.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["file", "full folder"])
def test_nothing_is_overwritten_and_nothing_written_in_vain(tissue, tmp_path, letters, there):
    letters(lambda *_: pytest.fail("the writer was called"))
    out = tmp_path / "out"
    if there == "file":
        out.write_text("precious")
    else:
        out.mkdir()
        (out / "precious").write_text("precious")
    with pytest.raises(ResultError, match="already there and is not overwritten"):
        export(tissue, "letters", out)
    assert (out if there == "file" else out / "precious").read_text() == "precious"


def test_an_empty_folder_may_be_there(tissue, tmp_path, letters):
    letters(two_letters)
    (tmp_path / "out").mkdir()
    assert len(export(tissue, "letters", tmp_path / "out")) == 2


def test_a_writer_that_fails_leaves_nothing(tissue, tmp_path, letters):
    def breaks(result, folder, selection):
        two_letters(result, folder, selection)
        raise ZeroDivisionError

    letters(breaks)
    with pytest.raises(ZeroDivisionError):
        export(tissue, "letters", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"),
    ],
)
def test_a_full_disk_is_one_clear_error(tissue, tmp_path, letters, problem):
    def fills(result, folder, selection):
        two_letters(result, folder, selection)
        try:
            raise problem
        except Exception as cause:
            raise ValueError("the array could not be closed") from cause

    letters(fills)
    with pytest.raises(StorageFullError, match=r"out cannot be written\. Nothing of it was kept"):
        export(tissue, "letters", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_named_with_the_nearest(tissue, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'anndata'"):
        export(tissue, "anndat", tmp_path / "out")


def test_a_missing_library_is_named_with_its_extra():
    with pytest.raises(ResultError, match=r"by no_such_library, which is not installed: pip install 'paget\[export\]'"):
        needed("no_such_library.inner", "export", "Files are written")


def test_every_format_has_a_writer():
    for entry in FORMATS.values():
        assert callable(entry.write)
        assert entry.title
        assert entry.reader


def test_an_hdf5_file_is_on_the_disk_only_once_it_is_complete(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("h5py", reason="HDF5 comes with the extra 'export'")
    with hdf5_file(tmp_path / "one.h5", "It is written") as file:
        file["numbers"] = np.arange(10**6)
        file.flush()
        assert list(tmp_path.iterdir()) == []
    assert (tmp_path / "one.h5").stat().st_size > 8 * 10**6


# ---- days ---------------------------------------------------------------------------------------------------------
def test_days_of_a_block_of_a_cohort_are_those_of_its_folder(tmp_path):
    cohort = written(tmp_path / "study", COHORT, None, fields, animals=60)
    assert cohort.field_days("control", 0) == (0.0, 1.0, 2.0)
    assert cohort.field_days("control", 49) == (0.0, 1.0, 2.0)
    assert cohort.field_days("control", 50) == ()  # of the second block, which was not begun
    assert cohort.cell_days("control", 0) == ()
    assert np.isnan(cohort.outcomes["value"]).sum() == 0
