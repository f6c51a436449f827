"""The funnel of melanoma cells in the liver of a mouse (Luzzi 1998), on the lumped liver that was calibrated to it."""

from __future__ import annotations

import numpy as np

from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, share_of

__all__ = ["CASES", "EXPERIMENTS"]

DAY = 24.0
INJECTED, QUICK = 1_000_000, 200_000


def funnel(quick: bool) -> dict[str, Measured]:
    """Inject cells, and count those that are single, divide, or have become visible."""
    from paget.body.growth_laws import exponential
    from paget.body.lesions import Lesions
    from paget.body.lumped import LumpedSite
    from paget.body.values import Numbers
    from paget.evidence import load_parameters
    from paget.process import Named

    table, injected = load_parameters("lesions", "luzzi", "tissue"), QUICK if quick else INJECTED
    liver = LumpedSite(
        name="liver",
        growth=exponential(Named("luzzi_doubling_time", "h")),
        turnover=0,  # type: ignore[arg-type]  # as below: nought needs no reason
        growth_spread=Named("luzzi_growth_spread", ""),
        survival=Named("luzzi_extravasated", ""),
        dormancy=Named("luzzi_resting", ""),
        awakening=0,  # type: ignore[arg-type]
        dormant_death=0,  # type: ignore[arg-type]
        shedding=0,  # type: ignore[arg-type]
        visible=Named("luzzi_macroscopic_cells", "cell"),
    )
    loss, rest = (table[key].inside("1/h") for key in ("luzzi_loss", "luzzi_solitary_death"))
    later = {("liver", "kill"): loss, ("liver", "kill dormant"): rest}
    lesions = Lesions((liver,), Numbers(table))
    lesions.seed("liver", np.arange(1, injected + 1, dtype=np.uint64), np.ones(injected), 0.0)
    micro = 0
    for day in range(13):
        lesions.advance(day * DAY, DAY, np.uint64(4), day, later if day >= 3 else None)
        if day == 2:
            micro = int(np.sum(lesions.column("cycling") > 0.0))
    visible = int(np.sum(lesions.column("cells") >= table["luzzi_macroscopic_cells"].value))
    single = int(np.sum(lesions.column("dormant") > 0.0))
    how = f"of {injected:,} cells injected into a lumped liver"
    return {
        "H087 solitary": share_of(single, injected, f"single cells on day 13, {how}"),
        "H087 micrometastases": share_of(micro, injected, f"dividing on day 3, {how}"),
        "H087 macrometastases": share_of(visible, injected, f"visible on day 13, {how}"),
    }


EXPERIMENTS = (Computation(key="liver", title="Melanoma cells in a lumped liver", run=funnel),)
CASES = tuple(
    Case(observation=f"H087 {part}", experiment="liver") for part in ("solitary", "micrometastases", "macrometastases")
)
