"""The tissues in the description of a model: one tissue is the model itself, a body has one for each site cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from paget.errors import ResultError, UnknownNameError

__all__ = ["checked_site", "sites_with_fields", "tissue_of"]


def sites_with_fields(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Sites of a body of which concentrations are recorded; none of one tissue, and none of a body without tissues."""
    return tuple(site for site, tissue in model.get("tissues", {}).items() if tissue["fields"])


def tissue_of(model: Mapping[str, Any], site: str | None) -> Mapping[str, Any]:
    """Description of one tissue: domain, fields and all that holds of the model as a whole."""
    return {**model, **model["tissues"][site]} if site else model


def checked_site(model: Mapping[str, Any], site: str | None) -> str:
    """The site whose concentrations are meant, "" for one tissue.

    Raises
    ------
    ResultError, UnknownNameError
        If a body needs one and none was named, or one was named that has none.
    """
    known = sites_with_fields(model)
    if not model.get("sites"):
        if site:
            raise ResultError(
                f"There is no site '{site}': this study follows one tissue, not a body. Leave the site out."
            )
        return ""
    if not known:
        raise ResultError(
            f"The study of '{model['name']}' keeps no concentrations: none of its sites ({_listed(model['sites'])}) is "
            "simulated as a tissue with fields."
        )
    if not site:
        raise ResultError(
            f"Each site of a body has concentrations of its own; name one of those that have any: {_listed(known)}."
        )
    if site not in known:
        raise UnknownNameError("site with fields", site, known)
    return site


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
