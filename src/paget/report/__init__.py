"""The report of a study: one page with the figures, statistics and sources of a paper, readable without a network."""

from __future__ import annotations

from paget.report.page import write_report
from paget.report.publication import publish

__all__ = ["publish", "write_report"]
