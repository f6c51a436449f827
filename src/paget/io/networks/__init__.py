"""Networks and systems of rate equations in the formats of the field: read or written, no science.

model = read_maboss("cohen.bnd", "cohen.cfg", time="h")
network = read_bnet("liver.bnet", up=quantity("1 1/h", reason="unit rates"), down=quantity("1 1/h", reason="unit rates"))
"""

from paget.io.networks.bnet import read_bnet, write_bnet
from paget.io.networks.maboss import MabossModel, MabossSettings, read_maboss
from paget.io.networks.maboss_writing import write_maboss
from paget.io.networks.sbml_qual import read_sbml_qual
from paget.io.networks.sbml_qual_out import write_sbml_qual

__all__ = [
    "MabossModel",
    "MabossSettings",
    "read_bnet",
    "read_maboss",
    "read_sbml_qual",
    "write_bnet",
    "write_maboss",
    "write_sbml_qual",
]
