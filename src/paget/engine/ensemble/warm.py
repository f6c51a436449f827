"""Loads everything that an animal of the lung needs, once, in the process from which animals are forked.

Importing this module reads the compiled kernels from their cache (or compiles them) and fills the table of units, by
taking a tiny piece of tissue through two ticks. It changes nothing: each animal starts from its own founders.
"""

from __future__ import annotations

from numcodecs import Blosc

from paget.catalogue.lung import lung_awakening
from paget.engine.chance import Chance
from paget.engine.tick import Stepper
from paget.engine.world import found

__all__: list[str] = []


def _warm() -> None:
    model = lung_awakening({"size": 400})
    world = found(model, seed=0, animal=0, dt=1.0)
    stepper = Stepper(model, world)
    for _ in range(2):
        stepper.step()
    for readout in model.readouts:
        if readout.measure is not None:
            readout.measure(world)
    Chance._key.cache_clear()
    # The codec makes its lock at first use; made here, it is shared, and a killed animal leaves none behind.
    Blosc(cname="zstd").encode(bytes(64))


_warm()
