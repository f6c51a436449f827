"""Outlines of a human and of a mouse with their organs, drawn for this project, seen from the front.

Coordinates are in points of a picture 200 wide with the middle of the body at 100; the right side of the body is on the
left of the picture. Bodies are mirrored halves; organs stand where they lie and have their usual shapes, simplified, and
small ones are enlarged so that their colour can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from paget.report.drawing import Point, oval

__all__ = ["SEATS", "Organ", "Outline", "outline_of"]

_MIDDLE = 100.0

Half = tuple[tuple[float, ...], ...]

# Where the sites stand in a graph that is read like a body: across and down, each 0 to 1.
SEATS: Mapping[str, Point] = {
    "brain": (0.46, 0.05),
    "lymph node": (0.90, 0.20),
    "lung": (0.48, 0.31),
    "primary": (0.08, 0.36),
    "liver": (0.33, 0.59),
    "adrenal gland": (0.68, 0.53),
    "kidney": (0.92, 0.70),
    "bone marrow": (0.20, 0.93),
    "other": (0.66, 0.94),
}


@dataclass(frozen=True)
class Organ:
    """One organ: its filled parts, lines drawn over them, and the place at which arrows and its label end.

    radius : how far from its place arrows stop. label : the side on which it is named, and the height of the name
    """

    parts: tuple[str, ...]
    place: Point
    radius: float
    label: tuple[str, float]
    lines: tuple[str, ...] = ()
    pointer: Point | None = None


@dataclass(frozen=True)
class Outline:
    """A body: the silhouette, lines over it, its organs from back to front, and its heart."""

    height: float
    silhouette: tuple[str, ...]
    lines: tuple[str, ...]
    organs: Mapping[str, Organ]
    heart: Organ


def _mirrored(half: Half) -> str:
    """Close half an outline, given as curves from the middle at the top to the middle at the bottom."""
    (x0, y0), curves = half[0][:2], half[1:]
    d = [f"M {_MIDDLE + x0:g} {y0:g}"]
    d += [_curve(c, 1.0) for c in curves]
    ends = [half[0][:2], *(c[-2:] for c in curves)]
    for curve, end in zip(reversed(curves), reversed(ends[:-1]), strict=True):
        d.append(_curve((*curve[2:4], *curve[0:2], *end), -1.0))
    return " ".join([*d, "Z"])


def _curve(c: tuple[float, ...], side: float) -> str:
    return "C " + " ".join(f"{_MIDDLE + side * c[i]:g} {c[i + 1]:g}" for i in (0, 2, 4))


def _both(d: str) -> tuple[str, str]:
    """A path and its mirror image."""
    tokens, across, out = d.split(), True, []
    for token in tokens:
        if token.isalpha():
            out.append(token)
        else:
            out.append(f"{2 * _MIDDLE - float(token):g}" if across else token)
            across = not across
    return d, " ".join(out)


def _bone(top: Point, bottom: Point, wide: float) -> str:
    """A long bone between two joints: two knobs at each end and a waist."""
    length = math.dist(top, bottom)
    along = ((bottom[0] - top[0]) / length, (bottom[1] - top[1]) / length)

    def at(a: float, b: float) -> str:
        return f"{top[0] + a * along[0] - b * along[1]:.1f} {top[1] + a * along[1] + b * along[0]:.1f}"

    w, n, k = wide, 0.42 * wide, 1.25 * wide
    low = length
    return (
        f"M {at(k, -n)} C {at(0.9 * k, -1.3 * w)} {at(-0.5 * k, -1.5 * w)} {at(-0.25 * k, -0.35 * w)} "
        f"C {at(0.0, -0.1 * w)} {at(0.0, 0.1 * w)} {at(-0.25 * k, 0.35 * w)} "
        f"C {at(-0.5 * k, 1.5 * w)} {at(0.9 * k, 1.3 * w)} {at(k, n)} L {at(low - k, n)} "
        f"C {at(low - 0.9 * k, 1.3 * w)} {at(low + 0.5 * k, 1.5 * w)} {at(low + 0.25 * k, 0.35 * w)} "
        f"C {at(low, 0.1 * w)} {at(low, -0.1 * w)} {at(low + 0.25 * k, -0.35 * w)} "
        f"C {at(low + 0.5 * k, -1.5 * w)} {at(low - 0.9 * k, -1.3 * w)} {at(low - k, -n)} Z"
    )


def _lump(x: float, y: float, size: float) -> str:
    """A knobbly mass: the primary tumour."""
    turns = [math.tau * i / 9 for i in range(9)]
    far = [size * (1.0 + 0.16 * math.cos(3.1 * i + 0.6)) for i in range(9)]
    points = [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(far, turns, strict=True)]
    d = [f"M {points[0][0]:.1f} {points[0][1]:.1f}"]
    reach = 0.40
    for i in range(9):
        (a, b), (c, e) = points[i], points[(i + 1) % 9]
        t, u = turns[i], turns[(i + 1) % 9]
        d.append(
            f"C {a - reach * size * math.sin(t):.1f} {b + reach * size * math.cos(t):.1f} "
            f"{c + reach * size * math.sin(u):.1f} {e - reach * size * math.cos(u):.1f} {c:.1f} {e:.1f}"
        )
    return " ".join([*d, "Z"])


_HUMAN: Half = (
    (0, 5),
    (13, 5, 20, 16, 19, 31),
    (18, 41, 14, 50, 10, 55),
    (9, 60, 9, 65, 11, 68),
    (14, 74, 30, 75, 41, 80),
    (50, 84, 54, 93, 55, 104),
    (57, 122, 58, 136, 61, 151),
    (64, 169, 68, 185, 71, 203),
    (75, 211, 78, 222, 76, 231),
    (74, 237, 69, 236, 67, 230),
    (64, 223, 62, 216, 61, 207),
    (57, 190, 52, 173, 49, 157),
    (46, 141, 44, 128, 41, 114),
    (40, 126, 37, 141, 36, 154),
    (36, 169, 39, 182, 42, 196),
    (46, 214, 46, 234, 44, 254),
    (42, 277, 36, 290, 35.5, 307),
    (35, 322, 38, 340, 33, 359),
    (29, 377, 27, 390, 26, 401),
    (26, 409, 37, 415, 37, 420),
    (37, 424, 24, 425, 17, 423),
    (13, 420, 14, 410, 14, 402),
    (14, 384, 12, 368, 11, 350),
    (9, 334, 11, 320, 12, 308),
    (12, 288, 9, 266, 4.5, 245),
    (3.5, 240, 1.5, 238, 0, 238),
)
_MOUSE: Half = (
    (0, 6),
    (5, 6, 7, 10, 8, 15),
    (11, 23, 16, 29, 19, 37),
    (23, 46, 23, 56, 21, 64),
    (21, 70, 25, 73, 30, 74),
    (38, 72, 45, 64, 51, 56),
    (53, 50, 60, 45, 64, 48),
    (67, 52, 63, 58, 60, 62),
    (55, 74, 49, 87, 42, 97),
    (43, 114, 48, 136, 51, 158),
    (55, 184, 57, 208, 54, 227),
    (60, 228, 70, 236, 74, 247),
    (78, 257, 75, 267, 74, 274),
    (78, 285, 89, 297, 86, 304),
    (83, 310, 75, 304, 69, 296),
    (63, 288, 56, 281, 48, 279),
    (38, 278, 30, 288, 22, 292),
    (14, 295, 6, 296, 0, 296),
)


def _human() -> Outline:
    lungs = _both("M 95 86 C 88 74 76 82 72 98 C 69 112 69 126 71 137 C 78 134 88 132 94 136 C 96 122 96 100 95 86 Z")
    kidneys = _both(
        "M 84 166 C 77 162 71 170 72 180 C 73 190 80 193 84 189 C 87 186 83 183 83 178 C 83 173 87 169 84 166 Z"
    )
    adrenals = _both("M 74 163 C 75 157 81 153 87 155 C 89 159 89 163 86 165 C 82 162 78 161 74 163 Z")
    gut = (
        "M 84 203 C 78 197 78 189 88 194 C 100 200 112 189 118 195 C 123 201 121 210 113 208 "
        "C 104 205 94 204 88 210 C 82 217 92 222 100 218 C 108 214 114 215 116 218"
    )
    gut_area = (
        "M 82 192 C 92 187 110 187 119 192 C 124 199 124 213 118 221 C 108 226 92 226 83 221 C 77 213 77 199 82 192 Z"
    )
    return Outline(
        height=430.0,
        silhouette=(_mirrored(_HUMAN),),
        lines=(),
        organs={
            "lung": Organ(lungs, (82, 107), 12, ("left", 92), (), (72, 108)),
            "liver": Organ(
                (
                    (
                        "M 70 143 C 78 135 98 135 116 141 C 121 143 121 147 116 149 C 104 152 96 159 84 162 "
                        "C 74 164 69 155 70 143 Z"
                    ),
                ),
                (88, 148),
                13,
                ("left", 148),
                ("M 101 138 C 99 144 99 149 100 154",),
                (70, 149),
            ),
            "kidney": Organ(kidneys, (78, 178), 9, ("left", 204), (), (73, 180)),
            "adrenal gland": Organ(adrenals, (119, 159), 8, ("right", 174), (), (126, 161)),
            "other": Organ((gut_area,), (100, 206), 15, ("right", 226), (gut,), (122, 208)),
            "bone marrow": Organ(
                (_bone((127, 242), (121, 304), 6.0), _bone((73, 242), (79, 304), 6.0)),
                (77, 274),
                8,
                ("left", 270),
                (),
                (74, 274),
            ),
            "lymph node": Organ(
                (oval(135, 101, 4.6, 6.2), oval(128.5, 93, 3.4, 4.6), oval(139, 111.5, 3.0, 4.0)),
                (135, 101),
                8,
                ("right", 74),
                (),
                (139, 99),
            ),
            "brain": Organ(
                (
                    "M 99 15 C 91 11 84 18 85 27 C 84 34 90 40 96 39 C 98 39 99 38 99 37 Z",
                    "M 101 15 C 109 11 116 18 115 27 C 116 34 110 40 104 39 C 102 39 101 38 101 37 Z",
                ),
                (92, 27),
                11,
                ("left", 30),
                (
                    "M 88 22 C 91 20 94 22 93 26 M 89 32 C 91 29 95 30 96 33",
                    "M 112 22 C 109 20 106 22 107 26 M 111 32 C 109 29 105 30 104 33",
                ),
                (85, 27),
            ),
            "primary": Organ((_lump(131, 129, 8.5),), (131, 129), 12, ("right", 122), (), (140, 130)),
        },
        heart=Organ(
            (
                (
                    "M 101 114 C 98 106 106 102 110 107 C 114 104 120 108 117 115 C 115 121 110 125 106 129 "
                    "C 103 125 102 120 101 114 Z"
                ),
            ),
            (108, 115),
            9,
            ("right", 26),
            (),
            (112, 107),
        ),
    )


def _mouse() -> Outline:
    ears = _both("M 81 34 C 70 18 58 26 61 38 C 63 48 74 52 80 48 C 82 44 82 39 81 34 Z")
    lungs = _both("M 97 92 C 90 84 80 92 76 106 C 73 117 73 127 75 134 C 82 131 91 131 96 134 C 98 122 98 104 97 92 Z")
    kidneys = _both(
        "M 84 178 C 77 174 72 182 73 191 C 74 200 80 203 84 199 C 87 196 83 193 83 189 C 83 184 87 181 84 178 Z"
    )
    adrenals = _both("M 80 174 C 80 169 85 166 90 168 C 92 171 91 175 88 177 C 85 174 83 173 80 174 Z")
    gut = (
        "M 84 220 C 78 214 79 206 88 210 C 100 216 112 206 118 212 C 123 218 121 227 113 225 "
        "C 104 222 94 221 88 227 C 82 234 92 240 100 236 C 108 232 114 233 116 236"
    )
    gut_area = (
        "M 80 208 C 91 203 110 203 120 208 C 126 216 126 232 119 241 C 108 247 92 247 82 241 C 75 232 75 216 80 208 Z"
    )
    tail = (
        "M 93 293 C 94 318 86 340 96 362 C 106 384 134 392 158 380 C 160 379 159 377 157 377 "
        "C 136 385 114 378 107 358 C 101 340 108 318 107 293 Z"
    )
    return Outline(
        height=398.0,
        silhouette=(tail, *ears, _mirrored(_MOUSE)),
        lines=(
            "M 78 34 C 71 27 65 31 66 38",
            "M 122 34 C 129 27 135 31 134 38",
            "M 92 13 L 76 9 M 92 16 L 75 17",
            "M 108 13 L 124 9 M 108 16 L 125 17",
            "M 97 8 C 98 11 102 11 103 8",
        ),
        organs={
            "lung": Organ(lungs, (84, 112), 11, ("left", 98), (), (76, 112)),
            "liver": Organ(
                (
                    (
                        "M 70 148 C 78 139 122 139 130 148 C 133 156 130 163 121 162 C 114 171 104 166 100 163 "
                        "C 94 170 82 172 79 164 C 70 164 67 156 70 148 Z"
                    ),
                ),
                (86, 154),
                13,
                ("left", 150),
                (
                    "M 100 143 C 99 150 99 157 100 163",
                    "M 83 146 C 80 152 79 158 79 164",
                    "M 117 146 C 120 152 121 157 121 162",
                ),
                (69, 154),
            ),
            "kidney": Organ(kidneys, (122, 190), 9, ("right", 206), (), (127, 190)),
            "adrenal gland": Organ(adrenals, (115, 172), 7, ("right", 156), (), (120, 171)),
            "other": Organ((gut_area,), (100, 225), 16, ("right", 258), (gut,), (122, 232)),
            "bone marrow": Organ(
                (_bone((135, 247), (163, 266), 4.8), _bone((65, 247), (37, 266), 4.8)),
                (52, 256),
                8,
                ("left", 274),
                (),
                (40, 262),
            ),
            "lymph node": Organ(
                (oval(136, 100, 4.4, 6.0), oval(131, 109, 3.0, 4.2)),
                (136, 100),
                8,
                ("right", 106),
                (),
                (140, 101),
            ),
            "brain": Organ(
                (
                    "M 99 32 C 92 27 85 35 86 45 C 86 53 92 57 97 56 C 98 56 99 55 99 54 Z",
                    "M 101 32 C 108 27 115 35 114 45 C 114 53 108 57 103 56 C 102 56 101 55 101 54 Z",
                ),
                (93, 44),
                11,
                ("left", 36),
                ("M 86 47 C 90 44 95 45 99 48", "M 114 47 C 110 44 105 45 101 48"),
                (86, 44),
            ),
            "primary": Organ((_lump(59, 212, 11.0),), (59, 212), 14, ("left", 212), (), (48, 212)),
        },
        heart=Organ(
            (
                (
                    "M 98 113 C 95 106 102 102 105 106 C 109 103 115 106 112 113 C 110 119 106 123 103 127 "
                    "C 100 123 99 118 98 113 Z"
                ),
            ),
            (105, 114),
            9,
            ("right", 56),
            (),
            (109, 106),
        ),
    )


@cache
def outline_of(species: str) -> Outline:
    """The outline of a mouse, or of a human for any other species."""
    return _mouse() if species == "mouse" else _human()
