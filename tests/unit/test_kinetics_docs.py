"""The guide to rate equations runs, and names formats and models that exist."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from paget.catalogue import kinetics as models

PAGE = Path(__file__).parents[2] / "docs" / "kinetics.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")


def test_the_guide_to_rate_equations_runs(capsys):
    names: dict[str, object] = {}
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)):
        exec(compile(code, f"kinetics.md, block {number}", "exec"), names)
    assert names["course"]["product"][-1] > 50.0
    np.testing.assert_allclose(names["bone"], [100.0, 108.68, 96.98, 67.07, 35.70], atol=0.005)
    assert names["denosumab"]["C"][-1] < 0.8 * names["denosumab"]["C"][0]
    assert "product" in capsys.readouterr().out


def test_all_models_are_listed():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in models.__all__)
