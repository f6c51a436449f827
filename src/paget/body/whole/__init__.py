"""Whole bodies: sites in either resolution, joined by blood and lymph, with one ledger over all of them."""

from paget.body.whole.definition import Endpoint, WholeBody
from paget.body.whole.life import Life
from paget.body.whole.piece import SpatialSite

__all__ = ["Endpoint", "Life", "SpatialSite", "WholeBody"]
