"""The guide to running studies names commands and options that exist, and its code asks `simulate` for what it takes."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from typer.main import get_command

import paget as pg
from paget.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")


def test_every_option_that_is_named_belongs_to_the_command():
    commands = get_command(app).commands
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"(?:^ {4}|`)paget (\w+) ([^`\n]*)", text, re.M)
    assert {"run", "slurm", "collect", "info"} <= {name for name, _ in lines}
    for name, words in lines:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= known, (name, words)
    every = {option for command in ("run", "slurm") for p in commands[command].params for option in p.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= every


def test_the_code_asks_simulate_for_what_it_takes(monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    taken, asked = inspect.signature(pg.simulate), []

    def simulate(study, **settings):
        asked.append(taken.bind(study, **settings).arguments)
        return type("Result", (), {"status": "all done"})

    monkeypatch.setattr(pg, "simulate", simulate, raising=False)
    exec(compile(code, "running.md", "exec"), {})
    assert asked[0]["study"].replicates == 2
    assert capsys.readouterr().out == "all done\n"
