"""Why not: the chain of causes behind a refusal, a held output or a trip, in words with the present values."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from config.expression import ExpressionError, Typed, compile_postfix, read_boolean
from config.tool import Interlock
from config.units import Quantity, parse_quantity
from kernels.tables import ConditionClass, ConditionState, LoopMode, Op, Status, TagKind
from supervisor.controller.scanning.evaluate import evaluate
from supervisor.controller.scanning.scanner import View

STATUS_NAMES: dict[int, str] = {
    status.value: "".join(word.capitalize() for word in status.name.split("_")) for status in Status
}


def status_name(code: int) -> str:
    """Return the OPC UA name of a status code (`BadNoCommunication`)."""
    return STATUS_NAMES.get(code, f"0x{code:08X}")


class Explainer:
    """Explains one moment.

    Args:
        view: the moment.
    """

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def _reads(self) -> list[tuple[int, ...]]:
        """Tags that each expression of the tool reads."""
        return [_tags(self._code(row)) for row in range(len(self.view.tables.expressions))]

    def operands(self, condition: int) -> tuple[int, ...]:
        """Tags that a condition's expression reads."""
        return self._reads[int(self.view.tables.conditions["expression"][condition])]

    def sources(self, condition: int) -> set[int]:
        """Tags that a condition depends on, through computed tags as far as they go."""
        tags = self.view.tables.tags
        found: set[int] = set()
        left = list(self.operands(condition))
        while left:
            tag = left.pop()
            if tag not in found:
                found.add(tag)
                if int(tags["kind"][tag]) == TagKind.COMPUTED:
                    left.extend(self._reads[int(tags["expression"][tag])])
        return found

    def value(self, tag: int) -> str:
        """Say a tag's value with unit, and its status when that is not Good."""
        name = self.view.layout.tags[tag]
        value = float(self.view.snapshot.values[tag])
        code = int(self.view.snapshot.status[tag])
        declared = self.view.tag(name)
        if declared is not None and declared.states and not math.isnan(value):
            text = declared.states[int(value)] if 0 <= value < len(declared.states) else f"{value:g}"
        else:
            unit = declared.unit if declared is not None and declared.unit != "1" else ""
            text = f"{value:.6g} {unit}".strip()
        return f"{name} = {text}" + (f" ({status_name(code)})" if code else "")

    def condition(self, index: int) -> str:
        """Say what a condition does, why, and what would clear it."""
        head, *links = self.links(index)
        return f"{head}: {' ← '.join(links)}. {self.view.condition(index).action}"

    def links(self, index: int) -> list[str]:
        """Chain behind a condition, one link a line: the condition, its cause, its vote and voters, what it reads."""
        declared, state = self.view.condition(index), self.view.state(index)
        word = declared.cls.value if isinstance(declared, Interlock) else "alarm"
        first = ", first out" if state & ConditionState.FIRST_OUT else ""
        bypassed = ", bypassed" if state & ConditionState.BYPASSED else ""
        found = [f"{word} {declared.name}{first}{bypassed}", self._cause(index)]
        if isinstance(declared, Interlock) and declared.vote is not None:
            found += self._voters(declared)
        computed = [tag for tag in self.operands(index) if self._is_computed(tag)]
        return found + [self._made_of(tag) for tag in computed]

    def _cause(self, index: int) -> str:
        """Say how the cause of a condition stands."""
        declared, state = self.view.condition(index), self.view.state(index)
        values = ", ".join(self.value(tag) for tag in self.operands(index))
        if state & ConditionState.UNKNOWN:
            return f"its cause cannot be excluded, since an operand is Bad: {values}{self._delay(index)}"
        if state & ConditionState.RAW:
            return f"its cause is present: {declared.when} [{values}]{self._delay(index)}"
        if state & ConditionState.ACTIVE:
            return f"its cause has just gone and its delay of {declared.off_delay_s:g} s runs [{values}]"
        if not state & ConditionState.LATCHED:
            return f"its cause is not there: {declared.when} [{values}]"
        waits = self.reset_waits(index)
        return f"its cause is gone [{values}] but it is latched: " + (f"it waits for {waits}" if waits else "reset it")

    def _delay(self, index: int) -> str:
        declared = self.view.condition(index)
        if not declared.on_delay_s:
            return ""
        passed = self.view.state(index) & ConditionState.ACTIVE
        return f" (for its delay of {declared.on_delay_s:g} s)" if passed else (
            f" (not yet for its delay of {declared.on_delay_s:g} s)"
        )  # fmt: skip

    def reset_waits(self, index: int) -> str:
        """Say what a reset waits for besides the end of the cause; empty when for nothing."""
        row = int(self.view.tables.conditions["reset"][index])
        declared = self.view.condition(index)
        if row < 0 or not isinstance(declared, Interlock):
            return ""
        value, q = evaluate(self._code(row), self.view.snapshot)
        if q == 0 and value != 0:
            return ""
        return f"{declared.reset_when} [{', '.join(self.value(tag) for tag in self._reads[row])}]"

    def _voters(self, declared: Interlock) -> list[str]:
        """Say the vote and how each voter stands, with what an unknown one makes of the vote."""
        vote, index = declared.vote, self.view.layout.condition_index[declared.name]
        if vote is None:
            return []
        limit = 2 if declared.accept_uncertain else 1
        active = bool(self.view.state(index) & ConditionState.ACTIVE)
        width = None if declared.hysteresis is None else parse_quantity(declared.hysteresis)
        lines: list[str] = []
        votes = unknown = 0
        for cause in declared.causes:
            typed = read_boolean(cause, self.view.layout.scope)
            code = _with_width(typed, self.view.layout.index, width)
            value, q = evaluate(code, self.view.snapshot, limit=limit, active=active)
            unknown += q >= limit
            votes += q >= limit or value != 0
            stands = "unknown, which is a vote to trip" if q >= limit else "present" if value != 0 else "not there"
            lines.append(f"cause {cause}: {stands} [{', '.join(self.value(tag) for tag in _tags(code))}]")
        left = f", degraded: {vote.degraded(unknown)}" if unknown else ""
        return [f"vote {vote}: {votes} of {vote.voters} causes vote, {vote.needed} make the cause{left}", *lines]

    def _is_computed(self, tag: int) -> bool:
        return int(self.view.tables.tags["kind"][tag]) == TagKind.COMPUTED

    def _made_of(self, tag: int) -> str:
        read = self._reads[int(self.view.tables.tags["expression"][tag])]
        return f"{self.view.layout.tags[tag]} is made of {', '.join(self.value(one) for one in read)}"

    def _code(self, row: int) -> NDArray[Any]:
        part = self.view.tables.expressions[row]
        return self.view.tables.code[int(part["start"]) : int(part["start"]) + int(part["length"])]

    def in_force(self, *classes: ConditionClass) -> list[str]:
        """Explain every condition of these classes that is in force."""
        return [self.condition(index) for index in self.view.engaged(*classes)]

    def output(self, name: str) -> list[str]:
        """Say what keeps an output from what it is asked for; empty when nothing does."""
        tags, index = self.view.tables.tags, self.view.layout.index[name]
        reasons = [f"held at {value:g} by {self.condition(one)}" for one, value in self._holders(index)]
        declared = self.view.tag(name)
        if declared is not None and declared.hazardous and not self.view.armed:
            reasons.append("the tool is not armed: hazardous outputs stay at their safe values until it is")
        if int(self.view.snapshot.status[index]) == Status.GOOD_LOCAL_OVERRIDE:
            reasons.append("it is forced by hand")
        loop = int(tags["loop"][index])
        if loop >= 0:
            declared_loop = self.view.layout.tool.loops[loop]
            mode = self.view.value(declared_loop.mode)
            if mode != LoopMode.MANUAL:
                word = "automatic" if mode == LoopMode.AUTO else "off"
                reasons.append(f"its loop {declared_loop.name} is {word}, so writing it by hand has no effect")
        return reasons

    def chain(self, name: str) -> list[str]:
        """Lead from an output to the causes that hold it, one link a line; only its first line when nothing does."""
        index = self.view.layout.index[name]
        lines = [self.value(index)]
        for condition, value in self._holders(index):
            lines.append(f"  ← held at {value:g}")
            lines += self._below(condition)
        declared = self.view.tag(name)
        if declared is not None and declared.hazardous and not self.view.armed:
            lines.append("  ← the tool is not armed: hazardous outputs stay at their safe values until it is")
            for trip in self.view.engaged(ConditionClass.TRIP):
                lines += [f"  {line}" for line in self._below(trip)]
        held = {f"held at {value:g} by {self.condition(one)}" for one, value in self._holders(index)}
        told = "the tool is not armed"
        lines += [f"  ← {one}" for one in self.output(name) if one not in held and not one.startswith(told)]
        return lines

    def chains(self, conditions: Iterable[int]) -> list[str]:
        """Chains behind several conditions, one link a line."""
        return [line for index in conditions for line in self._below(index)]

    def _below(self, condition: int) -> list[str]:
        head, *links = self.links(condition)
        return [f"    ← {head}", *(f"      ← {link}" for link in links)]

    def _holders(self, output: int) -> list[tuple[int, float]]:
        """Conditions in force with an effect on an output, and its value, the one that acts first."""
        effects, conditions = self.view.tables.effects, self.view.tables.conditions
        found: list[tuple[int, float]] = []
        for condition in range(len(conditions)):
            start, count = int(conditions["effect_start"][condition]), int(conditions["effect_count"][condition])
            found += [
                (condition, float(effect["value"]))
                for effect in effects[start : start + count]
                if int(effect["output"]) == output and self.view.in_force(condition)
            ]
        return found


def _with_width(typed: Typed, index: Mapping[str, int], width: Quantity | None) -> NDArray[Any]:
    """Compile a voter with its hysteresis; one that has no comparison for it has none."""
    try:
        return compile_postfix(typed, index, width)
    except ExpressionError:
        return compile_postfix(typed, index)


def _tags(code: NDArray[Any]) -> tuple[int, ...]:
    """Tags that code reads, once each."""
    tags = [int(c["arg"]) for c in code if int(c["op"]) in {Op.TAG, Op.IS_GOOD, Op.IS_BAD, Op.RATE}]
    return tuple(dict.fromkeys(tags))
