"""Phase 1, inputs: take new letters, judge range and age, apply forces. And phase 2: computed tags."""

from kernels.atomics cimport exchange, fence_acquire, fence_release, fetch_or, load_acquire, load_relaxed, store_relaxed
from kernels.atomics cimport store_release, u64
from kernels.phases.emit cimport tape_input
from kernels.phases.expression cimport Operand, evaluate, newest_source
from kernels.phases.rate cimport follow
from kernels.phases.state cimport Correction, Expression, Input, Letter, Mailbox, ScanState
from kernels.phases.write cimport is_finite, quality, quiet_nan
from kernels.tables cimport (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_OUT_OF_RANGE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    GOOD_LOCAL_OVERRIDE,
    OTHERWISE,
    UNCERTAIN,
    UNCERTAIN_LAST_USABLE,
)

cdef enum:
    READ_ATTEMPTS = 4  # of a mailbox that is being written just now; then the next scan takes the letter

cdef extern from *:
    """
    #define CVD_NEVER 0x7FFFFFFFFFFFFFFFLL
    """
    const long long NEVER "CVD_NEVER"
    int lowest_bit "__builtin_ctzll"(u64 word) noexcept nogil


cdef inline void put_letter(
    ScanState* s, int input, double value, unsigned int status, long long source
) noexcept nogil:
    """Post (one poster at a time: the callers hold the GIL). The scan never waits for the end of it."""
    cdef Mailbox* mail = &s.mail[input]
    cdef u64 number = mail.done
    cdef Letter* letter = &mail.letter[number & 1]
    store_relaxed(&mail.begun, number + 1)
    fence_release()
    letter.value = value
    letter.source = source
    letter.status = status
    store_release(&mail.done, number + 1)
    fetch_or(&s.mail_flags[input >> 6], <u64>1 << (input & 63))


cdef inline bint take_letter(Mailbox* mail, Letter* letter) noexcept nogil:
    """Copy the newest letter; False when it kept changing underneath."""
    cdef u64 number
    cdef int _
    for _ in range(READ_ATTEMPTS):
        number = load_acquire(&mail.done)
        letter[0] = mail.letter[(number - 1) & 1]
        fence_acquire()
        if load_relaxed(&mail.begun) <= number + 1:  # the letter after the next would overwrite this one
            return True
    return False


cdef inline void arrive(
    ScanState* s, int index, double value, unsigned int status, long long source
) noexcept nogil:
    cdef Input* input = &s.inputs[index]
    cdef const Correction* correction = &s.corrections[2 * index + <int>load_acquire(&s.correction_at[index])]
    value = (value - correction.offset) * correction.gain
    input.raw_value = value
    input.raw_status = status
    input.arrival = s.k
    s.source[input.tag] = source
    s.input_due[index] = s.k
    tape_input(s, input.tag, value, status, source)


cdef inline void collect_letters(ScanState* s, long long wall_ns) noexcept nogil:
    """Take what was posted, in tag order. What a plant says counts as posted last."""
    cdef int word, index
    cdef u64 posted, by_plant, mask
    cdef Letter letter
    for word in range(s.flag_words):
        posted = load_relaxed(&s.mail_flags[word])
        if posted:
            posted = exchange(&s.mail_flags[word], 0)
        by_plant = s.plant_flags[word]
        s.plant_flags[word] = 0
        posted |= by_plant
        while posted:
            index = (word << 6) + lowest_bit(posted)
            mask = posted & (~posted + 1)
            posted ^= mask
            if by_plant & mask:
                arrive(s, index, s.plant_value[index], s.plant_status[index], wall_ns)
            elif take_letter(&s.mail[index], &letter):
                arrive(s, index, letter.value, letter.status, letter.source)
            else:
                fetch_or(&s.mail_flags[word], mask)


cdef inline unsigned int aged(
    const ScanState* s, const Input* input, unsigned int status, long long* due
) noexcept nogil:
    """Return the status that a plausible value has at its age, and when that changes next."""
    cdef long long bad = input.arrival + input.age_bad if input.age_bad > 0 else NEVER
    cdef long long uncertain = NEVER
    if input.age_uncertain > 0 and quality(status) == 0:
        uncertain = input.arrival + input.age_uncertain
    if s.k >= bad:
        return BAD_NO_COMMUNICATION
    if s.k >= uncertain:
        due[0] = bad
        return UNCERTAIN_LAST_USABLE
    due[0] = bad if bad < uncertain else uncertain
    return status


cdef inline void judge_input(ScanState* s, int index) noexcept nogil:
    """Set value and status of an input by range, age and force; note when they will next change by themselves."""
    cdef const Input* input = &s.inputs[index]
    cdef int tag = input.tag
    cdef double value = input.raw_value
    cdef unsigned int status = input.raw_status
    cdef long long due = NEVER
    if input.arrival < 0:
        value = quiet_nan()
        status = BAD_WAITING_FOR_INITIAL_DATA
    elif not status & BAD:
        if not is_finite(value) or value < input.low or value > input.high:
            status = BAD_OUT_OF_RANGE
        else:
            status = aged(s, input, status, &due)
    if s.forced[tag]:
        value = s.forced_value[tag]
        status = GOOD_LOCAL_OVERRIDE
    s.value[tag] = value
    s.status[tag] = status
    s.input_due[index] = due


cdef inline void latch_inputs(ScanState* s, long long wall_ns) noexcept nogil:
    """Take letters, then judge the inputs that have one, have come to an age, or were forced or unforced."""
    cdef int i
    collect_letters(s, wall_ns)
    for i in range(s.input_count):
        if s.input_due[i] <= s.k:
            judge_input(s, i)


cdef inline void compute_tags(ScanState* s) noexcept nogil:
    """Phase 2, in tag order; a rate as soon as its tag has its value of this scan."""
    cdef Expression expression
    cdef Operand r
    cdef int i, tag, rate
    for rate in range(s.plain_rates):
        follow(s, rate)
    rate = s.plain_rates
    for i in range(s.computed_count):
        tag = s.computed[i]
        expression = s.expressions.rows[s.tags[tag].expression]
        r = evaluate(s, s.expressions.code, expression, 1, False)
        if s.tags[tag].flags & OTHERWISE and (r.q != 0 or not is_finite(r.value)):
            r.value = s.tags[tag].initial
            r.q = 0
        elif r.q == 2 or not is_finite(r.value):
            r.value = quiet_nan()
            r.q = 2
        s.source[tag] = newest_source(s, s.expressions.code, expression)
        s.value[tag] = r.value
        s.status[tag] = GOOD if r.q == 0 else (UNCERTAIN if r.q == 1 else BAD)
        while rate < s.rate_count and s.rates[rate].tag == tag:
            follow(s, rate)
            rate += 1
