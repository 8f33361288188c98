"""The thread that runs the scan at absolute deadlines, without the GIL.

It is a POSIX thread of ours, not one of Python's: it never takes the GIL, allocates nothing and touches only memory
that was present before it started. What it was not permitted is said in words when it starts; how well it keeps time
stands in the image's timing block.
"""

import errno
import os
import resource

import numpy as np
from numpy.typing import NDArray

from kernels.fast import FastOutputs
from kernels.scan import Scan

from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcpy, memset
from posix.mman cimport mlock

from kernels.atomics cimport fence_release, load_acquire, store_relaxed, store_release, u64
from kernels.edges cimport EdgePort
from kernels.image cimport Image
from kernels.layout cimport HISTOGRAM_BUCKETS, TimingBlock
from kernels.memory cimport Arena, lock_arena, map_arena, populate, take, unmap_arena
from kernels.phases.state cimport ScanState
from kernels.posix_thread cimport (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    RealtimeThread,
    STACK_BYTES,
    clock_ns,
    set_cpu,
    set_fifo,
    sleep_until,
    thread_create,
    thread_join,
    thread_settle,
)
from kernels.scan cimport Scan, run_scan, skip_scans, step_plant

cdef enum:
    LATENCIES = 65536  # the last wake-ups whose latency is kept one by one
    POLL_NS = 200_000
    LEAD_WINDOW = 256  # wake-ups whose quickest says how early the next ones are asked for
    LEAD_MOST_NS = 50_000  # and no more than this share of a slot:
    LEAD_SHARE = 20

cdef struct Clockwork:
    # What the thread works with. Python reads it while the thread runs; words are whole.
    ScanState* scan
    TimingBlock* shared  # NULL without an image
    EdgePort* port  # NULL without fast outputs
    TimingBlock timing
    long long* latencies
    u64 latency_count
    u64 stop
    u64 settled
    u64 done
    u64 last_scan_ns  # monotonic
    long long period_ns
    long long row_period_ns
    long long lead_ns  # how much before the deadline the timer is set
    long long quickest_ns  # wake-up in this window, from the timer's moment
    int window
    long long start_ns
    long long row_ns  # of the last row, wall clock
    bint wall  # rows carry the wall clock; else start_ns + k · row_period_ns
    int scans_per_slot
    int priority
    int cpu
    int fifo_error
    int cpu_error


# ---------------------------------------------------------------------------------------------- in the thread
cdef inline long long next_row_ns(Clockwork* c) noexcept nogil:
    """Return the coming row's time.

    A wall clock that was set back does not take the rows with it: they go on at half speed until it has caught up.
    """
    cdef long long now
    if not c.wall:
        return c.start_ns + (c.scan.k + 1) * c.row_period_ns
    now = clock_ns(CLOCK_REALTIME)
    if now <= c.row_ns:
        now = c.row_ns + (c.row_period_ns + 1) // 2
    c.row_ns = now
    return now


cdef inline long long wait_until(Clockwork* c, long long deadline) noexcept nogil:
    """Sleep until the deadline, never less; return when it was.

    No thread wakes at the moment it asked for: interrupt, scheduler and the way back to it take some microseconds that
    hardly vary. The quickest of the last wake-ups is that time, so the timer is set earlier by just as much (Xenomai
    calls the same correction gravity). A wake-up that is quicker than all before it waits here, awake, for the rest.
    """
    cdef long long asked = deadline - c.lead_ns
    cdef long long woken
    sleep_until(asked)
    woken = clock_ns(CLOCK_MONOTONIC)
    c.quickest_ns = min(c.quickest_ns, woken - asked)
    c.window += 1
    if c.window == LEAD_WINDOW:
        c.lead_ns = max(0, min(c.quickest_ns, LEAD_MOST_NS, c.period_ns // LEAD_SHARE))
        c.quickest_ns = c.period_ns
        c.window = 0
    while woken < deadline:
        woken = clock_ns(CLOCK_MONOTONIC)
    return woken


cdef inline int bucket_of(long long latency_ns) noexcept nogil:
    """Return the histogram's bucket: the first whose upper edge, 2^n µs, is not below the latency."""
    cdef long long edge = 1000
    cdef int bucket = 0
    while latency_ns > edge and bucket < HISTOGRAM_BUCKETS - 1:
        edge *= 2
        bucket += 1
    return bucket


cdef inline void measure(Clockwork* c, long long latency, long long duration) noexcept nogil:
    """Account for a slot and show it to readers."""
    cdef TimingBlock* t = &c.timing
    t.scans += c.scans_per_slot
    t.latency_ns = latency
    t.latency_max_ns = max(t.latency_max_ns, latency)
    t.histogram[bucket_of(latency)] += 1
    t.duration_ns = duration // c.scans_per_slot
    t.duration_max_ns = max(t.duration_max_ns, t.duration_ns)
    t.overruns += duration > c.period_ns
    c.latencies[c.latency_count % LATENCIES] = latency
    store_release(&c.latency_count, c.latency_count + 1)
    if c.shared != NULL:
        t.begun += 1
        store_relaxed(&c.shared.begun, t.begun)
        fence_release()
        memcpy(&c.shared.scans, &t.scans, sizeof(TimingBlock) - 2 * sizeof(u64))
        store_release(&c.shared.done, t.begun)


cdef void* live(void* argument) noexcept nogil:
    """The thread: sleep until the deadline, account for slots that are gone, scan, measure."""
    cdef Clockwork* c = <Clockwork*>argument
    cdef long long deadline, woken, late, missed, ended
    cdef int _
    thread_settle()
    if c.cpu >= 0:
        c.cpu_error = set_cpu(c.cpu)
    if c.priority > 0:
        c.fifo_error = set_fifo(c.priority)
    c.timing.fifo = c.priority > 0 and c.fifo_error == 0
    store_release(&c.settled, 1)
    deadline = clock_ns(CLOCK_MONOTONIC) + c.period_ns
    store_release(&c.last_scan_ns, <u64>deadline)
    while True:
        woken = wait_until(c, deadline)
        if load_acquire(&c.stop):
            break
        late = woken - deadline
        if late >= c.period_ns:
            missed = late // c.period_ns
            deadline += missed * c.period_ns
            c.timing.skipped += missed
            if c.scans_per_slot == 1:
                skip_scans(c.scan, missed)  # index · period stays elapsed time; accelerated time has no such promise
        for _ in range(c.scans_per_slot):
            step_plant(c.scan)
            run_scan(c.scan, next_row_ns(c))
        if c.port != NULL:
            c.port.post(c.port.state, c.scan.value, c.scan.k, deadline)
        ended = clock_ns(CLOCK_MONOTONIC)
        store_release(&c.last_scan_ns, <u64>ended)
        measure(c, late, ended - woken)
        deadline += c.period_ns
    store_release(&c.done, 1)
    return NULL


# -------------------------------------------------------------------------------------------------- for Python
cdef class ScanThread:
    """A POSIX thread on CLOCK_MONOTONIC deadlines.

    Args:
        scan: what to run; nobody else may advance it meanwhile.
        period_ns: slot length.
        priority: SCHED_FIFO priority 1…99, 0 for the ordinary scheduler.
        cpu: processor to pin to, -1 for none.
        scans_per_slot: more than 1 runs a simulated tool faster than the clock.
        lock: lock tables, image and stack into memory where permitted.
        start_ns: time of the row of scan 0, for a simulated tool; 0: rows carry the wall clock.
    """

    cdef Scan scan
    cdef Clockwork* c
    cdef Arena arena
    cdef RealtimeThread thread
    cdef bint started
    cdef bint lock
    cdef object _quiet_cpu
    cdef object _port_owner

    def __init__(
        self,
        scan: Scan,
        *,
        period_ns: int,
        priority: int = 0,
        cpu: int = -1,
        scans_per_slot: int = 1,
        lock: bool = True,
        start_ns: int = 0,
    ) -> None:
        if self.c != NULL:
            raise RuntimeError("a scan thread is set up once")
        if not 1_000 <= period_ns <= 3_600_000_000_000:
            raise ValueError(f"period_ns is {period_ns}: a slot lasts from 1 µs to 1 h")
        if not 0 <= priority <= 99:
            raise ValueError(f"priority is {priority}: SCHED_FIFO has 1 … 99, 0 is the ordinary scheduler")
        if cpu < -1:
            raise ValueError(f"cpu is {cpu}: a processor's number, or -1 for any")
        if not 1 <= scans_per_slot <= 1_000_000:
            raise ValueError(f"scans_per_slot is {scans_per_slot}: 1 … 1000000")
        self._take_memory()
        self.scan = scan
        self.lock = lock
        self.c.scan = (<Scan>scan).s
        self.c.period_ns = period_ns
        self.c.priority = priority
        self.c.cpu = cpu
        self.c.scans_per_slot = scans_per_slot
        self.c.start_ns = start_ns
        self.c.wall = start_ns == 0 and scans_per_slot == 1
        self.c.row_period_ns = round(scan.period_s * 1e9)

    def _take_memory(self) -> None:
        take(&self.arena, sizeof(Clockwork))
        take(&self.arena, LATENCIES * sizeof(long long))
        if not map_arena(&self.arena):
            raise MemoryError("no memory for the scan thread")
        self.c = <Clockwork*>take(&self.arena, sizeof(Clockwork))
        self.c.latencies = <long long*>take(&self.arena, LATENCIES * sizeof(long long))

    def __dealloc__(self):
        # While the thread runs it keeps this object alive (see start), so here it does not.
        unmap_arena(&self.arena)

    def attach(self, outputs: FastOutputs) -> None:
        """Hand the outputs of every slot to fast outputs; before `start`."""
        if self.started:
            raise RuntimeError("fast outputs are attached before the scan thread starts")
        self._port_owner = outputs
        self.c.port = <EdgePort*>PyCapsule_GetPointer(outputs.port, b"kernels.edges.EdgePort")

    def start(self) -> list[str]:
        """Start; return what was not permitted, each with its remedy (empty when everything was)."""
        cdef Clockwork* c = self.c
        cdef int error, stack_error = 0
        if self.started:
            raise RuntimeError("the scan thread runs already")
        self.scan.claim()
        try:
            self._reset()
            locked = self.lock and self._lock_memory()
            c.timing.locked = locked
            self._keep_processor_awake()
            error = thread_create(&self.thread, live, c, self.lock, &stack_error)
            if error:
                raise OSError(error, f"the scan thread cannot be created: {os.strerror(error)}")
        except BaseException:
            self._let_processor_sleep()
            self.scan.disclaim()
            raise
        self.started = True
        Py_INCREF(self)
        with nogil:
            while not load_acquire(&c.settled):
                sleep_until(clock_ns(CLOCK_MONOTONIC) + POLL_NS)
        return self._refusals(locked and stack_error == 0)

    def _reset(self) -> None:
        """Begin counting anew."""
        cdef Clockwork* c = self.c
        cdef u64 begun
        c.stop = c.settled = c.done = 0
        c.fifo_error = c.cpu_error = 0
        c.latency_count = 0
        c.lead_ns = 0
        c.quickest_ns = c.period_ns
        c.window = 0
        c.row_ns = 0
        if not c.wall and c.start_ns == 0:
            c.start_ns = clock_ns(CLOCK_REALTIME) - (c.scan.k + 1) * c.row_period_ns
        c.shared = NULL if self.scan.image is None else self.scan.image.timing_block()
        begun = 0 if c.shared == NULL else load_acquire(&c.shared.done)
        memset(&c.timing, 0, sizeof(c.timing))
        c.timing.begun = begun

    def _lock_memory(self) -> bool:
        """Lock everything that the thread touches; where the limit forbids it, have it present at least."""
        cdef bint everything = lock_arena(&self.arena)
        cdef Image image = self.scan.image
        everything = self.scan.lock_memory() and everything
        if image is not None:
            with nogil:
                if mlock(image.base, image.at.size) != 0:
                    everything = False
                    populate(image.base, image.at.size)
        return everything

    def _keep_processor_awake(self) -> None:
        """Ask for short wake-ups from idle (kernel: Documentation/power/pm_qos_interface.rst), as long as we run."""
        self._quiet_cpu = None
        if self.c.priority > 0:
            try:
                descriptor = os.open("/dev/cpu_dma_latency", os.O_WRONLY | os.O_CLOEXEC)
            except OSError:
                return  # not offered, or not ours to ask: the latencies will tell
            self._quiet_cpu = descriptor
            os.write(descriptor, bytes(4))

    def _let_processor_sleep(self) -> None:
        if self._quiet_cpu is not None:
            os.close(self._quiet_cpu)
            self._quiet_cpu = None

    def _refusals(self, locked) -> list[str]:
        """Say what was asked for and not permitted."""
        cdef Clockwork* c = self.c
        refused = []
        if c.fifo_error:
            refused.append(
                f"SCHED_FIFO {c.priority} refused ({errno.errorcode[c.fifo_error]}): add LimitRTPRIO={c.priority} to "
                "the service unit, or give the process CAP_SYS_NICE; until then other programs can delay the scan"
            )
        if c.cpu_error:
            refused.append(
                f"processor {c.cpu} refused ({errno.errorcode[c.cpu_error]}): this process may use "
                f"{', '.join(map(str, sorted(os.sched_getaffinity(0))))}; change scan.cpu or the unit's CPUAffinity"
            )
        if self.lock and not locked:
            limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
            refused.append(
                f"memory not locked: {self._bytes_to_lock() / 2**20:.0f} MiB are needed and RLIMIT_MEMLOCK is "
                f"{limit / 2**20:.0f} MiB; add LimitMEMLOCK=infinity to the service unit, or give the process "
                "CAP_IPC_LOCK; until then paging can delay the scan"
            )
        return refused

    def _bytes_to_lock(self) -> int:
        cdef Scan scan = self.scan
        cdef size_t size = STACK_BYTES + self.arena.size + scan.arena.size + scan.event_arena.size
        size += scan.tape_arena.size + scan.plant_arena.size + scan.safe.arena.size
        return size if scan.image is None else size + scan.image.at.size

    def stop(self, timeout_s: float = 2.0) -> None:
        """Stop after the current scan and join; raises TimeoutError when it does not end.

        `timeout_s` counts from the end of the slot in which the thread sleeps.
        """
        cdef Clockwork* c = self.c
        cdef long long until
        if not self.started:
            return
        until = clock_ns(CLOCK_MONOTONIC) + c.period_ns + <long long>(timeout_s * 1e9)
        store_release(&c.stop, 1)
        with nogil:
            while not load_acquire(&c.done) and clock_ns(CLOCK_MONOTONIC) < until:
                sleep_until(clock_ns(CLOCK_MONOTONIC) + POLL_NS)
        if not load_acquire(&c.done):
            raise TimeoutError(f"the scan thread did not end within {timeout_s} s: its scan, or the plant in it, hangs")
        if self.started:  # another thread may have come first while we slept
            self.started = False
            thread_join(&self.thread)
            self._let_processor_sleep()
            self.scan.disclaim()
            Py_DECREF(self)

    @property
    def running(self) -> bool:
        """The thread lives and has not been asked to stop."""
        return self.started and not load_acquire(&self.c.stop)

    def watch(self, timeout_s: float) -> None:
        """Raise TimeoutError when no scan has completed for so long, RuntimeError when the thread is not running."""
        cdef long long quiet
        if not self.started:
            raise RuntimeError("the scan thread is not running")
        quiet = clock_ns(CLOCK_MONOTONIC) - <long long>load_acquire(&self.c.last_scan_ns)
        if quiet > timeout_s * 1e9:
            raise TimeoutError(f"no scan has completed for {quiet / 1e9:.3f} s")

    @property
    def lead_ns(self) -> int:
        """How much before its deadline the thread's timer is set now: the quickest of the last wake-ups, in ns."""
        return self.c.lead_ns

    def latencies(self) -> NDArray[np.int64]:
        """Copy the latencies of the last wake-ups (at most 65536), oldest first, in ns."""
        cdef u64 count = load_acquire(&self.c.latency_count)
        cdef u64 kept = min(count, <u64>(LATENCIES - 1))  # the thread may be writing the oldest one of all
        cdef u64 i
        copied = np.empty(kept, np.int64)
        cdef long long[::1] to = copied
        for i in range(kept):
            to[i] = self.c.latencies[(count - kept + i) % LATENCIES]
        return copied
