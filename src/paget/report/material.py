"""What the report is about, collected once: every figure, table and sentence reads from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from paget.experiment import HOURS_PER_DAY, Arm, Study
from paget.report.theme import ArmStyle, arm_styles, counterpart

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from paget.compare import Comparison

__all__ = ["SIGNIFICANT", "Material", "ResultLike", "collect"]

SIGNIFICANT = 0.05
_MOST_PANELS = 9


class ResultLike(Protocol):
    """What the report needs of a result."""

    @property
    def study(self) -> Study: ...
    @property
    def path(self) -> Path: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def readouts(self) -> list[dict[str, Any]]: ...
    @property
    def metrics(self) -> pd.DataFrame: ...
    @property
    def outcomes(self) -> pd.DataFrame: ...
    @property
    def status(self) -> pd.DataFrame: ...
    def frame_days(self) -> tuple[float, ...]: ...
    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame: ...
    def field(self, arm: str, animal: int, day: float, name: str) -> np.ndarray: ...
    def events(self, arm: str, animal: int) -> pd.DataFrame: ...
    def comparisons(self) -> tuple[Comparison, ...]: ...


@dataclass(frozen=True, eq=False)
class Material:
    """A result as the report sees it."""

    study: Study
    manifest: Mapping[str, Any]
    readouts: Sequence[Mapping[str, Any]]
    metrics: pd.DataFrame
    outcomes: pd.DataFrame
    status: pd.DataFrame
    comparisons: Sequence[Comparison]
    styles: Mapping[str, ArmStyle]

    @property
    def model(self) -> Mapping[str, Any]:
        model: Mapping[str, Any] = self.manifest["model"]
        return model

    @property
    def arms(self) -> tuple[str, ...]:
        return self.study.arm_names

    @property
    def arms_with_data(self) -> tuple[str, ...]:
        present = set(self.metrics["arm"].unique())
        return tuple(arm for arm in self.arms if arm in present)

    @property
    def days(self) -> float:
        return self.study.duration / HOURS_PER_DAY

    @property
    def sources(self) -> dict[str, Mapping[str, Any]]:
        return {source["key"]: source for source in self.model.get("sources", ())}

    @property
    def chain(self) -> Mapping[str, Any] | None:
        chain: Mapping[str, Any] = self.model.get("chain") or {}
        return chain if chain.get("nodes") else None

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites of a body, in the order of their codes; empty for a study of one tissue."""
        return tuple(self.model.get("sites") or ())

    @property
    def timed(self) -> tuple[Mapping[str, Any], ...]:
        """Readouts that are times to an event."""
        return tuple(r for r in self.readouts if r["kind"] == "time")

    @property
    def headline(self) -> tuple[Mapping[str, Any], ...]:
        """Readouts that carry the message, times to an event excepted."""
        counted = [r for r in self.readouts if r["kind"] != "time"]
        return tuple([r for r in counted if r.get("headline")] or counted)[:_MOST_PANELS]

    @property
    def cascade(self) -> tuple[Mapping[str, Any], ...]:
        """Readouts in the order of the causal chain, then headline readouts that the chain leaves out."""
        counted = {r["name"]: r for r in self.readouts if r["kind"] != "time"}
        names = [node["readout"] for node in _downstream(self.chain) if node.get("readout") in counted]
        names += [r["name"] for r in self.headline]
        return tuple(counted[name] for name in dict.fromkeys(names))[:_MOST_PANELS]

    @property
    def hypotheses(self) -> tuple[tuple[Arm, Arm], ...]:
        """Arms with parameters of their own, each with the arm that has the same treatment under the model's view."""
        pairs = ((arm, counterpart(self.study, arm)) for arm in self.study.arms)
        return tuple((arm, twin) for arm, twin in pairs if twin is not None)

    @property
    def finished(self) -> Mapping[str, int]:
        """Animals of each arm that finished; where they are computed in blocks, a row of `status` is a block."""
        first = self.status.loc[self.status["status"] == "done", ["arm", "animal"]]
        block = max(int(self.model.get("block", 1)), 1)
        done = (self.study.replicates - first["animal"]).clip(upper=block).groupby(first["arm"]).sum()
        return {arm: int(done.get(arm, 0)) for arm in self.arms}

    @property
    def failures(self) -> pd.DataFrame:
        return self.status[self.status["status"] != "done"]

    def comparison(self, readout: str, arm: str, versus: str) -> Comparison | None:
        """The comparison of one readout between two arms, if the study makes it."""
        return next(
            (c for c in self.comparisons if (c.readout, c.arm, c.versus) == (readout, arm, versus)),
            None,
        )

    def values(self, readout: str, arm: str) -> pd.DataFrame:
        """One row per finished animal of an arm: animal, value, observed; animals without a value are left out."""
        rows = self.outcomes
        kept = rows[(rows["readout"] == readout) & (rows["arm"] == arm)].dropna(subset=["value"])
        return kept.sort_values("animal")


def collect(result: ResultLike) -> Material:
    """Read a result once; tables that a result computes on demand are computed here and nowhere else."""
    metrics, outcomes = result.metrics, result.outcomes
    present = set(outcomes["readout"].unique())
    return Material(
        study=result.study,
        manifest=result.manifest,
        readouts=[r for r in result.readouts if r["name"] in present or r["name"] in metrics.columns],
        metrics=metrics,
        outcomes=outcomes,
        status=result.status,
        comparisons=result.comparisons() if len(outcomes) else (),
        styles=arm_styles(result.study),
    )


def _downstream(chain: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Order the nodes of a chain from cause to effect: by the longest way to them, then from left to right."""
    if chain is None:
        return []
    depth = {node["id"]: 0 for node in chain["nodes"]}
    edges = [(e["source"], e["target"]) for e in chain["edges"] if e["source"] in depth and e["target"] in depth]
    for _ in range(len(depth) - 1):  # enough without loops, and an end with them
        for source, target in edges:
            depth[target] = max(depth[target], min(depth[source] + 1, len(depth)))
    return sorted(chain["nodes"], key=lambda node: (depth[node["id"]], node["x"], -node["y"]))
