"""The causal chain: signs, colours and a layout without collisions."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest
from report_data import demo_model

from paget.report.chain import NodeValue, chain_drawing, chain_key
from paget.report.drawing import Drawing, Path2D, Words, svg

CHAIN = demo_model()["chain"]
VALUES = {
    "senescent_fibroblasts": NodeValue(1.0, "× 9", True, "raised"),
    "neutrophils": NodeValue(-0.5, "× 0.3", False, "lowered"),
}


def numbers(d: str) -> list[tuple[float, float]]:
    found = [float(n) for n in re.findall(r"-?[\d.]+", d)]
    return list(zip(found[::2], found[1::2], strict=True))


def nodes(drawing: Drawing) -> dict[str, list[Path2D]]:
    """Frame and colour of each node, by its label."""
    found: dict[str, list[Path2D]] = {}
    for item in drawing.items:
        if isinstance(item, Path2D) and item.told and item.fill != "none":
            found.setdefault(item.told.split(":")[0], []).append(item)
    return found


def boxes(drawing: Drawing) -> dict[str, tuple[float, float, float, float]]:
    corners = {name: numbers(paths[0].d) for name, paths in nodes(drawing).items()}
    return {
        name: (min(x for x, _ in at), min(y for _, y in at), max(x for x, _ in at), max(y for _, y in at))
        for name, at in corners.items()
    }


def edges(drawing: Drawing) -> dict[str, tuple[list[tuple[float, float]], Path2D]]:
    """The way of each edge, and what it ends in."""
    items = list(drawing.items)
    return {
        item.told: (numbers(item.d), end)
        for item, end in itertools.pairwise(items)
        if isinstance(item, Path2D) and isinstance(end, Path2D) and item.told and item.fill == "none"
    }


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return chain_drawing(CHAIN, VALUES, "a < b")


def test_the_picture_is_valid_on_its_own_and_is_told_in_words(drawing: Drawing) -> None:
    root = ElementTree.fromstring(svg(drawing, "chain"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("aria-label") == "a < b. Senescent fibroblasts × 9; Neutrophils × 0.3."


def test_arrows_stimulate_and_bars_inhibit(drawing: Drawing) -> None:
    told = edges(drawing)
    assert len(told) == len(CHAIN["edges"])
    for edge, (title, (_, end)) in zip(CHAIN["edges"], told.items(), strict=True):
        assert (end.fill != "none") == (edge["sign"] > 0)
        assert ("stimulates" in title) == (edge["sign"] > 0)
        assert "He2025" in title


def test_no_two_nodes_touch(drawing: Drawing) -> None:
    placed = boxes(drawing)
    assert len(placed) == len(CHAIN["nodes"])
    for a, b in itertools.combinations(placed.values(), 2):
        assert a[2] + 10 < b[0] or b[2] + 10 < a[0] or a[3] + 10 < b[1] or b[3] + 10 < a[1]


def test_no_edge_crosses_a_node(drawing: Drawing) -> None:
    placed = boxes(drawing)
    for title, (points, _) in edges(drawing).items():
        for name, (left, top, right, bottom) in placed.items():
            assert not any(left < x < right and top < y < bottom for x, y in points), (title, name)


def test_everything_lies_inside_the_picture(drawing: Drawing) -> None:
    for points, _ in edges(drawing).values():
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in points)
    for a in boxes(drawing).values():
        assert 0 <= a[0] < a[2] <= drawing.width
        assert 0 <= a[1] < a[3] <= drawing.height


def test_nodes_are_orange_if_raised_blue_if_lowered_and_blank_without_a_readout(drawing: Drawing) -> None:
    found = nodes(drawing)
    colours = {name: [(p.fill, p.opacity) for p in paths[1:]] for name, paths in found.items()}
    ((hue, strong),) = colours["Senescent fibroblasts"]
    ((other, weak),) = colours["Neutrophils"]
    assert (hue, other) == ("--up", "--down")
    assert strong == pytest.approx(2 * weak)
    assert colours["CXCL1"] == []
    frames = {name: (paths[0].line, paths[0].dash) for name, paths in found.items()}
    assert frames["Senescent fibroblasts"] == ("--ink", "")
    assert frames["Neutrophils"] == ("--muted", "")
    assert frames["CXCL1"] == ("--muted", "4 3")


def test_a_single_node_and_a_loop_are_drawn() -> None:
    some = [{"id": "a", "label": "A", "readout": None, "x": 0, "y": 0}]
    ElementTree.fromstring(svg(chain_drawing({"nodes": some, "edges": []}, {}, "one"), "chain"))
    some.append({"id": "b", "label": "B & <b>", "readout": None, "x": 3, "y": 0})
    both = [{"source": s, "target": t, "sign": 1, "role": "", "reference": ""} for s, t in ("ab", "ba", "aa")]
    there, back = (points for points, _ in edges(chain_drawing({"nodes": some, "edges": both}, {}, "two")).values())
    assert abs(there[len(there) // 2][1] - back[len(back) // 2][1]) > 20


def test_the_key_goes_from_lower_over_nothing_to_higher() -> None:
    key = chain_key()
    scale = [
        (i.fill, i.opacity) for i in key.items if isinstance(i, Path2D) and i.fill in ("--up", "--down") and not i.place
    ]
    assert [fill for fill, _ in scale] == ["--down"] * 7 + ["--up"] * 6
    assert [opacity for _, opacity in scale][::6] == [0.55, 0.0, 0.55]
    assert {w.text for w in key.items if isinstance(w, Words)} >= {"stimulates", "inhibits", "lower"}
