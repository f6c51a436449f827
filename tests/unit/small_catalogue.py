"""A catalogue of one study, so that files and commands can be tested without simulating."""

import sys
import types
from pathlib import Path

import pytest

import paget
from paget.errors import ModelError, StudyError, UnknownNameError, nearest
from paget.experiment import Study
from paget.io.study_file import parse_study

LUNG = """\
title: Dormant cells in the lung
model: lung_awakening
duration: 60 day
replicates: 12
options: {dimensions: 2}
arms:
  - name: vehicle
  - name: doxorubicin
    versus: vehicle
    doses:
      - {drug: doxorubicin, amount: 5 mg/kg, at: 0 day}
  - name: doxorubicin + DQ
    like: doxorubicin
    versus: doxorubicin
    doses:
      - {drug: dasatinib, amount: 5 mg/kg, start: 2 day, every: 1 day, count: 3}
      - {drug: quercetin, amount: 50 mg/kg, start: 2 day, every: 1 day, count: 3}
"""

DESCRIPTION = {
    "name": "lung_awakening",
    "title": "Dormant tumour cells in lung tissue",
    "dimensions": 2,
    "domain": {"size_um": [600.0, 600.0, 20.0], "voxel_um": 20.0, "shape": [1, 30, 30]},
    "readouts": [
        {
            "name": "metastases",
            "title": "Metastases",
            "unit": "",
            "kind": "count",
            "summary": "final",
            "meaning": "colonies of at least 20 cells",
            "headline": True,
            "claim": "",
        },
        {
            "name": "nets",
            "title": "Traps",
            "unit": "nanotrap",
            "kind": "continuous",
            "summary": "peak",
            "meaning": "released chromatin",
            "headline": False,
            "claim": "",
        },
    ],
    "cell_types": [{"name": "fibroblast", "label": "Fibroblast", "colour": "#888888", "group": "stroma"}],
    "fields": [],
    "processes": [
        {
            "role": "net_decay",
            "phase": "transport",
            "summary": "DNases dissolve traps.",
            "on": [],
            "reads": ["field.nets"],
            "adds": ["field.nets"],
            "sets": [],
            "emits": [],
            "rule": None,
            "parameters": ["net_half_life"],
            "sources": ["Demers2012"],
        },
        {
            "role": "senescence",
            "phase": "act",
            "summary": "Damage makes fibroblasts senescent.",
            "on": ["fibroblast"],
            "reads": ["body.doxorubicin"],
            "adds": [],
            "sets": [],
            "emits": ["convert"],
            "rule": "fibroblast: body.doxorubicin increases senescence towards 0.05/day, half-max 50 nM, hill 2",
            "parameters": [],
            "sources": ["He2025"],
        },
    ],
    "parameters": [
        {
            "key": "net_half_life",
            "title": "half-life of a trap",
            "value": 8.0,
            "unit": "h",
            "low": 4.0,
            "high": None,
            "spread": 0.2,
            "basis": "assumed",
            "reason": "between two [published] values",
            "source": "Demers2012",
            "where": "Fig. 2",
            "conditions": "",
            "changed": True,
            "group": "traps",
        }
    ],
    "assumptions": ["Vessels do not grow."],
    "sources": [{"key": "Demers2012", "text": "Demers et al. 2012.", "doi": "10.1073/pnas.1200419109", "url": ""}],
    "methods": "Cells are spheres.",
    "limits": ["No claim about patients."],
    "chain": {"nodes": [], "edges": []},
    "drugs": [{"name": "doxorubicin", "title": "Doxorubicin", "action": "Damages DNA.", "sources": []}],
}

DRUGS = ("dasatinib", "doxorubicin", "quercetin")


def study() -> Study:
    return parse_study(LUNG, name="lung_awakening.yaml")


def load_study(name: str) -> Study:
    if name != "lung_awakening":
        raise UnknownNameError("study", name, study_names())
    return study()


def study_names() -> tuple[str, ...]:
    return ("lung_awakening",)


def check_study(study: Study) -> None:
    problems = [
        f"arm '{arm.name}': unknown drug '{dose.drug}'. {nearest(dose.drug, DRUGS)}"
        for arm in study.arms
        for dose in arm.doses
        if dose.drug not in DRUGS
    ]
    problems += [
        str(UnknownNameError("readout", name, ("metastases", "nets")))
        for name in study.readouts
        if name not in ("metastases", "nets")
    ]
    problems += [
        str(UnknownNameError("option", name, ("dimensions",))) for name in study.options if name != "dimensions"
    ]
    if problems:
        raise StudyError(f"The study '{study.name}' cannot be run.", problems)


def build_model(study: Study) -> types.SimpleNamespace:
    if study.parameters:
        raise ModelError("The model cannot be built:", [f"unknown parameter '{name}'" for name in study.parameters])
    option = types.SimpleNamespace(name="dimensions", choices=(2, 3), default=2, meaning="slice or block of tissue")
    return types.SimpleNamespace(describe=lambda: DESCRIPTION, options=(option,))


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let `paget.catalogue` be this one for the length of a test."""
    file = folder / "lung_awakening.yaml"
    file.write_text(LUNG, encoding="utf-8")
    catalogue = types.ModuleType("paget.catalogue")
    for function in (load_study, study_names, check_study, build_model):
        setattr(catalogue, function.__name__, function)
    catalogue.study_file = lambda name: file  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "paget.catalogue", catalogue)
    monkeypatch.setattr(paget, "catalogue", catalogue, raising=False)
