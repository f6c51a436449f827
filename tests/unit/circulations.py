"""Small circulations for tests: a body of three organs, the liver behind a portal vein, and lymph from one organ."""

from __future__ import annotations

import numpy as np

from paget.body.blood import BloodBiology, blood_parameters
from paget.body.chain import Chain
from paget.body.values import Numbers
from paget.process import quantity

NODES = {  # name: (mean stay in s, organ or -1, {successor: share})
    "veins": (1.5, -1, {"lung": 1.0}),
    "lung": (0.7, 0, {"arteries": 1.0}),
    "arteries": (1.8, -1, {"liver": 0.1, "gut": 0.2, "other": 0.7}),
    "liver": (1.2, 1, {"veins": 1.0}),
    "gut": (0.9, 2, {"portal vein": 1.0}),
    "portal vein": (0.8, -1, {"liver": 1.0}),
    "other": (1.0, 3, {"veins": 1.0}),
    "lymph": (300.0, -1, {"veins": 1.0}),
}
ORGANS = ("lung", "liver", "gut", "other")
LEAVING = [["arteries"], ["veins"], ["portal vein"], ["veins", "portal vein"]], [[], [], [], ["lymph"]]


def small_chain() -> Chain:
    names = tuple(NODES)
    start, successor, share = [0], [], []
    for _, _, ways in NODES.values():
        successor += [names.index(name) for name in ways]
        share += [*np.cumsum(list(ways.values()))[:-1].tolist(), 1.0]
        start.append(len(successor))
    first, entry, entry_share = [[0], []], [], []
    for medium, leaving in enumerate(LEAVING):
        if medium:
            first[medium].append(len(entry))
        for ways in leaving:
            entry += [names.index(name) for name in ways]
            entry_share += [(i + 1) / len(ways) for i in range(len(ways))]
            first[medium].append(len(entry))
    return Chain(
        names=names,
        organs=ORGANS,
        transit=np.array([stay / 3600.0 for stay, _, _ in NODES.values()]),
        organ=np.array([organ for _, organ, _ in NODES.values()]),
        start=np.array(start),
        successor=np.array(successor),
        share=np.array(share),
        first=np.array(first),
        entry=np.array(entry),
        entry_share=np.array(entry_share),
    )


def small_biology(**changes) -> BloodBiology:
    """Numbers at which everything happens within minutes, unless `changes` says otherwise: ``shear=0.0``, in internal units."""
    fast = {
        "anoikis": "8 1/h", "shear": "3 1/h", "nk_flowing": "5 1/h", "nk_lodged": "3 1/h", "escort_gain": "20 1/h",
        "escort_loss": "10 1/h", "break_up": "9 1/h", "detachment": "6 1/h",
    }  # fmt: skip
    given = {name: quantity(text, reason="test") for name, text in fast.items()}
    given |= {name: quantity(text, reason="test") for name, text in changes.items() if isinstance(text, str)}
    given |= {name: value for name, value in changes.items() if not isinstance(value, str)}
    given.setdefault("extravasation", {organ: quantity("6 1/h", reason="test") for organ in ORGANS})
    return BloodBiology(
        numbers=Numbers(blood_parameters("mouse")),
        organs=ORGANS,
        width=(6.0, 7.0, 6.0, 6.0),
        spread=(1.5, 2.0, 1.5, 1.5),
        volume=quantity("1700 uL", reason="test"),
        **given,
    )
