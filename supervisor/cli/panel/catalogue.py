"""What a tool has, asked of its endpoint once: tags, interlocks, alarms, service operations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opcua_model.client import ToolClient

FOLDERS = ("Equipment", "Interlocks", "Alarms")
CONDITION_FACTS = ("Condition", "Class", "Priority", "Consequence", "Action", "Effects", "Bypassable", "MaxBypassS")
ALARM_FACTS = ("Priority", "Consequence", "Action", "SafetyClass", "ResponseTimeS")
TAG_FACTS = ("EURange", "EngineeringUnits", "EnumStrings", "FalseState", "TrueState")


@dataclass(frozen=True)
class TagInfo:
    """A tag: where it is, how it is read, whether this person may move it."""

    path: str
    module: str
    name: str
    unit: str
    low: float
    high: float
    states: tuple[str, ...]
    movable: bool

    @property
    def full(self) -> str:
        """Its name as in the tool file."""
        return f"{self.module}.{self.name}"

    @property
    def limits(self) -> str:
        """What may be entered."""
        if self.states:
            return " | ".join(self.states)
        return f"{self.low:g} … {self.high:g} {self.unit}".strip()

    def shown(self, value: Any, *, good: bool) -> str:
        """Write a value for people; one of Bad quality is never a number."""
        if not good or value is None:
            return "Bad"
        if self.states:
            index = int(value)
            return self.states[index] if 0 <= index < len(self.states) else f"state {index}?"
        return f"{value:.5g}"

    def entered(self, text: str) -> float:
        """Read what somebody entered.

        Raises:
            ValueError: it is no value of this tag; the text says what is.
        """
        text = text.strip()
        if self.states:
            if text in self.states:
                return float(self.states.index(text))
            raise ValueError(f"{text!r} is none of: {self.limits}")
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is no number") from None
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{text} is outside {self.limits}")
        return value


@dataclass(frozen=True)
class InterlockInfo:
    """A row of the cause-and-effect matrix."""

    name: str
    condition: str
    cls: str
    priority: str
    consequence: str
    action: str
    effects: Mapping[str, str]
    """Value that each output is held at, by the output's name."""
    bypassable: bool
    max_bypass_s: float


@dataclass(frozen=True)
class AlarmInfo:
    """What an alarm declares of itself."""

    name: str
    priority: str
    consequence: str
    action: str
    safety: bool
    response_s: float


@dataclass(frozen=True)
class Catalogue:
    """Everything that stays while the daemon runs."""

    tool: str
    tags: Mapping[str, TagInfo]
    """By path."""
    interlocks: Mapping[str, InterlockInfo]
    alarms: Mapping[str, AlarmInfo]
    operations: Sequence[str]

    @property
    def outputs(self) -> list[str]:
        """Outputs that interlocks act on: the columns of the matrix."""
        return list(dict.fromkeys(output for row in self.interlocks.values() for output in row.effects))


EMPTY = Catalogue("", {}, {}, {}, ())


async def read_catalogue(client: ToolClient) -> Catalogue:
    """Ask an endpoint what its tool has.

    Raises:
        ClientError: it cannot be asked.
    """
    places: list[tuple[str, str]] = []
    for module in await client.children("Equipment"):
        places += [(module, tag) for tag in await client.children(f"Equipment/{module}")]
    interlocks = await client.children("Interlocks")
    alarms = await client.children("Alarms")
    tags = [f"Equipment/{module}/{tag}" for module, tag in places]
    asked = [f"{path}/{fact}" for path in tags for fact in TAG_FACTS]
    asked += [f"Interlocks/{name}/{fact}" for name in interlocks for fact in CONDITION_FACTS]
    asked += [f"Alarms/{name}/{fact}" for name in alarms for fact in ALARM_FACTS]
    answers = await client.read_all([*asked, "Services/Operations"])
    facts = {path: value for path, (value, _) in answers.items()}
    movable = await client.movable(tags)
    return Catalogue(
        client.tool,
        {path: _tag(path, *place, facts, path in movable) for path, place in zip(tags, places, strict=True)},
        {name: _interlock(name, facts) for name in interlocks if facts[f"Interlocks/{name}/Condition"] is not None},
        {name: _alarm(name, facts) for name in alarms if facts[f"Alarms/{name}/Consequence"] is not None},
        tuple(facts["Services/Operations"] or ()),
    )


def _tag(path: str, module: str, name: str, facts: Mapping[str, Any], movable: bool) -> TagInfo:
    span, unit, names, off, on = (facts[f"{path}/{fact}"] for fact in TAG_FACTS)
    states = tuple(_text(one) for one in names or ((off, on) if off is not None else ()))
    low, high = (-math.inf, math.inf) if span is None else (float(span.Low), float(span.High))
    return TagInfo(path, module, name, "" if unit is None else _text(unit.DisplayName), low, high, states, movable)


def _interlock(name: str, facts: Mapping[str, Any]) -> InterlockInfo:
    of = {fact: facts[f"Interlocks/{name}/{fact}"] for fact in CONDITION_FACTS}
    effects = dict[str, str]()
    for text in of["Effects"] or ():
        output, _, value = str(text).partition(" = ")
        effects[output] = value
    return InterlockInfo(
        name,
        _text(of["Condition"]),
        _text(of["Class"]),
        _text(of["Priority"]),
        _text(of["Consequence"]),
        _text(of["Action"]),
        effects,
        bool(of["Bypassable"]),
        float(of["MaxBypassS"] or 0.0),
    )


def _alarm(name: str, facts: Mapping[str, Any]) -> AlarmInfo:
    priority, consequence, action, safety, response = (facts[f"Alarms/{name}/{fact}"] for fact in ALARM_FACTS)
    return AlarmInfo(name, _text(priority), _text(consequence), _text(action), bool(safety), float(response or 0.0))


def _text(value: Any) -> str:
    """The words of a text in any of its forms."""
    return "" if value is None else str(getattr(value, "Text", value) or "")
