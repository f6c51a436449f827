"""A research object crate of one study, so that archives and search engines understand the folder.

Follows Process Run Crate 0.6 (https://w3id.org/ro/wfrun/process/0.6) on RO-Crate 1.3, as plain JSON. Who ran the study
and under which licence it may be used is for its authors to add; the crate is valid without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paget.experiment import Study
from paget.results.files import write_json

__all__ = ["CRATE_NAME", "write_crate"]

CRATE_NAME = "ro-crate-metadata.json"
_VERSION = "0.6"
_PROFILE = f"https://w3id.org/ro/wfrun/process/{_VERSION}"
_SPECIFICATION = "https://w3id.org/ro/crate/1.3"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_STATUS = "http://schema.org/{}ActionStatus"
_INPUTS = {"study.yaml": "The study as it was given", "study.resolved.json": "The study with every default written out"}
_OUTPUTS = {
    "manifest.json": "Software, machine, model, parameters and sources",
    "metrics.parquet": "Readouts of every animal over time",
    "outcomes.parquet": "One value for each animal and readout",
    "runs.parquet": "How each animal went",
}
_RUNS = "runs/"
_FORMATS = {".yaml": "application/yaml", ".json": "application/json", ".parquet": "application/vnd.apache.parquet"}
_LICENCE = "#licence"


def write_crate(folder: Path, study: Study, manifest: dict[str, Any], failed: Sequence[str]) -> None:
    """Write ``ro-crate-metadata.json`` for the files that are there: inputs, outputs and every session of computing.

    Parameters
    ----------
    manifest : that of the folder, with the last session closed.
    failed : a line for each animal that was given up.
    """
    files = {name: words for name, words in (_INPUTS | _OUTPUTS).items() if (folder / name).exists()}
    parts = [*files, *([_RUNS] if (folder / _RUNS).exists() else [])]
    sessions = manifest["sessions"]
    title = study.title or study.name
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _id(_PROFILE),
        "name": title,
        "description": study.description or f"Result of the in-silico study {study.name}",
        "datePublished": max(s["ended"] or s["started"] for s in sessions),
        "license": _id(_LICENCE),
        "hasPart": _ids(parts),
        "mentions": _ids([_action_id(number) for number in range(len(sessions))]),
    }
    graph: list[dict[str, Any]] = [
        {"@id": CRATE_NAME, "@type": "CreativeWork", "conformsTo": _id(_SPECIFICATION), "about": _id("./")},
        root,
        {"@id": _PROFILE, "@type": ["CreativeWork", "Profile"], "name": "Process Run Crate", "version": _VERSION},
        {
            "@id": _LICENCE,
            "@type": "CreativeWork",
            "name": "To be chosen by the authors of the study",
            "description": "No licence has been given to this result yet.",
        },
        *_programs(sessions),
        *(_action(number, session, study, parts) for number, session in enumerate(sessions)),
        *(_file(name, words) for name, words in files.items()),
    ]
    if _RUNS in parts:
        graph.append(
            {"@id": _RUNS, "@type": "Dataset", "name": "Every animal: readouts, tissue frames, fields and events"}
        )
    if failed:
        last = next(entity for entity in graph if entity["@id"] == _action_id(len(sessions) - 1))
        last.update(actionStatus=_id(_STATUS.format("Failed")), error="; ".join(failed))
    write_json(folder / CRATE_NAME, {"@context": [f"{_SPECIFICATION}/context", _TERMS], "@graph": graph})


def _action(number: int, session: dict[str, Any], study: Study, parts: Sequence[str]) -> dict[str, Any]:
    """One sitting of a process that computed animals; one without an end was killed."""
    shard = session.get("shard")
    part = f"shard {shard} of " if shard is not None else ""
    action: dict[str, Any] = {
        "@id": _action_id(number),
        "@type": "CreateAction",
        "name": f"Simulation of {study.title or study.name}",
        "description": f"{part}{len(study.arms)} arms of {study.replicates} animals, seed {study.seed}; "
        f"{session['workers']} at a time on {session['machine']['system']}, {session['machine']['cpu']}",
        "instrument": _id(_program_id(session)),
        "object": _ids([name for name in parts if name in _INPUTS]),
        "result": _ids([name for name in parts if name not in _INPUTS]),
        "startTime": session["started"],
    }
    if session["ended"] is None:
        action |= {
            "actionStatus": _id(_STATUS.format("Failed")),
            "error": "The process ended before its animals were done",
        }
    else:
        action |= {"endTime": session["ended"], "actionStatus": _id(_STATUS.format("Completed"))}
    return action


def _programs(sessions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    versions = {_program_id(session): session["versions"] for session in sessions}
    return [
        {
            "@id": name,
            "@type": "SoftwareApplication",
            "name": "paget",
            "softwareVersion": found["paget"],
            "softwareRequirements": ", ".join(
                f"{library} {number}" for library, number in found.items() if library != "paget"
            ),
        }
        for name, found in versions.items()
    ]


def _file(name: str, words: str) -> dict[str, Any]:
    return {"@id": name, "@type": "File", "name": words, "encodingFormat": _FORMATS[Path(name).suffix]}


def _action_id(number: int) -> str:
    return f"#session-{number + 1}"


def _program_id(session: dict[str, Any]) -> str:
    """Sessions with the same software share its entity."""
    versions = session["versions"]
    return "#paget-" + "-".join(
        str(versions[name]) for name in ("paget", "python", "numpy", "numba") if name in versions
    )


def _id(name: str) -> dict[str, str]:
    return {"@id": name}


def _ids(names: Sequence[str]) -> list[dict[str, str]]:
    return [_id(name) for name in names]
