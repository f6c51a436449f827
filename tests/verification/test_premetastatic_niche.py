"""The pre-metastatic niche: compartments against closed forms and solvers, interventions against the directions published."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from paget.body.anatomy import mouse
from paget.body.compartments import Compartments
from paget.body.drugs import BodyDrugs
from paget.body.messengers import EXOSOMES, MYELOID, PROGENITORS, S100, compartments_of, messengers
from paget.body.niche import Niche, therapy
from paget.body.secretion import Secretion
from paget.body.species import Clearance, Compartment, Species, Transfer
from paget.body.stroma import StromaBiology
from paget.catalogue import build_model, load_study
from paget.catalogue.drugs import kinetics
from paget.engine.chance import Chance
from paget.engine.simulate import run_animal
from paget.evidence import load_parameters
from paget.process import quantity
from paget.results.memory import MemoryRecorder

TABLE = load_parameters("niche")
ORGANS = ("lung", "liver", "bone marrow", "brain", "lymph node", "other")
GROWTH, START, HYPOXIC = 0.25 / 24.0, 1e6, 0.3  # a mouse tumour that doubles in three days, as in the lung study
LIMIT = 2e9  # cells of a tumour at the humane limit


def tumour(hours: float) -> float:
    """Cells of the primary tumour, along a logistic curve."""
    return LIMIT / (1.0 + (LIMIT / START - 1.0) * np.exp(-GROWTH * hours))


def body(content=None, table=TABLE) -> tuple[Compartments, Niche]:
    species = messengers(ORGANS, content)
    return Compartments(species, compartments_of(mouse(), ORGANS), table), Niche(ORGANS, table=table)


class Course:
    """A body with a growing tumour: levels, states and effects of every day."""

    def __init__(self, days: int = 35, interventions=None, content=None, dt: float = 2.0, hypoxic: float = HYPOXIC):
        left = interventions or {}
        self.compartments, self.niche = body(content)
        secretion = Secretion(TABLE)
        self.days = np.arange(days + 1)
        self.levels: dict[tuple[str, str], list[float]] = {}
        self.states: dict[tuple[str, str], list[float]] = {}
        self.effects: dict[str, list[float]] = {}
        self.imbalance: list[np.ndarray] = []
        steps = round(24.0 / dt)
        for tick in range(days * steps + 1):
            if tick % steps == 0:
                self._note(left)
            cells = {"primary": float(tumour(tick * dt))}
            sources = secretion.amounts(cells, hypoxic={"primary": hypoxic}, interventions=left)
            self.compartments.advance(dt, sources, self.niche.factors(self.compartments, left))
            self.niche.advance(dt, self.compartments, left)

    def _note(self, left) -> None:
        for species in self.compartments.names:
            for place in self.compartments.places:
                level = self.compartments.level(species, place)
                self.levels.setdefault((species, place), []).append(level)
        for organ, row in self.niche.table().iterrows():
            for state, value in row.items():
                self.states.setdefault((organ, state), []).append(value)
        for name, value in self.niche.effects(self.compartments, left).items():
            self.effects.setdefault(name, []).append(value)
        book = self.compartments.book()
        entered = book[["initial", "given", "secreted", "born"]].sum(axis=1).to_numpy()
        off = entered - book[["held", "cleared", "handed"]].sum(axis=1).to_numpy()
        self.imbalance.append(np.abs(off) / np.maximum(entered, 1e-300))

    def arrivals(self, organ: str) -> np.ndarray:
        """Cells that settle per day, up to a constant: the tumour's size times what the niche does in the organ."""
        chance = np.prod(
            [self.effects[f"{role}:{organ}"] for role in ("adhesion", "extravasation", "establishment")], 0
        )
        return np.asarray(tumour(24.0 * self.days) * chance)


@functools.cache
def course(name: str = "", **more) -> Course:
    return Course(interventions=therapy(name, TABLE) if name else None, **more)


def number(text: str):
    return quantity(text, reason="made for a test")


# ---- numerics -----------------------------------------------------------------------------------------------------
def test_a_chain_of_compartments_follows_its_closed_form(gallery):
    """A dose passes depot, plasma, organ; amounts are sums of exponentials (Bateman 1910)."""
    k = np.array([0.9, 0.35, 0.08])
    names = ("depot", "plasma", "organ")
    rates = [number(f"{rate} 1/h") for rate in k]
    chain = Species(
        name="A",
        title="A",
        kind="factor",
        transfers=tuple(Transfer(source=names[i], target=names[i + 1], rate=rates[i]) for i in range(2)),
        clearances=(Clearance(compartment="organ", rate=rates[2]),),
    )
    found = Compartments([chain], [Compartment(n, number("1 mL")) for n in names], TABLE)
    found.give("A", "depot", 1.0)
    hours = np.arange(0.0, 49.0, 1.0)
    computed = [[found.amount("A", n) for n in names]]
    for _ in hours[1:]:
        found.advance(1.0, {})
        computed.append([found.amount("A", n) for n in names])

    def exact(times, i):
        others = [np.prod([k[m] - k[j] for m in range(i + 1) if m != j]) for j in range(i + 1)]
        return np.prod(k[:i]) * sum(np.exp(-k[j] * times) / others[j] for j in range(i + 1))

    error = max(np.abs(np.array(computed)[:, i] - exact(hours, i)).max() for i in range(3))
    assert error < 1e-13  # rounding
    text = f"Largest difference from the sums of exponentials: {error:.1e} of the dose, at ticks of one hour."
    with gallery("niche-chain", title="A chain of compartments", text=text) as axes:
        fine = np.linspace(0.0, hours[-1], 500)
        for i, name in enumerate(names):
            (line,) = axes.plot(fine, exact(fine, i), label=f"{name}, closed form")
            axes.plot(hours[::3], np.array(computed)[::3, i], "o", ms=4, color=line.get_color())
        axes.set(xlabel="time (h)", ylabel="share of the dose")
        axes.legend()


def _right_hand_side(compartments: Compartments, niche: Niche, sources) -> callable:
    """The full equations of compartments and niche as one vector field, from their own generators and drives."""
    shape, cut = compartments.state()["amounts"].shape, compartments.state()["amounts"].size
    n = shape[1]

    def slope(_, y):
        amounts = y[:cut].reshape(shape)
        state = compartments.state()
        state["amounts"] = amounts
        compartments.restore(state)
        niche.restore({"niche": y[cut:].reshape(-1, 4)})
        factors = niche.factors(compartments)
        entering = compartments._entering(sources)
        change = np.empty(shape)
        for i in range(shape[0]):
            made = entering[i] + compartments._produced(i, amounts, factors)
            change[i] = compartments._generator(i, amounts, factors)[:n, :n] @ amounts[i] + made
        drives = niche._drives(compartments, lambda _: 1.0)
        soil = (drives - niche._state) / niche._times
        return np.concatenate([change.ravel(), soil.ravel()])

    return slope


def test_compartments_and_niche_agree_with_a_stiff_solver_at_first_order(gallery):
    sources = Secretion(TABLE).amounts({"primary": 5e8}, hypoxic={"primary": HYPOXIC})
    compartments, niche = body()
    start = np.concatenate([compartments.state()["amounts"].ravel(), niche.state()["niche"].ravel()])
    hours = 96.0
    solved = solve_ivp(
        _right_hand_side(compartments, niche, sources), (0.0, hours), start, method="LSODA", rtol=1e-9, atol=1e-9
    )
    exact = solved.y[-4 * len(ORGANS) :, -1].reshape(-1, 4)
    ticks, errors = (8.0, 4.0, 2.0, 1.0, 0.5), []
    for dt in ticks:
        compartments, niche = body()
        for _ in range(round(hours / dt)):
            compartments.advance(dt, sources, niche.factors(compartments))
            niche.advance(dt, compartments)
        errors.append(float(np.abs(niche.state()["niche"] - exact).max()))
    order = np.polyfit(np.log(ticks), np.log(errors), 1)[0]
    assert 0.85 < order < 1.15
    assert errors[2] < 0.01  # at the tick of 2 h, one hundredth of the range of a state
    text = (
        f"States of the niche after four days, against LSODA at a relative tolerance of 1e-9: the largest difference is "
        f"{errors[2]:.4f} at ticks of 2 h and falls with the power {order:.2f} of the tick."
    )
    with gallery("niche-convergence", title="Niche and compartments against a stiff solver", text=text) as axes:
        axes.loglog(ticks, errors, "o-", label="largest difference of a state")
        axes.loglog(ticks, errors[-1] * np.array(ticks) / ticks[-1], "--", color="grey", label="first order")
        axes.set(xlabel="tick (h)", ylabel="difference")
        axes.legend()


def test_the_books_of_all_species_balance_for_two_months(gallery):
    found = course(days=60)
    off = np.array(found.imbalance)
    assert off.max() < 1e-11  # a hundred times below the 1e-9 at which the ledger raises
    text = (
        f"Entered less held, cleared and handed over, relative to what entered: at most {off.max():.1e} in 60 days "
        "for every factor, exosomes, and cells of the marrow."
    )
    with gallery("niche-balance", title="What enters the body is accounted for", text=text) as axes:
        for i, name in enumerate(found.compartments.names):
            axes.semilogy(found.days[1:], np.maximum(off[1:, i], 1e-18), lw=1, label=name)
        axes.axhline(1e-9, color="black", ls="--", lw=1)
        axes.set(xlabel="time (day)", ylabel="relative imbalance", ylim=(1e-18, 1e-5))
        axes.legend(fontsize=6, ncol=2)


# ---- biology ------------------------------------------------------------------------------------------------------
def test_clusters_come_before_tumour_cells_and_go_with_vegfr1(gallery):
    """Kaplan 2005: VEGFR1+ progenitors cluster before tumour cells arrive; an antibody abolishes clusters and metastasis."""
    free, treated = course(), course("anti-VEGFR1 antibody")
    clusters = np.array(free.states["lung", "clusters"])
    settled, prevented = (np.cumsum(c.arrivals("lung")) for c in (free, treated))
    scale = settled[-1]
    half_clusters = np.interp(0.5 * clusters[-1], clusters, free.days)
    half_settled = np.interp(0.5 * scale, settled, free.days)
    assert half_clusters < half_settled - 3.0  # days before
    assert max(treated.states["lung", "clusters"]) == 0.0
    left = prevented[-1] / scale
    assert left < 0.5
    text = (
        f"Clusters of the lung reach half of their final state on day {half_clusters:.0f}, half of the tumour cells that "
        f"settle in the lung have come by day {half_settled:.0f}. Anti-VEGFR1: no clusters, and {100 * left:.0f} % of the "
        "cells settle, which is what leaves the other parts of the niche in place (Kaplan 2005 found none; direction "
        "agrees, size rests on assumed gains)."
    )
    with gallery("niche-kaplan", title="Clusters before tumour cells", text=text, panels=2) as (left_axes, right_axes):
        left_axes.plot(free.days, clusters, label="clusters")
        left_axes.plot(free.days, settled / scale, label="tumour cells settled (share of final)")
        left_axes.set(xlabel="time (day)", title="untreated", ylim=(0, 1.05))
        left_axes.legend()
        right_axes.plot(free.days, treated.states["lung", "clusters"], label="clusters")
        right_axes.plot(free.days, prevented / scale, label="tumour cells settled (of untreated)")
        right_axes.set(xlabel="time (day)", title="anti-VEGFR1", ylim=(0, 1.05))
        right_axes.legend()


def test_integrins_on_exosomes_choose_the_organ(gallery):
    """Hoshino 2015: a6b4 and a6b1 go with the lung, avb5 with the liver; without them uptake and metastasis fall."""

    def carrying(**share: float):
        names = {"a6b4": "ITGA6:ITGB4", "a6b1": "ITGA6:ITGB1", "avb5": "ITGAV:ITGB5"}
        return Course(28, content={names[k]: number(f"{v} ") for k, v in share.items()})

    kinds = {
        "none": carrying(),
        "a6b4": carrying(a6b4=1.0),
        "a6b1": carrying(a6b1=1.0),
        "avb5": carrying(avb5=1.0),
    }
    kinds["a6b4, knocked out"] = Course(28, {"ITGA6:ITGB4": 0.0}, {"ITGA6:ITGB4": number("1 ")})
    uptake = {k: [c.levels[EXOSOMES, o][-1] for o in ("lung", "liver")] for k, c in kinds.items()}
    niche = {k: [c.effects[f"extravasation:{o}"][-1] for o in ("lung", "liver")] for k, c in kinds.items()}
    for integrin in ("a6b4", "a6b1"):
        assert uptake[integrin][0] > 5.0 * uptake["none"][0]
        assert niche[integrin][0] > 1.2 * niche[integrin][1]
    assert uptake["avb5"][1] > 5.0 * uptake["none"][1]
    assert niche["avb5"][1] > 1.2 * niche["avb5"][0]
    assert uptake["a6b4, knocked out"] == pytest.approx(uptake["none"], rel=0.02)
    text = (
        f"Exosomes held per mL on day 28, over those without integrins: a6b4 {uptake['a6b4'][0] / uptake['none'][0]:.1f} "
        f"in lung and {uptake['a6b4'][1] / uptake['none'][1]:.1f} in liver, avb5 "
        f"{uptake['avb5'][0] / uptake['none'][0]:.1f} and {uptake['avb5'][1] / uptake['none'][1]:.1f}. The niche forms "
        "where they are taken up (directions of Hoshino 2015; the uptake rate is assumed)."
    )
    with gallery("niche-integrins", title="The integrin code of exosomes", text=text, panels=2) as both:
        where = np.arange(len(kinds))
        for axes, found, label in zip(
            both, (uptake, niche), ("exosomes held (1/mL)", "gain of extravasation"), strict=True
        ):
            for i, organ in enumerate(("lung", "liver")):
                axes.bar(where + 0.4 * i - 0.2, [v[i] for v in found.values()], 0.4, label=organ)
            axes.set_xticks(where, [k.replace(", ", ",\n") for k in kinds], fontsize=8)
            axes.set_ylabel(label)
            axes.legend()


def test_hypoxia_prepares_the_lung_through_lox(gallery):
    """Erler 2009: LOX of hypoxic tumour cells crosslinks collagen and brings CD11b+ cells; its inhibition prevents both."""
    arms = {"normoxic": Course(hypoxic=0.0), "hypoxic": course(), "hypoxic, LOX inhibited": course("LOX inhibitor")}
    crosslinks = {k: c.states["lung", "crosslinks"] for k, c in arms.items()}
    myeloid = {
        k: np.array(c.levels[MYELOID, "lung"]) / c.compartments.healthy_level(MYELOID, "lung") for k, c in arms.items()
    }
    assert crosslinks["hypoxic"][21] > 1.2 * crosslinks["normoxic"][21]  # later, LOX saturates without hypoxia too
    assert crosslinks["hypoxic, LOX inhibited"][-1] < 0.5 * crosslinks["hypoxic"][-1]
    assert myeloid["hypoxic, LOX inhibited"][-1] < 0.5 * myeloid["hypoxic"][-1]
    drop = 1.0 - myeloid["hypoxic, LOX inhibited"][-1] / myeloid["hypoxic"][-1]
    text = (
        f"LOX inhibition takes crosslinks of the lung from {crosslinks['hypoxic'][-1]:.2f} to "
        f"{crosslinks['hypoxic, LOX inhibited'][-1]:.2f} and its CD11b+ cells down by {100 * drop:.0f} % on day 35. Erler 2009 "
        "found recruitment prevented; what is left here comes from the rise of these cells in blood under CSF3."
    )
    with gallery("niche-lox", title="Hypoxia, LOX and CD11b+ cells", text=text, panels=2) as (left_axes, right_axes):
        for name in arms:
            left_axes.plot(arms[name].days, crosslinks[name], label=name)
            right_axes.plot(arms[name].days, myeloid[name], label=name)
        left_axes.set(xlabel="time (day)", ylabel="crosslinks of the lung")
        right_axes.set(xlabel="time (day)", ylabel="CD11b+ cells of the lung over healthy")
        left_axes.legend()


def test_plerixafor_frees_marrow_cells_and_loosens_tumour_cells_where_cxcl12_is(gallery):
    """CXCR4 antagonists mobilise progenitors within hours (their clinical use) and hinder homing (Muller 2001)."""
    left = therapy("plerixafor", TABLE)
    compartments, niche = body()
    hours, folds = np.arange(0.0, 25.0, 1.0), []
    for _ in hours:
        folds.append(compartments.level(PROGENITORS, "plasma") / compartments.healthy_level(PROGENITORS, "plasma"))
        compartments.advance(1.0, {}, niche.factors(compartments, left))
    effects = niche.effects(compartments, left)
    held = {organ: effects[f"adhesion:{organ}"] for organ in ORGANS}
    assert folds[6] > 2.0
    assert held["bone marrow"] < held["lung"] == held["liver"] < held["brain"] < held["other"] == 1.0
    text = (
        f"Progenitors in blood rise {folds[6]:.1f} fold within six hours of a saturating dose; tumour cells stick "
        f"{held['bone marrow']:.2f} times as well in marrow, {held['lung']:.2f} in lung and liver, {held['other']:.0f} where "
        "no CXCL12 is named (directions; the sizes rest on assumed shares)."
    )
    with gallery("niche-plerixafor", title="Plerixafor", text=text, panels=2) as (left_axes, right_axes):
        left_axes.plot(hours, folds)
        left_axes.set(xlabel="time (h)", ylabel="progenitors in blood over healthy", ylim=(0, None))
        right_axes.bar(list(held), list(held.values()))
        right_axes.tick_params(axis="x", rotation=30)
        right_axes.set_ylabel("adhesion of tumour cells")


def test_factors_exosomes_cells_and_niche_rise_in_order(gallery):
    found = course()
    lung = {s: np.array(found.states["lung", s]) for s in ("fibronectin", "clusters", "crosslinks")}
    half = {s: float(np.interp(0.5 * v[-1], v, found.days)) for s, v in lung.items()}
    assert half["fibronectin"] < half["clusters"] < half["crosslinks"]
    assert all((np.diff(v) > -1e-9).all() for v in lung.values())
    text = (
        "A mouse with a tumour that grows from 1e6 to 2e9 cells. Half of the final state of the lung is reached by fibronectin "
        f"on day {half['fibronectin']:.0f}, clusters on day {half['clusters']:.0f}, crosslinks on day {half['crosslinks']:.0f}."
    )
    with gallery("niche-time-course", title="A niche forms", text=text, panels=4) as axes:
        for name in ("VEGFA", "CSF3", "CCL2", "LOX"):
            axes[0].semilogy(found.days[1:], found.levels[name, "plasma"][1:], label=f"{name}, plasma")
        axes[0].semilogy(found.days[1:], found.levels[S100, "lung"][1:], "--", label="S100A8/A9, lung")
        axes[0].set(ylabel="nM", ylim=(1e-4, 20))
        for place in ("plasma", "lung", "liver", "brain"):
            axes[1].semilogy(found.days[1:], found.levels[EXOSOMES, place][1:], label=place)
        axes[1].set(ylabel="exosomes (1/mL)", ylim=(1e6, None))
        for cells, style in ((PROGENITORS, "-"), (MYELOID, "--")):
            for place, colour in (("plasma", "C0"), ("lung", "C1"), ("marrow", "C2")):
                level = np.array(found.levels[cells, place]) / found.compartments.healthy_level(cells, place)
                axes[2].plot(found.days, level, style, color=colour, label=f"{cells.split()[0]}, {place}")
        axes[2].set_ylabel("cells over healthy")
        for organ, style in (("lung", "-"), ("liver", "--"), ("brain", ":")):
            for i, state in enumerate(lung):
                axes[3].plot(found.days, found.states[organ, state], style, color=f"C{i}", label=f"{state}, {organ}")
        axes[3].set(ylabel="niche", ylim=(0, 1))
        for panel in axes:
            panel.set_xlabel("time (day)")
            panel.legend(fontsize=6)


# ---- drugs --------------------------------------------------------------------------------------------------------
# Awakenings per dormant cell and day in the spatial lung, means of five days from day 0 (lung_awakening, seed 1, 6 animals).
SPATIAL_AWAKENING = {
    "doxorubicin": (0.0036, 0.0035, 0.0041, 0.0030, 0.0044, 0.0161, 0.0203, 0.0249, 0.0274, 0.0339, 0.0377, 0.0667),
    "doxorubicin + DQ": (
        0.0036,
        0.0035,
        0.0041,
        0.0024,
        0.0019,
        0.0013,
        0.0032,
        0.0033,
        0.0027,
        0.0041,
        0.0035,
        0.0036,
    ),
    "vehicle": (0.0036, 0.0046, 0.0090, 0.0086, 0.0041, 0.0036, 0.0060, 0.0055, 0.0031, 0.0081, 0.0045, 0.0053),
}
DOX = [("doxorubicin", 5.0, day) for day in (3, 10, 17)]
DQ = [(n, a, 6 + 7 * c + i) for c in range(4) for i in range(3) for n, a in (("dasatinib", 5.0), ("quercetin", 50.0))]


def lumped(doses, days: int, animal: int | None = None) -> dict[str, np.ndarray]:
    """Senescent share of fibroblasts and factor of awakening at the end of every day, without cells."""
    table = load_parameters("lung_awakening", "niche")
    names = ("doxorubicin", "cisplatin", "dasatinib", "quercetin", "navitoclax")
    draw = None if animal is None else Chance(1, animal).draw
    found = BodyDrugs([kinetics(name) for name in names], table, draw, stroma=StromaBiology())
    for name, amount, day in doses:
        found.give(name, amount, 24.0 * day)
    noted: dict[str, list[float]] = {"senescent": [], "awakening": []}
    for tick in range(12 * days + 1):
        if tick % 12 == 0:
            noted["senescent"].append(found.stroma()["senescent"])
            noted["awakening"].append(found.effects()["awakening"])
        found.advance(2.0)
    return {name: np.array(values) for name, values in noted.items()}


def test_stroma_without_cells_becomes_senescent_as_the_spatial_lung_does(gallery):
    days, animals, arm = 30, 2, "doxorubicin"
    record = {"metrics": "24 h", "frames": f"{days * 24} h", "checkpoint": f"{days * 24} h"}
    study = load_study("lung_awakening").with_options(size=800).changed(duration=f"{days} day", record=record)
    model = build_model(study)
    spatial, mean_field, spread = [], [], []
    for animal in range(animals):
        recorder = MemoryRecorder(study.record.frames)
        run_animal(model, study, arm, animal, recorder)
        fibroblast = model.cell_types.index("fibroblast")
        founders = int((recorder.cells(0.0)["type"] == fibroblast).sum())
        spatial.append(recorder.metrics["senescent_fibroblasts"].to_numpy() / founders)
        mean_field.append(lumped(DOX, days, animal)["senescent"])
        spread.append(np.sqrt(spatial[-1] * (1.0 - spatial[-1]) / founders))
    off = np.abs(np.array(spatial) - np.array(mean_field))
    # Each fibroblast decides for itself: four standard errors of a binomial share, and 0.02 for averaging over cells.
    assert (off < 4.0 * np.array(spread) + 0.02).all()
    text = (
        f"Share of fibroblasts senescent under three doses of doxorubicin, in {animals} animals: cells of the spatial lung one "
        f"by one (points), and the equations of their mean with the same animal's numbers (lines). Largest difference "
        f"{off.max():.3f}."
    )
    with gallery("niche-stroma", title="Senescent stroma without cells", text=text) as axes:
        for animal in range(animals):
            (line,) = axes.plot(np.arange(days + 1), mean_field[animal], label=f"animal {animal}")
            axes.plot(np.arange(days + 1), spatial[animal], "o", ms=3, color=line.get_color())
        axes.set(xlabel="time (day)", ylabel="senescent share of fibroblasts")
        axes.legend()


def test_awakening_after_chemotherapy_follows_the_spatial_lung(gallery):
    """Calibration: the gain and the two numbers of remodelling were fitted to these and to remodelled laminin."""
    base = float(np.mean(SPATIAL_AWAKENING["vehicle"]))
    middles = 2.5 + 5.0 * np.arange(12)
    found = {}
    for arm, doses in (("doxorubicin", DOX), ("doxorubicin + DQ", DOX + DQ)):
        animals = np.mean([lumped(doses, 60, animal)["awakening"] for animal in range(6)], axis=0)
        found[arm] = base * np.array([animals[5 * k : 5 * k + 5].mean() for k in range(12)])
    measured = {arm: np.array(values) for arm, values in SPATIAL_AWAKENING.items()}
    late = slice(6, 12)
    ratio = found["doxorubicin"][late].mean() / measured["doxorubicin"][late].mean()
    assert 0.7 < ratio < 1.3
    assert found["doxorubicin + DQ"][late].mean() < 1.2 * measured["vehicle"].mean()
    text = (
        f"Awakenings per dormant cell and day: spatial lung (points, means of five days, 6 animals) and the factor of the "
        f"lumped stroma times the rate under vehicle (lines). From day 30 on the lines hold {100 * ratio:.0f} % of the points "
        "under doxorubicin; with senolytics neither rises. Calibration: three numbers were fitted to this."
    )
    with gallery("niche-awakening", title="Awakening after chemotherapy without cells", text=text) as axes:
        for arm, values in measured.items():
            (line,) = axes.plot(middles, values, "o", label=arm)
            axes.plot(middles, found.get(arm, np.full(12, base)), "-", color=line.get_color())
        axes.set(xlabel="time (day)", ylabel="awakenings per dormant cell and day")
        axes.legend()
