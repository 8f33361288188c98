"""`cvd shiftlog`: what happened in a shift, for the crew that comes."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio

from config.loading import load_tool
from supervisor.cli.attached import attached
from supervisor.cli.errors import UsageError
from supervisor.cli.passwords import ask_password
from supervisor.server.records.shiftlog import Line, lines, render
from supervisor.server.store.opening import FILE_NAME, open_to_read
from supervisor.server.texts import LANGUAGES, Texts

SHIFT_H = 8.0
NS = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd shiftlog`."""
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    parser.add_argument("--hours", type=float, default=SHIFT_H, help="how long before --until it begins (default: 8)")
    parser.add_argument("--until", type=_moment, help="ISO 8601 moment, local unless it says its zone (default: now)")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--units", default="", help="how to show units, as Torr=mbar,kPa=bar")
    parser.add_argument("--format", choices=["text", "csv", "json"], default="text")
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")
    parser.add_argument("--user", help="ask the running daemon as this person")
    parser.add_argument("--password-stdin", action="store_true", help="read that person's password from standard input")
    parser.add_argument("--tool", type=Path, help="tool file, for the words of a folder that no daemon holds")


def carry_out(arguments: argparse.Namespace) -> int:
    """Write the log."""
    until: datetime = arguments.until or datetime.now(UTC)
    begin = until - timedelta(hours=arguments.hours)
    units = _units(arguments.units)
    texts = Texts.of(arguments.language)
    if arguments.user:
        password = ask_password(from_stdin=arguments.password_stdin)
        rows = anyio.run(_ask, arguments, begin, until, password)
    else:
        rows = _read(arguments, begin, until, texts, units)
    title = f"{texts('Shift log')} {texts('from')} {begin:%Y-%m-%d %H:%M} {texts('to')} {until:%Y-%m-%d %H:%M %Z}"
    text = render(rows, arguments.format, texts, title.strip())
    if arguments.output is None:
        print(text, end="")
    else:
        arguments.output.write_text(text, encoding="utf-8")
        print(f"{arguments.output}: {len(rows)} lines")
    return 0


def _read(
    arguments: argparse.Namespace, begin: datetime, until: datetime, texts: Texts, units: dict[str, str]
) -> list[Line]:
    path = arguments.data / FILE_NAME
    if not path.exists():
        raise UsageError(f"there is no {path}: name the daemon's data folder with --data")
    conditions = {}
    if arguments.tool is not None:
        from config.layout import Layout

        conditions = {one.name: one for one in Layout(load_tool(arguments.tool)).conditions}
    with open_to_read(path) as connection:
        return lines(connection, conditions, _ns(begin), _ns(until), texts, units)


async def _ask(arguments: argparse.Namespace, begin: datetime, until: datetime, password: str) -> list[Line]:
    async with attached(arguments.data, arguments.user, password) as tool:
        wish = json.dumps({"language": arguments.language, "units": _units(arguments.units)})
        plain = [one.astimezone(UTC).replace(tzinfo=None) for one in (begin, until)]
        answer: list[dict[str, Any]] = json.loads(await tool.call("Care", "GetShiftLog", *plain, wish))
        return [Line(**row) for row in answer]


def _units(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not (own and other) for own, _, other in pairs):
        raise UsageError(f"--units {text}: write pairs as Torr=mbar,kPa=bar")
    return {own: other for own, _, other in pairs}


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 moment") from error


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * NS)
