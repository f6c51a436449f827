"""The adjuvant cohort as a model of studies: doses and operations of an arm become treatments of ten thousand patients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.cohort import Cohort, CohortArm, Course, DrugCycles, Surgery
from paget.body.cohort.run import YEAR, live
from paget.catalogue.adjuvant_cohort import adjuvant_cohort
from paget.catalogue.choices import chosen
from paget.errors import PagetError, StudyError
from paget.evidence import ParameterTable
from paget.experiment import HOURS_PER_DAY, Arm, Dose, Study, conditions
from paget.kernels.cohort import COLUMNS, SERIES
from paget.model import Option
from paget.pharmacology import Drug
from paget.process import Named
from paget.readouts import Readout
from paget.subject import Cohort as CohortSubject
from paget.subject import Mechanism

__all__ = ["OPTIONS", "AdjuvantCohort", "adjuvant_study"]

DAILY = 1.5 * 24.0  # h; doses this close to each other are a course, not cycles
OPTIONS = (
    Option(
        "founding",
        ("exact", "shortcut"),
        "exact",
        "how small metastases live: cell by cell, or by a draw of their fate",
    ),
    Option("generations", ("first", "all"), "first", "whether metastases found metastases"),
)
DRUGS = (
    Drug(
        "doxorubicin",
        "doxorubicin",
        "kills cycling tumour cells at every dose, spares dormant ones, and may awaken them for a while",
        True,
        ("He2025",),
    ),
    Drug("tamoxifen", "tamoxifen", "a loss of cycling tumour cells, and a slow one of dormant cells, for years", False),
)


@dataclass(frozen=True, kw_only=True)
class AdjuvantCohort(CohortSubject):
    """Breast cancer from diagnosis on: surgery, cycles of chemotherapy and years of endocrine therapy.

    Time 0 of a study is the diagnosis. An operation on the primary is the surgery. Doses of doxorubicin days apart or more are
    cycles; daily doses of tamoxifen are a course. The amount of a dose is that for which the table gives its effect.
    """

    cohort: Cohort

    def with_parameters(self, changes: Mapping[str, str | float]) -> AdjuvantCohort:
        """Return the subject with parameters changed."""
        changed = super().with_parameters(changes)
        return changed.changed(cohort=self.cohort.with_values(changes))

    def protocol(self, arm: Arm) -> CohortArm:
        """The treatments of an arm of a study.

        Raises
        ------
        StudyError
        """
        operations = [Surgery(at=f"{resection.at:g} h", site=resection.site) for resection in arm.resections]
        return CohortArm(name=arm.name, treatments=(*operations, *(_treatment(dose) for dose in arm.doses)))

    def readings(self, study: Study, arm: Arm, first: int, count: int) -> dict[str, NDArray[Any]]:
        """Readouts of some patients over time; a patient who has died keeps what was so at the death."""
        protocol, years = self.protocol(arm), study.duration / YEAR
        self.cohort.check((protocol,), count, years)
        times = np.arange(0.0, study.duration + 0.5 * study.record.metrics, study.record.metrics)
        record = live(self.cohort, protocol, first, count, years, study.seed, 1, times)
        outcome = {name: record.outcomes[:, i][:, None] for i, name in enumerate(COLUMNS)}
        series = {name: record.series[:, :, i] for i, name in enumerate(SERIES)}
        alive = series["alive"] > 0.0
        # The last row of a patient is that of its last readout alive, as an animal stays as it was after its death.
        last = np.maximum.accumulate(np.where(alive, np.arange(times.size), 0), axis=1)
        events = {"relapse": "relapse", "distant_relapse": "distant", "death": "death"}
        days = {
            name: np.where(outcome[of] <= times, outcome[of] / HOURS_PER_DAY, np.nan) for name, of in events.items()
        }
        days["cancer_death"] = np.where(outcome["cause"] == 1.0, days["death"], np.nan)
        found = {
            **days,
            "relapsed": (outcome["relapse"] <= times).astype(np.float64),
            "distant_relapsed": (outcome["distant"] <= times).astype(np.float64),
            "died": (outcome["death"] <= times).astype(np.float64),
            "died_of_cancer": ((outcome["death"] <= times) & (outcome["cause"] == 1.0)).astype(np.float64),
            "visible_metastases": np.take_along_axis(series["visible"], last, axis=1),
            "metastatic_lesions": np.take_along_axis(series["metastases"], last, axis=1),
            "dormant_cells": np.take_along_axis(series["dormant"], last, axis=1),
            "log_burden": np.log10(1.0 + np.take_along_axis(series["burden"], last, axis=1)),
        }
        return {
            "time": np.tile(times, count),
            "animal": np.repeat(np.arange(first, first + count), times.size),
            **{name: values.reshape(-1) for name, values in found.items()},
        }


def _treatment(dose: Dose) -> DrugCycles | Course:
    """Doses of a study as the cohort knows them."""
    times = dose.times
    gaps = np.diff(times)
    if dose.drug == "tamoxifen":
        if times and gaps.size and gaps.max() > DAILY:
            raise StudyError("tamoxifen is a daily tablet; give it with every: 1 day and the number of days as count")
        lasts = times[-1] - times[0] + (float(gaps[0]) if gaps.size else 24.0)
        return Course(
            drug="tamoxifen",
            start=f"{times[0]:g} h" if times[0] else "0",
            lasts=f"{lasts:g} h",
            origin="diagnosis",
            kill=Named("endocrine_kill", "1/h"),
            dormant_kill=Named("endocrine_dormant_kill", "1/h"),
        )
    if gaps.size and not np.allclose(gaps, gaps[0]):
        raise StudyError(f"cycles of {dose.drug} must be evenly spaced; give uneven ones as several entries of doses")
    return DrugCycles(
        drug=dose.drug,
        start=f"{times[0]:g} h" if times[0] else "0",
        origin="diagnosis",
        cycles=len(times),
        every=f"{gaps[0]:g} h" if gaps.size else "21 day",
        log_kill=Named("chemotherapy_log_kill", ""),
        dormant_log_kill=Named("chemotherapy_dormant_log_kill", ""),
        awakening=Named("chemotherapy_awakening", ""),
        awakens_for=Named("chemotherapy_awakening_lasts", "h"),
    )


def _problems(subject: AdjuvantCohort, study: Study) -> Iterator[str]:
    for arm in (arm.settled(study.duration) for arm in study.arms if not conditions(arm.interventions)):
        try:
            protocol = subject.protocol(arm)
        except PagetError as problem:
            yield f"arm '{arm.name}': {problem}"
            continue
        yield from subject.cohort.problems((protocol,), study.replicates, study.duration / YEAR)


def _readouts() -> Iterable[Readout]:
    for name, title, of, meaning, claim in (
        ("relapse", "Relapse", "relapsed", "first metastasis seen", "later with adjuvant treatment"),
        ("distant_relapse", "Distant relapse", "distant_relapsed", "first metastasis seen outside the lymph nodes", ""),
        ("death", "Death", "died", "of any cause", ""),
        ("cancer_death", "Death of cancer", "died_of_cancer", "other deaths end the observation of nobody", ""),
    ):
        meaning = f"{meaning}, from diagnosis on"
        yield Readout(
            name,
            title,
            "day",
            "time",
            "first",
            meaning,
            first_of=of,
            headline=name != "death",
            claim=claim,
            competing=() if name == "death" else ("death",),
        )
    for name, title, meaning in (
        ("relapsed", "Relapsed", "1 from the relapse on"),
        ("distant_relapsed", "Distant relapse, yes or no", "1 from the distant relapse on"),
        ("died", "Died", "1 from the death on"),
        ("died_of_cancer", "Died of cancer", "1 from the death on, if of cancer"),
    ):
        yield Readout(name, title, "", "fraction", "final", meaning, headline=name == "relapsed")
    for name, title, meaning in (
        ("visible_metastases", "Visible metastases", "metastases that imaging would see"),
        ("metastatic_lesions", "Metastases", "metastases of cycling cells, seen or not"),
        ("dormant_cells", "Dormant cells", "disseminated cells that sleep"),
    ):
        yield Readout(name, title, "", "count", "final", meaning, headline=name == "dormant_cells")
    yield Readout(
        "log_burden", "Tumour cells of all metastases", "", "continuous", "final", "decadic logarithm of 1 + cells"
    )


def adjuvant_study(options: Mapping[str, str | int | float]) -> AdjuvantCohort:
    """Build the cohort for a study's options.

    Raises
    ------
    StudyError
        If an option or its value is not known.
    """
    choice = chosen("adjuvant_cohort", OPTIONS, options)
    plain = adjuvant_cohort()
    cohort = Cohort(
        title=plain.title,
        numbers=plain.numbers,
        founding=choice["founding"],
        all_generations=choice["generations"] == "all",
    )
    table: ParameterTable = cohort.numbers
    subject = AdjuvantCohort(
        name="adjuvant_cohort",
        title=cohort.title,
        individuals="patients",
        parameters=table,
        mechanisms=tuple(_mechanisms(table)),
        readouts=tuple(_readouts()),
        drugs=DRUGS,
        options=OPTIONS,
        assumed=ASSUMPTIONS,
        limits=LIMITS,
        methods=METHODS,
        cohort=cohort,
    )
    return subject.changed(problems_of_study=lambda study: _problems(subject, study))


def _mechanisms(table: ParameterTable) -> Iterator[Mechanism]:
    """Parts of the cohort by the groups of its table, each with its numbers."""
    groups: dict[str, list[str]] = {}
    for key, row in table.items():
        groups.setdefault(row.group or "patients", []).append(key)
    for group, keys in groups.items():
        sources = dict.fromkeys(s.strip() for key in keys for s in table[key].source.split(";") if s.strip())
        yield Mechanism(
            group.replace(" ", "_"),
            "patients",
            f"The numbers of: {group}.",
            tuple(keys),
            tuple(sources),
            essential=True,
        )


ASSUMPTIONS = (
    "All sites of a patient are lumped: a metastasis is a number of cells that grows by the law of the primary.",
    "Patients are not treated again after a relapse.",
    "A dormant lesion is one cell.",
)

LIMITS = (
    "Research use only; not for decisions about patients.",
    "The numbers of the table were calibrated on the rows marked fitted; what was predicted with them, and where that fails, "
    "stands on the page of verification.",
)

METHODS = (
    "Every patient has a primary tumour with growth, size at diagnosis, positive nodes and rate of founding drawn "
    "from correlated distributions. Metastases are founded by an inhomogeneous Poisson process, fall dormant or not, "
    "awake by a staged hazard, live as birth-death processes while small and follow the law of growth in closed form "
    "when large. Treatments are rates that are constant between events, and doses that kill at once, so that there is "
    "no time step. A patient is the same in every arm: patients, lesions and their fates are keyed by numbers of "
    "their own, and arms are compared patient by patient."
)
