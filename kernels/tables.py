"""The flat tables that the scan runs over: their columns, opcodes, states and status codes.

Each table is a numpy structured array with C layout; `kernels/tables.pxd` declares the same rows for Cython and the
scan checks the sizes when it is built. What every column means and in which order the scan works through the tables
is specified in docs/reference/scan.md, which both the scan and the oracle in the tests are written from. Durations
are whole scans, values are in the unit of their tag.
"""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

# ------------------------------------------------------------------------------------------ bounds of one scan
STACK_DEPTH = 32  # operands of an expression
LOOP_DEPTH = 8  # nested cycles of a channel
GUARDS = 8  # of a step
CHANNELS = 8  # parallel channels of a program, the main one included
INSTRUCTIONS_PER_SCAN = 256  # of one channel, before the program counts as faulty
COMMANDS_PER_SCAN = 64  # latched in one scan; the others wait for the next
RATE_POINTS = 60  # means of which a rate is the slope, at most
GROUP_MEMBERS = 8  # process values that one group controls


class Status(IntEnum):
    """OPC UA status codes that the scan itself assigns (Part 4, 7.39; Part 6 annex A)."""

    GOOD = 0x00000000
    GOOD_LOCAL_OVERRIDE = 0x00960000
    UNCERTAIN = 0x40000000
    UNCERTAIN_LAST_USABLE = 0x40900000
    BAD = 0x80000000
    BAD_NO_COMMUNICATION = 0x80310000
    BAD_WAITING_FOR_INITIAL_DATA = 0x80320000
    BAD_OUT_OF_RANGE = 0x803C0000


class TagKind(IntEnum):
    """Who writes a tag."""

    SYSTEM = 0  # the scan itself (see SystemTag)
    INPUT = 1  # an instrument, through the input table
    COMPUTED = 2  # an expression, each scan
    SETPOINT = 3  # program, loop or command; read by loops and expressions
    OUTPUT = 4  # program, loop or command; gated before it reaches the instrument


class TagFlag(IntFlag):
    """Properties of a tag."""

    HAZARDOUS = 1  # an output that stays at its safe value until the controller has armed the tool
    OTHERWISE = 2  # a computed tag that is `initial` at start and wherever its expression is unknown


class SystemTag(IntEnum):
    """The tags that every image starts with, at these indices."""

    RUN_STATE = 0  # RunState
    STEP = 1  # index of the step in the program, -1 outside of one
    STEP_ELAPSED_S = 2
    RUN_ELAPSED_S = 3
    CYCLE = 4  # completed passes of the innermost cycle of the main channel
    TRIPPED = 5  # number of active trips and holds that are not bypassed
    LATCHED = 6  # number of latched conditions that are no longer active
    BYPASSED = 7  # number of bypassed conditions
    FORCED = 8  # number of forced tags
    SKIPPED_SLOTS = 9  # scan slots that were skipped since the start
    ARMED = 10  # 1 when hazardous outputs may be energised


class Op(IntEnum):
    """Operations of an expression in postfix order."""

    CONST = 0
    TAG = 1
    NEG = 2
    ADD = 3
    SUB = 4
    MUL = 5
    DIV = 6
    ABS = 7
    MIN = 8
    MAX = 9
    SQRT = 10
    LT = 11
    LE = 12
    GT = 13
    GE = 14
    EQ = 15
    NE = 16
    AND = 17
    OR = 18
    NOT = 19
    VOTE = 20  # at least `arg` of the last `count` operands
    IS_GOOD = 21  # of tag `arg`
    IS_BAD = 22  # of tag `arg`
    RATE = 23  # change of tag `arg` per second, over the last `value` scans; in the tool's own expressions only


class ConditionClass(IntEnum):
    """What an active condition does besides its effects."""

    TRIP = 0  # aborts the run, or starts the safe sequence from idle
    HOLD = 1  # holds the run
    PERMISSIVE = 2  # only its effects, while it is active
    WARNING = 3  # nothing: an alarm


class ConditionFlag(IntFlag):
    """Declared properties of a condition."""

    LATCH = 1
    BYPASSABLE = 2
    ACCEPT_UNCERTAIN = 4
    SAFE_FROM_IDLE = 8  # a trip starts the safe sequence even when nothing runs


class ConditionState(IntFlag):
    """Bits of a condition's state in the image."""

    RAW = 1  # the expression votes, delays aside
    ACTIVE = 2  # RAW for the on-delay, until clear for the off-delay
    LATCHED = 4  # was active and has not been reset
    BYPASSED = 8
    FIRST_OUT = 16  # first of its group since the group was last clear
    UNKNOWN = 32  # RAW because an operand is Bad


class Instr(IntEnum):
    """Instructions of a program."""

    END = 0
    STEP = 1
    SET = 2
    RAMP = 3
    WAIT = 4
    STORE = 5
    LOOP = 6
    ENDLOOP = 7
    BRANCH = 8
    JUMP = 9
    START = 10
    JOIN = 11
    CHECK = 12
    RESTORE = 13


class Policy(IntEnum):
    """What follows when a wait times out, or a check or a guard fails."""

    HOLD = 0
    ABORT = 1
    CONTINUE = 2
    STOP = 3


class RunState(IntEnum):
    """States of the active program (ISA-88 part 1, 5.6, as in ISA-TR88.00.02)."""

    IDLE = 0
    RUNNING = 1
    PAUSING = 2
    PAUSED = 3
    RESUMING = 4
    HOLDING = 5
    HELD = 6
    RESTARTING = 7
    STOPPING = 8
    STOPPED = 9
    ABORTING = 10
    ABORTED = 11
    COMPLETE = 12


class LoopMode(IntEnum):
    """Values of a loop's mode tag."""

    OFF = 0
    MANUAL = 1
    AUTO = 2


class GroupState(IntEnum):
    """Who controls the loops of a group (values of its `report` tag)."""

    PID = 0  # its loops, each for itself
    MPC = 1  # the predictor, all of them
    WAITING = 2  # the predictor is chosen; a loop is not in AUTO, the estimate is new or a value out of range: PID
    BAD_SENSOR = 3  # fell back to PID: a measurement was Bad
    INFEASIBLE = 4  # fell back to PID: no move keeps the bounds, or the search does not end
    STALE = 5  # fell back to PID: what is measured is not what the model expects


class Command(IntEnum):
    """Commands that the scan latches."""

    WRITE = 0  # target: tag, a: value
    LOAD = 1  # target: program slot
    START = 2
    PAUSE = 3
    RESUME = 4
    HOLD = 5
    RESTART = 6
    STOP = 7
    ABORT = 8
    CLEAR = 9  # from an end state back to idle
    RESET = 10  # target: condition
    BYPASS = 11  # target: condition, a: scans
    UNBYPASS = 12  # target: condition
    FORCE = 13  # target: tag, a: value
    UNFORCE = 14  # target: tag
    ARM = 15
    DISARM = 16
    TUNE = 17  # target: loop, a: share of kp and kd, b: share of ki that count from now on


class Refusal(IntEnum):
    """Why a command was refused (`b` of its event)."""

    NONE = 0
    BAD_TARGET = 1
    WRONG_STATE = 2
    OUT_OF_LIMITS = 3
    CONDITION_ACTIVE = 4
    NOT_BYPASSABLE = 5
    NOT_WRITABLE = 6
    NO_PROGRAM = 7
    GATED = 8


class Event(IntEnum):
    """Kinds of event records; `index`, `a` and `b` mean what scan.md says of each."""

    COMMAND = 0
    RUN_STATE = 1
    STEP = 2
    CONDITION = 3
    TIMEOUT = 4
    GUARD = 5
    LOOP_FAULT = 6
    PROGRAM_FAULT = 7
    SKIPPED = 8
    BYPASS_EXPIRED = 9
    CHECK_FAILED = 10
    LOST = 11
    CONTROL = 12  # a group of loops is controlled by somebody else


class TapeKind(IntEnum):
    """Kinds of tape records."""

    INPUT = 0
    COMMAND = 1
    SKIP = 2
    DIGEST = 3  # value bits: running digest of outputs and statuses


# ------------------------------------------------------------------------------------------------------- tables
TAG = np.dtype(
    [
        ("kind", "i4"),
        ("flags", "i4"),
        ("age_uncertain", "i4"),  # INPUT: scans without a fresh value until Uncertain; 0 = never
        ("age_bad", "i4"),  # INPUT: the same until Bad; 0 = never
        ("expression", "i4"),  # COMPUTED; else -1
        ("loop", "i4"),  # OUTPUT: the loop that an effect on it switches off, else -1
        ("low", "f8"),  # INPUT: plausible; SETPOINT, OUTPUT: permitted
        ("high", "f8"),
        ("rate", "f8"),  # OUTPUT: greatest change a scan; 0 = unlimited
        ("initial", "f8"),  # SETPOINT: value at start; COMPUTED with OTHERWISE: at start and where unknown
        ("safe", "f8"),  # OUTPUT: value at start and while not permitted
    ],
    align=True,
)
EXPRESSION = np.dtype([("start", "i4"), ("length", "i4")], align=True)
CODE = np.dtype(
    [("op", "i4"), ("arg", "i4"), ("count", "i4"), ("pad", "i4"), ("value", "f8"), ("hysteresis", "f8")], align=True
)
CONDITION = np.dtype(
    [
        ("expression", "i4"),
        ("cls", "i4"),
        ("flags", "i4"),
        ("group", "i4"),  # first-out group, -1 = none
        ("on_delay", "i8"),
        ("off_delay", "i8"),
        ("max_bypass", "i8"),
        ("effect_start", "i4"),
        ("effect_count", "i4"),
        ("reset", "i4"),  # expression that has to be known and true for a reset, -1 = none
        ("pad", "i4"),
    ],
    align=True,
)
EFFECT = np.dtype([("output", "i4"), ("pad", "i4"), ("value", "f8")], align=True)
LOOP = np.dtype(
    [
        ("pv", "i4"),
        ("sp", "i4"),
        ("out", "i4"),
        ("mode", "i4"),
        ("ff", "i4"),  # feed-forward tag, -1 = none
        ("flags", "i4"),  # reserved, 0
        ("direction", "f8"),  # +1: more output raises the process value; -1: lowers it
        ("kp", "f8"),
        ("ki", "f8"),  # integral gain per scan: kp · period / Ti
        ("kd", "f8"),  # derivative gain per scan: kp · Td / period
        ("alpha", "f8"),  # filter of the derivative's measurement, 0 < alpha ≤ 1
        ("ff_gain", "f8"),
        ("bias", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("rate", "f8"),  # greatest change a scan; 0 = unlimited
        ("off", "f8"),  # output in mode OFF and after a fault
    ],
    align=True,
)
MAP = np.dtype([("source", "i4"), ("target", "i4"), ("x0", "f8"), ("x1", "f8"), ("y0", "f8"), ("y1", "f8")], align=True)
SCHEDULE = np.dtype(  # rows of one loop stand together, `at` rising: its gains between them lie on straight lines
    [("loop", "i4"), ("tag", "i4"), ("at", "f8"), ("kp", "f8"), ("ki", "f8"), ("kd", "f8")], align=True
)
GROUP = np.dtype(
    [
        ("select", "i4"),  # SETPOINT: 1 = the predictor is wanted
        ("report", "i4"),  # SETPOINT: a GroupState
        ("member_start", "i4"),
        ("member_count", "i4"),
        ("states", "i4"),
        ("points", "i4"),
        ("blocks", "i4"),
        ("iterations", "i4"),
        ("numbers", "i4"),  # where its numbers start: points in samples, then the matrices as in kernels/mpc.pxd
        ("settle", "i4"),  # samples until an estimate is good for control
        ("patience", "i4"),  # samples in which the search may fail its bounds
        ("pad", "i4"),
        ("every", "i8"),  # scans of a sample
        ("rho", "f8"),
        ("sigma", "f8"),
        ("relax", "f8"),
        ("tolerance", "f8"),  # by how much moves may fail their bounds, in the unit of the outputs
        ("watch", "f8"),  # share of the last sample in the mean innovation
        ("stale", "f8"),  # mean innovation from which the model is stale
        ("low", "f8"),  # process values for which the model is meant
        ("high", "f8"),
        ("margin", "f8"),  # further inside before the predictor takes over
    ],
    align=True,
)
MEMBER = np.dtype(
    [
        ("outer", "i4"),  # loop whose process value and set point are controlled
        ("inner", "i4"),  # loop whose output is moved; the same one where there is no cascade
        ("low", "f8"),
        ("high", "f8"),
        ("rate", "f8"),  # greatest change a sample
    ],
    align=True,
)
STEP = np.dtype(
    [
        ("pause", "i4"),  # first instruction of the block, -1 = none
        ("resume", "i4"),
        ("hold", "i4"),
        ("restart", "i4"),
        ("stop", "i4"),
        ("guard", "i4"),  # expression, -1 = none
        ("guard_policy", "i4"),
        ("timers", "i4"),  # bit 0: timers and ramps go on while paused, bit 1: while held
        ("guard_delay", "i8"),
        ("also", "i4"),  # a later row whose guard is judged with this one, 0 = none
        ("pad", "i4"),
    ],
    align=True,
)
INSTRUCTION = np.dtype(
    [
        ("op", "i4"),
        ("arg", "i4"),
        ("jump", "i4"),
        ("policy", "i4"),
        ("value", "f8"),
        ("rate", "f8"),
        ("n", "i8"),
        ("timeout", "i8"),
    ],
    align=True,
)

# ------------------------------------------------------------------------------------------ what the scan emits
EVENT = np.dtype([("scan", "i8"), ("kind", "i4"), ("index", "i4"), ("a", "f8"), ("b", "f8")], align=True)
TAPE = np.dtype(
    [
        ("scan", "i8"),
        ("kind", "i4"),
        ("index", "i4"),
        ("status", "u4"),
        ("op", "i4"),
        ("value", "f8"),
        ("value2", "f8"),
        ("source_ns", "i8"),
    ],
    align=True,
)
# State of a condition in the image.
CONDITION_STATE = np.dtype([("state", "u4"), ("trips", "u4"), ("last_trip", "i8"), ("bypass_left", "i8")], align=True)

_Rows = NDArray[np.void]


def _empty(dtype: np.dtype[np.void]) -> _Rows:
    return np.zeros(0, dtype)


@dataclass(frozen=True)
class Program:
    """What runs: instructions, the steps they name, and the expressions that they use. Jumps are absolute."""

    instructions: _Rows
    steps: _Rows = field(default_factory=lambda: _empty(STEP))
    expressions: _Rows = field(default_factory=lambda: _empty(EXPRESSION))
    code: _Rows = field(default_factory=lambda: _empty(CODE))
    channels: tuple[int, ...] = (0,)  # first instruction of each channel, main first


@dataclass(frozen=True)
class Tables:
    """A tool as the scan sees it. `safe` is the tool's safe sequence; its main channel is what runs."""

    period_s: float
    tags: _Rows
    expressions: _Rows
    code: _Rows
    conditions: _Rows
    effects: _Rows
    loops: _Rows
    maps: _Rows
    safe: Program
    schedules: _Rows = field(default_factory=lambda: _empty(SCHEDULE))
    groups: _Rows = field(default_factory=lambda: _empty(GROUP))
    members: _Rows = field(default_factory=lambda: _empty(MEMBER))
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Of all groups, one behind the other."""
