"""Networks inside cells: how fast they live, with cmaboss (the engine of MaBoSS) beside in the same run.

    PAGET_REFERENCE=<folder> python benchmarks/signalling.py            # everything, about two minutes on one core
    PAGET_REFERENCE=<folder> python benchmarks/signalling.py tick rest  # some of it
    PAGET_REFERENCE=<folder> python benchmarks/signalling.py --json out.json

The networks are files of other projects in <folder>/networks: cohen2015.bnd and .cfg (32 nodes), metastasis_draft.bnet (97).
All figures are of one core, by the CPU time of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.io.networks import read_bnet, read_maboss
from paget.kernels import bits, boolean
from paget.kernels.neighbours import PIECE
from paget.process import quantity
from paget.signalling import Network, Node
from paget.signalling.tables import Tables
from paget.tissue import BodyVariable, CellDefinition, Substrate, Tissue
from paget.tissue import Cells as Placed
from paget.tissue.networks import CellNetworks, Clamp, HillInput, Inhibitor, Threshold

CELLS = 100_000
TICK = 0.6  # time units of the networks, whose rates are 1
KEY = np.uint64(0x516)
WHY = "a benchmark"

Words = NDArray[np.uint64]


def folder() -> Path:
    given = os.environ.get("PAGET_REFERENCE")
    if not given:
        sys.exit("PAGET_REFERENCE names the folder with networks/cohen2015.bnd and the others; set it")
    return Path(given) / "networks"


def cohen() -> Tables:
    """The network of Cohen et al. 2015 with rates of 1/h."""
    network = read_maboss(folder() / "cohen2015.bnd", folder() / "cohen2015.cfg", time="h").network
    return Tables.of(network, network.values())


def draft() -> Tables:
    """A network of 97 nodes, 21 of them inputs."""
    one = quantity("1 1/h", reason=WHY)
    network = read_bnet(folder() / "metastasis_draft.bnet", up=one, down=one)
    return Tables.of(network, network.values())


class Cells:
    """Cells that carry a network, held by their inputs."""

    def __init__(self, tables: Tables, state: Words) -> None:
        n, cells = len(tables.names), state.shape[1]
        self.tables, self.state, self.steps = tables, state, 0
        self.rest, self.ids = np.zeros(cells, np.uint64), np.arange(cells, dtype=np.uint64)
        self.hold_on, self.hold_off = np.zeros((tables.words, 1), np.uint64), np.zeros((tables.words, 1), np.uint64)
        self.none, self.nothing = np.full(n, -1), np.zeros((0, 1))
        self.flips = np.zeros(-(-cells // PIECE), np.int64)

    def step(self, hours: float) -> float:
        """CPU seconds of a step."""
        pace, out = np.full(self.ids.size, hours), np.zeros((0, self.ids.size))
        doses = (self.none, self.nothing, self.nothing)
        begin = time.process_time()
        boolean.advance(
            *(0, self.flips.size, self.state, self.rest, self.ids, pace, self.hold_on, self.hold_off, *doses),
            *(self.none, out, self.flips, KEY, self.steps, *self.tables.arrays),
        )
        self.steps += 1
        return time.process_time() - begin


def row(work: str, peer: str, bar: str, value: float, unit: str, runs: list[float]) -> dict[str, Any]:
    return {"work": work, "cmaboss": peer, "bar": bar, "paget": value, "unit": unit, "runs": runs}


def started(tables: Tables, probability: NDArray[np.float64]) -> Cells:
    return Cells(tables, boolean.draw_initial(np.arange(CELLS, dtype=np.uint64), probability, KEY))


def peer_rate(samples: int = 20_000) -> float:
    """Trajectories of the network of Cohen et al. to t = 75 per CPU second, by cmaboss with one thread, final state only."""
    try:
        import cmaboss
    except ImportError:
        sys.exit("the peer is missing: pip install cmaboss")
    simulation = cmaboss.MaBoSSSim(network=str(folder() / "cohen2015.bnd"), config=str(folder() / "cohen2015.cfg"))
    simulation.update_parameters(max_time=75.0, sample_count=samples, thread_count=1)
    begin = time.process_time()
    simulation.run(only_last_state=True)
    return samples / (time.process_time() - begin)


def trajectories(repeats: int) -> list[dict[str, Any]]:
    """From the published start to t = 75, where nearly all cells are at rest; in turn with the peer."""
    tables = cohen()
    started(tables, tables.initial).step(1.0)
    ours, peers = [], []
    for _ in range(repeats):
        ours.append(CELLS / started(tables, tables.initial).step(75.0))
        peers.append(peer_rate())
    rate, peer = statistics.median(ours), statistics.median(peers)
    return [
        row("Cohen 2015 to t = 75, final state", f"{peer:,.0f} /s", "", rate, "/s", ours),
        row("the same, times cmaboss", "1", "15, aim 40", rate / peer, "", []),
    ]


def tick(repeats: int) -> list[dict[str, Any]]:
    """One tick from random states, when nodes flip everywhere."""
    tables = cohen()
    half = np.full(len(tables.names), 0.5)
    started(tables, half).step(TICK)
    runs = [CELLS / started(tables, half).step(TICK) / 1e6 for _ in range(max(repeats, 5))]
    value = statistics.median(runs)
    return [row("Cohen 2015, random start, one tick of 0.6", "", "0.8, aim 2", value, "million cells/s", runs)]


def rest(repeats: int) -> list[dict[str, Any]]:
    """Ticks of cells at rest: all inputs as they were, and 2 % of them changed; between ticks the cells come to rest again."""
    tables, shuffle = draft(), np.random.default_rng(1)
    n = len(tables.names)
    inputs = np.flatnonzero(np.diff(tables.first_regulator) == 0)
    given = np.zeros((n, CELLS), bool)
    given[inputs] = shuffle.random((inputs.size, CELLS)) < 0.5
    is_input = np.zeros((n, 1), bool)
    is_input[inputs] = True
    cells = Cells(tables, bits.packed(given))
    still, moved = [], []
    for _ in range(max(repeats, 5)):
        cells.hold_on, cells.hold_off = bits.packed(given), bits.packed(is_input & ~given)
        cells.step(500.0)
        if not np.all(cells.rest):
            sys.exit("not all cells came to rest; the figures would mean something else")
        still.append(1e3 * cells.step(TICK))
        given[inputs] ^= shuffle.random((inputs.size, CELLS)) < 0.02
        cells.hold_on, cells.hold_off = bits.packed(given), bits.packed(is_input & ~given)
        moved.append(1e3 * cells.step(TICK))
    return [
        row("97 nodes, 1e5 cells at rest, one tick", "", "", statistics.median(still), "ms", still),
        row("the same, 2 % of the inputs changed", "", "15", statistics.median(moved), "ms", moved),
    ]


def memory(repeats: int) -> list[dict[str, Any]]:
    """What a cell with 128 nodes keeps between steps, and what it is given in each: state, rest; holds, hours and id."""
    words, word = 2, 8
    return [
        row("kept by a cell of 128 nodes", "", "64", float(word * (words + 1)), "bytes", []),
        row("kept and given, holds of its own", "", "", float(word * (words + 1 + 2 * words + 2)), "bytes", []),
    ]


def woven(nodes: int, inputs: int) -> Network:
    """A network of random logic with one to four regulators a node."""
    shuffle, one = np.random.default_rng(1), quantity("1 1/h", reason=WHY, key="rate")
    names = [f"N{k}" for k in range(nodes)]
    made = [Node(name=name) for name in names[:inputs]]
    for name in names[inputs:]:
        terms = [
            f"{'!' * int(shuffle.random() < 0.4)}{names[k]}"
            for k in shuffle.choice(nodes, shuffle.integers(1, 5), False)
        ]
        logic = terms[0]
        for term in terms[1:]:
            logic = f"({logic}) {'&' if shuffle.random() < 0.5 else '|'} {term}"
        made.append(Node(name=name, logic=logic))
    return Network(name="woven", nodes=tuple(made), up="{rate}", down="{rate}", quantities={"rate": one})


def building(repeats: int) -> list[dict[str, Any]]:
    """Tables of a network of 165 nodes from its formulas; no network compiles anything."""
    network = woven(165, 20)
    values, runs = network.values(), []
    for _ in range(max(repeats, 5)):
        begin = time.process_time()
        Tables.of(network, values)
        runs.append(1e3 * (time.process_time() - begin))
    return [row("tables of 165 nodes", "", "50", statistics.median(runs), "ms", runs)]


def coupling(repeats: int) -> list[dict[str, Any]]:
    """A step of 1e5 cells of a tissue: fields to inputs, drugs, 60 nodes for 6 minutes, activities to columns."""
    side = 316
    x, y = np.meshgrid(*(2 * [np.arange(side) * 20.0 + 10.0]))
    places = np.stack([x.ravel(), y.ravel(), np.full(x.size, 10.0)], axis=1)
    carried = CellNetworks(
        networks={"cell": woven(60, 12)},
        sensors=(
            *(
                Threshold(node=f"N{k}", signal="field.oxygen", on=f"{30 + k} mmHg", off=f"{28 + k} mmHg", reason=WHY)
                for k in range(10)
            ),
            *(
                HillInput(node=f"N{k}", signal="pressure", half="0.5", hill="2", switching="0.2 1/h", reason=WHY)
                for k in (10, 11)
            ),
        ),
        perturbations=(
            Inhibitor(node="N15", signal="body.drug", half="5 nM", reason=WHY),
            Clamp(node="N20", level=0),
        ),
        shown={f"N{k}": f"cell.node_N{k}" for k in range(12, 20)},
    )
    oxygen = Substrate(field="field.oxygen", unit="mmHg", diffusion="6e6 um**2/h", initial="35 mmHg", reason=WHY)
    tissue = Tissue(
        name="sheet",
        size=(side * 20.0, side * 20.0, 20.0),
        cells=(CellDefinition(name="cell"),),
        placed=Placed(places),
        substrates=(oxygen,),
        processes=(carried,),
        body=(BodyVariable(name="body.drug", unit="nM", initial="3 nM", reason=WHY),),
        tick="6 min",
    )
    simulation = tissue.simulation(seed=1, threads=1)
    stepper = simulation.stepper
    mine = next(one for items in stepper.bound.values() for one in items if one.process.role == "networks")
    shuffle, runs = np.random.default_rng(1), []
    field = simulation.world.fields["field.oxygen"]
    level = 25.0 + 20.0 * shuffle.random(field.shape)
    for turn in range(max(repeats, 5) + 2):
        field[...] = level + shuffle.normal(0.0, 1.0, field.shape)  # some 5 % of the thresholds are passed in each step
        begin = time.process_time()
        mine.process.step(mine.see, mine.do, mine.values)
        if turn > 1:  # the first draws all cells, and compiles
            runs.append(1e3 * (time.process_time() - begin))
        stepper._apply_cells()
        simulation.world.tick += 1
    cells = len(simulation.world.cells)
    return [row(f"coupling step, {cells:,} cells, 60 nodes", "", "60", statistics.median(runs), "ms", runs)]


WORKS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "trajectories": trajectories,
    "tick": tick,
    "rest": rest,
    "memory": memory,
    "building": building,
    "coupling": coupling,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], help="which of them; all by default")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", help="also write the figures here")
    given = parser.parse_args()
    rows = []
    print(f"{'work':44} {'cmaboss':>14} {'bar':>12} {'paget':>10}")
    for name in given.works or WORKS:
        for found in WORKS[name](given.repeats):
            rows.append(found)
            print(
                f"{found['work']:44} {found['cmaboss']:>14} {found['bar']:>12} {found['paget']:>10.4g} {found['unit']}",
                flush=True,
            )
    if given.json:
        with open(given.json, "w") as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
