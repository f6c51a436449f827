"""What plasma gives and what tissue gets are one amount: in every way of solving, over many ticks, and across stops."""

from __future__ import annotations

import numpy as np
import pytest

from paget.engine import transport
from paget.engine.simulation import Simulation
from paget.errors import EvidenceError, ModelError, NumericalError
from paget.evidence import load_parameters
from paget.process import quantity
from paget.state import Grid
from paget.tissue import (
    BodyVariable,
    CellDefinition,
    Cells,
    Exchange,
    FieldBinding,
    PlasmaLevel,
    Substrate,
    Tissue,
    Volume,
)
from paget.tissue.vessels import Supply, VesselExchange, exchange_coefficient, parallel_bed, with_flow

WHY = "for this test"
SIZE = (200.0, 200.0, 200.0)
BED = with_flow(parallel_bed(SIZE, 100.0, 4.0), 4.0)
BOOKED = 1e-9  # of the amount that passed: books are closed, so that only rounding is left


def number(text):
    return quantity(text, reason=WHY)


def supply(permeability="1e4 um/h", **parts):
    return Supply(
        **{
            "field": "field.drug",
            "permeability": permeability,
            "level": "body.drug",
            "account": "body.drug_amount",
            "reason": WHY,
            **parts,
        }
    )


def tissue(
    diffusion="1e4 um**2/h",
    decay="0 1/h",
    uptake="0 1/h",
    most="0 nM/h",
    volume="1e5 pL",
    amount="1e7 nM*pL",
    **changes,
):
    """A drug that passes from a small plasma into a block of tissue with one consuming cell."""
    taken = Exchange(uptake=uptake, most=most, half="5 nM", reason=WHY)
    level = float(amount.split()[0]) / float(volume.split()[0])
    parts = {
        "name": "treated",
        "size": SIZE,
        "cells": (
            CellDefinition(name="cell", volume=Volume(total="5e4 um**3", reason=WHY), exchange={"field.drug": taken}),
        ),
        "placed": Cells(np.array([[60.0, 60.0, 60.0]]), "cell"),
        "substrates": (Substrate(field="field.drug", unit="nM", diffusion=diffusion, decay=decay, reason=WHY),),
        "processes": (
            VesselExchange(supplies=(supply(),)),
            PlasmaLevel(level="body.drug", account="body.drug_amount", volume=number(volume)),
        ),
        "body": (
            BodyVariable(name="body.drug", unit="nM", initial=f"{level} nM", reason=WHY),
            BodyVariable(name="body.drug_amount", unit="nM*pL", initial=amount, reason=WHY),
        ),
        "vessels": BED,
        "parameters": load_parameters("tissue", "vessels"),
    }
    return Tissue(**{**parts, **changes})


def held(simulation, name="field.drug"):
    return float(simulation.world.fields[name].sum()) * simulation.model.grid.voxel_volume


WAYS = {
    "transient": {},
    "transient with decay": {"decay": "2 1/h"},
    "transient with uptake": {"decay": "2 1/h", "uptake": "500 1/h"},
    "transient with saturable uptake": {"most": "5e4 nM/h"},
    "steady with decay": {"diffusion": "1e7 um**2/h", "decay": "200 1/h"},
    "steady with saturable uptake": {"diffusion": "1e7 um**2/h", "decay": "200 1/h", "most": "5e4 nM/h"},
}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_plasma_lost_is_what_the_field_gained_and_what_was_consumed(way, monkeypatch):
    methods = set()
    plain = transport.advance

    def watched(*given, **named):
        found = plain(*given, **named)
        methods.add(found.method)
        return found

    monkeypatch.setattr(transport, "advance", watched)
    simulation = tissue(**WAYS[way]).simulation(seed=1).run("2 h")
    assert methods == {way.split()[0]}
    lost = 1e7 - simulation.world.body["body.drug_amount"]
    book = simulation.flows["field.drug"]
    assert lost > 1e4
    assert lost == pytest.approx(book["exchanged"], rel=BOOKED)
    consumed = book["lost"] - (book["supplied"] - book["exchanged"])
    assert lost == pytest.approx(held(simulation) + consumed, rel=BOOKED)
    if way == "transient":
        assert consumed == pytest.approx(0.0, abs=BOOKED * book["supplied"])
    else:
        assert consumed > 0.01 * lost


def test_a_field_that_fills_to_its_steady_state_in_one_tick_is_paid_for():
    # Permeable vessels close together: relaxation takes a fraction of a tick, and nothing consumes the drug.
    fast = (VesselExchange(supplies=(supply("1e7 um/h"),)),)
    whole = tissue(diffusion="1e7 um**2/h", processes=fast)
    simulation = whole.simulation(seed=1)
    simulation.step()
    level = simulation.field("field.drug")
    assert level == pytest.approx(np.full(level.shape, 100.0), rel=1e-5)
    lost = 1e7 - simulation.world.body["body.drug_amount"]
    assert lost == pytest.approx(held(simulation), rel=BOOKED)


def test_a_steady_tick_takes_from_the_plasma_what_many_short_ones_take():
    grid = Grid(SIZE, 20.0)
    rate = exchange_coefficient(BED, grid, 1e5, 1e6)
    decay = np.full(grid.shape, 30.0)
    decay[:5] = 300.0
    start = np.random.default_rng(1).random(grid.shape) * 50.0
    field = transport.Diffusing("drug", start, 1e6, rate * 100.0, rate + decay, shares=(rate,))
    long = transport.advance(field, grid, 1.0, method="steady")
    # The equations are linear and start far from the steady state, which 200 short steps follow in detail.
    short, values = 0.0, start
    for _ in range(200):
        one = transport.advance(
            transport.Diffusing("drug", values, 1e6, rate * 100.0, rate + decay, shares=(rate,)),
            grid,
            0.005,
            method="transient",
        )
        short, values = short + one.shares[0], one.values
    assert long.shares[0] == pytest.approx(short, rel=1e-4)
    assert long.supplied - long.lost == pytest.approx(float((long.values - start).sum()) * grid.voxel_volume, rel=1e-8)


def test_shares_are_known_where_walls_hold_the_field_too():
    grid = Grid(SIZE, 20.0)
    rate = exchange_coefficient(BED, grid, 1e5, 1e7)
    faces = {"x-": transport.Fixed(20.0)}
    start = np.full(grid.shape, 60.0)

    def field(values):
        return transport.Diffusing("drug", values, 1e7, rate * 100.0, rate + 50.0, faces=faces, shares=(rate,))

    long = transport.advance(field(start), grid, 1.0, method="steady")
    short, lost, values = 0.0, 0.0, start
    for _ in range(400):
        one = transport.advance(field(values), grid, 0.0025, method="transient")
        short, lost, values = short + one.shares[0], lost + one.lost, one.values
    assert long.shares[0] == pytest.approx(short, rel=1e-4)
    assert long.lost == pytest.approx(lost, rel=1e-4)


def test_plasma_and_tissue_come_to_one_level_and_keep_the_drug():
    simulation = tissue(volume="8000 pL", amount="8e5 nM*pL").simulation(seed=1).run("40 h")
    level = simulation.world.body["body.drug"]
    # 8000 pL of plasma at 100 nM share with 8000 pL of tissue.
    assert level == pytest.approx(50.0, rel=1e-3)
    assert simulation.world.body["body.drug_amount"] + held(simulation) == pytest.approx(8e5, rel=BOOKED)


def test_the_account_goes_on_exactly_after_a_stop(tmp_path):
    whole = tissue(decay="2 1/h", uptake="500 1/h")
    through, first = whole.simulation(seed=1).run("2 h"), whole.simulation(seed=1).run("0.7 h")
    again = Simulation.resume(first.save(tmp_path / "state.npz"), whole.model()).run("1.3 h")
    assert again.fingerprint() == through.fingerprint()
    assert again.world.body == through.world.body
    assert again.flows == through.flows


def test_more_than_the_plasma_holds_is_refused_with_what_to_do():
    with pytest.raises(NumericalError, match="more in a tick than the plasma held"):
        tissue(volume="10 pL", amount="1000 nM*pL", decay="50 1/h").simulation(seed=1).run("3 h")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"body": (BodyVariable(name="plasma.drug", unit="nM"),)}, "begins with 'body.'"),
        ({"body": (BodyVariable(name="body.serum_c3", unit="nM"),)}, "everywhere"),
        ({"body": (BodyVariable(name="body.drug", unit="nM"),) * 2}, "defined twice"),
        (
            {"body": (BodyVariable(name="body.drug", unit="nM"), BodyVariable(name="body.drug_amount", unit="nM"))},
            r"nM\*pL",
        ),
        (
            {"body": (BodyVariable(name="body.drug", unit="nM"), BodyVariable(name="body.drug_amount", unit="uM*pL"))},
            r"nM\*pL",
        ),
        (
            {"body": (BodyVariable(name="body.drug", unit="uM"), BodyVariable(name="body.drug_amount", unit="uM*pL"))},
            "needs the unit of its field",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused(changes, words):
    with pytest.raises(ModelError, match=words):
        tissue(**changes).model()


def test_an_account_in_the_wrong_unit_is_refused_by_the_exchange_itself():
    units = (("field.drug", "nM"), ("body.drug", "nM"), ("body.drug_amount", "nM"))
    with pytest.raises(ModelError, match=r"is in nM\*pL"):
        VesselExchange(supplies=(supply(),), field_units=units)


# ---- binding --------------------------------------------------------------------------------------------------------------
def binding(**parts):
    return FieldBinding(
        **{
            "role": "drug_binding",
            "factor": "field.drug",
            "bound": "field.bound_drug",
            "capacity": number("30 nM"),
            "association": number("0.2 1/(nM*h)"),
            "dissociation": number("0.5 1/h"),
            "unit": "nM",
            **parts,
        }
    )


def sticky(*processes, free="10 nM", bound="0 nM", diffusion="1e4 um**2/h", **changes):
    """A drug that binds to a matrix."""
    return tissue(
        substrates=(
            Substrate(field="field.drug", unit="nM", diffusion=diffusion, initial=free, reason=WHY),
            Substrate(field="field.bound_drug", unit="nM", initial=bound, immobile=True, reason=WHY),
            Substrate(field="field.laminin", unit="", initial="0.5", immobile=True, reason=WHY),
        ),
        processes=processes,
        body=(),
        **changes,
    )


def test_binding_in_an_even_tissue_follows_its_exact_solution():
    simulation = sticky(binding()).simulation(seed=1).run("0.5 h")
    free, bound = transport.bind("drug", np.full(1, 10.0), np.zeros(1), transport.Binding(30.0, 0.2, 0.5), 0.5)
    assert simulation.field("field.drug") == pytest.approx(np.full((10, 10, 10), free[0]), rel=1e-9)
    assert simulation.field("field.bound_drug") == pytest.approx(np.full((10, 10, 10), bound[0]), rel=1e-9)
    simulation.run("40 h")
    free, bound = simulation.field("field.drug")[0, 0, 0], simulation.field("field.bound_drug")[0, 0, 0]
    assert 0.2 * free * (30.0 - bound) == pytest.approx(0.5 * bound, rel=1e-6)


def test_free_and_bound_together_stay_the_same_and_are_booked():
    exchange = VesselExchange(supplies=(supply(level="", plasma="100 nM", account=""),))
    simulation = sticky(exchange, binding()).simulation(seed=1)
    start = held(simulation)
    simulation.run("3 h")
    book = simulation.flows["field.drug"]
    assert book["bound"] == pytest.approx(held(simulation, "field.bound_drug"), rel=BOOKED)
    change = held(simulation) - start
    assert change == pytest.approx(book["supplied"] - book["lost"] + book["entered"] - book["bound"], rel=BOOKED)
    assert book["bound"] > start


def test_sites_follow_the_matrix_and_what_loses_its_site_is_free():
    on_laminin = binding(sites="field.laminin", capacity=number("60 nM"))
    simulation = sticky(on_laminin).simulation(seed=1)
    simulation.world.fields["field.laminin"][:, :, 5:] = 0.0
    simulation.run("1 h")
    bound = simulation.field("field.bound_drug")
    assert (bound[:, :, 5:] == 0.0).all()
    assert bound[:, :, :5].min() > 0.0
    total = held(simulation) + held(simulation, "field.bound_drug")
    simulation.world.fields["field.laminin"][...] = 0.0
    simulation.run("0.1 h")
    assert not simulation.field("field.bound_drug").any()
    assert held(simulation) == pytest.approx(total, rel=BOOKED)


def test_a_tick_counts_in_second_order():
    """Binding while the drug spreads along a cosine: the error falls by four when the tick is halved, in the limit."""
    profile = 10.0 * (1.0 + np.cos(np.pi * (np.arange(10) + 0.5) / 10.0))

    def after(tick):
        simulation = sticky(binding(), free="0 nM").changed(tick=f"{tick} h").simulation(seed=1)
        simulation.world.fields["field.drug"][...] = profile
        return simulation.run("1 h").field("field.bound_drug")

    exact = after(1.0 / 512.0)
    errors = [float(np.abs(after(tick) - exact).max()) for tick in (0.125, 0.0625, 0.03125)]
    assert errors[0] / errors[1] > 3.0
    assert errors[1] / errors[2] > 3.5


def test_binding_goes_on_with_the_same_bits_after_a_stop(tmp_path):
    whole = sticky(binding(), decay="0 1/h")
    through, first = whole.simulation(seed=1).run("2 h"), whole.simulation(seed=1).run("0.7 h")
    again = Simulation.resume(first.save(tmp_path / "state.npz"), whole.model()).run("1.3 h")
    assert again.fingerprint() == through.fingerprint()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"bound": "field.drug"}, "immobile"),
        ({"factor": "field.laminin", "unit": ""}, "diffuses"),
        ({"bound": "field.laminin"}, "same unit"),
    ],
)
def test_a_binding_between_fields_that_do_not_fit_is_refused(parts, words):
    from paget.errors import ContractError

    if parts.get("factor"):
        parts |= {"capacity": number("3"), "association": number("1 1/h")}
    with pytest.raises(ContractError, match=words):
        sticky(binding(**parts)).simulation().step()


def test_a_binding_needs_a_basis_and_units():
    with pytest.raises(EvidenceError, match="association"):
        binding(association=0.2)
    with pytest.raises(ModelError, match="capacity"):
        sticky(binding(capacity=number("3 um"))).model()
