"""Slow, clear twins of the kernels of encounters, written from the equations; tests compare the two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.kernels import philox

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Ids = NDArray[np.uint64]

_WORD = 2**64


def two_uniforms(key: int, name: int, step: int, draw: int) -> tuple[float, float]:
    """Two uniform numbers of the counter (name, step, draw): words 0, 1 and words 2, 3."""
    low = 0xFFFFFFFF
    counter = [name & low, name >> 32, step & low, draw & low, key & low, key >> 32]
    words = [int(word) for word in philox.philox4x32(*(np.uint64(part) for part in counter))]
    return tuple(((a >> 5 << 26 | b >> 6) + 0.5) / 2**53 for a, b in (words[:2], words[2:]))  # type: ignore[return-value]


def pair_key(first: int, second: int) -> int:
    """One word for a pair, whoever is named first."""
    word = (min(first, second) * 0x9E3779B97F4A7C15 + max(first, second)) % _WORD
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % _WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % _WORD
    return word ^ (word >> 31)


def takings(
    neighbours: list[list[int]], kind: Whole, death: Whole, ids: Ids, rate: Any, key: int, step: int, dt: float
) -> list[tuple[float, int, int]]:
    """(time, actor, how) of every cell; `rate(kind of encounter, actor row, partner row)` is in 1/h."""
    found = []
    for j, near in enumerate(neighbours):
        options = []
        for i in near:
            if death[i] == 0:
                names = {0: (2, 3), 1: (0,)}.get(int(death[j]), (1,))
                options += [(rate(name, i, j), i, int(name == 3)) for name in names]
        total = sum(option[0] for option in options)
        if total == 0.0:
            found.append((math.inf, -1, 0))
            continue
        wait, choice = two_uniforms(key, int(ids[j]), step, 0)
        when = -math.log(wait) / total
        if when >= dt:
            found.append((math.inf, -1, 0))
            continue
        cumulative = np.cumsum([option[0] for option in options])
        _, actor, how = options[int(np.searchsorted(cumulative, choice * total))]
        found.append((when, actor, how))
    return found


def attacks(
    neighbours: list[list[int]],
    death: Whole,
    ids: Ids,
    left: Real,
    victim: Whole,
    rate: Any,
    duration: Real,
    damage: Real,
    key: int,
    step: int,
    dt: float,
) -> tuple[Real, Whole, Real]:
    """Attacks of one tick as a list of stretches (from, until, victim) of every attacker, in the order of ids."""
    n = ids.size
    after, whom, dealt = np.zeros(n), np.full(n, -1), np.zeros(n)
    for i in sorted(range(n), key=lambda row: int(ids[row])):
        if death[i] > 0:
            continue
        stretches = []
        time = 0.0
        if left[i] > 0 and victim[i] >= 0 and death[victim[i]] == 0:
            stretches.append((0.0, float(left[i]), int(victim[i])))
            time = float(left[i])
        options = [(rate(4, i, j) * rate(5, j, i), j) for j in neighbours[i] if death[j] == 0]
        total, draw = sum(option[0] for option in options), 0
        while total > 0 and time < dt:
            wait, choice = two_uniforms(key, int(ids[i]), step, draw)
            draw += 1
            time -= math.log(wait) / total
            if time < dt:
                cumulative = np.cumsum([option[0] for option in options])
                j = options[int(np.searchsorted(cumulative, choice * total))][1]
                stretches.append((time, time + float(duration[i]), j))
                time += float(duration[i])
        for begin, end, j in stretches:
            dealt[j] += damage[i] * (min(end, dt) - begin)
            if end > dt:
                after[i], whom[i] = end - dt, j
    return after, whom, dealt


def attachments(
    neighbours: list[list[int]],
    kind: Whole,
    death: Whole,
    ids: Ids,
    attach: Real,
    detach: Real,
    most: Real,
    row: Whole,
    affinity: Real,
    bonds: list[tuple[int, int]],
    key: int,
    step: int,
    dt: float,
) -> tuple[set[frozenset[int]], set[frozenset[int]]]:
    """(pairs that break, pairs that form) in one tick: every pair has its own clocks, the earliest to form come first."""

    def waits(i: int, j: int, breaking: float, forming: float) -> list[float]:
        chances = two_uniforms(key, pair_key(int(ids[i]), int(ids[j])), step, 0)
        return [
            -math.log(u) / rate if rate > 0 else math.inf for u, rate in zip(chances, (breaking, forming), strict=True)
        ]

    broken = {frozenset(pair) for pair in bonds if waits(*pair, detach[pair[0]] + detach[pair[1]], 0.0)[0] < dt}
    known = {frozenset(pair) for pair in bonds}
    held = {i: sum(1 for pair in known - broken if i in pair) for i in range(ids.size)}
    options = []
    for i, near in enumerate(neighbours):
        for j in near:
            if ids[i] < ids[j] and death[i] == 0 and death[j] == 0:
                rate = attach[i] * affinity[row[i], kind[j]] + attach[j] * affinity[row[j], kind[i]]
                options.append((waits(i, j, 0.0, rate)[1], int(ids[i]), int(ids[j]), frozenset((i, j))))
    formed: set[frozenset[int]] = set()
    for when, _, _, pair in sorted(options, key=lambda option: option[:3]):
        if when < dt and pair not in known and all(held[i] < most[i] for i in pair):
            formed.add(pair)
            for i in pair:
                held[i] += 1
    return broken, formed
