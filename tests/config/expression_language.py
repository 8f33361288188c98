"""For the tests of expressions: a scope of tags, random trees over it, and a walker that says what a tree means."""

import math
from collections.abc import Mapping
from fractions import Fraction

from hypothesis import strategies as st

from config.expression import Symbol
from config.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Convert,
    Logical,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Quality,
    Rate,
    Vote,
)
from config.units import find_unit

Value = tuple[float, int]
"""Value and quality (0 good, 1 uncertain, 2 bad)."""

SCOPE: dict[str, Symbol] = {
    "chamber.pressure_torr": Symbol(find_unit("Torr")),
    "foreline.pressure_pa": Symbol(find_unit("Pa")),
    "heater.left_c": Symbol(find_unit("°C")),
    "heater.right_c": Symbol(find_unit("°C")),
    "heater.band_k": Symbol(find_unit("K")),
    "heater.mode": Symbol(find_unit("1"), ("off", "manual", "auto")),
    "panel.silane_sccm": Symbol(find_unit("sccm")),
    "panel.valve": Symbol(find_unit("1"), ("shut", "open"), truth=True),
    "pump.running": Symbol(find_unit("1"), truth=True),
    "pump.current_a": Symbol(find_unit("A")),
    "throttle.position_pct": Symbol(find_unit("%")),
    "film.count": Symbol(find_unit("1")),
    "step.elapsed_s": Symbol(find_unit("s")),
}
INDEX = {name: index for index, name in enumerate(SCOPE)}

# ------------------------------------------------------------------------------------- any tree the grammar allows
_units = st.sampled_from(
    ["1", "Torr", "mTorr", "°C", "K", "nm/min", "nm", "min", "%", "s", "h", "Torr·L/s", "A", "kPa/min"]
)
_numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000).map(float)
_names = st.sampled_from([*SCOPE, "auto", "open", "nowhere.at_all"]).map(Name)
_leaves = st.builds(Number, _numbers, _units) | _names


def _grow(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(below, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Negate, below),
        st.builds(Not, below),
        st.builds(Arithmetic, st.sampled_from("+-*/"), below, below),
        st.builds(Comparison, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), below, below),
        st.builds(Logical, st.sampled_from(["and", "or"]), several),
        st.builds(Call, st.sampled_from(["min", "max"]), several),
        st.builds(Call, st.sampled_from(["abs", "sqrt"]), below.map(lambda node: (node,))),
        st.builds(Quality, st.sampled_from(["good", "bad"]), _names),
        st.builds(Rate, _names, st.builds(Number, _numbers, _units)),
        several.flatmap(lambda operands: st.builds(Vote, st.integers(1, len(operands)), st.just(operands))),
    )


trees: st.SearchStrategy[Node] = st.recursive(_leaves, _grow, max_leaves=12)
"""Trees of every shape, most of them nonsense."""

# ----------------------------------------------------------------------------------- conditions that mean something
_CELSIUS = ("heater.left_c", "heater.right_c")


def _compare(left: st.SearchStrategy[Node], right: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    ops = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.builds(Comparison, ops, left, right) | st.builds(Comparison, ops, right, left)


def _amount(low: int, high: int, *units: str) -> st.SearchStrategy[Node]:
    return st.builds(Number, st.integers(low, high).map(float), st.sampled_from(units))


_celsius = st.sampled_from(_CELSIUS).map(Name)
_difference = st.builds(Arithmetic, st.just("-"), _celsius, _celsius)
_mean = st.builds(Arithmetic, st.just("+"), _celsius, _celsius).map(lambda total: Arithmetic("/", total, Number(2.0)))
_pressure = st.sampled_from(["chamber.pressure_torr", "foreline.pressure_pa"]).map(Name)
_rising = st.builds(Arithmetic, st.sampled_from("+-"), _pressure, _pressure | _amount(0, 9, "Torr", "mTorr", "Pa"))
_least = st.builds(Call, st.sampled_from(["min", "max"]), st.tuples(_pressure, _pressure, _rising))
_scaled = st.builds(Arithmetic, st.sampled_from("*/"), _rising, _amount(1, 4, "1"))
_square = st.builds(lambda node: Call("sqrt", (Arithmetic("*", node, node),)), _pressure | _rising)
_simple = st.one_of(
    st.sampled_from(["pump.running", "panel.valve"]).map(Name),
    st.builds(Quality, st.sampled_from(["good", "bad"]), st.sampled_from([*SCOPE]).map(Name)),
    _compare(_pressure | _rising | _least | _scaled | _square, _amount(0, 9, "Torr", "kPa", "mTorr", "Pa")),
    _compare(_pressure, _rising | _least | _scaled),
    _compare(_celsius | _mean, _amount(0, 9, "°C") | _amount(273, 282, "K") | _mean),
    _compare(
        st.builds(lambda node: Call("abs", (node,)), _difference), _amount(0, 4, "K") | st.just(Name("heater.band_k"))
    ),
    st.builds(Comparison, st.sampled_from(["==", "!="]), st.just(Name("heater.mode")), st.just(Name("auto"))),
    _compare(st.just(Name("film.count")), _amount(0, 3, "1")),
    _compare(st.just(Name("step.elapsed_s")), _amount(0, 4, "s", "min")),
)


def _combine(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(below, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, below),
        st.builds(Logical, st.sampled_from(["and", "or"]), several),
        several.flatmap(lambda operands: st.builds(Vote, st.integers(1, len(operands)), st.just(operands))),
    )


conditions: st.SearchStrategy[Node] = st.recursive(_simple, _combine, max_leaves=8)
"""Conditions over SCOPE that have no fault."""

readings: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {
        name: st.tuples(
            st.integers(0, 1 if symbol.truth else 2 if symbol.states else 9).map(float),
            st.sampled_from([0, 0, 0, 1, 2]),
        )
        for name, symbol in SCOPE.items()
    }
)
"""A value and a quality of every tag."""

# -------------------------------------------------------------------------------------------------- what trees mean


def meaning(node: Node, tags: Mapping[str, Value], limit: int = 1) -> Value:
    """Walk a resolved tree with three-valued logic; `not` is where it stands, nothing is pushed anywhere."""
    match node:
        case Number(value):
            return value, 0
        case Name(name):
            return tags[name]
        case Negate(operand):
            value, quality = meaning(operand, tags, limit)
            return -value, quality
        case Convert(operand, factor, offset):
            value, quality = meaning(operand, tags, limit)
            return (value * float(factor) if factor != 1 else value) + float(offset or Fraction(0)), quality
        case Rate():
            raise TypeError("conditions of these tests have no rates: their value is of more than one moment")
        case Quality(function, tag):
            return float(tags[tag.name][1] == (0 if function == "good" else 2)), 0
        case Arithmetic(op, left, right):
            return _arithmetic(op, meaning(left, tags, limit), meaning(right, tags, limit))
        case Call(function, arguments):
            return _call(function, [meaning(argument, tags, limit) for argument in arguments])
        case Comparison(op, left, right):
            (a, p), (b, q) = meaning(left, tags, limit), meaning(right, tags, limit)
            truth = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
            return float(truth), max(p, q)
        case Not(operand):
            value, quality = meaning(operand, tags, limit)
            return float(value == 0), quality
        case Logical(op, operands):
            return _logical(op, [meaning(operand, tags, limit) for operand in operands], limit)
        case Vote(count, operands):
            votes = [meaning(operand, tags, limit) for operand in operands]
            return float(sum(value != 0 or quality >= limit for value, quality in votes) >= count), 0


def outcome(value: Value, limit: int = 1) -> str:
    """What a condition comes to."""
    return "unknown" if value[1] >= limit else "true" if value[0] != 0 else "false"


def _arithmetic(op: str, left: Value, right: Value) -> Value:
    (a, p), (b, q) = left, right
    if op == "/" and b == 0:
        return math.nan, 2
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[op](), max(p, q)


def _call(function: str, arguments: list[Value]) -> Value:
    values, quality = [value for value, _ in arguments], max(quality for _, quality in arguments)
    match function:
        case "abs":
            return abs(values[0]), quality
        case "sqrt":
            return (math.sqrt(values[0]), quality) if values[0] >= 0 else (math.nan, 2)
        case "min":
            return min(values), quality
        case _:
            return max(values), quality


def _logical(op: str, operands: list[Value], limit: int) -> Value:
    """Kleene: one known operand that decides is enough."""
    decides = op == "or"
    known = [value != 0 for value, quality in operands if quality < limit]
    worst = max(quality for _, quality in operands)
    if decides in known:
        return float(decides), 0
    return float(not decides), worst
