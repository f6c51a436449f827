"""One look for every figure: colours per arm, and how numbers are written.

Colours are CSS variables. Figures hold the variable's name, and the page resolves it for a light or a dark screen, so a
figure is built once and an arm has the same colour everywhere. The hues follow Okabe and Ito, moved apart in lightness
where readers without red or green cones would see one colour; arms that share the doses of another arm (hypothesis arms)
share its hue and are dashed and hollow.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paget.compare.wording import p_in_words
from paget.experiment import Arm, Study
from paget.report.acts import treatment

__all__ = [
    "BURDEN_STEPS",
    "CLONES",
    "DAYS_PER_YEAR",
    "ArmStyle",
    "arm_styles",
    "counterpart",
    "css_variables",
    "in_years",
    "joined",
    "json_text",
    "length_text",
    "moment_text",
    "number_text",
    "p_text",
    "palettes",
    "shortened",
    "significant_digits",
    "stars",
    "wrapped",
]

# light, dark; the first is the control's
_HUES: tuple[tuple[str, str], ...] = (
    ("#5f6672", "#8d96a3"),
    ("#d55e00", "#f0803c"),
    ("#0072b2", "#4aa8e0"),
    ("#009e73", "#2fc79a"),
    ("#c94c8a", "#f2a0d0"),
    ("#7a5c00", "#e8b93c"),
    ("#5b4bb5", "#8f7cf0"),
    ("#2f8fc4", "#8fd0f5"),
    ("#7a1f3d", "#d0698c"),
    ("#2f4a10", "#a9c95a"),
    ("#a86f45", "#c98d5c"),
    ("#1f5f5b", "#1f7d75"),
)
_DASHES = ("solid", "longdash", "dot")
_HYPOTHESIS_DASHES = ("dash", "dashdot", "dot")
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")
_SURFACES: Mapping[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#17191d"),
    "page": ("#f4f4f1", "#0f1114"),
    "raised": ("#f7f8f9", "#1f2227"),
    "ink": ("#17191c", "#e9ebee"),
    "muted": ("#565d66", "#a2a9b3"),
    "line": ("#c9cdd3", "#3d424a"),
    "grid": ("#eceef1", "#272b31"),
    "accent": ("#0b5a94", "#74b9ef"),
    "up": ("#d55e00", "#f0803c"),
    "down": ("#0072b2", "#4aa8e0"),
    "heat": ("#f2a25f", "#a8531a"),
    "cold": ("#84bbe0", "#235f8a"),
    "measured": ("#00755a", "#2fc79a"),
    "derived": ("#0b5a94", "#74b9ef"),
    "fitted": ("#6a4fb0", "#b3a1f5"),
    "assumed": ("#a15400", "#f0a35c"),
    "blood": ("#4a5462", "#b4bcc8"),
    "portal": ("#5b4bb5", "#a99bf5"),
    "lymph": ("#00755a", "#3fc79e"),
    "clone-other": ("#8b929b", "#8b929b"),
}
# light, dark; hues of Tol's muted scheme, which stay apart from those of the arms and for colour-blind readers
_CLONES: tuple[tuple[str, str], ...] = (
    ("#332288", "#8f84e8"),
    ("#cc6677", "#e58a99"),
    ("#44aa99", "#5fc9b7"),
    ("#bb8f1a", "#ddcc77"),
    ("#882255", "#c75c93"),
    ("#5aa8d6", "#88ccee"),
)
# Burden from little to much: towards ink, so that the order also shows without colours.
_BURDENS = (
    ("#fdf0cf", "#fbcf78", "#f3953f", "#da5a3a", "#a82a55", "#6a1757", "#2d0b3c"),
    ("#3a2748", "#6b2a63", "#a8365f", "#dc5a45", "#f3953f", "#fbcf78", "#fff3cf"),
)
CLONES = len(_CLONES)
BURDEN_STEPS = 24
DAYS_PER_YEAR = 365.25
_LONG = 2 * DAYS_PER_YEAR


@dataclass(frozen=True)
class ArmStyle:
    """How one arm is drawn in every figure."""

    colour: str
    band: str
    faint: str
    dash: str
    symbol: str
    hollow: bool
    slot: int


def counterpart(study: Study, arm: Arm) -> Arm | None:
    """Return the arm with the same treatment but without changed parameters, to which a hypothesis arm is held."""
    if not arm.parameters:
        return None
    given = treatment(arm, study.duration)
    for other in study.arms:
        if not other.parameters and treatment(other, study.duration) == given:
            return other
    return next((other for other in study.arms if other.name == arm.versus), None)


def arm_styles(study: Study) -> dict[str, ArmStyle]:
    """Give every arm its colour, line and symbol: grey for the first control, one hue for each further treatment."""
    controls = {arm.versus for arm in study.arms} - {None}
    styles: dict[str, ArmStyle] = {}
    used = 0
    for arm in study.arms:
        twin = counterpart(study, arm)
        if arm.versus is None and arm.name in controls and not any(s.slot == 0 for s in styles.values()):
            styles[arm.name] = _style(0, 0, hollow=False)
        elif twin is not None and twin.name in styles:
            copies = sum(s.slot == styles[twin.name].slot for s in styles.values())
            styles[arm.name] = _style(styles[twin.name].slot, copies, hollow=True)
        else:
            slot = 1 + used % (len(_HUES) - 1)
            styles[arm.name] = _style(slot, used // (len(_HUES) - 1), hollow=False)
            used += 1
    return styles


def _style(slot: int, repeat: int, *, hollow: bool) -> ArmStyle:
    return ArmStyle(
        colour=f"var(--arm-{slot})",
        band=f"var(--arm-{slot}-band)",
        faint=f"var(--arm-{slot}-faint)",
        dash=_HYPOTHESIS_DASHES[(repeat - 1) % 3] if hollow else _DASHES[repeat % 3],
        symbol=_SYMBOLS[repeat % len(_SYMBOLS)] + ("-open" if hollow else ""),
        hollow=hollow,
        slot=slot,
    )


def palettes() -> dict[str, dict[str, str]]:
    """Return the value of every colour variable, for light screens and paper, and for dark screens."""
    return {"light": _palette(0), "dark": _palette(1)}


def css_variables() -> str:
    """Write the colours as CSS."""
    light, dark = (
        "".join(f"  {name}: {value};\n" for name, value in palette.items()) for palette in palettes().values()
    )
    return f":root {{\n{light}}}\n@media screen and (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"


def _palette(mode: int) -> dict[str, str]:
    colours = {f"--{name}": pair[mode] for name, pair in _SURFACES.items()}
    for slot, pair in enumerate(_HUES):
        red, green, blue = (int(pair[mode][i : i + 2], 16) for i in (1, 3, 5))
        colours[f"--arm-{slot}"] = pair[mode]
        colours[f"--arm-{slot}-band"] = f"rgba({red}, {green}, {blue}, 0.16)"
        colours[f"--arm-{slot}-faint"] = f"rgba({red}, {green}, {blue}, 0.07)"
    colours |= {f"--clone-{rank}": pair[mode] for rank, pair in enumerate(_CLONES)}
    colours |= {f"--burden-{step}": _burden(mode, step / BURDEN_STEPS) for step in range(BURDEN_STEPS + 1)}
    return colours


def _burden(mode: int, level: float) -> str:
    stops = _BURDENS[mode]
    place = level * (len(stops) - 1)
    first = min(int(place), len(stops) - 2)
    pairs = zip(*(bytes.fromhex(stop[1:]) for stop in stops[first : first + 2]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * (place - first)):02x}" for low, high in pairs)


def significant_digits(value: float, digits: int = 5) -> float | None:
    """Round for storage in a figure; what is not finite becomes a gap."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def number_text(value: float | None, digits: int = 3) -> str:
    """Write a number for people: three digits, a real minus sign, powers of ten only where zeros would fill the line.

    >>> number_text(-1234.5), number_text(0.00001234), number_text(float("nan"))
    ('−1,234', '1.23 × 10⁻⁵', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-3:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa} × 10{raised}"
    elif size >= 10 ** (digits - 1):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{digits}g}"
    return text.replace("-", "−")


def in_years(days: float) -> bool:
    """Whether a study of that length is told in years: from more than two."""
    return days > _LONG


def length_text(days: float) -> str:
    """Write how long a study lasts.

    >>> length_text(60), length_text(3652.5), length_text(4000)
    ('60 days', '10 years', '11 years')
    """
    if not in_years(days):
        return f"{days:g} days"
    years = days / DAYS_PER_YEAR
    return f"{years:.2g} years" if years < 100 else f"{years:.0f} years"


def moment_text(day: float, study_days: float) -> str:
    """Write a day of a study of that length: ``day 12``, or ``year 2.5`` of a long one."""
    return f"year {day / DAYS_PER_YEAR:.3g}" if in_years(study_days) else f"day {day:g}"


def p_text(p: float | None) -> str:
    """Write a p value as journals do.

    >>> p_text(0.0123), p_text(1e-7), p_text(None)
    ('0.012', '< 0.001', '–')
    """
    return "–" if p is None else p_in_words(p).removeprefix("= ")


def stars(p: float | None) -> str:
    """Turn a p value into the marks above a bracket; ``n.s.`` from 0.05 up."""
    if p is None:
        return "–"
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else "n.s."


def shortened(text: str, width: int) -> str:
    """Cut the middle out of a name longer than `width`; arms often differ only at their ends.

    >>> shortened("doxorubicin + dasatinib and quercetin, late", 24)
    'doxorubicin +…tin, late'
    """
    if len(text) <= width:
        return text
    tail = (width - 1) * 2 // 5
    return f"{text[: width - 1 - tail].rstrip()}…{text[len(text) - tail :].lstrip()}"


def wrapped(text: str, width: int, lines: int = 2) -> list[str]:
    """Break a name into at most `lines` lines of `width` characters, the last one cut if need be."""
    parts = textwrap.wrap(text, width, break_long_words=True) or [""]
    if len(parts) > lines:
        rest = " ".join(parts[lines - 1 :])
        parts = [*parts[: lines - 1], shortened(rest, width)]
    return parts


def joined(items: Sequence[str]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" and {items[-1]}" if items else ""


def json_text(value: object) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
