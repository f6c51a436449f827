"""Transport: fields over one tick, without time-step limits, positive, and to a stated residual.

A diffusing field with uniform loss is advanced exactly: sines and cosines diagonalise the diffusion operator of a box, every
mode relaxes by its own exponential, and a tick much longer than the relaxation time gives the quasi-steady state. Where
loss varies in space, uptake saturates or voxels are held, implicit steps (or the steady state) are solved by conjugate
gradients with a multigrid preconditioner. Immobile fields are advanced voxel by voxel with the exact exponential; what a
transfer moves arrives at the end of the tick.
"""

from paget.engine.transport.advance import (
    METHODS,
    RESIDUAL,
    Advanced,
    advance,
    advance_diffusing,
    laplacian_modes,
    relaxation_time,
)
from paget.engine.transport.description import FACES, Diffusing, Fixed, Held, Inflow, Saturable, check
from paget.engine.transport.immobile import Binding, advance_immobile, bind, decay_and_gain
from paget.engine.transport.multigrid import Workspace

__all__ = [
    "FACES",
    "METHODS",
    "RESIDUAL",
    "Advanced",
    "Binding",
    "Diffusing",
    "Fixed",
    "Held",
    "Inflow",
    "Saturable",
    "Workspace",
    "advance",
    "advance_diffusing",
    "advance_immobile",
    "bind",
    "check",
    "decay_and_gain",
    "laplacian_modes",
    "relaxation_time",
]
