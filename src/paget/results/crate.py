"""A research object crate of one study, so that archives and search engines understand the folder.

Follows Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5) on RO-Crate 1.1, as plain JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paget.experiment import Study
from paget.results.files import write_json

__all__ = ["write_crate"]

CRATE_NAME = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_INPUTS = {"study.yaml": "The study as it was given", "study.resolved.json": "The study with every default written out"}
_OUTPUTS = {
    "manifest.json": "Software, machine, model, parameters and sources",
    "metrics.parquet": "Readouts of every animal over time",
    "outcomes.parquet": "One value for each animal and readout",
    "runs.parquet": "How each animal went",
}
_FORMATS = {".yaml": "application/yaml", ".json": "application/json", ".parquet": "application/vnd.apache.parquet"}


def write_crate(folder: Path, study: Study, manifest: dict[str, Any], failed: Sequence[str]) -> None:
    """Write ``ro-crate-metadata.json`` for the files that are there."""
    files = {name: words for name, words in (_INPUTS | _OUTPUTS).items() if (folder / name).exists()}
    parts = [_id(name) for name in files] + ([_id("runs/")] if (folder / "runs").exists() else [])
    session = manifest["sessions"][-1]
    title = study.title or study.name
    software = f"#paget-{session['versions']['paget']}"
    action: dict[str, Any] = {
        "@id": "#simulation",
        "@type": "CreateAction",
        "name": f"Simulation of {title}",
        "description": f"{len(study.arms)} arms of {study.replicates} animals, seed {study.seed}",
        "instrument": _id(software),
        "object": [_id(name) for name in files if name in _INPUTS],
        "result": [part for part in parts if part["@id"] not in _INPUTS],
        "startTime": manifest["created"],
        "endTime": session["ended"],
        "actionStatus": _id(f"http://schema.org/{'Failed' if failed else 'Completed'}ActionStatus"),
    }
    if failed:
        action["error"] = "; ".join(failed)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": _id(_PROFILE),
        "name": title,
        "description": study.description or f"Result of the in-silico study {study.name}",
        "datePublished": session["ended"],
        "license": "To be chosen by the authors of the study",
        "hasPart": parts,
        "mentions": _id("#simulation"),
    }
    descriptor = {"@id": CRATE_NAME, "@type": "CreativeWork", "conformsTo": _id(_SPECIFICATION), "about": _id("./")}
    graph = [
        descriptor,
        root,
        {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": software,
            "@type": "SoftwareApplication",
            "name": "paget",
            "softwareVersion": session["versions"]["paget"],
        },
        action,
        *(
            {"@id": n, "@type": "File", "name": words, "encodingFormat": _FORMATS[Path(n).suffix]}
            for n, words in files.items()
        ),
    ]
    if (folder / "runs").exists():
        graph.append(
            {"@id": "runs/", "@type": "Dataset", "name": "Every animal: readouts, tissue frames, fields and events"}
        )
    context = [f"{_SPECIFICATION}/context", "https://w3id.org/ro/terms/workflow-run/context"]
    write_json(folder / CRATE_NAME, {"@context": context, "@graph": graph})


def _id(name: str) -> dict[str, str]:
    return {"@id": name}
