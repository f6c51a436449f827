"""Commands that plan studies and read sweeps: power, dose-response, synergy, sensitivity."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from paget.cli.results import FolderArgument
from paget.cli.terminal import grid, heading, say
from paget.errors import ResultError, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from paget.design import Detectable, Estimate, PowerCurve, Scenario
    from paget.design.scenario import Kind
    from paget.report.plotting import Panel

__all__ = ["dose_response", "power", "sensitivity", "synergy"]

ReadoutOption = Annotated[
    str, typer.Option("--readout", metavar="NAME", help="What is read out; see paget show STUDY.")
]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the table to this new file.")]
SvgOption = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw the figure into this new file.")]
PdfOption = Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Draw the figure into this new file.")]
_KINDS = ("continuous", "count", "fraction", "time")


def power(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder of a pilot study; without it give the numbers.")
    ] = None,
    readout: Annotated[str | None, typer.Option(metavar="NAME", help="Readout of the pilot study.")] = None,
    arm: Annotated[str | None, typer.Option(metavar="ARM", help="Arm of the pilot study.")] = None,
    versus: Annotated[str | None, typer.Option(metavar="ARM", help="Its control, if another than the study's.")] = None,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Kind of readout: continuous, count, fraction or time.")
    ] = "continuous",
    control: Annotated[float | None, typer.Option(help="Mean of the control (median time in days).")] = None,
    treated: Annotated[float | None, typer.Option(help="Mean under treatment (median time in days).")] = None,
    sd: Annotated[float, typer.Option(help="Standard deviation between animals.")] = 0.0,
    dispersion: Annotated[
        float, typer.Option(help="Dispersion of counts: variance = mean + dispersion x mean^2.")
    ] = 0.0,
    correlation: Annotated[
        float | None, typer.Option(help="Correlation of the two arms of one animal; without it, different animals.")
    ] = None,
    follow_up: Annotated[
        float, typer.Option(metavar="DAYS", help="How long animals are followed, for times.")
    ] = math.inf,
    animals: Annotated[
        int, typer.Option(metavar="N", help="Animals per arm of which to tell what they can show.")
    ] = 10,
    target: Annotated[float, typer.Option(help="The power that is wanted.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Level of the two-sided test.")] = 0.05,
    studies: Annotated[int, typer.Option(metavar="N", help="Studies simulated for each number of animals.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the simulated animals.")] = 1,
    csv: CsvOption = None,
    svg: SvgOption = None,
    pdf: PdfOption = None,
) -> None:
    """Tell how many animals a study needs, and what a study of so many animals can show.

    Effect and spread come from a pilot study (DIR, --readout, --arm) or from numbers (--kind, --control, --treated, --sd).
    Studies are simulated and tested by the default test of the kind of readout.
    """
    from paget.design import power_curve, smallest_effect

    _new(csv, svg, pdf)
    scenarios = (
        _of_pilot(folder, readout, arm, versus)
        if folder is not None
        else _of_numbers(kind, control, treated, sd, dispersion, correlation, follow_up)
    )
    curves, shown = {}, {}
    for name, scenario in scenarios.items():
        curves[name] = power_curve(scenario, target=target, studies=studies, alpha=alpha, seed=seed)
        shown[name] = smallest_effect(scenario, animals, target=target, studies=studies, alpha=alpha, seed=seed)
    _tell_power(curves, shown, animals)
    if csv is not None:
        import pandas as pd

        tables = [curve.table().assign(animals_are=name) for name, curve in curves.items()]
        _write(csv, pd.concat(tables, ignore_index=True))
    if svg is not None or pdf is not None:
        from paget.report.design_panels import power_panel

        _draw([power_panel(curves)], svg, pdf)


def _of_pilot(folder: Path, readout: str | None, arm: str | None, versus: str | None) -> dict[str, Scenario]:
    """The same animals in both arms, as virtual ones can be, and different ones, as in a wet laboratory."""
    from paget.design import from_result
    from paget.results import Result

    if readout is None or arm is None:
        raise StudyError("A pilot study needs --readout and --arm: what is compared, and which arm with its control.")
    result = Result.open(folder)
    return {
        "the same": from_result(result, readout, arm, versus, paired=True),
        "different": from_result(result, readout, arm, versus, paired=False),
    }


def _of_numbers(
    kind: str,
    control: float | None,
    treated: float | None,
    sd: float,
    dispersion: float,
    correlation: float | None,
    follow_up: float,
) -> dict[str, Scenario]:
    from paget.design import plan
    from paget.errors import nearest

    problems = [] if kind in _KINDS else [f"--kind {kind}: unknown kind of readout. {nearest(kind, _KINDS)}"]
    problems += [f"{name} is missing" for name, v in (("--control", control), ("--treated", treated)) if v is None]
    if problems:
        raise StudyError("The power cannot be found (give a folder with --readout and --arm, or numbers):", problems)
    assert control is not None
    assert treated is not None
    scenario = plan(
        cast("Kind", kind), control, treated, sd=sd, dispersion=dispersion, correlation=correlation, follow_up=follow_up
    )
    return {"different" if correlation is None else "the same": scenario}


def _tell_power(curves: dict[str, PowerCurve], shown: dict[str, Detectable], animals: int) -> None:
    columns = ("animals per arm", *(f"power, {name} animals" for name in curves))
    numbers = sorted({point.animals for curve in curves.values() for point in curve.points})
    found = {name: {point.animals: point for point in curve.points} for name, curve in curves.items()}
    heading("Power")
    rows = []
    for number in numbers:
        points = [found[name].get(number) for name in curves]
        told = ["" if p is None else f"{p.power:.1%} ({p.low:.1%} to {p.high:.1%})".replace("%", " %") for p in points]
        rows.append((str(number), *told))
    grid(columns, rows, right=columns)
    for name, curve in curves.items():
        heading(f"{name.capitalize()} animals in both arms")
        say(curve.sentence())
        say(shown[name].sentence())
    basis = next(iter(curves.values())).scenario.basis
    if basis != "given":
        say()
        say(f"Effect and spread are those of {basis}; of few animals they are themselves uncertain.")


def dose_response(
    folder: FolderArgument,
    drug: Annotated[str, typer.Option(metavar="NAME", help="The drug whose dose differs between arms.")],
    readout: ReadoutOption,
    e0: Annotated[float | None, typer.Option(help="Response without drug, where it is known.")] = None,
    emax: Annotated[float | None, typer.Option(help="Response at saturation, where it is known.")] = None,
    hill: Annotated[float | None, typer.Option(help="Hill coefficient, where it is known.")] = None,
    csv: CsvOption = None,
    svg: SvgOption = None,
    pdf: PdfOption = None,
) -> None:
    """Fit a Hill curve to the arms of a result that differ in the dose of a drug."""
    from paget import design
    from paget.results import Result

    _new(csv, svg, pdf)
    known = design.Constraints(e0, emax, hill)
    found = design.dose_response(Result.open(folder), drug, readout, known=known)
    heading(f"{found.title} over the dose of {drug}")
    unit = f" ({found.unit})" if found.unit else ""
    columns = ("dose (mg/kg)", "animals", f"mean{unit}", "SD")
    rows = zip(found.doses, found.n, found.means, found.sds, strict=True)
    grid(columns, [(f"{d:g}", str(n), f"{mean:.4g}", f"{s:.3g}") for d, n, mean, s in rows], right=columns)
    estimates = (("EC50 (mg/kg)", found.ec50), ("Hill coefficient", found.hill))
    levels = ((f"without drug{unit}", found.e0), (f"at saturation{unit}", found.emax))
    if found.identified:
        rows_of = [(name, *_limits(value)) for name, value in (*estimates, *levels) if value is not None]
        grid(("", "estimate", "95 % low", "95 % high"), rows_of, right=("estimate", "95 % low", "95 % high"))
    say(found.sentence())
    if found.lack_of_fit_p is not None and found.lack_of_fit_p < 0.05:
        say(f"The means do not lie on a Hill curve (lack of fit, p {found.lack_of_fit_p:.2g}); look at the figure.")
    _out(found.table(), csv, svg, pdf, lambda panels: [panels.dose_response_panel(found)])


def synergy(
    folder: FolderArgument,
    drugs: Annotated[str, typer.Option(metavar="A,B", help="The two drugs of the checkerboard.")],
    readout: ReadoutOption,
    csv: CsvOption = None,
    svg: SvgOption = None,
    pdf: PdfOption = None,
) -> None:
    """Judge a checkerboard of two drugs by Bliss' and by Loewe's rule."""
    from paget import design
    from paget.results import Result

    _new(csv, svg, pdf)
    names = [name.strip() for name in drugs.split(",") if name.strip()]
    if len(names) != 2:
        raise StudyError(f"--drugs {drugs}: two drugs are needed, with a comma between them.")
    found = design.synergy(Result.open(folder), names[0], names[1], readout)
    heading(f"{found.title}, {names[0]} with {names[1]}")
    columns = (*(f"{name} (mg/kg)" for name in names), "affected", "Bliss excess", "Loewe excess", "combination index")
    rows = [
        (
            *(f"{dose:g}" for dose in well.doses),
            _share(well.effect, ""),
            _share(well.bliss, "+"),
            _share(well.loewe, "+"),
            "" if well.index is None else f"{well.index.value:.2f} ({well.index.low:.2f} to {well.index.high:.2f})",
        )
        for well in found.wells
    ]
    grid(columns, rows, right=columns)
    for single in found.singles:
        curve = f"EC50 {single.ec50:.3g} mg/kg, Hill coefficient {single.hill:.2g}, at most {100 * single.emax:.0f} %"
        say(f"{single.drug} alone: {curve if single.active else 'no trend over its doses'}")
    say(found.sentence())
    _out(found.table(), csv, svg, pdf, lambda panels: panels.synergy_panels(found))


def sensitivity(
    folder: FolderArgument,
    readout: ReadoutOption,
    csv: CsvOption = None,
    svg: SvgOption = None,
    pdf: PdfOption = None,
) -> None:
    """Rank the parameters and doses of a sweep by their influence on a readout."""
    from paget import design
    from paget.compare.wording import p_in_words
    from paget.results import Result

    _new(csv, svg, pdf)
    found = design.sensitivity(Result.open(folder), readout)
    heading(f"What moves {found.title}")
    columns = ("swept", "from", "to", "unit", "PRCC (95 % CI)", "p (Holm)", "variance alone", "with interactions")
    rows = [
        (
            i.name,
            f"{i.low:g}",
            f"{i.high:g}",
            i.unit,
            f"{i.prcc:+.2f} ({i.prcc_low:+.2f} to {i.prcc_high:+.2f})",
            p_in_words(i.p_adjusted).removeprefix("= "),
            "" if i.first is None else f"{100 * i.first:.0f} %",
            "" if i.total is None else f"{100 * i.total:.0f} %",
        )
        for i in found.influences
    ]
    grid(columns, rows, right=("from", "to", "PRCC (95 % CI)", "p (Holm)", "variance alone", "with interactions"))
    say(found.sentence())
    _out(found.table(), csv, svg, pdf, lambda panels: [panels.sensitivity_panel(found)])


def _limits(found: Estimate) -> tuple[str, str, str]:
    """A number and its limits; one beyond the doses is told as such."""
    low = "-" if found.low in (0.0, -math.inf) else f"{found.low:.3g}"
    return f"{found.value:.3g}", low, "-" if found.high == math.inf else f"{found.high:.3g}"


def _share(found: Estimate | None, sign: str) -> str:
    if found is None:
        return ""
    low, high = f"{100 * found.low:{sign}.1f}", f"{100 * found.high:{sign}.1f}"
    return f"{100 * found.value:{sign}.1f} % ({low} to {high})"


# ---- files --------------------------------------------------------------------------------------------------------


def _new(*files: Path | None) -> None:
    """Refuse files that exist before anything is computed; nothing is overwritten."""
    for file in files:
        if file is not None and file.exists():
            raise ResultError(f"'{file}' exists already; it is left as it is. Choose another name.")


def _out(
    table: pd.DataFrame,
    csv: Path | None,
    svg: Path | None,
    pdf: Path | None,
    panels: Callable[[Any], Sequence[Panel]],
) -> None:
    if csv is not None:
        _write(csv, table)
    if svg is not None or pdf is not None:
        from paget.report import design_panels

        _draw(panels(design_panels), svg, pdf)


def _write(file: Path, table: pd.DataFrame) -> None:
    with file.open("x", encoding="utf-8", newline="") as target:
        table.to_csv(target, index=False, lineterminator="\n")
    say(f"Table: {file}")


def _draw(panels: Sequence[Panel], svg: Path | None, pdf: Path | None) -> None:
    from paget.report.publication import publish_panels

    files = [file for file in (svg, pdf) if file is not None]
    for file, ending in ((svg, ".svg"), (pdf, ".pdf")):
        if file is not None and file.suffix.lower() != ending:
            raise StudyError(f"'{file}': a file for --{ending[1:]} ends in {ending}.")
    publish_panels(panels, files)
    for file in files:
        say(f"Figure: {file}")
