"""A whole body in time: sites live, shed and are reached; blood, niche and drugs join them; every cell is accounted for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paget.body.blood import BloodBiology
from paget.body.blood.passage import Extravasations
from paget.body.blood.shedding import places
from paget.body.compartments import Compartments
from paget.body.drugs import BodyDrugs
from paget.body.lesions import Lesions
from paget.body.messengers import compartments_of, messengers
from paget.body.niche import Niche
from paget.body.secretion import Secretion
from paget.body.stroma import StromaBiology
from paget.body.values import Numbers
from paget.body.whole.batches import of_lesion, of_piece
from paget.body.whole.definition import REST, WholeBody
from paget.body.whole.intervening import KILLERS, intervene, with_heart
from paget.body.whole.leaving import Leaving
from paget.body.whole.piece import Piece
from paget.body.whole.readings import readings
from paget.body.whole.record import Record
from paget.body.whole.reservoir import Party, Reservoir
from paget.body.whole.traffic import Batch, Crowd, Traffic
from paget.engine.animal import Columns
from paget.engine.chance import Chance
from paget.errors import LedgerError, UnknownNameError
from paget.experiment import HOURS_PER_DAY, Depletion, Injection
from paget.kernels import philox
from paget.pharmacology import Doses
from paget.process import Named
from paget.state.cells import mix

__all__ = ["Life"]

Real = NDArray[np.float64]
Ids = NDArray[np.uint64]

FOUNDED, FRESH = 43, 47  # salts of ids: what lumped sites begin with, cells of crowds
SLEPT = "cell.ever_dormant"


class Life:
    """One animal with all its sites.

    Order of a tick: operations and doses; the niche and drugs; sites live, one by one, under the effects of this tick; what
    they shed is carried through the blood; who comes through a wall begins at its site with the next tick.
    """

    def __init__(
        self,
        body: WholeBody,
        *,
        seed: int,
        animal: int,
        dt: float,
        drugs: frozenset[str],
        threads: int = 1,
        goes_on: bool = False,
    ):
        self.body, self.dt, self.threads = body, dt, threads
        self.chance = Chance(seed, animal, "body")
        numbers = Numbers(body.parameters, self.chance.draw)
        self.chain = with_heart(body.anatomy.chain())
        self.sites = body.sites
        self._codes = {site: code for code, site in enumerate(self.sites)}
        self._site_of = {body.organ_of(site): site for site in self.sites}
        given = None if goes_on else drugs  # what a kept state brings along in its blood, its arm may not give
        self.pieces = {
            site.name: Piece(site, numbers, seed=seed, animal=animal, dt=dt, drugs=given, follows=body.carried)
            for site in body.spatial
        }
        self.lesions = Lesions(body.lumped, numbers, body.carried)
        biology = BloodBiology.of(body.anatomy, body.parameters, self.chance.draw)
        self.traffic = Traffic(self.chain, biology, body.carried, round(numbers(body.walked, "")))
        flag = body.carried.index(SLEPT) if SLEPT in body.carried else -1
        self.reservoir = Reservoir(self.lesions, len(body.carried), flag)
        self.signals = (biology["survival"], biology["mesenchymal"])
        self.cultured_radius = numbers(Named("ctc_cultured_radius", "um"), "um") if body.has_cultured else 0.0
        self.injected = self.implanted = 0  # cells into vessels, and into lesions
        self._coming: list[Batch] = []  # of cells that are injected, in the next tick
        self._away: dict[str, float] = {}  # cells that are kept away in the next tick, and what share of them
        self.density = numbers(body.density, "cell/um**3") if body.measures_sizes else 0.0
        self.blood_ml = body.anatomy.blood.inside("mL")
        self._interventions = {target: numbers(value, "") for target, value in body.interventions.items()}
        self._endpoints = tuple((end.site, numbers(end.cells, "")) for end in body.endpoints)
        self._drugs = self._pharmacy() if body.kinetics and drugs else None
        self._prepared = self._niche() if body.prepares else None
        self.tick, self.dead = 0, False
        self.arrived = dict.fromkeys(self.sites, 0)
        self._record = Record(body, self.pieces)
        self._new: list[dict[str, Any]] = []  # lesions founded in this tick
        self.leaving = Leaving(max(round(HOURS_PER_DAY / dt), 1))
        self._founders = 0
        if body.founders is not None and body.primary not in self.pieces:
            self._founders = round(numbers(body.founders, "cell"))
            self._found(self._founders)

    def _niche(self) -> tuple[Compartments, Niche, Secretion]:
        organs = tuple(self.body.organ_of(s) for s in self.sites if s != self.body.primary)
        table, draw = self.body.parameters, self.chance.draw
        compartments = Compartments(messengers(organs), compartments_of(self.body.anatomy, organs), table, draw)
        return compartments, Niche(organs, table=table, draw=draw), Secretion(table, draw)

    def _restore_drugs(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over the drugs in the body: those of a kept state may be others than the arm gives, or none so far."""
        if state:
            self._drugs = self._pharmacy() if self._drugs is None else self._drugs
            self._drugs.restore(state)
        elif self._drugs is not None:
            self._drugs = self._pharmacy()
            for _ in range(self.tick):
                self._drugs.advance(self.dt)

    def _pharmacy(self) -> BodyDrugs:
        table = self.body.drug_numbers or self.body.parameters
        return BodyDrugs(self.body.kinetics, table, self.chance.draw, stroma=StromaBiology())

    def _found(self, cells: int) -> None:
        ids = mix(np.array([self.chance.key("primary")], np.uint64), FOUNDED)
        nothing = dict.fromkeys(self.body.carried, 0.0)
        self.lesions.seed(self.body.primary, ids, [cells], 0.0, nothing, settled=True)

    @property
    def time(self) -> float:
        """Time since the start in h."""
        return self.tick * self.dt

    # ---- time -----------------------------------------------------------------------------------------------------
    def advance(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> None:
        """Go forward by one tick; after its death, an animal stays as it is."""
        if not self.dead:
            for site, _ in operations:
                self._operate(site)
            effects, on_sites = self._effects()
            on_lesions = {place: value for place, value in on_sites.items() if place[0] in self.lesions.names}
            on_lesions.update(self._treated(doses))
            batches = [*self._pieces_live(doses, operations), *self._lesions_live(on_lesions), *self._coming]
            key = self.chance.key("blood")
            self.traffic.take(batches, self.dt, key, self.tick, effects)
            arrivals, crowds = self.traffic.advance(self.time, self.dt, key, self.tick, effects, self.threads)
            self._settle(arrivals, on_sites)
            self._scatter(crowds, on_sites, on_lesions)
            self._found_lesions()
            self._balance()
        self._coming, self._away = [], {}
        self.tick += 1
        for piece in self.pieces.values():
            piece.world.tick, piece.world.time = self.tick, self.time
        self.dead = self.dead or any(self.burden(site) >= cells for site, cells in self._endpoints)

    def intervene(self, injections: tuple[Injection, ...], depletions: tuple[tuple[Depletion, bool], ...]) -> None:
        """Do what is due at the beginning of the next tick; see `paget.body.whole.intervening`."""
        if not self.dead:
            self._coming, self._away = intervene(self, injections, depletions)

    def found(self, site: str, ids: Ids, cells: int) -> None:
        """Let cells begin as one lesion of a site in the next tick."""
        self._new.append(
            {
                "site": np.full(1, self.lesions.names.index(site)),
                "ids": ids,
                "cells": np.array([float(cells)]),
                "when": np.array([self.time]),
                "records": np.zeros((len(self.body.carried), 1)),
                "origin": np.full(1, -1),
                "settled": True,
            }
        )

    @property
    def compartments(self) -> Compartments | None:
        """The compartments of the niche, if there is one."""
        return self._prepared[0] if self._prepared is not None else None

    @property
    def organs_of_sites(self) -> frozenset[str]:
        """Organs in which sites lie."""
        return frozenset(self._site_of)

    def _operate(self, site: str) -> None:
        """Take a tumour out. A primary goes as a whole; of other sites, what can be seen goes."""
        if site not in self.sites:
            raise UnknownNameError("site to resect", site, self.sites)
        if site in self.pieces:
            self.pieces[site].resect()
            if self.pieces[site].closed:
                self.leaving.remove(self.chain.organs.index(self.body.organ_of(site)))
        if site in self.lesions.names:
            table = self.lesions.table()
            seen = table["visible_at"].to_numpy() <= self.time
            there = (table["site"] == site).to_numpy()
            chosen = there if site == self.body.primary else there & seen
            if site == self.body.primary:
                self.reservoir.remove(site)
            taken = table["id"].to_numpy(np.uint64)[chosen]
            self.lesions.resect(site, taken)
            self._record.resected(site, taken, self.time)

    def _effects(self) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
        """Factors of hazards in the blood, and effects on those who begin at sites, in this tick."""
        factors, on_sites = dict(self.body.factors), dict[tuple[str, str], float]()
        if KILLERS in self._away:
            factors["nk_killing"] = factors.get("nk_killing", 1.0) * (1.0 - self._away[KILLERS])
        if self._prepared is None:
            return factors, on_sites
        compartments, niche, secretion = self._prepared
        inside = set(compartments.places)
        cells = {site: float(self.burden(site)) for site in self.sites}
        places = {s: self.body.organ_of(s) for s in self.sites if self.body.organ_of(s) in inside}
        amounts = secretion.amounts(cells, places, interventions=self._interventions)
        kept = {f"release of {cells}": 1.0 - share for cells, share in self._away.items() if cells != KILLERS}
        compartments.advance(self.dt, amounts, {**niche.factors(compartments, self._interventions), **kept})
        niche.advance(self.dt, compartments, self._interventions)
        for name, value in niche.effects(compartments, self._interventions).items():
            role, _, organ = name.partition(":")
            if role == "establishment":
                on_sites[self._site_of[organ], "survival"] = value
            elif role not in self.body.left_out:
                factors[name] = factors.get(name, 1.0) * value
        return factors, on_sites

    def _treated(self, doses: Doses) -> dict[tuple[str, str], float]:
        """What drugs do to lesions in this tick."""
        if self._drugs is None:
            return {}
        for drug, at, amount, route in doses:
            self._drugs.give(drug, amount, self.time + at, route)
        self._drugs.advance(self.dt)
        found = self._drugs.effects()
        return {(site, name): found[name] for site in self.lesions.names for name in ("kill", "awakening")}

    def _pieces_live(self, doses: Doses, operations: tuple[tuple[str, float], ...]) -> list[Batch]:
        found: list[Batch] = []
        for name, piece in self.pieces.items():
            if piece.closed:
                continue
            piece.step(doses, operations)
            left = piece.departures()
            if left is not None:
                found += of_piece(self, name, piece, left)
        return [*found, *self.leaving.now(self.tick, self.time + 0.5 * self.dt)]

    def _lesions_live(self, effects: Mapping[tuple[str, str], float]) -> list[Batch]:
        if not self.lesions.names:
            return []
        step = self.lesions.advance(self.time, self.dt, self.chance.key("lesions"), self.tick, effects)
        self._record.lesions(self.lesions.names, step, self.time + self.dt)
        shed = step.shed
        if not shed.row.size:
            return []
        parties: Real = shed.parties
        chosen: NDArray[Any] = np.arange(shed.row.size)
        if parties.sum() > self.traffic.walked:
            # Too many to be walked: parties alike in all that matters leave together, in the name of the first of them.
            alike = np.vstack([step.site[shed.row], shed.size, shed.medium, step.records[:, shed.row]])
            _, chosen, group = np.unique(alike, axis=1, return_index=True, return_inverse=True)
            parties = np.bincount(group.reshape(-1), weights=shed.parties).astype(np.float64)
        return [of_lesion(self, step, int(k), int(n)) for k, n in zip(chosen, parties, strict=True)]

    def _settle(self, arrivals: Extravasations, effects: Mapping[tuple[str, str], float]) -> None:
        """Let those who came through a wall begin at their sites."""
        key = self.chance.key("arrival")
        carried = self.body.carried
        for organ in np.unique(arrivals.organ):
            site = self._site_of.get(self.chain.organs[organ], REST)
            rows = np.flatnonzero(arrivals.organ == organ)
            sizes = np.diff(arrivals.first)[rows]
            self.arrived[site] += int(sizes.sum())
            piece = self.pieces.get(site)
            inside = np.zeros(rows.size, bool)
            if piece is not None:
                reaching = philox.uniforms(key, arrivals.party[rows], self.tick + 1, 1)[:, 0] < piece.share
                inside = reaching & (not piece.closed)
                cells = places(arrivals.first[rows[inside]], sizes[inside])
                piece.receive(
                    arrivals.cells[cells],
                    {n: arrivals.records[i, cells] for i, n in enumerate(carried)},
                    key,
                    effects.get((site, "survival"), 1.0),
                )
            outside = rows[~inside]
            if outside.size:
                self._seed(site, arrivals, outside)
            cells = places(arrivals.first[rows], sizes)
            self._record.arrived(
                site,
                arrivals.cells[cells],
                np.repeat(arrivals.party[rows], sizes),
                np.repeat(arrivals.when[rows], sizes),
                np.repeat(np.array([self._code(o) for o in arrivals.origin[rows]]), sizes),
                arrivals.records[:, cells],
            )

    def _scatter(
        self,
        crowds: list[Crowd],
        on_sites: Mapping[tuple[str, str], float],
        on_lesions: Mapping[tuple[str, str], float],
    ) -> None:
        """Let crowds settle: into the piece of a site, into its reservoir, and as founders of lesions."""
        key = self.chance.key("scatter")
        chance = np.random.Generator(np.random.Philox(key=[int(key), 2 * self.tick]))
        came: dict[Party, int] = {}
        for nth, crowd in enumerate(crowds):
            site = self._site_of.get(self.chain.organs[crowd.organ], REST)
            self.arrived[site] += crowd.parties * crowd.size
            piece, outside = self.pieces.get(site), crowd.parties
            if piece is not None and piece.share > 0.0 and not piece.closed:
                parties = int(chance.binomial(crowd.parties, piece.share))
                inside = parties * crowd.size
                outside -= parties
                ids = self._fresh(key, np.uint64(nth), inside)
                records = {n: np.full(inside, v) for n, v in zip(self.body.carried, crowd.records, strict=True)}
                piece.receive(ids, records, key, on_sites.get((site, "survival"), 1.0))
                when = np.full(inside, self.time + self.dt)
                self._record.arrived(site, ids, ids, when, self._code(crowd.origin), crowd.records)
            if outside:
                place = (site, self._code(crowd.origin), crowd.records, crowd.size)
                came[place] = came.get(place, 0) + outside
        if not self.lesions.names:
            return
        began = self.reservoir.advance(came, self.dt, self.chance.key("reservoir"), self.tick, on_lesions)
        for nth, founding in enumerate(began):
            ids = self._fresh(self.chance.key("founding"), np.uint64(nth), founding.lesions)
            when = self.time + self.dt * chance.random(founding.lesions)
            self._new.append(
                {
                    "site": np.full(founding.lesions, self.lesions.names.index(founding.site)),
                    "ids": ids,
                    "cells": np.full(founding.lesions, float(founding.cells)),
                    "when": when,
                    "records": np.repeat(np.array(founding.records)[:, None], founding.lesions, axis=1),
                    "origin": np.full(founding.lesions, founding.origin),
                    "settled": True,
                }
            )
            self._record.arrived(founding.site, ids, ids, when, founding.origin, founding.records)

    def _fresh(self, key: np.uint64, nth: np.uint64, count: int) -> Ids:
        """Ids that no other cell of the animal has: of the nth group of a tick."""
        group = mix(mix(np.array([self.tick], np.uint64) ^ key, FRESH) ^ nth, FRESH)
        return mix(group ^ np.arange(count, dtype=np.uint64), FRESH)

    def _seed(self, site: str, arrivals: Extravasations, rows: NDArray[np.int64]) -> None:
        first = arrivals.first[rows]
        self._new.append(
            {
                "site": np.full(rows.size, self.lesions.names.index(site)),
                "ids": arrivals.party[rows],
                "cells": np.diff(arrivals.first)[rows].astype(np.float64),
                "when": arrivals.when[rows],
                "records": arrivals.records[:, first],
                "origin": np.array([self._code(organ) for organ in arrivals.origin[rows]]),
                "settled": False,
            }
        )

    def _found_lesions(self) -> None:
        """Let all lesions of this tick begin at once."""
        for settled in (False, True):
            parts = [part for part in self._new if part["settled"] is settled]
            if parts:
                site, ids, cells, when, origin = (
                    np.concatenate([part[name] for part in parts])
                    for name in ("site", "ids", "cells", "when", "origin")
                )
                records = np.concatenate([part["records"] for part in parts], axis=1)
                carried = {name: records[i] for i, name in enumerate(self.body.carried)}
                self.lesions.seed(site, ids, cells, when, carried, origin=origin, settled=settled)
        self._new.clear()

    def _code(self, organ: int) -> int:
        return self._codes[self._site_of.get(self.chain.organs[organ], REST)]

    def _balance(self) -> None:
        """Cells that left sites, were carried and came to sites are the same cells."""
        left = sum(p.stands_for * int(p.stepper.tally["left"]) for p in self.pieces.values())
        left += sum(self.lesions.account(name).left for name in self.lesions.names) + self.injected
        came = sum(piece.arrived for piece in self.pieces.values())
        came += sum(self.lesions.account(name).arrived for name in self.lesions.names) - self._founders
        came -= self.implanted
        came += self.reservoir.arrived - self.reservoir.founded
        waiting = self.leaving.cells + self.leaving.removed
        if left != self.traffic.shed + waiting or came != self.traffic.arrived:
            raise LedgerError(
                f"At {self.time:g} h sites gave {left} cells to the blood, which took {self.traffic.shed} while {waiting} wait "
                f"or were removed; the blood gave {self.traffic.arrived}, and sites took {came}."
            )

    # ---- look -----------------------------------------------------------------------------------------------------
    def burden(self, site: str) -> int:
        """Tumour cells of a site, or of all but the primary for "metastases"."""
        if site == "metastases":
            return sum(self.burden(other) for other in self.sites if other != self.body.primary)
        found = self.lesions.cells(site) + self.reservoir.cells(site) if site in self.lesions.names else 0
        piece = self.pieces.get(site)
        if piece is not None:
            found += piece.cells * piece.stands_for
        return found

    def nodules(self, site: str) -> int:
        """Visible metastases of a site."""
        piece = self.pieces.get(site)
        found = piece.nodules if piece is not None and site != self.body.primary else 0
        if site in self.lesions.names:
            table = self.lesions.column("site") == self.lesions.names.index(site)
            seen = (self.lesions.column("visible_at") <= self.time) & table
            if site == self.body.primary and self.body.primary not in self.pieces:
                seen &= self.lesions.column("origin") >= 0
            found += int(np.count_nonzero(seen))
        return found

    def measure(self) -> dict[str, float]:
        """Every readout that is measured."""
        return readings(self)

    def frame(self) -> Columns | None:
        """The cells of all pieces of tissue, with the code of their site."""
        return self._record.frame()

    def fields(self) -> Mapping[str, NDArray[np.float32]]:
        """Concentrations [species, z, y, x] in the pieces of tissue that are still there, by site."""
        return self._record.fields()

    def events(self) -> Columns | None:
        """Events since the last call: those of the pieces of tissue, and arrivals.

        Of crowds, whose cells are numbers, an arrival is told of each cell that reaches a piece or begins a lesion.
        """
        return self._record.events()

    # ---- keep -----------------------------------------------------------------------------------------------------
    def state(self) -> Columns:
        """The exact state of all parts as arrays."""
        parts: dict[str, Mapping[str, NDArray[Any]]] = {f"piece {name}": p.state() for name, p in self.pieces.items()}
        parts["traffic"], parts["lesions"] = self.traffic.state(), self.lesions.state()
        parts["reservoir"], parts["leaving"] = self.reservoir.state(), self.leaving.state()
        if self._prepared is not None:
            parts["compartments"], parts["niche"] = self._prepared[0].state(), self._prepared[1].state()
        if self._drugs is not None:
            parts["drugs"] = self._drugs.state()
        about = {"tick": self.tick, "dead": self.dead, "arrived": self.arrived}
        if self.injected or self.implanted:
            about["injected"] = [self.injected, self.implanted]
        whole = {f"{part}/{name}": values for part, state in parts.items() for name, values in state.items()}
        return {**whole, "about": np.array(json.dumps(about, sort_keys=True))}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over an exact state."""

        def of(part: str) -> dict[str, NDArray[Any]]:
            return {k.removeprefix(f"{part}/"): v for k, v in state.items() if k.startswith(f"{part}/")}

        for name, piece in self.pieces.items():
            piece.restore(of(f"piece {name}"))
        self.traffic.restore(of("traffic"))
        self.lesions.restore(of("lesions"))
        self.reservoir.restore(of("reservoir"))
        self.leaving.restore(of("leaving"))
        if self._prepared is not None:
            self._prepared[0].restore(of("compartments"))
            self._prepared[1].restore(of("niche"))
        about = json.loads(str(state["about"]))
        self.tick, self.dead, self.arrived = int(about["tick"]), bool(about["dead"]), dict(about["arrived"])
        self._restore_drugs(of("drugs"))
        self.injected, self.implanted = about.get("injected", (0, 0))
        for piece in self.pieces.values():
            piece.world.tick, piece.world.time = self.tick, self.time
