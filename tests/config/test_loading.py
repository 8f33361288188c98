"""Files of every sort end in a model, or in clear faults that name the file: never in a traceback or a long wait."""

import json
import math
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from config.base import Model, Text
from config.faults import ConfigError, Fault, join, suggestion
from config.loading import load_model, load_tool, read_tool, shipped, shipped_recipe, shipped_tool
from config.text import MAX_BYTES, MAX_NESTING, Syntax, parse_text
from tests.config.minimal_tool import FILE, minimal_data

T = TypeVar("T")


class Valve(Model):
    """A small model."""

    name: Text
    position_pct: float = Field(default=0.0, ge=0, le=100)
    history: tuple[float, ...] = ()


def faults_of(source: Path | str, *, syntax: Syntax | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_model(source, Valve, syntax=syntax)
    return [f"{fault.path}: {fault.reason}" if fault.path else fault.reason for fault in caught.value.faults]


def tool_fault(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_tool(path)
    (fault,) = caught.value.faults
    assert fault.file == str(path)
    return fault.reason


# ------------------------------------------------------------------------------------------------ files
def test_the_smallest_tool_loads_from_toml_and_from_json(tmp_path: Path) -> None:
    as_json = tmp_path / "tool.json"
    as_json.write_text(json.dumps(minimal_data()), encoding="utf-8")
    assert load_tool(as_json) == load_tool(str(FILE))


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "tool.toml"
    with pytest.raises(ConfigError) as caught:
        load_tool(path)
    assert str(caught.value) == f"{path}: there is no such file"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    folder, pipe, plug = tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "c.toml"
    folder.mkdir()
    os.mkfifo(pipe)
    assert tool_fault(folder) == "is a folder, not a file"
    assert tool_fault(pipe) == "is a device, pipe or socket, not a file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(plug))
        assert tool_fault(plug) == "is a device, pipe or socket, not a file"
    assert tool_fault(Path("x\0.toml")).startswith("cannot be read")
    assert tool_fault(Path("x" * 300 + ".toml")).startswith("cannot be read: File name too long")


def test_a_file_without_permission_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tool.toml"
    path.write_bytes(FILE.read_bytes())

    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, whom CI may run as, may read everything
    assert tool_fault(path) == "may not be read: check its permissions and owner"


def test_a_suffix_that_says_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tool.yaml"
    path.write_text("name: x", encoding="utf-8")
    assert tool_fault(path) == "must end in .toml or .json, so that its syntax is known"


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tool.toml"
    path.write_bytes('name = "x"\ntitle = "5 °C"\n'.encode("latin-1"))
    assert tool_fault(path) == "line 2 is not UTF-8 text (byte 0xb0): save the file as UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "tool.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes())
    assert load_tool(path).name == "minimal"


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "tool.toml"
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # sparse: nothing is on the disk
    began = time.monotonic()
    assert tool_fault(path) == "is larger than 4 MB"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("suffix", ["toml", "json"])
@pytest.mark.parametrize("text", ["", "   \n", "null", "[]", '"x"', "5", "{", "a = ", "a = 1\na = 2", "[a]\n[a]", "\0"])
def test_malformed_files_are_one_fault_or_missing_fields(tmp_path: Path, suffix: str, text: str) -> None:
    path = tmp_path / f"tool.{suffix}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_tool(path)
    assert all(fault.file == str(path) for fault in caught.value.faults)
    assert "\n" not in caught.value.faults[0].reason


# ------------------------------------------------------------------------------------------------- text
def test_a_syntax_error_is_told_with_line_and_column() -> None:
    assert faults_of('name = "a"\nname = ', syntax=Syntax.TOML) == ["is not TOML: line 2, column 8: Invalid value"]
    assert faults_of('{"name": "a",}')[0].startswith("is not JSON: line 1, column ")


def test_keys_given_twice_are_refused_wherever_they_are() -> None:
    text = '{"name": "a", "name": "b", "deep": [{"x": 1, "y": 2, "x": 3}]}'
    assert faults_of(text) == ["name: is given twice", "deep[0].x: is given twice"]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_nan_and_infinities_are_refused_in_json(word: str) -> None:
    (fault,) = faults_of('{"name": "a", "history": [1, WORD]}'.replace("WORD", word))
    assert fault.startswith("history[1]: must be a finite number, is ")


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e999"])
def test_nan_and_infinities_are_refused_in_toml(word: str) -> None:
    (fault,) = faults_of(f'name = "a"\nposition_pct = {word}\n', syntax=Syntax.TOML)
    assert fault.startswith("position_pct: must be a finite number, is ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name = 2026-01-01\n", "name: is a date or time; write it as text in quotes"),
        (f'name = "a"\nposition_pct = {"9" * 30}\n', "position_pct: is too large for a whole number"),
        (f'name = "a"\nposition_pct = {"9" * 5000}\n', "holds a number with thousands of digits"),
    ],
)  # fmt: skip
def test_toml_values_that_no_field_can_hold_are_refused(text: str, fault: str) -> None:
    assert faults_of(text, syntax=Syntax.TOML) == [fault]


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert faults_of('{"name": "\\ud800"}') == ["name: holds half of a surrogate pair: not text"]
    assert faults_of('{"\\ud800": 1}')[0].endswith("its key is not text")


def test_comments_are_understood_only_when_asked_for() -> None:
    text = '{ // the valve\n "name": "http://not.a/comment" // end\n}'
    assert load_model(text, Valve, syntax=Syntax.JSON_WITH_COMMENTS).name == "http://not.a/comment"
    assert faults_of(text)[0].startswith("is not JSON: line 1, column 3")


def test_values_are_not_coerced() -> None:
    assert faults_of('{"name": 5}') == ["name: must be text, is the number 5"]
    assert faults_of('{"name": "a", "position_pct": "50"}') == ["position_pct: must be a number, is text '50'"]
    assert faults_of('{"name": "a", "history": 5}') == ["history: must be a list, is the number 5"]


NESTED = {
    "lists": ('{{"name": {}}}', "[", "]", Syntax.JSON),
    "objects": ('{{"name": {}}}', '{"a":', "1}", Syntax.JSON),
    "TOML lists": ("name = {}", "[", "]", Syntax.TOML),
    "TOML tables": ("name = {}", "{a=", "1}", Syntax.TOML),
    "dotted keys": ("a{} = 1", ".a", "", Syntax.TOML),
    "dotted tables": ("[a{}]", ".a", "", Syntax.TOML),
    "quoted keys": ("a{} = 1", '."b"', "", Syntax.TOML),
    "comments": ('{{"name": // [[[\n{}}}', "[", "]", Syntax.JSON_WITH_COMMENTS),
}


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 100_000])
@pytest.mark.parametrize("how", NESTED)
def test_deep_nesting_is_refused_before_it_is_parsed(how: str, depth: int) -> None:
    form, opened, closed, syntax = NESTED[how]
    nested = opened * depth + (closed * depth if closed in {"", "]"} else "1" + closed.removeprefix("1") * depth)
    began = time.monotonic()
    assert faults_of(form.format(nested), syntax=syntax) == [f"is nested more than {MAX_NESTING} levels deep"]
    assert time.monotonic() - began < 5


def test_brackets_in_strings_and_comments_do_not_nest() -> None:
    many = "[" * 200
    assert load_model(json.dumps({"name": f'\\"{many}'}), Valve).name == f'\\"{many}'
    text = f"# {many}\nname = '''{many}'''\nhistory = [1.0, 2.0]\n"
    assert load_model(text, Valve, syntax=Syntax.TOML).name == many


@pytest.mark.parametrize(
    ("pattern", "syntax"),
    [
        ('"""' + '\\"""' * 300_000, Syntax.TOML),
        ("'''" * 300_001, Syntax.TOML),
        ('"' * 1_000_001, Syntax.JSON),
        ("\\" * 2_000_000, Syntax.JSON),
        ("a." * 60 + "\n" * 1_000_000, Syntax.TOML),
        ("//" * 1_000_000, Syntax.JSON_WITH_COMMENTS),
        ('{"a":' * 300_000, Syntax.JSON),
    ],
)
def test_hostile_text_does_not_take_long(pattern: str, syntax: Syntax) -> None:
    began = time.monotonic()
    assert len(faults_of(pattern, syntax=syntax)) == 1
    assert time.monotonic() - began < 10


def test_a_text_over_the_limit_is_refused() -> None:
    assert faults_of(" " * (MAX_BYTES + 1)) == ["is larger than 4 MB"]
    assert faults_of("é" * (MAX_BYTES // 2 + 1)) == ["is larger than 4 MB"]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=20,
)


NOTHING_WRONG = ConfigError([Fault("", "", "nothing is wrong")])


def attempt(load: Callable[[], T]) -> tuple[T | None, ConfigError]:
    """What was loaded, or why not; any other exception is a failure of the test."""
    try:
        return load(), NOTHING_WRONG
    except ConfigError as error:
        return None, error


@given(_values)
def test_any_json_is_a_model_or_faults(value: object) -> None:
    valve, error = attempt(lambda: load_model(json.dumps(value), Valve))
    assert "pydantic" not in str(error)
    assert "Input should" not in str(error)
    assert valve is None or math.isfinite(valve.position_pct)


@given(st.text(max_size=200), st.sampled_from(Syntax))
@settings(max_examples=200)
def test_any_text_is_data_or_faults(text: str, syntax: Syntax) -> None:
    data, error = attempt(lambda: parse_text(text, syntax, "f"))
    assert isinstance(data, dict) or all(fault.file == "f" for fault in error.faults)


_places = st.sampled_from([
    ("modules", 0, "tags", 0, "low"), ("modules", 1, "tags", 0), ("modules", 0), ("modules",),
    ("interlocks", 0, "when"), ("interlocks", 0, "effects"), ("interlocks", 1), ("loops", 0, "pv"),
    ("recipe", "zones"), ("recipe",), ("scan",),
    ("telemetry",), ("safe_sequence", "steps", 0), ("safe_sequence", "steps", 0, "set"), ("gases", 0), ("operations",),
    ("operations", 0, "steps", 0, "store"), ("identification",), ("name",), ("alarms", 0, "hysteresis"),
])  # fmt: skip


@given(_places, _values)
@settings(max_examples=100)
def test_any_value_anywhere_in_a_tool_is_a_tool_or_faults(place: tuple[str | int, ...], value: object) -> None:
    data = minimal_data()
    *way, last = place
    at: object = data
    for part in way:
        at = at[part]  # type: ignore[index]
    at[last] = value  # type: ignore[index]
    tool, error = attempt(lambda: read_tool(json.dumps(data), Syntax.JSON, "tool.json"))
    assert tool is not None or all(fault.file == "tool.json" and fault.reason for fault in error.faults)


# ---------------------------------------------------------------------------------------- faults and shipped data
def test_a_config_error_prints_a_line_for_each_fault() -> None:
    error = ConfigError([Fault("tool.toml", "modules[2].tags[0].low", "must be a number"), Fault("b", "", "is empty")])
    assert str(error) == "tool.toml: modules[2].tags[0].low: must be a number\nb: is empty"
    assert isinstance(error, ValueError)
    with pytest.raises(ValueError, match="at least one fault"):
        ConfigError([])


def test_field_paths_are_written_as_people_write_them() -> None:
    assert join("", "steps", 2, "set", "a.b") == 'steps[2].set["a.b"]'
    assert join("recipe", "after", 0) == "recipe.after[0]"
    assert suggestion("presure", ["pressure", "flow"]) == "; did you mean 'pressure'?"
    assert suggestion("xyz", ["pressure", "flow"]) == ""


def test_shipped_files_are_found_by_name() -> None:
    assert shipped_tool("lpcvd_furnace").is_file()
    assert shipped_tool("lpcvd_furnace.toml") == shipped_tool("lpcvd_furnace")
    assert shipped_recipe("lpcvd_sio2_100nm").is_file()
    assert [*shipped("tools", ".toml")] == sorted(shipped("tools", ".toml"))


def test_a_shipped_file_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'lpcvd_furnace'\?; shipped: .*lpcvd_furnace"):
        shipped_tool("lpcvd_furnce")
    with pytest.raises(ConfigError, match="no such file is shipped"):
        shipped_recipe("../../etc/passwd")


@pytest.mark.parametrize("name", sorted(shipped("tools", ".toml")))
def test_every_shipped_tool_is_valid(name: str) -> None:
    assert load_tool(shipped_tool(name)).schema_version == 1
