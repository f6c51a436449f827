"""Rate equations against closed forms, published numbers, published files, and an independent solver.

Numbers of deposited files are those that simulating them by CVODE gives; where file and publication differ, the case says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from kinetics_systems import chain, predators, robertson, species

from paget.catalogue.kinetics import bone_cycle, bone_signalling, myeloma_bone, remodelling_cycle
from paget.errors import NumericalError
from paget.signalling.kinetics import Kinetics, Rule

FILES = {
    "Komarova 2003": "BIOMD0000000148_Komarova2003_bone.xml",
    "Lemaire 2004": "BIOMD0000000278_Lemaire2004_bone.xml",
    "Ayati 2010": "BIOMD0000000401_Ayati2010_normal.xml",
    "Ayati 2010, myeloma": "BIOMD0000000402_Ayati2010_tumour.xml",
    "Dalle Pezze 2012": "BIOMD0000000581_DallePezze2012_TSC_mTORC2.xml",
    "Varusai 2018": "BIOMD0000000823_Varusai2018_mTOR_DEPTOR.xml",
}


def deposited(reference, name, **options):
    """The system in a deposited file."""
    pytest.importorskip("libsbml")
    from paget.io.networks.sbml import read_sbml

    return read_sbml(reference / "sbml" / FILES[name], **options)


def apart(one, other):
    """Largest difference of two courses of one state, relative to the value but not to less than 1e-9 of the largest."""
    return float((np.abs(one - other) / np.maximum(np.abs(other), 1e-9 * np.abs(other).max() + 1e-300)).max())


# ---- the method ------------------------------------------------------------------------------------------------------
def test_the_error_falls_with_the_fourth_power_of_the_step(gallery):
    """Steps are all alike where the tolerance allows any; halving them divides the error by sixteen."""
    from paget.kernels.kinetics import _step
    from paget.signalling.kinetics import equations

    system = Kinetics(
        "smooth",
        "",
        (species("x", 1.0, nonnegative=False), species("y", 0.5, nonnegative=False)),
        rates=(Rule.of("x", "y * cos(time) - x ** 2"), Rule.of("y", "sin(time) - x * y")),
    )
    written = equations(system)
    program, first = written.program, written.first
    exact = solve_ivp(
        lambda t, v: [v[1] * np.cos(t) - v[0] ** 2, np.sin(t) - v[0] * v[1]],
        (0.0, 2.0),
        [1.0, 0.5],
        "DOP853",
        rtol=1e-13,
        atol=1e-14,
    ).y[:, -1]

    def error(steps):
        h, y, new = 2.0 / steps, np.array([1.0, 0.5]), np.empty(2)
        r = np.zeros(first + len(program.code))
        r[first - program.literals.size : first] = program.literals
        from paget.kernels.kinetics_program import run

        run(program.code, 0, int(program.ends[0]), first, r)
        for step in range(steps):
            r[:2], r[2] = y, step * h
            run(program.code, int(program.ends[0]), int(program.ends[2]), first, r)
            f, jacobian, drift = (np.array(r[where]) for where in (program.rate, program.entry, program.drift))
            matrix, pivot, k = np.empty((2, 2)), np.zeros(2, np.int64), np.empty((6, 2))
            assert _step(program, first, y, f, jacobian, drift, step * h, h, r, matrix, pivot, k, new)
            y = new.copy()
        return np.abs(y - exact).max()

    steps = np.array([10, 20, 40, 80])
    errors = np.array([error(n) for n in steps])
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    text = (
        f"RODAS with time in the rates, beside DOP853 at 1e-13: the error falls with the power {order:.2f} of the step."
    )
    with gallery("kinetics-order", title="Order of the solver of rate equations", text=text) as axes:
        axes.loglog(2.0 / steps, errors, "o", label="RODAS")
        axes.loglog(2.0 / steps, errors[0] * (steps[0] / steps) ** 4.0, "-", label="fourth power")
        axes.set(xlabel="step", ylabel="error at the end")
        axes.legend()
        # Four doublings leave a few per cent of the next order in the slope.
        assert 3.9 < order < 4.25


def test_a_chain_and_predators_keep_their_closed_forms(gallery):
    times = np.linspace(0.0, 10.0, 101)
    course = chain().solve(times)
    exact = 2.0 / 1.5 * (np.exp(-0.5 * times) - np.exp(-2.0 * times))
    error = np.abs(course["B"] - exact).max()
    cycle = predators().solve(np.linspace(0.0, 200.0, 2001))
    x, y = cycle["x"], cycle["y"]
    kept = 0.1 * x - 0.4 * np.log(x) + 0.4 * y - 1.1 * np.log(y)
    drift = np.abs(kept / kept[0] - 1.0).max()
    text = (
        f"A -> B -> nothing beside its closed form: largest error {error:.1e}. Predators and prey of Lotka and Volterra over "
        f"some 20 cycles: their invariant changes by {drift:.1e} of itself. Tolerance 1e-8 per step."
    )
    with gallery("kinetics-closed-forms", title="Rate equations with known solutions", text=text, panels=2) as axes:
        axes[0].plot(times, exact, label="closed form")
        axes[0].plot(times[::5], course["B"][::5], "o", ms=4, label="solved")
        axes[0].set(xlabel="h", ylabel="B")
        axes[0].legend()
        axes[1].plot(x, y, lw=0.6)
        axes[1].set(xlabel="prey", ylabel="predators")
        # A few hundred steps of 1e-8 each; the cycles make it some thousand.
        assert error < 1e-6
        assert drift < 1e-5


# Values in which Radau IIA and LSODA, both of scipy at a tolerance of 1e-12, agree to all these digits.
ROBERTSON = {
    0.4: (9.8517211386e-01, 3.3863953790e-05, 1.4794022185e-02),
    40.0: (7.158270687e-01, 9.185534765e-06, 2.841637457e-01),
    4e5: (4.938274521e-03, 1.984994088e-08, 9.950617056e-01),
    4e10: (5.20834518e-08, 2.08333818e-13, 9.999999479e-01),
}


def test_the_stiff_problem_of_robertson_is_solved_over_eleven_decades(gallery):
    times = np.concatenate([[0.0], np.geomspace(1e-6, 4e10, 120)])
    course = robertson().solve(np.unique([*times, *ROBERTSON]), rtol=1e-9, atol=1e-18)
    worst = {}
    for time, values in ROBERTSON.items():
        at = int(np.searchsorted(course.times, time))
        worst[time] = max(abs(course[name][at] / value - 1.0) for name, value in zip("ABC", values, strict=True))
    text = (
        "Rates from 0.04 to 3e7, to a time of 4e10. Largest relative difference from two other solvers at 1e-12: "
        + ", ".join(f"{error:.0e} at {time:g}" for time, error in worst.items())
        + ". Tolerance 1e-9 per step."
    )
    with gallery("kinetics-robertson", title="A stiff system", text=text) as axes:
        for name, factor in (("A", 1.0), ("B", 1e4), ("C", 1.0)):
            axes.semilogx(course.times[1:], factor * course[name][1:], label=name if factor == 1.0 else f"{name} x 1e4")
        axes.set(xlabel="time")
        axes.legend()
        # A thousand steps of 1e-9, most of which the decay towards rest forgets.
        assert max(worst.values()) < 1e-6


# ---- bone, written anew ----------------------------------------------------------------------------------------------
DAYS = np.linspace(0.0, 200.0, 20001)


def lowest(course, name):
    return float(course[name].min()), float(course.times[course[name].argmin()])


def highest(course, name):
    return float(course[name].max()), float(course.times[course[name].argmax()])


def test_one_cycle_of_bone_remodelling_has_the_published_numbers(gallery):
    system = remodelling_cycle()
    course, rest = system.solve(DAYS), system.steady_state()
    clasts, blasts, bone = lowest(course, "x1"), highest(course, "x2"), lowest(course, "z")
    text = (
        f"Komarova 2003, from the publication. At rest {rest['x1']:.4f} osteoclasts and {rest['x2']:.2f} osteoblasts (should "
        f"be 1.0607, 212.13); fewest osteoclasts {clasts[0]:.4f} on day {clasts[1]:.1f} (0.7293, day 42); most osteoblasts "
        f"{blasts[0]:.1f} on day {blasts[1]:.1f} (395.8, day 14.1). "
        f"Bone falls to {bone[0]:.1f} % and returns to {course['z'][-1]:.1f} %."
    )
    with gallery("bone-komarova", title="One cycle of bone remodelling", text=text, panels=2) as axes:
        axes[0].plot(DAYS, course["x1"], label="osteoclasts")
        axes[0].plot(DAYS, course["x2"] / 100.0, label="osteoblasts / 100")
        axes[0].set(xlabel="day", ylabel="cells")
        axes[0].legend()
        axes[1].plot(DAYS, course["z"])
        axes[1].set(xlabel="day", ylabel="bone mass, %")
        # Half a unit of the last digit that is published.
        assert rest["x1"] == pytest.approx(1.0607, abs=5e-5)
        assert rest["x2"] == pytest.approx(212.13, abs=5e-3)
        assert clasts[0] == pytest.approx(0.7293, abs=5e-5)
        assert clasts[1] == pytest.approx(42.0, abs=0.5)
        assert blasts == pytest.approx((395.8, 14.1), abs=0.05)
        assert course["z"][-1] == pytest.approx(100.0, abs=0.1)


def test_the_deposited_file_of_the_cycle_lets_bone_grow_without_resorption(gallery, reference):
    """In the file, resorption is switched on by an event whose condition already holds at the start, so it never happens."""
    system = deposited(reference, "Komarova 2003")
    course, ours = system.solve(DAYS), remodelling_cycle().solve(DAYS)
    same = max(apart(ours[name], course[name]) for name in ("x1", "x2"))
    top = highest(course, "z")[0]
    text = (
        f"BIOMD0000000148 with its four events: bone grows to {top:.2f} % (114.06 % elsewhere), because the event that "
        f"switches resorption on needs its condition to become true, and it is true from the start. The cells are those of the "
        f"model from the publication to {same:.0e}; its bone is drawn beside."
    )
    with gallery("bone-komarova-file", title="A deposited model with events", text=text) as axes:
        axes.plot(DAYS, course["z"], label="file")
        axes.plot(DAYS, ours["z"], label="publication")
        axes.set(xlabel="day", ylabel="bone mass, %")
        axes.legend()
        assert top == pytest.approx(114.06, abs=0.005)
        assert same < 1e-6  # both solved to 1e-8 per step
        assert course["flag_resorption"].max() == 0.0


def test_rank_rankl_and_opg_rest_where_published(gallery):
    system = bone_signalling()
    rest = system.steady_state()
    times = np.linspace(0.0, 140.0, 1401)
    rankl = system.solve(times, changes={"I_L": [(20.0, "10000 pM/day"), (80.0, 0.0)]})
    pth = system.solve(times, changes={"I_P": [(20.0, "1000 pM/day"), (80.0, 0.0)]})
    text = (
        f"Lemaire 2004 rests at R {1e3 * rest['R']:.4f}, B {1e3 * rest['B']:.4f}, C {1e3 * rest['C']:.4f} fM (should be .7734, "
        ".7283, .9128). RANKL or PTH, given from day 20 to 80, raise osteoclasts (C) more than active osteoblasts (B), and all "
        "fall back."
    )
    with gallery("bone-lemaire", title="RANK, RANKL and OPG", text=text, panels=2) as axes:
        for axis, course, title in ((axes[0], rankl, "RANKL given"), (axes[1], pth, "PTH given")):
            for name in ("R", "B", "C"):
                axis.plot(times, course[name] / rest[name], label=name)
            axis.set(xlabel="day", ylabel="times the level at rest", title=title)
        axes[0].legend()
        for name, value in (("R", 0.0007734), ("B", 0.0007283), ("C", 0.0009128)):
            assert rest[name] == pytest.approx(value, abs=5e-8)  # half of the last digit
        assert rest.stable
        for course in (rankl, pth):
            assert course["C"][800] / rest["C"] > course["B"][800] / rest["B"] > 1.0


def test_bone_with_and_without_myeloma_has_the_published_numbers(gallery):
    healthy = bone_cycle().solve(DAYS)
    blasts, bone = highest(healthy, "B"), lowest(healthy, "z")
    days = np.array([100.0, 500.0, 800.0, 1000.0])
    published = np.array([108.7, 96.98, 67.06, 35.69])
    times = np.unique([*np.linspace(0.0, 1198.0, 1199), *days])
    ill = myeloma_bone().solve(times)
    found = ill["z"][np.searchsorted(times, days)]
    with pytest.raises(NumericalError, match=r"'z' would fall below zero; .* at time 1198.79 day") as refusal:
        myeloma_bone().solve([0.0, 1300.0])
    text = (
        f"Ayati 2010. Healthy: most osteoblasts {blasts[0]:.1f} on day {blasts[1]:.1f} (396.9), least bone {bone[0]:.2f} % "
        f"on day {bone[1]:.1f} (89.79). With myeloma, bone on days 100, 500, 800, 1000: "
        + ", ".join(f"{value:.2f}" for value in found)
        + " % (108.7, 96.98, 67.06, 35.69). From day 1198.79 on the equations would give less than no bone, and the course is "
        "refused."
    )
    with gallery("bone-ayati", title="Bone remodelling with myeloma", text=text, panels=2) as axes:
        axes[0].plot(DAYS, healthy["C"] * 10.0, label="osteoclasts x 10")
        axes[0].plot(DAYS, healthy["B"], label="osteoblasts")
        axes[0].plot(DAYS, healthy["z"], label="bone, %")
        axes[0].set(xlabel="day", title="healthy")
        axes[0].legend()
        axes[1].plot(times, ill["C"] * 10.0, label="osteoclasts x 10", lw=0.8)
        axes[1].plot(times, ill["z"], label="bone, %")
        axes[1].plot(times, ill["T"], label="tumour, %")
        axes[1].plot(days, published, "ko", ms=4)
        axes[1].set(xlabel="day", title="myeloma")
        axes[1].legend()
        assert blasts[0] == pytest.approx(396.9, abs=0.05)
        assert bone[0] == pytest.approx(89.79, abs=0.005)
        # The days are published to the quarter, of curves that are flat there.
        assert blasts[1] == pytest.approx(13.75, abs=0.5)
        assert bone[1] == pytest.approx(12.5, abs=0.5)
        np.testing.assert_allclose(found, published, atol=0.05)
    assert "cell 0" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "build", "called"),
    [
        ("Lemaire 2004", bone_signalling, {}),
        ("Ayati 2010", bone_cycle, {}),
        ("Ayati 2010, myeloma", myeloma_bone, {"T": "Tumour"}),
    ],
)
def test_bone_written_anew_is_that_of_the_deposited_file(name, build, called, reference):
    times = np.linspace(0.0, 1190.0, 1191)
    file, ours = deposited(reference, name), build()
    theirs, course = file.solve(times, rtol=1e-10), ours.solve(times, rtol=1e-10)
    for state in ours.states:
        # The same equations in another order of their terms: 1e-10 per step, amplified where osteoclasts fall to 1e-8.
        assert apart(course[state], theirs[called.get(state, state)]) < 1e-6, state


# ---- mTOR, against another solver ------------------------------------------------------------------------------------
SPANS = {
    "Dalle Pezze 2012": (100.0, ("species_4", "species_10", "species_17")),
    "Varusai 2018": (600.0, ("pAkt", "pmTORC1", "pDEPTOR")),
}


def test_models_of_mtor_agree_with_another_solver(gallery, reference):
    pytest.importorskip("roadrunner")
    worst, courses = {}, {}
    for name, (span, _) in SPANS.items():
        system, times = deposited(reference, name), np.linspace(0.0, span, 1201)
        ours = system.solve(times)
        theirs = system.solve(times, engine="roadrunner", rtol=1e-11, atol=1e-14)
        worst[name] = max(apart(ours[state], theirs[state]) for state in system.states)
        courses[name] = (times, ours, theirs)
    text = (
        "Two models of mTOR signalling beside libRoadRunner (CVODE at 1e-11): largest relative difference of any state "
        + (", ".join(f"{error:.0e} ({name})" for name, error in worst.items()) + "; 1e-5 is allowed.")
    )
    with gallery("kinetics-mtor", title="Models of mTOR signalling", text=text, panels=2) as axes:
        for axis, (name, (times, ours, theirs)) in zip(axes, courses.items(), strict=True):
            for state in SPANS[name][1]:
                (line,) = axis.plot(times, ours[state], label=state)
                axis.plot(times[::60], theirs[state][::60], "o", ms=4, color=line.get_color())
            axis.set(xlabel="time", title=f"{name} (points: libRoadRunner)")
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=3, fontsize=8, handlelength=1.2)
        for name, error in worst.items():
            assert error < 1e-5, name


# ---- what tolerances are worth ---------------------------------------------------------------------------------------
def test_the_error_is_proportional_to_the_tolerance(gallery):
    times, tolerances = [0.0, 15.0], 10.0 ** -np.arange(3, 11)
    exact = predators().solve(times, rtol=1e-12, atol=1e-14)["x"][-1]
    errors = [abs(predators().solve(times, rtol=r, atol=1e-14)["x"][-1] / exact - 1.0) for r in tolerances]
    text = (
        "Prey after a cycle and a half of Lotka and Volterra, solved in one go: relative error from "
        f"{errors[0]:.0e} at a tolerance of 1e-3 per step to {errors[-1]:.0e} at 1e-10."
    )
    with gallery("kinetics-tolerance", title="What a tolerance is worth", text=text) as axes:
        axes.loglog(tolerances, errors, "o-")
        axes.loglog(tolerances, tolerances, ":", color="grey", label="equal")
        axes.set(xlabel="tolerance per step", ylabel="error at the end")
        axes.legend()
        # The number of steps falls with the fourth root of the tolerance, and phase errors add up over them: within a factor of
        # three of the tolerance, and so far off if steps were accepted that are not within it.
        assert all(
            tolerance / 10.0 < error < 3.0 * tolerance for error, tolerance in zip(errors, tolerances, strict=True)
        )
