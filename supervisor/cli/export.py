"""`cvd export`: a run's telemetry as one file."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from opcua_model.client import ToolClient
from supervisor.cli.attached import attached
from supervisor.cli.passwords import ask_password
from supervisor.server.records.export import export_run

PAGE_ROWS = 10_000
BEGIN = datetime(1601, 1, 1)  # noqa: DTZ001 - OPC UA DateTimes carry no zone
"""The least DateTime of OPC UA: from the run's begin, or to its end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd export`."""
    parser.add_argument("run", metavar="RUN", help="run number, as CVD-20261124-091500")
    parser.add_argument("--format", choices=["parquet", "csv", "json"], required=True)
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    parser.add_argument("--output", type=Path, help="file to write (default: RUN.FORMAT here)")
    parser.add_argument("--user", help="ask the running daemon as this person, for a run that is not closed yet")
    parser.add_argument("--password-stdin", action="store_true", help="read that person's password from standard input")


def carry_out(arguments: argparse.Namespace) -> int:
    """Write the file; say how many rows it has."""
    target: Path = arguments.output or Path(f"{arguments.run}.{arguments.format}")
    password = ask_password(from_stdin=arguments.password_stdin) if arguments.user else ""

    def ask(run: str) -> Sequence[dict[str, Any]]:
        return anyio.run(_ask, arguments.data, run, arguments.user, password)

    rows = export_run(arguments.data, arguments.run, arguments.format, target, ask if arguments.user else None)
    print(f"{target}: {rows} rows")
    return 0


async def _ask(data: Path, run: str, user: str, password: str) -> list[dict[str, Any]]:
    """Ask the daemon that holds the data folder for all telemetry of a run, page by page."""
    async with attached(data, user, password) as tool:
        return await _pages(tool, run)


async def _pages(tool: ToolClient, run: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    start = BEGIN
    while True:
        page = json.loads(await tool.call("Runs", "GetTelemetry", run, start, BEGIN, PAGE_ROWS))
        fresh = [row for row in page["telemetry"] if not records or row["ts"] > records[-1]["ts"]]
        records += fresh
        if page["complete"] or not fresh:
            return records
        start = datetime.fromisoformat(fresh[-1]["ts"]).astimezone(UTC).replace(tzinfo=None)
