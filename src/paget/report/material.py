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

__all__ = ["MISSING_MARK", "SIGNIFICANT", "Material", "ResultLike", "collect"]

SIGNIFICANT = 0.05
MISSING_MARK = "†"
_MOST_PANELS = 9
_MOST_REASONS = 2
_MOST_ARMS_TOLD = 8


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
    @property
    def moments(self) -> pd.DataFrame: ...
    def frame_days(self) -> tuple[float, ...]: ...
    def cells(self, arm: str, animal: int, day: float) -> pd.DataFrame: ...
    def field(self, arm: str, animal: int, day: float, name: str) -> np.ndarray: ...
    def events(self, arm: str, animal: int) -> pd.DataFrame: ...
    def comparisons(self) -> tuple[Comparison, ...]: ...


@dataclass(frozen=True, eq=False)
class Material:
    """A result as the report sees it.

    moments : when what an arm waits for happened to an animal: arm, animal, moment, day (NaN: never)
    """

    study: Study
    manifest: Mapping[str, Any]
    readouts: Sequence[Mapping[str, Any]]
    metrics: pd.DataFrame
    outcomes: pd.DataFrame
    status: pd.DataFrame
    comparisons: Sequence[Comparison]
    styles: Mapping[str, ArmStyle]
    moments: pd.DataFrame

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
    def start(self) -> float:
        """The first day that is shown: 0, or of a study that branched off another one the day on which it did."""
        branch = self.study.branch
        return branch.at / HOURS_PER_DAY if branch is not None else 0.0

    @property
    def individuals(self) -> str:
        """What the model calls those that live through the study: animals, or patients."""
        return str(self.model.get("individuals") or "animals")

    @property
    def individual(self) -> str:
        """One of them."""
        return self.individuals.removesuffix("s")

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
    def headline_from_end(self) -> tuple[Mapping[str, Any], ...]:
        """Headline readouts from the end of the causal chain back to its causes, then those that the chain leaves out."""
        held = {r["name"]: r for r in self.headline}
        backwards = [node["readout"] for node in reversed(_downstream(self.chain)) if node.get("readout") in held]
        return tuple(held[name] for name in dict.fromkeys([*backwards, *held]))

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
    def lost(self) -> Mapping[str, int]:
        """Animals of each arm that did not finish, of arms that have some."""
        asked = self.study.replicates
        return {arm: asked - finished for arm, finished in self.finished.items() if finished < asked}

    @property
    def failures(self) -> pd.DataFrame:
        return self.status[self.status["status"] != "done"]

    def of_asked(self, number: int) -> str:
        """Write a number of animals; where some are missing, of how many, with a mark that a note explains.

        See `lost_in_words`.
        """
        asked = self.study.replicates
        return f"{number:,}" if number >= asked else f"{number:,} of {asked:,}{MISSING_MARK}"

    def lost_in_words(self) -> str:
        """Say how many animals of which arms are missing, and why; empty if none is."""
        parts = []
        for arm, number in self.lost.items():
            rows = self.failures[self.failures["arm"] == arm]
            reasons = [str(r.error) or str(r.status) for r in rows.itertuples()]
            told = dict.fromkeys(reason.splitlines()[0] for reason in reasons if reason)
            why = "; ".join(list(told)[:_MOST_REASONS]) + ("; and more" if len(told) > _MOST_REASONS else "")
            parts.append(f"{number:,} in {arm}" + (f" ({why})" if why else ""))
        if not parts:
            return ""
        shown = ", ".join(parts[:_MOST_ARMS_TOLD]) + (
            ", and more in other arms" if len(parts) > _MOST_ARMS_TOLD else ""
        )
        return f"Did not finish and {'is' if sum(self.lost.values()) == 1 else 'are'} left out: {shown}."

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
        moments=result.moments,
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
