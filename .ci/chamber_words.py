"""What operations of a chamber tool write, and how one is put together."""

from typing import Any

from chamber_interlocks import Effects
from chamber_spec import Spec

Table = dict[str, Any]
OPEN_TO_PUMP = {"vacuum.isolation_valve.shut": 0, "vacuum.throttle_valve.mode": 1,
                "vacuum.throttle_valve.position_pct": 100}  # fmt: skip
PURGED = "gas_safety.chamber.purged"
"""What is left of each gas in the chamber is below its limit."""


class Words:
    """What operations write."""

    def __init__(self, spec: Spec) -> None:
        self.spec, effects = spec, Effects(spec)
        self.zones = range(1, spec.heat.zones + 1)
        self.out: Table = dict.fromkeys(effects.energy, 0)
        if spec.source is not None:
            self.out[f"{spec.source.name}.requested"] = 0
            if spec.source.bias_w:
                self.out["bias.bias_mode"] = 0
        self.out |= dict.fromkeys(spec.cold, 0)
        self.shut: Table = self.out | dict.fromkeys(effects.gas, 0)
        others = [gas for gas in spec.gases if gas.inert]
        self.no_gas: Table = self.shut | {tag: 0 for gas in others for tag in (gas.valve, gas.setpoint)}
        self.quiet: Table = self.no_gas | {"gas_panel.purge.shut": 1}
        self.cold: Table = {f"heater.zone{z}.{what}": 0 for z in self.zones for what in ("mode", "power_pct")}
        self.exhausts = spec.vacuum.kind == "exhaust"

    def purge(self, sccm: float) -> Table:
        """Let the purge gas flow."""
        return {self.spec.inert.setpoint: sccm, self.spec.inert.valve: 1}

    def no_purge(self) -> Table:
        """Shut it."""
        return {self.spec.inert.valve: 0, self.spec.inert.setpoint: 0}

    def warm(self) -> Table:
        """Ramps of every zone to idle."""
        heat = self.spec.heat
        to = {"to": heat.standby_c, "per_min": heat.per_min}
        return {f"heater.zone{z}.setpoint_c": to | {"start": f"heater.zone{z}.temperature_c"} for z in self.zones}

    def at_idle(self) -> str:
        """Every zone is at idle."""
        heat = self.spec.heat
        return " and ".join(
            f"abs(heater.zone{z}.temperature_c - {heat.standby_c:g} °C) < {max(3.0, heat.tolerance_c):g} K"
            for z in self.zones
        )  # fmt: skip


def operation(name: str, title: str, description: str, bound_s: float, hold: Table, steps: list[Table],
              **more: Any) -> Table:  # fmt: skip
    """A service operation; `more` is needs, requires, findings, voids and answers."""
    made: Table = {"name": name, "title": title, "description": description, "bound_s": bound_s}
    return made | {word: item for word, item in more.items() if item} | {"hold": hold, "steps": steps}
