"""Observations that cannot be tested yet: which mechanism, or which number, lacks."""

from __future__ import annotations

from paget.validation.case import Untested

__all__ = ["UNTESTED"]

_FAK = "no primary tumour of the models carries FAK: only cells in the lung do"
_MMP = "the cohorts have no proteases, so that an inhibitor would do nothing by construction"
_MSC = "no model has mesenchymal stem cells in a tumour; only their network is tested (H019, H023, H024)"
_EVEROLIMUS = "the cohort has no metastatic disease under treatment, everolimus or exemestane"
_SKELETAL = "no model has skeletal events, or zoledronic acid"
_GPC1 = "a diagnostic test: exosomes carry no GPC1 here, and no model has healthy controls"
_MARKERS = "no model makes serum markers of bone; osteoblasts of the network do not come and go"
UNTESTED = (
    Untested("H001", _FAK),
    Untested("H002", f"{_FAK}, and docetaxel is not among the drugs"),
    Untested("H003", "siRNA and its loss are not in the model: a knock-down has the duration that the study gives it"),
    Untested("H004 vessels", "vessels of a spatial primary answer to VEGF, but its cells carry no FAK"),
    Untested("H007", "what distinguishes the medium of two tumours is not known as numbers of the model"),
    Untested("H008 metastasis", "cells of the whole mouse have TrkB, which they can lose, but not gain"),
    Untested("H013 tumours", "the network of let-7 is not carried by the cells of the whole mouse"),
    Untested("H015", _MMP),
    Untested("H016", _MMP),
    Untested("H017", f"no cohort of gastric cancer; {_MMP}"),
    Untested("H018", f"no cohort of gastric cancer; {_MMP}"),
    Untested("H020", _MSC),
    Untested("H021", _MSC),
    Untested("H022", f"{_MSC}; the number itself is not to be believed"),
    Untested("H026", "no model has an adaptive immune system that rejects foreign cells"),
    Untested("H028", "exosomes carry integrins, not MIF"),
    Untested("H029", "exosomes carry integrins, not MIF"),
    Untested(
        "H036 metastasis", "exosomes of the body carry no microRNA; only the network of endothelium knows miR-25-3p"
    ),
    Untested("H037", _GPC1),
    Untested("H038", _GPC1),
    Untested(
        "H041", "delivery of MT1-MMP to an invadopodium is a switch here, without a time constant that bleaching shows"
    ),
    Untested("H042", "digestion of matrix by single invadopodia is not in the model"),
    Untested(
        "H043 metastasis",
        "TKS5 decides how often cells of a spatial primary enter vessels, not how metastases grow in the lung",
    ),
    Untested("H046", "the cohort is of breast cancer; the finding is of all solid tumours together"),
    Untested("H047", "no cohort of prostate cancer"),
    Untested("H048 small-cell lung", "the autopsies do not tell kinds of lung cancer apart"),
    Untested("H049 survival", "mice do not die of the tumour in a strip of bone"),
    Untested("H053 Torin2", "its inhibition of each complex is derived from this very number"),
    Untested("H056", _EVEROLIMUS),
    Untested("H057", _EVEROLIMUS),
    Untested("H060", _MARKERS),
    Untested("H061", _MARKERS),
    Untested("H062", _SKELETAL),
    Untested("H063", _SKELETAL),
    Untested("H064", _SKELETAL),
    Untested(
        "H080", "no fat, and one state of senescence instead of three markers; the share sets how fast senolytics kill"
    ),
    Untested("H081", "no muscle, and no damage by radiation"),
    Untested("H082 other cells", "senescent endothelium and preadipocytes are not in the model"),
    Untested("H083", "nothing has been published yet"),
    Untested("H088", "the number is used as it is, to turn metastases into cells shed"),
    Untested("H094", "the cohort counts lesions, not cells in the blood"),
    Untested("H095 pleura", "the pleura is not reached by the circulation of the model"),
    Untested("H101 take", "the tumour of the whole mouse is there from the start"),
)
