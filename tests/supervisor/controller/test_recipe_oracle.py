"""Recipes with loops, choices, end conditions and limits: the scan and the plain-Python oracle agree on every bit.

The programs are those of real recipes, planned and compiled for a small furnace; instruments say what Hypothesis wants.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.plan import plan_recipe
from config.preflight import preflight
from config.recipe import load_recipe
from config.tool import TagKind
from kernels.scan import Scan
from kernels.tables import Command, Program
from supervisor.controller.compile import compile_plan, compile_tool
from tests.config.small_furnace import small_furnace
from tests.kernels.comparison import Tally, compare
from tests.kernels.strategies import Case, Moment

TOOL = small_furnace()
COMPILED = compile_tool(TOOL)
INDEX = COMPILED.layout.index
SCANS = 160
HOT, LOW, FLOW = "heater.zone1.temperature_c", "chamber.pressure_torr", "gas_panel.n2o.flow_sccm"

conditions = st.sampled_from([
    f"{HOT} > 704 °C", f"{HOT} > 690 °C", f"{LOW} < 0.4 Torr", f"{FLOW} > 80 sccm and {HOT} < 708 °C", f"bad({FLOW})",
])  # fmt: skip
answers = st.sampled_from(["hold", "abort", "stop"])
limits = st.lists(
    st.fixed_dictionaries({"that": conditions, "otherwise": answers, "after_s": st.sampled_from([0, 0.3, 1])}),
    max_size=3,
)
waits = {"until": conditions, "timeout_s": st.sampled_from([0.5, 1.5])}
more = {"limits": limits, "on_timeout": st.sampled_from(["hold", "continue", "abort"])}
length = {
    "name": st.sampled_from(["rest", "wait", "look"]),
    "duration_s": st.sampled_from([0, 0.1, 0.4]),
}
step = st.one_of(st.fixed_dictionaries(length | waits, optional=more), st.fixed_dictionaries(length, optional=more))
gas = st.fixed_dictionaries(
    {"name": st.just("deposition"), "duration_s": st.sampled_from([0.5, 1]), "flows_active": st.just(True)},
    optional={"tolerance": st.fixed_dictionaries({"after_s": st.sampled_from([0, 0.5]), "otherwise": answers})},
)
inner = st.lists(st.one_of(step, gas), min_size=1, max_size=2)
loop = st.fixed_dictionaries({
    "name": st.just("loop"), "repeat_until": conditions, "at_most": st.integers(1, 6), "steps": inner,
    "on_exhausted": st.sampled_from(["hold", "continue", "abort"]),
})  # fmt: skip
choice = st.fixed_dictionaries({"name": st.just("choice"), "when": conditions, "then": inner, "otherwise": inner})
cycle = st.fixed_dictionaries({
    "name": st.just("cycle"), "repeat": st.integers(1, 4), "steps": st.lists(st.one_of(step, choice, loop), min_size=1,
                                                                            max_size=2),
})  # fmt: skip


def compiled(steps: list[dict[str, Any]]) -> Program:
    """The program of a recipe without the tool's own operations around it."""
    recipe = load_recipe(json.dumps({
        "name": "any", "process_mode": "LPCVD Oxide", "film_target": "SiO2", "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 700, "ramp_rate": 600}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5, "base_pressure_torr": 0.001},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": steps,
    }))  # fmt: skip
    bare = TOOL.model_copy(update={"recipe": TOOL.recipe.model_copy(update={"before": (), "after": ()})})
    assert preflight(recipe, bare).plan is not None
    return compile_plan(COMPILED, plan_recipe(recipe, bare)).program


def story(rng: Random, inputs: tuple[int, ...]) -> Iterator[Moment]:
    """Instruments that are mostly right, sometimes off, seldom Bad; a person who interferes now and then."""
    usual = {INDEX[HOT]: 700.0, INDEX[LOW]: 0.5, INDEX[FLOW]: 160.0, INDEX["gas_panel.sih4.flow_sccm"]: 80.0}
    usual |= {INDEX[f"heater.zone{zone}.temperature_c"]: 700.0 for zone in (2, 3)}

    off = {INDEX[HOT]: 12.0, INDEX[LOW]: 0.3, INDEX[FLOW]: 100.0}

    def postings(scan: int) -> tuple[tuple[int, float, int, int], ...]:
        said = list[tuple[int, float, int, int]]()
        for tag in inputs:
            value = usual.get(tag, 0.0) + rng.choice((0.0, 0.0, rng.uniform(-1, 1))) * off.get(tag, 0.0)
            said.append((tag, value, 0x80000000 if tag in off and rng.random() < 0.004 else 0, scan))
        return tuple(said)

    yield Moment(postings(0), (), 0)
    start = (Command.ARM, Command.LOAD, Command.START)
    yield Moment(postings(1), tuple((int(op), 0, 0.0, 0.0, number) for number, op in enumerate(start)), 0)
    moves = (Command.PAUSE, Command.RESUME, Command.HOLD, Command.RESTART, Command.RESTART, Command.RESUME)
    for scan in range(2, SCANS):
        commands = ((int(rng.choice(moves)), 0, 0.0, 0.0, scan),) if rng.random() < 0.12 else ()
        yield Moment(postings(scan), commands, 0)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    steps=st.lists(st.one_of(step, gas, loop, loop, choice, cycle), min_size=2, max_size=4), seed=st.integers(0, 2**32)
)
def test_scan_and_oracle_agree_on_recipes_that_measure(steps: list[dict[str, Any]], seed: int) -> None:
    program = compiled(steps)
    kinds = {name: tag.kind for name, tag in COMPILED.layout.declared.items()}
    inputs = tuple(INDEX[name] for name, kind in kinds.items() if kind is TagKind.INPUT)
    writable = tuple(INDEX[name] for name, kind in kinds.items() if kind in (TagKind.SETPOINT, TagKind.OUTPUT))
    case = Case(COMPILED.tables, (program, program), inputs, writable, ())
    tally = Tally()
    assert compare(case, story(Random(seed), inputs), Scan, tally) is None
    assert tally.states["RUNNING"] > 0
