"""An experiment on a model: the arms, how many animals in each, for how long, and what is read out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from paget.errors import StudyError, UnknownNameError
from paget.experiment.arm import Arm
from paget.experiment.interventions import KINDS, Antibody, Lasting
from paget.experiment.sweep import Sweep
from paget.experiment.value import Value
from paget.problems import Misfits, Problem, checked
from paget.settings import HOURS_PER_DAY, Line, OptionValue, ParameterValue, PositiveHours, Times, Whole
from paget.units import to_internal

__all__ = ["Branch", "Recording", "Study"]

MOST_ANIMALS = 10_000_000


class Recording(Value):
    """How often a result is written."""

    metrics: PositiveHours = Field(default=HOURS_PER_DAY, description="Interval between rows of the readouts.")
    frames: PositiveHours = Field(
        default=5 * HOURS_PER_DAY, description="Interval between stored tissue frames (cells and fields)."
    )
    checkpoint: PositiveHours = Field(
        default=10 * HOURS_PER_DAY, description="Interval between checkpoints from which a run resumes."
    )
    states: Times = Field(
        default=(), description="Times at which the whole state is kept for good, so that other studies can branch off."
    )


class Branch(Value):
    """Where the animals of a study come from: each goes on from a state that another study has kept."""

    result: Line = Field(
        min_length=1, description="Folder of the result that holds the states; beside the study file if not absolute."
    )
    arm: str = Field(description="The arm whose animals go on.")
    at: PositiveHours = Field(description="The time of the states (see record.states of that study).")
    study_sha256: str = Field(default="", description="Checksum of that study; filled in when the study is run.")


class Study(Value):
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
    sweep: Sweep | None = Field(
        default=None, description="Doses or parameters that take many values; each point becomes an arm of its own."
    )
    branch: Branch | None = Field(
        default=None, description="The animals go on from states that another study has kept, each under every arm."
    )

    @model_validator(mode="after")
    def _arms_fit_together(self) -> Self:
        if self.sweep is not None and not any(arm.point for arm in self.arms):
            try:
                points = self.sweep.arms(self.arms)
            except Misfits as error:
                raise Misfits([Problem(("sweep", *p.path), p.message) for p in error.problems]) from None
            # A study that is read back holds its points as arms; only one that is new has none yet.
            self.__dict__["arms"] = (*self.arms, *points)
        problems = [
            Problem(("arms", i, *problem.path), problem.message)
            for i, arm in enumerate(self.arms)
            for problem in arm.too_often(self.duration)
        ]
        # Times that are too many to be written down are not looked at one by one.
        problems = problems or [*self._problems_of_arms(), *self._problems_of_times()]
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
            for problem in arm.problems(self.duration):
                yield Problem(("arms", i, *problem.path), problem.message)

    def _problems_of_times(self) -> Iterator[Problem]:
        if self.replicates * len(self.arms) > MOST_ANIMALS:
            yield Problem(
                ("replicates",),
                f"{self.replicates} animals in each of {len(self.arms)} arms; at most {MOST_ANIMALS} in all can be run",
            )
        if self.tick > self.duration:
            yield Problem(("tick",), f"the tick ({self.tick:g} h) is longer than the study ({self.duration:g} h)")
            return
        for i, time in enumerate(self.record.states):
            if time > self.duration or (time and not _is_multiple(time, self.tick)):
                yield Problem(
                    ("record", "states", i),
                    f"a state of {time:g} h cannot be kept: give whole ticks ({self.tick:g} h) up to the end "
                    f"({self.duration:g} h)",
                )
        yield from self._problems_of_branch()
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

    def _problems_of_branch(self) -> Iterator[Problem]:
        if self.branch is None:
            return
        begin = self.branch.at
        if begin >= self.duration:
            yield Problem(
                ("branch", "at"),
                f"the animals go on from day {begin / HOURS_PER_DAY:g}, but the study ends on day "
                f"{self.duration / HOURS_PER_DAY:g}; its duration counts from the start of the study that they come from",
            )
        for i, time in enumerate(self.record.states):
            if time < begin:
                yield Problem(
                    ("record", "states", i), f"the animals begin on day {begin / HOURS_PER_DAY:g}, later than this"
                )
        for i, arm in enumerate(self.arms):
            for place, what in arm.placed():
                early = [act.time for act in arm.plan(self.duration).acts if act.what is what and act.time < begin]
                # What lasts beyond the branch must be said again here, and may have begun before.
                if early and not isinstance(what, (Antibody, Lasting)):
                    yield Problem(
                        ("arms", i, *place),
                        f"arm '{arm.name}': {what.label} on day {early[0] / HOURS_PER_DAY:g} comes before the animals "
                        f"branch off, on day {begin / HOURS_PER_DAY:g}",
                    )

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
        shift: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
        parameters: Mapping[str, str | float] | None = None,
        note: str = "",
        **added: Sequence[Value | Mapping[str, Any]],
    ) -> Study:
        """Return the study with one more arm.

        Parameters
        ----------
        like : the arm to start from; its doses, operations and parameters are taken over.
        versus : the control; that of `like` if left out, or `like` itself where it is a control.
        shift : what is done in `like` -> how much later it is done here, such as ``{"dasatinib": "7 day"}``.
        without : what is done in `like` and left out here: drugs, genes, ``"resection of primary"`` ...
        parameters : parameters that differ in this arm.
        note : a remark shown with the arm.
        added : interventions on top of those of `like`: doses, antibodies, resections, injections, perturbations,
            depletions, overrides.

        Raises
        ------
        StudyError, UnknownNameError
        """
        kinds = [kind for kind, _ in KINDS]
        for kind in added:
            if kind not in kinds:
                raise UnknownNameError("list of interventions", kind, kinds)
        if name in self.arm_names:
            raise StudyError(f"The study already has an arm '{name}'; choose another name.")
        if like is not None:
            self.arm(like)
        headline = f"The arm '{name}' cannot be added."
        extra = checked(
            Arm,
            {"name": name, "versus": versus, "note": note, "parameters": parameters or {}, **added},
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
                shift={drug: to_internal(delay, "h") for drug, delay in (shift or {}).items()},
                without=without,
                parameters=extra.parameters,
                note=note,
                **{kind: getattr(extra, kind) for kind in added},
            )
        except Misfits as error:
            raise StudyError(headline, [str(problem) for problem in error.problems]) from None
        return self.changed(arms=(*self.arms, arm))

    def only(self, *arms: str) -> Study:
        """Return the study with the named arms, in their original order; controls that fall away are forgotten."""
        for name in arms:
            self.arm(name)
        kept = [a if a.versus in arms else a.model_copy(update={"versus": None}) for a in self.arms if a.name in arms]
        swept = {} if any(arm.point for arm in kept) else {"sweep": None}
        return self.changed(arms=tuple(kept), **swept)


def _is_multiple(interval: float, of: float) -> bool:
    ratio = interval / of
    return round(ratio) >= 1 and abs(ratio - round(ratio)) <= 1e-9
