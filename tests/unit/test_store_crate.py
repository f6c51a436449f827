"""The crate has what RO-Crate 1.3 and Process Run Crate ask for, with every session, input and output."""

from __future__ import annotations

import re

import pytest
from store_data import toy_model, toy_study, walk_job

import paget
from paget.engine.ensemble.experiment_run import run_study
from paget.errors import SimulationFailed
from paget.results.files import read_json, write_json

STUDY = toy_study(duration="2 day")
SPECIFICATION = "https://w3id.org/ro/crate/1.3"
PROFILE = "https://w3id.org/ro/wfrun/process/0.6"


def crate_of(folder):
    return read_json(folder / "ro-crate-metadata.json")


def entities_of(folder):
    graph = crate_of(folder)["@graph"]
    found = {entity["@id"]: entity for entity in graph}
    assert len(found) == len(graph), "two entities share an id"
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crate") / "toy"
    for shard in ("1/2", "2/2"):
        run_study(STUDY, toy_model(), walk_job, out=folder, workers=1, shard=shard)
    return folder


def test_descriptor_and_root_have_all_that_the_specification_requires(finished):
    crate, entities = crate_of(finished), entities_of(finished)
    assert crate["@context"][0] == f"{SPECIFICATION}/context"
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": SPECIFICATION}
    assert root["@type"] == "Dataset"
    assert root["name"]
    assert root["description"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", root["datePublished"])
    assert root["conformsTo"] == {"@id": PROFILE}
    assert entities[root["license"]["@id"]]["name"]
    assert set(entities[PROFILE]["@type"]) == {"CreativeWork", "Profile"}


def test_every_part_exists_has_a_type_and_folders_end_with_a_slash(finished):
    entities = entities_of(finished)
    parts = [part["@id"] for part in entities["./"]["hasPart"]]
    assert {"study.yaml", "study.resolved.json", "manifest.json", "outcomes.parquet", "runs/"} <= set(parts)
    for part in parts:
        assert (finished / part).exists()
        kind = entities[part]["@type"]
        assert kind == ("Dataset" if part.endswith("/") else "File")
        assert (finished / part).is_dir() == part.endswith("/")
        assert kind == "Dataset" or "/" in entities[part]["encodingFormat"]


def test_nothing_is_referred_to_that_is_not_described_and_nothing_is_null(finished):
    entities = entities_of(finished)
    assert "None" not in str(crate_of(finished))
    referred = set(re.findall(r"'@id': '([^']+)'", str(list(entities.values()))))
    assert referred - set(entities) == {SPECIFICATION, "http://schema.org/CompletedActionStatus"}
    for entity in entities.values():
        assert entity["@type"]


def test_every_session_is_an_action_with_instrument_inputs_and_outputs(finished):
    entities = entities_of(finished)
    actions = [entities[mention["@id"]] for mention in entities["./"]["mentions"]]
    assert [action["description"].split(" of ")[0] for action in actions] == ["shard 1/2", "shard 2/2"]
    for action in actions:
        assert action["@type"] == "CreateAction"
        instrument = entities[action["instrument"]["@id"]]
        assert (instrument["@type"], instrument["softwareVersion"]) == ("SoftwareApplication", paget.__version__)
        assert "numpy " in instrument["softwareRequirements"]
        assert {part["@id"] for part in action["object"]} == {"study.yaml", "study.resolved.json"}
        assert {"metrics.parquet", "runs/"} <= {part["@id"] for part in action["result"]}
        assert action["startTime"] <= action["endTime"]


def test_failed_animals_and_killed_sessions_are_failed_actions_with_the_reason(tmp_path):
    folder, refusing = tmp_path / "r", toy_model(habit="refuse", animal=1)
    with pytest.raises(SimulationFailed):
        run_study(STUDY, refusing, walk_job, out=folder, workers=1)
    manifest = read_json(folder / "manifest.json")
    manifest["sessions"][0].update(ended=None)
    write_json(folder / "manifest.json", manifest)
    with pytest.raises(SimulationFailed):
        run_study(STUDY, refusing, walk_job, out=folder, workers=1, resume=True)
    entities = entities_of(folder)
    killed, last = (entities[f"#session-{number}"] for number in (1, 2))
    assert "endTime" not in killed
    assert "ended before" in killed["error"]
    assert "animal 1 of arm 'control': oxygen became negative" in last["error"]
    assert {a["actionStatus"]["@id"] for a in (killed, last)} == {"http://schema.org/FailedActionStatus"}
