# Proof, when kernels.scan is imported, that tables.pxd says what tables.py says. Included by scan.pyx.

import kernels.tables as columns


cdef void _prove_rows() except *:
    """Compare every struct with its dtype: names here, types, sizes and offsets by Cython's own buffer check."""
    cdef TagRow tag
    cdef ExpressionRow expression
    cdef CodeRow code
    cdef ConditionRow condition
    cdef EffectRow effect
    cdef LoopRow loop
    cdef MapRow map_row
    cdef ScheduleRow schedule
    cdef GroupRow group
    cdef MemberRow member
    cdef StepRow step
    cdef InstructionRow instruction
    cdef EventRow event
    cdef TapeRow tape
    cdef ConditionStateRow state
    memset(&tag, 0, sizeof(tag))
    memset(&expression, 0, sizeof(expression))
    memset(&code, 0, sizeof(code))
    memset(&condition, 0, sizeof(condition))
    memset(&effect, 0, sizeof(effect))
    memset(&loop, 0, sizeof(loop))
    memset(&map_row, 0, sizeof(map_row))
    memset(&schedule, 0, sizeof(schedule))
    memset(&group, 0, sizeof(group))
    memset(&member, 0, sizeof(member))
    memset(&step, 0, sizeof(step))
    memset(&instruction, 0, sizeof(instruction))
    memset(&event, 0, sizeof(event))
    memset(&tape, 0, sizeof(tape))
    memset(&state, 0, sizeof(state))
    _prove_names(columns.TAG, tag)
    _prove_names(columns.EXPRESSION, expression)
    _prove_names(columns.CODE, code)
    _prove_names(columns.CONDITION, condition)
    _prove_names(columns.EFFECT, effect)
    _prove_names(columns.LOOP, loop)
    _prove_names(columns.MAP, map_row)
    _prove_names(columns.SCHEDULE, schedule)
    _prove_names(columns.GROUP, group)
    _prove_names(columns.MEMBER, member)
    _prove_names(columns.STEP, step)
    _prove_names(columns.INSTRUCTION, instruction)
    _prove_names(columns.EVENT, event)
    _prove_names(columns.TAPE, tape)
    _prove_names(columns.CONDITION_STATE, state)
    cdef TagRow[::1] tags = np.zeros(1, columns.TAG)
    cdef ExpressionRow[::1] expressions = np.zeros(1, columns.EXPRESSION)
    cdef CodeRow[::1] codes = np.zeros(1, columns.CODE)
    cdef ConditionRow[::1] conditions = np.zeros(1, columns.CONDITION)
    cdef EffectRow[::1] effects = np.zeros(1, columns.EFFECT)
    cdef LoopRow[::1] loops = np.zeros(1, columns.LOOP)
    cdef MapRow[::1] maps = np.zeros(1, columns.MAP)
    cdef ScheduleRow[::1] schedules = np.zeros(1, columns.SCHEDULE)
    cdef GroupRow[::1] groups = np.zeros(1, columns.GROUP)
    cdef MemberRow[::1] members = np.zeros(1, columns.MEMBER)
    cdef StepRow[::1] steps = np.zeros(1, columns.STEP)
    cdef InstructionRow[::1] instructions = np.zeros(1, columns.INSTRUCTION)
    cdef EventRow[::1] events = np.zeros(1, columns.EVENT)
    cdef TapeRow[::1] tapes = np.zeros(1, columns.TAPE)
    cdef ConditionStateRow[::1] states = np.zeros(1, columns.CONDITION_STATE)


def _prove_names(dtype, row):
    if tuple(row) != dtype.names:
        raise ImportError(f"kernels/tables.pxd has {tuple(row)} where kernels/tables.py has {dtype.names}")


def _prove_constants(name, expected, found):
    if tuple(expected) != found:
        raise ImportError(f"kernels/tables.pxd has another {name} than kernels/tables.py")


def _prove_enumerations():
    _prove_constants("bounds", (
        columns.STACK_DEPTH, columns.LOOP_DEPTH, columns.GUARDS, columns.CHANNELS, columns.INSTRUCTIONS_PER_SCAN,
        columns.COMMANDS_PER_SCAN, columns.RATE_POINTS, columns.GROUP_MEMBERS,
    ), (
        STACK_DEPTH, LOOP_DEPTH, GUARDS, CHANNELS, INSTRUCTIONS_PER_SCAN, COMMANDS_PER_SCAN, RATE_POINTS, GROUP_MEMBERS,
    ))
    _prove_constants("Status", columns.Status, (
        GOOD, GOOD_LOCAL_OVERRIDE, UNCERTAIN, UNCERTAIN_LAST_USABLE, BAD, BAD_NO_COMMUNICATION,
        BAD_WAITING_FOR_INITIAL_DATA, BAD_OUT_OF_RANGE,
    ))
    _prove_constants("TagKind", columns.TagKind, (
        KIND_SYSTEM, KIND_INPUT, KIND_COMPUTED, KIND_SETPOINT, KIND_OUTPUT,
    ))
    _prove_constants("TagFlag", columns.TagFlag, (HAZARDOUS, OTHERWISE))
    _prove_constants("SystemTag", columns.SystemTag, (
        TAG_RUN_STATE, TAG_STEP, TAG_STEP_ELAPSED_S, TAG_RUN_ELAPSED_S, TAG_CYCLE, TAG_TRIPPED, TAG_LATCHED,
        TAG_BYPASSED, TAG_FORCED, TAG_SKIPPED_SLOTS, TAG_ARMED,
    ))
    _prove_constants("Op", columns.Op, (
        OP_CONST, OP_TAG, OP_NEG, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_ABS, OP_MIN, OP_MAX, OP_SQRT, OP_LT, OP_LE, OP_GT,
        OP_GE, OP_EQ, OP_NE, OP_AND, OP_OR, OP_NOT, OP_VOTE, OP_IS_GOOD, OP_IS_BAD, OP_RATE,
    ))
    _prove_constants("ConditionClass", columns.ConditionClass, (
        CLASS_TRIP, CLASS_HOLD, CLASS_PERMISSIVE, CLASS_WARNING,
    ))
    _prove_constants("ConditionFlag", columns.ConditionFlag, (
        FLAG_LATCH, FLAG_BYPASSABLE, FLAG_ACCEPT_UNCERTAIN, FLAG_SAFE_FROM_IDLE,
    ))
    _prove_constants("ConditionState", columns.ConditionState, (
        STATE_RAW, STATE_ACTIVE, STATE_LATCHED, STATE_BYPASSED, STATE_FIRST_OUT, STATE_UNKNOWN,
    ))
    _prove_constants("Instr", columns.Instr, (
        INSTR_END, INSTR_STEP, INSTR_SET, INSTR_RAMP, INSTR_WAIT, INSTR_STORE, INSTR_LOOP, INSTR_ENDLOOP, INSTR_BRANCH,
        INSTR_JUMP, INSTR_START, INSTR_JOIN, INSTR_CHECK, INSTR_RESTORE,
    ))
    _prove_constants("Policy", columns.Policy, (POLICY_HOLD, POLICY_ABORT, POLICY_CONTINUE, POLICY_STOP))
    _prove_constants("RunState", columns.RunState, (
        RUN_IDLE, RUN_RUNNING, RUN_PAUSING, RUN_PAUSED, RUN_RESUMING, RUN_HOLDING, RUN_HELD, RUN_RESTARTING,
        RUN_STOPPING, RUN_STOPPED, RUN_ABORTING, RUN_ABORTED, RUN_COMPLETE,
    ))
    _prove_constants("LoopMode", columns.LoopMode, (MODE_OFF, MODE_MANUAL, MODE_AUTO))
    _prove_constants("GroupState", columns.GroupState, (
        GROUP_PID, GROUP_MPC, GROUP_WAITING, GROUP_BAD_SENSOR, GROUP_INFEASIBLE, GROUP_STALE,
    ))
    _prove_constants("Command", columns.Command, (
        COMMAND_WRITE, COMMAND_LOAD, COMMAND_START, COMMAND_PAUSE, COMMAND_RESUME, COMMAND_HOLD, COMMAND_RESTART,
        COMMAND_STOP, COMMAND_ABORT, COMMAND_CLEAR, COMMAND_RESET, COMMAND_BYPASS, COMMAND_UNBYPASS, COMMAND_FORCE,
        COMMAND_UNFORCE, COMMAND_ARM, COMMAND_DISARM, COMMAND_TUNE,
    ))
    _prove_constants("Refusal", columns.Refusal, (
        REFUSAL_NONE, REFUSAL_BAD_TARGET, REFUSAL_WRONG_STATE, REFUSAL_OUT_OF_LIMITS, REFUSAL_CONDITION_ACTIVE,
        REFUSAL_NOT_BYPASSABLE, REFUSAL_NOT_WRITABLE, REFUSAL_NO_PROGRAM, REFUSAL_GATED,
    ))
    _prove_constants("Event", columns.Event, (
        EVENT_COMMAND, EVENT_RUN_STATE, EVENT_STEP, EVENT_CONDITION, EVENT_TIMEOUT, EVENT_GUARD, EVENT_LOOP_FAULT,
        EVENT_PROGRAM_FAULT, EVENT_SKIPPED, EVENT_BYPASS_EXPIRED, EVENT_CHECK_FAILED, EVENT_LOST,
        EVENT_CONTROL,
    ))
    _prove_constants("TapeKind", columns.TapeKind, (TAPE_INPUT, TAPE_COMMAND, TAPE_SKIP, TAPE_DIGEST))


_prove_rows()
_prove_enumerations()
