"""The thread that owns links of fast outputs: edges from the scan go onto the wire as frames that were made before.

The scan thread puts what changed into a ring and rings a bell (eventfd); a POSIX thread of ours, without the GIL, takes
it, sets the bits of the edge in its frame and writes the frame to a non-blocking descriptor. Nobody else reads or
writes that descriptor meanwhile. Every edge has a number; one that leaves later than it may is told with it, and so is
one that could not leave at all. Devices that echo a write (Modbus functions 5 and 6) are held to it, byte by byte; of
those that answer nothing (PDOs of CANopen) their heartbeat must come in time.
"""

import errno
import os

import numpy as np
from numpy.typing import NDArray

from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport errno as c_errno, EAGAIN
from libc.string cimport memcmp, memcpy, memmove
from posix.unistd cimport read, write

from kernels.atomics cimport exchange, load_acquire, store_relaxed, store_release, u64
from kernels.edges cimport EdgePort
from kernels.memory cimport Arena, lock_arena, map_arena, take, unmap_arena
from kernels.posix_thread cimport (
    CLOCK_MONOTONIC,
    RealtimeThread,
    clock_ns,
    set_cpu,
    set_fifo,
    sleep_until,
    thread_create,
    thread_join,
    thread_settle,
)

cdef extern from *:
    """
    #include <poll.h>
    #include <sys/eventfd.h>
    static inline int cvd_poll(struct pollfd *fds, int count, long long timeout_ns)
    {
        struct timespec t;
        if (timeout_ns < 0) timeout_ns = 0;
        t.tv_sec = timeout_ns / 1000000000LL;
        t.tv_nsec = timeout_ns % 1000000000LL;
        return ppoll(fds, count, &t, NULL);
    }
    """
    struct pollfd:
        int fd
        short events
        short revents
    const short POLLIN
    int poll_for "cvd_poll"(pollfd* fds, int count, long long timeout_ns) noexcept nogil

cdef enum:
    RING = 4096  # edges between scan and thread: far more than a scan has outputs
    LOG = 65536  # the last edges, as they left
    BYTES = 32  # longest frame
    OUTSTANDING = 256  # echoes that a link may owe
    LOOK_NS = 20_000_000  # links that are offered or withdrawn are seen within this even without a bell
    POLL_NS = 200_000
    DOWN = 0
    UP = 1
    FAILED = 2
    NO_ECHO = 100001  # errors of ours, beside errno's
    WRONG_ECHO = 100002
    CLOSED = 100003
    SILENT = 100004
    SENT = 0
    LATE = 1
    DROPPED = 2

WORDS = {
    NO_ECHO: "it did not confirm a write in time",
    WRONG_ECHO: "it did not repeat what was written",
    CLOSED: "it closed the connection",
    SILENT: "its heartbeat has not come in time",
}

cdef struct Edge:
    u64 number
    long long k
    long long due_ns
    int slot
    int on

cdef struct Slot:
    int tag
    int frame
    int at
    int last  # the scan thread's
    unsigned char mask
    unsigned char on
    unsigned char off

cdef struct Frame:
    int link
    int size
    int stamp  # where a transaction number of two bytes stands; -1: it has none
    bint dirty
    unsigned char data[BYTES]

cdef struct Link:
    u64 offered  # a descriptor + 1, from Python to the thread
    u64 withdrawn
    u64 state
    u64 error
    u64 acknowledged
    u64 late
    u64 dropped
    u64 edges
    u64 late_ns  # of the latest late edge, monotonic
    u64 round_ns
    u64 round_max_ns
    int fd
    bint echo
    int beat_size  # bytes of its heartbeat; 0: nothing is expected of it
    unsigned char beat[BYTES]
    long long heard_ns
    unsigned short transaction
    long long answer_ns
    long long refresh_ns
    long long refresh_due
    u64 sent
    long long sent_ns[OUTSTANDING]
    int sent_size[OUTSTANDING]
    unsigned char sent_data[OUTSTANDING][BYTES]
    int have
    unsigned char got[OUTSTANDING]

cdef struct Record:
    u64 number
    long long k
    long long due_ns
    long long sent_ns
    int slot
    int on
    int outcome
    int pad

cdef struct Fast:
    Edge ring[RING]
    u64 head
    u64 number
    u64 overflow
    u64 scan_ns
    char between[64]
    u64 tail
    u64 stop
    u64 done
    u64 settled
    u64 log_count
    int bell
    int slots
    int frames
    int links
    int priority
    int cpu
    int fifo_error
    int cpu_error
    long long limit_ns
    long long stall_ns
    Slot* slot
    Frame* frame
    Link* link
    pollfd* fds
    Record* log


# ------------------------------------------------------------------------------------------- in the scan thread
cdef void post_edges(void* state, const double* value, long long k, long long due_ns) noexcept nogil:
    cdef Fast* f = <Fast*>state
    cdef Slot* slot
    cdef Edge* edge
    cdef u64 head = f.head, one = 1
    cdef int i, on
    store_release(&f.scan_ns, <u64>clock_ns(CLOCK_MONOTONIC))
    for i in range(f.slots):
        slot = &f.slot[i]
        on = value[slot.tag] > 0.5  # false for NaN
        if on == slot.last:
            continue
        slot.last = on
        f.number += 1
        if head - load_acquire(&f.tail) >= RING:
            store_relaxed(&f.overflow, f.overflow + 1)
            slot.last = -1  # once more with the next scan, under a number of its own
            continue
        edge = &f.ring[head % RING]
        edge.number, edge.k, edge.due_ns, edge.slot, edge.on = f.number, k, due_ns, i, on
        head += 1
    if head != f.head:
        store_release(&f.head, head)
        write(f.bell, &one, 8)


# --------------------------------------------------------------------------------------------- in the I/O thread
cdef void fail(Fast* f, Link* link, u64 error) noexcept nogil:
    if link.state == UP:
        store_release(&link.error, error)
        store_release(&link.state, FAILED)


cdef bint send(Fast* f, Link* link, Frame* frame, long long now) noexcept nogil:
    """Write a frame; whether it left."""
    cdef u64 n = link.sent
    cdef Py_ssize_t count
    if link.state != UP:
        return False
    if link.echo and n - link.acknowledged >= OUTSTANDING:
        fail(f, link, NO_ECHO)
        return False
    if frame.stamp >= 0:
        link.transaction += 1
        frame.data[frame.stamp] = link.transaction >> 8
        frame.data[frame.stamp + 1] = link.transaction & 0xFF
    count = write(link.fd, frame.data, frame.size)
    if count != frame.size:
        fail(f, link, <u64>(c_errno if count < 0 else EAGAIN))
        return False
    if link.echo:
        memcpy(link.sent_data[n % OUTSTANDING], frame.data, frame.size)
        link.sent_size[n % OUTSTANDING] = frame.size
        link.sent_ns[n % OUTSTANDING] = now
    link.sent = n + 1
    return True


cdef void note(Fast* f, Edge* edge, Link* link, int outcome, long long sent_ns) noexcept nogil:
    cdef Record* record = &f.log[f.log_count % LOG]
    record.number, record.k, record.due_ns, record.slot, record.on = (
        edge.number, edge.k, edge.due_ns, edge.slot, edge.on
    )
    record.sent_ns = sent_ns
    record.outcome = outcome
    store_release(&f.log_count, f.log_count + 1)
    store_relaxed(&link.edges, link.edges + 1)
    if outcome == LATE:
        store_relaxed(&link.late_ns, <u64>sent_ns)
        store_release(&link.late, link.late + 1)
    elif outcome == DROPPED:
        store_release(&link.dropped, link.dropped + 1)


cdef void take_edges(Fast* f) noexcept nogil:
    """Everything in the ring; edges of one scan that share a frame leave together, those of two scans never do."""
    cdef u64 head = load_acquire(&f.head), first = f.tail, n, m
    cdef Edge* edge
    cdef Slot* slot
    cdef Frame* frame
    cdef Link* link
    cdef long long now
    cdef bint left
    while first != head:
        n = first
        while n != head and f.ring[n % RING].k == f.ring[first % RING].k:
            edge = &f.ring[n % RING]
            slot = &f.slot[edge.slot]
            frame = &f.frame[slot.frame]
            frame.data[slot.at] = (frame.data[slot.at] & ~slot.mask) | (slot.on if edge.on else slot.off)
            frame.dirty = True
            n += 1
        for m in range(first, n):
            edge = &f.ring[m % RING]
            frame = &f.frame[f.slot[edge.slot].frame]
            link = &f.link[frame.link]
            now = clock_ns(CLOCK_MONOTONIC)
            left = True
            if frame.dirty:
                frame.dirty = False
                left = send(f, link, frame, now)
                if left:
                    now = clock_ns(CLOCK_MONOTONIC)
            left = left and link.state == UP
            note(f, edge, link, DROPPED if not left else LATE if now - edge.due_ns > f.limit_ns else SENT, now)
        first = n
        store_release(&f.tail, first)


cdef void take_beats(Link* link, long long now) noexcept nogil:
    """Look for the heartbeat among frames of a bus; what may be the beginning of one is kept."""
    cdef int at, left
    for at in range(link.have - link.beat_size + 1):
        if link.beat_size > 0 and memcmp(link.got + at, link.beat, link.beat_size) == 0:
            link.heard_ns = now
    left = min(link.have, max(link.beat_size - 1, 0))
    memmove(link.got, link.got + link.have - left, left)
    link.have = left


cdef void take_echoes(Fast* f, Link* link, long long now) noexcept nogil:
    """Compare what came with what was sent, whole frames at a time."""
    cdef Py_ssize_t count
    cdef int size, at
    cdef u64 n
    while link.state == UP:
        count = read(link.fd, link.got + link.have, OUTSTANDING - link.have)
        if count < 0:
            if c_errno != EAGAIN:
                fail(f, link, <u64>c_errno)
            return
        if count == 0:
            fail(f, link, CLOSED)
            return
        link.have += <int>count
        if not link.echo:
            take_beats(link, now)
            continue
        at = 0
        while link.acknowledged != link.sent:
            n = link.acknowledged % OUTSTANDING
            size = link.sent_size[n]
            if link.have - at < min(size, 9):  # an exception of Modbus has nine bytes
                break
            if link.have - at >= size and memcmp(link.got + at, link.sent_data[n], size) == 0:
                at += size
                store_relaxed(&link.round_ns, <u64>(now - link.sent_ns[n]))
                if link.round_ns > link.round_max_ns:
                    store_relaxed(&link.round_max_ns, link.round_ns)
                store_release(&link.acknowledged, link.acknowledged + 1)
            elif memcmp(link.got + at, link.sent_data[n], min(link.have - at, size)) == 0:
                break  # the rest is on its way
            else:
                fail(f, link, WRONG_ECHO)
                return
        if link.acknowledged == link.sent and link.have > at:
            fail(f, link, WRONG_ECHO)
            return
        memmove(link.got, link.got + at, link.have - at)
        link.have -= at


cdef void write_all(Fast* f, int number, long long now) noexcept nogil:
    """Every frame of a link as it stands. An edge does not put this off: a PDO feeds no watchdog, a heartbeat does."""
    cdef Link* link = &f.link[number]
    cdef int i
    link.refresh_due = now + link.refresh_ns
    for i in range(f.frames):
        if f.frame[i].link == number:
            send(f, link, &f.frame[i], now)


cdef void adopt(Fast* f, int number, long long now) noexcept nogil:
    """Take an offered link up: everything is written as it stands. Let go of one that is wanted back."""
    cdef Link* link = &f.link[number]
    cdef u64 offered
    if load_acquire(&link.withdrawn) == 1:
        link.fd = -1
        store_release(&link.state, DOWN)
        store_release(&link.withdrawn, 2)
    offered = exchange(&link.offered, 0)
    if offered == 0:
        return
    link.fd = <int>offered - 1
    link.sent = 0
    link.have = 0
    link.heard_ns = now
    store_release(&link.acknowledged, 0)
    store_release(&link.error, 0)
    store_release(&link.state, UP)
    write_all(f, number, now)


cdef void keep(Fast* f, int number, long long now) noexcept nogil:
    """Feed the device's watchdog while the scan lives; miss an echo or a heartbeat."""
    cdef Link* link = &f.link[number]
    if link.state != UP:
        return
    if link.echo and link.acknowledged != link.sent and (
        now - link.sent_ns[link.acknowledged % OUTSTANDING] > link.answer_ns
    ):
        fail(f, link, NO_ECHO)
        return
    if link.beat_size > 0 and now - link.heard_ns > link.answer_ns:
        fail(f, link, SILENT)
        return
    if now >= link.refresh_due and now - <long long>load_acquire(&f.scan_ns) < f.stall_ns:
        write_all(f, number, now)


cdef void* live(void* argument) noexcept nogil:
    cdef Fast* f = <Fast*>argument
    cdef u64 rung
    cdef long long now, wait
    cdef int i
    thread_settle()
    if f.cpu >= 0:
        f.cpu_error = set_cpu(f.cpu)
    if f.priority > 0:
        f.fifo_error = set_fifo(f.priority)
    store_release(&f.settled, 1)
    while not load_acquire(&f.stop):
        f.fds[0].fd = f.bell
        f.fds[0].events = POLLIN
        now = clock_ns(CLOCK_MONOTONIC)
        wait = LOOK_NS
        for i in range(f.links):
            f.fds[i + 1].fd = f.link[i].fd if f.link[i].state == UP else -1  # poll leaves negative ones out
            f.fds[i + 1].events = POLLIN
            f.fds[i + 1].revents = 0
            if f.link[i].state == UP:
                wait = min(wait, max(f.link[i].refresh_due - now, 1_000_000))
        poll_for(f.fds, f.links + 1, wait)
        if f.fds[0].revents:
            read(f.bell, &rung, 8)
        take_edges(f)
        now = clock_ns(CLOCK_MONOTONIC)
        for i in range(f.links):
            adopt(f, i, now)
            if f.fds[i + 1].revents:
                take_echoes(f, &f.link[i], now)
            keep(f, i, now)
    store_release(&f.done, 1)
    return NULL


# ------------------------------------------------------------------------------------------------------ for Python
RECORD = np.dtype([
    ("number", np.uint64), ("k", np.int64), ("due_ns", np.int64), ("sent_ns", np.int64), ("slot", np.int32),
    ("on", np.int32), ("outcome", np.int32), ("pad", np.int32),
])  # fmt: skip


cdef class FastOutputs:
    """Outputs on links that one real-time thread owns.

    Args:
        links: for each what shows that the device is there, after how many ns at most, and after how many ns everything
            is written again. True: it repeats every write; bytes: its heartbeat, as it comes; False: nothing.
        frames: for each the number of its link, its bytes with every output off, and where two bytes of a transaction
            number stand (-1: nowhere).
        slots: for each output its tag, its frame, the byte in it, the mask of its bits, and these bits on and off.
        limit_ns: an edge that leaves so much after its scan's deadline is late.
        stall_ns: a scan that has shown no life for so long has nothing written again on its behalf.
    """

    cdef Arena arena
    cdef Fast* f
    cdef EdgePort _port
    cdef RealtimeThread thread
    cdef bint started

    def __init__(self, links, frames, slots, *, limit_ns: int, stall_ns: int) -> None:
        cdef Fast* f
        if self.f != NULL:
            raise RuntimeError("fast outputs are set up once")
        if not links or not frames or not slots:
            raise ValueError("fast outputs need a link, a frame and an output at least")
        self._check(links, frames, slots)
        self._take_memory(len(slots), len(frames), len(links))
        if not map_arena(&self.arena):
            raise MemoryError("no memory for fast outputs")
        self._take_memory(len(slots), len(frames), len(links))
        f = self.f
        f.slots, f.frames, f.links = len(slots), len(frames), len(links)
        f.limit_ns, f.stall_ns = limit_ns, stall_ns
        f.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        for n, (shows, answer_ns, refresh_ns) in enumerate(links):
            f.link[n].fd = -1
            beat = shows if isinstance(shows, bytes) else b""
            memcpy(f.link[n].beat, <const char*>(<bytes>beat), len(beat))
            f.link[n].beat_size = len(beat)
            f.link[n].echo, f.link[n].answer_ns, f.link[n].refresh_ns = shows is True, answer_ns, refresh_ns
        for n, (link, data, stamp) in enumerate(frames):
            f.frame[n].link, f.frame[n].size, f.frame[n].stamp = link, len(data), stamp
            memcpy(f.frame[n].data, <const char*>(<bytes>data), len(data))
        for n, (tag, frame, at, mask, on, off) in enumerate(slots):
            f.slot[n].tag, f.slot[n].frame, f.slot[n].at, f.slot[n].mask = tag, frame, at, mask
            f.slot[n].on, f.slot[n].off = on, off
        self._port.post = post_edges
        self._port.state = f

    def _check(self, links, frames, slots):
        for shows, _, _ in links:
            if not isinstance(shows, bool) and not 1 <= len(shows) <= BYTES:
                raise ValueError(f"the heartbeat {shows!r} cannot be: 1 … {BYTES} bytes")
        for link, data, stamp in frames:
            if not 0 <= link < len(links) or not 1 <= len(data) <= BYTES or not -1 <= stamp <= len(data) - 2:
                raise ValueError(f"the frame {data!r} on link {link} cannot be: 1 … {BYTES} bytes, on a known link")
        for tag, frame, at, *bits in slots:
            if tag < 0 or not 0 <= frame < len(frames) or not 0 <= at < len(frames[frame][1]):
                raise ValueError(f"the output of tag {tag} stands in no frame")
            if not all(0 <= one <= 255 for one in bits):
                raise ValueError(f"the bits of tag {tag} are no bytes: {bits}")

    def _take_memory(self, slots, frames, links):
        cdef Slot* slot
        cdef Frame* frame
        cdef Link* link
        cdef pollfd* fds
        cdef Record* log
        self.f = <Fast*>take(&self.arena, sizeof(Fast))
        slot = <Slot*>take(&self.arena, slots * sizeof(Slot))
        frame = <Frame*>take(&self.arena, frames * sizeof(Frame))
        link = <Link*>take(&self.arena, links * sizeof(Link))
        fds = <pollfd*>take(&self.arena, (links + 1) * sizeof(pollfd))
        log = <Record*>take(&self.arena, LOG * sizeof(Record))
        if self.f != NULL:
            self.f.slot, self.f.frame, self.f.link, self.f.fds, self.f.log = slot, frame, link, fds, log

    def __dealloc__(self):
        if self.f != NULL and self.f.bell > 0:
            os.close(self.f.bell)
        unmap_arena(&self.arena)

    @property
    def port(self):
        """A capsule for `ScanThread.attach`; keep this object as long as the thread lives."""
        return PyCapsule_New(&self._port, b"kernels.edges.EdgePort", NULL)

    def start(self, *, priority: int = 0, cpu: int = -1, lock: bool = True) -> list[str]:
        """Start the thread; return what was not permitted, in words."""
        cdef Fast* f = self.f
        cdef int error, stack_error = 0
        if self.started:
            raise RuntimeError("the thread of fast outputs runs already")
        f.stop = f.done = f.settled = 0
        f.priority, f.cpu, f.fifo_error, f.cpu_error = priority, cpu, 0, 0
        locked = not lock or lock_arena(&self.arena)
        error = thread_create(&self.thread, live, f, lock, &stack_error)
        if error:
            raise OSError(error, f"the thread of fast outputs cannot be created: {os.strerror(error)}")
        self.started = True
        Py_INCREF(self)
        with nogil:
            while not load_acquire(&f.settled):
                sleep_until(clock_ns(CLOCK_MONOTONIC) + POLL_NS)
        refused = []
        if f.fifo_error:
            refused.append(
                f"fast outputs: SCHED_FIFO {priority} refused ({errno.errorcode[f.fifo_error]}); other programs can "
                "delay pulses until the service unit has LimitRTPRIO"
            )
        if f.cpu_error:
            refused.append(f"fast outputs: processor {cpu} refused ({errno.errorcode[f.cpu_error]})")
        if not locked or stack_error:
            refused.append("fast outputs: memory not locked; add LimitMEMLOCK=infinity to the service unit")
        return refused

    def stop(self) -> None:
        """End the thread; its descriptors are the caller's again."""
        cdef Fast* f = self.f
        if not self.started:
            return
        store_release(&f.stop, 1)
        self._ring()
        with nogil:
            while not load_acquire(&f.done):
                sleep_until(clock_ns(CLOCK_MONOTONIC) + POLL_NS)
        self.started = False
        thread_join(&self.thread)
        Py_DECREF(self)

    def _ring(self):
        os.eventfd_write(self.f.bell, 1)

    def offer(self, link: int, descriptor: int) -> None:
        """Hand a non-blocking descriptor to the thread: it writes everything as it stands, then every edge."""
        self._link(link)
        store_release(&self.f.link[link].withdrawn, 0)
        store_release(&self.f.link[link].offered, <u64>descriptor + 1)
        self._ring()

    def withdraw(self, link: int) -> bool:
        """Ask for a descriptor back; whether the thread has let go of it. Call again until it has."""
        cdef Link* row = self._link(link)
        if not self.started:
            row.fd, row.state = -1, DOWN
            return True
        if load_acquire(&row.withdrawn) == 2:
            return True
        if load_acquire(&row.withdrawn) == 0:
            store_release(&row.withdrawn, 1)
            self._ring()
        return False

    cdef Link* _link(self, link) except NULL:
        if not 0 <= link < self.f.links:
            raise ValueError(f"there is no link {link}")
        return &self.f.link[link]

    def fault(self, link: int) -> str:
        """Why a link failed, in words; empty while it is well or down."""
        cdef Link* row = self._link(link)
        if load_acquire(&row.state) != FAILED:
            return ""
        error = load_acquire(&row.error)
        return WORDS.get(error) or f"writing failed: {os.strerror(error)}"

    def counts(self, link: int) -> dict[str, int]:
        """Counters of a link: edges, late, dropped, acknowledged, sent, round_ns, round_max_ns, late_ns (clock)."""
        cdef Link* row = self._link(link)
        return {
            "edges": load_acquire(&row.edges),
            "late": load_acquire(&row.late),
            "dropped": load_acquire(&row.dropped),
            "acknowledged": load_acquire(&row.acknowledged),
            "sent": row.sent,
            "round_ns": load_acquire(&row.round_ns),
            "round_max_ns": load_acquire(&row.round_max_ns),
            "late_ns": load_acquire(&row.late_ns),
        }

    @property
    def pending(self) -> int:
        """Edges that have not left the ring yet."""
        return load_acquire(&self.f.head) - load_acquire(&self.f.tail)

    @property
    def overflow(self) -> int:
        """Edges that found the ring full and were put off by a scan."""
        return load_acquire(&self.f.overflow)

    def log(self, after: int = 0) -> tuple[NDArray[np.void], int]:
        """Edges as they left (dtype RECORD; outcome 0 sent, 1 late, 2 dropped), and what to ask for next time.

        Only the last 65536 are kept; a gap shows in their numbers.
        """
        cdef Fast* f = self.f
        cdef u64 count = load_acquire(&f.log_count), n
        cdef u64 first = max(<u64>after, count - min(count, <u64>(LOG // 2)))
        made = np.zeros(count - first, RECORD)
        for n in range(first, count):
            made[n - first] = (
                f.log[n % LOG].number, f.log[n % LOG].k, f.log[n % LOG].due_ns, f.log[n % LOG].sent_ns,
                f.log[n % LOG].slot, f.log[n % LOG].on, f.log[n % LOG].outcome, 0,
            )
        return made, count

    def post(self, values: NDArray[np.float64], k: int, due_ns: int) -> None:
        """Do by hand what the scan thread does after a scan: for tests, and for a scan that is advanced by hand."""
        cdef const double[::1] row = values
        if len(row) <= max(self.f.slot[n].tag for n in range(self.f.slots)):
            raise ValueError("values are too few for the tags of the outputs")
        post_edges(self.f, &row[0], k, due_ns)
