"""`cvd check`: every fault of tools, recipes, device profiles and settings files at once."""

import argparse
import json
from pathlib import Path

from config.faults import ConfigError, Fault, suggestion
from config.loading import load_tool
from config.preflight import Preflight, preflight
from config.profile import Profile
from config.profiles import load_profile, profiles_of
from config.reaction import reactions
from config.recipe import Recipe, RecipeDocument
from config.recipe_corners import corner_faults
from config.schema import schema
from config.text import Syntax, parse_text, read_text
from config.tool import Tool
from supervisor.cli.errors import UsageError
from supervisor.cli.recipe_files import add_recipe_arguments, open_recipe
from supervisor.server.configuration import FILE_NAME, DaemonFile, ServerTable, read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd check`."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="tools, device profiles and settings (.toml), recipes (.json)",
    )
    add_recipe_arguments(parser)
    parser.add_argument("--schema", choices=["recipe", "tool"], help="print the JSON Schema instead")


def carry_out(arguments: argparse.Namespace) -> int:
    """Check the files; each recipe also against each tool that is given with it."""
    if arguments.schema:
        print(json.dumps(schema(arguments.schema), indent=2, ensure_ascii=False))
        return 0
    if not arguments.files:
        raise UsageError("name at least one tool (.toml) or recipe (.json), or ask for --schema")
    faults: list[Fault] = []
    tools: dict[Path, Tool] = {}
    recipes: dict[Path, Recipe] = {}
    documents: dict[Path, RecipeDocument] = {}
    profiles: dict[Path, Profile] = {}
    settings: dict[Path, ServerTable] = {}
    for path in arguments.files:
        try:
            if path.suffix == ".toml":
                match _kind(path):
                    case "profile":
                        profiles[path] = load_profile(path)
                    case "settings":
                        settings[path] = read_settings(path)
                    case _:
                        tools[path] = load_tool(path)
            elif path.suffix == ".json":
                recipes[path], documents[path] = open_recipe(path, arguments)
            else:
                faults.append(Fault(str(path), "", "tools and settings end in .toml, recipes in .json"))
        except ConfigError as error:
            faults += error.faults
    for recipe_path, recipe in recipes.items():
        for tool_path, tool in tools.items():
            faults += _against(recipe_path, recipe, documents[recipe_path], tool_path, tool)
    for settings_path, table in settings.items():
        faults += _contradictions(settings_path, table)
        for tool in tools.values():
            faults += _fits(settings_path, table, tool)
    if faults:
        raise ConfigError(faults)
    for path, tool in tools.items():
        print(f"{path}: {tool.name}, {len(tool.modules)} modules, {len(tool.interlocks)} interlocks: sound")
        _show_reactions(tool)
    for path, profile in profiles.items():
        points, unseen = profile.expanded, [point.name for point in profile.points if not point.verified]
        print(f"{path}: {profile.identity.model}, {len(points)} points on {' or '.join(profile.links)}: sound")
        if unseen:
            print(f"  to be proven on the device: {', '.join(unseen)}")
    for path, recipe in recipes.items():
        print(f"{path}: {recipe.name}, {len(recipe.recipe_steps)} steps: sound")
    for path, table in settings.items():
        print(f"{path}: settings of a daemon, {len(table.limits)} limits of its own: sound")
    return 0


def _kind(path: Path) -> str:
    """Tell TOML files apart: one with a codec describes an instrument, one of a daemon's tables or name is settings."""
    document = parse_text(read_text(path), Syntax.TOML, str(path))
    if "codec" in document:
        return "profile"
    known = set(DaemonFile.model_fields)
    return "settings" if path.name == FILE_NAME or (document and set(document) <= known) else "tool"


def _fits(path: Path, table: ServerTable, tool: Tool) -> list[Fault]:
    """Look for the parts of the tree that settings restrict in a tool's."""
    from opcua_model.tree import FOLDERS, OTHERS  # loading asyncua takes longer than everything else here

    folders = {"Identification": None, **dict.fromkeys(FOLDERS), **dict.fromkeys(OTHERS)}
    modules = ["system", *(module.name for module in tool.modules)]
    faults: list[Fault] = []
    for one in table.restricted:
        folder, _, rest = one.partition("/")
        name, known = (rest.partition("/")[0], modules) if folder == "Equipment" and rest else (folder, list(folders))
        if name not in known:
            faults.append(
                Fault(str(path), f"server.restricted.{one}", f"{tool.name} has no {name!r}{suggestion(name, known)}")
            )
    return faults


def _contradictions(path: Path, table: ServerTable) -> list[Fault]:
    """What each setting permits and both together do not."""
    if table.plain_loopback and table.anonymous == "never":
        reason = "it offers anonymous sessions only, and server.anonymous is 'never': leave one out"
        return [Fault(str(path), "server.plain_loopback", reason)]
    return []


def _show_reactions(tool: Tool) -> None:
    """Say how long it takes at worst until the tool has answered for each instrument that falls silent."""
    if not tool.devices:
        return
    print(
        "if an instrument falls silent (s at worst): Bad after, its own watchdog, safe values written elsewhere after"
    )
    for row in reactions(tool, profiles_of(tool)):
        own = "none" if row.watchdog_s is None else f"{row.watchdog_s:.2f}"
        bad = "no input" if row.staleness_s is None else f"{row.staleness_s:.2f}"
        total = "-" if row.total_s is None else f"{row.total_s:.2f}"
        through = f" (slowest link: {row.slowest})" if row.slowest and row.total_s is not None else ""
        print(f"  {row.device:<20} {bad:>8} {own:>8} {total:>8}{through}")


def _against(recipe_path: Path, recipe: Recipe, document: RecipeDocument, tool_path: Path, tool: Tool) -> list[Fault]:
    result: Preflight = preflight(recipe, tool)
    for warning in result.warnings:
        print(f"{recipe_path}: {warning}")
    faults = list(result.faults) or list(corner_faults(recipe, document, tool))
    if not faults:
        print(f"{recipe_path} on {tool_path}: can run, about {result.planned_s:.0f} s")
    return [Fault(str(recipe_path), fault.path, fault.reason) for fault in faults]
