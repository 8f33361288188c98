"""The run's states: which command is permitted where, and what entering a state does."""

from libc.string cimport memset

from kernels.phases.emit cimport emit
from kernels.phases.state cimport Channel, ProgramTables, Run, ScanState
from kernels.phases.write cimport cancel_ramps, present
from kernels.tables cimport (
    CHANNELS,
    COMMAND_ABORT,
    COMMAND_CLEAR,
    COMMAND_HOLD,
    COMMAND_PAUSE,
    COMMAND_RESTART,
    COMMAND_RESUME,
    COMMAND_START,
    COMMAND_STOP,
    EVENT_RUN_STATE,
    REFUSAL_CONDITION_ACTIVE,
    REFUSAL_GATED,
    REFUSAL_NO_PROGRAM,
    REFUSAL_NONE,
    REFUSAL_WRONG_STATE,
    RUN_ABORTED,
    RUN_ABORTING,
    RUN_COMPLETE,
    RUN_HELD,
    RUN_HOLDING,
    RUN_IDLE,
    RUN_PAUSED,
    RUN_PAUSING,
    RUN_RESTARTING,
    RUN_RESUMING,
    RUN_RUNNING,
    RUN_STOPPED,
    RUN_STOPPING,
    StepRow,
)

cdef enum:
    CAUSE_COMMAND = 0
    CAUSE_CONDITION = 1
    CAUSE_PROGRAM = 2
    CAUSE_TIMEOUT = 3
    CAUSE_GUARD = 4
    CAUSE_FAULT = 5

# Sets of run states, one bit each.
cdef enum:
    END_STATES = 1 << RUN_STOPPED | 1 << RUN_ABORTED | 1 << RUN_COMPLETE
    REST = END_STATES | 1 << RUN_IDLE
    PAUSED_STATES = 1 << RUN_PAUSING | 1 << RUN_PAUSED | 1 << RUN_RESUMING
    HELD_STATES = 1 << RUN_HOLDING | 1 << RUN_HELD | 1 << RUN_RESTARTING
    UNDER_WAY = 1 << RUN_RUNNING | PAUSED_STATES | HELD_STATES
    HOLDABLE = 1 << RUN_RUNNING | PAUSED_STATES | 1 << RUN_RESTARTING
    ANY_STATE = (1 << (RUN_COMPLETE + 1)) - 1
    ABORTABLE = ANY_STATE & ~(1 << RUN_ABORTING | 1 << RUN_ABORTED)


cdef inline bint in_states(const Run* run, int states) noexcept nogil:
    return (states >> run.state) & 1


cdef inline int states_for(int command) noexcept nogil:
    """Return the states from which a command, a condition or a policy may act."""
    if command == COMMAND_START:
        return REST
    if command == COMMAND_PAUSE:
        return 1 << RUN_RUNNING
    if command == COMMAND_RESUME:
        return 1 << RUN_PAUSED
    if command == COMMAND_HOLD:
        return HOLDABLE
    if command == COMMAND_RESTART:
        return 1 << RUN_HELD
    if command == COMMAND_STOP:
        return UNDER_WAY
    if command == COMMAND_ABORT:
        return ABORTABLE
    return END_STATES  # CLEAR


cdef inline bint permitted(const Run* run, int command) noexcept nogil:
    return in_states(run, states_for(command))


cdef inline int refusal_of_run_command(const ScanState* s, int command) noexcept nogil:
    """Judge START … CLEAR as they stand."""
    cdef const Run* run = &s.run
    if not permitted(run, command):
        return REFUSAL_WRONG_STATE
    if command == COMMAND_START and run.slot < 0:
        return REFUSAL_NO_PROGRAM
    if command == COMMAND_START or command == COMMAND_RESTART:
        if s.counts.trips_in_force + s.counts.holds_in_force > 0:
            return REFUSAL_CONDITION_ACTIVE
    if command == COMMAND_START and not s.armed:
        return REFUSAL_GATED
    return REFUSAL_NONE


cdef inline ProgramTables* program(const Run* run) noexcept nogil:
    """Return the loaded program; a state that uses it is only reached with one."""
    return run.slots[run.slot]


cdef inline void start_at(Channel* channel, int pc) noexcept nogil:
    """Put a channel at an instruction, without cycles or a wait."""
    memset(channel, 0, sizeof(Channel))
    channel.on = True
    channel.pc = pc


cdef inline void enter(ScanState* s, int state, int cause) noexcept nogil:
    """Change the state, with what every entry does."""
    cdef Run* run = &s.run
    cdef int i
    emit(s, EVENT_RUN_STATE, state, <double>run.state, <double>cause)
    run.state = state
    if state == RUN_STOPPING or state == RUN_ABORTING or state == RUN_COMPLETE:
        cancel_ramps(s)
        for i in range(CHANNELS):
            run.channels[i].on = False
    elif state == RUN_RUNNING:
        run.saved = False


cdef inline void save(ScanState* s) noexcept nogil:
    """Keep what everything is asked for, unless a save is already held."""
    cdef int i, tag
    if s.run.saved:
        return
    for i in range(s.writable_count):
        tag = s.writable[i]
        s.saved_value[tag] = present(s, tag)
        s.saved_ramp[tag] = s.ramp[tag]
    s.run.saved = True


cdef inline void start_safe_sequence(Run* run) noexcept nogil:
    start_at(&run.auxiliary, run.safe.channels[0])
    run.auxiliary_program = run.safe


cdef inline void start_block(Run* run, int first) noexcept nogil:
    start_at(&run.auxiliary, first)
    run.auxiliary_program = program(run)


cdef inline void start_program(Run* run) noexcept nogil:
    run.step = -1
    run.run_elapsed = 0
    run.step_elapsed = 0
    memset(run.guard_count, 0, sizeof(run.guard_count))
    run.started_now = True
    memset(run.channels, 0, sizeof(run.channels))
    start_at(&run.channels[0], program(run).channels[0])


cdef inline const StepRow* step_of(const Run* run) noexcept nogil:
    """Return the step's row, NULL outside of a step."""
    return NULL if run.step < 0 else &program(run).steps[run.step]


cdef inline void act(ScanState* s, int command, int cause) noexcept nogil:
    """Carry out a permitted command of the run, a request or a policy."""
    cdef Run* run = &s.run
    cdef const StepRow* step
    if command == COMMAND_START:
        start_program(run)
        enter(s, RUN_RUNNING, cause)
    elif command == COMMAND_ABORT:
        start_safe_sequence(run)
        enter(s, RUN_ABORTING, cause)
    elif command == COMMAND_CLEAR:
        run.step = -1
        enter(s, RUN_IDLE, cause)
    else:
        step = step_of(run)
        if command == COMMAND_PAUSE:
            save(s)
            start_block(run, -1 if step == NULL else step.pause)
            enter(s, RUN_PAUSING, cause)
        elif command == COMMAND_RESUME:
            start_block(run, -1 if step == NULL else step.resume)
            enter(s, RUN_RESUMING, cause)
        elif command == COMMAND_HOLD:
            save(s)
            start_block(run, -1 if step == NULL else step.hold)
            enter(s, RUN_HOLDING, cause)
        elif command == COMMAND_RESTART:
            start_block(run, -1 if step == NULL else step.restart)
            enter(s, RUN_RESTARTING, cause)
        else:  # STOP
            if step == NULL or step.stop < 0:
                start_safe_sequence(run)
            else:
                start_block(run, step.stop)
            enter(s, RUN_STOPPING, cause)


cdef inline int state_after_block(int state) noexcept nogil:
    """Return where the end of the auxiliary block leads, -1 for a state without a block."""
    if state == RUN_PAUSING:
        return RUN_PAUSED
    if state == RUN_RESUMING or state == RUN_RESTARTING:
        return RUN_RUNNING
    if state == RUN_HOLDING:
        return RUN_HELD
    if state == RUN_STOPPING:
        return RUN_STOPPED
    if state == RUN_ABORTING:
        return RUN_ABORTED
    return -1


cdef inline bint timers_go_on(const Run* run) noexcept nogil:
    """Say whether timers and ramps of the program go on in this paused or held state."""
    cdef const StepRow* step = step_of(run) if in_states(run, PAUSED_STATES | HELD_STATES) else NULL
    if step == NULL:
        return False
    return step.timers & (1 if in_states(run, PAUSED_STATES) else 2) != 0
