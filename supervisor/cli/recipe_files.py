"""Recipes as commands take them: a file, the recipes that it may call, and values for its parameters."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from config.faults import ConfigError, Fault
from config.recipe import Recipe, RecipeDocument, read_recipe
from config.recipe_calls import Stored
from config.recipe_parameters import Value
from config.text import Syntax, parse_text, read_text
from supervisor.cli.errors import UsageError


@dataclass(frozen=True)
class Files:
    """A library of recipe files, by the name and version in each."""

    stored: tuple[Stored, ...]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Files":
        """Read them; raises ConfigError for one that cannot be read or has no name."""
        found = list[Stored]()
        for path in paths:
            text = read_text(path)
            data = parse_text(text, Syntax.JSON_WITH_COMMENTS, str(path))
            name, version = data.get("name"), data.get("version", 1)
            if not isinstance(name, str) or isinstance(version, bool) or not isinstance(version, int):
                raise ConfigError([Fault(str(path), "", "has no name and version by which it could be called")])
            found.append(Stored(name, version, text, RecipeDocument(text).sha256))
        return cls(tuple(found))

    def find(self, recipe: str, version: int) -> Stored | None:
        """Find a version by its recipe's name."""
        return next((one for one in self.stored if (one.name, one.version) == (recipe, version)), None)

    def versions(self, recipe: str) -> tuple[int, ...]:
        """Versions that there are."""
        return tuple(sorted(one.version for one in self.stored if one.name == recipe))


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--set` and `--with`."""
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter, in the parameter's unit"
    )
    parser.add_argument(
        "--with", action="append", default=[], type=Path, metavar="FILE", dest="library",
        help="a recipe that may be called",
    )  # fmt: skip


def read_values(words: Sequence[str]) -> dict[str, Value]:
    """Read `NAME=VALUE`s; raises UsageError."""
    values = dict[str, Value]()
    for word in words:
        name, equals, text = word.partition("=")
        try:
            values[name.strip()] = {"true": True, "false": False}[text] if text in {"true", "false"} else float(text)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"--set {word}: expected NAME=VALUE with a number, true or false")
    return values


def open_recipe(path: Path, arguments: argparse.Namespace) -> tuple[Recipe, RecipeDocument]:
    """Read a recipe as a command's arguments say; its document too, parameters open."""
    library = cast("list[Path]", arguments.library)
    values = read_values(cast("list[Any]", arguments.set))
    return read_recipe(path, values=values, library=Files.read(library) if library else None)
