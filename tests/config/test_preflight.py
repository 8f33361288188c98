"""Before a run: everything that speaks against a recipe on a tool, at once and with its path."""

import json
from typing import Any

import pytest

from config.loading import shipped_recipe
from config.preflight import Preflight, preflight
from config.process_mode import process_mode
from config.recipe import Recipe, load_recipe
from config.tool import Tool
from tests.config.small_furnace import small_furnace


@pytest.fixture(scope="module")
def tool() -> Tool:
    return small_furnace()


def document(**changes: Any) -> Recipe:
    base: dict[str, Any] = {
        "name": "test",
        "process_mode": "LPCVD Oxide",
        "film_target": "SiO2",
        "thickness_target_nm": 10,
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
        "recipe_steps": [{"name": "deposition", "duration_s": 60}],
        "safety_hazard_level": 3,
    }
    return load_recipe(json.dumps(base | changes))


def gases(**flows: float) -> dict[str, Any]:
    return {"gases": [{"name": name, "flow_sccm": flow} for name, flow in flows.items()]}


def told(result: Preflight) -> list[str]:
    return [f"{fault.path}: {fault.reason}" for fault in result.faults]


def warned(result: Preflight) -> list[str]:
    return [f"{fault.path}: {fault.reason}" for fault in result.warnings]


def test_the_guides_recipe_fits_the_furnace_and_its_length_and_gas_are_known(tool: Tool) -> None:
    result = preflight(load_recipe(shipped_recipe("lpcvd_sio2_100nm")), tool)
    assert result.ok
    assert result.warnings == ()
    assert result.planned_s >= 3120
    assert result.gas_use["SiH4"] == pytest.approx(1.6)
    assert result.hazard_level == 3
    assert result.process_mode == "LPCVD Oxide"
    assert result.plan is not None


def test_a_plasma_recipe_on_a_furnace_is_refused_step_by_step(tool: Tool) -> None:
    result = preflight(load_recipe(shipped_recipe("pecvd_si3n4_50nm")), tool)
    text = "\n".join(told(result))
    for expected in (
        "process_mode: SmallFurnace cannot run 'PECVD Nitride': plasma activation needs a module of kind rf",
        "plasma_settings: SmallFurnace has no module",
        "recipe_steps[0].plasma_power_w: SmallFurnace has no plasma source",
        "recipe_steps[1].plasma_power_w: SmallFurnace has no plasma source",
        "gas_flows.gases[1].name: SmallFurnace has no feed for NH3",
    ):
        assert expected in text
    assert result.planned_s == 0


def test_every_range_is_checked_at_once(tool: Tool) -> None:
    result = preflight(
        document(
            temperature_profile={"zones": [{"zone": 1, "setpoint": 1200}, {"zone": 9, "setpoint": 1200}]},
            pressure_setpoints={"process_pressure_torr": 0.01, "base_pressure_torr": 20},
            gas_flows=gases(SiH4=300, N2O=4),
            recipe_steps=[
                {"name": "heat", "duration_s": 60, "target_temp_c": 1300, "timeout_s": 61},
                {"name": "high", "duration_s": 60, "target_pressure_torr": 50},
                {"name": "deposition", "duration_s": 60, "SiH4_flow": 1},
            ],
        ),
        tool,
    )
    text = "\n".join(told(result))
    for expected in (
        "temperature_profile.zones[0].setpoint: 1200 °C is outside of 20 … 1100 °C",
        "temperature_profile.zones[1].zone: SmallFurnace has no zone 9 (it has 1, 2, 3)",
        "pressure_setpoints.process_pressure_torr: 0.01 Torr is outside of the control range 0.05 … 10 Torr",
        "pressure_setpoints.base_pressure_torr: 20 Torr is above 10 Torr",
        "gas_flows.gases[0].flow_sccm: 300 sccm is above the range of its controller, 200 sccm",
        "gas_flows.gases[1].flow_sccm: 4 sccm is below the control range of its controller, 10 … 500 sccm",
        "recipe_steps[0].target_temp_c: 1300 °C in zone 1 is outside",
        "recipe_steps[0].timeout_s: 1300 °C cannot be reached from 700 °C in 61 s: its ramp takes 3600 s",
        "recipe_steps[1].target_pressure_torr: 50 Torr is outside of the control range",
        "recipe_steps[2].SiH4_flow: 1 sccm is below the control range",
    ):
        assert expected in text


def gases_told(result: Preflight) -> list[str]:
    """What is told of gases, the window of the whole mode aside."""
    return [line for line in told(result) if "outside of the window of" not in line]


def test_silane_with_an_oxidiser_is_refused_by_a_mode_that_declares_no_window(tool: Tool) -> None:
    result = preflight(document(process_mode="LPCVD Poly-Si"), tool)
    (line,) = gases_told(result)
    assert line.startswith("recipe_steps[0]: N2O and SiH4 must never meet (reducing hydride or metal-organic with an")
    assert line.endswith("process mode 'LPCVD Poly-Si' declares no window for them")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"temperature_profile": {"zones": [{"zone": 1, "setpoint": 500}]}}, "500 °C is not within 600 … 900 °C"),
        ({"pressure_setpoints": {"process_pressure_torr": 8}}, "8 Torr is not within 0 … 5 Torr"),
        ({"gas_flows": gases(SiH4=160, N2O=100)}, "N2O over SiH4 is 0.625, not within 1 … 200"),
        (
            {"recipe_steps": [{"name": "d", "duration_s": 9, "flows_active": True, "temp_c": 950}]},
            "950 °C is not within",
        ),
    ],
)
def test_a_declared_pair_meets_only_inside_of_its_window(changes: dict[str, Any], reason: str, tool: Tool) -> None:
    result = preflight(document(**changes), tool)
    assert [line for line in told(result) if "outside of their window" in line and reason in line], told(result)


def test_gases_that_must_not_meet_need_a_purge_between_their_steps(tool: Tool) -> None:
    oxidise = {"name": "oxidise", "duration_s": 60, "flows_active": True, "SiH4_flow": 0}
    deposit = {"name": "deposit", "duration_s": 60, "flows_active": True, "N2O_flow": 0}
    purge = {"name": "purge", "duration_s": 60}
    polysilicon = {"process_mode": "LPCVD Poly-Si"}
    refused = preflight(document(recipe_steps=[oxidise, deposit], **polysilicon), tool)
    assert "SiH4 follows N2O of recipe_steps[0] without a step between that purges" in gases_told(refused)[0]
    assert gases_told(preflight(document(recipe_steps=[oxidise, purge, deposit], **polysilicon), tool)) == []


def test_a_cycle_meets_itself_at_its_end(tool: Tool) -> None:
    """The last step of a pass is followed by the first of the next."""
    body = [
        {"name": "a", "duration_s": 9, "flows_active": True, "SiH4_flow": 0},
        {"name": "purge", "duration_s": 9},
        {"name": "b", "duration_s": 9, "flows_active": True, "N2O_flow": 0},
    ]
    cycle = [{"name": "cycle", "repeat": 2, "steps": body}]
    result = preflight(document(recipe_steps=cycle, process_mode="LPCVD Poly-Si"), tool)
    (line,) = gases_told(result)
    follows = "N2O follows SiH4 of recipe_steps[0].steps[2] without a step between that purges"
    assert line.startswith(f"recipe_steps[0].steps[0]: {follows}")


def test_pulses_of_gases_that_must_not_meet_need_the_modes_window_and_a_purge(tool: Tool) -> None:
    pulsed = {"gases": [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]}
    scheme = {
        "cycles": 2,
        "pulses": [{"gas": "SiH4", "pulse_s": 1, "purge_s": 0}, {"gas": "N2O", "pulse_s": 1, "purge_s": 2}],
    }
    mode = process_mode("LPCVD Oxide")
    assert mode is not None
    separated = mode.model_copy(
        update={"pairs": tuple(pair.model_copy(update={"separated": True}) for pair in mode.pairs)}
    )
    recipe = document(gas_flows=pulsed, pulsing_scheme=scheme)
    result = preflight(recipe, tool, modes={mode.name: separated})
    assert "only as separated pulses with a purge between" in told(result)[0]
    scheme["pulses"][0]["purge_s"] = 2
    assert preflight(document(gas_flows=pulsed, pulsing_scheme=scheme), tool, modes={mode.name: separated}).ok


def test_without_a_named_mode_the_tools_only_one_for_the_film_is_taken_and_told(tool: Tool) -> None:
    result = preflight(document(process_mode=None), tool)
    assert result.ok
    assert result.process_mode == "LPCVD Oxide"
    assert warned(result) == ["process_mode: is not named; 'LPCVD Oxide' is SmallFurnace's only mode for SiO2"]
    assert (
        "is set up for no mode that makes GaN"
        in told(preflight(document(process_mode=None, film_target="GaN"), tool))[0]
    )


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("HDP Oxide", "plasma activation needs a module of kind rf"),
        ("HWCVD Si", "hot_wire activation needs a module of kind filament"),
        ("ALCVD Barrier", "the tool is not set up for it"),
        ("LPCVD Oxid", "there is no process mode 'LPCVD Oxid'; did you mean 'LPCVD Oxide'?"),
    ],
)
def test_a_mode_that_the_tool_cannot_run_is_refused_with_the_reason(mode: str, reason: str, tool: Tool) -> None:
    assert any(reason in line for line in told(preflight(document(process_mode=mode), tool)))


def test_interlocks_that_the_recipe_requires_must_exist(tool: Tool) -> None:
    assert preflight(document(required_interlocks=["overtemperature"]), tool).ok
    lately = [{"operation": "leak_chek", "within_h": 24}, {"operation": "x", "within_h": 1}]
    assert told(preflight(document(requires=lately), tool)) == [
        "requires[0].operation: SmallFurnace has no operation 'leak_chek'; did you mean 'leak_check'?",
        "requires[1].operation: SmallFurnace has no operation 'x'",
    ]
    assert told(preflight(document(required_interlocks=["overtemperatur", "x"]), tool)) == [
        "required_interlocks[0]: SmallFurnace has no interlock 'overtemperatur'; did you mean 'overtemperature'?",
        "required_interlocks[1]: SmallFurnace has no interlock 'x'",
    ]


def test_a_hazardous_gas_whose_valve_no_trip_shuts_is_refused(tool: Tool) -> None:
    bare = tool.model_copy(update={"interlocks": ()})
    assert "gas_flows.gases[0].name: no trip of SmallFurnace shuts gas_panel.sih4.valve" in told(
        preflight(document(), bare)
    )


def test_an_end_condition_must_make_sense_on_this_tool(tool: Tool) -> None:
    def until(text: str) -> Preflight:
        return preflight(
            document(
                recipe_steps=[{"name": "wait", "until": text, "timeout_s": 60}, {"name": "deposition", "duration_s": 9}]
            ),
            tool,
        )

    assert until("chamber.pressure_torr < 100 mTorr").ok
    assert "recipe_steps[0].until" in told(until("chamber.pressure_tor < 1 Torr"))[0]
    assert "recipe_steps[0].until" in told(until("chamber.pressure_torr < 1 °C"))[0]
    assert "recipe_steps[0].until" in told(until("__import__('os')"))[0]


def test_a_hazard_level_below_what_the_gases_ask_for_is_told_and_raised(tool: Tool) -> None:
    result = preflight(document(safety_hazard_level=1), tool)
    assert result.ok
    assert result.hazard_level == 3
    assert warned(result) == ["safety_hazard_level: is 1, but its gases ask for 3; 3 is used"]


def test_a_ramp_longer_than_its_step_is_told_and_not_refused(tool: Tool) -> None:
    result = preflight(
        document(
            recipe_steps=[
                {"name": "heat", "duration_s": 60, "target_temp_c": 800},
                {"name": "deposition", "duration_s": 9},
            ]
        ),
        tool,
    )
    assert result.ok
    assert warned(result) == [
        "recipe_steps[0].duration_s: the ramp from 700 °C takes 600 s: the step will be longer than 60 s"
    ]
