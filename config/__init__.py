"""The tool model: tags, modules, interlocks, gases, process modes, recipes and device profiles as typed data.

TOML and JSON come in, frozen and checked models go out, or every fault at once with file, field path and reason. The
shipped data lies beside the code in `tools/`, `recipes/` and `devices/`. It may import `kernels` only.
"""

from config.faults import ConfigError, Fault
from config.layout import Layout
from config.loading import load_model, load_tool, shipped, shipped_recipe, shipped_tool
from config.recipe import Recipe, load_recipe
from config.schema import schema
from config.text import Syntax
from config.tool import Tool
from config.validation import validate

__all__ = [
    "ConfigError",
    "Fault",
    "Layout",
    "Recipe",
    "Syntax",
    "Tool",
    "load_model",
    "load_recipe",
    "load_tool",
    "schema",
    "shipped",
    "shipped_recipe",
    "shipped_tool",
    "validate",
]
