"""A furnace with one page of tags: enough for a recipe, small enough to see through."""

from typing import Any

from config.loading import load_model
from config.text import Syntax
from config.tool import Tool

HEAD = """
schema_version = 1
name = "SmallFurnace"
title = "A furnace for tests"
identification = { manufacturer = "Tests", model = "F1", serial_number = "1" }
scan = { period_ms = 100.0, log_every = 10 }
gas_safety = { waived = "A furnace for tests of other things" }
"""

ZONE = """
[[modules.tags]]
name = "zone{n}.temperature_c"
kind = "input"
unit = "°C"
description = "Zone {n}"
low = 0.0
high = 1300.0

[[modules.tags]]
name = "zone{n}.setpoint_c"
kind = "setpoint"
unit = "°C"
description = "Zone {n}, set point"
low = 20.0
high = 1100.0
initial = 700.0

[[modules.tags]]
name = "zone{n}.mode"
kind = "setpoint"
description = "Zone {n}, mode of control"
low = 0.0
high = 2.0
states = ["off", "manual", "auto"]

[[modules.tags]]
name = "zone{n}.power_pct"
kind = "output"
unit = "%"
description = "Zone {n}, power"
low = 0.0
high = 100.0
hazardous = true
"""

GAS = """
[[modules.tags]]
name = "{gas}.flow_sccm"
kind = "input"
unit = "sccm"
description = "{gas} flow"
low = -10.0
high = {full:.1f}

[[modules.tags]]
name = "{gas}.setpoint_sccm"
kind = "output"
unit = "sccm"
description = "{gas} set point"
low = 0.0
high = {full:.1f}

[[modules.tags]]
name = "{gas}.valve"
kind = "output"
description = "{gas} valve"
low = 0.0
high = 1.0
hazardous = {hazardous}
"""

CHAMBER = """
[[modules]]
name = "chamber"
kind = "chamber"
description = "Tube"

[[modules.tags]]
name = "pressure_torr"
kind = "input"
unit = "Torr"
description = "Pressure"
low = 0.0
high = 1000.0

[[modules.tags]]
name = "setpoint_torr"
kind = "setpoint"
unit = "Torr"
description = "Pressure, set point"
low = 0.05
high = 10.0
initial = 0.5

[[modules.tags]]
name = "mode"
kind = "setpoint"
description = "Pressure, mode of control"
low = 0.0
high = 2.0
states = ["off", "manual", "auto"]

[[modules]]
name = "vacuum"
kind = "vacuum"
description = "Pump and throttle valve"

[[modules.tags]]
name = "throttle_pct"
kind = "output"
unit = "%"
description = "Throttle valve"
low = 0.0
high = 100.0
safe = 100.0

[[modules.tags]]
name = "leak_torr"
kind = "setpoint"
unit = "Torr"
description = "Pressure at the start of the leak check"
low = 0.0
high = 1000.0
"""

TAIL = """
[[interlocks]]
name = "overtemperature"
description = "A zone is too hot"
when = "heater.zone1.temperature_c > 1150 °C"
priority = "critical"
class = "trip"
consequence = "The tube sags"
action = "Let it cool"
safe_from_idle = true
effects = [
  { output = "heater.zone1.power_pct", value = 0.0 },
  { output = "heater.zone2.power_pct", value = 0.0 },
  { output = "heater.zone3.power_pct", value = 0.0 },
  { output = "gas_panel.sih4.valve", value = 0.0 },
  { output = "gas_panel.n2o.valve", value = 0.0 },
]

[[interlocks]]
name = "pump_lost"
description = "The chamber fills up"
when = "chamber.pressure_torr > 50 Torr"
on_delay_s = 0.5
priority = "high"
class = "hold"
consequence = "Gas backs up"
action = "Look at the pump"
latch = false
effects = [{ output = "gas_panel.sih4.valve", value = 0.0 }]

[[alarms]]
name = "pressure_high"
description = "Pressure above its usual range"
when = "chamber.pressure_torr > 5 Torr"
hysteresis = "1 Torr"
priority = "low"
consequence = "Film is off target"
action = "Look at the throttle valve"

[[loops]]
name = "zone1"
pv = "heater.zone1.temperature_c"
sp = "heater.zone1.setpoint_c"
out = "heater.zone1.power_pct"
mode = "heater.zone1.mode"
kp = 2.0
ti_s = 100.0
td_s = 1.0
filter_s = 0.5
low = 0.0
high = 100.0
off = 0.0

[[loops]]
name = "pressure"
pv = "chamber.pressure_torr"
sp = "chamber.setpoint_torr"
out = "vacuum.throttle_pct"
mode = "chamber.mode"
direction = -1
kp = 20.0
ti_s = 2.0
low = 0.0
high = 100.0
off = 100.0

[recipe]
process_modes = ["LPCVD Oxide", "LPCVD Poly-Si"]
pump_down."chamber.mode" = 0.0
pump_down."gas_panel.sih4.valve" = 0.0
pump_down."gas_panel.n2o.valve" = 0.0
pump_down."gas_panel.n2.valve" = 0.0
purge_gas = "N2"
standby_temperature_c = 700.0
temperature_tolerance_c = 3.0
pressure_tolerance_pct = 5.0
before = ["leak_check"]
after = ["cycle_purge"]

[[recipe.zones]]
zone = 1
setpoint = "heater.zone1.setpoint_c"
process_value = "heater.zone1.temperature_c"
mode = "heater.zone1.mode"

[[recipe.zones]]
zone = 2
setpoint = "heater.zone2.setpoint_c"
process_value = "heater.zone2.temperature_c"
mode = "heater.zone2.mode"

[[recipe.zones]]
zone = 3
setpoint = "heater.zone3.setpoint_c"
process_value = "heater.zone3.temperature_c"
mode = "heater.zone3.mode"

[recipe.pressure]
setpoint = "chamber.setpoint_torr"
process_value = "chamber.pressure_torr"
mode = "chamber.mode"
valve = "vacuum.throttle_pct"

[telemetry]
chamber_pressure_torr = "chamber.pressure_torr"

[safe_sequence]
name = "safe"
title = "Safe sequence"
description = "Isolate, purge, pump"
bound_s = 60.0

[[safe_sequence.steps]]
name = "isolate"
set."gas_panel.sih4.valve" = 0.0
set."gas_panel.n2o.valve" = 0.0
set."gas_panel.sih4.setpoint_sccm" = 0.0
set."gas_panel.n2o.setpoint_sccm" = 0.0
set."heater.zone1.mode" = 0.0
set."heater.zone1.power_pct" = 0.0
set."heater.zone2.power_pct" = 0.0
set."heater.zone3.power_pct" = 0.0
min_s = 1.0

[[safe_sequence.steps]]
name = "purge"
set = { "gas_panel.n2.valve" = 1.0, "gas_panel.n2.setpoint_sccm" = 500.0 }
min_s = 5.0

[[operations]]
name = "leak_check"
title = "Leak check"
description = "Isolate and watch the pressure"
bound_s = 700.0

[[operations.steps]]
name = "pump"
set = { "chamber.mode" = 0.0 }
min_s = 1.0
until = "chamber.pressure_torr < 0.01 Torr"
timeout_s = 60.0
store = { "vacuum.leak_torr" = "chamber.pressure_torr" }

[[operations.steps]]
name = "watch"
min_s = 10.0
check = [{ that = "chamber.pressure_torr - vacuum.leak_torr < 10 mTorr", reason = "the tube leaks" }]

[[operations]]
name = "cycle_purge"
title = "Cycle purge"
description = "Fill and pump, five times"
bound_s = 700.0
hold = { "gas_panel.n2.valve" = 0.0 }

[[operations.steps]]
name = "cycles"
repeat = 5

[[operations.steps.steps]]
name = "fill"
set = { "gas_panel.n2.valve" = 1.0, "gas_panel.n2.setpoint_sccm" = 500.0 }
min_s = 2.0

[[operations.steps.steps]]
name = "pump"
set = { "gas_panel.n2.valve" = 0.0, "gas_panel.n2.setpoint_sccm" = 0.0 }
min_s = 2.0
"""


def text() -> str:
    """The whole file."""
    heater = '\n[[modules]]\nname = "heater"\nkind = "resistive_heater"\ndescription = "Three zones"\n'
    panel = '\n[[modules]]\nname = "gas_panel"\nkind = "gas_panel"\ndescription = "Three gases"\n'
    gases = [("SiH4", 200), ("N2O", 500), ("N2", 2000)]
    feeds = "".join(
        f'\n[[gases]]\nname = "{gas}"\nflow = "gas_panel.{gas.lower()}.flow_sccm"\n'
        f'setpoint = "gas_panel.{gas.lower()}.setpoint_sccm"\nvalve = "gas_panel.{gas.lower()}.valve"\n'
        for gas, _ in gases
    )
    return (
        HEAD
        + heater + "".join(ZONE.format(n=n) for n in (1, 2, 3))
        + panel
        + "".join(GAS.format(gas=gas.lower(), full=full, hazardous=str(gas != "N2").lower()) for gas, full in gases)
        + CHAMBER + feeds + TAIL
    )  # fmt: skip


def small_furnace(**changes: Any) -> Tool:
    """Load it; fields of the tool may be replaced."""
    tool = load_model(text(), Tool, syntax=Syntax.TOML, file="small_furnace.toml")
    return tool.model_copy(update=changes) if changes else tool
