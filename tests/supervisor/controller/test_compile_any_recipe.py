"""Whatever somebody sends as a recipe: it is refused with its faults, or it becomes a program that the scan accepts."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.faults import ConfigError
from config.loading import shipped_recipe
from config.plan import gases_left_on
from config.preflight import preflight
from config.recipe import load_recipe, recipe_document
from kernels.scan import Scan
from supervisor.controller.compile import compile_plan, compile_tool
from tests.config.small_furnace import small_furnace

TOOL = small_furnace()
COMPILED = compile_tool(TOOL)
SCAN = Scan(COMPILED.tables)
GUIDE: dict[str, Any] = json.loads(shipped_recipe("lpcvd_sio2_100nm").read_text(encoding="utf-8"))

numbers = st.one_of(
    st.sampled_from([0, 1, 2, 3, 60, 80, 160, 500, 700, 800, 0.001, 0.5, 1e-12, 1e9, -1, 1200]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70),
)
words = st.sampled_from(
    [
        "SiH4",
        "N2O",
        "N2",
        "LPCVD Oxide",
        "LPCVD Poly-Si",
        "cooldown",
        "deposition",
        "hold",
        "abort",
        "pulsed",
        "",
        "ä" * 300,
    ]
)
expressions = st.sampled_from(["chamber.pressure_torr < 1 Torr", "heater.zone1.temperature_c > 5 Torr", "((((", "1"])
leaves = st.one_of(st.none(), st.booleans(), numbers, words, expressions)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)

behaviours = st.fixed_dictionaries(
    {},
    optional={
        "gases": st.sampled_from(["purge", "off", "keep"]),
        "heat": st.sampled_from(["keep", "standby", "off"]),
        "timers": st.sampled_from(["stop", "go_on"]),
    },
)
step = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["pumpdown", "heat", "deposition", "cooldown", "rest"]),
        "duration_s": st.sampled_from([0, 1, 60]),
    },
    optional={
        "target_temp_c": st.sampled_from([650, 800, 850]),
        "target_pressure_torr": st.sampled_from([0.001, 0.5, 2]),
        "flows_active": st.booleans(),
        "SiH4_flow": st.sampled_from([0, 50]),
        "hold": behaviours,
        "pause": behaviours,
        "stop": behaviours,
        "timeout_s": st.sampled_from([600, 7200]),
        "until": expressions,
        "tolerance": st.fixed_dictionaries(
            {}, optional={"flow_pct": st.sampled_from([1, 20]), "otherwise": st.sampled_from(["hold", "abort", "stop"]),
                          "after_s": st.sampled_from([0, 5])},
        ),
        "limits": st.lists(
            st.fixed_dictionaries(
                {"that": expressions},
                optional={"otherwise": st.sampled_from(["hold", "abort", "stop"]), "after_s": st.sampled_from([0, 2])},
            ),
            max_size=3,
        ),
    },
)  # fmt: skip
cycles = st.fixed_dictionaries(
    {"name": st.just("cycle"), "repeat": st.integers(1, 5), "steps": st.lists(step, min_size=1, max_size=3)}
)
loops = st.fixed_dictionaries(
    {"name": st.just("loop"), "repeat_until": expressions, "at_most": st.integers(1, 5),
     "on_exhausted": st.sampled_from(["hold", "abort", "stop", "continue"]),
     "steps": st.lists(step, min_size=1, max_size=2)}
)  # fmt: skip
choices = st.fixed_dictionaries(
    {"name": st.just("choice"), "when": expressions, "then": st.lists(st.one_of(step, loops), min_size=1, max_size=2)},
    optional={"otherwise": st.lists(step, max_size=2)},
)
nested = st.fixed_dictionaries(
    {"name": st.just("nested"), "repeat": st.integers(1, 3),
     "steps": st.lists(st.one_of(choices, loops, step), min_size=1, max_size=2)}
)  # fmt: skip
branches = st.fixed_dictionaries(
    {"name": st.just("both"), "parallel": st.lists(st.lists(step, min_size=1, max_size=2), min_size=1, max_size=3)}
)


def paths(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a document."""
    yield here
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*here, key))


PLACES = sorted((path for path in paths(GUIDE) if path), key=repr)


def judge(document: dict[str, Any]) -> bool:
    """Take a document as far as it goes; whether it became a program."""
    try:
        recipe = load_recipe(json.dumps(document))
    except ConfigError:
        return False
    assert load_recipe(recipe_document(recipe)) == recipe
    report = preflight(recipe, TOOL)
    if report.plan is None:
        assert report.faults
        return False
    assert gases_left_on(report.plan, TOOL) == []
    SCAN.load(0, compile_plan(COMPILED, report.plan).program)
    return True


def test_the_unchanged_recipe_becomes_a_program() -> None:
    assert judge(GUIDE)


@given(place=st.sampled_from(PLACES), value=values)
@settings(max_examples=150)
def test_anything_in_any_place_is_refused_or_runs(place: tuple[str | int, ...], value: Any) -> None:
    document = copy.deepcopy(GUIDE)
    inside: Any = document
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    judge(document)


@given(steps=st.lists(st.one_of(step, cycles, loops, choices, nested, branches), min_size=1, max_size=5))
@settings(max_examples=150)
def test_any_sequence_of_steps_is_refused_or_runs(steps: list[dict[str, Any]]) -> None:
    judge(GUIDE | {"recipe_steps": steps})
