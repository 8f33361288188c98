"""Scenarios: what happens to which instrument when, as a TOML file; every fault of the file is told at once."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from config.base import Model, Seconds, TagName, Text
from config.faults import ConfigError, Fault, suggestion
from config.text import Syntax, parse_text, read_text
from config.tool import Tool
from config.validation import validate
from hil.rig.faults import WireFault


class When(Model):
    """A condition on what the plant's sensors say or its outputs are, in the tag's unit."""

    tag: TagName
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("give above, below or both")
        return self

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it is true now; never with an unknown value."""
        value = values.get(self.tag)
        if value is None:
            return False
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class Event(Model):
    """One happening: after `at_s` of the plant's time since the start, the step or the condition."""

    at_s: Seconds = 0.0
    at_step: Text | None = None
    """A step's name, as whoever drives the run announces it at the control port (`step`)."""
    when: When | None = None
    wire: WireFault | None = None
    """A fault of an instrument or its wire."""
    clear: str | None = None
    """An instrument whose faults end."""
    plant: dict[str, Any] | None = None
    """A fault of the plant, in the words of `cvd simulate --faults`, without at_s and at_step."""
    note: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if [self.wire, self.clear, self.plant].count(None) != 2:
            raise ValueError("give exactly one of wire, clear and plant")
        if self.at_step is not None and self.when is not None:
            raise ValueError("give at_step or when, not both")
        return self


class Scenario(Model):
    """A whole scenario."""

    schema_version: Literal[1]
    title: Text = "scenario"
    event: tuple[Event, ...] = Field(min_length=1)


def load_scenario(path: Path, tool: Tool) -> Scenario:
    """Read a scenario and hold it against the tool.

    Raises:
        ConfigError: with every fault.
    """
    scenario = validate(parse_text(read_text(path), Syntax.TOML, str(path)), Scenario, str(path))
    if faults := [Fault(str(path), where, reason) for where, reason in _faults(scenario, tool)]:
        raise ConfigError(faults)
    return scenario


def schema() -> dict[str, Any]:
    """JSON Schema of scenario files."""
    made = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **json.loads(json.dumps(made))}


def _faults(scenario: Scenario, tool: Tool) -> Iterator[tuple[str, str]]:
    devices = {device.name: device for device in tool.devices}
    tags = {f"{module.name}.{tag.name}" for module in tool.modules for tag in module.tags}
    for n, event in enumerate(scenario.event):
        where = f"event[{n}]"
        if event.when is not None and event.when.tag not in tags:
            yield f"{where}.when.tag", f"there is no tag '{event.when.tag}'{suggestion(event.when.tag, tags)}"
        if event.wire is not None:
            name = event.wire.instrument
            if name not in devices:
                yield f"{where}.wire.instrument", f"there is no device '{name}'{suggestion(name, devices)}"
            elif event.wire.fault == "bus_off" and not devices[name].link.startswith("can:"):
                yield f"{where}.wire.fault", f"bus_off is for CAN; {name} hangs on {devices[name].link}"
            if event.wire.for_s is not None and event.wire.fault in {"rst", "fin", "reboot"}:
                yield f"{where}.wire.for_s", f"{event.wire.fault} happens once: for_s has no meaning for it"
        if event.clear is not None and event.clear not in devices:
            yield f"{where}.clear", f"there is no device '{event.clear}'{suggestion(event.clear, devices)}"
        if event.plant is not None:
            yield from ((f"{where}.plant", reason) for reason in _plant_faults(event.plant, tool))


def _plant_faults(fault: Mapping[str, Any], tool: Tool) -> Iterator[str]:
    if tool.plant is None:
        yield "the tool has no [plant]"
        return
    if "at_s" in fault or "for_s" in fault:
        yield "say when beside `plant`, not inside of it; end it by another event with clear = true"
        return
    from hil.plant import create

    try:
        create(tool).inject(fault)
    except ValueError as error:
        yield str(error)


class Director:
    """Walks through a scenario."""

    def __init__(self, scenario: Scenario | None) -> None:
        self._waiting = list(scenario.event) if scenario is not None else []
        self._began: dict[str, float] = {}
        """Plant's time at which a step was announced."""
        self._held: dict[int, float] = {}
        """Plant's time at which an event's condition was met first."""

    def step(self, name: str, plant_s: float) -> None:
        """A step begins."""
        self._began.setdefault(name, plant_s)

    def due(self, plant_s: float, values: Mapping[str, float]) -> list[Event]:
        """Events whose time has come, in the order of the file."""
        found: list[Event] = []
        for event in list(self._waiting):
            since_s = self._since(event, plant_s, values)
            if since_s is not None and plant_s >= since_s + event.at_s:
                self._waiting.remove(event)
                found.append(event)
        return found

    @property
    def waiting(self) -> int:
        """Events that have not happened yet."""
        return len(self._waiting)

    def _since(self, event: Event, plant_s: float, values: Mapping[str, float]) -> float | None:
        if event.at_step is not None:
            return self._began.get(event.at_step)
        if event.when is not None:
            if event.when.holds(values):
                return self._held.setdefault(id(event), plant_s)
            return self._held.get(id(event))
        return 0.0
