"""The scan: one function for real time, simulation and replay (docs/reference/scan.md).

The phases are in `phases/`, compiled into this module so that a scan is one C call without the GIL. Here they are put
in order, the tables are copied into memory of their own, and Python threads meet the scan: mailboxes for postings, a
queue for commands, rings for events and tape. Those who post and command hold the GIL, hence are one at a time; the
scan takes from them without ever waiting.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.checks import check_tables
from kernels.checks_control import check_control, measured_tags
from kernels.checks_program import check_program
from kernels.image import Image
from kernels.tables import CONDITION_STATE as _CONDITION_STATE
from kernels.tables import EVENT as _EVENT
from kernels.tables import TAPE as _TAPE
from kernels.tables import Op, Program, Tables, TagKind

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid
from libc.string cimport memcpy, memset

from kernels.atomics cimport (
    exchange_pointer,
    load_acquire,
    store_release,
    u64,
)
from kernels.image cimport Image
from kernels.memory cimport Arena, lock_arena, map_arena, take, unmap_arena
from kernels.mpc cimport Predictor, estimate_numbers, place_estimate, place_predictor
from kernels.phases.command cimport adopt_programs, latch_commands
from kernels.phases.condition cimport judge_conditions, set_alive
from kernels.phases.control cimport move_ramps, run_loops
from kernels.phases.copy cimport begin_scan, copy_row, end_scan
from kernels.phases.emit cimport emit_at, record, tape_row
from kernels.phases.expression cimport prepare
from kernels.phases.gate cimport gate_outputs
from kernels.phases.keep cimport KEPT_MAGIC, KeptHead, fits, keep, keep_if_wanted, kept_bytes, take_up
from kernels.phases.latch cimport compute_tags, latch_inputs, put_letter
from kernels.phases.logic cimport fill_logic, is_logic
from kernels.phases.program cimport run_program
from kernels.phases.publish cimport FNV_OFFSET, publish, show_all
from kernels.phases.run cimport REST, in_states
from kernels.phases.state cimport (
    COMMAND_QUEUE,
    CommandRow,
    ConditionMemory,
    ConditionPlan,
    Correction,
    EVENT_RING,
    Expression,
    Expressions,
    GroupMemory,
    GroupPlan,
    Input,
    LoopMemory,
    LoopPlan,
    Mailbox,
    Operation,
    PROGRAM_SLOTS,
    ProgramTables,
    Ramp,
    RateMemory,
    RatePlan,
    RowCopy,
    ScanState,
    TAPE_RING,
)
from kernels.phases.write cimport quiet_nan
from kernels.posix_thread cimport CLOCK_MONOTONIC, clock_ns, sleep_until
from kernels.plant cimport PlantInput, PlantStep
from kernels.tables cimport *

include "phases/agreement.pxi"

cdef enum:
    STATE_POLL_NS = 100_000
    SCANS_BETWEEN_SIGNALS = 4096  # in advance(): so Ctrl-C ends a long simulation


# ------------------------------------------------------------------------------------------------------ the scan
cdef void run_scan(ScanState* s, long long wall_ns) noexcept nogil:
    """Run one scan. Order and meaning: docs/reference/scan.md."""
    begin_scan(s)
    s.k += 1
    adopt_programs(s)
    latch_inputs(s, wall_ns)
    latch_commands(s)
    compute_tags(s)
    judge_conditions(s)
    run_program(s)
    move_ramps(s)
    run_loops(s)
    gate_outputs(s)
    publish(s, wall_ns)
    keep_if_wanted(s)
    end_scan(s)


cdef void step_plant(ScanState* s) noexcept nogil:
    """Let the attached plant live through one period and note what its instruments say."""
    cdef int count, i, index
    cdef const PlantInput* said
    if s.plant == NULL:
        return
    count = s.plant.step(s.plant.state, s.k + 1, s.value, s.plant_inputs)
    if count > s.plant.capacity:
        count = s.plant.capacity
    for i in range(count):
        said = &s.plant_inputs[i]
        if said.tag < 0 or said.tag >= s.tag_count or s.input_of[said.tag] < 0:
            continue
        index = s.input_of[said.tag]
        s.plant_value[index] = said.value
        s.plant_status[index] = said.status
        s.plant_flags[index >> 6] |= <u64>1 << (index & 63)


cdef void skip_scans(ScanState* s, long long slots) noexcept nogil:
    """Account for missed slots before the next scan."""
    cdef TapeRow* row
    if slots <= 0:
        return
    s.k += slots
    s.skipped += slots
    emit_at(s, s.k + 1, EVENT_SKIPPED, 0, <double>slots, 0.0)
    row = tape_row(s, s.k + 1, TAPE_SKIP)
    if row != NULL:
        row.value = <double>slots
        record(s)


# -------------------------------------------------------------------------------------------------------- memory
include "phases/copying.pxi"
include "phases/groups.pxi"
include "phases/start.pxi"


# ---------------------------------------------------------------------------------------------------- for Python
def state_index(state: bytes) -> int:
    """Return the index of the last scan before a state was taken (Scan.state)."""
    cdef const unsigned char[::1] view = state
    if len(view) < <Py_ssize_t>sizeof(KeptHead) or (<const KeptHead*>&view[0]).magic != KEPT_MAGIC:
        raise ValueError("this is no state of a scan, or of another version of the scan")
    return (<const KeptHead*>&view[0]).k


@cython.no_gc_clear  # __dealloc__ needs the image: the collector must not take it away first
cdef class Scan:
    """The tables of one tool with their state.

    Raises ValueError, naming table, row and column, when a row refers to something that does not exist, a program can
    spin without waiting, or an expression is malformed.
    """

    def __cinit__(self):
        self.s = NULL
        self.safe = NULL

    def __init__(self, tables: Tables, image: Image | None = None, *, log_every: int = 1, tape: bool = False) -> None:
        if self.s != NULL:
            raise RuntimeError("a scan is set up once")
        if log_every < 1:
            raise ValueError(f"log_every is {log_every}: every how many scans the logging ring gets a row, 1 or more")
        check_tables(tables)
        check_control(tables)
        check_program(tables.safe, tables.tags["kind"].tolist(), name="safe", safe=True)
        if image is not None and (image.tags, image.conditions) != (len(tables.tags), len(tables.conditions)):
            raise ValueError(
                f"the image has {image.tags} tags and {image.conditions} conditions, "
                f"the tables {len(tables.tags)} and {len(tables.conditions)}"
            )
        self._take_memory(tables, tape)
        self.safe = build_program(tables.safe)
        self.s.run.safe = self.safe
        self.s.log_every = log_every
        if image is not None:
            self._publish_into(image)

    def _take_memory(self, tool, tape) -> None:
        cdef ScanState draft
        memset(&draft, 0, sizeof(draft))
        lay_out_state(&self.arena, &draft, tool)
        take(&self.event_arena, EVENT_RING * sizeof(EventRow))
        take(&self.tape_arena, TAPE_RING * sizeof(TapeRow) if tape else 0)
        if not (map_arena(&self.arena) and map_arena(&self.event_arena)):
            raise MemoryError(f"no memory for a scan of {len(tool.tags)} tags")
        self.s = lay_out_state(&self.arena, &draft, tool)
        self.s.events = <EventRow*>self.event_arena.base
        if tape:
            if not map_arena(&self.tape_arena):
                raise MemoryError("no memory for the tape")
            self.s.tape = <TapeRow*>self.tape_arena.base
            self.s.taping = True
        fill_state(self.s, tool)

    def _publish_into(self, Image image) -> None:
        image.attach_writer(&self.s.image)
        self.image = image
        self.s.publishes = True

    def __dealloc__(self):
        cdef int slot
        if self.s != NULL:
            for slot in range(PROGRAM_SLOTS):
                free_program(self.s.run.slots[slot])
                free_program(<ProgramTables*>self.s.handed_over[slot])
                free_program(<ProgramTables*>self.s.retired[slot])
            if self.s.publishes:
                self.image.detach_writer()
        free_program(self.safe)
        unmap_arena(&self.plant_arena)
        unmap_arena(&self.tape_arena)
        unmap_arena(&self.event_arena)
        unmap_arena(&self.arena)

    # ------------------------------------------------------------------------------------------------ who runs it
    cdef int claim(self) except -1:
        """Become the one who advances this scan."""
        if self.busy:
            raise RuntimeError("this scan is being run by another thread; stop that one first")
        self.busy = True
        return 0

    cdef void disclaim(self) noexcept:
        self.busy = False

    cdef bint lock_memory(self) noexcept:
        """Lock tables, state, programs and rings; False when the limit forbids a part of it."""
        cdef bint all_locked = lock_arena(&self.arena) and lock_arena(&self.safe.arena)
        cdef int slot
        for slot in range(PROGRAM_SLOTS):
            if self.s.run.slots[slot] != NULL:
                all_locked = lock_arena(&self.s.run.slots[slot].arena) and all_locked
        all_locked = lock_arena(&self.plant_arena) and all_locked
        all_locked = lock_arena(&self.event_arena) and all_locked
        all_locked = lock_arena(&self.tape_arena) and all_locked
        self.locked = True
        return all_locked

    @property
    def index(self) -> int:
        """Index of the last scan, -1 before the first."""
        return self.s.k

    @property
    def period_s(self) -> float:
        """Scan period in seconds."""
        return self.s.period_s

    # ------------------------------------------------------------------------------------------------- what goes in
    cdef int input_index(self, long long tag) except -1:
        if tag < 0 or tag >= self.s.tag_count or self.s.input_of[tag] < 0:
            raise ValueError(f"tag {tag} is not an input; only instruments' values are posted")
        return self.s.input_of[tag]

    def post(self, tag: int, value: float, status: int, source_ns: int) -> None:
        """Post an instrument's value for the next latch (thread-safe; the newest posting wins)."""
        cdef unsigned int code = status
        cdef long long source = source_ns
        cdef double number = value
        put_letter(self.s, self.input_index(tag), number, code, source)

    def post_many(
        self,
        tags: NDArray[np.int32],
        values: NDArray[np.float64],
        status: NDArray[np.uint32],
        source_ns: NDArray[np.int64],
    ) -> None:
        """Post several values; the arrays have one length. Nothing is posted when one tag is not an input."""
        cdef const int[::1] tag = np.ascontiguousarray(tags, np.int32)
        cdef const double[::1] value = np.ascontiguousarray(values, np.float64)
        cdef const unsigned int[::1] code = np.ascontiguousarray(status, np.uint32)
        cdef const long long[::1] source = np.ascontiguousarray(source_ns, np.int64)
        cdef Py_ssize_t i
        if not len(tag) == len(value) == len(code) == len(source):
            raise ValueError(
                f"tags, values, status and source_ns have {len(tag)}, {len(value)}, {len(code)} and {len(source)} items"
            )
        for i in range(len(tag)):
            self.input_index(tag[i])
        for i in range(len(tag)):
            put_letter(self.s, self.s.input_of[tag[i]], value[i], code[i], source[i])

    def correct(self, tag: int, offset: float, gain: float) -> None:
        """Correct what is posted for an input from now on: (reading − offset) · gain.

        It is applied before the tape, so that a replay, which has none, posts what was latched. Raises ValueError for a
        tag that is no input, and for numbers that are not finite or a gain that is not positive.
        """
        cdef int index = self.input_index(tag)
        cdef u64 other = 1 - self.s.correction_at[index]
        if not np.isfinite(offset) or not np.isfinite(gain) or gain <= 0:
            raise ValueError(f"a correction by {offset} and {gain} cannot be: both are finite, the gain is positive")
        self.s.corrections[2 * index + <int>other].offset = offset
        self.s.corrections[2 * index + <int>other].gain = gain
        store_release(&self.s.correction_at[index], other)

    def command(self, op: int, target: int = 0, a: float = 0.0, b: float = 0.0, id: int = 0) -> None:
        """Queue a command; raises BufferError when the queue (1024) is full."""
        cdef ScanState* s = self.s
        cdef CommandRow c
        c.op = op
        c.target = target
        c.a = a
        c.b = b
        c.id = id
        if s.command_head - load_acquire(&s.command_tail) >= COMMAND_QUEUE:
            raise BufferError(f"{COMMAND_QUEUE} commands wait for the scan; it takes {COMMANDS_PER_SCAN} at a time")
        s.commands[s.command_head % COMMAND_QUEUE] = c
        store_release(&s.command_head, s.command_head + 1)

    def load(self, slot: int, program: Program) -> None:
        """Put a program into slot 0 or 1 (checked here); it becomes the loaded one with Command.LOAD.

        Raises ValueError for a bad program, RuntimeError when the slot's program is loaded and not in an end state.
        """
        cdef int at = slot
        cdef ProgramTables* p
        if not 0 <= at < PROGRAM_SLOTS:
            raise ValueError(f"slot {at} does not exist: there are slots 0 and 1")
        if at == self.s.run.slot and not in_states(&self.s.run, REST):
            raise RuntimeError(f"the program in slot {at} is running; load into the other slot")
        check_program(program, self._kinds(), name="program")
        p = build_program(program)
        if self.locked:
            lock_arena(&p.arena)
        # The scan takes a program over only while `retired` is free, hence never while we look at it.
        free_program(<ProgramTables*>exchange_pointer(&self.s.handed_over[at], NULL))
        free_program(<ProgramTables*>exchange_pointer(&self.s.retired[at], NULL))
        exchange_pointer(&self.s.handed_over[at], p)

    def _kinds(self):
        cdef int i
        return [self.s.tags[i].kind for i in range(self.s.tag_count)]

    def attach(self, plant: Any) -> None:
        """Attach a plant: a PyCapsule named "cvd.plant" holding a `PlantStep` (kernels/plant.pxd), or None."""
        cdef PlantStep* step = NULL
        cdef Arena arena
        memset(&arena, 0, sizeof(arena))
        if plant is not None:
            if not PyCapsule_IsValid(plant, "cvd.plant"):
                raise TypeError(f"a plant is a capsule named cvd.plant, not {type(plant).__name__}")
            step = <PlantStep*>PyCapsule_GetPointer(plant, "cvd.plant")
            if step.capacity < 0:
                raise ValueError(f"the plant's capacity is {step.capacity}")
        self.claim()
        try:
            if step != NULL:
                take(&arena, step.capacity * sizeof(PlantInput))
                if not map_arena(&arena):
                    raise MemoryError("no memory for the plant's postings")
                if self.locked:
                    lock_arena(&arena)
            unmap_arena(&self.plant_arena)
            self.plant_arena = arena
            self.s.plant_inputs = <PlantInput*>arena.base
            self.s.plant = step
            self.plant = plant
        finally:
            self.disclaim()

    # ------------------------------------------------------------------------------------------------- running it
    def advance(self, scans: int, start_ns: int = 0, period_ns: int = 0) -> None:
        """Run scans at full speed without the GIL.

        The attached plant steps before each; row time = start_ns + k·period_ns.
        """
        cdef ScanState* s = self.s
        cdef long long left = scans
        cdef long long start = start_ns
        cdef long long period = period_ns
        cdef int _, count
        if left < 0:
            raise ValueError(f"scans is {left}: time does not run backwards")
        self.claim()
        try:
            while left > 0:
                count = <int>min(left, SCANS_BETWEEN_SIGNALS)
                with nogil:
                    for _ in range(count):
                        step_plant(s)
                        run_scan(s, start + (s.k + 1) * period)
                left -= count
                PyErr_CheckSignals()
        finally:
            self.disclaim()

    def skip(self, slots: int) -> None:
        """Account for missed slots before the next scan."""
        cdef long long missed = slots
        self.claim()
        skip_scans(self.s, missed)
        self.disclaim()

    # ------------------------------------------------------------------------------------------------ as a whole
    def recall(self, condition: int, latched: bool, first_out: bool, trips: int) -> None:
        """Before the first scan: a condition is as a scan of another process left it, latch and number of trips.

        What was active then is found again by its inputs. Raises IndexError for a condition that is not there,
        ValueError for one that does not latch, RuntimeError once a scan has run: nobody but a scan sets a latch then.
        """
        cdef ScanState* s = self.s
        cdef ConditionStateRow* c
        cdef unsigned int state = 0
        if not 0 <= condition < s.condition_count:
            raise IndexError(f"there is no condition {condition}")
        if latched and not s.conditions[condition].flags & FLAG_LATCH:
            raise ValueError(f"condition {condition} does not latch")
        if s.k >= 0:
            raise RuntimeError("a scan has run already: latches are its own now")
        self.claim()
        try:
            c = &s.condition[condition]
            if latched:
                state = STATE_LATCHED | (STATE_FIRST_OUT if first_out else 0)
            set_alive(s, s.plans[condition].group, c.state, state)
            c.state = state
            c.trips = trips
        finally:
            self.disclaim()

    def state(self) -> bytes:
        """Copy the whole state as the last scan left it: with it and the tape behind it a run is executed again.

        May be called while a thread runs the scan, which then makes the copy at the end of a scan. Programs are not
        part of it, nor are commands and postings that have not been latched yet: the tape tells those.
        """
        cdef ScanState* s = self.s
        cdef u64 size = kept_bytes(s)
        cdef u64 wanted = load_acquire(&s.keep_done) + 1
        content = bytearray(size)
        cdef unsigned char[::1] view = content
        cdef char* into = <char*>&view[0]
        cdef bint done = False
        memset(into, 1, size)  # so that the pages are there before the scan writes them
        if self.busy:
            s.keep_into = into
            store_release(&s.keep_wanted, wanted)
            while self.busy and not done:
                with nogil:
                    sleep_until(clock_ns(CLOCK_MONOTONIC) + STATE_POLL_NS)
                done = load_acquire(&s.keep_done) == wanted
            done = done or load_acquire(&s.keep_done) == wanted
            store_release(&s.keep_wanted, load_acquire(&s.keep_done))
        if not done:
            keep(s, into)
        return bytes(content)

    def restore(self, state: bytes) -> None:
        """Go on from a state that a scan of the same tables gave; what it had loaded must have been loaded here.

        Raises ValueError when it is of other tables or another version, RuntimeError while a thread runs this scan.
        """
        cdef const unsigned char[::1] view = state
        cdef const char* kept
        if len(view) == 0 or not fits(self.s, <const char*>&view[0], len(view)):
            raise ValueError("this is no state of a scan with these tables, or of another version of the scan")
        kept = <const char*>&view[0]
        self.claim()
        try:
            adopt_programs(self.s)
            slot = (<const KeptHead*>kept).run.slot
            if slot >= 0 and self.s.run.slots[slot] == NULL:
                raise ValueError(f"the state has a program in slot {slot}: load that one first")
            begin_scan(self.s)
            take_up(self.s, kept)
            end_scan(self.s)
        finally:
            self.disclaim()

    # ------------------------------------------------------------------------------------------------ what comes out
    def values(self) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
        """Copy value, status and source of every tag as of the last scan."""
        cdef ScanState* s = self.s
        cdef RowCopy to
        value = np.empty(s.tag_count, np.float64)
        status = np.empty(s.tag_count, np.uint32)
        source = np.empty(s.tag_count, np.int64)
        cdef double[::1] to_value = value
        cdef unsigned int[::1] to_status = status
        cdef long long[::1] to_source = source
        to.value, to.status, to.source, to.conditions = &to_value[0], &to_status[0], &to_source[0], NULL
        with nogil:
            copy_row(s, &to)
        return value, status, source

    def conditions(self) -> NDArray[np.void]:
        """Copy the condition states as of the last scan."""
        cdef ScanState* s = self.s
        cdef RowCopy to
        states = np.zeros(s.condition_count, _CONDITION_STATE)
        cdef ConditionStateRow[::1] into = states
        if s.condition_count > 0:
            to.value, to.status, to.source, to.conditions = NULL, NULL, NULL, &into[0]
            with nogil:
                copy_row(s, &to)
        return states

    def events(self, limit: int = 65536) -> NDArray[np.void]:
        """Take events, oldest first (tables.EVENT). Lost ones are told by Event.LOST with their number in `a`."""
        cdef ScanState* s = self.s
        cdef u64 tail = s.event_tail
        cdef size_t i
        cdef size_t count = min(<u64>max(0, limit), load_acquire(&s.event_head) - tail)
        rows = np.zeros(count, _EVENT)
        cdef EventRow[::1] to = rows
        for i in range(count):
            to[i] = s.events[(tail + i) % EVENT_RING]
        store_release(&s.event_tail, tail + count)
        return rows

    def tape(self, limit: int = 262144) -> NDArray[np.void]:
        """Take tape records (tables.TAPE), oldest first."""
        cdef ScanState* s = self.s
        cdef u64 tail = s.tape_tail
        cdef size_t i
        cdef size_t count = min(<u64>max(0, limit), load_acquire(&s.tape_head) - tail)
        rows = np.zeros(count, _TAPE)
        cdef TapeRow[::1] to = rows
        for i in range(count):
            to[i] = s.tape[(tail + i) % TAPE_RING]
        store_release(&s.tape_tail, tail + count)
        return rows

    @property
    def tape_lost(self) -> int:
        """Tape records that found their buffer full; the tape is then useless and says so."""
        return load_acquire(&self.s.tape_lost)

    @property
    def digest(self) -> int:
        """FNV-1a 64 over the outputs of all scans so far (scan.md, 8)."""
        return load_acquire(&self.s.digest)
