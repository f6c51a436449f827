"""Observations of tumour cells in blood: exact means of the circulation of a mouse, and parties walked one by one.

Intervals are over draws of the assumed numbers of the blood from their intervals, as nearly all of them are assumed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from paget.validation.case import Case, Computation
from paget.validation.cases.niche import drawn
from paget.validation.measured import Measured, of_draws

__all__ = ["CASES", "EXPERIMENTS"]

ORIGIN = "mammary gland"
DRAWS, QUICK = 100, 30
WALKED = 4_000
KILLERS = 2  # place of natural killer cells among the causes of death


def _biologies(count: int) -> tuple[Any, Any, list[Any]]:
    """The circulation of a mouse, the biology of its blood, and `count` others with assumed numbers drawn."""
    from paget.body.anatomy import mouse
    from paget.body.blood import BloodBiology, blood_parameters

    anatomy, random = mouse(), np.random.default_rng(1)
    table = blood_parameters("mouse")
    return (
        anatomy.chain(),
        BloodBiology.of(anatomy),
        [BloodBiology.of(anatomy, drawn(table, random)) for _ in range(count)],
    )


def _cultured(biology: Any) -> Any:
    """A cell of a line: large and stiff, mesenchymal."""
    from paget.body.blood import pools
    from paget.evidence import load_parameters

    radius = load_parameters("blood")["ctc_cultured_radius"].inside("um")
    return pools.Kind.of(biology, 1, radius=radius, tension=biology["tension_epithelial"], mesenchymal=1.0)


def circulating(quick: bool) -> dict[str, Measured]:
    """What clusters are worth, what an escort does, and how many cells have left the vessels after a day."""
    from paget.body.blood import founding, pools

    chain, central, others = _biologies(QUICK if quick else DRAWS)
    how = f"circulation of a mouse, exact means; interval over {len(others)} draws of the assumed numbers"

    def alone(biology: Any) -> tuple[float, float]:
        """Share spared by killers and share that leaves the vessels, with an escort over those without one."""
        with_it, without = (
            pools.expected(chain, biology, _cultured(biology), ORIGIN, effects={"escort": left}) for left in (1.0, 0.0)
        )
        spared = [1.0 - float(mean.died[KILLERS]) for mean in (with_it, without)]
        out = [float(mean.extravasated.sum()) for mean in (with_it, without)]
        return spared[0] / spared[1], out[0] / out[1]

    pairs = np.array([alone(biology) for biology in others])
    here = alone(central)
    return {
        "H084": of_draws(
            [founding.advantage(chain, biology, ORIGIN) for biology in others],
            founding.advantage(chain, central, ORIGIN),
            f"colonies per cluster over colonies per single cell; {how}",
        ),
        "H040 survival": of_draws(pairs[:, 0], here[0], how),
        "H040 extravasation": of_draws(pairs[:, 1], here[1], how),
        "H086": of_draws(
            [_out_after_a_day(chain, biology) for biology in (others if quick else others[:40])],
            _out_after_a_day(chain, central),
            f"{WALKED:,} cells walked for 24 h; interval over draws of the assumed numbers",
            null=0.0,
        ),
    }


def _out_after_a_day(chain: Any, biology: Any) -> float:
    """Per cent of cells of a line that have left the vessels 24 h after they entered the blood, without killer cells."""
    from paget.body.blood import Blood

    kind = _cultured(biology)
    blood = Blood(chain, biology)
    ids = np.arange(WALKED)
    blood.shed(
        np.zeros(WALKED),
        ORIGIN,
        members=ids,
        survival=kind.survival,
        mesenchymal=kind.mesenchymal,
        radius=kind.radius,
        tension=kind.tension,
    )
    passage = blood.advance(0.0, 24.0, 4, 0, effects={"aggregation": 0.0, "nk_killing": 0.0})
    return 100.0 * passage.extravasations.party.size / WALKED


EXPERIMENTS = (Computation(key="blood", title="Tumour cells in the blood of a mouse", run=circulating),)
CASES = (
    Case(
        observation="H084",
        experiment="blood",
        remark="nothing favours clusters by a factor of its own; the stem-like state of clustered cells is not in it",
    ),
    Case(
        observation="H040 survival",
        experiment="blood",
        stands_in="cells that killer cells spare; the escort is of platelets and neutrophils together",
    ),
    Case(
        observation="H040 extravasation",
        experiment="blood",
        stands_in="cells that leave vessels; the escort is of platelets and neutrophils together",
    ),
    Case(
        observation="H086",
        experiment="blood",
        stands_in="cells of a line in the blood of a mouse without killer cells, which the chick embryo lacks",
    ),
)
