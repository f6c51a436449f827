"""What tumour cells of a site secrete into the body: per cell and hour, more in hypoxia."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paget.body.messengers import EXOSOMES, PLASMA
from paget.body.values import Number, Numbers
from paget.errors import StudyError, UnknownNameError
from paget.evidence import Parameter
from paget.process import Named

__all__ = ["SECRETED", "Secreted", "Secretion"]


@dataclass(frozen=True)
class Secreted:
    """One species that tumour cells secrete.

    rate : per cell and hour, in the species' unit; in_hypoxia : fold of that rate in a hypoxic cell; scaled_by : the molecule
    whose activity, set by an intervention, multiplies it
    """

    species: str
    rate: Number
    unit: str
    in_hypoxia: Number
    scaled_by: str


def _factor(species: str) -> Secreted:
    key = species.lower()
    return Secreted(species, Named(f"{key}_secretion", "pmol/h"), "pmol/h", Named(f"{key}_hypoxia", ""), "")


SECRETED: tuple[Secreted, ...] = (
    *(_factor(name) for name in ("CSF3", "VEGFA", "PGF", "LOX", "CCL2")),
    Secreted(EXOSOMES, Named("exosome_release", "1/h"), "1/h", Named("exosome_hypoxia", ""), "RAB27A"),
)


class Secretion:
    """Secretion of the tumour cells of all sites.

    amount per h = cells x rate x (1 + (fold - 1) x hypoxic share) x multiplier

    Assumes
        Cells of one site secrete alike; a site that is no compartment, as the primary tumour, secretes into plasma.
    """

    def __init__(
        self,
        table: Mapping[str, Parameter],
        draw: Callable[[Parameter], float] | None = None,
        secreted: tuple[Secreted, ...] = SECRETED,
    ) -> None:
        numbers = Numbers(table, draw)
        self.secreted = secreted
        self._rates = [(numbers(s.rate, s.unit), numbers(s.in_hypoxia, "")) for s in secreted]

    def amounts(
        self,
        cells: Mapping[str, float],
        places: Mapping[str, str] | None = None,
        hypoxic: Mapping[str, float] | None = None,
        multipliers: Mapping[tuple[str, str], float] | None = None,
        interventions: Mapping[str, float] | None = None,
    ) -> dict[tuple[str, str], float]:
        """Amount per hour of each species into each compartment, for `Compartments.advance`.

        cells : tumour cells by site; places : compartment of a site, plasma where absent
        hypoxic : share of a site's cells that is hypoxic; multipliers : by (species, site), as outputs of networks in cells
        interventions : activity that is left of a molecule, 1 where absent

        Raises
        ------
        StudyError, UnknownNameError
        """
        places, hypoxic = places or {}, hypoxic or {}
        multipliers, interventions = multipliers or {}, interventions or {}
        names = [s.species for s in self.secreted]
        for species, site in multipliers:
            if species not in names:
                raise UnknownNameError("secreted species", species, names)
            if site not in cells:
                raise UnknownNameError("site", site, cells)
        wrong = [
            f"{n:g} tumour cells in '{site}'; there cannot be fewer than none" for site, n in cells.items() if n < 0.0
        ]
        wrong += [
            f"a hypoxic share of {share:g} in '{site}'; it must be from 0 to 1"
            for site, share in hypoxic.items()
            if not 0.0 <= share <= 1.0
        ]
        if wrong:
            raise StudyError("secretion makes no sense:", wrong)
        found: dict[tuple[str, str], float] = {}
        for site, n in cells.items():
            place = places.get(site, PLASMA)
            for secreted, (rate, fold) in zip(self.secreted, self._rates, strict=True):
                amount = n * rate * (1.0 + (fold - 1.0) * hypoxic.get(site, 0.0))
                amount *= multipliers.get((secreted.species, site), 1.0)
                amount *= interventions.get(secreted.scaled_by, 1.0)
                key = (secreted.species, place)
                found[key] = found.get(key, 0.0) + amount
        return found
