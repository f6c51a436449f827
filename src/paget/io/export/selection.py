"""Which arms, animals, days and sites of a study are to be handed to another tool."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from paget.errors import ResultError, nearest

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["SAME_DAY", "Frames", "Selection", "site_names", "stem"]

SAME_DAY = 1e-6
What = Literal["cells", "fields"]


@dataclass(frozen=True)
class Frames:
    """The stored frames of one animal that were selected; of fields in a body, those of one site."""

    arm: str
    animal: int
    days: tuple[float, ...]
    site: str | None = None


@dataclass(frozen=True)
class Selection:
    """A part of a study; what is None is not narrowed.

    Parameters
    ----------
    arms : names of arms.
    animals : numbers of animals, in every arm that was selected.
    days : days of the study; a day must be stored in at least one of the selected animals.
    sites : sites of a body, such as ``lung``; a study of one tissue has none.
    """

    arms: tuple[str, ...] | None = None
    animals: tuple[int, ...] | None = None
    days: tuple[float, ...] | None = None
    sites: tuple[str, ...] | None = None

    def check(self, result: Result) -> None:
        """Raise one `ResultError` that lists every arm, animal and site that the study does not have."""
        problems = [
            f"There is no arm '{a}'. {nearest(a, result.arms)}" for a in self.arms or () if a not in result.arms
        ]
        last = len(result.animals) - 1
        problems += [
            f"There is no animal {a}; each arm has animals 0 to {last}."
            for a in self.animals or ()
            if a not in result.animals
        ]
        sites = site_names(result)
        if self.sites and not sites:
            problems.append("This study has no sites: it follows one tissue, not a body.")
        elif self.sites:
            problems += [f"There is no site '{s}'. {nearest(s, sites)}" for s in self.sites if s not in sites]
        if problems:
            raise ResultError("\n".join(problems))

    def chosen_arms(self, result: Result) -> tuple[str, ...]:
        """The selected arms, in the order of the study."""
        return tuple(arm for arm in result.arms if self.arms is None or arm in self.arms)

    def chosen_animals(self, result: Result) -> tuple[int, ...]:
        """The selected animals, ascending."""
        return tuple(animal for animal in result.animals if self.animals is None or animal in self.animals)

    def chosen_sites(self, result: Result) -> tuple[str, ...]:
        """The selected sites, in the order of the body; none for a study of one tissue."""
        return tuple(site for site in site_names(result) if self.sites is None or site in self.sites)

    def includes_day(self, day: float) -> bool:
        """Say whether a day was selected."""
        return self.days is None or any(abs(day - wanted) < SAME_DAY for wanted in self.days)

    def frames(self, result: Result, what: What = "cells") -> tuple[Frames, ...]:
        """The stored frames of cells or of fields that were selected, one entry for each animal that has any.

        Of fields in a body, there is one entry for each animal and site, as each site has a grid of its own. Animals that
        were not begun, failed early or have no frame of a selected day are left out, unless nothing is left.

        Raises
        ------
        ResultError
            If the study does not have what was selected, or keeps no frames; says what there is.
        """
        self.check(result)
        found, stored = [], set[float]()
        places: tuple[str | None, ...] = (None,)
        if what == "fields" and site_names(result):
            places = tuple(site for site in result.field_sites if self.sites is None or site in self.sites)
        for arm in self.chosen_arms(result):
            for animal, site in itertools.product(self.chosen_animals(result), places):
                days = result.cell_days(arm, animal) if what == "cells" else result.field_days(arm, animal, site)
                stored |= set(days)
                wanted = tuple(day for day in days if self.includes_day(day))
                if wanted:
                    found.append(Frames(arm, animal, wanted, site))
        if not stored:
            raise ResultError(_nothing_kept(result, what))
        absent = [d for d in self.days or () if all(abs(d - there) >= SAME_DAY for there in stored)]
        if absent:
            raise ResultError(
                f"No selected animal has a stored frame of {what} of day {_listed(absent)}; "
                f"stored days: {_listed(sorted(stored))}."
            )
        return tuple(found)


def stem(result: Result, arm: str, animal: int, day: float | None = None, site: str | None = None) -> str:
    """Begin of a file's name for one animal, such as ``doxorubicin-003-day-20``, that every file system takes."""
    name = f"{result.folder(arm, animal).parent.name}-{animal:03d}"
    name += "" if day is None else f"-day-{day:g}"
    return name if site is None else f"{name}-{site.lower().replace(' ', '-')}"


def site_names(result: Result) -> tuple[str, ...]:
    """Sites of the body that the study follows; empty for one tissue."""
    return tuple(result.model.get("sites", ()))


def _listed(days: Sequence[float]) -> str:
    return ", ".join(f"{day:g}" for day in days)


def _nothing_kept(result: Result, what: What) -> str:
    has_individuals = bool(result.model.get("cell_types")) and int(result.model.get("block", 1)) == 1
    if what == "cells" and not has_individuals:
        return (
            f"The study '{result.study.name}' keeps no cells: its model follows numbers of cells and sizes of lesions, "
            "not single cells. Its readouts can be exported: --format csv or netcdf."
        )
    if what == "fields" and not (result.model.get("fields") or result.field_sites):
        why = "none of its sites is simulated as a tissue with fields" if site_names(result) else "its model has none"
        return f"The study '{result.study.name}' keeps no fields: {why}."
    if what == "fields" and result.field_sites:
        return (
            f"No selected animal of {result.path} has a stored frame of fields at the selected sites; "
            f"sites with fields: {', '.join(result.field_sites)}."
        )
    return (
        f"No selected animal of {result.path} has a stored frame of {what} yet. "
        "Run or resume the study, or select other animals; `paget info` tells what is stored."
    )
