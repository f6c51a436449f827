"""A part of a study's animals for one of several machines, divided evenly and always in the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from paget.errors import StudyError

__all__ = ["Shard"]

T = TypeVar("T")

_TEXT = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")


@dataclass(frozen=True)
class Shard:
    """Part `number` (counted from 1) of `count` parts of a study."""

    number: int
    count: int

    @classmethod
    def of(cls, given: Shard | tuple[int, int] | str) -> Shard:
        """A shard from (3, 16) or ``"3/16"``; `StudyError` if it is none.

        >>> Shard.of("3/16")
        Shard(number=3, count=16)
        """
        if isinstance(given, str):
            read = _TEXT.fullmatch(given)
            if read is None:
                raise StudyError(f"'{given}' is not a shard; write which of how many, such as 3/16.")
            given = (int(read[1]), int(read[2]))
        number, count = (given.number, given.count) if isinstance(given, Shard) else given
        if count < 1 or not 1 <= number <= count:
            raise StudyError(
                f"There is no shard {number}/{count}: the first number counts the shards from 1, the second says "
                "how many there are, as in 1/16 to 16/16."
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def lock_name(self) -> str:
        """File by which this shard keeps a second start of itself away."""
        return f".lock-shard-{self.number}-of-{self.count}"

    def share(self, rows: Sequence[Sequence[T]]) -> list[T]:
        """What falls to this shard of a table with a row for each animal and a column for each arm.

        The table is dealt out like cards, so shares differ by one at most; the columns are turned by one after each
        whole round, so that no shard gets one arm only, whose animals may all take longer than those of the others.

        >>> [Shard(i, 2).share([["a0", "b0"], ["a1", "b1"], ["a2", "b2"]]) for i in (1, 2)]
        [['a0', 'b1', 'a2'], ['b0', 'a1', 'b2']]
        """
        mine = []
        for index, row in enumerate(rows):
            turn = index // (self.count // math.gcd(len(row), self.count)) if row else 0
            for place in range(len(row)):
                if (index * len(row) + place) % self.count == self.number - 1:
                    mine.append(row[(place - turn) % len(row)])
        return mine
