"""The guide to the report says what is so: its code runs on a result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_data import demo_result, demo_study

from paget.report import publish, write_report
from paget.results import Result

PAGE = Path(__file__).parents[2] / "docs" / "report.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Opened(type(demo_result(demo_study(1), days=()))):  # type: ignore[misc]
        def report(self, path: str) -> Path:
            return write_report(self, path)

        def figures(self, folder: str, formats: list[str]) -> list[Path]:
            return publish(self, folder, formats)

    arms = [{"name": "vehicle"}, {"name": "drug", "versus": "vehicle"}]
    plain = demo_result(demo_study(2, arms=arms), days=())
    opened = Opened(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})
    monkeypatch.setattr(Result, "open", lambda _: opened)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M):
        exec(compile(code, "report.md", "exec"), names)
    assert (tmp_path / "first.html").exists()
    assert (tmp_path / "curves.svg").exists()
    assert "figure-1-cascade.pdf" in capsys.readouterr().out
