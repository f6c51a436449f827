"""Observations of single cells, held against the curated networks: many cells carry one network each, under two treatments."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paget.validation.case import Case, Computation
from paget.validation.measured import Measured, of_shares

__all__ = ["CASES", "EXPERIMENTS"]

WEEK, WINDOW, LOOKS = (
    168.0,
    48.0,
    8,
)  # h before the experiment, h at its end over which it is read out, at so many moments
CELLS, QUICK = 4_000, 1_000
SATURATING = 0.95  # share inhibited at nineteen times the half-maximal concentration
CONCENTRATIONS = (0.05, 0.5, 1.5, 5.0, 15.0, 50.0, 500.0)  # nM


@dataclass(frozen=True)
class Cells:
    """What is done to cells: nodes held on, off, or on in a share of the cells, and shares by which nodes are inhibited."""

    hold: Mapping[str, float] = field(default_factory=dict)
    inhibit: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cells of one network under two treatments, after a week of `before`.

    hours : of the experiment. node : what is read out
    """

    network: str
    node: str
    arm: Cells
    control: Cells
    before: Cells = Cells()
    hours: float = 240.0
    seed: int = 0


def look(comparison: Comparison, treated: Cells, cells: int) -> NDArray[np.float64]:
    """Share of the moments at the end at which each cell [n] had the node on; of a node with levels, level over highest."""
    from paget.catalogue.networks import network
    from paget.signalling.population import Population

    one = network(comparison.network)
    rest = {name: one.node(name).initial for name in one.inputs}
    people = Population(one, cells, seed=zlib.crc32(f"{comparison.node}/{treated!r}".encode()))
    rank = (np.arange(cells) + 0.5) / cells

    def held(given: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
        return {name: (rank < share).astype(float) for name, share in {**rest, **given}.items()}

    people.advance(WEEK, hold=held(comparison.before.hold), inhibit=comparison.before.inhibit)
    hold = held(treated.hold)
    window = min(WINDOW, comparison.hours / 6.0)
    people.advance(comparison.hours - window, hold=hold, inhibit=treated.inhibit)
    total = np.zeros(cells)
    for _ in range(LOOKS):
        people.advance(window / LOOKS, hold=hold, inhibit=treated.inhibit)
        total += people.level(comparison.node)
    return total / (LOOKS * one.node(comparison.node).levels)


def compared(comparison: Comparison, quick: bool) -> Measured:
    """One treatment against the other."""
    cells = QUICK if quick else CELLS
    arm, control = (look(comparison, treated, cells) for treated in (comparison.arm, comparison.control))
    how = f"share of {cells:,} cells with {comparison.node} on, network of the {comparison.network}"
    return of_shares(arm, control, how)


def inhibited(nanomolar: float, half: float) -> float:
    return nanomolar / (nanomolar + half)


def _sirolimus_half() -> float:
    from paget.evidence import load_parameters

    return load_parameters("bone_niche")["sirolimus_half"].inside("nM")


GROWING = {"GF": 1.0}
DETACHED = {"ECM": 0.0, "Contact": 0.0}
INVADING = {"GF": 1.0, "TGFB": 1.0}
NICHE = {"GF": 1.0, "WNT": 1.0, "HH": 1.0, "DLL": 1.0}
TUMOUR = {"GF": 1.0, "Hypoxia": 0.3}  # three cells in ten hypoxic, as the niche takes it
FORMING = {"CSF1": 1.0, "TNFSF11": 1.0}

COMPARISONS: Mapping[str, Comparison] = {
    "H004 VEGF": Comparison(
        network="tumour cell",
        node="VEGFA",
        arm=Cells(TUMOUR, {"PTK2": 0.9}),
        control=Cells(TUMOUR),
        before=Cells(TUMOUR),
    ),
    "H008 anoikis": Comparison(
        network="tumour cell",
        node="Apoptosis",
        arm=Cells({**DETACHED, "BDNF": 1.0}),
        control=Cells(DETACHED),
        hours=36.0,
    ),
    "H013 stemness": Comparison(
        network="tumour cell", node="Stemness", arm=Cells({**NICHE, "LET7": 1.0}), control=Cells(NICHE)
    ),
    "H014": Comparison(
        network="endothelium",
        node="Lymphangiogenesis",
        arm=Cells({"VEGFC": 1.0}, {"FLT4": SATURATING}),
        control=Cells({"VEGFC": 1.0}),
    ),
    "H019": Comparison(
        network="tumour cell", node="Motility", arm=Cells({**GROWING, "CCL5": 1.0}), control=Cells(GROWING)
    ),
    "H023": Comparison(
        network="tumour cell",
        node="Motility",
        arm=Cells(GROWING),
        control=Cells({**GROWING, "CCL5": 1.0}),
        before=Cells({**GROWING, "CCL5": 1.0}),
    ),
    "H024": Comparison(
        network="mesenchymal stem cell",
        node="CCL5",
        arm=Cells({"SPP1": 0.0}),
        control=Cells({"SPP1": 1.0}),
        before=Cells({"SPP1": 1.0}),
    ),
    "H033 movement": Comparison(
        network="tumour cell",
        node="Motility",
        arm=Cells({"SAA3": 1.0, "NFKB1": 0.0}),
        control=Cells({"SAA3": 1.0}),
        before=Cells({"SAA3": 1.0}),
    ),
    "H036 leak": Comparison(
        network="endothelium", node="Permeability", arm=Cells({"MIR25": 1.0}), control=Cells({"MIR25": 0.0})
    ),
    "H043 invadopodia": Comparison(
        network="tumour cell",
        node="Invadopodia",
        arm=Cells(INVADING, {"SH3PXD2A": 0.9}),
        control=Cells(INVADING),
        before=Cells(INVADING),
    ),
    "H052": Comparison(
        network="osteoclast",
        node="Resorption",
        arm=Cells({**FORMING, "Mature": 1.0}, {"MTORC1": SATURATING}),
        control=Cells({**FORMING, "Mature": 1.0}),
        before=Cells({**FORMING, "Mature": 1.0}),
    ),
    "H055": Comparison(
        network="tumour cell",
        node="VEGFA",
        arm=Cells(TUMOUR, {"MTORC1": SATURATING, "MTORC2": SATURATING}),
        control=Cells(TUMOUR, {"MTORC1": SATURATING}),
        before=Cells(TUMOUR),
    ),
}


def cells_alone(quick: bool) -> dict[str, Measured]:
    """Every comparison of single cells, and two dose responses."""
    found = {name: compared(one, quick) for name, one in COMPARISONS.items()}
    half = _sirolimus_half()
    found["H051"] = compared(
        Comparison(
            network="osteoclast",
            node="Differentiation",
            arm=Cells(FORMING, {"MTORC1": inhibited(1.0, half)}),
            control=Cells(FORMING),
            before=Cells({"CSF1": 1.0}),
        ),
        quick,
    )
    found["H053 rapamycin"] = _half_maximal(("MTORC1",), half, quick)
    return found


def _half_maximal(nodes: tuple[str, ...], half: float, quick: bool) -> Measured:
    """Concentration at half of the drug's effect on movement towards CXCL12, interpolated on a logarithmic scale."""
    towards = {"GF": 1.0, "CXCL12": 1.0}
    cells = QUICK if quick else CELLS
    comparison = Comparison(
        network="tumour cell", node="Motility", arm=Cells(), control=Cells(towards), before=Cells(towards)
    )
    shares = np.array(
        [
            look(comparison, Cells(towards, dict.fromkeys(nodes, inhibited(c, half))), cells)
            for c in (0.0, *CONCENTRATIONS, 1e6)
        ]
    )
    draws = np.random.default_rng(0).integers(0, cells, (200, cells))
    halves = [_crossing(shares[:, chosen].mean(axis=1)) for chosen in draws]
    low, high = (float(x) for x in np.quantile(halves, [0.025, 0.975]))
    return Measured(
        value=_crossing(shares.mean(axis=1)),
        low=low,
        high=high,
        n=cells,
        how=f"cells that move under nine concentrations, {cells:,} each; interval by resampling cells",
    )


def _crossing(response: NDArray[np.float64]) -> float:
    """Where the response to no drug, `CONCENTRATIONS` and a saturating one is half-way between its ends."""
    middle = 0.5 * (response[0] + response[-1])
    at = np.log([*CONCENTRATIONS])
    return float(np.exp(np.interp(-middle, -np.minimum.accumulate(response[1:-1]), at)))


_NETWORK = "the mechanism in single cells; no tumour, vessel or immune cell is in it"
EXPERIMENTS = (Computation(key="cells", title="Curated networks, cells by themselves", run=cells_alone),)
CASES = (
    Case(
        observation="H004 VEGF",
        experiment="cells",
        stands_in="VEGF that tumour cells make, three in ten of them hypoxic; docetaxel is left out",
        remark=_NETWORK,
    ),
    Case(observation="H008 anoikis", experiment="cells", stands_in="cells dead after 36 h without matrix"),
    Case(observation="H013 stemness", experiment="cells", stands_in="stem-like cells, as mammospheres count them"),
    Case(observation="H014", experiment="cells", stands_in="endothelial cells that make lymphatic vessels"),
    Case(
        observation="H019",
        experiment="cells",
        stands_in="tumour cells that move under CCL5, which stem cells secrete",
        remark=_NETWORK,
    ),
    Case(
        observation="H023",
        experiment="cells",
        stands_in="tumour cells that move after CCL5 is withdrawn",
        remark=_NETWORK,
    ),
    Case(
        observation="H024",
        experiment="cells",
        stands_in="CCL5 of stem cells without osteopontin",
        remark=_NETWORK,
    ),
    Case(
        observation="H033 movement",
        experiment="cells",
        stands_in="tumour cells that move under SAA3, without NF-kappaB for which TLR4 has no node of its own",
        remark=_NETWORK,
    ),
    Case(observation="H036 leak", experiment="cells", stands_in="endothelial cells with open junctions"),
    Case(observation="H043 invadopodia", experiment="cells"),
    Case(observation="H051", experiment="cells", stands_in="sirolimus for everolimus, which have one target"),
    Case(
        observation="H052", experiment="cells", remark="with the choice 'Mature' of the network, made for this finding"
    ),
    Case(
        observation="H053 rapamycin",
        experiment="cells",
        remark="half inhibition of mTORC1 is put at 5 nM by this finding; what is tested is that movement answers alike",
    ),
    Case(observation="H055", experiment="cells", stands_in="VEGF that tumour cells make, three in ten of them hypoxic"),
)
