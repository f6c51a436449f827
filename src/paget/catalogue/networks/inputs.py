"""What a tumour cell senses, inherits and is given."""

from __future__ import annotations

from paget.catalogue.networks.nodes import given

__all__ = ["TUMOUR"]

TUMOUR = (
    given("GF", "growth factors (EGF, HGF, PDGF) around the cell", genes=("EGF", "HGF", "TGFA", "NRG1", "PDGFB")),
    given("IGF1", "insulin-like growth factor, freed from bone", genes=("IGF1",)),
    given("Nutrients", "enough amino acids and energy", start=1.0),
    given("Hypoxia", "low oxygen"),
    given("ECM", "attached to matrix", start=1.0),
    given("Contact", "touches a neighbour cell", start=1.0),
    given("TGFB", "TGF-beta around the cell", genes=("TGFB1",)),
    given("CXCL12", "CXCL12 around the cell", genes=("CXCL12",)),
    given("BDNF", "BDNF around the cell", genes=("BDNF",)),
    given("TNF", "TNF around the cell", genes=("TNF",)),
    given("SAA3", "SAA3, S100A8 and S100A9 around the cell: ligands of TLR4", genes=("SAA3", "S100A8", "S100A9")),
    given("IL6", "IL-6 around the cell", genes=("IL6",)),
    given("CCL5", "CCL5 around the cell", genes=("CCL5",)),
    given("VTN", "vitronectin in the matrix", genes=("VTN",)),
    given("THBS1", "thrombospondin-1 in the matrix", genes=("THBS1",)),
    given("Remodelled_laminin", "laminin-111 cut by neutrophil elastase and MMP9", genes=("LAMA1",)),
    given("WNT", "WNT ligand"),
    given("DLL", "ligand of Notch on a neighbour", genes=("DLL1", "JAG1")),
    given("HH", "Hedgehog ligand, or active GLI1 within", genes=("SHH", "GLI1")),
    given("DNA_damage", "broken DNA: chemotherapy or radiotherapy reaches this cell"),
    given("PTEN", "genotype: intact PTEN", start=1.0, genes=("PTEN",)),
    given("Sirolimus", "sirolimus in the cell for so long that it binds newly made mTOR", genes=("MTOR",)),
    given("Rictor_spares_VEGF", "choice between findings: 1 where loss of mTORC2 leaves VEGF as it is"),
)
