"""Which tag is which wire of the showerhead reactor, and what each of its instruments looks at and how well."""

from collections.abc import Iterator

from config.layout import Layout
from hil.parts.wiring import (
    MANOMETER_TOP_TORR,
    MOL_PER_S_PER_SCCM,
    PA_PER_TORR,
    ZERO_CELSIUS,
    Sensor,
    fitted,
    handling_outputs,
    optional,
    output,
    surroundings,
)
from hil.showerhead.parameters import Parameters
from hil.showerhead.script import FULL_SCALE_SCCM

FEEDS = tuple(gas.lower() for gas in FULL_SCALE_SCCM)


def outputs(layout: Layout) -> dict[str, int | list[int] | dict[str, int]]:
    """Indices of the outputs that the reactor obeys."""
    return {
        "setpoint": [output(layout, f"gas_panel.{gas}.setpoint_sccm") for gas in FEEDS],
        "valve": [output(layout, f"gas_panel.{gas}.valve") for gas in FEEDS],
        "power": output(layout, "heater.zone1.power_pct"),
        "trickle_shut": output(layout, "gas_panel.purge.shut"),
        "throttle": output(layout, "vacuum.throttle_valve.position_pct"),
        "isolation_shut": output(layout, "vacuum.isolation_valve.shut"),
        "dry_stop": output(layout, "vacuum.dry_pump.stop"),
        "booster_stop": output(layout, "vacuum.booster.stop"),
        "abatement_wanted": output(layout, "exhaust.abatement_request"),
        "bottle_shut": optional(layout, "gas_panel.sih4.bottle_shut"),
        "bottle_release": optional(layout, "gas_panel.sih4.bottle_release"),
        "line_purge": optional(layout, "gas_panel.sih4.purge"),
        "handling": handling_outputs(layout),
        "enable": output(layout, "rf.enable"),
        "watts": output(layout, "rf.power_w"),
        "duty": output(layout, "rf.duty_pct"),
        "automatic": output(layout, "match.mode"),
        "load_preset": output(layout, "match.load_preset_pct"),
        "tune_preset": output(layout, "match.tune_preset_pct"),
        "tuner": output(layout, "match.bias_tuner_pct"),
    }


def sensors(layout: Layout, parameters: Parameters) -> list[Sensor]:
    """Every input of the tool as an instrument; raises PlantError for one that the reactor has not."""
    return fitted(layout, (*_process(parameters), *_surroundings(), *surroundings(), *_plasma(parameters)),
                  {"manometer": MANOMETER_TOP_TORR})  # fmt: skip


def _process(p: Parameters) -> Iterator[Sensor]:
    """Heat, gas and pressure; `tag` is filled in by the tool."""
    drift = p.thermocouple_drift_k_h / 3600.0
    for name, source in (("heater.zone1.temperature_c", "control"), ("heater.zone1.guard_c", "guard"),
                         ("showerhead.temperature_c", "face")):  # fmt: skip
        yield Sensor(name, -1, source, shift=-ZERO_CELSIUS, noise=p.thermocouple_noise_k,
                     offset_spread=p.thermocouple_offset_k, drift_spread=drift)  # fmt: skip
    for index, (gas, full_scale) in enumerate(zip(FEEDS, FULL_SCALE_SCCM.values(), strict=True)):
        noise = p.flow_noise * full_scale
        yield Sensor(f"gas_panel.{gas}.flow_sccm", -1, "flow", index, scale=1.0 / MOL_PER_S_PER_SCCM, noise=noise)
    torr = 1.0 / PA_PER_TORR
    yield Sensor("showerhead.upstream_torr", -1, "upstream", scale=torr, relative=0.002)
    yield Sensor("chamber.manometer_torr", -1, "manometer", scale=torr, noise=p.manometer_noise_torr,
                 relative=p.manometer_relative_noise, offset_spread=p.manometer_zero_torr)  # fmt: skip
    yield Sensor("chamber.wide_range_torr", -1, "wide", scale=torr, relative=p.wide_noise)
    yield Sensor("chamber.at_atmosphere", -1, "at_atmosphere")
    yield Sensor("vacuum.throttle_valve.feedback_pct", -1, "throttle", scale=100.0, noise=0.02)
    yield Sensor("vacuum.foreline_torr", -1, "foreline", scale=torr, relative=0.01)
    yield Sensor("vacuum.dry_pump.running", -1, "running")
    yield Sensor("vacuum.booster.running", -1, "booster_running")


def _surroundings() -> Iterator[Sensor]:
    """Contacts and supplies."""
    for name, source in (
        ("vacuum.dry_pump.ok", "pump_ok"), ("heater.overtemperature_ok", "overtemperature_ok"),
        ("wafer_handling.wafer_in", "handling.there"),
        ("exhaust.flow_ok", "exhaust_ok"), ("exhaust.abatement_ready", "abatement_ok"),
        ("facilities.gas_cabinet_ok", "cabinet_ok"), ("facilities.gas_detector.ok", "detector_ok"),
        ("facilities.ups_ok", "mains_ok"), ("rf.ok", "generator_ok"),
    ):  # fmt: skip
        yield Sensor(name, -1, source)
    yield Sensor("facilities.cooling_water_l_min", -1, "water", relative=0.005)
    yield Sensor("facilities.n2_supply_kpa", -1, "n2_supply", noise=0.5)
    yield Sensor("facilities.air_kpa", -1, "air_supply", noise=0.5)
    yield Sensor("facilities.gas_detector.sih4_ppm", -1, "silane_ppm", noise=0.02)
    yield Sensor("facilities.gas_detector.nh3_ppm", -1, "ammonia_ppm", noise=0.1)
    yield Sensor("facilities.gas_detector.nf3_ppm", -1, "fluoride_ppm", noise=0.05)


def _plasma(p: Parameters) -> Iterator[Sensor]:
    """High frequency, its light, and the film."""
    yield Sensor("rf.on", -1, "on")
    yield Sensor("rf.forward_w", -1, "forward", noise=0.1, relative=p.power_noise)
    yield Sensor("rf.reflected_w", -1, "reflected", noise=0.1, relative=p.power_noise)
    yield Sensor("match.load_pct", -1, "load_position", scale=100.0, noise=0.02)
    yield Sensor("match.tune_pct", -1, "tune_position", scale=100.0, noise=0.02)
    yield Sensor("match.bias_v", -1, "bias", noise=0.2, relative=p.power_noise)
    yield Sensor("match.impedance_ohm", -1, "impedance", relative=0.005)
    yield Sensor("metrology.plasma_lit", -1, "lit")
    for line in ("n2", "sih", "f"):
        yield Sensor(f"metrology.oes_{line}_counts", -1, f"emission_{line}", noise=3.0, relative=p.emission_noise,
                     shift=120.0)  # fmt: skip
    yield Sensor("metrology.plasma_density_proxy", -1, "proxy", relative=0.01)
    yield Sensor("metrology.reflectometer_thickness_nm", -1, "middle", scale=1e9, noise=p.reflectometer_noise_nm)
    yield Sensor("metrology.ellipsometer_thickness_nm", -1, "half", scale=1e9, noise=p.ellipsometer_noise_nm)
    # A rate is a difference of two readings 30 s apart, with the noise of both.
    both = 2**0.5 / 30.0
    yield Sensor("metrology.deposition_rate_nm_min", -1, "middle_rate", scale=60e9,
                 noise=p.reflectometer_noise_nm * both * 60.0)  # fmt: skip
    yield Sensor("metrology.qcm_thickness_nm", -1, "wall", scale=1e9, noise=p.crystal_noise_nm,
                 drift_spread=p.crystal_drift_nm_h / 3600.0)  # fmt: skip
    yield Sensor("metrology.qcm_rate_nm_per_s", -1, "crystal_rate", scale=1e9, noise=p.crystal_noise_nm * both)
