"""Settings of PhysiCell become a tissue and back, and what cannot is refused by name, all at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from physicell_files import CELLS, RULES, written

from paget.errors import ModelError
from paget.io.physicell import read_settings, summary, write_settings
from paget.process import quantity
from paget.tissue.definition import Exchange, Motility, OxygenDependence
from paget.tissue.fields import HeldVoxels
from paget.tissue.placing import Cells


@pytest.fixture
def tissue(tmp_path):
    return read_settings(written(tmp_path))


def _refused(path) -> tuple[str, ...]:
    with pytest.raises(ModelError) as caught:
        read_settings(path)
    return caught.value.problems


# ---- reading ------------------------------------------------------------------------------------------------------
def test_the_domain_is_one_layer_of_voxels_around_zero(tissue):
    assert (tissue.size, tissue.origin, tissue.voxel) == ((200.0, 120.0, 20.0), (-100.0, -60.0, -10.0), 20.0)
    assert (tissue.tick, tissue.walls) == ("6 min", True)


def test_substrates_carry_their_numbers_in_the_units_of_the_file(tissue):
    oxygen, factor = tissue.substrates
    assert (oxygen.field, oxygen.unit, factor.field, factor.unit) == ("field.oxygen", "mmHg", "field.signal_factor", "")
    assert oxygen.diffusion.inside("um**2/h") == pytest.approx(6e6)
    assert factor.decay.inside("1/h") == pytest.approx(1.2)
    assert (factor.initial.value, factor.title) == (0.5, "signal factor")


def test_faces_are_held_at_their_own_value_or_that_of_all(tissue):
    oxygen, factor = tissue.substrates
    assert {face: value.value for face, value in oxygen.walls.items()} == {"xmin": 30.0, "xmax": 38.0, "ymin": 38.0}
    assert not factor.walls


def test_numbers_say_where_they_come_from(tissue):
    speed = tissue.cells[1].motility.speed
    assert (speed.key, speed.basis, speed.reason) == (
        "T cell/phenotype/motility/speed",
        "assumed",
        "given in PhysiCell_settings.xml",
    )
    assert speed.inside("um/h") == pytest.approx(30.0)


def test_every_number_has_a_key_of_its_own(tissue):
    units = {s.field: s.unit for s in tissue.substrates}
    numbers = [n for d in tissue.cells for _, n, _ in d.listed(units) if n.key != "nothing"]
    assert len({n.key for n in numbers}) == len(numbers)


def test_durations_of_phases_become_rates(tissue):
    phases = tissue.cells[0].cycle.phases
    assert [phase.fixed for phase in phases] == [False, True, True, True]
    assert [phase.rate.inside("1/h") for phase in phases] == pytest.approx([1 / 5, 1 / 8, 1 / 4, 1.0])
    assert [phase.code for phase in phases] == [4, 10, 12, 13]


def test_deaths_are_read_with_their_volumes(tissue):
    tumour = tissue.cells[0]
    assert tumour.apoptosis.duration.inside("h") == pytest.approx(8.6)
    assert tumour.necrosis.duration.inside("day") == pytest.approx(60.0)
    assert (tumour.necrosis.rupture.value, tumour.necrosis.calcification_rate.value) == (1.5, 7e-5)


def test_a_later_type_inherits_what_it_leaves_out_and_rests(tissue):
    tumour, hunter = tissue.cells
    assert hunter.volume.total.value == tumour.volume.total.value
    assert hunter.apoptosis.rate.value == 0.0
    assert hunter.apoptosis.duration.value == 516.0
    assert hunter.mechanics.affinity["T cell"].value == 0.25
    assert hunter.mechanics.attachment_rate.value == 0.0


def test_a_child_inherits_from_its_parent_as_it_is(tmp_path):
    child = '<cell_definition name="T cell" ID="1" parent_type="tumour">'
    found = read_settings(written(tmp_path, ('<cell_definition name="T cell" ID="1">', child)))
    assert found.cells[1].apoptosis.rate.value == 5.3e-05
    assert found.cells[1].cycle.code == 5


def test_chemotaxis_follows_the_named_substrate(tissue):
    assert {name: n.value for name, n in tissue.cells[1].motility.towards.items()} == {"field.signal_factor": 1.0}
    assert tissue.cells[0].motility is None


def test_parts_that_do_nothing_are_left_out(tissue):
    tumour, hunter = tissue.cells
    assert set(tumour.exchange) == {"field.oxygen", "field.signal_factor"}  # a rule changes the second
    assert not hunter.exchange
    assert {name: n.value for name, n in hunter.interactions.attack.items()} == {"tumour": 0.02}
    assert not hunter.interactions.fuse


def test_custom_data_are_kept_where_a_rule_listens_to_them(tissue):
    assert {name: n.value for name, n in tissue.cells[0].own.items()} == {"cell.oncoprotein": 1.25}


def test_rules_of_one_direction_share_the_outermost_saturation(tissue):
    entry = [rule for rule in tissue.rules if rule.behaviour == "cycle entry" and rule.increases]
    assert [rule.numbers_in(_lexicon(tissue))[0][1].inside("1/min") for rule in entry] == pytest.approx([1 / 300] * 2)
    assert [rule.applies_to_dead for rule in tissue.rules] == [False] * 7 + [True]


def _lexicon(tissue):
    from paget.tissue.rules import lexicon_of

    return lexicon_of(tissue.cells, {s.field: s.unit for s in tissue.substrates})


def test_first_cells_may_skip_what_their_type_says(tissue):
    assert tissue.placed.types == ("tumour", "T cell", "tumour")
    assert tissue.placed.columns["cell.volume"].tolist() == [2494.0, 1000.0, 2494.0]
    assert tissue.placed.behaviours["migration speed"].tolist() == pytest.approx([0.0, 45.0, 0.0])


def test_the_tissue_runs(tissue):
    simulation = tissue.simulation(seed=1, threads=1)
    simulation.run("12 min")
    assert simulation.ledger["present"] == 3
    assert np.isfinite(simulation.field("field.oxygen")).all()


def test_a_distance_of_rest_sets_the_adhesion(tmp_path):
    found = read_settings(
        written(
            tmp_path,
            ('distance enabled="false" units="dimensionless"', 'distance enabled="true" units="dimensionless"'),
        )
    )
    adhesion, reach = found.cells[0].mechanics.adhesion.value, 1.25
    assert adhesion * (1 - 0.9 / reach) ** 2 == pytest.approx(10.0 * (1 - 0.9) ** 2)


def test_springs_can_be_switched_off(tmp_path):
    options = (
        "<random_seed>0</random_seed>",
        "<disable_automated_spring_adhesions>true</disable_automated_spring_adhesions>",
    )
    assert read_settings(written(tmp_path, options)).cells[0].mechanics.attachment_rate.value == 0.0


def test_cells_of_another_source_take_the_place_of_those_of_the_file(tmp_path):
    given = Cells(np.zeros((1, 3)), ("tumour",))
    assert read_settings(written(tmp_path), cells=given).placed is given


def test_the_summary_names_everything_that_was_understood(tissue):
    text = summary(tissue)
    for part in ("200 x 120 x 20 um", "field.signal_factor", "T cell: cycle", "In tumour cells, pressure", "3 cells"):
        assert part in text


# ---- refusing -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("</secretion>", '</secretion><intracellular type="maboss"><x/></intracellular>', "intracellular: models inside cells"),
        ('distributions enabled="false"', 'distributions enabled="true"', "parameters that differ between cells"),
        ('csv" enabled="false"><filename>ic', 'csv" enabled="true"><filename>ic', "initial_condition: first values"),
        ('csv" enabled="false"><filename>bc', 'csv" enabled="true"><filename>bc', "dirichlet_nodes: voxels held"),
        ('version="3.0"', 'version="2.0"', "rules of protocol CBHG, version 2.0"),
        ('protocol="CBHG"', 'protocol="other"', "rules of protocol other"),
        ("<filename>rules.csv", "<filename>other.csv", "there is no file ./config/other.csv"),
        ("<filename>cells.csv", "<filename>other.csv", "there is no file ./config/other.csv"),
        ('code="6"', 'code="4"', "cycle model 4"),
        ('<model code="101" name="necrosis">', '<model code="102" name="autophagy">', "death model 102"),
        ("<time_units>min", "<time_units>hour", "'hour' is not min"),
        ('<total units="micron^3">', '<total units="micron">', "'micron' cannot be converted to um**3"),
        ('<total units="micron^3">2494', '<total units="micron^3">big', "'big' is not a number"),
        ('name="oxygen" units="mmHg"', 'name="oxygen" units="uM"', "'field.oxygen' is in mmHg everywhere"),
        ("<substrate>signal factor", "<substrate>glucose", "'glucose' is not a substrate"),
        ('attack_rate name="tumour"', 'attack_rate name="ghost"', "'ghost' is not a cell type"),
        ("<volume>", "<colour>red</colour><volume>", "tumour/phenotype/colour: unknown element"),
        ("<domain>", "<physics/><domain>", "physics: unknown element"),
        ('ID="1">\n      <phenotype>', 'ID="1" parent_type="ghost">\n      <phenotype>', "parent_type 'ghost'"),
        ('factor" units="dimensionless"', 'factor" units="spoons"', "'spoons' is not a unit"),
        ("ymax\" enabled=\"False\">0", "interior\" enabled=\"True\">0", "only the six faces"),
        ('condition units="mmHg" enabled="True"', 'condition units="mmHg" enabled="False"', "condition is not"),
        ("<x_min>-100", "<x_min>-40", "lie outside the domain"),
        ('<duration index="0" fixed_duration="true">516', '<duration index="0" fixed_duration="false">516', "fixed duration"),
        ('<oncoprotein conserved="false"', '<oncoprotein conserved="true"', "a variable that division halves"),
    ],
)  # fmt: skip
def test_what_a_tissue_does_not_have_is_refused_by_name(tmp_path, old, new, reason):
    problems = _refused(written(tmp_path, (old, new)))
    assert any(reason in problem for problem in problems), problems


def test_everything_is_refused_at_once(tmp_path):
    path = written(
        tmp_path,
        ("</secretion>", "</secretion><intracellular/>"),
        ("<volume>", "<colour>red</colour><volume>"),
        rules=RULES + "tumour,intracellular oxygen,increases,apoptosis,1,1,1,0\n",
        cells=CELLS + "1,2,3,ghost,s,s\n",
    )
    told = "\n".join(_refused(path))
    for reason in ("models inside cells", "colour: unknown element", "'intracellular oxygen'", "cell type 'ghost'"):
        assert reason in told


def test_a_file_that_is_no_settings_file_is_refused(tmp_path):
    (tmp_path / "a.xml").write_text("<MultiCellDS/>")
    with pytest.raises(ModelError, match="begins with <MultiCellDS>"):
        read_settings(tmp_path / "a.xml")
    (tmp_path / "b.xml").write_text("no xml")
    with pytest.raises(ModelError, match="cannot be read as a settings file"):
        read_settings(tmp_path / "b.xml")


# ---- writing ------------------------------------------------------------------------------------------------------
def _numbers(tissue) -> dict[str, float]:
    units = {s.field: s.unit for s in tissue.substrates}
    found = {}
    for definition in tissue.cells:
        for slot, value, unit in definition.listed(units):
            number = tissue.parameters[value.key] if not hasattr(value, "value") else value
            found[f"{definition.name}.{slot}"] = 0.0 if number.key == "nothing" else number.inside(unit)
    return found


def _levels(substrate):
    walls = {face: value.value for face, value in substrate.walls.items()}
    numbers = (substrate.diffusion.value, substrate.decay.value, substrate.initial.value)
    return substrate.field, substrate.unit, substrate.title, substrate.immobile, numbers, walls


def test_a_tissue_survives_being_written_and_read(tissue, tmp_path):
    again = read_settings(write_settings(tissue, tmp_path / "first"))
    assert (again.size, again.origin, again.voxel, again.walls, again.tick) == (
        tissue.size,
        tissue.origin,
        tissue.voxel,
        tissue.walls,
        tissue.tick,
    )
    assert [_levels(s) for s in again.substrates] == [_levels(s) for s in tissue.substrates]
    assert again.rules == tissue.rules
    assert _numbers(again) == pytest.approx(_numbers(tissue), rel=1e-15)
    assert [d.name for d in again.cells] == [d.name for d in tissue.cells]
    assert np.array_equal(again.placed.positions, tissue.placed.positions)
    assert again.placed.types == tissue.placed.types
    third = read_settings(write_settings(again, tmp_path / "second"))
    assert (third.cells, third.substrates, third.rules) == (again.cells, again.substrates, again.rules)


def test_a_tissue_written_and_read_runs_bit_for_bit_the_same(tissue, tmp_path):
    again = read_settings(write_settings(read_settings(write_settings(tissue, tmp_path / "a")), tmp_path / "b"))
    once = read_settings(tmp_path / "a" / "PhysiCell_settings.xml")
    one, other = (t.simulation(seed=3, threads=1).run("30 min").fingerprint() for t in (once, again))
    assert one == other


def _changed(tissue, **changes):
    return tissue.changed(cells=(dataclasses.replace(tissue.cells[0], **changes), tissue.cells[1]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.changed(periodic=(True, False, False)), "closes on itself"),
        (lambda t: t.changed(voxel=(20.0, 10.0, 20.0)), "voxels whose edges differ"),
        (lambda t: t.changed(vessels=object()), "capillaries"),
        (lambda t: _changed(t, oxygen=OxygenDependence()), "oxygen dependence; say it as rules"),
        (
            lambda t: _changed(t, exchange={"field.oxygen": Exchange(most="1 mmHg/h", half="1 mmHg", reason="test")}),
            "Michaelis-Menten uptake of field.oxygen",
        ),
        (lambda t: _changed(t, mechanics=dataclasses.replace(t.cells[0].mechanics, movable=False)), "holds its place"),
        (
            lambda t: _changed(
                t,
                mechanics=dataclasses.replace(
                    t.cells[0].mechanics, matrix_attachment_rate=quantity("1 1/h", reason="test")
                ),
            ),
            "matrix that slows or holds",
        ),
        (lambda t: _changed(t, motility=Motility(stops_at="1", reason="test")), "pressure decreases migration speed"),
        (lambda t: _changed(t, cycle=dataclasses.replace(t.cells[0].cycle, code=5)), "none of its standard models"),
        (
            lambda t: t.changed(
                substrates=(
                    dataclasses.replace(
                        t.substrates[0], held=(HeldVoxels(indices=((0, 0, 0),), value="1 mmHg", reason="test"),)
                    ),
                    t.substrates[1],
                )
            ),
            "voxels held inside the domain",
        ),
        (
            lambda t: t.changed(placed=dataclasses.replace(t.placed, columns={"cell.phase": np.zeros(3)})),
            "the variable cell.phase of single cells",
        ),
    ],
)
def test_what_the_format_cannot_say_is_refused_by_name(tissue, tmp_path, change, reason):
    with pytest.raises(ModelError, match="cannot say") as caught:
        write_settings(change(tissue), tmp_path / "out")
    assert any(reason in problem for problem in caught.value.problems), caught.value.problems
    assert not (tmp_path / "out").exists()


def test_no_file_is_overwritten(tissue, tmp_path):
    write_settings(tissue, tmp_path / "out")
    with pytest.raises(ModelError, match="is there already"):
        write_settings(tissue, tmp_path / "out")
