"""Family trees of the tumour cells of each animal: Newick files, and the table of all cells that they are drawn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from paget.errors import ResultError
from paget.io.export.naming import animal_stem, animals_of
from paget.io.export.selection import Selection

if TYPE_CHECKING:
    from paget.results import Result

__all__ = ["write"]


def write(result: Result, folder: Path, selection: Selection) -> tuple[Path, ...]:
    """Write for each animal ``<arm>-<animal>.nwk``, one tree for each founder, and ``-survivors.nwk`` and ``-cells.csv``.

    The first holds every tumour cell that ever was. The second is joined under one root, and clone by clone, and holds the
    ancestors of the living only; it is left out where none lives. The third has a row for each cell of any type, with its
    mother. Sites that were selected are those where a family must have had a cell.
    """
    if selection.days is not None:
        raise ResultError("A family tree runs over all days of a study; select no day.")
    written = []
    tumour = [t["name"] for t in result.model["cell_types"] if t.get("group") == "tumour"]
    for arm, animal in animals_of(result, selection):
        family = result.lineage(arm, animal)
        if selection.sites is not None:
            there = family["founder"][family["site"].isin(selection.sites)]
            family = family[family["founder"].isin(there)].reset_index(drop=True)
        stem = animal_stem(result, arm, animal)
        followed = family[family["type"].isin(tumour)] if tumour else family
        if len(followed):
            (folder / f"{stem}.nwk").write_text(result.newick(arm, animal, family), encoding="utf-8")
            written.append(folder / f"{stem}.nwk")
        if (followed["fate"] == "alive").any():
            text = result.newick(arm, animal, family, survivors=True, joined=True)
            (folder / f"{stem}-survivors.nwk").write_text(text, encoding="utf-8")
            written.append(folder / f"{stem}-survivors.nwk")
        family.to_csv(folder / f"{stem}-cells.csv", index=False)
        written.append(folder / f"{stem}-cells.csv")
    return tuple(written)
