"""Cells that meet, in the engine: who takes whom, attacks and injuries, changes of type, attachments and anchors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_tissue import RESTING, WHY, stepper, tissue

from paget.engine.checkpoint import restore, state_of
from paget.errors import ModelError
from paget.process import quantity
from paget.tissue.attachment import Anchorage, Attachment
from paget.tissue.behaviours import variable_of
from paget.tissue.definition import Apoptosis, CellDefinition, Interactions, Mechanical
from paget.tissue.interactions import Attack, Encounters, Injury, LethalInjury, Transformation

NEVER = Apoptosis(rate=0)
RADIUS = RESTING["cell.radius"]
VOLUMES = (
    "cell.volume",
    "cell.fluid",
    "cell.nuclear_volume",
    "cell.nuclear_solid",
    "cell.cytoplasmic_solid",
    "cell.target_nuclear_solid",
    "cell.target_cytoplasmic_solid",
)
SURE = "1e6 1/h"  # within any tick


def kinds(mechanics=None, **interactions):
    """A cell type for each name, with what it does to others."""
    parts = {name: Interactions(reason=WHY, **given) if given else None for name, given in interactions.items()}
    held = Mechanical(reason=WHY, **(mechanics or {}))
    return tuple(
        CellDefinition(name=name, apoptosis=NEVER, interactions=part, mechanics=held) for name, part in parts.items()
    )


def pairs(n, gap=1.0, size=400.0):
    """Places [3, 2 n] of n pairs of cells that touch, far from each other pair; partners side by side in the list."""
    side = int(np.ceil(np.sqrt(n)))
    spots = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)[:n] + 0.5) * size / side
    assert size / side > 4.0 * RADIUS
    left = np.column_stack([spots - [RADIUS * gap / 2.0, 0.0], np.full(n, size / 2.0)])
    right = left + np.array([RADIUS * gap, 0.0, 0.0])
    return np.stack([left, right], axis=1).reshape(-1, 3).T


def world_of(definitions, processes, position, dt=0.1, seed=1, size=400.0, **given):
    return stepper(tissue(definitions, processes, position, size=size, **given), dt, seed)


def events_of(running, name):
    """Columns of the events of that name."""
    events = running.events.take()
    code = running.model.event_kinds.index(name)
    return {} if events is None else {key: values[events["kind"] == code] for key, values in events.items()}


# ---- engulfment and fusion --------------------------------------------------------------------------------------
def test_a_phagocyte_takes_up_a_dying_neighbour_with_all_its_material():
    definitions = kinds(eater={"engulf_apoptotic": SURE}, other={})
    running = world_of(definitions, (Encounters,), pairs(1), kind=np.array([0, 1]), columns={"cell.death": [0, 1]})
    running.step()
    running.check()
    cells = running.world.cells
    assert len(cells) == 1
    assert cells.column("cell.type").tolist() == [0]
    for name in VOLUMES[:5]:
        assert cells.column(name) == pytest.approx([2.0 * RESTING[name]], rel=1e-15), name
    assert cells.column("cell.target_nuclear_solid") == pytest.approx([RESTING["cell.target_nuclear_solid"]])
    assert events_of(running, "engulfment")["time"][0] < 1e-4


@pytest.mark.parametrize(
    ("death", "given", "taken"),
    [
        (0, {"engulf_apoptotic": SURE, "engulf_necrotic": SURE}, False),
        (1, {"engulf_necrotic": SURE}, False),
        (2, {"engulf_apoptotic": SURE}, False),
        (2, {"engulf_necrotic": SURE}, True),
        (3, {"engulf_necrotic": SURE}, True),
        (0, {"engulf": {"other": SURE}}, True),
        (1, {"engulf": {"other": SURE}, "fuse": {"other": SURE}}, False),
        (0, {"engulf": {"eater": SURE}}, False),
    ],
)
def test_what_is_taken_depends_on_type_and_on_how_it_dies(death, given, taken):
    running = world_of(
        kinds(eater=given, other={}), (Encounters,), pairs(1), kind=np.array([0, 1]), columns={"cell.death": [0, death]}
    )
    running.step()
    assert len(running.world.cells) == (1 if taken else 2)


def test_a_dead_phagocyte_takes_no_one():
    definitions = kinds(eater={"engulf": {"other": SURE}}, other={})
    running = world_of(definitions, (Encounters,), pairs(1), kind=np.array([0, 1]), columns={"cell.death": [1, 0]})
    running.step()
    assert len(running.world.cells) == 2


def test_cells_that_do_not_touch_leave_each_other_alone():
    definitions = kinds(eater={"engulf": {"other": SURE}}, other={})
    running = world_of(definitions, (Encounters,), pairs(1, gap=2.2), kind=np.array([0, 1]))
    running.step()
    assert len(running.world.cells) == 2


def test_of_two_cells_that_fuse_into_each_other_one_remains_and_nothing_is_lost():
    n = 60
    running = world_of(kinds(one={"fuse": {"one": "20 1/h"}}), (Encounters,), pairs(n))
    for _ in range(3):
        running.step()
        running.check()
    cells = running.world.cells
    fused = 2 * n - len(cells)
    assert 0 < fused <= n
    for name in VOLUMES:
        assert cells.column(name).sum() == pytest.approx(2 * n * RESTING[name], rel=1e-13), name
    assert np.sum(cells.column("cell.volume") > 1.5 * RESTING["cell.volume"]) == fused


def test_material_is_conserved_in_a_crowd_that_eats_itself():
    places = np.random.default_rng(2).uniform(150.0, 250.0, (3, 400))
    running = world_of(kinds(one={"engulf": {"one": "0.5 1/h"}, "fuse": {"one": "0.5 1/h"}}), (Encounters,), places)
    for _ in range(5):
        running.step()
        running.check()
    cells = running.world.cells
    assert len(cells) < 300
    assert cells.column("cell.volume").sum() == pytest.approx(400 * RESTING["cell.volume"], rel=1e-12)


@pytest.mark.parametrize("dt", [0.02, 0.1, 0.5])
def test_cells_are_taken_at_the_given_rate_whatever_the_tick(dt):
    n, rate, until = 400, 1.0, 1.0
    definitions = kinds(eater={"engulf": {"other": f"{rate} 1/h"}}, other={})
    running = world_of(definitions, (Encounters,), pairs(n, size=1000.0), dt, size=1000.0, kind=np.tile([0, 1], n))
    for _ in range(round(until / dt)):
        running.step()
    taken = (2 * n - len(running.world.cells)) / n
    expected = 1.0 - np.exp(-rate * until)
    assert abs(taken - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / n)


def test_a_ruled_rate_is_that_of_the_cell():
    definitions = kinds(eater={"engulf": {"other": SURE}}, other={})
    name = "phagocytose other"
    running = world_of(
        definitions,
        (Encounters,),
        pairs(2),
        kind=np.array([0, 1, 0, 1]),
        ruled=(name,),
        columns={variable_of(name): [1e6, 0.0, 0.0, 0.0]},
    )
    running.step()
    assert len(running.world.cells) == 3


# ---- attack and injury ------------------------------------------------------------------------------------------
def fight(duration="0.25 h", rate=SURE, immunogenicity=None, processes=(Attack,), **given):
    killer = {"attack": {"victim": rate}, "attack_damage": "2 1/h", "attack_duration": duration}
    victim = {"immunogenicity": immunogenicity or {}}
    return world_of(kinds(killer=killer, victim=victim), processes, pairs(1), kind=np.array([0, 1]), **given)


def test_an_attack_goes_on_for_its_duration_and_injures_at_its_rate():
    running = fight()
    column = running.world.cells.column
    victim = int(running.world.cells.ids[column("cell.type") == 1][0])
    for tick in range(2):
        running.step()
        injury = column("cell.injury")[column("cell.type") == 1][0]
        assert injury == pytest.approx(2.0 * 0.1 * (tick + 1), rel=1e-4)
        killer = column("cell.type") == 0
        assert column("cell.attack_left")[killer] == pytest.approx([0.25 - 0.1 * (tick + 1)], abs=1e-4)
        assert column("cell.attack_victim").view(np.uint64)[killer].tolist() == [victim]
    assert column("cell.injury")[column("cell.type") == 0].tolist() == [0.0]


def test_an_attack_ends_when_its_victim_is_dead_or_gone():
    running = fight()
    running.step()
    cells = running.world.cells
    cells.column("cell.death")[cells.column("cell.type") == 1] = 1
    before = cells.column("cell.injury").copy()
    running.step()
    assert cells.column("cell.injury").tolist() == before.tolist()
    assert not cells.column("cell.attack_left").any()
    assert not cells.column("cell.attack_victim").any()


def test_a_cell_without_immunogenicity_is_not_attacked():
    running = fight(immunogenicity={"killer": 0})
    running.step()
    assert not running.world.cells.column("cell.injury").any()


def test_many_short_attacks_fit_into_one_tick():
    running = fight(duration="0.001 h", rate="1000 1/h", dt=1.0)
    running.step()
    # Waits and attacks of the same mean length: half of the time, with a standard deviation of 1 / sqrt(2000) per mean.
    assert running.world.cells.column("cell.injury").max() == pytest.approx(1.0, abs=4.0 / np.sqrt(1000.0))


def test_attacks_without_length_are_refused():
    with pytest.raises(ModelError, match="attack_duration"):
        fight(duration="0 h")


def test_injury_approaches_the_balance_of_damage_and_repair_exactly():
    hurt = kinds(cell={"damage": "0.5 1/h", "repair": "0.2 1/h"})
    for dt in (0.1, 1.0):
        running = world_of(hurt, (Injury,), pairs(1), dt)
        for _ in range(round(4.0 / dt)):
            running.step()
        assert running.world.cells.column("cell.injury") == pytest.approx([2.5 * (1.0 - np.exp(-0.8))] * 2, rel=1e-12)


def test_a_cell_with_more_injury_than_it_bears_enters_apoptosis():
    definitions = kinds(cell={"damage": "1 1/h"})
    killing = LethalInjury(definitions=definitions, borne=quantity("0.35", reason=WHY))
    running = world_of(definitions, (Injury, killing), pairs(1))
    for _ in range(4):
        running.step()
        assert not running.world.cells.column("cell.death").any()
    running.step()
    assert running.world.cells.column("cell.death").tolist() == [1, 1]
    assert events_of(running, "killing")["time"] == pytest.approx([0.4, 0.4])


# ---- changes of type --------------------------------------------------------------------------------------------
def test_types_that_a_cell_may_become_compete_in_proportion_to_their_rates():
    n = 400
    definitions = kinds(stem={"becomes": {"left": "1 1/h", "right": "3 1/h"}}, left={}, right={})
    running = world_of(definitions, (Transformation,), np.random.default_rng(1).uniform(0.0, 400.0, (3, n)), dt=0.1)
    for _ in range(5):
        running.step()
    counts = np.bincount(running.world.cells.column("cell.type"), minlength=3)
    stays = np.exp(-4.0 * 0.5)
    assert abs(counts[0] / n - stays) < 4.0 * np.sqrt(stays * (1.0 - stays) / n)
    assert abs(counts[2] / (n - counts[0]) - 0.75) < 4.0 * np.sqrt(0.75 * 0.25 / (n - counts[0]))


def test_dead_cells_keep_their_type():
    definitions = kinds(stem={"becomes": {"other": SURE}}, other={})
    running = world_of(definitions, (Transformation,), pairs(1), columns={"cell.death": [0, 1]})
    running.step()
    assert sorted(running.world.cells.column("cell.type").tolist()) == [0, 1]


# ---- attachments ------------------------------------------------------------------------------------------------
def packed(attach, detach="0 1/h", most=12, n=60, **given):
    """A dense ball of cells that attach."""
    rates = {"attachment_rate": attach, "detachment_rate": detach, "attachments": str(most)}
    places = np.random.default_rng(4).uniform(180.0, 220.0, (3, n))
    return world_of(kinds(rates, cell={}), (Attachment,), places, **given)


def held(running):
    """Attachments of every cell."""
    bonds, ids = running.world.bonds, running.world.cells.ids
    return np.array([int(np.sum(bonds.first == i) + np.sum(bonds.second == i)) for i in ids])


def test_cells_hold_no_more_neighbours_than_they_can():
    running = packed(SURE, most=3)
    running.step()
    first = (running.world.bonds.first.tolist(), running.world.bonds.second.tolist())
    assert held(running).max() == 3
    assert held(running).mean() > 2.5
    running.step()
    assert (running.world.bonds.first.tolist(), running.world.bonds.second.tolist()) == first


def test_attachments_form_and_break_at_the_rates_of_both_cells():
    n, attach, detach = 400, 0.5, 0.25
    rates = {"attachment_rate": f"{attach} 1/h", "detachment_rate": f"{detach} 1/h", "attachments": "12"}
    running = world_of(kinds(rates, cell={}), (Attachment,), pairs(n, size=1000.0), size=1000.0)
    times, share = 8.0, []
    for _ in range(80):
        running.step()
        share.append(len(running.world.bonds) / n)
    rate = 2.0 * (attach + detach)
    # A pair whose attachment broke waits for the next tick, half a tick late on average.
    expected = attach / (attach + detach) * (1.0 - np.exp(-rate * times))
    error = np.sqrt(expected * (1.0 - expected) / n)
    assert abs(share[-1] - expected) < 4.0 * error + 0.1 * detach
    early = attach / (attach + detach) * (1.0 - np.exp(-rate * 1.0))
    assert abs(share[9] - early) < 4.0 * np.sqrt(early * (1.0 - early) / n) + 0.1 * detach


def test_dead_cells_form_no_attachments():
    running = packed(SURE, columns={"cell.death": 1})
    running.step()
    assert len(running.world.bonds) == 0


def test_a_cell_anchors_where_it_is_and_lets_go_when_it_dies():
    definitions = kinds({"matrix_attachment_rate": SURE}, cell={})
    running = world_of(definitions, (Anchorage,), pairs(1))
    running.step()
    cells = running.world.cells
    assert cells.column("cell.anchored").tolist() == [1, 1]
    for axis in "xyz":
        assert cells.column(f"cell.anchor_{axis}").tolist() == cells.column(f"cell.{axis}").tolist()
    cells.column("cell.death")[...] = 1
    running.step()
    assert cells.column("cell.anchored").tolist() == [0, 0]


# ---- bits -------------------------------------------------------------------------------------------------------
EVERYTHING = (Encounters, Attack, Injury, Transformation, Attachment, Anchorage)


def busy(seed=1):
    """A crowd in which everything happens."""
    doing = {
        "engulf_apoptotic": "1 1/h",
        "fuse": {"a": "0.02 1/h"},
        "attack": {"b": "2 1/h", "a": "0.5 1/h"},
        "attack_duration": "0.15 h",
        "attack_damage": "1 1/h",
        "becomes": {"b": "0.05 1/h"},
        "repair": "0.3 1/h",
    }
    rates = {
        "attachment_rate": "0.5 1/h",
        "detachment_rate": "0.2 1/h",
        "attachments": "4",
        "matrix_attachment_rate": "0.2 1/h",
        "matrix_detachment_rate": "0.1 1/h",
    }
    rng = np.random.default_rng(8)
    return world_of(
        kinds(rates, a=doing, b={}),
        EVERYTHING,
        rng.uniform(170.0, 230.0, (3, 200)),
        seed=seed,
        kind=rng.integers(0, 2, 200),
        columns={"cell.death": (rng.random(200) < 0.2).astype(int)},
    )


def bits(running):
    return {name: np.asarray(value).tobytes() for name, value in state_of(running).items()}


def test_stopping_and_resuming_changes_no_bit():
    through, first, second = busy(), busy(), busy()
    for _ in range(12):
        through.step()
    for _ in range(5):
        first.step()
    restore(second, {name: np.array(value) for name, value in state_of(first).items()})
    for _ in range(7):
        second.step()
    assert len(through.world.cells) < 200
    assert len(through.world.bonds) > 0
    assert bits(through) == bits(second)


def test_no_interaction_asks_for_neighbours_when_all_rates_are_zero():
    running = world_of(kinds(a={"damage": "0.1 1/h"}), EVERYTHING, pairs(3))
    running.step()
    assert not running.world.contact_cache
    assert len(running.world.cells) == 6


@pytest.mark.parametrize("process", EVERYTHING, ids=lambda p: p.__name__)
def test_every_number_of_an_interaction_belongs_to_the_process(process):
    definitions = kinds({"attachment_rate": "1 1/h"}, a={"attack": {"a": "1 1/h"}, "becomes": {"a": "1 1/h"}})
    made = process(definitions=definitions)
    assert dataclasses.replace(made).numbers == made.numbers
    assert all(slot.split(".", 1)[1].startswith(made.parts) for slot, _, _ in made.numbers)
