"""The control of the tool: one owner at a time, at the tool or from afar. Both halves judge by the same rules.

While nobody holds it, everybody with the role may act. An owner who goes away, or asks for nothing for a while, holds
it no longer. Somebody at the tool takes it from somebody afar; nobody afar takes it from somebody at the tool. What
leads to safety never asks for it. The server refuses early and in good words; the controller keeps the token that
counts, over restarts of either half.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from supervisor.link.errors import LinkError

Place = Literal["local", "remote"]
TIMEOUT_S = 900.0
LEAST_REASON = 3


class TokenError(LinkError):
    """The token is not given, or somebody else holds it; `status` is the OPC UA code."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Asker:
    """Who asks, in which session, from where."""

    user: str
    session: str
    place: Place


@dataclass(frozen=True)
class Owner:
    """Who holds the control."""

    user: str
    session: str
    place: Place
    since_ns: int = 0


class Token:
    """The control of a tool.

    Args:
        timeout_s: an owner who asks for nothing for so long is one no longer.
        clock: monotonic, s.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout_s = timeout_s
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
        return 0.0 if self._owner is None else max(0.0, self.timeout_s - (self._clock() - self._heard_s))

    def may_take(self, asker: Asker) -> None:
        """Refuse unless there is no owner, it is the same person, or it is taken at the tool from somebody afar.

        Raises:
            TokenError: somebody else is.
        """
        owner = self.owner
        own = owner is not None and owner.user == asker.user
        if owner is not None and not own and not (asker.place == "local" and owner.place == "remote"):
            where = "at the tool" if owner.place == "local" else "from afar"
            raise TokenError(
                "BadUserAccessDenied",
                f"{owner.user} controls the tool {where}, for {self.left_s():.0f} s more unless they act; it must be "
                "released there first",
            )

    def may_take_over(self, asker: Asker, reason: str) -> None:
        """Refuse to take it from somebody who does not give it back without a reason, or from afar.

        Raises:
            TokenError: no reason, or the owner is at the tool and the asker is not.
        """
        owner = self.owner
        if len(reason.strip()) < LEAST_REASON:
            raise TokenError("BadInvalidArgument", "give a reason to take the control over: it is told and recorded")
        if owner is not None and owner.place == "local" and asker.place == "remote":
            raise TokenError("BadUserAccessDenied", f"{owner.user} is at the tool: nobody takes over from afar")

    def give(self, asker: Asker, since_ns: int = 0) -> Owner:
        """Make somebody the owner; what was to be judged has been judged."""
        self._owner = Owner(asker.user, asker.session, asker.place, since_ns or time.time_ns())
        self._heard_s = self._clock()
        return self._owner

    def adopt(self, owner: Owner | None, left_s: float) -> None:
        """Take over who the owner is from where it is known."""
        self._owner = owner
        self._heard_s = self._clock() - max(0.0, self.timeout_s - left_s)

    def may_release(self, session: str) -> None:
        """Refuse whoever does not hold it.

        Raises:
            TokenError: this session does not.
        """
        if self.owner is None or self.owner.session != session:
            raise TokenError("BadInvalidState", "this session does not control the tool")

    def closed(self, session: str) -> bool:
        """A session gives it back, or has ended; whoever is gone controls nothing."""
        if self._owner is None or self._owner.session != session:
            return False
        self._owner = None
        return True

    def require(self, session: str) -> None:
        """Let pass who may move the tool; the owner's time begins anew.

        Raises:
            TokenError: somebody else controls it.
        """
        owner = self.owner
        if owner is None:
            return
        if owner.session == session:
            self._heard_s = self._clock()
            return
        raise TokenError(
            "BadUserAccessDenied",
            f"{owner.user} controls the tool ({owner.place}); pause, hold, stop, abort and safe shutdown "
            "are open to everybody with the role, other commands only to the owner",
        )
