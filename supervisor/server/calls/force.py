"""Forces of tags: where the policy wants four eyes one person asks, and another one confirms from another session."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Policy, Weighty

VALID_S = 900.0
"""As for bypasses: a request that nobody has confirmed after so long is forgotten."""
MOST = 100


@dataclass(frozen=True)
class ForceRequest:
    """What somebody asked for."""

    id: str
    tag: str
    value: float
    reason: str
    duration_s: float
    user: str
    session: str
    made_s: float

    def arguments(self, *, asked: bool) -> dict[str, str | float]:
        """Of the command to the controller; `asked`: another person confirms it."""
        found: dict[str, str | float] = {
            "tag": self.tag, "value": self.value, "reason": self.reason, "duration_s": self.duration_s,
        }  # fmt: skip
        return found | ({"requested_by": self.user} if asked else {})


class ForceDesk:
    """Requests that wait for a second person."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._open: dict[str, ForceRequest] = {}

    @property
    def four_eyes(self) -> bool:
        """Whether it takes two people."""
        return Weighty.FORCE in self._policy.four_eyes

    def request(self, caller: Caller, tag: str, value: float, reason: str, duration_s: float) -> ForceRequest:
        """Note what somebody asks for; raises Refused when too many wait already."""
        made = ForceRequest(
            str(uuid.uuid4()), tag, value, reason.strip(), duration_s, caller.user, caller.session, self._clock()
        )
        if self.four_eyes:
            self._forget()
            if len(self._open) >= MOST:
                raise Refused("BadTooManyOperations", "too many forces wait for their confirmation")
            self._open[made.id] = made
        return made

    def find(self, caller: Caller, request_id: str) -> ForceRequest:
        """Return a request that the caller may confirm.

        Raises:
            Refused: there is no such request, or the caller made it.
        """
        self._forget()
        found = self._open.get(request_id)
        if found is None:
            raise Refused("BadNotFound", "no force with this id waits; requests end after 15 min")
        if caller.user == found.user or caller.session == found.session:
            raise Refused(
                "BadUserAccessDenied", f"{found.user} asked for this force; another user confirms it (four eyes)"
            )
        return found

    def done(self, request: ForceRequest) -> None:
        """It is being carried out: nobody confirms it again."""
        self._open.pop(request.id, None)

    def waiting(self) -> list[ForceRequest]:
        """Those that wait."""
        self._forget()
        return list(self._open.values())

    def _forget(self) -> None:
        now = self._clock()
        self._open = {number: made for number, made in self._open.items() if now - made.made_s < VALID_S}
