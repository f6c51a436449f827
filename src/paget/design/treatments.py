"""Which arms of a study differ in nothing but the dose of a drug, or of two; and what their animals gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from paget.errors import ResultError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from paget.experiment import Arm, Study

__all__ = ["Animals", "Found", "Told", "animals_of", "checkerboard", "dose_series", "told_of"]

Values = npt.NDArray[np.float64]


class Found(Protocol):
    """What is needed of a result: the study, the descriptions of its readouts, and one value per animal and readout."""

    @property
    def study(self) -> Study: ...
    @property
    def readouts(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def outcomes(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Told:
    """A readout by its name, title, unit and kind."""

    name: str
    title: str
    unit: str
    kind: str


def told_of(result: Found, readout: str) -> Told:
    """Describe a readout of a result; `UnknownNameError` with the nearest name if there is none."""
    for described in result.readouts:
        if described["name"] == readout:
            title, unit = str(described.get("title") or readout), str(described.get("unit") or "")
            return Told(readout, title, unit, str(described["kind"]))
    raise UnknownNameError("readout", readout, [str(described["name"]) for described in result.readouts])


@dataclass(frozen=True, eq=False)
class Animals:
    """Values of one readout in several arms; if `paired`, of the same animals in the same order in all.

    `left_out` tells which animals could not be used, and why; "" if none.
    """

    arms: tuple[str, ...]
    values: tuple[Values, ...]
    paired: bool
    left_out: str

    @property
    def fewest(self) -> int:
        """Animals of the smallest arm."""
        return min(len(values) for values in self.values)

    @property
    def means(self) -> Values:
        """Mean of each arm."""
        return np.array([values.mean() for values in self.values])


def animals_of(result: Found, readout: str, arms: Sequence[str], paired: bool) -> Animals:
    """Collect the values of some arms; with `paired` only of animals that finished in every one of them.

    Raises
    ------
    ResultError
        If an arm has fewer than two animals, or the readout is a time that some animals did not reach.
    """
    table = result.outcomes
    rows = table[(table["readout"] == readout) & table["arm"].isin(list(arms))]
    if not rows["observed"].astype(bool).all():
        raise ResultError(
            f"'{readout}' is a time that {int((~rows['observed'].astype(bool)).sum())} animals did not reach; "
            "choose a readout with a value in every animal."
        )
    wide = rows.pivot(index="animal", columns="arm", values="value").reindex(columns=list(arms)).sort_index()
    lost = int(wide.isna().sum().sum())
    notes = []
    if paired:
        whole = wide.dropna()
        if len(whole) < len(wide):
            notes.append(f"{len(wide) - len(whole)} of {len(wide)} animals left out, which are not in every arm")
        wide = whole
    elif lost:
        notes.append(f"{lost} animals have no value")
    values = tuple(wide[arm].dropna().to_numpy(np.float64) for arm in arms)
    short = [arm for arm, found in zip(arms, values, strict=True) if len(found) < 2]
    if short:
        raise ResultError(
            f"'{readout}' needs at least 2 finished animals in each of {len(arms)} arms; "
            f"{len(short)} have fewer, such as '{short[0]}'."
        )
    return Animals(tuple(arms), values, paired, "; ".join(notes))


def dose_series(study: Study, drug: str) -> dict[float, str]:
    """Find the arms that differ in nothing but the amount of a drug: mg/kg -> arm, from 0 up.

    Where there are several such series, it is the one with the most amounts, and among those the one with the fewest
    other drugs.

    Raises
    ------
    UnknownNameError, ResultError
        If no arm gives the drug, or no two arms give different amounts of it.
    """
    _check_given(study, (drug,))
    series: dict[str, dict[float, Arm]] = {}
    for schedule, base in _bases(study, drug):
        found = series.setdefault(base + schedule, {})
        for arm in study.arms:
            amount = _amount(arm, drug)
            if amount is None or _rest(arm, (drug,)) != base or (amount > 0 and _schedule(arm, drug) != schedule):
                continue
            if amount not in found or (_point(arm) and not _point(found[amount])):
                found[amount] = arm
    best = max(series.values(), key=lambda arms: (len(arms), -_others(arms, (drug,))), default={})
    if sum(amount > 0 for amount in best) < 2:
        raise ResultError(
            f"No arms of the study '{study.name}' differ in nothing but the amount of {drug}; a sweep makes such arms."
        )
    return {amount: best[amount].name for amount in sorted(best)}


def checkerboard(study: Study, first: str, second: str) -> dict[tuple[float, float], str]:
    """Find the arms that differ in nothing but the amounts of two drugs: (mg/kg, mg/kg) -> arm.

    Raises
    ------
    UnknownNameError, ResultError
        If a drug is not given in any arm, or the arms without drugs, with one and with both are not all there.
    """
    drugs = (first, second)
    if first == second:
        raise ResultError(f"A checkerboard has two drugs; '{first}' was given twice.")
    _check_given(study, drugs)
    boards: dict[str, dict[tuple[float, float], Arm]] = {}
    for arm in study.arms:
        one, two = _amount(arm, first), _amount(arm, second)
        if one is None or two is None:
            continue
        board = boards.setdefault(_rest(arm, drugs), {})
        if (one, two) not in board or (_point(arm) and not _point(board[one, two])):
            board[one, two] = arm
    best = max(boards.values(), key=lambda board: sum(a > 0 and b > 0 for a, b in board))
    swept = [arm.point for arm in best.values() if all(drug in arm.point for drug in drugs)]
    if swept:  # an arm beside the sweep, such as the one that it began from, is no well
        levels = [{0.0, *(point[drug] for point in swept)} for drug in drugs]
        best = {place: arm for place, arm in best.items() if place[0] in levels[0] and place[1] in levels[1]}
    lacking = [
        words
        for words, there in (
            ("an arm without either drug", (0.0, 0.0) in best),
            (f"arms with {first} alone", any(a > 0 and b == 0 for a, b in best)),
            (f"arms with {second} alone", any(a == 0 and b > 0 for a, b in best)),
            ("arms with both", any(a > 0 and b > 0 for a, b in best)),
        )
        if not there
    ]
    if lacking:
        raise ResultError(
            f"The study '{study.name}' is no checkerboard of {first} and {second}; it lacks {', '.join(lacking)}. "
            "A sweep over both doses, each with 0 among them, makes one."
        )
    return {amounts: best[amounts].name for amounts in sorted(best)}


def _check_given(study: Study, drugs: Sequence[str]) -> None:
    known = {dose.drug for arm in study.arms for dose in arm.doses}
    for drug in drugs:
        if drug not in known:
            raise UnknownNameError("drug of the study", drug, known)


def _bases(study: Study, drug: str) -> list[tuple[str, str]]:
    """Each schedule of the drug with everything else that is done beside it, once."""
    given = (arm for arm in study.arms if any(dose.drug == drug for dose in arm.doses))
    return list(dict.fromkeys((_schedule(arm, drug), _rest(arm, (drug,))) for arm in given))


def _amount(arm: Arm, drug: str) -> float | None:
    """Amount of every administration of a drug, 0 if it is not given, None if the amounts differ."""
    amounts = {dose.amount for dose in arm.doses if dose.drug == drug}
    return None if len(amounts) > 1 else (amounts.pop() if amounts else 0.0)


def _schedule(arm: Arm, drug: str) -> str:
    return json.dumps([dose.model_dump(exclude={"amount"}) for dose in arm.doses if dose.drug == drug])


def _rest(arm: Arm, drugs: Sequence[str]) -> str:
    """Everything that is done to an arm beside some drugs."""
    said = arm.model_dump(exclude={"name", "versus", "note", "point", "doses"})
    said["doses"] = [dose.model_dump() for dose in arm.doses if dose.drug not in drugs]
    return json.dumps(said, sort_keys=True)


def _others(arms: Mapping[float, Arm], drugs: Sequence[str]) -> int:
    arm = next(iter(arms.values()))
    return len([dose for dose in arm.doses if dose.drug not in drugs]) + len(arm.parameters)


def _point(arm: Arm) -> Mapping[str, float]:
    return arm.point
