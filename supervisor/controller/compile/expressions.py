"""The expressions of a tool or a program, each compiled once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.expression import ExpressionError, Typed, compile_postfix, read_boolean, read_quantity
from config.layout import Layout
from config.units import UnitError, find_unit, parse_quantity
from kernels.tables import CODE, EXPRESSION
from supervisor.controller.errors import CompileError


class Expressions:
    """Collects expressions; equal ones share a row."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows: list[tuple[int, int]] = []
        self._code: list[NDArray[np.void]] = []
        self._length = 0
        self._known: dict[tuple[str, str | None, str], int] = {}

    def condition(self, text: str, where: str, hysteresis: str | None = None, *, rates: bool = False) -> int:
        """Row of a condition; raises CompileError, saying where it stands. Alarms may have `rates`."""
        return self._row(text, hysteresis, "", where, lambda: read_boolean(text, self._layout.scope), rates=rates)

    def value(self, text: str, tag: str, where: str, *, rates: bool = False) -> int:
        """Row of what is written to a tag, in the tag's unit. Computed tags may have `rates`."""
        unit = self._layout.declared[tag].unit
        truth = self._layout.scope[tag].truth
        return self._row(
            text,
            None,
            f"{unit} {truth}",
            where,
            lambda: read_quantity(text, self._layout.scope, find_unit(unit), truth=truth),
            rates=rates,
        )

    def _row(
        self, text: str, hysteresis: str | None, kind: str, where: str, read: Callable[[], Typed], *, rates: bool
    ) -> int:
        key = (text, hysteresis, kind)
        if key not in self._known:
            try:
                width = None if hysteresis is None else parse_quantity(hysteresis)
                period_s = self._layout.tool.scan.period_ms / 1000.0 if rates else None
                code = compile_postfix(read(), self._layout.index, width, period_s=period_s)
            except (ExpressionError, UnitError) as error:
                raise CompileError(f"{where}: {error}") from error
            self._known[key] = len(self._rows)
            self._rows.append((self._length, len(code)))
            self._code.append(code)
            self._length += len(code)
        return self._known[key]

    def table(self) -> NDArray[Any]:
        """Rows of kernels.tables.EXPRESSION."""
        return np.array(self._rows, EXPRESSION)

    def code(self) -> NDArray[Any]:
        """Rows of kernels.tables.CODE."""
        return np.concatenate(self._code) if self._code else np.zeros(0, CODE)
