"""Compiled arithmetic: pure functions of arrays, importing nothing of paget outside this package.

Every kernel has a slow, clear twin in a module `paget.kernels.reference*`, and one test body for both.
"""

from paget.kernels import (
    compile as compile,
)  # before anything imports numba: it chooses where compiled kernels are kept
