"""The judge of a campaign: it knows what was broken and what the plant did, nothing of interlocks, programs or tags.

Truth is what flows into the chamber and into the heaters, integrated by the plant itself, so that nothing slips between
two looks. Limits are this file's own: process safety times of the hazards, not the delays of any tool file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GAS_LIMIT_S: Mapping[str, float] = {
    "door_open": 1.5, "exhaust_lost": 2.0, "abatement_lost": 2.0, "n2_lost": 3.0, "gas_cabinet_fault": 1.5,
    "detector_fault": 1.5, "emergency_off": 1.0, "power_loss": 2.0, "pump_trip": 1.5,
}  # fmt: skip
"""How long a hazardous gas may flow after this has happened, s."""
HEAT_LIMIT_S: Mapping[str, float] = {"emergency_off": 3.5, "overtemperature_contact": 3.5}
"""How long heat may be put in after this has happened, s: a drive of 20 kW (lag 0.45 s) is below HEATS_W in 2.4 s."""
OVERPRESSURE_PA = 20 * 133.322
OVERPRESSURE_S = 3.0
"""A hazardous gas may flow for so long into a vacuum chamber at more than OVERPRESSURE_PA."""
FLOWS_MOL = 1e-8
"""Less than this in a look is what a valve's closing leaves (0.003 standard cm³)."""
HEATS_W = 100.0
"""Less than this is a drive that runs down."""


@dataclass
class Hazard:
    """Something that is so."""

    name: str
    since_s: float
    until_s: float


@dataclass
class Monitor:
    """Watches one scenario.

    Args:
        hazardous: species that must not flow under a hazard.
        vacuum: the process is one of low pressure.
    """

    hazardous: frozenset[str]
    vacuum: bool
    violations: list[str] = field(default_factory=list[str])
    hazards: list[Hazard] = field(default_factory=list[Hazard])
    _fed: dict[str, float] = field(default_factory=dict[str, float])
    _heat_j: float = 0.0
    _over_s: float | None = None
    _last_s: float = 0.0

    def broken(self, name: str, at_s: float, until_s: float) -> None:
        """Something was broken in the plant."""
        self.hazards.append(Hazard(name, at_s, until_s))

    def look(self, now_s: float, state: Mapping[str, Any]) -> None:
        """Look at the plant; `now_s` is its time."""
        fed: Mapping[str, float] = state["fed_mol"]
        flowed = [name for name in self.hazardous if fed.get(name, 0.0) - self._fed.get(name, 0.0) > FLOWS_MOL]
        heated = float(state["delivered_j"]) - self._heat_j > HEATS_W * (now_s - self._last_s)
        for hazard in self.hazards:
            # The whole of the time since the last look must lie behind the limit, and before the end of the hazard.
            if hazard.until_s < now_s or hazard.since_s > self._last_s:
                continue
            lasted_s = self._last_s - hazard.since_s
            if flowed and lasted_s > GAS_LIMIT_S.get(hazard.name, float("inf")):
                self._wrong(now_s, f"{', '.join(flowed)} flows {lasted_s:.2f} s after {hazard.name}")
            if heated and lasted_s > HEAT_LIMIT_S.get(hazard.name, float("inf")):
                self._wrong(now_s, f"heat is on {lasted_s:.2f} s after {hazard.name}")
        self._pressure(now_s, float(state["pressure_pa"]), flowed)
        self._fed, self._heat_j, self._last_s = dict(fed), float(state["delivered_j"]), now_s

    def _pressure(self, now_s: float, pressure_pa: float, flowed: list[str]) -> None:
        if not self.vacuum or pressure_pa < OVERPRESSURE_PA or not flowed:
            self._over_s = None
            return
        self._over_s = self._last_s if self._over_s is None else self._over_s
        if now_s - self._over_s > OVERPRESSURE_S:
            self._wrong(now_s, f"{', '.join(flowed)} flows at {pressure_pa / 133.322:.0f} Torr")

    def at_rest(self, now_s: float, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """The tool is said to be safe: nothing hazardous flows any more."""
        for name in self.hazardous:
            if after["fed_mol"].get(name, 0.0) - before["fed_mol"].get(name, 0.0) > FLOWS_MOL:
                self._wrong(now_s, f"{name} flows in a tool that is safe")

    def _wrong(self, now_s: float, what: str) -> None:
        if len(self.violations) < 20:
            self.violations.append(f"{now_s:.2f} s: {what}")
