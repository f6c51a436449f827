"""Networks against MaBoSS itself: the same networks, mutants and graded drugs, run by its engine and by this one.

MaBoSS reports the mean of every node over each window of time. Under the hypothesis that both engines sample one law, a cell's
mean over a window has the same variance in both, which is estimated from our cells (a window mean of one cell is one number, so
that what happens within a window needs no model). The engine's own error of a node is not used: it exceeds the largest that a
share of so many trajectories can have.

Two traps of the engine: a trajectory's random numbers start from the seed plus its number, so that runs with seeds closer than
their trajectories share most of them; and with its default generator the starts drawn from such seeds are more even than chance
(the share of cells with an input on scatters 20 times less than that of a coin), which would make every error too large. So
seeds lie far apart, and its Mersenne Twister is used.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import stats

from paget.io.networks import read_maboss
from paget.signalling.network import Network
from paget.signalling.population import Population

cmaboss = pytest.importorskip("cmaboss")

BATCHES, TRAJECTORIES, CELLS = 6, 2_000, 60_000  # of MaBoSS, each with its own seed; and our cells
FAR = 1_000_000  # between seeds
WINDOW, WINDOWS = 1.5, 8
FALSE_ALARM = 0.01  # of all bands of a network together
FEWEST = 25.0  # cells expected on, and off: below, a share is not normal
MIXED = {
    "optoSRC": 0.5,
    "ECM": 0.5,
    "Oxy": 0.5,
    "DNAdamage": 0.5,
    "Neigh": 0.5,
}  # inputs that make the second network move


@dataclass(frozen=True)
class Scenario:
    """One run in both engines. mutate : as MaBoSS does; hold : clamps; inhibit, activate : graded drugs"""

    title: str
    mutate: dict[str, int] = field(default_factory=dict)
    hold: dict[str, int] = field(default_factory=dict)
    inhibit: dict[str, float] = field(default_factory=dict)
    activate: dict[str, float] = field(default_factory=dict)


SCENARIOS = {
    "cohen2015": (
        Scenario("wild type"),
        Scenario("p53 off", mutate={"p53": 0}),
        Scenario("NICD on", mutate={"NICD": 1}),
        Scenario("NICD on, p53 off", mutate={"NICD": 1, "p53": 0}),
        Scenario("NICD clamped on, p53 clamped off", hold={"NICD": 1, "p53": 0}),
        Scenario("AKT2 inhibited by half", inhibit={"AKT2": 0.5}),
        Scenario("ZEB1 inhibited by 0.3, CTNNB1 activated by 0.4", inhibit={"ZEB1": 0.3}, activate={"CTNNB1": 0.4}),
    ),
    "invasion_ruscone2023": (
        Scenario("wild type"),
        Scenario("TGFbetaR off", mutate={"TGFbetaR": 0}),
        Scenario("AKT1 on", mutate={"AKT1": 1}),
        Scenario("SRC inhibited by 0.6", inhibit={"SRC": 0.6}),
        Scenario("ZEB2 inhibited by 0.5, CDH1 activated by 0.3", inhibit={"ZEB2": 0.5}, activate={"CDH1": 0.3}),
        Scenario("FAK clamped off, MMPs inhibited by 0.25", hold={"FAK": 0}, inhibit={"MMPs": 0.25}),
    ),
}


def block(bnd: str, name: str) -> re.Match[str]:
    found = re.search(rf"[Nn]ode\s+{name}\s*\{{(.*?)\}}", bnd, re.S)
    assert found is not None
    return found


def dosed(bnd: str, name: str, a: float, h: float) -> str:
    """The file with the rates of a node under an activator a and an inhibitor h, written out for both values of its logic."""
    found = block(bnd, name)
    logic = re.search(r"logic\s*=\s*(.*?);", found[1], re.S)[1]  # type: ignore[index]
    up, down = f"$u_{name}", f"$d_{name}"
    new = (
        f"node {name} {{ logic = {logic};\n"
        f"rate_up = @logic ? {1 - h} * {up} : {(1 - h) * a} * {down};\n"
        f"rate_down = @logic ? {h} * {up} : {1 - a + h * a} * {down}; }}"
    )
    return bnd.replace(found[0], new)


def clamped(bnd: str, cfg: str, name: str, state: int) -> tuple[str, str]:
    """The files with a node that starts in a state and never leaves it."""
    new = f"node {name} {{ logic = {name}; rate_up = 0; rate_down = 0; }}"
    cfg = re.sub(rf"(?m)^\[?{name}\]?\.istate\s*=.*$", "", cfg)
    return bnd.replace(block(bnd, name)[0], new), f"{cfg}\n{name}.istate = {state};\n"


def by_maboss(bnd: str, cfg: str, scenario: Scenario, seed: int) -> tuple[np.ndarray, list[str]]:
    """Window means [batches, windows, nodes] of MaBoSS."""
    for name in {**scenario.inhibit, **scenario.activate}:
        bnd = dosed(bnd, name, scenario.activate.get(name, 0.0), scenario.inhibit.get(name, 0.0))
    for name, state in scenario.hold.items():
        bnd, cfg = clamped(bnd, cfg, name, state)
    simulation = cmaboss.MaBoSSSim(network_str=bnd, config_str=cfg)
    for name, state in scenario.mutate.items():
        simulation.mutate(name, "ON" if state else "OFF")
    simulation.network.set_output(list(simulation.network.keys()))
    batches = []
    for batch in range(BATCHES):
        simulation.update_parameters(
            sample_count=TRAJECTORIES, max_time=WINDOW * WINDOWS, time_tick=WINDOW, thread_count=1, display_traj=0,
            statdist_traj_count=0, use_mtrandgen=True, seed_pseudorandom=FAR * (BATCHES * seed + batch) + 1,
        )  # fmt: skip
        found, times, nodes, _ = simulation.run().get_nodes_probtraj()
        assert np.allclose(times, WINDOW * np.arange(WINDOWS))
        batches.append(found)
    return np.array(batches), nodes


def relaxing(network: Network, mutants: dict[str, int]) -> Network:
    """What `mutate` of MaBoSS makes of a network: constant logic, both rates 1, and the start that the node had."""
    return network.changed(
        *(dataclasses.replace(network.node(n), logic=str(s), up="1", down="1") for n, s in mutants.items())
    )


def by_us(network: Network, scenario: Scenario, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Window means [windows, nodes] and the variance of one cell's."""
    people = Population(relaxing(network, scenario.mutate), CELLS, seed=seed)
    mean, variance = [], []
    for _ in range(WINDOWS):
        share = people.advance(
            WINDOW, hold=scenario.hold, inhibit=scenario.inhibit, activate=scenario.activate, watch=network.names
        )
        mean.append(share.mean(axis=1))
        variance.append(share.var(axis=1, ddof=1))
    return np.array(mean), np.array(variance)


@dataclass(frozen=True)
class Compared:
    """Window means [windows, nodes], standard error of their difference, and z, NaN where too few cells are on or off."""

    ours: np.ndarray
    theirs: np.ndarray
    error: np.ndarray
    z: np.ndarray
    batches: np.ndarray  # z of single batches [batches, windows, nodes]


def compared(network: Network, ours: Scenario, theirs: tuple[np.ndarray, list[str]], seed: int) -> Compared:
    found, nodes = theirs
    mean, variance = by_us(network, ours, seed)
    batches = found[:, :, [nodes.index(name) for name in network.names]]
    reference = batches.mean(axis=0)

    def score(values: np.ndarray, trajectories: int) -> tuple[np.ndarray, np.ndarray]:
        error = np.sqrt(variance * (1.0 / CELLS + 1.0 / trajectories))
        enough = np.minimum(mean, 1.0 - mean) * trajectories > FEWEST
        return np.where(enough, (values - mean) / np.where(enough, error, 1.0), np.nan), error

    z, error = score(reference, BATCHES * TRAJECTORIES)
    return Compared(mean, reference, error, z, score(batches, TRAJECTORIES)[0])


def files(reference, name):
    folder = reference / "networks"
    bnd, cfg = (folder / f"{name}.{ending}" for ending in ("bnd", "cfg"))
    if not bnd.exists():
        pytest.skip(f"the network {name} is not among the reference files")
    text = cfg.read_text()
    if name == "invasion_ruscone2023":
        for node, share in MIXED.items():
            text = re.sub(rf"(?m)^{node}\.istate\s*=.*$", "", text)
            text += f"\n[{node}].istate = {1 - share} [0], {share} [1];"
    text += "\n"
    return bnd.read_text(), text


@pytest.mark.parametrize("name", SCENARIOS)
def test_window_means_of_all_nodes_agree_with_maboss(reference, gallery, name):
    bnd, cfg = files(reference, name)
    network = read_maboss(bnd, cfg, time="h").network
    runs = {}
    for k, scenario in enumerate(SCENARIOS[name]):
        runs[scenario.title] = compared(network, scenario, by_maboss(bnd, cfg, scenario, seed=k + 1), seed=100 + k)
    z, single = (np.concatenate([getattr(r, part).ravel() for r in runs.values()]) for part in ("z", "batches"))
    z, single = z[np.isfinite(z)], single[np.isfinite(single)]
    rms, band = float(np.sqrt(np.mean(single**2))), float(stats.norm.ppf(1.0 - FALSE_ALARM / (2.0 * z.size)))
    # Where too few cells are on for a normal law, both engines say so.
    for run in runs.values():
        rare = ~np.isfinite(run.z)
        assert np.all(np.abs(run.ours - run.theirs)[rare] < 5.0 * FEWEST / (BATCHES * TRAJECTORIES))
    titles = "; ".join(scenario.title for scenario in SCENARIOS[name])
    titles = "; ".join(scenario.title for scenario in SCENARIOS[name])
    text = (
        f"Means of all {len(network)} nodes over windows of {WINDOW:g} time units, in MaBoSS (points, {BATCHES} x "
        f"{TRAJECTORIES:,} trajectories) and here (lines, {CELLS:,} cells). Scenarios: {titles}. Mutants relax as MaBoSS lets "
        f"them; clamps and graded drugs are written into its files as rates. Of {z.size:,} differences the largest is "
        f"{np.abs(z).max():.1f} standard errors, of {band:.1f} allowed (all bands together hold {1 - FALSE_ALARM:.0%} of "
        f"correct runs). Root mean square of z over scenarios and batches: {rms:.2f}; nodes and windows of one batch move "
        "together, so that it scatters around 1."
    )
    with gallery(f"maboss-{name}", title=f"MaBoSS: {name}", text=text, panels=3) as axes:
        middle = WINDOW * (np.arange(WINDOWS) + 0.5)
        for axis, title in zip(axes[:2], (SCENARIOS[name][0].title, SCENARIOS[name][-1].title), strict=True):
            run = runs[title]
            moving = np.argsort(-np.ptp(run.ours, axis=0))[:7]
            for k, i in enumerate(moving):
                axis.plot(middle, run.ours[:, i], "-", color=f"C{k}", label=network.names[i])
                axis.errorbar(middle, run.theirs[:, i], 3 * run.error[:, i], fmt="o", ms=3, color=f"C{k}")
            axis.set(title=title, xlabel="time", ylabel="share on", ylim=(-0.02, 1.02))
            axis.legend(fontsize=7, ncols=2)
        grid = np.linspace(-4.5, 4.5, 200)
        axes[2].hist(single, np.linspace(-4.5, 4.5, 37), density=True, color="#9bb7d4")
        axes[2].plot(grid, stats.norm.pdf(grid), color="#1f2933")
        axes[2].set(title=f"rms {rms:.2f}", xlabel="z", ylabel="density")
    assert np.abs(z).max() < band
    assert 0.7 < rms < 1.1  # 1 if variances are right; batches leave a standard deviation of about 0.07


@pytest.fixture(scope="module")
def wild_type(reference):
    """The network of Cohen 2015, and what MaBoSS makes of it."""
    bnd, cfg = files(reference, "cohen2015")
    return read_maboss(bnd, cfg, time="h").network, by_maboss(bnd, cfg, Scenario("wild type"), seed=1)


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        (Scenario("AKT2 inhibited by 0.1", inhibit={"AKT2": 0.1}), {}),
        (Scenario("ZEB1 activated by 0.1", activate={"ZEB1": 0.1}), {}),
        (Scenario("NICD turns on slower by a fifth"), {"NICD": {"up": "0.8"}}),
        (
            Scenario("a wrong entry of the logic of p63"),
            {"p63": {"logic": "DNAdamage & !AKT1 & !NICD & !p53 & !miR203"}},
        ),
    ],
    ids=lambda given: given.title if isinstance(given, Scenario) else "",
)
def test_small_errors_would_fall_outside_the_bands(wild_type, scenario, changes):
    network, theirs = wild_type
    wrong = network.changed(*(dataclasses.replace(network.node(n), **change) for n, change in changes.items()))
    found = compared(wrong, scenario, theirs, seed=5)
    largest = np.nanmax(np.abs(found.z))
    assert largest > stats.norm.ppf(1.0 - FALSE_ALARM / (2 * found.z.size * len(SCENARIOS["cohen2015"])))


def test_mutate_of_maboss_relaxes_and_a_clamp_does_not(reference, gallery):
    bnd, cfg = files(reference, "cohen2015")
    network = read_maboss(bnd, cfg, time="h").network
    both = {"NICD": 1, "p53": 0}
    theirs = by_maboss(bnd, cfg, Scenario("", mutate=both), seed=11)
    relaxed = compared(network, Scenario("", mutate=both), theirs, seed=12)
    clamp = compared(network, Scenario("", hold=both), theirs, seed=13)
    nodes = [network.names.index(name) for name in ("NICD", "Apoptosis")]
    apoptosis = [run.ours[:, nodes[1]].max() for run in (relaxed, clamp)]
    text = (
        "NICD gain with p53 loss in the network of Cohen 2015. In MaBoSS (points) `mutate` takes a node's rates away, so that "
        "it relaxes to the mutant's state from where it was, and some cells pass through apoptosis "
        f"({apoptosis[0]:.2f} of the time at most). The same change of logic gives the same here (lines, largest |z| "
        f"{np.nanmax(np.abs(relaxed.z)):.1f}); a knock-out here is a clamp from the start (dashed), with {apoptosis[1]:.2f}."
    )
    with gallery("maboss-mutate", title="Mutants of MaBoSS and clamps", text=text) as axes:
        middle = WINDOW * (np.arange(WINDOWS) + 0.5)
        for k, (i, label) in enumerate(zip(nodes, ("NICD", "apoptosis"), strict=True)):
            axes.plot(middle, relaxed.theirs[:, i], "o", color=f"C{k}")
            axes.plot(middle, relaxed.ours[:, i], "-", color=f"C{k}", label=f"{label}, relaxing")
            axes.plot(middle, clamp.ours[:, i], "--", color=f"C{k}", label=f"{label}, clamped")
        axes.set(xlabel="time", ylabel="share on", ylim=(-0.02, 1.02))
        axes.legend(fontsize=8)
    assert np.nanmax(np.abs(relaxed.z)) < stats.norm.ppf(1.0 - FALSE_ALARM / (2.0 * relaxed.z.size))
    assert np.nanmax(np.abs(clamp.z)) > 20.0
    assert clamp.ours[:, nodes[0]].min() == 1.0
    assert apoptosis[1] < apoptosis[0] / 3.0
