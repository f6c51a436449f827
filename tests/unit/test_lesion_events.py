"""What happens to lesions that are followed by numbers only is told as events, as what happens to cells is."""

from __future__ import annotations

import numpy as np
import pytest
from small_body import body, life

from paget.body.whole.record import LESION_EVENTS

KINDS = ("arrival", "resection", *LESION_EVENTS)


@pytest.fixture(scope="module")
def told():
    """Events of sixty hours, the liver resected on the last one, and the body."""
    one = life(body(event_kinds=KINDS))
    parts = []
    for tick in range(60):
        before = one.lesions.table()
        one.advance((), (("liver", 0.0),) if tick == 59 else ())
        parts.append(one.events())
    events = {name: np.concatenate([p[name] for p in parts if p is not None]) for name in parts[-1]}
    events["kind"] = np.array(KINDS, dtype=object)[events["kind"]]
    return events, one, before


def of(events, kind):
    rows = events["kind"] == kind
    return {name: column[rows] for name, column in events.items()}


def test_every_lesion_that_came_is_there_extinct_or_taken_out(told):
    events, one, _ = told
    came = set(of(events, "arrival")["other"].tolist())  # a lesion has the id of the party that founded it
    gone = [*of(events, "extinction")["cell"].tolist(), *of(events, "resection")["cell"].tolist()]
    assert len(gone) == len(set(gone)) > 20
    now = one.lesions.table()
    founded = set(now["id"].tolist())
    first = set(now.loc[now["origin"] < 0, "id"].tolist())  # the primary tumour, there from the start
    assert founded - first <= came
    assert (founded & set(gone)) == set()


def test_lesions_wake_and_are_seen_when_their_columns_say(told):
    events, one, _ = told
    now = one.lesions.table().set_index("id")
    for kind, column in (("nodule", "visible_at"), ("awakening", "awoken_at")):
        seen = of(events, kind)
        still = np.isin(seen["cell"], now.index)
        assert still.sum() > 3
        # Of several awakenings of a lesion that slept again the column keeps the first.
        first = {}
        for cell, when in zip(seen["cell"][still].tolist(), seen["time"][still].tolist(), strict=True):
            first.setdefault(cell, when)
        assert first == {cell: now.loc[cell, column] for cell in first}


def test_what_a_surgeon_takes_is_what_was_seen_at_that_site(told):
    events, one, before = told
    taken = of(events, "resection")
    there = before[(before["site"] == "liver") & (before["visible_at"] <= 59.0)]
    assert sorted(taken["cell"].tolist()) == sorted(there["id"].tolist())
    assert set(taken["time"].tolist()) == {59.0}
    assert set(np.array(one.sites, dtype=object)[taken["site"]]) == {"liver"}


def test_a_body_that_does_not_tell_of_lesions_writes_of_arrivals_alone():
    one = life(body())
    kinds = set()
    for _ in range(48):
        one.advance((), ())
        events = one.events()
        kinds |= set() if events is None else set(events["kind"].tolist())
    assert kinds == {one.body.event_kinds.index("arrival")}
