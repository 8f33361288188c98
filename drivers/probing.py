"""Whether a reading is what a probe expects."""

import math
import re

from config.profile import Probe
from drivers.values import GOOD, Reading


def passes(probe: Probe, reading: Reading) -> bool:
    """Judge a reading; one that is not Good proves nothing."""
    if probe.matches is not None:
        return re.fullmatch(probe.matches, reading.text) is not None
    value = reading.value
    if reading.status != GOOD or not math.isfinite(value):
        return False
    if probe.equals is not None and value != probe.equals:
        return False
    return (probe.low is None or value >= probe.low) and (probe.high is None or value <= probe.high)


def found(reading: Reading) -> str:
    """What was read, for a message."""
    return reading.text or f"{reading.value:g}"
