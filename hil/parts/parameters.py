"""Parameters of a simulated plant as a tool file changes them, and those that every plant has: gas, pumps, gauges."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class ParameterError(ValueError):
    """A parameter that the plant has not, or cannot have."""


@dataclass(frozen=True)
class GasParameters:
    """Controllers, valves, pumps and gauges: usual values, SI units unless the name says otherwise."""

    pump_c: float = 57.0
    """Gas where the pump's speed holds."""
    mfc_dead_time_s: float = 0.08
    mfc_frequency: float = 6.0
    """rad/s; with the damping, ±2 % within 1 s of a step."""
    mfc_damping: float = 0.8
    mfc_gain: float = 0.004
    """Spread of true over indicated flow; the usual limit is 1 % of set point."""
    valve_s: float = 0.1
    """Pulse valves 0.02."""
    throttle_s: float = 0.8
    """Full stroke."""
    isolation_s: float = 0.5
    throttle_closed_l_s: float = 0.2
    throttle_full_l_s: float = 150.0
    line_l_s: float = 200.0
    dry_speed_l_s: float = 28.0
    """100 m³/h."""
    booster_speed_l_s: float = 110.0
    """Of the Roots booster, or of a turbo pump in its place."""
    booster_pressure_torr: float = 8.0
    """Where the booster's help is halved; a turbo pump's is below 0.1."""
    dry_ultimate_torr: float = 0.015
    booster_ultimate_torr: float = 0.0002
    manometer_lag_s: float = 0.02
    wide_gain: float = 0.04
    """Spread of the wide-range gauge."""
    thermocouple_noise_k: float = 0.05
    flow_noise: float = 0.0006
    """Of full scale."""
    manometer_relative_noise: float = 0.0005
    wide_noise: float = 0.005
    """Of reading."""
    reflectometer_noise_nm: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what no plant can be; a plant adds its own."""
        for field in fields(self):
            value, least = getattr(self, field.name), -100.0 if field.name.endswith("_c") else 0.0
            if not least <= value < 1e12:
                raise ParameterError(
                    f"plant.parameters.{field.name} must be {least:g} or more and finite, is {value:g}"
                )
        require_positive(
            self, "volume_l", "dry_speed_l_s", "valve_s", "throttle_s", "isolation_s", "booster_pressure_torr",
            "manometer_lag_s", "wafer_diameter_m",
        )  # fmt: skip


def require_positive(parameters: object, *names: str) -> None:
    """Refuse parameters that are not above 0 where physics needs it; raises ParameterError."""
    for name in names:
        if not getattr(parameters, name) > 0.0:
            raise ParameterError(f"plant.parameters.{name} must be above 0")


def changed(defaults: T, changes: Mapping[str, float]) -> T:
    """Return a plant's defaults with a tool's changes; raises ParameterError, naming each unknown one."""
    known = {field.name for field in fields(defaults)}
    if unknown := sorted(set(changes) - known):
        raise ParameterError(f"plant.parameters: unknown {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return replace(defaults, **changes)
