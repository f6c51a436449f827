"""Single tumour cells and clusters in the blood: from the vessel of a tumour to the tissue of an organ."""

from paget.body.blood.biology import EFFECTS, BloodBiology, blood_parameters
from paget.body.blood.parties import Blood
from paget.body.blood.passage import CAUSES, Counts, Passage

__all__ = ["CAUSES", "EFFECTS", "Blood", "BloodBiology", "Counts", "Passage", "blood_parameters"]
