"""What pathologists found: how many of the dead had metastases in which organ, by primary tumour."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib.resources import files

from paget.errors import EvidenceError
from paget.evidence.rows import rows_of, unknown_sources

__all__ = ["Finding", "load_autopsies", "read_autopsies", "wilson"]

_COLUMNS = ("series", "primary", "site", "organ", "autopsies", "found", "use", "source", "where", "note")


@dataclass(frozen=True)
class Finding:
    """Autopsies of one series and primary tumour with metastases in one site.

    site : as the table calls it; organ : the organ of the anatomy, empty where it has none (serous membranes, bladder)
    use : calibration (numbers were fitted to it) or prediction (none were)
    """

    series: str
    primary: str
    site: str
    organ: str
    autopsies: int
    found: int
    use: str
    source: str
    where: str
    note: str = ""

    @property
    def share(self) -> float:
        """Share of the autopsies with metastases there."""
        return self.found / self.autopsies


def wilson(found: float, of: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's interval of a binomial share, by default at 95 %."""
    share, over = found / of, z * z / of
    middle = (share + over / 2.0) / (1.0 + over)
    half = z / (1.0 + over) * math.sqrt(share * (1.0 - share) / of + over / (4.0 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def read_autopsies(text: str, name: str) -> tuple[Finding, ...]:
    """Read a table of autopsies; every row is checked.

    Raises
    ------
    EvidenceError
        With file and line.
    """
    findings: dict[tuple[str, str, str], Finding] = {}
    for place, row in rows_of(text, name, _COLUMNS):
        try:
            autopsies, found = int(row["autopsies"]), int(row["found"])
        except ValueError:
            raise EvidenceError(f"{place}: autopsies and found must be whole numbers") from None
        if not 0 <= found <= autopsies or autopsies == 0:
            raise EvidenceError(f"{place}: {found} of {autopsies} autopsies cannot have metastases there")
        if row["use"] not in ("calibration", "prediction"):
            raise EvidenceError(f"{place}: use is '{row['use']}'; it must be calibration or prediction")
        if unknown := unknown_sources(row["source"]):
            raise EvidenceError(f"{place}: {unknown[0]}")
        identity = (row["series"], row["primary"], row["site"])
        if identity in findings:
            raise EvidenceError(f"{place}: {row['site']} of {row['primary']} cancer is given twice by {row['series']}")
        findings[identity] = Finding(
            row["series"],
            row["primary"],
            row["site"],
            row["organ"],
            autopsies,
            found,
            row["use"],
            row["source"],
            row["where"],
            row["note"],
        )
    return tuple(findings.values())


@functools.cache
def load_autopsies() -> tuple[Finding, ...]:
    """The tables of autopsies that come with paget."""
    path = files("paget") / "data" / "autopsies" / "autopsies.csv"
    return read_autopsies(path.read_text(encoding="utf-8"), path.name)
