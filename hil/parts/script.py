"""Fault scripts: words that people write, into orders that the plant's step carries out."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hil.errors import ScriptError

SITUATION, SENSOR, OFFSET, DRIFT, OWN = range(5)  # kinds of hil/parts/orders.pxd
FEED, LEAK, THROTTLE = range(OWN, OWN + 3)  # the first of every plant's own: its lines, its walls, its valve
HEALTHY, OPEN, SILENT, NOT_A_NUMBER, FROZEN = range(5)  # faults of hil/parts/instruments.pxd

SENSORS = {
    "thermocouple_open": OPEN,
    "sensor_open": OPEN,
    "sensor_silent": SILENT,
    "sensor_nan": NOT_A_NUMBER,
    "sensor_frozen": FROZEN,
}
SENSOR_VALUES = ("sensor_drift", "sensor_offset")
SURROUNDINGS = {
    "door_open": ("door_closed", 0.0),
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
"""Faults of what every tool stands among: which situation they change, and what they make of it."""
CREW = {
    "robot_lost": ("robot_ok", 0.0),
    "water_leak": ("water_dry", 0.0),
    "mains_sag": ("mains_v", 180.0),
    "exhaust_weak": ("exhaust_pa", -30.0),
    "emo_front": ("emo_front_ok", 0.0),
    "emo_rear": ("emo_rear_ok", 0.0),
    "line_leak": ("line_leak", 5.0),
}
"""What else goes wrong where a plant has a robot, a line from a bottle and more contacts."""
NORMAL_CREW = {
    "robot_ok": 1.0, "water_dry": 1.0, "mains_v": 230.0, "exhaust_pa": -250.0, "emo_front_ok": 1.0, "emo_rear_ok": 1.0,
    "line_leak": 0.0,
}  # fmt: skip
"""The situations of these when all is well."""
WORDS = {"fault", "tag", "gas", "zone", "value", "at_s", "for_s", "clear"}

Change = tuple[int, int, float, float]
"""Kind, index, value, and the value that clears it."""


@dataclass(frozen=True)
class Order:
    """One change of the plant."""

    at_s: float
    """Plant time; negative: the next step."""
    kind: int
    index: int
    value: float


@dataclass(frozen=True)
class Vocabulary:
    """What can fail on one plant."""

    situations: Mapping[str, tuple[str, float]]
    """Faults that change one situation: what they make of it. A `value` in the script goes before."""
    own: frozenset[str]
    """Faults that `changes` knows."""
    changes: Callable[[str, Mapping[str, Any]], Iterator[Change]]

    @property
    def known(self) -> tuple[str, ...]:
        """Every fault, in the order in which people are told."""
        return (*self.situations, *SENSORS, *sorted({*self.own, *SENSOR_VALUES}))


def read(
    fault: Mapping[str, Any],
    vocabulary: Vocabulary,
    sensors: Mapping[str, int],
    situations: Mapping[str, int],
    normal: Mapping[str, float],
) -> list[Order]:
    """Turn one entry of a script into orders.

    `{"fault": "mfc_stuck", "gas": "SiH4", "value": "open", "at_s": 1500, "for_s": 20}`: `at_s` in plant time (at once
    without it), `for_s` clears it afterwards, `"clear": true` clears it now or at `at_s`.

    Raises:
        ScriptError: an unknown word, a missing or impossible value.
    """
    if unknown := sorted(set(fault) - WORDS):
        raise ScriptError(f"fault: unknown {', '.join(unknown)}; there are {', '.join(sorted(WORDS))}")
    name = fault.get("fault")
    if name not in vocabulary.known:
        raise ScriptError(f"fault: there is no {name!r}; there are {', '.join(vocabulary.known)}")
    at_s = number(fault, "at_s", -1.0)
    lasts_s = number(fault, "for_s", math.inf)
    if lasts_s < math.inf and at_s < 0.0:
        raise ScriptError("fault: for_s needs at_s, the plant's time at which it begins")
    clear = bool(fault.get("clear", False))
    changes = list(_changes(str(name), fault, vocabulary, sensors, situations, normal))
    orders = [Order(at_s, kind, index, ended if clear else value) for kind, index, value, ended in changes]
    if lasts_s < math.inf and not clear:
        orders += [Order(at_s + lasts_s, kind, index, ended) for kind, index, _, ended in changes]
    return orders


def number(fault: Mapping[str, Any], word: str, default: float | None) -> float:
    """Read a number of a fault; raises ScriptError."""
    value = fault.get(word, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ScriptError(f"fault {fault.get('fault')}: {word} must be a number, is {value!r}")
    return float(value)


def choice(fault: Mapping[str, Any], word: str, choices: Mapping[str, int]) -> str:
    """Read one of several names; raises ScriptError."""
    value = fault.get(word)
    if value not in choices:
        raise ScriptError(f"fault {fault.get('fault')}: {word} must be one of {', '.join(choices)}, is {value!r}")
    return str(value)


GAS_FAULTS = frozenset({"mfc_stuck", "leak", "throttle_stuck"})
"""What can fail about the gas of every plant."""


def gas_changes(
    name: str, fault: Mapping[str, Any], feeds: Mapping[str, int], full_scale: Mapping[str, float], leak_sccm: float
) -> Iterator[Change]:
    """Yield what a fault of the gas changes, nothing for others.

    Args:
        name: of the fault.
        fault: its words; `mfc_stuck` has a gas, and a flow, `open` or `closed`; `throttle_stuck` an opening in %.
        feeds: index of each gas line.
        full_scale: of each line's controller, sccm.
        leak_sccm: of a tight vessel, which clears a leak.
    """
    if name == "mfc_stuck":
        gas = choice(fault, "gas", feeds)
        value = fault.get("value", "open")
        words = {"open": full_scale[gas], "closed": 0.0}
        flow = words[value] if isinstance(value, str) and value in words else number(fault, "value", None)
        yield FEED, feeds[gas], flow, math.nan
    elif name == "leak":
        yield LEAK, 0, number(fault, "value", None), leak_sccm
    elif name == "throttle_stuck":
        value = number(fault, "value", -1.0)
        yield THROTTLE, 0, value / 100.0 if value >= 0.0 else -1.0, math.nan


def _changes(
    name: str,
    fault: Mapping[str, Any],
    vocabulary: Vocabulary,
    sensors: Mapping[str, int],
    situations: Mapping[str, int],
    normal: Mapping[str, float],
) -> Iterator[Change]:
    """Yield what a fault changes."""
    if name in vocabulary.situations:
        situation, value = vocabulary.situations[name]
        yield SITUATION, situations[situation], number(fault, "value", value), normal[situation]
        if name == "silane_detected":
            # The detector's relay drops at its second level, 10 ppm (twice the exposure limit, a usual setting).
            dropped = 0.0 if number(fault, "value", value) > 10.0 else 1.0
            yield SITUATION, situations["detector_ok"], dropped, 1.0
    elif name in SENSORS:
        yield SENSOR, sensors[choice(fault, "tag", sensors)], float(SENSORS[name]), float(HEALTHY)
    elif name == "sensor_offset":
        value = number(fault, "value", None)
        yield OFFSET, sensors[choice(fault, "tag", sensors)], value, -value
    elif name == "sensor_drift":
        yield DRIFT, sensors[choice(fault, "tag", sensors)], number(fault, "value", None), 0.0
    else:
        yield from vocabulary.changes(name, fault)
