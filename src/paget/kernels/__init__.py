"""Compiled arithmetic: pure functions of arrays, importing nothing of paget outside this package.

Every kernel has a slow, clear twin in `paget.kernels.reference`, and one test body for both.
"""
