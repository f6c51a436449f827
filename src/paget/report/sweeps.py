"""A sweep told as one thing: what was varied and over which range, and how its points are named where room is short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paget.experiment import Study
from paget.report.theme import joined, number_text

if TYPE_CHECKING:
    from paget.experiment.sweep import Axis

__all__ = ["Coordinates", "axes_of", "coordinates", "points_of", "sweep_in_words"]

_MOST_AXES = 3


class Coordinates:
    """How the arms of a study are named where room is short: points of a sweep by their coordinates.

    title : what the coordinates are, with units; empty where no arm is named by them
    """

    def __init__(self, names: Mapping[str, str], title: str) -> None:
        self._names, self.title = dict(names), title

    def __getitem__(self, arm: str) -> str:
        return self._names.get(arm, arm)

    def __contains__(self, arm: str) -> bool:
        return arm in self._names


def points_of(study: Study) -> tuple[str, ...]:
    """The arms that are points of the study's sweep; none without a sweep, or where named values are swept.

    An arm does not tell which named value it has, so that these cannot be set apart from the other arms.
    """
    if study.sweep is None or any(isinstance(value, str) for axis in study.sweep.axes for value in axis.values):
        return ()
    return tuple(arm.name for arm in study.arms if arm.point)


def axes_of(study: Study) -> tuple[Axis, ...]:
    """What is swept, in the order in which the names of the points tell it."""
    assert study.sweep is not None
    name = next((arm.name for arm in study.arms if arm.point), "")
    return tuple(sorted(study.sweep.axes, key=lambda axis: name.find(axis.name)))


def coordinates(study: Study) -> Coordinates:
    """Name the points of a sweep of a few axes by their coordinates, ``10 · 2``, where these tell them apart."""
    points = [study.arm(name) for name in points_of(study)]
    if not points or study.sweep is None or len(study.sweep.axes) > _MOST_AXES:
        return Coordinates({}, "")
    axes = axes_of(study)
    if any(axis.name not in arm.point for arm in points for axis in axes):
        return Coordinates({}, "")
    names = {arm.name: " · ".join(number_text(arm.point[axis.name]) for axis in axes) for arm in points}
    if len(set(names.values())) < len(names):
        return Coordinates({}, "")
    units = [axis.unit for axis in axes]
    if len(set(units)) == 1:
        title = " · ".join(axis.name for axis in axes) + (f" ({units[0]})" if units[0] else "")
    else:
        title = " · ".join(f"{axis.name} ({axis.unit})" if axis.unit else axis.name for axis in axes)
    return Coordinates(names, title)


def sweep_in_words(study: Study, titles: Mapping[str, str]) -> str:
    """Describe what is swept: ``doxorubicin (4 doses, 0 to 10 mg/kg) and dasatinib (3 doses, 0 to 8 mg/kg)``.

    titles : of parameters, by their keys
    """
    return joined([f"{titles.get(axis.name, axis.name)} ({_range(axis)})" for axis in axes_of(study)])


def _range(axis: Axis) -> str:
    what = "dose" if axis.dose else "value"
    count = f"{len(axis.values)} {what}{'' if len(axis.values) == 1 else 's'}" if axis.values else ""
    named = [value for value in axis.values if isinstance(value, str)]
    if named:
        return f"{count}: {joined([_written(value, axis.unit) for value in axis.values])}"
    limits = f"{number_text(axis.low)} to {number_text(axis.high)} {axis.unit}".rstrip()
    return f"{count}, {limits}" if count else limits


def _written(value: Any, unit: str) -> str:
    return value if isinstance(value, str) else f"{number_text(value)} {unit}".rstrip()
