"""Profile one animal of one arm, in process, after the kernels are compiled."""

from __future__ import annotations

import argparse
import cProfile
import pstats

from paget.catalogue import build_model, load_study
from paget.engine.simulate import run_animal
from paget.results.memory import MemoryRecorder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="lung_awakening")
    parser.add_argument("--arm", default="doxorubicin")
    parser.add_argument("--animal", type=int, default=0)
    chosen = parser.parse_args()
    study = load_study(chosen.study)
    model = build_model(study)
    for profiler in (None, cProfile.Profile()):
        recorder = MemoryRecorder(study.record.frames)
        if profiler is None:
            run_animal(model, study, chosen.arm, chosen.animal, recorder)  # compiles
        else:
            profiler.runcall(run_animal, model, study, chosen.arm, chosen.animal, recorder)
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
