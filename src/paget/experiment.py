"""What we do to a model: arms, doses, operations, replicates, readouts. A study is a value; every edit gives a new one.

Quantities are written as text with a unit (``"5 mg/kg"``, ``"7 day"``) and held as floats in internal units.
Reading a study from a file, with file and line in its errors, is `paget.io.study_file`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from paget.errors import StudyError, UnknownNameError
from paget.problems import Misfits, Problem, checked
from paget.settings import (
    HOURS_PER_DAY,
    DoseAmount,
    Hours,
    Line,
    OptionValue,
    ParameterValue,
    PositiveHours,
    Times,
    Whole,
)
from paget.units import to_internal

__all__ = ["HOURS_PER_DAY", "Administration", "Arm", "Dose", "Recording", "Resection", "Study"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Administration(_Value):
    """One bolus of one drug, as the body receives it (amount in mg/kg, time in h)."""

    drug: str
    time: float
    amount: float


class Dose(_Value):
    """Doses of one drug: at given times, or every so often, in one or several cycles."""

    drug: str = Field(description="Name of a drug in the catalogue, such as doxorubicin.")
    amount: DoseAmount = Field(description="Amount of one administration per body weight.")
    at: Times = Field(
        default=(),
        description="Time of a single administration, or a list of times; leave out to use start, every and count.",
    )
    start: Hours | None = Field(default=None, description="Time of the first administration.")
    every: PositiveHours | None = Field(default=None, description="Interval between administrations within a cycle.")
    count: Whole = Field(default=1, ge=1, description="Administrations in a cycle.")
    cycle_every: PositiveHours | None = Field(
        default=None, description="Interval between the starts of cycles (intermittent dosing)."
    )
    cycles: Whole = Field(default=1, ge=1, description="Number of cycles.")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if bool(self.at) == (self.start is not None):
            raise ValueError("give either 'at' (a list of times) or 'start' (with every, count, cycles)")
        repeated = self.every is not None or self.count > 1 or self.cycles > 1 or self.cycle_every is not None
        if self.start is None and repeated:
            raise ValueError("'every', 'count', 'cycle_every' and 'cycles' go with 'start', not with 'at'")
        if self.count > 1 and self.every is None:
            raise ValueError(f"{self.count} administrations need 'every', the interval between them")
        if self.cycles > 1 and self.cycle_every is None:
            raise ValueError(f"{self.cycles} cycles need 'cycle_every', the interval between their starts")
        return self

    @property
    def times(self) -> tuple[float, ...]:
        """Times of every administration in h, in order."""
        if self.at:
            return tuple(sorted(self.at))
        assert self.start is not None
        return tuple(
            sorted(
                self.start + cycle * (self.cycle_every or 0.0) + i * (self.every or 0.0)
                for cycle in range(self.cycles)
                for i in range(self.count)
            )
        )

    def shifted(self, hours: float) -> Dose:
        """Return the same doses `hours` later (earlier if negative); `StudyError` if one would fall before day 0."""
        first = self.times[0] + hours
        if first < 0:
            raise StudyError(f"{self.drug} would be given before the study begins, on day {first / HOURS_PER_DAY:g}")
        if self.start is None:
            return self.model_copy(update={"at": tuple(t + hours for t in self.at)})
        return self.model_copy(update={"start": self.start + hours})

    def in_words(self) -> str:
        """Describe the doses as a bench protocol would."""
        return f"{self.drug} {self.amount:g} mg/kg on day {_days_in_words(self.times)}"


class Resection(_Value):
    """Surgical removal of a tumour site at a time."""

    site: Line = Field(default="primary", min_length=1, description="The site whose tumour is taken out.")
    at: Hours = Field(description="Time of the operation.")

    def in_words(self) -> str:
        return f"resection of the {self.site} tumour on day {self.at / HOURS_PER_DAY:g}"


class Arm(_Value):
    """One group of animals: what is done to them, and the arm they are compared with."""

    name: Line = Field(min_length=1, max_length=80, description="Name of the arm, as it stands in tables and figures.")
    versus: str | None = Field(
        default=None, description="The arm that this one is compared with; the control arm has none."
    )
    doses: tuple[Dose, ...] = Field(default=(), description="Drugs given, each with its amount and its times.")
    resections: tuple[Resection, ...] = Field(default=(), description="Operations that take a tumour out.")
    parameters: dict[str, ParameterValue] = Field(
        default_factory=dict,
        description="Parameters that differ in this arm: a stated hypothesis, flagged wherever the arm is shown.",
    )
    note: str = Field(default="", description="A remark shown with the arm.")

    def administrations(self, until: float) -> tuple[Administration, ...]:
        """Every administration before `until` (h), ordered by time and drug."""
        doses = [Administration(drug=d.drug, time=t, amount=d.amount) for d in self.doses for t in d.times if t < until]
        return tuple(sorted(doses, key=lambda a: (a.time, a.drug)))

    def in_words(self) -> str:
        parts = [d.in_words() for d in self.doses] + [r.in_words() for r in self.resections]
        parts += [f"{name} = {value}" for name, value in self.parameters.items()]
        return "; ".join(parts) if parts else "no treatment"

    def adapted(
        self,
        name: str,
        *,
        versus: str | None = None,
        doses: tuple[Dose, ...] = (),
        resections: tuple[Resection, ...] = (),
        shift: Mapping[str, float] | None = None,
        without: tuple[str, ...] = (),
        parameters: Mapping[str, str | float] | None = None,
        note: str = "",
    ) -> Arm:
        """Return a new arm that differs from this one as stated; see `Study.with_arm` (`shift` is in h here).

        Raises
        ------
        Misfits
            If a drug to shift or to leave out is not given in this arm, or would be given before day 0.
        """
        given, shift = [dose.drug for dose in self.doses], shift or {}
        problems = [
            Problem((place, drug), str(UnknownNameError(f"drug in arm '{self.name}'", drug, given)))
            for place, drugs in (("shift", shift), ("without", without))
            for drug in drugs
            if drug not in given
        ]
        problems += [Problem(("shift", drug), f"{drug} is left out too") for drug in shift if drug in without]
        moved: list[Dose] = []
        for dose in self.doses:
            try:
                if dose.drug not in without:
                    moved.append(dose.shifted(shift.get(dose.drug, 0.0)))
            except StudyError as error:
                problems.append(Problem(("shift", dose.drug), str(error)))
        if problems:
            raise Misfits(problems)
        return Arm(
            name=name,
            versus=versus or self.versus or self.name,
            doses=(*moved, *doses),
            resections=(*self.resections, *resections),
            parameters={**self.parameters, **(parameters or {})},
            note=note,
        )


class Recording(_Value):
    """How often a result is written."""

    metrics: PositiveHours = Field(default=HOURS_PER_DAY, description="Interval between rows of the readouts.")
    frames: PositiveHours = Field(
        default=5 * HOURS_PER_DAY, description="Interval between stored tissue frames (cells and fields)."
    )
    checkpoint: PositiveHours = Field(
        default=10 * HOURS_PER_DAY, description="Interval between checkpoints from which a run resumes."
    )


class Study(_Value):
    """An experiment on a model: the arms, how many animals in each, for how long, and what is read out."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]*$",
        description="Short name of letters, digits, '-' and '_'; also the name of the result folder.",
    )
    title: str = Field(default="", description="One line that says what is studied.")
    description: str = Field(default="", description="What the study asks, for its readers.")
    model: str = Field(description="Name of a model in the catalogue.")
    options: dict[str, OptionValue] = Field(
        default_factory=dict, description="Options of the model, such as dimensions: 3."
    )
    duration: PositiveHours = Field(description="How long each animal is followed.")
    tick: PositiveHours = Field(default=1.0, description="Step of the simulation; every interval is a multiple of it.")
    replicates: Whole = Field(default=10, ge=1, description="Animals per arm.")
    seed: Whole = Field(default=1, ge=0, lt=2**63, description="Seed of the random numbers.")
    arms: tuple[Arm, ...] = Field(min_length=1, description="The groups of animals that are compared.")
    readouts: tuple[str, ...] = Field(default=(), description="Readouts to report; empty means all that the model has.")
    parameters: dict[str, ParameterValue] = Field(default_factory=dict, description="Parameters changed in every arm.")
    without: tuple[str, ...] = Field(default=(), description="Roles of processes removed from the model in every arm.")
    rules: tuple[str, ...] = Field(default=(), description="Rule sentences added to the model in every arm.")
    record: Recording = Field(default_factory=Recording, description="How often the result is written.")

    @model_validator(mode="after")
    def _arms_fit_together(self) -> Self:
        problems = [*self._problems_of_arms(), *self._problems_of_times()]
        if problems:
            raise Misfits(problems)
        return self

    def _problems_of_arms(self) -> Iterator[Problem]:
        names = self.arm_names
        for i, arm in enumerate(self.arms):
            if arm.name in names[:i]:
                yield Problem(("arms", i, "name"), f"two arms are called '{arm.name}'")
            if arm.versus == arm.name:
                yield Problem(("arms", i, "versus"), f"arm '{arm.name}' cannot be compared with itself")
            elif arm.versus is not None and arm.versus not in names:
                yield Problem(("arms", i, "versus"), str(UnknownNameError("arm", arm.versus, names)))
            acts = [(("doses", k), d.drug, t) for k, d in enumerate(arm.doses) for t in d.times[-1:]]
            acts += [(("resections", k), "the resection", r.at) for k, r in enumerate(arm.resections)]
            for place, what, time in acts:
                if time >= self.duration:
                    yield Problem(
                        ("arms", i, *place),
                        f"arm '{arm.name}': {what} on day {time / HOURS_PER_DAY:g} is past the end of the study "
                        f"(day {self.duration / HOURS_PER_DAY:g})",
                    )

    def _problems_of_times(self) -> Iterator[Problem]:
        if self.tick > self.duration:
            yield Problem(("tick",), f"the tick ({self.tick:g} h) is longer than the study ({self.duration:g} h)")
            return
        metrics = self.record.metrics
        for place, interval in (
            (("duration",), self.duration),
            (("record", "metrics"), metrics),
            (("record", "frames"), self.record.frames),
            (("record", "checkpoint"), self.record.checkpoint),
        ):
            if not _is_multiple(interval, self.tick):
                yield Problem(place, f"{interval:g} h must be a whole number of ticks ({self.tick:g} h)")
            elif place[-1] in ("frames", "checkpoint") and not _is_multiple(interval, metrics):
                yield Problem(place, f"{interval:g} h must be a multiple of record.metrics ({metrics:g} h)")

    # ---- look -----------------------------------------------------------------------------------------------------
    @property
    def arm_names(self) -> tuple[str, ...]:
        return tuple(arm.name for arm in self.arms)

    def arm(self, name: str) -> Arm:
        """The arm of that name; `UnknownNameError` with the nearest name otherwise."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownNameError("arm", name, self.arm_names)

    @property
    def contrasts(self) -> tuple[tuple[str, str], ...]:
        """Pairs (arm, its control) in the order of the arms."""
        return tuple((arm.name, arm.versus) for arm in self.arms if arm.versus is not None)

    # ---- edit -----------------------------------------------------------------------------------------------------
    def changed(self, **changes: Any) -> Study:
        """Return a study with some fields replaced, checked as a whole again."""
        unknown = set(changes) - set(type(self).model_fields)
        if unknown:
            raise UnknownNameError("study setting", sorted(unknown)[0], type(self).model_fields)
        data = {**self.model_dump(exclude_none=True), **changes}
        return checked(Study, data, f"The study '{self.name}' cannot be changed so.")

    def with_options(self, **options: str | int | float) -> Study:
        """Return the study with options of its model changed (checked when the model is built)."""
        return self.changed(options={**self.options, **options})

    def with_parameters(self, **parameters: str | float) -> Study:
        """Return the study with parameters changed in every arm."""
        return self.changed(parameters={**self.parameters, **parameters})

    def without_process(self, *roles: str) -> Study:
        """Return the study with processes removed by role in every arm."""
        return self.changed(without=(*self.without, *roles))

    def with_arm(
        self,
        name: str,
        *,
        like: str | None = None,
        versus: str | None = None,
        doses: tuple[Dose | Mapping[str, Any], ...] = (),
        resections: tuple[Resection | Mapping[str, Any], ...] = (),
        shift: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        parameters: Mapping[str, str | float] | None = None,
        note: str = "",
    ) -> Study:
        """Return the study with one more arm.

        Parameters
        ----------
        like : the arm to start from; its doses, operations and parameters are taken over.
        versus : the control; that of `like` if left out, or `like` itself where it is a control.
        doses, resections : added to those of `like`.
        shift : drug -> how much later its doses are given, such as ``{"dasatinib": "7 day"}``.
        without : drugs of `like` that are left out.
        parameters : parameters that differ in this arm.
        note : a remark shown with the arm.
        """
        if name in self.arm_names:
            raise StudyError(f"The study already has an arm '{name}'; choose another name.")
        if like is not None:
            self.arm(like)
        headline = f"The arm '{name}' cannot be added."
        extra = checked(
            Arm,
            {"name": name, "versus": versus, "doses": doses, "resections": resections, "note": note}
            | {"parameters": parameters or {}},
            headline,
        )
        if like is None:
            if shift or without:
                raise StudyError(f"{headline} 'shift' and 'without' need 'like', the arm that they change.")
            return self.changed(arms=(*self.arms, extra))
        try:
            arm = self.arm(like).adapted(
                name,
                versus=versus,
                doses=extra.doses,
                resections=extra.resections,
                shift={drug: to_internal(delay, "h") for drug, delay in (shift or {}).items()},
                without=without,
                parameters=extra.parameters,
                note=note,
            )
        except Misfits as error:
            raise StudyError(headline, [str(problem) for problem in error.problems]) from None
        return self.changed(arms=(*self.arms, arm))

    def only(self, *arms: str) -> Study:
        """Return the study with the named arms, in their original order; controls that fall away are forgotten."""
        for name in arms:
            self.arm(name)
        kept = [a if a.versus in arms else a.model_copy(update={"versus": None}) for a in self.arms if a.name in arms]
        return self.changed(arms=tuple(kept))


def _days_in_words(times: tuple[float, ...]) -> str:
    """Write times in h as days; three or more days in a row become a range: ``0, 6-8, 13-15``."""
    runs: list[list[float]] = []
    for time in times:
        if runs and time - runs[-1][-1] == HOURS_PER_DAY:
            runs[-1].append(time)
        else:
            runs.append([time])
    named = [[f"{time / HOURS_PER_DAY:g}" for time in run] for run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in named)


def _is_multiple(interval: float, of: float) -> bool:
    ratio = interval / of
    return round(ratio) >= 1 and abs(ratio - round(ratio)) <= 1e-9
