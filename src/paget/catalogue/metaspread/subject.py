"""The model of metastatic spread on lattices as the subject of studies: arms, animals, readouts, cells of every grid."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.catalogue.choices import chosen
from paget.catalogue.metaspread.run import BLOOD, MetaSpreadRun
from paget.catalogue.metaspread.settings import KINDS, TABLE, MetaSpread
from paget.catalogue.metaspread.told import (
    ASSUMPTIONS,
    CELL_TYPES,
    LIMITS,
    MECHANISMS,
    METHODS,
    OPTIONS,
    SITES,
    SOURCES,
    TAKEN_OUT,
    readouts,
    slug,
)
from paget.engine.animal import Animal, Columns
from paget.errors import PagetError, StudyError
from paget.evidence import Parameter, load_parameters
from paget.experiment import Arm, Depletion, Injection, Study
from paget.pharmacology import Doses
from paget.subject import Individual

__all__ = ["MetaSpreadSubject", "metaspread"]

ARRIVAL = "arrival"
PRIMARY = SITES[0]
FIRST_VESSEL, VESSELS_APART = 2**63, 2**32  # ids of vessels, beyond those of cells, and those of the next grid
NEAR_WHOLE = 1e-6  # how far a number of steps may be from a whole one by rounding


@dataclass(frozen=True, kw_only=True)
class MetaSpreadSubject(Individual):
    """The model of metastatic spread in a body of one primary and two other grids.

    legacy : whether the defects of the released program are copied, its doubling times aside, which are parameters
    """

    legacy: bool = False

    def settings(self) -> MetaSpread:
        """The settings with the numbers of the subject; those of parts that were taken out are 0.

        Raises
        ------
        StudyError
            With all problems at once.
        """
        zero = {name: role for role in self.left_out for name in TAKEN_OUT[role]}
        numbers: dict[str, Parameter] = {}
        for item in dataclasses.fields(MetaSpread):
            if "unit" in item.metadata:
                named: Any = item.default
                row = self.parameters[named.key]
                numbers[item.name] = _nothing(row, zero[item.name]) if item.name in zero else row
        destinations = tuple(
            dataclasses.replace(grid, share=self.parameters[grid.share.key], vessels=self.parameters[grid.vessels.key])
            for grid in MetaSpread.destinations
        )
        return MetaSpread(legacy=self.legacy, primary=PRIMARY, destinations=destinations, **numbers)

    def animal(self, study: Study, arm: Arm, animal: int) -> Animal:
        """One animal of an arm at the start of the study."""
        return MetaSpreadAnimal(MetaSpreadRun(self.settings(), study.seed, animal), study.tick)


def _nothing(row: Parameter, role: str) -> Parameter:
    return dataclasses.replace(
        row, value=0.0, low=math.nan, high=math.nan, basis="assumed", reason=f"{role} was taken out", changed=True
    )


class MetaSpreadAnimal:
    """A run of the model in the ticks of a study, each of which holds a whole number of steps."""

    def __init__(self, run: MetaSpreadRun, dt: float) -> None:
        self.run = run
        self._steps = round(dt / run.tick)
        self._told = 0  # cells whose arrival has been written

    @property
    def tick(self) -> int:
        """Number of the next tick of the study, from 0."""
        return self.run.steps // self._steps

    def advance(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> None:
        """Go forward by one tick; the model has neither drugs nor operations."""
        for _ in range(self._steps):
            self.run.step()

    def intervene(self, injections: tuple[Injection, ...], depletions: tuple[tuple[Depletion, bool], ...]) -> None:
        """The model has neither injections nor depletions."""
        raise StudyError("'metaspread' knows no injections and no depletions")

    def measure(self) -> dict[str, float]:
        """Every readout that is measured, by name."""
        seen = self.run.readouts()
        arrivals = self.run.arrivals()
        found: dict[str, float] = {}
        for site in SITES:
            cells = [float(seen[f"{kind} cells in {site}"]) for kind in KINDS]
            found[f"cells_{slug(site)}"] = sum(cells)
            found |= {f"{kind}_{slug(site)}": n for kind, n in zip(KINDS, cells, strict=True)}
            if site != PRIMARY:
                found[f"arrivals_{slug(site)}"] = float(arrivals.loc[arrivals["grid"] == site, list(KINDS)].sum().sum())
        primary = found["cells_primary"]
        found["mesenchymal_share"] = found["mesenchymal_primary"] / primary if primary else math.nan
        found["metastatic_cells"] = sum(found[f"cells_{slug(site)}"] for site in SITES if site != PRIMARY)
        found["parties_arrived"] = float((arrivals[list(KINDS)].sum(axis=1) > 0).sum())
        found["ctc_clusters"] = float(seen["multicellular clusters in blood"])
        found["ctc_single"] = float(seen["clusters in blood"]) - found["ctc_clusters"]
        found["died_in_blood"] = float(seen["cells died in blood"] + seen["cells without room"])
        found["negative_probabilities"] = float(sum(seen[f"negative probabilities of {kind} cells"] for kind in KINDS))
        found |= {name: float(seen[theirs]) for name, theirs in AS_IN_RUN.items()}
        return found

    def frame(self) -> Columns:
        """Cells and vessels of the primary and of grids that cells have reached; cells of one lattice site stand side by side.

        A vessel is drawn twice as wide as a lattice site, to be seen.
        """
        cells, spacing = self.run.cells(), self.run.settings.values.spacing
        cells = cells[cells["grid"] != BLOOD]
        site = cells["grid"].map({name: code for code, name in enumerate(SITES)}).to_numpy(np.int8)
        ids, founder = cells["id"].to_numpy(np.uint64), cells["founder"].to_numpy(np.int64)
        place = np.array([cells["x"], cells["y"]])
        side = math.ceil(math.sqrt(self.run.settings.values.room))
        rank = _rank_on_site(ids, place[0], place[1], site) % side**2
        inside = (np.array([rank % side, rank // side]) + 0.5) * (spacing / side)
        parts: list[Columns] = [
            {
                "id": ids,
                "type": (cells["type"] == KINDS[1]).to_numpy(np.int8),
                "x": place[0] + inside[0],
                "y": place[1] + inside[1],
                "radius": np.full(ids.size, spacing / (2.0 * side)),
                "founder": founder,
                "site": site,
            }
        ]
        parts += [self._vessels(code) for code in range(len(SITES)) if code == 0 or (site == code).any()]
        whole: Columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return whole | {"z": np.zeros(whole["id"].size)}

    def _vessels(self, code: int) -> Columns:
        vessels, spacing = self.run.vessels(SITES[code]), self.run.settings.values.spacing
        n = len(vessels)
        return {
            "id": np.uint64(FIRST_VESSEL + code * VESSELS_APART) + np.arange(n, dtype=np.uint64),
            "type": np.where(vessels["ruptured"], 3, 2).astype(np.int8),
            "x": vessels["x"].to_numpy(float) + 0.5 * spacing,
            "y": vessels["y"].to_numpy(float) + 0.5 * spacing,
            "radius": np.full(n, spacing),
            "founder": np.full(n, -1, np.int64),
            "site": np.full(n, code, np.int8),
        }

    def fields(self) -> dict[str, NDArray[np.float32]]:
        """Enzyme and matrix are read out by their means; three grids of a site do not make one field."""
        return {}

    def events(self) -> Columns | None:
        """Cells that left the blood alive since the last call, each with the founder that it descends from as its clone."""
        new = self.run.settled(self._told)
        n = len(new)
        self._told += n
        if not n:
            return None
        codes = {name: code for code, name in enumerate(SITES)}
        ids = new["cell"].to_numpy(np.uint64)
        return {
            "time": (new["step"].to_numpy(float) + 1.0) * self.run.tick,
            "kind": np.zeros(n, np.int8),
            "cell": ids,
            "other": ids.copy(),
            "type": (new["type"] == KINDS[1]).to_numpy(np.int8),
            "x": new["x"].to_numpy(np.float32),
            "y": new["y"].to_numpy(np.float32),
            "z": np.zeros(n, np.float32),
            "site": new["grid"].map(codes).to_numpy(np.int8),
            "origin": np.full(n, codes[PRIMARY], np.int8),
            "clone": new["founder"].to_numpy(np.int32),
        }

    def state(self) -> Columns:
        """The exact state of the run, and how much of it has been written."""
        return {**self.run.state(), "told": np.array(json.dumps({"arrivals": self._told}))}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over an exact state."""
        self.run.restore(state)
        self._told = int(json.loads(str(state["told"]))["arrivals"])


AS_IN_RUN = {
    "shed": "cells entered blood",
    "entries": "entries into blood",
    "cluster_entries": "cluster entries into blood",
    "cells_arrived": "cells arrived",
    "cells_born": "cells born",
    "rms_radius": "rms radius",
    "largest_radius": "largest radius",
    "occupied_sites": "occupied sites",
    "mean_matrix": "mean matrix",
    "mean_mmp2": "mean mmp2",
}


def _rank_on_site(
    ids: NDArray[np.uint64], x: NDArray[np.float64], y: NDArray[np.float64], site: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Of each cell, how many with smaller ids stand on its site of the lattice."""
    order = np.lexsort((ids, y, x, site))
    new = np.ones(ids.size, bool)
    if ids.size:
        new[1:] = (np.diff(x[order]) != 0) | (np.diff(y[order]) != 0) | (np.diff(site[order]) != 0)
    begins = np.flatnonzero(new)
    rank = np.empty(ids.size, np.int64)
    rank[order] = np.arange(ids.size) - np.repeat(begins, np.diff(np.append(begins, ids.size)))
    return rank


def metaspread(options: Mapping[str, str | int | float]) -> MetaSpreadSubject:
    """Build the subject for a study's options.

    Raises
    ------
    StudyError
        If an option or its value is not known.
    """
    choice = chosen("metaspread", OPTIONS, options)
    table = load_parameters(TABLE)
    wanted = [("scenario", "dense", "dense"), ("version", "shipped", "as shipped")]
    for name, value, variant in wanted:
        if choice[name] == value:
            table = table.with_values({key: variant for key in table if variant in table.variants_of(key)})
    return MetaSpreadSubject(
        name="metaspread",
        title="Metastatic spread on lattices: a primary tumour, blood, and two other grids",
        parameters=table,
        mechanisms=MECHANISMS,
        readouts=readouts(),
        cell_types=CELL_TYPES,
        event_kinds=(ARRIVAL,),
        sites=SITES,
        detail=dict.fromkeys(SITES, "spatial"),
        options=OPTIONS,
        assumed=ASSUMPTIONS,
        limits=LIMITS,
        methods=METHODS,
        sources=SOURCES,
        legacy=choice["version"] == "shipped",
        problems_of_study=_problems_of_study,
    )


def _problems_of_study(study: Study) -> Iterator[str]:
    """Settings that do not go together, in the study or in one arm; operations; a tick that the steps do not fill."""
    for arm in study.arms:
        if arm.resections:
            yield f"arm '{arm.name}': the model knows no surgery; take the resections out"
    told = dict.fromkeys(_problems_of_settings(study, {}))
    yield from told
    for arm in study.arms:
        if arm.parameters:
            yield from (
                f"arm '{arm.name}': {one}" for one in _problems_of_settings(study, arm.parameters) if one not in told
            )


def _problems_of_settings(study: Study, changes: Mapping[str, str | float]) -> Iterator[str]:
    try:
        subject = metaspread(study.options).with_parameters(study.parameters).without(*study.without)
        settings = subject.with_parameters(changes).settings()
    except StudyError as refused:
        yield from refused.problems
        return
    except PagetError:  # a name or unit that is not known is told with the others of its kind
        return
    tick = settings.values.tick
    steps = study.tick / tick
    if round(steps) < 1 or abs(steps - round(steps)) > NEAR_WHOLE * steps:
        yield (
            f"tick: {3600.0 * study.tick:g} s is {steps:.4g} steps of {3600.0 * tick:g} s of the cells; it must be a whole "
            f"number of them, as '{3600.0 * tick:g} s'"
        )
