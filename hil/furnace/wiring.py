"""Which tag of the tool is which wire of the furnace, and what each of its instruments looks at and how well."""

from collections.abc import Iterator

from config.layout import Layout
from hil.furnace.parameters import Parameters
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

ZONES = (1, 2, 3)
FEEDS = ("sih4", "n2o", "n2")


def outputs(layout: Layout) -> dict[str, int | list[int] | dict[str, int]]:
    """Indices of the outputs that the furnace obeys."""
    return {
        "power": [output(layout, f"heater.zone{zone}.power_pct") for zone in ZONES],
        "setpoint": [output(layout, f"gas_panel.{gas}.setpoint_sccm") for gas in FEEDS],
        "valve": [output(layout, f"gas_panel.{gas}.valve") for gas in FEEDS],
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
    }


def sensors(layout: Layout, parameters: Parameters) -> list[Sensor]:
    """Every input of the tool as an instrument; raises PlantError for one that the furnace has not."""
    return fitted(layout, _instruments(parameters), {"manometer": MANOMETER_TOP_TORR})


def _instruments(p: Parameters) -> Iterator[Sensor]:
    """Every instrument that the furnace has, by the name of its tag; `tag` is filled in by the tool."""
    drift = p.thermocouple_drift_k_h / 3600.0

    def thermocouple(name: str, source: str, index: int) -> Sensor:
        return Sensor(name, -1, source, index, shift=-ZERO_CELSIUS, noise=p.thermocouple_noise_k,
                      offset_spread=p.thermocouple_offset_k, drift_spread=drift)  # fmt: skip

    for index, zone in enumerate(ZONES):
        yield thermocouple(f"heater.zone{zone}.temperature_c", "profile", index)
        yield thermocouple(f"heater.zone{zone}.spike_c", "spike", index)
    yield thermocouple("heater.boat_c", "boat", 0)
    for index, (gas, full_scale) in enumerate(zip(FEEDS, (200.0, 500.0, 5000.0), strict=True)):
        noise = p.flow_noise * full_scale
        yield Sensor(f"gas_panel.{gas}.flow_sccm", -1, "flow", index, scale=1.0 / MOL_PER_S_PER_SCCM, noise=noise)
    torr = 1.0 / PA_PER_TORR
    yield Sensor("chamber.manometer_torr", -1, "manometer", scale=torr, noise=p.manometer_noise_torr,
                 relative=p.manometer_relative_noise, offset_spread=p.manometer_zero_torr)  # fmt: skip
    yield Sensor("chamber.wide_range_torr", -1, "wide", scale=torr, relative=p.wide_noise)
    yield Sensor("chamber.at_atmosphere", -1, "at_atmosphere")
    yield Sensor("vacuum.throttle_valve.feedback_pct", -1, "throttle", scale=100.0, noise=0.02)
    yield Sensor("vacuum.foreline_torr", -1, "foreline", scale=torr, relative=0.01)
    yield Sensor("vacuum.dry_pump.running", -1, "running")
    yield Sensor("vacuum.dry_pump.ok", -1, "pump_ok")
    yield Sensor("vacuum.booster.running", -1, "booster_running")
    yield Sensor("heater.overtemperature_ok", -1, "overtemperature_ok")
    yield from surroundings()
    yield Sensor("exhaust.flow_ok", -1, "exhaust_ok")
    yield Sensor("exhaust.abatement_ready", -1, "abatement_ok")
    yield Sensor("facilities.cooling_water_l_min", -1, "water", relative=0.005)
    yield Sensor("facilities.n2_supply_kpa", -1, "n2_supply", noise=0.5)
    yield Sensor("facilities.air_kpa", -1, "air_supply", noise=0.5)
    yield Sensor("facilities.gas_cabinet_ok", -1, "cabinet_ok")
    yield Sensor("facilities.gas_detector.sih4_ppm", -1, "silane_ppm", noise=0.02)
    yield Sensor("facilities.gas_detector.ok", -1, "detector_ok")
    yield Sensor("facilities.ups_ok", -1, "mains_ok")
    yield Sensor("metrology.reflectometer_thickness_nm", -1, "thickness", scale=1e9, noise=p.reflectometer_noise_nm)
    # The rate is a difference of two readings 30 s apart, with the noise of both.
    yield Sensor(
        "metrology.deposition_rate_nm_min", -1, "rate", scale=60e9, noise=p.reflectometer_noise_nm * 2**0.5 * 2
    )
