"""How figures are written in messages: honest, and coarse where a case is hidden."""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """Write a share of 0..1 so that 100 stands only for all and 0 only for none."""
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    tenths = min(max(round(share * 1000), 1), 999)
    return f"{tenths / 10:.1f} %"


def size(value: float | None) -> str:
    """Write the size of a difference to two significant digits."""
    return "unknown" if value is None else f"{value:.2g}"


def coarse(value: float | None, *, hidden: bool) -> float | None:
    """Round a difference of a hidden case to two significant digits, so that it tells no value."""
    if value is None or not hidden or not math.isfinite(value):
        return value
    return float(f"{value:.1e}")
