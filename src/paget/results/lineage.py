"""Who descends from whom: the family of every cell of one animal, from its events and stored frames.

A division leaves one event for each daughter: ``cell`` is the mother, whose id is not used again, ``other`` is the
daughter. A cell that leaves a site by blood and arrives at another keeps its id, and so its ancestry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paget.errors import DamagedResultError, ResultError

if TYPE_CHECKING:
    from paget.results.result import Result

__all__ = ["ALIVE", "UNFOLLOWED", "depths", "event_roles", "lineage", "lineage_of", "parents", "tumour_types"]

Rows = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

DIVISION, DEATH, LEAVE, ARRIVAL, CONVERSION = "division", "death", "leave", "arrival", "conversion"
ALIVE, UNFOLLOWED = "alive", "not followed"

# What events do to a cell whose name alone does not say it, and whose process may emit events of several kinds.
_WORDS = {
    DIVISION: (DIVISION,),
    DEATH: (DEATH, "removal", "engulfment", "fusion", "resection", "NETosis", "senolysis", "extinction"),
    LEAVE: (LEAVE, "intravasation"),
    ARRIVAL: (ARRIVAL, "extravasation", "arrival from the blood"),
}


def event_roles(model: Mapping[str, Any]) -> dict[str, str]:
    """What each kind of event does to a cell: division, death, leave, arrival or conversion.

    A cell that dies by apoptosis is still there until it is cleared away: apoptosis is a conversion, its removal a death.

    Parameters
    ----------
    model : the model's description, as `Result.model` gives it.
    """
    roles = {kind: role for role, kinds in _WORDS.items() for kind in kinds}
    for process in model.get("processes", ()):
        for emitted in process.get("emits", ()):
            role, _, name = str(emitted).partition(": ")
            if name and role in (*_WORDS, CONVERSION):
                roles[name] = role
    return {kind: roles.get(kind, CONVERSION) for kind in model.get("event_kinds", ())}


def tumour_types(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the cell types that are of the tumour."""
    return tuple(t["name"] for t in model.get("cell_types", ()) if t.get("group") == "tumour")


def lineage_of(result: Result, arm: str, animal: int) -> pd.DataFrame:
    """The lineage of one animal of a study, from its events and its first and last stored frame; see `lineage`.

    Raises
    ------
    ResultError
        If the study follows no single cells, or does not record their divisions.
    """
    roles = event_roles(result.model)
    if DIVISION not in roles.values():
        follows = (
            "records no divisions of its cells; every stored cell has the number of its founder instead"
            if result.model.get("cell_types") and result.model.get("event_kinds")
            else "follows numbers of cells and sizes of lesions, not single cells"
        )
        raise ResultError(f"The study '{result.study.name}' keeps no lineages: its model {follows}.")
    days = result.cell_days(arm, animal)
    return lineage(
        result.events(arm, animal),
        roles,
        first=result.cells(arm, animal, days[0]) if days else None,
        last=result.cells(arm, animal, days[-1]) if days else None,
        day=days[-1] if days else None,
        clonal=tumour_types(result.model),
    )


def parents(events: pd.DataFrame, division: str = DIVISION) -> pd.DataFrame:
    """One row for each cell born by division: ``cell``, ``mother`` and the ``day`` of birth, in order of birth.

    Parameters
    ----------
    events : table of one animal, as `Result.events` gives it.
    division : the kind of event that is a division.
    """
    births = events[events["kind"] == division]
    family = births[["other", "cell", "day"]].set_axis(["cell", "mother", "day"], axis="columns")
    return family.astype({"cell": np.uint64, "mother": np.uint64}).reset_index(drop=True)


def lineage(
    events: pd.DataFrame,
    roles: Mapping[str, str],
    *,
    first: pd.DataFrame | None = None,
    last: pd.DataFrame | None = None,
    day: float | None = None,
    clonal: Collection[str] | None = None,
) -> pd.DataFrame:
    """Every cell that was ever seen in one animal, with its mother and its life: one row each, in ascending order of id.

    Parameters
    ----------
    events : table of one animal, as `Result.events` gives it.
    roles : what each kind of event does, see `event_roles`.
    first, last : the first and the last stored frame, as `Result.cells` gives them; the founders are those of the first.
    day : of the last frame; the last event if left out.
    clonal : cell types that have clones, beside those of which no type is recorded; all if left out.

    Returns
    -------
    cell, mother (missing for founders and cells that came from elsewhere), founder (the first known ancestor), generation
    (divisions since), born and ended (days), fate, type (the last that is known), clone (missing where none is recorded),
    site (where it was last) and origin (the site that it came from).

    The fate is division, the kind of event by which it ended, "alive", or "not followed": it lived or died where nothing is
    followed cell by cell, and ends with the last event that is known.

    Raises
    ------
    DamagedResultError
        If a cell was born twice, or descends from itself.
    """
    seen = day if day is not None else float(events["day"].max()) if len(events) else 0.0
    end = max(seen, float(events["day"].max()) if len(events) else 0.0)
    role = events["kind"].map(dict(roles)).fillna(CONVERSION).to_numpy()
    cell, other = events["cell"].to_numpy(np.uint64), events["other"].to_numpy(np.uint64)
    frames = [frame for frame in (first, last) if frame is not None]
    births = role == DIVISION
    parts = [cell, other[births], *(frame["id"].to_numpy(np.uint64) for frame in frames)]
    ids, rows_of = np.unique(np.concatenate(parts), return_inverse=True)
    at, daughters, *shown = np.split(rows_of, np.cumsum([part.size for part in parts])[:-1])
    mother = _mothers(ids, at[births], daughters)
    depth, root = depths(mother)

    days = events["day"].to_numpy(np.float64)
    came = role == ARRIVAL
    born = np.zeros(ids.size)
    born[at[came][::-1]] = days[came][::-1]  # of several arrivals the first
    born[daughters] = days[births]
    ended, fate, latest = _ends(ids.size, at, events["kind"].to_numpy(), role, days, end)
    if last is not None:
        gone = (fate == ALIVE) & (latest >= 0)
        gone[shown[-1]] = False
        gone[gone] = days[latest[gone]] <= seen
        ended[gone], fate[gone] = days[latest[gone]], UNFOLLOWED

    order = np.argsort(depth, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)
    kinds = _known(ids.size, at, events, frames, shown, "type")
    site = _known(ids.size, at, events, frames, shown, "site")
    origin = np.full(ids.size, "", dtype=object)
    if "origin" in events:
        origin[at[came]] = events["origin"].to_numpy()[came]
    for rows in levels[1:]:  # daughters are at first what and where their mother was
        for column in (kinds, site):
            unknown = rows[column[rows] == ""]
            column[unknown] = column[mother[unknown]]
    clone = _clones(at, events, frames, shown, mother, root, levels)
    if clonal is not None:
        clone[~np.isin(kinds, [*clonal, ""])] = pd.NA
    return pd.DataFrame(
        {
            "cell": ids,
            "mother": pd.arrays.IntegerArray(ids[np.maximum(mother, 0)], mother < 0),
            "founder": ids[root],
            "generation": depth,
            "born": born,
            "ended": ended,
            "fate": fate,
            "type": kinds,
            "clone": clone,
            "site": site,
            "origin": origin,
        }
    )


def depths(mother: Rows) -> tuple[Rows, Rows]:
    """Generations since, and row of, the first ancestor of each row; `mother` [n] holds rows, -1 for none.

    Every ancestor is reached in as many steps as its generation has binary digits.
    """
    n = mother.size
    above, depth = mother.copy(), (mother >= 0).astype(np.int64)
    root = np.where(mother >= 0, mother, np.arange(n))
    for _ in range(n.bit_length() + 1):
        going = np.flatnonzero(above >= 0)
        if not going.size:
            return depth, root
        to = above[going]
        depth[going], root[going], above[going] = depth[going] + depth[to], root[to], above[to]
    raise DamagedResultError("The events of division are not those of one family: a cell descends from itself.")


def _mothers(ids: npt.NDArray[np.uint64], mothers: Rows, daughters: Rows) -> Rows:
    """Row of each cell's mother, -1 for none; `mothers` and `daughters` are the rows of those of each birth."""
    mother = np.full(ids.size, -1, np.int64)
    mother[daughters] = mothers
    if np.count_nonzero(mother >= 0) != daughters.size:
        twice = ids[np.argmax(np.bincount(daughters, minlength=ids.size) > 1)]
        raise DamagedResultError(f"The events of division are not those of one family: cell {twice} was born twice.")
    return mother


def _ends(
    n: int, at: Rows, kind: npt.NDArray[Any], role: npt.NDArray[Any], days: Real, end: float
) -> tuple[Real, npt.NDArray[np.object_], Rows]:
    """Day and manner of the end of each cell by its events, and the row of its last event of any kind, -1 if it has none."""
    latest = np.full(n, -1, np.int64)
    latest[at] = np.arange(at.size)  # events are in the order of time
    moving = np.flatnonzero(np.isin(role, (DIVISION, DEATH, LEAVE, ARRIVAL)))
    decisive = np.full(n, -1, np.int64)
    decisive[at[moving]] = moving
    over = decisive >= 0
    over[over] = role[decisive[over]] != ARRIVAL  # whoever left and arrived lives on
    ended = np.full(n, end)
    fate = np.full(n, ALIVE, dtype=object)
    ended[over] = days[decisive[over]]
    fate[over] = kind[decisive[over]]
    return ended, fate, latest


def _known(
    n: int, at: Rows, events: pd.DataFrame, frames: list[pd.DataFrame], shown: list[Rows], name: str
) -> npt.NDArray[np.object_]:
    """What is known last of each cell by name: from the last frame, else from events, else the first; "" if nothing."""
    found = np.full(n, "", dtype=object)
    for frame, rows in zip(frames[:1], shown[:1], strict=True):
        if name in frame:
            found[rows] = frame[name].to_numpy()
    if name in events:
        told = events[name].to_numpy()
        there = np.flatnonzero(told != "")
        found[at[there]] = told[there]
    for frame, rows in zip(frames[1:], shown[1:], strict=True):
        if name in frame:
            found[rows] = frame[name].to_numpy()
    return found


def _clones(
    at: Rows,
    events: pd.DataFrame,
    frames: list[pd.DataFrame],
    shown: list[Rows],
    mother: Rows,
    root: Rows,
    levels: list[Rows],
) -> pd.Series:
    """Number of the clone of each cell: its own where it is recorded, else its mother's, else that of a relative."""
    clone = np.full(mother.size, -1, np.int64)
    if "clone" in events:
        # Only of cells that come from another site is the clone told by their event.
        came = np.flatnonzero(events["origin"].to_numpy() != "") if "origin" in events else np.arange(len(events))
        clone[at[came]] = events["clone"].to_numpy()[came]
    for frame, rows in zip(frames, shown, strict=True):
        if "clone" in frame:
            clone[rows] = frame["clone"].to_numpy()
    sure = np.flatnonzero(clone >= 0)
    open_roots = sure[clone[root[sure]] < 0][::-1]
    clone[root[open_roots]] = clone[open_roots]
    for rows in levels[1:]:
        unknown = rows[clone[rows] < 0]
        clone[unknown] = clone[mother[unknown]]
    return pd.Series(pd.arrays.IntegerArray(np.maximum(clone, 0), clone < 0))
