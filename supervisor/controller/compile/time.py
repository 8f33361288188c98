"""Seconds into whole scans."""

import math

_ROUNDING = 1e-9
"""A quotient this near a whole number (relative) is meant to be it: 0.3 s at 100 ms are 3 scans, not 4."""


def scans(seconds: float, period_s: float) -> int:
    """Least number of scans that last as long; any time at all is at least one."""
    quotient = seconds / period_s
    nearest = round(quotient)
    if abs(quotient - nearest) <= _ROUNDING * max(1.0, abs(quotient)):
        quotient = nearest
    return max(math.ceil(quotient), 1 if seconds > 0 else 0)


def scans_within(seconds: float, period_s: float) -> int:
    """Greatest number of scans that fit: for what must never last longer."""
    quotient = seconds / period_s
    nearest = round(quotient)
    if abs(quotient - nearest) <= _ROUNDING * max(1.0, abs(quotient)):
        return nearest
    return math.floor(quotient)
