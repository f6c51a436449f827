"""Where the time of a tick goes: every process, the fields, structural events and the checks, in ms and per cent.

python benchmarks/profile_tick.py --cells 1000000
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

from engine import THREADS, settled
from paget.process import Phase


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--ticks", type=int, default=5)
    given = parser.parse_args()
    simulation = settled(given.cells)
    stepper, spent = simulation.stepper, defaultdict(float)

    def timed(owner: object, name: str, label: str) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: object) -> object:
            begin = time.perf_counter()
            try:
                return original(*arguments)
            finally:
                spent[label] += time.perf_counter() - begin

        object.__setattr__(owner, name, wrapped)

    for phase in Phase:
        for item in stepper.bound[phase]:
            timed(item.process, "step", f"{phase}: {item.process.role}")
    timed(stepper.matter, "advance", "engine: fields")
    timed(stepper.structure, "apply", "engine: structural events")
    timed(stepper, "_apply_cells", "engine: merging")
    timed(stepper, "check", "engine: balances")
    begin = time.perf_counter()
    for _ in range(given.ticks):
        simulation.step()
    total = time.perf_counter() - begin
    print(f"{len(simulation.world.cells)} cells, {THREADS} threads, {1e3 * total / given.ticks:.0f} ms per tick")
    for label, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{label:36} {1e3 * seconds / given.ticks:9.1f} ms {100 * seconds / total:6.1f} %")


if __name__ == "__main__":
    main()
