"""Blood vessels of a tissue: capillaries as segments, their flow, what they exchange, and how they grow.

    network = with_flow(parallel_bed((400.0, 400.0, 400.0), spacing=100.0, radius=4.0), viscosity=4.0)

A `VesselNetwork` is a value; it is part of the state of a tissue and of its checkpoints. `VesselExchange` lets it supply
fields, `Angiogenesis` lets it grow; by `VesselEntry` cells come in from the blood, by `Intravasation` they get into it.
`entry_points` says where cells may enter, `vessels_near` which cells touch a vessel.
"""

from paget.tissue.vessels.beds import parallel_bed, random_bed, tree_bed
from paget.tissue.vessels.exchange import delivered, entry_points, exchange_coefficient, vessels_near
from paget.tissue.vessels.flow import conductances, node_pressures, with_flow
from paget.tissue.vessels.network import VesselNetwork
from paget.tissue.vessels.passage import Intravasation, VesselEntry
from paget.tissue.vessels.process import Angiogenesis, Supply, VesselExchange
from paget.tissue.vessels.sprouting import Sprouting, grow, guidance_from

__all__ = [
    "Angiogenesis",
    "Intravasation",
    "Sprouting",
    "Supply",
    "VesselEntry",
    "VesselExchange",
    "VesselNetwork",
    "conductances",
    "delivered",
    "entry_points",
    "exchange_coefficient",
    "grow",
    "guidance_from",
    "node_pressures",
    "parallel_bed",
    "random_bed",
    "tree_bed",
    "vessels_near",
    "with_flow",
]
