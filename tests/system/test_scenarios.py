"""A seeded sample of the campaign of scenarios, and proof that its judge sees what it is there for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.system import scenario_run
from tests.system.scenario import Happening, Scenario
from tests.system.scenario_campaign import trial
from tests.system.scenario_run import BEGIN_S, RECIPES, Trial, bench, drawn, judge, shrink

SAMPLE = range(7_000_000, 7_000_009)
TOOL = "pecvd_showerhead"
BEGIN = BEGIN_S[TOOL]


def scenario(*happenings: Happening) -> Scenario:
    return Scenario(TOOL, RECIPES[TOOL], 5, happenings, BEGIN + 60.0)


@pytest.mark.parametrize("seed", SAMPLE)
def test_a_random_scenario_has_no_safety_violation(seed: int) -> None:
    assert trial(seed)[1]["violations"] == []


def test_a_scenario_survives_its_file_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    drawn_once = drawn(7_000_001)
    drawn_once.write(tmp_path / "s.json")
    assert Scenario.read(tmp_path / "s.json") == drawn_once == drawn(7_000_001)


EXHAUST = Happening(BEGIN + 20.0, "plant", {"fault": "exhaust_lost"})
NOISE = (
    Happening(5.0, "stall", {"for_s": 0.05}),
    Happening(30.0, "hand", {"deed": "arm"}),
    Happening(BEGIN + 30.0, "hand", {"deed": "disarm"}),
)


@pytest.fixture
def without_exhaust(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool without the interlocks on its exhaust: never active."""
    whole = bench(TOOL)
    conditions = np.array(whole.compiled.tables.conditions)
    for index, declared in enumerate(whole.compiled.layout.conditions):
        if "exhaust" in str(declared.when):
            conditions["on_delay"][index] = 2**40
    tables = replace(whole.compiled.tables, conditions=conditions)
    broken = replace(whole, compiled=replace(whole.compiled, tables=tables))
    monkeypatch.setattr(scenario_run, "bench", lambda _name: broken)


@pytest.mark.usefixtures("without_exhaust")
def test_a_missing_interlock_is_seen_in_the_plant_and_shrunk_to_what_it_takes() -> None:
    found = judge(scenario(NOISE[0], NOISE[1], EXHAUST, NOISE[2]))
    assert any("flows" in violation and "exhaust_lost" in violation for violation in found.violations)
    assert shrink(scenario(NOISE[0], NOISE[1], EXHAUST, NOISE[2])).happenings == (EXHAUST,)


def test_the_same_scenario_is_harmless_with_the_interlock() -> None:
    outcome = judge(scenario(EXHAUST))
    assert outcome.violations == []
    assert "exhaust_lost" in outcome.trips


def test_a_successor_that_forgets_latches_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Trial):
        def _scan(self) -> Any:
            scan = super()._scan()

            class Wrapped:
                def __getattr__(self, name: str) -> object:
                    return getattr(scan, name)

                def recall(self, *_: object) -> None:
                    return

            return Wrapped()

    cleared = replace(EXHAUST, args={"fault": "exhaust_lost", "for_s": 5.0})
    kill = Happening(BEGIN + 40.0, "kill", {"dead_s": 1.0})
    found = Forgetful(scenario(cleared, kill)).run()
    assert any("the latch of exhaust_lost is forgotten" in violation for violation in found.violations)
    assert judge(scenario(cleared, kill)).violations == []
