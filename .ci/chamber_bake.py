"""Bake-out of a chamber: what its walls have taken up from the air is driven off before it spoils a film."""

from chamber_service import ready
from chamber_spec import Spec
from chamber_words import OPEN_TO_PUMP, Table, Words, operation

ABOVE_IDLE_K = 100.0
BAKE_S = 1800.0
"""Half an hour, as on the other tools (engineering default; water leaves stainless steel from 100 °C on)."""


def bake_out(spec: Spec) -> Table:
    """Hotter than at idle in flowing purge gas, then back, and what pressure is reached."""
    words, heat = Words(spec), spec.heat
    hot = min(heat.standby_c + ABOVE_IDLE_K, heat.most_c)
    ramp_s = 60.0 * heat.most_c / heat.per_min
    near = max(3.0, heat.tolerance_c)
    at_heat = " and ".join(f"abs(heater.zone{z}.temperature_c - {hot:g} °C) < {near:g} K" for z in words.zones)
    rising = {"to": hot, "per_min": heat.per_min}
    return operation(
        "bake_out",
        "Bake-out",
        f"Drives water off the walls: {hot:g} °C in flowing {spec.inert.label} for half an hour, then back to idle "
        "temperature and down to base pressure",
        4 * ramp_s + BAKE_S + 4400,
        words.shut,
        [
            {
                "name": "purge gas",
                "set": words.no_gas | OPEN_TO_PUMP | words.purge(0.25 * spec.purge_sccm) | {"gas_panel.purge.shut": 0},
                "min_s": 2,
            },
            {
                "name": "bake temperature",
                "set": {f"heater.zone{z}.mode": 2 for z in words.zones},
                "ramp": {f"heater.zone{z}.setpoint_c": rising | {"start": f"heater.zone{z}.temperature_c"}
                         for z in words.zones},
                "until": at_heat,
                "timeout_s": 2 * ramp_s + 1900,
                "on_timeout": "stop",
            },
            {
                "name": "bake",
                "min_s": BAKE_S,
                "guard": {"that": "vacuum.dry_pump.running", "otherwise": "abort"},
            },
            {
                "name": "back to idle temperature",
                "ramp": words.warm(),
                "until": words.at_idle(),
                "timeout_s": 2 * ramp_s + 1900,
                "on_timeout": "stop",
            },
            {"name": "base pressure", "set": words.quiet | OPEN_TO_PUMP, "min_s": 120,
             "store": {"control.base_pressure_torr": "chamber.pressure_torr"}},
            {"name": "trickle", "set": {"gas_panel.purge.shut": 0}, "min_s": 1},
        ],
        needs=ready(spec),
        findings=[{"name": "base_pressure", "tag": "control.base_pressure_torr"}],
    )  # fmt: skip
