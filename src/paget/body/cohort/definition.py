"""A cohort of patients as a frozen definition: who they are, how their tumours behave, and when they relapse and die."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from paget.body.cohort.arms import CohortArm, Number
from paget.body.cohort.schedule import problems_of_arm, schedule_of
from paget.errors import StudyError, UnknownNameError
from paget.evidence import Parameter
from paget.evidence.parameters import ParameterTable, load_parameters
from paget.kernels.cohort import TRAITS, Population, Schedule
from paget.kernels.cohort_lesions import Disease, Organs
from paget.kernels.growth import BERTALANFFY, EXPONENTIAL, GOMPERTZ, LOGISTIC, POWER, specific
from paget.process import Named
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.body.cohort.result import CohortResult

__all__ = ["NUMBERS", "SITES", "Cohort", "Eligibility", "Law", "cells_of"]

Real = NDArray[np.float64]
Law = Literal["exponential", "gompertz", "bertalanffy", "logistic", "power"]
LAWS: Mapping[str, int] = {
    "exponential": EXPONENTIAL,
    "gompertz": GOMPERTZ,
    "bertalanffy": BERTALANFFY,
    "logistic": LOGISTIC,
    "power": POWER,
}
SITES = ("lung", "liver", "bone marrow", "brain", "lymph node", "adrenal gland", "kidney", "other")

# Every number of a cohort and the unit that it is needed in; rows of the table of the same key.
NUMBERS: Mapping[str, str] = {
    "diagnosis_diameter": "mm",
    "diagnosis_diameter_log_sd": "",
    "tumour_cell_density": "cell/mm**3",
    "primary_doubling_time": "h",
    "primary_doubling_log_sd": "",
    "doubling_time_size": "cell",
    "growth_capacity": "cell",
    "growth_power": "",
    "metastasis_growth_ratio": "",
    "metastasis_growth_log_sd": "",
    "metastasis_turnover": "",
    "exact_below": "cell",
    "founding_rate": "1/h",
    "founding_size": "cell",
    "founding_exponent": "",
    "founding_log_sd": "",
    "metastatic_efficiency": "",
    "dormancy_share": "",
    "awakening_stage_rate": "1/h",
    "awakening_log_sd": "",
    "awakening_stages": "",
    "dormant_loss_rate": "1/h",
    "surgery_awakening": "",
    "surgery_awakening_lasts": "h",
    "nodes_at_median": "",
    "nodes_exponent": "",
    "nodes_log_sd": "",
    "nodes_capacity": "",
    "nodes_founding_correlation": "",
    "growth_founding_correlation": "",
    "nodes_growth_correlation": "",
    "nodes_awakening_correlation": "",
    "sensitivity_log_sd": "",
    "age_mean": "h",
    "age_sd": "h",
    "age_youngest": "h",
    "age_oldest": "h",
    "mortality_at_birth": "1/h",
    "mortality_ageing": "1/h",
    "detection_diameter": "mm",
    "lethal_burden": "cell",
}
_SPREADS = tuple(key for key in NUMBERS if key.endswith("_log_sd"))
_ABOVE_ZERO = (
    "diagnosis_diameter",
    "tumour_cell_density",
    "primary_doubling_time",
    "doubling_time_size",
    "growth_capacity",
    "metastasis_growth_ratio",
    "exact_below",
    "founding_size",
    "founding_exponent",
    "metastatic_efficiency",
    "nodes_at_median",
    "nodes_capacity",
    "detection_diameter",
    "lethal_burden",
    "age_oldest",
)
_NOT_NEGATIVE = (
    "founding_rate",
    "awakening_stage_rate",
    "dormant_loss_rate",
    "surgery_awakening",
    "surgery_awakening_lasts",
    "age_sd",
    "mortality_at_birth",
    "mortality_ageing",
)
_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Eligibility:
    """Who enters at diagnosis: a range of the primary's diameter (above, up to), of positive nodes, and without metastases.

    Patients are drawn until they fit, which gives exactly the conditional distribution.
    """

    above: str = ""
    up_to: str = ""
    fewest_nodes: int = 0
    most_nodes: int | None = None
    free_of_metastases: bool = True


def cells_of(diameter: float, density: float) -> float:
    """Cells of a ball of a diameter in mm, at a density in cells per mm3."""
    return math.pi / 6.0 * diameter**3 * density


def _table() -> ParameterTable:
    return load_parameters("adjuvant_cohort")


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Patients with a primary tumour, drawn from distributions, whose every site is lumped.

    A primary of x cells grows by `law` and founds metastases at the rate ``nu x**exponent``, with the exponent and, for a
    median patient and x = founding_size, the rate `founding_rate`. nu is log-normal between patients and tied to the number of
    positive nodes. A founding cell lands in a site by `landing`; it is dormant with the chance `dormancy_share`, and then
    awakes by a hazard in `awakening_stages` equal steps; its offspring live and die by chance until `exact_below` cells,
    and grow by `law` above. A metastasis is seen above a size; the first seen is the relapse. A patient dies of cancer when
    all cells, or those in one site, reach a lethal number, or else at the age that a Gompertz mortality gives.

    numbers : the table of parameters (`NUMBERS` are the keys, with their units)
    landing : share of founding cells that each site receives; regional : sites whose metastases are not distant ones
    detection, lethal : sites with a threshold diameter or lethal number of cells of their own
    all_generations : whether metastases found metastases; founding : "exact", or "shortcut" to draw survival and a head start
    at once (exact in the limit of many cells and without treatment meanwhile)

    *Leaves out*: treatment after relapse; founding by lesions under `exact_below`; drugs as concentrations. A dormant lesion
    is one cell.
    """

    title: str = "Patients with a primary tumour"
    law: Law = "exponential"
    numbers: ParameterTable = field(default_factory=_table, hash=False)
    landing: tuple[tuple[str, float], ...] = ()
    regional: tuple[str, ...] = ("lymph node",)
    detection: tuple[tuple[str, Number], ...] = ()
    lethal: tuple[tuple[str, Number], ...] = ()
    eligibility: Eligibility = Eligibility()
    all_generations: bool = False
    founding: Literal["exact", "shortcut"] = "exact"

    def __post_init__(self) -> None:
        if not self.landing:
            shares = tuple((site, self._value(f"landing_{site.replace(' ', '_')}", "")) for site in SITES)
            object.__setattr__(self, "landing", shares)

    # ---- editing --------------------------------------------------------------------------------------------------
    def with_values(self, changes: Mapping[str, str | float]) -> Cohort:
        """The cohort with numbers changed: text with a unit, or a plain number where the unit is empty."""
        return replace(self, numbers=self.numbers.with_values(changes))

    def with_landing(self, organs: Sequence[str], shares: Iterable[float]) -> Cohort:
        """The cohort with other sites and other shares of founding cells that they receive."""
        return replace(self, landing=tuple(zip(organs, map(float, shares), strict=True)))

    # ---- reading --------------------------------------------------------------------------------------------------
    @property
    def sites(self) -> tuple[str, ...]:
        """The sites in which founding cells land."""
        return tuple(site for site, _ in self.landing)

    def _value(self, key: str, unit: str) -> float:
        return self.numbers[key].inside(unit)

    def value(self, number: Number | str, unit: str = "") -> float:
        """A number of the cohort or of a treatment as a float in a unit (for the cohort's own numbers, that of NUMBERS)."""
        if isinstance(number, Parameter):
            return number.inside(unit)
        if isinstance(number, Named):
            return self.numbers[number.key].inside(unit or number.unit)
        return self._value(number, unit or NUMBERS[number])

    def cells(self, diameter: str) -> float:
        """Cells of a tumour of a diameter, given as text."""
        return cells_of(to_internal(diameter, "mm"), self.value("tumour_cell_density"))

    def threshold(self, site: str) -> float:
        """Cells of a metastasis that is just seen in a site."""
        own = dict(self.detection)
        diameter = self.value(own[site], "mm") if site in own else self.value("detection_diameter")
        return cells_of(diameter, self.value("tumour_cell_density"))

    def lethal_in(self, site: str) -> float:
        """Cells in a site that kill."""
        own = dict(self.lethal)
        return self.value(own[site], "cell") if site in own else math.inf

    @property
    def rate(self) -> float:
        """Rate of the law that gives the median primary its doubling time at `doubling_time_size`."""
        law, power = LAWS[self.law], self.value("growth_power")
        capacity = math.inf if self.law in ("exponential", "power") else self.value("growth_capacity")
        unit_rate = specific(law, self.value("doubling_time_size"), 1.0, capacity, power)
        return math.log(2.0) / self.value("primary_doubling_time") / unit_rate

    # ---- checking -------------------------------------------------------------------------------------------------
    def problems(self, arms: Sequence[CohortArm] = (), patients: int = 1, years: float = 20.0) -> Iterator[str]:
        """Everything that is wrong with the cohort, or with a run of it, one sentence each."""
        value = {key: self.value(key) for key in NUMBERS}
        for key in _SPREADS:
            if value[key] < 0.0:
                yield f"{key} is {value[key]:g}; a spread cannot be negative"
        for key in _ABOVE_ZERO:
            if not value[key] > 0.0:
                yield f"{key} is {self.numbers[key]}; it must be above 0"
        for key in _NOT_NEGATIVE:
            if value[key] < 0.0:
                yield f"{key} is {self.numbers[key]}; it cannot be negative"
        for key in ("dormancy_share", "metastasis_turnover"):
            if not 0.0 <= value[key] <= 1.0 or (key == "metastasis_turnover" and value[key] == 1.0):
                yield f"{key} is {value[key]:g}; it must be from 0 to {'below ' if 'turnover' in key else ''}1"
        if value["awakening_stages"] < 1 or value["awakening_stages"] % 1:
            yield f"awakening_stages is {value['awakening_stages']:g}; it must be a whole number of 1 or more"
        if self.law in ("bertalanffy", "power") and not 0.0 < value["growth_power"] < 1.0:
            yield f"growth_power is {value['growth_power']:g}; the law '{self.law}' needs a power between 0 and 1"
        if value["age_youngest"] >= value["age_oldest"]:
            yield "age_youngest must be below age_oldest"
        if np.linalg.eigvalsh(self._correlations()).min() <= 0.0:
            yield "the correlations between traits of patients contradict each other; bring them closer to 0"
        shares = [share for _, share in self.landing]
        if any(share < 0.0 for share in shares) or abs(sum(shares) - 1.0) > _ROUNDING:
            yield f"landing: the shares of the sites add up to {sum(shares):g}; they must add up to 1, and none be negative"
        if len(set(self.sites)) < len(self.sites):
            yield "landing: a site is given twice"
        for what, given in (
            ("regional", self.regional),
            ("detection", dict(self.detection)),
            ("lethal", dict(self.lethal)),
        ):
            for site in given:
                if site not in self.sites:
                    yield f"{what}: {UnknownNameError('site', site, self.sites)}"
        if value["tumour_cell_density"] > 0.0:
            for site in self.sites:
                seen, lethal = self.threshold(site), min(self.lethal_in(site), value["lethal_burden"])
                if seen < 1.0:
                    yield f"detection in the {site} is at {seen:.3g} cells; nothing smaller than a cell can be seen"
                if lethal <= seen:
                    yield f"{lethal:.3g} cells in the {site} kill, and only {seen:.3g} can be seen; raise the first number"
                if seen < value["exact_below"]:
                    yield f"detection in the {site} is at {seen:.3g} cells; lower exact_below ({value['exact_below']:g})"
        if self.law not in ("exponential", "power") and value["growth_capacity"] <= value["doubling_time_size"]:
            yield "growth_capacity must be above doubling_time_size, at which tumours still grow"
        if patients < 1:
            yield f"{patients} patients; 1 or more are needed"
        if not years > 0.0:
            yield f"{years:g} years of follow-up; more than 0 are needed"
        names = [arm.name for arm in arms]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"arm '{name}' is given twice"
        for arm in arms:
            yield from problems_of_arm(arm, to_internal(f"{years!r} year", "h"), self.value, self.sites)

    def check(self, arms: Sequence[CohortArm] = (), patients: int = 1, years: float = 20.0) -> None:
        """Refuse what cannot be run, with all problems at once.

        Raises
        ------
        StudyError
        """
        problems = tuple(self.problems(arms, patients, years))
        if problems:
            raise StudyError(f"The cohort '{self.title}' cannot be run:", problems)

    # ---- the kernel's view ----------------------------------------------------------------------------------------
    def _correlations(self) -> Real:
        """Correlations of size, growth, founding, nodes, awakening and sensitivity beyond what size explains."""
        tied: Real = np.eye(TRAITS)
        for (i, j), key in {
            (2, 3): "nodes_founding_correlation",
            (1, 2): "growth_founding_correlation",
            (1, 3): "nodes_growth_correlation",
            (3, 4): "nodes_awakening_correlation",
        }.items():
            tied[i, j] = tied[j, i] = self.value(key)
        return tied

    def disease(self) -> Disease:
        """What is common to all tumours, as the kernel takes it."""
        v = {key: self.value(key) for key in NUMBERS}
        return Disease(
            law=LAWS[self.law],
            limit=math.inf if self.law in ("exponential", "power") else v["growth_capacity"],
            power=v["growth_power"],
            exact_below=v["exact_below"],
            turnover=v["metastasis_turnover"],
            shortcut=int(self.founding == "shortcut"),
            lesion_sd=v["metastasis_growth_log_sd"],
            exponent=v["founding_exponent"],
            spreading=int(self.all_generations),
            dormant_share=v["dormancy_share"],
            stages=int(v["awakening_stages"]),
            dormant_death=v["dormant_loss_rate"],
            lethal=v["lethal_burden"],
        )

    def population(self) -> Population:
        """How patients differ, as the kernel takes it."""
        v = {key: self.value(key) for key in NUMBERS}
        entry = self.eligibility
        return Population(
            rate=self.rate,
            growth_sd=v["primary_doubling_log_sd"],
            lesion_ratio=v["metastasis_growth_ratio"],
            founding=v["founding_rate"] / v["founding_size"] ** v["founding_exponent"],
            founding_sd=v["founding_log_sd"],
            waking=v["awakening_stage_rate"],
            waking_sd=v["awakening_log_sd"],
            size=math.log(cells_of(v["diagnosis_diameter"], v["tumour_cell_density"])),
            size_sd=3.0 * v["diagnosis_diameter_log_sd"],
            nodes=math.log(v["nodes_at_median"]),
            nodes_exponent=v["nodes_exponent"],
            nodes_sd=v["nodes_log_sd"],
            nodes_capacity=v["nodes_capacity"],
            sensitivity_sd=v["sensitivity_log_sd"],
            age=v["age_mean"],
            age_sd=v["age_sd"],
            youngest=v["age_youngest"],
            oldest=v["age_oldest"],
            mortality=v["mortality_at_birth"],
            ageing=v["mortality_ageing"],
            smallest=self.cells(entry.above) if entry.above else 0.0,
            largest=self.cells(entry.up_to) if entry.up_to else math.inf,
            fewest_nodes=float(entry.fewest_nodes),
            most_nodes=math.inf if entry.most_nodes is None else float(entry.most_nodes),
            unspread=int(entry.free_of_metastases),
            tie=np.asarray(np.linalg.cholesky(self._correlations()), np.float64),
        )

    def organs(self) -> Organs:
        """The sites as the kernel takes them."""
        share = np.cumsum([share for _, share in self.landing])
        share[-1] = 1.0
        return Organs(
            share=share,
            visible=np.array([self.threshold(site) for site in self.sites]),
            lethal=np.array([self.lethal_in(site) for site in self.sites]),
            distant=np.array([site not in self.regional for site in self.sites], np.int64),
        )

    def schedule(self, arm: CohortArm, years: float) -> Schedule:
        """An arm as the kernel takes it."""
        follow_up = to_internal(f"{years!r} year", "h")
        awakening, lasts = self.value("surgery_awakening"), self.value("surgery_awakening_lasts")
        return schedule_of(arm, follow_up, self.value, awakening, lasts)

    def run(
        self,
        arms: Sequence[CohortArm],
        patients: int = 10_000,
        years: float = 20.0,
        seed: int = 1,
        threads: int = 2,
        first: int = 0,
    ) -> CohortResult:
        """Live `patients` patients in every arm, from number `first` on; the same patients in every arm.

        The result is bit for bit the same for any number of threads, and a patient's for any `first` and number of patients.

        Raises
        ------
        StudyError
            With everything that is wrong, before anything runs; or if almost nobody is eligible.
        """
        from paget.body.cohort.run import run_cohort

        return run_cohort(self, tuple(arms), patients, years, seed, threads, first)

    def outcomes_block(
        self, arm: CohortArm, first: int, count: int, *, years: float = 20.0, seed: int = 1
    ) -> dict[str, Real]:
        """Outcomes of patients `first` to before ``first + count`` of one arm, one value per patient under each name."""
        from paget.body.cohort.run import outcomes_block

        return outcomes_block(self, arm, first, count, years=years, seed=seed)

    def series_block(
        self, arm: CohortArm, first: int, count: int, *, every: str = "1 year", years: float = 20.0, seed: int = 1
    ) -> dict[str, Real]:
        """Readouts of the same patients over time, [count, times] under each name, with the times in h under "time"."""
        from paget.body.cohort.run import series_block

        return series_block(self, arm, first, count, every=every, years=years, seed=seed)
