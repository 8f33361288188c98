"""`cvd hil`: every instrument of a tool on its real wire, physics behind it."""

import argparse
import json
from pathlib import Path

import anyio

from supervisor.cli.errors import UsageError
from supervisor.link.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd hil`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("tool", type=Path, nargs="?", metavar="TOOL.toml", help="the tool file, with its devices")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of scenario files and end")
    parser.add_argument("--scenario", type=Path, metavar="S.toml", help="what is to happen to which instrument when")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than the clock the plant goes")
    parser.add_argument(
        "--patience", type=int, default=1, help="how many times older than on the tool readings may be, 1 … 20"
    )
    parser.add_argument("--ports", type=int, default=0, help="first port for TCP instruments (default: any free ones)")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="control port (default: any free one)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("cvd-rig"),
        help="folder for tool.toml, ready.json, wires/ (default: ./cvd-rig)",
    )
    parser.add_argument("--log", choices=["console", "json"], default="console", help="form of the log lines")


def carry_out(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from hil.rig.scenario import schema
    from hil.rig.serving import Settings, serve

    if arguments.schema:
        print(json.dumps(schema(), indent=2))
        return 0
    if not 1 <= arguments.patience <= 20:
        raise UsageError(f"--patience is 1 … 20, not {arguments.patience}")
    if not 0.1 <= arguments.speed <= 1000:
        raise UsageError(f"--speed is 0.1 … 1000, not {arguments.speed:g}")
    for name in ("ports", "control"):
        if not 0 <= getattr(arguments, name) <= 65000:
            raise UsageError(f"--{name} is a port, 1 … 65000")
    configure_logs(arguments.log, "hil")
    settings = Settings(
        tool=arguments.tool.absolute(),
        out=arguments.out.absolute(),
        scenario=arguments.scenario.absolute() if arguments.scenario else None,
        speed=arguments.speed,
        patience=arguments.patience,
        base_port=arguments.ports,
        control_port=arguments.control,
    )
    anyio.run(serve, settings, _tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)
