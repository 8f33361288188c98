"""Recipes as people write them: the guide's three load unchanged, everything doubtful is refused with its path."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.faults import ConfigError
from config.loading import shipped_recipe
from config.recipe import Recipe, load_recipe, recipe_document, recipe_schema
from config.recipe_model import DEFAULT_RAMP_C_PER_MIN

SHIPPED = ("lpcvd_sio2_100nm", "pecvd_si3n4_50nm", "mocvd_gan_2um", "lpcvd_polysi")

MINIMAL: dict[str, Any] = {
    "name": "short",
    "film_target": "SiO2",
    "thickness_target_nm": 10,
    "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800}]},
    "pressure_setpoints": {"process_pressure_torr": 0.5},
    "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
    "recipe_steps": [{"name": "deposition", "duration_s": 60}],
}


def write(**changes: Any) -> str:
    return json.dumps(MINIMAL | changes)


def steps(*entries: dict[str, Any]) -> Recipe:
    return load_recipe(write(recipe_steps=list(entries)))


def faults_of(text: str, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_recipe(text, **options)
    return [f"{fault.path}: {fault.reason}" for fault in caught.value.faults]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_loads_and_its_canonical_document_is_the_same_recipe(name: str) -> None:
    recipe = load_recipe(shipped_recipe(name))
    document = recipe_document(recipe)
    assert load_recipe(document) == recipe
    assert recipe_document(load_recipe(document)).sha256 == document.sha256
    assert len(document.sha256) == 64


def test_the_guides_furnace_recipe_reads_as_the_guide_says() -> None:
    recipe = load_recipe(shipped_recipe("lpcvd_sio2_100nm"))
    assert [(step.name, step.duration_s, step.flows_active) for step in recipe.recipe_steps] == [
        ("pumpdown", 300, False),
        ("heatup", 600, False),
        ("stabilize", 120, False),
        ("deposition", 1200, True),
        ("cooldown", 900, False),
    ]
    assert recipe.flows == {"SiH4": 80, "N2O": 160}
    assert recipe.recipe_steps[1].temperature_c == 800
    assert recipe.safety_hazard_level == 3
    assert "approved" not in recipe_document(recipe), "an imported status means nothing"


def test_comments_are_stripped_and_omitted_fields_take_the_named_defaults() -> None:
    recipe = load_recipe(shipped_recipe("mocvd_gan_2um"))
    assert recipe.pressure_setpoints.process_pressure_torr == 76
    assert recipe.temperature_profile.zones[0].ramp_rate == DEFAULT_RAMP_C_PER_MIN
    assert recipe.version == 1
    assert recipe.recipe_steps[1].gas_flow == {"TMGa": 20}
    assert '"TMGa_flow":20.0' in recipe_document(recipe)


def test_flows_are_active_in_growth_when_no_step_says_it_and_only_where_said_when_one_does() -> None:
    pecvd = load_recipe(shipped_recipe("pecvd_si3n4_50nm"))
    assert [step.flows_active for step in pecvd.recipe_steps] == [False, True]
    said = steps(
        {"name": "deposition", "duration_s": 1},
        {"name": "other", "duration_s": 1, "flows_active": True},
    )
    assert [step.flows_active for step in said.recipe_steps] == [False, True]


def test_the_process_mode_comes_by_name_from_the_caller_or_the_document() -> None:
    assert load_recipe(write()).process_mode is None
    assert load_recipe(write(), process_mode="LPCVD Oxide").process_mode == "LPCVD Oxide"
    assert load_recipe(write(process_mode_id="..."), process_mode="LPCVD Oxide").process_mode == "LPCVD Oxide"
    assert load_recipe(write(process_mode_id="LPCVD Oxide")).process_mode == "LPCVD Oxide"
    assert faults_of(write(process_mode="HDP Oxide"), process_mode="LPCVD Oxide") == [
        "process_mode: is 'HDP Oxide', but 'LPCVD Oxide' was asked for"
    ]


def test_a_change_of_one_flow_changes_the_digest_and_spacing_does_not() -> None:
    one = recipe_document(load_recipe(write())).sha256
    assert recipe_document(load_recipe(json.dumps(MINIMAL, indent=8))).sha256 == one
    gases = {"gases": [{"name": "SiH4", "flow_sccm": 81}, {"name": "N2O", "flow_sccm": 160}]}
    assert recipe_document(load_recipe(write(gas_flows=gases))).sha256 != one


def test_every_fault_is_told_at_once_with_its_path() -> None:
    told = faults_of(
        write(
            thickness_target_nm=-1,
            colour="red",
            gas_flows={"gases": [{"name": "SiH5", "flow_sccm": 80}, {"name": "DCS", "flow_sccm": 1}]},
            recipe_steps=[
                {"name": "a", "duration_s": "60"},
                {"name": "b", "duration_s": 1, "temp_c": 1, "target_temp_c": 2},
                {"name": "c", "duration_s": 1, "durations": 1},
                {"name": "d", "duration_s": 1, "Zz_flow": 4},
            ],
        )
    )
    text = "\n".join(told)
    for expected in (
        "thickness_target_nm: must be above 0",
        "colour: unknown field",
        "gas_flows.gases[0].name: unknown gas 'SiH5'; did you mean 'SiH4'?",
        "gas_flows.gases[1].name: write 'SiH2Cl2' for 'DCS'",
        "recipe_steps[0].duration_s: must be a number, is text '60'",
        "recipe_steps[1]: target_temp_c and temp_c are the same word",
        "recipe_steps[2].durations: unknown field",
        "recipe_steps[3].Zz_flow: unknown gas 'Zz'",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("step", "path", "reason"),
    [
        ({"name": "a"}, "recipe_steps[0]", "needs a duration_s"),
        ({"name": "a", "until": "x.y > 1"}, "recipe_steps[0]", "needs a timeout_s"),
        ({"name": "a", "duration_s": 60, "timeout_s": 30}, "recipe_steps[0]", "shorter than duration_s"),
        ({"name": "a", "duration_s": 1, "repeat": 2}, "recipe_steps[0]", "repeat needs steps"),
        ({"name": "a", "duration_s": 1, "plasma_power_w": 5}, "recipe_steps[0].plasma_power_w", "no plasma_settings"),
        ({"name": "a", "duration_s": 1, "NH3_flow": 5}, "recipe_steps[0].NH3_flow", "is not in gas_flows"),
        ({"name": "a", "duration_s": 1, "gas_flow": {"SiH4": 5}}, "recipe_steps[0].gas_flow", "SiH4_flow"),
        ({"name": "a", "steps": [{"name": "b", "duration_s": 1}], "duration_s": 4}, "recipe_steps[0]", "nothing else"),
        ({"name": "a", "parallel": [[]]}, "recipe_steps[0]", "a branch is empty"),
        (
            {"name": "a", "parallel": [[{"name": "b", "duration_s": 1, "flows_active": True}]]},
            "recipe_steps[0].parallel[0][0].flows_active",
            "main sequence only",
        ),
        (
            {"name": "a", "parallel": [[{"name": "b", "parallel": [[{"name": "c", "duration_s": 1}]]}]]},
            "recipe_steps[0].parallel[0][0].parallel",
            "branches inside of a branch",
        ),
        ({"name": "a", "duration_s": 1, "abort": "nothing"}, "recipe_steps[0].abort", "safe_sequence"),
    ],
)
def test_a_step_that_cannot_be_meant_is_refused(step: dict[str, Any], path: str, reason: str) -> None:
    told = faults_of(write(recipe_steps=[step]))
    assert any(line.startswith(f"{path}: ") and reason in line for line in told), told


def test_cycles_nest_and_their_leaves_know_how_often_they_run() -> None:
    recipe = steps(
        {"name": "outer", "repeat": 3, "steps": [
            {"name": "inner", "repeat": 4, "steps": [{"name": "deposition", "duration_s": 5}]},
            {"name": "wait", "duration_s": 1},
        ]}
    )  # fmt: skip
    assert [(path, step.name, step.flows_active, times) for path, step, times in recipe.leaves()] == [
        ("recipe_steps[0].steps[0].steps[0]", "deposition", True, 12),
        ("recipe_steps[0].steps[1]", "wait", False, 3),
    ]
    assert load_recipe(recipe_document(recipe)) == recipe


def test_cycles_deeper_than_the_scan_can_run_are_refused() -> None:
    step: dict[str, Any] = {"name": "core", "duration_s": 1}
    for depth in range(9):
        step = {"name": f"cycle {depth}", "repeat": 2, "steps": [step]}
    assert any("cycles are nested more than 7 deep" in line for line in faults_of(write(recipe_steps=[step])))


def test_pulses_and_their_gases_agree() -> None:
    scheme = {"cycles": 100, "pulses": [{"gas": "NH3", "pulse_s": 0.1, "purge_s": 1}]}
    told = faults_of(write(pulsing_scheme=scheme))
    assert told == ["pulsing_scheme.pulses[0].gas: NH3 is not in gas_flows"]
    gases = {"gases": [{"name": "NH3", "flow_sccm": 80}]}
    assert faults_of(write(pulsing_scheme=scheme, gas_flows=gases)) == [
        "gas_flows.gases[0].timing: is continuous, but pulsing_scheme pulses NH3"
    ]


@pytest.mark.parametrize(
    "text", ['{"name": NaN}', '{"a": 1, "a": 2}', "[]", "", '{"name": ' + "[" * 5000, "/etc/passwd"]
)
def test_text_that_is_no_recipe_is_one_clear_fault(text: str) -> None:
    assert faults_of(text)


def test_text_is_never_taken_for_a_path(tmp_path: Path) -> None:
    """A client's text must not open files of the tool's computer."""
    file = tmp_path / "recipe.json"
    file.write_text(write(), encoding="utf-8")
    assert load_recipe(file).name == "short"
    assert "is not JSON" in faults_of(str(file))[0]


def test_the_published_schema_knows_the_words_of_documents() -> None:
    schema = recipe_schema()
    step = schema["$defs"]["RecipeStep"]
    assert "gas_flow" not in step["properties"]
    assert any("_flow" in pattern for pattern in step["patternProperties"])
    assert "status" in schema["properties"]
