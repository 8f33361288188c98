"""A furnace on the test bench: the plant without a scan, its outputs set by hand."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from config.loading import load_tool, shipped_tool
from config.tool import Tool
from hil import plant

SCANS_PER_S = 100
ZONES = (1, 2, 3)
SHUT = {"gas_panel.sih4.valve": 0.0, "gas_panel.n2o.valve": 0.0, "gas_panel.n2.valve": 0.0, "gas_panel.purge.shut": 1.0}
OPEN_PUMP = {"vacuum.throttle_valve.position_pct": 100.0, "vacuum.isolation_valve.shut": 0.0}
TORR = 101325.0 / 760.0
SCCM = 101325.0e-6 / (8.31446261815324 * 273.15) / 60.0
GAS_CONSTANT = 8.31446261815324


@cache
def shipped_furnace() -> Tool:
    """The furnace as it comes; loading it takes some 0.1 s."""
    return load_tool(shipped_tool("lpcvd_furnace"))


def furnace_tool(**parameters: float) -> Tool:
    """The shipped furnace, with other plant parameters where given."""
    tool = shipped_furnace()
    assert tool.plant is not None
    return tool.model_copy(update={"plant": tool.plant.model_copy(update={"parameters": parameters})})


@dataclass
class Bench:
    """A plant, and the last posting of every instrument."""

    seed: int = 1
    parameters: dict[str, float] = field(default_factory=dict)
    readings: dict[str, float] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plant: Any = plant.create(furnace_tool(**self.parameters), seed=self.seed)

    def run(self, seconds: float, outputs: dict[str, float] | None = None, **words: float) -> dict[str, Any]:
        """Let time pass with these outputs from now on; return the plant's state."""
        outputs = {**(outputs or {}), **{name.replace("__", "."): value for name, value in words.items()}}
        readings, status, _ = self.plant.advance(outputs, round(seconds * SCANS_PER_S))
        self.readings |= readings
        self.status |= status
        return self.plant.state()

    def flow(self, gas: str, sccm: float) -> dict[str, float]:
        """Outputs that let a gas flow."""
        return {f"gas_panel.{gas}.setpoint_sccm": sccm, f"gas_panel.{gas}.valve": 1.0}

    def hold_temperature(self, celsius: float, seconds: float) -> dict[str, Any]:
        """Hold the zones at a temperature by a plain proportional-integral rule, every second."""
        held = dict.fromkeys(ZONES, 30.0)
        for _ in range(round(seconds)):
            outputs = {}
            for zone in ZONES:
                error = celsius - (self.plant.state()["profile_k"][zone - 1] - 273.15)
                held[zone] = min(max(held[zone] + 0.02 * error, 0.0), 60.0)
                outputs[f"heater.zone{zone}.power_pct"] = min(max(held[zone] + 3.0 * error, 0.0), 100.0)
            self.run(1.0, outputs)
        return self.plant.state()

    def deposit(self, seconds: float, *, sih4: float, n2o: float, throttle_pct: float = 21.4) -> dict[str, Any]:
        """Let process gases flow."""
        flows = {**self.flow("sih4", sih4), **(self.flow("n2o", n2o) if n2o else {})}
        self.run(
            2.0, {**SHUT, **(self.flow("n2o", n2o) if n2o else {}), "vacuum.throttle_valve.position_pct": throttle_pct}
        )
        return self.run(seconds, flows)
