"""The contract, executed: what a process sees and does is exactly what it declared.

`See` and `Do` are made by the engine for every process. Reading an undeclared variable, adding to or setting one, or emitting
an undeclared event raises `ContractError` at that moment, naming the process.
"""

from paget.access.do import Do
from paget.access.ledgers import Emission, Ledgers
from paget.access.names import POSITION
from paget.access.see import See
from paget.access.world import World

__all__ = ["POSITION", "Do", "Emission", "Ledgers", "See", "World"]
