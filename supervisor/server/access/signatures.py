"""Electronic signatures: a person gives the password again and says what the signature means, then does the deed.

A signature is for one deed of the session that made it, within two minutes. It goes into the audit trail with the deed
it was made for, so it can be neither cut out nor put to another (FDA 21 CFR 11.50 (name, moment, meaning), 11.70
(linking), 11.200 (a)(1) (two components, given again)).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Policy, Weighty

VALID_S = 120.0


class Meaning(StrEnum):
    """What a signature says (21 CFR 11.50 (a)(3))."""

    AUTHORSHIP = "authorship"
    REVIEW = "review"
    APPROVAL = "approval"
    RESPONSIBILITY = "responsibility"


@dataclass(frozen=True)
class Signature:
    """Who signed, what it means, when."""

    user: str
    meaning: Meaning
    signed_at: str
    """UTC, ISO 8601."""

    def detail(self) -> dict[str, str]:
        """Return it as it stands in the audit trail."""
        return {"user": self.user, "meaning": self.meaning.value, "signed_at": self.signed_at}


class Signatures:
    """Signatures that wait for their deed, one a session.

    Args:
        policy: what has to be signed.
        clock: monotonic time in s.
    """

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy, self._clock = policy, clock
        self._waiting: dict[str, tuple[Signature, float]] = {}

    def sign(self, caller: Caller, meaning: str) -> Signature:
        """Keep the signature of a person whose password has just been found right.

        Raises:
            Refused: there is no such meaning.
        """
        if meaning not in set(Meaning):
            raise Refused("BadInvalidArgument", f"a signature means one of {', '.join(Meaning)}, not {meaning!r}")
        made = Signature(caller.user, Meaning(meaning), datetime.now(UTC).isoformat(timespec="milliseconds"))
        now = self._clock()
        self._waiting = {key: one for key, one in self._waiting.items() if now - one[1] <= VALID_S}
        self._waiting[caller.session] = made, now
        return made

    def use(self, caller: Caller, deed: Weighty) -> dict[str, dict[str, str]]:
        """Take the signature for a deed: its entry in the audit trail, or nothing where none is asked for.

        Raises:
            Refused: the policy asks for one, and this session has none that is fresh.
        """
        if deed not in self._policy.signatures:
            return {}
        made, at = self._waiting.pop(caller.session, (None, 0.0))
        if made is None or made.user != caller.user or self._clock() - at > VALID_S:
            raise Refused(
                "BadUserSignatureInvalid",
                f"to {deed.value} needs your signature: call State/Sign with your password and what it means "
                f"({', '.join(Meaning)}), then do it within {VALID_S:g} s",
            )
        return {"signature": made.detail()}
