"""One arm against another in one readout, as a value that reads like a sentence of a paper."""

from __future__ import annotations

from dataclasses import dataclass

from paget.compare.findings import Interval
from paget.compare.outcomes import Kind
from paget.compare.wording import p_in_words, with_decimals

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """How far an arm is from its control in one readout, with interval, standardised effect and test.

    Attributes
    ----------
    readout, title, unit, kind : what was compared.
    arm, versus : the two arms; every signed number is `arm` minus `versus`.
    n_arm, n_versus : animals that entered the test (complete pairs if `paired`).
    mean_arm, mean_versus : arithmetic means; for kind "time" the restricted mean event time (`mean_name` says which).
    sd_arm, sd_versus : sample standard deviations; for kind "time" those of the restricted time; None below 2 animals.
    effect : difference of the means, in `unit`; for kind "time" the difference of the restricted means.
    interval : 95 % confidence interval of `effect`, or None if it cannot be given.
    effect_size, effect_size_name : Hedges g, rank-biserial correlation or hazard ratio (below 1: fewer events).
    test, statistic, p : the test in words, its statistic, its two-sided p-value; None where no test is possible.
    p_adjusted : p after Holm's adjustment over the readouts of this contrast, None until adjusted.
    paired : whether the test used that both arms hold the same animals.
    note : everything a reader must know before trusting the numbers; "" if there is nothing.
    """

    readout: str
    title: str
    unit: str
    kind: Kind
    arm: str
    versus: str
    n_arm: int
    n_versus: int
    mean_arm: float | None
    mean_versus: float | None
    mean_name: str
    sd_arm: float | None
    sd_versus: float | None
    effect: float | None
    interval: Interval | None
    effect_size: float | None
    effect_size_name: str
    test: str
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    paired: bool
    note: str

    def sentence(self) -> str:
        """Write the comparison as a paper would report it."""
        text = f"{self.title}, {self.arm} versus {self.versus}: {self._effect_in_words()}"
        if self.effect_size is not None:
            text += f", {self.effect_size_name} {self.effect_size:.2f}"
        count = f"n = {self.n_arm} pairs" if self.paired else f"n = {self.n_arm} and {self.n_versus}"
        text += f", {self.test}, {count}"
        if self.p is None:
            text += ", no p-value"
        else:
            text += f", p {p_in_words(self.p)}"
        if self.p_adjusted is not None:
            text += f", Holm-adjusted p {p_in_words(self.p_adjusted)}"
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.sentence()

    def _effect_in_words(self) -> str:
        if self.effect is None:
            return "no difference can be given"
        half_width = (self.interval[1] - self.interval[0]) / 2 if self.interval else 0.0
        decimals = with_decimals(half_width or abs(self.effect))
        unit = f" {self.unit}" if self.unit else ""
        of_what = "" if self.mean_name == "mean" else f" in {self.mean_name}"
        sign = "+" if self.effect > 0 else ""
        words = f"{self.effect:{sign}z.{decimals}f}{unit}{of_what}"
        if self.interval is not None:
            low, high = self.interval
            words += f" (95 % CI {low:z.{decimals}f} to {high:z.{decimals}f})"
        return words
