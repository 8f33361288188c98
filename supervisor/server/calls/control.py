"""Who operates the tool: one owner at a time, here or from afar.

While nobody holds the control, everybody with the role may act, unless the installation asks for an owner first. An
owner who goes away, or asks for nothing for a while, holds it no longer. Somebody at the tool takes it from somebody
afar; nobody afar takes it from somebody at the tool. What leads to safety is never asked for.
"""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Policy

TIMEOUT_S = 900.0
LEAST_REASON = 3


@dataclass(frozen=True)
class Owner:
    """Who holds the control."""

    user: str
    session: str
    place: Literal["local", "remote"]
    since_ns: int = 0


class Control:
    """Control ownership.

    Args:
        policy: whether ownership is asked for at all.
        required: whether what moves the tool needs an owner even while there is none.
        timeout_s: an owner who asks for nothing for so long is one no longer.
        clock: monotonic, s.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        required: bool = False,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._required = required
        self._timeout_s = timeout_s
        self._clock = clock
        self._heard_s = 0.0
        self._owner: Owner | None = None

    @property
    def owner(self) -> Owner | None:
        """Who holds the control at this moment."""
        if self._owner is not None and self.left_s() <= 0:
            self._owner = None
        return self._owner

    def left_s(self) -> float:
        """Time until the owner holds it no longer, when nothing is asked meanwhile; 0 without an owner."""
        return 0.0 if self._owner is None else max(0.0, self._timeout_s - (self._clock() - self._heard_s))

    def take(self, caller: Caller) -> Owner:
        """Become the owner: where there is none, from oneself, or at the tool from somebody afar.

        Raises:
            Refused: somebody else is.
        """
        owner, here = self.owner, place(caller)
        own = owner is not None and owner.user == caller.user
        if owner is not None and not own and not (here == "local" and owner.place == "remote"):
            where = "at the tool" if owner.place == "local" else "from afar"
            raise Refused(
                "BadUserAccessDenied",
                f"{owner.user} controls the tool {where}, for {self.left_s():.0f} s more unless they act; it must be "
                "released there first",
            )
        return self._give(caller)

    def take_over(self, caller: Caller, reason: str) -> Owner:
        """Become the owner in the place of somebody who does not give it back.

        Raises:
            Refused: without a reason, or from afar against somebody at the tool.
        """
        owner = self.owner
        if len(reason.strip()) < LEAST_REASON:
            raise Refused("BadInvalidArgument", "give a reason to take the control over: it is told and recorded")
        if owner is not None and owner.place == "local" and place(caller) == "remote":
            raise Refused("BadUserAccessDenied", f"{owner.user} is at the tool: nobody takes over from afar")
        return self._give(caller)

    def _give(self, caller: Caller) -> Owner:
        self._owner, self._heard_s = Owner(caller.user, caller.session, place(caller), time.time_ns()), self._clock()
        return self._owner

    def release(self, caller: Caller) -> None:
        """Give the control back.

        Raises:
            Refused: the caller has it not.
        """
        if self.owner is None or self.owner.session != caller.session:
            raise Refused("BadInvalidState", "this session does not control the tool")
        self._owner = None

    def closed(self, session: str) -> bool:
        """A session has ended; whoever is gone controls nothing."""
        if self._owner is None or self._owner.session != session:
            return False
        self._owner = None
        return True

    def require(self, caller: Caller) -> None:
        """Let pass who may move the tool; the owner's time begins anew.

        Raises:
            Refused: somebody else controls it, or nobody does where somebody must.
        """
        owner = self.owner
        if not self._policy.ownership:
            return
        if owner is None:
            if self._required:
                raise Refused("BadUserAccessDenied", "nobody controls the tool: take the control first (TakeControl)")
            return
        if owner.session == caller.session:
            self._heard_s = self._clock()
            return
        raise Refused(
            "BadUserAccessDenied",
            f"{owner.user} controls the tool ({owner.place}); pause, hold, stop, abort and safe shutdown "
            "are open to everybody with the role, other commands only to the owner",
        )


def place(caller: Caller) -> Literal["local", "remote"]:
    """Where somebody is: at the tool when the session comes from the tool's own computer."""
    host = caller.peer.rpartition(":")[0].strip("[]") if caller.peer.count(":") == 1 else caller.peer
    try:
        return "local" if ipaddress.ip_address(host.split("%")[0]).is_loopback else "remote"
    except ValueError:
        return "remote"
