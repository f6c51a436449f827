"""Anatomies: numbers of the tables, blood that goes round, and what is said of bodies that cannot live."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from paget.body.anatomy import SPECIES, Anatomy, Conduit, Organ, Route, anatomy_of, human, mouse
from paget.errors import ModelError, UnitError, UnknownNameError
from paget.evidence import load_parameters
from paget.process import quantity

SITES = ("lung", "liver", "bone marrow", "brain", "lymph node", "adrenal gland", "kidney", "other")


@pytest.fixture(params=SPECIES)
def anatomy(request: pytest.FixtureRequest) -> Anatomy:
    return anatomy_of(request.param)


def number(text: str):
    return quantity(text, reason="for this test")


def problems_of_body(**changes) -> str:
    with pytest.raises(ModelError) as refused:
        replace(human(), **changes)
    return str(refused.value)


def problems_of_organ(organ: str, **changes) -> str:
    with pytest.raises(ModelError) as refused:
        human().with_organ(organ, **changes)
    return str(refused.value)


def test_every_site_of_metastasis_is_an_organ(anatomy):
    assert set(SITES) <= set(anatomy.names)
    assert len({organ.uberon for organ in anatomy.organs}) == len(anatomy.organs)


def test_flow_fractions_add_up_to_the_cardiac_output(anatomy):
    assert sum(organ.flow.inside("") for organ in anatomy.organs) == pytest.approx(1.0, abs=1e-12)


def test_the_lung_receives_the_whole_cardiac_output(anatomy):
    assert anatomy.flows()["lung"] == pytest.approx(anatomy.cardiac_output.inside("mL/h"), rel=1e-12)


def test_the_liver_receives_its_artery_and_the_portal_vein(anatomy):
    portal = sum(organ.flow.inside("") for organ in anatomy.organs if organ.drains == "portal vein")
    flows, output = anatomy.flows(), anatomy.cardiac_output.inside("mL/h")
    assert flows["portal vein"] == pytest.approx(portal * output, rel=1e-12)
    assert flows["liver"] == pytest.approx((portal + anatomy["liver"].flow.inside("")) * output, rel=1e-12)


def test_volumes_of_all_nodes_add_up_to_the_blood(anatomy):
    assert sum(anatomy.volumes().values()) == pytest.approx(anatomy.blood.inside("mL"), rel=1e-12)


def test_a_round_takes_blood_volume_over_cardiac_output(anatomy):
    chain, flows = anatomy.chain(), anatomy.flows()
    output = anatomy.cardiac_output.inside("mL/h")
    visits = np.array([flows[name] / output for name in chain.names])  # per passage of the arteries
    assert visits @ chain.transit == pytest.approx(anatomy.circuit_time, rel=1e-12)
    assert anatomy.circuit_time == pytest.approx(anatomy.blood.inside("mL") / output, rel=1e-15)


def test_every_number_has_evidence(anatomy):
    assert len(anatomy.numbers) > 5 * len(anatomy.organs)
    for one in anatomy.numbers:
        assert one.source or one.basis in ("assumed", "derived")
        assert one.reason or one.basis == "measured"


def test_cumulative_shares_of_the_chain_end_at_one(anatomy):
    chain = anatomy.chain()
    assert (chain.transit > 0.0).all()
    assert (np.diff(chain.start) >= 1).all()  # blood goes on from every node
    np.testing.assert_array_equal(chain.share[chain.start[1:] - 1], 1.0)
    for medium in chain.first:
        for begin, end in pairwise(medium):
            assert begin == end or chain.entry_share[end - 1] == 1.0


def test_cells_leave_an_organ_into_its_veins(anatomy):
    chain = anatomy.chain()
    for organ in anatomy.organs:
        at = chain.organs.index(organ.name)
        entries = [chain.names[i] for i in chain.entry[chain.first[0, at] : chain.first[0, at + 1]]]
        assert entries[0] == organ.drains


def test_brain_and_marrow_have_no_lymph_and_nodes_drain_into_the_duct(anatomy):
    chain = anatomy.chain()

    def entries(organ: str) -> list[str]:
        at = chain.organs.index(organ)
        return [chain.names[i] for i in chain.entry[chain.first[1, at] : chain.first[1, at + 1]]]

    assert entries("brain") == entries("bone marrow") == []
    assert entries("colon") == ["lymph vessels"]
    assert entries("lymph node") == ["thoracic duct"]
    assert chain.organs[chain.organ[chain.names.index("lymph vessels")]] == "lymph node"


def test_vertebral_veins_pass_the_marrow_in_humans_only():
    chain = human().chain()
    assert chain.organs[chain.organ[chain.names.index("vertebral veins")]] == "bone marrow"
    assert "vertebral veins" not in mouse().chain().names
    assert "vertebral veins" not in human().without_route("vertebral veins").chain().names


def test_mouse_and_human_numbers_are_those_of_the_literature():
    assert mouse().cardiac_output.inside("mL/min") == 14.0
    assert mouse().circuit_time * 3600.0 == pytest.approx(6.5, rel=0.15)
    assert human().circuit_time * 60.0 == pytest.approx(0.9, abs=0.15)
    published = {"brain": 0.12, "heart": 0.04, "kidney": 0.19, "adrenal gland": 0.003, "liver": 0.065}
    for organ, flow in published.items():
        assert human()[organ].flow.inside("") == flow


def test_a_changed_flow_is_paid_by_the_rest_of_the_body():
    changed = human().with_flow("brain", "15 %")
    assert changed["brain"].flow.inside("") == 0.15
    assert changed["brain"].flow.basis == "assumed"
    assert changed["other"].flow.inside("") == pytest.approx(human()["other"].flow.inside("") - 0.03)
    assert changed["other"].flow.basis == "derived"
    from_muscle = human().with_flow("brain", "15 %", instead_of="skeletal muscle")
    assert from_muscle["skeletal muscle"].flow.inside("") == pytest.approx(0.14)
    with pytest.raises(ModelError, match="at the cost of another organ"):
        human().with_flow("other", "1 %")


def test_a_change_gives_a_new_anatomy_and_leaves_the_old_one():
    old = human()
    new = old.changed(cardiac_output="10 L/min").with_organ("liver", vessels="400 mL")
    assert old.cardiac_output.inside("L/min") == 6.5
    assert new.cardiac_output.inside("L/min") == 10.0
    assert new.circuit_time < old.circuit_time
    assert new.volumes()["liver"] == pytest.approx(400.0)
    assert sum(new.volumes().values()) == pytest.approx(5300.0)
    assert old.changed(blood=number("4 L")).blood.inside("mL") == pytest.approx(4000.0)


def test_an_edited_table_gives_an_edited_anatomy():
    table = load_parameters("anatomy_mouse").with_values({"mouse_cardiac_output": "20 mL/min"})
    assert anatomy_of("mouse", table).cardiac_output.inside("mL/min") == 20.0


def test_an_anatomy_travels_between_processes(anatomy):
    assert pickle.loads(pickle.dumps(anatomy)).names == anatomy.names


def test_unknown_names_get_the_nearest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'liver'"):
        human()["livr"]
    with pytest.raises(UnknownNameError, match="Did you mean 'mouse'"):
        anatomy_of("mouze")
    with pytest.raises(UnknownNameError, match="Did you mean 'vertebral veins'"):
        human().without_route("vertebral vein")
    with pytest.raises(UnknownNameError, match="cardiac_output"):
        human().changed(cardiac="1 L/min")
    with pytest.raises(UnknownNameError, match="capillary"):
        human().with_organ("liver", capilary="1 um")


def test_a_number_needs_its_unit():
    with pytest.raises(UnitError, match="no unit"):
        human().changed(cardiac_output=6.5)
    with pytest.raises(UnitError, match="is needed"):
        human().changed(cardiac_output=number("6.5 mL"))


def test_flows_that_do_not_add_up_are_refused_with_the_remedy():
    said = problems_of_organ("brain", flow="15 %")
    assert "add up to 1.03, not to 1; with 'other' at 0.0552 they would" in said
    assert "'other' cannot make up for 0.58 too much" in problems_of_organ("brain", flow="70 %")
    human().with_organ("brain", flow=number("0.1200005"))  # within the rounding of tables


def test_an_organ_without_flow_is_not_reached():
    gone = replace(human()["brain"].flow, value=0.0)
    said = problems_of_body(
        organs=tuple(
            replace(o, flow=gone)
            if o.name == "brain"
            else replace(o, flow=number("0.2052"))
            if o.name == "other"
            else o
            for o in human().organs
        )
    )
    assert "organ 'brain' is not reached: its flow fraction is 0" in said


def test_blood_must_return_from_every_organ():
    blind = Conduit("splenic vein", "splenic vein", number("0.001"))
    conduits = (*human().conduits[:-1], replace(human().conduits[-1], share=number("0.023")), blind)
    organs = tuple(replace(o, drains="splenic vein") if o.name == "spleen" else o for o in human().organs)
    said = problems_of_body(conduits=conduits, organs=organs)
    assert "blood does not return from organ 'spleen'" in said
    assert "blood does not return from organ 'colon'" not in said


@pytest.mark.parametrize("value", ["0 mL", "-3 mL"])
def test_volumes_must_be_above_zero(value):
    for which in ("tissue", "vessels"):
        assert "it must be above 0" in problems_of_organ("liver", **{which: number(value)})
    assert "blood volume of the human" in problems_of_body(blood=number(value))
    assert "plasma volume of the human" in problems_of_body(plasma=number(value))


def test_times_on_lymph_must_be_above_zero():
    duct = next(route for route in human().routes if route.name == "thoracic duct")
    with pytest.raises(ModelError, match="transit time of 'thoracic duct' is 0 h; it must be above 0"):
        human().with_route(replace(duct, transit=number("0 h")))


def test_shares_of_a_route_are_from_zero_to_one():
    spine = next(route for route in human().routes if route.name == "vertebral veins")
    with pytest.raises(ModelError, match=r"share of 'prostate' that leaves by 'vertebral veins' is 1\.2"):
        human().with_route(replace(spine, shares={"prostate": number("1.2")}))
    twice = replace(spine, name="more vertebral veins", shares={"prostate": number("0.95")})
    with pytest.raises(ModelError, match=r"routes take 1\.05 of the venous blood of 'prostate'"):
        human().with_route(twice)
    lymph = human().routes[0]
    with pytest.raises(ModelError, match=r"shares of the lymph of 'lung' add up to 0\.5, not to 1"):
        human().with_route(replace(lymph, shares={"lung": number("0.5")}))


def test_unknown_names_in_an_anatomy_are_all_named():
    wrong = Route("shunt", "blood", "vena cava", {"lvier": number("0.1")}, passes="bran", vessels=number("1 mL"))
    said = problems_of_body(
        organs=(*human().organs[:-1], replace(human()["other"], drains="vena cavva")),
        routes=(wrong, Route("leak", "bile", "gall", {}), Route("dry", "lymph", "vena cava", {})),  # type: ignore[arg-type]
    )
    for part in (
        "organ 'other' drains into 'vena cavva', which is no conduit. Did you mean 'vena cava'?",
        "drains 'lvier', which is no organ. Did you mean 'liver'?",
        "passes 'bran', which is no organ. Did you mean 'brain'?",
        "carries 'bile'",
        "leads into 'gall'",
        "route 'dry' needs the time",
    ):
        assert part in said


def test_beds_cannot_hold_more_than_the_blood():
    assert "leaves nothing of the blood volume" in problems_of_organ("liver", vessels="5 L")
    assert "must be less than the blood" in problems_of_body(plasma=number("5.3 L"))


def test_all_that_is_wrong_is_said_at_once():
    said = problems_of_body(
        blood=number("-1 L"),
        body_mass=number("1 mL"),
        organs=(*human().organs, replace(human()["liver"], flow=number("-0.1"), capillary=number("0 um"))),
        conduits=(*human().conduits, Conduit("arteries too", "", number("0"))),
    )
    for part in (
        "blood volume",
        "body mass",
        "'liver' names 2",
        "flow fraction",
        "capillary diameter",
        "2 do",
        "no blood",
    ):
        assert part in said


def test_a_route_that_drains_nothing_is_refused():
    spine = next(route for route in human().routes if route.name == "vertebral veins")
    with pytest.raises(ModelError, match="drains no organ; leave it out"):
        human().with_route(replace(spine, shares={"prostate": number("0")}))


def test_an_own_anatomy_of_two_organs_works():
    def organ(name: str, flow: str, drains: str) -> Organ:
        return Organ(name, "", number(flow), number("10 mL"), number("1 mL"), number("8 um"), number("1 um"), drains)

    tiny = Anatomy(
        species="sketch",
        body_mass=number("1 g"),
        cardiac_output=number("60 mL/h"),
        blood=number("6 mL"),
        plasma=number("3 mL"),
        organs=(organ("lung", "0", "left heart"), organ("tail", "1", "right heart")),
        conduits=(Conduit("left heart", "", number("0.5")), Conduit("right heart", "lung", number("0.5"))),
    )
    np.testing.assert_allclose(tiny.chain().transit * 60.0, [2.0, 2.0, 1.0, 1.0])


PAGE = Path(__file__).parents[2] / "docs" / "anatomy.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")
def test_the_page_shows_the_numbers_of_the_tables(anatomy):
    section = PAGE.read_text(encoding="utf-8").split(f"### {anatomy.species.capitalize()}\n")[1].split("\n##")[0]
    rows = {cells[1].strip(): cells for cells in (line.split("|") for line in section.splitlines()) if len(cells) > 5}
    for organ in anatomy.organs:
        shown = rows[organ.name]
        assert organ.uberon.endswith(shown[2].strip())
        for cell, number_of, unit in ((3, organ.flow, ""), (4, organ.tissue, "mL"), (5, organ.vessels, "mL")):
            value, basis = shown[cell].split()
            assert float(value) == pytest.approx(number_of.inside(unit), rel=1e-3)
            assert basis == number_of.basis[0]


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")
def test_the_code_of_the_page_runs(capsys):
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M):
        exec(compile(code, "anatomy.md", "exec"), names)
    assert "colon" in capsys.readouterr().out
