"""Mechanisms that are one sentence of biology, written as one sentence.

    fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2
    In cancer cell cells, pressure decreases cycle entry towards 0/min with half-max 1 and Hill power 4

The grammar is that of the cell behaviour hypothesis grammar (Johnson et al. 2025, doi:10.1016/j.cell.2025.06.048): a signal
raises or lowers a behaviour of a cell type from its base towards a saturation, along a Hill curve. Sentences, rows of a table
and `Rule` objects are three spellings of one value.
"""

from paget.rules.response import hill, respond
from paget.rules.sentence import Lexicon, Rule, problems
from paget.rules.table import read_table, write_table

__all__ = ["Lexicon", "Rule", "hill", "problems", "read_table", "respond", "write_table"]
