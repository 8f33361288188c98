"""Proof tests of a chamber's trips: how often, what people do, and the input that is forced where one alone will do.

A year for what drops by itself when it fails, half a year for gas detectors, whose cells lose their sensitivity
without a sign (engineering defaults: the site and the maker of the instrument decide).
Trips that only watch what software does (gases that meet, a window of pressure) have no instrument that could fail
unseen beyond those that are tested here.
"""

import re
from typing import Any

Table = dict[str, Any]
YEAR, HALF_YEAR = 365, 180
WITNESSED = {
    "emergency_off": "Press each button of the chain in turn; sources, heat and the gas cabinets must fall",
}
CONTACTS = {
    "gas_detector_relay": "Take the detectors' relay away at their panel; bottle valves and process valves must shut",
    "gas_cabinet": "Bring each cabinet's fault relay to drop in turn; the process valves must shut",
    "exhaust_lost": "Close the damper of the exhaust until the flow switch opens; the valves of process gas must shut",
    "abatement_lost": "Take the abatement's ready signal away at its panel; the valves of process gas must shut",
    "power_failure": "Open the mains breaker of the UPS; the safe sequence must run, pumps and abatement go on",
    "pump_failure": "Stop the pump at its breaker; the valves of process gas must shut",
    "overtemperature_contact": "Press the test button of the over-temperature controller; the heat must fall",
}
"""Trips whose first reading is a contact that is closed while all is well."""
FALLING = {
    "purge_supply_lost": ("Close the purge gas supply and bleed the line slowly; read the gauge at the trip", 600, 200),
    "cooling_water_lost": ("Close the supply slowly; read the flow meter at the trip", 20, 2),
}
_CONTACT = re.compile(r"not ([a-z0-9_]+\.[a-z0-9_.]+)")
_ABOVE = re.compile(r"([a-z0-9_]+\.[a-z0-9_.]+) > ([0-9.]+) ")
_BELOW = re.compile(r"([a-z0-9_]+\.[a-z0-9_.]+) < ")


def proven(one: Table) -> Table:
    """An interlock with its proof test, where it has one."""
    test = _test(one) if one["class"] == "trip" else None
    if test is None:
        return one
    return {name: item for name, item in one.items() if name != "effects"} | {
        "proof_test": test, "effects": one.get("effects"),
    }  # fmt: skip


def _test(one: Table) -> Table | None:
    name, when = str(one["name"]), str(one.get("when") or one["causes"][0])
    if name in WITNESSED:
        return {"every_days": YEAR, "procedure": WITNESSED[name]}
    if name in CONTACTS and (contact := _CONTACT.search(when)):
        return _injected(YEAR, CONTACTS[name], contact[1], 1, 0, 1)
    if name in FALLING and (below := _BELOW.search(when)):
        procedure, begin, to = FALLING[name]
        return _injected(YEAR, procedure, below[1], begin, to, 10)
    above = _ABOVE.search(when)
    if name.endswith("_detected") and above:
        ppm = 2 * float(above[2])
        procedure = f"Apply {ppm:g} ppm of calibration gas to each head; the bottle and process valves must shut"
        return _injected(HALF_YEAR, procedure, above[1], 0, ppm, 5)
    if name == "overtemperature" and above:
        limit = float(above[2])
        return _injected(
            YEAR, "Feed the input of the control thermocouple from a calibrator, upwards; the heat must fall",
            above[1], limit - 50, limit + 20, 5,
        )  # fmt: skip
    return None


def _injected(days: int, procedure: str, tag: str, begin: float, to: float, over_s: float) -> Table:
    forced = {"tag": tag, "from": begin, "to": to, "over_s": over_s}
    return {"every_days": days, "procedure": procedure, "inject": forced}
