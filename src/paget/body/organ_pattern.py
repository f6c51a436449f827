"""Where tumours go: autopsies beside what flow alone, seed and soil alone, and both together predict.

Assumes: one arrest probability for all cells and beds; metastases are found independently; levels of seed and soil are
coarse (0, low, middle, high). Leaves out: spread along serous membranes, metastases of metastases, survival after the first
metastasis. Differs from a regression of counts on flow in that the ways (portal vein, lung, lymph, vertebral veins) are those
of the circulation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from paget.body.anatomy import anatomy_of
from paget.body.autopsies import Finding, load_autopsies, wilson
from paget.body.seed_and_soil import MODELS, ORIGINS, Model, Pattern, arrivals, found_in, likeness, load_of
from paget.errors import ModelError, UnknownNameError
from paget.evidence import load_parameters

__all__ = ["PatternResult", "Score", "compare_patterns", "organ_pattern", "score"]

LYMPHATIC = "lymph node"  # reached by lymph from its own region: told in the tables, left out of the scores
RESAMPLES = 2000
SEED = 1889


@dataclass(frozen=True)
class Score:
    """How well predicted shares follow observed ones over some organs.

    r2 : squared correlation, that of a plain linear regression; rank : Spearman's correlation, NaN where undefined;
    low, high : their 95 % intervals when the autopsies are drawn anew (binomial bootstrap, predictions kept)
    """

    organs: int
    r2: float
    r2_low: float
    r2_high: float
    rank: float
    rank_low: float
    rank_high: float


@dataclass(frozen=True)
class PatternResult:
    """Observed and predicted shares of autopsies with metastases, for one primary.

    table : one row per series and organ: series, use, organ, observed, low, high (Wilson, 95 %), n (autopsies), and the
        predictions flow, soil and both; each model has one load per series, fitted to that series
    scores : per series and model
    """

    primary: str
    species: str
    model: Model
    table: pd.DataFrame
    scores: pd.DataFrame

    @property
    def predicted(self) -> pd.Series[float]:
        """The predictions of the model that was asked for."""
        return self.table[self.model]


def organ_pattern(primary: str, species: str = "human", model: Model = "both") -> PatternResult:
    """Where tumours of one primary go, by autopsies and by the three models.

    Raises
    ------
    UnknownNameError, ModelError

    Examples
    --------
    >>> organ_pattern("colon").table.loc[0, "organ"]
    'lung'
    """
    if primary not in ORIGINS:
        raise UnknownNameError("primary tumour", primary, ORIGINS)
    if model not in MODELS:
        raise UnknownNameError("model", model, MODELS)
    anatomy = anatomy_of(species)
    if species != "human":
        raise ModelError(
            f"The autopsies are those of patients: they can be compared with a human, not with a {species}"
        )
    numbers = load_parameters("organ_pattern")
    lymphatic = numbers["lymphatic_share"].inside("")
    patterns = [Pattern.from_table(one, numbers) for one in MODELS]
    rows, scores = [], []
    for series, findings in _series(finding for finding in load_autopsies() if finding.primary == primary):
        found = np.array([finding.found for finding in findings], dtype=float)
        autopsies = np.array([finding.autopsies for finding in findings], dtype=float)
        organs = [finding.organ for finding in findings]
        shares = {}
        for pattern in patterns:
            landed = {} if pattern.model == "soil" else arrivals(anatomy, primary, pattern.arrest, lymphatic)
            rates = pattern.rates(organs, landed, {organ: likeness(numbers, primary, organ) for organ in organs})
            shares[pattern.model] = found_in(load_of(rates, found, autopsies), rates)
        for i, finding in enumerate(findings):
            low, high = wilson(finding.found, finding.autopsies)
            row: dict[str, object] = {"series": series, "use": finding.use, "organ": finding.organ}
            row |= {"observed": finding.share, "low": low, "high": high, "n": finding.autopsies}
            rows.append(row | {one: float(shares[one][i]) for one in MODELS})
        blood = np.array([organ != LYMPHATIC for organ in organs])
        for one in MODELS:
            reached = score(shares[one][blood], found[blood], autopsies[blood])
            about = {"series": series, "primary": primary, "use": findings[0].use, "model": one}
            scores.append({**about, **vars(reached)})
    return PatternResult(primary, species, model, pd.DataFrame(rows), pd.DataFrame(scores))


def compare_patterns() -> pd.DataFrame:
    """Scores of the three models for every primary and series, and over all organs of all series that were not fitted to.

    Columns: series, primary, use, model, and those of `Score`.
    """
    results = [organ_pattern(primary) for primary in ORIGINS]
    every = pd.concat([result.table for result in results], ignore_index=True)
    unseen = every[(every["use"] == "prediction") & (every["organ"] != LYMPHATIC)]
    counts = (unseen["observed"] * unseen["n"]).round().to_numpy()
    pooled = [
        {"series": "all", "primary": "all", "use": "prediction", "model": one}
        | vars(score(unseen[one].to_numpy(), counts, unseen["n"].to_numpy(dtype=float)))
        for one in MODELS
    ]
    return pd.concat([*(result.scores for result in results), pd.DataFrame(pooled)], ignore_index=True)


def score(predicted: NDArray[np.float64], found: NDArray[np.float64], autopsies: NDArray[np.float64]) -> Score:
    """Score predicted shares against counts of autopsies; the interval is the same in every run."""
    drawn = np.random.default_rng(SEED).binomial(autopsies.astype(np.int64), found / autopsies, (RESAMPLES, len(found)))
    observed = np.vstack([found / autopsies, drawn / autopsies])
    squares = _correlations(observed, predicted) ** 2
    ranks = _correlations(rankdata(observed, axis=1), rankdata(predicted))
    r2_edges, rank_edges = (np.nanquantile(values[1:], [0.025, 0.975]) for values in (squares, ranks))
    return Score(
        organs=len(found),
        r2=float(squares[0]),
        r2_low=float(r2_edges[0]),
        r2_high=float(r2_edges[1]),
        rank=float(ranks[0]),
        rank_low=float(rank_edges[0]),
        rank_high=float(rank_edges[1]),
    )


def _correlations(rows: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of every row with the other values; NaN for a row without variation."""
    x, y = rows - rows.mean(axis=1, keepdims=True), other - other.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((x @ y) / np.sqrt((x * x).sum(axis=1) * (y * y).sum()))


def _series(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.organ:
            groups.setdefault(finding.series, []).append(finding)
    return list(groups.items())
