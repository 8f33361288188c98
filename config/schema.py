"""JSON Schemas of the files that people write, for editors and for clients that make recipes."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from config.recipe import recipe_schema
from config.tool import Tool

SchemaName = Literal["tool", "recipe"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"  # what pydantic writes
_VERSION = 1  # of the form of both files (Tool.schema_version)


def schema(name: SchemaName) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file; raises ValueError for another name.

    It says what each field is by itself. What fields must be to one another (tags that exist, units that agree …) only
    `load_tool` and `load_recipe` know.
    """
    makers: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
        "tool": ("Tool", Tool.model_json_schema),
        "recipe": ("Recipe", recipe_schema),
    }
    if name not in makers:
        raise ValueError(f"there is no schema '{name}'; there are {', '.join(get_args(SchemaName))}")
    title, make = makers[name]
    head = {"$schema": DIALECT, "$id": f"urn:cvd-supervisor:schema:{name}:{_VERSION}", "title": title}
    return head | {key: value for key, value in make().items() if key not in head}
