"""What a study can be done on besides one tissue: whole bodies, cohorts of patients, and published models of another make.

A `Model` of one tissue is made of processes that the engine runs. A `Subject` brings its own way through time, and tells as
much about itself: its parts, numbers, sources, readouts and limits.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy.typing import NDArray

from paget.errors import ModelError, StudyError, UnknownNameError
from paget.evidence import Parameter, ParameterTable
from paget.experiment import Arm, Study
from paget.model import ChainEdge, ChainNode, Model, Option
from paget.pharmacology import Drug
from paget.readouts import Readout
from paget.rules import Rule
from paget.vocabulary import CellType

if TYPE_CHECKING:
    from paget.engine.animal import Animal

__all__ = ["Cohort", "Individual", "Mechanism", "Subject"]


@dataclass(frozen=True)
class Mechanism:
    """One part of what happens, as a row of the table of processes.

    role : its name, under which it can be taken out if the subject allows it; numbers : keys of its parameters
    """

    role: str
    phase: str
    summary: str
    numbers: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    essential: bool = False


@dataclass(frozen=True, kw_only=True)
class Subject(ABC):
    """Something that lives through a study.

    mechanisms : its parts, in the order in which they act. left_out : roles of parts that were taken out
    sites : names of the sites of the body, in the order of their codes; empty if there is only one
    individuals : what those that live through the study are called, in the plural
    species : of the body; detail : site -> how it is resolved, as "spatial" or "lumped"

    Raises
    ------
    ModelError
    """

    name: str
    title: str
    parameters: ParameterTable
    mechanisms: tuple[Mechanism, ...]
    readouts: tuple[Readout, ...]
    cell_types: tuple[CellType, ...] = ()
    event_kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    species: str = ""
    individuals: str = "animals"
    detail: Mapping[str, str] = field(default_factory=dict)
    drugs: tuple[Drug, ...] = ()
    chain: tuple[tuple[ChainNode, ...], tuple[ChainEdge, ...]] = ((), ())
    options: tuple[Option, ...] = ()
    assumed: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    methods: str = ""
    sources: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problems_of_study: Callable[[Study], Iterable[str]] | None = None

    @property
    def processes(self) -> Mapping[str, Mechanism]:
        """The parts by role."""
        return {part.role: part for part in self.mechanisms if part.role not in self.left_out}

    def numbers_used(self) -> dict[str, Parameter]:
        """Every parameter that is used, by key."""
        keys = [key for part in self.processes.values() for key in part.numbers]
        return {key: self.parameters[key] for key in dict.fromkeys(keys)}

    def changed(self, **changes: Any) -> Self:
        """Return the subject with fields replaced."""
        return dataclasses.replace(self, **changes)

    def with_parameters(self, changes: Mapping[str, str | float]) -> Self:
        """Return the subject with parameters changed; they must be used by it."""
        used = self.numbers_used()
        for key in changes:
            if key not in used:
                raise UnknownNameError("parameter", key, used)
        return self.changed(parameters=self.parameters.with_values(changes))

    @property
    def tissues(self) -> Mapping[str, Model]:
        """Models of the sites that are simulated cell by cell; none unless the subject says so."""
        return {}

    @property
    def genes(self) -> Mapping[str, tuple[str, ...]]:
        """Genes and nodes of networks that can be knocked out or over-expressed, with what each acts on."""
        return {}

    def perturbed(self, levels: Mapping[tuple[str, str], float]) -> Self:
        """Return the subject with other activities of genes: (gene, cell type or "" for all) -> multiple of normal.

        Raises
        ------
        UnknownNameError, StudyError
        """
        if levels:
            raise StudyError(f"'{self.name}' has no genes, so that none can be knocked out or over-expressed")
        return self

    def without(self, *roles: str) -> Self:
        """Return the subject without some of its parts."""
        for role in roles:
            if role not in self.processes:
                raise UnknownNameError("process role", role, self.processes)
            if self.processes[role].essential:
                raise ModelError(f"'{role}' cannot be taken out of '{self.name}': nothing else is defined without it.")
        return self.changed(left_out=(*self.left_out, *roles))

    def with_rules(self, *rules: Rule) -> Self:
        """Return the subject with rules of cells added, where it has tissues with rules."""
        if rules:
            raise ModelError(f"'{self.name}' has no tissue whose cells follow rules, so that none can be added.")
        return self

    def describe(self) -> dict[str, Any]:
        """Everything a report needs to know, as plain JSON values."""
        from paget.explain import describe_subject

        return describe_subject(self)


@dataclass(frozen=True, kw_only=True)
class Individual(Subject):
    """A subject whose animals are simulated one by one."""

    @abstractmethod
    def animal(self, study: Study, arm: Arm, animal: int) -> Animal:
        """One animal of an arm at the start of the study."""


@dataclass(frozen=True, kw_only=True)
class Cohort(Subject):
    """A subject of so many individuals that they are computed and recorded in blocks.

    block : individuals of a block
    """

    block: ClassVar[int] = 2500

    @abstractmethod
    def readings(self, study: Study, arm: Arm, first: int, count: int) -> dict[str, NDArray[Any]]:
        """Readouts of some individuals over time, as columns: time in h, animal, and one for each readout that is measured.

        Rows go by individual and then by time; the first time is 0, the last the end of the study. They depend on seed,
        individual, arm and the numbers of the subject, not on the block.
        """
