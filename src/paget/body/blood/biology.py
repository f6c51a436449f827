"""The numbers of what happens in blood, for one body: hazards, mechanics of cells, and what each organ's capillaries do."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paget.body.chain import Chain
from paget.body.values import Numbers
from paget.errors import ModelError, UnknownNameError
from paget.evidence import Parameter, ParameterTable, load_parameters
from paget.kernels import blood as kernel
from paget.process import Named, parameter

__all__ = ["EFFECTS", "BloodBiology", "Rates", "Species", "blood_parameters"]

Real = NDArray[np.float64]
Species = Literal["mouse", "human"]

# What an effect scales: rows of the numbers of the kernel, and of its table of beds.
_SCALED = {
    "anoikis": (kernel.ANOIKIS,),
    "shear": (kernel.SHEAR,),
    "nk_killing": (kernel.NK_FLOWING, kernel.NK_LODGED),
    "escort": (kernel.ESCORT_GAIN,),
    "break_up": (kernel.BREAK_UP,),
    "detachment": (kernel.DETACHMENT,),
    "trapping": (kernel.TRAPPING,),
}
_SCALED_BY_ORGAN = {"adhesion": kernel.ADHESION, "extravasation": kernel.EXTRAVASATION}
_BY_ORGAN = {"pressure": "Pa", "adhesion": "", "extravasation": "1/h"}
EFFECTS = (*_SCALED, "aggregation", *_SCALED_BY_ORGAN)


def blood_parameters(species: Species = "mouse") -> ParameterTable:
    """Numbers of cells in the blood of a species."""
    table = load_parameters("blood", "networks")
    return table.with_values({key: species for key in table if species in table.variants_of(key)})


class Rates(NamedTuple):
    """The numbers of one tick as the kernels take them; pair : rate at which two parties meet, 1/h."""

    numbers: Real
    beds: Real
    pair: float


@dataclass(frozen=True, kw_only=True)
class BloodBiology:
    """How single tumour cells and clusters fare in blood, lymph and capillaries.

    A party flows from node to node. In a bed it is caught if it is too wide for the capillary that it meets (Laplace's law for
    its radius and cortical tension, at the pressure across the bed) or if it sticks to the wall. Members die of anoikis as far
    as no survival signal and no bond to a neighbour protects them, of shear stress in flow, and by natural killer cells, from
    which bonds and an escort of platelets or neutrophils shield. Clusters break; what is lodged leaves through the vessel wall,
    dies, or comes loose.

    numbers : looks the numbers up; organs : names to which `width` to `pressure` belong
    width, spread : inner diameter of the capillaries that a cell meets, log-normal: mean and standard deviation, um, [organs]
    volume : of the blood
    """

    numbers: Numbers
    organs: tuple[str, ...]
    width: tuple[float, ...]
    spread: tuple[float, ...]
    volume: Parameter
    anoikis: Named | Parameter = parameter("anoikis_rate", "1/h")
    bond_anchorage: Named | Parameter = parameter("ctc_bond_anchorage", "")
    lodged_anoikis: Named | Parameter = parameter("ctc_lodged_anoikis", "")
    shear: Named | Parameter = parameter("ctc_shear_death", "1/h")
    nk_flowing: Named | Parameter = parameter("ctc_nk_killing_flowing", "1/h")
    nk_lodged: Named | Parameter = parameter("ctc_nk_killing_lodged", "1/h")
    bond_masking: Named | Parameter = parameter("ctc_bond_masking", "")
    escort_shield: Named | Parameter = parameter("ctc_escort_shield", "")
    escort_gain: Named | Parameter = parameter("ctc_escort_gain", "1/h")
    escort_loss: Named | Parameter = parameter("ctc_escort_loss", "1/h")
    escort_grip: Named | Parameter = parameter("ctc_escort_grip", "")
    escort_passage: Named | Parameter = parameter("ctc_escort_passage", "")
    break_up: Named | Parameter = parameter("ctc_break_up", "1/h")
    detachment: Named | Parameter = parameter("ctc_detachment", "1/h")
    epithelial_passage: Named | Parameter = parameter("ctc_epithelial_passage", "")
    file_friction: Named | Parameter = parameter("ctc_file_friction", "")
    longest_file: Named | Parameter = parameter("ctc_longest_file", "cell")
    aggregation: Named | Parameter = parameter("ctc_aggregation", "uL/h")
    radius: Named | Parameter = parameter("ctc_radius", "um")
    tension_epithelial: Named | Parameter = parameter("ctc_tension_epithelial", "mN/m")
    tension_mesenchymal: Named | Parameter = parameter("ctc_tension_mesenchymal", "mN/m")
    survival: Named | Parameter = parameter("ctc_survival_signal", "")
    mesenchymal: Named | Parameter = parameter("ctc_mesenchymal_share", "")
    pressure: Mapping[str, Named | Parameter] = field(default_factory=dict)
    adhesion: Mapping[str, Named | Parameter] = field(default_factory=dict)
    extravasation: Mapping[str, Named | Parameter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = [
            f"{name} has {len(getattr(self, name))} values for {len(self.organs)} organs"
            for name in ("width", "spread")
            if len(getattr(self, name)) != len(self.organs)
        ]
        problems += [
            f"the {name} of the capillaries of {organ} must be more than 0 um, not {value:g}"
            for name in ("width", "spread")
            for organ, value in zip(self.organs, getattr(self, name), strict=False)
            if not value > 0.0
        ]
        if self.volume.inside("uL") <= 0.0:
            problems.append(
                f"the volume of the blood must be more than 0, not {self.volume.value:g} {self.volume.unit}"
            )
        scalars = {f.name: self[f.name] for f in dataclasses.fields(self) if "unit" in f.metadata}
        shares = ("bond_anchorage", "bond_masking", "escort_shield", "survival", "mesenchymal", "lodged_anoikis")
        problems += [f"{name} is a share from 0 to 1, not {scalars[name]:g}" for name in shares if scalars[name] > 1.0]
        above = ("radius", "tension_epithelial", "tension_mesenchymal", "longest_file")
        problems += [f"{name} must be more than 0" for name in above if scalars[name] <= 0.0]
        problems += [f"{name} must not be negative" for name, value in scalars.items() if value < 0.0]
        for name in _BY_ORGAN:
            unknown = [organ for organ in getattr(self, name) if organ not in self.organs]
            if unknown:
                raise UnknownNameError("organ", unknown[0], self.organs)
        if problems:
            raise ModelError("The biology of the blood cannot be used:", problems)

    def __getitem__(self, name: str) -> float:
        """A number by the name of its field, in its unit."""
        return self._values[name]

    @functools.cached_property
    def _values(self) -> dict[str, float]:
        units = {f.name: f.metadata["unit"] for f in dataclasses.fields(self) if "unit" in f.metadata}
        return {name: self.numbers(getattr(self, name), unit) for name, unit in units.items()}

    @classmethod
    def of(
        cls,
        anatomy: Any,
        table: ParameterTable | None = None,
        draw: Callable[[Parameter], float] | None = None,
        **changes: Any,
    ) -> BloodBiology:
        """The biology in a body: capillaries and volume of blood of its anatomy, numbers of its species.

        table : in place of `blood_parameters` of the species; draw : the value of a parameter in one animal
        changes : fields to replace, as ``shear=quantity("0.2 1/h", reason=...)``
        """
        width, spread = anatomy.capillaries()
        return cls(
            numbers=Numbers(blood_parameters(anatomy.species) if table is None else table, draw),
            organs=anatomy.names,
            width=tuple(width.tolist()),
            spread=tuple(spread.tolist()),
            volume=anatomy.blood,
            **changes,
        )

    def by_organ(self, name: Literal["pressure", "adhesion", "extravasation"]) -> Real:
        """A number of every organ [organs]: as given, else its row of the table, else the row of other organs."""
        return np.array([self.numbers(number, _BY_ORGAN[name]) for number in self._of_organs(name)])

    def _of_organs(self, name: str) -> list[Named | Parameter]:
        given: Mapping[str, Named | Parameter] = getattr(self, name)
        rows = {organ: f"ctc_{name}_{organ.replace(' ', '_')}" for organ in self.organs}
        other = f"ctc_{name}_other"
        return [
            given.get(organ, Named(row if row in self.numbers.table else other, _BY_ORGAN[name]))
            for organ, row in rows.items()
        ]

    def tension(self, mesenchymal: Real) -> Real:
        """Cortical tension (mN/m) of cells by their mesenchymal share: between the two ends on a scale of logarithms."""
        stiff, soft = np.log(self["tension_epithelial"]), np.log(self["tension_mesenchymal"])
        return np.asarray(np.exp(stiff + (soft - stiff) * np.asarray(mesenchymal)))

    def rates(self, effects: Mapping[str, float] | None = None) -> Rates:
        """The numbers of a tick, scaled by effects: ``{"nk_killing": 0.1, "extravasation:lung": 3.0}``.

        An effect that names an organ scales that organ's number, on top of the effect without a name.

        Raises
        ------
        UnknownNameError, ModelError
        """
        numbers, beds, pair = self._unscaled.numbers.copy(), self._unscaled.beds.copy(), self._unscaled.pair
        for effect, factor in (effects or {}).items():
            if not 0.0 <= factor < np.inf:
                raise ModelError(f"The effect '{effect}' must be a factor of 0 or more, not {factor}")
            name, _, organ = effect.partition(":")
            if name not in EFFECTS or (organ and name not in _SCALED_BY_ORGAN):
                raise UnknownNameError("effect in the blood", effect, EFFECTS)
            if organ and organ not in self.organs:
                raise UnknownNameError("organ", organ, self.organs)
            if name in _SCALED:
                numbers[list(_SCALED[name])] *= factor
            elif name in _SCALED_BY_ORGAN:
                beds[_SCALED_BY_ORGAN[name], self.organs.index(organ) if organ else slice(None)] *= factor
            else:
                pair *= factor
        return Rates(numbers, beds, pair)

    @functools.cached_property
    def _unscaled(self) -> Rates:
        variance = np.log1p((np.array(self.spread) / np.array(self.width)) ** 2)  # of log-normal widths
        beds = [
            np.log(self.width) - 0.5 * variance,
            np.sqrt(variance),
            self.by_organ("pressure"),
            self.by_organ("adhesion"),
            self.by_organ("extravasation"),
        ]
        pair = self["aggregation"] / self.volume.inside("uL")
        return Rates(np.array([self[name] for name in _ORDER] + [1.0]), np.stack(beds), pair)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every number in use with its evidence, for citations and assumptions."""
        scalars = [getattr(self, f.name) for f in dataclasses.fields(self) if "unit" in f.metadata]
        named = [*scalars, *(number for name in _BY_ORGAN for number in self._of_organs(name))]
        found = [self.numbers.table[one.key] if isinstance(one, Named) else one for one in named]
        return tuple(dict.fromkeys([*found, self.volume]))

    def check(self, chain: Chain) -> None:
        """Refuse a circulation with other organs than those that the numbers are for."""
        if chain.organs != self.organs:
            raise ModelError(
                "The circulation and the biology of the blood are not of one body:",
                [f"organs of the circulation: {', '.join(chain.organs)}", f"of the biology: {', '.join(self.organs)}"],
            )


# The fields in the order in which the kernel holds them; what trapping is scaled by comes last.
_ORDER = (
    "anoikis",
    "bond_anchorage",
    "lodged_anoikis",
    "shear",
    "nk_flowing",
    "nk_lodged",
    "bond_masking",
    "escort_shield",
    "escort_gain",
    "escort_loss",
    "escort_grip",
    "escort_passage",
    "break_up",
    "detachment",
    "epithelial_passage",
    "file_friction",
    "longest_file",
)
