"""A small quick body for tests: a layer of tumour cells along a capillary, the same in the lung, and organs by laws."""

from __future__ import annotations

import functools

import numpy as np
from small_tissue import RESTING

from paget.body.anatomy import mouse
from paget.body.growth_laws import gompertz
from paget.body.lumped import LumpedSite
from paget.body.whole import Endpoint, Life, SpatialSite, WholeBody
from paget.body.whole.definition import READ_OF_ALL, READ_PER_SITE, slug
from paget.body.whole.piece import ARRIVAL, OPERATION
from paget.catalogue.drugs import DRUGS, kinetics
from paget.evidence import load_parameters
from paget.experiment import Study
from paget.process import Named, quantity
from paget.readouts import Readout
from paget.subject import Mechanism
from paget.tissue import CellDefinition, Cells, Cycle, CyclePhase, Mechanical, Motility, Substrate, Tissue
from paget.tissue.vessels import Intravasation, parallel_bed, with_flow

SITES = ("primary", "lung", "liver", "other")
TUMOUR, ASLEEP = "tumour cell", "dormant cell"
SIZE = (160.0, 160.0, 20.0)
WHY = "for this test"


def number(text):
    return quantity(text, reason=WHY)


def _cell(name, **parts):
    return CellDefinition(name=name, label=name, group="tumour", mechanics=Mechanical(), **parts)


@functools.cache
def small_tissue_model(cells=40, leaving="0.05 1/h", together="0.6", doubling="30 h", leakiness=5.0, wall=""):
    """A flat tissue of `cells` tumour cells of four clones beside leaky capillaries into which they get.

    wall : oxygen at one of its walls, so that there is a gradient
    """
    bed = with_flow(parallel_bed(SIZE, 80.0, 5.0), 4.0)
    bed = bed.changed(leakiness=np.full(bed.segment_ids.size, leakiness))
    side = 8
    where = np.array([(20.0 + 15.0 * (i % side), 20.0 + 15.0 * (i // side), 10.0) for i in range(cells)]).reshape(-1, 3)
    live = CyclePhase(name="live", rate=number(f"{1.0 / float(doubling.split()[0])} 1/h"), grows=True, divides=True)
    own = {"cell.ever_dormant": number("0")}
    return Tissue(
        name="small",
        size=SIZE,
        voxel=20.0,
        cells=(
            _cell(
                TUMOUR,
                cycle=Cycle(name="live", phases=(live,)),
                motility=Motility(intravasation=number(leaving)),
                own=own,
            ),
            _cell(ASLEEP, own=own),
        ),
        placed=Cells(where, TUMOUR, columns={"cell.clone": np.arange(cells) % 4}) if cells else None,
        substrates=(
            Substrate(
                field="field.oxygen",
                unit="mmHg",
                diffusion="1e5 um**2/h",
                initial="40 mmHg",
                walls={"xmin": wall, "ymax": "40 mmHg"} if wall else {},
                reason=WHY,
            ),
        ),
        processes=(Intravasation(together=number(together), most=number("4"), gaps=True),),
        vessels=bed,
        parameters=load_parameters("tissue", "vessels"),
        tick="1 h",
    ).model()


@functools.cache
def resting():
    """What a tumour cell starts with in the tissue, as the one that was there from the start has it."""
    model = small_tissue_model()
    known = {variable.name: variable.unit for variable in model.cell_variables if not variable.whole}
    return {name: number(f"{value} {known[name]}") for name, value in RESTING.items() if name in known}


def piece(name, **changes):
    """A spatial site of that tissue."""
    given = {
        "start": resting(),
        "name": name,
        "model": small_tissue_model(),
        "tumour": (TUMOUR, ASLEEP),
        "dormant": (ASLEEP,),
        "newcomer": TUMOUR,
        "sleeper": ASLEEP,
        "sleeping": number("0.3"),
        "nodule": number("8"),
        "reach": number("22 um"),
    }
    return SpatialSite(**{**given, **changes})


def primary(**changes):
    return piece("primary", **{"host": False, "removed_whole": True, "stands_for": number("3"), **changes})


def lung(**changes):
    return piece(
        "lung", **{"model": small_tissue_model(cells=6, leaving="0.01 1/h"), "share": number("0.5"), **changes}
    )


def organ(name, **changes):
    """A lumped site in which all that come survive, grow fast and shed much."""
    given = {
        "name": name,
        "growth": gompertz(number("0.02 1/h"), number("2e4 cell")),
        "survival": number("0.9"),
        "dormancy": number("0.3"),
        "awakening": number("0.02 1/h"),
        "dormant_death": number("0.003 1/h"),
        "shedding": number("0.02 1/h"),
        "cluster_share": number("0.2"),
        "cluster_size": number("3 cell"),
        "lymph_share": number("0.2"),
        "visible": number("20 cell"),
    }
    return LumpedSite(**{**given, **changes})


def readouts(sites=SITES):
    for name in (*READ_OF_ALL, *(f"{what}_{slug(site)}" for site in sites for what in READ_PER_SITE)):
        yield Readout(name, name, "mm" if name == "largest_metastasis" else "", "continuous", "final", name)
    yield Readout("survival", "Survival", "day", "time", "first", "day of death", first_of="dead")


@functools.cache
def _table():
    table = load_parameters("tissue", "vessels", "blood", "networks", "lesions", "niche", "cascade_mouse")
    return table.with_values({key: "mouse" for key in table if "mouse" in table.variants_of(key)})


@functools.cache
def _anatomy():
    return mouse()


def mechanisms():
    blood = ("anoikis", "shear", "nk_killing", "escort", "break_up", "detachment", "trapping", "aggregation")
    keys = tuple(load_parameters("blood"))
    yield Mechanism("anatomy", "body", "Blood flows.", (), essential=True)
    yield from (Mechanism(role, "blood", role, keys) for role in (*blood, "adhesion", "extravasation"))
    yield Mechanism("niche", "body", "Organs are prepared.", tuple(load_parameters("niche")))


def body(spatial=(), lumped=SITES, **changes):
    """A mouse with four sites; `spatial` are pieces, `lumped` names of sites or sites."""
    sites = tuple(dict.fromkeys((*(s if isinstance(s, str) else s.name for s in lumped), *(s.name for s in spatial))))
    sites = tuple(sorted(sites, key=lambda name: (SITES.index(name) if name in SITES else 99, name)))
    kinds = {kind for site in spatial for kind in site.model.event_kinds} | {ARRIVAL, OPERATION}
    types = {t: site.model.types[t] for site in spatial for t in site.model.cell_types}
    given = {
        "name": "small",
        "title": "A small body",
        "parameters": _table(),
        "mechanisms": tuple(mechanisms()),
        "readouts": tuple(readouts(sites)),
        "cell_types": tuple(types.values()),
        "event_kinds": tuple(sorted(kinds)),
        "sites": sites,
        "species": "mouse",
        "anatomy": _anatomy(),
        "spatial": tuple(spatial),
        "lumped": tuple(organ(site) if isinstance(site, str) else site for site in lumped),
        "organs": {"primary": "mammary gland"} if "primary" in sites else {},
        "founders": number("300 cell"),
        "kinetics": (kinetics("doxorubicin"),),
        "drug_numbers": load_parameters("lung_awakening", "niche"),
        "drugs": (DRUGS["doxorubicin"],),
    }
    return WholeBody(**{**given, **changes})


def spatial_body(**changes):
    """Primary and lung cell by cell, the rest lumped."""
    return body((primary(), lung()), **changes)


def life(of, *, seed=3, animal=0, dt=1.0, drugs=(), threads=1):
    return Life(of, seed=seed, animal=animal, dt=dt, drugs=frozenset(drugs), threads=threads)


def lived(of, ticks, *, operations=None, doses=None, **how):
    """A life after so many ticks; operations and doses by tick."""
    one = life(of, **how)
    return forward(one, ticks, operations=operations, doses=doses)


def forward(one, ticks, *, operations=None, doses=None):
    for _ in range(ticks):
        one.advance((doses or {}).get(one.tick, ()), (operations or {}).get(one.tick, ()))
    return one


def bits(one):
    """The exact state, so that equal means identical."""
    return {name: (np.asarray(a).dtype.str, np.shape(a), np.asarray(a).tobytes()) for name, a in one.state().items()}


def study(**changes):
    given = {
        "name": "small",
        "model": "small",
        "duration": "24 h",
        "tick": "1 h",
        "replicates": 1,
        "seed": 3,
        "arms": [{"name": "vehicle"}],
        "record": {"metrics": "4 h", "frames": "8 h", "checkpoint": "8 h"},
    }
    return Study.model_validate({**given, **changes})


def endpoint(site, cells):
    return Endpoint(site=site, cells=number(str(cells)))


__all__ = [
    "ASLEEP",
    "SITES",
    "TUMOUR",
    "Named",
    "bits",
    "body",
    "endpoint",
    "forward",
    "life",
    "lived",
    "lung",
    "number",
]
