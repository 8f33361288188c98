"""The published schemas accept what the loaders accept, and refuse unknown and misspelt fields as they do."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from config.expression import parse
from config.loading import shipped
from config.schema import DIALECT, schema
from config.text import Syntax, parse_text
from config.units import parse_quantity, spellings
from tests.config.json_schema import complaints
from tests.config.minimal_tool import change, minimal_data

TOOL, RECIPE = schema("tool"), schema("recipe")


def tables(at: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of a schema with its place."""
    if isinstance(at, dict):
        yield path, at
        for key, below in at.items():
            yield from tables(below, f"{path}.{key}")
    elif isinstance(at, list):
        for index, below in enumerate(at):
            yield from tables(below, f"{path}[{index}]")


@pytest.mark.parametrize("document", [TOOL, RECIPE], ids=["tool", "recipe"])
def test_a_schema_says_what_it_is(document: dict[str, Any]) -> None:
    assert document["$schema"] == DIALECT
    assert document["$id"].startswith("urn:cvd-supervisor:schema:")
    assert document["title"] in {"Tool", "Recipe"}
    assert document["description"]
    assert json.loads(json.dumps(document)) == document


def test_another_schema_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="there is no schema 'tol'; there are tool, recipe"):
        schema("tol")  # type: ignore[arg-type]


def test_every_model_of_the_tool_is_described_and_closed() -> None:
    for name, model in TOOL["$defs"].items():
        assert model["description"], name
        assert "enum" in model or model["additionalProperties"] is False, name


def test_the_smallest_tool_fits_its_schema() -> None:
    assert complaints(minimal_data(), TOOL, TOOL) == []


@pytest.mark.parametrize("name", sorted(shipped("tools", ".toml")))
def test_every_shipped_tool_fits_its_schema(name: str) -> None:
    data = tomllib.loads(shipped("tools", ".toml")[name].read_text(encoding="utf-8"))
    assert complaints(data, TOOL, TOOL) == []


@pytest.mark.parametrize("name", sorted(shipped("recipes", ".json")))
def test_every_shipped_recipe_fits_its_schema(name: str) -> None:
    text = shipped("recipes", ".json")[name].read_text(encoding="utf-8")
    assert complaints(parse_text(text, Syntax.JSON_WITH_COMMENTS, name), RECIPE, RECIPE) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("nam", "x", "$.nam: not known"),
        ("modules[0].tags[0].lo", 1, "$.modules[0].tags[0].lo: not known"),
        ("modules[0].tags[0].low", "1", "$.modules[0].tags[0].low: no number"),
        ("interlocks[0].class", "trp", "$.interlocks[0].class: not one of ['trip', 'hold', 'permissive', 'warning']"),
        ("interlocks[0].priority", ..., "$.interlocks[0]: without priority"),
        ("scan.period_ms", 0, "$.scan.period_ms: exclusiveMinimum 0"),
        ("name", "1x", "$.name: not ^[A-Za-z][A-Za-z0-9_-]{0,47}$"),
        ("modules", [], "$.modules: minItems 1"),
    ],
)
def test_a_misspelt_tool_does_not_fit(path: str, value: Any, complaint: str) -> None:
    data = minimal_data()
    change(data, path, value)
    assert complaints(data, TOOL, TOOL) == [complaint]


@pytest.mark.parametrize("document", [TOOL, RECIPE], ids=["tool", "recipe"])
def test_examples_fit_the_fields_that_they_illustrate(document: dict[str, Any]) -> None:
    shown = [(path, at, example) for path, at in tables(document) for example in at.get("examples", ())]
    for path, at, example in shown:
        assert complaints(example, at, document, path) == []


def test_examples_of_expressions_quantities_and_units_are_right() -> None:
    fields = {path.rsplit(".", 1)[-1]: at["examples"] for path, at in tables(TOOL) if "examples" in at}
    for example in fields["when"]:
        parse(example)
    assert all(example in spellings for example in fields["unit"])
    assert [str(parse_quantity(example)) for example in fields["hysteresis"]] == ["2 Torr"]
