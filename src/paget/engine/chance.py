"""Chance: every random number is a pure function of seed, animal, process, cell and draw; the arm is not part of the key.

Arms therefore share their random numbers until they differ, and a number does not depend on threads, order or restarts.
"""

from __future__ import annotations

import functools
import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from paget.evidence import Parameter
from paget.kernels import philox

__all__ = ["Chance"]


class Chance:
    """Keys and draws of one animal; `site` parts the streams of several tissues of it, which share their parameters."""

    def __init__(self, seed: int, animal: int, site: str = "") -> None:
        self.seed, self.animal, self.site = seed, animal, site

    def key(self, role: str) -> np.uint64:
        """The 64-bit key of a stream, from seed, animal and the role of a process."""
        return self._key(f"{self.site}/{role}" if self.site else role)

    @functools.lru_cache(maxsize=1024)  # noqa: B019  (one instance per animal; the cache goes with the run)
    def _key(self, stream: str) -> np.uint64:
        text = f"{self.seed}/{self.animal}/{stream}".encode()
        return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))

    def founder_ids(self, ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The ids of founders, made different from those of the founders of the animal's other sites."""
        return ids ^ self._key(f"{self.site}/founders") if self.site else ids

    def draw(self, parameter: Parameter) -> float:
        """The value of a parameter in this animal, in the parameter's unit: log-normal around it with its spread."""
        if parameter.spread == 0.0:
            return parameter.value
        sigma = math.sqrt(math.log1p(parameter.spread**2))
        stream = self._key(f"parameter/{parameter.key}")
        z = float(philox.normals(stream, np.zeros(1, np.uint64), -1, 1)[0, 0])
        return parameter.value * math.exp(sigma * z)

    def founder_uniforms(self, stream: str, n: int, columns: int) -> NDArray[np.float64]:
        """Uniform numbers [n, columns] for placing founders."""
        return philox.uniforms(self.key(f"founders/{stream}"), np.arange(n, dtype=np.uint64), -1, columns)

    def founder_normals(self, stream: str, n: int, columns: int) -> NDArray[np.float64]:
        """Standard normal numbers [n, columns] for the properties of founders."""
        return philox.normals(self.key(f"founders/{stream}/normal"), np.arange(n, dtype=np.uint64), -1, columns)
