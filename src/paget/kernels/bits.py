"""Sets of small numbers as the bits of words: count them, find the lowest, find the one at a given place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from paget.kernels.compile import kernel

__all__ = ["lowest", "nth_one", "ones", "packed", "unpacked"]

Word = np.uint64

_ODD = np.uint64(0x5555555555555555)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_EACH_BYTE = np.uint64(0x0101010101010101)
_TOP = np.uint64(0x8080808080808080)
_1, _2, _3, _4, _8, _255 = (np.uint64(i) for i in (1, 2, 3, 4, 8, 255))
# Place of the k-th one of a byte, at 8 * byte + k.
_IN_BYTE = np.array([([p for p in range(8) if b >> p & 1] + [0] * 8)[:8] for b in range(256)], np.uint8).ravel()


def _ones(typing_context: Any, word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def _lowest(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


# How many bits of a uint64 are set, and the place of the lowest (64 if none is): one instruction where the processor has it.
# For compiled code only.
ones = cast(Callable[[Word], Word], intrinsic(_ones))
lowest = cast(Callable[[Word], Word], intrinsic(_lowest))


@kernel
def nth_one(word: Word, k: Word) -> Word:
    """Place of the set bit that has `k` set bits below it, without a branch (Vigna 2008, doi:10.1007/978-3-540-68552-4_12)."""
    sums = word - ((word >> _1) & _ODD)
    sums = (sums & _PAIRS) + ((sums >> _2) & _PAIRS)
    sums = ((sums + (sums >> _4)) & _NIBBLES) * _EACH_BYTE  # byte i: how many are set in bytes 0 to i
    byte = ones((((k * _EACH_BYTE) | _TOP) - sums) & _TOP) << _3
    k -= ((sums << _8) >> byte) & _255
    return byte + np.uint64(_IN_BYTE[(((word >> byte) & _255) << _3) + k])


def packed(on: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Rows of truth values [n, m] as words [ceil(n / 64), m]: row i is bit i % 64 of word i // 64."""
    n, m = on.shape
    words = -(-n // 64)
    columns = np.zeros((m, 8 * words), np.uint8)
    columns[:, : -(-n // 8)] = np.packbits(on, axis=0, bitorder="little").T
    return np.ascontiguousarray(columns.view("<u8").astype(np.uint64).reshape(m, words).T)


def unpacked(words: NDArray[np.uint64], n: int) -> NDArray[np.bool_]:
    """The first `n` rows of truth values [n, m] of words [ceil(n / 64), m]; the inverse of `packed`."""
    columns = np.ascontiguousarray(words.T).astype("<u8").view(np.uint8).reshape(words.shape[1], 8 * words.shape[0])
    return np.unpackbits(np.ascontiguousarray(columns.T), axis=0, count=n, bitorder="little").astype(np.bool_)
