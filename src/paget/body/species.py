"""What moves between plasma, marrow and organs: species with their transfers, losses, production and renewal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from paget.body.values import Number

__all__ = ["Clearance", "Compartment", "Kind", "Production", "Renewal", "Response", "Species", "Transfer"]

Kind = Literal["factor", "particles", "cells"]

AMOUNT: dict[Kind, str] = {"factor": "pmol", "particles": "", "cells": "cell"}
LEVEL: dict[Kind, str] = {"factor": "nM", "particles": "1/mL", "cells": "cell/mL"}


@dataclass(frozen=True)
class Compartment:
    """A well-mixed part of the body: plasma, the marrow pool, or an organ by the name of its site.

    volume : over which an amount is spread, in mL
    """

    name: str
    volume: Number


@dataclass(frozen=True, kw_only=True)
class Response:
    """A level raises a rate: 1 + (fold - 1) S(level), or drives a production: S(level), S = L^n / (half^n + L^n).

    species, compartment : whose level; compartment "" is the one in which the rate or production is
    half : in the unit of that species' level; fold : of the rate at saturation, not used by a production
    scaled_by : name of a factor that scales the response, as a receptor that an antibody blocks
    """

    species: str
    half: Number
    hill: Number
    fold: Number | None = None
    compartment: str = ""
    scaled_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A species moves from one compartment to another at a rate constant (or half-life) of its own.

    share : multiplies the rate, as the share of vesicles that carry a receptor
    by_volume : the rate is per unit of volume ratio, target over source, so that a transfer and its return at the same rate
        settle at equal levels
    scaled_by : names of factors that multiply the rate; raised_by : levels that raise it, as they are when the tick begins
    """

    source: str
    target: str
    rate: Number
    share: Number | None = None
    by_volume: bool = False
    scaled_by: tuple[str, ...] = ()
    raised_by: tuple[Response, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """A species is degraded, filtered, or dies in a compartment, at a rate constant or with a half-life."""

    compartment: str
    rate: Number
    scaled_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Production:
    """A resident tissue makes a species, driven by any of several levels: most x volume x (1 - prod(1 - S_i)).

    most : at full drive, in the amount of the species per mL of tissue and hour
    """

    compartment: str
    most: Number
    driven_by: tuple[Response, ...]
    scaled_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A pool renews itself: births at rate N (1 - N / (density x volume)), none above that capacity.

    density : of the pool when it no longer divides, in the unit of the species' level
    """

    compartment: str
    rate: Number
    density: Number


@dataclass(frozen=True, kw_only=True)
class Species:
    """One kind of molecule, vesicle or cell that the compartments hold.

    kind : "factor" (amounts in pmol, levels in nM), "particles" (1, 1/mL) or "cells" (cell, cell/mL). A species with a renewal
    starts at the steady state of the healthy body, others at nothing: what is counted is what the tumour adds.
    """

    name: str
    title: str
    kind: Kind
    transfers: tuple[Transfer, ...] = ()
    clearances: tuple[Clearance, ...] = ()
    productions: tuple[Production, ...] = ()
    renewal: Renewal | None = None
    sources: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its amounts."""
        return AMOUNT[self.kind]

    @property
    def level_unit(self) -> str:
        """The unit of its levels: of amounts, per mL."""
        return LEVEL[self.kind]

    @property
    def factors(self) -> frozenset[str]:
        """Names of all factors that scale one of its rates."""
        found = {name for t in self.transfers for name in t.scaled_by}
        found |= {name for c in self.clearances for name in c.scaled_by}
        found |= {name for p in self.productions for name in p.scaled_by}
        found |= {r.scaled_by for t in self.transfers for r in t.raised_by}
        found |= {r.scaled_by for p in self.productions for r in p.driven_by}
        return frozenset(found - {""})

    @property
    def places(self) -> tuple[str, ...]:
        """Every compartment that one of its rules names, with repetitions."""
        named = [name for t in self.transfers for name in (t.source, t.target)]
        named += [c.compartment for c in self.clearances] + [p.compartment for p in self.productions]
        return (*named, *([self.renewal.compartment] if self.renewal else []))
