"""The token of the control, where it counts: a server that is another one, or not itself, cannot act past its owner."""

from collections.abc import Callable
from typing import Any

from supervisor.controller.crew.memory import Holder, Memory
from supervisor.controller.errors import CommandRefused
from supervisor.controller.permissions import UNOWNED
from supervisor.link.messages import CommandKind, Principal
from supervisor.link.token import Asker, Owner, Token, TokenError


class ControlToken:
    """Who holds the control, kept over restarts; an owner of before has a whole timeout after one.

    Args:
        memory: where it is kept.
        clock: monotonic, s.
    """

    def __init__(self, memory: Memory, clock: Callable[[], float] | None = None) -> None:
        self._memory = memory
        self._token = Token() if clock is None else Token(clock=clock)

    def take_up(self) -> None:
        """After a start: as before it."""
        if (kept := self._memory.known.control) is not None:
            self._token.timeout_s = kept.timeout_s
            self._token.adopt(Owner(kept.user, kept.session, kept.place, kept.since_ns), kept.timeout_s)

    def take(self, principal: Principal, reason: str, timeout_s: float, now_ns: int) -> None:
        """Become the owner; with a reason in the place of somebody who does not give it back. The caller keeps it.

        Raises:
            CommandRefused: somebody else holds it.
        """
        asker = Asker(principal.user, principal.session, principal.place)
        if not principal.session:
            raise CommandRefused("BadUserAccessDenied", "the control belongs to a session")
        try:
            if reason:
                self._token.may_take_over(asker, reason)
            else:
                self._token.may_take(asker)
        except TokenError as error:
            raise CommandRefused(error.status, str(error)) from None
        self._token.timeout_s = timeout_s
        self._token.give(asker, now_ns)
        self._memory.known.control = Holder(
            user=asker.user, session=asker.session, place=asker.place, since_ns=now_ns, timeout_s=timeout_s
        )

    def release(self, principal: Principal) -> None:
        """Give it back. The caller keeps the memory.

        Raises:
            CommandRefused: this session does not hold it.
        """
        try:
            self._token.may_release(principal.session)
        except TokenError as error:
            raise CommandRefused(error.status, str(error)) from None
        self._token.closed(principal.session)
        self._memory.known.control = None

    def require(self, kind: CommandKind, principal: Principal) -> None:
        """Refuse what only the owner may ask for.

        Raises:
            CommandRefused: somebody else is.
        """
        if kind in UNOWNED:
            return
        try:
            self._token.require(principal.session)
        except TokenError as error:
            raise CommandRefused(error.status, str(error)) from None

    def words(self) -> dict[str, Any] | None:
        """For the status."""
        owner = self._token.owner
        if owner is None:
            return None
        return {"user": owner.user, "session": owner.session, "place": owner.place, "since_ns": owner.since_ns,
                "left_s": self._token.left_s()}  # fmt: skip
