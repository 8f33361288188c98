"""Checks of the scan's settings and of the memory that the image takes."""

import math
from importlib import import_module

from config.checks.report import Report

LEAST_PERIOD_MS = 0.1  # 10 kHz: the scan of a large tool takes tens of microseconds
MOST_LOG_S = 10.0  # rows further apart than this are no history of a process
LEAST_FLIGHT_SCANS = 100
_TAG_BYTES = 8 + 4 + 8  # value, status, source time: the least that a row of a ring holds of a tag


def check_settings(report: Report) -> None:
    """Check periods, and that the image fits its budget."""
    scan = report.tool.scan
    if scan.period_ms < LEAST_PERIOD_MS:
        report.add("scan.period_ms", f"must be at least {LEAST_PERIOD_MS:g} ms")
        return
    log_s = scan.period_ms * scan.log_every / 1000
    if log_s > MOST_LOG_S:
        reason = f"a row every {log_s:g} s is too rare for a history: at most {MOST_LOG_S:g} s apart"
        report.add("scan.log_every", reason)
        return
    flight_rows, log_rows = rows(scan.period_ms, scan.flight_s), rows(scan.period_ms * scan.log_every, scan.log_s)
    if flight_rows < LEAST_FLIGHT_SCANS:
        reason = f"{scan.flight_s:g} s hold {flight_rows} scans: the flight ring needs at least {LEAST_FLIGHT_SCANS}"
        report.add("scan.flight_s", reason)
    size = image_size(len(report.layout.tags), len(report.layout.conditions), flight_rows, log_rows)
    if size > scan.image_budget_mb * 2**20:
        reason = (
            f"the image takes {size / 2**20:.1f} MB ({len(report.layout.tags)} tags × ({flight_rows} rows of the flight"
            f" ring + {log_rows} of the logging ring)), more than image_budget_mb = {scan.image_budget_mb:g}:"
            " shorten flight_s or log_s, or raise log_every or the budget"
        )
        report.add("scan.image_budget_mb", reason)


def rows(row_ms: float, seconds: float) -> int:
    """Rows of a ring that holds so many seconds."""
    return math.ceil(seconds * 1000 / row_ms)


def image_size(tags: int, conditions: int, flight_rows: int, log_rows: int) -> int:
    """Bytes of an image: what the kernel says, or the least it can be where the kernels are not built."""
    try:
        kernel = import_module("kernels.image")
    except ImportError:
        return (flight_rows + log_rows) * (16 + tags * _TAG_BYTES)
    return int(kernel.image_bytes(tags, conditions, flight_rows, log_rows))
