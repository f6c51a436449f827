"""Studies of many arms: which of them the figures show, and a table of all in colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from paget.compare import Comparison
from paget.report.markup import Cell, table
from paget.report.material import SIGNIFICANT, Material
from paget.report.tables import lost_note, number_of_animals
from paget.report.theme import arm_styles, number_text

__all__ = ["focused", "overview"]

_MOST_ARMS = 16
_STRONGEST = 9
_FULL_COLOUR = 45.0  # per cent of the hue in the strongest cells, which leaves their numbers readable
_FULL_AT_LOG2 = 3.0


def focused(material: Material) -> Material:
    """Keep the controls and the arms that differ most from them, where a study has more arms than figures can show.

    First come arms that differ in a main readout (adjusted p < 0.05), then those further from their control over all of these.
    """
    if len(material.arms) <= _MOST_ARMS:
        return material
    controls = list(dict.fromkeys(versus for _, versus in material.study.contrasts))
    controls = (controls or list(material.arms[:1]))[: _MOST_ARMS - _STRONGEST]
    ranked = sorted((arm for arm in material.arms if arm not in controls), key=lambda arm: _rank(material, arm))
    kept = {*controls, *ranked[:_STRONGEST]}
    arms = tuple(arm for arm in material.study.arms if arm.name in kept)
    study = material.study.model_copy(update={"arms": arms})
    return replace(
        material,
        study=study,
        metrics=material.metrics[material.metrics["arm"].isin(kept)],
        outcomes=material.outcomes[material.outcomes["arm"].isin(kept)],
        status=material.status[material.status["arm"].isin(kept)],
        comparisons=tuple(c for c in material.comparisons if c.arm in kept and c.versus in kept),
        styles=arm_styles(study),
        moments=material.moments[material.moments["arm"].isin(kept)],
    )


def _rank(material: Material, arm: str) -> tuple[bool, float]:
    told = {r["name"] for r in (*material.headline, *material.timed)}
    mine = [c for c in material.comparisons if c.arm == arm and c.readout in told]
    sure = any((_p(c) or 1.0) < SIGNIFICANT for c in mine)
    return not sure, -sum(min(1.0, abs(_strength(c))) for c in mine)


def _strength(c: Comparison) -> float:
    """How far an arm is from its control: the log2 ratio of the means, 1 from eightfold, or where one of them is zero."""
    if c.mean_arm is None or c.mean_versus is None or not c.effect:
        return 0.0
    if c.mean_arm > 0 and c.mean_versus > 0:
        return math.log2(c.mean_arm / c.mean_versus) / _FULL_AT_LOG2
    return math.copysign(1.0, c.effect)


def _p(c: Comparison) -> float | None:
    return c.p_adjusted if c.p_adjusted is not None else c.p


def overview(material: Material, shown: Material) -> str:
    """Write what the figures show of a study of many arms, and a table of all arms in colours; else empty text."""
    if material is shown:
        return ""
    readouts = [r["name"] for r in (*material.headline, *material.timed)]
    titles = {r["name"]: str(r.get("title") or r["name"]) for r in material.readouts}
    units = {r["name"]: str(r.get("unit") or "") for r in material.readouts}
    found = {(c.arm, c.readout): c for c in material.comparisons}
    rows = []
    for arm in material.arms:
        mine = [found.get((arm, name)) for name in readouts]
        means = [_mean(material, arm, name) for name in readouts]
        rows.append(
            [
                Cell(f"<strong>{escape(arm)}</strong>" if arm in shown.arms else escape(arm)),
                number_of_animals(material, arm),
                *(_heat(c, mean) for c, mean in zip(mine, means, strict=True)),
            ]
        )
    heads = ["Arm", "n", *(f"{titles[n]} ({units[n]})" if units[n] else titles[n] for n in readouts)]
    caption = "Means of every arm"
    return (
        f"<p>The study has {len(material.arms)} arms. The figures show {len(shown.arms)} of them: what they are compared "
        "with, and the arms that differ most from it in the main readouts (in bold below). The table has all; orange is "
        "more than the control, blue less, and numbers that differ from it (adjusted p &lt; 0.05) are bold. Select a "
        "heading to sort.</p>"
        + table(caption, heads, rows, "all-arms", records=_records(material, readouts), note=lost_note(material))
    )


def _mean(material: Material, arm: str, readout: str) -> float | None:
    values = material.values(readout, arm)["value"]
    return float(values.mean()) if len(values) else None


def _heat(c: Comparison | None, mean: float | None) -> Cell:
    if c is None or c.mean_arm is None or c.mean_versus is None or c.effect is None:
        return Cell(escape(number_text(mean)), mean, number=True)
    strength = _strength(c)
    mix = _FULL_COLOUR * min(1.0, abs(strength))
    p = _p(c)
    text = escape(number_text(c.mean_arm))
    shown = f"<strong>{text}</strong>" if p is not None and p < SIGNIFICANT else text
    hue = "up" if strength > 0 else "down"
    return Cell(
        f'<span class="heat" style="--mix: {mix:.0f}%; --hue: var(--{hue})">{shown}</span>', c.mean_arm, number=True
    )


def _records(material: Material, readouts: Sequence[str]) -> list[dict[str, object]]:
    return [
        {
            "arm": arm.name,
            **{f"swept: {name}": value for name, value in arm.point.items()},
            "n": material.finished[arm.name],
            "of": material.study.replicates,
            **{name: _mean(material, arm.name, name) for name in readouts},
        }
        for arm in material.study.arms
    ]
