"""Files into checked models, or every fault at once."""

from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from config.checks import check_tool
from config.faults import ConfigError, Fault, suggestion
from config.gas_rules import with_gas_rules
from config.instruments import with_device_tags
from config.repair import concerning_others, repair
from config.text import Syntax, parse_text, read_text
from config.tool import Tool
from config.validation import examine, validate

M = TypeVar("M", bound=BaseModel)


def load_tool(path: str | Path) -> Tool:
    """Load a tool from its TOML file and check it as a whole.

    Raises:
        ConfigError: with every fault of the file.
    """
    path = Path(path)
    return read_tool(read_text(path), syntax_of(path), str(path))


def read_tool(text: str, syntax: Syntax, file: str) -> Tool:
    """Make a tool of a text and check it as a whole; raises ConfigError with every fault.

    Fields that are wrong by themselves do not hide what is wrong between the others: those are checked too.
    """
    data = parse_text(text, syntax, file)
    tool, flaws = examine(data, Tool, file)
    faults = [flaw.fault for flaw in flaws]
    if tool is not None:
        tool = with_device_tags(with_gas_rules(tool))
        faults += check_tool(tool, file)
    else:
        repaired = repair(data, flaws)
        if repaired is not None:
            faults += concerning_others(check_tool(with_device_tags(with_gas_rules(repaired)), file), flaws)
    if tool is None or faults:
        raise ConfigError(faults)
    return tool


def load_model(source: Path | str, model: type[M], *, syntax: Syntax | None = None, file: str = "") -> M:
    """Read a file (a Path) or a text (a str) into a model.

    Args:
        source: a path, whose suffix (`.toml`, `.json`) tells the syntax unless it is given; or the text itself.
        model: what it must be.
        syntax: how it is written; JSON for a text unless given.
        file: what faults call the source; the path unless given.

    Raises:
        ConfigError: with every fault that the model knows of.
    """
    if isinstance(source, Path):
        file = file or str(source)
        text = read_text(source)
        syntax = syntax or syntax_of(source)
    else:
        text, syntax, file = source, syntax or Syntax.JSON, file or "text"
    return validate(parse_text(text, syntax, file), model, file)


def syntax_of(path: Path) -> Syntax:
    """Tell the syntax of a file by its suffix; raises ConfigError for one that says nothing."""
    syntax = {".toml": Syntax.TOML, ".json": Syntax.JSON}.get(path.suffix.lower())
    if syntax is None:
        raise ConfigError([Fault(str(path), "", "must end in .toml or .json, so that its syntax is known")])
    return syntax


def shipped_tool(name: str) -> Path:
    """Return the file of a tool that comes with the package; raises ConfigError, naming those that exist."""
    return _shipped("tools", name, ".toml")


def shipped_recipe(name: str) -> Path:
    """Return the file of a recipe that comes with the package; raises ConfigError, naming those that exist."""
    return _shipped("recipes", name, ".json")


def shipped(folder: str, suffix: str) -> dict[str, Path]:
    """List the data files of a folder of this package by name, sorted."""
    root = files("config") / folder
    if not root.is_dir():
        return {}
    found = [Path(str(entry)) for entry in root.iterdir() if entry.name.endswith(suffix)]
    return {path.name.removesuffix(suffix): path for path in sorted(found)}


def _shipped(folder: str, name: str, suffix: str) -> Path:
    there = shipped(folder, suffix)
    path = there.get(name.removesuffix(suffix))
    if path is None:
        reason = f"no such file is shipped{suggestion(name, there)}; shipped: {', '.join(there) or 'none'}"
        raise ConfigError([Fault(f"{folder}/{name}", "", reason)])
    return path
