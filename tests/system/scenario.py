"""Random scenarios of a campaign as data: a tool, a recipe, a seed, and what goes wrong when.

A scenario is a JSON file that a command replays. Its events come from every layer: the plant and its instruments (words
of `hil.parts.script`), people and clients (commands to the scan), and the process (it is killed, it stands still).
"""

import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SURROUNDINGS = (
    "door_open", "exhaust_lost", "abatement_lost", "water_lost", "n2_lost", "air_lost", "gas_cabinet_fault",
    "detector_fault", "emergency_off", "power_loss", "pump_trip", "booster_trip", "overtemperature_contact",
)  # fmt: skip
SENSOR_FAULTS = ("sensor_open", "sensor_silent", "sensor_nan", "sensor_frozen")
HANDS = ("pause", "resume", "hold", "restart", "stop", "abort", "arm", "disarm", "reset_all", "write")
AFTER_S = 150.0
"""Tool time of a scenario behind the begin of its deposition; the safe sequence that it ends with comes on top."""


@dataclass(frozen=True)
class Happening:
    """Something that happens at a moment.

    `what`: plant (word of its script in `args`), hand (a command), kill (the process dies; `args.dead_s`), stall (it
    stands still; `args.for_s`).
    """

    at_s: float
    what: str
    args: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Scenario:
    """One of them."""

    tool: str
    recipe: str
    seed: int
    happenings: tuple[Happening, ...]
    length_s: float

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Scenario":
        """Read what was written."""
        document = json.loads(path.read_text(encoding="utf-8"))
        happenings = tuple(Happening(**one) for one in document.pop("happenings"))
        return cls(happenings=happenings, **document)


@dataclass(frozen=True)
class Stage:
    """What scenarios of one tool may touch."""

    sensors: tuple[str, ...]
    writable: tuple[tuple[str, float, float], ...]
    """Tags with their limits."""
    gases: tuple[str, ...]
    begin_s: float
    """When the deposition begins in a run that nothing disturbs."""


def draw(seed: int, tool: str, recipe: str, stage: Stage) -> Scenario:
    """Draw a scenario: one to five happenings, three of four of them in the deposition."""
    rng = random.Random(f"{seed}/{tool}")
    happenings = [_draw(rng, stage) for _ in range(rng.choice((1, 1, 2, 2, 3, 5)))]
    ordered = tuple(sorted(happenings, key=lambda one: one.at_s))
    return Scenario(tool, recipe, seed, ordered, stage.begin_s + AFTER_S)


def _draw(rng: random.Random, stage: Stage) -> Happening:
    first_s = 0.0 if rng.random() < 0.25 else stage.begin_s
    at_s, kind = round(rng.uniform(first_s, stage.begin_s + AFTER_S), 2), rng.random()
    if kind < 0.30:
        return Happening(at_s, "plant", {"fault": rng.choice(SURROUNDINGS), **_lasting(rng)})
    if kind < 0.50:
        fault, tag = rng.choice(SENSOR_FAULTS), rng.choice(stage.sensors)
        return Happening(at_s, "plant", {"fault": fault, "tag": tag, **_lasting(rng)})
    if kind < 0.60:
        gas, value = rng.choice(stage.gases), rng.choice(("open", "closed"))
        return Happening(at_s, "plant", {"fault": "mfc_stuck", "gas": gas, "value": value})
    if kind < 0.75:
        return Happening(at_s, "kill", {"dead_s": round(rng.uniform(0.5, 8.0), 2)})
    if kind < 0.85:
        return Happening(at_s, "stall", {"for_s": round(rng.uniform(0.02, 0.9), 2)})
    deed = rng.choice(HANDS)
    if deed != "write":
        return Happening(at_s, "hand", {"deed": deed})
    tag, low, high = rng.choice(stage.writable)
    value = rng.choice((low, high, rng.uniform(low, high), 1e30, float(rng.randrange(-5, 5))))
    return Happening(at_s, "hand", {"deed": "write", "tag": tag, "value": value})


def _lasting(rng: random.Random) -> dict[str, Any]:
    """Half of the faults go away again."""
    return {"for_s": round(rng.uniform(0.05, 60.0), 2)} if rng.random() < 0.5 else {}
