"""Numbers as a paper prints them."""

from __future__ import annotations

import math

__all__ = ["join_notes", "p_in_words", "with_decimals"]


def p_in_words(p: float) -> str:
    """Write a p-value with its relation sign: ``< 0.001``, ``= 0.023``, ``= 0.45``.

    >>> p_in_words(0.0004), p_in_words(0.0234), p_in_words(0.4511), p_in_words(1.0)
    ('< 0.001', '= 0.023', '= 0.45', '= 1')
    """
    if p < 0.001:
        return "< 0.001"
    if p == 1.0:
        return "= 1"
    return f"= {p:.3f}" if p < 0.0995 else f"= {min(p, 0.99):.2f}"


def with_decimals(scale: float) -> int:
    """Count the decimals that show a quantity of size `scale` with two significant digits, never more than eight.

    >>> with_decimals(3.2), with_decimals(0.041), with_decimals(250.0), with_decimals(0.0)
    (1, 3, 0, 0)
    """
    if scale <= 0.0:
        return 0
    return min(8, max(0, 1 - math.floor(math.log10(scale))))


def join_notes(*notes: str) -> str:
    """Join the remarks that are not empty."""
    return "; ".join(note for note in notes if note)
