"""The rows of kernels/tables.py as C structs, and its enumerations as C constants.

`kernels.scan` proves when it is imported that both files say the same (`phases/agreement.pxi` is that proof).
"""

cdef enum:
    STACK_DEPTH = 32
    LOOP_DEPTH = 8
    GUARDS = 8
    CHANNELS = 8
    INSTRUCTIONS_PER_SCAN = 256
    COMMANDS_PER_SCAN = 64
    RATE_POINTS = 60
    GROUP_MEMBERS = 8

cdef enum:
    KIND_SYSTEM = 0
    KIND_INPUT = 1
    KIND_COMPUTED = 2
    KIND_SETPOINT = 3
    KIND_OUTPUT = 4

cdef enum:
    HAZARDOUS = 1
    OTHERWISE = 2

cdef enum:
    TAG_RUN_STATE = 0
    TAG_STEP = 1
    TAG_STEP_ELAPSED_S = 2
    TAG_RUN_ELAPSED_S = 3
    TAG_CYCLE = 4
    TAG_TRIPPED = 5
    TAG_LATCHED = 6
    TAG_BYPASSED = 7
    TAG_FORCED = 8
    TAG_SKIPPED_SLOTS = 9
    TAG_ARMED = 10
    SYSTEM_TAGS = 11

cdef enum:
    OP_CONST = 0
    OP_TAG = 1
    OP_NEG = 2
    OP_ADD = 3
    OP_SUB = 4
    OP_MUL = 5
    OP_DIV = 6
    OP_ABS = 7
    OP_MIN = 8
    OP_MAX = 9
    OP_SQRT = 10
    OP_LT = 11
    OP_LE = 12
    OP_GT = 13
    OP_GE = 14
    OP_EQ = 15
    OP_NE = 16
    OP_AND = 17
    OP_OR = 18
    OP_NOT = 19
    OP_VOTE = 20
    OP_IS_GOOD = 21
    OP_IS_BAD = 22
    OP_RATE = 23

cdef enum:
    CLASS_TRIP = 0
    CLASS_HOLD = 1
    CLASS_PERMISSIVE = 2
    CLASS_WARNING = 3

cdef enum:
    FLAG_LATCH = 1
    FLAG_BYPASSABLE = 2
    FLAG_ACCEPT_UNCERTAIN = 4
    FLAG_SAFE_FROM_IDLE = 8

cdef enum:
    STATE_RAW = 1
    STATE_ACTIVE = 2
    STATE_LATCHED = 4
    STATE_BYPASSED = 8
    STATE_FIRST_OUT = 16
    STATE_UNKNOWN = 32

cdef enum:
    INSTR_END = 0
    INSTR_STEP = 1
    INSTR_SET = 2
    INSTR_RAMP = 3
    INSTR_WAIT = 4
    INSTR_STORE = 5
    INSTR_LOOP = 6
    INSTR_ENDLOOP = 7
    INSTR_BRANCH = 8
    INSTR_JUMP = 9
    INSTR_START = 10
    INSTR_JOIN = 11
    INSTR_CHECK = 12
    INSTR_RESTORE = 13

cdef enum:
    POLICY_HOLD = 0
    POLICY_ABORT = 1
    POLICY_CONTINUE = 2
    POLICY_STOP = 3

cdef enum:
    RUN_IDLE = 0
    RUN_RUNNING = 1
    RUN_PAUSING = 2
    RUN_PAUSED = 3
    RUN_RESUMING = 4
    RUN_HOLDING = 5
    RUN_HELD = 6
    RUN_RESTARTING = 7
    RUN_STOPPING = 8
    RUN_STOPPED = 9
    RUN_ABORTING = 10
    RUN_ABORTED = 11
    RUN_COMPLETE = 12

cdef enum:
    MODE_OFF = 0
    MODE_MANUAL = 1
    MODE_AUTO = 2

cdef enum:
    COMMAND_WRITE = 0
    COMMAND_LOAD = 1
    COMMAND_START = 2
    COMMAND_PAUSE = 3
    COMMAND_RESUME = 4
    COMMAND_HOLD = 5
    COMMAND_RESTART = 6
    COMMAND_STOP = 7
    COMMAND_ABORT = 8
    COMMAND_CLEAR = 9
    COMMAND_RESET = 10
    COMMAND_BYPASS = 11
    COMMAND_UNBYPASS = 12
    COMMAND_FORCE = 13
    COMMAND_UNFORCE = 14
    COMMAND_ARM = 15
    COMMAND_DISARM = 16
    COMMAND_TUNE = 17

cdef enum:
    REFUSAL_NONE = 0
    REFUSAL_BAD_TARGET = 1
    REFUSAL_WRONG_STATE = 2
    REFUSAL_OUT_OF_LIMITS = 3
    REFUSAL_CONDITION_ACTIVE = 4
    REFUSAL_NOT_BYPASSABLE = 5
    REFUSAL_NOT_WRITABLE = 6
    REFUSAL_NO_PROGRAM = 7
    REFUSAL_GATED = 8

cdef enum:
    EVENT_COMMAND = 0
    EVENT_RUN_STATE = 1
    EVENT_STEP = 2
    EVENT_CONDITION = 3
    EVENT_TIMEOUT = 4
    EVENT_GUARD = 5
    EVENT_LOOP_FAULT = 6
    EVENT_PROGRAM_FAULT = 7
    EVENT_SKIPPED = 8
    EVENT_BYPASS_EXPIRED = 9
    EVENT_CHECK_FAILED = 10
    EVENT_LOST = 11
    EVENT_CONTROL = 12

cdef enum:
    GROUP_PID = 0
    GROUP_MPC = 1
    GROUP_WAITING = 2
    GROUP_BAD_SENSOR = 3
    GROUP_INFEASIBLE = 4
    GROUP_STALE = 5

cdef enum:
    TAPE_INPUT = 0
    TAPE_COMMAND = 1
    TAPE_SKIP = 2
    TAPE_DIGEST = 3

# Status codes do not fit an enum's int; C knows them as unsigned constants.
cdef extern from *:
    """
    #define CVD_GOOD 0x00000000u
    #define CVD_GOOD_LOCAL_OVERRIDE 0x00960000u
    #define CVD_UNCERTAIN 0x40000000u
    #define CVD_UNCERTAIN_LAST_USABLE 0x40900000u
    #define CVD_BAD 0x80000000u
    #define CVD_BAD_NO_COMMUNICATION 0x80310000u
    #define CVD_BAD_WAITING_FOR_INITIAL_DATA 0x80320000u
    #define CVD_BAD_OUT_OF_RANGE 0x803C0000u
    """
    const unsigned int GOOD "CVD_GOOD"
    const unsigned int GOOD_LOCAL_OVERRIDE "CVD_GOOD_LOCAL_OVERRIDE"
    const unsigned int UNCERTAIN "CVD_UNCERTAIN"
    const unsigned int UNCERTAIN_LAST_USABLE "CVD_UNCERTAIN_LAST_USABLE"
    const unsigned int BAD "CVD_BAD"
    const unsigned int BAD_NO_COMMUNICATION "CVD_BAD_NO_COMMUNICATION"
    const unsigned int BAD_WAITING_FOR_INITIAL_DATA "CVD_BAD_WAITING_FOR_INITIAL_DATA"
    const unsigned int BAD_OUT_OF_RANGE "CVD_BAD_OUT_OF_RANGE"

cdef struct TagRow:
    int kind
    int flags
    int age_uncertain
    int age_bad
    int expression
    int loop
    double low
    double high
    double rate
    double initial
    double safe

cdef struct ExpressionRow:
    int start
    int length

cdef struct CodeRow:
    int op
    int arg
    int count
    int pad
    double value
    double hysteresis

cdef struct ConditionRow:
    int expression
    int cls
    int flags
    int group
    long long on_delay
    long long off_delay
    long long max_bypass
    int effect_start
    int effect_count
    int reset
    int pad

cdef struct EffectRow:
    int output
    int pad
    double value

cdef struct LoopRow:
    int pv
    int sp
    int out
    int mode
    int ff
    int flags
    double direction
    double kp
    double ki
    double kd
    double alpha
    double ff_gain
    double bias
    double low
    double high
    double rate
    double off

cdef struct ScheduleRow:
    int loop
    int tag
    double at
    double kp
    double ki
    double kd

cdef struct GroupRow:
    int select
    int report
    int member_start
    int member_count
    int states
    int points
    int blocks
    int iterations
    int numbers
    int settle
    int patience
    int pad
    long long every
    double rho
    double sigma
    double relax
    double tolerance
    double watch
    double stale
    double low
    double high
    double margin

cdef struct MemberRow:
    int outer
    int inner
    double low
    double high
    double rate

cdef struct MapRow:
    int source
    int target
    double x0
    double x1
    double y0
    double y1

cdef struct StepRow:
    int pause
    int resume
    int hold
    int restart
    int stop
    int guard
    int guard_policy
    int timers
    long long guard_delay
    int also
    int pad

cdef struct InstructionRow:
    int op
    int arg
    int jump
    int policy
    double value
    double rate
    long long n
    long long timeout

cdef struct EventRow:
    long long scan
    int kind
    int index
    double a
    double b

cdef struct TapeRow:
    long long scan
    int kind
    int index
    unsigned int status
    int op
    double value
    double value2
    long long source_ns

cdef struct ConditionStateRow:
    unsigned int state
    unsigned int trips
    long long last_trip
    long long bypass_left
