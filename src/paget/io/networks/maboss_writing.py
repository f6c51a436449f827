"""Writing a network for MaBoSS: a BND text of its nodes and a CFG text of its rates and starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from paget.errors import ModelError, UnknownNameError
from paget.evidence import ParameterTable
from paget.io.networks.formulas import MABOSS, is_number, spelled
from paget.io.networks.maboss import MabossSettings
from paget.io.networks.opening import hours
from paget.signalling.expression import Expression, number, variable
from paget.signalling.network import Network, Node
from paget.units import to_internal

__all__ = ["write_maboss"]

_TAKEN = ("node", "not", "and", "or", "xor", "true", "false")  # in any case


def write_maboss(
    network: Network,
    settings: MabossSettings | None = None,
    *,
    time: str = "",
    outputs: Iterable[str] = (),
    parameters: ParameterTable | None = None,
) -> tuple[str, str]:
    """The texts (BND, CFG) of a network, with rates per `time`, or per the unit of the network.

    settings : how MaBoSS shall run it; what is None is left to its own defaults. outputs : nodes to be shown; all if none are
    named. parameters : the table that holds the rows that the network's quantities name. A node with levels becomes one on-off
    node for each level.

    Leaves out
        Genes, modules, sources, and what daughters inherit, for which MaBoSS has no place.

    Raises
    ------
    ModelError
        If a name is a word of the format.
    UnknownNameError
        For an output that is no node, or a quantity that is not in the table.
    UnitError
    """
    time = time or network.time
    hour = hours(time)
    per = to_internal(f"1 1/{network.time}", f"1/{time}")
    flat = network.expanded()
    values = network.values(parameters)
    shown = set(_shown(network, outputs))
    wrong = [
        f"node '{name}': MaBoSS reads this name as a word of its own" for name in flat.names if name.lower() in _TAKEN
    ]
    wrong += [f"the quantity '{key}' cannot be the name of a variable" for key in values if not _is_plain(key)]
    if wrong:
        raise ModelError(f"MaBoSS cannot read all of '{network.name}':", wrong)
    about = [network.name + (f": {network.title}" if network.title else ""), f"Rates are per {time}."]
    for node in network.nodes:
        if node.levels > 1:
            about.append(f"{node.name} has {node.levels} levels: {node.bits()[-1]} is on at the highest of them.")
    head = "".join(f"// {' '.join(line.split())}\n" for line in about)
    bnd = head + "".join("\n" + _node(node, flat, per, values) for node in flat.nodes)
    cfg = [head.rstrip("\n"), *(f"${key} = {_number(value)};" for key, value in values.items())]
    cfg += [_start(node) for node in flat.nodes]
    cfg += [f"{name}.is_internal = {int(name not in shown)};" for name in flat.names]
    cfg += _settings(settings or MabossSettings(), hour)
    return bnd, "\n".join(cfg) + "\n"


def _shown(network: Network, outputs: Iterable[str]) -> list[str]:
    """Names of the on-off nodes that are to be shown."""
    listed = tuple(outputs) or network.names
    bits = {bit for node in network.nodes for bit in node.bits()}
    found: list[str] = []
    for name in listed:
        if name not in network and name not in bits:
            raise UnknownNameError("node", name, network.names)
        found += network.node(name).bits() if name in network else (name,)
    return found


def _is_plain(key: str) -> bool:
    return key.isascii() and key.isidentifier()


def _node(node: Node, network: Network, per: float, values: Mapping[str, float]) -> str:
    lines = []
    if node.label:
        text = " ".join(node.label.split()).replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'description = "{text}";')
    if node.is_input:
        lines.append(f"logic = {node.name};" if node.formulas else "")
    else:
        up, down = (_scaled(one, per) for one in network.speeds_of(node))
        if node.formulas:
            lines.append(f"logic = {spelled(node.formulas[0], MABOSS, values)};")
            called, zero = variable("@logic"), number(0.0)
            up, down = Expression("if", (called, up, zero)), Expression("if", (called, zero, down))
        lines.append(f"rate_up = {spelled(up, MABOSS, values)};")
        lines.append(f"rate_down = {spelled(down, MABOSS, values)};")
    return f"node {node.name} {{\n" + "".join(f"  {line}\n" for line in lines if line) + "}\n"


def _scaled(speed: Expression | None, per: float) -> Expression:
    if speed is None:
        return number(0.0)
    if per == 1.0 or is_number(speed, 0.0):
        return speed
    return number(per * speed.value) if speed.op == "number" else Expression("*", (number(per), speed))


def _number(value: float) -> str:
    return spelled(number(value), MABOSS, {})


def _start(node: Node) -> str:
    if node.initial in (0.0, 1.0):
        return f"{node.name}.istate = {int(node.initial)};"
    return f"[{node.name}].istate = {_number(1.0 - node.initial)} [0], {_number(node.initial)} [1];"


def _settings(settings: MabossSettings, hour: float) -> list[str]:
    found = {
        "max_time": None if settings.max_time is None else settings.max_time / hour,
        "time_tick": None if settings.time_tick is None else settings.time_tick / hour,
        "sample_count": settings.sample_count,
        "seed_pseudorandom": settings.seed,
    }
    return [f"{key} = {_number(value)};" for key, value in found.items() if value is not None]
