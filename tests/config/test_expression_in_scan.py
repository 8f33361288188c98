"""Compiled conditions come out of the real scan as the tree means them."""

import numpy as np
from hypothesis import given, settings

from config.expression import compile_postfix, resolve
from config.expression.tree import Node
from kernels.scan import Scan
from kernels.tables import (
    CODE,
    CONDITION,
    EFFECT,
    EXPRESSION,
    INSTRUCTION,
    LOOP,
    MAP,
    TAG,
    ConditionClass,
    ConditionState,
    Instr,
    Program,
    Status,
    SystemTag,
    Tables,
    TagKind,
)
from tests.config.expression_language import SCOPE, Value, conditions, meaning, outcome, readings

INDEX = {name: len(SystemTag) + index for index, name in enumerate(SCOPE)}
STATUS = (Status.GOOD, Status.UNCERTAIN, Status.BAD)


def tables_of(code: np.ndarray) -> Tables:
    """A tool of inputs only, with one alarm."""
    tags = np.zeros(len(SystemTag) + len(SCOPE), TAG)
    tags["kind"][len(SystemTag) :] = TagKind.INPUT
    tags["expression"] = tags["loop"] = -1
    tags["low"], tags["high"] = -1e30, 1e30
    expressions = np.array([(0, len(code))], EXPRESSION)
    alarm = np.zeros(1, CONDITION)
    alarm["reset"] = -1
    alarm["cls"], alarm["group"] = ConditionClass.WARNING, -1
    end = np.zeros(1, INSTRUCTION)
    end["op"], end["jump"] = Instr.END, -1
    return Tables(
        period_s=0.01,
        tags=tags,
        expressions=expressions,
        code=code.astype(CODE),
        conditions=alarm,
        effects=np.zeros(0, EFFECT),
        loops=np.zeros(0, LOOP),
        maps=np.zeros(0, MAP),
        safe=Program(end),
    )


@given(conditions, readings)
@settings(max_examples=200)
def test_the_scan_finds_a_condition_as_its_tree_means_it(tree: Node, tags: dict[str, Value]) -> None:
    typed = resolve(tree, SCOPE)
    scan = Scan(tables_of(compile_postfix(typed, INDEX)))
    for name, (value, quality) in tags.items():
        scan.post(INDEX[name], value, STATUS[quality], 0)
    scan.advance(1)
    state = int(scan.conditions()["state"][0])
    found = "unknown" if state & ConditionState.UNKNOWN else "true" if state & ConditionState.RAW else "false"
    assert found == outcome(meaning(typed.node, tags))
