"""`cvd diff`: two recipes in words, and what the changes come to on a tool."""

import argparse
import json
from pathlib import Path

from config.loading import load_tool
from config.recipe_difference import changes, consequences
from supervisor.cli.recipe_files import add_recipe_arguments, open_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd diff`."""
    parser.add_argument("a", type=Path, metavar="BEFORE.json")
    parser.add_argument("b", type=Path, metavar="AFTER.json")
    parser.add_argument("--tool", type=Path, metavar="TOOL.toml", help="also say what the changes come to on it")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    add_recipe_arguments(parser)


def carry_out(arguments: argparse.Namespace) -> int:
    """Compare; 0 whether or not they differ."""
    (a, first), (b, second) = (open_recipe(path, arguments) for path in (arguments.a, arguments.b))
    found = changes(json.loads(first), json.loads(second))
    if arguments.tool:
        found += consequences(a, b, load_tool(arguments.tool))
    if arguments.json:
        print(json.dumps([one.to_json() for one in found], ensure_ascii=False))
        return 0
    for change in found:
        print(change.words)
    if not found:
        print("the recipes are the same")
    return 0
