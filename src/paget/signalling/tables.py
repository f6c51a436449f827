"""A network as the arrays that the kernel reads: a table of rates for every node, by the states of its regulators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paget.errors import ModelError
from paget.signalling.expression import evaluate
from paget.signalling.network import MOST_REGULATORS, Network, states_of
from paget.units import to_internal

__all__ = ["Tables"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Truth tables, rates and dependents of all on-off nodes; see `paget.kernels.boolean` for what each array means.

    names : of the on-off nodes, in the order of their bits. owner : index into the network's nodes of each
    """

    names: tuple[str, ...]
    owner: Whole
    first_regulator: Whole
    regulator: Whole
    table_at: Whole
    table: NDArray[np.uint16]
    rates: Real
    bin_of: NDArray[np.int16]
    bound: Real
    first_dependent: Whole
    dependent: Whole
    place: Whole
    initial: Real
    copied: NDArray[np.bool_]

    @property
    def words(self) -> int:
        """64-bit words that the state of a cell takes."""
        return -(-len(self.names) // 64)

    @cached_property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """What the kernel takes of the network, in its order."""
        return (
            self.first_regulator,
            self.regulator,
            self.table_at,
            self.table,
            self.rates,
            self.bin_of,
            self.bound,
            self.first_dependent,
            self.dependent,
            self.place,
        )

    @staticmethod
    def of(network: Network, values: Mapping[str, float]) -> Tables:
        """Lay out a network; `values` of its quantities, in its units.

        Raises
        ------
        ModelError
            With every rate that is negative or not a number.
        """
        flat = network.expanded()
        index = {node.name: i for i, node in enumerate(flat.nodes)}
        owned = [i for i, node in enumerate(network.nodes) for _ in node.bits()]
        per_hour = to_internal(f"1 1/{network.time}", "1/h")
        regulators: list[Whole] = []
        pairs: list[Real] = []
        wrong = []
        for node in flat.nodes:
            involved = flat.regulators(node.name)
            if len(involved) > MOST_REGULATORS:
                wrong.append(
                    f"node '{node.name}' has {len(involved)} regulators; at most {MOST_REGULATORS} fit a table"
                )
                continue
            states, size = states_of(involved), 2 ** len(involved)
            pair = np.zeros((size, 2))
            if not node.is_input:
                called: NDArray[np.bool_] | None = None
                if node.formulas:
                    called = np.broadcast_to(np.not_equal(evaluate(node.formulas[0], states, values), 0), (size,))
                for side, speed in enumerate(flat.speeds_of(node)):
                    assert speed is not None
                    pair[:, side] = evaluate(speed, states, values)
                    if not np.all(np.isfinite(pair[:, side])) or np.any(pair[:, side] < 0.0):
                        wrong.append(
                            f"node '{node.name}': its rate {('up', 'down')[side]}, {speed}, is negative or not a number in "
                            "some state"
                        )
                    if called is not None:
                        pair[called if side else ~called, side] = 0.0
            regulators.append(np.array([index[name] for name in involved], dtype=np.int64))
            pairs.append(per_hour * pair)
        if wrong:
            raise ModelError(f"The network '{network.name}' cannot run:", wrong)
        return _laid_out(flat, np.array(owned, dtype=np.int64), regulators, pairs)


def _laid_out(flat: Network, owner: Whole, regulators: list[Whole], pairs: list[Real]) -> Tables:
    n = len(flat.nodes)
    first = np.concatenate([[0], np.cumsum([r.size for r in regulators])]).astype(np.int64)
    regulator = np.concatenate(regulators) if n else np.empty(0, np.int64)
    target = np.repeat(np.arange(n), np.diff(first))
    order = np.argsort(regulator, kind="stable")
    first_dependent = np.searchsorted(regulator[order], np.arange(n + 1)).astype(np.int64)
    rates, entry = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    if len(rates) > np.iinfo(np.uint16).max:
        raise ModelError(
            f"The network '{flat.name}' has {len(rates)} different pairs of rates; {np.iinfo(np.uint16).max} can be told apart"
        )
    at = np.concatenate([[0], np.cumsum([p.shape[0] for p in pairs])[:-1]]).astype(np.int64)
    every = np.column_stack([rates, rates.sum(axis=1)])
    # The smallest power of two that is no less than the rate; frexp gives rate = m 2**e with m from 1/2 below 1.
    mantissa, exponent = np.frexp(every)
    power = np.where(mantissa == 0.5, exponent - 1, exponent)
    used = np.unique(power[every > 0.0])
    bins = np.where(every > 0.0, np.searchsorted(used, power), -1)
    return Tables(
        names=tuple(node.name for node in flat.nodes),
        owner=owner,
        first_regulator=first,
        regulator=regulator,
        table_at=at,
        table=entry.reshape(-1).astype(np.uint16),
        rates=np.ascontiguousarray(rates),
        bin_of=np.ascontiguousarray(bins.astype(np.int16)),
        bound=np.ldexp(1.0, used).astype(np.float64),
        first_dependent=first_dependent,
        dependent=target[order].astype(np.int64),
        place=(order - first[target[order]]).astype(np.int64),
        initial=np.array([node.initial for node in flat.nodes], dtype=np.float64),
        copied=np.array([node.division == "copy" for node in flat.nodes]),
    )
