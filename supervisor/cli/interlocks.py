"""`cvd interlocks`: the cause-and-effect matrix of a tool file, and how it stands in a running daemon."""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.table import Table

from config.loading import load_tool
from config.matrix import Matrix, matrix
from config.tool import InterlockClass, Tool
from opcua_model.client import ClientError
from supervisor.cli.attached import attached
from supervisor.cli.errors import UsageError
from supervisor.cli.passwords import ask_password

WIDE = 200
"""Columns of what is no terminal: a file or a pipe has no edge."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd interlocks`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml")
    parser.add_argument("--json", action="store_true", help="print the matrix as JSON")
    parser.add_argument(
        "--why",
        metavar="TARGET",
        help="what stands in the way of an output, of an interlock's reset, of `start` or `arm` (with --user)",
    )
    parser.add_argument("--proof", action="store_true", help="print the proof tests, with --user also when each is due")
    parser.add_argument("--user", help="ask the running daemon as this person how each interlock stands")
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="its data folder (default: ./cvd-data)")
    parser.add_argument("--password-stdin", action="store_true", help="read that person's password from standard input")


def carry_out(arguments: argparse.Namespace) -> int:
    """Print the matrix; with a user, 1 when an interlock is in force (with --why: when something stands in the way).

    With --proof the calendar of proof tests instead; with a user, 1 when one is overdue or failed.
    """
    tool = load_tool(arguments.tool)
    if arguments.proof:
        return _proof(arguments, tool)
    shown = matrix(tool)
    if arguments.why:
        if not arguments.user:
            raise UsageError("--why asks a running daemon: give --user")
        password = ask_password(from_stdin=arguments.password_stdin)
        held, chain = anyio.run(_why, arguments.data, arguments.user, password, arguments.why)
        print(json.dumps({"held": held, "chain": chain}, ensure_ascii=False) if arguments.json else "\n".join(chain))
        return int(held)
    states: dict[str, str] = {}
    bypasses: dict[str, str] = {}
    if arguments.user:
        password = ask_password(from_stdin=arguments.password_stdin)
        states, bypasses = anyio.run(_states, arguments.data, arguments.user, password, shown)
    if arguments.json:
        document = shown.document() | ({"states": states, "bypasses": bypasses} if states else {})
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _draw(shown, states)
        print("".join(f"BYPASSED {words}\n" for words in bypasses.values()), end="")
    return int(any(state != "Normal" for state in states.values()))


def _proof(arguments: argparse.Namespace, tool: Tool) -> int:
    declared = {one.name: one.proof_test for one in tool.interlocks if one.proof_test is not None}
    known: dict[str, dict[str, str]] = {}
    if arguments.user:
        password = ask_password(from_stdin=arguments.password_stdin)
        known = anyio.run(_calendar, arguments.data, arguments.user, password, list(declared))
    rows = [
        {
            "interlock": name,
            "every_days": test.every_days,
            "method": "witness" if test.inject is None else f"inject {test.inject.tag}",
            "procedure": test.procedure,
            **known.get(name, {}),
        }
        for name, test in declared.items()
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        untested = [one.name for one in tool.interlocks if one.cls is InterlockClass.TRIP and one.proof_test is None]
        _draw_proofs(rows, untested)
    return int(any(row.get("state") in {"overdue", "failed"} for row in rows))


async def _calendar(data: Path, user: str, password: str, names: list[str]) -> dict[str, dict[str, str]]:
    """State, last and next proof test of interlocks, from a running daemon."""
    keys = {"state": "ProofTest", "due": "ProofTestDue", "last": "LastProofTest"}
    paths = {(name, key): f"Interlocks/{name}/{one}" for name in names for key, one in keys.items()}
    async with attached(data, user, password) as tool:
        read = {path: value for path, (value, *_) in (await tool.read_all(list(paths.values()))).items()}
    return {name: {key: _day(read[paths[name, key]]) for key in keys} for name in names}


def _day(value: Any) -> str:
    """A moment as a day, a text as it is."""
    return "never" if value is None else value.strftime("%Y-%m-%d") if isinstance(value, datetime) else str(value)


def _draw_proofs(rows: list[dict[str, Any]], untested: list[str]) -> None:
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    keys = ["interlock", "every_days", "method", *(("state", "last", "due") if rows and "state" in rows[0] else ())]
    for key in keys:
        table.add_column("days" if key == "every_days" else key, no_wrap=True)
    for row in rows:
        table.add_row(*(f"{row[key]:g}" if key == "every_days" else str(row[key]) for key in keys))
    console.print(table)
    for row in rows:
        console.print(f"{row['interlock']}: {row['procedure']}", markup=False)
    if untested:
        console.print(f"trips without a declared proof test: {', '.join(untested)}", markup=False)


async def _why(data: Path, user: str, password: str, target: str) -> tuple[bool, list[str]]:
    async with attached(data, user, password) as tool:
        try:
            held, chain = await tool.call("State", "WhyNot", target)
        except ClientError as error:
            raise UsageError(str(error)) from error
    return bool(held), [str(line) for line in chain]


async def _states(data: Path, user: str, password: str, shown: Matrix) -> tuple[dict[str, str], dict[str, str]]:
    """State of each interlock, and of those that are bypassed who, why and for how long still."""
    paths = {row.name: f"Interlocks/{row.name}" for row in shown.rows}
    asked = [f"{path}/{one}" for path in paths.values() for one in ("State", "BypassWhy", "BypassLeftS")]
    async with attached(data, user, password) as tool:
        read = {path: value for path, (value, *_) in (await tool.read_all(asked)).items()}
    states = {name: str(read[f"{path}/State"] or "unknown") for name, path in paths.items()}
    bypasses = {
        name: f"{read[f'{path}/BypassWhy'] or name}, {read[f'{path}/BypassLeftS'] or 0:.0f} s left"
        for name, path in paths.items()
        if states[name] == "Bypassed"
    }
    return states, bypasses


def _draw(shown: Matrix, states: Mapping[str, str]) -> None:
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    console.print(f"{shown.tool}: {len(shown.rows)} interlocks, matrix {shown.sha256}", markup=False)
    # Columns by number: names of outputs are longer than any column has room for.
    width = len(str(len(shown.outputs)))
    for number, output in enumerate(shown.outputs, 1):
        console.print(f"  {number:>{width}}  {output}", markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("interlock", no_wrap=True)
    table.add_column("class", no_wrap=True)
    if states:
        table.add_column("state", no_wrap=True)
    for number in range(1, len(shown.outputs) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for row in shown.rows:
        cells = ["·" if value is None else f"{value:g}" for value in row.values]
        table.add_row(row.name, row.cls, *([states[row.name]] if states else []), *cells)
    console.print(table)
    # Causes are as long as they are: each on a line of its own.
    for row in shown.rows:
        console.print(f"{row.name}: {row.cause}" + (f" ({row.manner})" if row.manner else ""), markup=False)
