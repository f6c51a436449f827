"""The pre-metastatic niche answers to what the tumour secretes, and gives way to what blocks it."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paget.body.anatomy import mouse
from paget.body.compartments import Compartments
from paget.body.messengers import EXOSOMES, MYELOID, PROGENITORS, compartments_of, messengers
from paget.body.niche import STATES, TARGETS, Niche, therapy
from paget.body.secretion import Secretion
from paget.errors import ModelError, StudyError, UnknownNameError
from paget.evidence import load_parameters

TABLE = load_parameters("niche")
ORGANS = ("lung", "liver", "brain", "other")
PAGE = Path(__file__).parents[2] / "docs" / "niche.md"


def body() -> tuple[Compartments, Niche]:
    return Compartments(messengers(ORGANS), compartments_of(mouse(), ORGANS), TABLE), Niche(ORGANS, table=TABLE)


def grown(interventions=None, days: float = 14.0, cells: float = 5e8, dt: float = 4.0):
    """A body with a tumour of constant size for some days."""
    interventions = interventions or {}
    compartments, niche = body()
    sources = Secretion(TABLE).amounts({"primary": cells}, hypoxic={"primary": 0.3}, interventions=interventions)
    for _ in range(round(24.0 * days / dt)):
        factors = niche.factors(compartments, interventions)
        compartments.advance(dt, sources, factors)
        niche.advance(dt, compartments, interventions)
    return compartments, niche, niche.effects(compartments, interventions)


@pytest.fixture(scope="module")
def untreated():
    return grown()


def test_a_healthy_body_has_no_niche_and_no_effects():
    compartments, niche = body()
    for _ in range(50):
        compartments.advance(6.0, {}, niche.factors(compartments))
        niche.advance(6.0, compartments)
    assert (niche.table().to_numpy() == 0.0).all()
    assert niche.effects(compartments) == pytest.approx(dict.fromkeys(niche.effects(compartments), 1.0), rel=1e-6)


def test_a_tumour_prepares_organs_and_the_lung_most(untreated):
    _, niche, effects = untreated
    for state in STATES:
        assert niche.level("lung", state) > niche.level("liver", state) > niche.level("brain", state) > 0.0
    for role in ("adhesion", "extravasation", "establishment"):
        assert effects[f"{role}:lung"] > effects[f"{role}:brain"] > 1.0
    assert effects["nk_killing"] < 1.0


@pytest.mark.parametrize(
    ("name", "lowered"),
    [
        ("anti-VEGFR1 antibody", ("establishment:lung",)),
        ("LOX inhibitor", ("adhesion:lung", "extravasation:lung", "establishment:lung")),
        ("RAB27A RNA interference", ("adhesion:lung", "extravasation:lung", "establishment:lung")),
        ("anti-S100A8/S100A9 antibodies", ("extravasation:lung", "establishment:lung")),
        ("anti-CCL2 antibody", ("extravasation:lung", "establishment:lung")),
        ("plerixafor", ("adhesion:lung",)),
    ],
)
def test_each_intervention_lowers_what_its_target_raises(untreated, name, lowered):
    treated = grown(therapy(name, TABLE))[2]
    for effect in lowered:
        assert treated[effect] < untreated[2][effect] - 1e-3, effect
    if name == "anti-CCL2 antibody":
        assert treated["nk_killing"] > untreated[2]["nk_killing"]


def test_without_vegfr1_there_are_no_clusters(untreated):
    _, niche, _ = grown(therapy("anti-VEGFR1 antibody", TABLE))
    assert untreated[1].level("lung", "clusters") > 0.2
    assert all(niche.level(organ, "clusters") == 0.0 for organ in ORGANS)


def test_plerixafor_lets_marrow_cells_into_blood_within_a_day():
    compartments = grown(therapy("plerixafor", TABLE), days=1.0, cells=0.0)[0]
    for cells in (PROGENITORS, MYELOID):
        assert compartments.level(cells, "plasma") > 1.5 * compartments.healthy_level(cells, "plasma")
        assert compartments.level(cells, "marrow") < compartments.healthy_level(cells, "marrow")


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(TARGETS)), st.floats(0.0, 1.0)),
    st.floats(0.0, 1e13),
    st.floats(0.1, 100.0),
)
def test_states_stay_between_none_and_full_and_effects_in_their_ranges(interventions, cells, dt):
    compartments, niche = body()
    sources = Secretion(TABLE).amounts({"primary": cells}, interventions=interventions)
    for _ in range(10):
        compartments.advance(dt, sources, niche.factors(compartments, interventions))
        niche.advance(dt, compartments, interventions)
    states = niche.table().to_numpy()
    assert (states >= 0.0).all()
    assert (states <= 1.0).all()
    for name, value in niche.effects(compartments, interventions).items():
        assert 0.0 <= value < 20.0, name
    assert 0.4 - 1e-12 <= niche.effects(compartments, interventions)["nk_killing"] <= 1.0


def test_a_state_relaxes_to_its_drive_exactly():
    compartments, niche = body()
    compartments.give(EXOSOMES, "lung", 1e11 * compartments.volumes[compartments.places.index("lung")])  # the half
    niche.advance(30.0, compartments)
    assert math.isclose(niche.level("lung", "leak"), 0.5 * (1.0 - math.exp(-30.0 / 12.0)), rel_tol=1e-12)


def test_halving_the_tick_halves_the_error():
    levels = [grown(days=5.0, dt=dt)[1].table().to_numpy() for dt in (4.0, 2.0, 1.0)]
    first, second = (np.abs(a - b).max() for a, b in itertools.pairwise(levels))
    assert 1.7 < first / second < 2.3
    assert second < 0.01


def test_a_run_goes_on_from_its_state_with_the_same_bits(untreated):
    compartments, niche, effects = untreated
    again, soil = body()
    again.restore(compartments.state())
    soil.restore(niche.state())
    assert soil.effects(again) == effects
    with pytest.raises(ModelError, match="4 organs"):
        soil.restore({"niche": np.zeros((2, 4))})


def test_unknown_targets_organs_and_therapies_are_refused_by_name():
    compartments, niche = body()
    with pytest.raises(UnknownNameError, match="Did you mean 'VEGFR1'"):
        niche.effects(compartments, {"VEGFR": 0.0})
    with pytest.raises(StudyError, match="'LOX' is left at -1"):
        niche.advance(1.0, compartments, {"LOX": -1.0})
    with pytest.raises(UnknownNameError, match="plerixafor"):
        therapy("plerixafr", TABLE)
    with pytest.raises(UnknownNameError):
        niche.level("spleen", "leak")
    with pytest.raises(UnknownNameError, match="fibronectin"):
        niche.level("lung", "fibronectine")
    with pytest.raises(ModelError, match="'lung' is given twice"):
        Niche(("lung", "lung"), table=TABLE)
    with pytest.raises(ModelError, match="no compartment 'spleen'"):
        Niche(("spleen",), table=TABLE).advance(1.0, compartments)


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")
def test_the_example_of_the_page_runs():
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    names: dict[str, object] = {}
    exec(compile(code, "niche.md", "exec"), names)
    assert names["effects"]["establishment:lung"] > 1.0
    assert len(names["book"]) == len(names["compartments"].names)
