"""Every process of the catalogue, in every setting of its model, does what it declares: all of it, and nothing else.

The tests are generated from the models. A process is put on a tissue in which every mechanism has something to do, with a
view that notes what it reads and does.
"""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

from paget.access import Do, Ledgers, See
from paget.catalogue import build_model, load_study
from paget.catalogue.lung import LINKS
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import ContractError
from paget.evidence import load_sources
from paget.pharmacology import DrugKinetics
from paget.process import Phase, Process

SETTINGS = [(setting, dimensions) for setting in ("injected", "adjuvant", "neoadjuvant") for dimensions in (2, 3)]

# Every mechanism gets something to do within days: more cells, entry, traps and seeding than in life, and gentle drugs.
BUSY = {
    "dormant_founders": "20000 1/mm**3",
    "cycling_founders": "12000 1/mm**3",
    "senescence_rate": "0.05 1/h",
    "neutrophil_entry": "0.05 1/h",
    "activation_background": "0.05 1/h",
    "netosis_rate": "0.1 1/h",
    "dormant_seeding_rate": "0.02 1/day",
    "cycling_seeding_rate": "0.02 1/day",
    "doxorubicin_kill_rate": "0.001 1/h",
    "cisplatin_kill_rate": "0.001 1/h",
    "dasatinib_senolysis_rate": "0.001 1/h",
    "quercetin_senolysis_rate": "0.001 1/h",
    "navitoclax_senolysis_rate": "0.001 1/h",
    "depletion_rate": "0.001 1/h",
}


@functools.cache
def _model(setting, dimensions):
    study = load_study("lung_awakening").with_options(setting=setting, dimensions=dimensions, size=400)
    model = build_model(study)
    return model.with_parameters({key: value for key, value in BUSY.items() if key in model.numbers_used()})


class NotingSee(See):
    """A view that notes what is read through it."""

    def __init__(self, process, world):
        super().__init__(process, world)
        self.noted = set()
        process_reads = self._reads

        class Reads(frozenset):
            def __contains__(inner, name):
                self.noted.add(name)
                return name in process_reads

        self._reads = Reads(process_reads)


class NotingDo(Do):
    """A hand that notes what is done through it."""

    def __init__(self, process, world, ledgers):
        super().__init__(process, world, ledgers)
        self.noted = set()

    def _check(self, name, declared, verb):
        super()._check(name, declared, verb)
        self.noted.add((verb, name))


def _busy_world(setting, dimensions):
    """A tissue on its fourth day, under every drug, at the start of a tick in which every drug is given again."""
    model = _model(setting, dimensions)
    world = found(model, 3, 0, 2.0)
    stepper = Stepper(model, world)
    doses = tuple((drug.name, 0.5, 5.0, "") for drug in model.drugs)
    for tick in range(48):
        world.doses = doses if tick in (6, 30) else ()
        stepper.step()
    stepper.check()
    world.doses, world.operations = doses, ()
    return model, world


@functools.cache
def _notes(setting, dimensions):
    """Per role what it read and did in one tick of the busy tissue, its phases in order."""
    model, world = _busy_world(setting, dimensions)
    noted = {}
    for phase in Phase:
        for process in (p for p in model.ordered if p.phase == phase):
            see, do = NotingSee(process, world), NotingDo(process, world, Ledgers())
            process.step(see, do, model.values_for(process, world.chance.draw))
            noted[process.role] = (see.noted, do.noted)
    return noted


everywhere = pytest.mark.parametrize(("setting", "dimensions"), SETTINGS)
processes = pytest.mark.parametrize(
    ("setting", "dimensions", "role"),
    [(*chosen, role) for chosen in SETTINGS for role in sorted(_model(*chosen).processes)],
)


@everywhere
def test_a_busy_tissue_runs_for_days_without_undeclared_access(setting, dimensions):
    model, world = _busy_world(setting, dimensions)
    assert world.tick == 48
    present = {model.cell_types[kind] for kind in world.cells.column("cell.type")}
    assert present == set(model.cell_types)


@processes
def test_what_a_process_declares_to_read_it_reads(setting, dimensions, role):
    read, _ = _notes(setting, dimensions)[role]
    assert read == set(_model(setting, dimensions).processes[role].reads)


@processes
def test_what_a_process_declares_to_do_it_does(setting, dimensions, role):
    process = _model(setting, dimensions).processes[role]
    _, done = _notes(setting, dimensions)[role]
    declared = (
        {("adds to", n) for n in process.adds}
        | {("sets", n) for n in process.sets}
        | {("emits", n) for n in process.emits}
    )
    assert done == declared


def _refused(setting, dimensions, role, names, narrow):
    """Step the process once per name with that name taken out of its declaration; the names that were refused."""
    model, world = _shared_world(setting, dimensions)
    process = model.processes[role]
    values = model.values_for(process, world.chance.draw)
    refused = set()
    for name in names:
        see, do = See(process, world), Do(process, world, Ledgers())
        narrow(see, do, name)
        with pytest.raises(ContractError, match=f"process '{role}' .*'{re.escape(name)}' without declaring it"):
            process.step(see, do, values)
        refused.add(name)
    return refused


_shared_world = functools.cache(_busy_world)


@pytest.mark.parametrize("role", sorted(_model("adjuvant", 2).processes))
def test_a_read_that_is_not_declared_is_refused(role):
    def narrow(see, do, name):
        see._reads = see._reads - {name}

    names = _model("adjuvant", 2).processes[role].reads
    assert _refused("adjuvant", 2, role, names, narrow) == set(names)


@pytest.mark.parametrize("role", sorted(_model("adjuvant", 2).processes))
def test_an_addition_a_setting_or_an_event_that_is_not_declared_is_refused(role):
    def narrow(see, do, name):
        for kind in ("_adds", "_sets", "_emits"):
            setattr(do, kind, getattr(do, kind) - {name})

    process = _model("adjuvant", 2).processes[role]
    names = (*process.adds, *process.sets, *process.emits)
    assert _refused("adjuvant", 2, role, names, narrow) == set(names)


# ---- words ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(_model("adjuvant", 2).processes))
def test_a_process_describes_itself_in_one_sentence_of_biology(role):
    process = _model("adjuvant", 2).processes[role]
    assert re.fullmatch(r"([A-Z]|p21).{20,}\.", process.sentence), process.sentence
    assert type(process).__doc__ != Process.__doc__


@pytest.mark.parametrize("role", sorted(_model("adjuvant", 2).processes))
def test_the_sources_of_a_process_and_of_its_rules_are_in_the_bibliography(role):
    process = _model("adjuvant", 2).processes[role]
    keys = [*process.sources, *(rule.source for rule in getattr(process, "rules", ()))]
    assert [key for key in keys if key not in load_sources()] == []


@everywhere
def test_every_number_has_a_basis_a_unit_that_fits_and_what_the_basis_needs(setting, dimensions):
    model = _model(setting, dimensions)
    for process in model.ordered:
        for slot, named, unit in process.numbers:
            row = model.evidence_for(named)
            assert np.isfinite(row.inside(unit)), (process.role, slot)
    for key, row in model.numbers_used().items():
        assert row.basis in ("measured", "fitted", "derived", "assumed"), key
        assert row.source if row.basis == "measured" else row.reason, key
        assert row.title, key


def test_the_whole_parameter_table_is_used_by_some_setting():
    used = {key for chosen in SETTINGS for key in _model(*chosen).numbers_used()}
    assert set(_model("injected", 2).parameters) - used == set()


def test_a_process_of_one_role_is_the_same_in_every_setting():
    for role, process in _model("injected", 2).processes.items():
        assert _model("neoadjuvant", 3).processes[role] == process


# ---- the chain --------------------------------------------------------------------------------------------------------
@everywhere
def test_the_causal_chain_names_processes_readouts_and_sources_that_exist(setting, dimensions):
    model = _model(setting, dimensions)
    nodes, edges = model.chain
    ids = {node.id for node in nodes}
    readouts = {readout.name for readout in model.readouts}
    assert {node.readout for node in nodes if node.readout} <= readouts
    assert all(0 <= node.x <= 10 and 0 <= node.y <= 4 for node in nodes)
    for edge in edges:
        assert {edge.source, edge.target} <= ids
        assert edge.role in model.processes
        assert edge.reference in load_sources()


@pytest.mark.parametrize("link", LINKS)
def test_every_link_of_the_chain_can_be_broken_by_removing_what_it_names(link):
    roles, changes = LINKS[link]
    model = _model("injected", 2)
    broken = model.without(*roles).with_parameters(changes)
    assert set(model.processes) - set(broken.processes) == set(roles)
    assert all(broken.parameters[key].value == value for key, value in changes.items())


def test_every_drug_of_the_catalogue_acts_on_something():
    model = _model("adjuvant", 2)
    for drug in model.drugs:
        users = [r for r, p in model.processes.items() if drug.variable in p.reads and not isinstance(p, DrugKinetics)]
        assert users, drug.name
