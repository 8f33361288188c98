"""Who operates the tool, as the server sees it: early refusals of what the controller, which has the token, refuses."""

import ipaddress
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from opcua_model.interface import Caller, Refused
from supervisor.link.token import TIMEOUT_S, Asker, Owner, Place, Token, TokenError
from supervisor.server.access.policy import Policy


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
        self._token = Token(timeout_s=timeout_s, clock=clock)

    @property
    def owner(self) -> Owner | None:
        """Who holds the control at this moment."""
        return self._token.owner

    @property
    def timeout_s(self) -> float:
        """An owner who asks for nothing for so long is one no longer."""
        return self._token.timeout_s

    def left_s(self) -> float:
        """Time until the owner holds it no longer, when nothing is asked meanwhile; 0 without an owner."""
        return self._token.left_s()

    def may_take(self, caller: Caller, reason: str | None = None) -> None:
        """Refuse whoever may not have it now; with a reason it is taken over.

        Raises:
            Refused: somebody else holds it.
        """
        with _told():
            if reason is None:
                self._token.may_take(asker(caller))
            else:
                self._token.may_take_over(asker(caller), reason)

    def give(self, caller: Caller) -> Owner:
        """The controller has given it."""
        return self._token.give(asker(caller))

    def adopt(self, told: dict[str, Any] | None) -> None:
        """Take over what the controller says of the token."""
        if not told:
            self._token.adopt(None, 0.0)
            return
        owner = Owner(str(told["user"]), str(told["session"]), told["place"], int(told["since_ns"]))
        self._token.adopt(owner, float(told["left_s"]))

    def may_release(self, caller: Caller) -> None:
        """Refuse whoever does not hold it.

        Raises:
            Refused: the caller has it not.
        """
        with _told():
            self._token.may_release(caller.session)

    def closed(self, session: str) -> bool:
        """A session has given it back, or ended; whoever is gone controls nothing."""
        return self._token.closed(session)

    def require(self, caller: Caller) -> None:
        """Let pass who may move the tool; the owner's time begins anew.

        Raises:
            Refused: somebody else controls it, or nobody does where somebody must.
        """
        if not self._policy.ownership:
            return
        if self.owner is None and self._required:
            raise Refused("BadUserAccessDenied", "nobody controls the tool: take the control first (TakeControl)")
        with _told():
            self._token.require(caller.session)


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except TokenError as error:
        raise Refused(error.status, str(error)) from None


def asker(caller: Caller) -> Asker:
    """Name a caller for the token."""
    return Asker(caller.user, caller.session, place(caller))


def place(caller: Caller) -> Place:
    """Where somebody is: at the tool when the session comes from the tool's own computer."""
    host = caller.peer.rpartition(":")[0].strip("[]") if caller.peer.count(":") == 1 else caller.peer
    try:
        return "local" if ipaddress.ip_address(host.split("%")[0]).is_loopback else "remote"
    except ValueError:
        return "remote"
