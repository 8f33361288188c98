"""Phase 4: the program — guard, channels, blocks and the safe sequence."""

from libc.math cimport fabs
from libc.string cimport memset

from kernels.phases.emit cimport emit
from kernels.phases.expression cimport Operand, evaluate, holds
from kernels.phases.run cimport (
    CAUSE_CONDITION,
    CAUSE_FAULT,
    CAUSE_GUARD,
    CAUSE_PROGRAM,
    CAUSE_TIMEOUT,
    REST,
    act,
    enter,
    in_states,
    permitted,
    program,
    start_at,
    state_after_block,
    step_of,
    timers_go_on,
)
from kernels.phases.state cimport Channel, ProgramTables, Ramp, Run, ScanState
from kernels.phases.write cimport clamp, make_unknown, present, quality, set_ramp, write
from kernels.tables cimport (
    CHANNELS,
    COMMAND_ABORT,
    COMMAND_HOLD,
    COMMAND_STOP,
    EVENT_CHECK_FAILED,
    EVENT_GUARD,
    EVENT_PROGRAM_FAULT,
    EVENT_STEP,
    EVENT_TIMEOUT,
    GUARDS,
    INSTR_BRANCH,
    INSTR_CHECK,
    INSTR_END,
    INSTR_ENDLOOP,
    INSTR_JOIN,
    INSTR_JUMP,
    INSTR_LOOP,
    INSTR_RAMP,
    INSTR_RESTORE,
    INSTR_SET,
    INSTR_START,
    INSTR_STEP,
    INSTR_STORE,
    INSTR_WAIT,
    INSTRUCTIONS_PER_SCAN,
    InstructionRow,
    KIND_SETPOINT,
    LOOP_DEPTH,
    POLICY_ABORT,
    POLICY_CONTINUE,
    POLICY_HOLD,
    RUN_COMPLETE,
    RUN_RUNNING,
    StepRow,
)

cdef enum:
    AUXILIARY = -1  # where program channels have their index

# What an instruction leaves behind.
cdef enum:
    GOES_ON = 0
    STOPS = 1  # blocked, ended, or the run's state has changed
    FAULTS = 2


cdef inline bint follow(ScanState* s, int policy, int cause) noexcept nogil:
    """Apply a policy; False when it is, or must act as, CONTINUE."""
    cdef int command
    if policy == POLICY_CONTINUE:
        return False
    command = COMMAND_HOLD if policy == POLICY_HOLD else (COMMAND_ABORT if policy == POLICY_ABORT else COMMAND_STOP)
    if not permitted(&s.run, command):
        return False
    act(s, command, cause)
    return True


# -------------------------------------------------------------------------------------------------- instructions
cdef inline void end_channel(ScanState* s, Channel* channel, int index) noexcept nogil:
    channel.on = False
    if index == AUXILIARY:
        enter(s, state_after_block(s.run.state), CAUSE_PROGRAM)
    elif index == 0:
        enter(s, RUN_COMPLETE, CAUSE_PROGRAM)


cdef inline int wait(ScanState* s, Channel* channel, const ProgramTables* p, const InstructionRow* i) noexcept nogil:
    if not channel.waiting:
        channel.waiting = True
        channel.wait = 0
    if not (channel.wait >= i.n and (i.arg < 0 or holds(s, &p.expressions, i.arg))):
        if not (i.timeout > 0 and channel.wait >= i.timeout):
            channel.wait += 1
            return STOPS
        emit(s, EVENT_TIMEOUT, channel.pc, <double>channel.wait)
        if follow(s, i.policy, CAUSE_TIMEOUT):
            return STOPS
    channel.waiting = False
    channel.pc += 1
    return GOES_ON


cdef inline int check(ScanState* s, Channel* channel, const ProgramTables* p, const InstructionRow* i) noexcept nogil:
    if not holds(s, &p.expressions, i.arg):
        emit(s, EVENT_CHECK_FAILED, channel.pc)
        if follow(s, i.policy, CAUSE_PROGRAM):
            return STOPS
    channel.pc += 1
    return GOES_ON


cdef inline int begin_cycle(Channel* channel, const InstructionRow* i) noexcept nogil:
    cdef int depth = channel.depth
    if i.n <= 0:
        channel.pc = i.jump
        return GOES_ON
    if depth == LOOP_DEPTH:
        return FAULTS
    channel.pc += 1
    channel.body[depth] = channel.pc
    channel.left[depth] = i.n
    channel.passes[depth] = i.n
    channel.depth = depth + 1
    return GOES_ON


cdef inline int end_cycle(
    ScanState* s, Channel* channel, const ProgramTables* p, const InstructionRow* i
) noexcept nogil:
    cdef int depth = channel.depth - 1
    if depth < 0:
        return FAULTS
    channel.left[depth] -= 1
    if channel.left[depth] > 0 and not (i.arg >= 0 and holds(s, &p.expressions, i.arg)):
        channel.pc = channel.body[depth]
    else:
        channel.depth = depth
        channel.pc += 1
    return GOES_ON


cdef inline void begin_ramp(ScanState* s, const InstructionRow* i, bint auxiliary) noexcept nogil:
    """From where the tag, or the process, is."""
    cdef int tag = i.arg
    cdef double target = clamp(i.value, s.tags[tag].low, s.tags[tag].high)
    cdef Ramp ramp
    if i.jump >= 0 and quality(s.status[i.jump]) < 2:
        write(s, tag, s.value[i.jump])
    if i.rate > 0:
        ramp.increment = i.rate
    elif i.n > 0:
        ramp.increment = fabs(target - present(s, tag)) / <double>i.n
    else:
        write(s, tag, target)
        return
    ramp.target = target
    ramp.on = True
    ramp.auxiliary = auxiliary
    set_ramp(s, tag, ramp)


cdef inline void store(ScanState* s, const ProgramTables* p, const InstructionRow* i) noexcept nogil:
    """Keep the result of an expression."""
    cdef Operand r = evaluate(s, p.expressions.code, p.expressions.rows[i.jump], 1, False)
    if r.q < 1:
        write(s, i.arg, r.value)
    elif s.tags[i.arg].kind == KIND_SETPOINT:
        make_unknown(s, i.arg)


cdef inline void restore(ScanState* s, int tag) noexcept nogil:
    """Give back what was held, ramp and all."""
    cdef Ramp ramp
    if s.run.saved:
        ramp = s.saved_ramp[tag]
        ramp.auxiliary = False
        write(s, tag, s.saved_value[tag])
        set_ramp(s, tag, ramp)


cdef inline int perform(
    ScanState* s, Channel* channel, const ProgramTables* p, const InstructionRow* i, int index
) noexcept nogil:
    """Execute one instruction."""
    cdef int op = i.op
    if op == INSTR_WAIT:
        return wait(s, channel, p, i)
    if op == INSTR_END:
        end_channel(s, channel, index)
        return STOPS
    if op == INSTR_CHECK:
        return check(s, channel, p, i)
    if op == INSTR_LOOP:
        return begin_cycle(channel, i)
    if op == INSTR_ENDLOOP:
        return end_cycle(s, channel, p, i)
    if op == INSTR_JUMP:
        channel.pc = i.jump
        return GOES_ON
    if op == INSTR_BRANCH:
        channel.pc = channel.pc + 1 if holds(s, &p.expressions, i.arg) else i.jump
        return GOES_ON
    if op == INSTR_JOIN and s.run.channels[i.arg].on:
        return STOPS
    if op == INSTR_STEP:
        s.run.step = i.arg
        s.run.step_elapsed = 0
        memset(s.run.guard_count, 0, sizeof(s.run.guard_count))
        emit(s, EVENT_STEP, i.arg)
    elif op == INSTR_SET:
        write(s, i.arg, i.value)
    elif op == INSTR_RAMP:
        begin_ramp(s, i, index == AUXILIARY)
    elif op == INSTR_STORE:
        store(s, p, i)
    elif op == INSTR_START:
        start_at(&s.run.channels[i.arg], program(&s.run).channels[i.arg])
    elif op == INSTR_RESTORE:
        restore(s, i.arg)
    channel.pc += 1
    return GOES_ON


cdef inline void execute(ScanState* s, Channel* channel, const ProgramTables* p, int index) noexcept nogil:
    """Run a channel until it blocks, ends, changes the run's state or has done too much."""
    cdef int _, result
    for _ in range(INSTRUCTIONS_PER_SCAN):
        if channel.pc < 0:
            end_channel(s, channel, index)
            return
        if channel.pc >= p.count:
            break
        result = perform(s, channel, p, &p.instructions[channel.pc], index)
        if result == STOPS:
            return
        if result == FAULTS:
            break
    emit(s, EVENT_PROGRAM_FAULT, channel.pc)
    if permitted(&s.run, COMMAND_ABORT):
        act(s, COMMAND_ABORT, CAUSE_FAULT)


# ------------------------------------------------------------------------------------------------------- the phase
cdef inline void answer_requests(ScanState* s) noexcept nogil:
    """Conditions newly in force: the stronger request acts, where the state permits it."""
    cdef bint abort = s.ask_abort_from_rest if in_states(&s.run, REST) else s.ask_abort
    if abort and permitted(&s.run, COMMAND_ABORT):
        act(s, COMMAND_ABORT, CAUSE_CONDITION)
    elif s.ask_hold and permitted(&s.run, COMMAND_HOLD):
        act(s, COMMAND_HOLD, CAUSE_CONDITION)


cdef inline void judge_one_guard(ScanState* s, const StepRow* step, int number) noexcept nogil:
    cdef Run* run = &s.run
    if step.guard < 0:
        return
    if holds(s, &program(run).expressions, step.guard):
        run.guard_count[number] = 0
        return
    run.guard_count[number] += 1
    if run.guard_count[number] <= step.guard_delay:
        return
    if step.guard_policy == POLICY_CONTINUE:
        if run.guard_count[number] == step.guard_delay + 1:
            emit(s, EVENT_GUARD, run.step, <double>number)
    else:
        emit(s, EVENT_GUARD, run.step, <double>number)
        follow(s, step.guard_policy, CAUSE_GUARD)


cdef inline void judge_guard(ScanState* s) noexcept nogil:
    cdef Run* run = &s.run
    cdef const StepRow* step = step_of(run)
    cdef int number
    if step == NULL:
        return
    for number in range(GUARDS):
        judge_one_guard(s, step, number)
        if step.also <= 0 or run.state != RUN_RUNNING:
            return
        step = &program(run).steps[step.also]


cdef inline void run_channels(ScanState* s) noexcept nogil:
    """RUNNING: timers, guard, channels in index order."""
    cdef Run* run = &s.run
    cdef int i
    if not run.started_now:
        run.run_elapsed += 1
        run.step_elapsed += 1
    judge_guard(s)
    for i in range(CHANNELS):
        if run.state != RUN_RUNNING:
            return
        if run.channels[i].on:
            execute(s, &run.channels[i], program(run), i)


cdef inline void advance_timers(Run* run) noexcept nogil:
    """Paused or held with timers going on: one scan more, also for every wait."""
    cdef int i
    run.run_elapsed += 1
    run.step_elapsed += 1
    for i in range(CHANNELS):
        if run.channels[i].on and run.channels[i].waiting:
            run.channels[i].wait += 1


cdef inline void run_program(ScanState* s) noexcept nogil:
    cdef Run* run = &s.run
    cdef int before
    answer_requests(s)
    if run.state == RUN_RUNNING:
        run_channels(s)
    elif timers_go_on(run):
        advance_timers(run)
    run.started_now = False
    # A block that leads to a state with another block hands over at once: from pausing … restarting to holding, from
    # these to stopping, from all to aborting, never back. So this ends.
    while state_after_block(run.state) >= 0:
        before = run.state
        execute(s, &run.auxiliary, run.auxiliary_program, AUXILIARY)
        if run.state == before:
            return


cdef inline long long completed_cycles(const Run* run) noexcept nogil:
    """Return the passes completed in the innermost cycle of the main channel."""
    cdef const Channel* main = &run.channels[0]
    if not main.on or main.depth == 0:
        return 0
    return main.passes[main.depth - 1] - main.left[main.depth - 1]
