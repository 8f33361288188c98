"""`cvd`: the commands, and the one place where errors become one clear line and an exit code."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import cast

try:
    from config.faults import ConfigError
    from hil.errors import PlantError
    from supervisor.cli.errors import UsageError
    from supervisor.controller.errors import ControllerError
    from supervisor.launcher.errors import LauncherError
    from supervisor.link.errors import LinkError
    from supervisor.server.errors import ServerError
except ImportError as error:
    if "kernels are not built" not in str(error):
        raise
    sys.exit(f"cvd: {error}")

COMMANDS = {
    "run": "the daemon: controller and server of one tool",
    "demo": "a furnace runs its recipe on a simulated plant; nothing else is needed",
    "check": "validate tools and recipes, or a recipe against a tool",
    "hil": "the rig: every instrument of a tool on its real wire, physics behind it",
    "panel": "the tool on a terminal: state, alarms, interlocks, services, manual moves",
    "interlocks": "the cause-and-effect matrix of a tool, and how it stands in a running daemon",
    "audit": "prove that nobody changed the audit trail",
    "recipe": "sign recipes, and verify who signed a package",
    "simulate": "one run at full speed, no daemon: predicted results, alarms, gas use",
    "scale": "the time that a thickness takes, by the model of the tool",
    "diff": "two recipes in words, and what the changes come to on a tool",
    "replay": "execute a recorded run again and compare every bit",
    "recorder": "what every tag did around a trip, at the rate of the scan",
    "backup": "a data folder as one archive, each file with its digest",
    "restore": "a new data folder from an archive, once every digest is proven",
    "install-service": "a sandboxed systemd unit for a tool",
    "export": "a run's data as Parquet, CSV or JSON",
    "identify": "a model of several loops from a step test, for predictive control",
    "kinetics": "tabulate detailed chemistry (needs the extra `kinetics`)",
    "shiftlog": "what happened in a shift, in the crew's language and units",
    "nodeset": "a tool's OPC UA address space as a NodeSet2 file, for other stacks",
    "cert": "whom the endpoint trusts, and its own certificate",
    "tune": "gains of a loop from a relay or step test, as a proposal",
    "user": "add, list and remove people and their roles",
    "version": "print the version",
}
FAULTY, INTERRUPTED, INTERNAL = 1, 130, 70
TOLD = (ConfigError, UsageError, LauncherError, ControllerError, LinkError, ServerError, PlantError)
"""Errors whose text is written for people."""
ROOMS = ("supervisor", "opcua_model", "drivers", "hil", "config", "kernels")
DISTRIBUTION = "cvd-supervisor"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; return the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(words).parse_args(words)
    try:
        _require_own_rooms()
        return arguments.carry_out(arguments)
    except TOLD as error:
        _tell(arguments.command, str(error))
    except BaseExceptionGroup as group:
        return _tell_group(arguments.command, group)
    except BrokenPipeError:
        sys.stderr.close()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _tell(arguments.command, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, people get one line
        return _internal(arguments.command, error)
    return FAULTY


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Describe all commands; only the one that is asked for is imported, so that a short answer comes at once."""
    asked = next((word for word in words if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="cvd", description="Supervisory controller of one CVD tool.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == asked:
            module = importlib.import_module(f"supervisor.cli.{name.replace('-', '_')}")
            module.add_arguments(command)
            carry_out: Callable[[argparse.Namespace], int] = module.carry_out
            command.set_defaults(carry_out=carry_out)
    return parser


def _require_own_rooms() -> None:
    """Refuse to run when another distribution has overwritten one of our packages (decision record 0002)."""
    for distribution in metadata.distributions():
        # What it says of itself, and else the list of its files: to read that file by file takes a tenth of a second.
        said = (distribution.read_text("top_level.txt") or "").split()
        files = "" if said else "\n" + (distribution.read_text("RECORD") or "")
        room = next((room for room in ROOMS if room in said or f"\n{room}/" in files), None)
        if room is not None and distribution.name != DISTRIBUTION:
            raise UsageError(
                f"the package {room!r} also belongs to the distribution {distribution.name!r}, which overwrites ours; "
                "install cvd-supervisor into an environment of its own"
            )


def _tell(command: str, text: str) -> None:
    for line in text.splitlines():
        print(f"cvd {command}: {line}", file=sys.stderr)


def _tell_group(command: str, group: BaseExceptionGroup[BaseException]) -> int:
    errors = list(_leaves(group))
    if any(isinstance(error, KeyboardInterrupt) for error in errors):
        return INTERRUPTED
    for error in errors:
        if not isinstance(error, TOLD):
            return _internal(command, error)
        _tell(command, str(error))
    return FAULTY


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            yield error


def _internal(command: str, error: BaseException) -> int:
    """Something nobody foresaw: still one line, and the way to the rest of it."""
    if os.environ.get("CVD_TRACEBACK") == "1":
        raise error
    name = type(error).__name__
    _tell(command, f"internal error: {name}: {error} (set CVD_TRACEBACK=1 to see where, and please report it)")
    return INTERNAL
