"""`cvd simulate` predicts a run, and its exit code says whether it would complete."""

import json
from pathlib import Path

import pytest

import config
from supervisor.cli.main import main

TOOL = str(config.shipped_tool("lpcvd_furnace"))
OXIDE = str(config.shipped_recipe("lpcvd_sio2_100nm"))


def test_the_guides_recipe_completes_within_its_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", TOOL, OXIDE, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["state"] == "COMPLETE"
    assert result["metrology"]["thickness_mean_nm"] == pytest.approx(100.0, rel=0.02)
    assert result["metrology"]["thickness_uniformity_pct"] <= 2.0
    assert result["summary"]["trips"] == []
    assert result["summary"]["gas_use_scc"]["SiH4"] == pytest.approx(80 * 20, rel=0.05)


def test_the_table_names_steps_film_and_gas(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", TOOL, OXIDE, "--seed", "7"]) == 0
    out = capsys.readouterr().out
    for words in ("deposition", "cooldown", "COMPLETE", "film: SiO2", "SiH4", "× real time"):
        assert words in out


def test_a_pump_that_trips_in_deposition_aborts_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "pump.toml"
    script.write_text('[[fault]]\nfault = "pump_trip"\nat_step = "deposition"\nat_s = 60.0\n')
    assert main(["simulate", TOOL, OXIDE, "--faults", str(script)]) == 1
    out = capsys.readouterr().out
    assert "ABORTED" in out
    assert "pump" in out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('fault = "pump_trap"', "pump_trap"),
        ('kind = "pump_trip"', "kind"),
        ('fault = "pump_trip"\nat_s = "soon"', "at_s"),
        ('fault = "pump_trip"\nat_step = "etching"', "etching"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused_before_the_run(line: str, told: str, tmp_path: Path, capsys) -> None:
    script = tmp_path / "faults.toml"
    script.write_text(f"[[fault]]\n{line}\n")
    assert main(["simulate", TOOL, OXIDE, "--faults", str(script)]) == 1
    err = capsys.readouterr().err
    assert told in err
    assert "internal error" not in err


def test_a_script_that_is_none_and_a_recipe_for_another_tool_are_refused(tmp_path: Path, capsys) -> None:
    script = tmp_path / "faults.toml"
    script.write_text("speed = 3\n")
    assert main(["simulate", TOOL, OXIDE, "--faults", str(script)]) == 1
    assert main(["simulate", TOOL, str(config.shipped_recipe("mocvd_gan_2um"))]) == 1
    err = capsys.readouterr().err
    assert "[[fault]]" in err
    assert "TMGa" in err
    assert "Traceback" not in err


def open_recipe(tmp_path: Path) -> Path:
    """The guide's recipe with its deposition left open, and a call of another one."""
    document = json.loads(Path(OXIDE).read_text(encoding="utf-8"))
    document |= {
        "parameters": {"time": {"unit": "s", "low": 60, "high": 2400, "default": 1200}},
        "thickness_target_nm": 50,
    }
    document["recipe_steps"][3]["duration_s"] = "time"
    document["recipe_steps"].insert(4, {"name": "rested", "call": {"recipe": "rest", "version": 1}})
    rest = document | {"name": "rest", "parameters": {}, "recipe_steps": [{"name": "rest", "duration_s": 5}]}
    (tmp_path / "rest.json").write_text(json.dumps(rest))
    path = tmp_path / "open.json"
    path.write_text(json.dumps(document))
    return path


def test_values_and_called_recipes_are_given_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(open_recipe(tmp_path))
    rest = ["--with", str(tmp_path / "rest.json")]
    assert main(["simulate", TOOL, path, "--set", "time=600", *rest, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrology"]["thickness_mean_nm"] == pytest.approx(50.0, rel=0.05)
    assert any(step["name"] == "rest" for step in result["summary"]["steps"])
    assert main(["check", TOOL, path, *rest]) == 0
    capsys.readouterr()
    assert main(["check", TOOL, path, *rest, "--set", "time=5000"]) == 1
    assert "values.time: 5000 is outside of 60 … 2400 s" in capsys.readouterr().err
    assert main(["simulate", TOOL, path, "--set", "time"]) == 1
    assert "expected NAME=VALUE" in capsys.readouterr().err
    assert main(["check", TOOL, path]) == 1
    assert "there is no library" in capsys.readouterr().err


def test_two_recipes_are_compared_in_words_and_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = tmp_path / "after.json"
    after.write_text(Path(OXIDE).read_text(encoding="utf-8").replace('"duration_s": 1200', '"duration_s": 1800'))
    assert main(["diff", OXIDE, str(after), "--tool", TOOL]) == 0
    out = capsys.readouterr().out
    assert "recipe_steps[3].duration_s: 1200 s → 1800 s (+600 s, +50 %)" in out
    assert "SiH4 that will be used" in out
    assert main(["diff", OXIDE, OXIDE]) == 0
    assert capsys.readouterr().out == "the recipes are the same\n"


def test_the_exhaust_and_the_mass_of_each_gas_are_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", TOOL, OXIDE, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    exhaust, used = summary["exhaust"], summary["gas_use_scc"]
    assert exhaust["mass_g"]["SiH4"] == pytest.approx(used["SiH4"] / 22414 * 32.12, rel=0.01)
    assert exhaust["peak_slm"] >= exhaust["peak_hazardous_slm"] == pytest.approx(0.24, rel=0.1)
    assert exhaust["hazardous_l"] == pytest.approx((used["SiH4"] + used["N2O"]) / 1000, rel=0.01)
    assert 0.9 < exhaust["peak_fraction"] <= 1.0, "silane and nitrous oxide flow undiluted"


def test_the_model_chooses_the_time_of_a_thickness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = open_recipe(tmp_path)
    document = json.loads(path.read_text())
    document["parameters"]["time"]["scale"] = {"basis": "model"}
    path.write_text(json.dumps(document))
    assert main(["scale", TOOL, str(path), "--with", str(tmp_path / "rest.json"), "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)["time"]
    assert chosen["value"] == pytest.approx(600, rel=0.05), "half of the guide's thickness takes half of its time"
    assert "for 50 nm" in chosen["basis"]
