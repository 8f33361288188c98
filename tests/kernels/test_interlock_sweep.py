"""Random scans at full speed: an input that crosses its limit gates its outputs within the same scan."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from kernels.tables import ConditionFlag, Op, Tables
from tests.kernels.interlock_sweep import Sweep, sweep
from tests.kernels.stand import ENGINES

SCANS = {"Scan": 200_000, "Oracle": 4000}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_every_crossing_gates_its_outputs_within_the_same_scan(engine: type) -> None:
    seen, size = Sweep(), SCANS[engine.__name__] // 20
    for tool in range(20):
        seen.add(sweep(engine, Random(f"sweep {tool}"), size))
    assert seen.scans == SCANS[engine.__name__]
    assert seen.first_violation == ""
    assert seen.violations == 0
    assert seen.crossings > seen.scans / 20
    assert seen.aged > 0


def one_scan_late(tables: Tables) -> Tables:
    conditions = tables.conditions.copy()
    conditions["on_delay"] = 1
    return replace(tables, conditions=conditions)


def limit_shifted(tables: Tables) -> Tables:
    code = tables.code.copy()
    code["value"][code["op"] == Op.CONST] += 0.05
    return replace(tables, code=code)


def uncertain_tolerated(tables: Tables) -> Tables:
    conditions = tables.conditions.copy()
    conditions["flags"] |= ConditionFlag.ACCEPT_UNCERTAIN
    return replace(tables, conditions=conditions)


def deaf_to_silence(tables: Tables) -> Tables:
    tags = tables.tags.copy()
    tags["age_bad"] *= 2
    return replace(tables, tags=tags)


def one_effect_missing(tables: Tables) -> Tables:
    conditions = tables.conditions.copy()
    conditions["effect_count"][conditions["effect_count"].argmax()] -= 1
    return replace(tables, conditions=conditions)


@pytest.mark.parametrize(
    "fault", [one_scan_late, limit_shifted, uncertain_tolerated, deaf_to_silence, one_effect_missing]
)
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_the_sweep_notices_a_planted_fault(engine: type, fault: Callable[[Tables], Tables]) -> None:
    seen = Sweep()
    for tool in range(3):
        seen.add(sweep(engine, Random(f"planted {tool}"), 2000, planted=fault))
    assert seen.violations > 0
