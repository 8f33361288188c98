"""The thread that owns links of fast outputs: edges from the scan go onto the wire as frames that were made before."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS: dict[int, str]
RECORD: np.dtype[np.void]

class FastOutputs:
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

    def __init__(
        self,
        links: Sequence[tuple[bool | bytes, int, int]],
        frames: Sequence[tuple[int, bytes, int]],
        slots: Sequence[tuple[int, int, int, int, int, int]],
        *,
        limit_ns: int,
        stall_ns: int,
    ) -> None: ...
    @property
    def port(self) -> object:
        """A capsule for `ScanThread.attach`; keep this object as long as the thread lives."""
    def start(self, *, priority: int = ..., cpu: int = ..., lock: bool = ...) -> list[str]:
        """Start the thread; return what was not permitted, in words."""
    def stop(self) -> None:
        """End the thread; its descriptors are the caller's again."""
    def offer(self, link: int, descriptor: int) -> None:
        """Hand a non-blocking descriptor to the thread: it writes everything as it stands, then every edge."""
    def withdraw(self, link: int) -> bool:
        """Ask for a descriptor back; whether the thread has let go of it. Call again until it has."""
    def fault(self, link: int) -> str:
        """Why a link failed, in words; empty while it is well or down."""
    def counts(self, link: int) -> dict[str, int]:
        """Counters of a link: edges, late, dropped, acknowledged, sent, round_ns, round_max_ns, late_ns (clock)."""
    @property
    def pending(self) -> int:
        """Edges that have not left the ring yet."""
    @property
    def overflow(self) -> int:
        """Edges that found the ring full and were put off by a scan."""
    def log(self, after: int = ...) -> tuple[NDArray[np.void], int]:
        """Edges as they left (dtype RECORD; outcome 0 sent, 1 late, 2 dropped), and what to ask for next time.

        Only the last 65536 are kept; a gap shows in their numbers.
        """
    def post(self, values: NDArray[np.float64], k: int, due_ns: int) -> None:
        """Do by hand what the scan thread does after a scan: for tests, and for a scan that is advanced by hand."""
