"""A time that follows from a thickness: by the last runs or by the model, inside of what was approved."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.faults import ConfigError
from config.recipe import load_recipe, recipe_document
from config.recipe_parameters import Chosen, Parameter, Scaling
from config.recipe_scaling import CLOSE, MOST_RUNS, Past, by_last_runs, by_model, to_choose

TIME = Parameter(unit="s", low=60, high=2400, default=1200, scale=Scaling(basis="last_runs"))
PASSES = Parameter(type="integer", low=1, high=2000, default=500, scale=Scaling(basis="model"))


def test_the_last_runs_give_the_rate_and_are_named() -> None:
    past = [Past("CVD-1", 1200.0, 100.0), Past("CVD-2", 1200.0, 120.0)]
    chosen = by_last_runs("time", TIME, 110.0, past)
    assert chosen.value == pytest.approx(110 * (12 + 10) / 2)
    assert chosen.basis == "110 nm at 11 s/nm, mean of CVD-1, CVD-2"


def test_without_a_measured_run_the_default_is_taken_and_that_is_said() -> None:
    chosen = by_last_runs("time", TIME, 110.0, [Past("CVD-1", 1200.0, 0.0)])
    assert chosen == Chosen(1200.0, "the default: no run of this recipe has been measured yet")


def test_what_follows_beyond_the_approved_limits_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"values\.time: 3000 is outside of 60 … 2400 s \(300 nm at 10 s/nm"):
        by_last_runs("time", TIME, 300.0, [Past("CVD-1", 1000.0, 100.0)])
    with pytest.raises(ConfigError, match="the model grows nothing"):
        by_model("time", TIME, 100.0, lambda _: 0.0)


@given(rate=st.floats(0.05, 0.5), lag=st.floats(0.0, 60.0), bend=st.floats(0.0, 1e-5))
def test_the_model_is_asked_until_it_predicts_the_thickness(rate: float, lag: float, bend: float) -> None:
    """A film that begins late and grows ever faster is no straight line through zero."""

    def film(seconds: float) -> float:
        return max(rate * (seconds - lag), 1e-3) * (1.0 + bend * seconds)

    wanted, asked = film(1000.0), list[float]()

    def run(seconds: float) -> float:
        asked.append(seconds)
        return film(seconds)

    chosen = by_model("time", TIME, wanted, run)
    assert film(float(chosen.value)) == pytest.approx(wanted, rel=CLOSE)
    assert len(asked) <= MOST_RUNS
    assert "the model predicts" in chosen.basis


def test_passes_are_whole() -> None:
    chosen = by_model("passes", PASSES, 33.0, lambda passes: 0.11 * passes)
    assert chosen.value == 300
    assert by_last_runs("passes", PASSES, 33.3, [Past("CVD-1", 100.0, 10.0)]).value == 333


def test_the_choice_and_its_basis_stand_in_the_document_that_runs() -> None:
    document: dict[str, Any] = {
        "name": "film", "film_target": "SiO2", "thickness_target_nm": 110, "process_mode": "LPCVD Oxide",
        "parameters": {"time": TIME.model_dump(mode="json", exclude_none=True)},
        "temperature_profile": {"zones": [{"zone": 1, "setpoint": 800}]},
        "pressure_setpoints": {"process_pressure_torr": 0.5},
        "gas_flows": {"gases": [{"name": "SiH4", "flow_sccm": 80}]},
        "recipe_steps": [{"name": "deposition", "duration_s": "time"}],
    }  # fmt: skip
    recipe = load_recipe(json.dumps(document))
    assert set(to_choose(recipe, {})) == {"time"}
    assert to_choose(recipe, {"time": 300.0}) == {}
    bound = load_recipe(json.dumps(document), values={"time": Chosen(1210.0, "110 nm at 11 s/nm, mean of CVD-1")})
    assert bound.recipe_steps[0].duration_s == 1210
    kept = json.loads(recipe_document(bound))["parameters"]["time"]
    assert (kept["value"], kept["chosen"]) == (1210.0, "110 nm at 11 s/nm, mean of CVD-1")
