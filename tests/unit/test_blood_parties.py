"""Parties in the blood: walked as the equations say, named once, counted to the cell, refused when they make no sense."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from circulations import ORGANS, small_biology, small_chain

from paget.body.blood import CAUSES, EFFECTS, Blood
from paget.body.blood.parties import exposed
from paget.body.blood.shedding import bounds
from paget.errors import IdentityError, LedgerError, ModelError, UnknownNameError
from paget.kernels import blood as kernel
from paget.kernels import reference_blood as twin
from paget.process import quantity

ROOT = Path(__file__).parents[2]
ALONE = {"aggregation": 0.0}
NEVER = quantity("0 1/h", reason="test")


def filled(n=200, seed=0, records=(), most=8, **biology):
    """Blood with parties of up to `most` cells from all organs, whose ids are scattered."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, most + 1, n)
    cells = int(size.sum())
    blood = Blood(small_chain(), small_biology(**biology), records)
    blood.shed(
        rng.uniform(-0.01, 0.01, n),
        rng.integers(0, 4, n),
        members=rng.permutation(cells).astype(np.uint64) * np.uint64(7919) + np.uint64(5),
        size=size,
        survival=rng.random(cells),
        mesenchymal=rng.random(cells),
        radius=rng.uniform(4.0, 8.0, n),
        tension=rng.uniform(0.3, 3.0, n),
        records=rng.random((len(records), cells)),
    )
    return blood


def body_of(blood, source):
    """The circulation and the numbers as the twin takes them."""
    chain, rates = blood.chain, blood.biology.rates()
    names = [name for name, value in vars(kernel).items() if name.isupper() and isinstance(value, int)]
    scalars = {name.lower(): rates.numbers[getattr(kernel, name)] for name in names[: kernel.NUMBERS]}
    beds = [
        dict(zip(("width", "spread", "pressure", "adhesion", "extravasation"), column, strict=True))
        for column in rates.beds.T.tolist()
    ]

    def ways(first, nodes, share, i):
        return [(int(nodes[k]), float(share[k])) for k in range(first[i], first[i + 1])]

    return twin.Body(
        numbers=scalars,
        beds=beds,
        transit=chain.transit.tolist(),
        organ=chain.organ.tolist(),
        ways=[ways(chain.start, chain.successor, chain.share, i) for i in range(len(chain.names))],
        exposure=exposed(chain).tolist(),
        entry=ways(chain.first[0], chain.entry, chain.entry_share, source),
    )


def test_the_twin_knows_all_numbers():
    scalars = body_of(filled(1), 0).numbers
    assert next(iter(scalars)) == "anoikis"
    assert list(scalars)[-1] == "trapping"
    assert len(scalars) == kernel.NUMBERS


@pytest.mark.parametrize("most", [1, 6, 30])
def test_parties_walk_as_the_equations_say(most):
    blood = filled(120, seed=most, most=most)
    for tick in range(3):
        before = blood.state()
        first = bounds(before["size"])
        there, events = [], []
        for i in range(before["name"].size):
            party = twin.Party(
                name=int(before["name"][i]),
                where=int(before["where"][i]),
                members=list(range(first[i], first[i + 1])),
                radius=before["radius"][i],
                tension=before["tension"][i],
                escort=bool(before["escort"][i]),
                seen=bool(before["seen"][i]),
                since=before["shed_at"][i] - 0.02 * tick,
            )
            one = twin.walk(
                party,
                body_of(blood, before["origin"][i]),
                before["cell"],
                before["survival"],
                before["mesenchymal"],
                0.02,
                np.uint64(9),
                tick,
            )
            there += one[0]
            events += one[1]
        passage = blood.advance(0.02 * tick, 0.02, 9, tick, effects=ALONE)
        after = blood.state()
        there.sort(key=lambda party: party.name)
        assert after["name"].tolist() == [party.name for party in there]
        assert after["where"].tolist() == [party.where for party in there]
        assert after["escort"].tolist() == [party.escort for party in there]
        assert after["cell"].tolist() == [before["cell"][m] for party in there for m in party.members]

        def of(what, events=events):
            return sorted((e[1:] for e in events if e[0] == what), key=lambda e: (e[0], e[1]))

        left, dead, held, broken = (of(what) for what in ("leave", "die", "arrest", "break"))
        out = passage.extravasations
        assert out.party.tolist() == [e[1] for e in left]
        assert out.organ.tolist() == [e[2] for e in left]
        assert out.cells.tolist() == [before["cell"][m] for e in left for m in e[3]]
        np.testing.assert_allclose(out.when - 0.02 * tick, [e[0] for e in left], rtol=0, atol=1e-12)
        causes = {"anoikis": 0, "shear": 1, "killer": 2}
        assert passage.deaths.cell.tolist() == [before["cell"][e[3]] for e in dead]
        assert passage.deaths.cause.tolist() == [causes[e[2]] for e in dead]
        assert passage.deaths.where.tolist() == [e[4] for e in dead]
        assert passage.arrests.party.tolist() == [e[1] for e in held]
        assert passage.arrests.organ.tolist() == [e[2] for e in held]
        assert passage.break_ups.part.tolist() == [e[2] for e in broken]
        assert passage.break_ups.size.tolist() == [e[3] for e in broken]
        assert dead
        assert held
        assert left


def test_every_cell_is_accounted_for_in_every_tick():
    blood = filled(300, most=12)
    cells = set(blood.cells.tolist())
    for tick in range(40):
        passage = blood.advance(0.01 * tick, 0.01, 3, tick, effects={"aggregation": 3e4})
        gone = passage.deaths.cell.tolist() + passage.extravasations.cells.tolist()
        now = blood.cells.tolist()
        assert len(now) + len(gone) == len(cells)
        assert set(now) | set(gone) == cells
        cells = set(now)
    blood.advance(0.4, 100.0, 3, 40)
    assert blood.cells.size == 0
    assert sum(blood.counts()) == 0


def test_a_lost_cell_is_an_error(monkeypatch):
    blood = filled(50)
    from paget.body.blood import parties

    def forget(*given):
        staying, passage = original(*given)
        return staying, passage._replace(deaths=passage.deaths._replace(cell=passage.deaths.cell[1:]))

    original = parties.passage_of
    monkeypatch.setattr(parties, "passage_of", forget)
    with pytest.raises(LedgerError, match="accounted for"):
        blood.advance(0.0, 0.1, 1, 0)


def test_a_cell_in_a_rigid_packing_has_up_to_six_bonds():
    assert [kernel.bonds(n) for n in (1, 2, 3, 4)] == [0.0, 1.0, 2.0, 3.0]
    assert kernel.bonds(10_000) == pytest.approx(6.0, abs=2e-3)


def held(size=1, radius=6.5, tension=1.0, escort=0, organ=0, **changes):
    rates = small_biology(**changes).rates()
    return kernel.caught(size, radius, tension, escort, organ, rates.numbers, rates.beds)


def test_a_rigid_cell_is_caught_by_every_capillary_narrower_than_itself():
    smooth = {"adhesion": {organ: quantity("0", reason="test") for organ in ORGANS}}
    rng = np.random.default_rng(1)
    variance = np.log1p((1.5 / 6.0) ** 2)
    widths = rng.lognormal(np.log(6.0) - variance / 2, np.sqrt(variance), 200_000)
    assert held(radius=3.3, tension=1e9, **smooth) == pytest.approx(np.mean(widths < 6.6), abs=4e-3)


def test_stiffer_larger_and_more_cells_are_caught_more_often():
    assert held(tension=0.5) < held(tension=1.0) < held(tension=5.0)
    assert held(radius=5.0) < held(radius=6.5) < held(radius=9.0)
    assert held(size=1) < held(size=4) < held(size=20) < held(size=21)
    assert held(radius=9.0, tension=8.0) > 0.99
    assert held(tension=0.2) < 0.02


def test_a_file_without_friction_passes_where_one_cell_does_and_a_ball_does_not():
    smooth = {"file_friction": quantity("0", reason="test")}
    assert held(size=20, **smooth) == held(size=1, **smooth)
    assert held(size=21, **smooth) > held(size=1, **smooth)
    assert held(size=27, radius=2.0, **smooth) == pytest.approx(
        held(size=1, radius=6.0, tension=1e9, **smooth), rel=1e-6
    )


def test_an_escort_helps_to_stick():
    sticky = {"adhesion": {"lung": quantity("0.5", reason="test")}, "tension": 0.01}
    lone = held(escort=0, radius=1.0, **sticky)
    assert lone == pytest.approx(1.0 - np.exp(-0.5), rel=1e-9)
    assert held(escort=1, radius=1.0, **sticky) == pytest.approx(1.0 - np.exp(-1.0), rel=1e-9)


def test_cells_with_a_full_signal_do_not_die_of_anoikis():
    blood = Blood(small_chain(), small_biology())
    blood.shed(np.zeros(300), "other", members=np.arange(600), size=np.full(300, 2), survival=np.tile([1.0, 0.2], 300))
    deaths = blood.advance(0.0, 5.0, 1, 0, effects=ALONE).deaths
    by_anoikis = deaths.cell[deaths.cause == CAUSES.index("anoikis")]
    assert by_anoikis.size > 50
    assert np.all(by_anoikis % 2 == 1)


def test_neither_shear_nor_killers_reach_lymph():
    chain = small_chain()
    assert [name for name, on in zip(chain.names, exposed(chain), strict=True) if not on] == ["lymph"]
    blood = Blood(chain, small_biology(anoikis="0 1/h"))
    blood.shed(np.zeros(2000), "other", "lymph", members=np.arange(2000))
    deaths = blood.advance(0.0, 0.05, 1, 0, effects={**ALONE, "shear": 50.0, "nk_killing": 50.0}).deaths
    assert deaths.cell.size
    assert not np.any(deaths.where == chain.names.index("lymph"))


def test_the_part_with_the_cell_that_names_the_party_keeps_the_name():
    cells = np.array([40, 10, 30, 20, 50], np.uint64)
    for first in range(1, 5):
        order = np.arange(5)
        stay, other = kernel.cut(order, cells, 0, 5, first, np.uint64(10))
        members = [cells[order[:stay]].tolist(), cells[order[stay:]].tolist()]
        assert 10 in members[0]
        assert other == min(members[1])
        assert sorted(members, key=len) == sorted([cells[:first].tolist(), cells[first:].tolist()], key=len)


def test_no_two_parties_ever_share_a_name():
    blood = filled(200, most=12, anoikis="0 1/h", break_up="60 1/h")
    names = set(blood.state()["name"].tolist())
    for tick in range(6):
        passage = blood.advance(0.02 * tick, 0.02, 5, tick, effects={"aggregation": 1e5})
        parts = passage.break_ups.part.tolist()
        joined = set(passage.aggregations.joined.tolist())
        assert parts
        assert joined
        now = blood.state()["name"].tolist()
        assert len(set(now)) == len(now)
        assert set(now) <= names | set(parts)
        assert not joined & set(now)
        names = set(now)


def test_a_party_enters_at_its_time_and_not_before():
    blood = Blood(small_chain(), small_biology())
    blood.shed([0.5, 1.5], "other", members=[1, 2])
    blood.advance(0.0, 0.4, 1, 0)
    assert blood.counts().single == 2
    assert blood.state()["where"].tolist() == [-1, -1]
    passage = blood.advance(0.4, 0.6, 1, 1)
    assert blood.state()["where"][-1] == -1
    assert np.all(np.concatenate([passage.arrests.when, passage.deaths.when, passage.extravasations.when]) > 0.5)


def test_the_first_arrest_of_a_party_is_told_once():
    blood = Blood(small_chain(), small_biology(detachment="500 1/h", anoikis="0 1/h", break_up="0 1/h"))
    blood.shed(np.zeros(100), "other", members=np.arange(100), tension=8.0, radius=9.0)
    told = np.concatenate([blood.advance(0.02 * i, 0.02, 1, i, effects=ALONE).arrests.party for i in range(5)])
    assert np.unique(told).size == told.size > 90


def test_records_travel_with_their_cells():
    blood = filled(150, records=("cell.clone", "cell.founder"), most=6)
    state = blood.state()
    carried = dict(zip(state["cell"].tolist(), state["records"].T.tolist(), strict=True))
    for tick in range(30):
        passage = blood.advance(0.02 * tick, 0.02, 1, tick, effects={"aggregation": 3e4})
        for cells, records in (
            (passage.deaths.cell, passage.deaths.records),
            (passage.extravasations.cells, passage.extravasations.records),
            (blood.cells, blood.state()["records"]),
        ):
            assert [carried[cell] for cell in cells.tolist()] == records.T.tolist()


def test_parties_meet_as_often_as_pairs_do():
    met = [kernel.meetings(40, 1e-3, 0.2, np.uint64(3), step)[0].size for step in range(4000)]
    expected = 1e-3 * 0.2 * 40 * 39 / 2  # few enough that the falling number of pairs matters little
    assert np.mean(met) == pytest.approx(expected, abs=4 * np.sqrt(expected / 4000))
    when, pair = kernel.meetings(5, 1e9, 1.0, np.uint64(3), 0)
    assert when.size == 4
    assert np.all(pair[:, 0] != pair[:, 1])
    assert np.all(pair.max(axis=1) < [5, 4, 3, 2])


def test_what_joins_keeps_the_lower_name_and_all_cells():
    blood = Blood(small_chain(), small_biology())
    blood.shed(np.full(3, 0.0), "other", members=[7, 3, 9, 5], size=[1, 2, 1], radius=[4.0, 6.0, 8.0])
    passage = blood.advance(0.0, 1e-6, 1, 0, effects={"aggregation": 1e12})
    state = blood.state()
    assert state["name"].tolist() == [3]
    assert sorted(state["cell"].tolist()) == [3, 5, 7, 9]
    assert state["radius"][0] == pytest.approx((4.0 + 2 * 6.0 + 8.0) / 4)
    assert passage.aggregations.size[-1] == 4


def test_an_effect_acts_on_what_it_names():
    closed = filled(200).advance(0.0, 1.0, 1, 0, effects={**ALONE, "extravasation:lung": 0.0}).extravasations
    assert closed.organ.size
    assert ORGANS.index("lung") not in closed.organ
    safe = filled(200).advance(0.0, 1.0, 1, 0, effects={**ALONE, "nk_killing": 0.0, "shear": 0.0}).deaths
    assert set(safe.cause.tolist()) == {CAUSES.index("anoikis")}


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ({"nk_kiling": 1.0}, "Did you mean 'nk_killing'"),
        ({"adhesion:lungs": 1.0}, "Did you mean 'lung'"),
        ({"shear:lung": 1.0}, "Unknown effect"),
        ({"shear": -1.0}, "0 or more"),
    ],
)
def test_an_effect_that_makes_no_sense_is_refused(effects, words):
    with pytest.raises((UnknownNameError, ModelError), match=words):
        filled(3).advance(0.0, 0.1, 1, 0, effects=effects)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"origin": "lungs"}, "Did you mean 'lung'"),
        ({"origin": 4}, "index from 0 to 3"),
        ({"origin": "lung", "medium": "lymph"}, "no lymph drains lung"),
        ({"medium": "air"}, "Unknown medium"),
        ({"size": [3]}, "cannot be made of 2 members"),
        ({"size": [0]}, "cannot be made of 2 members"),
        ({"survival": 1.5}, "survival is a share"),
        ({"tension": 0.0}, "tension of every party must be more than 0"),
        ({"records": np.zeros((2, 2))}, r"records must be \[1, 2\]"),
        ({"when": np.nan}, "must be finite"),
    ],
)
def test_parties_that_make_no_sense_are_refused(given, words):
    blood = Blood(small_chain(), small_biology(), ("cell.clone",))
    call = {"when": 0.0, "origin": "other", "members": [1, 2], "size": [2], "records": np.zeros((1, 2))} | given
    with pytest.raises((UnknownNameError, ModelError), match=words):
        blood.shed(call.pop("when"), call.pop("origin"), call.pop("medium", "blood"), **call)


def test_no_id_enters_twice():
    blood = Blood(small_chain(), small_biology())
    blood.shed(0.0, "other", members=[1, 2], size=[2])
    with pytest.raises(IdentityError, match="cell with id 2"):
        blood.shed(0.0, "other", members=[2, 3], size=[2], ids=[9])
    with pytest.raises(IdentityError, match="same id"):
        blood.shed([0.0, 0.0], "other", members=[4, 4])


def test_a_state_that_does_not_fit_is_refused():
    blood = filled(5)
    state = blood.state()
    with pytest.raises(ModelError, match="lacks escort"):
        blood.restore({key: values for key, values in state.items() if key != "escort"})
    with pytest.raises(ModelError, match="does not fit: size"):
        blood.restore({**state, "size": state["size"] + 1})
    with pytest.raises(ModelError, match="does not fit: radius"):
        blood.restore({**state, "radius": state["radius"][1:]})


def test_all_wrong_numbers_of_a_biology_are_told_at_once():
    with pytest.raises(ModelError) as error:
        small_biology(bond_masking="1.5", radius="0 um", shear="-1 1/h")
    assert len(error.value.problems) == 3
    with pytest.raises(UnknownNameError, match="Did you mean 'lung'"):
        small_biology(adhesion={"lungs": quantity("1", reason="test")})


def test_blood_of_another_body_is_refused():
    with pytest.raises(ModelError, match="not of one body"):
        Blood(small_chain()._replace(organs=("lung", "liver", "gut", "brain")), small_biology())


def test_signals_of_networks_are_taken_over():
    blood = filled(10)
    blood.signal(survival=np.full(blood.cells.size, 0.75))
    assert np.all(blood.state()["survival"] == 0.75)
    with pytest.raises(ModelError, match="share from 0 to 1"):
        blood.signal(mesenchymal=np.full(3, 0.5))


def test_a_biology_names_every_number_that_it_uses():
    biology = small_biology(shear="0.3 1/h")
    assert len(set(biology.parameters)) == len(biology.parameters)
    keys = [row.key for row in biology.parameters]
    assert biology.shear in biology.parameters
    assert {"ctc_aggregation", "ctc_radius", "ctc_pressure_liver", "ctc_adhesion_other"} <= set(keys)
    assert "ctc_shear_death" not in keys


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is not beside the tests")
def test_the_page_about_blood_runs_and_names_all_effects(capsys):
    page = (ROOT / "docs" / "blood.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
    exec(block, {})
    assert "Counts(single=" in capsys.readouterr().out
    assert all(f"`{effect}`" in page for effect in EFFECTS)
