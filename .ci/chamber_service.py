"""What a crew does with a chamber tool: warm up, change bottles and bubblers, verify a controller, burn a wire in."""

import math
from collections.abc import Iterator
from typing import Any

from chamber_spec import Gas, Spec
from chamber_words import OPEN_TO_PUMP, PURGED, Table, Words, operation

from config.gases import species

PURGE_KPA, EMPTY_KPA, ATMOSPHERE_KPA = 350, 3, 110
COUNTS_KPA, MIXING = 345, 0.95
"""A purge of a line counts as a cycle above this; share of the purge gas that mixes (config.gas_rules)."""
SCC_IN_LINE = 160.0
"""Standard cm³ in 3 m of 1/4 inch tube at 350 kPa."""
CROWDED = 0.8
"""Share of the manometer's range that a rate of rise goes up to."""
HALF_A_DAY_S = 14400
PURGED_S = 3600
"""The chamber is purged of everything that must not meet the line's gas within this."""
SUPPLIES: list[Table] = [
    {"that": "facilities.n2_supply_kpa > 400 kPa", "reason": "the supply of purge gas is too weak to purge"},
    {"that": "exhaust.abatement_ready", "reason": "the abatement is not ready"},
]
"""What a purge of a line needs beside."""


def ready(spec: Spec) -> list[Table]:
    """What every operation that lets gas in needs."""
    needs: list[Table] = [
        {"that": "wafer_handling.door_closed", "reason": "the door is open"},
        {
            "that": "vacuum.dry_pump.running",
            "reason": "the exhaust fan does not run" if spec.vacuum.kind == "exhaust" else "the dry pump does not run",
        },
    ]
    if spec.vacuum.kind != "exhaust":
        needs.insert(
            0,
            {
                "that": f"chamber.pressure_torr < {spec.vacuum.gas_limit:g} Torr",
                "reason": "the chamber is not pumped: run pump_down first",
            },
        )
    return needs


def service(spec: Spec) -> Iterator[Table]:
    """Operations of the crew, those of what the tool has."""
    words = Words(spec)
    yield _warm_up(spec, words)
    if spec.vacuum.kind != "exhaust":
        yield _verify(spec, words)
    for gas in spec.gases:
        if gas.bottled:
            yield _change_bottle(spec, words, gas)
        elif gas.bubbler_c is not None:
            yield _change_bubbler(spec, words, gas)
    if spec.source is not None and spec.source.kind == "filament":
        yield _burn_in(spec, words)


def _warm_up(spec: Spec, words: Words) -> Table:
    heat = spec.heat
    heat_s = 60.0 * heat.most_c / heat.per_min
    flow = 0.25 * spec.purge_sccm
    return operation(
        "warm_up",
        "Warm up",
        f"From any temperature to the idle temperature of {heat.standby_c:g} °C, in flowing {spec.inert.label}",
        2 * heat_s + 2000,
        words.shut,
        [
            {
                "name": "purge gas",
                "set": words.no_gas | OPEN_TO_PUMP | words.purge(flow) | {"gas_panel.purge.shut": 0},
                "min_s": 2,
            },
            {
                "name": "warm up",
                "set": {f"heater.zone{z}.mode": 2 for z in words.zones},
                "ramp": words.warm(),
                "until": words.at_idle(),
                "timeout_s": 2 * heat_s + 1900,
                "on_timeout": "stop",
            },
            {"name": "trickle", "set": words.no_purge(), "min_s": 1},
        ],
        needs=ready(spec),
    )


def _verify(spec: Spec, words: Words) -> Table:
    gas, v = spec.inert, spec.vacuum
    # Torr/s that a standard cm³/min makes in the volume, which is told as its equivalent at 0 °C
    rise = 760.0 / (spec.cold_volume_l * 1000.0) / 60.0
    flow = float(f"{min(0.5 * gas.full, max(0.01 * gas.full, CROWDED * v.full / rise / 25.0)):.1g}")
    length_s = min(20.0, round(CROWDED * v.full / (rise * flow) - 2.5, 1))
    return operation(
        f"verify_{gas.tag}",
        f"Verify the flow controller of {gas.formula}",
        f"Rate of rise in the isolated chamber at {flow:g} sccm for {length_s:g} s, against the chamber's volume",
        500,
        words.quiet,
        [
            {
                "name": "base pressure",
                "set": words.quiet | OPEN_TO_PUMP,
                "min_s": 20,
                "until": f"chamber.pressure_torr < {max(v.base, 0.002 * v.full):g} Torr",
                "timeout_s": 300,
                "store": {"control.ror_asked_sccm": f"{flow:g} sccm"},
            },
            {
                "name": "flow",
                "set": {"vacuum.isolation_valve.shut": 1} | words.purge(flow),
                "min_s": 2,
                "store": {"control.ror_start_torr": "chamber.manometer_torr"},
            },
            {
                "name": "rate of rise",
                "min_s": length_s,
                "store": {
                    "control.ror_flow_sccm": "(chamber.manometer_torr - control.ror_start_torr) / 760 Torr * "
                    f"(control.volume_l / 0.001 L) * 60 / {length_s:g} * 1 sccm"
                },
            },
            {
                "name": "open to the pump",
                "set": words.quiet | OPEN_TO_PUMP,
                "min_s": 2,
                "store": {
                    "control.ror_error_abs_pct": "abs(control.ror_flow_sccm - control.ror_asked_sccm) / "
                    "control.ror_asked_sccm * "
                    "100 %"
                },
                "check": [
                    {
                        "that": "control.ror_error_abs_pct < control.ror_limit_pct",
                        "otherwise": "stop",
                        "reason": "the flow controller is off by more than its limit",
                    }
                ],
            },
            {"name": "trickle", "set": {"gas_panel.purge.shut": 0}, "min_s": 1},
        ],
        needs=[
            *ready(spec),
            {
                "that": words.at_idle(),
                "reason": "the chamber is not at idle temperature, at which its volume was measured: run warm_up first",
            },
        ],
        requires=[{"operation": "leak_check", "within_h": 24}],
        findings=[
            {"name": "flow", "tag": "control.ror_flow_sccm"},
            {"name": "asked", "tag": "control.ror_asked_sccm"},
            {"name": "error", "tag": "control.ror_error_abs_pct", "below": "control.ror_limit_pct"},
        ],
    )


def emptied_kpa(spec: Spec) -> int:
    """What a line is emptied to: a vacuum, or what the exhaust leaves in it."""
    return ATMOSPHERE_KPA if spec.vacuum.kind == "exhaust" else EMPTY_KPA


def _may_be_left(gas: Gas) -> float:
    """Ppm of the gas that may be left in a line which is opened."""
    found = species(gas.formula)
    return found.opening_ppm if found is not None else 0.0


def _cycles(spec: Spec, gas: Gas) -> int:
    """Cycles until what is left may be opened, with one to spare; never fewer than 5."""
    share = 1.0 - MIXING * (1.0 - emptied_kpa(spec) / COUNTS_KPA)
    return max(5, math.ceil(math.log(_may_be_left(gas) / 1e6) / math.log(share)) + 1)


def _change_bottle(spec: Spec, words: Words, gas: Gas) -> Table:
    """Purged by pressure before the line is opened and after; only the last step releases the bottle."""
    line = f"gas_panel.{gas.tag}"
    low, cycles = emptied_kpa(spec), _cycles(spec, gas)
    empty_s = round(4 * 60 * SCC_IN_LINE / gas.full + 60)
    full = f"{line}.line_kpa > {PURGE_KPA} kPa"
    empty = f"{line}.line_kpa < {low} kPa"
    # A line of a run/vent manifold is emptied into the vent, behind its shut run valve.
    out = {gas.setpoint: gas.full} | ({} if gas.vents else {gas.valve: 1})
    shut = {gas.valve: 0, gas.setpoint: 0}
    flowing = {f"{line}.purge": 0} | out
    filling = shut | {f"{line}.purge": 1}

    def purged(name: str) -> Table:
        return {
            "name": name,
            "repeat": cycles,
            "steps": [
                {"name": "fill the line", "set": filling, "until": full, "timeout_s": 30},
                {
                    "name": "empty the line again",
                    "set": flowing,
                    "min_s": 1,
                    "until": empty,
                    "timeout_s": empty_s,
                    "store": {"control.line_left": f"control.line_left * {low} / {PURGE_KPA}"},
                },
            ],
        }

    begin = (
        words.no_gas
        | OPEN_TO_PUMP
        | words.purge(spec.purge_sccm)
        | {
            "gas_panel.purge.shut": 0,
            f"{line}.purge": 0,
            f"{line}.bottle_release": 0,
            f"{line}.bottle_shut": 1,
            "control.bottle_changed": 0,
        }
    )
    return operation(
        f"change_bottle_{gas.tag}",
        f"Change the bottle of {gas.formula}",
        "Shuts the bottle at its cabinet, "
        "purges the line to the exhaust, waits for the crew, purges the air out, tests the line for leaks, "
        "releases the new bottle",
        HALF_A_DAY_S + (2 * cycles + 3) * (empty_s + 30) + 400 + PURGED_S,
        words.quiet | {f"{line}.purge": 0},
        [
            {
                "name": "shut the bottle",
                "set": begin,
                "min_s": spec.apart_s + 1,
                "until": f"not {line}.bottle_open and {PURGED}",
                "timeout_s": PURGED_S,
                "store": {"control.line_left": "1"},
            },
            {"name": "empty the line", "set": flowing, "min_s": 1, "until": empty, "timeout_s": empty_s},
            purged("purge the gas out"),
            {
                "name": "fill before opening",
                "set": filling,
                "until": f"{line}.line_kpa > {ATMOSPHERE_KPA} kPa",
                "timeout_s": 30,
                "check": [
                    {
                        "that": f"gas_safety.line.{gas.tag}_left_ppm < {_may_be_left(gas):g} ppm",
                        "otherwise": "abort",
                        "reason": "process gas may be left in the line",
                    }
                ],
            },
            {
                "name": "the crew changes the bottle",
                "set": {f"{line}.purge": 0},
                "until": "control.bottle_changed",
                "timeout_s": HALF_A_DAY_S,
                "on_timeout": "stop",
            },
            {"name": "empty the line of air", "set": flowing, "min_s": 1, "until": empty, "timeout_s": empty_s},
            purged("purge the air out"),
            {"name": "pressure for the leak test", "set": filling, "min_s": 10, "until": full, "timeout_s": 30},
            {
                "name": "settle",
                "set": {f"{line}.purge": 0},
                "min_s": 10,
                "store": {"control.line_start_kpa": f"{line}.line_kpa"},
            },
            {
                "name": "leak test",
                "min_s": 60,
                "store": {"control.line_drop_kpa": f"control.line_start_kpa - {line}.line_kpa"},
                "check": [
                    {
                        "that": "control.line_drop_kpa < control.line_drop_limit_kpa",
                        "otherwise": "abort",
                        "reason": "the line leaks: the bottle stays shut",
                    }
                ],
            },
            {"name": "empty the line of purge gas", "set": flowing, "min_s": 1, "until": empty, "timeout_s": empty_s},
            {
                "name": "release the bottle",
                "set": shut | {f"{line}.bottle_shut": 0, f"{line}.bottle_release": 1},
                "min_s": 2,
                "until": f"{line}.bottle_open",
                "timeout_s": 60,
            },
            {
                "name": "idle",
                "set": words.no_gas
                | {"gas_panel.purge.shut": 0, f"{line}.bottle_release": 0, "control.bottle_changed": 0},
                "min_s": 1,
            },
        ],
        needs=[*ready(spec), *SUPPLIES],
        voids=[f"change_bottle_{gas.tag}"],
        answers=["control.bottle_changed"],
        findings=[
            {"name": "purge", "tag": "control.line_left"},
            {"name": "line_drop", "tag": "control.line_drop_kpa", "below": "control.line_drop_limit_kpa"},
        ],
    )


def _change_bubbler(spec: Spec, words: Words, gas: Gas) -> Table:
    """The carrier goes past the bubbler until the monitor sees no vapour; the new one is proven by its vapour."""
    bath, (least, _, initial) = f"bubblers.{gas.tag}", gas.bubbler_c or (0.0, 0.0, 0.0)
    carrier = {gas.setpoint: 0.5 * gas.full} | ({} if gas.vents else {gas.valve: 1})
    shut = {gas.valve: 0, gas.setpoint: 0}
    away = (
        words.no_gas
        | OPEN_TO_PUMP
        | words.purge(spec.purge_sccm)
        | {"gas_panel.purge.shut": 0, f"{bath}.setpoint_c": least, f"{bath}.bypass": 1, "control.bottle_changed": 0}
    )
    return operation(
        f"change_bubbler_{gas.tag}",
        f"Change the bubbler of {gas.formula}",
        "Cools the bath, leads the "
        "carrier past the bubbler until no vapour is seen, waits for the crew, purges the air out, warms "
        "the bath and looks for vapour",
        HALF_A_DAY_S + 2600 + PURGED_S,
        words.quiet,
        [
            {
                "name": "cool the bath",
                "set": away,
                "min_s": 1,
                "until": f"abs({bath}.temperature_c - {least:g} °C) < 1 K and {PURGED}",
                "timeout_s": PURGED_S,
            },
            {
                "name": "purge the vapour out",
                "set": carrier,
                "min_s": 60,
                "until": f"{bath}.vapour_sccm < control.vapour_limit_sccm",
                "timeout_s": 300,
                "store": {"control.vapour_left_sccm": f"{bath}.vapour_sccm"},
            },
            {
                "name": "the crew changes the bottle",
                "set": shut,
                "until": "control.bottle_changed",
                "timeout_s": HALF_A_DAY_S,
                "on_timeout": "stop",
                "check": [
                    {"that": f"{bath}.level_pct > 50 %", "otherwise": "stop", "reason": "the new bubbler is not full"}
                ],
            },
            {"name": "purge the air out", "set": carrier, "min_s": 120},
            {
                "name": "warm the bath",
                "set": shut | {f"{bath}.setpoint_c": initial},
                "min_s": 1,
                "until": f"abs({bath}.temperature_c - {initial:g} °C) < 0.5 K",
                "timeout_s": 1500,
            },
            {
                "name": "idle",
                "set": words.no_gas | {f"{bath}.bypass": 0, "gas_panel.purge.shut": 0, "control.bottle_changed": 0},
                "min_s": 1,
            },
        ],
        needs=[*ready(spec), *SUPPLIES],
        voids=["leak_check"] * (not words.exhausts),
        answers=["control.bottle_changed"],
        findings=[{"name": "vapour", "tag": "control.vapour_left_sccm", "below": "control.vapour_limit_sccm"}],
    )


def _burn_in(spec: Spec, words: Words) -> Table:
    """A new wire is brought up slowly: it carburises, recrystallises and gives off what it has taken up."""
    wire = "filament"
    hydrogen = spec.gas("H2")
    lit: dict[str, Any] = {f"{wire}.requested": 1, f"{wire}.enable": 1, f"{wire}.mode": 2}

    def to(name: str, celsius: float, minutes: float) -> Table:
        return {
            "name": name,
            "ramp": {f"{wire}.setpoint_c": {"to": celsius, "per_min": 200, "start": f"{wire}.setpoint_c"}},
            "min_s": 60 * minutes,
            "until": f"abs({wire}.temperature_c - {celsius:g} °C) < 20 K",
            "timeout_s": 60 * minutes + 600,
            "on_timeout": "stop",
        }

    return operation(
        "filament_burn_in",
        "Burn the wire in",
        "Brings a new wire up in steps to 2000 °C in hydrogen, so that "
        "it has settled before a wafer sees it; leaves its resistance at 1700 °C",
        5400 + PURGED_S,
        words.shut,
        [
            {
                "name": "purge",
                "set": words.no_gas | OPEN_TO_PUMP | words.purge(spec.purge_sccm),
                "min_s": 1,
                "until": PURGED,
                "timeout_s": PURGED_S,
            },
            {
                "name": "hydrogen",
                "set": words.no_purge()
                | {
                    "gas_panel.purge.shut": 1,
                    hydrogen.valve: 1,
                    hydrogen.setpoint: 0.2 * hydrogen.full,
                    "vacuum.throttle_valve.mode": 2,
                    "chamber.pressure_setpoint_torr": spec.vacuum.initial,
                },
                "min_s": 10,
                "until": f"chamber.pressure_torr > {0.8 * spec.vacuum.initial:g} Torr and chamber.pressure_torr < "
                f"{1.2 * spec.vacuum.initial:g} Torr",
                "timeout_s": 120,
            },
            {
                "name": "light the wire",
                "set": lit | {f"{wire}.setpoint_c": 1400},
                "min_s": 5,
                "until": f"{wire}.lit",
                "timeout_s": 60,
                "on_timeout": "stop",
            },
            to("first step", 1400, 5),
            to("second step", 1700, 10),
            to("burn", 2000, 15),
            to("back", 1700, 5),
            {"name": "measure", "min_s": 5, "store": {"control.wire_ohm": f"{wire}.voltage_v / {wire}.measured_a"}},
            {"name": "put out", "set": words.no_gas | OPEN_TO_PUMP | {f"{wire}.mode": 0}, "min_s": 30},
            {"name": "trickle", "set": {"gas_panel.purge.shut": 0}, "min_s": 1},
        ],
        needs=[
            *ready(spec),
            *SUPPLIES,
            {"that": "not wafer_handling.wafer_in", "reason": "a wafer is in the chamber: unload first"},
        ],
        requires=[{"operation": "leak_check", "within_h": 24}],
        findings=[{"name": "resistance", "tag": "control.wire_ohm"}],
    )
