"""What becomes of parties on average, exactly: the hazards of the walk as linear equations, for shedding too high to walk.

The mean of a branching walk obeys linear equations. A party of k like cells is at a place (a node, or lodged in the bed of one)
with or without an escort; what it will do on average, V_k, follows from where it goes and from what smaller parties will do:

    r V_k = Q_k V_k + reward + (deaths) V_(k-1) + (breaks) mean over cuts c of (V_c + V_(k-c)),

r being the total rate of leaving the state. So sizes are solved one after the other, each by one dense linear system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, stats

from paget.body.blood.biology import BloodBiology, Rates
from paget.body.blood.parties import exposed
from paget.body.blood.shedding import MEDIA
from paget.body.chain import Chain
from paget.errors import ModelError, UnknownNameError
from paget.kernels import blood as kernel
from paget.kernels import philox

__all__ = ["Expected", "Kind", "expected", "expected_up_to", "half_life", "in_flow", "landings"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """Parties of like cells: size, and the radius (um), tension (mN/m), survival signal and mesenchymal share of each cell."""

    size: int
    radius: float
    tension: float
    survival: float
    mesenchymal: float

    @classmethod
    def of(cls, biology: BloodBiology, size: int = 1, **given: float) -> Kind:
        """A kind with the numbers of the biology where none are given, its tension by its mesenchymal share."""
        numbers = {name: biology[name] for name in ("radius", "survival", "mesenchymal")} | given
        numbers.setdefault("tension", float(biology.tension(np.array(numbers["mesenchymal"]))))
        return cls(size=size, **numbers)


class Expected(NamedTuple):
    """Means per party shed.

    extravasated [organs] : parties that leave the vessels; cells [organs] : cells in them
    by_size [organs, size] : parties that leave with 1, 2 ... cells
    died [causes] : cells, in the order of `paget.body.blood.CAUSES`
    arrested [organs] : parties that are caught for the first time
    residence_h : time of parties in flow, lodged_h : in capillaries, h
    """

    extravasated: Real
    cells: Real
    by_size: Real
    died: Real
    arrested: Real
    residence_h: float
    lodged_h: float


class _Blocks(NamedTuple):
    """Rates of parties of one size at all places: `move` [s, s] between them (0 on the diagonal), the rest [s]."""

    move: Real
    leave: Real
    deaths: Real  # [causes, s], of all members together
    breaks: Real
    organ: NDArray[np.int64]
    flowing: NDArray[np.bool_]
    arrests: Real  # [organs, s]

    @property
    def total(self) -> Real:
        return np.asarray(self.move.sum(axis=1) + self.leave + self.deaths.sum(axis=0) + self.breaks)


def _blocks(chain: Chain, rates: Rates, kind: Kind, size: int) -> _Blocks:
    """The hazards of the walk for parties of `size` cells; places are nodes, then beds, each without and with an escort."""
    nodes = len(chain.names)
    lodged = np.flatnonzero(chain.organ >= 0)
    bed_of = np.full(nodes, -1)
    bed_of[lodged] = nodes + np.arange(lodged.size)
    places = nodes + lodged.size
    numbers, beds, exposure = rates.numbers, rates.beds, exposed(chain)
    move, arrests = np.zeros((2 * places, 2 * places)), np.zeros((len(chain.organs), 2 * places))
    leave, breaks, deaths = np.zeros(2 * places), np.zeros(2 * places), np.zeros((3, 2 * places))
    for escort in (0, 1):
        base = escort * places
        turn = numbers[kernel.ESCORT_LOSS if escort else kernel.ESCORT_GAIN]
        for i in range(places):
            move[base + i, (1 - escort) * places + i] += turn
        anoikis, shear, killing = kernel.party_rates(size, escort, False, numbers)
        for i in range(nodes):
            o, onward = chain.organ[i], 1.0 / chain.transit[i]
            if o >= 0:
                held = kernel.caught(size, kind.radius, kind.tension, escort, o, numbers, beds)
                move[base + i, base + bed_of[i]] += onward * held
                arrests[o, base + i] = onward * held
                onward *= 1.0 - held
            _go_on(chain, i, onward, move[base + i], base)
            deaths[:, base + i] = (
                size * anoikis * (1.0 - kind.survival),
                size * shear * exposure[i],
                size * killing * exposure[i],
            )
            breaks[base + i] = numbers[kernel.BREAK_UP] * (size - 1.0)
        anoikis, shear, killing = kernel.party_rates(size, escort, True, numbers)
        passage = kind.mesenchymal + (1.0 - kind.mesenchymal) * numbers[kernel.EPITHELIAL_PASSAGE]
        passage *= numbers[kernel.ESCORT_PASSAGE] if escort else 1.0
        for i in lodged.tolist():
            at = base + bed_of[i]
            leave[at] = passage * beds[kernel.EXTRAVASATION, chain.organ[i]]
            deaths[:, at] = size * anoikis * (1.0 - kind.survival), size * shear, size * killing
            _go_on(chain, i, numbers[kernel.DETACHMENT], move[at], base)
    organ = np.tile(np.concatenate([chain.organ, chain.organ[lodged]]), 2)
    flowing = np.tile(np.arange(places) < nodes, 2)
    return _Blocks(move, leave, deaths, breaks, organ, flowing, arrests)


def _go_on(chain: Chain, node: int, rate: float, row: Real, base: int) -> None:
    before = 0.0
    for k in range(chain.start[node], chain.start[node + 1]):
        row[base + chain.successor[k]] += rate * (chain.share[k] - before)
        before = chain.share[k]


def _start(chain: Chain, origin: int | str, medium: int | str, states: int) -> Real:
    """Where a party begins, [states]: at the entries of its origin, without escort."""
    if isinstance(origin, str):
        if origin not in chain.organs:
            raise UnknownNameError("organ", origin, chain.organs)
        origin = chain.organs.index(origin)
    if isinstance(medium, str):
        if medium not in MEDIA:
            raise UnknownNameError("medium", medium, MEDIA)
        medium = MEDIA.index(medium)
    begin, end = chain.first[medium, origin], chain.first[medium, origin + 1]
    if begin == end:
        raise ModelError(f"Cells cannot leave {chain.organs[origin]}: no {MEDIA[medium]} drains it")
    start, before = np.zeros(states), 0.0
    for k in range(begin, end):
        start[chain.entry[k]] += chain.entry_share[k] - before
        before = chain.entry_share[k]
    return start


def expected(
    chain: Chain,
    biology: BloodBiology,
    kind: Kind,
    origin: int | str,
    medium: int | str = "blood",
    effects: Mapping[str, float] | None = None,
) -> Expected:
    """What becomes of a party of a kind that leaves `origin` by a medium, on average, until all its cells are out or dead.

    Leaves out
        Parties that meet in the blood.

    Raises
    ------
    ModelError, UnknownNameError
    """
    return expected_up_to(chain, biology, kind, origin, medium, effects)[-1]


def expected_up_to(
    chain: Chain,
    biology: BloodBiology,
    kind: Kind,
    origin: int | str,
    medium: int | str = "blood",
    effects: Mapping[str, float] | None = None,
) -> tuple[Expected, ...]:
    """`expected` of parties of 1, 2 ... cells up to the size of the kind, at the cost of the largest."""
    biology.check(chain)
    if kind.size < 1:
        raise ModelError(f"A party has 1 cell or more, not {kind.size}")
    rates = biology.rates(effects)
    organs, most = len(chain.organs), kind.size
    # Columns: parties out by organ and size, cells dead by cause, hours in flow and lodged; then first arrests by organ.
    columns = organs * most + 5
    solved: list[Real] = []
    caught: list[Real] = []
    means = []
    for size in range(1, most + 1):
        block = _blocks(chain, rates, kind, size)
        reward = np.zeros((block.leave.size, columns))
        out = np.flatnonzero(block.leave > 0.0)
        reward[out, block.organ[out] * most + size - 1] = block.leave[out]
        reward[:, organs * most : -2] = block.deaths.T
        reward[:, -2], reward[:, -1] = block.flowing, ~block.flowing
        solved.append(linalg.solve(np.diag(block.total) - block.move, reward + _from_smaller(block, solved)))
        flow = np.flatnonzero(block.flowing)
        first = block.arrests.T[flow] + _from_smaller(block, caught, flow)
        caught.append(linalg.solve(np.diag(block.total[flow]) - block.move[np.ix_(flow, flow)], first))
        start = _start(chain, origin, medium, block.leave.size)
        found = start @ solved[-1]
        by_size = found[: organs * most].reshape(organs, most)[:, :size].copy()
        means.append(
            Expected(
                extravasated=by_size.sum(axis=1),
                cells=by_size @ np.arange(1.0, size + 1.0),
                by_size=by_size,
                died=found[organs * most : -2],
                arrested=start[flow] @ caught[-1],
                residence_h=float(found[-2]),
                lodged_h=float(found[-1]),
            )
        )
    return tuple(means)


def _from_smaller(block: _Blocks, smaller: list[Real], rows: Any = slice(None)) -> Real:
    """What parties will do once a member has died or they have broken up, weighed by the rates at which that happens."""
    if not smaller:
        return np.zeros(1)
    found = block.deaths.sum(axis=0)[rows, None] * smaller[-1]
    # Every cut is as likely as its mirror image, so that both parts together are twice the mean of all sizes.
    return np.asarray(found + block.breaks[rows, None] * 2.0 * sum(smaller) / len(smaller))


def in_flow(
    chain: Chain,
    biology: BloodBiology,
    kind: Kind,
    origin: int | str,
    times: Real,
    medium: int | str = "blood",
    effects: Mapping[str, float] | None = None,
) -> Real:
    """Mean number of parties in flow at times (h) after one was shed [times], by the exponential of the generator."""
    rates = biology.rates(effects)
    blocks = [_blocks(chain, rates, kind, size) for size in range(1, kind.size + 1)]
    s = blocks[0].leave.size
    generator = np.zeros((s * kind.size, s * kind.size))
    for k, block in enumerate(blocks):
        here = slice(k * s, (k + 1) * s)
        generator[here, here] = block.move - np.diag(block.total)
        if k:
            generator[here, (k - 1) * s : k * s] += np.diag(block.deaths.sum(axis=0))
        for part in range(k):
            generator[here, part * s : (part + 1) * s] += np.diag(block.breaks * 2.0 / k)
    now = np.zeros(s * kind.size)
    now[-s:] = _start(chain, origin, medium, s)
    flowing = np.tile(blocks[0].flowing, kind.size)
    found, before = [], 0.0
    steps: dict[float, Real] = {}
    for time in np.asarray(times, np.float64).tolist():
        step = round(time - before, 12)
        if step not in steps:
            steps[step] = linalg.expm(generator * step)
        now, before = now @ steps[step], time
        found.append(float(now[flowing].sum()))
    return np.array(found)


def half_life(
    chain: Chain, biology: BloodBiology, kind: Kind, origin: int | str, medium: int | str = "blood", **effects: float
) -> float:
    """Time (h) after which half of the parties that were shed together are no longer in flow."""

    def excess(logarithm: float) -> float:
        return float(in_flow(chain, biology, kind, origin, np.array([np.exp(logarithm)]), medium, effects)[0]) - 0.5

    return float(np.exp(optimize.brentq(excess, np.log(1e-5), np.log(1e3), xtol=1e-6)))


def landings(mean: Expected, shed: float, dt: float, key: np.uint64 | int, pool: int, tick: int) -> NDArray[np.int64]:
    """How many parties of each size leave the vessels of each organ in a tick [organs, size], where `shed` enter per hour.

    A Poisson stream of which each party takes one way or another is thinned into Poisson streams: independent draws of mean
    shed x dt x by_size, keyed by pool and tick. Quasi-steady: a party lands in the tick in which it is shed.

    Assumes
        For parts of one cluster that land apart, too, which holds as long as few break.
    """
    many = shed * dt * mean.by_size
    u = philox.uniforms(np.uint64(key), np.array([pool], np.uint64), tick, many.size)[0].reshape(many.shape)
    return np.asarray(stats.poisson.ppf(u, many), np.int64)
