"""A client's session: an unguessable token, a user, what belongs to it, and the services with their limits."""

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from opcua_model.attributes import read_attribute, readable, write_attribute
from opcua_model.browse import Browser, Continuations
from opcua_model.calls import call_method, told_arguments
from opcua_model.conditions.methods import audit_event
from opcua_model.conditions.refreshing import is_refresh, refresh
from opcua_model.decoding import Reader
from opcua_model.desk import Desk, log
from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.telling import deliver, make_event
from opcua_model.historical.reading import read_history
from opcua_model.interface import Caller, Occurrence, Refused
from opcua_model.login import admit_anonymous, check_policy, is_anonymous, open_password, prove_certificate
from opcua_model.permissions import ADMINISTRATOR
from opcua_model.stack import Attr, InternalSession, SessionState, create_nonce, fault, status, ua

TOKEN_BYTES: Final = 32
_OPERATION_DIAGNOSTICS: Final = 0x03E0
"""Bits of ReturnDiagnostics that ask for words about single operations (Part 4, 7.33)."""
REFUSAL_SEVERITY: Final = 300

_SOURCE: Final = standard("SourceNode")
_PORTION: Final = 500
"""References of an answer before others have a turn."""
_PATHS: Final = 50
"""The same for paths."""

Refusals = Sequence[tuple[Refused | None, str]]


class Session(InternalSession):
    """An external session."""

    def __init__(self, iserver: Any, desk: Desk, browser: Browser, peer: str, certificate: bytes | None) -> None:
        super().__init__(iserver, iserver.aspace, iserver.subscription_service, peer)
        self.external = True
        self.auth_token = ua.NodeId(secrets.token_bytes(TOKEN_BYTES), 0)
        self.session_id = ua.NodeId(uuid.uuid4(), 1)
        self.peer = peer
        self.certificate = certificate
        """Of the client's application; the session answers to no channel of another one."""
        self.caller = Caller("", frozenset(), str(self.session_id.Identifier), signed=certificate is not None)
        self._desk = desk
        self._browser = browser
        limit = desk.settings.limits.continuation_points
        self._browse_points = Continuations(limit)
        self._history_points = Continuations(limit)
        iserver.register_external_session(self)

    # ------------------------------------------------------------------------------------------------ identity

    async def activate(self, params: Any, channel: Any) -> Any:
        """Check who it is and open the session for them; who is inside already may come back on another channel.

        Raises:
            ServiceError: the token is not accepted, or names another user than before.
        """
        if self.state == SessionState.Closed:
            raise fault("BadSessionIdInvalid")
        user, roles = await self._identify(params, channel)
        if self.state == SessionState.Closed:  # the connection broke while the password was being checked
            raise fault("BadSessionClosed")
        first = self.state == SessionState.Created
        if not first and user != self.caller.user:
            raise fault("BadIdentityChangeNotSupported")
        if first:
            await self.iserver.require_place(user)
        self.caller = Caller(user, roles, self.caller.session, str(self.peer), signed=bool(channel.secured))
        self.nonce = create_nonce(32)
        self.state = SessionState.Activated
        self.touch()
        self._start_timeout_watchdog()
        if first:
            log.info("session_opened", user=user or "anonymous", peer=self.peer, session=self.caller.session)
            self._desk.backend.opened(self.caller)
        return ua.ActivateSessionResult(
            ServerNonce=self.nonce, Results=[ua.StatusCode() for _ in params.ClientSoftwareCertificates or ()]
        )

    async def _identify(self, params: Any, channel: Any) -> tuple[str, frozenset[str]]:
        token, backend = params.UserIdentityToken, self._desk.backend
        check_policy(token, self.iserver.endpoints, channel.policy.URI, int(channel.policy.Mode))
        if is_anonymous(token):
            admit_anonymous(self._desk.settings, self.peer)
            return "", frozenset()
        if not channel.secured:
            raise fault("BadIdentityTokenRejected")
        if isinstance(token, ua.X509IdentityToken):
            signed = channel.host_certificate + (self.nonce or b"")
            thumbprint = prove_certificate(token, params.UserTokenSignature, signed, channel.policy)
            found = await backend.authenticate_certificate(thumbprint, self.peer)
            name = f"certificate {thumbprint[:16]}"
        elif isinstance(token, ua.UserNameIdentityToken):
            name, password = open_password(
                token, channel.private_key, self.nonce, channel.policy, encrypted=channel.encrypted
            )
            roles = await backend.authenticate(name, password, self.peer)
            found = None if roles is None else (name, roles)
        else:
            raise fault("BadIdentityTokenRejected")
        if found is None:
            log.warning("login_refused", user=name, peer=self.peer)
            raise fault("BadUserAccessDenied")
        return found

    def open_result(self, params: Any) -> Any:
        """Fill what CreateSession answers, the endpoints and the server's signature aside."""
        low, high = self._desk.settings.limits.session_timeout_s
        asked = float(params.RequestedSessionTimeout or 0.0) / 1000.0
        self.session_timeout = min(max(asked, low), high) if asked == asked else high  # noqa: PLR0124 - NaN
        self.nonce = create_nonce(32)
        result = ua.CreateSessionResult()
        result.SessionId, result.AuthenticationToken = self.session_id, self.auth_token
        result.RevisedSessionTimeout = self.session_timeout * 1000.0
        result.MaxRequestMessageSize = self._desk.settings.limits.message_bytes
        result.ServerNonce = self.nonce
        return result

    async def close_session(self, delete_subs: bool = True) -> None:
        """End the session, once; the daemon is told when it had been opened."""
        if self.state == SessionState.Closed:
            return
        was_open = self.state == SessionState.Activated
        await super().close_session(delete_subs)
        watchdog = self._timeout_task
        if watchdog is not None and watchdog is not asyncio.current_task():
            await asyncio.gather(watchdog, return_exceptions=True)
        if was_open:
            log.info("session_closed", user=self.caller.user or "anonymous", session=self.caller.session)
            self._desk.backend.closed(self.caller.session)

    def idle_s(self) -> float:
        """Time since the last request."""
        return time.monotonic() - float(self._last_activity)

    # ------------------------------------------------------------------------------------ attributes and views

    async def read_encoded(self, reader: Reader) -> bytes:
        """Read attributes: the parameters of a Read in, the encoded array of its DataValues out."""
        read_one = partial(read_attribute, self._desk, self.caller)
        return await self.iserver.reads.answer(reader, read_one, singly=self._desk.permissions.blind(self.caller))

    async def write_all(self, params: Any) -> tuple[list[Any], list[tuple[Refused | None, str]]]:
        """Write attributes: status codes, and beside them the refusals with what they were about."""
        self._bound(params.NodesToWrite, self._desk.settings.limits.nodes_per_write)
        answers = [await self._write(wanted) for wanted in params.NodesToWrite]
        return [code for code, _, _ in answers], [(refused, target) for _, refused, target in answers]

    async def call_all(self, params: Any) -> tuple[list[Any], list[tuple[Refused | None, str]]]:
        """Call methods: results, and beside them the refusals with what they were about."""
        self._bound(params.MethodsToCall, self._desk.settings.limits.nodes_per_call)
        answers = [await self._audited(wanted) for wanted in params.MethodsToCall]
        return [result for result, _, _ in answers], [(refused, target) for _, refused, target in answers]

    async def _write(self, wanted: Any) -> tuple[Any, Refused | None, str]:
        if not self.sees(wanted.NodeId):
            refused = Refused("BadUserAccessDenied", f"{self.caller.user or 'an anonymous session'} does not see it")
            answer = status(refused.status), refused, wanted.NodeId.to_string()
        else:
            answer = await write_attribute(self._desk, self.caller, wanted)
        kinds = ua.VariantType
        self._audit(
            "AuditWriteUpdateEventType",
            str(answer[0].name),
            SourceNode=ua.Variant(wanted.NodeId, kinds.NodeId),
            AttributeId=ua.Variant(wanted.AttributeId, kinds.UInt32),
            IndexRange=ua.Variant(wanted.IndexRange, kinds.String),
            NewValue=wanted.Value.Value or ua.Variant(None, kinds.Null),
        )
        return answer

    async def _audited(self, wanted: Any) -> tuple[Any, Refused | None, str]:
        if not self.sees(wanted.MethodId) or not self.sees(wanted.ObjectId):
            refused = Refused("BadUserAccessDenied", f"{self.caller.user or 'an anonymous session'} does not see it")
            answer = ua.CallMethodResult(StatusCode=status(refused.status)), refused, wanted.MethodId.to_string()
        else:
            answer = await self._call(wanted)
        kinds = ua.VariantType
        given = told_arguments(self._desk.tree.methods.get(wanted.MethodId), wanted.InputArguments or ())
        kind, fields = audit_event(wanted.MethodId, given)
        self._audit(
            kind,
            str(answer[0].StatusCode.name),
            SourceNode=ua.Variant(wanted.ObjectId, kinds.NodeId),
            MethodId=ua.Variant(wanted.MethodId, kinds.NodeId),
            InputArguments=ua.Variant(given, kinds.Variant, is_array=True),
            **fields,
        )
        return answer

    def _audit(self, kind: str, outcome: str, **fields: Any) -> None:
        """Tell of what was done; the trail has it from the daemon."""
        self.iserver.auditor.tell(kind, outcome, peer=self.peer, caller=self.caller, stored=False, **fields)

    async def _call(self, wanted: Any) -> tuple[Any, Refused | None, str]:
        if is_refresh(wanted):
            owned = self.iserver.subscription_service.owned(self.session_id)
            return refresh(self._desk.conditions, owned, wanted)
        return await call_method(self._desk, self.caller, wanted)

    async def explain(self, refusals: Refusals, diagnostics: int) -> list[Any]:
        """Tell why something was refused: as an event to this session, and as diagnostics when it asked for them.

        This is the one place at which the reasons of refusals become words for people; logs and the audit trail keep
        them as they are written in the code.
        """
        if not any(refused for refused, _ in refusals):
            return []
        for refused, target in refusals:
            if refused is not None:
                log.info("refused", user=self.caller.user, target=target, status=refused.status, reason=refused.reason)
                await self._tell(refused, target)
        if not diagnostics & _OPERATION_DIAGNOSTICS:
            return []
        return [
            ua.DiagnosticInfo(AdditionalInfo=self._desk.backend.words(refused.reason))
            if refused is not None
            else ua.DiagnosticInfo()
            for refused, _ in refusals
        ]

    async def _tell(self, refused: Refused, target: str) -> None:
        owned = self.iserver.subscription_service.owned(self.session_id)
        if owned:
            fields = {"Status": refused.status, "Target": target}
            source = target.rpartition("/")[0]
            words = self._desk.backend.words(refused.reason)
            occurrence = Occurrence(source, REFUSAL_SEVERITY, words, time.time_ns(), "RefusalEventType", fields)
            deliver(make_event(self._desk.tree.space, occurrence), owned)

    async def browse(self, params: Any) -> list[Any]:
        """Follow references."""
        self._bound(params.NodesToBrowse, self._desk.settings.limits.nodes_per_browse)
        if not params.View.ViewId.is_null():
            raise fault("BadViewIdUnknown")
        maximum = int(params.RequestedMaxReferencesPerNode)
        for wanted in params.NodesToBrowse:
            if self.sees(wanted.NodeId):
                await self.iserver.entries.open(wanted.NodeId)
        self._browse_points.begin()
        return await self._in_turn(
            params.NodesToBrowse,
            lambda wanted, left: self._browser.browse(wanted, maximum, self._browse_points, self.sees, left),
        )

    async def browse_next(self, parameters: Any) -> list[Any]:
        """Go on where a Browse was too long."""
        self._bound(parameters.ContinuationPoints, self._desk.settings.limits.nodes_per_browse)
        release = bool(parameters.ReleaseContinuationPoints)
        self._browse_points.begin()
        return await self._in_turn(
            parameters.ContinuationPoints,
            lambda point, left: self._browser.go_on(point or b"", self._browse_points, left, release=release),
        )

    async def _in_turn(self, wishes: Sequence[Any], browse: Callable[[Any, int], Any]) -> list[Any]:
        """Answer one wish after the other within what an answer may hold; others have their turn between."""
        results: list[Any] = []
        left, begun = self._browser.altogether, 0
        for wish in wishes:
            results.append(browse(wish, left))
            left -= len(results[-1].References)
            begun += 1 + len(results[-1].References)
            if begun > _PORTION:
                begun = 0
                await asyncio.sleep(0)
        return results

    async def translate_browsepaths_to_nodeids(self, params: Any) -> list[Any]:
        """Find nodes by names."""
        self._bound(params, self._desk.settings.limits.nodes_per_translate)
        found: list[Any] = []
        for number, path in enumerate(params):
            if number % _PATHS == _PATHS - 1:
                await asyncio.sleep(0)
            if not path.RelativePath.Elements:
                found.append(ua.BrowsePathResult(StatusCode=status("BadNothingToDo")))
                continue
            (result,) = self.iserver.view_service.translate_browsepaths_to_nodeids([path])
            if result.StatusCode.is_good():
                result.Targets = [one for one in result.Targets if self.sees(one.TargetId)]
                if not result.Targets:
                    result.StatusCode = status("BadNoMatch")
            found.append(result)
        return found

    def register(self, nodes: Sequence[Any] | None) -> list[Any]:
        """Give nodes back as they are: a lookup by path is as fast as one by number."""
        self._bound(nodes, self._desk.settings.limits.nodes_per_read)
        return list(nodes or ())

    def cancel(self, handle: int, processor: Any) -> int:
        """Give requests of a handle up that wait on the channel of this session; return how many there were."""
        self._audit("AuditCancelEventType", "Good", RequestHandle=ua.Variant(handle, ua.VariantType.UInt32))
        return int(processor.cancel(int(handle)))

    async def history_read(self, params: Any) -> list[Any]:
        """Read history."""
        self._bound(params.NodesToRead, self._desk.settings.limits.nodes_per_history_read)
        return await read_history(self._desk, params, self._history_points, self.sees)

    @staticmethod
    def _bound(operations: Sequence[Any] | None, limit: int) -> None:
        if not operations:
            raise fault("BadNothingToDo")
        if len(operations) > limit:
            raise fault("BadTooManyOperations")

    # --------------------------------------------------------------------------------------------- subscriptions

    async def create_subscription(self, params: Any, callback: Any, request_callback: Any = None) -> Any:
        """Create a subscription of this session."""
        service, limits = self.iserver.subscription_service, self._desk.settings.limits
        if len(service.owned(self.session_id)) >= limits.subscriptions_per_session:
            raise fault("BadTooManySubscriptions")
        if len(self.iserver.subscriptions_of(self.caller.user)) >= limits.subscriptions_per_user:
            raise fault("BadTooManySubscriptions")
        result = await service.create_subscription(params, callback, self.session_id, request_callback=request_callback)
        self._adopt(service.subscriptions[result.SubscriptionId])
        return result

    def _adopt(self, subscription: Any) -> None:
        """Let a subscription hear what this session may hear."""
        subscription.admits = self.admits
        subscription.audits = ADMINISTRATOR in self.caller.roles

    def sees(self, node: Any) -> bool:
        """Tell whether this session may browse, read and hear of a node."""
        return self._desk.permissions.sees(self.caller, node)

    def admits(self, event: Notice) -> bool:
        """Tell whether this session may hear of an event."""
        source = event.get(_SOURCE, Attr.Value)
        return source is None or source.Value is None or self.sees(source.Value)

    def _own(self, number: int) -> Any:
        if not self._is_own(number):
            raise fault("BadSubscriptionIdInvalid")
        return self.iserver.subscription_service.subscriptions[number]

    def _is_own(self, number: int) -> bool:
        found = self.iserver.subscription_service.subscriptions.get(number)
        return found is not None and found.session_id == self.session_id and not found.expired

    async def create_monitored_items(self, params: Any) -> list[Any]:
        """Create monitored items in a subscription of this session."""
        self._own(params.SubscriptionId)
        self._bound(params.ItemsToCreate, self._desk.settings.limits.monitored_items_per_call)
        limits, wanted = self._desk.settings.limits, len(params.ItemsToCreate)
        for subscriptions, most in (
            (self.iserver.subscription_service.subscriptions.values(), limits.items),
            (self.iserver.subscriptions_of(self.caller.user), limits.items_per_user),
        ):
            if sum(len(one.monitored_item_srv) for one in subscriptions) + wanted > most:
                raise fault("BadTooManyMonitoredItems")
        refused = [self._kept_from(wanted.ItemToMonitor) for wanted in params.ItemsToCreate]
        if not any(refused):
            return await super().create_monitored_items(params)
        params.ItemsToCreate = [one for one, out in zip(params.ItemsToCreate, refused, strict=True) if not out]
        shown = iter(await super().create_monitored_items(params) if params.ItemsToCreate else ())
        return [ua.MonitoredItemCreateResult(StatusCode=status(out)) if out else next(shown) for out in refused]

    def _kept_from(self, wanted: Any) -> str:
        """Return why something cannot be followed by this session whatever it asks for; empty: nothing."""
        if not self.sees(wanted.NodeId):
            return "BadUserAccessDenied"
        follows_value = wanted.AttributeId == Attr.Value
        return "BadNotReadable" if follows_value and not readable(self._desk, wanted.NodeId) else ""

    async def modify_monitored_items(self, params: Any) -> list[Any]:
        """Modify monitored items of this session."""
        self._own(params.SubscriptionId)
        self._bound(params.ItemsToModify, self._desk.settings.limits.monitored_items_per_call)
        return await super().modify_monitored_items(params)

    async def set_monitoring_mode(self, params: Any) -> list[Any]:
        """Set the mode of monitored items of this session."""
        self._own(params.SubscriptionId)
        self._bound(params.MonitoredItemIds, self._desk.settings.limits.monitored_items_per_call)
        return await super().set_monitoring_mode(params)

    def set_triggering(self, params: Any) -> tuple[list[Any], list[Any]]:
        """Link monitored items of this session to one that triggers them, and unlink others."""
        own = self._own(params.SubscriptionId)
        add, remove = list(params.LinksToAdd or ()), list(params.LinksToRemove or ())
        self._bound([*add, *remove], self._desk.settings.limits.monitored_items_per_call)
        found = own.monitored_item_srv.set_triggering(int(params.TriggeringItemId), add, remove)
        if found is None:
            raise fault("BadMonitoredItemIdInvalid")
        return found

    async def delete_monitored_items(self, params: Any) -> list[Any]:
        """Delete monitored items of this session."""
        self._own(params.SubscriptionId)
        self._bound(params.MonitoredItemIds, self._desk.settings.limits.monitored_items_per_call)
        return await super().delete_monitored_items(params)

    async def set_publishing_mode(self, params: Any) -> list[Any]:
        """Switch publishing of subscriptions of this session."""
        service = self.iserver.subscription_service
        results: list[Any] = []
        self._bound(params.SubscriptionIds, self._desk.settings.limits.subscriptions)
        for number in params.SubscriptionIds:
            if self._is_own(number):
                await service.subscriptions[number].set_publishing_mode(params.PublishingEnabled)
                results.append(ua.StatusCode())
            else:
                results.append(status("BadSubscriptionIdInvalid"))
        return results

    def modify_subscription(self, params: Any) -> Any:
        """Modify a subscription of this session."""
        self._own(params.SubscriptionId)
        return super().modify_subscription(params)

    async def delete_asked(self, ids: list[int]) -> list[Any]:
        """Delete the subscriptions that a client names."""
        self._bound(ids, self._desk.settings.limits.subscriptions)
        return await self.delete_subscriptions(ids)

    async def delete_subscriptions(self, ids: list[int]) -> list[Any]:
        """Delete subscriptions of this session; those of others are unknown to it."""
        own = [number for number in ids if self._is_own(number)]
        await self.iserver.subscription_service.delete_subscriptions(own)
        return [ua.StatusCode() if number in own else status("BadSubscriptionIdInvalid") for number in ids]

    def republish(self, params: Any) -> Any:
        """Give a message again."""
        return self._own(params.SubscriptionId).republish(params.RetransmitSequenceNumber)

    def publish(self, acks: Any = None) -> tuple[int, list[Any]]:
        """Acknowledge messages; return the number of subscriptions of this session and a status for each."""
        owned = {one.data.SubscriptionId: one for one in self.iserver.subscription_service.owned(self.session_id)}
        if not owned:
            raise fault("BadNoSubscription")
        self.iserver.subscription_service.heard(owned.values())
        limits = self._desk.settings.limits
        if acks and len(acks) > limits.subscriptions_per_session * limits.unacknowledged:
            raise fault("BadTooManyOperations")
        results: list[Any] = []
        for ack in acks or ():
            subscription = owned.get(ack.SubscriptionId)
            if subscription is None:
                results.append(status("BadSubscriptionIdInvalid"))
            elif not subscription.acknowledge(ack.SequenceNumber):
                results.append(status("BadSequenceNumberUnknown"))
            else:
                results.append(ua.StatusCode())
        return len(owned), results

    async def take_over(self, params: Any, callback: Any, request_callback: Any) -> list[Any]:
        """Move subscriptions of another session of the same user to this one (Part 4, 5.13.7)."""
        service = self.iserver.subscription_service
        results: list[Any] = []
        self._bound(params.SubscriptionIds, self._desk.settings.limits.subscriptions)
        for number in params.SubscriptionIds:
            subscription = service.subscriptions.get(number)
            result = ua.TransferResult()
            if subscription is None or subscription.expired:
                result.StatusCode = status("BadSubscriptionIdInvalid")
            elif not self.caller.user or self.iserver.user_of(subscription.session_id) != self.caller.user:
                result.StatusCode = status("BadUserAccessDenied")
            else:
                self._adopt(subscription)
                await subscription.move(
                    self.session_id, callback, request_callback, send_values=bool(params.SendInitialValues)
                )
                result.AvailableSequenceNumbers = sorted(subscription.unacknowledged)
            results.append(result)
        return results
