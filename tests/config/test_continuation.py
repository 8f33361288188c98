"""What is left of a recipe that was interrupted: only where it says so, and never more than is left."""

import json
from typing import Any

import pytest

from config.continuation import Interruption, continuation
from config.faults import ConfigError
from config.recipe import Recipe, load_recipe
from tests.system.quick import quick_recipe

DEPOSITION = "recipe_steps[1]"


def recipe(*steps: dict[str, Any], **changes: Any) -> Recipe:
    document = json.loads(quick_recipe("Interrupted", **changes))
    if steps:
        document["recipe_steps"] = list(steps)
    else:
        document["recipe_steps"][0]["resume"] = "repeat"
        document["recipe_steps"][1]["resume"] = "continue"
    return load_recipe(json.dumps(document))


def rest(made: Recipe, path: str | None, **at: Any) -> list[tuple[str, float | None]]:
    left = continuation(made, Interruption(path, **at))
    return [(step.name, step.duration_s) for step in left.recipe_steps]


def test_a_deposition_goes_on_for_as_long_as_the_scarcest_gas_has_not_flowed() -> None:
    # 80 sccm of silane for 15 s of 60: 20 standard cm³; the oxidiser had flowed for longer.
    gas = {"SiH4": 20.0, "N2O": 80.0}
    assert rest(recipe(), DEPOSITION, gas_scc=gas, elapsed_s=40.0) == [("deposition", 45.0), ("rest", 10.0)]


def test_a_deposition_without_any_gas_yet_is_done_whole() -> None:
    assert rest(recipe(), DEPOSITION, elapsed_s=30.0)[0] == ("deposition", 60.0)


def test_a_deposition_that_was_all_but_over_is_not_begun_again() -> None:
    gas = {"SiH4": 80.0, "N2O": 160.0}
    assert rest(recipe(), DEPOSITION, gas_scc=gas) == [("rest", 10.0)]


def test_a_step_that_is_to_be_repeated_is_repeated_whole() -> None:
    assert rest(recipe(), "recipe_steps[0]", elapsed_s=9.0)[0] == ("stabilize", 10.0)


def test_a_step_that_says_nothing_is_not_resumed() -> None:
    with pytest.raises(ConfigError, match="does not allow to resume in the step 'rest'"):
        rest(recipe(), "recipe_steps[2]")


def test_before_its_first_step_the_whole_recipe_is_left_and_after_its_last_nothing() -> None:
    assert len(rest(recipe(), None, begun=False)) == 3
    with pytest.raises(ConfigError, match="nothing to resume"):
        rest(recipe(), None, begun=True)


CYCLE = {
    "name": "layers",
    "repeat": 5,
    "resume": "repeat",
    "steps": [{"name": "grow", "duration_s": 5, "flows_active": True}, {"name": "settle", "duration_s": 3}],
}


def test_of_a_cycle_the_passes_that_are_left_are_done() -> None:
    made = recipe(CYCLE, {"name": "rest", "duration_s": 1})
    left = continuation(made, Interruption("recipe_steps[0].steps[1]", passes=2))
    assert left.recipe_steps[0].repeat == 3
    assert len(left.recipe_steps) == 2


def test_a_cycle_within_a_cycle_is_not_guessed_at() -> None:
    inner = {"name": "inner", "repeat": 2, "steps": [{"name": "grow", "duration_s": 5}]}
    made = recipe({"name": "outer", "repeat": 3, "resume": "repeat", "steps": [inner]})
    with pytest.raises(ConfigError, match="cycle within"):
        rest(made, "recipe_steps[0].steps[0].steps[0]")


def test_a_cycle_cannot_promise_to_be_continued() -> None:
    with pytest.raises(ConfigError, match="repeat or no"):
        recipe({**CYCLE, "resume": "continue"})


def test_the_rest_is_at_the_temperature_that_an_earlier_step_had_asked_for() -> None:
    made = recipe(
        {"name": "heat", "duration_s": 5, "target_temp_c": 690.0},
        {"name": "deposition", "duration_s": 60, "flows_active": True, "resume": "repeat"},
    )
    assert continuation(made, Interruption(DEPOSITION)).recipe_steps[0].temperature_c == 690.0


@pytest.mark.parametrize("path", ["recipe_steps[9]", "elsewhere"])
def test_a_place_that_the_recipe_has_not_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="no such step"):
        rest(recipe(), path)
