"""What a network does, so that two of them can be compared: the rates of every on-off node in every state of all of them."""

from __future__ import annotations

import numpy as np

from paget.signalling.tables import Tables


def rates_in_every_state(network):
    """Node -> rates (up, down) per hour [states, 2], state i holding node j in bit j."""
    tables = Tables.of(network, network.values())
    states = np.arange(2 ** len(tables.names))
    found = {}
    for i, name in enumerate(tables.names):
        regulators = tables.regulator[tables.first_regulator[i] : tables.first_regulator[i + 1]]
        row = sum((states >> r & 1) << k for k, r in enumerate(regulators)) + np.zeros_like(states)
        found[name] = tables.rates[tables.table[tables.table_at[i] + row]]
    return found


def leaving(network):
    """Node -> rate per hour at which it changes [states]: up where it is off, down where it is on."""
    found = {}
    for bit, (name, rates) in enumerate(rates_in_every_state(network).items()):
        on = np.arange(len(rates)) >> bit & 1
        found[name] = rates[np.arange(len(rates)), on]
    return found


def possible_changes(network):
    """Node -> whether it can change [states]."""
    return {name: rates > 0.0 for name, rates in leaving(network).items()}


def same(first, second):
    """Whether two of these tables hold the same numbers, bit for bit."""
    return list(first) == list(second) and all(np.array_equal(first[name], second[name]) for name in first)
