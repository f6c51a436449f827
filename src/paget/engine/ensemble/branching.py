"""Animals that go on from a state which another study has kept, each under every arm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from paget.errors import PagetError, StudyError
from paget.experiment import HOURS_PER_DAY, Study

__all__ = ["check_branch", "starting_state"]

SHARED = ("model", "options", "tick", "seed", "without", "rules", "parameters")


def check_branch(study: Study) -> Study:
    """Return the study with the checksum of the one that its animals come from.

    Raises
    ------
    StudyError
        If the states are not there, or belong to animals that could not live on in this study; with all problems.
    """
    if study.branch is None:
        return study
    from paget.results.result import Result

    branch, headline = study.branch, f"The study '{study.name}' cannot branch off:"
    try:
        source = Result.open(branch.result)
        source.study.arm(branch.arm)
    except PagetError as problem:
        raise StudyError(headline, [f"'{branch.result}': {problem}"]) from None
    there, problems = source.study, list[str]()
    for name in SHARED:
        old, new = getattr(there, name), getattr(study, name)
        if old != new:
            problems.append(f"'{name}' must be as in '{there.name}', whose animals go on: {old!r} there, {new!r} here")
    day = branch.at / HOURS_PER_DAY
    if study.replicates > there.replicates:
        problems.append(
            f"'replicates': {study.replicates} animals, but '{there.name}' has {there.replicates} in each arm"
        )
    lacking = [n for n in range(min(study.replicates, there.replicates)) if not _has_state(source, branch.arm, n, day)]
    if lacking:
        which = ", ".join(map(str, lacking[:5])) + (" ..." if len(lacking) > 5 else "")
        kept = ", ".join(f"{time / HOURS_PER_DAY:g}" for time in there.record.states) or "none"
        problems.append(
            f"no state of day {day:g} is kept of animal {which} of arm '{branch.arm}'; kept days of '{there.name}': {kept} "
            "(record.states)"
        )
    sha256 = str(source.manifest["study_sha256"])
    if branch.study_sha256 not in ("", sha256):
        problems.append(f"'{branch.result}' holds another study now than when this one was begun")
    if problems:
        raise StudyError(headline, problems)
    return study.changed(branch={**branch.model_dump(), "study_sha256": sha256})


def _has_state(source: Any, arm: str, animal: int, day: float) -> bool:
    try:
        return any(abs(kept - day) < 1e-6 for kept in source.state_days(arm, animal))
    except PagetError:
        return False


def starting_state(study: Study, animal: int) -> dict[str, NDArray[Any]] | None:
    """The state from which one animal goes on, or None if it starts by itself."""
    if study.branch is None:
        return None
    from paget.results.result import Result

    source = Result.open(Path(study.branch.result))
    state: dict[str, NDArray[Any]] = source.state(study.branch.arm, animal, study.branch.at / HOURS_PER_DAY)
    return state
