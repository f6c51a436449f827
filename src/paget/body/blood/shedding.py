"""Parties that enter the blood: checked, named, and with the numbers that were not given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paget.body.blood.biology import BloodBiology
from paget.body.chain import Chain
from paget.errors import IdentityError, ModelError, UnknownNameError
from paget.kernels.blood import WAITING

__all__ = ["MEDIA", "bounds", "entering", "places"]

MEDIA = ("blood", "lymph", "injection")
State = dict[str, NDArray[Any]]


def bounds(size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the members of parties of these sizes begin, and where the last end [n + 1]."""
    return np.concatenate([[0], np.cumsum(size)]).astype(np.int64)


def places(begin: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of members one after the other, of parties that begin at `begin`."""
    first = bounds(size)
    return np.asarray(np.repeat(begin - first[:-1], size) + np.arange(first[-1]), np.int64)


def _indices(given: Any, names: Sequence[str], kind: str, n: int) -> NDArray[np.int64]:
    """Indices [n] of what is given as one name, one index, or n of them."""
    if isinstance(given, str):
        if given not in names:
            raise UnknownNameError(kind, given, names)
        given = names.index(given)
    found = np.broadcast_to(np.asarray(given, np.int64), (n,)).copy()
    if n and not (found.min() >= 0 and found.max() < len(names)):
        raise ModelError(f"A {kind} is given by its name or by an index from 0 to {len(names) - 1}")
    return found


def _numbers(given: ArrayLike | None, otherwise: ArrayLike, n: int) -> NDArray[np.float64]:
    """The numbers given, or those that stand for them."""
    return np.broadcast_to(np.asarray(otherwise if given is None else given, np.float64), (n,)).copy()


def entering(
    chain: Chain,
    biology: BloodBiology,
    kept: Sequence[str],
    when: ArrayLike,
    origin: Any,
    medium: Any,
    members: ArrayLike,
    size: ArrayLike | None,
    ids: ArrayLike | None,
    survival: ArrayLike | None,
    mesenchymal: ArrayLike | None,
    radius: ArrayLike | None,
    tension: ArrayLike | None,
    records: ArrayLike | None,
) -> State:
    """The state of parties about to enter, as `Blood.state` holds it.

    Raises
    ------
    ModelError, IdentityError, UnknownNameError
    """
    shed_at = np.atleast_1d(np.asarray(when, np.float64))
    cells = np.atleast_1d(np.asarray(members, np.uint64))
    n = shed_at.size
    many = np.ones(n, np.int64) if size is None else np.atleast_1d(np.asarray(size, np.int64))
    problems = []
    if many.size != n or (n and many.min() < 1) or int(many.sum()) != cells.size:
        raise ModelError(
            f"{n} parties of {int(many.sum())} cells together cannot be made of {cells.size} members: "
            "give the size of every party (1 or more), and its members one party after the other"
        )
    table = np.zeros((len(kept), cells.size)) if records is None else np.asarray(records, np.float64)
    if table.shape != (len(kept), cells.size):
        problems.append(
            f"records must be [{len(kept)}, {cells.size}], a row for each of {', '.join(kept) or 'none'}, "
            f"not {list(table.shape)}"
        )
    signal = _numbers(survival, biology["survival"], cells.size)
    share = _numbers(mesenchymal, biology["mesenchymal"], cells.size)
    for name, values in (("survival", signal), ("mesenchymal", share)):
        if not np.all((values >= 0.0) & (values <= 1.0)):
            problems.append(f"{name} is a share from 0 to 1 for every cell")
    begin = bounds(many)[:-1]
    mean = np.add.reduceat(share, begin) / many if n else np.zeros(0)
    width = _numbers(radius, biology["radius"], n)
    stiffness = _numbers(tension, biology.tension(mean), n)
    for name, values in (("radius", width), ("tension", stiffness)):
        if not np.all((values > 0.0) & np.isfinite(values)):
            problems.append(f"the {name} of every party must be more than 0")
    places_of, ways = (
        _indices(origin, chain.organs, "organ", n),
        _indices(medium, MEDIA[: len(chain.first)], "medium", n),
    )
    for o, m in sorted(set(zip(places_of.tolist(), ways.tolist(), strict=True))):
        if chain.first[m, o] == chain.first[m, o + 1]:
            problems.append(f"no {MEDIA[m]} drains {chain.organs[o]}")
    if not np.all(np.isfinite(shed_at)):
        problems.append("the time of shedding must be finite")
    if problems:
        raise ModelError("Cells cannot be shed into the blood:", problems)
    # Members are kept in the order of their ids, so that the caller's order does not matter.
    order = np.lexsort((cells, np.repeat(np.arange(n), many)))
    lowest = cells[order][begin] if n else np.zeros(0, np.uint64)
    names = lowest if ids is None else np.atleast_1d(np.asarray(ids, np.uint64))
    if names.size != n:
        raise ModelError(f"{n} parties need {n} ids, not {names.size}")
    if np.unique(names).size < n or np.unique(cells).size < cells.size:
        raise IdentityError("Two parties or two cells that are shed together have the same id")
    return {
        "name": names.copy(),
        "where": np.full(n, WAITING, np.int64),
        "size": many,
        "escort": np.zeros(n, np.int64),
        "seen": np.zeros(n, np.int64),
        "origin": places_of,
        "medium": ways,
        "shed_at": shed_at.copy(),
        "radius": width,
        "tension": stiffness,
        "cell": cells[order],
        "survival": signal[order],
        "mesenchymal": share[order],
        "records": np.ascontiguousarray(table[:, order]),
    }
