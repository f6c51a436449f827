"""Who descends from whom: family trees from the division events of one animal.

A division leaves one event for each daughter: ``cell`` is the mother, whose id is not used again, ``other`` is the
daughter.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from paget.errors import ResultError

__all__ = ["newick", "parents"]

DIVISION = "division"
LOSSES = ("death", "intravasation")
ARRIVALS = ("arrival", "extravasation")


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


def newick(
    events: pd.DataFrame,
    founder: int,
    end: float | None = None,
    division: str = DIVISION,
    losses: Collection[str] = LOSSES,
    arrivals: Collection[str] = ARRIVALS,
) -> str:
    """The family tree of one founder in Newick format, with cell ids as names and days as branch lengths.

    A branch ends when its cell divides, is lost, or at `end`.

    Parameters
    ----------
    events : table of one animal, as `Result.events` gives it.
    founder : id of the founder; its branch starts when it arrived, or on day 0 if it was there from the start.
    end : day on which living cells are looked at; the last event of the animal if left out.
    division, losses, arrivals : the kinds of events by which a cell divides, is gone, and came.

    Raises
    ------
    ResultError
        If no event names the founder.
    """
    of_founder = events[events["cell"] == np.uint64(founder)]
    if of_founder.empty:
        raise ResultError(f"No event of this animal names the cell {founder}, so it has no family tree.")
    last = float(events["day"].max()) if end is None else end
    children: dict[int, list[int]] = {}
    family = parents(events, division)
    for daughter, mother in zip(family["cell"].tolist(), family["mother"].tolist(), strict=True):
        children.setdefault(mother, []).append(daughter)
    ended = events[events["kind"].isin([division, *losses])].drop_duplicates("cell")
    end_of = dict(zip(ended["cell"].astype("uint64").tolist(), ended["day"].tolist(), strict=True))
    came = of_founder[of_founder["kind"].isin(arrivals)]
    start = float(came["day"].iloc[0]) if len(came) else 0.0

    written: dict[int, str] = {}
    waiting = [(founder, start, False)]
    while waiting:  # not recursive: a lineage may be thousands of generations deep
        cell, born, daughters_written = waiting.pop()
        gone = end_of.get(cell, last)
        if cell in children and not daughters_written:
            waiting.append((cell, born, True))
            waiting += [(daughter, gone, False) for daughter in children[cell]]
            continue
        inner = f"({','.join(written.pop(daughter) for daughter in children[cell])})" if cell in children else ""
        written[cell] = f"{inner}{cell}:{gone - born:.6g}"
    return written[founder] + ";"
