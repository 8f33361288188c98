"""What a simulated run gave, as data and as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from config.exhaust import ExhaustLoad


@dataclass(frozen=True)
class SimulatedStep:
    """A step as it went; a cycle's member once for each pass."""

    name: str
    owner: str
    """`recipe`, or `tool`."""
    operation: str | None
    planned_s: float
    started_s: float
    """Since the start of the run."""
    actual_s: float


@dataclass(frozen=True)
class Occurrence:
    """An interlock or alarm that became active."""

    at_s: float
    step: str
    name: str
    cls: str
    """trip, hold, permissive or warning."""
    priority: str
    description: str
    first_out: bool


@dataclass(frozen=True)
class Incident:
    """A timeout, a failed check, a guard, a fault of a loop or program."""

    at_s: float
    step: str
    kind: str
    text: str


@dataclass(frozen=True)
class SimulationResult:
    """A run on the simulated plant."""

    tool: str
    recipe: str
    recipe_sha256: str
    process_mode: str | None
    seed: int | None
    state: str
    """COMPLETE, STOPPED or ABORTED."""
    cause: str
    """What led to the end: `program`, or what went wrong."""
    duration_s: float
    planned_s: float
    steps: tuple[SimulatedStep, ...]
    alarms: tuple[Occurrence, ...]
    """Trips and holds included."""
    incidents: tuple[Incident, ...]
    holds: int
    gas_use_scc: dict[str, float]
    """Measured: standard cm³ of each gas."""
    exhaust: ExhaustLoad
    """What the exhaust and the abatement have to take."""
    gas_missing_s: dict[str, float]
    """Time for which a gas's flow was not known."""
    metrology: dict[str, Any]
    """What a measurement of the wafers gives (`hil.plant.measure`)."""
    warnings: tuple[str, ...]
    """Of the preflight."""
    hazard_level: int
    scans: int
    wall_s: float
    digest: str
    """Of all outputs of all scans: equal digests are equal runs."""
    faults: tuple[dict[str, Any], ...] = field(default=())
    """What was injected."""

    @property
    def completed(self) -> bool:
        """Whether the recipe ran to its end."""
        return self.state == "COMPLETE"

    @property
    def times_real_time(self) -> float:
        """How much faster than the clock."""
        return self.duration_s / self.wall_s if self.wall_s else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain data: the words of a run's summary, and what only a simulation knows."""
        trips = [
            {"name": one.name, "class": one.cls, "first_out": one.first_out, "at_s": one.at_s, "step": one.step,
             "description": one.description}
            for one in self.alarms
            if one.cls in {"trip", "hold"}
        ]  # fmt: skip
        return {
            "tool": self.tool,
            "recipe": self.recipe,
            "recipe_sha256": self.recipe_sha256,
            "process_mode": self.process_mode,
            "seed": self.seed,
            "state": self.state,
            "cause": self.cause,
            "summary": {
                "duration_s": self.duration_s,
                "planned_s": self.planned_s,
                "steps": [asdict(step) for step in self.steps],
                "trips": trips,
                "holds": self.holds,
                "gas_use_scc": self.gas_use_scc,
                "exhaust": asdict(self.exhaust),
                "gas_missing_s": self.gas_missing_s,
                "hazard_level": self.hazard_level,
            },
            "metrology": self.metrology,
            "alarms": [_renamed(asdict(one)) for one in self.alarms],
            "incidents": [asdict(one) for one in self.incidents],
            "warnings": list(self.warnings),
            "faults": list(self.faults),
            "speed": {"scans": self.scans, "wall_s": self.wall_s, "times_real_time": self.times_real_time},
            "digest": self.digest,
        }


def _renamed(occurrence: dict[str, Any]) -> dict[str, Any]:
    return {"class" if name == "cls" else name: value for name, value in occurrence.items()}
