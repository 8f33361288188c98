"""Expressions: postfix code on a stack of (value, quality)."""

from libc.math cimport fabs, sqrt

from kernels.phases.state cimport Expression, Expressions, ScanState
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

cdef struct Operand:
    double value
    int q


cdef inline bint compare(int op, double a, double b, double hysteresis, bint active) noexcept nogil:
    """Compare; what is active holds until its operand has come back by the hysteresis."""
    cdef bint held = active and hysteresis > 0
    if op == OP_GT:
        return a > (b - hysteresis if held else b)
    if op == OP_GE:
        return a >= (b - hysteresis if held else b)
    if op == OP_LT:
        return a < (b + hysteresis if held else b)
    if op == OP_LE:
        return a <= (b + hysteresis if held else b)
    if op == OP_EQ:
        return a == b
    return a != b


cdef inline Operand apply_to_two(const CodeRow* i, Operand a, Operand b, int limit, bint active) noexcept nogil:
    """Apply an operation of two operands."""
    cdef Operand r
    cdef int op = i.op
    r.q = a.q if a.q > b.q else b.q
    if op == OP_ADD:
        r.value = a.value + b.value
    elif op == OP_SUB:
        r.value = a.value - b.value
    elif op == OP_MUL:
        r.value = a.value * b.value
    elif op == OP_DIV:
        if b.value == 0:
            r.value = quiet_nan()
            r.q = 2
        else:
            r.value = a.value / b.value
    elif op == OP_MIN:
        r.value = a.value if a.value < b.value else b.value
    elif op == OP_MAX:
        r.value = a.value if a.value > b.value else b.value
    elif op == OP_AND:
        if a.q < limit and a.value == 0:
            return a
        if b.q < limit and b.value == 0:
            return b
        r.value = 1.0 if a.value != 0 and b.value != 0 else 0.0
    elif op == OP_OR:
        if a.q < limit and a.value != 0:
            return a
        if b.q < limit and b.value != 0:
            return b
        r.value = 1.0 if a.value != 0 or b.value != 0 else 0.0
    else:
        r.value = 1.0 if compare(op, a.value, b.value, i.hysteresis, active) else 0.0
    return r


cdef inline Operand apply_to_one(int op, Operand a) noexcept nogil:
    """Apply an operation of one operand."""
    if op == OP_NEG:
        a.value = -a.value
    elif op == OP_ABS:
        a.value = fabs(a.value)
    elif op == OP_NOT:
        a.value = 1.0 if a.value == 0 else 0.0
    elif a.value < 0:  # OP_SQRT
        a.value = quiet_nan()
        a.q = 2
    else:
        a.value = sqrt(a.value)
    return a


cdef inline Operand vote(const Operand* operands, int count, int needed, int limit) noexcept nogil:
    """Count those that are true or not known."""
    cdef Operand r
    cdef int i, votes = 0
    for i in range(count):
        if operands[i].q >= limit or operands[i].value != 0:
            votes += 1
    r.value = 1.0 if votes >= needed else 0.0
    r.q = 0
    return r


cdef inline Operand evaluate_on_stack(
    const ScanState* s, const CodeRow* code, int length, int limit, bint active
) noexcept nogil:
    """Evaluate any expression; its form was checked when it was loaded."""
    cdef Operand stack[STACK_DEPTH]
    cdef Operand* top = stack - 1
    cdef const CodeRow* i = code
    cdef const CodeRow* end = code + length
    while i != end:
        if i.op == OP_TAG:
            top += 1
            top.value = s.value[i.arg]
            top.q = quality(s.status[i.arg])
        elif i.op == OP_CONST:
            top += 1
            top.value = i.value
            top.q = 0
        elif i.op == OP_IS_GOOD:
            top += 1
            top.value = 1.0 if quality(s.status[i.arg]) == 0 else 0.0
            top.q = 0
        elif i.op == OP_IS_BAD:
            top += 1
            top.value = 1.0 if quality(s.status[i.arg]) == 2 else 0.0
            top.q = 0
        elif i.op == OP_VOTE:
            top -= i.count - 1
            top[0] = vote(top, i.count, i.arg, limit)
        elif i.op == OP_NEG or i.op == OP_ABS or i.op == OP_SQRT or i.op == OP_NOT:
            top[0] = apply_to_one(i.op, top[0])
        else:
            top -= 1
            top[0] = apply_to_two(i, top[0], top[1], limit, active)
        i += 1
    return top[0]


cdef inline Operand evaluate(
    const ScanState* s, const Expressions* of, int expression, int limit, bint active
) noexcept nogil:
    """Evaluate; `limit` is the quality from which an operand counts as unknown."""
    cdef const Expression* e = &of.rows[expression]
    cdef Operand r
    if e.comparison >= 0:
        r.q = quality(s.status[e.tag])
        r.value = 1.0 if compare(e.comparison, s.value[e.tag], e.constant, e.hysteresis, active) else 0.0
        return r
    return evaluate_on_stack(s, of.code + e.start, e.length, limit, active)


cdef inline bint holds(const ScanState* s, const Expressions* of, int expression) noexcept nogil:
    """Say whether an expression of a program is known and true."""
    cdef Operand r = evaluate(s, of, expression, 1, False)
    return r.q < 1 and r.value != 0


cdef inline bint is_comparison(int op) noexcept nogil:
    return OP_LT <= op <= OP_NE


cdef inline void prepare(const CodeRow* code, Expression* e) noexcept nogil:
    """Recognise `tag <comparison> constant`."""
    cdef const CodeRow* i = code + e.start
    e.comparison = -1
    if e.length == 3 and i[0].op == OP_TAG and i[1].op == OP_CONST and is_comparison(i[2].op):
        e.comparison = i[2].op
        e.tag = i[0].arg
        e.constant = i[1].value
        e.hysteresis = i[2].hysteresis


cdef inline long long newest_source(const ScanState* s, const Expressions* of, int expression) noexcept nogil:
    """Return the greatest source of the tags that an expression reads, 0 if none."""
    cdef const Expression* e = &of.rows[expression]
    cdef const CodeRow* code = of.code + e.start
    cdef long long newest = 0
    cdef bint found = False
    cdef int i
    for i in range(e.length):
        if code[i].op == OP_TAG and (not found or s.source[code[i].arg] > newest):
            newest = s.source[code[i].arg]
            found = True
    return newest
