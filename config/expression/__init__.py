"""Expressions of a tool: conditions, computed tags, waits, guards and stores, as a typed tree.

Text comes in (`chamber.pressure_torr > 50 Torr and not vacuum.pump.running`); a tree whose tags exist and whose units
agree goes out, and from it rows of code for the scan (kernels.tables.CODE), which alone computes what tags are in. What
holds parameters of a recipe only has a value at once (`evaluate`). Anything else ends in an ExpressionError that names
each fault and its column. The language is described in docs/reference/expressions.md.
It imports `config.units`, `config.faults` and `kernels.tables` only.
"""

from config.expression.evaluate import evaluate
from config.expression.parser import parse
from config.expression.postfix import compile_postfix
from config.expression.printer import to_text
from config.expression.problem import ExpressionError, Problem
from config.expression.resolve import Boolean, Measure, Symbol, Typed, names, read_boolean, read_quantity, resolve
from config.expression.tree import Node

__all__ = [
    "Boolean",
    "ExpressionError",
    "Measure",
    "Node",
    "Problem",
    "Symbol",
    "Typed",
    "compile_postfix",
    "evaluate",
    "names",
    "parse",
    "read_boolean",
    "read_quantity",
    "resolve",
    "to_text",
]
