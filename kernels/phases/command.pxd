"""Phase 1, commands: each is carried out at once, or refused, and told."""

from kernels.atomics cimport exchange_pointer, load_acquire, load_pointer, store_release, u64
from kernels.phases.condition cimport ALIVE, set_alive
from kernels.phases.emit cimport emit, record, tape_row
from kernels.phases.expression cimport holds
from kernels.phases.run cimport REST, act, in_states, refusal_of_run_command
from kernels.phases.state cimport COMMAND_QUEUE, CommandRow, PROGRAM_SLOTS, ProgramTables, ScanState
from kernels.phases.write cimport is_finite, write
from kernels.tables cimport (
    COMMAND_ARM,
    COMMAND_BYPASS,
    COMMAND_CLEAR,
    COMMAND_DISARM,
    COMMAND_FORCE,
    COMMAND_LOAD,
    COMMAND_RESET,
    COMMAND_START,
    COMMAND_TUNE,
    COMMAND_UNBYPASS,
    COMMAND_UNFORCE,
    COMMAND_WRITE,
    COMMANDS_PER_SCAN,
    ConditionStateRow,
    EVENT_COMMAND,
    FLAG_BYPASSABLE,
    KIND_INPUT,
    KIND_OUTPUT,
    KIND_SETPOINT,
    REFUSAL_BAD_TARGET,
    REFUSAL_CONDITION_ACTIVE,
    REFUSAL_NO_PROGRAM,
    REFUSAL_NONE,
    REFUSAL_NOT_BYPASSABLE,
    REFUSAL_NOT_WRITABLE,
    REFUSAL_OUT_OF_LIMITS,
    REFUSAL_WRONG_STATE,
    STATE_ACTIVE,
    STATE_LATCHED,
    STATE_RAW,
    TAPE_COMMAND,
    TagRow,
    TapeRow,
)


cdef enum:
    MOST_SHARE = 100  # of the tables' gains that tuning makes, and as its inverse the least


cdef inline void adopt_programs(ScanState* s) noexcept nogil:
    """Take over what load() has handed in: at once, but never under a run that uses the slot."""
    cdef int slot
    cdef ProgramTables* new
    for slot in range(PROGRAM_SLOTS):
        if load_pointer(&s.handed_over[slot]) == NULL or load_pointer(&s.retired[slot]) != NULL:
            continue
        if slot == s.run.slot and not in_states(&s.run, REST):
            continue
        new = <ProgramTables*>exchange_pointer(&s.handed_over[slot], NULL)
        if new != NULL:
            exchange_pointer(&s.retired[slot], <void*>s.run.slots[slot])
            s.run.slots[slot] = new


cdef inline void unforce(ScanState* s, int tag) noexcept nogil:
    if s.forced[tag]:
        s.forced[tag] = 0
        s.forced_count -= 1
        if s.input_of[tag] >= 0:
            s.input_due[s.input_of[tag]] = s.k  # shows from the next scan on


cdef inline void force(ScanState* s, int tag, double value) noexcept nogil:
    unforce(s, tag)
    s.forced[tag] = 1
    s.forced_value[tag] = value
    s.forced_count += 1
    if s.input_of[tag] >= 0:
        s.input_due[s.input_of[tag]] = s.k


cdef inline int command_tag(ScanState* s, const CommandRow* c) noexcept nogil:
    """WRITE, FORCE and UNFORCE."""
    cdef const TagRow* tag
    if c.target < 0 or c.target >= s.tag_count:
        return REFUSAL_BAD_TARGET
    tag = &s.tags[c.target]
    if tag.kind != KIND_OUTPUT and tag.kind != (KIND_SETPOINT if c.op == COMMAND_WRITE else KIND_INPUT):
        return REFUSAL_NOT_WRITABLE
    if c.op == COMMAND_UNFORCE:
        unforce(s, c.target)
        return REFUSAL_NONE
    if not is_finite(c.a) or (tag.kind != KIND_INPUT and (c.a < tag.low or c.a > tag.high)):
        return REFUSAL_OUT_OF_LIMITS
    if c.op == COMMAND_WRITE:
        write(s, c.target, c.a)
        return REFUSAL_NONE
    force(s, c.target, c.a)
    return REFUSAL_NONE


cdef inline long long bypass_scans(double a, long long greatest) noexcept nogil:
    """Return `a` truncated, or 0 when it is not within 1 … greatest (compared exactly)."""
    cdef long long scans
    if not (a >= 1 and a < 9.2e18):
        return 0
    scans = <long long>a
    return scans if scans < greatest or (scans == greatest and a == <double>scans) else 0


cdef inline int command_condition(ScanState* s, const CommandRow* c) noexcept nogil:
    """RESET, BYPASS and UNBYPASS."""
    cdef ConditionStateRow* condition
    cdef long long scans
    cdef unsigned int cleared
    if c.target < 0 or c.target >= s.condition_count:
        return REFUSAL_BAD_TARGET
    condition = &s.condition[c.target]
    s.conditions_unpublished = 2
    if c.op == COMMAND_RESET:
        if condition.state & (STATE_RAW | STATE_ACTIVE):
            return REFUSAL_CONDITION_ACTIVE
        if s.conditions[c.target].reset >= 0 and not holds(s, &s.expressions, s.conditions[c.target].reset):
            return REFUSAL_CONDITION_ACTIVE
        cleared = condition.state & ~<unsigned int>STATE_LATCHED
        set_alive(s, s.plans[c.target].group, condition.state, cleared)
        condition.state = cleared
    elif c.op == COMMAND_BYPASS:
        if not s.conditions[c.target].flags & FLAG_BYPASSABLE:
            return REFUSAL_NOT_BYPASSABLE
        scans = bypass_scans(c.a, s.conditions[c.target].max_bypass)
        if scans == 0:
            return REFUSAL_OUT_OF_LIMITS
        condition.bypass_left = scans
    else:
        condition.bypass_left = 0
    return REFUSAL_NONE


cdef inline int command_loop(ScanState* s, const CommandRow* c) noexcept nogil:
    """TUNE."""
    if c.target < 0 or c.target >= s.loop_count:
        return REFUSAL_BAD_TARGET
    if not (1.0 / MOST_SHARE <= c.a <= MOST_SHARE and 1.0 / MOST_SHARE <= c.b <= MOST_SHARE):
        return REFUSAL_OUT_OF_LIMITS
    s.loop_memory[c.target].tuned_p = c.a
    s.loop_memory[c.target].tuned_i = c.b
    return REFUSAL_NONE


cdef inline int command_load(ScanState* s, int slot) noexcept nogil:
    if slot < 0 or slot >= PROGRAM_SLOTS:
        return REFUSAL_BAD_TARGET
    if not in_states(&s.run, REST):
        return REFUSAL_WRONG_STATE
    if s.run.slots[slot] == NULL:
        return REFUSAL_NO_PROGRAM
    s.run.slot = slot
    return REFUSAL_NONE


cdef inline int carry_out(ScanState* s, const CommandRow* c) noexcept nogil:
    """Carry out one command and return REFUSAL_NONE, or say why not."""
    cdef int refusal
    if c.op == COMMAND_WRITE or c.op == COMMAND_FORCE or c.op == COMMAND_UNFORCE:
        return command_tag(s, c)
    if COMMAND_RESET <= c.op <= COMMAND_UNBYPASS:
        return command_condition(s, c)
    if COMMAND_START <= c.op <= COMMAND_CLEAR:
        refusal = refusal_of_run_command(s, c.op)
        if refusal == REFUSAL_NONE:
            act(s, c.op, 0)
        return refusal
    if c.op == COMMAND_LOAD:
        return command_load(s, c.target)
    if c.op == COMMAND_ARM:
        if s.counts.trips_in_force > 0:
            return REFUSAL_CONDITION_ACTIVE
        s.armed = True
        return REFUSAL_NONE
    if c.op == COMMAND_DISARM:
        s.armed = False
        return REFUSAL_NONE
    if c.op == COMMAND_TUNE:
        return command_loop(s, c)
    return REFUSAL_BAD_TARGET


cdef inline void latch_commands(ScanState* s) noexcept nogil:
    """Take commands in the order of the queue, a bounded number of them."""
    cdef u64 head = load_acquire(&s.command_head)
    cdef CommandRow c
    cdef TapeRow* row
    cdef int taken = 0
    while s.command_tail != head and taken < COMMANDS_PER_SCAN:
        c = s.commands[s.command_tail % COMMAND_QUEUE]
        store_release(&s.command_tail, s.command_tail + 1)
        taken += 1
        row = tape_row(s, s.k, TAPE_COMMAND)
        if row != NULL:
            row.op = c.op
            row.index = c.target
            row.value = c.a
            row.value2 = c.b
            row.source_ns = c.id
            record(s)
        emit(s, EVENT_COMMAND, c.op, <double>c.id, <double>carry_out(s, &c))
