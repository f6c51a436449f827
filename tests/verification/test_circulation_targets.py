"""The circulation and the places of metastases against exact tables, half-lives in blood, and autopsies."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import f as f_distribution

from paget.body.anatomy import Anatomy, Conduit, Organ, human, mouse
from paget.body.autopsies import load_autopsies
from paget.body.circulation import Fate, fate, steady_state
from paget.body.organ_pattern import compare_patterns, organ_pattern, score
from paget.body.seed_and_soil import MODELS, ORIGINS, arrivals, found_in, load_of
from paget.evidence import Parameter
from paget.process import quantity

COLOURS = {"flow": "#3b7dd8", "soil": "#d9822b", "both": "#2f8f5b"}
INK = "#1f2933"

# Filter-flow circulation: flows of Font-Clos 2020, one arrest probability F in lung, liver and other beds, no death
FILTER_FLOWS = {
    "lung": 0.0,
    "liver": 0.065,
    "brain": 0.12,
    "bone marrow": 0.05,
    "adrenal gland": 0.003,
    "heart": 0.04,
    "kidney": 0.19,
    "gut": 0.19,
    "rest": 0.342,
}
FILTER_TABLE = {  # landing fractions, to the digits printed
    ("breast", 0.9999): (0.99990, 1e-5, 1e-5, 5e-6, 3e-7),
    ("breast", 0.5): (0.64620, 0.05170, 0.03877, 0.01616, 0.00097),
    ("breast", 0.05): (0.47137, 0.10994, 0.05374, 0.02239, 0.00134),
    ("lung", 0.5): (0.29241, 0.10339, 0.07754, 0.03231, 0.00194),
    ("colon", 0.5): (0.32310, 0.52585, 0.01939, 0.00808, 0.00048),
    ("colon", 0.9999): (0.00010, 0.99990, 0.0, 0.0, 0.0),
}
FILTER_ORGANS = ("lung", "liver", "brain", "bone marrow", "adrenal gland")
FILTER_ORIGINS = {"breast": "rest", "lung": "lung", "colon": "gut"}


def number(text: str) -> Parameter:
    return quantity(text, reason="for this comparison")


def filter_flow() -> Anatomy:
    drains = {"lung": "left heart", "gut": "portal vein"}

    def organ(name: str, flow: float) -> Organ:
        sizes = number("10 mL"), number("1 mL"), number("8 um"), number("1 um")
        return Organ(name, "", number(f"{flow}"), *sizes, drains.get(name, "right heart"))

    conduits = (("left heart", "", "0.4"), ("right heart", "lung", "0.5"), ("portal vein", "liver", "0.1"))
    return Anatomy(
        species="filter-flow model",
        body_mass=number("1 g"),
        cardiac_output=number("60 mL/min"),
        blood=number("60 mL"),
        plasma=number("30 mL"),
        organs=tuple(organ(name, flow) for name, flow in FILTER_FLOWS.items()),
        conduits=tuple(Conduit(name, into, number(share)) for name, into, share in conduits),
    )


def test_filter_flow_table(gallery: Callable[..., Any]) -> None:
    chain, worst, drawn = filter_flow().chain(), 0.0, []
    for (primary, arrest), printed in FILTER_TABLE.items():
        landed = fate(chain, arrest, 0.0, FILTER_ORIGINS[primary])
        ours = np.array([landed.landing_in(organ) for organ in FILTER_ORGANS])
        assert landed.landing.sum() == pytest.approx(1.0, abs=1e-12)
        # the table has five decimals, and one digit where it writes powers of ten
        digits = np.where(np.array(printed) < 2e-5, 0.5 * 10.0 ** np.floor(np.log10(np.maximum(printed, 1e-6))), 5.1e-6)
        assert (np.abs(ours - printed) <= digits).all(), (primary, arrest, ours, printed)
        worst = max(worst, float(np.abs(ours - printed).max()))
        drawn += [(a, b, primary) for a, b in zip(printed, ours, strict=True) if a > 0.0]
    with gallery(
        "circulation-filter-flow",
        title="Landing fractions of a filter-flow circulation",
        text=(
            "Where cells from breast, lung and colon are arrested if every bed holds back the same share F of the cells that "
            f"pass (F = 0.05, 0.5, 0.9999): the exact table against this circulation. Largest difference {worst:.1e}, half of "
            "the last digit of the table; landings add up to 1 to 1e-12."
        ),
    ) as axes:
        for primary, mark in (("breast", "o"), ("lung", "s"), ("colon", "^")):
            points = np.array([(a, b) for a, b, p in drawn if p == primary])
            axes.loglog(points[:, 0], points[:, 1], mark, label=primary, mfc="none")
        axes.loglog([1e-7, 1], [1e-7, 1], color=INK, lw=0.8)
        axes.set(xlabel="landing fraction, table", ylabel="landing fraction, this circulation")
        axes.legend()


def rate_for(anatomy: Anatomy, half_life: float, *, arrested: bool) -> tuple[float, Fate]:
    """The arrest probability per pass (or the death rate, 1/h) that gives a half-life, h, to cells of the breast."""

    def reached(value: float) -> Fate:
        return fate(chain, value if arrested else 0.0, 0.0 if arrested else value, "mammary gland")

    chain = anatomy.chain()
    log = brentq(lambda x: reached(np.exp(x)).half_life - half_life, -14.0, -0.01 if arrested else 9.0, xtol=1e-8)
    return float(np.exp(log)), reached(float(np.exp(log)))


CLINIC = {"human": (1.0, 2.4), "mouse": (40.0 / 3600.0, 260.0 / 3600.0)}  # h: Meng 2004; Hamza 2021
ROUNDS = {"human": 60.0, "mouse": 6.5}  # s, with which the published losses per round were computed
LOSSES = {"human": (0.005, 0.011), "mouse": (0.017, 0.107)}


def test_half_lives_and_steady_state(gallery: Callable[..., Any]) -> None:
    drawn, told = {}, []
    for anatomy in (human(), mouse()):
        species, circuit = anatomy.species, anatomy.circuit_time * 3600.0
        low, high = (1.0 - 2.0 ** (-ROUNDS[species] / 3600.0 / t) for t in reversed(CLINIC[species]))
        assert low == pytest.approx(LOSSES[species][0], abs=5e-4)  # printed with one decimal of a per cent
        assert high == pytest.approx(LOSSES[species][1], abs=6e-4)
        for half in CLINIC[species]:
            rate, dying = rate_for(anatomy, half, arrested=False)
            # without arrest the time in blood is exponential: N = shed x half-life / ln 2, exactly
            assert rate == pytest.approx(np.log(2.0) / half, rel=1e-6)
            pool = steady_state(dying, 1000.0, anatomy.blood.inside("mL"))
            assert pool.blood == pytest.approx(1000.0 * half / np.log(2.0), rel=1e-6)
            caught, arrested = rate_for(anatomy, half, arrested=True)
            pool = steady_state(arrested, 1000.0, anatomy.blood.inside("mL"))
            drawn[species, half] = (arrested, caught, pool, circuit)
            # the law is that of an exponential; cells meet no bed for part of their first round, which shows in the mouse,
            # that loses a tenth of its cells per round
            error = pool.blood / (1000.0 * half / np.log(2.0)) - 1.0
            assert abs(error) < (0.002 if species == "human" else 0.02)
            loss = 1.0 - 2.0 ** (-circuit / 3600.0 / half)
            told.append(
                f"{species}, {half * 60:.3g} min: {100 * loss:.2f} % per round, {100 * caught:.2f} % per bed, "
                f"{pool.blood:.3g} cells in blood at 1000 shed per h ({100 * error:+.1f} % of the exponential law)"
            )
    with gallery(
        "circulation-half-life",
        title="Half-lives in blood, loss per round, and cells in blood",
        text=(
            "Cells lost by arrest alone, with the probability per bed that gives the half-lives of patients (1 to 2.4 h) and "
            "of mice (40 to 260 s). "
            + "; ".join(told)
            + ". Cells lost by death alone follow N = shed × half-life / ln 2 to 1e-6."
        ),
        panels=2,
    ) as axes:
        for axis, species in zip(axes, ("human", "mouse"), strict=True):
            for half, colour in zip(CLINIC[species], ("#3b7dd8", "#d9822b"), strict=True):
                arrested = drawn[species, half][0]
                times = np.linspace(0.0, 3.0 * half, 60)
                axis.plot(times * 60.0, arrested.survival(times), color=colour, label=f"half-life {half * 60:.3g} min")
                axis.plot(times * 60.0, 2.0 ** (-times / half), color=INK, lw=1.2, ls=":")
            axis.plot([], [], color=INK, lw=1.2, ls=":", label="exponential")
            axis.set(xlabel="time after shedding, min", ylabel="still in blood", title=species, ylim=(0, 1))
            axis.legend()


def test_one_class_of_cells_cannot_be_trapped_at_once_and_live_for_minutes(gallery: Callable[..., Any]) -> None:
    chain = mouse().chain()
    # cells injected into a vein meet the lung first: the share held back there is the chance of arrest
    first = np.concatenate([np.geomspace(1e-3, 0.5, 40), 1.0 - np.geomspace(0.5, 1e-4, 25)[1:]])
    lives = np.array([fate(chain, share, 0.0, "mammary gland").half_life for share in first]) * 3600.0
    fast, slow = 40.0, 260.0
    inside = (lives >= fast) & (lives <= slow)
    assert 0.0 < first[inside].max() < 0.2  # cells that live for 40 s pass the lung more than four times in five
    assert lives[first > 0.99].max() < 5.0  # cells of which 99 % stay in the lung are gone within one round
    # two classes: 99.5 % of the injected cells are stiff; of those that a tumour sheds, the deformable ones make the half-life
    stiff = fate(chain, 0.999, 0.0, "mammary gland")
    soft_arrest, soft = rate_for(mouse(), 120.0 / 3600.0, arrested=True)
    first_pass = 0.995 * 0.999 + 0.005 * soft_arrest
    assert first_pass > 0.99
    late = 0.005 * soft.survival([60.0 / 3600.0, 180.0 / 3600.0]) + 0.995 * stiff.survival(
        [60.0 / 3600.0, 180.0 / 3600.0]
    )
    measured = 120.0 / np.log2(late[0] / late[1])
    assert fast < measured < slow
    with gallery(
        "circulation-two-classes",
        title="One class of cells cannot do both",
        text=(
            "A mouse: share of injected cells that stays in the lung at the first pass, and half-life in blood, for one class "
            "of cells of any arrest probability (line). Injected cells are held back by more than 99 %, cells that tumours "
            f"shed live 40 to 260 s (shaded): the line passes both regions, but never together (at 40 s it holds back "
            f"{100 * np.interp(fast, lives[::-1], first[::-1]):.0f} %). A mixture of 99.5 % stiff cells and 0.5 % deformable "
            f"ones (arrest {100 * soft_arrest:.1f} % per bed) stays in the lung by {100 * first_pass:.1f} % and decays with a "
            f"half-life of {measured:.0f} s between one and three minutes (point)."
        ),
    ) as axes:
        axes.plot(first, lives, color="#3b7dd8", label="one class")
        axes.axhspan(fast, slow, color="#d9822b", alpha=0.2, lw=0, label="half-life of shed cells")
        axes.axvspan(0.99, 0.9999, color="#2f8f5b", alpha=0.2, lw=0, label="injected cells")
        axes.plot(first_pass, measured, "o", color=INK, label="two classes")
        axes.set(xlabel="share held back by the lung at first", ylabel="half-life in blood, s", yscale="log")
        axes.set(xscale="logit", xlim=(1e-3, 0.9999), ylim=(1, 3e4))
        axes.set_xticks(
            [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999], ["0.1 %", "1 %", "10 %", "50 %", "90 %", "99 %", "99.9 %"]
        )
        axes.tick_params(axis="x", labelsize=8)
        axes.minorticks_off()
        axes.legend(fontsize=7)


def metropolis(proposal: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The chain with rows `proposal`, accepted or refused so that `target` is stationary (Metropolis and Hastings)."""
    ratio = (target[None, :] * proposal.T) / np.maximum(target[:, None] * proposal, 1e-300)
    moves = proposal * np.minimum(1.0, ratio)
    np.fill_diagonal(moves, 0.0)
    return moves + np.diag(1.0 - moves.sum(axis=1))


def lung_vector() -> tuple[list[str], list[str], np.ndarray]:
    rows = [f for f in load_autopsies() if f.primary == "lung" and f.series.startswith("diSibio")]
    counts = np.array([row.found for row in rows], dtype=float)
    return [row.site for row in rows], [row.organ for row in rows], counts / counts.sum()


def test_any_chain_with_the_vector_of_lung_cancer_reaches_it(gallery: Callable[..., Any], request: Any) -> None:
    sites, organs, vector = lung_vector()
    printed = {"lung": 0.078, "liver": 0.094, "adrenal": 0.095, "bone": 0.061, "kidney": 0.048, "brain": 0.024}
    for site, share in (printed | {"regional lymph nodes": 0.184, "distant lymph nodes": 0.123}).items():
        assert vector[sites.index(site)] == pytest.approx(share, abs=5e-4)
    chain, count = human().chain(), len(sites)
    spread = np.full((count, count), 0.5 / count)  # half of the cells by contact and serous membranes, anywhere alike
    for i, organ in enumerate(organs):
        landed = fate(chain, 0.3, 0.0, organ or "other").landing
        by_flow = np.array([landed[chain.organs.index(o)] if o else 0.0 for o in organs])
        spread[i] += 0.5 * by_flow / by_flow.sum()
    chains = {"rank one": np.tile(vector, (count, 1)), "flow, accepted or refused": metropolis(spread, vector)}
    distance, begin = {}, np.eye(count)[sites.index("lung")]
    for name, moves in chains.items():
        assert vector @ moves == pytest.approx(vector, abs=1e-14)
        assert (moves >= 0.0).all()
        assert moves.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-14)
        now, distance[name] = begin, []
        for _ in range(400):
            distance[name].append(np.linalg.norm(now - vector))
            now = now @ moves
        assert distance[name][-1] < 1e-8
    dice = np.random.default_rng(3)
    walkers = dice.multinomial(100_000, begin)
    for _ in range(150):
        walkers = sum(
            dice.multinomial(k, row) for k, row in zip(walkers, chains["flow, accepted or refused"], strict=True)
        )
    simulated = np.linalg.norm(walkers / walkers.sum() - vector)
    # a multinomial sample of n misses v by sqrt((1 - |v|²) / n) in the mean; three times that is far in its tail
    expected = np.sqrt((1.0 - vector @ vector) / walkers.sum())
    assert simulated < 3.0 * expected
    with gallery(
        "circulation-lung-cancer-vector",
        title="Lung cancer as a Markov chain of sites",
        text=(
            "27 sites of 619 metastases of 163 lung cancers (diSibio and French 2008, Newton 2012) as the stationary vector v "
            "of two chains that begin in the lung: rank one (A = 1v) and the flow of this circulation with moves accepted or "
            "refused. Both reach v (distance after 400 steps "
            f"{max(d[-1] for d in distance.values()):.0e}); 100,000 walkers after 150 steps miss it by {simulated:.4f}, where "
            f"chance alone gives {expected:.4f}. The vector does not determine the chain."
        ),
        panels=2,
    ) as axes:
        for (name, steps), colour in zip(distance.items(), ("#d9822b", "#3b7dd8"), strict=True):
            axes[0].semilogy(np.maximum(steps[:200], 1e-17), color=colour, label=name)
        axes[0].set(xlabel="step", ylabel="distance to v", ylim=(1e-17, 3))
        axes[0].legend(fontsize=7)
        axes[1].plot(vector, walkers / walkers.sum(), "o", ms=3, color="#3b7dd8")
        axes[1].plot([0, 0.2], [0, 0.2], color=INK, lw=0.8)
        axes[1].set(xlabel="share of metastases, autopsies", ylabel="share of walkers")


def test_the_vector_of_lung_cancer_is_the_published_one(reference: Path) -> None:
    file = reference / "body" / "exact_targets.json"
    if not file.is_file():
        pytest.skip("the exact targets are not in the reference folder")
    given = json.loads(file.read_text())["newton2012_lung_target"]
    ours = np.sort(lung_vector()[2])
    np.testing.assert_allclose(ours, np.sort(list(given["vector"].values())), atol=1e-15)


def test_flow_fractions_are_those_of_the_published_regression() -> None:
    published = {"brain": 0.12, "heart": 0.04, "kidney": 0.19, "adrenal gland": 0.003, "liver": 0.065}
    published |= {"small intestine": 0.10, "pancreas": 0.01, "stomach": 0.01}
    for organ, flow in published.items():
        assert human()[organ].flow.inside("") == flow
    assert human()["colon"].flow.inside("") == pytest.approx(0.0325, abs=0.01)  # published without the lowest part


# Font-Clos 2020: p-values of the regressions as published, and the plain R² that goes with them
REGRESSIONS = {
    "lung": (0.7441, 7.229182833840766e-09),
    "prostate": (0.4221, 0.002608067172982082),
    "pancreas": (0.3614, 0.005051528161799066),
    "colon": (0.3118, 0.003032996111385923),
    "stomach and oesophagus": (0.2013, 0.018892885107188753),
    "kidney": (0.103, 0.16766854842212),
    "liver": (0.0822, 0.23402012427888),
}


def test_flow_alone_explains_little_of_the_printed_autopsies(gallery: Callable[..., Any]) -> None:
    sizes = {}
    for primary, (r2, p) in REGRESSIONS.items():

        def surplus(n: float, r2: float = r2, p: float = p) -> float:
            return float(f_distribution.sf(r2 * (n - 2.0) / (1.0 - r2), 1, n - 2.0) - p)

        sizes[primary] = brentq(surplus, 3.01, 200.0)
        assert sizes[primary] == pytest.approx(round(sizes[primary]), abs=0.01)  # R² has four digits
    chances = np.geomspace(1e-3, 0.99, 25)
    found: dict[str, list[float]] = {}
    largest = [(p, s) for p, s in product(ORIGINS, ("diSibio and French 2008",))]
    for primary, series in largest:
        rows = [f for f in load_autopsies() if (f.primary, f.series) == (primary, series) and f.organ]
        rows = [f for f in rows if f.organ != "lymph node"]
        counts, of = (np.array([getattr(f, name) for f in rows], float) for name in ("found", "autopsies"))
        for chance in chances:
            landed = arrivals(human(), primary, float(chance), 0.0)
            rates = np.array([landed[f.organ] for f in rows])
            shares = found_in(load_of(rates, counts, of), rates)
            found.setdefault(primary, []).append(score(shares, counts, of).r2)
    assert max(found["lung"]) < 0.744  # 15 organs of one series do not give the published number
    assert (
        max(found["colon"]) > 0.9 > 0.4 > found["colon"][0]
    )  # the liver comes first only if its bed holds most cells back
    with gallery(
        "organ-pattern-flow-alone",
        title="Flow alone, by the chance of arrest",
        text=(
            "Squared correlation of observed and predicted shares of autopsies (diSibio and French 2008) by flow alone, "
            "blood-borne cells only, for any chance of arrest per bed: lines, 15 organs for lung cancer, 4 for the others. "
            "The published regressions on flow (marks: lung 0.744, prostate 0.422, pancreas 0.361, colorectal 0.312, "
            "kidney 0.103) cannot be recomputed: they rest on a digitised table that is not part of this project, of "
            f"{', '.join(f'{round(n)}' for n in sizes.values())} organs (from R² and p, each a whole number to 0.01). With the "
            f"counts at hand lung cancer reaches {min(found['lung']):.2f} to {max(found['lung']):.2f}, less than "
            "published: metastases are in the adrenal gland in 36 % of the autopsies, and 0.3 % of the flow goes "
            "there. For colon and pancreas flow alone rises from "
            f"{found['colon'][0]:.2f} and {found['pancreas'][0]:.2f} to {max(found['colon']):.2f} and "
            f"{max(found['pancreas']):.2f} where two thirds of the cells stay in the first bed, the liver."
        ),
    ) as axes:
        for primary, values in found.items():
            (line,) = axes.semilogx(chances, values, label=primary)
            if primary in REGRESSIONS:
                axes.plot(1.6, REGRESSIONS[primary][0], "<", color=line.get_color(), clip_on=False)
        axes.set(xlabel="chance of arrest per bed", ylabel="R², flow alone", ylim=(0, 1), xlim=(1e-3, 1.8))
        axes.legend(fontsize=7)


def test_flow_with_soil_predicts_where_tumours_go(gallery: Callable[..., Any]) -> None:
    scores = compare_patterns()
    overall = scores[scores["primary"] == "all"].set_index("model")
    # over series to which nothing was fitted, flow and soil together lead, and flow alone is far behind
    assert overall.loc["both", "r2"] > overall.loc["soil", "r2"] > 0.5
    assert overall.loc["soil", "r2_low"] > overall.loc["flow", "r2_high"]
    assert overall.loc["both", "rank_low"] > overall.loc["flow", "rank_high"]
    said = [
        f"{model} R² {row['r2']:.2f} ({row['r2_low']:.2f} to {row['r2_high']:.2f}), "
        f"rank {row['rank']:.2f} ({row['rank_low']:.2f} to {row['rank_high']:.2f})"
        for model, row in overall.iterrows()
    ]
    each = scores[(scores["primary"] != "all") & (scores["organs"] > 2)]
    keys = list(dict.fromkeys(zip(each["primary"], each["series"], each["use"], strict=True)))
    with gallery(
        "organ-pattern-scores",
        title="Flow, soil, or both: how well each predicts",
        text=(
            "Squared correlation of observed and predicted shares of autopsies with metastases, with 95 % intervals by drawing "
            "the autopsies anew, for every series with more than two blood-borne organs (* fitted to). Over "
            f"{overall.loc['both', 'organs']} organs of series that nothing was fitted to but one load each: "
            f"{'; '.join(said)}. Of series with four organs an R² says little by itself, and the "
            "levels of seeds and soils come from a literature that knows where these tumours go."
        ),
        panels=2,
    ) as axes:
        for k, model in enumerate(MODELS):
            rows = [each[(each["model"] == model)].set_index(["primary", "series"]).loc[key[:2]] for key in keys]
            values = np.array([[row["r2"], row["r2_low"], row["r2_high"]] for row in rows])
            place = np.arange(len(keys)) + 0.25 * (1 - k)
            axes[0].barh(place, values[:, 0], 0.23, color=COLOURS[model], label=model)
            axes[0].hlines(place, values[:, 1], values[:, 2], color=INK, lw=0.8)
        names = [
            f"{primary}, {series.split(' ')[0]}{'*' if use == 'calibration' else ''}" for primary, series, use in keys
        ]
        axes[0].set_yticks(np.arange(len(keys)), names, fontsize=8)
        axes[0].set(xlabel="R²", xlim=(0, 1))
        for primary in ORIGINS:
            table = organ_pattern(primary).table
            unseen = table[(table["use"] == "prediction") & (table["organ"] != "lymph node")]
            for model in MODELS:
                label = model if primary == "breast" else None
                axes[1].plot(unseen["observed"], unseen[model], "o", ms=4, color=COLOURS[model], label=label)
        axes[1].legend(fontsize=8)
        axes[1].plot([0, 1], [0, 1], color=INK, lw=0.8)
        axes[1].set(xlabel="observed share", ylabel="predicted share, series not fitted to")


FAILURES = {
    "organ-patterns-breast-lung-prostate": (
        "Flow alone sends lung cancer back into the lung and hardly anything into the adrenal gland. Bone metastases of "
        "prostate cancer are underrated and those in liver and adrenal gland overrated by every model."
    ),
    "organ-patterns-colon-pancreas-kidney": (
        "The portal vein and the match with the liver together put the liver before the lung for colon and pancreas; their "
        "bone metastases are overrated."
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_autopsies_beside_the_three_models(case: str, gallery: Callable[..., Any]) -> None:
    primaries = case.removeprefix("organ-patterns-").split("-")
    results = {primary: organ_pattern(primary) for primary in primaries}
    if "colon" in results:
        for primary in ("colon", "pancreas"):
            table = results[primary].table.set_index(["series", "organ"]).loc["diSibio and French 2008"]
            assert table["both"].idxmax() == table["observed"].drop("lymph node").idxmax() == "liver"
            assert table["flow"].drop("lymph node").idxmax() == "lung"
    else:
        table = results["prostate"].table.set_index(["series", "organ"]).loc["Bubendorf 2000"]
        assert table["both"].idxmax() == table["observed"].idxmax() == "bone marrow"
        assert (
            table["both"].loc["bone marrow"] < 0.75 * table["observed"].loc["bone marrow"]
        )  # the failure that is told
    with gallery(
        case,
        title=f"Where tumours of {', '.join(primaries[:-1])} and {primaries[-1]} go",
        text=(
            "Share of autopsies with metastases (points: diSibio and French 2008 with 95 % Wilson intervals; diamonds: "
            "Abrams 1950 and Bubendorf 2000, of other numbers of autopsies) and the predictions of flow alone, seed and "
            "soil alone, and both (bars), with one fitted load for each series. Hospitalities of organs, the weight of the "
            f"match and one chance of arrest were fitted to breast and lung (marked *). {FAILURES[case]}"
        ),
        panels=3,
    ) as axes:
        for axis, (primary, result) in zip(axes, results.items(), strict=True):
            table = result.table[result.table["series"] == "diSibio and French 2008"]
            other = result.table[result.table["series"] != "diSibio and French 2008"]
            table = table.sort_values("observed", ascending=False).head(9).reset_index(drop=True)
            place = np.arange(len(table))
            for k, model in enumerate(MODELS):
                axis.bar(place + 0.25 * (k - 1), table[model], 0.23, color=COLOURS[model], label=model)
            error = [table["observed"] - table["low"], table["high"] - table["observed"]]
            axis.errorbar(place, table["observed"], error, fmt="o", ms=4, color=INK, capsize=2, label="autopsies")
            for _, row in other[other["organ"].isin(table["organ"])].iterrows():
                at = float(table.index[table["organ"] == row["organ"]][0])
                axis.plot(at + 0.38, row["observed"], "D", ms=4, mfc="none", color=INK)
            fitted = "*" if (table["use"] == "calibration").any() else ""
            axis.set_xticks(place, table["organ"], rotation=40, ha="right", fontsize=8)
            axis.set(title=f"{primary}{fitted}, {table['n'].iloc[0]} autopsies", ylim=(0, 1.0))
        axes[0].plot([], [], "D", ms=4, mfc="none", color=INK, label="other series")
        axes[0].set_ylabel("share with metastases")
        axes[0].legend(fontsize=7)
