"""Observations of the pre-metastatic niche: compartments and organs of a mouse with a growing tumour, before its cells come.

The equations have no chance in them. Each answer is repeated with the assumed numbers of the niche drawn from their
intervals, so that what is reported holds for them, and not for their central values alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from paget.evidence import Parameter, ParameterTable, load_parameters
from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, of_draws

__all__ = ["CASES", "EXPERIMENTS", "drawn"]

ORGANS = ("lung", "liver", "bone marrow", "brain", "lymph node", "other")
DAYS, STEP = 28, 4.0  # days of the experiment, h of a tick
START, LIMIT, GROWTH = 1e6, 2e9, math.log(2.0) / 72.0  # cells of the tumour; it doubles in three days at first
HYPOXIC = 0.3
DRAWS, QUICK = 60, 20
ALL = A6B4, A6B1, AVB5 = "ITGA6:ITGB4", "ITGA6:ITGB1", "ITGAV:ITGB5"
# Exosomes of one injection of 10 ug of protein, and the least and most that it may be; days between two injections. Pure
# exosomes are some 1e10 per ug, and preparations differ by orders of magnitude.
DOSE, LEAST, MOST, EVERY = 1e11, 1e10, 3e11, 2


def drawn(table: ParameterTable, random: np.random.Generator) -> ParameterTable:
    """The table with every assumed number drawn from its interval, on a scale of logarithms unless it begins at 0.

    What a therapy leaves of its target is not drawn: it is what is done to the animal.
    """
    values: dict[str, str | float] = {}
    for key, row in table.items():
        if row.basis == "assumed" and not key.endswith("_left") and math.isfinite(row.low) and row.low < row.high:
            u = random.random()
            value = row.low + u * (row.high - row.low) if row.low <= 0.0 else row.low * (row.high / row.low) ** u
            values[key] = f"{value!r} {row.unit}" if row.unit else value
    return table.with_values(values)


def tumour(hours: float) -> float:
    """Cells of the primary tumour, along a logistic curve."""
    return LIMIT / (1.0 + (LIMIT / START - 1.0) * math.exp(-GROWTH * hours))


def _number(value: float) -> Parameter:
    return Parameter("of the experiment", "", value, "", "assumed", "choice of the experiment", "")


class Mouse:
    """A mouse for four weeks: levels of the messengers and effects of the niche at the end.

    left : target -> activity that is left. content : integrin -> share of the tumour's exosomes that carry it
    injected : exosomes of each injection, one every other day; cells : whether the mouse has a tumour
    """

    def __init__(
        self,
        table: ParameterTable,
        *,
        left: Mapping[str, float] | None = None,
        content: Mapping[str, float] | None = None,
        hypoxic: float = HYPOXIC,
        cells: bool = True,
        injected: float = 0.0,
    ) -> None:
        from paget.body.anatomy import mouse
        from paget.body.compartments import Compartments
        from paget.body.messengers import EXOSOMES, compartments_of, messengers
        from paget.body.niche import Niche
        from paget.body.secretion import Secretion

        self.left = dict(left or {})
        carried = {name: _number(share) for name, share in (content or {}).items()} or None
        body = Compartments(messengers(ORGANS, carried), compartments_of(mouse(), ORGANS), table)
        self.niche, self.body = Niche(ORGANS, table=table), body
        secretion = Secretion(table)
        for tick in range(round(DAYS * 24.0 / STEP)):
            if injected > 0.0 and tick % round(EVERY * 24.0 / STEP) == 0:
                body.give(EXOSOMES, "plasma", injected)
            present = {"primary": tumour(tick * STEP) if cells else 0.0}
            sources = secretion.amounts(present, hypoxic={"primary": hypoxic}, interventions=self.left)
            body.advance(STEP, sources, self.niche.factors(body, self.left))
            self.niche.advance(STEP, body, self.left)

    def settling(self, organ: str) -> float:
        """How much more often a tumour cell that passes settles in an organ than in a healthy body."""
        effects = self.niche.effects(self.body, self.left)
        return math.prod(effects[f"{role}:{organ}"] for role in ("adhesion", "extravasation", "establishment"))

    def level(self, species: str, organ: str) -> float:
        return self.body.level(species, organ)

    def state(self, organ: str, state: str) -> float:
        return self.niche.level(organ, state)

    @property
    def killing(self) -> float:
        """Killing by natural killer cells, 1 in a healthy body."""
        return self.niche.effects(self.body, self.left)["nk_killing"]


def _mice(table: ParameterTable, dose: float) -> dict[str, Mouse]:
    """Every mouse that is compared, with one set of numbers."""
    from paget.body.niche import therapy

    lung, liver, bare = ({A6B4: 1.0, A6B1: 1.0, AVB5: 0.0}, {A6B4: 0.0, A6B1: 0.0, AVB5: 1.0}, dict.fromkeys(ALL, 0.0))
    treated = {
        name: Mouse(table, left=therapy(name, table))
        for name in ("anti-VEGFR1 antibody", "LOX inhibitor", "RAB27A RNA interference", "anti-CCL2 antibody")
    }
    return treated | {
        "plain": Mouse(table),
        "marrow without ID3": Mouse(table.with_values({"vegfr1_mobilisation": 1.0})),
        "without TLR4": Mouse(table.with_values({"s100_lodging": 0.0})),
        "naive": Mouse(table, content=liver, cells=False),
        "liver-seeking exosomes": Mouse(table, content=liver, cells=False, injected=dose),
        "lung-seeking exosomes": Mouse(table, content=lung, cells=False, injected=dose),
        "bare exosomes": Mouse(table, content=bare, cells=False, injected=dose),
        "lung-seeking tumour": Mouse(table, content=lung),
        "without integrins": Mouse(table, content=lung, left={A6B4: 0.0, A6B1: 0.0}),
        "hypoxic": Mouse(table, hypoxic=1.0),
        "normoxic": Mouse(table, hypoxic=0.0),
    }


Readout = Callable[[Mouse], float]


def _readouts() -> dict[str, tuple[Readout, str, str]]:
    """Of each observation what is read out, in which mouse, and in which control."""
    from paget.body.messengers import EXOSOMES, MYELOID

    def myeloid(m: Mouse) -> float:
        return max(m.level(MYELOID, "lung") - m.body.healthy_level(MYELOID, "lung"), 0.0)

    return {
        "H005 clusters": (lambda m: m.state("lung", "clusters"), "anti-VEGFR1 antibody", "plain"),
        "H006": (lambda m: m.state("lung", "clusters"), "plain", "marrow without ID3"),
        "H011 recruitment": (myeloid, "LOX inhibitor", "plain"),
        "H027 niche": (lambda m: 1.0 + m.state("liver", "fibronectin"), "liver-seeking exosomes", "naive"),
        "H027 metastasis": (lambda m: m.settling("liver"), "liver-seeking exosomes", "naive"),
        "H030": (lambda m: m.settling("lung") / m.settling("bone marrow"), "lung-seeking exosomes", "bare exosomes"),
        "H031 uptake": (lambda m: m.level(EXOSOMES, "lung"), "without integrins", "lung-seeking tumour"),
        "H031 metastasis": (lambda m: m.settling("lung"), "without integrins", "lung-seeking tumour"),
        "H032 education": (myeloid, "RAB27A RNA interference", "plain"),
        "H033 metastasis": (lambda m: m.settling("lung"), "without TLR4", "plain"),
        "H034 recruitment": (myeloid, "anti-CCL2 antibody", "plain"),
        "H039 recruitment": (myeloid, "hypoxic", "normoxic"),
        "H039 killers": (lambda m: m.killing, "hypoxic", "normoxic"),
    }


def _ratios(table: ParameterTable, dose: float) -> dict[str, float]:
    mice, found = _mice(table, dose), {}
    for name, (readout, arm, control) in _readouts().items():
        below = readout(mice[control])
        found[name] = readout(mice[arm]) / below if below > 0.0 else math.nan
    return found


def niches(quick: bool) -> dict[str, Measured]:
    """Every comparison, at the central numbers and at draws of the assumed ones."""
    table, count = load_parameters("niche"), QUICK if quick else DRAWS
    random = np.random.default_rng(1889)
    draws = [_ratios(drawn(table, random), LEAST * (MOST / LEAST) ** random.random()) for _ in range(count)]
    central = _ratios(table, DOSE)
    how = f"equations of the niche, four weeks; interval over {count} draws of the assumed numbers"
    return {name: of_draws([draw[name] for draw in draws], value, how) for name, value in central.items()}


_SETTLING = "how much more often a cell that passes settles: adhesion x extravasation x establishment"
EXPERIMENTS = (Computation(key="niche", title="The pre-metastatic niche of a mouse, four weeks", run=niches),)
CASES = (
    Case(observation="H005 clusters", experiment="niche"),
    Case(
        observation="H006",
        experiment="niche",
        stands_in="clusters of the lung with a marrow that sends progenitors, against one that does not answer to the tumour",
    ),
    Case(
        observation="H011 recruitment",
        experiment="niche",
        stands_in="CD11b+ cells of the lung above those of a healthy mouse",
    ),
    Case(
        observation="H027 niche",
        experiment="niche",
        stands_in="1 + fibronectin of the liver, of at most 1; macrophages are not told apart from other myeloid cells",
    ),
    Case(observation="H027 metastasis", experiment="niche", stands_in=f"{_SETTLING} in the liver"),
    Case(
        observation="H030",
        experiment="niche",
        stands_in=f"{_SETTLING}, lung over bone marrow",
        remark="exosomes with a6b4 and a6b1 against exosomes without any integrin of the table",
    ),
    Case(observation="H031 uptake", experiment="niche", stands_in="exosomes in the lung"),
    Case(observation="H031 metastasis", experiment="niche", stands_in=f"{_SETTLING} in the lung"),
    Case(
        observation="H032 education",
        experiment="niche",
        stands_in="CD11b+ cells of the lung above those of a healthy mouse",
    ),
    Case(
        observation="H033 metastasis",
        experiment="niche",
        stands_in=f"{_SETTLING} in the lung, without the hold of S100A8/A9 on myeloid cells, for which SAA3 and TLR4 stand",
    ),
    Case(
        observation="H034 recruitment",
        experiment="niche",
        stands_in="CD11b+ cells of the lung above those of a healthy mouse",
        remark="monocytes are not told apart from other myeloid cells",
    ),
    Case(
        observation="H039 recruitment",
        experiment="niche",
        stands_in="CD11b+ cells of the lung above those of a healthy mouse, all of the tumour hypoxic against none",
    ),
    Case(
        observation="H039 killers",
        experiment="niche",
        stands_in="killing by natural killer cells, all of the tumour hypoxic against none",
    ),
)
