"""Interventions in a body between two ticks: cells into vessels and sites, exosomes, and types of cells that are depleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from paget.body.chain import Chain
from paget.body.messengers import EXOSOMES, INTEGRINS, MYELOID, PLASMA, PROGENITORS
from paget.body.values import Numbers
from paget.body.whole.definition import WholeBody
from paget.body.whole.traffic import Batch
from paget.engine.intervening import counted, deplete, inject, injectable, new_ids, type_of
from paget.errors import ModelError, StudyError, UnitError, UnknownNameError
from paget.experiment import Depletion, Injection
from paget.naming import TUMOUR_CELL, meant_types
from paget.process import Named
from paget.units import to_internal

if TYPE_CHECKING:
    from paget.body.whole.life import Life

__all__ = ["KILLERS", "VESSELS", "intervene", "problems", "with_heart"]

VESSELS = {"tail vein": "vena cava", "left ventricle": "arteries", "portal vein": "portal vein"}
"""Vessel that is injected -> the node of the circulation where its blood goes next."""
KILLERS = "natural killer cell"
LARGEST = 64  # cells of a cluster: the odds of larger ones would take minutes to solve
INJECTION = 2  # the medium by which cells get into the arteries, where no organ sheds them


def with_heart(chain: Chain) -> Chain:
    """The circulation with one further way in: from the left ventricle into the arteries, as medium 2 of one organ."""
    arteries, last = chain.names.index("arteries"), chain.entry.size
    organ = _draining(chain, "vena cava", ())
    row = np.full(len(chain.organs) + 1, last, np.int64)
    row[organ + 1 :] = last + 1
    return chain._replace(
        first=np.vstack([chain.first, row]),
        entry=np.append(chain.entry, arteries),
        entry_share=np.append(chain.entry_share, 1.0),
    )


def _draining(chain: Chain, node: str, better: Iterable[str]) -> int:
    """An organ whose blood goes to a node as a whole, one of the `better` if there is one."""
    at, first = chain.names.index(node), chain.first[0]
    found = [o for o in range(len(chain.organs)) if chain.entry[first[o] : first[o + 1]].tolist() == [at]]
    if not found:
        raise ModelError(f"no organ drains into the {node} alone, so that nothing can be injected there")
    return next((o for o in found if chain.organs[o] in better), found[-1])


# ---- what can be done --------------------------------------------------------------------------------------------------
def problems(body: WholeBody, injections: Iterable[Injection], depletions: Iterable[Depletion]) -> Iterable[str]:
    """What cannot be done to a body, each with what is in its way."""
    nodes = body.anatomy.chain().names
    groups = {kind.name: str(kind.group) for kind in body.cell_types}
    vessels = [vessel for vessel, node in VESSELS.items() if node in nodes]
    for injection in injections:
        if injection.exosomes:
            yield from _problems_of_exosomes(body, injection)
            continue
        if injection.into not in (*vessels, *body.sites):
            yield str(UnknownNameError("vessel or site to inject", injection.into, (*vessels, *body.sites)))
        elif injection.cluster > LARGEST:
            yield f"clusters of {injection.cluster} x '{injection.cells}' are not known in blood; {LARGEST} cells at most"
        elif not _tumour(injection.cells, groups):
            yield from _problems_of_other_cells(body, injection, vessels)
        elif injection.into in body.sites and injection.into not in [site.name for site in body.lumped]:
            yield from _problems_of_tissue(body, injection)
    for depletion in depletions:
        yield from _problems_of_depletion(body, depletion, groups)


def _tumour(cells: str, groups: dict[str, str]) -> bool:
    return cells == TUMOUR_CELL or groups.get(cells) == "tumour"


def _problems_of_exosomes(body: WholeBody, injection: Injection) -> Iterable[str]:
    if not body.prepares:
        yield f"exosomes bound for '{injection.exosomes}' do nothing in a body without the niche"
        return
    organs = tuple(dict.fromkeys(INTEGRINS.values()))
    if injection.exosomes not in organs:
        yield str(UnknownNameError("organ that exosomes are bound for", injection.exosomes, organs))
    try:
        _particles(injection, 1.0)
    except UnitError:
        yield f"'{injection.amount}' is no amount of exosomes; give their protein, as 10 ug, or their number, as 1e10"


def _problems_of_tissue(body: WholeBody, injection: Injection) -> Iterable[str]:
    """Tumour cells into a site that is its tissue alone."""
    site = next(site for site in body.spatial if site.name == injection.into)
    try:
        type_of(site.model, injection.cells)
    except (UnknownNameError, StudyError) as problem:
        yield f"into '{site.name}': {problem}"


def _problems_of_other_cells(body: WholeBody, injection: Injection, vessels: list[str]) -> Iterable[str]:
    homes = [s for s in body.spatial if injection.cells in injectable(s.model)]
    here = [s.name for s in homes if s.stands_for is None]
    known = (TUMOUR_CELL, *(kind.name for kind in body.cell_types))
    if injection.cells not in known:
        yield str(UnknownNameError("cell type", injection.cells, known))
    elif injection.into in vessels:
        yield f"'{injection.cells}' cannot be injected into a vessel: the blood of this body carries tumour cells alone"
    elif injection.into not in here:
        where = f"; it can into {', '.join(here)}" if here else ""
        yield f"'{injection.cells}' cannot be injected into '{injection.into}', whose tissue knows no such newcomers{where}"


def _problems_of_depletion(body: WholeBody, depletion: Depletion, groups: dict[str, str]) -> Iterable[str]:
    known = (KILLERS, *((PROGENITORS, MYELOID) if body.prepares else ()), *groups, TUMOUR_CELL)
    meant = meant_types(depletion.cells, groups)
    if depletion.cells not in known and not meant:
        yield str(UnknownNameError("cell type", depletion.cells, known))
    elif _tumour(depletion.cells, groups) or any(groups[kind] == "tumour" for kind in meant):
        yield (
            f"'{depletion.cells}' cannot be depleted in a body: cells of lumped sites and of the blood would be spared; "
            "give a drug, or resect"
        )


# ---- doing it -----------------------------------------------------------------------------------------------------------
def intervene(
    life: Life, injections: Iterable[Injection], depletions: Iterable[tuple[Depletion, bool]]
) -> tuple[list[Batch], dict[str, float]]:
    """Do what is due now; returns what goes into vessels in this tick, and which share of cells is kept away, by name.

    Raises
    ------
    StudyError
        With everything that cannot be done.
    """
    injections, depletions = tuple(injections), tuple(depletions)
    wrong = list(problems(life.body, injections, [depletion for depletion, _ in depletions]))
    if wrong:
        raise StudyError(f"This cannot be done to '{life.body.name}':", wrong)
    batches: list[Batch] = []
    for injection, nth in counted(injections):
        if injection.exosomes:
            _give_exosomes(life, injection)
        elif injection.into in VESSELS:
            batches += _into_vessel(life, injection, nth)
        else:
            _implant(life, injection, nth)
    return batches, _deplete(life, depletions)


def _into_vessel(life: Life, injection: Injection, nth: int) -> list[Batch]:
    """Cells of a culture, single or in clusters: the last cluster is smaller where the number does not divide."""
    number, size = round(injection.number or 0.0), injection.cluster
    node = VESSELS[injection.into]
    medium = INJECTION if node == "arteries" else 0
    rest = {organ for organ in life.chain.organs if organ not in life.organs_of_sites}
    organ = _draining(life.chain, "vena cava", ()) if medium == INJECTION else _draining(life.chain, node, rest)
    key = life.chance.key(f"injection/{injection.cells}/{injection.into}")
    survival, mesenchymal = life.signals
    found = []
    for part, (count, cells) in enumerate(((number // size, size), (1, number % size))):
        if count and cells:
            found.append(
                Batch(
                    when=life.time,
                    origin=organ,
                    medium=medium,
                    count=count,
                    members=new_ids(key, life.tick, 2 * nth + part, cells),
                    survival=survival,
                    mesenchymal=mesenchymal,
                    records=np.zeros((len(life.body.carried), cells)),
                    radius=life.cultured_radius,
                )
            )
    life.injected += number
    return found


def _implant(life: Life, injection: Injection, nth: int) -> None:
    """Tumour cells begin as a lesion of the site, where it has lesions; other cells are put into its tissue."""
    site, number = injection.into, round(injection.number or 0.0)
    key = life.chance.key(f"injection/{injection.cells}/{site}")
    groups = {kind.name: str(kind.group) for kind in life.body.cell_types}
    if _tumour(injection.cells, groups) and site in life.lesions.names:
        life.implanted += number
        life.found(site, new_ids(key, life.tick, nth, 1), number)
        return
    piece = life.pieces[site]
    if not piece.closed:
        inside = injection.model_copy(update={"into": "tissue"})
        inject(piece.model, piece.world, piece.stepper.structure, inside, nth)


def _particles(injection: Injection, per_ug: float) -> float:
    amount = injection.amount if injection.amount is not None else 0.0
    try:
        return to_internal(amount, "")
    except UnitError:
        return to_internal(amount, "ug") * per_ug


def _give_exosomes(life: Life, injection: Injection) -> None:
    """Exosomes that all carry the integrin of one organ: within minutes each organ takes its share, or they are cleared.

    Of exosomes in plasma an organ takes the share k / (sum of all k + loss), with its rate of uptake k; by the integrin it is
    higher in the organ that they are bound for. As this takes minutes, organs are given their shares at once.
    """
    assert life.compartments is not None
    numbers = Numbers(life.body.parameters, life.chance.draw)
    given = _particles(injection, numbers(Named("exosomes_per_mass", "1/ug"), "1/ug"))
    volume = dict(zip(life.compartments.places, life.compartments.volumes.tolist(), strict=True))
    organs = [place for place in life.compartments.places if place in life.organs_of_sites]
    everywhere = numbers(Named("exosome_uptake", "1/h"), "1/h")
    fitting = numbers(Named("integrin_uptake", "1/h"), "1/h")
    rates = {
        organ: (everywhere + (fitting if organ == injection.exosomes else 0.0)) * volume[organ] / volume[PLASMA]
        for organ in organs
    }
    total = sum(rates.values()) + numbers.rate(Named("exosome_half_life", "h"))
    for organ, rate in rates.items():
        life.compartments.give(EXOSOMES, organ, given * rate / total)


def _deplete(life: Life, depletions: Iterable[tuple[Depletion, bool]]) -> dict[str, float]:
    """Deplete cells of tissues; cells that are amounts are taken once, and then kept from coming anew."""
    away: dict[str, float] = {}
    for depletion, begins in depletions:
        if depletion.cells in (KILLERS, PROGENITORS, MYELOID):
            away[depletion.cells] = max(away.get(depletion.cells, 0.0), depletion.fraction)
            if begins and depletion.cells != KILLERS and life.compartments is not None:
                life.compartments.lose(depletion.cells, depletion.fraction, kept=("marrow",))
            continue
        for piece in life.pieces.values():
            if not piece.closed:
                deplete(piece.model, piece.world, piece.stepper.structure, [depletion])
    return away
