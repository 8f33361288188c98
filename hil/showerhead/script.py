"""What can fail on the simulated showerhead reactor, beside what can on every plant."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hil.parts.script import (
    CREW,
    GAS_FAULTS,
    NORMAL_CREW,
    OWN,
    SURROUNDINGS,
    Change,
    Vocabulary,
    gas_changes,
    number,
)

MATCH, LOAD = range(OWN + 3, OWN + 5)  # kinds of state.pxd
FEEDS = {"SiH4": 0, "NH3": 1, "N2O": 2, "NF3": 3, "N2": 4}
FULL_SCALE_SCCM = {"SiH4": 500.0, "NH3": 500.0, "N2O": 2000.0, "NF3": 500.0, "N2": 5000.0}

SITUATIONS = {
    "overtemperature_ok": 0, "door_closed": 1, "wafer_in": 2, "exhaust_ok": 3, "abatement_ok": 4, "water": 5,
    "n2_supply": 6, "air_supply": 7, "cabinet_ok": 8, "silane_ppm": 9, "detector_ok": 10, "emo_ok": 11,
    "mains_ok": 12, "pump_ok": 13, "booster_ok": 14, "generator_ok": 15, "ammonia_ppm": 16, "fluoride_ppm": 17,
    "arcing": 18, "dark": 19, "robot_ok": 20, "water_dry": 21, "mains_v": 22, "exhaust_pa": 23, "emo_front_ok": 24,
    "emo_rear_ok": 25, "line_leak": 26,
}  # fmt: skip
"""Indices of state.pxd by name."""
NORMAL = dict.fromkeys(SITUATIONS, 1.0) | {
    "water": 12.0, "n2_supply": 600.0, "air_supply": 600.0, "silane_ppm": 0.0, "ammonia_ppm": 0.0, "fluoride_ppm": 0.0,
    "arcing": 0.0, "dark": 0.0,
} | NORMAL_CREW  # fmt: skip
"""Their values when all is well."""


def _changes(name: str, fault: Mapping[str, Any]) -> Iterator[Change]:
    yield from gas_changes(name, fault, FEEDS, FULL_SCALE_SCCM, 0.002)
    if name == "match_stuck":
        yield MATCH, 0, number(fault, "value", 20.0) / 100.0, math.nan


VOCABULARY = Vocabulary(
    SURROUNDINGS
    | CREW
    | {
        "wafer_out": ("wafer_in", 0.0),
        "ammonia_detected": ("ammonia_ppm", 50.0),
        "fluoride_detected": ("fluoride_ppm", 20.0),
        "generator_fault": ("generator_ok", 0.0),
        "arc": ("arcing", 1.0),
        "plasma_dark": ("dark", 1.0),
    },
    GAS_FAULTS | {"match_stuck"},
    _changes,
)
KNOWN = VOCABULARY.known
