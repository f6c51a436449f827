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
    titles = [panel.title for panel in panels]
    maps = any(trace.type == "heatmap" for panel in panels for trace in panel.figure.data)
    if maps:
        caption += " Maps of means: a star marks points that differ from their control (adjusted p &lt; 0.05)."
    if any("excess" in title for title in titles):
        caption += (
            " Maps of Bliss or Loewe excess: single drugs show the share affected, and a star marks an interval that leaves "
            "out 0."
        )
    elif maps and material.study.sweep is not None and len(material.study.sweep.doses) > 1:
        caption += (
            " Synergy is not judged: it needs a main readout that is there without drugs and that no drug alone raises."
        )
    return [Plate("design", "The sweep", [Row(panels, grid)], caption)]
