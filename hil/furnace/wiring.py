"""Which tag of the tool is which wire of the furnace.

Ranges, periods and resolutions are the tool file's; here stands what each instrument looks at and how well.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from config.layout import Layout
from config.tool import TagKind
from hil.errors import PlantError
from hil.furnace.parameters import Parameters

ZONES = (1, 2, 3)
FEEDS = ("sih4", "n2o", "n2")
PA_PER_TORR = 101325.0 / 760.0
MOL_PER_S_PER_SCCM = 101325.0e-6 / (8.31446261815324 * 273.15) / 60.0
ZERO_CELSIUS = 273.15
MANOMETER_TOP_TORR = 10.5
"""What a 10 Torr manometer's electronics say above their range."""


@dataclass(frozen=True)
class Sensor:
    """An instrument: reading = source × scale + shift, with what it adds of its own."""

    name: str
    tag: int
    source: str
    index: int = 0
    period_s: float = 0.1
    scale: float = 1.0
    shift: float = 0.0
    noise: float = 0.0
    relative: float = 0.0
    """Noise as a share of the reading."""
    quantum: float = 0.0
    offset_spread: float = 0.0
    drift_spread: float = 0.0
    """Per second."""
    minimum: float = -1e30
    maximum: float = 1e30


def outputs(layout: Layout) -> dict[str, int | list[int]]:
    """Indices of the outputs that the furnace obeys."""
    return {
        "power": [_output(layout, f"heater.zone{zone}.power_pct") for zone in ZONES],
        "setpoint": [_output(layout, f"gas_panel.{gas}.setpoint_sccm") for gas in FEEDS],
        "valve": [_output(layout, f"gas_panel.{gas}.valve") for gas in FEEDS],
        "trickle_shut": _output(layout, "gas_panel.purge.shut"),
        "throttle": _output(layout, "vacuum.throttle_valve.position_pct"),
        "isolation_shut": _output(layout, "vacuum.isolation_valve.shut"),
        "dry_stop": _output(layout, "vacuum.dry_pump.stop"),
        "booster_stop": _output(layout, "vacuum.booster.stop"),
    }


def sensors(layout: Layout, parameters: Parameters) -> list[Sensor]:
    """Every input of the tool as an instrument.

    Raises:
        PlantError: an input that the furnace has no instrument for, or one that posts never.
    """
    known = {sensor.name: sensor for sensor in _instruments(parameters)}
    found = list[Sensor]()
    for name, tag in layout.declared.items():
        if tag.kind is not TagKind.INPUT:
            continue
        if name not in known:
            raise PlantError(f"{layout.tool.name}: the simulated furnace has no instrument for {name}")
        if tag.period_s <= 0.0:
            raise PlantError(f"{name}: an input of a simulated tool needs a period_s")
        sensor = known[name]
        quantum = 0.0 if tag.states else tag.resolution
        top = MANOMETER_TOP_TORR if sensor.source == "manometer" else tag.high
        found.append(
            replace(
                sensor,
                tag=layout.index[name],
                period_s=tag.period_s,
                quantum=quantum,
                minimum=tag.low,
                maximum=min(top, tag.high),
            )
        )
    return found


def _output(layout: Layout, name: str) -> int:
    tag = layout.declared.get(name)
    if tag is None or tag.kind is not TagKind.OUTPUT:
        raise PlantError(f"{layout.tool.name}: the simulated furnace needs an output {name}")
    return layout.index[name]


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
    yield Sensor("wafer_handling.door_closed", -1, "door_closed")
    yield Sensor("wafer_handling.boat_in", -1, "boat_in")
    yield Sensor("exhaust.flow_ok", -1, "exhaust_ok")
    yield Sensor("exhaust.abatement_ready", -1, "abatement_ok")
    yield Sensor("facilities.cooling_water_l_min", -1, "water", relative=0.005)
    yield Sensor("facilities.n2_supply_kpa", -1, "n2_supply", noise=0.5)
    yield Sensor("facilities.air_kpa", -1, "air_supply", noise=0.5)
    yield Sensor("facilities.gas_cabinet_ok", -1, "cabinet_ok")
    yield Sensor("facilities.gas_detector.sih4_ppm", -1, "silane_ppm", noise=0.02)
    yield Sensor("facilities.gas_detector.ok", -1, "detector_ok")
    yield Sensor("facilities.emo_ok", -1, "emo_ok")
    yield Sensor("facilities.ups_ok", -1, "mains_ok")
    yield Sensor("metrology.reflectometer_thickness_nm", -1, "thickness", scale=1e9, noise=p.reflectometer_noise_nm)
    # The rate is a difference of two readings 30 s apart, with the noise of both.
    yield Sensor(
        "metrology.deposition_rate_nm_min", -1, "rate", scale=60e9, noise=p.reflectometer_noise_nm * 2**0.5 * 2
    )
