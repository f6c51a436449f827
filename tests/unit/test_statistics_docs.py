"""The guide to statistics says what is so: its code runs, and its table is the one that the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from paget.compare import TESTS

GUIDE = Path(__file__).parents[2] / "docs" / "statistics.md"
pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason="the documentation is not beside the tests")


def test_the_guide_to_statistics_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.S | re.M):
        exec(compile(code, "statistics.md", "exec"), names)
    said = capsys.readouterr().out
    assert "rate ratio" in said
    assert "exact Wilcoxon signed-rank test\nFalse " in said
    assert "Gray's test (permutation)" in said
    assert "mixed model" in said


def test_the_guide_names_every_test() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for named in TESTS.values():
        for name in named:
            assert f'"{name}"' in text, name
