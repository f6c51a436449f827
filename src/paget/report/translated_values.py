"""Values of Plotly as those of matplotlib: colours, dashes, symbols, lists of numbers, and words with a little markup."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paget.report.theme import palettes

__all__ = ["DASHES", "SYMBOLS", "WORDS_IN", "Axes", "axis_of", "listed", "numbers", "placed", "rgb", "solid", "worded"]

WORDS_IN = 0.56  # mean width of a letter, in sizes of the words
DASHES: Mapping[str, Any] = {
    "solid": "-",
    "dash": (0.0, (4.0, 2.6)),
    "dashdot": (0.0, (4.0, 2.0, 1.0, 2.0)),
    "dot": (0.0, (1.0, 1.8)),
    "longdash": (0.0, (8.0, 3.0)),
}
# marker of matplotlib, and its size for the same area
SYMBOLS: Mapping[str, tuple[Any, float]] = {
    "circle": ("o", 1.0),
    "square": ("s", 0.95),
    "diamond": ("D", 0.88),
    "triangle-up": ("^", 1.1),
    "triangle-down": ("v", 1.1),
    "pentagon": ("p", 1.12),
    "hexagon": ("h", 1.12),
    "star": ("*", 1.5),
    "x": ("X", 1.05),
    "cross": ("P", 1.05),
    "line-ns": ("|", 1.1),
    "line-ew": ("_", 1.1),
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axes:
    """Where a panel stands in its figure, in pixels from the upper left corner, and how many points a pixel has."""

    drawn: Mapping[str, Any]
    left: float
    top: float
    wide: float
    high: float
    page_wide: float
    page_high: float
    points: float


def axis_of(layout: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = layout.get(name[0] + "axis" + name[1:], {})
    return found


def solid(colour: Any) -> tuple[Any, float]:
    """A colour of the page as one for paper, and its opacity.

    >>> solid("rgba(1, 2, 3, 0.5)")[1]
    0.5
    """
    text = str(colour or "rgba(0,0,0,0)")
    light = palettes()["light"]
    text = re.sub(r"var\((--[\w-]+)\)", lambda found: light.get(found[1], "#17191c"), text)
    parts = re.fullmatch(r"rgba?\(([^)]+)\)", text)
    if parts is None:
        return text, 1.0
    numbers = [float(part) for part in parts[1].split(",")]
    return tuple(n / 255.0 for n in numbers[:3]), numbers[3] if len(numbers) > 3 else 1.0


def rgb(colour: Any) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def numbers(values: Any) -> np.ndarray:
    return np.array([math.nan if v is None else float(v) for v in listed(values)], dtype=np.float64)


def listed(values: Any) -> list[Any]:
    """A list of values, which Plotly may hold as an array or packed."""
    if isinstance(values, Mapping) and "bdata" in values:
        flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]))
        shape = values.get("shape")
        return list(flat.reshape([int(n) for n in str(shape).split(",")]) if shape else flat)
    return [] if values is None else list(values)


def placed(values: Any) -> np.ndarray:
    """Numbers, or for names of a category their rank."""
    known = listed(values)
    if any(isinstance(v, str) for v in known):
        ranks = {name: i for i, name in enumerate(dict.fromkeys(known))}
        return np.array([float(ranks[v]) for v in known])
    return numbers(known)


def worded(text: Any) -> str:
    """Text of Plotly, which has a little markup, as plain text with line ends and raised digits.

    >>> worded("10<sup>-3</sup> &lt; <b>x</b><br>y")
    '10⁻³ < x\\ny'
    """
    out = re.sub(r"<sup>([^<]*)</sup>", lambda found: found[1].translate(_RAISED), str(text))
    out = re.sub(r"<br\s*/?>", "\n", out)
    out = html.unescape(re.sub(r"<[^>]+>", "", out))
    return out.replace("$", r"\$").replace("% {", "%{")
