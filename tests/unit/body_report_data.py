"""A small made-up result of a whole body, with the attributes that the report reads; no number is measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from report_data import DemoResult

from paget.errors import ResultError
from paget.experiment import Study

SITES = ("primary", "lung", "liver", "bone marrow", "brain", "lymph node", "adrenal gland", "kidney", "other")
# share of arriving cells, and how fast they grow there
SOIL = {
    "lung": (0.52, 0.30),
    "liver": (0.16, 0.26),
    "bone marrow": (0.09, 0.20),
    "brain": (0.02, 0.18),
    "lymph node": (0.14, 0.24),
    "adrenal gland": (0.03, 0.12),
    "kidney": (0.02, 0.06),
    "other": (0.02, 0.02),
}
SHEDDING = {"untreated": 1.0, "surgery": 1.0, "surgery + chemotherapy": 0.75}
OPERATED = 0.55  # of the study
SEEDED_AGAIN = (
    ("lung", "bone marrow", 13.0),
    ("lung", "brain", 17.0),
    ("lung", "liver", 15.0),
    ("lymph node", "lung", 14.0),
    ("liver", "adrenal gland", 18.0),
    ("lung", "primary", 12.0),
)
EVENT_KINDS = ("division", "death", "arrival")


def body_study(replicates: int = 8, days: int = 30, **changes: Any) -> Study:
    operated = [{"at": f"{round(OPERATED * days)} day"}]
    dose = {"drug": "doxorubicin", "amount": "5 mg/kg", "every": "2 day", "count": 2}
    arms = [
        {"name": "untreated"},
        {"name": "surgery", "versus": "untreated", "resections": operated},
        {
            "name": "surgery + chemotherapy",
            "versus": "surgery",
            "resections": operated,
            "doses": [{**dose, "start": f"{round(OPERATED * days) + 1} day"}],
        },
    ]
    settings = {
        "name": "cascade",
        "title": "From the primary tumour to every organ",
        "model": "cascade_mouse",
        "duration": f"{days} day",
        "replicates": replicates,
        "seed": 5,
        "arms": arms,
    }
    return Study.model_validate({**settings, **changes})


def body_model(species: str = "mouse", sites: tuple[str, ...] = SITES) -> dict[str, Any]:
    readouts = [
        ("metastatic_burden", "Tumour cells outside the primary", "cells", "count", "final"),
        ("nodules", "Visible metastases", "lesions", "count", "final"),
        ("ctc_peak", "Peak of circulating tumour cells", "1/mL", "continuous", "peak"),
    ]
    return {
        "name": "cascade_mouse",
        "title": "A mouse with a primary tumour",
        "sites": list(sites),
        "species": species,
        "detail": {site: "spatial" if site in ("primary", "lung") else "lumped" for site in sites},
        "readouts": [
            {"name": n, "title": t, "unit": u, "kind": k, "summary": s, "headline": True, "meaning": t, "claim": ""}
            for n, t, u, k, s in readouts
        ],
        "cell_types": [
            {"name": "tumour cell", "label": "tumour cell", "colour": "#c51b7d", "group": "tumour"},
            {"name": "neutrophil", "label": "neutrophil", "colour": "#0072b2", "group": "immune"},
        ],
        "fields": [],
        "cell_units": {},
        "event_kinds": list(EVENT_KINDS),
    }


@dataclass(frozen=True)
class BodyResult(DemoResult):
    """Stands in for `paget.results.Result` of a body."""

    table: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    days: tuple[float, ...] = ()

    def events(self, arm: str, animal: int) -> pd.DataFrame:
        if not len(self.table):
            raise ResultError(f"Animal {animal} of arm '{arm}' has no events.")
        rows = self.table[(self.table["arm"] == arm) & (self.table["animal"] == animal)]
        return rows.drop(columns=["arm", "animal"]).reset_index(drop=True)

    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame:
        self._require_frame(arm, day)
        rng = np.random.default_rng([3, animal])
        pieces = []
        for code, count in ((0, 260), (1, int(20 + 12 * day))):
            places = rng.normal(0.0, 60.0 + 2.0 * day, (count, 2)) + (5000.0 if code else 0.0)
            pieces.append(
                pd.DataFrame(
                    {
                        "type": np.where(rng.random(count) < 0.8, "tumour cell", "neutrophil"),
                        "x": places[:, 0],
                        "y": places[:, 1],
                        "z": 10.0,
                        "radius": 7.0,
                        "site": code,
                    }
                )
            )
        table = pd.concat(pieces, ignore_index=True)
        table.insert(0, "id", np.arange(len(table), dtype=np.uint64))
        return table


def body_result(
    study: Study | None = None, *, species: str = "mouse", sites: tuple[str, ...] = SITES, **changes: Any
) -> BodyResult:
    """A result in which a primary tumour sheds, cells arrive by soil and some metastases shed again."""
    study = study or body_study()
    days = np.arange(0.0, study.duration / 24 + 0.5, 1.0)
    metrics, events = [], []
    for arm in study.arm_names:
        for animal in range(study.replicates):
            series, came = _lived(arm, animal, study.seed, days, sites)
            metrics.append(series)
            events.append(came)
    manifest = {
        "model": body_model(species, sites),
        "seed": study.seed,
        "versions": {"paget": "0.1.0"},
        "machine": {},
        "wall_seconds": 3.0,
    }
    result = BodyResult(
        study, Path("body"), manifest, metrics=pd.concat(metrics, ignore_index=True), table=pd.concat(events)
    )
    return replace(result, **changes)


def _lived(
    arm: str, animal: int, seed: int, days: np.ndarray, sites: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    luck = np.random.default_rng([seed, animal])
    vigour = luck.lognormal(0.0, 0.35)
    growth = 0.33 * luck.lognormal(0.0, 0.05)
    operated = arm != "untreated"
    primary = np.floor(200.0 * np.exp(growth * days))
    if operated:
        primary = np.where(days >= round(OPERATED * days[-1]), 0.0, primary)
    kill = np.where((arm == "surgery + chemotherapy") & (days > 18), 0.55, 1.0)
    shed_rate = 0.8 * vigour * SHEDDING.get(arm, 1.0) * primary**0.9
    shed = np.floor(np.cumsum(shed_rate))
    noise = np.random.default_rng([seed, animal, len(arm)])
    rows: list[tuple[float, str, str, int]] = []
    clones = luck.permutation(40)[:14]
    weights = luck.dirichlet(np.full(14, 0.5))
    expected = 0.004 * shed_rate
    for site, (share, _) in SOIL.items():
        if site in sites:
            for day, count in zip(days, luck.poisson(share * expected), strict=True):
                drawn = luck.choice(clones, count, p=weights)
                rows += [
                    (float(d), site, "primary", int(c)) for d, c in zip(day + luck.random(count), drawn, strict=True)
                ]
    rows = [row for row in rows if row[0] <= days[-1]]
    for mother, site, least in SEEDED_AGAIN:
        seeded = sorted(row for row in rows if row[1] == mother and row[0] < least)
        for _, _, _, clone in seeded[: int(luck.poisson(2.2))]:
            rows.append((least + 10.0 * luck.random(), site, mother, clone))
    rows = sorted(row for row in rows if row[0] <= days[-1] and {row[1], row[2]} <= set(sites))
    came = pd.DataFrame(rows, columns=["day", "site", "origin", "clone"])
    came["medium"] = np.where(came["site"] == "lymph node", "lymph", "blood")
    came = came.assign(arm=arm, animal=animal, kind="arrival", cell=np.arange(len(came)) + 1000, other=0)
    came = came.assign(type="tumour cell", x=0.0, y=0.0, z=0.0)
    columns: dict[str, Any] = {"arm": arm, "animal": animal, "day": days}
    columns["cells_primary"] = primary
    total = np.zeros_like(days)
    nodules = np.zeros_like(days)
    arrived = np.zeros_like(days)
    for site in sites:
        times = came.loc[came["site"] == site, "day"].to_numpy(float)
        columns[f"arrivals_{site.replace(' ', '_')}"] = np.array([(times <= day).sum() for day in days], float)
        arrived += columns[f"arrivals_{site.replace(' ', '_')}"]
        if site == "primary":
            continue
        rate = SOIL[site][1] * growth / 0.33
        ages = np.maximum(0.0, days[None, :] - times[:, None])
        awake = (luck.random(len(times)) < 0.35)[:, None]
        lesions = np.where(ages > 0, np.where(awake, np.exp(rate * ages * 1.3), 1.0), 0.0)
        lesions = (
            np.floor(lesions * np.cumprod(np.where(awake, kill[None, :] ** 0.25, 1.0), axis=1))
            if len(times)
            else lesions
        )
        key = site.replace(" ", "_")
        columns[f"cells_{key}"] = lesions.sum(axis=0) if len(times) else np.zeros_like(days)
        columns[f"nodules_{key}"] = (lesions > 200).sum(axis=0).astype(float) if len(times) else np.zeros_like(days)
        columns[f"dormant_{key}"] = (lesions == 1).sum(axis=0).astype(float) if len(times) else np.zeros_like(days)
        total += columns[f"cells_{key}"]
        nodules += columns[f"nodules_{key}"]
    inside = noise.poisson(0.0004 * shed_rate).astype(float)
    columns["ctc_single"] = inside
    columns["ctc_clusters"] = noise.poisson(0.00002 * shed_rate).astype(float)
    columns["ctc_per_ml"] = inside / 1.7
    columns["shed"] = shed
    columns["died_in_blood"] = np.maximum(0.0, shed - arrived - 0.02 * shed_rate)
    columns["metastatic_burden"] = total
    columns["nodules"] = nodules
    columns["ctc_peak"] = columns["ctc_per_ml"]
    return pd.DataFrame(columns), came
