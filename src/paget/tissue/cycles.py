"""The standard models of the cell cycle, with the rates of the published simulator that this field shares.

A model is a value: ``ki67_basic()`` is the published one, and ``Cycle(name=..., phases=(...), reason=...)`` any other.
"""

from __future__ import annotations

from paget.tissue.definition import Cycle, CyclePhase

__all__ = [
    "cycling_quiescent",
    "flow_cytometry",
    "flow_cytometry_separated",
    "ki67_advanced",
    "ki67_basic",
    "live",
    "textbook",
]

_SOURCE = "Ghaffarizadeh2018"


def _per(duration: float) -> str:
    return f"{1.0 / duration!r} 1/h"


def live(rate: str = "0.0432 1/h") -> Cycle:
    """One phase: living cells divide at a rate, and their daughters regrow."""
    return Cycle(
        name="live",
        code=5,
        phases=(CyclePhase(name="live", rate=rate, grows=True, divides=True, code=14),),
        source=_SOURCE,
        reason="about the net birth rate of MCF-10A cells",
    )


def ki67_basic() -> Cycle:
    """Ki67-negative cells enter the cycle at a rate; Ki67-positive ones divide after 15.5 h."""
    return Cycle(
        name="Ki67 (basic)",
        code=1,
        phases=(
            CyclePhase(name="Ki67-", rate=_per(4.59), code=3),
            CyclePhase(name="Ki67+", rate=_per(15.5), fixed=True, grows=True, divides=True, code=2),
        ),
        source=_SOURCE,
        reason="MCF-10A cells; the published simulator gives no measurement",
    )


def ki67_advanced() -> Cycle:
    """Ki67-positive cells before mitosis divide after 13 h; their daughters stay Ki67-positive for 2.5 h."""
    return Cycle(
        name="Ki67 (advanced)",
        code=0,
        phases=(
            CyclePhase(name="Ki67-", rate=_per(3.62), code=3),
            CyclePhase(name="Ki67+ (premitotic)", rate=_per(13.0), fixed=True, grows=True, divides=True, code=0),
            CyclePhase(name="Ki67+ (postmitotic)", rate=_per(2.5), fixed=True, code=1),
        ),
        source=_SOURCE,
        reason="MCF-10A cells; the published simulator gives no measurement",
    )


def flow_cytometry() -> Cycle:
    """G0/G1, S and G2/M as flow cytometry tells them apart by DNA content; all of exponential duration."""
    return Cycle(
        name="flow cytometry (basic)",
        code=2,
        phases=(
            CyclePhase(name="G0/G1", rate="0.1944 1/h", code=4),
            CyclePhase(name="S", rate="0.1248 1/h", grows=True, code=10),
            CyclePhase(name="G2/M", rate="0.1998 1/h", divides=True, code=11),
        ),
        source=_SOURCE,
        reason="mean durations of 5.1, 8 and 5 h; reference values are wanting there too",
    )


def flow_cytometry_separated(fixed: bool = False) -> Cycle:
    """G0/G1, S, G2 and M; with `fixed`, S, G2 and M last 8, 4 and 1 h and G0/G1 5 h on average."""
    rates = (
        ("0.2 1/h", "0.125 1/h", "0.25 1/h", "1 1/h")
        if fixed
        else ("0.201 1/h", "0.1248 1/h", "0.2502 1/h", "1.002 1/h")
    )
    return Cycle(
        name="flow cytometry (separated)",
        code=6,
        phases=(
            CyclePhase(name="G0/G1", rate=rates[0], code=4),
            CyclePhase(name="S", rate=rates[1], fixed=fixed, grows=True, code=10),
            CyclePhase(name="G2", rate=rates[2], fixed=fixed, code=12),
            CyclePhase(name="M", rate=rates[3], fixed=fixed, divides=True, code=13),
        ),
        source=_SOURCE,
        reason="mean durations of 5, 8, 4 and 1 h; reference values are wanting there too",
    )


def cycling_quiescent() -> Cycle:
    """Quiescent cells enter the cycle at a rate and divide 15.5 h later, into quiescent daughters."""
    return Cycle(
        name="cycling quiescent",
        code=7,
        phases=(
            CyclePhase(name="quiescent", rate=_per(4.59), code=18),
            CyclePhase(name="cycling", rate=_per(15.5), fixed=True, grows=True, divides=True, code=17),
        ),
        source=_SOURCE,
        reason="taken over there from the basic Ki67 model",
    )


def textbook() -> Cycle:
    """A synchronous clock: G1 lasts 7 h, S 6 h, G2 3 h and M 2 h, in every cell."""
    return Cycle(
        name="textbook",
        code=6,
        phases=(
            CyclePhase(name="G1", rate=_per(7.0), fixed=True, code=4),
            CyclePhase(name="S", rate=_per(6.0), fixed=True, grows=True, code=10),
            CyclePhase(name="G2", rate=_per(3.0), fixed=True, code=12),
            CyclePhase(name="M", rate=_per(2.0), fixed=True, divides=True, code=13),
        ),
        reason="durations of the cell cycle benchmark of the PerMedCoE observatory",
    )
