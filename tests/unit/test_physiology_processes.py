"""Volume, cycle, dying and exchange as processes in the engine: what happens to cells, when, and what they leave."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from small_tissue import RESTING, WHY, advance, line, stepper, tissue

from paget.errors import ModelError
from paget.tissue import cycles
from paget.tissue.cycle import CellCycle
from paget.tissue.death import Dying
from paget.tissue.definition import Apoptosis, CellDefinition, Cycle, CyclePhase, Exchange, Necrosis, OxygenDependence
from paget.tissue.exchange import FieldExchange
from paget.tissue.volume import VolumeDynamics

FALSE_ALARM = 1e-4  # probability with which a statistical test fails on correct code; seeds are fixed
ALL = (CellCycle, Dying, VolumeDynamics)
NEVER = Apoptosis(rate=0)


def one(**parts):
    return (CellDefinition(name="cell", **{"apoptosis": NEVER, **parts}),)


def times(model, events, name):
    """Times of the events of that name."""
    code = model.event_kinds.index(name)
    return np.array([]) if events is None else np.sort(events["time"][events["kind"] == code])


def live(rate):
    return Cycle(name="live", phases=(CyclePhase(name="live", rate=rate, grows=True, divides=True),), reason=WHY)


# ---- cycle ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dt", [0.1, 0.7, 4.0])
def test_generations_of_a_fixed_cycle_follow_each_other_exactly_whatever_the_tick(dt):
    model = tissue(one(cycle=cycles.textbook()), ALL, line(1))
    world, events = advance(model, 56.0, dt)
    assert times(model, events, "division") == pytest.approx([18.0] * 2 + [36.0] * 4 + [54.0] * 8, abs=1e-9)
    assert len(world.cells) == 8


def test_division_halves_volumes_and_targets_and_shares_the_radius():
    model = tissue(
        one(cycle=cycles.textbook()), (CellCycle,), line(1), columns={"cell.phase": 3, "cell.phase_time": 1.95}
    )
    running = stepper(model)
    running.step()
    cells = running.world.cells
    assert len(cells) == 2
    for name in ("cell.volume", "cell.fluid", "cell.nuclear_solid", "cell.target_nuclear_solid", "cell.nuclear_volume"):
        assert cells.column(name) == pytest.approx([RESTING[name] / 2] * 2), name
    assert cells.column("cell.radius") == pytest.approx([RESTING["cell.radius"] * 0.5 ** (1 / 3)] * 2)
    assert cells.column("cell.owed") == pytest.approx([0.05] * 2)


def test_daughters_regrow_to_the_volume_of_their_mother():
    world, _ = advance(tissue(one(cycle=cycles.textbook()), ALL, line(1)), 25.0)
    assert world.cells.column("cell.volume") == pytest.approx([2494.0] * 2, rel=0.01)


def test_daughters_of_a_cycle_of_one_phase_keep_their_mothers_targets():
    world, events = advance(tissue(one(cycle=live("0.2 1/h")), ALL, line(4)), 10.0)
    assert len(world.cells) > 4
    assert world.cells.column("cell.target_nuclear_solid") == pytest.approx([135.0] * len(world.cells))
    assert events is not None


def test_the_family_tree_does_not_depend_on_the_tick_and_volumes_hardly():
    definitions = one(cycle=cycles.flow_cytometry(), apoptosis=Apoptosis(rate="0.02 1/h", reason=WHY))
    worlds = [advance(tissue(definitions, ALL, line(20)), 40.0, dt)[0] for dt in (0.025, 0.1, 0.5)]
    trees = [set(world.cells.ids) for world in worlds]
    assert len(trees[0]) > 40
    assert trees[0] == trees[1] == trees[2]
    # Growth follows new targets from the end of the tick: an error of the first order, 0.1 % at a tick of 0.1 h.
    volume = [world.cells.column("cell.volume").sum() for world in worlds]
    assert volume[1] == pytest.approx(volume[0], rel=0.005)
    assert volume[2] == pytest.approx(volume[0], rel=0.03)


def test_of_two_events_in_time_that_a_cell_owes_the_earlier_counts():
    definitions = one(cycle=cycles.textbook(), apoptosis=Apoptosis(rate="1e9 1/h", reason=WHY))
    state = {"cell.phase": 3, "cell.phase_time": 1.6, "cell.owed": 0.5}  # it would divide 0.4 h into what it owes
    model = tissue(definitions, (CellCycle, Dying), line(4), columns=state)
    running = stepper(model, 0.1)
    running.step()
    events = running.events.take()
    assert times(model, events, "apoptosis") == pytest.approx([-0.5] * 4, abs=1e-6)
    assert times(model, events, "division").size == 0
    assert len(running.world.cells) == 4


def test_oxygen_halfway_between_threshold_and_saturation_doubles_the_time_to_enter_the_cycle():
    cycle = Cycle(
        name="two",
        phases=(
            CyclePhase(name="first", rate="0.5 1/h", fixed=True),
            CyclePhase(name="second", rate="1 1/h", fixed=True, grows=True, divides=True),
        ),
        reason=WHY,
    )
    model = tissue(one(cycle=cycle, oxygen=OxygenDependence()), (CellCycle,), line(3), fields={"field.oxygen": 21.5})
    assert times(model, advance(model, 6.0)[1], "division") == pytest.approx([5.0] * 6)


def test_saturation_must_lie_above_the_threshold():
    oxygen = OxygenDependence(threshold="38 mmHg", saturation="5 mmHg", reason=WHY)
    model = tissue(one(cycle=cycles.live(), oxygen=oxygen), (CellCycle,), line(1), fields={"field.oxygen": 21.5})
    with pytest.raises(ModelError, match=r"cell.*38 mmHg.*5 mmHg.*must be larger"):
        stepper(model)


def test_a_rate_of_single_cells_takes_the_place_of_that_of_their_type():
    model = tissue(
        one(cycle=cycles.textbook()),
        (CellCycle,),
        line(2),
        ruled=("cycle entry", "exit from cycle phase 3"),
        columns={"cell.cycle_entry": [0.0, 1.0], "cell.exit_from_cycle_phase_3": [0.5, 1.0]},
    )
    world, events = advance(model, 12.0)
    assert times(model, events, "division") == pytest.approx([1.0 + 6.0 + 3.0 + 1.0] * 2)
    assert len(world.cells) == 3


@pytest.mark.parametrize("make", [getattr(cycles, name) for name in cycles.__all__])
def test_every_standard_cycle_divides_once_in_a_round_and_grows_once(make):
    cycle = make()
    assert sum(phase.divides for phase in cycle.phases) == 1
    assert sum(phase.grows for phase in cycle.phases) == 1
    assert cycle.reason


# ---- dying ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dt", [0.1, 0.75, 5.0, 15.0])
def test_an_apoptotic_cell_is_gone_its_duration_after_death_to_the_moment(dt):
    model = tissue(one(apoptosis=Apoptosis(rate="0.5 1/h", reason=WHY)), ALL, line(30))
    world, events = advance(model, 45.0, dt)
    began, gone = times(model, events, "apoptosis"), times(model, events, "removal")
    assert len(world.cells) == 0
    assert gone == pytest.approx(began + 8.6, abs=1e-9)
    assert stats.kstest(began, "expon", args=(0, 2.0)).pvalue > FALSE_ALARM


def test_cells_shrink_in_apoptosis_and_divide_no_more():
    model = tissue(one(cycle=live("2 1/h")), ALL, line(3), columns={"cell.death": 1})
    world, events = advance(model, 4.0)
    assert events is None
    assert world.cells.column("cell.volume").max() < 500.0
    assert world.cells.column("cell.death_time") == pytest.approx([4.0] * 3)


def test_competing_deaths_come_in_proportion_to_their_rates():
    definitions = one(apoptosis=Apoptosis(rate="0.3 1/h", reason=WHY), necrosis=Necrosis(rate="0.1 1/h", reason=WHY))
    model = tissue(definitions, (Dying,), line(2000))
    _, events = advance(model, 8.0, 0.5)
    apoptotic, necrotic = times(model, events, "apoptosis"), times(model, events, "necrosis")
    assert stats.binomtest(apoptotic.size, apoptotic.size + necrotic.size, 0.75).pvalue > FALSE_ALARM
    for began in (apoptotic, necrotic):
        # Given that it came within 8 h, either death waits exponentially at the sum of both rates.
        assert stats.kstest(began, stats.truncexpon(8.0 * 0.4, scale=2.5).cdf).pvalue > FALSE_ALARM


def test_below_the_threshold_of_oxygen_cells_swell_burst_shrink_and_vanish():
    necrosis = Necrosis(duration="10 h", reason=WHY)
    model = tissue(one(necrosis=necrosis, oxygen=OxygenDependence()), ALL, line(2), fields={"field.oxygen": 4.9})
    running, volume = stepper(model, 0.1), []
    for _ in range(180):
        running.step()
        volume.append(running.world.cells.column("cell.volume")[0] if len(running.world.cells) else np.nan)
    events = running.events.take()
    began, burst, gone = (times(model, events, name) for name in ("necrosis", "lysis", "removal"))
    assert began == pytest.approx([0.0, 0.0])
    assert burst * 60.0 == pytest.approx([403.504] * 2, abs=1e-3)  # as the kernel alone says
    assert gone == pytest.approx(burst + 10.0)
    assert np.nanmax(volume) == pytest.approx(2 * 2494.0, rel=0.01)
    assert running.world.tick == 180
    assert len(running.world.cells) == 0


def test_above_the_threshold_of_oxygen_and_without_the_part_necrosis_cells_live_on():
    for definitions, oxygen in (
        (one(necrosis=Necrosis(), oxygen=OxygenDependence()), 5.1),
        (one(oxygen=OxygenDependence()), 1.0),
    ):
        world, events = advance(tissue(definitions, ALL, line(2), fields={"field.oxygen": oxygen}), 2.0)
        assert events is None
        assert len(world.cells) == 2


def test_necrosis_at_a_rate_rises_with_the_want_of_oxygen():
    oxygen = OxygenDependence(at_once=False, necrosis_rate="0.4 1/h", reason=WHY)
    definitions = one(necrosis=Necrosis(), oxygen=oxygen)
    model = tissue(definitions, (Dying,), line(500), fields={"field.oxygen": 3.75})  # halfway from 5 to 2.5 mmHg
    began = times(model, advance(model, 60.0, 0.5)[1], "necrosis")
    assert began.size == 500
    assert stats.kstest(began, "expon", args=(0, 5.0)).pvalue > FALSE_ALARM


def test_the_highest_necrosis_must_lie_below_its_threshold():
    oxygen = OxygenDependence(at_once=False, necrosis_maximum="6 mmHg", reason=WHY)
    model = tissue(one(necrosis=Necrosis(), oxygen=oxygen), (Dying,), line(1), fields={"field.oxygen": 1.0})
    with pytest.raises(ModelError, match=r"cell.*5 mmHg.*6 mmHg.*must be less"):
        stepper(model)


def test_rules_set_the_deaths_of_single_cells():
    model = tissue(
        one(apoptosis=Apoptosis(rate="5 1/h", reason=WHY)),
        (Dying,),
        line(3),
        ruled=("apoptosis",),
        columns={"cell.apoptosis": [0.0, 1e9, 0.0]},
    )
    world, events = advance(model, 1.0)
    assert times(model, events, "apoptosis") == pytest.approx([0.0], abs=1e-6)
    assert sorted(world.cells.column("cell.death")) == [0, 0, 1]


# ---- exchange ---------------------------------------------------------------------------------------------------
class Recorded:
    """What a process asks for, by verb."""

    def __init__(self):
        self.asked = {}

    def __getattr__(self, verb):
        return lambda name, *values: self.asked.setdefault((verb, name), []).append(values)


def exchange(definitions, kind, death=0, **columns):
    """What the exchange of cells of 2 pL asks of the engine."""
    n = len(kind)
    process = FieldExchange(
        definitions=definitions,
        units={"field.oxygen": "mmHg", "field.vegf": "nM"},
        ruled=tuple(name.replace("_", " ") for name in columns),
    )
    values = {slot: float(value.value) for slot, value, _ in process.numbers}
    see = {"cell.type": np.array(kind), "cell.death": np.full(n, death), "cell.volume": np.full(n, 2000.0)}
    see |= {f"cell.{name}": np.array(value) for name, value in columns.items()}
    seen = type("Seen", (dict,), {"count": n})(see)
    do = Recorded()
    process.step(seen, do, process.prepare(values))
    assert set(process.reads) == set(see)
    return do.asked


def test_cells_give_and_take_what_their_definitions_say_and_nothing_else():
    cell = CellDefinition(
        name="cell",
        exchange={
            "field.oxygen": Exchange(uptake="10 1/h", reason=WHY),
            "field.vegf": Exchange(secretion="3 1/h", saturation="7 nM", export="5 nM*pL/h", reason=WHY),
        },
    )
    asked = exchange((cell, CellDefinition(name="other")), [0, 1])
    assert set(asked) == {("absorb", "field.oxygen"), ("secrete", "field.vegf"), ("absorb", "field.vegf")}
    assert asked["absorb", "field.oxygen"][0][0] == pytest.approx([20.0, 0.0])
    assert asked["secrete", "field.vegf"][0][0] == pytest.approx([2 * 3 * 7 + 5.0, 0.0])
    assert asked["absorb", "field.vegf"][0][0] == pytest.approx([6.0, 0.0])


def test_saturable_uptake_is_asked_for_at_the_half_saturation_of_each_type():
    low, high = (
        CellDefinition(name=name, exchange={"field.oxygen": Exchange(most="4 mmHg/h", half=f"{half} mmHg", reason=WHY)})
        for name, half in (("low", 1), ("high", 3))
    )
    asked = exchange((low, high), [0, 1])
    (first, half), (second, other) = asked["absorb_saturably", "field.oxygen"]
    assert (half, other) == (1.0, 3.0)
    assert first == pytest.approx([8.0, 0.0])
    assert second == pytest.approx([0.0, 8.0])


def test_the_dying_secrete_nothing_and_take_up_a_tenth():
    cell = CellDefinition(
        name="cell",
        exchange={"field.vegf": Exchange(secretion="3 1/h", saturation="7 nM", uptake="1 1/h", reason=WHY)},
    )
    asked = exchange((cell,), [0], death=1)
    assert asked["secrete", "field.vegf"][0][0] == pytest.approx([0.0])
    assert asked["absorb", "field.vegf"][0][0] == pytest.approx([0.2])


def test_rules_set_the_uptake_of_single_cells_even_where_the_type_has_none():
    cell = CellDefinition(name="cell", exchange={"field.oxygen": Exchange()})
    asked = exchange((cell,), [0, 0], oxygen_uptake=[1.0, 0.0])
    assert asked["absorb", "field.oxygen"][0][0] == pytest.approx([2.0, 0.0])


def test_deposited_matrix_is_in_the_voxel_and_degraded_matrix_is_gone():
    writer = Exchange(export="16 1*pL/h", reason=WHY)
    model = tissue(
        one(exchange={"field.laminin": writer}), (FieldExchange,), line(1, 20.0), fields={"field.laminin": 0}, size=20.0
    )
    assert advance(model, 2.0)[0].fields["field.laminin"].item() == pytest.approx(2 * 16 / 8.0)
    eater = Exchange(uptake="1 1/h", reason=WHY)
    model = tissue(
        one(exchange={"field.laminin": eater}), (FieldExchange,), line(1, 20.0), fields={"field.laminin": 4}, size=20.0
    )
    expected = 4.0 * np.exp(-2.494 / 8.0 * 2.0)
    assert advance(model, 2.0)[0].fields["field.laminin"].item() == pytest.approx(expected, rel=1e-9)


def test_numbers_of_the_processes_are_those_of_their_mechanisms():
    definitions = one(cycle=cycles.live(), oxygen=OxygenDependence(), necrosis=Necrosis())
    slots = {cls: {slot for slot, _, _ in cls(definitions=definitions).numbers} for cls in (*ALL, FieldExchange)}
    assert slots[CellCycle] == {"0.cycle.rate/0", "0.oxygen.threshold", "0.oxygen.saturation"}
    assert "0.necrosis.rupture" in slots[Dying]
    assert "0.necrosis.rupture" not in slots[VolumeDynamics]
    assert slots[FieldExchange] == set()
