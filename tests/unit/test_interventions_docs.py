"""The guide to interventions says what is so: its file is a valid study, its code runs, its table is the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from paget.catalogue import check_study
from paget.genes import load_genes
from paget.io.study_file import parse_study

PAGE = Path(__file__).parents[2] / "docs" / "interventions.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)


def test_the_file_of_the_page_is_a_study_that_its_model_can_do():
    (text,) = blocks("yaml")
    study = parse_study(text, "interventions.yaml")
    check_study(study)
    assert all(arm.interventions for arm in study.arms if arm.name != "vehicle")


def test_the_code_of_the_page_runs():
    names: dict[str, object] = {}
    for code in blocks("python"):
        exec(compile(code, PAGE.name, "exec"), names)
    check_study(names["study"])
    assert names["knocked_out"].parameters["netosis_rate"].value == 0.0


def test_the_page_names_every_gene_of_the_table_with_all_that_it_acts_on():
    rows = dict(re.findall(r"^\| ([A-Z0-9]+) \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.M))
    acting = {effect.gene for effect in load_genes()}
    assert set(rows) == acting
    for effect in load_genes():
        assert f"`{effect.parameter}`" in rows[effect.gene]
