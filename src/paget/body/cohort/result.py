"""What a cohort of patients gives back: one row per patient, survival, yearly hazards and burdens over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.cohort.arms import CohortArm
from paget.errors import UnknownNameError
from paget.kernels.cohort import COLUMNS, SERIES
from paget.units import to_internal

if TYPE_CHECKING:
    import pandas as pd

    from paget.body.cohort.definition import Cohort

__all__ = ["ArmRecord", "CohortResult", "Endpoint", "Followed"]

Real = NDArray[np.float64]
Endpoint = Literal["relapse", "distant", "death", "cancer death"]
YEAR = to_internal("1 year", "h")
CAUSES = ("alive", "cancer", "other")
_Z = 1.959963984540054


class ArmRecord(NamedTuple):
    """What the kernel wrote for one arm: outcomes [n, columns], metastases seen [n, sites], readouts [n, times, series]."""

    arm: CohortArm
    outcomes: Real
    seen: Real
    series: Real


class Followed(NamedTuple):
    """Times in years until an endpoint or the end of observation, and whether the endpoint was met, [n]."""

    years: Real
    observed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CohortResult:
    """Outcomes of the same patients in every arm.

    times : of the readouts, in h from diagnosis
    """

    cohort: Cohort
    years: float
    seed: int
    first: int
    times: Real
    records: tuple[ArmRecord, ...]

    def _record(self, arm: str) -> ArmRecord:
        for record in self.records:
            if record.arm.name == arm:
                return record
        raise UnknownNameError("arm", arm, [record.arm.name for record in self.records])

    def patients(self, arm: str) -> pd.DataFrame:
        """One row per patient; times in years from diagnosis, sizes in cells, nan where there was none."""
        import pandas as pd

        record = self._record(arm)
        column = {name: record.outcomes[:, i] for i, name in enumerate(COLUMNS)}
        organ = column["organ"].astype(int)
        density = self.cohort.value("tumour_cell_density")
        table = pd.DataFrame(
            {
                "patient": np.arange(self.first, self.first + len(organ)),
                "relapsed": np.isfinite(column["relapse"]),
                "relapse_time": column["relapse"] / YEAR,
                "relapse_site": np.array([*self.cohort.sites, ""], object)[organ],
                "distant_relapsed": np.isfinite(column["distant"]),
                "distant_relapse_time": column["distant"] / YEAR,
                "death_time": column["death"] / YEAR,
                "cause": np.array(CAUSES, object)[column["cause"].astype(int)],
                "n_founded": column["founded"].astype(int),
                "n_metastases": column["present"].astype(int),
                "n_dormant": column["dormant"].astype(int),
                "n_awoken": column["awoken"].astype(int),
                "burden": column["cells"],
                "nodes": column["nodes"].astype(int),
                "size_at_diagnosis": column["size"],
                "diameter": np.cbrt(column["size"] / density * 6.0 / np.pi),
                "size_at_surgery": column["removed"],
                "age": column["age"] / YEAR,
                "doubling_time": self.cohort.value("primary_doubling_time")
                / 24.0
                * self.cohort.rate
                / column["growth"],
                "founding": column["founding"],
            }
        )
        for i, site in enumerate(self.cohort.sites):
            table[f"visible in {site}"] = record.seen[:, i].astype(int)
        return table

    def followed(self, arm: str, endpoint: Endpoint = "relapse") -> Followed:
        """Times to an endpoint, censored at death of another cause (for relapses, at any death) and at the end.

        "relapse" is the first metastasis anywhere, "distant" the first outside the regional sites, "death" is of any cause.
        """
        outcomes = self._record(arm).outcomes
        death, cause = outcomes[:, COLUMNS.index("death")], outcomes[:, COLUMNS.index("cause")]
        end = np.where(np.isnan(death), self.years * YEAR, death)
        match endpoint:
            case "death":
                observed = cause > 0
            case "cancer death":
                observed = cause == 1
            case "relapse" | "distant":
                time = outcomes[:, COLUMNS.index(endpoint)]
                observed = np.isfinite(time)
                end = np.where(observed, time, end)
            case _:
                raise UnknownNameError("endpoint", endpoint, ("relapse", "distant", "death", "cancer death"))
        return Followed(end / YEAR, observed)

    def survival(self, arm: str, endpoint: Endpoint = "relapse") -> pd.DataFrame:
        """Kaplan-Meier's share without the endpoint, with its 95 % band (log-log), at the years at which it changes."""
        import pandas as pd
        from lifelines import KaplanMeierFitter

        years, observed = self.followed(arm, endpoint)
        fit = KaplanMeierFitter().fit(years, observed)
        band = fit.confidence_interval_.to_numpy()
        return pd.DataFrame(
            {
                "years": fit.survival_function_.index.to_numpy(),
                "survival": fit.survival_function_.iloc[:, 0].to_numpy(),
                "low": band.min(axis=1),
                "high": band.max(axis=1),
            }
        )

    def survival_at(self, arm: str, years: float, endpoint: Endpoint = "relapse") -> tuple[float, float, float]:
        """Share without the endpoint at a time, with the 95 % band."""
        curve = self.survival(arm, endpoint)
        row = curve[curve.years <= years].iloc[-1]
        return float(row.survival), float(row.low), float(row.high)

    def hazard_by_year(self, arm: str, endpoint: Endpoint = "relapse") -> pd.DataFrame:
        """Events per patient-year in each year after diagnosis, with a 95 % interval (log-normal, of a Poisson count)."""
        import pandas as pd

        years, observed = self.followed(arm, endpoint)
        rows = []
        for year in range(int(np.ceil(self.years - 1e-9))):
            events = int(np.count_nonzero(observed & (years > year) & (years <= year + 1)))
            risk = float(np.clip(years - year, 0.0, 1.0).sum())
            hazard = events / risk if risk > 0.0 else np.nan
            factor = np.exp(_Z / np.sqrt(events)) if events else np.nan
            rows.append((year, events, risk, hazard, hazard / factor, hazard * factor))
        return pd.DataFrame(rows, columns=["year", "events", "patient_years", "hazard", "low", "high"])

    def series(self, arm: str) -> pd.DataFrame:
        """Readouts by year: patients alive; of these quartiles of the burden, and means of metastases and dormant cells."""
        import pandas as pd

        series = self._record(arm).series
        rows = []
        for j, time in enumerate(self.times):
            row = {name: series[:, j, i] for i, name in enumerate(SERIES)}
            alive = row["alive"] > 0.0
            burden = np.quantile(row["burden"][alive], (0.25, 0.5, 0.75, 0.95)) if alive.any() else [np.nan] * 4
            means = [
                row[name][alive].mean() if alive.any() else np.nan for name in ("metastases", "visible", "dormant")
            ]
            share = np.mean(row["visible"][alive] > 0.0) if alive.any() else np.nan
            dormant = np.mean(row["dormant"][alive] > 0.0) if alive.any() else np.nan
            rows.append((time / YEAR, int(alive.sum()), *burden, *means, share, dormant))
        columns = [
            "years",
            "alive",
            "burden_q25",
            "burden_median",
            "burden_q75",
            "burden_q95",
            "metastases",
            "visible",
            "dormant",
        ]
        return pd.DataFrame(rows, columns=[*columns, "share_visible", "share_dormant"])
