"""Expressions: postfix code on a stack of (value, quality)."""

from libc.math cimport fabs, sqrt
from libc.string cimport memset

from kernels.phases.state cimport Expression, Expressions, Operation, ScanState
from kernels.phases.write cimport quality, quiet_nan
from kernels.tables cimport (
    CodeRow,
    OP_ABS,
    OP_ADD,
    OP_AND,
    OP_CONST,
    OP_DIV,
    OP_EQ,
    OP_GE,
    OP_GT,
    OP_IS_BAD,
    OP_IS_GOOD,
    OP_LE,
    OP_LT,
    OP_MAX,
    OP_MIN,
    OP_MUL,
    OP_NE,
    OP_NEG,
    OP_NOT,
    OP_OR,
    OP_RATE,
    OP_SQRT,
    OP_SUB,
    OP_TAG,
    OP_VOTE,
    STACK_DEPTH,
)

# Operations of our own, which need no operand: a leaf. The comparison of a tag with a constant (arg: the tag, value:
# the constant), by far the commonest in interlocks, is one of them; which comparison it is, `count` says by the
# outcomes that make it true, so that a processor has nothing to guess.
cdef enum:
    LEAF = 64
    LEAF_COMPARE = LEAF
    LEAF_TAG = LEAF + 1
    LEAF_CONST = LEAF + 2
    LEAF_IS_GOOD = LEAF + 3
    LEAF_IS_BAD = LEAF + 4
    LEAF_RATE = LEAF + 5  # arg: the tag, count: which of the rates

cdef enum:
    OUTCOME_EQUAL = 1
    OUTCOME_LESS = 2
    OUTCOME_GREATER = 4

cdef struct Operand:
    double value
    int q


cdef inline double truth(bint yes) noexcept nogil:
    return 1.0 if yes else 0.0


cdef inline int worse(Operand a, Operand b) noexcept nogil:
    return a.q if a.q > b.q else b.q


cdef inline Operand operand(double value, int q) noexcept nogil:
    cdef Operand r
    r.value = value
    r.q = q
    return r


cdef inline Operand divide(Operand a, Operand b) noexcept nogil:
    if b.value == 0:
        return operand(quiet_nan(), 2)
    return operand(a.value / b.value, worse(a, b))


cdef inline Operand root(Operand a) noexcept nogil:
    if a.value < 0:
        return operand(quiet_nan(), 2)
    return operand(sqrt(a.value), a.q)


cdef inline Operand both(Operand a, Operand b, int limit) noexcept nogil:
    """AND: a known false decides, whatever the other is."""
    if a.q < limit and a.value == 0:
        return a
    if b.q < limit and b.value == 0:
        return b
    return operand(truth(a.value != 0 and b.value != 0), worse(a, b))


cdef inline Operand either(Operand a, Operand b, int limit) noexcept nogil:
    """OR: a known true decides, whatever the other is."""
    if a.q < limit and a.value != 0:
        return a
    if b.q < limit and b.value != 0:
        return b
    return operand(truth(a.value != 0 or b.value != 0), worse(a, b))


cdef inline Operand vote(const Operand* operands, int count, int needed, int limit) noexcept nogil:
    """Count those that are true or not known."""
    cdef int i, votes = 0
    for i in range(count):
        votes += operands[i].q >= limit or operands[i].value != 0
    return operand(truth(votes >= needed), 0)


cdef inline unsigned int comparison(const ScanState* s, const Operation* i, bint active) noexcept nogil:
    """Return 1 if the tag compares as wanted, else 0. What is active holds until it has come back by the hysteresis.

    A NaN passes as equal: a tag that has none but a NaN is Bad, and what an unknown operand is worth never matters.
    """
    cdef double value = s.value[i.arg]
    cdef double limit = i.value
    if active:
        limit += i.hysteresis
    return i.count >> ((value < limit) | (value > limit) << 1) & 1


cdef inline Operand leaf(const ScanState* s, const Operation* i, bint active) noexcept nogil:
    """An operation without operands."""
    cdef double value = s.value[i.arg]
    cdef int q = quality(s.status[i.arg])
    cdef int op = i.op
    if op == LEAF_COMPARE:
        value = <double><int>comparison(s, i, active)
    elif op == LEAF_CONST:
        value = i.value
        q = 0
    elif op == LEAF_IS_GOOD:
        value = truth(q == 0)
        q = 0
    elif op == LEAF_IS_BAD:
        value = truth(q == 2)
        q = 0
    elif op == LEAF_RATE:
        value = s.rate_memory[i.count].value
        q = s.rate_memory[i.count].quality
    return operand(value, q)


cdef inline Operand combine(int op, Operand a, Operand b, int limit, double held) noexcept nogil:
    """An operation of two operands. `held` is by how much a comparison that is active gives way, with its sign."""
    if op == OP_AND:
        return both(a, b, limit)
    elif op == OP_OR:
        return either(a, b, limit)
    elif op == OP_ADD:
        return operand(a.value + b.value, worse(a, b))
    elif op == OP_SUB:
        return operand(a.value - b.value, worse(a, b))
    elif op == OP_MUL:
        return operand(a.value * b.value, worse(a, b))
    elif op == OP_DIV:
        return divide(a, b)
    elif op == OP_MIN:
        return operand(a.value if a.value < b.value else b.value, worse(a, b))
    elif op == OP_MAX:
        return operand(a.value if a.value > b.value else b.value, worse(a, b))
    elif op == OP_GT:
        return operand(truth(a.value > b.value + held), worse(a, b))
    elif op == OP_GE:
        return operand(truth(a.value >= b.value + held), worse(a, b))
    elif op == OP_LT:
        return operand(truth(a.value < b.value + held), worse(a, b))
    elif op == OP_LE:
        return operand(truth(a.value <= b.value + held), worse(a, b))
    elif op == OP_EQ:
        return operand(truth(a.value == b.value), worse(a, b))
    else:  # NE
        return operand(truth(a.value != b.value), worse(a, b))


cdef inline Operand evaluate_code(
    const ScanState* s, const Operation* code, int length, int limit, bint active
) noexcept nogil:
    """Evaluate an expression of several operations; its form was checked when it was loaded.

    The uppermost operand is kept apart from the stack (in registers); the place that its first push leaves empty is
    never read.
    """
    cdef Operand stack[STACK_DEPTH + 1]
    cdef Operand* below = stack
    cdef Operand top = operand(0.0, 0)
    cdef const Operation* i = code
    cdef const Operation* end = code + length
    cdef int op
    while i != end:
        op = i.op
        if op >= LEAF:
            if i.then != 0:
                top = combine(i.then, top, leaf(s, i, active), limit, 0.0)
            else:
                below[0] = top
                below += 1
                top = leaf(s, i, active)
        elif op == OP_NEG:
            top.value = -top.value
        elif op == OP_ABS:
            top.value = fabs(top.value)
        elif op == OP_NOT:
            top.value = truth(top.value == 0)
        elif op == OP_SQRT:
            top = root(top)
        elif op == OP_VOTE:
            below[0] = top
            below -= i.count - 1
            top = vote(below, i.count, i.arg, limit)
        else:
            below -= 1
            top = combine(op, below[0], top, limit, i.hysteresis if active else 0.0)
        i += 1
    return top


cdef inline Operand evaluate(
    const ScanState* s, const Operation* code, Expression e, int limit, bint active
) noexcept nogil:
    """Evaluate an expression; `limit` is the quality from which an operand counts as unknown."""
    if e.length == 1:
        return leaf(s, code + e.start, active)
    return evaluate_code(s, code + e.start, e.length, limit, active)


cdef inline bint holds(const ScanState* s, const Expressions* of, int expression) noexcept nogil:
    """Say whether an expression of a program is known and true."""
    cdef Operand r = evaluate(s, of.code, of.rows[expression], 1, False)
    return r.q < 1 and r.value != 0


cdef inline bint is_comparison(int op) noexcept nogil:
    return OP_LT <= op <= OP_NE


cdef inline bint is_leaf(int op) noexcept nogil:
    return op == OP_CONST or op == OP_TAG or op == OP_IS_GOOD or op == OP_IS_BAD or op == OP_RATE


cdef inline bint joins_two(const CodeRow* i) noexcept nogil:
    """Of two operands, and without a hysteresis of its own."""
    return OP_ADD <= i.op <= OP_OR and i.op != OP_ABS and i.op != OP_SQRT and not i.hysteresis > 0


cdef inline int outcomes_of(int op) noexcept nogil:
    """Return the outcomes that make a comparison true."""
    if op == OP_LT:
        return OUTCOME_LESS
    if op == OP_LE:
        return OUTCOME_LESS | OUTCOME_EQUAL
    if op == OP_GT:
        return OUTCOME_GREATER
    if op == OP_GE:
        return OUTCOME_GREATER | OUTCOME_EQUAL
    if op == OP_EQ:
        return OUTCOME_EQUAL
    return OUTCOME_LESS | OUTCOME_GREATER


cdef inline double giving_way(const CodeRow* i) noexcept nogil:
    """Return what an active comparison adds to its right side: 0 where the hysteresis has no effect."""
    if not i.hysteresis > 0 or i.op == OP_EQ or i.op == OP_NE:
        return 0.0
    return -i.hysteresis if i.op == OP_GT or i.op == OP_GE else i.hysteresis


cdef inline int prepare_leaf(const CodeRow* i, int left, Operation* into) noexcept nogil:
    """A comparison of tag and constant becomes one leaf of three rows."""
    into.arg = i.arg
    if i.op == OP_TAG:
        into.op = LEAF_TAG
        if left >= 3 and i[1].op == OP_CONST and is_comparison(i[2].op):
            into.op = LEAF_COMPARE
            into.count = outcomes_of(i[2].op)
            into.value = i[1].value
            into.hysteresis = giving_way(&i[2])
            return 3
    elif i.op == OP_CONST:
        into.op = LEAF_CONST
        into.arg = 0  # read, though not used
        into.value = i.value
    elif i.op == OP_RATE:
        into.op = LEAF_RATE
        into.count = i.count
    else:
        into.op = LEAF_IS_GOOD if i.op == OP_IS_GOOD else LEAF_IS_BAD
    return 1


cdef inline int prepare_one(const CodeRow* i, int left, Operation* into) noexcept nogil:
    """Make one operation of as many rows as possible; return their number.

    A leaf takes the operation that follows it along: it is the right operand there.
    """
    cdef int taken = 1
    memset(into, 0, sizeof(Operation))
    if is_leaf(i.op):
        taken = prepare_leaf(i, left, into)
        if taken < left and joins_two(&i[taken]):
            into.then = i[taken].op
            taken += 1
    else:
        into.op = i.op
        into.arg = i.arg
        into.count = i.count if i.op == OP_VOTE else 0
        into.hysteresis = giving_way(i)
    return taken


cdef inline int prepare(const CodeRow* code, int length, Operation* into) noexcept nogil:
    """Translate an expression; return its length in operations."""
    cdef int i = 0, n = 0
    while i < length:
        i += prepare_one(code + i, length - i, into + n)
        n += 1
    return n


cdef inline long long newest_source(const ScanState* s, const Operation* code, Expression e) noexcept nogil:
    """Return the greatest source of the tags that an expression reads, 0 if none."""
    cdef long long newest = 0
    cdef bint found = False
    cdef int i, op
    for i in range(e.start, e.start + e.length):
        op = code[i].op
        if (op == LEAF_TAG or op == LEAF_COMPARE or op == LEAF_RATE) and (not found or s.source[code[i].arg] > newest):
            newest = s.source[code[i].arg]
            found = True
    return newest
