"""What a sweep of doses or parameters found: dose-response, synergy and sensitivity, as figures of the report."""

from __future__ import annotations

from paget.report.material import Material
from paget.report.plate import Plate, Row
from paget.report.plates import numbers_told

__all__ = ["design_plates"]


def design_plates(material: Material) -> list[Plate]:
    """Collect the figures of a swept study; none for a study without a sweep."""
    if not any(arm.point for arm in material.study.arms):
        return []
    from paget.report.design_panels import design_panels

    panels = design_panels(material)
    if not panels:
        return []
    grid = "few" if len(panels) in (1, 2, 4) else "many"
    caption = (
        f"What was swept, and what followed; every number rests on the {material.individuals} of the arms of the sweep "
        f"(n = {numbers_told(material)} per arm)."
    )
    if any(trace.type == "heatmap" for panel in panels for trace in panel.figure.data):
        caption += (
            " Maps of means: a star marks points that differ from their control (adjusted p &lt; 0.05). Maps of Bliss or "
            "Loewe excess, which are given only for readouts that no drug alone raises: single drugs show the share "
            "affected, and a star an interval that leaves out 0."
        )
    return [Plate("design", "The sweep", [Row(panels, grid)], caption)]
