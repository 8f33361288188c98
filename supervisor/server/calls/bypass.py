"""Bypasses of interlocks take two people: one asks, another one confirms from a session of their own."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from config.layout import Layout
from config.tool import Interlock
from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Policy, Weighty

VALID_S = 900.0
"""A request that nobody has confirmed after so long is forgotten: the plant is another by then."""
MOST = 100
LEAST_REASON = 3


@dataclass(frozen=True)
class Request:
    """What somebody asked for."""

    id: str
    interlock: str
    reason: str
    duration_s: float
    user: str
    session: str
    made_s: float


class BypassDesk:
    """Open requests."""

    def __init__(self, layout: Layout, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self._interlocks = {row.name: row for row in layout.tool.interlocks}
        self._policy = policy
        self._clock = clock
        self._open: dict[str, Request] = {}

    def request(self, caller: Caller, interlock: str, reason: str, duration_s: float) -> Request:
        """Ask for a bypass.

        Raises:
            Refused: it can never be given.
        """
        declared = self._declared(interlock)
        if not declared.bypassable:
            raise Refused("BadNotSupported", f"{interlock} can never be bypassed")
        if not 0 < duration_s <= declared.max_bypass_s:
            raise Refused("BadOutOfRange", f"a bypass of {interlock} lasts at most {declared.max_bypass_s:g} s")
        if len(reason.strip()) < LEAST_REASON:
            raise Refused("BadInvalidArgument", "give the reason of the bypass; it is kept in the audit trail")
        self._forget()
        if len(self._open) >= MOST:
            raise Refused("BadTooManyOperations", "too many bypasses wait for their confirmation")
        made = Request(
            str(uuid.uuid4()), interlock, reason.strip(), duration_s, caller.user, caller.session, self._clock()
        )
        self._open[made.id] = made
        return made

    def confirm(self, caller: Caller, interlock: str, request_id: str) -> Request:
        """Take a request off the desk for being carried out; raises Refused as `find` does."""
        found = self.find(caller, interlock, request_id)
        del self._open[request_id]
        return found

    def find(self, caller: Caller, interlock: str, request_id: str) -> Request:
        """Return a request that the caller may confirm.

        Raises:
            Refused: there is no such request, or the caller made it.
        """
        self._declared(interlock)
        self._forget()
        found = self._open.get(request_id)
        if found is None or found.interlock != interlock:
            raise Refused("BadNotFound", f"no bypass of {interlock} with this id waits; requests end after 15 min")
        if Weighty.BYPASS in self._policy.four_eyes and (found.user == caller.user or found.session == caller.session):
            raise Refused(
                "BadUserAccessDenied", f"{found.user} asked for this bypass; another user confirms it (four eyes)"
            )
        return found

    def _declared(self, interlock: str) -> Interlock:
        declared = self._interlocks.get(interlock)
        if declared is None:
            raise Refused("BadNotFound", f"there is no interlock called {interlock!r}")
        return declared

    def _forget(self) -> None:
        now = self._clock()
        self._open = {number: made for number, made in self._open.items() if now - made.made_s < VALID_S}
