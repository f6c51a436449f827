"""What can be done to an animal: each kind of intervention a typed value that reads like a line of a bench protocol.

Every intervention has a `label`, by which other arms move it (``shift``) or leave it out (``without``), and the times at which
it acts, which may follow from what happens (see `paget.experiment.moments`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from paget.errors import StudyError
from paget.experiment.moments import Moment, Moments, When, when_in_words
from paget.experiment.value import Value
from paget.settings import (
    HOURS_PER_DAY,
    Affinity,
    Count,
    DoseAmount,
    Fold,
    Line,
    ParameterValue,
    PositiveHours,
    Whole,
    hours_in_words,
)

__all__ = [
    "KINDS",
    "Antibody",
    "Course",
    "Depletion",
    "Dose",
    "Injection",
    "Intervention",
    "Lasting",
    "Override",
    "Perturbation",
    "Resection",
    "Route",
]

Route = Literal["intravenous", "oral", "intraperitoneal", "subcutaneous"]
ForAsLongAs = PositiveHours | None

MOST_TIMES = 10_000


def too_often(times: float) -> str:
    """Why a course of so many administrations is refused."""
    return f"{times:.6g} administrations; at most {MOST_TIMES} can be given"


class Intervention(Value):
    """One thing that is done to the animals of an arm."""

    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """What is given, taken or changed; under this name other arms move it or leave it out."""
        raise NotImplementedError

    @property
    def moments(self) -> tuple[float | Moment, ...]:
        """When it is done, as far as that is written down one by one."""
        raise NotImplementedError

    @property
    def ending(self) -> float | Moment | None:
        """When it ends or is given no more, if that is said as a time of its own."""
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """What a moment may call it: ``the resection of primary``."""
        return (self.label,)

    def in_words(self) -> str:
        """Describe it as a bench protocol would."""
        raise NotImplementedError

    def shifted(self, hours: float) -> Self:
        """Return the same, done `hours` later (earlier if negative); `StudyError` if that would be before day 0."""
        raise NotImplementedError

    def _later(self, when: float | Moment, hours: float) -> float | Moment:
        if isinstance(when, Moment):
            moved = when.later(hours)
            if when.condition is not None and moved.delay < 0:
                raise StudyError(f"{self.label} would be given '{moved}', which nobody knows beforehand")
            return moved
        if when + hours < 0:
            raise StudyError(
                f"{self.label} would be given before the study begins, on day {(when + hours) / HOURS_PER_DAY:g}"
            )
        return when + hours


class Course(Intervention):
    """Something done repeatedly: at given times, or every so often, in one or several cycles, perhaps until an event."""

    at: Moments = Field(
        default=(),
        description="Time of a single administration, or a list of times; a time is 7 day, or follows an event, such as "
        "'7 day after the last dose'. Leave out to use start, every and count.",
    )
    start: When | None = Field(default=None, description="Time of the first administration, which may follow an event.")
    every: PositiveHours | None = Field(default=None, description="Interval between administrations within a cycle.")
    count: Whole | None = Field(
        default=None, ge=1, description="Administrations in a cycle (1 if left out; with 'until', as many as fit)."
    )
    cycle_every: PositiveHours | None = Field(
        default=None, description="Interval between the starts of cycles (intermittent dosing)."
    )
    cycles: Whole = Field(default=1, ge=1, description="Number of cycles.")
    until: When | None = Field(
        default=None, description="Nothing is given from this time on, which may be an event: 'when nodules reaches 2'."
    )

    @property
    def ending(self) -> float | Moment | None:
        return self.until

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if bool(self.at) == (self.start is not None):
            raise ValueError("give either 'at' (a list of times) or 'start' (with every, count, cycles)")
        repeated = self.every is not None or (self.count or 1) > 1 or self.cycles > 1 or self.cycle_every is not None
        if self.start is None and repeated:
            raise ValueError("'every', 'count', 'cycle_every' and 'cycles' go with 'start', not with 'at'")
        if (self.count or 1) > 1 and self.every is None:
            raise ValueError(f"{self.count} administrations need 'every', the interval between them")
        if self.cycles > 1 and self.cycle_every is None:
            raise ValueError(f"{self.cycles} cycles need 'cycle_every', the interval between their starts")
        if self.cycles > 1 and self.count is None and self.every is not None:
            raise ValueError("several cycles need 'count', the administrations in each")
        if self.every is not None and self.count is None and self.until is None:
            raise ValueError("'every' needs 'count', the number of administrations, or 'until', when they end")
        if isinstance(self.until, float) and isinstance(self.start, float) and self.until <= self.start:
            raise ValueError(f"ends on day {self.until / HOURS_PER_DAY:g}, before anything is given")
        if (self.count or 1) * self.cycles > MOST_TIMES:
            raise ValueError(too_often((self.count or 1) * self.cycles))
        return self

    @property
    def endless(self) -> bool:
        """Whether it goes on for as long as the study lasts, or until something ends it."""
        return self.count is None and self.every is not None

    def at_times(self, times: Iterable[float]) -> Self:
        """The same, given at these times in h, each written down."""
        alone = {"start": None, "every": None, "count": None, "cycle_every": None, "cycles": 1, "until": None}
        return self.model_copy(update={"at": tuple(times), **alone})

    def offsets(self, span: float) -> Iterable[float]:
        """Times of the administrations after `start` in h, in order, those within `span`."""
        if self.endless and self.every is not None:
            return (n * self.every for n in range(max(math.ceil(span / self.every - 1e-9), 0)))
        return sorted(
            cycle * (self.cycle_every or 0.0) + n * (self.every or 0.0)
            for cycle in range(self.cycles)
            for n in range(self.count or 1)
        )

    @property
    def times(self) -> tuple[float, ...]:
        """Times of every administration in h, in order.

        Raises
        ------
        StudyError
            If a time follows an event; then the animal's own story decides.
        """
        moments = (
            *self.at,
            *(() if self.start is None else (self.start,)),
            *(() if self.until is None else (self.until,)),
        )
        told = [when for when in moments if isinstance(when, Moment)]
        if told:
            raise StudyError(f"{self.label} {told[0]}: the time differs from animal to animal")
        end = self.until if isinstance(self.until, float) else math.inf
        if self.at:
            return tuple(sorted(t for t in self.at if isinstance(t, float) and t < end))
        assert isinstance(self.start, float)
        return tuple(self.start + t for t in self.offsets(end - self.start) if self.start + t < end)

    @property
    def moments(self) -> tuple[float | Moment, ...]:
        return self.at or (self.start if self.start is not None else 0.0,)

    def shifted(self, hours: float) -> Self:
        changes: dict[str, object] = {"at": tuple(self._later(t, hours) for t in self.at)}
        if self.start is not None:
            changes["start"] = self._later(self.start, hours)
        if isinstance(self.until, float):
            changes["until"] = self.until + hours
        return self.model_copy(update=changes)

    def _when_in_words(self) -> str:
        fixed = all(isinstance(when, float) for when in (*self.at, self.start or 0.0, self.until or 0.0))
        if fixed and (self.until is None or self.count is not None):
            return f"on day {days_in_words(self.times)}"
        if self.at:
            return ", ".join(when_in_words(when) for when in self.at) + self._end_in_words()
        assert self.start is not None
        words = when_in_words(self.start)
        if self.every is not None:
            times = f", {self.count} times" if self.count else ""
            since = words.removeprefix("on ") if words.startswith("on ") else f"the time {words}"
            words = f"every {hours_in_words(self.every)} from {since}{times}"
        if self.cycles > 1 and self.cycle_every is not None:
            words += f", in {self.cycles} cycles every {hours_in_words(self.cycle_every)}"
        return words + self._end_in_words()

    def _end_in_words(self) -> str:
        if self.until is None:
            return ""
        if isinstance(self.until, float):
            return f" until day {self.until / HOURS_PER_DAY:g}"
        return f" until {re.sub('^(when|at) ', '', str(self.until))}"


class Dose(Course):
    """Doses of one drug: at given times, or every so often, in one or several cycles, or until an event."""

    kind: ClassVar[str] = "dose"
    drug: str = Field(description="Name of a drug in the catalogue, such as doxorubicin.")
    amount: DoseAmount = Field(description="Amount of one administration per body weight.")
    route: Route | None = Field(
        default=None,
        description="How it is given; the drug's usual route if left out. Every drug can be given intravenously.",
    )

    @property
    def label(self) -> str:
        return self.drug

    def in_words(self) -> str:
        by = f" ({self.route})" if self.route else ""
        return f"{self.drug} {self.amount:g} mg/kg{by} {self._when_in_words()}"


class Antibody(Course):
    """An antibody that neutralises what one gene makes; what is left free follows from its level in the blood and its affinity.

    The free fraction of the target is K / (K + C), where the concentration C falls with the antibody's half-life.
    """

    kind: ClassVar[str] = "antibody"
    target: str = Field(description="Gene whose product is neutralised, as an HGNC symbol such as CXCL12.")
    amount: DoseAmount = Field(description="Amount of one administration per body weight.")
    affinity: Affinity | None = Field(
        default=None, description="Dissociation constant; that of the table for antibodies if left out."
    )
    half_life: PositiveHours | None = Field(
        default=None, description="Half-life in the body; that of mouse IgG if left out."
    )
    cells: str = Field(default="", description="Cells on which it acts; all that make the target if left out.")

    @property
    def label(self) -> str:
        return f"anti-{self.target}"

    @property
    def names(self) -> tuple[str, ...]:
        return self.label, self.target

    def in_words(self) -> str:
        return f"{self.label} {self.amount:g} mg/kg {self._when_in_words()}"


class _Once(Intervention):
    """Something done at one time."""

    at: When = Field(
        default=0.0, description="When; a time is 7 day, or follows an event, such as '2 day after the resection'."
    )

    @property
    def moments(self) -> tuple[float | Moment, ...]:
        return (self.at,)

    def shifted(self, hours: float) -> Self:
        return self.model_copy(update={"at": self._later(self.at, hours)})


class Lasting(_Once):
    """Something that begins and ends."""

    duration: ForAsLongAs = Field(default=None, description="For how long; to the end of the study if left out.")
    until: When | None = Field(default=None, description="When it ends, instead of a duration; may be an event.")

    @property
    def ending(self) -> float | Moment | None:
        return self.until

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.duration is not None and self.until is not None:
            raise ValueError("give either 'duration' or 'until'")
        if isinstance(self.until, float) and isinstance(self.at, float) and self.until <= self.at:
            raise ValueError(f"ends on day {self.until / HOURS_PER_DAY:g}, before it begins")
        return self

    def shifted(self, hours: float) -> Self:
        moved = super().shifted(hours)
        return moved.model_copy(update={"until": self.until + hours}) if isinstance(self.until, float) else moved

    def _span_in_words(self) -> str:
        begins = "" if self.at == 0.0 else f" {when_in_words(self.at).replace('on day', 'from day')}"
        if self.duration is not None:
            return f"{begins} for {hours_in_words(self.duration)}"
        if self.until is not None:
            return f"{begins} until {re.sub('^(on|when|at) ', '', when_in_words(self.until))}"
        return begins


class Resection(_Once):
    """Surgical removal of a tumour site at a time."""

    kind: ClassVar[str] = "resection"
    at: When = Field(description="Time of the operation, which may follow an event.")
    site: Line = Field(default="primary", min_length=1, description="The site whose tumour is taken out.")

    @property
    def label(self) -> str:
        return f"resection of {self.site}"

    @property
    def names(self) -> tuple[str, ...]:
        return self.label, self.site

    def in_words(self) -> str:
        return f"resection of the {self.site} tumour {when_in_words(self.at)}"


class Injection(_Once):
    """Cells or exosomes brought into the animal: into a vessel, or into a site."""

    kind: ClassVar[str] = "injection"
    cells: str = Field(default="", description="Type of the cells that are injected, such as tumour cell.")
    number: Count | None = Field(default=None, description="How many cells.")
    exosomes: str = Field(
        default="", description="Exosomes that are injected, by the organ that they are bound for, such as lung."
    )
    amount: ParameterValue | None = Field(default=None, description="Amount of exosomes, such as 10 ug.")
    into: Line = Field(
        default="tail vein", description="Where: a vessel (tail vein, left ventricle, portal vein), or a site."
    )
    cluster: Whole = Field(default=1, ge=1, description="Cells that hold together, in clusters of this size.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if bool(self.cells) == bool(self.exosomes):
            raise ValueError("give either 'cells' with a 'number', or 'exosomes' with an 'amount'")
        if self.cells and (self.number is None or self.amount is not None):
            raise ValueError("cells are injected by 'number'")
        if self.exosomes and (self.amount is None or self.number is not None or self.cluster > 1):
            raise ValueError("exosomes are injected by 'amount'")
        if self.number is not None and (self.number != round(self.number) or self.number > 2**53):
            raise ValueError(f"{self.number:g} cells cannot be injected: expected a whole number")
        if self.number is not None and self.number < self.cluster:
            raise ValueError(f"{self.number:g} cells make no cluster of {self.cluster}")
        return self

    @property
    def label(self) -> str:
        return self.cells or f"{self.exosomes} exosomes"

    def in_words(self) -> str:
        clustered = f" in clusters of {self.cluster}" if self.cluster > 1 else ""
        what = (
            f"{self.number:g} x {self.cells}{clustered}"
            if self.cells
            else f"{_plain(self.amount)} exosomes bound for {self.exosomes}"
        )
        return f"injection of {what} into the {self.into} {when_in_words(self.at)}"


class Perturbation(Lasting):
    """A gene, or a node of a signalling network, that is knocked out, knocked down or over-expressed."""

    kind: ClassVar[str] = "perturbation"
    gene: str = Field(description="The gene as an HGNC symbol, or a node of a network in the cells.")
    change: Literal["knock-out", "knock-down", "over-expression"] = Field(description="What is done to it.")
    level: Fold | None = Field(
        default=None,
        description="Activity that is left, as a multiple of normal: below 1 for a knock-down, above 1 for an over-expression.",
    )
    cells: str = Field(default="", description="Cells in which it is changed; all that have it if left out.")

    @model_validator(mode="after")
    def _level_fits(self) -> Self:
        level = self.level
        if self.change == "knock-out" and level not in (None, 0.0):
            raise ValueError("a knock-out leaves nothing; a lower level is a knock-down")
        if self.change == "knock-down" and (level is None or not 0.0 < level < 1.0):
            raise ValueError("a knock-down needs 'level', the activity that is left, between 0 and 1 (such as 0.2)")
        if self.change == "over-expression" and (level is None or level <= 1.0):
            raise ValueError("an over-expression needs 'level', how many times as much, above 1 (such as 5)")
        return self

    @property
    def left(self) -> float:
        """Activity that is left, as a multiple of normal."""
        return 0.0 if self.level is None else self.level

    @property
    def label(self) -> str:
        return self.gene

    def in_words(self) -> str:
        how = f" to {self.level:g}" if self.level else ""
        where = f" in {self.cells}s" if self.cells else ""
        return f"{self.change} of {self.gene}{how}{where}{self._span_in_words()}"


class Depletion(Lasting):
    """Cells of a type that are taken away, and kept away for a while."""

    kind: ClassVar[str] = "depletion"
    cells: str = Field(description="Type of the cells that are depleted, such as neutrophil.")
    fraction: Fold = Field(default=1.0, le=1.0, description="Share of them that is taken away (1 if left out).")

    @property
    def label(self) -> str:
        return f"depletion of {self.cells}"

    def in_words(self) -> str:
        return f"depletion of {self.fraction:.0%} of {self.cells}s{self._span_in_words()}"


class Override(Lasting):
    """A parameter that has another value for a while."""

    kind: ClassVar[str] = "override"
    parameter: str = Field(description="Key of a parameter of the model (paget explain lists them).")
    value: ParameterValue = Field(description="Its value meanwhile, with its unit.")

    @property
    def label(self) -> str:
        return self.parameter

    def in_words(self) -> str:
        return f"{self.parameter} = {self.value}{self._span_in_words()}"


def _plain(amount: str | float | None) -> str:
    return f"{amount:g}" if isinstance(amount, float) else str(amount)


KINDS: tuple[tuple[str, type[Intervention]], ...] = (
    ("doses", Dose),
    ("antibodies", Antibody),
    ("resections", Resection),
    ("injections", Injection),
    ("perturbations", Perturbation),
    ("depletions", Depletion),
    ("overrides", Override),
)
"""Name of the list in an arm, and what stands in it."""


def days_in_words(times: tuple[float, ...]) -> str:
    """Write times in h as days; three or more days in a row become a range: ``0, 6-8, 13-15``."""
    runs: list[list[float]] = []
    for time in times:
        if runs and time - runs[-1][-1] == HOURS_PER_DAY:
            runs[-1].append(time)
        else:
            runs.append([time])
    named = [[f"{time / HOURS_PER_DAY:g}" for time in run] for run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in named)
