"""Observations of chemotherapy, senescence and awakening in the lung, on the three studies of it."""

from __future__ import annotations

from paget.validation.case import Case, StudyRun
from paget.validation.reading import Contrast

__all__ = ["CASES", "EXPERIMENTS"]

DOX, DQ, ABT, CIS, NONE = "doxorubicin", "doxorubicin + DQ", "doxorubicin + ABT-263", "cisplatin", "vehicle"
EXPERIMENTS = (
    StudyRun(
        key="lung",
        study="lung_awakening",
        arms=(NONE, DOX, CIS, ABT),
        replicates=10,
        quick=7,
        title="Dormant cells in the lung under chemotherapy",
    ),
    StudyRun(
        key="lung-adjuvant",
        study="lung_awakening_adjuvant",
        arms=(NONE, DOX, CIS, DQ),
        replicates=10,
        quick=7,
        title="Chemotherapy of the lung after resection",
    ),
    StudyRun(
        key="lung-neoadjuvant",
        study="lung_awakening_neoadjuvant",
        arms=(DOX, DQ),
        replicates=10,
        quick=7,
        title="Chemotherapy of the lung before resection",
    ),
)
_SENOLYTIC = {
    "fibroblasts": "senescent_fibroblasts",
    "traps": "net_area",
    "awakening": "awakened_cells",
    "metastasis": "metastases",
}


def _lung(observation: str, readout: str, arm: str, versus: str = NONE, **more: str) -> Case:
    return Case(
        observation=observation,
        experiment="lung",
        measure=Contrast(readout=readout, arm=arm, versus=versus),
        **more,
    )


CASES = (
    _lung("H068 doxorubicin", "metastases", DOX),
    _lung("H068 cisplatin", "metastases", CIS, remark="the default value of a contested parameter; H077 has the other"),
    _lung(
        "H069",
        "awakened_cells",
        DOX,
        stands_in="cycling cells whose line was dormant; untreated lungs have no metastases in which to take their share",
    ),
    _lung("H070 fibroblasts", "senescent_fibroblasts", DOX),
    _lung("H070 traps", "net_area", DOX),
    _lung("H072 C3", "serum_c3", DOX, stands_in="C3 in the serum of a mouse against untreated mice"),
    _lung("H072 MIF", "serum_mif", DOX, stands_in="MIF in the serum of a mouse against untreated mice"),
    _lung("H072 traps", "serum_net", DOX, stands_in="traces of traps in the serum of a mouse against untreated mice"),
    _lung(
        "H082 fibroblasts",
        "senescent_fibroblasts",
        ABT,
        DOX,
        stands_in="senescent fibroblasts of the mouse lung, with navitoclax by mouth",
    ),
    *(
        Case(
            observation=f"H071 {setting}: {part}",
            experiment=f"lung-{setting}",
            measure=Contrast(readout=readout, arm=DQ, versus=DOX),
        )
        for setting in ("adjuvant", "neoadjuvant")
        for part, readout in _SENOLYTIC.items()
    ),
    *(
        Case(
            observation=f"H077 {arm}: {part}",
            experiment="lung-adjuvant",
            measure=Contrast(readout=readout, arm=arm, versus=NONE),
            stands_in="C3 in serum, which senescent fibroblasts make" if part == "complement" else "",
            remark="the default value of a contested parameter takes the other side, that of H068"
            if arm == CIS
            else "",
        )
        for arm, part, readout in (
            (DOX, "complement", "serum_c3"),
            (DOX, "metastasis", "metastases"),
            (CIS, "complement", "serum_c3"),
        )
    ),
)
