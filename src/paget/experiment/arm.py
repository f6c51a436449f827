"""One group of animals: what is done to them, and the arm they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field

from paget.errors import StudyError, UnknownNameError
from paget.experiment.interventions import (
    KINDS,
    MOST_TIMES,
    Antibody,
    Course,
    Depletion,
    Dose,
    Injection,
    Intervention,
    Override,
    Perturbation,
    Resection,
    too_often,
)
from paget.experiment.moments import Moment
from paget.experiment.schedule import Plan, named_but_absent, plan
from paget.experiment.value import Value
from paget.problems import Misfits, Problem
from paget.settings import HOURS_PER_DAY, Line, ParameterValue

__all__ = ["Administration", "Arm"]


class Administration(Value):
    """One bolus of one drug, as the body receives it (amount in mg/kg, time in h)."""

    drug: str
    time: float
    amount: float


class Arm(Value):
    """One group of animals: what is done to them, and the arm they are compared with."""

    name: Line = Field(min_length=1, max_length=80, description="Name of the arm, as it stands in tables and figures.")
    versus: str | None = Field(
        default=None, description="The arm that this one is compared with; the control arm has none."
    )
    doses: tuple[Dose, ...] = Field(default=(), description="Drugs given, each with its amount and its times.")
    antibodies: tuple[Antibody, ...] = Field(
        default=(), description="Antibodies given, each with the gene whose product it neutralises."
    )
    resections: tuple[Resection, ...] = Field(default=(), description="Operations that take a tumour out.")
    injections: tuple[Injection, ...] = Field(default=(), description="Cells or exosomes that are brought in.")
    perturbations: tuple[Perturbation, ...] = Field(
        default=(), description="Genes knocked out, knocked down or over-expressed, for good or for a while."
    )
    depletions: tuple[Depletion, ...] = Field(default=(), description="Types of cells that are taken away.")
    overrides: tuple[Override, ...] = Field(
        default=(), description="Parameters that have another value for a while; for good, see 'parameters'."
    )
    parameters: dict[str, ParameterValue] = Field(
        default_factory=dict,
        description="Parameters that differ in this arm: a stated hypothesis, flagged wherever the arm is shown.",
    )
    point: dict[str, float] = Field(
        default_factory=dict, description="Where the arm lies in a sweep, by what is swept; filled in by 'sweep'."
    )
    note: str = Field(default="", description="A remark shown with the arm.")

    # ---- look -----------------------------------------------------------------------------------------------------
    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """Everything that is done, by kind and then in the order given."""
        return tuple(what for name, _ in KINDS for what in getattr(self, name))

    @property
    def drugs(self) -> frozenset[str]:
        """Drugs that may be given, if it comes to that."""
        return frozenset(dose.drug for dose in self.doses)

    def plan(self, duration: float) -> Plan:
        """What is done before `duration` (h), as far as it does not depend on what happens to the animal."""
        return plan(self.interventions, duration)

    def administrations(self, until: float) -> tuple[Administration, ...]:
        """Every administration before `until` (h) whose time is fixed beforehand, ordered by time and drug."""
        doses = [
            Administration(drug=dose.drug, time=act.time, amount=dose.amount) for dose, act in self.plan(until).of(Dose)
        ]
        return tuple(sorted(doses, key=lambda a: (a.time, a.drug)))

    def settled(self, duration: float) -> Arm:
        """Return the arm with every time written out that follows from other times; what waits for readouts stays."""
        known = self.plan(duration)
        changes: dict[str, list[Intervention]] = {kind: [] for kind, _ in KINDS}
        for index, ((kind, _), what) in enumerate(self.placed()):
            acts = [act for act in known.acts if act.index == index]
            told = [when for when in (*what.moments, what.ending) if isinstance(when, Moment)]
            if not told or not acts or any(when.condition is not None for when in told):
                changes[kind].append(what)
            elif isinstance(what, Course):
                changes[kind].append(what.at_times(act.time for act in acts))
            else:
                lasts = {"until": acts[0].end} if isinstance(what.ending, Moment) else {}
                changes[kind].append(what.model_copy(update={"at": acts[0].time, **lasts}))
        return self.model_copy(update={kind: tuple(done) for kind, done in changes.items()})

    def in_words(self) -> str:
        parts = [what.in_words() for what in self.interventions]
        parts += [f"{name} = {value}" for name, value in self.parameters.items()]
        return "; ".join(parts) if parts else "no treatment"

    def placed(self) -> Iterator[tuple[tuple[str, int], Intervention]]:
        """Everything that is done, each with its place in the arm: ``("doses", 0)``."""
        return (((name, i), what) for name, _ in KINDS for i, what in enumerate(getattr(self, name)))

    def problems(self, duration: float) -> Iterable[Problem]:
        """What is done at an impossible time, in a study of that duration in h."""
        placed = list(self.placed())
        for index, why in named_but_absent(self.interventions):
            yield Problem(placed[index][0], f"arm '{self.name}': {why}")
        known = plan(self.interventions, duration, beyond=True)
        acts: dict[int, list[float]] = {}
        for act in known.acts:
            acts.setdefault(act.index, []).append(act.time)
        for index, (place, what) in enumerate(placed):
            times = acts.get(index, [])
            label = "the resection" if isinstance(what, Resection) else what.label
            if not times and index in known.settled and _fixed(what) < duration:
                yield Problem(place, f"arm '{self.name}': {label} would end before it begins: {what.in_words()}")
            if times and times[0] < 0:
                yield Problem(
                    place,
                    f"arm '{self.name}': {label} would come before the study begins, on day {times[0] / HOURS_PER_DAY:g}",
                )
            last = times[-1] if times else _fixed(what)
            if last >= duration:
                yield Problem(
                    place,
                    f"arm '{self.name}': {label} on day {last / HOURS_PER_DAY:g} is past the end of the study "
                    f"(day {duration / HOURS_PER_DAY:g})",
                )

    def too_often(self, duration: float) -> Iterable[Problem]:
        """What is given more often in that duration (h) than can be kept account of."""
        for place, what in self.placed():
            if isinstance(what, Course) and what.every is not None and what.endless:
                begin = what.start if isinstance(what.start, float) else 0.0
                end = what.until if isinstance(what.until, float) else duration
                times = (min(end, duration) - begin) / what.every
                if times > MOST_TIMES:
                    yield Problem((*place, "every"), f"arm '{self.name}': {what.label}: {too_often(times)}")

    # ---- edit -----------------------------------------------------------------------------------------------------
    def adapted(
        self,
        name: str,
        *,
        versus: str | None = None,
        shift: Mapping[str, float] | None = None,
        without: tuple[str, ...] = (),
        parameters: Mapping[str, str | float] | None = None,
        note: str = "",
        point: Mapping[str, float] | None = None,
        **added: tuple[Any, ...],
    ) -> Arm:
        """Return a new arm that differs from this one as stated; see `Study.with_arm` (`shift` is in h here).

        added : interventions that come on top, by the name of their list

        Raises
        ------
        Misfits
            If what is to be shifted or left out is not done in this arm, or would be done before day 0.
        """
        shift = shift or {}
        labels = [what.label for what in self.interventions]
        problems = [
            Problem((place, label), str(UnknownNameError(f"drug in arm '{self.name}'", label, labels)))
            for place, chosen in (("shift", shift), ("without", without))
            for label in chosen
            if label not in labels
        ]
        problems += [Problem(("shift", label), f"{label} is left out too") for label in shift if label in without]
        kept: dict[str, tuple[Intervention, ...]] = {}
        for kind, _ in KINDS:
            moved: list[Intervention] = []
            for what in getattr(self, kind):
                try:
                    if what.label not in without:
                        moved.append(what.shifted(shift[what.label]) if what.label in shift else what)
                except StudyError as error:
                    problems.append(Problem(("shift", what.label), str(error)))
            kept[kind] = (*moved, *added.get(kind, ()))
        if problems:
            raise Misfits(problems)
        return Arm(
            name=name,
            versus=versus or self.versus or self.name,
            parameters={**self.parameters, **(parameters or {})},
            note=note,
            point=dict(point or {}),
            **kept,  # type: ignore[arg-type]
        )


def _fixed(what: Intervention) -> float:
    """The last fixed time of an intervention that has no acts; -1 if none is fixed."""
    return max((when for when in what.moments if isinstance(when, float)), default=-1.0)
