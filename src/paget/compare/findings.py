"""What one test says of two samples, before it is known what they are called."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONFIDENCE", "Finding", "Interval"]

CONFIDENCE = 0.95

Interval = tuple[float, float]


@dataclass(frozen=True)
class Finding:
    """Size, certainty and test of a difference between two samples; the fields are those of `Comparison`."""

    mean_arm: float | None
    mean_versus: float | None
    mean_name: str
    sd_arm: float | None
    sd_versus: float | None
    effect: float | None
    interval: Interval | None
    effect_size: float | None
    effect_size_name: str
    test: str
    statistic: float | None
    p: float | None
    note: str = ""
    effect_size_interval: Interval | None = None
