"""Finding and loading device profiles: those shipped in `config/devices/`, a site's own, and installed packages'.

A package offers profiles through the entry point group `cvd_supervisor.devices`: each entry names an importable package
whose `*.toml` files are profiles. A site without a package of its own names a folder in the variable `CVD_DEVICES`.
A name that two places offer is a fault: nobody replaces a shipped profile by accident.
"""

import os
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from config.checks.profile import check_profile
from config.faults import ConfigError, Fault, suggestion
from config.profile import Profile
from config.text import Syntax, parse_text, read_text
from config.tool import Tool
from config.validation import validate

GROUP = "cvd_supervisor.devices"
FOLDER = "CVD_DEVICES"
SHIPPED = Path(str(files("config"))) / "devices"


def load_profile(path: str | Path) -> Profile:
    """Load a profile from its TOML file and check it as a whole.

    Raises:
        ConfigError: with every fault of the file.
    """
    path = Path(path)
    profile = validate(parse_text(read_text(path), Syntax.TOML, str(path)), Profile, str(path))
    faults = check_profile(profile, path)
    if faults:
        raise ConfigError(faults)
    return profile


def available() -> dict[str, Path]:
    """List the profiles that can be named in a tool file, sorted.

    Raises:
        ConfigError: two places offer the same name, an installed package cannot be read, or CVD_DEVICES is no folder.
    """
    found: dict[str, Path] = {}
    faults: list[Fault] = []
    for origin, folder in [("shipped", SHIPPED), *_folders(faults)]:
        for path in sorted(folder.glob("*.toml")):
            other = found.setdefault(path.stem, path)
            if other != path:
                faults.append(Fault(str(path), "", f"({origin}) there is a profile '{path.stem}' already: {other}"))
    if faults:
        raise ConfigError(faults)
    return dict(sorted(found.items()))


def find_profile(name: str) -> Profile:
    """Load the profile of a name.

    Raises:
        ConfigError: there is none (with those that exist), or it has faults.
    """
    there = available()
    path = there.get(name)
    if path is None:
        reason = f"there is no device profile '{name}'{suggestion(name, there)}; there are {', '.join(there) or 'none'}"
        raise ConfigError([Fault(f"devices/{name}", "", reason)])
    return _loaded(path, path.stat().st_mtime_ns)


def profiles_of(tool: Tool) -> dict[str, Profile]:
    """Load the profile of every device of a tool, by the device's name; raises ConfigError."""
    return {device.name: find_profile(device.profile) for device in tool.devices}


@cache
def _loaded(path: Path, changed_ns: int) -> Profile:
    """Read a file once for each version of it."""
    _ = changed_ns
    return load_profile(path)


def _folders(faults: list[Fault]) -> list[tuple[str, Path]]:
    folders: list[tuple[str, Path]] = []
    for entry in entry_points(group=GROUP):
        try:
            folders.append((f"entry point {entry.name}", Path(str(files(entry.value)))))
        except (ImportError, TypeError, ValueError) as error:
            faults.append(Fault(f"entry point {entry.name}", "", f"names {entry.value}, which cannot be used: {error}"))
    own = os.environ.get(FOLDER)
    if own:
        if Path(own).is_dir():
            folders.append((FOLDER, Path(own)))
        else:
            faults.append(Fault(FOLDER, "", f"names {own}, which is no folder"))
    return folders
