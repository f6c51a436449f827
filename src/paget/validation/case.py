"""How an observation is tested: what is run, and how its number is read off."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from paget.experiment import Study
from paget.validation.measured import Measured
from paget.version import __version__

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["Case", "Computation", "Experiment", "Measure", "StudyRun", "Untested"]

Measure = Callable[["Result"], Measured]


@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """A study of the catalogue, with some of its arms and perhaps other numbers of animals; several observations share it.

    quick : animals per arm of a quick run
    """

    key: str
    study: str
    arms: tuple[str, ...]
    replicates: int
    quick: int
    options: Mapping[str, str | int | float] = field(default_factory=dict)
    title: str = ""

    def as_study(self, quick: bool) -> Study:
        """The study as it is run."""
        from paget.catalogue import load_study

        study = load_study(self.study).only(*self.arms)
        return study.changed(
            replicates=self.quick if quick else self.replicates, options={**study.options, **self.options}
        )


@dataclass(frozen=True, kw_only=True)
class Computation:
    """Something computed without a study, such as networks by themselves: gives one number for each observation.

    run : takes whether a quick answer is wanted
    """

    key: str
    title: str
    run: Callable[[bool], Mapping[str, Measured]]

    def digest(self, quick: bool) -> str:
        """Changes with the code of the computation, the tables of parameters, and the version."""
        found = hashlib.sha256(f"{__version__} {quick} {self.key}".encode())
        found.update(inspect.getsource(inspect.getmodule(self.run) or self.run).encode())
        tables = files("paget") / "data" / "parameters"
        for table in sorted(tables.iterdir(), key=lambda path: path.name):
            if table.name.endswith(".csv"):
                found.update(table.read_bytes())
        return found.hexdigest()


Experiment = StudyRun | Computation


@dataclass(frozen=True, kw_only=True)
class Case:
    """One observation and how it is tested.

    observation : name of its row. experiment : key of what is run
    measure : how the number is read off the result of a study; a computation names its numbers by observation
    stands_in : what was read out, where it is not what was published
    remark : what the reader should know
    """

    observation: str
    experiment: str
    measure: Measure | None = None
    stands_in: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Untested:
    """An observation, or all rows of its id, that cannot be tested, and which mechanism or number lacks."""

    observation: str
    reason: str
