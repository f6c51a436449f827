"""A whole body as a value: its anatomy, its sites in either resolution, what happens in its blood, its niche and its drugs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paget.body.anatomy import Anatomy
from paget.body.blood import EFFECTS, BloodBiology
from paget.body.lumped import LumpedSite
from paget.body.messengers import MYELOID, PROGENITORS
from paget.body.values import Number
from paget.body.whole.piece import ARRIVAL, OPERATION, SpatialSite
from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter, ParameterTable, load_parameters
from paget.experiment import Arm, Study
from paget.model import Model
from paget.perturbing import Genes, changes, genes_of, scaled
from paget.pharmacology import DrugKinetics
from paget.process import Named, is_nothing
from paget.rules import Rule
from paget.subject import Individual

if TYPE_CHECKING:
    from paget.engine.animal import Animal

__all__ = ["Endpoint", "WholeBody", "slug"]

PRIMARY, REST = "primary", "other"
MARROW_CELLS = (PROGENITORS, MYELOID)
READ_PER_SITE = ("cells", "nodules", "dormant", "arrivals")
READ_OF_ALL = (
    "metastases",
    "metastatic_cells",
    "ctc_single",
    "ctc_clusters",
    "ctc_per_ml",
    "held_in_capillaries",
    "largest_metastasis",
    "shed",
    "died_in_blood",
    "dead",
)


def slug(site: str) -> str:
    """The name of a site in names of readouts: ``bone_marrow``."""
    return site.replace(" ", "_")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """When an animal dies, or is taken out of the study: a site holds this many tumour cells.

    site : of the body, or "metastases" for all but the primary together
    """

    site: str
    cells: Number


@dataclass(frozen=True, kw_only=True)
class WholeBody(Individual):
    """An organism whose sites are joined by blood and lymph.

    anatomy : organs, vessels and routes
    spatial, lumped : sites cell by cell, and by laws; a site of both is a piece of tissue and the rest of its organ
    organs : organ of the anatomy that a site lies in, where it is not that of its name
    primary : the site whose tumour is there from the start. founders : its cells then, if it is lumped
    carried : variables that cells carry through the blood
    walked : parties shed in a tick up to which each is walked by itself
    density : cells in a volume of a lesion, by which its diameter follows from its cells
    niche : whether tumours prepare organs by what they secrete
    interventions : target of the niche -> activity that is left of it
    endpoints : what an animal dies of
    kinetics : of the drugs that a study may give; drug_numbers : their parameters and those of the stroma

    Raises
    ------
    ModelError
        With everything that does not fit together.
    """

    anatomy: Anatomy
    spatial: tuple[SpatialSite, ...] = ()
    lumped: tuple[LumpedSite, ...] = ()
    organs: Mapping[str, str] = field(default_factory=dict)
    primary: str = PRIMARY
    founders: Number | None = None
    carried: tuple[str, ...] = ("cell.clone", "cell.ever_dormant")
    walked: Number = field(default=Named("walked_parties", ""))
    density: Number = field(default=Named("lesion_density", "cell/um**3"))
    niche: bool = True
    interventions: Mapping[str, Number] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()
    kinetics: tuple[DrugKinetics, ...] = ()
    drug_numbers: ParameterTable | None = None

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ModelError(f"The body '{self.name}' cannot be built:", problems)

    def _problems(self) -> Iterable[str]:
        names = [*(s.name for s in self.spatial), *(s.name for s in self.lumped)]
        by_kind = (("spatial", [s.name for s in self.spatial]), ("lumped", [s.name for s in self.lumped]))
        for kind, own in by_kind:
            for name in dict.fromkeys(n for n in own if own.count(n) > 1):
                yield f"the {kind} site '{name}' is given twice"
        if self.primary not in names:
            yield str(UnknownNameError("primary site", self.primary, names))
        yield from self._problems_of_names(names)
        for site in self.spatial:
            yield from site.problems()
            partly = site.share is not None or not site.host or site.removed_whole
            if partly and site.name not in [lumped.name for lumped in self.lumped]:
                yield f"site '{site.name}' is a piece of its organ; give the rest of it as a lumped site of that name"
        known = self.anatomy.names
        taken: dict[str, str] = {}
        for name in dict.fromkeys(names):
            organ = self.organs.get(name, name)
            if organ not in known:
                yield f"site '{name}': {UnknownNameError('organ', organ, known)}"
            elif organ in taken:
                yield f"the sites '{taken[organ]}' and '{name}' lie in one organ, '{organ}'"
            taken[organ] = name
        if REST not in names and (left := [organ for organ in known if organ not in taken]):
            yield f"cells would come to {', '.join(left)}, where no site is; give a site '{REST}' for the rest of the body"
        for endpoint in self.endpoints:
            if endpoint.site not in (*names, "metastases"):
                yield str(UnknownNameError("site of an endpoint", endpoint.site, (*names, "metastases")))
        if self.founders is None and self.primary in names and self.primary not in [s.name for s in self.spatial]:
            yield f"the site '{self.primary}' is lumped; say of how many cells its tumour is at the start (founders)"

    def _problems_of_names(self, names: list[str]) -> Iterable[str]:
        """Sites, cell types, events and readouts that one part knows and another does not."""
        for name in dict.fromkeys(names):
            if name not in self.sites:
                yield f"the site '{name}' is not among the sites of the body ({', '.join(self.sites)})"
        for name in self.sites:
            if name not in names:
                yield f"the site '{name}' is neither spatial nor lumped; say which"
        types: list[str] = []
        kinds = [ARRIVAL, OPERATION]
        for site in self.spatial:
            types += site.model.cell_types
            kinds += site.model.event_kinds
        own_types = [t.name for t in self.cell_types]
        for what, used, known in (("cell type", types, own_types), ("kind of event", kinds, self.event_kinds)):
            for name in dict.fromkeys(used):
                if name not in known:
                    yield f"the {what} '{name}' of its sites is not among those of the body"
        measured = (*READ_OF_ALL, *(f"{what}_{slug(site)}" for site in self.sites for what in READ_PER_SITE))
        own = [readout.name for readout in self.readouts]
        for readout in self.readouts:
            if readout.kind != "time" and readout.name not in measured:
                yield str(UnknownNameError("readout of a body", readout.name, measured))
            elif readout.kind == "time" and readout.first_of not in own:
                yield f"readout '{readout.name}': {UnknownNameError('readout', readout.first_of, own)}"

    def organ_of(self, site: str) -> str:
        """The organ of the anatomy in which a site lies."""
        return self.organs.get(site, site)

    @property
    def tissues(self) -> Mapping[str, Model]:
        """Models of the sites that are simulated cell by cell."""
        return {site.name: site.model for site in self.spatial}

    @property
    def measures_sizes(self) -> bool:
        """Whether the diameter of the largest metastasis is among the readouts."""
        return any(readout.name == "largest_metastasis" for readout in self.readouts)

    @property
    def has_cultured(self) -> bool:
        """Whether the size of cells from a culture is known, which are larger than cells that a tumour sheds."""
        return "ctc_cultured_radius" in self.parameters

    @property
    def factors(self) -> dict[str, float]:
        """Factors of hazards in the blood that are 0 because a part was taken out."""
        return {name: 0.0 for name in EFFECTS if name in self.left_out}

    # ---- numbers --------------------------------------------------------------------------------------------------
    def _own(self) -> dict[str, Parameter]:
        """Rows of the body's own tables that its parts name, and numbers of its anatomy, blood and newcomers, by key."""
        found = super().numbers_used()
        measured = [self.density] if self.measures_sizes else []
        named = (
            measured
            + [n for site in self.lumped for _, n, _ in site.numbers]
            + [n for s in self.spatial for n in s.numbers]
        )
        rows = [self.parameters[n.key] for n in named if isinstance(n, Named)]
        start = [n for site in self.spatial for n in site.start.values() if isinstance(n, Parameter)]
        blood = BloodBiology.of(self.anatomy, self.parameters).parameters
        for number in (*rows, *start, *self.anatomy.numbers, *blood):
            found.setdefault(number.key, number)
        return {key: row for key, row in found.items() if not is_nothing(row)}

    def numbers_used(self) -> dict[str, Parameter]:
        """Every parameter of the body and of its tissues, by key; where both know a key, that of the body counts."""
        found = self._own()
        for site in self.spatial:
            for key, row in site.model.numbers_used().items():
                found.setdefault(key, row)
        for key, row in self._of_drugs().items():
            found.setdefault(key, row)
        return found

    def _of_drugs(self) -> dict[str, Parameter]:
        if self.drug_numbers is None:
            return {}
        keys = [n.key for kinetics in self.kinetics for _, n, _ in kinetics.numbers if isinstance(n, Named)]
        return {key: self.drug_numbers[key] for key in keys}

    def with_parameters(self, changes: Mapping[str, str | float]) -> WholeBody:
        """Return the body with parameters changed, in its own tables and in those of its tissues and drugs alike.

        Raises
        ------
        UnknownNameError, UnitError
        """
        used = self.numbers_used()
        for key in changes:
            if key not in used:
                raise UnknownNameError("parameter", key, used)

        def some(known: Iterable[str]) -> dict[str, str | float]:
            names = set(known)
            return {key: value for key, value in changes.items() if key in names}

        spatial = tuple(
            dataclasses.replace(
                site,
                model=site.model.with_parameters(some(site.model.numbers_used())),
                start={name: _with_numbers(value, some([_key(value)])) for name, value in site.start.items()},
            )
            for site in self.spatial
        )
        of_anatomy = some(number.key for number in self.anatomy.numbers)
        return self.changed(
            spatial=spatial,
            parameters=self.parameters.with_values(some(self.parameters)),
            anatomy=_with_numbers(self.anatomy, of_anatomy) if of_anatomy else self.anatomy,
            drug_numbers=self.drug_numbers.with_values(some(self.drug_numbers)) if self.drug_numbers else None,
        )

    @property
    def gene_table(self) -> Genes:
        """The genes of the body and of its tissues, with what each acts on."""
        tissues = {site.name: site.model for site in self.spatial}
        types = {kind.name: kind for kind in self.cell_types}
        return genes_of(tissues, self._acting(), types, MARROW_CELLS if self.prepares else ())

    @property
    def prepares(self) -> bool:
        """Whether tumours prepare organs in this body."""
        return self.niche and "niche" not in self.left_out

    def _acting(self) -> set[str]:
        """Keys of the numbers that something is computed from in this body, whatever its parts are described by."""
        numbers = [n for site in self.spatial for n in site.numbers]
        numbers += [n for site in self.lumped for _, n, _ in site.numbers]
        numbers += [*self.interventions.values()] if self.prepares else []
        found = {n.key for n in numbers} | {
            row.key for row in BloodBiology.of(self.anatomy, self.parameters).parameters
        }
        for site in self.spatial:
            found |= set(site.model.numbers_used())
        return found | (set(load_parameters("niche")) if self.prepares else set())

    @property
    def genes(self) -> Mapping[str, tuple[str, ...]]:
        """Genes and nodes of networks that can be knocked out or over-expressed, with what each acts on."""
        return self.gene_table.in_words

    def perturbed(self, levels: Mapping[tuple[str, str], float]) -> WholeBody:
        """Return the body with other activities of genes, in its own numbers and in its tissues.

        Raises
        ------
        UnknownNameError, StudyError
        """
        found = changes(self.gene_table, levels)
        return self.changed(
            spatial=tuple(
                dataclasses.replace(site, model=found.applied(site.model, site.name)) for site in self.spatial
            ),
            parameters=scaled(self.parameters, found.numbers),
        )

    def with_rules(self, *rules: Rule) -> WholeBody:
        """Return the body with rules added to the tissue whose cells they are about.

        Raises
        ------
        UnknownNameError
        """
        body = self
        for rule in rules:
            homes = [site for site in body.spatial if rule.cell in site.model.cell_types]
            if not homes:
                known = [t for site in body.spatial for t in site.model.cell_types]
                raise UnknownNameError("cell type of a rule", rule.cell, known)
            changed = {home.name: dataclasses.replace(home, model=home.model.with_rules(rule)) for home in homes}
            body = body.changed(spatial=tuple(changed.get(site.name, site) for site in body.spatial))
        return body

    def animal(self, study: Study, arm: Arm, animal: int) -> Animal:
        """One animal of an arm at the start of the study."""
        from paget.body.whole.life import Life

        goes_on = study.branch is not None
        return Life(self, seed=study.seed, animal=animal, dt=study.tick, drugs=arm.drugs, goes_on=goes_on)


def _key(value: Number | int) -> str:
    return value.key if isinstance(value, Parameter) else ""


def _with_numbers(part: Any, changes: Mapping[str, str | float]) -> Any:
    """A value made of dataclasses and tuples, with parameters changed by key."""
    if isinstance(part, Parameter):
        return (
            ParameterTable({part.key: part}).with_values({part.key: changes[part.key]})[part.key]
            if part.key in changes
            else part
        )
    if isinstance(part, tuple):
        return tuple(_with_numbers(one, changes) for one in part)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        given = {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if f.init}
        new = {name: _with_numbers(value, changes) for name, value in given.items()}
        return dataclasses.replace(part, **{name: value for name, value in new.items() if value is not given[name]})
    return part
