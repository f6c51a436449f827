"""Every animal of a study in a process of its own, with the folder on disk as the only truth."""

from __future__ import annotations

from paget.engine.ensemble.experiment_run import simulate
from paget.engine.ensemble.shards import Shard
from paget.engine.ensemble.summaries import collect
from paget.engine.ensemble.supervisor import Event, Failure, execute
from paget.engine.ensemble.worker import Job

__all__ = ["Event", "Failure", "Job", "Shard", "collect", "execute", "simulate"]
