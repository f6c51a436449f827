"""One small drawing for each row: what was published beside what was simulated, on one axis."""

from __future__ import annotations

import math
from html import escape

from paget.evidence import Observation
from paget.report.theme import number_text
from paget.validation.measured import Measured
from paget.validation.verdict import GONE, published_interval

__all__ = ["forest", "span"]

WIDTH, HEIGHT, LEFT, RIGHT = 320.0, 74.0, 74.0, 12.0
PUBLISHED, SIMULATED, AXIS = 16.0, 38.0, 56.0
MOST_RATIO = 100.0  # ratios beyond this, and their inverse, are drawn at the edge
_RATIOS = ("ratio", "hazard ratio", "direction", "abolition")


def span(observation: Observation, measured: Measured) -> tuple[float, float, bool]:
    """Least and most of the axis, and whether it is logarithmic."""
    shown = [x for x in (*_published(observation), measured.value, measured.low, measured.high) if math.isfinite(x)]
    if observation.kind in _RATIOS:
        room = {"direction": (0.5, 2.0), "abolition": (0.1, 1.5)}.get(observation.kind, (1.0,))
        ends = [min(max(x, 1.0 / MOST_RATIO), MOST_RATIO) for x in (*shown, *room)]
        return min(ends) / 1.3, max(ends) * 1.3, True
    if observation.kind in ("share", "reduction"):
        most = max(shown)
        return min(0.0, *shown), (100.0 if most > 20.0 else 1.25 * most or 1.0), False
    least, most = min(0.0, *shown), max(0.0, *shown)
    margin = 0.05 * (most - least)
    return (least - margin if least < 0.0 else 0.0), (most + margin if most > 0.0 else 0.0) or 1.0, False


def forest(observation: Observation, measured: Measured) -> str:
    """The drawing as SVG: published above, simulated below; a finding without a number is an arrow from no change."""
    least, most, logarithmic = span(observation, measured)

    def x(value: float) -> float:
        value = min(max(value, least), most)
        if logarithmic:
            share = (math.log(value) - math.log(least)) / (math.log(most) - math.log(least))
        else:
            share = (value - least) / (most - least)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    low = least if math.isnan(measured.low) else measured.low
    high = most if math.isnan(measured.high) else measured.high
    ends = (low, high) if not (math.isnan(measured.low) and math.isnan(measured.high)) else (measured.value,) * 2
    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{AXIS}" y2="{AXIS}"/>',
        *(_tick(x(at), at) for at in _ticks(least, most, logarithmic)),
        f'<text x="0" y="{PUBLISHED + 4}">published</text><text x="0" y="{SIMULATED + 4}">simulated</text>',
        _drawn_published(observation, x, least, most),
        f'<line class="ours" x1="{x(ends[0]):.1f}" x2="{x(ends[1]):.1f}" y1="{SIMULATED}" y2="{SIMULATED}"/>',
        f'<circle class="ours" cx="{x(measured.value):.1f}" cy="{SIMULATED}" r="4.5"/>',
    ]
    if logarithmic:
        parts.insert(0, f'<line class="null" x1="{x(1.0):.1f}" x2="{x(1.0):.1f}" y1="4" y2="{AXIS}"/>')
    label = f"published {observation.published()}; simulated {in_words(measured)}"
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def in_words(measured: Measured) -> str:
    """Value and interval for people."""

    def text(value: float) -> str:
        return "∞" if math.isinf(value) else number_text(value)

    if math.isnan(measured.value):
        return "no number"
    if math.isnan(measured.low) or math.isnan(measured.high):
        return text(measured.value)
    return f"{text(measured.value)} ({text(measured.low)} to {text(measured.high)})"


def _published(observation: Observation) -> tuple[float, ...]:
    return (*published_interval(observation), observation.value) if observation.numeric else ()


def _drawn_published(observation: Observation, x, least: float, most: float) -> str:  # type: ignore[no-untyped-def]
    y = PUBLISHED
    if observation.numeric:
        low, high = published_interval(observation)
        stated = not (math.isnan(observation.low) and math.isnan(observation.high))
        low, high = max(low, least), min(high, most)
        line = f'<line class="theirs{"" if stated else " unstated"}" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}"/>'
        if math.isnan(observation.value):
            return line
        return f'{line}<path class="theirs" d="M{x(observation.value):.1f} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    if observation.kind == "abolition":
        return f'<line class="theirs" x1="{x(least):.1f}" x2="{x(GONE):.1f}" y1="{y}" y2="{y}"/>'
    if observation.direction == "none":
        return f'<path class="theirs" d="M{x(1.0):.1f} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    end, head = (x(least), 7.0) if observation.direction == "down" else (x(most), -7.0)
    return (
        f'<line class="theirs" x1="{x(1.0):.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
        f'<path class="theirs" d="M{end:.1f} {y}l{head} -5v10z"/>'
    )


def _ticks(least: float, most: float, logarithmic: bool) -> tuple[float, ...]:
    if logarithmic:
        listed = (0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0)
        return tuple(at for at in listed if least <= at <= most)
    step = 10.0 ** math.floor(math.log10(most - least))
    step *= next(times for times in (0.2, 0.5, 1.0, 2.0, 5.0) if (most - least) / (times * step) <= 5.0)
    first = math.ceil(least / step - 1e-9)
    return tuple(k * step for k in range(first, math.floor(most / step + 1e-9) + 1))


def _tick(at: float, value: float) -> str:
    return (
        f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{AXIS}" y2="{AXIS + 4}"/>'
        f'<text class="tick" x="{at:.1f}" y="{AXIS + 15}" text-anchor="middle">{number_text(value)}</text>'
    )
