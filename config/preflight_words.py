"""Preflight, second part: what a recipe's words ask of a tool's ranges, ramps and conditions."""

from collections.abc import Iterator

from config.plan.words import Words
from config.tool import Plasma, TagKind
from config.units import convert, find_unit

CONTROL_RANGE = 50.0
"""A thermal mass flow controller controls from full scale down to this fraction of it (usual value, 50 : 1)."""


def word_faults(words: Words) -> Iterator[tuple[str, str]]:
    """Yield path and reason of everything that a tag's range or the tool's make forbids."""
    for prefix, inner in words.recipes():
        for part in (_profile, _pressures, _settings, _gases):
            for path, reason in part(inner):
                yield prefix + path, reason
    yield from _temperatures(words)
    yield from _step_pressures(words)
    yield from _step_plasma(words)
    yield from _step_flows(words)


def word_warnings(words: Words) -> Iterator[tuple[str, str]]:
    """Yield path and reason of what is possible and probably not meant."""
    here_c = words.binding.standby_temperature_c
    for inner, path, step in words.leaves():
        if step.temperature_c is None:
            continue
        ramp_s = inner.ramp_s(here_c, inner.zone_targets(step.temperature_c))
        if not step.flows_active and step.duration_s is not None and ramp_s > step.duration_s:
            reason = (
                f"the ramp from {here_c:g} °C takes {ramp_s:g} s: the step will be longer than {step.duration_s:g} s"
            )
            yield f"{path}.duration_s", reason
        here_c = step.temperature_c
    for inner, path, step in words.leaves():
        scheme = inner.recipe.pulsing_scheme
        if scheme is not None:
            pulsing_s = scheme.cycles * sum(pulse.pulse_s + pulse.purge_s for pulse in scheme.pulses)
            if step.flows_active and step.duration_s is not None and pulsing_s > step.duration_s:
                yield f"{path}.duration_s", f"{scheme.cycles} cycles of pulses take {pulsing_s:g} s"


def _range(words: Words, tag: str, unit: str) -> tuple[float, float]:
    declared = words.declared[tag]
    own = find_unit(declared.unit)
    return convert(declared.low, own, find_unit(unit)), convert(declared.high, own, find_unit(unit))


def _profile(words: Words) -> Iterator[tuple[str, str]]:
    """Zones and their ramps."""
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


def _temperatures(words: Words) -> Iterator[tuple[str, str]]:
    """What steps ask of the zones; `here_c` goes through called recipes as the run does."""
    if not words.binding.zones:
        return
    here_c = words.binding.standby_temperature_c
    for inner, path, step in words.leaves():
        if step.temperature_c is None:
            continue
        field = "target_temp_c" if step.temp_c is None else "temp_c"
        targets = inner.zone_targets(step.temperature_c)
        for zone, target, _ in targets:
            low, high = _range(words, zone.setpoint, "°C")
            if not low <= target <= high:
                reason = f"{target:g} °C in zone {zone.zone} is outside of {low:g} … {high:g} °C ({zone.setpoint})"
                yield f"{path}.{field}", reason
        ramp_s = inner.ramp_s(here_c, targets)
        if step.timeout_s is not None and ramp_s > step.timeout_s:
            reason = f"{step.temperature_c:g} °C cannot be reached from {here_c:g} °C in {step.timeout_s:g} s"
            yield f"{path}.timeout_s", f"{reason}: its ramp takes {ramp_s:g} s"
        here_c = step.temperature_c


def _controlled(words: Words, path: str, torr: float) -> Iterator[tuple[str, str]]:
    setpoint = words.binding.pressure.setpoint
    low, high = _range(words, setpoint, "Torr")
    if not low <= torr <= high:
        yield path, f"{torr:g} Torr is outside of the control range {low:g} … {high:g} Torr ({setpoint})"


def _reached(words: Words, path: str, torr: float) -> Iterator[tuple[str, str]]:
    pressure = words.binding.pressure
    _, high = _range(words, pressure.setpoint, "Torr")
    least, _ = _range(words, pressure.process_value, "Torr")
    if torr > high:
        yield path, f"{torr:g} Torr is above {high:g} Torr ({pressure.setpoint})"
    elif torr < least:
        yield path, f"{torr:g} Torr is below what {pressure.process_value} measures ({least:g} Torr)"


def _pressures(words: Words) -> Iterator[tuple[str, str]]:
    said = words.recipe.pressure_setpoints
    yield from _controlled(words, "pressure_setpoints.process_pressure_torr", said.process_pressure_torr)
    if said.base_pressure_torr is not None:
        yield from _reached(words, "pressure_setpoints.base_pressure_torr", said.base_pressure_torr)


def _step_pressures(words: Words) -> Iterator[tuple[str, str]]:
    for inner, path, step in words.leaves():
        if step.target_pressure_torr is not None:
            check = _reached if inner.is_pumped(step) else _controlled
            yield from check(words, f"{path}.target_pressure_torr", step.target_pressure_torr)


def _settings(words: Words) -> Iterator[tuple[str, str]]:
    """What a recipe asks of the tool's generators; a tool without any is told by its modules."""
    plasma, settings, tool = words.binding.plasma, words.recipe.plasma_settings, words.tool
    if plasma is not None and plasma.settings != "plasma_settings":
        yield from _wire_or_beam(words, plasma)
    if plasma is None or settings is None or plasma.settings != "plasma_settings":
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


def _wire_or_beam(words: Words, plasma: Plasma) -> Iterator[tuple[str, str]]:
    """What a recipe asks of a hot wire, a laser or a lamp."""
    unit, beam = words.energy_unit, words.recipe.laser_settings
    field = "temperature_c" if plasma.settings == "filament_settings" else "power_w"
    low, high = _range(words, plasma.power, unit)
    if words.asked and not low <= words.asked <= high:
        reason = f"{words.asked:g} {unit} is outside of {low:g} … {high:g} {unit} ({plasma.power})"
        yield f"{plasma.settings}.{field}", reason
    if beam is None or beam.scan_speed_mm_s is None or plasma.settings != "laser_settings":
        return
    if plasma.scan is None:
        yield "laser_settings.scan_speed_mm_s", f"{words.tool.name} cannot scan"
        return
    low, high = _range(words, plasma.scan, "mm/s")
    if not low <= beam.scan_speed_mm_s <= high:
        reason = f"{beam.scan_speed_mm_s:g} mm/s is outside of {low:g} … {high:g} mm/s ({plasma.scan})"
        yield "laser_settings.scan_speed_mm_s", reason


def _step_plasma(words: Words) -> Iterator[tuple[str, str]]:
    """What steps ask of the generators."""
    plasma = words.binding.plasma
    if plasma is None:
        return
    low, high = _range(words, plasma.power, words.energy_unit)
    for inner, path, step in words.leaves():
        if inner.recipe.plasma_settings is None and not inner.asked:
            continue
        watts = inner.plasma_power_w(step)
        if plasma.settings == "plasma_settings" and not low <= watts <= high:
            yield f"{path}.plasma_power_w", f"{watts:g} W is outside of {low:g} … {high:g} W ({plasma.power})"
        if watts and ".parallel" in path:
            yield f"{path}.plasma_power_w", "a plasma is lit by the main sequence only, never by a branch"
        if watts and inner.is_pumped(step):
            yield (
                f"{path}.target_pressure_torr",
                "a plasma needs gas at a controlled pressure; this one is pumped down to",
            )


def _gases(words: Words) -> Iterator[tuple[str, str]]:
    have = ", ".join(words.gases) or "none"
    for index, gas in enumerate(words.recipe.gas_flows.gases):
        path = f"gas_flows.gases[{index}]"
        if gas.name not in words.gases:
            yield f"{path}.name", f"{words.tool.name} has no feed for {gas.name} (it has {have})"
        else:
            yield from _flow(words, gas.name, gas.flow_sccm, f"{path}.flow_sccm")
        if gas.carrier is not None and gas.carrier not in words.gases:
            yield f"{path}.carrier", f"{words.tool.name} has no feed for {gas.carrier} (it has {have})"


def _step_flows(words: Words) -> Iterator[tuple[str, str]]:
    for _, path, step in words.leaves():
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
