"""What a study leaves on disk: animals in segments, tables, a manifest; and the `Result` that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paget.results.animal import AnimalStore
    from paget.results.lineage import lineage, parents
    from paget.results.memory import MemoryRecorder
    from paget.results.result import Result
    from paget.results.trees import newick

__all__ = ["AnimalStore", "MemoryRecorder", "Result", "lineage", "newick", "parents"]

_PLACES = {
    "AnimalStore": "animal",
    "MemoryRecorder": "memory",
    "Result": "result",
    "lineage": "lineage",
    "newick": "trees",
    "parents": "lineage",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: pyarrow, pandas and zarr are slow to import."""
    if name not in _PLACES:
        raise AttributeError(f"module 'paget.results' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(f"paget.results.{_PLACES[name]}"), name)
