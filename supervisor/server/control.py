"""Who operates the tool: one owner at a time, here or from afar."""

from dataclasses import dataclass
from typing import Literal

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Policy

LOCAL = "local:"
"""Sessions of the tool's own panel have names that begin so."""


@dataclass(frozen=True)
class Owner:
    """Who holds the control."""

    user: str
    session: str
    place: Literal["local", "remote"]


class Control:
    """Control ownership."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.owner: Owner | None = None

    def take(self, caller: Caller) -> Owner:
        """Become the owner.

        Raises:
            Refused: somebody else is.
        """
        if self.owner is not None and self.owner.session != caller.session:
            raise Refused(
                "BadUserAccessDenied",
                f"{self.owner.user} controls the tool ({self.owner.place}); it must be released there first",
            )
        self.owner = Owner(caller.user, caller.session, "local" if caller.session.startswith(LOCAL) else "remote")
        return self.owner

    def release(self, caller: Caller) -> None:
        """Give the control back.

        Raises:
            Refused: the caller has it not.
        """
        if self.owner is None or self.owner.session != caller.session:
            raise Refused("BadInvalidState", "this session does not control the tool")
        self.owner = None

    def closed(self, session: str) -> bool:
        """A session has ended; whoever is gone controls nothing."""
        if self.owner is None or self.owner.session != session:
            return False
        self.owner = None
        return True

    def require(self, caller: Caller) -> None:
        """Let pass who may move the tool.

        Raises:
            Refused: somebody else controls it.
        """
        if self._policy.ownership and self.owner is not None and self.owner.session != caller.session:
            raise Refused(
                "BadUserAccessDenied",
                f"{self.owner.user} controls the tool ({self.owner.place}); pause, hold, stop, abort and safe shutdown "
                "are open to everybody with the role, other commands only to the owner",
            )
