"""SEMI E10: how long the equipment has been in each of its states, over restarts of either half.

Once a minute the server notes that it still sees the equipment. After a restart the time since the last note counts as
Unscheduled Downtime: nobody could use the equipment through us.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anyio
import structlog

from supervisor.server.errors import StoreError
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection, one

log = structlog.get_logger()

STATES = (
    "Productive", "Standby", "Engineering", "Scheduled Downtime", "Unscheduled Downtime", "Non-Scheduled",
)  # fmt: skip
"""The six basic states of SEMI E10."""
LOOK_S = 1.0
SEEN_S = 60
SEEN = "e10_seen"
SECOND_NS = 1_000_000_000
DOWN = "Unscheduled Downtime"


class EquipmentTime:
    """Sums them up; `look` is told the present state and mode once a second."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sums_ns: dict[str, int] = {state: 0 for state in STATES}  # noqa: C420 - its keys are any text
        self._state = ""
        self._since_ns = 0

    async def load(self) -> None:
        """Take up what is recorded."""
        rows = await self._store.read(_rows)
        for (begin, state), (end, _) in pairwise(rows):
            self._sums_ns[state] = self._sums_ns.get(state, 0) + max(0, end - begin)
        if rows:
            self._since_ns, self._state = rows[-1]
            seen = await self._store.read(_seen)
            await self._enter(DOWN, "", max(seen, self._since_ns))

    async def look(self, state: str, mode: str) -> None:
        """Enter a change of state."""
        if state != self._state:
            await self._enter(state, mode, time.time_ns())

    async def _enter(self, state: str, mode: str, now_ns: int) -> None:
        if self._state:
            self._sums_ns[self._state] = self._sums_ns.get(self._state, 0) + max(0, now_ns - self._since_ns)
        self._state, self._since_ns = state, now_ns
        try:
            await self._store.write(
                lambda connection: (
                    connection.execute("INSERT INTO equipment_states VALUES (?, ?, ?)", [now_ns, state, mode]) and None
                )
            )
        except StoreError as error:
            log.warning("a state of the equipment is not recorded", state=state, why=str(error))

    def seconds(self) -> dict[str, float]:
        """Return the time in each state, s, the present one included."""
        now = time.time_ns()
        found = dict(self._sums_ns)
        if self._state:
            found[self._state] = found.get(self._state, 0) + max(0, now - self._since_ns)
        return {state: found[state] / SECOND_NS for state in STATES}

    @property
    def since_ns(self) -> int:
        """Moment at which the present state began."""
        return self._since_ns

    def variables(self) -> dict[str, Any]:
        """Return what stands below State."""
        named = self.seconds()
        found: dict[str, Any] = {f"State/{variable_of(state)}": round(value, 1) for state, value in named.items()}
        scheduled = sum(value for state, value in named.items() if state != "Non-Scheduled")
        up = named["Productive"] + named["Standby"] + named["Engineering"]
        found["State/E10UptimePct"] = 100.0 * up / scheduled if scheduled else 0.0
        found["State/E10StateS"] = round((time.time_ns() - self._since_ns) / SECOND_NS, 1) if self._state else 0.0
        return found

    async def run(self, present: Callable[[], tuple[str, str]]) -> None:
        """Look for ever; `present()` gives state and mode."""
        looked = 0
        while True:
            await self.look(*present())
            if looked % SEEN_S == 0:
                await self.note()
            looked += 1
            await anyio.sleep(LOOK_S)

    async def note(self) -> None:
        """Note that the equipment is seen."""
        now = str(time.time_ns())
        try:
            await self._store.write(lambda connection: _note(connection, now))
        except StoreError as error:
            log.warning("that the equipment is seen is not recorded", why=str(error))


def variable_of(state: str) -> str:
    """Name of the variable that shows the time in a state."""
    return "E10" + "".join(word.capitalize() for word in state.replace("-", " ").split()) + "S"


def _rows(connection: Connection) -> list[tuple[int, str]]:
    found = connection.execute("SELECT time_ns, state FROM equipment_states ORDER BY time_ns").fetchall()
    return [(int(moment), str(state)) for moment, state in found]


def _seen(connection: Connection) -> int:
    row = one(connection, "SELECT value FROM settings WHERE name = ?", [SEEN])
    return int(row[0]) if row else 0


def _note(connection: Connection, now: str) -> None:
    connection.execute("DELETE FROM settings WHERE name = ?", [SEEN])
    connection.execute("INSERT INTO settings VALUES (?, ?)", [SEEN, now])
