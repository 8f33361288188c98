"""A recipe that takes minutes of the tool's time instead of an hour: at idle temperature, with a short deposition."""

import json
from typing import Any

IDLE_C = 700


def quick_recipe(name: str, *, deposition_s: float = 60, **changes: Any) -> str:
    """Return the document of an oxide recipe without a ramp."""
    document: dict[str, Any] = {
        "name": name,
        "process_mode": "LPCVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 5.0,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": IDLE_C, "ramp_rate": 10}]},
        "pressure_setpoints": {"base_pressure_torr": 0.005, "process_pressure_torr": 0.5},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": [
            {"name": "stabilize", "duration_s": 10},
            {"name": "deposition", "duration_s": deposition_s, "flows_active": True},
            {"name": "rest", "duration_s": 10},
        ],
    }
    return json.dumps(document | changes)
