"""Names of files that tell which arm and animal they hold, and which animals there are to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paget.errors import ResultError

if TYPE_CHECKING:
    from paget.io.export.selection import Selection
    from paget.results import Result

__all__ = ["animal_stem", "animals_of", "day_text"]


def animal_stem(result: Result, arm: str, animal: int) -> str:
    """Arm and animal as part of a file name: ``doxorubicin-dq-003``; the arm is written as the result's own folders are."""
    return f"{result.folder(arm, animal).parent.name}-{animal:03d}"


def day_text(day: float) -> str:
    """A day as part of a file name: ``day012`` or ``day012.5``."""
    whole = f"{day:g}".partition(".")
    return f"day{whole[0]:0>3}{whole[1]}{whole[2]}"


def animals_of(result: Result, selection: Selection) -> list[tuple[str, int]]:
    """Selected animals that have begun, as (arm, animal).

    Raises
    ------
    ResultError
        If no selected animal has begun.
    """
    selection.check(result)
    size = max(int(result.model.get("block", 1)), 1)
    found = [
        (arm, animal)
        for arm in selection.chosen_arms(result)
        for animal in selection.chosen_animals(result)
        if (result.folder(arm, animal // size) / "run.json").exists()
    ]
    if not found:
        raise ResultError(f"No selected animal of {result.path} has begun. Run or resume the study, or select others.")
    return found
