"""Interlocks and alarms of a chamber tool: cause and effect, complete for whatever it has."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import chamber_care
from chamber_spec import Gas, Spec

from config.gases import never_together

Table = dict[str, Any]
RESPONSE_S = {"critical": 60, "high": 300, "medium": 600, "low": 3600}


class Effects:
    """What a trip takes away."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.gas = [output for gas in spec.hazardous for output in (gas.valve, gas.setpoint)]
        source, self.energy = spec.source, list[str]()
        if source is not None:
            self.energy = [f"{source.name}.enable"]
            if source.most:
                self.energy.append(f"{source.name}.{'power_w' if source.unit == 'W' else 'current_a'}")
            self.energy += ["bias.enable", "bias.power_w"] if source.bias_w else []
        self.energy += [output for output in spec.cold if output in self._outputs()]
        self.heat = [f"heater.zone{zone}.power_pct" for zone in range(1, spec.heat.zones + 1)]

    def _outputs(self) -> set[str]:
        source = self.spec.source
        own = [] if source is None else [{"name": source.name, "tags": source.outputs}]
        return {
            f"{module['name']}.{tag['name']}"
            for module in (*self.spec.modules, *own) for tag in module["tags"] if tag["kind"] == "output"
        }  # fmt: skip

    def cut(self, *, heat: bool = False, more: Mapping[str, float] | None = None) -> list[Table]:
        """Effects: process gas and energy off; heat too where asked for."""
        outputs = dict.fromkeys([*self.gas, *self.energy, *(self.heat if heat else [])], 0.0) | dict(more or {})
        return [{"output": output, "value": value} for output, value in outputs.items()]

    def only(self, *outputs: str) -> list[Table]:
        """Effects on some outputs."""
        return [{"output": output, "value": 0} for output in outputs]


def row(name: str, cls: str, description: str, when: str, priority: str, consequence: str, action: str,
        **more: Any) -> Table:  # fmt: skip
    """An interlock."""
    effects = more.pop("effects", [])
    made: Table = {"name": name, "class": cls, "description": description, "when": when} | more
    made |= {
        "priority": priority,
        "response_time_s": RESPONSE_S[priority],
        "consequence": consequence,
        "action": action,
    }
    return made | ({"effects": effects} if effects else {})


def any_open(spec: Spec) -> str:
    """Expression: some process gas is open."""
    return " or ".join(gas.valve for gas in spec.hazardous)


def energised(spec: Spec) -> str:
    """Expression: the source is on."""
    return f" or {spec.source.name}.enable" if spec.source else ""


def interlocks(spec: Spec) -> Iterator[Table]:
    """Every interlock: trips, then holds, then permissives."""
    effects = Effects(spec)
    yield from _room(spec, effects)
    yield from _vessel(spec, effects)
    yield from _lines(spec, effects)
    yield from _heat(spec, effects)
    yield from _source(spec, effects)
    yield from (dict(one) for one in spec.interlocks if one["class"] == "trip")
    yield from _holds(spec, effects)
    yield from (dict(one) for one in spec.interlocks if one["class"] == "hold")
    yield from _permissives(spec, effects)
    yield from (dict(one) for one in spec.interlocks if one["class"] == "permissive")


def _room(spec: Spec, effects: Effects) -> Iterator[Table]:
    yield row("emergency_off", "trip", "Emergency-off circuit open (hardwired, SEMI S2)", "not facilities.emo_ok",
              "critical", "A person or the cabinet has cut the power: sources, heat and process gas are off by wire, "
              "software follows", "Find out why it was pressed, release and reset the circuit, then reset this trip",
              safe_from_idle=True, group="process", effects=effects.cut(heat=True))  # fmt: skip
    for gas in spec.gases:
        if (trips := gas.watched_ppm) is None:
            continue
        yield row(f"{gas.tag}_detected", "trip", f"{gas.label.capitalize()} above {trips:g} ppm "
                  f"({gas.watched_why})", f"facilities.gas_detector.{gas.tag}_ppm > {trips:g} ppm",
                  "critical", "Dangerous gas outside of the line", "Leave the room, follow the site's gas alarm plan; "
                  "the detector is reset at the detector only", hysteresis=f"{0.2 * trips:g} ppm",
                  safe_from_idle=True, group="process", effects=effects.cut(heat=True))  # fmt: skip
    yield row("gas_detector_relay", "trip", "The detectors' relay has dropped: alarm level 2, or a fault of their own",
              "not facilities.gas_detector.ok", "critical", "Gas outside of the line, or nobody would know of it",
              "Leave the room, follow the site's gas alarm plan", safe_from_idle=True, group="process",
              effects=effects.cut(heat=True))  # fmt: skip
    for name, when, what, consequence, action, delay in (
        ("gas_cabinet", "not facilities.gas_cabinet_ok", "A gas cabinet reports a fault (excess flow, exhaust, door)",
         "Supply of process gas is not under control", "Look at the cabinet's panel; call gas supply", 0.0),
        ("exhaust_lost", "not exhaust.flow_ok", "No flow in the process exhaust duct",
         "Process gas is no longer carried away", "Check fan and dampers before any gas is opened again", 0.5),
        ("abatement_lost", "not exhaust.abatement_ready", "Abatement not ready",
         "Unburnt gas would reach the exhaust duct", "Restart the abatement and wait until it reports ready", 0.5),
        ("purge_supply_lost", "facilities.n2_supply_kpa < 350 kPa", "Purge gas supply below 350 kPa",
         "Process gas could not be purged out of chamber and lines", "Restore it before gas is opened again", 1.0),
    ):  # fmt: skip
        more: Table = {"on_delay_s": delay} if delay else {}
        more |= {"hysteresis": "20 kPa"} if "kPa" in when else {}
        yield row(name, "trip", what, when, "critical", consequence, action, **more, group="process",
                  effects=effects.cut())  # fmt: skip
    yield row("power_failure", "trip", "Supply runs on the UPS battery", "not facilities.ups_ok", "high",
              "Pumps and abatement will stop when the battery is empty", "Let the safe sequence end; restart when the "
              "mains are back", on_delay_s=0.5, group="process", effects=effects.cut(heat=True))  # fmt: skip


def _vessel(spec: Spec, effects: Effects) -> Iterator[Table]:
    v, opened = spec.vacuum, any_open(spec)
    pump = "Exhaust fan" if v.kind == "exhaust" else "Dry pump"
    shut = {} if v.kind == "exhaust" else {"vacuum.isolation_valve.shut": 1.0}
    yield row("pump_failure", "trip", f"{pump} not running or in fault", "not vacuum.dry_pump.running or "
              "not vacuum.dry_pump.ok", "critical", "Process gas would fill the chamber", "Restart it locally, then "
              "reset; the trickle purge dilutes what is in the chamber", on_delay_s=0.2, group="process",
              effects=effects.cut(more=shut))  # fmt: skip
    if v.kind != "exhaust":
        limit = 3 if v.kind == "turbo" else max(30.0, 1.5 * v.gas_limit)
        yield row("foreline_pressure", "trip", f"Foreline above {limit:g} Torr while process gas flows",
                  f"vacuum.foreline_torr > {limit:g} Torr and ({opened})", "high", "The pump does not carry the gas "
                  "away; exhaust blocked", "Check exhaust line and pump for deposits", on_delay_s=2, group="process",
                  effects=effects.cut())  # fmt: skip
    yield row("overpressure_with_gas", "trip", f"Chamber above {v.over:g} Torr with process gas open",
              f"chamber.pressure_torr > {v.over:g} Torr and ({opened})", "critical", "Process gas accumulates",
              "Find the reason (throttle, isolation valve, pump, leak) before any reset",
              hysteresis=f"{0.05 * v.over:g} Torr", group="process", effects=effects.cut())  # fmt: skip
    evacuated = "" if v.kind == "exhaust" else "chamber.pressure_torr < 600 Torr or "
    yield row("door_lost", "trip", "Door open while the chamber is evacuated, process gas is open or a source is on",
              f"not wafer_handling.door_closed and ({evacuated}{opened}{energised(spec)})", "critical",
              f"Air and process gas meet{'; ' + spec.source.danger if spec.source else ''}",
              "Do not touch the door; purge; check the contacts and the seal", group="process",
              effects=effects.cut())  # fmt: skip


def _lines(spec: Spec, effects: Effects) -> Iterator[Table]:
    for gas in spec.hazardous:
        margin = 0.05 * gas.full
        yield row(f"mfc_{gas.tag}_no_setpoint", "trip", f"{_what(gas)} more than {margin:g} sccm above its set point: "
                  "controller stuck open", f"{gas.flow} > {gas.setpoint} + {margin:g} sccm", "critical",
                  f"Uncontrolled {gas.label}; film and exhaust loading are unknown", "Valve stays shut; change or "
                  "calibrate the controller", hysteresis=f"{0.4 * margin:g} sccm", on_delay_s=2, group="process",
                  effects=effects.cut())  # fmt: skip
    excepted = {frozenset((pair.first, pair.second)) for pair in spec.pairs}
    for pair in spec.pairs:
        a, b = spec.gas(pair.first), spec.gas(pair.second)
        yield row(pair.name, "trip", f"{a.label.capitalize()} and {b.label} both open outside of their window",
                  f"{a.valve} and {b.valve} and ({pair.unless})", "critical", pair.why, "Check recipe, heat, source, "
                  "pressure; purge before the next attempt", group="process", effects=effects.cut())  # fmt: skip
    for a, b, reason in forbidden(spec):
        if frozenset((a.formula, b.formula)) not in excepted:
            yield row(f"{a.tag}_meets_{b.tag}", "trip", f"{a.label.capitalize()} open together with {b.label}",
                      f"{a.valve} and {b.valve}", "critical", reason[:1].upper() + reason[1:], "Purge; find out who "
                      "opened the second valve", group="process", effects=effects.cut())  # fmt: skip


def forbidden(spec: Spec) -> list[tuple[Gas, Gas, str]]:
    """Pairs of the tool's gases that must never meet, with the reason."""
    return [
        (a, b, reason) for a, b in combinations(spec.gases, 2)
        if (reason := never_together(a.formula, b.formula)) is not None
    ]  # fmt: skip


def _what(gas: Gas) -> str:
    return f"Carrier of {gas.label} flows" if gas.bubbler_c else f"{gas.label.capitalize()} flows"


def _heat(spec: Spec, effects: Effects) -> Iterator[Table]:
    heat = spec.heat
    zones = range(1, heat.zones + 1)
    yield row("overtemperature_contact", "trip", "Independent over-temperature controller has cut the heat",
              "not heater.overtemperature_ok", "critical", "Too hot; heat is cut by wire", "Find the cause; reset the "
              "controller at the power cabinet, then here", safe_from_idle=True, group="heat",
              effects=effects.cut(heat=True))  # fmt: skip
    for zone in zones:
        where = f"_zone{zone}" if heat.zones > 1 else ""
        z = f"heater.zone{zone}"
        yield row(f"overtemperature{where}", "trip", f"Above {heat.trip_c:g} °C by either thermocouple, or one of them "
                  "open (Bad)", f"{z}.temperature_c > {heat.trip_c:g} °C or {z}.guard_c > {heat.trip_c:g} °C",
                  "critical", "Heater and wafers are damaged; with an open thermocouple heat would run away",
                  "Heat stays off; check thermocouples and power stage", hysteresis="5 K", on_delay_s=0.3, group="heat",
                  effects=effects.cut(heat=True))  # fmt: skip
        yield row(f"thermocouples_disagree{where}", "trip", f"Thermocouples differ by more than {heat.disagree_k:g} K",
                  f"abs({z}.temperature_c - {z}.guard_c) > {heat.disagree_k:g} K", "high", "One of them is loose: the "
                  "loop would overheat the tool", "Heat stays off; check both thermocouples", hysteresis="5 K",
                  on_delay_s=5, group="heat", effects=effects.cut(heat=True))  # fmt: skip
    yield row("cooling_water_lost", "trip", "Cooling water below 6 L/min", "facilities.cooling_water_l_min < 6 L/min",
              "high", "Seals, heater and sources overheat", "Restore water; let the parts cool before "
              "power is on", hysteresis="1 L/min", on_delay_s=3, group="heat",
              effects=effects.cut(heat=True))  # fmt: skip
    if spec.rotation:
        yield row("rotation_fault", "trip", "The susceptor's drive reports a fault while process gas is open",
                  f"not rotation.ok and ({any_open(spec)})", "high", "The film is uneven; a carrier may have left its "
                  "seat", "Let it cool, open, look at carrier and bearing", on_delay_s=0.5, group="heat",
                  effects=effects.cut(heat=True))  # fmt: skip


def _source(spec: Spec, effects: Effects) -> Iterator[Table]:
    source = spec.source
    if source is None:
        return
    n = source.name
    yield row("source_fault", "trip", f"{source.title} reports a fault or its own interlock chain is open",
              f"not {n}.ok and ({n}.requested or {n}.enable)", "high", "The film stops in the middle", "Read the fault "
              "at the source", on_delay_s=0.1, group="source", effects=effects.cut())  # fmt: skip
    yield row("source_without_command", "trip", f"{source.title} on while it is not enabled",
              f"{n}.on and not {n}.enable", "critical", "It cannot be switched off from here", "Switch it off by its "
              "breaker", on_delay_s=1, group="source", effects=effects.cut())  # fmt: skip
    if source.reflects:
        yield row("reflected_high", "trip", "Reflected power above its limit for 3 s",
                  f"{n}.reflected_w > {n}.reflected_limit_w", "high", "Match or generator burns; the plasma is not "
                  "what the recipe asks for", "Check match, presets and cable", hysteresis="5 W", on_delay_s=3,
                  group="source", effects=effects.cut())  # fmt: skip
    if source.window:
        low, high = source.window
        yield row("source_pressure_window", "trip", f"On or wanted below {low:g} Torr or above {high:g} Torr",
                  f"({n}.enable or {n}.requested) and (chamber.pressure_torr < {low:g} Torr or chamber.pressure_torr > "
                  f"{high:g} Torr)", "high", "The source works where it must not", "Find out what happened to the "
                  "pressure", on_delay_s=0.5, group="source", effects=effects.cut())  # fmt: skip
    if spec.shield:
        yield row("shield_open", "trip", "Shield open while the source is on", f"not facilities.shield_closed and "
                  f"({n}.enable or {n}.requested)", "critical", source.danger.capitalize(), "Nobody goes near; close "
                  "the shield", group="source", effects=effects.cut())  # fmt: skip


def _holds(spec: Spec, effects: Effects) -> Iterator[Table]:
    source = spec.source
    if source is not None:
        yield row("source_out", "hold", f"{source.title} is wanted and does not burn for {source.light_s:g} s",
                  f"{source.name}.requested and not {source.lit}", "medium", "Gas flows without a film growing",
                  "Look for the cause; restart or stop the run", on_delay_s=source.light_s, latch=False, group="source",
                  effects=effects.only(*effects.energy))  # fmt: skip
    for gas in spec.hazardous:
        open_when = f"{gas.valve} and " if not gas.vents else ""
        open_when += f"gas_panel.{gas.tag}.bottle_open and " if gas.bottled else ""
        yield row(f"{gas.tag}_flow_low", "hold", f"{_what(gas)} more than 10 % below its set point",
                  f"{open_when}{gas.setpoint} > {0.02 * gas.full:g} sccm and {gas.flow} < 0.9 * {gas.setpoint}",
                  "medium", "The film's rate and composition are off", "Check supply pressure and controller; restart "
                  "or stop the run", on_delay_s=5, latch=False, group="process")  # fmt: skip
        if gas.bubbler_c is not None:
            bath = f"bubblers.{gas.tag}"
            yield row(f"{gas.tag}_bath_off", "hold", f"Bath of {gas.label} more than 1 K off its set point while it "
                      f"is used", f"{gas.valve} and abs({bath}.temperature_c - {bath}.setpoint_c) > 1 K", "medium",
                      "The flow of precursor is off by 5 % a kelvin", "Check the bath; restart or stop the run",
                      on_delay_s=10, latch=False, group="process")  # fmt: skip
    if spec.rotation:
        yield row("rotation_slow", "hold", "The susceptor turns more than 10 % slower than asked for",
                  "rotation.setpoint_rpm > 20 rpm and rotation.speed_rpm < 0.9 * rotation.setpoint_rpm", "medium",
                  "The film is thinner and uneven", "Check drive and bearing", on_delay_s=20, latch=False,
                  group="process")  # fmt: skip


def _permissives(spec: Spec, effects: Effects) -> Iterator[Table]:
    v = spec.vacuum
    when = (
        f"not vacuum.dry_pump.running or vacuum.isolation_valve.shut or chamber.pressure_torr > {v.gas_limit:g} Torr "
    )
    when += "or not wafer_handling.door_closed"
    yield row("process_gas_permissive", "permissive", f"Process gas needs a running pump, an open way to it and a "
              f"chamber below {v.gas_limit:g} Torr with its door closed", when, "low", "Valves of process gas are held "
              "shut", "Bring the chamber to its pressure first", hysteresis=f"{0.05 * v.gas_limit:g} Torr", latch=False,
              effects=effects.only(*effects.gas))  # fmt: skip
    excepted = {frozenset((pair.first, pair.second)) for pair in spec.pairs}
    for a, b, _ in forbidden(spec):
        if frozenset((a.formula, b.formula)) in excepted and spec.apart_s >= 1.0:
            continue
        for first, second in ((a, b), (b, a)):
            yield row(f"{second.tag}_after_{first.tag}", "permissive", f"{second.label.capitalize()} not before "
                      f"{first.label} has been shut for {spec.apart_s:g} s", first.valve, "low",
                      f"Valve of {second.label} is held shut", "Purge first", off_delay_s=spec.apart_s, latch=False,
                      effects=effects.only(second.valve, second.setpoint) if spec.apart_s >= 1.0
                      else effects.only(second.valve))  # fmt: skip
    if spec.source is not None:
        s = spec.source
        window = ""
        if s.window:
            window = f"chamber.pressure_torr < {1.05 * s.window[0]:g} Torr or chamber.pressure_torr > "
            window += f"{0.95 * s.window[1]:g} Torr or "
        yield row("source_permissive", "permissive", f"{s.title} needs its pressure, a closed door and water",
                  f"{window}not wafer_handling.door_closed or facilities.cooling_water_l_min < 6 L/min or not "
                  f"{s.name}.ok" + (" or not facilities.shield_closed" if spec.shield else ""), "low", "It is held off",
                  "Bring everything around it to its place first", latch=False,
                  effects=effects.only(*effects.energy))  # fmt: skip
    for gas in spec.gases:
        if gas.bottled:
            line = f"gas_panel.{gas.tag}"
            yield row(f"line_purge_{gas.tag}", "permissive", f"Purge gas into the line of {gas.label} only while the "
                      "bottle is shut and the line below 450 kPa", f"{line}.bottle_open or {line}.line_kpa > 450 kPa",
                      "low", "Purge gas would be pressed into the bottle", "Ask the cabinet to shut the bottle first",
                      hysteresis="20 kPa", latch=False, effects=effects.only(f"{line}.purge"))  # fmt: skip
    inert = spec.inert
    yield row("vent_permissive", "permissive", f"{inert.label.capitalize()} only up to 790 Torr, with a lost gauge up "
              "to the pressure switch: the chamber is no pressure vessel, but a lost gauge alone must not stop it",
              "(not bad(chamber.wide_range_torr) and chamber.wide_range_torr > 790 Torr) or "
              "(bad(chamber.wide_range_torr) and chamber.at_atmosphere)" if v.kind != "exhaust" else
              "not bad(chamber.manometer_torr) and chamber.manometer_torr > 800 Torr",
              "medium", "The door could be lifted off its seal", "Nothing; purge gas returns below the limit by a new "
              "command", hysteresis="10 Torr", latch=False, accept_uncertain=True, effects=[
                  {"output": inert.valve, "value": 0}, {"output": inert.setpoint, "value": 0},
                  {"output": "gas_panel.purge.shut", "value": 1}])  # fmt: skip
    cool = f" or heater.zone1.temperature_c > {min(200.0, spec.heat.most_c):g} °C" if spec.heat.standby_c <= 150 else ""
    yield row("door_lock", "permissive", "The door stays locked under vacuum, with process gas open or a source on",
              f"chamber.wide_range_torr < 700 Torr or {any_open(spec)}{energised(spec)}{cool}", "low",
              "The door cannot be opened", "Vent the chamber first", hysteresis="20 Torr" if not cool else None,
              latch=False, effects=effects.only("wafer_handling.door_unlock"))  # fmt: skip


def alarms(spec: Spec) -> Iterator[Table]:
    """Every alarm: each asks a person for an answer that the row names."""
    heat = spec.heat
    settles_s = 90 if spec.vacuum.high >= 50 else 30
    for zone in range(1, heat.zones + 1):
        z, where = f"heater.zone{zone}", f"_zone{zone}" if heat.zones > 1 else ""
        off = max(2.5 * heat.tolerance_c, 8.0)
        yield {"name": f"temperature_deviation{where}", "kind": "deviation", "description": f"In control and more than "
               f"{off:g} K off its set point for 5 min", "tag": f"{z}.temperature_c", "setpoint": f"{z}.setpoint_c",
               "high": f"{off:g} K", "low": f"-{off:g} K", "only_when": f"{z}.mode == auto", "hysteresis": "2 K",
               "on_delay_s": 300, "priority": "medium", "response_time_s": 1800,
               "consequence": "Rate and composition are off",
               "action": "Check power, thermocouple and set point"}  # fmt: skip
    yield {"name": "pressure_deviation", "kind": "deviation", "description": "Pressure in control and more than 10 % "
           f"off its set point for {settles_s} s", "tag": "chamber.pressure_torr",
           "setpoint": "chamber.pressure_setpoint_torr",
           "high": "10 %", "low": "-10 %", "only_when": "vacuum.throttle_valve.mode == auto",
           "on_delay_s": settles_s,
           "priority": "medium", "response_time_s": 600, "consequence": "Growth rate is off",
           "action": "Check throttle valve, pump and flows"}  # fmt: skip
    yield {"name": "throttle_stuck", "description": "Throttle valve does not follow: more than 5 % off its command for "
           "5 s", "when": "abs(vacuum.throttle_valve.feedback_pct - vacuum.throttle_valve.position_pct) > 5 %",
           "on_delay_s": 5, "priority": "medium", "response_time_s": 600, "consequence": "Pressure control is lost",
           "action": "Service the valve", "confirm": True}  # fmt: skip
    if spec.vacuum.kind != "exhaust":
        yield {"name": "booster_stopped", "kind": "off_normal", "description": "Booster or turbo pump not at speed",
               "tag": "vacuum.booster.running", "normal": "yes", "on_delay_s": 30, "priority": "medium",
               "response_time_s": 1800, "consequence": "Base pressure and pump speed are not reached",
               "action": "Restart it locally", "suppress": {"modes": ["Maintenance"]}}  # fmt: skip
    for gas in spec.gases:
        if (trips := gas.watched_ppm) is not None:
            yield {"name": f"{gas.tag}_trace", "kind": "level", "description": f"{gas.label.capitalize()} above "
                   f"{0.4 * trips:g} ppm", "tag": f"facilities.gas_detector.{gas.tag}_ppm",
                   "high": f"{0.4 * trips:g} ppm", "hysteresis": f"{0.1 * trips:g} ppm",
                   "on_delay_s": 2, "safety": True, "confirm": True, "re_alarm_s": 900, "priority": "high",
                   "response_time_s": 300, "consequence": "Leak that is growing, or a drifting detector",
                   "action": "Search the leak with the portable detector"}  # fmt: skip
        if gas.carried:
            module, what = ("aerosol", "nebuliser") if gas.mist else ("bubblers", "bubbler")
            does = "Fill" if gas.mist else "Change"
            yield {"name": f"{gas.tag}_low", "kind": "level", "description": f"Less than 10 % of {gas.label} left",
                   "tag": f"{module}.{gas.tag}.level_pct", "low": "10 %", "hysteresis": "1 %", "on_delay_s": 60,
                   "priority": "low", "response_time_s": 28800, "consequence": f"The {what} runs empty in a run",
                   "action": f"{does} the {what} before the next run"}  # fmt: skip
    for name, kind, tag, low, unit, what, consequence, action in (
        ("cooling_water_low", "level", "facilities.cooling_water_l_min", "8", "L/min", "Cooling water below 8 L/min",
         "Heat and sources will trip at 6 L/min", "Check filter and pump of the water circuit"),
        ("purge_supply_low", "limit", "facilities.n2_supply_kpa", "450", "kPa", "Purge gas supply below 450 kPa",
         "Process gas will trip at 350 kPa", "Call gas supply"),
        ("air_low", "limit", "facilities.air_kpa", "450", "kPa", "Compressed air below 450 kPa",
         "Pneumatic valves move slowly or not", "Check the air supply"),
    ):  # fmt: skip
        yield {"name": name, "kind": kind, "description": what, "tag": tag, "low": f"{low} {unit}",
               "hysteresis": "0.5 L/min" if unit == "L/min" else "20 kPa", "on_delay_s": 5, "group": "supplies",
               "priority": "medium", "response_time_s": 900, "consequence": consequence, "action": action}  # fmt: skip
    if "reflectometer" in spec.metrology:
        yield {"name": "reflectometer_lost", "kind": "communication", "description": "No thickness from the "
               "reflectometer", "tags": ["metrology.reflectometer_thickness_nm"], "on_delay_s": 10,
               "suppress": {"modes": ["Maintenance"]}, "priority": "low", "response_time_s": 28800,
               "consequence": "The run cannot be followed in situ", "action": "Check lamp and fibre"}  # fmt: skip
    yield from chamber_care.alarms(spec)
    yield from (dict(one) for one in spec.alarms)
