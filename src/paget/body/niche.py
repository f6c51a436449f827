"""The pre-metastatic niche: organs that a tumour prepares before its cells arrive.

Exosomes and factors raise fibronectin in an organ, LOX crosslinks its collagen, marrow-derived cells gather in clusters, and
vessels become leaky. Each is a number from 0 (healthy) to 1 that follows its drive, and all of them together change what
happens to tumour cells that pass: they stick, leave vessels, and settle more often (Kaplan 2005, Erler 2009, Hoshino 2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paget.body.compartments import Compartments
from paget.body.messengers import EXOSOMES, INTEGRINS, MYELOID, PLASMA, PROGENITORS, S100
from paget.body.values import Number, Numbers
from paget.errors import ModelError, StudyError, UnknownNameError, nearest
from paget.evidence import Parameter, load_parameters
from paget.process import Named, parameter
from paget.rules.response import hill

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "TARGETS", "Niche", "NicheBiology", "therapy"]

Real = NDArray[np.float64]

STATES = ("fibronectin", "crosslinks", "clusters", "leak")
FIBRONECTIN, CROSSLINKS, CLUSTERS, LEAK = range(4)
TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "VEGFR1": "VEGFR1 (FLT1) of marrow-derived progenitors",
        "VEGFA": "VEGFA that acts on resident cells of organs",
        "CSF3": "CSF3 that acts on the marrow",
        "LOX": "activity of lysyl oxidase",
        "RAB27A": "RAB27A, which releases exosomes",
        S100: "S100A8/A9 that calls myeloid cells",
        "CCL2": "CCL2 that calls monocytes and hinders NK cells",
        "CXCR4": "CXCR4 of tumour cells and of marrow-derived cells",
        **{name: f"integrin {name} on exosomes" for name in INTEGRINS},
    }
)
THERAPIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "anti-VEGFR1 antibody": ("VEGFR1", "vegfr1_left"),
        "LOX inhibitor": ("LOX", "lox_left"),
        "RAB27A RNA interference": ("RAB27A", "rab27a_left"),
        "anti-S100A8/S100A9 antibodies": (S100, "s100_left"),
        "anti-CCL2 antibody": ("CCL2", "ccl2_left"),
        "plerixafor": ("CXCR4", "cxcr4_left"),
    }
)
NONE: Mapping[str, float] = MappingProxyType({})


def therapy(name: str, table: Mapping[str, Parameter]) -> dict[str, float]:
    """What a therapy leaves of its target, as the interventions of `Niche` take it.

    >>> from paget.evidence import load_parameters
    >>> therapy("anti-VEGFR1 antibody", load_parameters("niche"))
    {'VEGFR1': 0.0}
    """
    if name not in THERAPIES:
        raise UnknownNameError("therapy of the niche", name, THERAPIES)
    target, key = THERAPIES[name]
    return {target: table[key].inside("")}


def _cxcr4_shares() -> Mapping[str, Number]:
    organs = ("bone marrow", "lung", "liver", "lymph node", "brain")
    return MappingProxyType({o: Named(f"cxcr4_adhesion_{o.replace(' ', '_')}", "") for o in organs})


@dataclass(frozen=True, kw_only=True)
class NicheBiology:
    """The numbers of the niche; `cxcr4_shares`, of organs whose CXCL12 holds tumour cells, none in organs not named."""

    exosome_half: Number = parameter("niche_exosome_half", "1/mL")
    exosome_hill: Number = parameter("niche_exosome_hill", "")
    vegfa_half: Number = parameter("vegfa_half", "nM")
    csf3_half: Number = parameter("csf3_half", "nM")
    ccl2_half: Number = parameter("ccl2_half", "nM")
    factor_hill: Number = parameter("factor_hill", "")
    s100_half: Number = parameter("s100_half", "nM")
    fibronectin_time: Number = parameter("fibronectin_time", "h")
    fibronectin_by_factors: Number = parameter("fibronectin_by_factors", "")
    crosslink_time: Number = parameter("crosslink_time", "h")
    crosslink_half: Number = parameter("crosslink_half", "nM")
    cluster_time: Number = parameter("cluster_time", "h")
    cluster_half: Number = parameter("cluster_half", "")
    cluster_hill: Number = parameter("cluster_hill", "")
    infiltrate_half: Number = parameter("infiltrate_half", "")
    leak_time: Number = parameter("leak_time", "h")
    leak_by_vegfa: Number = parameter("leak_by_vegfa", "")
    fibronectin_lodging: Number = parameter("fibronectin_lodging", "")
    crosslink_lodging: Number = parameter("crosslink_lodging", "")
    s100_lodging: Number = parameter("s100_lodging", "")
    ccl2_lodging: Number = parameter("ccl2_lodging", "")
    leak_exchange: Number = parameter("leak_exchange", "")
    cxcr4_release: Number = parameter("cxcr4_release", "")
    leak_extravasation: Number = parameter("leak_extravasation", "")
    infiltrate_extravasation: Number = parameter("infiltrate_extravasation", "")
    cluster_establishment: Number = parameter("cluster_establishment", "")
    infiltrate_establishment: Number = parameter("infiltrate_establishment", "")
    fibronectin_adhesion: Number = parameter("fibronectin_adhesion", "")
    crosslink_adhesion: Number = parameter("crosslink_adhesion", "")
    nk_suppression: Number = parameter("nk_suppression", "")
    cxcr4_shares: Mapping[str, Number] = field(default_factory=_cxcr4_shares)


def _either(*parts: float) -> float:
    """Independent drives together: 1 - prod(1 - part)."""
    return 1.0 - math.prod(1.0 - part for part in parts)


class Niche:
    """The state of the niche in each organ, and what it does to tumour cells that arrive.

    dy/dt = (drive - y) / T for each of fibronectin, crosslinks, clusters, leak, with the drive held at its value at the start
    of the tick and the relaxation exact, which is of first order in the tick. With S a Hill response,

    - fibronectin: S(exosomes) or a x S(VEGFA)
    - crosslinks: fibronectin x S(LOX), as LOX gathers where fibronectin is
    - clusters: VEGFR1 x fibronectin x S(excess of VEGFR1+ progenitors over the healthy body)
    - leak: S(exosomes) or b x S(VEGFA)

    where x or y = 1 - (1 - x)(1 - y), and a molecule named by an intervention is scaled by the activity that is left.

    Assumes
        One state for a whole organ. An organ without a niche is as the healthy organ: all effects are 1 there.
    Leaves out
        SAA3 and TLR4, coagulation, MSC, the education of marrow by exosomes, the rebound after anti-CCL2 is withdrawn.

    Parameters
    ----------
    organs : names of compartments; table, draw : numbers by key and a parameter's value in this animal
    """

    def __init__(
        self,
        organs: Sequence[str],
        biology: NicheBiology | None = None,
        table: Mapping[str, Parameter] | None = None,
        draw: Callable[[Parameter], float] | None = None,
    ) -> None:
        self.organs = tuple(organs)
        doubled = sorted({o for o in self.organs if self.organs.count(o) > 1})
        if doubled:
            raise ModelError("the niche cannot be built:", [f"organ '{o}' is given twice" for o in doubled])
        self.biology = biology or NicheBiology()
        numbers = Numbers(load_parameters("niche") if table is None else table, draw)
        self.p = numbers.all(self.biology)
        self._shares = {o: numbers(share, "") for o, share in self.biology.cxcr4_shares.items()}
        self._state = np.zeros((len(self.organs), len(STATES)))
        p = self.p
        self._times = np.array([p.fibronectin_time, p.crosslink_time, p.cluster_time, p.leak_time])

    # ---- what drives it -------------------------------------------------------------------------------------------
    def _left(self, interventions: Mapping[str, float]) -> Callable[[str], float]:
        wrong = []
        for name, value in interventions.items():
            if name not in TARGETS:
                raise UnknownNameError("target of an intervention", name, TARGETS)
            if not (value >= 0.0 and math.isfinite(value)):
                wrong.append(f"'{name}' is left at {value:g}; it must be 0 (blocked) or above, 1 is untouched")
        if wrong:
            raise StudyError("interventions on the niche make no sense:", wrong)
        return lambda name: interventions.get(name, 1.0)

    def _excess(self, compartments: Compartments, species: str, organ: str) -> float:
        healthy = compartments.healthy_level(species, organ)
        return max(0.0, compartments.level(species, organ) / healthy - 1.0) if healthy > 0.0 else 0.0

    def _infiltrate(self, compartments: Compartments, organ: str) -> float:
        found: float = hill(self._excess(compartments, MYELOID, organ), self.p.infiltrate_half)
        return found

    def _drives(self, compartments: Compartments, left: Callable[[str], float]) -> Real:
        p = self.p
        drives = np.empty_like(self._state)
        for i, organ in enumerate(self.organs):
            exosomes = hill(compartments.level(EXOSOMES, organ), p.exosome_half, p.exosome_hill)
            vegfa = hill(compartments.level("VEGFA", organ) * left("VEGFA"), p.vegfa_half, p.factor_hill)
            gathered = hill(self._excess(compartments, PROGENITORS, organ), p.cluster_half, p.cluster_hill)
            drives[i, FIBRONECTIN] = _either(exosomes, p.fibronectin_by_factors * vegfa)
            lox = hill(compartments.level("LOX", organ) * left("LOX"), p.crosslink_half)
            drives[i, CROSSLINKS] = self._state[i, FIBRONECTIN] * lox
            drives[i, CLUSTERS] = min(1.0, left("VEGFR1")) * self._state[i, FIBRONECTIN] * gathered
            drives[i, LEAK] = _either(exosomes, p.leak_by_vegfa * vegfa)
        return drives

    def advance(self, dt: float, compartments: Compartments, interventions: Mapping[str, float] = NONE) -> None:
        """Advance the niche by a tick of `dt` hours under the levels that the compartments have now.

        interventions : activity that is left of a target (see `TARGETS`), 1 where absent

        Raises
        ------
        UnknownNameError, StudyError
        """
        self._known(compartments)
        drives = self._drives(compartments, self._left(interventions))
        self._state = drives + (self._state - drives) * np.exp(-dt / self._times)

    def _known(self, compartments: Compartments) -> None:
        missing = [o for o in self.organs if o not in compartments.places]
        if missing:
            raise ModelError(
                "the niche does not fit the compartments:",
                [f"no compartment '{o}'. {nearest(o, compartments.places)}" for o in missing],
            )

    # ---- what it does ---------------------------------------------------------------------------------------------
    def factors(self, compartments: Compartments, interventions: Mapping[str, float] = NONE) -> dict[str, float]:
        """Factors of the compartments' rates under this niche, for `Compartments.advance`.

        Progenitors lodge more where fibronectin holds them; myeloid cells where crosslinked collagen holds them, more so where
        S100A8/A9 and CCL2 call them; leaky vessels exchange factors faster; a marrow without CXCR4 lets its cells go.
        """
        self._known(compartments)
        left, p = self._left(interventions), self.p
        found = {name: value for name, value in interventions.items() if name in compartments.factors}
        found["marrow release"] = 1.0 + (p.cxcr4_release - 1.0) * max(0.0, 1.0 - left("CXCR4"))
        for i, organ in enumerate(self.organs):
            state = self._state[i]
            s100 = hill(compartments.level(S100, organ) * left(S100), p.s100_half)
            ccl2 = hill(compartments.level("CCL2", organ) * left("CCL2"), p.ccl2_half)
            found[f"exchange:{organ}"] = 1.0 + p.leak_exchange * state[LEAK]
            found[f"lodging of {PROGENITORS}:{organ}"] = 1.0 + p.fibronectin_lodging * state[FIBRONECTIN]
            found[f"lodging of {MYELOID}:{organ}"] = 1.0 + p.crosslink_lodging * state[CROSSLINKS] * (
                1.0 + p.s100_lodging * s100 + p.ccl2_lodging * ccl2
            )
        return {name: float(value) for name, value in found.items() if name in compartments.factors}

    def effects(self, compartments: Compartments, interventions: Mapping[str, float] = NONE) -> dict[str, float]:
        """What the niche does to tumour cells: multipliers by name, 1 in a healthy body.

        "adhesion:<organ>", "extravasation:<organ>", "establishment:<organ>" and "nk_killing".
        """
        self._known(compartments)
        left, p = self._left(interventions), self.p
        found: dict[str, float] = {}
        for i, organ in enumerate(self.organs):
            state, infiltrate = self._state[i], self._infiltrate(compartments, organ)
            held = 1.0 + p.fibronectin_adhesion * state[FIBRONECTIN] + p.crosslink_adhesion * state[CROSSLINKS]
            needed = self._shares.get(organ, 0.0)
            found[f"adhesion:{organ}"] = float(held * (1.0 - needed * (1.0 - min(1.0, left("CXCR4")))))
            found[f"extravasation:{organ}"] = float(
                1.0 + p.leak_extravasation * state[LEAK] + p.infiltrate_extravasation * infiltrate
            )
            found[f"establishment:{organ}"] = float(
                1.0 + p.cluster_establishment * state[CLUSTERS] + p.infiltrate_establishment * infiltrate
            )
        ccl2 = hill(compartments.level("CCL2", PLASMA) * left("CCL2"), p.ccl2_half, p.factor_hill)
        csf3 = hill(compartments.level("CSF3", PLASMA) * left("CSF3"), p.csf3_half, p.factor_hill)
        found["nk_killing"] = float(1.0 - p.nk_suppression * _either(ccl2, csf3))
        return found

    # ---- telling --------------------------------------------------------------------------------------------------
    def level(self, organ: str, state: str) -> float:
        """One state of one organ, from 0 to 1."""
        if organ not in self.organs:
            raise UnknownNameError("organ of the niche", organ, self.organs)
        if state not in STATES:
            raise UnknownNameError("state of the niche", state, STATES)
        return float(self._state[self.organs.index(organ), STATES.index(state)])

    def table(self) -> pd.DataFrame:
        """States of all organs, one row for each."""
        import pandas as pd

        return pd.DataFrame(self._state, columns=list(STATES), index=pd.Index(self.organs, name="organ"))

    def state(self) -> dict[str, Real]:
        """Everything that a run needs to go on from here with the same bits."""
        return {"niche": self._state.copy()}

    def restore(self, state: Mapping[str, Real]) -> None:
        """Go back to what `state` returned, of a niche of as many organs."""
        if "niche" not in state or state["niche"].shape != self._state.shape:
            raise ModelError(
                f"the state of the niche does not fit {len(self.organs)} organs; restore it into one built alike"
            )
        self._state = state["niche"].copy()
