"""Phase 3: conditions — votes, delays, latches, first-out, bypasses, and what they ask of the run."""

from kernels.phases.emit cimport emit
from kernels.phases.expression cimport Operand, evaluate
from kernels.phases.logic cimport decide
from kernels.phases.state cimport ConditionCounts, ConditionMemory, ConditionPlan, ScanState
from kernels.tables cimport (
    CLASS_HOLD,
    CLASS_TRIP,
    ConditionRow,
    ConditionStateRow,
    EVENT_BYPASS_EXPIRED,
    EVENT_CONDITION,
    FLAG_LATCH,
    FLAG_SAFE_FROM_IDLE,
    STATE_ACTIVE,
    STATE_BYPASSED,
    STATE_FIRST_OUT,
    STATE_LATCHED,
    STATE_RAW,
    STATE_UNKNOWN,
)

cdef enum:
    ALIVE = STATE_ACTIVE | STATE_LATCHED
    TOLD = STATE_ACTIVE | STATE_LATCHED | STATE_BYPASSED


cdef inline bint delayed(const ConditionRow* row, ConditionMemory* m, bint active, bint raw) noexcept nogil:
    """Advance the timers and return whether the condition is active now."""
    if raw:
        m.off_timer = 0
        if active or m.on_timer >= row.on_delay:
            return True
        m.on_timer += 1
        return False
    m.on_timer = 0
    if not active or m.off_timer >= row.off_delay:
        return False
    m.off_timer += 1
    return True


cdef inline void set_alive(ScanState* s, int group, unsigned int before, unsigned int after) noexcept nogil:
    """Keep count of the active or latched conditions of a first-out group."""
    if group >= 0:
        s.group_members[group] += (after & ALIVE != 0) - (before & ALIVE != 0)


cdef inline unsigned int next_state(ScanState* s, int index, bint raw, bint unknown) noexcept nogil:
    """Return the state bits of this scan; counts a trip."""
    cdef const ConditionRow* row = &s.conditions[index]
    cdef ConditionMemory* m = &s.condition_memory[index]
    cdef ConditionStateRow* c = &s.condition[index]
    cdef unsigned int state = c.state & (STATE_LATCHED | STATE_FIRST_OUT)
    cdef bint was_active = c.state & STATE_ACTIVE != 0
    cdef bint active = delayed(row, m, was_active, raw)
    cdef int group = s.plans[index].group
    cdef int others
    if active and not was_active:
        c.trips += 1
        c.last_trip = s.k
        if row.flags & FLAG_LATCH:
            state |= STATE_LATCHED
        if group >= 0:
            others = s.group_members[group] - (c.state & ALIVE != 0)
            if others == 0:
                state |= STATE_FIRST_OUT
    if active:
        state |= STATE_ACTIVE
    if raw:
        state |= STATE_RAW
    if unknown:
        state |= STATE_UNKNOWN
    if c.bypass_left > 0:
        state |= STATE_BYPASSED
    if not state & ALIVE:
        state &= ~<unsigned int>STATE_FIRST_OUT
    set_alive(s, group, c.state, state)
    return state


cdef inline void ask(ScanState* s, const ConditionRow* row) noexcept nogil:
    """Note what a condition newly in force asks of the run; phase 4 decides."""
    if row.cls == CLASS_HOLD:
        s.ask_hold = True
    elif row.cls == CLASS_TRIP:
        s.ask_abort = True
        if row.flags & FLAG_SAFE_FROM_IDLE:
            s.ask_abort_from_rest = True


cdef inline void judge_further(
    ScanState* s, int index, bint raw, bint unknown, ConditionCounts* counts
) noexcept nogil:
    """The rest of a turn: delays, latch, bypass, and what follows."""
    cdef const ConditionRow* row = &s.conditions[index]
    cdef ConditionMemory* m = &s.condition_memory[index]
    cdef ConditionStateRow* c = &s.condition[index]
    cdef bint was_in_force = m.in_force
    s.conditions_unpublished = 2
    c.state = next_state(s, index, raw, unknown)
    if (c.state ^ m.before) & TOLD:
        emit(s, EVENT_CONDITION, index, <double>c.state, <double>c.trips)
    m.before = c.state
    if c.state & STATE_BYPASSED:
        counts.bypassed += 1
        c.bypass_left -= 1
        if c.bypass_left == 0:
            emit(s, EVENT_BYPASS_EXPIRED, index)
    if c.state & ALIVE == STATE_LATCHED:
        counts.latched += 1
    m.in_force = c.state & ALIVE != 0 and not c.state & STATE_BYPASSED
    if m.in_force:
        counts.in_force += 1
        counts.trips_in_force += row.cls == CLASS_TRIP
        counts.holds_in_force += row.cls == CLASS_HOLD
        if not was_in_force:
            ask(s, row)


cdef inline void judge(ScanState* s, int index, ConditionCounts* counts) noexcept nogil:
    """Give one condition its turn."""
    cdef const ConditionPlan* plan = &s.plans[index]
    cdef ConditionMemory* m = &s.condition_memory[index]
    cdef ConditionStateRow* c = &s.condition[index]
    cdef bint active = c.state & STATE_ACTIVE != 0
    cdef bint unknown
    cdef Operand r
    if plan.logic and plan.expression.length > 1:
        r = decide(s, s.expressions.code, plan.expression, plan.limit, active)
    else:
        r = evaluate(s, s.expressions.code, plan.expression, plan.limit, active)
    unknown = r.q >= plan.limit
    if (c.state | m.before) == 0 and not unknown and r.value == 0 and c.bypass_left == 0:
        m.on_timer = 0  # the quiet majority: nothing else can change
        m.in_force = False
    else:
        judge_further(s, index, unknown or r.value != 0, unknown, counts)


cdef inline void judge_conditions(ScanState* s) noexcept nogil:
    cdef ConditionCounts counts
    cdef int i
    counts.trips_in_force = counts.holds_in_force = counts.in_force = counts.latched = counts.bypassed = 0
    s.ask_abort = s.ask_abort_from_rest = s.ask_hold = False
    for i in range(s.condition_count):
        judge(s, i, &counts)
    s.counts = counts
