from pathlib import Path

import pytest

from paget import catalogue
from paget.io.study_file import check_study_file, dump_study, parse_study

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", catalogue.study_names())
def test_a_study_of_the_catalogue_is_named_after_its_file_fits_its_model_and_reads_back_the_same(name):
    study = check_study_file(catalogue.study_file(name), catalogue.check_study)
    assert study.name == name
    assert parse_study(dump_study(study)) == study


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_fits_its_model(path):
    assert check_study_file(path, catalogue.check_study).contrasts
