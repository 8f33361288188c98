"""Small tools, every reachable state: nothing hazardous while it must not be, and the explorer would have noticed."""

from collections.abc import Callable
from typing import Any

import pytest

from kernels.tables import Command, ConditionFlag, ConditionState, Instr, Refusal, Tables
from tests.kernels.exploration import Small, explore
from tests.kernels.oracle import Condition, Oracle

PLAIN = Small("plain")


@pytest.mark.parametrize("small", [PLAIN], ids=lambda small: small.name)
def test_no_reachable_state_energises_what_an_interlock_holds(small: Small) -> None:
    found = explore(small)
    assert found.first == []
    assert found.complete
    assert found.slowest_abort <= small.bound
    assert {"RUNNING", "HELD", "PAUSED", "ABORTED", "STOPPED", "COMPLETE"} <= set(found.run_states)


def changed(table: str, column: str, change: Callable[[Any], Any]) -> Callable[[Tables], Tables]:
    """Plant a fault in a table."""

    def plant(tables: Tables) -> Tables:
        getattr(tables, table)[column] = change(getattr(tables, table)[column])
        return tables

    return plant


TABLE_FAULTS: dict[str, tuple[Small, Callable[[Tables], Tables]]] = {
    "acts a scan late": (PLAIN, changed("conditions", "on_delay", lambda column: column + 1)),
    "an effect less": (PLAIN, changed("conditions", "effect_count", lambda column: column - 1)),
    "another effect": (PLAIN, changed("effects", "value", lambda column: abs(column - 1.0))),
    "does not latch": (PLAIN, changed("conditions", "flags", lambda column: column & ~ConditionFlag.LATCH)),
    "a vote more": (Small("votes", gauges=2), changed("code", "arg", lambda column: column + (column == 1))),
}


class ForceWins(Oracle):
    def gate(self) -> None:
        super().gate()
        for index, forced in self.image.forced.items():
            self.image.value[index] = forced


class ResetsAnything(Oracle):
    def command_condition(self, op: int, target: int, a: float) -> Refusal:
        answer = super().command_condition(op, target, a)
        if op == Command.RESET:
            self.condition[target].state &= ~ConditionState.LATCHED
            return Refusal.NONE
        return answer


class BadIsFine(Oracle):
    def judge_input(self, index: int, posting: Any) -> tuple[float, int]:
        value, _ = super().judge_input(index, posting)
        return value, 0


class BypassStays(Oracle):
    def judge(self, index: int) -> bool:
        newly = super().judge(index)
        if self.condition[index].bypass_left == 0 and self.condition[index].state & ConditionState.BYPASSED:
            self.condition[index].bypass_left = 1
        return newly


class ArmsItself(Oracle):
    def carry_out(self, op: int, target: int, a: float, b: float) -> Refusal:
        if op == Command.LOAD:
            self.armed = True
        return super().carry_out(op, target, a, b)


class LosesTheDelay(Oracle):
    @staticmethod
    def delay(row: Any, c: Condition, *, raw: bool) -> bool:
        return Oracle.delay(row, c, raw=raw) and c.on_timer != 1


class SafeSequenceHangs(Oracle):
    def __init__(self, tables: Tables, **options: Any) -> None:
        super().__init__(tables, **options)
        safe = self.run.safe
        safe.instructions = [row._replace(n=50) if row.op == Instr.WAIT else row for row in safe.instructions]


ENGINE_FAULTS: list[tuple[Small, type[Oracle], str]] = [
    (Small("forced", forces=True), ForceWins, "gate"),
    (PLAIN, ResetsAnything, "reset"),
    (PLAIN, BadIsFine, "gate"),
    (Small("bypassed", max_bypass=1), BypassStays, "gate"),
    (PLAIN, ArmsItself, "gate"),
    (Small("delayed", on_delay=1), LosesTheDelay, "gate"),
    (PLAIN, SafeSequenceHangs, "safe"),
]


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_fault_planted_in_the_tables_is_found(fault: str) -> None:
    small, plant = TABLE_FAULTS[fault]
    found = explore(small, planted=plant)
    assert found.violations == 1
    assert found.first[-1].startswith("gate: ")


@pytest.mark.parametrize(("small", "engine", "word"), ENGINE_FAULTS, ids=lambda one: getattr(one, "__name__", None))
def test_a_fault_planted_in_the_engine_is_found_with_the_way_to_it(
    small: Small, engine: type[Oracle], word: str
) -> None:
    found = explore(small, oracle=engine)
    assert found.violations == 1
    assert found.first[-1].startswith(f"{word}: "), found.first
