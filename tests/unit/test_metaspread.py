"""The model of metastatic spread: kernels beside their twins, placing, accounts, and settings that are refused."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_metaspread import q, small

from paget.catalogue.metaspread import DEFECTS, Destination, MetaSpread, MetaSpreadRun, simulate
from paget.catalogue.metaspread.layout import central_sites, place_founders, place_vessels
from paget.catalogue.metaspread.rates import PerTick
from paget.engine.chance import Chance
from paget.errors import LedgerError, ResultError, StudyError, UnknownNameError
from paget.evidence import load_sources
from paget.kernels import lattice
from paget.kernels import reference_lattice as twin
from paget.process import Named

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=40, deadline=None)


# ---- kernels beside their twins -------------------------------------------------------------------------------------
def crowd(seed, grids=2, side=6, room=4):
    """Random cells on small grids, some of them in blood, as rows and as objects."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, grids * side * side))
    grid = rng.integers(-1, grids, n).astype(np.int8)
    place = rng.integers(0, side, (2, n)).astype(np.int32)
    kind = rng.integers(0, 2, n).astype(np.int8)
    ids = np.sort(rng.choice(10**12, n, replace=False)).astype(np.uint64)
    cluster = np.where(grid < 0, rng.integers(0, 4, n), -1)
    count = np.zeros((grids, 2, side, side), np.int32)
    np.add.at(count, (grid[grid >= 0], kind[grid >= 0], *place[:, grid >= 0]), 1)
    objects = [
        twin.Cell(
            int(ids[i]),
            int(kind[i]),
            int(grid[i]) if grid[i] >= 0 else "blood",
            *map(int, place[:, i]),
            int(cluster[i]),
            i,
        )
        for i in range(n)
    ]
    return rng, n, ids, kind, grid, place, cluster, count, objects


def same(objects, n, ids, kind, grid, place, cluster):
    where = {-1: "blood", -2: "dead", -3: "no room"}
    rows = sorted(
        (int(ids[i]), int(kind[i]), where.get(int(grid[i]), int(grid[i])), *map(int, place[:, i])) for i in range(n)
    )
    assert rows == sorted((c.id, c.kind, c.where, c.x, c.y) for c in objects)
    in_blood = {c.id: c.cluster for c in objects if c.where == "blood"}
    assert {int(ids[i]): int(cluster[i]) for i in range(n) if grid[i] == -1} == in_blood


def counted(count, objects):
    expected = np.zeros_like(count)
    for c in objects:
        if isinstance(c.where, int):
            expected[c.where, c.kind, c.x, c.y] += 1
    np.testing.assert_array_equal(count, expected)


@few
@given(seed=seeds, late=st.booleans(), side=st.integers(3, 9))
def test_fields_advance_as_their_twin_to_the_bit(seed, late, side):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 5, (side, side)).astype(np.int32)
    m, w = rng.random((side, side)) * (rng.random((side, side)) < 0.5), rng.random((side, side))
    m[0, 0] = 1e-290
    expected = twin.advance_fields(cells, m, w, 0.2, 0.19, 1e-3, (1e-3, 2e-3), late)
    lattice.advance_fields(cells, m, w, np.empty_like(m), 0.2, 0.19, 1e-3, np.array([1e-3, 2e-3]), int(late))
    np.testing.assert_array_equal(m, expected[0])
    np.testing.assert_array_equal(w, expected[1])


@few
@given(seed=seeds, room=st.integers(1, 4))
def test_cells_divide_as_their_twins(seed, room):
    _, n, ids, kind, grid, place, cluster, count, objects = crowd(seed)
    founder = np.arange(n)
    wide = [np.concatenate([a, np.zeros_like(a)], axis=-1) for a in (ids, kind, grid, place, cluster, founder)]
    last = lattice.divide(1, room, n, *wide, count, np.uint64(10**13))
    grown = twin.divide(objects, 1, room, 10**13)
    same(grown, last, *wide[:5])
    counted(count, grown)
    assert {int(wide[0][i]): int(wide[5][i]) for i in range(last)} == {c.id: c.founder for c in grown}


@few
@given(seed=seeds)
def test_the_random_order_is_that_of_sorted_words(seed):
    rng, n, ids, _, grid, *_, objects = crowd(seed)
    key, step = rng.integers(2**63), int(rng.integers(2**40))
    order, word, u = np.empty(n, np.int64), np.empty(n, np.uint64), np.empty(n)
    there = lattice.shuffle(n, ids, grid, step, np.uint64(key), order, word, u, np.empty(2 * n + 2, np.int64))
    expected = twin.shuffled(objects, step, int(key))
    assert [(int(ids[i]), u[i]) for i in order[:there]] == [(cell.id, number) for cell, number in expected]


@few
@given(seed=seeds, clip=st.booleans(), limited=st.booleans(), steep=st.booleans())
def test_cells_move_and_enter_vessels_as_their_twins(seed, clip, limited, steep):
    rng, n, ids, kind, grid, place, cluster, count, objects = crowd(seed)
    key, side = int(rng.integers(2**63)), count.shape[2]
    vessel = rng.choice([0, 0, 0, 0, 1, 2], (2, side, side)).astype(np.int8)
    matrix = rng.random((2, side, side))
    walk = np.array([(0.1, 0.25 if steep else 0.05), (0.05, 0.25)])
    order, word, u, bucket = np.empty(n, np.int64), np.empty(n, np.uint64), np.empty(n), np.empty(2 * n + 2, np.int64)
    events, negative = np.empty((n, 6), np.int64), np.zeros(2, np.int64)
    there = lattice.shuffle(n, ids, grid, 3, np.uint64(key), order, word, u, bucket)
    found = lattice.move(
        order[:there], u, n, kind, grid, place, cluster, count, vessel, matrix, walk, 4, int(clip), int(limited), 7,
        events, negative,
    )  # fmt: skip
    expected, met = twin.move(objects, 3, key, vessel, matrix, [tuple(w) for w in walk], 4, clip, limited, 7)
    assert [tuple(line) for line in events[:found].tolist()] == expected
    assert negative.tolist() == met
    same(objects, n, ids, kind, grid, place, cluster)
    counted(count, objects)


@few
@given(seed=seeds, leaving=st.sampled_from([0.0, 0.5, 1.0]))
def test_clusters_leave_the_blood_as_their_twins(seed, leaving):
    rng, n, ids, kind, grid, place, cluster, count, objects = crowd(seed)
    side, keys = count.shape[2], rng.integers(2**63, size=2).astype(np.uint64)
    sites = rng.integers(0, side, (2, 5)).astype(np.int32)
    rows = np.flatnonzero((grid == -1) & (cluster >= 1))
    rows = rows[np.lexsort((kind[rows], cluster[rows]))]
    arrivals, survival = np.empty((rows.size, 6), np.int64), np.array([0.4, 0.8])
    arrived = lattice.release(
        rows, ids, kind, grid, place, cluster, count, sites, np.array([0, 2, 5]), np.array([0.3, 1.0]), leaving,
        survival, 4, 9, keys, arrivals,
    )  # fmt: skip
    listed = [tuple(map(int, site)) for site in sites.T]
    expected = twin.release(
        objects,
        {1, 2, 3},
        [listed[:2], listed[2:]],
        [0.3, 0.7],
        leaving,
        tuple(survival),
        4,
        side,
        9,
        tuple(map(int, keys)),
    )
    assert [tuple(line) for line in arrivals[:arrived].tolist()] == expected
    same(objects, n, ids, kind, grid, place, cluster)
    counted(count, objects)


def test_a_negative_weight_is_made_up_for_by_its_neighbour_in_the_list():
    u = (np.arange(100_000) + 0.5) / 100_000
    ways = [lattice.chosen(-0.02, 0.1, 0.1, 0.12, one) for one in u]
    np.testing.assert_allclose(np.bincount(ways, minlength=5) / u.size, [0.0, 0.08, 0.7, 0.1, 0.12], atol=1e-4)


# ---- start ----------------------------------------------------------------------------------------------------------
def test_central_sites_fill_discs():
    for sites, wanted, largest in ((201, 97, np.sqrt(29)), (61, 49, 4.0)):
        away = np.hypot(*(central_sites(sites, wanted) - (sites - 1) / 2))
        assert away.max() == pytest.approx(largest)
        assert wanted == sum(x * x + y * y <= round(largest**2) for x in range(-9, 10) for y in range(-9, 10))


def test_founders_fill_the_middle_and_six_of_ten_are_mesenchymal():
    place, kind = place_founders(MetaSpread(), Chance(1, 0))
    assert np.bincount(kind).tolist() == [233, 155]
    sites, cells = np.unique(place, axis=1, return_counts=True)
    assert set(cells) == {4}
    assert {tuple(site) for site in sites.T} == {tuple(site) for site in central_sites(201, 97).T}


def test_vessels_keep_off_the_middle_and_the_border_of_the_primary():
    for seed in range(20):
        drawn, sites, first = place_vessels(small(), Chance(seed, 0))
        assert [np.diff(first).tolist(), (drawn[0] == 1).sum(), (drawn[0] == 2).sum()] == [[40, 10, 10], 20, 20]
        away = np.abs(sites[:, :40] - 12)
        assert away.max() <= 10
        assert not drawn[0][tuple(central_sites(25, 37))].any()


# ---- the run --------------------------------------------------------------------------------------------------------
def test_what_enters_the_blood_leaves_it_after_the_time_in_blood():
    result = simulate(small(), 3, 120, every=1)
    entered = result.entries["step"].to_numpy()
    assert len(entered) > 20
    leaving = result.course.set_index("step")["clusters in blood"]
    for step in range(1, 121):
        assert leaving[step] == ((entered >= step - 5) & (entered < step)).sum()


def test_generations_come_when_the_doubling_time_is_over():
    still = {"normal_vessels": q("0"), "ruptured_vessels": q("0")}
    course = simulate(small(**still, room=q("100")), 1, 61, every=1).course.set_index("step")
    m, e = course["mesenchymal cells in grid 1"], course["epithelial cells in grid 1"]
    assert [m[20], m[21], m[40], m[41], m[60]] == [36, 72, 72, 144, 144]
    assert [e[30], e[31], e[60], e[61]] == [24, 48, 48, 96]


def test_daughters_belong_to_the_founder_of_their_mother():
    run = simulate(small(), 1, 80).run
    cells = run.cells()
    kinds = np.repeat(["mesenchymal", "epithelial"], [36, 24])
    assert len(cells) > 80
    assert (kinds[cells["founder"]] == cells["type"]).all()


def test_no_site_holds_more_than_it_has_room_for_unless_vessels_are_exempt():
    crowded = {
        "doubling_time_mesenchymal": q("1000 s"),
        "doubling_time_epithelial": q("1000 s"),
        "ruptured_vessels": q("0"),
    }
    most = {}
    for legacy in ((), ("vessel capacity",)):
        run = MetaSpreadRun(small(**crowded, legacy=legacy), 5)
        most[legacy] = 0
        for _ in range(150):
            run.step()
            cells = run.cells().query("grid != 'blood'")
            most[legacy] = max(most[legacy], cells.groupby(["grid", "x", "y"]).size().max())
    assert most[()] == 4
    assert most["vessel capacity",] > 4


def test_the_account_of_cells_names_every_loss():
    one = (Destination(name="grid 2", share=q("1"), vessels=q("1")),)
    run = simulate(small(room=q("2"), founders=q("40"), destinations=one), 2, 400).run
    found = run.readouts()
    present = sum(
        found[f"{kind} cells in {place}"]
        for kind in ("mesenchymal", "epithelial")
        for place in ("grid 1", "grid 2", "blood")
    )
    assert found["cells without room"] > 0
    assert found["cells died in blood"] > 0
    assert 40 + found["cells born"] == present + found["cells died in blood"] + found["cells without room"]


def test_a_cell_that_vanishes_is_noticed():
    run = simulate(small(), 1, 40).run
    run._rows.n -= 1
    with pytest.raises(LedgerError, match="cells do not balance after step 41: 60 founders"):
        run.step()
    run = simulate(small(), 1, 40).run
    run._count[1, 0, 3, 4] += 1
    with pytest.raises(LedgerError, match=r"the first is site \(3, 4\) of grid 2: 1 mesenchymal cells noted, 0 there"):
        run.readouts()


def test_grids_without_secreting_cells_are_skipped_without_a_trace():
    lazy, eager = (MetaSpreadRun(small(), 4) for _ in range(2))
    for _ in range(150):
        lazy.step()
        eager._secreting[:] = True
        eager.step()
    assert len(lazy.arrivals()) > 3
    for name in ("mmp2", "matrix"):
        assert lazy.fields()[name].tobytes() == eager.fields()[name].tobytes()


def test_negative_probabilities_are_counted_whether_clipped_or_not():
    for legacy in (False, True):
        found = simulate(MetaSpread(legacy=legacy), 0, 1000).run.readouts()
        assert found["negative probabilities of epithelial cells"] > 1000
        assert found["negative probabilities of mesenchymal cells"] == 0


def test_the_published_count_of_all_cells_never_falls():
    honest, published = (simulate(small(legacy=legacy), 1, 40, every=1) for legacy in ((), ("total",)))
    present = honest.course[[f"{kind} cells in grid {g}" for kind in ("mesenchymal", "epithelial") for g in (1, 2, 3)]]
    np.testing.assert_array_equal(honest.course["all cells"], present.sum(axis=1))
    above = published.course["all cells"] - honest.course["all cells"]
    assert above.iloc[-1] > 0
    np.testing.assert_array_equal(above, honest.course["cells entered blood"])


def test_leaving_of_clusters_is_reversed_by_the_defect_only():
    always = {"leaving_cluster": q("1"), "survival_single": q("1"), "survival_cluster": q("1")}
    assert set(simulate(small(**always), 1, 100).arrivals["cells"]) == {1}
    assert set(simulate(small(**always, legacy=("disaggregation",)), 1, 100).arrivals["cells"]) > {1, 2}


def test_the_order_of_matrix_and_mmp2_is_that_of_the_settings():
    w = {}
    for legacy in ((), ("matrix order",)):
        run = simulate(small(legacy=legacy, matrix_digestion_cell=q("0 1/s")), 1, 1).run
        w[legacy] = run.fields("grid 1")["matrix"].min()
    assert w[()] == 1.0
    assert w["matrix order",] < 1.0


def test_mmp2_decays_by_the_clock_of_the_cells_in_the_released_program():
    total = {}
    for tick in ("200 s", "400 s"):
        still = small(tick=q(tick), legacy=("decay clock",), mmp2_decay=q("1e-3 1/s"), time_in_blood=q("2000 s"))
        run = simulate(still, 1, 1).run
        run.step()
        total[tick] = run.fields("grid 1")["mmp2"].sum()
    source = 36 * 200 * 4.875e-6
    assert total["200 s"] == pytest.approx(source * (2 - 0.2), rel=1e-12)
    assert total["400 s"] == pytest.approx(source * (2 - 0.4), rel=1e-12)


# ---- settings -------------------------------------------------------------------------------------------------------
def test_the_shipped_doubling_times_are_the_reverse_of_the_stated_ones():
    stated, shipped = (MetaSpread(legacy=legacy).values for legacy in (False, True))
    assert stated.doubling_time_mesenchymal == shipped.doubling_time_epithelial == pytest.approx(1.2e5 / 3600)
    assert stated.doubling_time_epithelial == shipped.doubling_time_mesenchymal == pytest.approx(8e4 / 3600)


@pytest.mark.parametrize(
    ("defect", "changed"),
    [
        ("negative probabilities", {"clip": 0}),
        ("vessel capacity", {"limited": 0}),
        ("disaggregation", {"leaving": 0.75}),
        ("matrix order", {"late": 1}),
        ("doubling times", {"doubling": (2000, 3000)}),
        ("total", {}),
    ],
)
def test_a_defect_changes_what_it_names_and_nothing_else(defect, changed):
    base = MetaSpread(leaving_cluster=q("0.25"))
    stated, copied = (vars(PerTick.of(dataclasses.replace(base, legacy=legacy))) for legacy in ((), (defect,)))
    healthy = {"clip": 1, "limited": 1, "leaving": 0.25, "late": 0, "doubling": (3000, 2000)}
    assert {name: stated[name] for name in healthy} == healthy
    assert {name for name in stated if str(stated[name]) != str(copied[name])} == set(changed)
    assert {name: copied[name] for name in changed} == changed


def test_a_doubling_time_that_is_given_stays():
    assert MetaSpread(
        legacy=True, doubling_time_mesenchymal=q("4e4 s")
    ).values.doubling_time_mesenchymal == pytest.approx(4e4 / 3600)


def test_default_numbers_are_the_published_ones():
    p = MetaSpread().values
    ours = (p.diffusion_mesenchymal, p.diffusion_epithelial, p.haptotaxis_mesenchymal, p.mmp2_diffusion)
    np.testing.assert_allclose(np.array(ours) * p.tick / p.spacing**2, [0.004, 0.002, 0.02, 0.04], rtol=1e-12)
    rates = (p.mmp2_secretion, p.mmp2_decay, p.matrix_digestion_cell, p.matrix_digestion_mmp2)
    np.testing.assert_allclose(np.array(rates) * p.tick, [1.95e-4, 1e-4, 1e-3, 1e-3], rtol=1e-12)


def test_every_number_has_a_basis_and_a_known_source():
    known = load_sources()
    rows = MetaSpread(legacy=True).parameters
    assert len(rows) == 31
    for name, row in rows:
        assert row.reason, name
        assert row.source, name
    assert set(MetaSpread().citations) == {"Franssen2019", "HernandezInostroza2024"} <= set(known)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"survival_single": q("-0.1")}, "survival_single = -0.1 must be a probability, from 0 to 1"),
        ({"survival_cluster": q("1.5")}, "survival_cluster = 1.5 must be a probability"),
        ({"founders": q("389")}, "founders = 389 do not fit on 97 sites with room for 4 cells each; at most 388 do"),
        ({"mmp2_diffusion": q("6.3e-9 cm**2/s")}, "the diffusion number of MMP-2 is 0.252, above 0.25 the explicit"),
        ({"diffusion_mesenchymal": q("1e-8 cm**2/s")}, "a mesenchymal cell could move with probability 1.6"),
        ({"matrix_digestion_cell": q("0.01 1/s")}, "digests 1.6 of its matrix in one step"),
        ({"doubling_time_mesenchymal": q("50 s")}, "doubling_time_mesenchymal is 1.25 ticks; it must be a whole number"),
        ({"field_tick": q("20 s")}, "tick = 40 s and field_tick = 20 s differ"),
        ({"normal_vessels": q("2.5")}, "normal_vessels = 2.5 must be a whole number of 0 or more"),
        ({"normal_vessels": q("40000")}, "40002 vessels do not fit into the primary grid"),
        ({"room": q("0")}, "room = 0 leaves no place for a cell"),
        ({"sites": q("2")}, "sites = 2 makes grids too small"),
        ({"founder_sites": q("50000")}, "founder_sites = 50000 is more than the 40401 sites of a grid"),
        ({"mmp2_decay": q("-1 1/s")}, "mmp2_decay = -1 1/s must not be negative"),
        ({"tick": q("0 s")}, "tick = 0 s must be above 0"),
        ({"room": 4}, r"room = 4 has no basis; name a parameter, or write quantity\("
                      r'"...", reason="..."\)'),
        ({"tick": q("40 um")}, "needed"),
        ({"legacy": ("vessel capcity",)}, "unknown defect 'vessel capcity'. Did you mean 'vessel capacity'?"),
        ({"destinations": ()}, "at least one grid must receive"),
        ({"primary": "grid 2"}, "grids: two have the same name: grid 2, grid 2, grid 3"),
        ({"destinations": (Destination(name="a", share=q("0.5")),)}, "the shares of the destinations add up to 0.5"),
        ({"destinations": (Destination(name="a", share=q("1"), vessels=q("0")),)}, "a has no vessel, so that nothing can"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_run_are_refused(changes, words):
    with pytest.raises(StudyError, match=words):
        MetaSpread(**changes)


def test_all_problems_are_named_at_once():
    with pytest.raises(StudyError) as caught:
        MetaSpread(survival_single=q("2"), room=q("0"), mmp2_diffusion=q("1e-8 cm**2/s"))
    assert len(caught.value.problems) >= 3


def test_unknown_grids_are_refused_with_the_nearest_name():
    run = MetaSpreadRun(small(), 1)
    for ask in (run.fields, run.vessels):
        with pytest.raises(UnknownNameError, match="Unknown grid 'grid 4'"):
            ask("grid 4")


def test_a_state_of_another_run_is_refused():
    state = MetaSpreadRun(small(), 1).state()
    for other in (MetaSpreadRun(small(), 2), MetaSpreadRun(small(), 1, 1), MetaSpreadRun(small(legacy=True), 1)):
        with pytest.raises(ResultError, match="restore it into a run of the same settings"):
            other.restore(state)


def test_steps_that_make_no_sense_are_refused():
    with pytest.raises(StudyError, match="steps = -1 must be 0 or more, every = 0 must be 1 or more"):
        simulate(small(), 1, -1, every=0)


def test_settings_are_frozen_and_say_which_defects_they_copy():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MetaSpread().legacy = True
    assert all(MetaSpread(legacy=True).has(name) for name in DEFECTS)
    assert not any(MetaSpread().has(name) for name in DEFECTS)
    assert (
        MetaSpread(tick=Named("metaspread_tick", "h")).digest
        == MetaSpread().digest
        != MetaSpread(legacy=("total",)).digest
    )


def test_the_page_about_the_model_runs_and_names_every_defect(capsys):
    page = Path(__file__).parents[2] / "docs" / "metaspread.md"
    if not page.is_file():
        pytest.skip("the documentation is not beside the tests")
    text = page.read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(compile(code, page.name, "exec"), names)
    assert names["released"].legacy is True
    assert "entries into blood" in capsys.readouterr().out
    assert set(re.findall(r"^\| `([a-z ]+)` \|", text, re.M)) == set(DEFECTS)
