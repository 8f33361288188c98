"""Fault scripts: words that people write, into orders that the plant's step carries out."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hil.errors import ScriptError

SITUATION, SENSOR, OFFSET, DRIFT, FEED, LEAK, THROTTLE, ELEMENT, LOAD = range(9)  # OrderKind of state.pxd
HEALTHY, OPEN, SILENT, NOT_A_NUMBER, FROZEN = range(5)  # SensorFault of state.pxd
FEEDS = {"SiH4": 0, "N2O": 1, "N2": 2}
FULL_SCALE_SCCM = {"SiH4": 200.0, "N2O": 500.0, "N2": 5000.0}

# Faults that change one situation: what they make of it. A `value` in the script goes before.
SITUATIONS = {
    "door_open": ("door_closed", 0.0),
    "boat_out": ("boat_in", 0.0),
    "exhaust_lost": ("exhaust_ok", 0.0),
    "abatement_lost": ("abatement_ok", 0.0),
    "water_lost": ("water", 0.0),
    "n2_lost": ("n2_supply", 0.0),
    "air_lost": ("air_supply", 0.0),
    "gas_cabinet_fault": ("cabinet_ok", 0.0),
    "silane_detected": ("silane_ppm", 20.0),
    "detector_fault": ("detector_ok", 0.0),
    "emergency_off": ("emo_ok", 0.0),
    "power_loss": ("mains_ok", 0.0),
    "pump_trip": ("pump_ok", 0.0),
    "booster_trip": ("booster_ok", 0.0),
    "overtemperature_contact": ("overtemperature_ok", 0.0),
}
SENSORS = {
    "thermocouple_open": OPEN,
    "sensor_open": OPEN,
    "sensor_silent": SILENT,
    "sensor_nan": NOT_A_NUMBER,
    "sensor_frozen": FROZEN,
}
VALUED = {"sensor_offset", "sensor_drift", "mfc_stuck", "leak", "throttle_stuck", "element_broken"}
KNOWN = (*SITUATIONS, *SENSORS, *sorted(VALUED))
WORDS = {"fault", "tag", "gas", "zone", "value", "at_s", "for_s", "clear"}


@dataclass(frozen=True)
class Order:
    """One change of the plant."""

    at_s: float
    """Plant time; negative: the next step."""
    kind: int
    index: int
    value: float


def read(fault: Mapping[str, Any], sensors: Mapping[str, int], situations: Mapping[str, int],
         normal: Mapping[str, float]) -> list[Order]:  # fmt: skip
    """Turn one entry of a script into orders.

    `{"fault": "mfc_stuck", "gas": "SiH4", "value": "open", "at_s": 1500, "for_s": 20}`: `at_s` in plant time (at once
    without it), `for_s` clears it afterwards, `"clear": true` clears it now or at `at_s`.

    Raises:
        ScriptError: an unknown word, a missing or impossible value.
    """
    if unknown := sorted(set(fault) - WORDS):
        raise ScriptError(f"fault: unknown {', '.join(unknown)}; there are {', '.join(sorted(WORDS))}")
    name = fault.get("fault")
    if name not in KNOWN:
        raise ScriptError(f"fault: there is no {name!r}; there are {', '.join(KNOWN)}")
    at_s = _number(fault, "at_s", -1.0)
    lasts_s = _number(fault, "for_s", math.inf)
    if lasts_s < math.inf and at_s < 0.0:
        raise ScriptError("fault: for_s needs at_s, the plant's time at which it begins")
    clear = bool(fault.get("clear", False))
    changes = list(_changes(str(name), fault, sensors, situations, normal))
    orders = [Order(at_s, kind, index, ended if clear else value) for kind, index, value, ended in changes]
    if lasts_s < math.inf and not clear:
        orders += [Order(at_s + lasts_s, kind, index, ended) for kind, index, _, ended in changes]
    return orders


def _changes(
    name: str,
    fault: Mapping[str, Any],
    sensors: Mapping[str, int],
    situations: Mapping[str, int],
    normal: Mapping[str, float],
) -> Iterator[tuple[int, int, float, float]]:
    """Yield kind, index, value and the value that clears it."""
    if name in SITUATIONS:
        situation, value = SITUATIONS[name]
        yield SITUATION, situations[situation], _number(fault, "value", value), normal[situation]
        if name == "silane_detected":
            # The detector's relay drops at its second level, 10 ppm (twice the exposure limit, a usual setting).
            dropped = 0.0 if _number(fault, "value", value) > 10.0 else 1.0
            yield SITUATION, situations["detector_ok"], dropped, 1.0
    elif name in SENSORS:
        yield SENSOR, _sensor(fault, sensors), float(SENSORS[name]), float(HEALTHY)
    elif name == "sensor_offset":
        value = _number(fault, "value", None)
        yield OFFSET, _sensor(fault, sensors), value, -value
    elif name == "sensor_drift":
        yield DRIFT, _sensor(fault, sensors), _number(fault, "value", None), 0.0
    elif name == "mfc_stuck":
        gas = _choice(fault, "gas", FEEDS)
        value = fault.get("value", "open")
        words = {"open": FULL_SCALE_SCCM[gas], "closed": 0.0}
        flow = words[value] if isinstance(value, str) and value in words else _number(fault, "value", None)
        yield FEED, FEEDS[gas], flow, math.nan
    elif name == "leak":
        yield LEAK, 0, _number(fault, "value", None), 0.005
    elif name == "throttle_stuck":
        value = _number(fault, "value", -1.0)
        yield THROTTLE, 0, value / 100.0 if value >= 0.0 else -1.0, math.nan
    elif name == "element_broken":
        zone = fault.get("zone")
        if not isinstance(zone, int) or not 1 <= zone <= 3:
            raise ScriptError(f"fault element_broken: zone must be 1, 2 or 3, is {zone!r}")
        yield ELEMENT, zone - 1, _number(fault, "value", 0.0), 1.0


def _number(fault: Mapping[str, Any], word: str, default: float | None) -> float:
    value = fault.get(word, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ScriptError(f"fault {fault.get('fault')}: {word} must be a number, is {value!r}")
    return float(value)


def _sensor(fault: Mapping[str, Any], sensors: Mapping[str, int]) -> int:
    return sensors[_choice(fault, "tag", sensors)]


def _choice(fault: Mapping[str, Any], word: str, choices: Mapping[str, int]) -> str:
    value = fault.get(word)
    if value not in choices:
        raise ScriptError(f"fault {fault.get('fault')}: {word} must be one of {', '.join(choices)}, is {value!r}")
    return str(value)
