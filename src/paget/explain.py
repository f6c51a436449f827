"""A model told in words and tables: processes, parameters with their basis, assumptions, sources, a methods paragraph.

Everything here is computed from what the model uses, so that it cannot drift from what is run.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from paget.behaviours import Ruled
from paget.evidence import Parameter, Source, load_sources
from paget.model import Model
from paget.process import NOTHING
from paget.signalling.carried import network_rows
from paget.subject import Cohort, Subject
from paget.vocabulary import CellType

__all__ = ["assumptions", "citations", "describe", "describe_subject", "methods", "process_table"]


def _clean(value: float) -> float | None:
    return None if math.isnan(value) else value


def process_table(model: Model) -> list[dict[str, Any]]:
    """One row per process: role, phase, what it does, on which cells, and what it reads, adds to, sets and emits."""
    rows = []
    for process in model.ordered:
        rules = [rule.sentence for rule in process.rules] if isinstance(process, Ruled) else []
        keys = [model.evidence_for(number).key for _, number, _ in process.numbers]
        rows.append(
            {
                "role": process.role,
                "phase": str(process.phase),
                "summary": process.sentence,
                "on": list(process.on),
                "reads": list(process.reads),
                "adds": list(process.adds),
                "sets": list(process.sets),
                "emits": [*process.emits, *(event for event in process.events if event not in process.emits)]
                if len(process.events) > 1
                else [f"{kind}: {process.event}" if process.event != kind else kind for kind in process.emits],
                "rule": "; ".join(rules) or None,
                "parameters": [key for key in dict.fromkeys(keys) if key != NOTHING],
                "sources": list(process.cites),
            }
        )
    return rows


def _parameter_row(parameter: Parameter) -> dict[str, Any]:
    return {
        "key": parameter.key,
        "title": parameter.title,
        "value": parameter.value,
        "unit": parameter.unit,
        "low": _clean(parameter.low),
        "high": _clean(parameter.high),
        "spread": parameter.spread,
        "basis": parameter.basis,
        "reason": parameter.reason,
        "source": parameter.source,
        "where": parameter.where,
        "conditions": parameter.conditions,
        "changed": parameter.changed,
        "group": parameter.group,
    }


def citations(model: Model) -> list[Source]:
    """The sources of the model's processes, rules, parameters and chain, in the order of first use."""
    keys: list[str] = []
    for process in model.ordered:
        keys += process.cites
        if isinstance(process, Ruled):
            keys += [rule.source for rule in process.rules]
    for parameter in model.numbers_used().values():
        keys += parameter.source.split(";")
    keys += [edge.reference for edge in model.chain[1]]
    return _known_sources(keys)


def _known_sources(keys: list[str]) -> list[Source]:
    known = load_sources()
    return [known[key] for key in dict.fromkeys(k.strip() for k in keys) if key in known]


def assumptions(model: Model | Subject) -> list[str]:
    """What the model assumes: its stated simplifications, then every number whose basis is an assumption."""
    numbers = [
        f"{p.title}: {p.value:g} {p.unit}".rstrip() + f" ({p.reason})."
        for p in model.numbers_used().values()
        if p.basis == "assumed"
    ]
    return [*model.assumed, *numbers]


def methods(model: Model) -> str:
    """A methods paragraph, computed from the model."""
    grid = model.grid
    x, y, z = grid.size
    basis = Counter(p.basis for p in model.numbers_used().values())
    counted = ", ".join(f"{basis[b]} {b}" for b in ("measured", "derived", "fitted", "assumed") if basis[b])
    varying = sum(p.spread > 0 for p in model.numbers_used().values())
    shape = f"a section of {x:g} by {y:g} µm, {z:g} µm thick" if grid.flat else f"a block of {x:g} by {y:g} by {z:g} µm"
    return (
        f"The tissue is {shape}, on voxels of {' x '.join(f'{edge:g}' for edge in dict.fromkeys(grid.spacing))} µm. "
        "Cells are off-lattice spheres that move without inertia, "
        "push each other apart and adhere; diffusing factors are advanced exactly in the cosine modes of the closed box, "
        "immobile matrix exactly in each voxel. Drugs follow linear compartments solved by matrix exponentials. Every "
        "discrete event (death, conversion, entry) waits on a clock of its cell that spends a unit-exponential budget at "
        f"the current hazard. The model has {len(model.processes)} processes and {sum(basis.values())} numbers: {counted}; "
        f"{varying} of them vary between animals (log-normally, with the stated coefficient of variation). An animal has the "
        "same parameters, founders and random numbers in every arm, so arms are compared animal by animal."
    )


def describe(model: Model) -> dict[str, Any]:
    """Everything a report, a table or another program needs to know of a model, as plain JSON values."""
    return {
        "name": model.name,
        "title": model.title,
        **_tissue_rows(model),
        "readouts": _readout_rows(model),
        "cell_types": [_type_row(model.types[name]) for name in model.cell_types],
        "cell_units": {v.noun: v.unit for v in model.cell_variables if v.place == "cell"},
        "event_kinds": list(model.event_kinds),
        "processes": process_table(model),
        "networks": network_rows(model.ordered),
        "genes": {gene: list(what) for gene, what in model.genes.items()},
        **_evidence_rows(model),
        "sources": [_source_row(s) for s in citations(model)],
        "methods": methods(model),
        **_told(model),
    }


def describe_subject(subject: Subject) -> dict[str, Any]:
    """The same of a subject that is not one tissue; it has sites in place of a domain, and domain and fields by site."""
    keys = [key for part in subject.processes.values() for key in part.sources]
    for parameter in subject.numbers_used().values():
        keys += parameter.source.split(";")
    keys += [*subject.sources, *(edge.reference for edge in subject.chain[1])]
    return {
        "name": subject.name,
        "title": subject.title,
        "block": subject.block if isinstance(subject, Cohort) else 1,
        "sites": list(subject.sites),
        "species": subject.species,
        "individuals": subject.individuals,
        "detail": dict(subject.detail),
        "readouts": _readout_rows(subject),
        "cell_types": [_type_row(cell_type) for cell_type in subject.cell_types],
        "fields": [],
        "tissues": {site: _tissue_rows(model) for site, model in subject.tissues.items()},
        "networks": [
            {**row, "site": site} for site, model in subject.tissues.items() for row in network_rows(model.ordered)
        ],
        "cell_units": {},
        "event_kinds": list(subject.event_kinds),
        "processes": [
            {
                "role": part.role,
                "phase": part.phase,
                "summary": part.summary,
                "on": list(part.on),
                "reads": list(part.reads),
                "adds": [],
                "sets": list(part.sets),
                "emits": list(part.emits),
                "rule": None,
                "parameters": list(part.numbers),
                "sources": list(part.sources),
            }
            for part in subject.processes.values()
        ],
        "genes": {gene: list(what) for gene, what in subject.genes.items()},
        **_evidence_rows(subject),
        "sources": [_source_row(s) for s in _known_sources(keys)],
        "methods": subject.methods,
        **_told(subject),
    }


def _tissue_rows(model: Model) -> dict[str, Any]:
    """The space of a tissue, and what fills it."""
    grid = model.grid
    return {
        "dimensions": 2 if grid.flat else 3,
        "domain": {
            "size_um": list(grid.size),
            "voxel_um": grid.voxel if isinstance(grid.voxel, float) else list(grid.spacing),
            "shape": list(grid.shape),
        },
        "fields": [
            {
                "name": name.split(".", 1)[1],
                "title": model.variables[name].title,
                "unit": model.variables[name].unit,
                "immobile": model.variables[name].immobile,
                "colour": model.variables[name].colour,
            }
            for name in model.fields
        ],
    }


def _readout_rows(model: Model | Subject) -> list[dict[str, Any]]:
    return [
        {
            "name": r.name,
            "title": r.title,
            "unit": r.unit,
            "kind": r.kind,
            "summary": r.summary,
            "meaning": r.meaning,
            "headline": r.headline,
            "claim": r.claim,
            "competing": list(r.competing),
        }
        for r in model.readouts
    ]


def _type_row(cell_type: CellType) -> dict[str, Any]:
    return {
        "name": cell_type.name,
        "label": cell_type.label,
        "colour": cell_type.colour,
        "group": cell_type.group,
        "ontology": cell_type.ontology,
    }


def _source_row(source: Source) -> dict[str, Any]:
    return {"key": source.key, "text": source.text, "doi": source.doi, "url": source.link, "note": source.note}


def _evidence_rows(model: Model | Subject) -> dict[str, Any]:
    """Parameters, their variants, and what is assumed."""
    used = model.numbers_used()
    return {
        "parameters": [_parameter_row(p) for p in used.values()],
        "variants": [
            {**_parameter_row(row), "variant": name}
            for key in used
            for name, row in sorted(model.parameters.variants_of(key).items())
        ],
        "assumptions": assumptions(model),
    }


def _told(model: Model | Subject) -> dict[str, Any]:
    """Limits, the causal chain, drugs and options."""
    nodes, edges = model.chain
    return {
        "limits": list(model.limits),
        "chain": {
            "nodes": [{"id": n.id, "label": n.label, "readout": n.readout, "x": n.x, "y": n.y} for n in nodes],
            "edges": [
                {"source": e.source, "target": e.target, "sign": e.sign, "role": e.role, "reference": e.reference}
                for e in edges
            ],
        },
        "drugs": [
            {"name": d.name, "title": d.title, "action": d.action, "sources": list(d.sources)} for d in model.drugs
        ],
        "options": [
            {"name": o.name, "choices": list(o.choices), "default": o.default, "meaning": o.meaning}
            for o in model.options
        ],
    }
