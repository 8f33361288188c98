"""Logic: expressions that only compare, ask, join and count, as most interlocks do.

An operand is then one of six: false or true, Good, Uncertain or Bad, hence a nibble (value + 2 · quality), and the
whole stack is one word. What two operands give stands in a table that is filled by the general evaluation (`both`,
`either`), so that there is one definition. Results are bit for bit those of `evaluate_code`.
"""

from kernels.atomics cimport u64
from kernels.phases.expression cimport (
    LEAF,
    LEAF_COMPARE,
    LEAF_IS_BAD,
    LEAF_IS_GOOD,
    Operand,
    both,
    comparison,
    either,
    operand,
)
from kernels.phases.state cimport Expression, Operation, ScanState
from kernels.phases.write cimport quality
from kernels.tables cimport OP_AND, OP_NOT, OP_OR, OP_VOTE

cdef enum:
    PLACES = 16  # nibbles of a word
    OPERANDS = 6


cdef inline unsigned int nibble(Operand a) noexcept nogil:
    return (a.value != 0) | a.q << 1


cdef inline void fill_logic(ScanState* s) noexcept nogil:
    """Write down what AND and OR give, by quality limit and both operands."""
    cdef int limit, a, b
    cdef Operand left, right
    for limit in range(1, 3):
        for a in range(OPERANDS):
            for b in range(OPERANDS):
                left = operand(<double>(a & 1), a >> 1)
                right = operand(<double>(b & 1), b >> 1)
                s.logic[limit - 1][a << 4 | b] = nibble(both(left, right, limit))
                s.logic[limit - 1][1 << 7 | a << 4 | b] = nibble(either(left, right, limit))


cdef inline bint is_logic(const Operation* code, Expression e) noexcept nogil:
    """Say whether an expression is made of logic alone and fits into a word."""
    cdef const Operation* i = code + e.start
    cdef const Operation* end = i + e.length
    cdef int depth = 0
    while i != end:
        if i.op == LEAF_COMPARE or i.op == LEAF_IS_GOOD or i.op == LEAF_IS_BAD:
            if i.then == 0:
                depth += 1
            elif i.then != OP_AND and i.then != OP_OR:
                return False
        elif i.op == OP_AND or i.op == OP_OR:
            depth -= 1
        elif i.op == OP_VOTE:
            depth -= i.count - 1
        elif i.op != OP_NOT:
            return False
        if depth > PLACES:
            return False
        i += 1
    return True


cdef inline u64 logic_leaf(const ScanState* s, const Operation* i, bint active) noexcept nogil:
    cdef int q = quality(s.status[i.arg])
    if i.op == LEAF_COMPARE:
        return comparison(s, i, active) | <u64>q << 1
    return q == (0 if i.op == LEAF_IS_GOOD else 2)


cdef inline u64 count_votes(u64 stack, int count, int needed, int limit) noexcept nogil:
    """Take the operands of a vote and put its result."""
    cdef int _, votes = 0
    for _ in range(count):
        votes += (<int>(stack >> 1 & 3) >= limit) | <int>(stack & 1)
        stack >>= 4
    return stack << 4 | <u64>(votes >= needed)


cdef inline Operand decide(
    const ScanState* s, const Operation* code, Expression e, int limit, bint active
) noexcept nogil:
    """Evaluate an expression of logic alone."""
    cdef const Operation* i = code + e.start
    cdef const Operation* end = i + e.length
    cdef const unsigned char* table = s.logic[limit - 1]
    cdef u64 stack = 0
    cdef u64 x
    while i != end:
        if i.op >= LEAF:
            x = logic_leaf(s, i, active)
            if i.then == 0:
                stack = stack << 4 | x
            else:
                stack = (stack & ~<u64>15) | table[(i.then == OP_OR) << 7 | (stack & 15) << 4 | x]
        elif i.op == OP_NOT:
            stack ^= 1
        elif i.op == OP_VOTE:
            stack = count_votes(stack, i.count, i.arg, limit)
        else:
            stack = (stack >> 8 << 4) | table[(i.op == OP_OR) << 7 | (stack & 0xFF)]
        i += 1
    return operand(<double>(stack & 1), <int>(stack >> 1 & 3))
