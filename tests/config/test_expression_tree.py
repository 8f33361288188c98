"""Expressions keep their meaning from text to tree to the scan's code, and hostile text ends in a fault."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.expression import (
    Boolean,
    ExpressionError,
    Problem,
    Typed,
    compile_postfix,
    names,
    parse,
    read_boolean,
    resolve,
    to_text,
)
from config.expression.tree import Logical, Name, Negate, Node, Not, Number
from config.units import parse_quantity
from kernels.tables import CODE, STACK_DEPTH, Op
from tests.config.expression_language import INDEX, SCOPE, Value, conditions, meaning, outcome, readings, trees


def run(code: np.ndarray, tags: dict[str, Value], *, limit: int = 1, active: bool = False) -> Value:
    """Run rows of code as docs/reference/scan.md says, for the operations that conditions use."""
    by_index = [tags[name] for name in SCOPE]
    stack: list[Value] = []
    for row in code:
        op, count = Op(int(row["op"])), {Op.VOTE: int(row["count"])}
        operands = count.get(op, 0 if op in {Op.CONST, Op.TAG, Op.IS_GOOD, Op.IS_BAD} else 2)
        operands = 1 if op in {Op.NEG, Op.ABS, Op.SQRT, Op.NOT} else operands
        taken = stack[len(stack) - operands :]
        del stack[len(stack) - operands :]
        width = float(row["hysteresis"]) if active else 0.0
        stack.append(_step(op, int(row["arg"]), float(row["value"]), width, taken, by_index, limit))
    (result,) = stack
    return result


def _step(op: Op, arg: int, value: float, width: float, taken: list[Value], tags: list[Value], limit: int) -> Value:
    quality = max((q for _, q in taken), default=0)
    x = [v for v, _ in taken]
    known = [q < limit for _, q in taken]
    match op:
        case Op.CONST:
            return value, 0
        case Op.TAG:
            return tags[arg]
        case Op.IS_GOOD | Op.IS_BAD:
            return float(tags[arg][1] == (0 if op is Op.IS_GOOD else 2)), 0
        case Op.VOTE:
            return float(sum(v != 0 or not k for v, k in zip(x, known, strict=True)) >= arg), 0
        case Op.NOT:
            return float(x[0] == 0), quality
        case Op.NEG | Op.ABS:
            return -x[0] if op is Op.NEG else abs(x[0]), quality
        case Op.SQRT:
            return (x[0] ** 0.5, quality) if x[0] >= 0 else (float("nan"), 2)
        case Op.DIV if x[1] == 0:
            return float("nan"), 2
        case Op.AND | Op.OR:
            for operand, sure in zip(taken, known, strict=True):
                if sure and (operand[0] != 0) == (op is Op.OR):
                    return operand
            truth = (x[0] != 0 and x[1] != 0) if op is Op.AND else (x[0] != 0 or x[1] != 0)
            return float(truth), quality
    a, b = x
    if op in {Op.GT, Op.GE}:
        b -= width
    elif op in {Op.LT, Op.LE}:
        b += width
    results = {
        Op.ADD: a + b, Op.SUB: a - b, Op.MUL: a * b, Op.MIN: min(a, b), Op.MAX: max(a, b),
        Op.LT: a < b, Op.LE: a <= b, Op.GT: a > b, Op.GE: a >= b, Op.EQ: a == b, Op.NE: a != b,
    }  # fmt: skip
    return float(a / b if op is Op.DIV else results[op]), quality


def plain(condition: str) -> Typed:
    return read_boolean(condition, SCOPE)


def shown(code: np.ndarray) -> list[str]:
    """Code as words: `TAG 0`, `CONST 50`, `GT`."""
    words: list[str] = []
    for row in code:
        op = Op(int(row["op"]))
        behind = {Op.CONST: f" {row['value']:g}", Op.TAG: f" {row['arg']}", Op.VOTE: f" {row['arg']} of {row['count']}"}
        words.append(op.name + behind.get(op, ""))
    return words


# --------------------------------------------------------------------------------------------- text and tree
@given(trees)
def test_printing_a_tree_and_parsing_it_gives_the_tree(tree: Node) -> None:
    assert parse(to_text(tree)) == tree


@given(trees)
def test_printing_is_stable(tree: Node) -> None:
    text = to_text(tree)
    assert to_text(tree) == text
    assert names(tree) is not None


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("(((pump.running)))", "pump.running"),
        ("not(pump.running)and panel.valve", "not pump.running and panel.valve"),
        ("not (pump.running and panel.valve)", "not (pump.running and panel.valve)"),
        ("chamber.pressure_torr>2e0torr", "chamber.pressure_torr > 2 Torr"),
        ("heater.left_c > 20degC", "heater.left_c > 20 °C"),
        ("film.count-(1-2) > 0", "film.count - (1 - 2) > 0"),
        ("(film.count-1)-2 > 0", "film.count - 1 - 2 > 0"),
        ("film.count*(1+2) > 0", "film.count * (1 + 2) > 0"),
        ("-film.count > --5", "-film.count > --5"),
        ("-(5) < film.count", "-(5) < film.count"),
        ("max( film.count,1 ,2)>0", "max(film.count, 1, 2) > 0"),
        ("10 nm/min(film.count, 2) > 1", "10 nm / min(film.count, 2) > 1"),
    ],
)
def test_text_is_printed_with_no_more_parentheses_than_it_needs(written: str, printed: str) -> None:
    assert to_text(parse(written)) == printed


def test_units_are_read_as_long_as_they_go() -> None:
    assert parse("5 nm/min") == Number(5.0, "nm/min")
    assert parse("5 s") == Number(5.0, "s")
    assert parse("5sccm") == Number(5.0, "sccm")
    assert parse("5 Torr.L/s") == Number(5.0, "Torr·L/s")
    assert parse("5 μm") == Number(5.0, "µm")


def test_a_chain_of_and_is_one_node_and_columns_do_not_count() -> None:
    chain = parse("a.b and  c.d and e.f")
    assert chain == Logical("and", (Name("a.b"), Name("c.d"), Name("e.f")))
    assert [name.column for name in names(chain)] == [1, 10, 18]


# --------------------------------------------------------------------------------------------- hostile text
def read(text: str) -> tuple[Problem, ...] | None:
    """Read a text as far as it goes; its problems, or None when it has none."""
    try:
        typed = resolve(parse(text), SCOPE)
        if isinstance(typed.type, Boolean):
            compile_postfix(typed, INDEX)
    except ExpressionError as error:
        return error.problems
    return None


@given(st.text(max_size=300))
@example("(" * 1900)
@example("not " * 400)
@example("-" * 1500)
@example("1+" * 900 + "1")
@example("abs(" * 400)
@example("1e999 Torr > 1")
@example("9" * 1999)
@example("٣ > 2")
@example("a.b > 5 Torr\x00")
def test_any_text_gives_a_tree_or_a_fault(text: str) -> None:
    problems = read(text)
    assert problems is None or problems
    assert all(1 <= problem.column <= len(text) + 1 for problem in problems or ())


_pieces = st.sampled_from(
    [
        *SCOPE,
        "(",
        ")",
        ",",
        "and",
        "or",
        "not",
        "==",
        "<",
        ">",
        "<=",
        "!=",
        "+",
        "-",
        "*",
        "/",
        "abs(",
        "min(",
        "vote(2,",
        "good(",
        "bad(",
        "sqrt(",
        "5",
        "0.5",
        "1e3",
        "Torr",
        "°C",
        "K",
        "%",
        "nm/min",
        "auto",
        "open",
        ".",
    ]
)


@given(st.lists(_pieces, max_size=40).map(" ".join))
@settings(max_examples=300)
def test_any_mixture_of_words_gives_a_tree_or_a_fault(text: str) -> None:
    problems = read(text)
    assert problems is None or problems


def test_text_beyond_the_limits_is_refused_with_the_limit() -> None:
    with pytest.raises(ExpressionError, match="longer than 2000"):
        parse("1" * 2001)
    with pytest.raises(ExpressionError, match="nested more than 24 levels"):
        parse("(" * 25 + "1" + ")" * 25)
    with pytest.raises(ExpressionError, match="deeper than 64 levels"):
        parse("+".join(["1"] * 66))


# ---------------------------------------------------------------------------------------------- tree and code
@given(conditions, readings, st.sampled_from([1, 2]))
@settings(max_examples=400)
def test_the_code_means_what_the_tree_means(tree: Node, tags: dict[str, Value], limit: int) -> None:
    typed = resolve(tree, SCOPE)
    code = compile_postfix(typed, INDEX)
    expected = outcome(meaning(typed.node, tags, limit), limit)
    actual = outcome(run(code, tags, limit=limit), limit)
    assert actual == expected


@given(conditions, readings)
@settings(max_examples=200)
def test_not_turns_the_outcome_and_leaves_unknown(tree: Node, tags: dict[str, Value]) -> None:
    straight = outcome(run(compile_postfix(resolve(tree, SCOPE), INDEX), tags))
    turned = outcome(run(compile_postfix(resolve(Not(tree), SCOPE), INDEX), tags))
    assert turned == {"true": "false", "false": "true", "unknown": "unknown"}[straight]


@given(conditions, readings)
@settings(max_examples=200)
def test_hysteresis_only_ever_keeps_an_active_condition(tree: Node, tags: dict[str, Value]) -> None:
    """Whatever `not` stands above a comparison: with hysteresis a condition is left later, never earlier."""
    typed = resolve(tree, SCOPE)
    for width in ("2 Torr", "1 K", "1"):
        try:
            code = compile_postfix(typed, INDEX, parse_quantity(width))
        except ExpressionError:
            continue
        if outcome(run(code, tags)) == "true":
            assert outcome(run(code, tags, active=True)) == "true"


@given(conditions)
def test_no_comparison_with_hysteresis_stands_below_a_not(tree: Node) -> None:
    """The scan's specification relies on it."""
    typed = resolve(tree, SCOPE)
    try:
        code = compile_postfix(typed, INDEX, parse_quantity("1 Torr"))
    except ExpressionError:
        return
    depth_of: list[bool] = []  # for each operand on the stack: has it a comparison with hysteresis in it?
    for row in code:
        op = Op(int(row["op"]))
        if op in {Op.CONST, Op.TAG, Op.IS_GOOD, Op.IS_BAD}:
            depth_of.append(False)
            continue
        count = int(row["count"]) if op is Op.VOTE else 1 if op in {Op.NEG, Op.ABS, Op.SQRT, Op.NOT} else 2
        inside = any(depth_of[-count:])
        del depth_of[-count:]
        assert not (op is Op.NOT and inside)
        depth_of.append(inside or row["hysteresis"] > 0)


def test_not_is_pushed_inwards() -> None:
    code = compile_postfix(plain("not (chamber.pressure_torr > 50 Torr and not pump.running)"), INDEX)
    assert code.dtype == CODE
    assert shown(code) == ["TAG 0", "CONST 50", "LE", "TAG 8", "OR"]


@pytest.mark.parametrize("op", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("count", [2.0, 3.0, 4.0])
def test_the_opposite_of_a_comparison_is_right_below_at_and_above_its_limit(op: str, count: float) -> None:
    tags = dict.fromkeys(SCOPE, (0.0, 0)) | {"film.count": (count, 0)}
    straight = run(compile_postfix(plain(f"film.count {op} 3"), INDEX), tags)
    opposite = compile_postfix(plain(f"not film.count {op} 3"), INDEX)
    assert Op.NOT not in opposite["op"]
    assert run(opposite, tags) == (1.0 - straight[0], 0)


def test_not_stays_above_votes_and_qualities() -> None:
    code = compile_postfix(plain("not vote(2, pump.running, good(film.count), film.count > 3)"), INDEX)
    assert shown(code) == ["TAG 8", "IS_GOOD", "TAG 11", "CONST 3", "GT", "VOTE 2 of 3", "NOT"]
    assert shown(compile_postfix(plain("not good(film.count)"), INDEX)) == ["IS_GOOD", "NOT"]


def test_hysteresis_goes_to_the_comparisons_of_its_dimension_in_their_unit() -> None:
    condition = plain("chamber.pressure_torr > 50 Torr or foreline.pressure_pa > 1 kPa or heater.left_c > 900 °C")
    code = compile_postfix(condition, INDEX, parse_quantity("2 Torr"))
    widths = [float(row["hysteresis"]) for row in code if row["op"] == Op.GT]
    assert widths == [2.0, pytest.approx(266.644736842), 0.0]


def test_a_hysteresis_of_degrees_is_a_difference() -> None:
    code = compile_postfix(plain("heater.left_c > 900 °C"), INDEX, parse_quantity("5 °C"))
    assert float(code[-1]["hysteresis"]) == 5.0


@pytest.mark.parametrize(
    ("condition", "width", "words"),
    [
        ("chamber.pressure_torr > 5 Torr", "2 K", "no comparison that a hysteresis of 2 K"),
        ("heater.mode == auto", "1", "no comparison"),
        ("not vote(1, chamber.pressure_torr > 5 Torr, pump.running)", "1 Torr", "outside of `not vote"),
    ],
)
def test_a_hysteresis_without_a_comparison_is_refused(condition: str, width: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        compile_postfix(plain(condition), INDEX, parse_quantity(width))


def test_an_expression_that_needs_too_deep_a_stack_is_refused() -> None:
    votes = ", ".join(["pump.running"] * (STACK_DEPTH + 1))
    with pytest.raises(ExpressionError, match=f"needs {STACK_DEPTH + 1} operands at once, the scan has {STACK_DEPTH}"):
        compile_postfix(plain(f"vote(1, {votes})"), INDEX)
    assert (
        len(compile_postfix(plain(f"vote(1, {', '.join(['pump.running'] * STACK_DEPTH)})"), INDEX)) == STACK_DEPTH + 1
    )


def test_a_negative_number_is_a_number_and_a_sign_before_a_parenthesis_is_not() -> None:
    assert parse("-5 Torr") == Number(-5.0, "Torr")
    assert parse("-(5)") == Negate(Number(5.0))
