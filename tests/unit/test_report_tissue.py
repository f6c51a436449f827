"""The tissue pictures: the right animal, true radii, one scale, the right slab."""

from __future__ import annotations

import base64
import copy
import io
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from report_data import CELL_TYPES, FIELDS, DemoResult, demo_model, demo_result, demo_study

from paget.report.material import collect
from paget.report.tissue import TissueFigure, representative_animal, tissue_figure

READOUTS = [{"name": "a", "kind": "count", "headline": True}, {"name": "b", "kind": "count", "headline": False}]


def outcomes(values: dict[str, list[float]], readout: str = "a") -> pd.DataFrame:
    rows = [(arm, i, readout, v, True) for arm, numbers in values.items() for i, v in enumerate(numbers) if v == v]
    return pd.DataFrame(rows, columns=["arm", "animal", "readout", "value", "observed"])


def drawn(result: DemoResult) -> TissueFigure:
    figure = tissue_figure(collect(result), result)
    assert figure is not None
    return figure


def pixels(figure: TissueFigure, arm: str, day: float) -> np.ndarray:
    image = figure.tiles[arm, day].image
    assert image is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.split(",")[1]))).convert("RGB"), dtype=float)


def test_the_animal_nearest_the_medians_of_the_arms_is_shown() -> None:
    assert representative_animal(outcomes({"x": [1, 5, 9, 6, 4], "y": [2, 50, 40, 21, 20]}), READOUTS) == 3


def test_an_animal_that_failed_in_an_arm_does_not_represent_the_study() -> None:
    table = outcomes({"x": [1, 5, 9], "y": [2, math.nan, 40]})
    assert representative_animal(table, READOUTS) in (0, 2)


def test_headline_readouts_choose_the_animal() -> None:
    table = pd.concat([outcomes({"x": [1, 5, 9]}), outcomes({"x": [5, 100, 1]}, "b")])
    assert representative_animal(table, READOUTS) == 1


def test_no_animal_no_representative() -> None:
    assert representative_animal(outcomes({}), READOUTS) is None


class OneCell(DemoResult):
    """A tissue of one large cell, and fields that are zero."""

    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame:
        return pd.DataFrame(
            {"type": ["senescent fibroblast"], "x": [500.0], "y": [500.0], "z": [10.0], "radius": [200.0]}
        )

    def field(self, arm: str, animal: int, day: float, name: str) -> np.ndarray:
        return np.zeros((1, 50, 50), dtype=np.float32)


def test_circles_have_the_true_radius_and_the_colour_of_their_type() -> None:
    base = demo_result(demo_study(1), days=(60.0,))
    figure = drawn(OneCell(**{name: getattr(base, name) for name in base.__dataclass_fields__}))
    picture = pixels(figure, "vehicle", 60.0)
    orange = 255 * np.array(to_rgb(CELL_TYPES[1][1]))
    share = (np.abs(picture - orange).max(axis=2) < 12).mean()
    # the outline, 0.45 points wide, is darker than the disc and takes about one percent of it
    assert share == pytest.approx(math.pi * 0.2**2, rel=0.03)
    assert figure.tiles["vehicle", 60.0].counts["senescent fibroblast"] == 1


def test_fields_share_one_scale_over_all_pictures() -> None:
    figure = drawn(demo_result(demo_study(2), days=(60.0,)))
    assert [layer.name for layer in figure.layers] == ["net", "remodelled_laminin"]
    strong, weak = (pixels(figure, arm, 60.0).mean() for arm in ("doxorubicin", "doxorubicin + DQ"))
    assert strong < weak  # darker: a field that is four times as strong is drawn more opaque, not rescaled
    result = demo_result(demo_study(2), days=(60.0,))
    top = max(float(np.percentile(result.field(arm, 0, 60.0, "net"), 99.5)) for arm in result.arms)
    assert figure.layers[0].top == pytest.approx(top)


def test_three_dimensions_show_the_middle_slab_only() -> None:
    model = copy.deepcopy(demo_model())
    model["dimensions"], model["domain"]["size_um"], model["domain"]["shape"] = 3, [1000.0, 1000.0, 200.0], [10, 50, 50]
    result = demo_result(demo_study(1), model, thickness=200.0, days=(0.0,))
    figure = drawn(result)
    cells = result.cells("vehicle", 0, 0.0)
    middle = cells[(cells["z"] - 100).abs() <= 10]
    assert figure.slab_um == 20.0
    assert sum(figure.tiles["vehicle", 0.0].counts.values()) == len(middle) < len(cells) / 5


def test_at_most_four_days_are_shown_with_the_first_and_the_last() -> None:
    days = tuple(float(d) for d in range(0, 61, 5))
    figure = drawn(demo_result(demo_study(1, arms=[{"name": "alone"}]), days=days))
    assert len(figure.days) == 4
    assert (figure.days[0], figure.days[-1]) == (0.0, 60.0)


def test_a_lost_frame_leaves_its_place_empty_and_says_so() -> None:
    figure = drawn(demo_result(demo_study(1), days=(0.0, 60.0), lost_frames=(("cisplatin", 60.0),)))
    lost = figure.tiles["cisplatin", 60.0]
    assert lost.image is None
    assert lost.alt == "No frame is stored for cisplatin on day 60."
    assert figure.tiles["cisplatin", 0.0].image is not None


def test_without_frames_there_is_no_figure() -> None:
    result = demo_result(demo_study(1), days=())
    assert tissue_figure(collect(result), result) is None


def test_types_that_the_model_does_not_declare_are_drawn_all_the_same() -> None:
    model = demo_model()
    model["cell_types"] = [t for t in model["cell_types"] if t["name"] != "capillary"]
    figure = drawn(demo_result(demo_study(1, arms=[{"name": "alone"}]), model, days=(0.0,)))
    assert "capillary" in {name for name, _, _ in figure.cell_types}
    assert figure.tiles["alone", 0.0].counts["capillary"] == 260


def test_immobile_fields_are_shown_where_the_model_has_no_traps() -> None:
    model = demo_model()
    model["fields"] = [f for f in model["fields"] if f["name"] not in ("net", "remodelled_laminin")]
    figure = drawn(demo_result(demo_study(1), model, days=(60.0,)))
    assert [layer.name for layer in figure.layers] == [n for n in FIELDS if n in ("tsp1", "laminin")]
