"""A model is checked as a whole when it is built, says everything that is wrong at once, and is edited by role."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest
from toy_process import Does, number

from paget.behaviours import Arrival, Conversion, Death, FieldLoss, Secretion
from paget.catalogue import build_model, check_study, load_study
from paget.catalogue.lung import LINKS, OPTIONS
from paget.catalogue.neutrophils import net_decay
from paget.errors import ModelError, StudyError, UnitError, UnknownNameError
from paget.evidence import load_parameters
from paget.model import Founders
from paget.process import Named, parameter, quantity
from paget.rules import Rule

SENTENCE = "fibroblast: body.doxorubicin increases {behaviour} towards 0.05/day, half-max 50 nM, hill 2"


@dataclass(frozen=True, kw_only=True)
class Claims(Does):
    """Declares what a test wants it to, with a speed, and does nothing."""

    role: str = "claims"
    speed: Named = parameter("speed", "um/h")


def _claims(role="claims", **what):
    return Claims(**{"role": role, "speed": number("1 um/h"), **what})


def _problems(build):
    with pytest.raises(ModelError) as caught:
        build()
    return caught.value.problems


# ---- checks -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"may_read": ("cell.p12",)}, "process 'claims': Unknown variable 'cell.p12'. Did you mean 'cell.p21'?"),
        ({"may_read": ("field.cxcl1",)}, "process 'claims' uses 'field.cxcl1', which this model does not have"),
        ({"cells": ("neutrofil",)}, "acts on 'neutrofil', which is not a cell type of this model"),
        ({"cells": ("cycling tumour cell",)}, "acts on 'cycling tumour cell', which is not a cell type of this model"),
        ({"cells": (), "may_read": ("cell.p21",)}, "uses 'cell.p21' but acts on no cells"),
        ({"speed": Named("spede", "um/h")}, "process 'claims', speed: Unknown parameter 'spede'."),
        ({"may_set": ("cell.type",)}, "changes 'cell.type', which only the engine changes"),
        ({"may_add": ("cell.y",)}, "changes 'cell.y', which only the engine changes; add to cell.position"),
        ({"may_add": ("protocol.doses",)}, "changes 'protocol.doses', which only the engine changes"),
        ({"may_set": ("cell.position",)}, "sets 'cell.position', which processes can only add to"),
        ({"may_set": ("field.net",)}, "sets 'field.net', which processes can only add to"),
        ({"may_add": ("cell.ever_dormant",)}, "adds to 'cell.ever_dormant', which is a whole number; set it"),
        ({"may_emit": ("divison",)}, "Unknown event 'divison'. Did you mean 'division'?"),
    ],
)
def test_a_declaration_that_cannot_be_met_is_refused_when_the_model_is_built(toy, claim, message):
    problems = _problems(lambda: toy(_claims(**claim)))
    assert len(problems) == 1
    assert message in problems[0]


def test_two_owners_of_one_variable_are_refused_by_name(toy):
    problems = _problems(lambda: toy(_claims("b", may_set=("cell.p21",)), _claims("a", may_set=("cell.p21",))))
    assert problems == ("'cell.p21' is set by a and b; only one process may set a variable",)


def test_a_variable_that_is_set_cannot_be_added_to(toy):
    problems = _problems(
        lambda: toy(_claims("a", may_set=("body.serum_c3",)), _claims("b", may_add=("body.serum_c3",)))
    )
    assert problems == ("'body.serum_c3' is set by 'a' and added to by b; choose one",)


def test_everything_that_is_wrong_is_said_at_once(toy):
    problems = _problems(
        lambda: toy(
            _claims("a", may_read=("cell.nothing",), may_set=("cell.p21",)),
            _claims("b", may_set=("cell.p21",), may_emit=("explosion",)),
            _claims("c", cells=("osteoclast",), speed=Named("missing", "um/h")),
        )
    )
    assert len(problems) == 5


def test_a_parameter_in_another_unit_is_refused_with_both_units(toy):
    table = load_parameters("lung_awakening")
    problems = _problems(
        lambda: toy(
            FieldLoss(role="decay", factor="field.c3", half_life=Named("net_per_neutrophil", "h")),
            Secretion(
                role="release", cells=("fibroblast",), factor="field.c3", amount=Named("c3_half_life", "nM*pL/h")
            ),
            parameters=table,
        )
    )
    assert "parameter 'net_per_neutrophil' is in plain numbers; h is needed" in problems[0]
    assert "parameter 'c3_half_life' is in h; nM*pL/h is needed" in problems[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell_types": ("fibroblast", "osteoclast")}, "Unknown cell type 'osteoclast'"),
        ({"fields": ("field.c3", "field.laminin", "field.glucose")}, "Unknown variable 'field.glucose'"),
        ({"diffusion": {}}, "'field.c3' needs a diffusion coefficient"),
        (
            {"diffusion": {"field.c3": number("1 um**2/h"), "field.net": number("1 um**2/h")}},
            "'field.net' is immobile and cannot diffuse",
        ),
        (
            {"diffusion": {"field.c3": number("1 um/h")}},
            "diffusion of 'field.c3': parameter 'given' is in um/h; um**2/h is needed",
        ),
        ({"initial": {"body.anything": number("1")}}, "'body.anything' has a start value or a diffusion coefficient"),
        ({"initial": {"body.doxorubicin": number("1")}}, "start value of 'body.doxorubicin'"),
        (
            {"founders": (Founders("osteoclast", number("1"), number("5 um")),)},
            "founders 'osteoclast' are not a cell type",
        ),
        (
            {"founders": (Founders("fibroblast", number("1"), number("5 um"), values={"cell.p12": 1}),)},
            "founders 'fibroblast': Unknown variable 'cell.p12'. Did you mean 'cell.p21'?",
        ),
        ({"founders": (Founders("fibroblast", number("1"), number("5 h")),)}, "founders 'fibroblast', radius"),
        ({"seen_by_readouts": ("cell.nothing",)}, "Unknown variable 'cell.nothing'"),
    ],
)
def test_parts_of_a_model_that_do_not_fit_together_are_refused(toy, changes, message):
    assert any(message in problem for problem in _problems(lambda: toy(**changes)))


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (
            Conversion(role="turn", cell="fibroblast", behaviour="turn", to="osteoclast"),
            "makes cells 'osteoclast', which is not a cell type of this model",
        ),
        (
            Conversion(role="turn", cell="fibroblast", behaviour="turn", to="neutrophil", values={"cell.p12": 0.0}),
            "Unknown variable 'cell.p12'",
        ),
        (
            Arrival(
                role="turn",
                cell="capillary",
                behaviour="entry",
                newcomer="osteoclast",
                pool="body.serum_c3",
                radius=number("5 um"),
            ),
            "makes cells 'osteoclast'",
        ),
        (
            Death(role="turn", cell="fibroblast", behaviour="death", leaves="field.ntes"),
            "Unknown variable 'field.ntes'",
        ),
    ],
)
def test_what_cells_become_or_leave_must_exist(toy, process, message):
    assert any(message in problem for problem in _problems(lambda: toy(process)))


def test_a_process_under_another_role_is_refused(toy):
    problems = _problems(lambda: toy(processes={"other": _claims()}))
    assert problems == ("process 'claims' is filed under the role 'other'",)


def test_a_process_that_never_acts_is_refused():
    with pytest.raises(ModelError, match="process 'claims': it must act every 1 or more ticks, not 0"):
        _claims(every=0)


# ---- order ------------------------------------------------------------------------------------------------------------
def test_processes_are_ordered_by_phase_and_role_whatever_order_they_are_given_in(toy):
    parts = [_claims("b"), _claims("a"), FieldLoss(role="0", factor="field.c3", half_life=number("1 h"))]
    for order in (parts, parts[::-1]):
        assert [p.role for p in toy(*order).ordered] == ["a", "b", "0"]


# ---- edits ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def model(small_lung):
    return small_lung()[0]


def test_a_process_is_removed_by_role_and_the_model_keeps_the_rest(model):
    edited = model.without("netosis")
    assert set(model.processes) - set(edited.processes) == {"netosis"}
    assert "netosis" in model.processes
    with pytest.raises(UnknownNameError, match=r"Unknown process role 'netosos'\. Did you mean 'netosis'"):
        model.without("netosos")


def test_a_process_is_exchanged_by_role(model):
    slower = dataclasses.replace(net_decay(), half_life=quantity("10 day", reason="inhibited nucleases"))
    edited = model.replace(net_decay=slower)
    assert edited.processes["net_decay"] is slower
    assert model.processes["net_decay"] != slower
    assert "inhibited nucleases" in " ".join(edited.assumptions())
    with pytest.raises(UnknownNameError, match="Did you mean 'net_decay'"):
        model.replace(net_dekay=slower)
    with pytest.raises(ModelError, match="process 'net_decay' is filed under the role 'netosis'"):
        model.replace(netosis=slower)


def test_a_process_is_added_under_a_free_role(model):
    extra = FieldLoss(role="c3_consumption", factor="field.c3", half_life=number("3 h"))
    assert model.with_process(extra).processes["c3_consumption"] is extra
    with pytest.raises(ModelError, match="The role 'c3_decay' is taken; use replace to exchange it"):
        model.with_process(dataclasses.replace(extra, role="c3_decay"))


def test_a_rule_sentence_finds_its_behaviour(model):
    rule = Rule("fibroblast: field.mif increases senescence towards 0.05/day, half-max 5 nM, hill 2")
    edited = model.with_rules(rule)
    assert edited.processes["senescence"].rules == (*model.processes["senescence"].rules, rule)
    assert "field.mif" in edited.processes["senescence"].reads
    with pytest.raises(
        UnknownNameError, match=r"Unknown behaviour 'fibroblast: sensecence'\. Did you mean 'fibroblast: senescence'"
    ):
        model.with_rules(Rule(SENTENCE.format(behaviour="sensecence")))


def test_a_rule_about_a_variable_that_the_model_lacks_is_refused(toy):
    process = Conversion(role="turn", cell="fibroblast", behaviour="turn", to="neutrophil")
    rule = Rule("fibroblast: body.cisplatin increases turn towards 1/day, half-max 5 nM, hill 2")
    with pytest.raises(ModelError, match=r"process 'turn' uses 'body\.cisplatin', which this model does not have"):
        toy(process).with_rules(rule)


def test_a_parameter_is_changed_with_its_unit_and_marked(model):
    edited = model.with_parameters({"net_half_life": "3 day"})
    assert edited.parameters["net_half_life"].value == 72.0
    assert edited.parameters["net_half_life"].changed
    assert not model.parameters["net_half_life"].changed
    values = edited.values_for(edited.processes["net_decay"], lambda row: row.value)
    assert values.half_life == 72.0
    with pytest.raises(UnknownNameError, match="Did you mean 'net_half_life'"):
        model.with_parameters({"net_halflife": "3 day"})
    with pytest.raises(UnitError, match="net_half_life"):
        model.with_parameters({"net_half_life": "3 um"})


def test_a_parameter_that_nothing_uses_cannot_be_changed_unnoticed(model):
    assert "primary_growth" in model.parameters
    with pytest.raises(UnknownNameError, match="primary_growth"):
        model.with_parameters({"primary_growth": "1 1/day"})


def test_a_value_that_no_process_declared_is_not_there(model):
    values = model.values_for(model.processes["net_decay"], lambda row: row.value)
    with pytest.raises(AttributeError, match="declares no parameter 'halflife'"):
        _ = values.halflife


@pytest.mark.parametrize("setting", ["injected", "adjuvant"])
def test_the_model_runs_without_any_one_of_its_processes(small_lung, run, setting):
    model, study = small_lung(setting, days=4)
    if setting == "adjuvant":
        model = model.with_parameters({"dormant_seeding_rate": "0.02 1/day"})
    for role, process in model.processes.items():
        arm = "vehicle" if role.endswith("_kinetics") else "everything"
        recorder = run(model.without(role), study, arm)
        assert len(recorder.metrics) == 9, process.role


@pytest.mark.parametrize("link", LINKS)
def test_the_model_runs_with_a_link_of_the_chain_broken(small_lung, run, link):
    model, study = small_lung()
    roles, changes = LINKS[link]
    assert len(run(model.without(*roles).with_parameters(changes), study, "everything").metrics) == 11


def test_without_netosis_there_are_no_traps_and_with_it_there_are(small_lung, run):
    model, study = small_lung(days=10)
    busy = model.with_parameters({"activation_background": "0.1 1/h", "neutrophil_entry": "0.05 1/h"})
    assert run(busy, study, "vehicle").metrics["net_area"].iloc[-1] > 0.0
    assert run(busy.without("netosis"), study, "vehicle").metrics["net_area"].max() == 0.0


# ---- words ------------------------------------------------------------------------------------------------------------
def test_the_description_is_plain_json_and_names_every_process_and_number(model):
    told = json.loads(json.dumps(model.describe(), allow_nan=False))
    assert {p["role"] for p in told["processes"]} == set(model.processes)
    assert {p["key"] for p in told["parameters"]} == set(model.numbers_used())
    assert told["dimensions"] == 2
    assert told["domain"]["shape"] == [1, 20, 20]
    assert [r["name"] for r in told["readouts"]] == [r.name for r in model.readouts]
    assert len(told["assumptions"]) >= sum(p["basis"] == "assumed" for p in told["parameters"])
    assert {s["key"] for s in told["sources"]} == {s.key for s in model.citations()}


def test_every_cited_key_is_among_the_citations(model):
    cited = {source.key for source in model.citations()}
    keys = {key.strip() for row in model.numbers_used().values() for key in row.source.split(";") if key}
    assert keys | {key for p in model.ordered for key in p.sources} <= cited


def test_the_table_of_processes_shows_what_each_touches(model):
    row = next(r for r in model.explain() if r["role"] == "netosis")
    assert (row["phase"], row["on"], row["adds"], row["emits"]) == (
        "act",
        ["activated neutrophil"],
        ["field.net"],
        ["death: NETosis"],
    )
    assert {"netosis_rate", "net_per_neutrophil"} <= set(row["parameters"])


def test_a_readout_is_found_by_name(model):
    assert model.readout("metastases").kind == "count"
    with pytest.raises(UnknownNameError, match="Did you mean 'metastases'"):
        model.readout("metastasis")


# ---- the catalogue ----------------------------------------------------------------------------------------------------
def test_every_option_of_the_model_can_be_built(small_lung):
    study = load_study("lung_awakening")
    for option in OPTIONS:
        assert option.default in option.choices
        for choice in option.choices:
            model = build_model(study.with_options(**{option.name: choice}))
            assert model.name == "lung_awakening"
    assert build_model(study.with_options(dimensions=3)).grid.shape[0] > 1


def test_an_unknown_option_or_choice_is_refused_with_all_problems():
    study = load_study("lung_awakening").with_options(dimension=2, size=777, setting="orthotopic")
    with pytest.raises(StudyError) as caught:
        build_model(study)
    text = str(caught.value)
    assert "unknown option 'dimension'. Did you mean 'dimensions'?" in text
    assert "size must be one of" in text
    assert "not 'orthotopic'" in text


def test_a_study_of_drugs_or_readouts_that_the_model_lacks_is_refused_with_all_problems():
    study = load_study("lung_awakening").with_arm(
        "aspirin", doses=({"drug": "doxorubicine", "amount": "5 mg/kg", "at": "3 day"},), resections=({"at": "3 day"},)
    )
    study = study.changed(readouts=("metastasses",))
    with pytest.raises(StudyError) as caught:
        check_study(study)
    assert "arm 'aspirin': unknown drug 'doxorubicine'. Did you mean 'doxorubicin'?" in caught.value.problems
    assert any("no primary tumour to resect" in p for p in caught.value.problems)
    assert any("Did you mean 'metastases'?" in p for p in caught.value.problems)


def test_a_resection_of_a_site_that_the_body_does_not_have_is_refused():
    study = load_study("lung_awakening_adjuvant")
    study = study.with_arm("late", like="vehicle", resections=({"site": "prmary", "at": "20 day"},))
    with pytest.raises(StudyError, match=r"Unknown site to resect 'prmary'. Did you mean 'primary'"):
        check_study(study)


def test_a_study_may_edit_its_model():
    study = load_study("lung_awakening").changed(
        without=("netosis",),
        rules=(SENTENCE.format(behaviour="senescence"),),
        parameters={"net_half_life": "3 day"},
    )
    model = build_model(study)
    assert "netosis" not in model.processes
    assert len(model.processes["senescence"].rules) == 2
    assert model.parameters["net_half_life"].value == 72.0
    check_study(study)


def test_the_cell_variables_are_positions_first_and_a_clock_for_every_hazard(model):
    names = [v.name for v in model.cell_variables]
    assert names[:3] == ["cell.x", "cell.y", "cell.z"]
    assert len(names) == len(set(names))
    clocks = {name.removeprefix("clock.") for name in names if name.startswith("clock.")}
    assert clocks == {role for role, p in model.processes.items() if p.clock}
    assert all(np.isnan(v.default) for v in model.cell_variables if v.name.startswith("clock."))
