"""Private streams of random numbers: one per cell and step, opened by a counter, cheap to draw from.

A process that needs an unknown number of draws opens a stream at (key, id, step) with one call of Philox and then draws from
SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195), whose start and increment both come from that call. So the
numbers are still a pure function of key, id and step, whatever the order of the cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paget.kernels.bits import ones
from paget.kernels.compile import kernel
from paget.kernels.philox import philox4x32

__all__ = ["LAYERS", "draw_exponential", "draw_uniform", "draw_word", "layers", "open_stream"]

Real = NDArray[np.float64]
Word = np.uint64

LAYERS = 256
TAIL = 7.69711747013104972  # where the lowest layer of 256 of the exponential's ziggurat ends and its tail begins

_1, _11, _27, _30, _31, _32 = (np.uint64(i) for i in (1, 11, 27, 30, 31, 32))
_LOW = np.uint64(0xFFFFFFFF)
_LAYER = np.uint64(LAYERS - 1)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_ALTERNATE = np.uint64(0xAAAAAAAAAAAAAAAA)
_FEWEST = np.uint64(24)
_SCALE = 1.0 / 9007199254740992.0  # 2**-53


def layers() -> tuple[Real, Real]:
    """Layers of equal area under exp(-x), for drawing from below it (Marsaglia and Tsang 2000, doi:10.18637/jss.v005.i08).

    edge : [257], falling from the width that the lowest layer would have as a rectangle, over TAIL, to 0; height : exp(-edge)
    """
    area = (TAIL + 1.0) * np.exp(-TAIL)  # rectangle below TAIL and the tail beyond
    edge = np.zeros(LAYERS + 1)
    edge[0], edge[1] = area / np.exp(-TAIL), TAIL
    for i in range(1, LAYERS - 1):
        edge[i + 1] = -np.log(np.exp(-edge[i]) + area / edge[i])
    return edge, np.exp(-edge)


_EDGE, _HEIGHT = layers()


@kernel
def open_stream(key: Word, cell: Word, step: int) -> tuple[Word, Word]:
    """State and increment of the stream of a cell and a step; the increment is odd and no run of equal bits."""
    when = np.uint64(step)
    a, b, c, d = philox4x32(cell & _LOW, cell >> _32, when & _LOW, when >> _32, key & _LOW, key >> _32)
    increment = (c << _32) | d | _1
    if ones(increment ^ (increment >> _1)) < _FEWEST:
        increment ^= _ALTERNATE
    return (a << _32) | b, increment


@kernel
def draw_word(stream: Word, increment: Word) -> tuple[Word, Word]:
    """The stream moved on, and 64 random bits."""
    stream += increment
    word = (stream ^ (stream >> _30)) * _M1
    word = (word ^ (word >> _27)) * _M2
    return stream, word ^ (word >> _31)


@kernel
def draw_uniform(stream: Word, increment: Word) -> tuple[Word, float]:
    """The stream moved on, and a number from 0 to below 1 in steps of 2**-53."""
    stream, word = draw_word(stream, increment)
    return stream, np.float64(np.int64(word >> _11)) * _SCALE


@kernel
def draw_exponential(stream: Word, increment: Word) -> tuple[Word, float]:
    """The stream moved on, and a number from the unit exponential distribution, mostly at the cost of one draw."""
    beyond = 0.0
    while True:
        stream, word = draw_word(stream, increment)
        layer = word & _LAYER
        x = np.float64(np.int64(word >> _11)) * _SCALE * _EDGE[layer]
        if x < _EDGE[layer + _1]:
            return stream, beyond + x
        if layer == np.uint64(0):
            beyond += TAIL  # the tail is the distribution itself, moved
            continue
        stream, u = draw_uniform(stream, increment)
        if _HEIGHT[layer] + u * (_HEIGHT[layer + _1] - _HEIGHT[layer]) < np.exp(-x):
            return stream, beyond + x
