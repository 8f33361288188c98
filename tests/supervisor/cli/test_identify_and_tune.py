"""`cvd identify` and `cvd tune`: a test on the simulated plant or from a file becomes lines or a proposal."""

import json
from pathlib import Path

import numpy as np
import pytest

from config.loading import load_tool, shipped_tool
from supervisor.cli.main import main

FURNACE = str(shipped_tool("lpcvd_furnace"))


def test_the_shipped_model_is_what_the_step_test_of_the_simulated_furnace_tells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["identify", FURNACE, "--group", "zones", "--sim"]) == 0
    told = capsys.readouterr().out
    model = load_tool(shipped_tool("lpcvd_furnace")).groups[0].model
    assert model is not None
    rows = [json.loads(line.strip().rstrip(",")) for line in told.splitlines() if line.startswith("  [")]
    assert np.array(rows[:6]) == pytest.approx(np.array(model.a), abs=0.02)  # the plant may have been changed since
    assert np.array(rows[6:]) == pytest.approx(np.array(model.b), abs=0.002)
    assert 'test = "step_test on the simulated plant, seed' in told


def test_a_relay_test_on_the_simulated_furnace_proposes_gains_like_the_shipped_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["tune", FURNACE, "--loop", "zone2_spike", "--method", "relay", "--sim", "relay_test"]) == 0
    proposal = json.loads(capsys.readouterr().out)
    assert proposal["status"] == "proposed"
    assert proposal["present"] == {"kp": 5.0, "ti_s": 120.0, "td_s": 0.0}
    assert 2.0 < proposal["kp"] < 10.0
    assert 60.0 < proposal["ti_s"] < 240.0


def test_an_exported_step_test_proposes_gains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["ts,ts_ns,heater.zone2.spike_c,heater.zone2.power_pct,heater.zone2.mode"]
    for second in range(800):
        answer = 10.0 * (1.0 - np.exp(-(second - 60) / 100.0)) if second > 60 else 0.0
        lines.append(f"x,{second * 10**9},{700 + answer},{35 if second > 50 else 30},1")
    record = tmp_path / "run.csv"
    record.write_text("\n".join(lines), encoding="utf-8")
    assert main(["tune", FURNACE, "--loop", "zone2_spike", "--method", "step", "--record", str(record)]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert found["gain"] == pytest.approx(2.0, rel=0.01)
    assert found["lag_s"] == pytest.approx(100.0, rel=0.05)


@pytest.mark.parametrize("method", ["relay", "step"])
@pytest.mark.parametrize("loop", ["zone2_spike", "pressure"])
def test_a_test_of_any_loop_is_written_for_the_tool_file(
    method: str, loop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", FURNACE, "--loop", loop, "--method", method, "--operation", "--move", "2"]) == 0
    told = capsys.readouterr().out
    file = tmp_path / "furnace.toml"
    file.write_text(Path(FURNACE).read_text(encoding="utf-8") + "\n" + told, encoding="utf-8")
    tool = load_tool(file)
    assert tool.operations[-1].name == f"{method}_test_{loop}"
    assert ("heater.control" in told) == (loop == "zone2_spike"), "a predictor lets go of the loop first"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["identify", FURNACE, "--group", "none", "--sim"], "there is no group 'none'; there are: zones"),
        (["identify", FURNACE, "--group", "zones", "--sim", "--sample", "-1"], "--sample"),
        (["identify", FURNACE, "--group", "zones", "--record", "{empty}"], "no telemetry of a run"),
        (["tune", FURNACE, "--loop", "pressure", "--method", "step", "--operation", "--move", "-1"], "above 0"),
        (["tune", FURNACE, "--loop", "none", "--method", "step", "--sim", "x"], "there is no loop 'none'"),
        (["tune", FURNACE, "--loop", "zone2_spike", "--method", "step", "--sim", "x"], "no operation 'x'"),
        (["tune", FURNACE, "--loop", "zone2_spike", "--method", "step", "--record", "{empty}"], "no telemetry"),
        (["tune", FURNACE, "--loop", "zone2_spike", "--method", "step", "--record", "{other}"], "no column"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"empty": tmp_path / "empty.csv", "other": tmp_path / "other.csv"}
    files["empty"].write_text("a,b\n", encoding="utf-8")
    files["other"].write_text("ts_ns,a\n1,2\n", encoding="utf-8")
    assert main([word.format(**files) for word in words]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert reason in lines[0]
