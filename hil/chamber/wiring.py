"""Which tag of a tool is which instrument of its chamber: by name, with how well each instrument measures."""

import re
from collections.abc import Iterator

from config.layout import Layout
from config.tool import TagKind
from hil.chamber.composition import Composition
from hil.chamber.parameters import Parameters
from hil.parts.wiring import MOL_PER_S_PER_SCCM, PA_PER_TORR, ZERO_CELSIUS, Sensor, fitted, handling_contacts

TORR = 1.0 / PA_PER_TORR


def sensors(layout: Layout, composition: Composition, parameters: Parameters) -> list[Sensor]:
    """Every input of the tool as an instrument; raises PlantError for one that no chamber has."""
    found = dict[str, Sensor]()
    for sensor in (
        *_heat(layout, parameters), *_gas(layout, composition, parameters), *_contacts(layout, composition),
        *_source(composition, parameters), *_metrology(layout, composition, parameters), *_lock(composition),
    ):  # fmt: skip
        found.setdefault(sensor.name, sensor)
    tops = {"manometer": parameters.manometer_full_torr, "fine_manometer": parameters.fine_manometer_full_torr}
    return fitted(layout, found.values(), {name: 1.05 * full for name, full in tops.items()})


def _inputs(layout: Layout, pattern: str) -> Iterator[re.Match[str]]:
    for name, tag in layout.declared.items():
        if tag.kind is TagKind.INPUT and (found := re.fullmatch(pattern, name)):
            yield found


def _heat(layout: Layout, p: Parameters) -> Iterator[Sensor]:
    drift = p.thermocouple_drift_k_h / 3600.0
    for found in _inputs(layout, r"heater\.zone(\d)\.(temperature|guard)_c"):
        source = "control" if found[2] == "temperature" else "guard"
        yield Sensor(found[0], -1, source, int(found[1]) - 1, shift=-ZERO_CELSIUS, noise=p.thermocouple_noise_k,
                     offset_spread=p.thermocouple_offset_k, drift_spread=drift)  # fmt: skip
    for name in ("metrology.pyrometer_c", "heater.wafer_c"):
        yield Sensor(name, -1, "pyrometer", shift=-ZERO_CELSIUS, noise=p.pyrometer_noise_k)
    yield Sensor("rotation.speed_rpm", -1, "rpm", relative=0.001)


def _gas(layout: Layout, composition: Composition, p: Parameters) -> Iterator[Sensor]:
    for at, (line, gas) in enumerate(zip(composition.lines, layout.tool.gases, strict=True)):
        noise = p.flow_noise * line.full_scale_sccm
        yield Sensor(gas.flow, -1, "flow", at, scale=1.0 / MOL_PER_S_PER_SCCM, noise=noise)
        name = line.gas.lower()
        yield Sensor(f"bubblers.{name}.temperature_c", -1, "bath", at, shift=-ZERO_CELSIUS, noise=0.02,
                     offset_spread=0.05)  # fmt: skip
        for source in (f"bubblers.{name}", f"aerosol.{name}"):
            yield Sensor(f"{source}.vapour_sccm", -1, "precursor", at, scale=1.0 / MOL_PER_S_PER_SCCM, relative=0.003)
            yield Sensor(f"{source}.level_pct", -1, "level", at, scale=100.0 / line.settings.content_mol, noise=0.1)
        yield Sensor(f"gas_panel.{name}.bottle_open", -1, "bottle_open", at)
        yield Sensor(f"gas_panel.{name}.line_kpa", -1, "line_pressure", at, scale=1e-3, noise=0.05)
    for source, full in (("manometer", p.manometer_full_torr), ("fine_manometer", p.fine_manometer_full_torr)):
        yield Sensor(f"chamber.{source}_torr", -1, source, scale=TORR, noise=p.manometer_noise * full,
                     relative=p.manometer_relative_noise, offset_spread=p.manometer_zero * full)  # fmt: skip
    yield Sensor("chamber.wide_range_torr", -1, "wide", scale=TORR, relative=p.wide_noise)
    yield Sensor("chamber.at_atmosphere", -1, "at_atmosphere")
    for name in ("vacuum.throttle_valve.feedback_pct", "exhaust.damper_feedback_pct"):
        yield Sensor(name, -1, "throttle", scale=100.0, noise=0.02)
    yield Sensor("vacuum.foreline_torr", -1, "foreline", scale=TORR, relative=0.01)
    yield Sensor("vacuum.dry_pump.running", -1, "running")
    yield Sensor("vacuum.booster.running", -1, "booster_running")


def _contacts(layout: Layout, composition: Composition) -> Iterator[Sensor]:
    for name, source in (
        ("vacuum.dry_pump.ok", "pump_ok"), ("exhaust.fan_ok", "pump_ok"),
        ("heater.overtemperature_ok", "overtemperature_ok"), ("wafer_handling.door_closed", "door_closed"),
        ("wafer_handling.wafer_in", "wafer_in" if composition.lock is None else "in_chamber"),
        ("exhaust.flow_ok", "exhaust_ok"),
        ("exhaust.abatement_ready", "abatement_ok"), ("facilities.gas_cabinet_ok", "cabinet_ok"),
        ("facilities.gas_detector.ok", "detector_ok"), ("facilities.emo_ok", "emo_ok"),
        ("facilities.ups_ok", "mains_ok"), ("facilities.shield_closed", "shield_closed"),
        ("rotation.ok", "rotation_ok"), ("bias.ok", "bias_ok"), (f"{composition.module}.ok", "source_ok"),
        ("load_lock.closed", "bypass_ok"),
    ):  # fmt: skip
        yield Sensor(name, -1, source)
    yield Sensor("facilities.cooling_water_l_min", -1, "water", relative=0.005)
    yield Sensor("facilities.n2_supply_kpa", -1, "n2_supply", noise=0.5)
    yield Sensor("facilities.air_kpa", -1, "air_supply", noise=0.5)
    for gas in composition.detectors:
        name = f"facilities.gas_detector.{gas}_ppm"
        yield Sensor(name, -1, f"{gas}_ppm", noise=5e-4 * layout.declared[name].high)


def _lock(composition: Composition) -> Iterator[Sensor]:
    if composition.lock is None:
        return
    yield Sensor("load_lock.pressure_torr", -1, "lock", scale=TORR, relative=0.005)
    for name, source in (
        ("load_lock.at_atmosphere", "lock_at_atmosphere"), ("load_lock.pump_ok", "lock_pump_ok"),
        ("load_lock.slit.closed", "slit_shut"), ("load_lock.slit.opened", "slit_open"),
        ("load_lock.arm.home", "arm_home"), ("load_lock.arm.inside", "arm_inside"),
        ("load_lock.fork.up", "fork_up"), ("load_lock.fork.down", "fork_down"), ("load_lock.wafer_in", "on_fork"),
    ):  # fmt: skip
        yield Sensor(name, -1, source)
    yield from handling_contacts("load_lock")


def _source(composition: Composition, p: Parameters) -> Iterator[Sensor]:
    module = composition.module
    for name, source in (("on", "on"), ("lit", "lit")):
        yield Sensor(f"{module}.{name}", -1, source)
    yield Sensor("bias.on", -1, "bias_on")
    for name, source in (
        (f"{module}.forward_w", "forward"), (f"{module}.reflected_w", "reflected"), ("bias.forward_w", "bias_forward"),
        (f"{module}.measured_w", "forward"),
    ):  # fmt: skip
        yield Sensor(name, -1, source, noise=0.1, relative=p.power_noise)
    for name, source in (("load", "load_position"), ("tune", "tune_position")):
        yield Sensor(f"match.{name}_pct", -1, source, scale=100.0, noise=0.02)
    for name in ("match.bias_v", "bias.bias_v"):
        yield Sensor(name, -1, "bias", noise=0.2, relative=p.power_noise)
    yield Sensor("match.impedance_ohm", -1, "impedance", relative=0.005)
    yield Sensor("metrology.plasma_lit", -1, "lit")
    yield Sensor("metrology.plasma_density_proxy", -1, "proxy", relative=0.01)
    yield Sensor(f"{module}.temperature_c", -1, "filament", shift=-ZERO_CELSIUS, noise=1.0)
    yield Sensor(f"{module}.measured_a", -1, "current", noise=0.01, relative=0.001)
    yield Sensor(f"{module}.voltage_v", -1, "volts", noise=0.01, relative=0.001)
    yield Sensor(f"{module}.energy_mj", -1, "energy", scale=1e3, relative=p.power_noise)
    yield Sensor(f"{module}.position_mm", -1, "position", scale=1e3)
    yield Sensor(f"{module}.irradiance_w_cm2", -1, "window_light", scale=1e-4, relative=p.power_noise)
    yield Sensor(f"{module}.oxygen_ratio", -1, "ratio", relative=0.003)
    yield Sensor(f"{module}.gas_k", -1, "gas_k", relative=0.01)


def _metrology(layout: Layout, composition: Composition, p: Parameters) -> Iterator[Sensor]:
    for found in _inputs(layout, r"metrology\.oes_([a-z0-9]+)_counts"):
        if (at := _species(composition, found[1])) >= 0:
            yield Sensor(found[0], -1, "emission", at, noise=3.0, relative=p.emission_noise, shift=120.0)
    for found in _inputs(layout, r"metrology\.rga_([a-z0-9]+)_pa"):
        if (at := _species(composition, found[1])) >= 0:
            yield Sensor(found[0], -1, "residual", at, relative=0.02)
    both = 2**0.5 / 30.0  # a rate is a difference of two readings 30 s apart, with the noise of both
    yield Sensor("metrology.reflectometer_thickness_nm", -1, "middle", scale=1e9, noise=p.reflectometer_noise_nm)
    yield Sensor("metrology.ellipsometer_thickness_nm", -1, "half", scale=1e9, noise=p.ellipsometer_noise_nm)
    yield Sensor("metrology.deposition_rate_nm_min", -1, "middle_rate", scale=60e9,
                 noise=p.reflectometer_noise_nm * both * 60.0)  # fmt: skip
    yield Sensor("metrology.qcm_thickness_nm", -1, "crystal", scale=1e9, noise=p.crystal_noise_nm,
                 drift_spread=p.crystal_drift_nm_h / 3600.0)  # fmt: skip
    yield Sensor("metrology.qcm_rate_nm_per_s", -1, "crystal_rate", scale=1e9, noise=p.crystal_noise_nm * both)
    yield Sensor("metrology.reflectance_pct", -1, "reflectance", scale=100.0, noise=0.02)
    yield Sensor("metrology.psi_deg", -1, "psi", noise=0.01)
    yield Sensor("metrology.delta_deg", -1, "delta", noise=0.02)


def _species(composition: Composition, name: str) -> int:
    for at, known in enumerate(composition.species):
        if known.lower() == name:
            return at
    return -1
