"""What is done to patients: surgery, cycles of drugs, courses of long treatment, and how they are followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from paget.evidence import Parameter
from paget.process import Named
from paget.units import to_internal

__all__ = ["CohortArm", "Course", "DrugCycles", "Origin", "Surgery", "Treatment", "hours"]

Origin = Literal["diagnosis", "surgery"]
Number = Named | Parameter


def hours(text: str) -> float:
    """A time of a protocol, such as ``"21 day"`` or 0, in h."""
    return to_internal(text, "h") if text != "0" else 0.0


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """The operation that takes a tumour out, some time after diagnosis."""

    at: str = "0"
    site: str = "primary"


@dataclass(frozen=True, kw_only=True)
class DrugCycles:
    """Doses of a cytotoxic drug, each of which kills at once and may awaken dormant cells for a while.

    Each cycling cell survives a dose with the chance 10^-(log_kill s), with the patient's sensitivity s; a dormant cell with
    10^-(dormant_log_kill s). For `awakens_for` after each dose dormant cells awake `awakening` times as fast.

    start : of the first dose, after `origin`; negative is before, as in neoadjuvant treatment; every : between doses
    site : empty for a drug in blood, else the one site that it is injected into
    """

    drug: str
    log_kill: Number
    start: str = "0"
    origin: Origin = "surgery"
    cycles: int = 6
    every: str = "21 day"
    dormant_log_kill: Number | Literal[0] = 0
    awakening: Number | Literal[1] = 1
    awakens_for: Number | Literal[0] = 0
    site: str = ""


@dataclass(frozen=True, kw_only=True)
class Course:
    """A treatment given without interruption for months or years, such as endocrine therapy.

    growth, awakening, founding : factors on the growth of all tumours, on awakening, and on the founding of metastases while it
    is given (founding at most 1); kill, dormant_kill : losses of cycling and of dormant cells
    """

    drug: str
    lasts: str
    start: str = "0"
    origin: Origin = "surgery"
    growth: Number | Literal[1] = 1
    awakening: Number | Literal[1] = 1
    founding: Number | Literal[1] = 1
    kill: Number | Literal[0] = 0
    dormant_kill: Number | Literal[0] = 0
    site: str = ""


Treatment = Surgery | DrugCycles | Course


@dataclass(frozen=True, kw_only=True)
class CohortArm:
    """One arm: its treatments, and the interval between visits at which metastases are found (empty: found at once)."""

    name: str
    treatments: tuple[Treatment, ...] = field(default=())
    visits: str = ""
