"""Loops, choices, end points and limits of a recipe, on the real scan with instruments that follow."""

import json
from typing import Any

import pytest

from config.loading import shipped_tool
from config.plan import plan_recipe
from config.preflight import preflight
from config.recipe import Recipe, load_recipe, recipe_document
from config.tool import Telemetry, Tool
from kernels.scan import Scan
from kernels.tables import INSTRUCTIONS_PER_SCAN, Command, Event, RunState
from supervisor.controller.compile import compile_plan, compile_tool
from tests.config.small_furnace import small_furnace
from tests.supervisor.controller.compiled_stand import Stand

PRESSURE = "chamber.pressure_torr"


@pytest.fixture
def tool() -> Tool:
    return small_furnace()


def recipe(*steps: dict[str, Any], **changes: Any) -> Recipe:
    return load_recipe(json.dumps({
        "name": "flow", "process_mode": "LPCVD Oxide", "film_target": "SiO2", "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 700, "ramp_rate": 60}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5, "base_pressure_torr": 0.001},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": [{"name": "pumpdown", "duration_s": 1, "target_pressure_torr": 0.001}, *steps],
    } | changes))  # fmt: skip


def passes(stand: Stand, name: str) -> int:
    """How often a step has begun."""
    assert stand.plan is not None
    names = [step.name for step in stand.plan.steps]
    return sum(kind is Event.STEP and names[index] == name for kind, index, _, _ in stand.events)


def finish(stand: Stand) -> str:
    stand.until(lambda: stand.state in {RunState.HELD, RunState.COMPLETE, RunState.ABORTED, RunState.STOPPED}, 60_000)
    return stand.state.name


CYCLE = {
    "name": "purge until clean", "repeat_until": "heater.zone1.temperature_c > 710 °C", "at_most": 20,
    "steps": [{"name": "flush", "duration_s": 1}],
}  # fmt: skip


def test_a_cycle_ends_with_the_pass_that_has_seen_what_it_waits_for(tool: Tool) -> None:
    stand = Stand(tool)
    stand.readings = {"heater.zone1.temperature_c": 700.0}
    stand.load(recipe(CYCLE))
    stand.until(lambda: passes(stand, "flush") == 3)
    stand.readings = {"heater.zone1.temperature_c": 711.0}
    assert finish(stand) == "COMPLETE"
    assert passes(stand, "flush") == 3


@pytest.mark.parametrize(("policy", "end"), [("hold", "HELD"), ("abort", "ABORTED"), ("continue", "COMPLETE")])
def test_a_cycle_that_never_sees_it_ends_after_at_most_so_many_passes(tool: Tool, policy: str, end: str) -> None:
    stand = Stand(tool)
    stand.readings = {"heater.zone1.temperature_c": 700.0}
    stand.load(recipe(CYCLE | {"at_most": 4, "on_exhausted": policy}))
    assert finish(stand) == end
    assert passes(stand, "flush") == 4


def test_a_bad_instrument_never_ends_a_cycle_and_chooses_the_other_way(tool: Tool) -> None:
    stand = Stand(tool)
    stand.readings = {"gas_panel.n2o.flow_sccm": float("nan")}
    choice = {
        "name": "choice", "when": "gas_panel.n2o.flow_sccm > -5 sccm",
        "then": [{"name": "yes", "duration_s": 1}], "otherwise": [{"name": "no", "duration_s": 1}],
    }  # fmt: skip
    until = {"repeat_until": "gas_panel.n2o.flow_sccm > -5 sccm", "at_most": 2, "on_exhausted": "continue"}
    stand.load(recipe(choice, CYCLE | until))
    assert finish(stand) == "COMPLETE"
    assert (passes(stand, "yes"), passes(stand, "no"), passes(stand, "flush")) == (0, 1, 2)


def test_a_choice_is_made_when_its_step_begins_and_made_again_in_every_pass(tool: Tool) -> None:
    stand = Stand(tool)
    stand.readings = {"heater.zone1.temperature_c": 700.0}
    choice = {
        "name": "choice", "when": "heater.zone1.temperature_c > 710 °C",
        "then": [{"name": "trim", "duration_s": 1}], "otherwise": [],
    }  # fmt: skip
    stand.load(recipe({"name": "cycle", "repeat": 4, "steps": [{"name": "look", "duration_s": 1}, choice]}))
    stand.until(lambda: passes(stand, "look") == 3)
    stand.readings = {"heater.zone1.temperature_c": 711.0}
    assert finish(stand) == "COMPLETE"
    assert (passes(stand, "look"), passes(stand, "trim")) == (4, 2)


def test_a_cycle_of_choices_that_choose_nothing_still_takes_its_scans(tool: Tool) -> None:
    stand = Stand(tool)
    nothing = {"name": "n", "when": "heater.zone1.temperature_c > 1000 °C", "then": [{"name": "t", "duration_s": 1}]}
    stand.load(recipe({"name": "cycle", "repeat": 2 * INSTRUCTIONS_PER_SCAN, "steps": [nothing]}))
    assert finish(stand) == "COMPLETE"


def seeing(tool: Tool) -> Tool:
    """The furnace, with a thermocouple that plays the reflectometer."""
    telemetry = tool.telemetry.model_copy(update={"signals": {"reflectometer_thickness_nm": "film.thickness_nm"}})
    assert isinstance(telemetry, Telemetry)
    point = (
        tool.modules[0]
        .tags[0]
        .model_copy(update={"name": "thickness_nm", "unit": "nm", "low": 0.0, "high": 1e4, "kind": "input"})
    )
    module = tool.modules[0].model_copy(update={"name": "film", "kind": "chamber", "tags": (point,)})
    return tool.model_copy(update={"telemetry": telemetry, "modules": (*tool.modules, module)})


def test_a_deposition_ends_at_its_thickness_and_holds_when_the_film_does_not_grow(tool: Tool) -> None:
    step = {
        "name": "deposition", "duration_s": 2, "flows_active": True, "timeout_s": 30,
        "end_point": {"thickness_nm": 95},
    }  # fmt: skip
    for film, end in ((96.0, "COMPLETE"), (40.0, "HELD")):
        stand = Stand(seeing(tool))
        stand.readings = {"film.thickness_nm": 0.0}
        stand.load(recipe(step))
        stand.until(lambda stand=stand: stand["gas_panel.sih4.flow_sccm"] > 0)
        begun = stand.until(lambda stand=stand: stand.step == "deposition", 10)
        stand.advance(50)
        assert (begun, stand.step) == (0, "deposition")
        stand.readings = {"film.thickness_nm": film}
        assert finish(stand) == end
        assert stand["gas_panel.sih4.valve"] == 0


@pytest.mark.parametrize(("otherwise", "end"), [("hold", "HELD"), ("abort", "ABORTED"), ("stop", "STOPPED")])
def test_each_limit_of_a_step_has_its_own_answer_and_ends_with_the_step(tool: Tool, otherwise: str, end: str) -> None:
    limits = [
        {"that": "heater.zone1.temperature_c < 900 °C", "otherwise": "hold", "after_s": 5},
        {"that": "heater.zone2.temperature_c < 800 °C", "otherwise": otherwise},
    ]
    stand = Stand(tool)
    stand.load(recipe({"name": "soak", "duration_s": 5, "limits": limits}, {"name": "rest", "duration_s": 5}))
    stand.reach("soak")
    stand.readings = {"heater.zone2.temperature_c": 805.0}
    assert finish(stand) == end
    told = [(index, place) for kind, index, place, _ in stand.events if kind is Event.GUARD]
    assert stand.plan is not None
    assert [(stand.plan.steps[index].name, place) for index, place in told] == [("soak", 2.0)]
    free = Stand(tool)
    free.load(recipe({"name": "soak", "duration_s": 5, "limits": limits}, {"name": "rest", "duration_s": 5}))
    free.reach("rest")
    free.readings = {"heater.zone2.temperature_c": 805.0}
    assert finish(free) == "COMPLETE", "a limit ends with its step"


def test_a_tolerance_says_how_much_for_how_long_and_what_then(tool: Tool) -> None:
    tolerance = {"flow_pct": 20, "otherwise": "abort", "after_s": 3}
    step = {"name": "deposition", "duration_s": 60, "flows_active": True, "tolerance": tolerance}
    for flow, end in ((160 * 0.85, "COMPLETE"), (160 * 0.7, "ABORTED")):
        stand = Stand(tool)
        stand.load(recipe(step))
        stand.until(lambda stand=stand: stand["gas_panel.sih4.flow_sccm"] > 0)
        stand.readings = {"gas_panel.n2o.flow_sccm": flow}
        assert finish(stand) == end


# ------------------------------------------------------------------------------------------------------ pulses
def test_a_thousand_cycles_are_a_loop_and_not_a_thousand_instructions(tool: Tool) -> None:
    gases = [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]
    scheme = {"cycles": 1000, "pulses": [
        {"gas": "SiH4", "pulse_s": 0.1, "purge_s": 0.2}, {"gas": "N2O", "pulse_s": 0.1, "purge_s": 0.2},
    ]}  # fmt: skip
    pulsed: dict[str, Any] = {
        "gas_flows": {"gases": [*gases, {"name": "N2", "flow_sccm": 500}]}, "pulsing_scheme": scheme,
    }  # fmt: skip
    layer = {"name": "deposition", "duration_s": 600, "flows_active": True}
    ald = recipe(layer, **pulsed)
    found = preflight(ald, tool)
    assert found.ok, found.faults
    compiled = compile_tool(tool)
    program = compile_plan(compiled, plan_recipe(ald, tool)).program
    assert len(program.instructions) < 400
    laminate = {"name": "laminate", "repeat": 1000, "steps": [layer, {"name": "rest", "duration_s": 1}]}
    million = compile_plan(compiled, plan_recipe(recipe(laminate, **pulsed), tool)).program
    assert len(million.instructions) < 500, "a thousand times a thousand cycles are nested loops"
    Scan(compiled.tables).load(0, program)
    stand = Stand(tool)
    stand.load(ald)
    valve, pulses, was = "gas_panel.sih4.valve", 0, 0.0
    while stand.state is RunState.RUNNING:
        stand.advance(1)
        pulses += was < 0.5 < stand[valve]
        was = stand[valve]
    assert stand.state is RunState.COMPLETE
    assert pulses == 1000


# --------------------------------------------------------------------------------------------------- called
def test_a_hold_inside_of_a_called_recipe_is_that_of_its_own_step(tool: Tool) -> None:
    inner = json.loads((shipped_tool("lpcvd_furnace").parent.parent / "recipes" / "lpcvd_polysi.json").read_text())
    inner |= {"recipe_steps": [{"name": "seed", "duration_s": 20, "flows_active": True}], "metadata": {}}
    inner["temperature_profile"]["zones"] = [{"zone": 1, "setpoint": 700, "ramp_rate": 60}]
    call = {"name": "seeded", "call": {"recipe": inner["name"], "version": 1}, "called": inner}
    stand = Stand(tool)
    stand.load(recipe(call, {"name": "rest", "duration_s": 1}))
    stand.reach("seed")
    stand.until(lambda: stand["gas_panel.sih4.flow_sccm"] > 0)
    assert stand["gas_panel.sih4.setpoint_sccm"] == 100
    assert stand["gas_panel.n2o.valve"] == 0
    stand.command(Command.HOLD)
    stand.advance(2)
    assert stand["gas_panel.sih4.valve"] == 0
    stand.command(Command.RESTART)
    assert finish(stand) == "COMPLETE"


def test_the_plan_of_a_choice_counts_its_longer_way(tool: Tool) -> None:
    choice = {"name": "c", "when": f"{PRESSURE} < 1 Torr", "then": [{"name": "a", "duration_s": 50}],
              "otherwise": [{"name": "b", "duration_s": 20}]}  # fmt: skip
    with_it, without = (plan_recipe(recipe(*steps), tool).planned_s for steps in ((choice,), ()))
    assert with_it - without == pytest.approx(50)


def test_a_hybrid_of_continuous_and_pulsed_growth_is_one_recipe_that_calls_another(tool: Tool) -> None:
    """A seed by pulses, then the film by continuous flow: each with its own gases and its own scheme."""
    gases = [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]
    scheme = {"cycles": 50, "pulses": [
        {"gas": "SiH4", "pulse_s": 0.1, "purge_s": 0.2}, {"gas": "N2O", "pulse_s": 0.1, "purge_s": 0.2},
    ]}  # fmt: skip
    outer = recipe({"name": "film", "duration_s": 5, "flows_active": True})
    seed = json.loads(recipe_document(outer)) | {
        "name": "seed", "gas_flows": {"gases": [*gases, {"name": "N2", "flow_sccm": 500}]}, "pulsing_scheme": scheme,
        "recipe_steps": [{"name": "seed", "duration_s": 30, "flows_active": True}],
    }  # fmt: skip
    call = {"name": "seeded", "call": {"recipe": "seed", "version": 1}, "called": seed}
    hybrid = recipe(call, {"name": "film", "duration_s": 5, "flows_active": True})
    assert preflight(hybrid, tool).ok, preflight(hybrid, tool).faults
    stand = Stand(tool)
    stand.load(hybrid)
    valve, pulses, was = "gas_panel.sih4.valve", dict.fromkeys(("seed", "film"), 0), 0.0
    while stand.state is RunState.RUNNING:
        stand.advance(1)
        if stand.step in pulses:
            pulses[stand.step] += was < 0.5 < stand[valve]
        was = stand[valve]
    assert stand.state is RunState.COMPLETE
    assert pulses == {"seed": 50, "film": 1}
