"""What can fail on a simulated chamber, beside what can on every plant."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hil.errors import ScriptError
from hil.parts.script import CREW, GAS_FAULTS, OWN, SURROUNDINGS, Change, Vocabulary, choice, gas_changes, number

MATCH, LOAD, ELEMENT, BATH, LEVEL, FILAMENT = range(OWN + 3, OWN + 9)  # kinds of state.pxd
DETECTORS = 24
"""Index of the first detector in state.pxd."""

SITUATIONS = {
    "overtemperature_ok": 0, "door_closed": 1, "wafer_in": 2, "exhaust_ok": 3, "abatement_ok": 4, "water": 5,
    "n2_supply": 6, "air_supply": 7, "cabinet_ok": 8, "detector_ok": 9, "emo_ok": 10, "mains_ok": 11, "pump_ok": 12,
    "booster_ok": 13, "source_ok": 14, "bias_ok": 15, "arcing": 16, "dark": 17, "shield_closed": 18,
    "rotation_ok": 19, "bypass_ok": 20, "robot_ok": 21, "line_leak": 22, "lock_pump_ok": 23,
}  # fmt: skip
"""Indices of state.pxd by name."""
NORMAL = dict.fromkeys(SITUATIONS, 1.0) | {
    "water": 12.0, "n2_supply": 600.0, "air_supply": 600.0, "arcing": 0.0, "dark": 0.0, "line_leak": 0.0,
}  # fmt: skip
"""Their values when all is well."""
OWN_FAULTS = GAS_FAULTS | {"match_stuck", "element_broken", "bath_off", "source_empty", "filament_broken"}


def situations(detectors: list[str]) -> tuple[dict[str, int], dict[str, float]]:
    """Index and normal value of every situation, those of the tool's gas detectors included."""
    found = {f"{gas}_ppm": DETECTORS + at for at, gas in enumerate(detectors)}
    return SITUATIONS | found, NORMAL | dict.fromkeys(found, 0.0)


def vocabulary(
    lines: Mapping[str, tuple[int, float]], detectors: list[str], zones: int, leak_sccm: float
) -> Vocabulary:
    """Say what can fail.

    Args:
        lines: index and full scale in sccm of each gas line.
        detectors: gases that are watched for, as tags call them.
        zones: heating zones.
        leak_sccm: what a tight chamber leaks.
    """
    faults = {name: change for name, change in SURROUNDINGS.items() if name != "silane_detected"}
    faults |= {f"{gas}_detected": (f"{gas}_ppm", 1000.0) for gas in detectors}
    faults |= {
        "wafer_out": ("wafer_in", 0.0),
        "source_fault": ("source_ok", 0.0),
        "bias_fault": ("bias_ok", 0.0),
        "arc": ("arcing", 1.0),
        "source_dark": ("dark", 1.0),
        "shield_open": ("shield_closed", 0.0),
        "rotation_stalled": ("rotation_ok", 0.0),
        "robot_lost": CREW["robot_lost"],
        "line_leak": CREW["line_leak"],
        "lock_pump_trip": ("lock_pump_ok", 0.0),
    }
    return Vocabulary(faults, OWN_FAULTS, _changes(lines, zones, leak_sccm))


def _changes(
    lines: Mapping[str, tuple[int, float]], zones: int, leak_sccm: float
) -> Callable[[str, Mapping[str, Any]], Iterator[Change]]:
    feeds = {gas: index for gas, (index, _) in lines.items()}
    full_scale = {gas: most for gas, (_, most) in lines.items()}

    def changes(name: str, fault: Mapping[str, Any]) -> Iterator[Change]:
        yield from gas_changes(name, fault, feeds, full_scale, leak_sccm)
        if name == "match_stuck":
            yield MATCH, 0, number(fault, "value", 20.0) / 100.0, math.nan
        elif name == "element_broken":
            zone = fault.get("zone", 1)
            if not isinstance(zone, int) or not 1 <= zone <= zones:
                raise ScriptError(f"fault element_broken: zone must be 1 … {zones}, is {zone!r}")
            yield ELEMENT, zone - 1, number(fault, "value", 0.0), 1.0
        elif name == "bath_off":
            yield BATH, feeds[choice(fault, "gas", feeds)], number(fault, "value", None), 0.0
        elif name == "source_empty":
            yield LEVEL, feeds[choice(fault, "gas", feeds)], 0.0, -1.0
        elif name == "filament_broken":
            yield FILAMENT, 0, math.inf, 1.0

    return changes
