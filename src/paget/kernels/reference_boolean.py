"""Slow, clear twins of the kernel of Boolean networks: direct sampling, the exact equation, and the kernel's own draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paget.kernels import boolean, philox, streams

__all__ = ["Circuit", "advance_cell", "first_state", "generator", "held_at_threshold", "sample"]

Real = NDArray[np.float64]

_WORD = 2**64


@dataclass(frozen=True)
class Circuit:
    """A network as functions of a state, a tuple of n zeros and ones.

    arrays : of the network, as the kernel takes them
    held : node -> state in which it is held. doses : node -> (activate, inhibit)
    """

    arrays: tuple[Any, ...]
    held: dict[int, int] = field(default_factory=dict)
    doses: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return int(self.arrays[2].size)

    def entry(self, state: tuple[int, ...], i: int) -> int:
        """Row of the rates of node i."""
        first, regulator, at, table = self.arrays[:4]
        regulators = regulator[first[i] : first[i + 1]]
        return int(table[at[i] + sum(state[r] << p for p, r in enumerate(regulators))])

    def rate(self, state: tuple[int, ...], i: int) -> float:
        """Rate in 1/h at which node i leaves its state."""
        if i in self.held:
            return 0.0
        up, down = (float(rate) for rate in self.arrays[4][self.entry(state, i)])
        activate, inhibit = self.doses.get(i, (0.0, 0.0))
        up, down = up + activate * down, (1.0 - activate) * down
        return down + inhibit * up if state[i] else (1.0 - inhibit) * up

    def bound(self, state: tuple[int, ...], i: int) -> float:
        """Power of two that the kernel takes for the rate before it accepts or rejects; 0 for a rate of 0."""
        if self.rate(state, i) == 0.0:
            return 0.0
        kind = 2 if any(dose > 0.0 for dose in self.doses.get(i, ())) else state[i]
        return float(self.arrays[6][self.arrays[5][self.entry(state, i), kind]])

    def clamped(self, state: tuple[int, ...]) -> tuple[int, ...]:
        """The state with what is held in its place."""
        return tuple(self.held.get(i, s) for i, s in enumerate(state))


def flipped(state: tuple[int, ...], i: int) -> tuple[int, ...]:
    return (*state[:i], 1 - state[i], *state[i + 1 :])


def sample(
    circuit: Circuit, state: tuple[int, ...], hours: float, rng: np.random.Generator
) -> tuple[tuple[int, ...], Real]:
    """State after `hours`, and hours that each node was on, by Gillespie's direct method (1977, doi:10.1021/j100540a008)."""
    state, t, on = circuit.clamped(state), 0.0, np.zeros(circuit.n)
    while True:
        rates = np.array([circuit.rate(state, i) for i in range(circuit.n)])
        wait = rng.exponential(1.0 / rates.sum()) if rates.any() else np.inf
        on += min(wait, hours - t) * np.array(state)
        t += wait
        if t >= hours:
            return state, on
        state = flipped(state, int(rng.choice(circuit.n, p=rates / rates.sum())))


def generator(circuit: Circuit) -> sparse.csr_array[Any]:
    """Matrix Q of the master equation dp/dt = Q p over all 2**n states; node i is bit i of a state's number."""
    n = circuit.n
    numbers = np.arange(2**n)
    bits = [(numbers >> i) & 1 for i in range(n)]
    first, regulator, at, table, rates = circuit.arrays[:5]
    where, source, value = [numbers], [numbers], [np.zeros(2**n)]
    for i in range(n):
        if i in circuit.held:
            continue
        index = sum((bits[r] << p for p, r in enumerate(regulator[first[i] : first[i + 1]])), np.zeros_like(numbers))
        up, down = rates[table[at[i] + index]].T
        activate, inhibit = circuit.doses.get(i, (0.0, 0.0))
        # Turned on by the node itself or by the activator, and a share of both turned off again by the inhibitor.
        rise = (1.0 - inhibit) * (up + activate * down)
        rate = np.where(bits[i] == 1, up + down - rise, rise)
        where.append(numbers ^ (1 << i))
        source.append(numbers)
        value.append(rate)
        value[0] -= rate
    shape = (2**n, 2**n)
    return sparse.csr_array((np.concatenate(value), (np.concatenate(where), np.concatenate(source))), shape=shape)


class _Stream:
    """SplitMix64 and what is drawn from it, in whole numbers of Python."""

    def __init__(self, key: int, name: int, step: int) -> None:
        low = 0xFFFFFFFF
        counter = [name & low, name >> 32, step & low, (step >> 32) & low, key & low, key >> 32]
        a, b, c, d = (int(word) for word in philox.philox4x32(*(np.uint64(part) for part in counter)))
        self.state, self.increment = a << 32 | b, c << 32 | d | 1
        if (self.increment ^ self.increment >> 1).bit_count() < 24:
            self.increment ^= 0xAAAAAAAAAAAAAAAA
        self.edge, self.height = streams.layers()

    def word(self) -> int:
        self.state = (self.state + self.increment) % _WORD
        z = (self.state ^ self.state >> 30) * 0xBF58476D1CE4E5B9 % _WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB % _WORD
        return z ^ z >> 31

    def uniform(self) -> float:
        return (self.word() >> 11) / 2.0**53

    def exponential(self) -> float:
        beyond = 0.0
        while True:
            word = self.word()
            layer = word % 256
            x = (word >> 11) / 2.0**53 * float(self.edge[layer])
            if x < self.edge[layer + 1]:
                return beyond + x
            if layer == 0:
                beyond += streams.TAIL
            elif self.height[layer] + self.uniform() * (self.height[layer + 1] - self.height[layer]) < np.exp(-x):
                return beyond + x


def advance_cell(
    circuit: Circuit, state: tuple[int, ...], hours: float, key: int, name: int, step: int
) -> tuple[tuple[int, ...], Real, int]:
    """State after a step, hours that each node was on, and flips: the draws of the kernel, but nothing kept between flips."""
    draws = _Stream(key, name, step)
    state, t, flips = circuit.clamped(state), 0.0, 0
    on, since = np.zeros(circuit.n), np.zeros(circuit.n)
    while True:
        bounds = [circuit.bound(state, i) for i in range(circuit.n)]
        bins = [(float(b), [i for i in range(circuit.n) if bounds[i] == b]) for b in circuit.arrays[6]]
        total = sum(b * len(members) for b, members in bins)
        if total > 0.0:
            t += draws.exponential() / total
        if total == 0.0 or t >= hours:
            return state, on + np.where(state, hours - since, 0.0), flips
        u = draws.uniform() * total
        for bound, members in bins:
            if u < bound * len(members):
                break
            u -= bound * len(members)
        i = members[int(u / bound)]
        rate = circuit.rate(state, i)
        if rate < bound and draws.uniform() * bound >= rate:
            continue
        if state[i]:
            on[i] += t - since[i]
        since[i] = t
        state = flipped(state, i)
        flips += 1


def first_state(probability: Real, key: int, name: int) -> tuple[int, ...]:
    """What `boolean.draw_initial` draws for one cell."""
    draws = _Stream(key, name, boolean.FOR_LIFE)
    return tuple(int(draws.uniform() < p) for p in probability)


def held_at_threshold(level: float, was: bool, on: float, off: float, below: bool) -> bool:
    """Whether an input is on at a level: past `on` it is, past `off` on the other side not, between it stays as it was."""
    if below:
        level, on, off = -level, -on, -off
    return True if level > on else False if level < off else was
