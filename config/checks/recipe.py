"""Checks of what recipes and records see: gases, the recipe's binding, telemetry."""

from config.checks.control import check_mode, same_unit
from config.checks.report import WRITABLE, Report
from config.checks.tags import unit_of_name
from config.faults import join, suggestion
from config.gases import known_gases, species
from config.tool import Plasma, TagKind

_FLOW = "sccm"


def check_gases(report: Report) -> None:
    """Check that gases are known and that the valves of dangerous ones are outputs that need a permission."""
    gases = report.tool.gases
    report.unique(((f"gases[{i}].name", gas.name) for i, gas in enumerate(gases)), "gas")
    for field in ("flow", "setpoint", "valve"):
        report.unique(((f"gases[{i}].{field}", getattr(gas, field)) for i, gas in enumerate(gases)), "a gas with")
    for i, gas in enumerate(gases):
        path = f"gases[{i}]"
        known = species(gas.name)
        if known is None:
            reason = f"unknown gas '{gas.name[:40]}'{suggestion(gas.name, known_gases())}"
            report.add(join(path, "name"), reason)
        elif known.formula != gas.name:
            report.add(join(path, "name"), f"write '{known.formula}' for '{gas.name}'")
        flow = report.find(join(path, "flow"), gas.flow, TagKind.INPUT, TagKind.COMPUTED)
        report.measures(join(path, "flow"), gas.flow, flow, _FLOW)
        setpoint = report.find(join(path, "setpoint"), gas.setpoint, *WRITABLE)
        report.measures(join(path, "setpoint"), gas.setpoint, setpoint, _FLOW)
        valve = report.find(join(path, "valve"), gas.valve, TagKind.OUTPUT)
        if valve is not None and not valve.hazardous and (known is None or known.hazardous):
            kinds = "" if known is None else f" ({', '.join(hazard.value for hazard in known.hazards)})"
            reason = f"'{gas.valve}' feeds {gas.name}{kinds}: the output must be declared hazardous"
            report.add(join(path, "valve"), reason)


def check_recipe_binding(report: Report) -> None:
    """Check that the words of a recipe lead to tags that can do what they say."""
    binding, tool = report.tool.recipe, report.tool
    report.unique(
        ((f"recipe.process_modes[{i}]", mode) for i, mode in enumerate(binding.process_modes)), "process mode"
    )
    report.unique(((f"recipe.zones[{i}].zone", str(zone.zone)) for i, zone in enumerate(binding.zones)), "zone")
    for i, zone in enumerate(binding.zones):
        path = join("recipe.zones", i)
        setpoint = report.find(join(path, "setpoint"), zone.setpoint, TagKind.SETPOINT)
        value = report.find(join(path, "process_value"), zone.process_value)
        report.measures(join(path, "setpoint"), zone.setpoint, setpoint, "°C", exactly=True)
        same_unit(report, join(path, "process_value"), zone.process_value, value, zone.setpoint, setpoint)
        check_mode(report, join(path, "mode"), zone.mode)
        if setpoint is not None and not setpoint.low <= binding.standby_temperature_c <= setpoint.high:
            limits = f"{setpoint.low:g} … {setpoint.high:g} °C of zone {zone.zone}"
            reason = f"{binding.standby_temperature_c:g} °C is outside {limits}"
            report.add("recipe.standby_temperature_c", reason)
    pressure = binding.pressure
    setpoint = report.find("recipe.pressure.setpoint", pressure.setpoint, TagKind.SETPOINT)
    value = report.find("recipe.pressure.process_value", pressure.process_value)
    report.measures("recipe.pressure.setpoint", pressure.setpoint, setpoint, "Torr")
    same_unit(report, "recipe.pressure.process_value", pressure.process_value, value, pressure.setpoint, setpoint)
    check_mode(report, "recipe.pressure.mode", pressure.mode)
    valve = report.find("recipe.pressure.valve", pressure.valve)
    report.measures("recipe.pressure.valve", pressure.valve, valve, "%", exactly=True)
    for name, number in binding.pump_down.items():
        report.value(join("recipe.pump_down", name), name, number)
    if binding.plasma is not None:
        _check_plasma(report, binding.plasma)
    fed = [gas.name for gas in tool.gases]
    if binding.purge_gas not in fed:
        report.add(
            "recipe.purge_gas", f"the tool feeds no '{binding.purge_gas[:40]}'; it has {', '.join(fed) or 'none'}"
        )
    operations = [operation.name for operation in tool.operations]
    for field in ("before", "after"):
        named: tuple[str, ...] = getattr(binding, field)
        for i, name in enumerate(named):
            if name not in operations:
                reason = f"the tool has no operation '{name}'{suggestion(name, operations)}"
                report.add(join("recipe", field, i), reason)


def _check_plasma(report: Report, plasma: Plasma) -> None:
    """Check that the words of a plasma lead to tags that can do what they say."""
    at = "recipe.plasma"
    report.find(join(at, "requested"), plasma.requested, TagKind.SETPOINT)
    enable = report.find(join(at, "enable"), plasma.enable, TagKind.OUTPUT)
    if enable is not None and not enable.hazardous:
        report.add(join(at, "enable"), f"'{plasma.enable}' switches high frequency: it must be declared hazardous")
    report.find(join(at, "lit"), plasma.lit)
    unit_of_power = "°C" if plasma.settings == "filament_settings" else "W"
    kinds: tuple[tuple[str, str | None, str, tuple[TagKind, ...]], ...] = (
        ("power", plasma.power, unit_of_power, WRITABLE),
        ("load", plasma.load, unit_of_power, ()),
        ("scan", plasma.scan, "mm/s", WRITABLE),
        ("reflected_limit", plasma.reflected_limit, "W", (TagKind.SETPOINT,)),
        ("duty", plasma.duty, "%", WRITABLE),
        ("pulse_frequency", plasma.pulse_frequency, "Hz", WRITABLE),
    )
    for field, name, unit, allowed in kinds:
        if name is not None:
            report.measures(join(at, field), name, report.find(join(at, field), name, *allowed), unit)
    if plasma.mode is not None:
        check_mode(report, join(at, "mode"), plasma.mode)
    if plasma.matching is not None:
        matching = report.find(join(at, "matching"), plasma.matching, *WRITABLE)
        if matching is not None and not {"manual", "auto"} <= set(matching.states):
            report.add(join(at, "matching"), f"'{plasma.matching}' needs the states manual and auto")
    if plasma.bias is not None:
        setpoint = report.find(join(at, "bias.setpoint"), plasma.bias.setpoint, TagKind.SETPOINT)
        report.measures(join(at, "bias.setpoint"), plasma.bias.setpoint, setpoint, "V")
        value = report.find(join(at, "bias.process_value"), plasma.bias.process_value)
        same_unit(report, join(at, "bias.process_value"), plasma.bias.process_value, value,
                  plasma.bias.setpoint, setpoint)  # fmt: skip
        check_mode(report, join(at, "bias.mode"), plasma.bias.mode)
    feeds = {gas.name: gas for gas in report.tool.gases}
    if plasma.settings == "plasma_settings" and not plasma.frequencies_mhz:
        report.add(join(at, "frequencies_mhz"), "is empty: a plasma burns at some frequency")
    if plasma.settings == "plasma_settings" and not plasma.gas:
        report.add(join(at, "gas"), "is empty: a plasma step without flows of its own needs a gas to burn in")
    for name, flow in plasma.gas.items():
        known = species(name)
        if name not in feeds:
            report.add(join(at, "gas", name), f"the tool feeds no '{name[:40]}'; it has {', '.join(feeds) or 'none'}")
        elif known is None or known.hazardous:
            report.add(
                join(at, "gas", name), f"a plasma step without flows of its own burns in inert gas, not in {name}"
            )
        else:
            report.value(join(at, "gas", name), feeds[name].setpoint, flow)


def check_telemetry(report: Report) -> None:
    """Check that each signal is in the unit that its name says."""
    telemetry, gases = report.tool.telemetry, {gas.name for gas in report.tool.gases}
    path, name = "telemetry.chamber_pressure_torr", telemetry.chamber_pressure_torr
    report.measures(path, name, report.find(path, name), "Torr", exactly=True)
    for key, name in telemetry.temperature_zones_c.items():
        path = join("telemetry.temperature_zones_c", key)
        report.measures(path, name, report.find(path, name), "°C", exactly=True)
    for gas, name in telemetry.gas_flows_sccm.items():
        path = join("telemetry.gas_flows_sccm", gas)
        report.measures(path, name, report.find(path, name), _FLOW, exactly=True)
        if gas not in gases:
            report.add(path, f"the tool feeds no '{gas[:40]}'{suggestion(gas, gases)}")
    for signal, name in telemetry.signals.items():
        path = join("telemetry.signals", signal)
        tag, said = report.find(path, name), unit_of_name(signal, letters=True)
        if tag is not None and said is not None and tag.unit != "1":
            report.measures(path, name, tag, said.symbol, exactly=True)
