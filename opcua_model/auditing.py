"""Audit events (Part 5, 6.5): who opened, logged in, called and wrote, and whose certificate was refused.

They are told to administrators who monitor the Server object, and what concerns security is handed to the daemon for
its audit trail. A flood of failures is counted instead of stored: a trail that fills the disk protects nobody.
"""

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import anyio

from opcua_model.desk import log
from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.telling import base_fields, deliver
from opcua_model.interface import AuditEntry, Backend, Caller
from opcua_model.space import number_id
from opcua_model.stack import Ids, status, ua

NOBODY: Final = Caller("", frozenset(), "")
PER_PEER: Final = 30
"""Entries of a peer that are stored in a minute; more are counted."""
MINUTE_S: Final = 60.0
PEERS: Final = 200
WAITING: Final = 500
"""Entries that wait for the daemon to store them; more are counted."""
CERTIFICATE_EVENTS: Final = {
    "BadCertificateTimeInvalid": "AuditCertificateExpiredEventType",
    "BadCertificateIssuerTimeInvalid": "AuditCertificateExpiredEventType",
    "BadCertificateRevoked": "AuditCertificateRevokedEventType",
    "BadCertificateIssuerRevoked": "AuditCertificateRevokedEventType",
    "BadCertificateUntrusted": "AuditCertificateUntrustedEventType",
    "BadCertificateChainIncomplete": "AuditCertificateUntrustedEventType",
    "BadCertificateRevocationUnknown": "AuditCertificateUntrustedEventType",
    "BadCertificateIssuerRevocationUnknown": "AuditCertificateUntrustedEventType",
    "BadCertificateUseNotAllowed": "AuditCertificateMismatchEventType",
    "BadCertificateUriInvalid": "AuditCertificateDataMismatchEventType",
    "BadCertificateInvalid": "AuditCertificateInvalidEventType",
    "BadCertificatePolicyCheckFailed": "AuditCertificateInvalidEventType",
}
"""The event's type by the status that refuses a certificate (Part 5, 6.5.12 to 6.5.18)."""
_SEVERITY: Final = {True: 100, False: 500}


@dataclass
class _Minute:
    began: float
    stored: int = 0
    more: int = 0


class Auditor:
    """Tells and keeps.

    Args:
        backend: stores.
        hearers: subscriptions of the moment.
        server: ServerId of every event.
    """

    def __init__(self, backend: Backend, hearers: Callable[[], Iterable[Any]], server: str) -> None:
        self._backend = backend
        self._hearers = hearers
        self._server = server
        self._waiting: deque[AuditEntry] = deque()
        self._lost = 0
        self._minutes: OrderedDict[str, _Minute] = OrderedDict()
        self._awake = anyio.Event()

    def tell(
        self,
        kind: str,
        outcome: str,
        *,
        peer: str,
        caller: Caller = NOBODY,
        audit_id: str = "",
        stored: bool = True,
        **fields: Any,
    ) -> None:
        """Tell of something, and have it stored unless it is in the trail already.

        Args:
            kind: name of its event type.
            outcome: symbolic status.
            peer: address of the client.
            caller: who did it, as far as is known.
            audit_id: AuditEntryId of the request.
            stored: whether the daemon should keep it.
            **fields: of its type; variants.
        """  # fmt: skip
        good = outcome == "Good"
        hearing = [one for one in self._hearers() if one.audits]
        if hearing:
            deliver(self._event(kind, good, outcome, caller, audit_id, fields), hearing)
        if stored:
            detail = {name: _words(value) for name, value in fields.items()}
            self._keep(peer, AuditEntry(caller, kind.removesuffix("EventType"), peer, outcome, detail))

    def certificate(self, refusal: str, der: bytes, *, peer: str) -> None:
        """Tell that a certificate was refused."""
        kind = CERTIFICATE_EVENTS.get(refusal)
        if kind is not None:
            self.tell(kind, refusal, peer=peer, Certificate=ua.Variant(der, ua.VariantType.ByteString))

    def _event(
        self, kind: str, good: bool, outcome: str, caller: Caller, audit_id: str, fields: dict[str, Any]
    ) -> Notice:
        now, kinds = datetime.now(UTC), ua.VariantType
        source = number_id(Ids.Server)
        type_id = number_id(getattr(Ids, kind))
        name = kind.removeprefix("Audit").removesuffix("EventType")
        message = f"{name}: {outcome}" + (f" by {caller.user}" if caller.user else "")
        told = base_fields(type_id, source, f"Session/{name}", now, message, _SEVERITY[good])
        for field, value, built_in in (
            ("ActionTimeStamp", now, kinds.DateTime),
            ("Status", good, kinds.Boolean),
            ("ServerId", self._server, kinds.String),
            ("ClientAuditEntryId", audit_id, kinds.String),
            ("ClientUserId", caller.user, kinds.String),
            ("StatusCodeId", status(outcome), kinds.StatusCode),
        ):
            told[standard(field)] = ua.Variant(value, built_in)
        for field, value in fields.items():
            told[standard(field)] = value
        return Notice(type_id, told, (source,))

    # --------------------------------------------------------------------------------------------------- the trail

    def _keep(self, peer: str, entry: AuditEntry) -> None:
        minute = self._minutes.pop(peer, None)
        now = time.monotonic()
        if minute is None or now - minute.began > MINUTE_S:
            self._tell_rest(peer, minute)
            minute = _Minute(now)
        self._minutes[peer] = minute
        if len(self._minutes) > PEERS:
            self._tell_rest(*self._minutes.popitem(last=False))
        if minute.stored >= PER_PEER:
            minute.more += 1
            return
        minute.stored += 1
        self._put(entry)

    def _tell_rest(self, peer: str, minute: _Minute | None) -> None:
        if minute is not None and minute.more:
            self._put(AuditEntry(NOBODY, "AuditFlood", peer, "Bad", {"entries_not_stored": str(minute.more)}))

    def _put(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= WAITING:
            self._lost += 1
            return
        self._waiting.append(entry)
        self._awake.set()

    async def run(self) -> None:
        """Hand entries to the daemon, one after the other."""
        while True:
            with anyio.move_on_after(MINUTE_S):
                await self._awake.wait()
            self._awake = anyio.Event()
            await self.flush()

    async def flush(self) -> None:
        """Hand over what waits."""
        now = time.monotonic()
        for peer, minute in list(self._minutes.items()):
            if now - minute.began > MINUTE_S:
                del self._minutes[peer]
                self._tell_rest(peer, minute)
        while self._waiting:
            await self._backend.audit(self._waiting.popleft())
        if self._lost:
            lost, self._lost = self._lost, 0
            log.warning("audit_entries_lost", entries=lost)


def _words(value: Any) -> str:
    """Write a field for people; bytes by their digest."""
    plain = value.Value
    if isinstance(plain, bytes):
        return hashlib.sha256(plain).hexdigest()
    return plain.to_string() if isinstance(plain, ua.NodeId) else str(plain)[:200]
