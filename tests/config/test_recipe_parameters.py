"""What a recipe may leave open, what it may call, and how both are closed before anything is approved or run."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.expression import Symbol, evaluate, read_quantity
from config.faults import ConfigError
from config.plan import order, plan_recipe
from config.preflight import preflight
from config.recipe import load_recipe, read_recipe, recipe_document
from config.recipe_calls import Stored
from config.tool import ModuleKind
from config.units import find_unit
from tests.config.small_furnace import small_furnace

TOOL = small_furnace()
BASE: dict[str, Any] = {
    "name": "film",
    "process_mode": "LPCVD Oxide",
    "film_target": "SiO2",
    "thickness_target_nm": 50,
    "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800, "ramp_rate": 20}]},
    "pressure_setpoints": {"process_pressure_torr": 0.5, "base_pressure_torr": 0.001},
    "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}, {"name": "N2O", "flow_sccm": 160}]},
    "recipe_steps": [{"name": "pumpdown", "duration_s": 60, "target_pressure_torr": 0.001}],
}
OPEN = BASE | {
    "thickness_target_nm": "thickness",
    "parameters": {
        "thickness": {"unit": "nm", "low": 10, "high": 200, "default": 50},
        "rate": {"unit": "nm/min", "low": 2, "high": 20, "default": 5},
        "hot": {"unit": "°C", "low": 780, "high": 820, "default": 800},
        "layers": {"type": "integer", "low": 1, "high": 5, "default": 2},
        "soak": {"type": "boolean", "default": True},
    },
    "temperature_profile": {"zones": [{"zone": 1, "setpoint": "hot", "ramp_rate": 20}]},
    "recipe_steps": [
        {"name": "pumpdown", "duration_s": 60, "target_pressure_torr": 0.001},
        {"name": "heat", "duration_s": 60, "target_temp_c": "hot - 5 K", "timeout_s": 7200,
         "until": "heater.zone1.temperature_c > hot - 8 K"},
        {"name": "soaked", "when": "soak", "then": [{"name": "soak", "duration_s": 30}]},
        {"name": "stack", "repeat": "layers", "steps": [
            {"name": "deposition", "duration_s": "thickness / rate / layers", "flows_active": True,
             "SiH4_flow": "40 sccm + 20 sccm"},
        ]},
    ],
}  # fmt: skip


@dataclass
class Shelf:
    """A library of documents by name and version."""

    documents: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def find(self, recipe: str, version: int) -> Stored | None:
        for document in self.documents:
            if (document["name"], document.get("version", 1)) == (recipe, version):
                text = json.dumps(document)
                return Stored(recipe, version, text, hashlib.sha256(text.encode()).hexdigest())
        return None

    def versions(self, recipe: str) -> tuple[int, ...]:
        return tuple(one.get("version", 1) for one in self.documents if one["name"] == recipe)


def faults(document: dict[str, Any], **said: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_recipe(json.dumps(document), **said)
    return {fault.path: fault.reason for fault in caught.value.faults}


# -------------------------------------------------------------------------------------------------- parameters
def test_defaults_fill_a_recipe_whose_values_nobody_gives() -> None:
    recipe = load_recipe(json.dumps(OPEN))
    assert recipe.thickness_target_nm == 50
    assert recipe.temperature_profile.zones[0].setpoint == 800
    (deposition,) = recipe.recipe_steps[3].steps
    assert (recipe.recipe_steps[3].repeat, deposition.duration_s) == (2, 300)
    assert deposition.gas_flow == {"SiH4": 60}
    assert recipe.recipe_steps[1].target_temp_c == 795
    assert recipe.recipe_steps[1].until == "heater.zone1.temperature_c > 800 °C - 8 K"


def test_the_values_of_a_run_are_recorded_in_the_document_that_runs() -> None:
    recipe = load_recipe(json.dumps(OPEN), values={"thickness": 100.0, "layers": 4, "soak": False})
    assert [step.name for step in recipe.recipe_steps] == ["pumpdown", "heat", "stack"]
    assert recipe.parameters["thickness"].value == 100
    document = recipe_document(recipe)
    assert load_recipe(document) == recipe, "what runs needs no values any more"
    assert document.sha256 != recipe_document(load_recipe(json.dumps(OPEN))).sha256
    assert preflight(recipe, TOOL).ok


def test_what_is_approved_keeps_its_parameters_open() -> None:
    recipe, document = read_recipe(json.dumps(OPEN | {"status": "approved"}))
    assert json.loads(document)["recipe_steps"][3]["repeat"] == "layers"
    again, same = read_recipe(document)
    assert (again, same) == (recipe, document)


def test_every_fault_of_parameters_and_expressions_is_told_at_once() -> None:
    document = OPEN | {
        "parameters": OPEN["parameters"] | {"bad": {"unit": "nm", "low": 5, "high": 1, "default": 2}},
    }
    assert "low 5 is above high 1" in faults(document)["parameters.bad"]
    steps = [
        {"name": "a", "duration_s": "thickness"},
        {"name": "b", "duration_s": "thickness / 0"},
        {"name": "c", "duration_s": "thicknes / rate"},
        {"name": "d", "duration_s": 1, "target_temp_c": "hot + hot"},
        {"name": "e", "repeat": "layers / 4", "steps": [{"name": "f", "duration_s": 1}]},
    ]
    told = faults(OPEN | {"recipe_steps": steps}, values={"rate": 90.0, "colour": 1, "layers": 1.5})
    assert set(told) == {
        "values.rate", "values.colour", "values.layers", *(f"recipe_steps[{n}].duration_s" for n in range(3)),
        "recipe_steps[3].target_temp_c", "recipe_steps[4].repeat",
    }  # fmt: skip
    assert "90 is outside of 2 … 20 nm/min" in told["values.rate"]
    assert "nm (length)" in told["recipe_steps[0].duration_s"]
    assert "did you mean 'thickness'" in told["recipe_steps[2].duration_s"]


def test_a_bound_recipe_takes_no_other_values() -> None:
    document = recipe_document(load_recipe(json.dumps(OPEN), values={"layers": 3}))
    told = faults(json.loads(document), values={"layers": 4})
    assert "is bound to 3.0 already" in told["values.layers"]


def test_text_where_a_recipe_without_parameters_needs_a_number_is_no_expression() -> None:
    told = faults(BASE | {"thickness_target_nm": "50"})
    assert told == {"thickness_target_nm": "must be a number, is text '50'"}


SCOPE = {"a": Symbol(find_unit("s")), "b": Symbol(find_unit("s")), "n": Symbol(find_unit("1"))}


@settings(max_examples=60, deadline=None)
@given(a=st.integers(0, 1000), b=st.integers(1, 1000), n=st.integers(1, 50))
def test_an_expression_is_what_arithmetic_says(a: int, b: int, n: int) -> None:
    values = {"a": float(a), "b": float(b), "n": float(n)}

    def of(text: str) -> float:
        return float(evaluate(read_quantity(text, SCOPE, find_unit("s")), values))

    assert of("a + b") == a + b
    assert of("n * (a - 2 * b)") == n * (a - 2 * b)
    assert of("max(a, b) - min(a, b)") == abs(a - b)
    assert of("a / n") == a / n
    assert of("1 min * n + a") == 60 * n + a
    assert of("a * a / b") == a * a / b


# ----------------------------------------------------------------------------------------------------- calls
CLEAN = BASE | {
    "name": "clean",
    "version": 3,
    "parameters": {"time": {"unit": "s", "low": 1, "high": 600, "default": 60}},
    "gas_flows": {"gases": [{"name": "N2", "flow_sccm": 500}]},
    "recipe_steps": [{"name": "flush", "duration_s": "2 * time", "flows_active": True}],
}


def calling(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return BASE | {"recipe_steps": [*BASE["recipe_steps"], *steps]} | changes


def test_a_called_recipe_runs_with_its_own_gases_and_the_values_it_is_given() -> None:
    call = {"name": "cleaned", "call": {"recipe": "clean", "version": 3, "values": {"time": "1 min + 30 s"}}}
    deposition = {"name": "deposition", "duration_s": 60, "flows_active": True}
    recipe, document = read_recipe(json.dumps(calling(call, deposition)), library=Shelf([CLEAN]))
    called = recipe.recipe_steps[1].called
    assert called is not None
    assert called.recipe_steps[0].duration_s == 180
    assert recipe.recipe_steps[1].call is not None
    assert recipe.recipe_steps[1].call.sha256 == Shelf([CLEAN]).find("clean", 3).sha256  # pyright: ignore[reportOptionalMemberAccess]
    assert load_recipe(document) == recipe, "the document is whole: no library is needed to run it"
    found = preflight(recipe, TOOL)
    assert found.ok, found.faults
    plan = plan_recipe(recipe, TOOL)
    flush = next(step for step in order(plan.steps) if step.name == "flush")
    assert flush.path == "recipe_steps[1].called.recipe_steps[0]"
    assert any(action.set.get("gas_panel.n2.valve") == 1 for action in flush.actions)
    assert all(action.set.get("gas_panel.sih4.valve", 0) == 0 for action in flush.actions)


def test_faults_of_a_called_recipe_are_told_where_it_is_called() -> None:
    wrong = CLEAN | {"gas_flows": {"gases": [{"name": "N2", "flow_sccm": 1e6}]}}
    call = {"name": "cleaned", "call": {"recipe": "clean", "version": 3, "values": {"time": 900, "speed": 1}}}
    told = faults(calling(call), library=Shelf([wrong]))
    assert set(told) == {"recipe_steps[1].call.values.time", "recipe_steps[1].call.values.speed"}
    call["call"]["values"] = {}
    found = preflight(load_recipe(json.dumps(calling(call)), library=Shelf([wrong])), TOOL)
    assert "recipe_steps[1].called.gas_flows.gases[0].flow_sccm" in {fault.path for fault in found.faults}


def test_a_version_that_is_not_there_is_refused_with_those_that_are() -> None:
    steps = [{"name": n, "call": {"recipe": r, "version": v}} for n, r, v in (("a", "clean", 9), ("b", "cleen", 1))]
    told = faults(calling(*steps), library=Shelf([CLEAN]))
    assert told["recipe_steps[1].call"] == "there is no version 9 of 'clean': it has 3"
    assert "there is no recipe of this name or id" in told["recipe_steps[2].call"]
    assert "there is no library" in faults(calling(steps[0]))["recipe_steps[1].call"]


def test_recipes_that_call_each_other_are_refused() -> None:
    def one(name: str, calls: str) -> dict[str, Any]:
        return BASE | {"name": name, "recipe_steps": [{"name": "c", "call": {"recipe": calls, "version": 1}}]}

    shelf = Shelf([one("a", "b"), one("b", "c"), one("c", "a")])
    told = faults(one("a", "b"), library=shelf)
    assert told["recipe_steps[0].called.recipe_steps[0].called.recipe_steps[0].call"] == (
        "'a' calls itself: a v1 → b v1 → c v1 → a v1"
    )
    twice = [{"name": n, "call": {"recipe": "", "version": 1}} for n in "xyz"]

    def bomb(name: str, calls: str) -> dict[str, Any]:
        return BASE | {"name": name, "recipe_steps": [s | {"call": {"recipe": calls, "version": 1}} for s in twice]}

    shelf = Shelf([*(bomb(f"b{n}", f"b{n + 1}") for n in range(12)), BASE | {"name": "b12"}])
    assert any("calls are nested" in reason for reason in faults(bomb("b", "b0"), library=shelf).values())


# ------------------------------------------------------------------------------------------ loops, choices, limits
@pytest.mark.parametrize(
    ("step", "path", "reason"),
    [
        ({"repeat_until": "chamber.pressure_torr < 1 Torr", "steps": [{"name": "x", "duration_s": 1}]},
         "recipe_steps[1]", "needs at_most"),
        ({"at_most": 3, "steps": [{"name": "x", "duration_s": 1}]}, "recipe_steps[1]", "needs repeat_until"),
        ({"when": "chamber.pressure_torr < 1 Torr"}, "recipe_steps[1]", "needs then"),
        ({"then": [{"name": "x", "duration_s": 1}]}, "recipe_steps[1]", "need when"),
        ({"flows_active": True, "end_point": {"thickness_nm": 5}}, "recipe_steps[1]", "needs a timeout_s"),
        ({"parallel": [[{"name": "x", "duration_s": 1, "limits": [{"that": "chamber.pressure_torr < 1 Torr"}]}]]},
         "recipe_steps[1].parallel[0][0].limits", "main sequence"),
        ({"parallel": [[{"name": "x", "when": "chamber.pressure_torr < 1 Torr",
                         "then": [{"name": "y", "duration_s": 1}]}]]},
         "recipe_steps[1].parallel[0][0].when", "main sequence"),
        ({"parallel": [[{"name": "x", "repeat_until": "chamber.pressure_torr < 1 Torr", "at_most": 3,
                         "steps": [{"name": "y", "duration_s": 1}]}]]},
         "recipe_steps[1].parallel[0][0].repeat_until", "main sequence"),
    ],
)  # fmt: skip
def test_loops_without_end_and_words_in_the_wrong_place_are_refused(
    step: dict[str, Any], path: str, reason: str
) -> None:
    assert reason in faults(calling({"name": "s"} | step))[path]


def test_preflight_judges_every_condition_and_never_lets_a_limit_loosen() -> None:
    recipe = load_recipe(json.dumps(calling(
        {"name": "cycle", "repeat_until": "chamber.presure_torr < 1 Torr", "at_most": 5, "steps": [
            {"name": "x", "duration_s": 1, "limits": [
                {"that": "chamber.pressure_torr < 2 Torr", "otherwise": "abort"},
                {"that": "chamber.pressure_torr < 900 Torr"},
                {"that": "heater.zone1.temperature_c < 5 Torr"},
            ]},
        ]},
        {"name": "choice", "when": "1 == 1", "then": [{"name": "y", "duration_s": 1}]},
        {"name": "grow", "duration_s": 1, "timeout_s": 9, "flows_active": True,
         "end_point": {"thickness_nm": 5, "signal": "eye"}},
    )))  # fmt: skip
    told = {fault.path: fault.reason for fault in preflight(recipe, TOOL).faults}
    assert set(told) >= {
        "recipe_steps[1].repeat_until", "recipe_steps[1].steps[0].limits[1].that",
        "recipe_steps[1].steps[0].limits[2].that", "recipe_steps[2].when", "recipe_steps[3].end_point",
    }  # fmt: skip
    assert "recipe_steps[1].steps[0].limits[0].that" not in told
    assert "never loosens" in told["recipe_steps[1].steps[0].limits[1].that"]


def test_pulses_shorter_than_a_scan_a_wet_line_and_a_window_left_are_refused_before_anything_moves() -> None:
    scheme = {"cycles": 1000, "pulses": [
        {"gas": "SiH4", "pulse_s": 0.02, "purge_s": 2}, {"gas": "N2O", "pulse_s": 0.14, "purge_s": 2},
    ]}  # fmt: skip
    gases = {"gases": [{"name": gas, "flow_sccm": 80, "timing": "pulsed"} for gas in ("SiH4", "N2O")]}
    deposition = {"name": "deposition", "duration_s": 60, "flows_active": True, "target_temp_c": 1000}
    recipe = load_recipe(json.dumps(calling(deposition, gas_flows=gases, pulsing_scheme=scheme)))
    told = {fault.path: fault.reason for fault in preflight(recipe, TOOL).faults}
    assert "shorter than a scan" in told["pulsing_scheme.pulses[0].pulse_s"]
    assert "whole number of scans" in told["pulsing_scheme.pulses[1].pulse_s"]
    assert "outside of the window of 'LPCVD Oxide'" in told["recipe_steps[1].target_temp_c"]


def test_a_vapour_beyond_its_saturation_is_refused_and_that_of_a_bubbler_is_not() -> None:
    oxidiser = TOOL.gases[1].model_copy(update={"name": "H2O"})
    wet = TOOL.model_copy(update={"gases": (TOOL.gases[0], oxidiser, *TOOL.gases[2:])})
    gases = {"gases": [{"name": "H2O", "flow_sccm": 100}, {"name": "N2", "flow_sccm": 100}]}
    step = {"name": "deposition", "duration_s": 60, "flows_active": True, "target_pressure_torr": 80}
    recipe = load_recipe(json.dumps(calling(step, gas_flows=gases)))
    told = {fault.path: fault.reason for fault in preflight(recipe, wet).faults if "saturation" in fault.reason}
    assert "H2O would have 40 Torr of 80 Torr, above its saturation of 17.5 Torr" in told["recipe_steps[1]"]
    part = wet.modules[0].tags[0].model_copy(update={"name": "h2o.temperature_c"})
    bubblers = wet.modules[0].model_copy(update={"name": "bubblers", "kind": ModuleKind("bubblers"), "tags": (part,)})
    bubbled = wet.model_copy(update={"modules": (*wet.modules, bubblers)})
    assert not [fault for fault in preflight(recipe, bubbled).faults if "saturation" in fault.reason]
