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
    effect_size, effect_size_name : Hedges g, rate ratio, hazard ratio (below 1: fewer events) or rank-biserial
        correlation; None also where a ratio is unbounded, because the control has no count.
    test, statistic, p : the test in words, its statistic, its two-sided p-value; None where no test is possible.
    p_adjusted : p after Holm's adjustment over the readouts of this contrast, None until adjusted.
    paired : whether the test used that both arms hold the same animals.
    note : everything a reader must know before trusting the numbers; "" if there is nothing.
    failed_arm, failed_versus : animals of the two arms that failed and are missing from every number here.
    effect_size_interval : 95 % interval of a ratio, its end infinite where the data leave it open; None for other
        sizes.
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
    failed_arm: int = 0
    failed_versus: int = 0
    effect_size_interval: Interval | None = None

    def sentence(self) -> str:
        """Write the comparison as a paper would report it."""
        text = f"{self.title}, {self.arm} versus {self.versus}: {self._effect_in_words()}"
        text += self._size_in_words()
        count = f"n = {self.n_arm} pairs" if self.paired else f"n = {self.n_arm} and {self.n_versus}"
        text += f", {self.test}, {count}{self._failures_in_words()}"
        if self.p is None:
            text += ", no p-value"
        else:
            text += f", p {p_in_words(self.p)}"
        if self.p_adjusted is not None:
            text += f", Holm-adjusted p {p_in_words(self.p_adjusted)}"
        return f"{text} ({self.note})" if self.note else text

    def __str__(self) -> str:
        return self.sentence()

    def _size_in_words(self) -> str:
        if self.effect_size is None:
            low = self.effect_size_interval[0] if self.effect_size_interval else 0.0
            return f", {self.effect_size_name} above {_short(low)}" if low > 0.0 else ""
        words = f", {self.effect_size_name} {_short(self.effect_size)}"
        if self.effect_size_interval is None:
            return words
        low, high = self.effect_size_interval
        return f"{words} (95 % CI {_short(low)} to {_short(high)})"

    def _failures_in_words(self) -> str:
        told = [(self.failed_arm, self.arm), (self.failed_versus, self.versus)]
        lost = [f"{number} of '{arm}'" for number, arm in told if number > 0]
        return f", failed and missing: {' and '.join(lost)}" if lost else ""

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


def _short(size: float) -> str:
    """Two decimals, or two digits of small ratios, which would read as zero."""
    return f"{size:.2g}" if 0.0 < size < 0.1 else f"{size:.2f}"
