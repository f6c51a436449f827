"""What a cluster is worth: the chance of a colony for each party that is shed, beside that of a single cell.

A group of j cells that has left a vessel founds a colony with chance 1 - (1 - p)^j, each cell by its own luck; so for a linear
birth-death process with birth rate b and death rate d, p = 1 - d/b. The chance for each party shed is the mean of this over
the organs and sizes in which parties leave the vessels. Nothing in it favours clusters but the hazards on the way and the sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.blood.biology import BloodBiology
from paget.body.blood.pools import Expected, Kind, expected_up_to
from paget.body.chain import Chain
from paget.errors import ModelError
from paget.process import Named, parameter
from paget.process import quantity as given

__all__ = ["ABLATIONS", "Founding", "ablated", "advantage", "chance_of_colony", "cluster_sizes"]

Real = NDArray[np.float64]

ABLATIONS = (
    "trapping by size",
    "friction of the file",
    "survival by bonds",
    "masking by bonds",
    "founding together",
)


@dataclass(frozen=True)
class Founding:
    """Chance of a founder, and the mean size of the clusters that are shed."""

    chance: Named = parameter("ctc_founding", "")
    cluster_size: Named = parameter("ctc_cluster_size", "cell")


def cluster_sizes(mean: float, most: int) -> Real:
    """Shares of clusters of 2, 3 ... `most` cells: 2 and a geometric number more, so that the mean is `mean` without an end.

    Raises
    ------
    ModelError
    """
    if mean <= 2.0 or most < 2:
        raise ModelError(f"Clusters have 2 cells or more: a mean of {mean:g} and a largest of {most} cannot be")
    onward = 1.0 - 1.0 / (mean - 1.0)
    shares = onward ** np.arange(most - 1)
    return np.asarray(shares / shares.sum())


def chance_of_colony(mean: Expected, chance: float, together: bool = True) -> Real:
    """Expected colonies per party shed, in each organ [organs].

    together : cells that leave a vessel together may each found the colony; else a group counts as one founder
    """
    size = np.arange(1.0, mean.by_size.shape[1] + 1.0)
    founders = size if together else np.ones_like(size)
    return np.asarray(mean.by_size @ -np.expm1(founders * np.log1p(-chance)))


def ablated(biology: BloodBiology, *what: str) -> BloodBiology:
    """The biology without some of what sets clusters apart on their way; see `ABLATIONS`.

    Raises
    ------
    ModelError
    """
    fields = {
        "friction of the file": "file_friction",
        "survival by bonds": "bond_anchorage",
        "masking by bonds": "bond_masking",
    }
    unknown = [name for name in what if name not in ABLATIONS]
    if unknown:
        raise ModelError(f"'{unknown[0]}' is none of {', '.join(ABLATIONS)}")
    gone: dict[str, Any] = {fields[name]: given("0", reason="taken away") for name in what if name in fields}
    return replace(biology, **gone)


def advantage(
    chain: Chain,
    biology: BloodBiology,
    origin: int | str,
    *,
    sizes: Real | None = None,
    without: tuple[str, ...] = (),
    founding: Founding | None = None,
    most: int = 30,
) -> float:
    """Expected colonies per cluster shed, relative to those per single cell shed by the same tumour.

    sizes : shares of clusters of 2, 3 ... cells; by default `cluster_sizes` of the mean of the biology's table, up to `most`
    without : ablations
    """
    numbers = Founding() if founding is None else founding
    chance = biology.numbers(numbers.chance, "")
    if sizes is None:
        sizes = cluster_sizes(biology.numbers(numbers.cluster_size, "cell"), most)
    changed = ablated(biology, *without)
    together = "founding together" not in without

    effects = {"trapping": 0.0} if "trapping by size" in without else None
    means = expected_up_to(chain, changed, Kind.of(changed, sizes.size + 1), origin, effects=effects)
    colonies = np.array([chance_of_colony(mean, chance, together).sum() for mean in means])
    return float(colonies[1:] @ sizes / colonies[0])
