"""`cvd run`: the daemon."""

import argparse
from pathlib import Path

import anyio

from supervisor.cli.errors import UsageError
from supervisor.link.lean import lean_imports

with lean_imports():
    from supervisor.launcher.daemon import ENDPOINT, Settings, run_daemon
    from supervisor.link.logs import configure_logs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd run`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml", help="the tool file")
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    parser.add_argument("--endpoint", default=ENDPOINT, help=f"OPC UA endpoint (default: {ENDPOINT})")
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="settings of this installation (default: DATA/daemon.toml, if any)",
    )
    parser.add_argument("--sim", action="store_true", help="put the simulated plant behind the tags")
    parser.add_argument("--speed", type=float, default=1.0, help="faster than the clock; only with --sim")
    parser.add_argument("--log", choices=["console", "json"], default="console", help="form of the log lines")


def carry_out(arguments: argparse.Namespace) -> int:
    """Run the daemon until it is told to stop."""
    if arguments.speed != 1.0 and not arguments.sim:
        raise UsageError("--speed is for the simulated plant: give --sim too, or leave it out")
    if not 1 <= arguments.speed <= 10_000 or arguments.speed != int(arguments.speed):
        raise UsageError(f"--speed is a whole number from 1 to 10000, not {arguments.speed:g}")
    configure_logs(arguments.log, "launcher")
    settings = Settings(
        tool=arguments.tool.absolute(),
        data=arguments.data.absolute(),
        endpoint=arguments.endpoint,
        settings=arguments.settings,
        sim=arguments.sim,
        speed=arguments.speed,
        log_format=arguments.log,
    )
    anyio.run(run_daemon, settings)
    return 0
