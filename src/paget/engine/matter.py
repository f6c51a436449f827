"""The substances of a tissue over one tick: what processes ask of a field becomes one equation, which is solved and booked."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from paget.access import Ledgers, World
from paget.engine import transport
from paget.errors import LedgerError, NumericalError
from paget.model import Model

__all__ = ["Matter", "contributors"]

Real = NDArray[np.float64]

FIELD_RESIDUAL = 1e-6  # relative residual to which a field is solved: a thousandth of the 0.1 % that is wanted
SIDE_BY_SIDE = 50_000  # voxels from which it pays to give every field a thread
FIELD_BALANCE = 1e-4  # relative imbalance of a field in one tick that its residual can explain


def contributors(model: Model, name: str) -> str:
    """Name the processes that act on a variable, for messages."""
    roles = [p.role for p in model.ordered if name in p.adds]
    return f"Processes that act on it: {', '.join(roles) or 'none'}."


class Matter:
    """Advances the fields of one animal.

    flows : of each diffusing field, what was supplied by sources, lost, and entered through walls and held voxels since the
    start, and what is `bound` since, in the unit of the field times pL: its change is supplied - lost + entered - bound. Of
    supply less loss, what was `exchanged` with reservoirs such as plasma.
    """

    def __init__(self, model: Model, world: World, ledgers: Ledgers) -> None:
        self.model, self.world, self.ledgers = model, world, ledgers
        self.diffusion = {
            name: model.value_of(number, "um**2/h", world.chance.draw) for name, number in model.diffusion.items()
        }
        self.mobile = tuple(n for n in model.fields if n in self.diffusion)
        self.fixed = tuple(n for n in model.fields if n not in self.diffusion)
        self.flows: dict[str, dict[str, float]] = {}
        self.workspaces: dict[str, transport.Workspace] = {}

    def advance(self) -> None:
        """Advance all fields by one tick by what the processes added to them, and keep their books.

        Raises
        ------
        LedgerError, NumericalError
            Naming the field, the tick and the processes that act on it.
        """
        ledger, world = self.ledgers, self.world
        for binding in ledger.bindings:
            self._bind(*binding)
        plain: list[transport.Diffusing] = []
        others: list[transport.Diffusing] = []
        for name in self.mobile:
            field = self._described(name)
            if field is None:
                continue
            (plain if field.linear and not field.faces else others).append(field)
        if plain:
            grid = self.model.grid
            found = transport.advance_diffusing(plain, grid, world.dt, world.threads)
            for field, after in zip(plain, found, strict=True):
                self._balance_plain(field, after)
                world.fields[field.name][...] = after
        for field, advanced in zip(others, self._solved(others), strict=True):
            self._settle(field, advanced)
        changed = {n: world.fields[n] for n in self.fixed}
        for name, result in transport.advance_immobile(
            changed, ledger.field_source, ledger.field_loss, ledger.transfers, world.dt
        ).items():
            world.fields[name][...] = result
        # Half of the binding before transport and half after it, which is second-order in the tick.
        for binding in reversed(ledger.bindings):
            self._bind(*binding)
        for gathered in (
            ledger.field_source,
            ledger.field_loss,
            ledger.field_saturable,
            ledger.field_held,
            ledger.field_exchange,
            ledger.field_faces,
            ledger.transfers,
            ledger.bindings,
        ):
            gathered.clear()

    def _described(self, name: str) -> transport.Diffusing | None:
        """All that drives a field in this tick, or None if there is nothing of it and nothing adds to it."""
        ledger, values = self.ledgers, self.world.fields[name]
        source, held, faces = ledger.field_source.get(name), ledger.field_held.get(name), ledger.field_faces.get(name)
        if held is None and faces is None and not (source is not None and source.any()) and not values.any():
            return None
        mask: transport.Held | None = None
        if held:
            where, level = np.zeros(values.shape, bool), np.zeros(values.shape)
            for one, given in held:
                where |= one
                level[one] = given
            mask = transport.Held(where, level)
        return transport.Diffusing(
            name,
            values,
            self.diffusion[name],
            np.zeros_like(values) if source is None else source,
            ledger.field_loss.get(name, 0.0),
            held=mask,
            faces={
                face: transport.Inflow(value) if kind == "inflow" else transport.Fixed(value, at)
                for face, (kind, value, at) in (faces or {}).items()
            },
            shares=tuple(rate for rate, _, _ in ledger.field_exchange.get(name, ())),
            saturable=tuple(transport.Saturable(most, half) for most, half in ledger.field_saturable.get(name, ())),
        )

    def _solved(self, fields: list[transport.Diffusing]) -> list[transport.Advanced]:
        """Solve the equation of each field; large ones side by side, each by one thread."""
        world, grid = self.world, self.model.grid
        side_by_side = len(fields) > 1 and world.threads > 1 and math.prod(grid.shape) >= SIDE_BY_SIDE

        def solve(field: transport.Diffusing) -> transport.Advanced:
            try:
                return transport.advance(
                    field,
                    grid,
                    world.dt,
                    tolerance=FIELD_RESIDUAL,
                    threads=1 if side_by_side else world.threads,
                    workspace=self.workspaces.setdefault(field.name if side_by_side else "", transport.Workspace()),
                )
            except NumericalError as problem:
                where = f"At {world.time:g} h (tick {world.tick})"
                raise NumericalError(f"{where}: {problem} {contributors(self.model, field.name)}") from None

        if not side_by_side:
            return [solve(field) for field in fields]
        with ThreadPoolExecutor(world.threads) as pool:
            return list(pool.map(solve, fields))

    def _settle(self, field: transport.Diffusing, found: transport.Advanced) -> None:
        world, grid = self.world, self.model.grid
        change = float((found.values - field.values).sum()) * grid.voxel_volume
        share = self._balance(field.name, change, found.supplied, found.lost, found.entered, found.values)
        world.fields[field.name][...] = found.values
        exchanges = self.ledgers.field_exchange.get(field.name, ())
        for (rate, level, account), taken in zip(exchanges, found.shares, strict=True):
            given = float(rate.sum()) * level * world.dt * grid.voxel_volume - taken * share
            self.flows[field.name]["exchanged"] += given
            if account:
                self.ledgers.body_source[account] = self.ledgers.body_source.get(account, 0.0) - given / world.dt

    def _balance_plain(self, field: transport.Diffusing, after: Real) -> None:
        """What a field with one loss everywhere and closed walls must hold: it decays like a single voxel."""
        kept, gained = transport.decay_and_gain(float(field.uniform or 0.0), self.world.dt)
        volume = self.model.grid.voxel_volume
        before, source = float(field.values.sum()) * volume, float(field.source.sum()) * volume
        supplied = source * self.world.dt
        lost = supplied + before - (before * kept + source * gained)
        self._balance(field.name, float(after.sum()) * volume - before, supplied, lost, 0.0, after)

    def _bind(self, free: str, bound: str, capacity: Real | float, on: float, off: float) -> None:
        """Half a tick of binding to sites and release from them."""
        fields = self.world.fields
        held = np.minimum(fields[bound], capacity)  # what has lost its site is free
        binding = transport.Binding(capacity, on, off)
        try:
            left, held = transport.bind(free, fields[free] + (fields[bound] - held), held, binding, 0.5 * self.world.dt)
        except NumericalError as problem:
            raise NumericalError(f"At {self.world.time:g} h (tick {self.world.tick}): {problem}") from None
        change = float((held - fields[bound]).sum()) * self.model.grid.voxel_volume
        self._book(free)["bound"] += change
        fields[free][...], fields[bound][...] = left, held

    def _book(self, name: str) -> dict[str, float]:
        return self.flows.setdefault(name, dict.fromkeys(("supplied", "lost", "entered", "exchanged", "bound"), 0.0))

    def _balance(self, name: str, change: float, supplied: float, lost: float, entered: float, after: Real) -> float:
        """Keep the books of a field, and refuse a tick in which material appeared or vanished.

        What the residual of the solver leaves between the two sides is booked as lost: by this factor, which is returned, all
        that take from the field took more or less.
        """
        held = float(np.abs(after).sum()) * self.model.grid.voxel_volume
        scale = max(abs(supplied), abs(lost), abs(entered), held, 1e-300)
        if not abs(change - (supplied - lost + entered)) <= FIELD_BALANCE * scale:
            raise LedgerError(
                f"At {self.world.time:g} h (tick {self.world.tick}) the amount of '{name}' changed by {change:g}, but supply, "
                f"loss and flow through the walls add up to {supplied - lost + entered:g}. {contributors(self.model, name)}"
            )
        closed = supplied + entered - change
        for entry, amount in (("supplied", supplied), ("lost", closed), ("entered", entered)):
            self._book(name)[entry] += amount
        return closed / lost if abs(lost) > 1e-12 * scale else 1.0
