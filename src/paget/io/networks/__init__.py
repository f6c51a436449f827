"""Networks and systems of rate equations in the formats of the field: read or written, no science.

model = read_maboss("cohen.bnd", "cohen.cfg", time="h")
network = read_bnet("liver.bnet", up=quantity("1 1/h", reason="unit rates"), down=quantity("1 1/h", reason="unit rates"))
kinetics = read_sbml("mtor.xml")
"""

from paget.io.networks.antimony import read_antimony, to_antimony
from paget.io.networks.bnet import read_bnet, write_bnet
from paget.io.networks.maboss import MabossModel, MabossSettings, read_maboss
from paget.io.networks.maboss_writing import write_maboss
from paget.io.networks.sbml import read_sbml
from paget.io.networks.sbml_out import to_sbml
from paget.io.networks.sbml_qual import read_sbml_qual
from paget.io.networks.sbml_qual_out import write_sbml_qual

__all__ = [
    "MabossModel",
    "MabossSettings",
    "read_antimony",
    "read_bnet",
    "read_maboss",
    "read_sbml",
    "read_sbml_qual",
    "to_antimony",
    "to_sbml",
    "write_bnet",
    "write_maboss",
    "write_sbml_qual",
]
