"""Screens: what every knock-out, gain of function or dose does to the share of cells with a phenotype."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError, UnknownNameError
from paget.signalling.analysis.epistasis import bliss
from paget.signalling.analysis.phenotypes import Formula, in_population, parsed
from paget.signalling.analysis.proportions import paired_difference, paired_test
from paget.signalling.network import Network
from paget.signalling.population import Population

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WILD_TYPE", "EffectTable", "Perturbation", "knock_outs", "screen"]

Real = NDArray[np.float64]
Truth = NDArray[np.bool_]
WILD_TYPE = "wild type"


@dataclass(frozen=True)
class Perturbation:
    """What is done to the cells of one arm: nodes held, inhibited or activated (see `Population.advance`)."""

    hold: Mapping[str, float] = field(default_factory=dict)
    inhibit: Mapping[str, float] = field(default_factory=dict)
    activate: Mapping[str, float] = field(default_factory=dict)

    def __or__(self, other: Perturbation) -> Perturbation:
        """Both at once; of what both set, the other's."""
        return Perturbation(
            {**self.hold, **other.hold}, {**self.inhibit, **other.inhibit}, {**self.activate, **other.activate}
        )

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.hold, *self.inhibit, *self.activate)))


@dataclass(frozen=True, eq=False)
class EffectTable:
    """Effects of perturbations on the shares of cells with each readout, against the same cells without.

    times : [t] in h. readouts : names. perturbations : names, singles before doubles. pairs : names of the two singles of a
    double. cells : how many in each arm. wild_type : shares [t, readouts]. outcomes : name -> which cells have it, packed as
    bits [t, readouts, bytes]
    """

    times: Real
    readouts: tuple[str, ...]
    perturbations: tuple[str, ...]
    pairs: Mapping[str, tuple[str, str]]
    cells: int
    wild_type: Real
    outcomes: Mapping[str, NDArray[np.uint8]] = field(repr=False)

    def cells_with(self, perturbation: str, readout: str, time: float | None = None) -> Truth:
        """Which cells [n] of an arm have a readout, at the last time unless another is given.

        Raises
        ------
        UnknownNameError
        """
        if perturbation not in self.outcomes:
            raise UnknownNameError("perturbation", perturbation, self.outcomes)
        if readout not in self.readouts:
            raise UnknownNameError("readout", readout, self.readouts)
        at = self.times.size - 1 if time is None else self._at(time)
        packed = self.outcomes[perturbation][at, self.readouts.index(readout)]
        return np.unpackbits(packed, count=self.cells).astype(bool)

    def share(self, perturbation: str, readout: str, time: float | None = None) -> float:
        """Share of the cells of an arm that have a readout."""
        return float(self.cells_with(perturbation, readout, time).mean())

    def frame(self) -> pd.DataFrame:
        """One row per perturbation, readout and time: shares, effect, interval of 95 %, p, and p after Holm over all rows."""
        import pandas as pd
        from statsmodels.stats.multitest import multipletests

        rows = []
        for name, (t, time), (r, readout) in itertools.product(
            self.perturbations, enumerate(self.times), enumerate(self.readouts)
        ):
            treated, control = (self.cells_with(arm, readout, time) for arm in (name, WILD_TYPE))
            effect, low, high = paired_difference(treated, control)
            p = paired_test(treated, control)
            rows.append((name, readout, time, self.wild_type[t, r], treated.mean(), effect, low, high, p))
        columns = ["perturbation", "readout", "time", "wild_type", "value", "effect", "low", "high", "p"]
        found = pd.DataFrame(rows, columns=columns)
        found["p_holm"] = multipletests(found["p"], method="holm")[1] if rows else []
        return found

    def epistasis(self, readout: str, time: float | None = None) -> pd.DataFrame:
        """Every double against what its singles would do if they acted independently (see `bliss`).

        Columns: perturbation, first, second (names of the singles), value, expected, deviation, error (standard error of the
        deviation), p (normal), p_holm.

        Raises
        ------
        ModelError
            If there are no doubles.
        """
        import pandas as pd
        from statsmodels.stats.multitest import multipletests

        if not self.pairs:
            raise ModelError("This screen has no doubles, so it shows no epistasis; run it with double=True")
        control = self.cells_with(WILD_TYPE, readout, time)
        singles = {
            name: self.cells_with(name, readout, time) for name in dict.fromkeys(itertools.chain(*self.pairs.values()))
        }
        rows = []
        for name, (first, second) in self.pairs.items():
            both = self.cells_with(name, readout, time)
            rows.append((name, first, second, both.mean(), *bliss(control, singles[first], singles[second], both)))
        columns = ["perturbation", "first", "second", "value", "expected", "deviation", "error", "p"]
        found = pd.DataFrame(rows, columns=columns)
        found["p_holm"] = multipletests(found["p"], method="holm")[1]
        return found

    def _at(self, time: float) -> int:
        found = np.flatnonzero(np.isclose(self.times, time))
        if not found.size:
            known = ", ".join(f"{t:g}" for t in self.times)
            raise ModelError(f"The screen was not read at {time:g} h, only at {known} h")
        return int(found[0])


def screen(
    network: Network,
    readouts: Sequence[str] | Mapping[str, Formula],
    perturbations: Mapping[str, Perturbation],
    *,
    times: float | Sequence[float],
    cells: int = 10_000,
    pairs: Mapping[str, tuple[str, str]] | None = None,
    background: Perturbation | None = None,
    start: Mapping[str, float] | None = None,
    values: Mapping[str, float] | None = None,
    seed: int = 0,
    workers: int = 2,
) -> EffectTable:
    """Compare perturbed cells with the same cells unperturbed.

    Every arm has the same cells: ids, starts and random numbers are shared, so that cells differ by what was done to them until
    chance takes them apart. The result does not depend on `workers`.

    Parameters
    ----------
    readouts : nodes, or name -> formula of nodes, read at `times` (h)
    perturbations : name -> what is done. pairs : of doubles among them, name -> names of the two singles
    background : what is done in all arms, the control included, such as inputs held
    Others as in `paget.signalling.population.Population`.

    Raises
    ------
    UnknownNameError, ModelError, ExpressionError
        Before anything runs.
    """
    named = parsed(network, readouts if isinstance(readouts, Mapping) else {name: name for name in readouts})
    ends = np.atleast_1d(np.asarray(times, np.float64))
    base = background or Perturbation()
    _check(network, named, ends, cells, {WILD_TYPE: base, **perturbations}, workers)
    arms = {WILD_TYPE: base, **{name: base | one for name, one in perturbations.items()}}
    founders = Population(network, cells, seed=seed, start=start, values=values)

    def run(arm: Perturbation) -> NDArray[np.uint8]:
        people = founders.copy()
        packed = np.zeros((ends.size, len(named), -(-cells // 8)), np.uint8)
        for t, window in enumerate(np.diff(ends, prepend=0.0)):
            people.advance(window, hold=arm.hold, inhibit=arm.inhibit, activate=arm.activate)
            for r, truth in enumerate(in_population(named, people).values()):
                packed[t, r] = np.packbits(truth)
        return packed

    with ThreadPoolExecutor(workers) as team:
        outcomes = dict(zip(arms, team.map(run, arms.values()), strict=True))
    control = np.unpackbits(outcomes[WILD_TYPE], axis=2, count=cells).mean(axis=2)
    return EffectTable(ends, tuple(named), tuple(perturbations), dict(pairs or {}), cells, control, outcomes)


def knock_outs(
    network: Network,
    readouts: Sequence[str] | Mapping[str, Formula],
    *,
    nodes: Iterable[str] | None = None,
    double: bool = False,
    gain: bool = False,
    times: float | Sequence[float],
    cells: int = 10_000,
    background: Perturbation | None = None,
    start: Mapping[str, float] | None = None,
    values: Mapping[str, float] | None = None,
    seed: int = 0,
    workers: int = 2,
) -> EffectTable:
    """Knock out every node in turn, with `gain` also hold it on, and with `double` every two of these.

    A node is clamped from the start, at once: 0 in a knock-out, its highest level in a gain of function. nodes : which ones;
    all that are regulated if left out. Others as in `screen`.

    Raises
    ------
    UnknownNameError, ModelError, ExpressionError
    """
    chosen = network.regulated if nodes is None else tuple(dict.fromkeys(nodes))
    singles = {}
    for name in chosen:
        singles[f"{name} loss"] = Perturbation(hold={name: 0.0})
        if gain:
            singles[f"{name} gain"] = Perturbation(hold={name: float(network.node(name).levels)})
    pairs = {}
    if double:
        for first, second in itertools.combinations(singles, 2):
            if singles[first].nodes != singles[second].nodes:
                pairs[f"{first}, {second}"] = (first, second)
    doubles = {name: singles[first] | singles[second] for name, (first, second) in pairs.items()}
    return screen(
        network,
        readouts,
        {**singles, **doubles},
        times=times,
        cells=cells,
        pairs=pairs,
        background=background,
        start=start,
        values=values,
        seed=seed,
        workers=workers,
    )


def _check(
    network: Network,
    readouts: Mapping[str, Any],
    ends: Real,
    cells: int,
    arms: Mapping[str, Perturbation],
    workers: int,
) -> None:
    wrong = []
    if not readouts:
        wrong.append("it needs at least one readout")
    if not ends.size or not np.all(np.isfinite(ends)) or np.any(np.diff(ends, prepend=0.0) < 0.0):
        wrong.append("its times must ascend from 0")
    if cells < 2:
        wrong.append(f"it needs at least 2 cells, not {cells}")
    if workers < 1:
        wrong.append(f"it needs at least 1 worker, not {workers}")
    if list(arms).count(WILD_TYPE) > 1 or len(arms) < 2:
        wrong.append("it needs at least one perturbation")
    for name, arm in arms.items():
        for node in arm.nodes:
            if node not in network:
                raise UnknownNameError("node", node, network.names)
        for node, level in arm.hold.items():
            if not 0.0 <= level <= network.node(node).levels:
                wrong.append(
                    f"'{name}' holds '{node}' at {level:g}; its levels go from 0 to {network.node(node).levels}"
                )
        for node, dose in (*arm.inhibit.items(), *arm.activate.items()):
            if not 0.0 <= dose <= 1.0:
                wrong.append(f"'{name}' gives '{node}' a dose of {dose:g}; a dose goes from 0 to 1")
    if wrong:
        raise ModelError("The screen cannot run:", wrong)
