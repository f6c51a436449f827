"""Osteoclasts, osteoblasts and bone: one remodelling site as power laws, its disease by myeloma, and RANK, RANKL and OPG.

All in days. Bone mass and tumour are in per cent; a bone mass below zero is refused, since nothing is left to resorb.
"""

from __future__ import annotations

from dataclasses import replace

from paget.evidence import Parameter, load_parameters
from paget.signalling.kinetics import Kinetics, Rule, Species

__all__ = ["bone_cycle", "bone_signalling", "myeloma_bone", "remodelling_cycle"]


def _numbers(model: str) -> tuple[dict[str, Parameter], tuple[Parameter, ...]]:
    """Initial values by species, and parameters, of one model of the table."""
    table = load_parameters("bone_kinetics")
    own = [replace(row, key=row.key.removeprefix(f"{model}_")) for row in table.values() if row.group == model]
    starts = {row.key.removesuffix("_start"): row for row in own if row.key.endswith("_start")}
    return starts, tuple(row for row in own if not row.key.endswith("_start"))


def remodelling_cycle() -> Kinetics:
    """Osteoclasts x1 and osteoblasts x2 regulate themselves and each other; bone mass z follows their surplus.

        d x1/dt = alpha1 x1^g11 x2^g21 - beta1 x1
        d x2/dt = alpha2 x1^g12 x2^g22 - beta2 x2
        d z/dt = k2 max(x2 - x2*, 0) - k1 max(x1 - x1*, 0), with x1*, x2* at rest

    Leaves out: space, precursors, and what the powers stand for (TGF-beta, IGF, RANKL, OPG).
    Differs from: the deposited file BIOMD0000000148, in which the events that switch resorption on never happen in the
    first cycle, so that bone there only grows.

    Source: Komarova et al. 2003.
    """
    return _power_laws("komarova2003", "Komarova2003", "one cycle of bone remodelling (Komarova 2003)", "x1", "x2")


def bone_cycle() -> Kinetics:
    """Osteoclasts C, osteoblasts B and bone mass z of healthy bone; the equations are those of `remodelling_cycle`.

    Source: Ayati et al. 2010; the term at rest is corrected as its authors agreed (BIOMD0000000401).
    """
    return _power_laws("ayati2010", "Ayati2010", "healthy bone remodelling (Ayati 2010)", "C", "B")


def _power_laws(model: str, source: str, title: str, clasts: str, blasts: str) -> Kinetics:
    starts, parameters = _numbers(model)
    return Kinetics(
        model,
        "day",
        (
            Species(clasts, starts[clasts], title="osteoclasts", source=source),
            Species(blasts, starts[blasts], title="osteoblasts", source=source),
            Species("z", starts["z"], title="bone mass, per cent", source=source),
            *(Species(name, _by_formula(name, "cell"), title=words) for name, words in _at_rest(clasts, blasts)),
        ),
        parameters=(*parameters, _by_formula("gamma", "")),
        assignments=(
            Rule.of("gamma", "g12 * g21 - (1 - g11) * (1 - g22)"),
            Rule.of(f"{clasts}_rest", "(beta1 / alpha1) ** ((1 - g22) / gamma) * (beta2 / alpha2) ** (g21 / gamma)"),
            Rule.of(f"{blasts}_rest", "(beta1 / alpha1) ** (g12 / gamma) * (beta2 / alpha2) ** ((1 - g11) / gamma)"),
        ),
        rates=(
            Rule.of(clasts, f"alpha1 * {clasts} ** g11 * {blasts} ** g21 - beta1 * {clasts}", source),
            Rule.of(blasts, f"alpha2 * {clasts} ** g12 * {blasts} ** g22 - beta2 * {blasts}", source),
            _bone(clasts, blasts, source),
        ),
        title=title,
        sources=(source,),
    )


def _at_rest(clasts: str, blasts: str) -> tuple[tuple[str, str], ...]:
    return (f"{clasts}_rest", "osteoclasts at rest"), (f"{blasts}_rest", "osteoblasts at rest")


def _by_formula(name: str, unit: str) -> Parameter:
    return Parameter(name, name, 0.0, unit, "derived", "a formula gives it at any time", "")


def _bone(clasts: str, blasts: str, source: str) -> Rule:
    formula = f"k2 * max({blasts} - {blasts}_rest, 0) - k1 * max({clasts} - {clasts}_rest, 0)"
    return Rule.of("z", formula, source)


def myeloma_bone() -> Kinetics:
    """A tumour T grows in bone and shifts the powers by which osteoclasts C and osteoblasts B regulate each other.

        d C/dt = alpha1 C^(g11 (1 + r11 T/LT)) B^(g21 (1 + r21 T/LT)) - beta1 C
        d B/dt = alpha2 C^(g12 / (1 + r12 T/LT)) B^(g22 - r22 T/LT) - beta2 B
        d T/dt = gammaT T ln(LT/T)

    Bone is used up on day 1198.8, from where on the equations mean nothing; the course is refused beyond.

    Source: Ayati et al. 2010; the terms at rest are corrected as its authors agreed (BIOMD0000000402).
    """
    starts, parameters = _numbers("myeloma")
    load = "T / LT"
    return Kinetics(
        "myeloma",
        "day",
        (
            Species("C", starts["C"], title="osteoclasts", source="Ayati2010"),
            Species("B", starts["B"], title="osteoblasts", source="Ayati2010"),
            Species("T", starts["T"], title="tumour, per cent of its largest size", source="Ayati2010"),
            Species("z", starts["z"], title="bone mass, per cent", source="Ayati2010"),
            *(Species(name, _by_formula(name, "cell"), title=words) for name, words in _at_rest("C", "B")),
        ),
        parameters=(*parameters, _by_formula("gamma", "")),
        assignments=(
            Rule.of("gamma", "g12 / (1 + r12) * g21 * (1 + r21) - (1 - g11 * (1 + r11)) * (1 - g22 + r22)"),
            Rule.of(
                "C_rest",
                "(beta1 / alpha1) ** ((1 - g22 + r22) / gamma) * (beta2 / alpha2) ** (g21 * (1 + r21) / gamma)",
            ),
            Rule.of(
                "B_rest",
                "(beta1 / alpha1) ** (g12 / (1 + r12) / gamma) * (beta2 / alpha2) ** ((1 - g11 * (1 + r11)) / gamma)",
            ),
        ),
        rates=(
            Rule.of(
                "C",
                f"alpha1 * C ** (g11 * (1 + r11 * {load})) * B ** (g21 * (1 + r21 * {load})) - beta1 * C",
                "Ayati2010",
            ),
            Rule.of(
                "B",
                f"alpha2 * C ** (g12 / (1 + r12 * {load})) * B ** (g22 - r22 * {load}) - beta2 * B",
                "Ayati2010",
            ),
            Rule.of("T", "gammaT * T * ln(LT / T)", "Ayati2010"),
            _bone("C", "B", "Ayati2010"),
        ),
        title="bone remodelling with myeloma (Ayati 2010)",
        sources=("Ayati2010",),
    )


def bone_signalling() -> Kinetics:
    """Responding osteoblasts R, active osteoblasts B and osteoclasts C, coupled by TGF-beta, PTH, RANK, RANKL and OPG.

        d R/dt = D_R Phi_C - f0 d_B R / Phi_C
        d B/dt = f0 d_B R / Phi_C - k_B B
        d C/dt = D_C Phi_L - D_A Phi_C C

    with the occupied shares of the receptors of TGF-beta (Phi_C), of PTH (Phi_P) and of RANK (Phi_L). PTH, OPG and RANKL can
    be given as I_P, I_O and I_L.

    Assumes: binding is fast beside the life of cells.
    Source: Lemaire et al. 2004.
    """
    starts, parameters = _numbers("lemaire2004")
    shares = ("Phi_C", "Phi_P", "Phi_L")
    between = ("D_B", "P_given", "P_0", "P_s")
    return Kinetics(
        "lemaire2004",
        "day",
        (
            Species("R", starts["R"], title="responding osteoblasts", source="Lemaire2004"),
            Species("B", starts["B"], title="active osteoblasts", source="Lemaire2004"),
            Species("C", starts["C"], title="active osteoclasts", source="Lemaire2004"),
        ),
        parameters=(
            *parameters,
            *(_by_formula(name, "") for name in shares),
            *(_by_formula(name, "1/day" if name == "D_B" else "pM") for name in between),
        ),
        assignments=(
            Rule.of("D_B", "f0 * d_B"),
            Rule.of("Phi_C", "(C + f0 * C_s) / (C + C_s)"),
            Rule.of("P_given", "I_P / k_P"),
            Rule.of("P_0", "S_P / k_P"),
            Rule.of("P_s", "k6 / k5"),
            Rule.of("Phi_P", "(P_given + P_0) / (P_given + P_s)"),
            Rule.of(
                "Phi_L",
                "k3 / k4 * K_L_P * Phi_P * B * (1 + I_L / r_L)"
                " / (1 + k3 * K / k4 + k1 / (k2 * kO) * (K_O_P * R / Phi_P + I_O))",
            ),
        ),
        rates=(
            Rule.of("R", "D_R * Phi_C - D_B * R / Phi_C", "Lemaire2004"),
            Rule.of("B", "D_B * R / Phi_C - k_B * B", "Lemaire2004"),
            Rule.of("C", "D_C * Phi_L - D_A * Phi_C * C", "Lemaire2004"),
        ),
        title="RANK, RANKL and OPG in bone remodelling (Lemaire 2004)",
        sources=("Lemaire2004",),
    )
