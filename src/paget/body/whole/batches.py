"""Parties on their way out of sites: those of pieces of tissue, with what their cells are, and those of lumped lesions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from paget.body.lesions import LesionStep
from paget.body.whole.piece import Piece
from paget.body.whole.traffic import Batch
from paget.engine.structure import Departures
from paget.kernels import philox
from paget.state.cells import mix

if TYPE_CHECKING:
    from paget.body.whole.life import Life

__all__ = ["of_lesion", "of_piece"]

SHED = 41  # salt of the ids of cells that lumped sites shed


def of_piece(life: Life, name: str, piece: Piece, left: Departures) -> list[Batch]:
    """Parties of a piece; where each stands for many, these leave in the course of a day, as the tumour is not in step."""
    organ = life.chain.organs.index(life.body.organ_of(name))
    survival, mesenchymal = piece.signals(left, life.signals)
    found = []
    for party in np.unique(left.party):
        rows = np.flatnonzero(left.party == party)
        records = np.zeros((len(life.body.carried), rows.size))
        for i, variable in enumerate(life.body.carried):
            if variable in left.columns:
                records[i] = left.columns[variable][rows]
        batch = Batch(
            when=life.time + float(left.times[rows[0]]),
            origin=organ,
            medium=0,
            count=1,
            members=left.ids[rows],
            survival=float(survival[rows].mean()),
            mesenchymal=float(mesenchymal[rows].mean()),
            records=records,
        )
        # A piece has no lymph vessels of its own: of those who leave by a vessel, a share takes to the lymph.
        drained = life.chain.first[1, organ] < life.chain.first[1, organ + 1]
        share = piece.lymph if drained else 0.0
        if piece.stands_for == 1:
            u = philox.uniforms(life.chance.key("lymph"), np.array([party]), life.tick + 1, 1)[0, 0]
            found.append(dataclasses.replace(batch, medium=int(u < share)))
            continue
        by_lymph = round(share * piece.stands_for)
        for medium, count in ((0, piece.stands_for - by_lymph), (1, by_lymph)):
            if count:
                life.leaving.add(dataclasses.replace(batch, medium=medium), count, life.tick)
    return found


def of_lesion(life: Life, step: LesionStep, k: int, parties: int) -> Batch:
    """Parties that left a lesion alike: the kth of those of its step."""
    shed, row = step.shed, int(step.shed.row[k])
    size, medium = int(shed.size[k]), int(shed.medium[k])
    organ = life.chain.organs.index(life.body.organ_of(life.lesions.names[int(step.site[row])]))
    if life.chain.first[medium, organ] == life.chain.first[medium, organ + 1]:
        medium = 0  # no lymph drains this organ: all that leaves goes by blood
    name = mix(step.ids[row : row + 1] ^ np.uint64(life.tick), SHED)[0]
    # The nth party of its lesion, whatever others shed: its luck is the same in every arm in which it leaves.
    nth = np.uint64(k - int(np.searchsorted(shed.row, row)))
    return Batch(
        when=float(shed.when[k]),
        origin=organ,
        medium=medium,
        count=parties,
        members=mix((nth * np.uint64(64) + np.arange(size, dtype=np.uint64)) ^ name, SHED),
        survival=life.signals[0],
        mesenchymal=life.signals[1],
        records=np.repeat(step.records[:, row : row + 1], size, axis=1),
    )
