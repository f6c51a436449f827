"""One tissue at a time, at your own pace: run, look, save, go on, branch.

simulation = tissue.simulation(seed=1)
simulation.run("24 h")
simulation.save("day1.npz")
treated = simulation.branch(model.without("attack"))
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paget.engine.checkpoint import restore, state_of
from paget.engine.tick import Stepper
from paget.engine.world import found
from paget.errors import NumericalError, ResultError, StorageFullError, UnknownNameError
from paget.model import Model
from paget.units import to_internal
from paget.version import __version__

__all__ = ["Simulation"]

FORMAT = 1


class Simulation:
    """A model in time, from its founders.

    seed, animal : the key of all its random numbers. tick : length of a step. threads : how many the kernels may use, which
    changes no bit of the result.

    Raises
    ------
    ModelError, NumericalError
    """

    def __init__(self, model: Model, *, seed: int = 0, tick: str | float = "6 min", animal: int = 0, threads: int = 2):
        self.model, self.seed, self.animal, self.threads = model, seed, animal, threads
        self.dt = tick if isinstance(tick, float) else to_internal(tick, "h")
        if not self.dt > 0.0:
            raise NumericalError(f"the tick must be longer than 0 h, not {self.dt:g} h")
        self._begin()
        self._good: dict[str, NDArray[Any]] | None = None

    def _begin(self) -> None:
        self.world = found(self.model, self.seed, self.animal, self.dt)
        self.world.threads = self.threads
        self.stepper = Stepper(self.model, self.world)

    # ---- time -----------------------------------------------------------------------------------------------------
    @property
    def time(self) -> float:
        """Time since the start in h."""
        return self.world.time

    def step(self) -> None:
        """Advance by one tick."""
        self.stepper.step()

    def run(self, duration: str | float, *, watch: Callable[[Simulation], None] | None = None) -> Simulation:
        """Advance by whole ticks, at least `duration`; `watch` is called after each.

        Raises
        ------
        NumericalError
            If a step fails; the state before this call is kept, and `recover` returns to it.
        """
        hours = duration if isinstance(duration, float) else to_internal(duration, "h")
        self._good = self.state()
        for _ in range(round(np.ceil(hours / self.dt - 1e-9))):
            self.step()
            if watch is not None:
                watch(self)
        return self

    def recover(self) -> Simulation:
        """Return to the state before the last `run`."""
        if self._good is None:
            raise ResultError("nothing was run yet, so there is no state to return to")
        self._begin()
        restore(self.stepper, self._good)
        return self

    # ---- look -----------------------------------------------------------------------------------------------------
    @property
    def cells(self) -> pd.DataFrame:
        """All cells in ascending order of id: id, type by name, and every variable under its noun."""
        cells = self.world.cells
        order = cells.order
        codes: Any = cells.column("cell.type")[order]
        kinds = pd.Categorical.from_codes(codes, categories=pd.Index(self.model.cell_types))
        columns: dict[str, Any] = {"id": cells.ids[order], "type": kinds}
        for variable in cells.variables:
            if variable.name.startswith("cell.") and variable.name != "cell.type":
                columns[variable.noun] = cells.column(variable.name)[order]
        return pd.DataFrame(columns)

    def field(self, name: str) -> NDArray[np.float64]:
        """Values [nz, ny, nx] of a field, as a copy."""
        if name not in self.world.fields:
            raise UnknownNameError("field", name, self.world.fields.names)
        return self.world.fields[name].copy()

    def events(self) -> pd.DataFrame:
        """The structural events since the last call: time (h), event, id of the cell and of the other, type, position."""
        taken = self.stepper.events.take()
        if taken is None:
            return pd.DataFrame({name: [] for name in ("time", "event", "cell", "other", "type", "x", "y", "z")})
        kinds = np.array(self.model.event_kinds)
        names = np.array(self.model.cell_types)
        table = pd.DataFrame({**taken, "event": kinds[taken["kind"]], "type": names[taken["type"]]})
        return table[["time", "event", "cell", "other", "type", "x", "y", "z"]]

    @property
    def ledger(self) -> dict[str, int]:
        """Cells at the start, born, arrived, dead and gone; it balances at every tick."""
        return {name: int(self.stepper.tally[name]) for name in ("present", "born", "arrived", "died", "left")}

    @property
    def flows(self) -> dict[str, dict[str, float]]:
        """Of each diffusing field, in its unit times pL, what was supplied, lost, entered through walls, and is bound: it
        changed by supplied - lost + entered - bound. Of supply less loss, what was exchanged with the blood.
        """
        return {name: dict(book) for name, book in self.stepper.matter.flows.items()}

    def fingerprint(self) -> str:
        """One hash over cells and fields: equal for equal states, whatever the threads, the memory or the history of stops."""
        digest = hashlib.blake2b(digest_size=16)
        for name, value in sorted(self.state().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    # ---- keep -----------------------------------------------------------------------------------------------------
    def state(self) -> dict[str, NDArray[Any]]:
        """The exact state as arrays, which no later step changes."""
        return state_of(self.stepper)

    def _about(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "paget": __version__,
            "model": self.model.name,
            "mechanisms": _mechanisms(self.model),
            "seed": self.seed,
            "animal": self.animal,
            "tick_h": self.dt,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the exact state to one file, beside its place and then in one move.

        Raises
        ------
        StorageFullError
        """
        target = Path(path)
        beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as file:
                kept: dict[str, Any] = {**self.state(), "about": np.array(json.dumps(self._about()))}
                np.savez_compressed(file, **kept)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise StorageFullError(f"cannot write the state to {target}: {problem.strerror or problem}") from problem
        return target

    @classmethod
    def resume(cls, path: str | os.PathLike[str], model: Model, *, threads: int = 2) -> Simulation:
        """Go on from a saved state, bit for bit as if it had never stopped.

        Raises
        ------
        ResultError
            If the file is not such a state, or belongs to another model (use `branch` to change a model on the way).
        """
        state, about = _read(Path(path))
        if about["mechanisms"] != _mechanisms(model):
            raise ResultError(
                f"{path} was saved from a model '{about['model']}' with other mechanisms or numbers; resume it with that "
                "model, and then branch to the new one"
            )
        simulation = cls(
            model, seed=about["seed"], animal=about["animal"], tick=float(about["tick_h"]), threads=threads
        )
        restore(simulation.stepper, state)
        return simulation

    def branch(self, model: Model | None = None, *, seed: int | None = None) -> Simulation:
        """Start another run from the present state: the same future, or one with another model or other chance."""
        other = Simulation(
            model or self.model,
            seed=self.seed if seed is None else seed,
            animal=self.animal,
            tick=self.dt,
            threads=self.threads,
        )
        restore(other.stepper, self.state(), leave_out=True)
        return other


def _mechanisms(model: Model) -> str:
    """What decides how a model goes on: its processes with their numbers, and the numbers of its fields."""
    text = json.dumps(
        {
            "processes": {role: repr(process) for role, process in sorted(model.processes.items())},
            "numbers": {key: row.value for key, row in sorted(model.numbers_used().items())},
            "grid": repr(model.grid),
            "types": list(model.cell_types),
        },
        sort_keys=True,
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _read(path: Path) -> tuple[Mapping[str, NDArray[Any]], dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            state = dict(file)
        about = json.loads(str(state.pop("about")))
    except FileNotFoundError as problem:
        raise ResultError(f"there is no file {path}") from problem
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise ResultError(f"{path} is not a saved state of paget, or it is damaged ({problem})") from problem
    if about.get("format") != FORMAT:
        raise ResultError(f"{path} has the format {about.get('format')}; this version of paget reads {FORMAT}")
    return state, about
