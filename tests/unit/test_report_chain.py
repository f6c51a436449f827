"""The causal chain: signs, colours and a layout without collisions."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest
from report_data import demo_model

from paget.report.chain import NodeValue, chain_svg

SVG = "{http://www.w3.org/2000/svg}"
CHAIN = demo_model()["chain"]
VALUES = {
    "senescent_fibroblasts": NodeValue(1.0, "× 9", True, "raised"),
    "neutrophils": NodeValue(-0.5, "× 0.3", False, "lowered"),
}


def boxes(root: ElementTree.Element) -> dict[str, tuple[float, float, float, float]]:
    found = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y, w, h = (float(rect.get(k, "nan")) for k in ("x", "y", "width", "height"))
            found[(group.findtext(f"{SVG}title") or "").split(":")[0]] = (x, y, x + w, y + h)
    return found


def edges(root: ElementTree.Element) -> dict[str, tuple[list[tuple[float, float]], ElementTree.Element]]:
    found = {}
    for group in root.iter(f"{SVG}g"):
        path = group.find(f"{SVG}path[@class='edge']")
        tip = group.find(f"{SVG}g")
        if path is not None and tip is not None:
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d", ""))]
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            found[group.findtext(f"{SVG}title") or ""] = (points, tip)
    return found


@pytest.fixture(scope="module")
def root() -> ElementTree.Element:
    return ElementTree.fromstring(chain_svg(CHAIN, VALUES, "a < b"))


def test_the_picture_is_valid_on_its_own(root: ElementTree.Element) -> None:
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == "a < b"


def test_arrows_stimulate_and_bars_inhibit(root: ElementTree.Element) -> None:
    told = edges(root)
    assert len(told) == len(CHAIN["edges"])
    for edge, (title, (_, tip)) in zip(CHAIN["edges"], told.items(), strict=True):
        arrow = tip.find(f"{SVG}path[@class='tip']") is not None
        assert arrow == (edge["sign"] > 0)
        assert ("stimulates" in title) == arrow
        assert "He2025" in title


def test_no_two_nodes_touch(root: ElementTree.Element) -> None:
    placed = boxes(root)
    assert len(placed) == len(CHAIN["nodes"])
    for a, b in itertools.combinations(placed.values(), 2):
        assert a[2] + 10 < b[0] or b[2] + 10 < a[0] or a[3] + 10 < b[1] or b[3] + 10 < a[1]


def test_no_edge_crosses_a_node(root: ElementTree.Element) -> None:
    placed = boxes(root)
    for title, (points, _) in edges(root).items():
        for name, (left, top, right, bottom) in placed.items():
            assert not any(left < x < right and top < y < bottom for x, y in points), (title, name)


def test_everything_lies_inside_the_picture(root: ElementTree.Element) -> None:
    left, top, width, height = (float(n) for n in root.get("viewBox", "").split())
    for points, _ in edges(root).values():
        assert all(left <= x <= left + width and top <= y <= top + height for x, y in points)
    for a in boxes(root).values():
        assert left <= a[0] < a[2] <= left + width
        assert top <= a[1] < a[3] <= top + height


def test_nodes_are_orange_if_raised_blue_if_lowered_and_white_without_a_readout(root: ElementTree.Element) -> None:
    fills = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            name = (group.findtext(f"{SVG}title") or "").split(":")[0]
            fills[name] = (rect.get("fill", ""), rect.get("class", ""))
    colour = {name: [int(fill[i : i + 2], 16) for i in (1, 3, 5)] for name, (fill, _) in fills.items()}
    assert colour["Senescent fibroblasts"][0] > colour["Senescent fibroblasts"][2] + 80
    assert colour["Neutrophils"][2] > colour["Neutrophils"][0] + 40
    assert colour["CXCL1"] == [255, 255, 255]
    assert [fills[n][1] for n in ("Senescent fibroblasts", "Neutrophils", "CXCL1")] == [
        "node strong",
        "node weak",
        "node blank",
    ]


def test_a_single_node_and_a_loop_are_drawn() -> None:
    nodes = [{"id": "a", "label": "A", "readout": None, "x": 0, "y": 0}]
    ElementTree.fromstring(chain_svg({"nodes": nodes, "edges": []}, {}, "one"))
    nodes.append({"id": "b", "label": "B & <b>", "readout": None, "x": 3, "y": 0})
    both = [{"source": s, "target": t, "sign": 1, "role": "", "reference": ""} for s, t in ("ab", "ba", "aa")]
    root = ElementTree.fromstring(chain_svg({"nodes": nodes, "edges": both}, {}, "two"))
    there, back = (points for points, _ in edges(root).values())
    assert abs(there[len(there) // 2][1] - back[len(back) // 2][1]) > 20
