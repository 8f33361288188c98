"""`cvd check` names every fault with file, field path and reason, and says what is sound."""

import json
from pathlib import Path

import pytest

import config
from supervisor.cli.main import main

TOOL = config.shipped_tool("lpcvd_furnace")
RECIPE = config.shipped_recipe("lpcvd_sio2_100nm")


def test_the_shipped_furnace_and_recipe_are_sound_and_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TOOL), str(RECIPE)]) == 0
    out = capsys.readouterr().out
    assert "can run, about" in out
    assert out.count("sound") == 2


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = tmp_path / "tool.toml"
    tool.write_text(TOOL.read_text().replace("schema_version = 1", "schema_version = 2\nuntold = 1"))
    recipe = tmp_path / "recipe.json"
    document = json.loads(RECIPE.read_text())
    document["thickness_target_nm"] = "thick"
    document["surprise"] = 1
    recipe.write_text(json.dumps(document))
    assert main(["check", str(tool), str(recipe), str(tmp_path / "missing.toml"), str(tmp_path / "notes.txt")]) == 1
    lines = capsys.readouterr().err.splitlines()
    for words in [("tool.toml", "schema_version"), ("tool.toml", "untold"), ("recipe.json", "thickness_target_nm"),
                  ("recipe.json", "surprise"), ("missing.toml",), ("notes.txt", "settings end in .toml")]:  # fmt: skip
        assert any(all(word in line for word in words) for line in lines), words
    assert all(line.startswith("cvd check: ") for line in lines)


SETTINGS = """
[server]
clients = "trusted"

[server.restricted]
"Equipment/heater" = ["engineer"]
Recipes = ["engineer", "operator"]

[server.limits]
sessions = 20
"""


@pytest.mark.parametrize("name", ["daemon.toml", "furnace-7.toml"])
def test_a_settings_file_is_told_from_a_tool_and_is_sound(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(SETTINGS)
    assert main(["check", str(path), str(TOOL)]) == 0
    assert f"{path}: settings of a daemon, 1 limits of its own: sound" in capsys.readouterr().out


def test_every_fault_of_a_settings_file_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "daemon.toml"
    path.write_text("[server]\nclients = 'all'\nrenew_days = -1\nport = 3\n[server.limits]\nsesions = 3\n")
    assert main(["check", str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    for word in ("server.clients", "server.renew_days", "server.port", "there is no limit 'sesions'"):
        assert any(str(path) in line and word in line for line in lines), (word, lines)


def test_settings_that_restrict_nothing_of_the_tool_or_contradict_themselves_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of the tree with a slip in its name would stay open to everybody."""
    path = tmp_path / "daemon.toml"
    path.write_text(
        "[server]\nanonymous = 'never'\nplain_loopback = true\n"
        "[server.restricted]\nRecipe = ['engineer']\n'Equipment/heatr' = ['engineer']\n"
    )
    assert main(["check", str(path), str(TOOL)]) == 1
    err = capsys.readouterr().err
    assert "server.restricted.Recipe: LPCVD-1 has no 'Recipe'" in err
    assert "server.restricted.Equipment/heatr: LPCVD-1 has no 'heatr'" in err
    assert "server.plain_loopback: it offers anonymous sessions only" in err


def test_a_recipe_for_another_tool_is_refused_with_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TOOL), str(config.shipped_recipe("mocvd_gan_2um"))]) == 1
    err = capsys.readouterr().err
    assert "TMGa" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("kind", ["tool", "recipe"])
def test_the_json_schema_is_printed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_nothing_to_check_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    assert "name at least one tool" in capsys.readouterr().err
