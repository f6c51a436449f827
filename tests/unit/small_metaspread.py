"""Small bodies for the model of metastatic spread, in which much happens in little time."""

from paget.catalogue.metaspread import MetaSpread
from paget.process import quantity


def q(text):
    return quantity(text, reason="a small body in which much happens")


def small(**changes):
    """A body of three small grids, with many vessels and much survival."""
    parts = {
        "sites": q("25"),
        "tick": q("200 s"),
        "field_tick": q("200 s"),
        "founders": q("60"),
        "founder_sites": q("21"),
        "free_sites": q("37"),
        "normal_vessels": q("20"),
        "ruptured_vessels": q("20"),
        "doubling_time_mesenchymal": q("4000 s"),
        "doubling_time_epithelial": q("6000 s"),
        "time_in_blood": q("1000 s"),
        "survival_single": q("0.3"),
        "survival_cluster": q("0.6"),
    }
    return MetaSpread(**{**parts, **changes})


def dense(**changes):
    """A small body with many vessels and much survival, so that every column fills: the scenario of the reference runs."""
    parts = {
        "legacy": True,
        "sites": q("61"),
        "tick": q("200 s"),
        "field_tick": q("200 s"),
        "normal_vessels": q("40"),
        "ruptured_vessels": q("20"),
        "founders": q("196"),
        "founder_sites": q("49"),
        "free_sites": q("120"),
        "survival_single": q("0.05"),
        "survival_cluster": q("0.25"),
    }
    return MetaSpread(**{**parts, **changes})
