"""A plasma in recipes: which words a tool takes, what they become, and what is refused with its path."""

import json
from typing import Any

import pytest

from config.checks import check_tool
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.plan import PlannedStep, order, plan_recipe
from config.preflight import Preflight, preflight
from config.process_mode import process_mode, supported_variants, why_unsupported
from config.recipe import Recipe, load_recipe
from config.tool import Action, ModuleKind, Tool


@pytest.fixture(scope="module")
def tool() -> Tool:
    return load_tool(shipped_tool("pecvd_showerhead"))


def document(**changes: Any) -> Recipe:
    base: dict[str, Any] = {
        "name": "test",
        "process_mode": "PECVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 300}]},
        "pressure_setpoints": {"process_pressure_torr": 1.0},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 40}, {"name": "N2O", "flow_sccm": 800}]},
        "plasma_settings": {"rf_power_w": 150},
        "recipe_steps": [{"name": "deposition", "duration_s": 60}],
        "safety_hazard_level": 3,
    }
    return load_recipe(json.dumps(base | changes))


def told(result: Preflight) -> list[str]:
    return [f"{fault.path}: {fault.reason}" for fault in result.faults]


def planned(recipe: Recipe, tool: Tool, name: str) -> PlannedStep:
    return next(step for step in order(plan_recipe(recipe, tool).steps) if step.name == name)


def actions(step: PlannedStep) -> list[Action]:
    return list(step.actions)


def test_the_reactor_runs_plasma_modes_and_says_why_it_runs_no_other(tool: Tool) -> None:
    assert supported_variants(tool) == ("PECVD Nitride", "PECVD Oxide")
    mode = process_mode("HWCVD Si")
    assert mode is not None
    assert "needs a module of kind filament" in why_unsupported(mode, tool)[0]


def test_a_reactor_without_its_showerhead_is_none(tool: Tool) -> None:
    bare = tool.model_copy(update={"modules": tuple(m for m in tool.modules if m.kind is not ModuleKind.SHOWERHEAD)})
    mode = process_mode("PECVD Nitride")
    assert mode is not None
    assert why_unsupported(mode, bare) == ["a showerhead reactor needs a module of kind showerhead"]


@pytest.mark.parametrize("name", ["pecvd_si3n4_50nm", "pecvd_si3n4_100nm", "pecvd_sio2_100nm"])
def test_shipped_plasma_recipes_can_run(name: str, tool: Tool) -> None:
    assert told(preflight(load_recipe(shipped_recipe(name)), tool)) == []


def test_every_word_of_a_plasma_is_held_against_the_tool(tool: Tool) -> None:
    result = preflight(
        document(
            plasma_settings={
                "rf_power_w": 1500,
                "frequency_mhz": 0.4,
                "dc_bias_v": -500,
                "duty_cycle": 0.05,
                "pulse_frequency_hz": 1e6,
                "reflected_limit_w": 1,
            },
            recipe_steps=[
                {"name": "deposition", "duration_s": 60},
                {"name": "clean", "duration_s": 9, "plasma_power_w": 2000},
                {"name": "pumped", "duration_s": 9, "plasma_power_w": 100, "target_pressure_torr": 0.01},
            ],
        ),
        tool,
    )
    text = "\n".join(told(result))
    for expected in (
        "plasma_settings.frequency_mhz: PECVD-1 makes 13.56 MHz, not 0.4 MHz",
        "plasma_settings.rf_power_w: 1500 W is outside of 0 … 1000 W",
        "plasma_settings.dc_bias_v: -500 V is outside of -400 … 0 V",
        "plasma_settings.duty_cycle: 5 % is outside of 10 … 100 %",
        "plasma_settings.pulse_frequency_hz: 1e+06 Hz is outside of 0 … 20000 Hz",
        "plasma_settings.reflected_limit_w: 1 W is outside of 5 … 200 W",
        "recipe_steps[0].plasma_power_w: 1500 W is outside",
        "recipe_steps[1].plasma_power_w: 2000 W is outside",
        "recipe_steps[2].target_pressure_torr: a plasma needs gas at a controlled pressure",
    ):
        assert expected in text


def test_silane_and_nitrous_oxide_meet_in_the_plasma_only(tool: Tool) -> None:
    """The mode's window names the plasma: the same gases without power are refused."""
    assert preflight(document(), tool).ok
    dark = [{"name": "deposition", "duration_s": 60, "flows_active": True, "plasma_power_w": 0}]
    assert "the plasma must be on" in told(preflight(document(recipe_steps=dark), tool))[0]


def test_fluoride_never_meets_ammonia_or_silane(tool: Tool) -> None:
    for other in ("NH3", "SiH4"):
        flows = {"gases": [{"name": "NF3", "flow_sccm": 100}, {"name": other, "flow_sccm": 100}]}
        text = "\n".join(told(preflight(document(gas_flows=flows), tool)))
        assert "must never meet" in text


def test_the_plasma_is_lit_in_settled_gas_and_put_out_at_the_end_of_the_step(tool: Tool) -> None:
    step = planned(document(plasma_settings={"rf_power_w": 150, "dc_bias_v": -80}), tool, "deposition")
    lighting = next(a for a in actions(step) if a.name.endswith("light the plasma"))
    before = actions(step)[: actions(step).index(lighting)]
    assert all(a.set.get("rf.enable", 0.0) == 0.0 for a in before)
    assert before[-1].until is not None
    assert "gas_panel.sih4.flow_sccm" in before[-1].until
    assert "chamber.pressure_torr" in before[-1].until
    assert list(lighting.set)[-2:] == ["rf.enable", "rf.requested"]
    assert lighting.set["rf.power_w"] == 150.0
    assert lighting.set["match.bias_setpoint_v"] == -80.0
    assert lighting.set["match.bias_mode"] == 2.0
    assert actions(step)[-1].set["rf.enable"] == 0.0
    assert step.guard is not None
    assert "metrology.plasma_lit" in step.guard.that


def test_a_hold_puts_the_plasma_out_first_unless_the_step_keeps_it(tool: Tool) -> None:
    step = planned(document(), tool, "deposition")
    (hold,) = step.hold
    assert isinstance(hold, Action)
    assert next(iter(hold.set)) == "rf.enable"
    keep = [{"name": "deposition", "duration_s": 60, "hold": {"rf": "keep", "gases": "keep"}}]
    assert planned(document(recipe_steps=keep), tool, "deposition").hold == ()


def test_a_plasma_step_without_flows_burns_in_the_tools_gas(tool: Tool) -> None:
    step = planned(load_recipe(shipped_recipe("pecvd_si3n4_50nm")), tool, "plasma_clean")
    first = actions(step)[0]
    assert first.set["gas_panel.n2.valve"] == 1.0
    assert first.set["gas_panel.n2.setpoint_sccm"] == 1000.0
    assert first.set["gas_panel.sih4.valve"] == first.set["gas_panel.nh3.valve"] == 0.0


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"enable": "vacuum.isolation_valve.shut"}, "recipe.plasma.enable", "must be declared hazardous"),
        ({"power": "chamber.pressure_setpoint_torr"}, "recipe.plasma.power", "it must be a power"),
        ({"matching": "rf.enable"}, "recipe.plasma.matching", "needs the states manual and auto"),
        ({"gas": {"SiH4": 10.0}}, "recipe.plasma.gas.SiH4", "burns in inert gas"),
        ({"gas": {}}, "recipe.plasma.gas", "is empty"),
        ({"gas": {"N2": 9000.0}}, "recipe.plasma.gas.N2", "outside the limits"),
        ({"lit": "metrology.plasma_lot"}, "recipe.plasma.lit", "unknown tag"),
    ],
)
def test_a_binding_of_a_plasma_that_cannot_work_is_refused(
    changes: dict[str, Any], path: str, reason: str, tool: Tool
) -> None:
    assert tool.recipe.plasma is not None
    plasma = tool.recipe.plasma.model_copy(update=changes)
    broken = tool.model_copy(update={"recipe": tool.recipe.model_copy(update={"plasma": plasma})})
    faults = [(fault.path, fault.reason) for fault in check_tool(broken, "tool.toml")]
    assert any(at == path and reason in said for at, said in faults), faults
