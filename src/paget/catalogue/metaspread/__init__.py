"""The published model of metastatic spread on lattices (Franssen et al. 2019), as stated and as MetaSpread executes it."""

from paget.catalogue.metaspread.run import MetaSpreadRun
from paget.catalogue.metaspread.settings import DEFECTS, Destination, MetaSpread
from paget.catalogue.metaspread.simulate import MetaSpreadResult, simulate

__all__ = ["DEFECTS", "Destination", "MetaSpread", "MetaSpreadResult", "MetaSpreadRun", "simulate"]
