"""What is there now: cells, fields and the body. Only the engine changes it."""

from paget.state.cells import Cells
from paget.state.fields import Fields, Grid

__all__ = ["Cells", "Fields", "Grid"]
