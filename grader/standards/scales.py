"""Scales: how a degree of quality becomes credit.

A scale is a straight line between two figures: the one at which no credit is left, and the one
from which all of it is given. Each carries its reason; ``docs/checks.md`` shows them in one table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A straight line from no credit to full credit."""

    measure: str
    """What is measured, with its unit, such as ``defects per 1,000 lines``."""
    none: float
    """At this figure, and on its far side, nothing is earned."""
    full: float
    """From this figure on everything is earned. It may lie below ``none``: less is better then."""
    reason: str
    """Why the two figures are where they are."""

    def share(self, value: float) -> float:
        """Give the credit of a figure, 0..1."""
        return min(1.0, max(0.0, (value - self.none) / (self.full - self.none)))
