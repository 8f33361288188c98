"""`cvd recorder`: what every tag did around a trip, scan by scan."""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from supervisor.cli.errors import UsageError
from supervisor.controller.errors import FlightError
from supervisor.controller.tapes.archive import PARTIAL
from supervisor.controller.tapes.flight_file import Flight, open_flight, words

BAD = 0x80000000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `cvd recorder list` and `show`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the flight records of a data folder, a running daemon's too")
    listing.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    show = actions.add_parser("show", help="one record: trips, conditions, tags")
    show.add_argument("file", type=Path, metavar="FILE", help="<data>/runs/<RunNumber>/trip-<scan> or <data>/trips/…")
    show.add_argument("--tags", metavar="A,B", help="these tags at every scan (default: those that moved, in short)")
    show.add_argument("--around", type=float, metavar="S", help="only so many seconds before the first trip and after")
    show.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there (all tags unless --tags)")


def carry_out(arguments: argparse.Namespace) -> int:
    """List, or show one."""
    if arguments.action == "list":
        return _list(arguments.data)
    if arguments.around is not None and not arguments.around > 0:
        raise UsageError(f"--around is a number of seconds above 0, not {arguments.around:g}")
    flight = open_flight(arguments.file)
    flight.verify()
    tags = [tag.strip() for tag in arguments.tags.split(",")] if arguments.tags else []
    for tag in tags:
        flight.values(tag)
    wanted = _wanted(flight, arguments.around)
    _head(flight)
    if arguments.csv is not None:
        _export(flight, tags or list(flight.header.tags), wanted, arguments.csv)
        print(f"{arguments.csv}: {len(wanted)} rows")
    elif tags:
        _table(flight, tags, wanted)
    else:
        _moved(flight, wanted)
    return 0


def _list(data: Path) -> int:
    if not data.is_dir():
        raise UsageError(f"there is no {data}: name the daemon's data folder with --data")
    found = [path for path in (*data.glob("runs/*/trip-*"), *data.glob("trips/*")) if path.suffix != PARTIAL]
    if not found:
        print(f"{data} has no flight records: nothing has tripped")
    faulty = 0
    rows: list[tuple[int, str]] = []
    for path in found:
        shown = path.relative_to(data)
        try:
            flight = open_flight(path)
        except (FlightError, OSError) as error:
            faulty += 1
            rows.append((time.time_ns(), f"{shown}  {error}"))
            continue
        header = flight.header
        causes = ", ".join(dict.fromkeys(trip.cause for trip in header.trips))
        missing = f"  ({'; '.join(header.remarks)})" if header.remarks else ""
        rows.append((_moment_ns(flight), f"{shown}  {_utc(_moment_ns(flight))}  {header.rows} rows  {causes}{missing}"))
    for _, line in sorted(rows):
        print(line)
    return 0


def _moment_ns(flight: Flight) -> int:
    """Time of the first trip."""
    if not len(flight.scan):
        return 0
    row = int(np.searchsorted(flight.scan, flight.header.trips[0].scan))
    return int(flight.time_ns[min(row, len(flight.scan) - 1)])


def _utc(time_ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time_ns // 10**9)) + f".{time_ns // 10**6 % 1000:03d} UTC"


def _wanted(flight: Flight, around_s: float | None) -> NDArray[np.intp]:
    """Numbers of the rows to show."""
    if around_s is None:
        return np.arange(len(flight.scan))
    scans = round(around_s / flight.header.period_s)
    return np.flatnonzero(np.abs(flight.scan - flight.header.trips[0].scan) <= scans)


def _after_s(flight: Flight, scan: int) -> str:
    return f"{(scan - flight.header.trips[0].scan) * flight.header.period_s:+.3f} s"


def _head(flight: Flight) -> None:
    header = flight.header
    print(f"{header.tool}, {header.run_number or 'outside of runs'}, {_utc(_moment_ns(flight))}")
    print(f"{header.rows} rows, {header.period_s * 1000:g} ms apart, {len(header.tags)} tags")
    for remark in header.remarks:
        print(f"NOT COMPLETE: {remark}")
    for trip in header.trips:
        print(f"  {_after_s(flight, trip.scan)}  scan {trip.scan}  {trip.cause}")
    print("conditions")
    for index, state in enumerate(flight.states):
        if state:
            print(f"  at the start  {header.conditions[index]}: {words(int(state))}")
    for change in flight.changes:
        name = header.conditions[int(change["condition"])]
        print(f"  {_after_s(flight, int(change['scan']))}  {name}: {words(int(change['state']))}")


def _value(value: float, status: int) -> str:
    return f"{value:.6g}" + (" (bad)" if status >= BAD else "")


def _moved(flight: Flight, wanted: NDArray[np.intp]) -> None:
    """Tags that moved: at the first row, at the trip, at the last row, and between which bounds."""
    if not len(wanted):
        return
    trip = min(int(np.searchsorted(flight.scan, flight.header.trips[0].scan)), len(flight.scan) - 1)
    print("tags that moved: first row, at the trip, last row (least … greatest)")
    for tag in flight.header.tags:
        values, status = flight.values(tag), flight.status(tag)
        seen, said = values[wanted], status[wanted]
        if np.all((seen == seen[0]) | (np.isnan(seen) & np.isnan(seen[0]))) and np.all(said == said[0]):
            continue
        known = seen[np.isfinite(seen)]
        bounds = f"({known.min():.6g} … {known.max():.6g})" if len(known) else "(never known)"
        moments = (int(wanted[0]), trip, int(wanted[-1]))
        print(f"  {tag}: {', '.join(_value(float(values[row]), int(status[row])) for row in moments)} {bounds}")


def _table(flight: Flight, tags: list[str], wanted: NDArray[np.intp]) -> None:
    columns = [(flight.values(tag), flight.status(tag)) for tag in tags]
    print("  ".join(("time", "scan", *tags)))
    for row in wanted:
        scan = int(flight.scan[row])
        shown = (_value(float(values[row]), int(status[row])) for values, status in columns)
        print("  ".join((_after_s(flight, scan), str(scan), *shown)))


def _export(flight: Flight, tags: list[str], wanted: NDArray[np.intp], path: Path) -> None:
    header = ["scan", "time_ns"]
    columns: list[list[object]] = [flight.scan[wanted].tolist(), flight.time_ns[wanted].tolist()]
    for tag in tags:
        header += [tag, f"{tag}.status", f"{tag}.source_ns"]
        columns += [read(tag)[wanted].tolist() for read in (flight.values, flight.status, flight.source_ns)]
    for name in flight.header.conditions:
        header.append(name)
        columns.append(flight.condition(name)[wanted].tolist())
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))
