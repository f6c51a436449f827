"""Commands on the networks inside cells: show, attractors, simulate, screen, diff."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paget.cli.terminal import grid, heading, remark, say
from paget.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

    from paget.signalling.network import Network

__all__ = ["app"]

app = typer.Typer(
    help="Look at the networks inside cells, and ask what they do.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK", help="A network of the catalogue, or a file: .bnd (with --cfg), .bnet, .sbml (SBML-qual)."
    ),
]
CfgOption = Annotated[
    list[Path] | None, typer.Option("--cfg", metavar="FILE", help="CFG file beside a BND file; may be repeated.")
]
TimeOption = Annotated[
    str, typer.Option("--time", metavar="UNIT", help="What the rates of a file are per; files do not say.")
]
HoldOption = Annotated[
    list[str] | None,
    typer.Option("--hold", metavar="NODE=LEVEL", help="Hold a node, such as p53=0; may be repeated or have commas."),
]
StartOption = Annotated[
    list[str] | None,
    typer.Option("--start", metavar="NODE=P", help="Probability of being on at the start (or level); may be repeated."),
]
PhenotypeOption = Annotated[
    list[str] | None,
    typer.Option("--phenotype", metavar="NAME=FORMULA", help="Name a state, such as 'dying=Apoptosis & !AKT1'."),
]
CellsOption = Annotated[int, typer.Option("--cells", metavar="N", help="How many cells are simulated.")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the random numbers.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV.")]


@app.command()
def show(
    network: NetworkArgument,
    cfg: CfgOption = None,
    time: TimeOption = "h",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show a network: its nodes with logic, rates and starts, and who influences whom."""
    from paget.signalling.expression import Expression, number, substitute

    opened, values = _opened(network, cfg, time)
    signs = {1: "activates", -1: "inhibits", 0: "either"}

    def known(part: Expression) -> Expression | None:
        return number(float(f"{values[part.name]:.4g}")) if part.op == "quantity" else None

    rows = []
    for node in opened.nodes:
        up, down = ("" if rate is None else str(substitute(rate, known)) for rate in opened.speeds_of(node))
        logic = "; ".join(str(substitute(one, known)) for one in node.formulas) or "by rates"
        rows.append((node.name, "input" if node.is_input else logic, up, down, node.initial))
    columns = ("node", "logic", f"up (1/{opened.time})", f"down (1/{opened.time})", "start")
    if as_json:
        edges = [
            {"source": e.source, "target": e.target, "effect": signs[e.sign], "evidence": e.evidence}
            for e in opened.edges
        ]
        nodes = [dict(zip(("node", "logic", "up", "down", "start"), row, strict=True)) for row in rows]
        about = {"name": opened.name, "time": opened.time, "inputs": opened.inputs, "nodes": nodes, "edges": edges}
        typer.echo(json.dumps(about, indent=2))
        return
    if as_csv:
        _write_csv(columns, rows)
        return
    say(f"{opened.name}: {opened.title}" if opened.title else opened.name, style="bold")
    say(f"{len(opened)} nodes, {len(opened.inputs)} of them inputs, {len(opened.edges)} influences")
    grid(columns, [tuple(map(_text, row)) for row in rows], right=("start",))


@app.command()
def attractors(
    network: NetworkArgument,
    cfg: CfgOption = None,
    time: TimeOption = "h",
    hold: HoldOption = None,
    phenotype: PhenotypeOption = None,
    most: Annotated[int, typer.Option(metavar="N", help="List at most so many.")] = 10_000,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Find all fixed points and complex attractors, over all values of inputs that are not held."""
    from paget.signalling.analysis import attractors as find

    opened, values = _opened(network, cfg, time)
    found = find(opened, _levels(hold, "--hold"), values=values, most=most)
    named = _named(phenotype)
    table = found.frame(named or None)
    if as_json:
        circling = [{"states": c.states, "low": dict(c.low), "high": dict(c.high)} for c in found.circling]
        typer.echo(json.dumps({"fixed points": _records(table), "complex attractors": circling}, indent=2))
        return
    if as_csv:
        _write_csv(list(table.columns), table.itertuples(index=False))
        if found.circling:
            remark(f"{len(found.circling)} complex attractors are not in the table; --json has them.")
        return
    say(f"{len(found.fixed)} fixed points, {len(found.circling)} complex attractors")
    rows = []
    for k, point in enumerate(found.fixed):
        on = [f"{n}={v}" if v > 1 else n for n, v in zip(found.nodes, point, strict=True) if v]
        rows.append((str(k + 1), *((str(table["phenotype"].iloc[k]),) if named else ()), ", ".join(on) or "none"))
    grid(("point", *(("phenotype",) if named else ()), "nodes that are on"), rows, right=("point",))
    for cycle in found.circling:
        heading(f"Complex attractor of {cycle.states:,} states")
        say(f"moving: {', '.join(cycle.moving)}")
        say(f"on: {', '.join(n for n in cycle.low if cycle.low[n] and n not in cycle.moving) or 'none'}")


@app.command()
def simulate(
    network: NetworkArgument,
    times: Annotated[str, typer.Option("--times", metavar="H,H,...", help="When to look, in hours.")],
    cfg: CfgOption = None,
    time: TimeOption = "h",
    hold: HoldOption = None,
    start: StartOption = None,
    inhibit: Annotated[
        list[str] | None, typer.Option(metavar="NODE=DOSE", help="Graded inhibitor, 0 to 1; may be repeated.")
    ] = None,
    activate: Annotated[
        list[str] | None, typer.Option(metavar="NODE=DOSE", help="Graded activator, 0 to 1; may be repeated.")
    ] = None,
    outputs: Annotated[
        str | None, typer.Option(metavar="NODE,...", help="Nodes whose joint states are counted, not single nodes.")
    ] = None,
    cells: CellsOption = 10_000,
    seed: SeedOption = 0,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the network as it is at the end (.svg, .png, .pdf).")
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Simulate a population of cells: share of cells in which each node is on, or in each joint state of outputs."""
    import pandas as pd

    from paget.signalling.analysis import state_probabilities
    from paget.signalling.population import simulate as run

    opened, values = _opened(network, cfg, time)
    given: dict[str, Any] = {
        "start": _levels(start, "--start"), "hold": _levels(hold, "--hold"), "inhibit": _levels(inhibit, "--inhibit"),
        "activate": _levels(activate, "--activate"), "values": values, "seed": seed,
    }  # fmt: skip
    ends = _times(times)
    if outputs is not None:
        if picture is not None:
            raise ModelError("--picture shows every node; leave --outputs out")
        found = state_probabilities(opened, ends, cells, outputs=_split(outputs), **given)
        table = found.frame().pivot(index="state", columns="time", values="probability").loc[list(found.states)]
        table.columns = [f"{t:g} h" for t in table.columns]
        table = table.reset_index()
    else:
        course = run(opened, ends, cells=cells, **given)
        table = pd.DataFrame(course.at.T, columns=[f"{t:g} h" for t in ends])
        table.insert(0, "node", list(course.nodes))
        if picture is not None:
            from paget.report.influence import draw_influence

            remark(f"Wrote {draw_influence(opened, picture, course, title=f'{opened.name} at {ends[-1]:g} h')}")
    _tell(table, as_json, as_csv)


@app.command()
def screen(
    network: NetworkArgument,
    readouts: Annotated[str, typer.Option("--readouts", metavar="NODE,...", help="Nodes that are read.")],
    time_read: Annotated[float, typer.Option("--at", metavar="H", help="When they are read, in hours.")],
    cfg: CfgOption = None,
    time: TimeOption = "h",
    phenotype: PhenotypeOption = None,
    nodes: Annotated[str | None, typer.Option(metavar="NODE,...", help="Nodes to perturb (if left out: all).")] = None,
    double: Annotated[bool, typer.Option("--double", help="Also every two at once, with their epistasis.")] = False,
    gain: Annotated[bool, typer.Option("--gain", help="Also gains of function.")] = False,
    hold: HoldOption = None,
    start: StartOption = None,
    cells: CellsOption = 10_000,
    seed: SeedOption = 0,
    workers: Annotated[int, typer.Option(metavar="N", help="Threads; the result is the same for any number.")] = 2,
    top: Annotated[int, typer.Option(metavar="N", help="Rows to show, the largest effects first; 0 for all.")] = 20,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Knock out every node in turn and compare with the wild type, cell by cell."""
    from paget.signalling.analysis import Perturbation, knock_outs

    opened, values = _opened(network, cfg, time)
    found = knock_outs(
        opened, {**{name: name for name in _split(readouts)}, **_named(phenotype)}, nodes=_split(nodes) if nodes else None,
        double=double, gain=gain, times=time_read, cells=cells, background=Perturbation(hold=_levels(hold, "--hold")),
        start=_levels(start, "--start"), values=values, seed=seed, workers=workers,
    )  # fmt: skip
    table = found.frame()
    if double:
        parts = [found.epistasis(readout).assign(readout=readout) for readout in found.readouts]
        for part in parts:
            keys = part.set_index("perturbation")["deviation"]
            rows = table["readout"] == part["readout"].iloc[0]
            table.loc[rows, "epistasis"] = table.loc[rows, "perturbation"].map(keys)
    table = table.sort_values("effect", key=abs, ascending=False, kind="stable")
    if as_json or as_csv:
        _tell(table, as_json, as_csv)
        return
    shown = table.head(top) if top > 0 else table
    columns = ("perturbation", "readout", "wild type", "perturbed", "effect (95 % CI)", "p (Holm)")
    grid((*columns, *(("epistasis",) if double else ())), [_effect(row) for row in shown.to_dict("records")])
    if len(shown) < len(table):
        say(f"{len(table) - len(shown)} more; --top 0 shows all.")


@app.command()
def diff(
    before: NetworkArgument,
    after: NetworkArgument,
    cfg: CfgOption = None,
    other_cfg: Annotated[
        list[Path] | None, typer.Option("--other-cfg", metavar="FILE", help="CFG file beside the second BND file.")
    ] = None,
    time: TimeOption = "h",
    as_json: JsonOption = False,
) -> None:
    """Tell what the second network does otherwise than the first: nodes, logic by truth table, rates, starts, influences."""
    from paget.signalling.analysis import diff as compare

    (first, one), (second, other) = _opened(before, cfg, time), _opened(after, other_cfg, time)
    found = compare(first, second, values=(one, other))
    if as_json:
        typer.echo(
            json.dumps({"before": found.before, "after": found.after, "differences": list(found.lines())}, indent=2)
        )
        return
    say(str(found))


# ---- what is given ---------------------------------------------------------------------------------------------------------
def _opened(given: str, cfg: Sequence[Path] | None, time: str) -> tuple[Network, dict[str, float]]:
    """The network that a user means, and the values of its quantities."""
    suffix = Path(given).suffix.lower()
    if cfg and suffix != ".bnd":
        raise ModelError(f"--cfg goes with a .bnd file, not with '{given}'")
    if suffix == ".bnd":
        from paget.io.networks import read_maboss

        beside = Path(given).with_suffix(".cfg")
        files = list(cfg) if cfg else [beside] if beside.exists() else []
        opened = read_maboss(given, files, time=time).network
        return opened, opened.values()
    if suffix in (".bnet", ".sbml", ".xml"):
        from paget.io.networks import read_bnet, read_sbml_qual
        from paget.process import quantity

        remark(f"'{Path(given).name}' has no rates; every node takes 1/{time} both ways.")
        rate = quantity(f"1 1/{time}", reason="files of logic have no rates")
        opened = (read_bnet if suffix == ".bnet" else read_sbml_qual)(given, up=rate, down=rate, time=time)
        return opened, opened.values()
    if Path(given).exists() or "/" in given:
        raise ModelError(f"'{given}': a file of a network ends in .bnd, .bnet or .sbml")
    from paget.catalogue import networks

    opened = networks.network(given)
    return opened, opened.values()


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _levels(given: Sequence[str] | None, option: str) -> dict[str, float]:
    found = {}
    for part in (part for text in given or () for part in _split(text)):
        name, equals, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ModelError(f"{option} {part}: write NODE=NUMBER, such as p53=0")
    return found


def _named(given: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, equals, formula = text.partition("=")
        if not equals or not name.strip() or not formula.strip():
            raise ModelError(f"--phenotype {text}: write NAME=FORMULA, such as 'dying=Apoptosis & !AKT1'")
        found[name.strip()] = formula.strip()
    return found


def _times(text: str) -> list[float]:
    try:
        return [float(part) for part in _split(text)]
    except ValueError:
        raise ModelError(f"--times {text}: write hours with commas between, such as 6,24,72") from None


# ---- what is told ----------------------------------------------------------------------------------------------------------
def _tell(table: pd.DataFrame, as_json: bool, as_csv: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_records(table), indent=2))
    elif as_csv:
        _write_csv(list(table.columns), table.itertuples(index=False))
    else:
        columns = [str(name) for name in table.columns]
        numbers = [name for name in columns if table[name].dtype.kind in "if"]
        rows = [tuple(map(_text, row)) for row in table.itertuples(index=False)]
        grid(columns, rows, right=numbers)


def _effect(row: Mapping[Any, Any]) -> tuple[str, ...]:
    from paget.compare.wording import p_in_words

    effect = f"{row['effect']:+.3f} ({row['low']:.3f} to {row['high']:.3f})"
    shares = (f"{row[key]:.3f}" for key in ("wild_type", "value"))
    told = (
        str(row["perturbation"]),
        str(row["readout"]),
        *shares,
        effect,
        p_in_words(row["p_holm"]).removeprefix("= "),
    )
    return (*told, _text(row["epistasis"])) if "epistasis" in row else told


def _records(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(table.to_json(orient="records"))
    return found


def _write_csv(columns: Sequence[str], rows: Any) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    typer.echo(text.getvalue(), nl=False)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.4g}"
    return str(value)
