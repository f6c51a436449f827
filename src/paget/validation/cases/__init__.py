"""Every observation of the project, and how it is tested or why it is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from paget.validation.case import Case, Experiment, Untested
from paget.validation.cases import blood, bone, cohort, lesions, lung, networks, niche, organs, untested, whole_mouse

__all__ = ["CASES", "EXPERIMENTS", "UNTESTED"]

_TOPICS = (networks, niche, whole_mouse, lung, blood, lesions, organs, bone, cohort)
EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {experiment.key: experiment for topic in _TOPICS for experiment in topic.EXPERIMENTS}
)
CASES: tuple[Case, ...] = tuple(case for topic in _TOPICS for case in topic.CASES)
UNTESTED: tuple[Untested, ...] = untested.UNTESTED
