"""Where tumours go, as a study: virtual autopsies under flow alone, seed and soil alone, and both, beside real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.anatomy import Anatomy, anatomy_of
from paget.body.autopsies import Finding, load_autopsies, wilson
from paget.body.seed_and_soil import (
    HOSPITABLE,
    INTERACTIONS,
    ORIGINS,
    Model,
    Pattern,
    arrivals,
    found_in,
    likeness,
    load_of,
)
from paget.catalogue.choices import chosen
from paget.engine.chance import Chance
from paget.errors import PagetError, StudyError
from paget.evidence import ParameterTable, load_parameters
from paget.experiment import Arm, Study
from paget.kernels import philox
from paget.model import Option
from paget.readouts import Readout
from paget.subject import Cohort, Mechanism

__all__ = ["OPTIONS", "Autopsies", "organ_pattern"]

Real = NDArray[np.float64]
SERIES = tuple(dict.fromkeys(finding.series for finding in load_autopsies()))
OPTIONS = (
    Option("primary", tuple(ORIGINS), "breast", "where the primary tumour sits"),
    Option("series", SERIES, SERIES[0], "the autopsies that are compared with, by whose findings the load is set"),
)
VERTEBRAL = "vertebral_veins"
SWITCHES = ("flow_counts", "soil_counts")
CHOICES: Mapping[tuple[float, float], Model] = {(1.0, 0.0): "flow", (0.0, 1.0): "soil", (1.0, 1.0): "both"}
LYMPHATIC = "lymph node"


@dataclass(frozen=True, kw_only=True)
class Autopsies(Cohort):
    """Patients who died with one kind of tumour; each is examined once, at the end.

    primary, series : of the real autopsies beside which they stand
    """

    primary: str
    series: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the real autopsies found, by organ."""
        return findings_of(self.primary, self.series)

    @property
    def model(self) -> Model:
        """Which of flow and soil count.

        Raises
        ------
        StudyError
            If a switch is neither 0 nor 1, or both are 0.
        """
        given = (self.parameters[SWITCHES[0]].value, self.parameters[SWITCHES[1]].value)
        if given not in CHOICES:
            said = ", ".join(f"{name} = {value:g}" for name, value in zip(SWITCHES, given, strict=True))
            raise StudyError(
                "The model organ_pattern cannot be run:",
                [f"{said}: each must be 0 or 1, and at least one of them 1; give flow alone, soil alone or both"],
            )
        return CHOICES[given]

    @property
    def anatomy(self) -> Anatomy:
        """The circulation, without the routes that were taken out; `ModelError` if its flows do not add up."""
        body = anatomy_of("human", self.parameters)
        return body.without_route("vertebral veins") if VERTEBRAL in self.left_out else body

    def incidence(self) -> dict[str, float]:
        """Predicted share of autopsies with metastases, by organ; the load is the likeliest for these autopsies.

        Raises
        ------
        StudyError, ModelError
        """
        pattern = Pattern.from_table(self.model, self.parameters)
        organs = [finding.organ for finding in self.findings]
        landed: dict[str, float] = {}
        if pattern.model != "soil":
            lymphatic = self.parameters["lymphatic_share"].inside("")
            landed = arrivals(self.anatomy, self.primary, pattern.arrest, lymphatic)
        rates = pattern.rates(organs, landed, {o: likeness(self.parameters, self.primary, o) for o in organs})
        found = np.array([finding.found for finding in self.findings], float)
        autopsies = np.array([finding.autopsies for finding in self.findings], float)
        return dict(zip(organs, found_in(load_of(rates, found, autopsies), rates).tolist(), strict=True))

    def readings(self, study: Study, arm: Arm, first: int, count: int) -> dict[str, NDArray[Any]]:
        """Metastases of some patients, none at the start and those of the autopsy at the end; 1 for each organ with some.

        A patient has the same uniform number for an organ in every arm, so that arms are paired patient by patient.
        """
        chance, ids = Chance(study.seed, 0, "autopsies"), np.arange(first, first + count, dtype=np.uint64)
        columns: dict[str, NDArray[Any]] = {
            "time": np.tile([0.0, study.duration], count),
            "animal": np.repeat(np.arange(first, first + count, dtype=np.int64), 2),
        }
        total = np.zeros(2 * count)
        for organ, share in self.incidence().items():
            with_metastases = philox.uniforms(chance.key(organ), ids, -1, 1)[:, 0] <= share
            columns[readout_of(organ)] = np.column_stack([np.zeros(count), with_metastases]).ravel()
            total += columns[readout_of(organ)]
        return columns | {"organs": total}


def readout_of(organ: str) -> str:
    """The name of an organ's readout: ``bone_marrow``."""
    return organ.replace(" ", "_")


def findings_of(primary: str, series: str) -> tuple[Finding, ...]:
    """Findings of one series for one primary, those in organs of the anatomy."""
    return tuple(f for f in load_autopsies() if (f.primary, f.series) == (primary, series) and f.organ)


def organ_pattern(options: Mapping[str, str | int | float]) -> Autopsies:
    """Build the subject for a study's options.

    Raises
    ------
    StudyError
        If an option or its value is not known, or the series holds no such tumour.
    """
    choice = _chosen(options)
    findings = findings_of(choice["primary"], choice["series"])
    used = findings[0].use
    return Autopsies(
        name="organ_pattern",
        individuals="patients",
        title=f"Where {choice['primary']} cancers go: virtual autopsies beside those of {choice['series']}",
        parameters=load_parameters("organ_pattern", "anatomy_human"),
        mechanisms=_mechanisms(choice["primary"], [finding.organ for finding in findings]),
        readouts=tuple(_readouts(findings)),
        options=OPTIONS,
        assumed=ASSUMPTIONS,
        limits=(*LIMITS, USE[used]),
        methods=METHODS,
        sources=tuple(dict.fromkeys(key.strip() for f in findings for key in f.source.split(";"))),
        problems_of_study=_problems_of_study,
        primary=choice["primary"],
        series=choice["series"],
    )


def _chosen(options: Mapping[str, str | int | float]) -> dict[str, str]:
    found = chosen("organ_pattern", OPTIONS, options)
    problems = []
    if not findings_of(found["primary"], found["series"]):
        known = [primary for primary in ORIGINS if findings_of(primary, found["series"])]
        problems.append(
            f"options: the series {found['series']} has no autopsies of {found['primary']} cancer; it has {', '.join(known)}"
        )
    if problems:
        raise StudyError("The model organ_pattern does not have what the study asks for:", problems)
    return found


def _problems_of_study(study: Study) -> Iterator[str]:
    """Switches and flows that do not go together, in the study or in one arm; what is done to no patient of this model."""
    for arm in study.arms:
        if arm.resections:
            yield f"arm '{arm.name}': autopsies know no surgery; take the resections out"
        try:
            subject = organ_pattern(study.options).with_parameters(study.parameters).without(*study.without)
            changed = subject.with_parameters(arm.parameters)
        except PagetError:  # a name or unit that is not known is told with the others of its kind
            continue
        try:
            changed.incidence()
        except PagetError as refused:
            yield from (f"arm '{arm.name}': {one}" for one in getattr(refused, "problems", ()) or (str(refused),))


def _readouts(findings: tuple[Finding, ...]) -> Iterator[Readout]:
    """Organs in the order of how often the real autopsies found metastases, then their number."""
    for rank, finding in enumerate(sorted(findings, key=lambda f: (-f.share, f.organ))):
        low, high = (f"{100.0 * edge:.0f}" for edge in wilson(finding.found, finding.autopsies))
        share = f"{100.0 * finding.share:.3g} %"
        yield Readout(
            readout_of(finding.organ),
            f"{finding.organ.capitalize()} (found: {share})",
            "",
            "fraction",
            "final",
            f"share of virtual autopsies with metastases there; {finding.series} found them in {share} of {finding.autopsies} "
            f"(95 % interval {low} to {high} %)",
            headline=rank < HEADLINES,
        )
    mean = sum(finding.share for finding in findings)
    yield Readout(
        "organs",
        "Organs with metastases",
        "",
        "count",
        "final",
        f"of the {len(findings)} organs above; {mean:.2f} on average in the real autopsies",
        headline=True,
    )


HEADLINES = 5


def _mechanisms(primary: str, organs: list[str]) -> tuple[Mechanism, ...]:
    table = load_parameters("organ_pattern", "anatomy_human")
    body = anatomy_of("human", table)
    flows = tuple(organ.flow.key for organ in body.organs)
    spine = tuple(share.key for route in body.routes if route.name == "vertebral veins" for _, share in route.shares)
    return (
        Mechanism(
            "flow",
            "arrival",
            "Cells travel with the blood, or by lymph, and are arrested in the beds that they pass.",
            ("flow_counts", "flow_arrest", "both_arrest", "lymphatic_share", *flows),
            ("FontClos2020",),
            essential=True,
        ),
        Mechanism(
            VERTEBRAL,
            "arrival",
            "A share of the venous blood of prostate, breast and kidney passes the marrow of the spine.",
            spine,
            ("Batson1940",),
        ),
        Mechanism(
            "soil",
            "growth",
            "Organs differ in how hospitable they are to any cell.",
            (
                "soil_counts",
                *(
                    f"{model}_hospitality_{organ}".replace(" ", "_")
                    for model in ("soil", "both")
                    for organ in HOSPITABLE
                ),
            ),
            essential=True,
        ),
        Mechanism(
            "match",
            "growth",
            "Chemokines, integrins and selectins of the seed match those of a soil, or do not.",
            ("soil_match", "both_match", *_levels(table, primary, organs)),
            ("Muller2001", "Hoshino2015"),
            essential=True,
        ),
    )


def _levels(table: ParameterTable, primary: str, organs: list[str]) -> tuple[str, ...]:
    """Keys of the levels that this seed and these soils have."""
    keys = [f"seed_{primary}_{i}" for i in INTERACTIONS]
    keys += [f"soil_{place}_{i}".replace(" ", "_") for place in (*organs, "rest") for i in INTERACTIONS]
    return tuple(key for key in keys if key in table)


ASSUMPTIONS = (
    "Metastases are found in each organ independently of the others.",
    "One load, how far the disease had come, holds for all patients of a series; it is set so that the series is likeliest.",
    "All cells have the same chance of arrest in every bed.",
)
USE = {
    "calibration": "Hospitality, match and arrest were fitted to these autopsies among others: agreement is no prediction.",
    "prediction": "No number but the load was fitted to these autopsies.",
}
LIMITS = (
    "Research use only; not for decisions about patients.",
    "Time has no meaning here: there is nothing at the start and an autopsy at the end.",
    "Counts of autopsies are as digitised by others; they were not read again in the articles.",
)
METHODS = (
    "Each patient is one virtual autopsy, in which an organ holds metastases with the probability 1 - exp(-load · v). The "
    "relative rate v of an organ is the share of cells arrested there by the circulation (flow alone), the hospitality of the "
    "organ times the match of seed and soil (soil alone), or the product of all (both); each model has numbers of its own, "
    "fitted by greatest likelihood to autopsies of breast and lung cancers. Arrested shares are the exact solution of a "
    "continuous-time Markov chain of the circulation with portal vein, lymph and vertebral veins. A patient keeps the same "
    "random number for each organ in all arms, so arms are compared patient by patient. Real autopsies stand in the meaning "
    "of each readout."
)
