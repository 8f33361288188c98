"""Preflight, second part: what a recipe's words ask of a tool's ranges, ramps and conditions."""

from collections.abc import Iterator

from config.expression import ExpressionError, read_boolean
from config.layout import Layout
from config.plan.words import Words
from config.recipe_model import RecipeStep
from config.tool import TagKind
from config.units import convert, find_unit

CONTROL_RANGE = 50.0
"""A thermal mass flow controller controls from full scale down to this fraction of it (usual value, 50 : 1)."""


def word_faults(words: Words) -> Iterator[tuple[str, str]]:
    """Yield path and reason of everything that a tag's range or the tool's make forbids."""
    yield from _temperatures(words)
    yield from _pressures(words)
    yield from _flows(words)
    yield from _plasma(words)
    scope = Layout(words.tool).scope
    for path, step, _ in words.recipe.leaves():
        if step.until is not None:
            try:
                read_boolean(step.until, scope)
            except ExpressionError as error:
                yield f"{path}.until", str(error)


def word_warnings(words: Words) -> Iterator[tuple[str, str]]:
    """Yield path and reason of what is possible and probably not meant."""
    recipe = words.recipe
    here_c = words.binding.standby_temperature_c
    for path, step, _ in recipe.leaves():
        if step.temperature_c is None:
            continue
        ramp_s = words.ramp_s(here_c, words.zone_targets(step.temperature_c))
        if not step.flows_active and step.duration_s is not None and ramp_s > step.duration_s:
            reason = (
                f"the ramp from {here_c:g} °C takes {ramp_s:g} s: the step will be longer than {step.duration_s:g} s"
            )
            yield f"{path}.duration_s", reason
        here_c = step.temperature_c
    scheme = recipe.pulsing_scheme
    if scheme is not None:
        pulsing_s = scheme.cycles * sum(pulse.pulse_s + pulse.purge_s for pulse in scheme.pulses)
        for path, step, _ in recipe.leaves():
            if step.flows_active and step.duration_s is not None and pulsing_s > step.duration_s:
                yield f"{path}.duration_s", f"{scheme.cycles} cycles of pulses take {pulsing_s:g} s"


def _range(words: Words, tag: str, unit: str) -> tuple[float, float]:
    declared = words.declared[tag]
    own = find_unit(declared.unit)
    return convert(declared.low, own, find_unit(unit)), convert(declared.high, own, find_unit(unit))


def _temperatures(words: Words) -> Iterator[tuple[str, str]]:
    binding, tool, recipe = words.binding, words.tool, words.recipe
    zones = {zone.zone: zone for zone in binding.zones}
    for index, target in enumerate(recipe.temperature_profile.zones):
        path = f"temperature_profile.zones[{index}]"
        zone = zones.get(target.zone)
        if zone is None:
            yield (
                f"{path}.zone",
                f"{tool.name} has no zone {target.zone} (it has {', '.join(map(str, zones)) or 'none'})",
            )
            continue
        low, high = _range(words, zone.setpoint, "°C")
        if not low <= target.setpoint <= high:
            yield f"{path}.setpoint", f"{target.setpoint:g} °C is outside of {low:g} … {high:g} °C ({zone.setpoint})"
        tag = words.declared[zone.setpoint]
        fastest = tag.rate_per_s * 60.0 if tag.kind is TagKind.OUTPUT else 0.0
        if 0 < fastest < words.difference(zone.setpoint, target.ramp_rate, "K"):
            yield f"{path}.ramp_rate", f"{zone.setpoint} cannot move faster than {fastest:g} K/min"
    if not zones:
        yield "temperature_profile", f"{tool.name} has no heating zones"
        return
    here_c = binding.standby_temperature_c
    for path, step, _ in recipe.leaves():
        if step.temperature_c is None:
            continue
        field = "target_temp_c" if step.temp_c is None else "temp_c"
        targets = words.zone_targets(step.temperature_c)
        for zone, target, _ in targets:
            low, high = _range(words, zone.setpoint, "°C")
            if not low <= target <= high:
                reason = f"{target:g} °C in zone {zone.zone} is outside of {low:g} … {high:g} °C ({zone.setpoint})"
                yield f"{path}.{field}", reason
        ramp_s = words.ramp_s(here_c, targets)
        if step.timeout_s is not None and ramp_s > step.timeout_s:
            reason = f"{step.temperature_c:g} °C cannot be reached from {here_c:g} °C in {step.timeout_s:g} s"
            yield f"{path}.timeout_s", f"{reason}: its ramp takes {ramp_s:g} s"
        here_c = step.temperature_c


def _pressures(words: Words) -> Iterator[tuple[str, str]]:
    pressure, recipe = words.binding.pressure, words.recipe
    low, high = _range(words, pressure.setpoint, "Torr")
    least, _ = _range(words, pressure.process_value, "Torr")

    def controlled(path: str, torr: float) -> Iterator[tuple[str, str]]:
        if not low <= torr <= high:
            yield path, f"{torr:g} Torr is outside of the control range {low:g} … {high:g} Torr ({pressure.setpoint})"

    def reached(path: str, torr: float) -> Iterator[tuple[str, str]]:
        if torr > high:
            yield path, f"{torr:g} Torr is above {high:g} Torr ({pressure.setpoint})"
        elif torr < least:
            yield path, f"{torr:g} Torr is below what {pressure.process_value} measures ({least:g} Torr)"

    yield from controlled("pressure_setpoints.process_pressure_torr", recipe.pressure_setpoints.process_pressure_torr)
    if recipe.pressure_setpoints.base_pressure_torr is not None:
        yield from reached("pressure_setpoints.base_pressure_torr", recipe.pressure_setpoints.base_pressure_torr)
    for path, step, _ in recipe.leaves():
        if step.target_pressure_torr is not None:
            check = reached if words.is_pumped(step) else controlled
            yield from check(f"{path}.target_pressure_torr", step.target_pressure_torr)


def _plasma(words: Words) -> Iterator[tuple[str, str]]:
    """What a recipe asks of the tool's generators; a tool without any is told by its modules."""
    plasma, settings, tool = words.binding.plasma, words.recipe.plasma_settings, words.tool
    if plasma is None or settings is None:
        return
    if settings.frequency_mhz not in plasma.frequencies_mhz:
        made = " or ".join(f"{mhz:g} MHz" for mhz in plasma.frequencies_mhz)
        yield "plasma_settings.frequency_mhz", f"{tool.name} makes {made}, not {settings.frequency_mhz:g} MHz"
    asked: list[tuple[str, float | None, str | None, str]] = [
        ("rf_power_w", settings.rf_power_w, plasma.power, "W"),
        ("reflected_limit_w", settings.reflected_limit_w, plasma.reflected_limit, "W"),
        ("dc_bias_v", settings.dc_bias_v, plasma.bias.setpoint if plasma.bias else None, "V"),
        ("duty_cycle", settings.duty_cycle * 100.0 if settings.duty_cycle < 1.0 else None, plasma.duty, "%"),
        ("pulse_frequency_hz", settings.pulse_frequency_hz, plasma.pulse_frequency, "Hz"),
    ]
    for name, value, tag, unit in asked:
        if value is None:
            continue
        if tag is None:
            yield f"plasma_settings.{name}", f"{tool.name} cannot set it"
            continue
        low, high = _range(words, tag, unit)
        if not low <= value <= high:
            yield f"plasma_settings.{name}", f"{value:g} {unit} is outside of {low:g} … {high:g} {unit} ({tag})"
    if settings.matching_network == "manual" and plasma.matching is None:
        yield "plasma_settings.matching_network", f"{tool.name} matches by itself only"
    low, high = _range(words, plasma.power, "W")
    for path, step, _ in words.recipe.leaves():
        watts = words.plasma_power_w(step)
        if not low <= watts <= high:
            yield f"{path}.plasma_power_w", f"{watts:g} W is outside of {low:g} … {high:g} W ({plasma.power})"
        if watts and ".parallel" in path:
            yield f"{path}.plasma_power_w", "a plasma is lit by the main sequence only, never by a branch"
        if watts and words.is_pumped(step):
            yield (
                f"{path}.target_pressure_torr",
                "a plasma needs gas at a controlled pressure; this one is pumped down to",
            )


def _flows(words: Words) -> Iterator[tuple[str, str]]:
    have = ", ".join(words.gases) or "none"
    for index, gas in enumerate(words.recipe.gas_flows.gases):
        path = f"gas_flows.gases[{index}]"
        if gas.name not in words.gases:
            yield f"{path}.name", f"{words.tool.name} has no feed for {gas.name} (it has {have})"
        else:
            yield from _flow(words, gas.name, gas.flow_sccm, f"{path}.flow_sccm")
        if gas.carrier is not None and gas.carrier not in words.gases:
            yield f"{path}.carrier", f"{words.tool.name} has no feed for {gas.carrier} (it has {have})"
    for path, step, _ in words.recipe.leaves():
        yield from _step_flows(words, step, path)


def _step_flows(words: Words, step: RecipeStep, path: str) -> Iterator[tuple[str, str]]:
    for name, flow in step.gas_flow.items():
        if name in words.gases:
            yield from _flow(words, name, flow, f"{path}.{name}_flow")


def _flow(words: Words, name: str, flow: float, path: str) -> Iterator[tuple[str, str]]:
    setpoint = words.gases[name].setpoint
    low, high = _range(words, setpoint, "sccm")
    least = max(low, high / CONTROL_RANGE)
    if flow > high:
        yield path, f"{flow:g} sccm is above the range of its controller, {high:g} sccm ({setpoint})"
    elif 0 < flow < least:
        yield (
            path,
            f"{flow:g} sccm is below the control range of its controller, {least:g} … {high:g} sccm ({setpoint})",
        )
