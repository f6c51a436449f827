"""A finished or unfinished study on disk, and what was found in it. Opening one needs no engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.described import checked_site, sites_with_fields, tissue_of
from paget.errors import DamagedResultError, ResultError, UnknownNameError
from paget.experiment import HOURS_PER_DAY, KINDS, Study, conditions
from paget.results import tables
from paget.results.files import is_locked
from paget.results.manifest import read_manifest, read_study
from paget.results.record import FIELDS_NAME, FilePart, RunRecord, animal_folder, blocks, part_name, read_record
from paget.results.summary import outcomes

if TYPE_CHECKING:
    from paget.compare import Comparison

__all__ = ["Result"]

EVENT_COLUMNS = ("day", "kind", "cell", "other", "type", "x", "y", "z")
STATUS_COLUMNS = ("arm", "animal", "status", "tries", "wall_seconds", "error")
SAME_DAY = 1e-6


@dataclass(frozen=True, eq=False)
class Result:
    """What came out of a study. Tables are read when first asked for; days count from the start of the study.

    Only what was committed is read, so a result may be opened while the study is still running.
    """

    path: Path
    study: Study
    manifest: dict[str, Any] = field(repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the folder of a study.

        Raises
        ------
        ResultError
            If the folder holds no result.
        DamagedResultError
            If one of its files is broken, was changed, or was written by a newer paget; names the file.
        """
        folder = Path(path)
        manifest = read_manifest(folder)
        return cls(folder, read_study(folder, manifest["study_sha256"]), manifest)

    # ---- what there is --------------------------------------------------------------------------------------------
    @property
    def arms(self) -> tuple[str, ...]:
        return self.study.arm_names

    @property
    def animals(self) -> tuple[int, ...]:
        return tuple(range(self.study.replicates))

    @property
    def model(self) -> dict[str, Any]:
        """Description of the model: readouts, cell types, fields, processes, parameters, sources."""
        model: dict[str, Any] = self.manifest["model"]
        return model

    @property
    def readouts(self) -> list[dict[str, Any]]:
        """Descriptions of the readouts that the study reports."""
        wanted = self.study.readouts
        return [r for r in self.model["readouts"] if not wanted or r["name"] in wanted]

    @property
    def status(self) -> pd.DataFrame:
        """How each animal went: ``arm, animal, status, tries, wall_seconds, error``.

        Of animals that are computed in blocks, a row is a block, named by its first animal. The status is done, running,
        pending (not begun, or interrupted and to be resumed) or failed.
        """
        rows = []
        size = max(int(self.model.get("block", 1)), 1)
        for arm, number in self._all():
            folder, animal = animal_folder(self.path, self.study, arm, number), number * size
            try:
                record = read_record(folder)
            except DamagedResultError as problem:
                rows.append((arm, animal, "failed", 0, 0.0, str(problem)))
                continue
            if record is None:
                rows.append((arm, animal, "pending", 0, 0.0, ""))
                continue
            interrupted = record.status == "running" and not is_locked(folder)
            status = "pending" if interrupted else record.status
            rows.append((arm, animal, status, record.tries, record.wall_seconds, record.error))
        return pd.DataFrame(rows, columns=list(STATUS_COLUMNS))

    @property
    def moments(self) -> pd.DataFrame:
        """When what an arm waits for happened to each finished animal: ``arm, animal, moment, day``; NaN if it never did."""
        rows = []
        for arm, number, record in self._records():
            if record.status == "done":
                for condition in conditions(self.study.arm(arm).interventions):
                    time = record.moments.get(str(condition), float("nan"))
                    rows.append((arm, number, str(condition), time / HOURS_PER_DAY))
        return pd.DataFrame(rows, columns=["arm", "animal", "moment", "day"])

    @property
    def failed(self) -> dict[str, int]:
        """For each arm the number of animals that failed: they have no readouts, and every comparison tells them."""
        size = max(int(self.model.get("block", 1)), 1)
        status = self.status
        lost = status[status["status"] == "failed"]
        found = dict.fromkeys(self.arms, 0)
        for arm, animal in zip(lost["arm"], lost["animal"], strict=True):
            found[arm] += min(size, self.study.replicates - int(animal))
        return found

    def frame_days(self) -> tuple[float, ...]:
        """Days of which at least one animal has a tissue frame."""
        return tuple(
            sorted({time / HOURS_PER_DAY for _, _, record in self._records() for time, _, _ in record.cell_frames})
        )

    def cell_days(self, arm: str, animal: int) -> tuple[float, ...]:
        """Days on which a tissue frame of this animal is stored; none of one that was not begun or has no cells."""
        record = self._begun(arm, animal)
        return () if record is None else tuple(time / HOURS_PER_DAY for time, _, _ in record.cell_frames)

    @property
    def field_sites(self) -> tuple[str, ...]:
        """Sites of a body whose concentrations are recorded, each on a grid of its own; none for a study of one tissue."""
        return sites_with_fields(self.model)

    def field_days(self, arm: str, animal: int, site: str | None = None) -> tuple[float, ...]:
        """Days on which the concentrations of this animal are stored: of one site, or of any if none is named."""
        record = self._begun(arm, animal)
        if record is None:
            return ()
        stored = record.stored_fields
        frames = {*stored.get(site, ())} if site else {index for some in stored.values() for index in some}
        return tuple(index * self.study.record.frames / HOURS_PER_DAY for index in sorted(frames))

    def folder(self, arm: str, animal: int) -> Path:
        """Where the files of one animal are."""
        return animal_folder(self.path, self.study, arm, animal)

    # ---- tables ---------------------------------------------------------------------------------------------------
    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Readouts of all finished animals over time: ``arm, animal, day`` and one column for each readout."""
        table = self._written("metrics.parquet")
        return table if table is not None else self.assemble_metrics()

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """One value per finished animal and readout: ``arm, animal, readout, value, observed`` (False: censored)."""
        table = self._written("outcomes.parquet")
        return (
            table if table is not None else outcomes(self.metrics, self.readouts, self.study.duration / HOURS_PER_DAY)
        )

    def assemble_metrics(self) -> pd.DataFrame:
        """Put the readouts of all finished animals together from their own files."""
        pieces = []
        for arm, animal, record in self._records():
            if record.status != "done":
                continue
            piece = self._concatenated(arm, animal, record, "metrics")
            if piece is None:
                raise DamagedResultError(
                    f"{animal_folder(self.path, self.study, arm, animal)} has no readouts, although it is done."
                )
            whose = piece.pop("animal") if "animal" in piece else np.int64(animal)
            piece.insert(0, "day", piece.pop("time") / HOURS_PER_DAY)
            piece.insert(0, "animal", whose)
            piece.insert(0, "arm", arm)
            pieces.append(piece)
        if not pieces:
            return pd.DataFrame(columns=["arm", "animal", "day", *(r["name"] for r in self.readouts)])
        return pd.concat(pieces, ignore_index=True)

    def events(self, arm: str, animal: int) -> pd.DataFrame:
        """Events of one animal in the order of their happening: ``day, kind, cell, other, type, x, y, z``.

        Of a whole body also ``site``, where it happened, and of cells that arrive ``origin``, where they came from, and
        ``clone``.
        """
        table = self._concatenated(arm, animal, self._record(arm, animal), "events")
        if table is None:
            return pd.DataFrame(columns=list(EVENT_COLUMNS))
        table.insert(0, "day", table.pop("time") / HOURS_PER_DAY)
        table = table.sort_values("day", kind="stable", ignore_index=True)
        table["kind"] = _named(table["kind"].to_numpy(), self.model["event_kinds"], "event kind")
        table["type"] = _named(table["type"].to_numpy(), [*self._cell_types(), ""], "cell type")  # code -1: no cell
        for place in ("site", "origin"):
            if place in table:
                table[place] = _named(table[place].to_numpy(), [*self.model["sites"], ""], place)
        return table

    # ---- tissue ---------------------------------------------------------------------------------------------------
    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame:
        """The cells of one animal on one stored day: id, type, x, y, z, radius in um, and further columns.

        Raises
        ------
        ResultError
            If no frame of that day is stored; the message names the days that are.
        """
        record = self._record(arm, animal)
        for time, segment, row_group in record.cell_frames:
            if abs(time / HOURS_PER_DAY - day) < SAME_DAY:
                name = part_name("cells", segment)
                path = animal_folder(self.path, self.study, arm, animal) / name
                table = tables.read(path, record.parts[name], row_group).drop_columns(["time"])
                frame: pd.DataFrame = table.to_pandas()
                frame["type"] = _named(frame["type"].to_numpy(), self._cell_types(), "cell type")
                if "site" in frame:
                    frame["site"] = _named(frame["site"].to_numpy(), self.model["sites"], "site")
                return frame
        raise self._no_frame(arm, animal, day, [time / HOURS_PER_DAY for time, _, _ in record.cell_frames])

    def field(self, arm: str, animal: int, day: float, name: str, site: str | None = None) -> npt.NDArray[np.float32]:
        """Concentrations [z, y, x] of one field on one stored day, of a body those at one of its `field_sites`."""
        from paget.results.fields import read_frame

        where = checked_site(self.model, site)
        names = [f["name"] for f in tissue_of(self.model, where)["fields"]]
        if name not in names:
            raise UnknownNameError("field", name, names)
        record = self._record(arm, animal)
        frames = record.stored_fields.get(where, ())
        days = {index: index * self.study.record.frames / HOURS_PER_DAY for index in frames}
        for index, stored in days.items():
            if abs(stored - day) < SAME_DAY:
                frame = read_frame(animal_folder(self.path, self.study, arm, animal) / FIELDS_NAME, index, where)
                return np.array(frame[names.index(name)])
        raise self._no_frame(arm, animal, day, list(days.values()))

    def state_days(self, arm: str, animal: int) -> tuple[float, ...]:
        """Days of which the exact state of one animal was kept."""
        return tuple(time / HOURS_PER_DAY for time, _ in self._record(arm, animal).states)

    def state(self, arm: str, animal: int, day: float) -> dict[str, npt.NDArray[Any]]:
        """The exact state of one animal on one kept day, bit for bit, from which the engine can go on."""
        from paget.results.states import unpacked

        record = self._record(arm, animal)
        for time, name in record.states:
            if abs(time / HOURS_PER_DAY - day) < SAME_DAY:
                return unpacked(animal_folder(self.path, self.study, arm, animal) / name, record.parts[name])
        raise self._no_frame(arm, animal, day, [time / HOURS_PER_DAY for time, _ in record.states], "state")

    def lineage(self, arm: str, animal: int) -> pd.DataFrame:
        """Every cell that was ever seen in one animal, with mother, founder, birth, end, fate, clone and site.

        See `paget.results.lineage.lineage` for its columns. The clone of tumour cells only is told.
        """
        from paget.results.lineage import lineage_of

        return lineage_of(self, arm, animal)

    def newick(self, arm: str, animal: int, family: pd.DataFrame | None = None, **choices: Any) -> str:
        """Family trees of one animal in the Newick format, of the families that have tumour cells if the model has any.

        family : its `lineage`, or a part of it; choices : founders, types, survivors, joined, comments; see
        `paget.results.trees.newick`.
        """
        from paget.results.lineage import tumour_types
        from paget.results.trees import newick

        table = self.lineage(arm, animal) if family is None else family
        return newick(table, **{"types": tumour_types(self.model) or None, **choices})

    def to_xarray(
        self, what: str = "metrics", arm: str | None = None, animal: int | None = None, site: str | None = None
    ) -> Any:
        """Readouts or concentrations as an `xarray.Dataset` with units; what was not measured is NaN.

        what : "metrics", readouts over arm, animal and day; "outcomes", one value for each arm and animal; "fields", the
        concentrations of one animal of one arm over day, z, y and x, of a body those at one of its `field_sites`.
        """
        from paget.io.export.series import fields_to_xarray, to_xarray

        if what != "fields":
            return to_xarray(self, what)
        if arm is None or animal is None:
            raise ResultError('Fields are those of one animal; name it: to_xarray("fields", arm, animal).')
        return fields_to_xarray(self, arm, animal, site=site)

    def to_anndata(self, arm: str, animal: int, day: float, sites: tuple[str, ...] | None = None) -> Any:
        """One tissue frame as an `anndata.AnnData`; see `paget.io.export.anndata`."""
        from paget.io.export.anndata import to_anndata

        return to_anndata(self, arm, animal, day, sites)

    def to_spatialdata(self, arm: str, animal: int, day: float, sites: tuple[str, ...] | None = None) -> Any:
        """One tissue frame as a `spatialdata.SpatialData`; see `paget.io.export.spatialdata`."""
        from paget.io.export.spatialdata import to_spatialdata

        return to_spatialdata(self, arm, animal, day, sites)

    def branch(self, arm: str, day: float, name: str = "") -> Study:
        """A study whose animals are those of `arm` as they were on a kept day, from which each arm of it goes on.

        It has one arm, "as before", in which what lasts in `arm` goes on, antibodies given before that day go on acting, and
        nothing is given any more; add others with `Study.with_arm`. Give what they get at times counted from the start of this
        study.

        Raises
        ------
        StudyError, UnknownNameError, ResultError
            If no state of that day was to be kept (``record.states``), or none is kept.
        """
        from paget.experiment import Antibody, Intervention, Lasting

        self.state(arm, 0, day)
        record = self.study.record
        source = self.study.arm(arm).settled(self.study.duration)
        going_on: dict[str, tuple[Intervention, ...]] = {
            kind: tuple(what for what in getattr(source, kind) if isinstance(what, Lasting)) for kind, _ in KINDS
        }
        going_on["antibodies"] = tuple(
            what.at_times((act.time,)) for what, act in source.plan(day * HOURS_PER_DAY).of(Antibody)
        )
        return self.study.changed(
            name=name or f"{self.study.name}_day_{day:g}".replace(".", "_"),
            arms=({"name": "as before", "parameters": source.parameters, **going_on},),
            sweep=None,
            record=record.model_copy(update={"states": tuple(t for t in record.states if t > day * HOURS_PER_DAY)}),
            branch={"result": str(self.path.resolve()), "arm": arm, "at": f"{day:.12g} day"},
        )

    # ---- findings -------------------------------------------------------------------------------------------------
    def effect(self, readout: str, arm: str, versus: str | None = None) -> Comparison:
        """How one arm differs from another in one readout, adjusted (Holm) for the other readouts of that pair.

        Parameters
        ----------
        readout : name of the readout.
        arm, versus : the two arms; `versus` is the arm's own control if left out.
        """
        from paget.compare import compare

        names = [r["name"] for r in self.readouts]
        if readout not in names:
            raise UnknownNameError("readout", readout, names)
        control = self.study.arm(versus).name if versus is not None else self.study.arm(arm).versus
        if control is None:
            raise ResultError(f"'{arm}' is a control arm; say which arm to compare it with: versus=...")
        self.study.arm(arm)
        found = compare(self.outcomes, self.readouts, ((arm, control),), paired=True, failed=self.failed)
        return next(c for c in found if c.readout == readout)

    def comparisons(self) -> tuple[Comparison, ...]:
        """Every contrast of the study in every readout, adjusted (Holm) over the readouts of a contrast."""
        from paget.compare import compare

        return compare(self.outcomes, self.readouts, self.study.contrasts, paired=True, failed=self.failed)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the self-contained report page; ``report.html`` in the folder of the result if no path is given."""
        from paget.report import write_report

        return write_report(self, Path(path) if path is not None else self.path / "report.html")

    def figures(self, folder: str | Path | None = None, formats: Sequence[str] = ("svg",)) -> list[Path]:
        """Write the figures of the report for print, as svg, pdf or png; into ``figures`` in the folder of the result."""
        from paget.report import publish

        return publish(self, Path(folder) if folder is not None else self.path / "figures", formats)

    # ---- integrity ------------------------------------------------------------------------------------------------
    def verify(self) -> None:
        """Compare every committed file with its checksum; `DamagedResultError` names all that differ."""
        bad = [name for name, part in self._tables().items() if not _is_intact(self.path / name, part)]
        for arm, animal, record in self._records():
            folder = animal_folder(self.path, self.study, arm, animal)
            bad += [
                str((folder / n).relative_to(self.path))
                for n, part in record.parts.items()
                if not _is_intact(folder / n, part)
            ]
        if bad:
            raise DamagedResultError(f"{self.path}: these files are not what was written: {', '.join(bad)}.")

    # ---- inside ---------------------------------------------------------------------------------------------------
    def _all(self) -> Iterator[tuple[str, int]]:
        return ((arm, number) for arm in self.arms for number in blocks(self.study, self.model))

    def _records(self) -> Iterator[tuple[str, int, RunRecord]]:
        for arm, animal in self._all():
            record = read_record(animal_folder(self.path, self.study, arm, animal))
            if record is not None:
                yield arm, animal, record

    def _begun(self, arm: str, animal: int) -> RunRecord | None:
        """The record of an animal, or of the block to which it belongs, if it was begun."""
        block = max(int(self.model.get("block", 1)), 1)
        return read_record(animal_folder(self.path, self.study, arm, animal // block))

    def _record(self, arm: str, animal: int) -> RunRecord:
        self.study.arm(arm)
        if animal not in self.animals:
            raise ResultError(
                f"There is no animal {animal}; the study has animals 0 to {self.study.replicates - 1} in each arm."
            )
        record = read_record(animal_folder(self.path, self.study, arm, animal))
        if record is None:
            raise ResultError(f"Animal {animal} of arm '{arm}' has not been started; resume the study to run it.")
        return record

    def _concatenated(self, arm: str, animal: int, record: RunRecord, kind: str) -> pd.DataFrame | None:
        import pyarrow as pa

        folder = animal_folder(self.path, self.study, arm, animal)
        pieces = [
            tables.read(folder / name, part)
            for name, part in sorted(record.parts.items())
            if name.startswith(f"{kind}/")
        ]
        return pa.concat_tables(pieces).to_pandas() if pieces else None

    def _cell_types(self) -> list[str]:
        return [t["name"] for t in self.model["cell_types"]]

    def _tables(self) -> dict[str, FilePart]:
        return {name: FilePart.model_validate(part) for name, part in self.manifest["tables"].items()}

    def _written(self, name: str) -> pd.DataFrame | None:
        part = self._tables().get(name)
        return None if part is None else tables.read(self.path / name, part).to_pandas()

    @staticmethod
    def _no_frame(arm: str, animal: int, day: float, days: Sequence[float], what: str = "frame") -> ResultError:
        stored = ", ".join(f"{d:g}" for d in days) or "none yet"
        return ResultError(
            f"Animal {animal} of arm '{arm}' has no stored {what} of day {day:g}; stored days: {stored}."
        )


def _named(codes: npt.NDArray[Any], names: Sequence[str], what: str) -> npt.NDArray[np.object_]:
    """Names for codes; -1 is the last name, as everywhere in Python."""
    if len(codes) and not (codes.min() >= -1 and codes.max() < len(names)):
        raise DamagedResultError(
            f"A stored {what} has the code {codes.max()}, but the manifest names only {len(names)}."
        )
    return np.array(names, dtype=object)[codes.astype(np.int64)]


def _is_intact(path: Path, part: FilePart) -> bool:
    return path.exists() and FilePart.of(path.read_bytes(), part.rows) == part
