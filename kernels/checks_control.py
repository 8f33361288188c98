"""What must be true of gain schedules and groups of loops before the first scan (docs/reference/scan.md)."""

from typing import Any

import numpy as np

from kernels.checks import check_form, check_index, check_not_negative, fault
from kernels.tables import GROUP, GROUP_MEMBERS, MEMBER, SCHEDULE, Tables, TagKind

LARGEST = 256  # of states, points and blocks
SIZES = ("member_count", "states", "points", "blocks", "iterations", "settle", "every")
FINITE = ("rho", "sigma", "relax", "tolerance", "watch", "stale", "low", "high", "margin")


def measured_tags(tables: Tables, group: Any) -> list[int]:
    """Return what a group measures: what it controls, then what the inner loops of its cascades hold."""
    start = int(group["member_start"])
    members = tables.members[start : start + int(group["member_count"])]
    outer, inner = members["outer"].tolist(), members["inner"].tolist()
    pv = tables.loops["pv"].tolist()
    return [pv[loop] for loop in outer] + [pv[i] for o, i in zip(outer, inner, strict=True) if i != o]


def check_control(tables: Tables) -> None:
    """Refuse schedules and groups that the scan could not trust; `check_tables` has passed the rest."""
    check_form("schedules", tables.schedules, SCHEDULE)
    check_form("groups", tables.groups, GROUP)
    check_form("members", tables.members, MEMBER)
    if tables.numbers.dtype != np.float64 or tables.numbers.ndim != 1 or not np.isfinite(tables.numbers).all():
        raise ValueError("numbers: must be a row of finite float64")
    _check_schedules(tables)
    taken = set[int]()
    for row, group in enumerate(tables.groups):
        _check_group(tables, row, group)
        _check_members(tables, row, group, taken)
        _check_numbers(tables, row, group)


def _check_schedules(tables: Tables) -> None:
    before: Any = None
    done = set[int]()
    for row, line in enumerate(tables.schedules):
        loop = int(line["loop"])
        check_index("schedules", row, "loop", loop, len(tables.loops), "loops")
        check_index("schedules", row, "tag", int(line["tag"]), len(tables.tags), "tags")
        for column in ("at", "kp", "ki", "kd"):
            if not np.isfinite(line[column]):
                raise fault("schedules", row, column, "must be finite")
        if before is not None and loop == before["loop"]:
            if line["tag"] != before["tag"]:
                raise fault("schedules", row, "tag", f"is not {before['tag']}, that of the loop's rows above")
            if not line["at"] > before["at"]:
                raise fault("schedules", row, "at", f"{line['at']} does not rise above {before['at']}")
        elif loop in done:
            raise fault("schedules", row, "loop", f"the rows of loop {loop} do not stand together")
        done.add(loop)
        before = line


def _check_group(tables: Tables, row: int, group: Any) -> None:
    kinds = tables.tags["kind"]
    for column in ("select", "report"):
        tag = int(group[column])
        check_index("groups", row, column, tag, len(kinds), "tags")
        if kinds[tag] != TagKind.SETPOINT or not tables.tags["low"][tag] <= 0 <= tables.tags["high"][tag]:
            raise fault("groups", row, column, f"tag {tag} is no SETPOINT that can be 0 (PID)")
    for column in SIZES:
        if group[column] < 1:
            raise fault("groups", row, column, f"{group[column]}: at least 1")
    for column in ("states", "points", "blocks"):
        if group[column] > LARGEST:
            raise fault("groups", row, column, f"{group[column]}: at most {LARGEST}")
    for column in FINITE:
        if not np.isfinite(group[column]):
            raise fault("groups", row, column, "must be finite")
    check_not_negative("groups", tables.groups, ("sigma", "tolerance", "margin", "patience"))
    for column, low, high in (("rho", 0.0, 1e30), ("relax", 0.0, 2.0), ("watch", 0.0, 1.0000001)):
        if not low < group[column] < high:
            raise fault("groups", row, column, f"{group[column]} is not between {low:g} and {high:g}")


def _check_members(tables: Tables, row: int, group: Any, taken: set[int]) -> None:
    start, count = int(group["member_start"]), int(group["member_count"])
    if count > GROUP_MEMBERS:
        raise fault("groups", row, "member_count", f"{count}: at most {GROUP_MEMBERS}")
    if start < 0 or start + count > len(tables.members):
        raise fault("groups", row, "member_start", f"{start} + {count} is beyond {len(tables.members)} members")
    for at in range(start, start + count):
        member = tables.members[at]
        loops = {int(member["outer"]), int(member["inner"])}
        for column in ("outer", "inner"):
            check_index("members", at, column, int(member[column]), len(tables.loops), "loops")
        if loops & taken:
            raise fault("members", at, "outer", "one of its loops belongs to another member already")
        taken |= loops
        if not (np.isfinite(member["low"]) and np.isfinite(member["high"]) and member["low"] < member["high"]):
            raise fault("members", at, "high", f"{member['high']} is not above low, {member['low']}")
        if not (np.isfinite(member["rate"]) and member["rate"] > 0):
            raise fault("members", at, "rate", f"{member['rate']} is not above 0")


def _check_numbers(tables: Tables, row: int, group: Any) -> None:
    m, n, q = int(group["member_count"]), int(group["states"]), len(measured_tags(tables, group))
    if n < q:
        raise fault("groups", row, "states", f"{n} states are fewer than the {q} values that are measured")
    seen, moves = int(group["points"]) * m, int(group["blocks"]) * m
    size = int(group["points"]) + q + m + n * n + n * m + n * q + seen * (n + m) + moves * (seen + moves)
    start = int(group["numbers"])
    if start < 0 or start + size > len(tables.numbers):
        raise fault("groups", row, "numbers", f"{start} + {size} is beyond {len(tables.numbers)} numbers")
    points = tables.numbers[start : start + int(group["points"])]
    if not (points[0] >= 1 and (np.diff(points) > 0).all()):
        raise fault("groups", row, "numbers", "begins with the points, in samples: 1 or more, rising")
