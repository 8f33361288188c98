"""What must be true of a tool's tables before the first scan (docs/reference/scan.md, last section).

The scan trusts its tables: every index leads somewhere, every expression fits its stack. So everything is refused here,
by a ValueError that names table, row and column.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import (
    CODE,
    CONDITION,
    EFFECT,
    EXPRESSION,
    GROUP,
    LOOP,
    MAP,
    MEMBER,
    SCHEDULE,
    STACK_DEPTH,
    TAG,
    ConditionClass,
    Op,
    SystemTag,
    Tables,
    TagKind,
)

Rows = NDArray[np.void]

WRITABLE = frozenset({TagKind.SETPOINT, TagKind.OUTPUT})
WITH_TAG = frozenset({Op.TAG, Op.IS_GOOD, Op.IS_BAD, Op.RATE})
MOST_RATES = 65535
LONGEST_WINDOW = 2**31  # scans of a rate
KINDS, OPERATIONS, CLASSES = frozenset(TagKind), frozenset(Op), frozenset(ConditionClass)
OF_ONE = frozenset({Op.NEG, Op.ABS, Op.SQRT, Op.NOT})


def fault(table: str, row: int, column: str, why: str) -> ValueError:
    """Word a refusal."""
    return ValueError(f"{table}[{row}].{column}: {why}")


def check_form(table: str, rows: Rows, dtype: np.dtype[np.void]) -> None:
    """Refuse rows of another layout, and a NaN in any column."""
    if rows.dtype != dtype or rows.ndim != 1:
        raise ValueError(f"{table}: rows must be a one-dimensional array of kernels.tables.{_name_of(dtype)}")
    for column in dtype.names or ():
        if dtype[column].kind == "f" and (bad := np.flatnonzero(np.isnan(rows[column]))).size:
            raise fault(table, int(bad[0]), column, "is not a number")


def _name_of(dtype: np.dtype[np.void]) -> str:
    known = {"TAG": TAG, "EXPRESSION": EXPRESSION, "CODE": CODE, "CONDITION": CONDITION, "EFFECT": EFFECT}
    known |= {"LOOP": LOOP, "MAP": MAP, "SCHEDULE": SCHEDULE, "GROUP": GROUP, "MEMBER": MEMBER}
    return next((name for name, each in known.items() if each == dtype), "…")


def check_index(table: str, row: int, column: str, index: int, count: int, of: str, *, optional: bool = False) -> None:
    """Refuse an index that leads nowhere; −1 means none where that is permitted."""
    if not (0 <= index < count or (optional and index == -1)):
        raise fault(table, row, column, f"{index} leads nowhere: there are {count} {of}")


def check_not_negative(table: str, rows: Rows, columns: Iterable[str]) -> None:
    """Refuse negative rates, delays and ages."""
    for column in columns:
        if (bad := np.flatnonzero(rows[column] < 0)).size:
            raise fault(table, int(bad[0]), column, f"{rows[column][bad[0]]} is negative")


def check_writable(table: str, row: int, column: str, tag: int, kinds: list[int]) -> None:
    """Refuse a tag that neither program nor loop may write."""
    check_index(table, row, column, tag, len(kinds), "tags")
    if kinds[tag] not in WRITABLE:
        raise fault(table, row, column, f"tag {tag} is neither a SETPOINT nor an OUTPUT")


def check_tables(tables: Tables) -> None:
    """Refuse tables that the scan could not trust; their safe sequence is a program and is checked as one."""
    if not (math.isfinite(tables.period_s) and tables.period_s > 0):
        raise ValueError(f"period_s: {tables.period_s} is no scan period")
    for table, rows, dtype in (
        ("tags", tables.tags, TAG),
        ("expressions", tables.expressions, EXPRESSION),
        ("code", tables.code, CODE),
        ("conditions", tables.conditions, CONDITION),
        ("effects", tables.effects, EFFECT),
        ("loops", tables.loops, LOOP),
        ("maps", tables.maps, MAP),
    ):
        check_form(table, rows, dtype)
    kinds: list[int] = tables.tags["kind"].tolist()
    check_expressions("", tables.expressions, tables.code, len(kinds))
    _check_rates(tables.code)
    _check_tags(tables)
    _check_conditions(tables)
    _check_effects(tables)
    _check_loops(tables, kinds)
    _check_maps(tables, kinds)


def _check_tags(tables: Tables) -> None:
    tags, system = tables.tags, len(SystemTag)
    if len(tags) < system:
        raise ValueError(f"tags: the first {system} are the system's, but there are only {len(tags)} rows")
    for row, tag in enumerate(tags):
        kind = int(tag["kind"])
        if kind not in KINDS:
            raise fault("tags", row, "kind", f"{kind} is no kind of tag")
        if (kind == TagKind.SYSTEM) != (row < system):
            raise fault("tags", row, "kind", f"the first {system} tags, and no others, are SYSTEM")
        if kind == TagKind.COMPUTED:
            check_index("tags", row, "expression", int(tag["expression"]), len(tables.expressions), "expressions")
            if not math.isfinite(tag["initial"]):
                raise fault("tags", row, "initial", "must be finite: the tag may begin with it")
        if kind == TagKind.OUTPUT:
            check_index("tags", row, "loop", int(tag["loop"]), len(tables.loops), "loops", optional=True)
        if kind in WRITABLE:
            _check_limits(row, tag, "safe" if kind == TagKind.OUTPUT else "initial")
    check_not_negative("tags", tags, ("age_uncertain", "age_bad", "rate"))


def _check_limits(row: int, tag: Any, column: str) -> None:
    low, high, value = float(tag["low"]), float(tag["high"]), float(tag[column])
    if not (math.isfinite(low) and math.isfinite(high)):
        raise fault("tags", row, "high" if math.isfinite(low) else "low", "must be finite")
    if low > high:
        raise fault("tags", row, "low", f"{low} is above high, {high}")
    if not low <= value <= high:
        raise fault("tags", row, column, f"{value} is outside of {low} … {high}")


def check_expressions(prefix: str, expressions: Rows, code: Rows, tags: int) -> None:
    """Refuse expressions with missing or left-over operands, or deeper than the stack."""
    instructions = code.tolist()
    for row, (start, length) in enumerate(expressions.tolist()):
        if length < 1:
            raise fault(f"{prefix}expressions", row, "length", f"{length}: an expression has at least one operation")
        if start < 0 or start + length > len(instructions):
            raise fault(f"{prefix}expressions", row, "start", f"{start} + {length} is beyond {len(instructions)} rows")
        _check_expression(prefix, row, instructions, range(start, start + length), tags)


def _check_rates(code: Rows) -> None:
    """Refuse windows that are no number of scans, and more rates than an operation can name."""
    at = np.flatnonzero(code["op"] == Op.RATE)
    for row, window in zip(at.tolist(), code["value"][at].tolist(), strict=True):
        if not 2 <= window <= LONGEST_WINDOW or window != int(window):
            raise fault("code", row, "value", f"{window}: a rate is taken over 2 … {LONGEST_WINDOW} whole scans")
    if len(np.unique(code[at][["arg", "value"]])) > MOST_RATES:
        raise ValueError(f"code: more than {MOST_RATES} different rates")


def check_no_rates(prefix: str, code: Rows) -> None:
    """Refuse rates in a program: they are followed from the first scan on, which a program is not there for."""
    if (at := np.flatnonzero(code["op"] == Op.RATE)).size:
        raise fault(f"{prefix}code", int(at[0]), "op", "RATE stands in the tool's own expressions only")


def _operands(op: int, count: int) -> int:
    if op == Op.VOTE:
        return count
    return 0 if op in WITH_TAG or op == Op.CONST else 1 if op in OF_ONE else 2


def _check_expression(prefix: str, row: int, code: list[Any], span: range, tags: int) -> None:
    table, depth = f"{prefix}code", 0
    for at in span:
        op, arg, count = code[at][:3]
        if op not in OPERATIONS:
            raise fault(table, at, "op", f"{op} is no operation")
        if op in WITH_TAG:
            check_index(table, at, "arg", arg, tags, "tags")
        if op == Op.VOTE and count < 1:
            raise fault(table, at, "count", f"a vote of {count} operands")
        taken = _operands(op, count)
        if depth < taken:
            raise fault(table, at, "op", f"{Op(op).name} needs {taken} operands and finds {depth} (expression {row})")
        depth += 1 - taken
        if depth > STACK_DEPTH:
            raise fault(table, at, "op", f"expression {row} needs more than {STACK_DEPTH} places on the stack")
    if depth != 1:
        raise fault(f"{prefix}expressions", row, "length", f"leaves {depth} operands instead of one")


def _check_conditions(tables: Tables) -> None:
    for row, condition in enumerate(tables.conditions):
        check_index(
            "conditions", row, "expression", int(condition["expression"]), len(tables.expressions), "expressions"
        )
        if int(condition["cls"]) not in CLASSES:
            raise fault("conditions", row, "cls", f"{condition['cls']} is no class")
        if condition["group"] < -1:
            raise fault("conditions", row, "group", f"{condition['group']}: a group is 0 or above, -1 is none")
        start, count = int(condition["effect_start"]), int(condition["effect_count"])
        if count < 0:
            raise fault("conditions", row, "effect_count", f"{count} is negative")
        if count and (start < 0 or start + count > len(tables.effects)):
            raise fault("conditions", row, "effect_start", f"{start} + {count} is beyond {len(tables.effects)} effects")
        check_index(
            "conditions", row, "reset", int(condition["reset"]), len(tables.expressions), "expressions", optional=True
        )
    check_not_negative("conditions", tables.conditions, ("on_delay", "off_delay", "max_bypass"))


def _check_effects(tables: Tables) -> None:
    for row, effect in enumerate(tables.effects):
        output, value = int(effect["output"]), float(effect["value"])
        check_index("effects", row, "output", output, len(tables.tags), "tags")
        tag = tables.tags[output]
        if tag["kind"] != TagKind.OUTPUT:
            raise fault("effects", row, "output", f"tag {output} is no OUTPUT")
        if not tag["low"] <= value <= tag["high"]:
            raise fault("effects", row, "value", f"{value} is outside of {tag['low']} … {tag['high']}")


def _check_loops(tables: Tables, kinds: list[int]) -> None:
    for row, loop in enumerate(tables.loops):
        for column in ("pv", "sp"):
            check_index("loops", row, column, int(loop[column]), len(kinds), "tags")
        check_index("loops", row, "ff", int(loop["ff"]), len(kinds), "tags", optional=True)
        check_writable("loops", row, "out", int(loop["out"]), kinds)
        mode = int(loop["mode"])
        check_index("loops", row, "mode", mode, len(kinds), "tags")
        if kinds[mode] != TagKind.SETPOINT or not tables.tags["low"][mode] <= 0 <= tables.tags["high"][mode]:
            raise fault("loops", row, "mode", f"tag {mode} is no SETPOINT that can be 0 (off)")
    check_not_negative("loops", tables.loops, ("rate",))


def _check_maps(tables: Tables, kinds: list[int]) -> None:
    for row, line in enumerate(tables.maps):
        check_index("maps", row, "source", int(line["source"]), len(kinds), "tags")
        check_writable("maps", row, "target", int(line["target"]), kinds)
        if line["x0"] == line["x1"]:
            raise fault("maps", row, "x1", f"equals x0, {line['x0']}: the line has no slope")
