"""A showerhead reactor on the test bench, and with its real scan."""

from functools import cache
from typing import Any

from config.loading import load_tool, shipped_tool
from config.tool import Tool
from hil import plant
from tests.hil.furnace import SCANS_PER_S
from tests.hil.tool_run import ToolRun

GASES = ("sih4", "nh3", "n2o", "nf3")
GAS = tuple(f"gas_panel.{gas}.{what}" for gas in GASES for what in ("valve", "setpoint_sccm"))
RF = ("rf.enable", "rf.power_w")


@cache
def shipped_reactor() -> Tool:
    """The reactor as it comes."""
    return load_tool(shipped_tool("pecvd_showerhead"))


def reactor_tool(**parameters: float) -> Tool:
    """The shipped reactor, with other plant parameters where given."""
    tool = shipped_reactor()
    assert tool.plant is not None
    return tool.model_copy(update={"plant": tool.plant.model_copy(update={"parameters": parameters})})


class ReactorRun(ToolRun):
    """A scan with the simulated reactor behind it, armed and at rest."""

    def __init__(self, seed: int = 1, **parameters: float) -> None:
        super().__init__(seed, tool=reactor_tool(**parameters))


class ReactorBench:
    """The plant without a scan, its outputs set by hand."""

    def __init__(self, seed: int = 1, **parameters: float) -> None:
        self.plant: Any = plant.create(reactor_tool(**parameters), seed=seed)
        self.readings: dict[str, float] = {}

    def run(self, seconds: float, outputs: dict[str, float] | None = None) -> dict[str, Any]:
        """Let time pass with these outputs from now on; return the plant's state."""
        readings, _, _ = self.plant.advance(outputs or {}, round(seconds * SCANS_PER_S))
        self.readings |= readings
        return self.plant.state()

    def burn(
        self, watts: float, *, throttle_pct: float = 38.0, tuner_pct: float = 50.0, **sccm: float
    ) -> dict[str, Any]:
        """Let gases flow until their pressure is steady, then light a plasma in them for a minute."""
        outputs = {f"gas_panel.{gas}.{what}": 0.0 for gas in (*GASES, "n2") for what in ("valve", "setpoint_sccm")}
        for gas, flow in sccm.items():
            outputs |= {f"gas_panel.{gas}.valve": 1.0, f"gas_panel.{gas}.setpoint_sccm": flow}
        outputs |= {"gas_panel.purge.shut": 1.0, "vacuum.throttle_valve.position_pct": throttle_pct, "rf.enable": 0.0}
        self.run(15.0, outputs)
        return self.run(60.0, {"rf.power_w": watts, "rf.enable": 1.0})
