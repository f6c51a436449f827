"""Numbers of a lumped site, measured from pieces of a tissue.

measured = measure(primary_tumour(), "14 day", replicates=5, seed=1)
primary = measured.site("primary", scale=200_000)
"""

from paget.body.patch.estimates import Estimate
from paget.body.patch.rates import PatchRates, measure
from paget.body.patch.watch import Watched, watch

__all__ = ["Estimate", "PatchRates", "Watched", "measure", "watch"]
