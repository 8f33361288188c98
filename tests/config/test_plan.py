"""What a furnace is told to do by a recipe: order of gases, ramps, holds, and nothing left on at the end."""

import json
from typing import Any

import pytest

from config.checks import check_tool
from config.expression import read_boolean
from config.faults import ConfigError
from config.gases import is_hazardous
from config.layout import Layout
from config.loading import shipped_recipe
from config.plan import (
    Plan,
    PlannedStep,
    Restore,
    gas_use,
    gases_left_on,
    longest_s,
    order,
    plan_operation,
    plan_recipe,
)
from config.recipe import Recipe, load_recipe
from config.tool import Action, Device, LinkLoss, Policy, Tool
from tests.config.small_furnace import small_furnace

SILANE, OXIDISER, NITROGEN = "gas_panel.sih4.valve", "gas_panel.n2o.valve", "gas_panel.n2.valve"


@pytest.fixture(scope="module")
def tool() -> Tool:
    return small_furnace()


@pytest.fixture(scope="module")
def guide() -> Recipe:
    return load_recipe(shipped_recipe("lpcvd_sio2_100nm"))


def recipe(*steps: dict[str, Any], **changes: Any) -> Recipe:
    document = {
        "name": "test",
        "process_mode": "LPCVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800, "ramp_rate": 20}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5, "base_pressure_torr": 0.001},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": list(steps),
    }
    return load_recipe(json.dumps(document | changes))


def step(plan: Plan, name: str) -> PlannedStep:
    return next(step for step in order(plan.steps) if step.name == name)


def writes(actions: tuple[Action | Restore, ...]) -> dict[str, float]:
    """Everything that is set, the last word of each tag."""
    return {tag: value for action in actions if isinstance(action, Action) for tag, value in action.set.items()}


def texts(plan: Plan) -> list[str]:
    """Every condition of a plan."""
    found = list[str]()

    def take(action: Action) -> None:
        found.extend(filter(None, [action.until, *(check.that for check in action.check)]))
        for inner in (*action.steps, *(one for branch in action.parallel for one in branch)):
            take(inner)

    for one in order(plan.steps):
        found.extend([one.guard.that] if one.guard else [])
        blocks = (one.pause, one.resume, one.hold, one.restart, one.stop or ())
        for action in (*one.actions, *(part for block in blocks for part in block)):
            if isinstance(action, Action):
                take(action)
    return found


def test_the_furnace_of_these_tests_is_a_tool_without_faults(tool: Tool) -> None:
    assert check_tool(tool, "small_furnace.toml") == []


def test_the_guides_recipe_keeps_its_steps_between_the_tools_own(guide: Recipe, tool: Tool) -> None:
    plan = plan_recipe(guide, tool)
    shown = [(step.name, step.owner, step.operation) for step in order(plan.steps)]
    assert shown == [
        ("pump", "tool", "leak_check"),
        ("watch", "tool", "leak_check"),
        ("pumpdown", "recipe", None),
        ("heatup", "recipe", None),
        ("stabilize", "recipe", None),
        ("deposition", "recipe", None),
        ("cooldown", "recipe", None),
        ("finish", "tool", None),
        ("fill", "tool", "cycle_purge"),
        ("pump", "tool", "cycle_purge"),
    ]
    assert sum(step.planned_s for step in order(plan.steps) if step.owner == "recipe") == 3120
    assert [step.path for step in order(plan.steps) if step.path][3] == "recipe_steps[3]"


@pytest.mark.parametrize("name", ["lpcvd_sio2_100nm", "lpcvd_polysi"])
def test_every_condition_of_a_plan_is_an_expression_that_the_tool_understands(name: str, tool: Tool) -> None:
    scope = Layout(tool).scope
    plan = plan_recipe(load_recipe(shipped_recipe(name)), tool)
    assert texts(plan)
    for text in texts(plan):
        read_boolean(text, scope)


def test_heatup_of_100_degrees_at_10_a_minute_fits_its_600_seconds(guide: Recipe, tool: Tool) -> None:
    heatup = step(plan_recipe(guide, tool), "heatup")
    (action,) = heatup.actions
    assert heatup.planned_s == 600
    assert set(action.ramp) == {f"heater.zone{n}.setpoint_c" for n in (1, 2, 3)}, "the third zone follows the second"
    ramp = action.ramp["heater.zone3.setpoint_c"]
    assert (ramp.to, ramp.per_min, ramp.start) == (800, 10, "heater.zone3.temperature_c")
    assert action.min_s == 600
    assert "heater.zone3.temperature_c >= 797 °C" in (action.until or "")
    assert (action.timeout_s, action.on_timeout) == (1800, Policy.HOLD)


def test_silane_opens_after_the_oxidiser_flows_and_the_pressure_is_right(guide: Recipe, tool: Tool) -> None:
    warm, before, deposition = step(plan_recipe(guide, tool), "deposition").actions
    assert "heater.zone1.temperature_c >= 797 °C" in (warm.until or ""), "nothing flows outside of the tolerance"
    assert warm.set == {}
    assert before.set[OXIDISER] == 1
    assert before.set["chamber.mode"] == 2
    assert SILANE not in before.set
    assert "gas_panel.n2o.flow_sccm" in (before.until or "")
    assert "chamber.pressure_torr" in (before.until or "")
    assert deposition.set == {SILANE: 1, "gas_panel.sih4.setpoint_sccm": 80}
    assert deposition.min_s == 1200, "the deposition's time counts from silane on"


def test_cooldown_shuts_silane_first_and_purges(guide: Recipe, tool: Tool) -> None:
    (cooldown,) = step(plan_recipe(guide, tool), "cooldown").actions
    assert next(iter(cooldown.set)) == SILANE
    assert (cooldown.set[SILANE], cooldown.set[OXIDISER], cooldown.set[NITROGEN]) == (0, 0, 1)
    assert {ramp.to for ramp in cooldown.ramp.values()} == {700}


def test_a_hold_shuts_every_hazardous_gas_in_whatever_step_and_leaves_the_heat(guide: Recipe, tool: Tool) -> None:
    hazardous = [gas.valve for gas in tool.gases if is_hazardous(gas.name)]
    for one in order(plan_recipe(guide, tool).steps):
        if one.owner == "recipe":
            for block in (one.hold, one.pause):
                held = writes(block)
                assert [held[valve] for valve in hazardous] == [0, 0], one.name
                assert not any(tag.startswith("heater") for tag in held), one.name
    assert writes(step(plan_recipe(guide, tool), "deposition").hold)[NITROGEN] == 1, "what was in the tube is swept out"


def test_a_restart_gives_silane_back_last_and_only_when_temperature_and_flows_are_right(
    guide: Recipe, tool: Tool
) -> None:
    restart = step(plan_recipe(guide, tool), "deposition").restart
    kinds = [part.tags if isinstance(part, Restore) else part.name for part in restart]
    assert [kind for kind in kinds if isinstance(kind, str)] == [
        "deposition: restart: temperature",
        "deposition: restart: flows and pressure",
    ]
    last = restart[-1]
    assert isinstance(last, Restore)
    assert last.tags == (SILANE, "gas_panel.sih4.setpoint_sccm")
    restored = {tag for part in restart if isinstance(part, Restore) for tag in part.tags}
    assert restored == set(writes(step(plan_recipe(guide, tool), "deposition").hold))


def test_declared_behaviours_replace_the_defaults(tool: Tool) -> None:
    plan = plan_recipe(
        recipe(
            {"name": "pump", "duration_s": 1, "target_pressure_torr": 0.001},
            {"name": "anneal", "duration_s": 60, "target_temp_c": 800, "hold": {"heat": "off", "gases": "off"},
             "pause": {"gases": "keep", "timers": "go_on"}, "stop": {"heat": "standby"}},
        ),
        tool,
    )  # fmt: skip
    anneal = step(plan, "anneal")
    held = writes(anneal.hold)
    assert held["heater.zone1.mode"] == 0
    assert held[NITROGEN] == 0
    assert anneal.pause == ()
    assert anneal.timers_while_paused
    assert not anneal.timers_while_held
    assert anneal.stop
    assert {ramp.to for part in anneal.stop if isinstance(part, Action) for ramp in part.ramp.values()} == {700}


def test_no_recipe_leaves_a_hazardous_gas_on_even_when_it_ends_in_deposition(tool: Tool) -> None:
    plan = plan_recipe(recipe({"name": "deposition", "duration_s": 60, "flows_active": True}), tool)
    assert gases_left_on(plan, tool) == []
    assert order(plan.steps)
    finish = step(plan, "finish")
    assert writes(finish.actions)[SILANE] == 0
    assert finish.planned_s == pytest.approx(100 / 20 * 60), "the zones are brought to standby before the run ends"


def test_an_operation_that_leaves_silane_on_is_refused(tool: Tool) -> None:
    operation = tool.operations[0].model_copy(
        update={"name": "bad", "steps": (Action(name="open", set={SILANE: 1.0}, min_s=1.0),)}
    )
    with pytest.raises(ConfigError, match="leaves SiH4 flowing"):
        plan_operation(operation, tool)
    wrapped = tool.model_copy(
        update={
            "operations": (*tool.operations, operation),
            "recipe": tool.recipe.model_copy(update={"after": ("bad",)}),
        }
    )
    with pytest.raises(ConfigError, match="leaves SiH4 flowing"):
        plan_recipe(recipe({"name": "wait", "duration_s": 60}), wrapped)


def test_a_recipe_that_neither_pumps_nor_heats_is_prepared_by_the_tool(tool: Tool) -> None:
    plan = plan_recipe(recipe({"name": "deposition", "duration_s": 60, "flows_active": True}), tool)
    prepare = step(plan, "prepare")
    assert prepare.owner == "tool"
    assert prepare.planned_s == pytest.approx(300)
    assert "heater.zone1.temperature_c >= 797 °C" in (prepare.actions[0].until or "")


def test_gas_use_follows_the_planned_time(guide: Recipe, tool: Tool) -> None:
    used = gas_use(plan_recipe(guide, tool), tool)
    assert used["SiH4"] == pytest.approx(80 * 20 / 1000)
    assert used["N2O"] == pytest.approx(160 * 20 / 1000)
    assert used["N2"] > 0, "purges count"


def test_gas_use_counts_every_pass_of_a_cycle(tool: Tool) -> None:
    layers = {"name": "layers", "repeat": 10, "steps": [
        {"name": "layer", "duration_s": 60, "flows_active": True},
        {"name": "rest", "duration_s": 30},
    ]}  # fmt: skip
    plan = plan_recipe(recipe(layers), tool)
    assert gas_use(plan, tool)["SiH4"] == pytest.approx(80 * 10 / 1000)
    assert [one.name for one in order(plan.steps)].count("layer") == 1
    assert plan.planned_s >= 10 * 90


def test_pulses_open_one_gas_at_a_time_and_purge_between(tool: Tool) -> None:
    pulsed = [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]
    gases = {"gases": [*pulsed, {"name": "N2", "flow_sccm": 500}]}
    scheme = {
        "cycles": 100,
        "pulses": [{"gas": "SiH4", "pulse_s": 0.5, "purge_s": 2}, {"gas": "N2O", "pulse_s": 1, "purge_s": 2}],
    }
    plan = plan_recipe(
        recipe({"name": "deposition", "duration_s": 60, "flows_active": True}, gas_flows=gases, pulsing_scheme=scheme),
        tool,
    )
    deposition = step(plan, "deposition")
    cycle = next(action for action in deposition.actions if action.repeat == 100)
    assert [(list(part.set.items()), part.min_s) for part in cycle.steps] == [
        ([(SILANE, 1)], 0.5), ([(SILANE, 0)], 2), ([(OXIDISER, 1)], 1), ([(OXIDISER, 0)], 2),
    ]  # fmt: skip
    assert deposition.planned_s == pytest.approx(550)
    assert writes(deposition.actions)[SILANE] == 0, "the valves stay shut until their first pulse"


def with_fast_valve(tool: Tool) -> Tool:
    """The furnace with silane's valve on a fast link."""
    device = Device(
        name="pulser",
        profile="beckhoff_bk9050",
        link="modbus-tcp://10.0.0.9:502",
        on_link_loss=LinkLoss.ZERO,
        fast=True,
    )
    modules = tuple(
        module.model_copy(update={"tags": tuple(
            tag.model_copy(update={"point": "pulser.do_0"}) if f"{module.name}.{tag.name}" == SILANE else tag
            for tag in module.tags
        )})
        for module in tool.modules
    )  # fmt: skip
    return tool.model_copy(update={"modules": modules, "devices": (device,)})


@pytest.mark.parametrize(
    ("said", "follows"),
    [({}, Policy.HOLD), ({"late_pulse": "abort"}, Policy.ABORT), ({"late_pulse": "continue"}, None)],
)
def test_a_late_edge_of_a_fast_valve_has_the_consequence_that_the_recipe_names(
    tool: Tool, said: dict[str, str], follows: Policy | None
) -> None:
    pulsed = [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]
    pulses = [{"gas": gas, "pulse_s": 0.5, "purge_s": 2} for gas in ("SiH4", "N2O")]
    plan = plan_recipe(
        recipe(
            {"name": "deposition", "duration_s": 60, "flows_active": True}, gas_flows={"gases": pulsed},
            pulsing_scheme={"cycles": 100, "pulses": pulses, **said},
        ),
        with_fast_valve(tool),
    )  # fmt: skip
    cycle = next(action for action in step(plan, "deposition").actions if action.repeat == 100)
    assert [[(check.that, check.otherwise) for check in part.check] for part in cycle.steps] == [
        [], [("not devices.pulser.edge_late", follows)] if follows else [], [], [],
    ]  # fmt: skip


def test_a_temperature_inside_of_a_deposition_is_reached_before_silane_flows(tool: Tool) -> None:
    plan = plan_recipe(
        recipe(
            {"name": "buffer_layer", "duration_s": 60, "temp_c": 750},
            {"name": "main_growth", "duration_s": 60, "temp_c": 850},
        ),
        tool,
    )  # fmt: skip
    growth = step(plan, "main_growth")
    assert [action.name for action in growth.actions] == [
        "main_growth: temperature", "main_growth: flows and pressure", "main_growth",
    ]  # fmt: skip
    assert growth.actions[0].set[SILANE] == 0
    assert growth.planned_s == pytest.approx(60 + 100 / 20 * 60)


def test_branches_are_one_step_with_the_length_of_the_longest(tool: Tool) -> None:
    plan = plan_recipe(
        recipe({"name": "ready", "parallel": [
            [{"name": "pump", "duration_s": 30, "target_pressure_torr": 0.001}],
            [{"name": "heat", "duration_s": 60, "target_temp_c": 720}, {"name": "soak", "duration_s": 60}],
        ]}),
        tool,
    )  # fmt: skip
    assert step(plan, "ready").planned_s == 120
    assert [one.name for one in order(plan.steps)].count("heat") == 0


def test_an_operations_cycle_shows_its_members_and_its_bound_holds(tool: Tool) -> None:
    purge = next(operation for operation in tool.operations if operation.name == "cycle_purge")
    plan = plan_operation(purge, tool)
    assert [one.name for one in order(plan.steps)] == ["fill", "pump"]
    assert plan.planned_s == 20
    assert longest_s(purge.steps) <= purge.bound_s == plan.bound_s
    assert writes(step(plan, "fill").hold) == {NITROGEN: 0}
    assert step(plan, "fill").restart == (Restore((NITROGEN,)),)


@pytest.mark.parametrize(
    ("name", "path"),
    [("pecvd_si3n4_50nm", "recipe_steps[0].plasma_power_w"), ("mocvd_gan_2um", "recipe_steps[0].flows_active")],
)
def test_what_the_tool_cannot_do_is_refused_where_it_stands(name: str, path: str, tool: Tool) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_recipe(load_recipe(shipped_recipe(name)), tool)
    assert caught.value.faults[0].path == path
