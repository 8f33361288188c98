"""Expressions: postfix code on a stack of (value, quality)."""

from libc.math cimport fabs, sqrt

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
    OP_SQRT,
    OP_SUB,
    OP_TAG,
    OP_VOTE,
    STACK_DEPTH,
)

# Operations of our own that need no operand, so that one comparison tells them: a leaf, and of these the comparisons
# of a tag with a constant (arg: the tag, value: the constant), by far the commonest in interlocks.
cdef enum:
    LEAF = 64
    LEAF_CONST = LEAF + OP_CONST
    LEAF_TAG = LEAF + OP_TAG
    TAG_LT = LEAF + OP_LT
    TAG_LE = LEAF + OP_LE
    TAG_GT = LEAF + OP_GT
    TAG_GE = LEAF + OP_GE
    TAG_EQ = LEAF + OP_EQ
    TAG_NE = LEAF + OP_NE
    LEAF_IS_GOOD = LEAF + OP_IS_GOOD
    LEAF_IS_BAD = LEAF + OP_IS_BAD

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


cdef inline Operand leaf(const ScanState* s, const Operation* i, bint active) noexcept nogil:
    """An operation without operands. What is active holds until it has come back by the hysteresis."""
    cdef double value = s.value[i.arg]
    cdef double held = i.hysteresis if active else 0.0
    cdef int q = quality(s.status[i.arg])
    cdef int op = i.op
    if op == TAG_GT:
        value = truth(value > i.value - held)
    elif op == TAG_LT:
        value = truth(value < i.value + held)
    elif op == TAG_GE:
        value = truth(value >= i.value - held)
    elif op == TAG_LE:
        value = truth(value <= i.value + held)
    elif op == TAG_EQ:
        value = truth(value == i.value)
    elif op == TAG_NE:
        value = truth(value != i.value)
    elif op == LEAF_CONST:
        value = i.value
        q = 0
    elif op == LEAF_IS_GOOD:
        value = truth(q == 0)
        q = 0
    elif op == LEAF_IS_BAD:
        value = truth(q == 2)
        q = 0
    return operand(value, q)


cdef inline Operand combine(int op, Operand a, Operand b, int limit, double held) noexcept nogil:
    """An operation of two operands."""
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
        return operand(truth(a.value > b.value - held), worse(a, b))
    elif op == OP_GE:
        return operand(truth(a.value >= b.value - held), worse(a, b))
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
    return op == OP_CONST or op == OP_TAG or op == OP_IS_GOOD or op == OP_IS_BAD


cdef inline bint joins_two(const CodeRow* i) noexcept nogil:
    """Of two operands, and without a hysteresis of its own."""
    return OP_ADD <= i.op <= OP_OR and i.op != OP_ABS and i.op != OP_SQRT and not i.hysteresis > 0


cdef inline int prepare_one(const CodeRow* i, int left, Operation* into) noexcept nogil:
    """Make one operation of as many rows as possible; return their number.

    A comparison of tag and constant becomes a leaf; a leaf takes the operation that follows it along: it is the right
    operand there.
    """
    cdef int taken = 1
    into.op = i.op
    into.then = 0
    into.arg = i.arg
    into.count = i.count if i.op == OP_VOTE else 0
    into.value = i.value
    into.hysteresis = i.hysteresis
    if is_leaf(i.op):
        into.op = LEAF + i.op
        if i.op == OP_CONST:
            into.arg = 0  # read, though not used
        elif i.op == OP_TAG and left >= 3 and i[1].op == OP_CONST and is_comparison(i[2].op):
            into.op = LEAF + i[2].op
            into.value = i[1].value
            into.hysteresis = i[2].hysteresis
            taken = 3
        if taken < left and joins_two(&i[taken]):
            into.then = i[taken].op
            taken += 1
    if not into.hysteresis > 0:
        into.hysteresis = 0.0
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
        if (op == LEAF_TAG or TAG_LT <= op <= TAG_NE) and (not found or s.source[code[i].arg] > newest):
            newest = s.source[code[i].arg]
            found = True
    return newest
