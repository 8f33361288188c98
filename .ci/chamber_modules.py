"""Modules and tags of a chamber tool."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import chamber_care
from chamber_spec import Gas, Spec

from config.gas_rules import lfl_fraction
from config.gases import species

Table = dict[str, Any]
NO_YES, LOOP = ["no", "yes"], ["off", "manual", "auto"]


def reading(name: str, description: str, unit: str, low: float, high: float, period_s: float = 0.1,
            resolution: float = 0.0) -> Table:  # fmt: skip
    """An input."""
    tag: Table = {"name": name, "kind": "input"}
    if unit != "1":
        tag["unit"] = unit
    tag |= {"low": low, "high": high}
    if resolution:
        tag["resolution"] = resolution
    return tag | {"period_s": period_s, "description": description}


def contact(name: str, description: str, states: list[str] | None = None, period_s: float = 0.1) -> Table:
    """A discrete input."""
    return {"name": name, "kind": "input", "states": states or NO_YES, "low": 0, "high": 1, "period_s": period_s,
            "description": description}  # fmt: skip


def choice(name: str, description: str, states: list[str], kind: str = "setpoint", **more: Any) -> Table:
    """A discrete set point or output."""
    return {"name": name, "kind": kind, "states": states, "low": 0, "high": len(states) - 1, **more,
            "role": "engineer", "description": description}  # fmt: skip


def number(name: str, description: str, unit: str, low: float, high: float, kind: str = "setpoint",
           **more: Any) -> Table:  # fmt: skip
    """A set point or output with a unit."""
    return {"name": name, "kind": kind, "unit": unit, "low": low, "high": high, **more,
            "role": more.pop("role", "engineer"), "description": description}  # fmt: skip


def nice(value: float) -> float:
    """Round to one digit."""
    text = f"{value:.0e}"
    return float(text)


def modules(spec: Spec) -> Iterator[Mapping[str, Any]]:
    """Every module of the tool, in its file's order."""
    yield _heater(spec)
    yield _gas_panel(spec)
    if any(gas.bubbler_c for gas in spec.gases):
        yield _bubblers(spec)
    if any(gas.mist for gas in spec.gases):
        yield _aerosol(spec)
    if any(gas.vents for gas in spec.gases):
        yield _manifold(spec)
    yield from _vacuum(spec)
    if spec.rotation:
        yield {"name": "rotation", "kind": "rotation", "description": "Drive of the susceptor", "tags": [
            number("setpoint_rpm", "Speed that the drive is asked for", "rpm", 0, spec.rotation, "output", safe=0),
            reading("speed_rpm", "Speed by the encoder", "rpm", 0, 1.2 * spec.rotation, resolution=0.1),
            contact("ok", "Drive without a fault", ["fault", "ok"]),
        ]}  # fmt: skip
    yield from _source(spec)
    yield from spec.modules
    yield {"name": "wafer_handling", "kind": "wafer_handling", "description": "Door and wafers", "tags": [
        contact("door_closed", "Contacts of door and slit valve in series", ["open", "closed"]),
        contact("wafer_in", "Wafers on the susceptor"),
        choice("door_unlock", "Releases the door", ["locked", "unlocked"], "output", safe=0) | {"role": "operator"},
    ]}  # fmt: skip
    yield _exhaust(spec)
    yield _facilities(spec)
    yield _metrology(spec)
    yield {"name": "control", "kind": "control", "description": "What operations compute and keep", "tags": [
        number("leak_start_torr", "Pressure at the start of the last rate of rise", "Torr", -1, 2000),
        number("leak_rate_mtorr_min", "Result of the last leak check", "mTorr/min", -1e6, 1e6),
        number("leak_limit_mtorr_min", "Greatest rate of rise before process gas", "mTorr/min", 0.01, 1000,
               initial=5),
        *_crews(spec),
        chamber_care.clock(),
    ]}  # fmt: skip
    yield chamber_care.module(spec)


def _crews(spec: Spec) -> Iterator[Table]:
    """What the crew's operations compute."""

    def kept(*of: Any, **more: Any) -> Table:
        return {key: item for key, item in number(*of, **more).items() if key != "role"}

    if spec.vacuum.kind != "exhaust":
        yield kept("base_pressure_torr", "Pressure that the last pump-down reached", "Torr", -1, 2000)
        yield kept("ror_start_torr", "Pressure at the start of the last verification by rate of rise", "Torr", -1, 2000)
        yield kept("ror_asked_sccm", "Flow that the controller was asked for", "sccm", 0, 1e6)
        yield kept("ror_flow_sccm", "Flow by rate of rise", "sccm", -1e6, 1e6)
        yield kept("ror_error_abs_pct", "Flow by rate of rise against what was asked for", "%", 0, 1e6)
        yield number("ror_limit_pct", "Greatest difference by rate of rise", "%", 0.1, 50, initial=5)
        yield number("volume_l", "Volume of the chamber at idle temperature, as gas at 0 °C would fill it, measured",
                     "L", 0.1, 1000, initial=spec.cold_volume_l)  # fmt: skip
    bottles, bubblers = (any(gas.bottled for gas in spec.gases), any(gas.bubbler_c for gas in spec.gases))
    if bottles:
        yield {"name": "line_left", "kind": "setpoint", "low": 0, "high": 1, "initial": 1,
               "description": "Share of process gas that the purge has left in the line that is opened"}  # fmt: skip
        yield kept("line_start_kpa", "Pressure of the line at the start of its last leak test", "kPa", -1, 1000)
        yield kept("line_drop_kpa", "Drop of pressure in the minute of the last leak test of a line", "kPa", -1e4, 1e4)
        yield number("line_drop_limit_kpa", "Greatest drop of pressure of a line", "kPa", 0.01, 100, initial=1)
    if bubblers:
        yield kept("vapour_left_sccm", "Vapour that was seen before the bubbler was opened", "sccm", -1e4, 1e4)
        yield number("vapour_limit_sccm", "Greatest vapour before a bubbler is opened", "sccm", 0.001, 10, initial=0.05)
    if bottles or bubblers:
        yield choice("bottle_changed", "The crew says that the new bottle or bubbler is connected and its hand valves "
                     "open", NO_YES) | {"role": "maintenance"}  # fmt: skip
    if spec.source is not None and spec.source.kind == "filament":
        yield kept("wire_ohm", "Resistance of the wire at 1700 °C when it was burnt in", "Ω", 0, 1e4)


def _heater(spec: Spec) -> Table:
    heat, tags = spec.heat, list[Table]()
    most = 100 * round(0.012 * heat.snap_c + 1)
    for zone in range(1, heat.zones + 1):
        where = heat.names[zone - 1] if heat.names else ("susceptor" if heat.zones == 1 else f"zone {zone}")
        z = f"zone{zone}"
        tags += [
            reading(f"{z}.temperature_c", f"Control thermocouple, {where}", "°C", 0, most, resolution=0.1),
            reading(f"{z}.guard_c", f"Second thermocouple, {where}, for the over-temperature trip only", "°C", 0, most,
                    resolution=0.1),
            number(f"{z}.setpoint_c", f"Set point, {where}", "°C", heat.least_c, heat.most_c, initial=heat.standby_c),
            choice(f"{z}.mode", f"Mode of the temperature loop, {where}", LOOP),
            number(f"{z}.power_pct", f"Power, {where}; 100 % is {heat.power_w / 1000:g} kW", "%", 0, 100, "output",
                   safe=0, hazardous=True, resolution=0.01, role="maintenance"),
        ]  # fmt: skip
    tags.append(contact("overtemperature_ok", f"Contact of the independent over-temperature controller "
                        f"({heat.snap_c:g} °C), which cuts the power by wire", ["tripped", "ok"]))  # fmt: skip
    return {"name": "heater", "kind": heat.kind, "description": heat.description, "tags": tags}


def _gas_panel(spec: Spec) -> Table:
    tags = list[Table]()
    for gas in spec.gases:
        tags += _line(gas)
    tags.append(choice("purge.shut", "Trickle purge through a restrictor; the valve is normally open",
                       ["open", "shut"], "output", safe=0))  # fmt: skip
    total = " + ".join(gas.flow for gas in spec.gases)
    tags.append({"name": "total_sccm", "kind": "computed", "unit": "sccm", "low": 0,
                 "high": nice(2 * sum(gas.full for gas in spec.gases)), "resolution": 0.5, "expression": total,
                 "description": "Sum of all controllers"})  # fmt: skip
    return {"name": "gas_panel", "kind": "gas_panel", "description": "Mass flow controllers with their valves, and the "
            "trickle purge", "tags": tags}  # fmt: skip


def _line(gas: Gas) -> list[Table]:
    what = f"the carrier of {gas.label}" if gas.carried else gas.label
    does = "Run valve, shut: its flow goes to the vent" if gas.vents else "Isolation valve behind the controller"
    hazard = {} if gas.inert else {"hazardous": True}
    return [
        reading(f"{gas.tag}.flow_sccm", f"Flow of {what} as its controller measures it, full scale {gas.full:g} sccm",
                "sccm", -0.02 * gas.full, 1.1 * gas.full, 0.05, gas.full * 1e-4),
        number(f"{gas.tag}.setpoint_sccm", f"Set point of {what}", "sccm", 0, gas.full, "output", safe=0, **hazard),
        choice(f"{gas.tag}.valve", f"{does}; {gas.label}, normally closed", ["closed", "open"], "output", safe=0,
               **hazard),
        *(_bottle(gas) if gas.bottled else ()),
    ]  # fmt: skip


def _bottle(gas: Gas) -> list[Table]:
    hands = {"role": "maintenance"}
    return [
        contact(f"{gas.tag}.bottle_open", f"Valve of the bottle of {gas.label} in its cabinet is open",
                ["shut", "open"]),
        reading(f"{gas.tag}.line_kpa", f"Line of {gas.label} between cabinet and flow controller, absolute", "kPa", 0,
                1000, resolution=0.1),
        choice(f"{gas.tag}.bottle_shut", f"Asks the cabinet to shut the bottle of {gas.label}; it opens again by a "
               "release only", ["no", "shut"], "output", safe=0) | hands,
        choice(f"{gas.tag}.bottle_release", f"Releases the bottle of {gas.label} after a change: the cabinet opens it",
               ["no", "release"], "output", safe=0) | hands,
        choice(f"{gas.tag}.purge", f"Purge gas into the line of {gas.label}, between cabinet and flow controller",
               ["closed", "open"], "output", safe=0) | hands,
    ]  # fmt: skip


def _bubblers(spec: Spec) -> Table:
    tags = list[Table]()
    for gas in spec.gases:
        if gas.bubbler_c is None:
            continue
        low, high, initial = gas.bubbler_c
        tags += [
            reading(f"{gas.tag}.temperature_c", f"Bath of {gas.label}", "°C", -30, 250, 0.5, 0.01),
            number(f"{gas.tag}.setpoint_c", f"Set point of the bath of {gas.label}", "°C", low, high, "output",
                   safe=initial),
            reading(f"{gas.tag}.vapour_sccm", f"{gas.label.capitalize()} in the line, by the speed of sound", "sccm", 0,
                    gas.full, 0.5, 0.0001),
            reading(f"{gas.tag}.level_pct", f"Content of the bubbler of {gas.label}, by weight", "%", -1, 110, 1.0,
                    0.1),
            choice(f"{gas.tag}.bypass", f"Leads the carrier past the bubbler of {gas.label}", ["through", "past"],
                   "output", safe=0) | {"role": "maintenance"},
        ]  # fmt: skip
    return {"name": "bubblers", "kind": "bubblers", "description": "Bubblers in their baths", "tags": tags}


def _aerosol(spec: Spec) -> Table:
    return {"name": "aerosol", "kind": "aerosol", "description": "Ultrasonic nebuliser and the warm line in which its "
            "droplets evaporate", "tags": [tag for gas in spec.gases if gas.mist for tag in (
        reading(f"{gas.tag}.vapour_sccm", f"{gas.formula} that the carrier takes along, by infrared absorption", "sccm",
                0, gas.full, 0.5, 0.0001),
        reading(f"{gas.tag}.level_pct", f"Content of the nebuliser of {gas.label}, by weight", "%", -1, 110, 1.0, 0.1),
    )]}  # fmt: skip


def _manifold(spec: Spec) -> Table:
    """Valves between chamber and vent, which are those of their gas lines."""
    gases = " + ".join(f"{gas.flow} * (1 - {gas.valve})" for gas in spec.gases if gas.vents)
    pulses = spec.manifold == "pulse_valves"
    what = "Fast three-way valves of the precursors" if pulses else "Run/vent manifold"
    return {"name": spec.manifold, "kind": spec.manifold, "description": f"{what}: at rest a line's flow goes on into "
            "its vent, so that a pulse begins with a steady flow", "tags": [
        {"name": "vent_sccm", "kind": "computed", "unit": "sccm", "low": -1000,
         "high": nice(2 * sum(gas.full for gas in spec.gases if gas.vents)), "resolution": 0.5, "expression": gases,
         "description": "Sum of the flows that go to the vents"},
    ]}  # fmt: skip


def _vacuum(spec: Spec) -> Iterator[Table]:
    v = spec.vacuum
    full, top = v.full, nice(1.5 * max(v.full, 1000.0))
    lower = "chamber.manometer_torr"
    if v.fine:
        take = f"{0.9 * v.fine:g} Torr"
        lower = f"(min(chamber.fine_manometer_torr, {take}) + max(chamber.manometer_torr - {take}, 0 Torr))"
    gauge = f"max(min({lower}, {0.9 * full:g} Torr) + max(chamber.wide_range_torr - {0.9 * full:g} Torr, "
    gauge += f"0 Torr), min(chamber.wide_range_torr, {0.001 * (v.fine or full):g} Torr))"
    fine = [
        reading("fine_manometer_torr", f"Capacitance manometer for the low end, {v.fine:g} Torr full scale", "Torr",
                -0.01 * v.fine, 1.1 * v.fine, 0.02, v.fine * 2e-5),
    ] if v.fine else []  # fmt: skip
    yield {"name": "chamber", "kind": "chamber", "description": "Chamber with its gauges", "tags": [
        reading("manometer_torr", f"Capacitance manometer, {full:g} Torr full scale; says {1.05 * full:g} Torr above",
                "Torr", -0.01 * full, 1.1 * full, 0.02, full * 2e-5),
        *fine,
        reading("wide_range_torr", "Wide-range gauge up to atmosphere", "Torr", 0, top),
        contact("at_atmosphere", "Pressure switch, 750 Torr"),
        {"name": "pressure_torr", "kind": "computed", "unit": "Torr", "low": 0, "high": top,
         "resolution": (v.fine or full) * 1e-5, "expression": gauge, "description": "Pressure of the chamber: the "
         f"manometer{'s' if v.fine else ''}, with the wide-range gauge at both of {'their' if v.fine else 'its'} ends"},
        number("pressure_setpoint_torr", "Set point of the pressure loop; below its low limit the chamber is only "
               "pumped", "Torr", v.low, v.high, initial=v.initial),
    ]}  # fmt: skip
    turbo = v.kind == "turbo"
    yield {"name": "vacuum", "kind": "vacuum", "description": "Dry pump with " + (
        "turbo pump" if turbo else "Roots booster") + ", isolation valve and throttle valve", "tags": [
        number("throttle_valve.position_pct", "Commanded opening; opens when its link falls silent", "%", 0, 100,
               "output", safe=100, resolution=0.01),
        choice("throttle_valve.mode", "Mode of the pressure loop", LOOP),
        reading("throttle_valve.feedback_pct", "Opening as the valve reports it", "%", -2, 102, resolution=0.05),
        choice("isolation_valve.shut", "Isolation valve to the pump; opened by its spring", ["open", "shut"], "output",
               safe=0),
        reading("foreline_torr", "Pressure in the foreline", "Torr", 0, 1500),
        choice("dry_pump.stop", "Stops the dry pump; without it the pump runs", ["run", "stop"], "output", safe=0)
        | {"role": "maintenance"},
        contact("dry_pump.running", "Dry pump at speed"),
        contact("dry_pump.ok", "Dry pump without a fault", ["fault", "ok"]),
        choice("booster.stop", f"Stops the {'turbo pump' if turbo else 'booster'}", ["run", "stop"], "output", safe=0)
        | {"role": "maintenance"},
        contact("booster.running", f"{'Turbo pump' if turbo else 'Booster'} at speed"),
    ]} if v.kind != "exhaust" else {"name": "vacuum", "kind": "exhaust", "description": "Damper that keeps the chamber "
        "at its pressure against the exhaust", "tags": [
        number("throttle_valve.position_pct", "Commanded opening of the damper", "%", 0, 100, "output", safe=100,
               resolution=0.01),
        choice("throttle_valve.mode", "Mode of the pressure loop", LOOP),
        reading("throttle_valve.feedback_pct", "Opening as the damper reports it", "%", -2, 102, resolution=0.05),
        choice("isolation_valve.shut", "Flap to the exhaust; opened by its spring", ["open", "shut"], "output",
               safe=0),
        reading("foreline_torr", "Pressure in the exhaust duct", "Torr", 0, 1500),
        contact("dry_pump.running", "Exhaust fan at speed"),
        contact("dry_pump.ok", "Exhaust fan without a fault", ["fault", "ok"]),
    ]}  # fmt: skip


def _source(spec: Spec) -> Iterator[Table]:
    source = spec.source
    if source is None:
        return
    danger = {"hazardous": True}
    tags: list[Table] = [
        choice("requested", "It is wanted", NO_YES),
        choice("enable", "Switches it on", ["off", "on"], "output", safe=0, **danger),
    ]
    name, unit = ("power_w", "W") if source.unit == "W" else ("current_a", "A")
    more = danger | ({"rate_per_s": source.rate} if source.rate else {})
    if source.most:
        what = "Power" if source.unit == "W" else "Current"
        tags.append(number(name, f"{what} that it is asked for", unit, 0, source.most, "output", safe=0, **more))
    tags += [contact("on", "It reports that it is on", period_s=0.05),
             contact("ok", "Without a fault, its own interlock chain closed", ["fault", "ok"])]  # fmt: skip
    if source.reflects:
        most = 1.1 * source.most
        tags += [
            number("duty_pct", "Share of each pulse period that the power is on", "%", 10, 100, "output", safe=100),
            reading("forward_w", "Forward power", "W", -10, most, 0.05, 0.1),
            reading("reflected_w", "Reflected power", "W", -10, most, 0.05, 0.1),
            {"name": "load_w", "kind": "computed", "unit": "W", "low": -20, "high": most, "resolution": 0.1,
             "expression": f"{source.name}.forward_w - {source.name}.reflected_w",
             "description": "Power that goes into the plasma"},
            number("reflected_limit_w", "More reflected power than this trips", "W", 5, source.most,
                   initial=nice(0.15 * source.most)),
        ]  # fmt: skip
    tags += [dict(one) for one in (*source.inputs, *source.outputs)]
    yield {"name": source.name, "kind": source.kind, "description": source.description, "tags": tags}
    if source.match:
        yield {"name": "match", "kind": "matching_network", "description": "Automatic match", "tags": [
            choice("mode", "Auto: both capacitors are driven to the least reflected power", ["manual", "auto"],
                   "output", safe=1),
            number("load_preset_pct", "Load capacitor while the power is off", "%", 0, 100, "output", safe=54),
            number("tune_preset_pct", "Tune capacitor while the power is off", "%", 0, 100, "output", safe=50),
            reading("load_pct", "Position of the load capacitor", "%", -2, 102, resolution=0.1),
            reading("tune_pct", "Position of the tune capacitor", "%", -2, 102, resolution=0.1),
            reading("impedance_ohm", "Magnitude of the load's impedance", "Ω", 0, 10000, resolution=0.1),
        ]}  # fmt: skip
    if source.bias_w:
        yield {"name": "bias", "kind": "rf_bias", "description": f"Bias generator of the wafer's electrode, "
               f"{source.bias_w / 1000:g} kW", "tags": [
            choice("enable", "Switches the bias on", ["off", "on"], "output", safe=0, **danger),
            number("power_w", "Bias power that is asked for", "W", 0, source.bias_w, "output", safe=0, **danger),
            number("bias_setpoint_v", "Set point of the bias loop", "V", -800, 0, initial=-100),
            choice("bias_mode", "Mode of the bias loop", LOOP),
            contact("on", "It reports that it is on", period_s=0.05),
            contact("ok", "Without a fault", ["fault", "ok"]),
            reading("forward_w", "Bias power", "W", -10, 1.1 * source.bias_w, 0.05, 0.1),
            reading("bias_v", "Self-bias of the wafer's electrode", "V", -2500, 100, 0.05, 0.1),
        ]}  # fmt: skip


def _exhaust(spec: Spec) -> Table:
    return {"name": "exhaust", "kind": "exhaust", "description": "Exhaust duct and abatement; both run on their own "
            "and are only watched", "tags": [
        contact("flow_ok", "Flow switch in the process exhaust duct"),
        contact("abatement_ready", "Abatement ready for every gas of the tool"),
        reading("dilution_slm", "Air that dilutes the exhaust behind the abatement", "slm", 0,
                2.5 * least_dilution_slm(spec), 0.5, 0.1),
    ]}  # fmt: skip


def least_dilution_slm(spec: Spec) -> float:
    """Dilution with which every gas that burns may flow at full scale: 24 % of the lower limit of flammability."""
    shares = sum(gas.full / lfl_fraction(gas.formula) for gas in spec.gases if burns(gas.formula))
    return max(500.0, 100.0 * math.ceil(shares / 0.24 / 1000.0 / 100.0))


def burns(formula: str) -> bool:
    """Whether a gas counts against a limit of flammability."""
    found = species(formula)
    return found is not None and found.burns


def _facilities(spec: Spec) -> Table:
    tags = [
        reading("cooling_water_l_min", "Cooling water of chamber, heater and sources", "L/min", 0, 30, 0.5, 0.01),
        reading("n2_supply_kpa", "Purge gas supply, gauge pressure", "kPa", 0, 1000, 0.5, 0.1),
        reading("air_kpa", "Compressed air, gauge pressure", "kPa", 0, 1000, 0.5, 0.1),
        contact("gas_cabinet_ok", "Gas cabinets without a fault", ["fault", "ok"]),
    ]
    tags += [
        reading(f"gas_detector.{gas.tag}_ppm", f"{gas.label.capitalize()} in the extraction", "ppm", -1,
                max(nice(20 * trips), 2.0), 0.5, trips * 2e-3)
        for gas in spec.gases if (trips := gas.watched_ppm) is not None
    ]  # fmt: skip
    tags += [
        contact("gas_detector.ok", "Relay of the detectors: drops at alarm level 2 and at a fault of their own",
                ["alarm", "ok"]),
        contact("emo_ok", "Emergency-off circuit closed", ["off", "ok"]),
        contact("ups_ok", "UPS fed from the mains", ["battery", "mains"]),
    ]  # fmt: skip
    if spec.shield:
        tags.append(contact("shield_closed", "Shield against beam, light or waves closed", ["open", "closed"]))
    tags += chamber_care.lights()
    return {"name": "facilities", "kind": "facilities", "description": "Supplies and hardwired protection, whose "
            "contacts are read and never reset from here", "tags": tags}  # fmt: skip


INSTRUMENTS: dict[str, Table] = {
    "pyrometer": reading("pyrometer_c", "Wafer by its own light", "°C", 0, 1600, 0.1, 0.1),
    "reflectometer": reading("reflectometer_thickness_nm", "Film in the middle of the wafer", "nm", -10, 100000, 1,
                             0.01),
    "rate": reading("deposition_rate_nm_min", "Rate over the last 30 s of the reflectometer", "nm/min", -5000, 5000, 1,
                    0.001),
    "reflectance": reading("reflectance_pct", "Reflectance at normal incidence, 632.8 nm", "%", 0, 100, 1, 0.01),
    "ellipsometer": reading("ellipsometer_thickness_nm", "Film at half the wafer's radius", "nm", -10, 100000, 1, 0.01),
    "psi": reading("psi_deg", "Ψ at 70°, 632.8 nm", "°", 0, 90, 1, 0.01),
    "delta": reading("delta_deg", "Δ at 70°, 632.8 nm", "°", 0, 360, 1, 0.01),
    "qcm": reading("qcm_thickness_nm", "Film on the microbalance", "nm", -1000, 100000, 0.1, 0.0001),
    "qcm_rate": reading("qcm_rate_nm_per_s", "Its rate over the last 30 s", "nm/s", -50, 50, 1, 0.00001),
    "lit": contact("plasma_lit", "Photodiode on the window", ["dark", "lit"], 0.05),
    "density": reading("plasma_density_proxy", "Electron density by the probe, in 1e15 per m3", "1", 0, 100000, 0.1,
                       0.001),
}  # fmt: skip


def _metrology(spec: Spec) -> Table:
    tags = list[Table]()
    for name in spec.metrology:
        if name.startswith("oes_"):
            tags.append(reading(f"{name}_counts", f"Emission that follows {name[4:].upper()}", "1", 0, 65535, 0.1, 1))
        elif name.startswith("rga_"):
            tags.append(reading(f"{name}_pa", f"Residual gas analyser, {name[4:].upper()}", "Pa", 0, 200000, 0.5))
        else:
            tags.append(INSTRUMENTS[name])
    return {"name": "metrology", "kind": "metrology", "description": "Instruments in situ", "tags": tags}
