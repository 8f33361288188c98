"""Why not: the chain of causes behind a refusal, a held output or a trip, in words with the present values."""

import math
from functools import cached_property

from config.tool import Interlock
from kernels.tables import ConditionClass, ConditionState, LoopMode, Op, Status, TagKind
from supervisor.controller.scanner import View

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
        code = self.view.tables.code
        found: list[tuple[int, ...]] = []
        for row in self.view.tables.expressions:
            part = code[int(row["start"]) : int(row["start"]) + int(row["length"])]
            tags = [int(c["arg"]) for c in part if int(c["op"]) in {Op.TAG, Op.IS_GOOD, Op.IS_BAD}]
            found.append(tuple(dict.fromkeys(tags)))
        return found

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
        declared = self.view.condition(index)
        state = self.view.state(index)
        values = ", ".join(self.value(tag) for tag in self.operands(index))
        word = declared.cls.value if isinstance(declared, Interlock) else "alarm"
        if state & ConditionState.UNKNOWN:
            cause = f"its cause cannot be excluded, since an operand is Bad: {values}"
        elif state & ConditionState.RAW:
            cause = f"its cause is present: {declared.when} [{values}]"
        elif state & ConditionState.ACTIVE:
            cause = f"its cause has just gone and its delay of {declared.off_delay_s:g} s runs [{values}]"
        else:
            cause = f"its cause is gone [{values}] but it is latched: reset it"
        first = ", first out" if state & ConditionState.FIRST_OUT else ""
        bypassed = ", bypassed" if state & ConditionState.BYPASSED else ""
        return f"{word} {declared.name}{first}{bypassed}: {cause}. {declared.action}"

    def in_force(self, *classes: ConditionClass) -> list[str]:
        """Explain every condition of these classes that is in force."""
        return [self.condition(index) for index in self.view.engaged(*classes)]

    def output(self, name: str) -> list[str]:
        """Say what keeps an output from what it is asked for; empty when nothing does."""
        tags, index = self.view.tables.tags, self.view.layout.index[name]
        reasons: list[str] = []
        effects, conditions = self.view.tables.effects, self.view.tables.conditions
        for condition in range(len(conditions)):
            start, count = int(conditions["effect_start"][condition]), int(conditions["effect_count"][condition])
            reasons += [
                f"held at {float(effect['value']):g} by {self.condition(condition)}"
                for effect in effects[start : start + count]
                if int(effect["output"]) == index and self.view.in_force(condition)
            ]
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
