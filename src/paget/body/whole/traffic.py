"""Between sites: parties in the blood, walked one by one where few, and drawn from their exact odds where many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.blood import Blood, BloodBiology
from paget.body.blood.passage import Extravasations
from paget.body.blood.pools import Expected, Kind, expected_up_to
from paget.body.chain import Chain
from paget.errors import LedgerError
from paget.state.cells import mix

__all__ = ["Batch", "Crowd", "InBlood", "Traffic", "coarse"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

COPY = 31  # salt of the ids of cells that a leaving one stands for
STEP = 0.05  # of the logarithm of a factor, to which the odds of pools are solved
MOST_KNOWN = 4096
GRAIN = 0.1  # of survival signals and mesenchymal shares of parties that are drawn from their odds


@dataclass(frozen=True)
class Batch:
    """Parties that leave a site alike: `count` of them, of the cells `members`, of which the first party is made.

    when : h; origin : index of the organ; medium : 0 blood, 1 lymph
    survival, mesenchymal : mean over the cells; records : [k, size]; radius : um, 0 for that of cells that a tumour sheds
    """

    when: float
    origin: int
    medium: int
    count: int
    members: Ids
    survival: float
    mesenchymal: float
    records: Real
    radius: float = 0.0

    @property
    def size(self) -> int:
        return int(self.members.size)


class Crowd(NamedTuple):
    """Parties alike that came to an organ: `parties` of `size` cells; records [k] of their cells."""

    organ: int
    origin: int
    size: int
    parties: int
    records: tuple[float, ...]


class InBlood(NamedTuple):
    """What is in the vessels: single cells and clusters in flow, and cells held in capillaries; parties and cells."""

    single: int
    clusters: int
    cells: int
    lodged: int


class Traffic:
    """All tumour cells of a body between the sites.

    walked : parties shed in a tick up to which every one is walked by itself
    """

    def __init__(self, chain: Chain, biology: BloodBiology, records: Sequence[str], walked: int) -> None:
        self.chain, self.biology, self.records, self.walked = chain, biology, tuple(records), walked
        self.blood = Blood(chain, biology, records)
        self.shed = self.died = self.arrived = 0
        self._walkers = 0  # cells that are walked, by what came and went
        # Of single cells and of clusters that are drawn: cells that will die and their mean time left; parties in flow, their
        # mean time there, and their size.
        self._dying, self._flow = np.zeros((2, 2)), np.zeros((2, 3))
        # Parties about to come through a wall, by organ, origin, size and records: how many, and their mean time to go.
        self._waiting: dict[tuple[int, int, int, tuple[float, ...]], tuple[int, float]] = {}
        self._known: dict[tuple[Any, ...], Expected] = {}
        self._coarse: tuple[Any, dict[str, float], tuple[Any, ...]] = (None, {}, ())

    # ---- in -------------------------------------------------------------------------------------------------------
    def take(
        self, batches: Sequence[Batch], dt: float, key: np.uint64, tick: int, effects: Mapping[str, float]
    ) -> None:
        """Let batches into the vessels during the tick of `dt` h that is about to be passed."""
        self.shed += sum(batch.count * batch.size for batch in batches)
        for pools in (self._dying, self._flow):
            pools[:, 0] *= _left(pools, dt)
        walking, few = 0, list[Batch]()
        for batch in sorted(batches, key=lambda batch: (batch.count, int(batch.members[0]))):
            walking += batch.count
            if walking <= self.walked:
                few.append(batch)
            else:
                self._draw(batch, dt, key, tick, effects)
        if few:
            self._walk(few)

    def _walk(self, batches: Sequence[Batch]) -> None:
        parties = np.array([batch.count for batch in batches])
        sizes = np.array([batch.size for batch in batches])
        cells = parties * sizes
        self._walkers += int(cells.sum())

        def each(values: Sequence[float], repeats: Whole) -> Real:
            return np.repeat(np.array(values, np.float64), repeats)

        self.blood.shed(
            each([batch.when for batch in batches], parties),
            np.repeat([batch.origin for batch in batches], parties),
            np.repeat([batch.medium for batch in batches], parties),
            members=np.concatenate([copies(batch.members, batch.count).reshape(-1) for batch in batches]),
            size=np.repeat(sizes, parties),
            survival=each([batch.survival for batch in batches], cells),
            mesenchymal=each([batch.mesenchymal for batch in batches], cells),
            radius=each([batch.radius or self.biology["radius"] for batch in batches], parties),
            records=np.concatenate([np.tile(batch.records, batch.count) for batch in batches], axis=1),
        )

    def _draw(self, batch: Batch, dt: float, key: np.uint64, tick: int, effects: Mapping[str, float]) -> None:
        """Draw who of a batch comes through a wall; the others die, after the mean time in flow and held."""
        odds = self._odds(batch, effects)
        chance = np.random.Generator(np.random.Philox(key=[int(key ^ batch.members[0]), tick]))
        parties, cells = batch.count, batch.count * batch.size
        if batch.size == 1:
            shares = np.append(odds.extravasated, max(1.0 - float(odds.extravasated.sum()), 0.0))
            came = chance.multinomial(parties, shares / shares.sum())[:-1, None]
        else:
            # Parts of one cluster are drawn as if of different ones; there cannot be more cells than were shed.
            came = chance.poisson(parties * odds.by_size)
            sizes = np.arange(1, batch.size + 1)
            while int((came @ sizes).sum()) > cells:
                came[np.unravel_index(int(np.argmax(came)), came.shape)] -= 1
        pool = self._flow[int(batch.size > 1)]
        stays = _lasting(parties, odds.residence_h, dt)
        pool[1:] = (pool[0] * pool[1:] + stays * np.array([odds.residence_h, batch.size])) / (pool[0] + stays)
        pool[0] += stays
        self._wait(batch, came, odds.lodged_h / max(float(odds.arrested.sum()), 1e-12))
        self._let_die(batch, cells - int((came @ np.arange(1, came.shape[1] + 1)).sum()), odds, dt)

    def _wait(self, batch: Batch, came: Whole, held: float) -> None:
        """Let parties wait in capillaries for their way out: came [organs, size]."""
        records = tuple(float(value) for value in batch.records[:, 0])
        for organ, less in zip(*np.nonzero(came), strict=True):
            known = (int(organ), batch.origin, int(less) + 1, records)
            count, time = self._waiting.get(known, (0, held))
            new = int(came[organ, less])
            self._waiting[known] = (count + new, (count * time + new * held) / (count + new))

    def _come(self, dt: float, key: np.uint64, tick: int) -> list[Crowd]:
        """Parties that come through a wall in this tick, of those that wait; each at the same hazard."""
        found = []
        chance = np.random.Generator(np.random.Philox(key=[int(key), 2 * tick + 1]))
        for known in sorted(self._waiting):
            count, time = self._waiting[known]
            came = int(chance.binomial(count, -math.expm1(-dt / time)))
            if came:
                found.append(Crowd(*known[:3], came, known[3]))
            if came == count:
                del self._waiting[known]
            else:
                self._waiting[known] = (count - came, time)
        return found

    def _odds(self, batch: Batch, effects: Mapping[str, float]) -> Expected:
        """Odds of parties; factors that change little by little count in steps, so that few are solved."""
        if effects is not self._coarse[0]:
            steps = {
                name: math.exp(STEP * round(math.log(factor) / STEP)) if factor > 0.0 else 0.0
                for name, factor in effects.items()
            }
            self._coarse = (effects, steps, tuple(sorted(steps.items())))
        signals = (coarse(batch.survival), coarse(batch.mesenchymal))
        known = (batch.size, *signals, batch.radius, batch.origin, batch.medium, self._coarse[2])
        if known not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            # Solved up to a power of two each time: what a size costs to the last bit must not hang on what was asked before.
            most = 1 << (batch.size - 1).bit_length()
            given = {"radius": batch.radius} if batch.radius else {}
            kind = Kind.of(self.biology, most, survival=signals[0], mesenchymal=signals[1], **given)
            all_of = expected_up_to(self.chain, self.biology, kind, batch.origin, batch.medium, self._coarse[1])
            self._known.update({(size, *known[1:]): all_of[size - 1] for size in range(most // 2 + 1, most + 1)})
        return self._known[known]

    def _let_die(self, batch: Batch, cells: int, odds: Expected, dt: float) -> None:
        """Take cells into the pool of those that will die; they relax towards their mean time in the vessels."""
        pool = self._dying[int(batch.size > 1)]
        time = odds.residence_h + odds.lodged_h
        stays = _lasting(cells, time, dt)
        if stays > 0.0:
            pool[1] = (pool[0] * pool[1] + stays * time) / (pool[0] + stays)
            pool[0] += stays

    # ---- through --------------------------------------------------------------------------------------------------
    def advance(
        self, now: float, dt: float, key: np.uint64, tick: int, effects: Mapping[str, float], threads: int
    ) -> tuple[Extravasations, list[Crowd]]:
        """Pass the time from `now` to now + dt (h); who came through the wall of a vessel, one by one or in crowds.

        Raises
        ------
        LedgerError
            If a cell appeared or vanished.
        """
        passage = self.blood.advance(now, dt, key, tick, effects=effects, threads=threads)
        found = passage.extravasations
        crowds = self._come(dt, key, tick)
        self._walkers -= int(found.cells.size) + int(passage.deaths.cell.size)
        self.arrived += int(found.cells.size) + sum(crowd.parties * crowd.size for crowd in crowds)
        self.died = self.shed - self.arrived - self.present
        walking = self._walking
        if self.died < 0 or walking != self._walkers:
            raise LedgerError(
                f"At {now + dt:g} h {self.arrived} cells left the blood and {self.present} are in it, of {self.shed} that were "
                f"shed; {walking} walk, {self._walkers} by what came and went."
            )
        return found, crowds

    # ---- look -----------------------------------------------------------------------------------------------------
    @property
    def present(self) -> int:
        """Cells in the vessels, in flow and held."""
        drawn = int(self._dying[0, 0]) + int(self._dying[1, 0])
        waiting = sum(known[2] * count for known, (count, _) in self._waiting.items())
        return self._walking + drawn + waiting

    @property
    def _walking(self) -> int:
        counts = self.blood.counts()
        return counts.cells + counts.lodged_cells

    def counts(self) -> InBlood:
        """What is in the vessels now."""
        counts = self.blood.counts()
        single, clusters = (int(pool[0]) for pool in self._flow)
        flowing = min(counts.cells + single + round(self._flow[1, 0] * self._flow[1, 2]), self.present)
        return InBlood(counts.single + single, counts.clusters + clusters, flowing, self.present - flowing)

    # ---- keep -----------------------------------------------------------------------------------------------------
    def state(self) -> dict[str, NDArray[Any]]:
        return {
            **{f"blood.{name}": values for name, values in self.blood.state().items()},
            "dying": self._dying.copy(),
            "flow": self._flow.copy(),
            "waiting": np.array(
                [[*known[:3], n, time, *known[3]] for known, (n, time) in sorted(self._waiting.items())], np.float64
            ).reshape(-1, 5 + len(self.records)),
            "tally": np.array([self.shed, self.died, self.arrived], np.int64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.blood.restore({k.removeprefix("blood."): v for k, v in state.items() if k.startswith("blood.")})
        self._walkers = self._walking
        self._dying, self._flow = np.array(state["dying"]), np.array(state["flow"])
        self._waiting = {
            (int(row[0]), int(row[1]), int(row[2]), tuple(row[5:].tolist())): (int(row[3]), float(row[4]))
            for row in state["waiting"]
        }
        self.shed, self.died, self.arrived = (int(v) for v in state["tally"])


def coarse(share: float) -> float:
    """A share in the steps in which odds of parties tell them apart."""
    return GRAIN * round(share / GRAIN)


def _lasting(count: float, time: float, dt: float) -> float:
    """How many of those who come evenly over dt (h) are left at its end, each for an exponential time of that mean."""
    return count * time / dt * -math.expm1(-dt / time)


def _left(pools: Real, dt: float) -> Real:
    """Share of each pool that is left after dt (h); the second column holds its mean time, 0 for an empty one."""
    return np.asarray(np.exp(-dt / np.where(pools[:, 1] > 0.0, pools[:, 1], np.inf)))


def copies(members: Ids, count: int) -> Ids:
    """Ids [count, size]: the cells themselves, and those of the further parties that they stand for."""
    if count == 1:
        return members[None, :].copy()
    other = mix(members, COPY)[None, :] ^ np.arange(count, dtype=np.uint64)[:, None]
    found: Ids = mix(other, COPY)
    found[0] = members
    return found
