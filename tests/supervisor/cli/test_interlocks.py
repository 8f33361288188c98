"""`cvd interlocks` shows the matrix whole."""

import json

import pytest

import config
from config.matrix import matrix
from supervisor.cli.main import main

FURNACE = config.shipped_tool("lpcvd_furnace")


def test_every_cause_and_every_output_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interlocks", str(FURNACE)]) == 0
    printed, shown = capsys.readouterr().out, matrix(config.load_tool(FURNACE))
    lines = {line.split()[0]: line.split() for line in printed.splitlines() if line.strip()}
    assert shown.sha256 in printed
    for number, output in enumerate(shown.outputs, 1):
        assert lines[str(number)][1] == output
    for row in shown.rows:
        assert lines[row.name][1] == row.cls
        cells = ["·" if value is None else f"{value:g}" for value in row.values]
        assert lines[row.name][2:] == cells
        assert f"{row.name}: {row.cause}" in printed


def test_the_matrix_as_json_has_the_digest_of_what_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interlocks", str(FURNACE), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sha256"] == matrix(config.load_tool(FURNACE)).sha256
    assert len(document["rows"]) == len(config.load_tool(FURNACE).interlocks)


def test_without_a_daemon_its_state_is_not_invented(
    tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.cli.interlocks.ask_password", lambda *, from_stdin: "secret")
    assert main(["interlocks", str(FURNACE), "--data", str(tmp_path), "--user", "olga"]) == 1
    assert "no daemon is ready in" in capsys.readouterr().err


def test_why_is_asked_of_a_running_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interlocks", str(FURNACE), "--why", "start"]) == 1
    assert "--why asks a running daemon: give --user" in capsys.readouterr().err


def test_the_calendar_of_proof_tests_names_what_is_declared_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    tool = config.load_tool(FURNACE)
    assert main(["interlocks", str(FURNACE), "--proof", "--json"]) == 0
    rows = {row["interlock"]: row for row in json.loads(capsys.readouterr().out)}
    declared = {one.name: one.proof_test for one in tool.interlocks if one.proof_test is not None}
    assert set(rows) == set(declared)
    assert rows["emergency_off"]["method"] == "witness"
    assert rows["cooling_water_lost"]["method"] == "inject facilities.cooling_water_l_min"
    assert main(["interlocks", str(FURNACE), "--proof"]) == 0
    printed = capsys.readouterr().out
    for name, test in declared.items():
        assert f"{name}: {test.procedure}" in printed
    assert "trips without a declared proof test: " in printed
