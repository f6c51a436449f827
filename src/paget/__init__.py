"""paget: an in-silico metastasis laboratory.

import paget as pg

study = pg.load("lung_awakening")
result = pg.simulate(study, seed=7)
print(result.effect("metastases", "doxorubicin", versus="vehicle"))
result.report("report.html")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paget.version import __version__

if TYPE_CHECKING:
    from paget.catalogue import build_model
    from paget.engine.ensemble import simulate
    from paget.engine.simulation import Simulation
    from paget.experiment import Arm, Dose, Resection, Study
    from paget.process import Process, parameter, quantity
    from paget.results import Result
    from paget.rules import Rule
    from paget.tissue import CellDefinition, Tissue

__all__ = [
    "Arm",
    "CellDefinition",
    "Dose",
    "Process",
    "Resection",
    "Result",
    "Rule",
    "Simulation",
    "Study",
    "Tissue",
    "__version__",
    "build_model",
    "load",
    "open_result",
    "parameter",
    "quantity",
    "simulate",
]

# Names are looked up when first used, so that `import paget` and `paget --help` stay fast.
_HOMES = {
    "Arm": "paget.experiment",
    "CellDefinition": "paget.tissue",
    "Dose": "paget.experiment",
    "Process": "paget.process",
    "Resection": "paget.experiment",
    "Result": "paget.results",
    "Rule": "paget.rules",
    "Simulation": "paget.engine.simulation",
    "Study": "paget.experiment",
    "Tissue": "paget.tissue",
    "build_model": "paget.catalogue",
    "parameter": "paget.process",
    "quantity": "paget.process",
    "simulate": "paget.engine.ensemble",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'paget' has no attribute '{name}'")


def load(study: str) -> Study:
    """A study by its name in the catalogue, or from a YAML file.

    Raises
    ------
    UnknownNameError, StudyError
    """
    from pathlib import Path

    from paget.catalogue import load_study
    from paget.io.study_file import load_study_file

    if study.endswith((".yaml", ".yml")) or Path(study).is_file():
        return load_study_file(Path(study))
    return load_study(study)


def open_result(path: str) -> Result:
    """A result folder, opened without the engine.

    Raises
    ------
    ResultError, DamagedResultError
    """
    from paget.results import Result

    return Result.open(path)
