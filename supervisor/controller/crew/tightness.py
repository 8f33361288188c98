"""A passed leak check: how long it counts, over restarts too, and that an open chamber ends it.

The scan itself holds what burns in air back until the check has passed, and from the scan on in which the chamber was
opened, or nobody knows (`gas_safety.leak_fresh`, config.gas_rules). Here is what no scan can do: remember over a
restart when it passed, let it grow old, and forget that it was done once the scan says that the chamber was opened.
"""

from config.gas_rules import LEAK_FRESH, LEAK_PASSED
from config.gas_safety import GasSafety, LeakProof
from config.tool import Tool
from supervisor.controller.crew.memory import Memory
from supervisor.controller.scanning.judging import judge
from supervisor.controller.scanning.scanner import View

HOUR_NS = 3600 * 1_000_000_000
AHEAD_NS = 60 * 1_000_000_000
"""A proof that lies further in the future was made before the clock was set back: nobody knows how old it is."""
Write = tuple[str, float]


class Tightness:
    """Judges and remembers.

    Args:
        tool: the tool.
        memory: what outlives this controller.
    """

    def __init__(self, tool: Tool, memory: Memory) -> None:
        rules = tool.gas_safety
        self._declared: LeakProof | None = rules.leak if isinstance(rules, GasSafety) else None
        self._memory = memory
        self._up = False
        """The instruments have spoken since the start, so that a remembered proof was taken up or dropped."""
        self._passed = False
        """At the last look."""
        self._opened = 0
        """Looks in a row at which the scan did not believe what has passed."""
        self.changed = False
        """What must be on the disk now, rather than by and by."""

    def look(self, view: View, now_ns: int) -> list[Write]:
        """Look at the scan; return what is to be written. Called about once a second."""
        if self._declared is None:
            return []
        if not self._up:
            return self._come_up(view, self._declared, now_ns)
        passed = view.value(LEAK_PASSED) == 1.0
        before, self._passed = self._passed, passed
        if not passed:
            if before:
                self._forget(done=False)
            return []
        if not before:
            self._memory.known.leak_ns, self._opened, self.changed = now_ns, 0, True
            return []
        # The scan takes up what has passed one scan later: only a second look means that the chamber was opened.
        self._opened = 0 if view.value(LEAK_FRESH) == 1.0 else self._opened + 1
        if self._opened > 1:
            return self._end(done=True)
        return [] if self._counts(self._declared, now_ns) else self._end(done=False)

    def _come_up(self, view: View, declared: LeakProof, now_ns: int) -> list[Write]:
        """Take up what was proven before this start, once the instruments say that the chamber is shut."""
        if view.value(LEAK_PASSED) == 1.0 or not self._memory.known.leak_ns:
            self._up = True  # a check passed already, or there is nothing to take up
            return []
        if judge(view, declared.void).holds:
            self._up = True
            self._forget(done=True)
            return []
        if not judge(view, f"not ({declared.void})").holds:
            return []  # not known yet
        self._up = True
        if not self._counts(declared, now_ns):
            self._forget(done=False)
            return []
        self._passed = True
        return [(LEAK_PASSED, 1.0)]

    def _counts(self, declared: LeakProof, now_ns: int) -> bool:
        age_ns = now_ns - self._memory.known.leak_ns
        return -AHEAD_NS <= age_ns <= declared.within_h * HOUR_NS

    def _end(self, *, done: bool) -> list[Write]:
        self._passed = False
        self._forget(done=done)
        return [(LEAK_PASSED, 0.0)]

    def _forget(self, *, done: bool) -> None:
        """The proof is over; with `done` its operation no longer counts as completed either."""
        self._memory.known.leak_ns, self._opened, self.changed = 0, 0, True
        if done and self._declared is not None:
            self._memory.known.operations.pop(self._declared.operation, None)
