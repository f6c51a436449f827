"""Models in Antimony, the notation for people, read and written through SBML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from paget.errors import ModelError, PagetError
from paget.io.networks.opening import opened
from paget.io.networks.sbml import read_sbml
from paget.io.networks.sbml_out import to_sbml
from paget.signalling.kinetics import Kinetics

__all__ = ["read_antimony", "to_antimony"]


def _antimony() -> Any:
    try:
        import antimony
    except ImportError:
        raise PagetError(
            "Antimony is read by its own library, which is not installed: pip install 'paget[networks]'"
        ) from None
    antimony.clearPreviousLoads()
    antimony.freeAll()
    return antimony


def read_antimony(given: str | Path, *, time_unit: str = "", nonnegative: bool = True) -> Kinetics:
    """The system of rate equations in an Antimony file, or in a text of one.

    The last model of the text counts; `time_unit` and `nonnegative` are as in `read_sbml`.

    Raises
    ------
    ModelError
        With what Antimony cannot read, or what rate equations here do not have.
    """
    file = opened(given, "Antimony", ("->", "=>", "=", ";"))
    library = _antimony()
    if library.loadAntimonyString(file.text) < 0:
        raise ModelError(f"{file.name} cannot be read:", [" ".join(str(library.getLastError()).split())])
    text = library.getSBMLString(library.getMainModuleName())
    try:
        return read_sbml(str(text), time_unit=time_unit, nonnegative=nonnegative)
    except ModelError as problem:
        # Lines are those of the SBML in between, which nobody has seen.
        told = [re.sub(r"^SBML text:\d+: ", "", one) for one in problem.problems]
        raise ModelError(f"{file.name} cannot be read:", told) from problem


def to_antimony(system: Kinetics) -> str:
    """The system as a text in Antimony.

    Raises
    ------
    ModelError
        If something has the name of a unit or a word of Antimony, which its library leaves out without a word.
    """
    library = _antimony()
    if library.loadSBMLString(to_sbml(system)) < 0:
        raise ModelError(f"'{system.name}' cannot be written as Antimony:", [str(library.getLastError())])
    text = str(library.getAntimonyString(library.getMainModuleName()))
    again = read_antimony(text, nonnegative=False)
    every = (*system.values, *(one.name for one in system.reactions))
    kept = {*again.values, *(one.name for one in again.reactions)}
    lost = [name for name in every if name not in kept]
    if lost:
        told = [f"'{name}' is lost; give it another name" for name in lost]
        raise ModelError(f"'{system.name}' cannot be written as Antimony:", told)
    return text
