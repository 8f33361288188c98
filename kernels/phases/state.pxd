"""Everything that one scan works on: the tool's tables, the image of its tags, mailboxes, queues and the run."""

from kernels.atomics cimport u64
from kernels.layout cimport ImageWriter
from kernels.memory cimport Arena
from kernels.mpc cimport Estimate, Predictor
from kernels.plant cimport PlantInput, PlantStep
from kernels.tables cimport (
    CHANNELS,
    ConditionRow,
    ConditionStateRow,
    EffectRow,
    GROUP_MEMBERS,
    GUARDS,
    GroupRow,
    EventRow,
    InstructionRow,
    LOOP_DEPTH,
    LoopRow,
    MapRow,
    MemberRow,
    RATE_POINTS,
    ScheduleRow,
    StepRow,
    TagRow,
    TapeRow,
)

cdef enum:
    PROGRAM_SLOTS = 2
    COMMAND_QUEUE = 1024
    EVENT_RING = 65536
    TAPE_RING = 262144  # 1 << 18
    DIGEST_EVERY = 100

# ---------------------------------------------------------------------------------------------- expressions
cdef struct Operation:
    # One row of CODE, or several that `prepare` has made one.
    unsigned char op
    unsigned char then  # operation of two operands that follows at once, 0 = none
    unsigned short count
    int arg
    double value
    double hysteresis  # 0 where it has no effect

cdef struct Expression:
    int start
    int length

cdef struct Expressions:
    Expression* rows
    Operation* code

# ---------------------------------------------------------------------------------------------------- inputs
cdef struct Letter:
    double value
    long long source
    unsigned int status
    unsigned int pad

cdef struct Mailbox:
    # One cache line. Posting n is written to letter n modulo 2 while the scan may be reading the other.
    u64 begun
    u64 done
    Letter letter[2]

cdef struct Correction:
    # What a calibration makes of a reading: (reading − offset) · gain. Before the tape, so a replay has none.
    double offset
    double gain

cdef struct Input:
    double raw_value
    double low
    double high
    long long arrival  # -1: nothing has ever arrived
    unsigned int raw_status
    int age_uncertain
    int age_bad
    int tag

# -------------------------------------------------------------------------------------------------- commands
cdef struct CommandRow:
    int op
    int target
    double a
    double b
    long long id

# -------------------------------------------------------------------------------------------- conditions, loops
cdef struct ConditionPlan:
    # What a turn needs first, beside its row: one cache line holds three of them.
    Expression expression
    int limit  # quality from which an operand is unknown
    int group  # dense index of its first-out group, -1 = none
    bint logic  # of comparisons, AND, OR, NOT and votes alone

cdef struct ConditionMemory:
    long long on_timer
    long long off_timer
    unsigned int before  # state bits at the end of the last turn
    bint in_force

cdef struct ConditionCounts:
    int trips_in_force
    int holds_in_force
    int in_force  # of any class
    int latched
    int bypassed

cdef struct RatePlan:
    int tag
    int points  # means in the window
    long long every  # scans of each mean
    double divisor

cdef struct RateMemory:
    long long last  # scan of the last update
    long long count  # scans in the mean that is being made
    int at  # where it will be put: the place of the oldest
    int rest  # means until nothing Uncertain is left in the window
    int quality
    bint filled
    double sum
    double value
    double ring[RATE_POINTS]

cdef struct LoopMemory:
    bint ready
    double filtered
    double previous
    double integral
    double error  # of the scan before
    double kp  # gains in force
    double ki
    double kd
    double tuned_p  # what tuning has made of kp and kd, as a share of what the tables say
    double tuned_i  # the same of ki
    bint held  # by its group: the predictor writes the output

cdef struct LoopPlan:
    # Which rows of the schedules are the loop's.
    int start
    int count

cdef struct GroupPlan:
    int measured
    int tag[2 * GROUP_MEMBERS]  # what is measured
    const double* points  # samples from now
    Predictor predictor
    Estimate estimate

cdef struct GroupMemory:
    long long last  # scan of the last sample
    long long counted  # scans whose outputs are in `sum`
    int settled  # samples that the estimate has followed
    int unsolved  # samples in a row in which the search failed its bounds
    int state
    bint ready
    double sum[GROUP_MEMBERS]

# --------------------------------------------------------------------------------------------------- program
cdef struct Ramp:
    double target
    double increment
    bint on
    bint auxiliary  # started by a block or the safe sequence, not by a program channel

cdef struct ProgramTables:
    InstructionRow* instructions
    StepRow* steps
    Expressions expressions
    int count
    int channel_count
    int channels[CHANNELS]
    Arena arena

cdef struct Channel:
    bint on
    bint waiting
    int pc  # -1: a missing block
    int depth
    long long wait
    int body[LOOP_DEPTH]
    long long left[LOOP_DEPTH]
    long long passes[LOOP_DEPTH]

cdef struct Run:
    int state
    int step
    int slot  # of the loaded program, -1 = none
    bint started_now
    bint saved
    long long run_elapsed
    long long step_elapsed
    long long guard_count[GUARDS]
    ProgramTables* slots[PROGRAM_SLOTS]
    ProgramTables* safe
    ProgramTables* auxiliary_program
    Channel channels[CHANNELS]
    Channel auxiliary

# ------------------------------------------------------------------------------------------------------- rows
cdef struct RowCopy:
    double* value
    unsigned int* status
    long long* source
    ConditionStateRow* conditions

cdef struct ScanState:
    double period_s
    long long k
    long long skipped
    int tag_count
    int condition_count
    int loop_count
    int map_count
    int group_count
    int rate_count
    int plain_rates  # of tags that are not computed; they come first

    # Tables.
    TagRow* tags
    Expressions expressions
    ConditionRow* conditions
    ConditionPlan* plans
    unsigned char logic[2][256]  # by quality limit − 1; AND or OR, operands (phases/logic.pxd)
    EffectRow* effects
    LoopRow* loops
    MapRow* maps
    RatePlan* rates
    ScheduleRow* schedules
    LoopPlan* loop_plans
    GroupRow* groups
    GroupPlan* group_plans
    MemberRow* members
    double* numbers
    double* reference  # of the group whose turn it is

    # Tags by kind, in tag order.
    int input_count
    int computed_count
    int output_count
    int writable_count
    int stamped_count
    int* computed
    int* outputs
    int* writable  # SETPOINT and OUTPUT
    int* stamped  # SYSTEM, SETPOINT and OUTPUT: source is the time of their last change

    # The image.
    double* value
    unsigned int* status
    long long* source
    double* demand
    Ramp* ramp
    double* saved_value
    Ramp* saved_ramp
    unsigned char* forced
    double* forced_value
    int forced_count
    int ramp_count
    bint armed

    # Inputs: dense, `input_of[tag]` is their index or -1.
    Input* inputs
    long long* input_due  # the scan in which age or a force next changes what an input shows
    int* input_of
    Mailbox* mail
    u64* mail_flags  # one bit an input: its mailbox holds a letter
    double* plant_value
    unsigned int* plant_status
    u64* plant_flags
    Correction* corrections  # two an input: the one in force, and the one that is written
    u64* correction_at  # which of them is in force
    int flag_words

    # Conditions, loops, run.
    ConditionStateRow* condition
    ConditionMemory* condition_memory
    int* group_members  # active or latched ones of each first-out group
    ConditionCounts counts
    bint ask_abort  # requests of conditions newly in force, gathered in phase 3
    bint ask_abort_from_rest
    bint ask_hold
    LoopMemory* loop_memory
    GroupMemory* group_memory
    double* estimates
    RateMemory* rate_memory
    int* effect_row  # by tag: row of the effect that applies
    long long* effect_scan  # by tag: the scan for which effect_row is meant
    Run run
    void* handed_over[PROGRAM_SLOTS]  # ProgramTables from load(), until the scan adopts them
    void* retired[PROGRAM_SLOTS]  # what the scan has let go of, until load() frees it

    # Out.
    u64 scans_begun  # differs from scans_done while a scan is under way
    u64 scans_done
    u64 copy_wanted  # a reader met scans under way all the time
    u64 copy_begun
    u64 copy_done
    RowCopy copies[2]
    double* shown_value  # of the stamped tags, in the row before
    unsigned int* shown_status
    int conditions_unpublished  # rows in which the condition states have to be written yet
    u64 digest
    ImageWriter image
    bint publishes
    int log_every

    # The whole state, for somebody who does not run the scan (keep.pxd).
    char* keep_into
    u64 keep_wanted
    u64 keep_done

    # Queues: single producer, single consumer.
    CommandRow* commands
    u64 command_head
    u64 command_tail
    EventRow* events
    u64 event_head
    u64 event_tail
    long long events_lost
    TapeRow* tape
    bint taping
    u64 tape_head
    u64 tape_tail
    u64 tape_lost

    # Plant.
    PlantStep* plant
    PlantInput* plant_inputs
