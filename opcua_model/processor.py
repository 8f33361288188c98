"""One client's channel: which requests pass, on whose behalf, and what is answered.

asyncua deciphers and signs; what it lets through too easily is stopped here first: a channel without security does
nothing but discovery, a request must carry the token of the session of this very channel, messages have a bound
before anybody has logged in, and nothing is decoded by trust (`decoding`).
"""

import asyncio
import hashlib
import hmac
from collections.abc import Coroutine
from typing import Any, Final

from opcua_model.channel import Channel
from opcua_model.decoding import Reader, decode
from opcua_model.desk import log
from opcua_model.door import LOGGED_IN
from opcua_model.services import SERVICES, Request
from opcua_model.session import Session
from opcua_model.settings import Limits, is_loopback
from opcua_model.stack import (
    Ids,
    PublishRequestData,
    ServiceError,
    SessionState,
    UaProcessor,
    binary,
    code,
    errors,
    fault,
    symbol,
    ua,
)
from opcua_model.trust import application_uris, split_chain

_MESSAGE: Final = ua.MessageType.SecureMessage
WRONG_LOGINS: Final = 5
"""So many on one connection end it."""


def _ids(*names: str) -> frozenset[int]:
    return frozenset(int(getattr(Ids, f"{name}Request_Encoding_DefaultBinary")) for name in names)


(_ENDPOINTS,) = _ids("GetEndpoints")
(_FIND_SERVERS,) = _ids("FindServers")
(_CREATE,) = _ids("CreateSession")
(_ACTIVATE,) = _ids("ActivateSession")
(_CLOSE,) = _ids("CloseSession")
(_CLOSE_CHANNEL,) = _ids("CloseSecureChannel")
(_PUBLISH,) = _ids("Publish")
(_READ,) = _ids("Read")
(_CALL,) = _ids("Call")
_SLOW: Final = _ids("Call", "HistoryRead")
"""What may take its time, so that nothing else of the client waits for it."""
_URGENT: Final = ("SafeShutdown", "AbortRun")
"""Methods that never wait for a place among the slow."""
_QUEUE: Final = 4
"""Slow requests that wait for a place, for each place; more are refused."""


class Processor(UaProcessor):
    """Requests of one connection."""

    def __init__(self, iserver: Any, transport: Any, limits: Any, bounds: Limits) -> None:
        super().__init__(iserver, transport, limits)
        self._bounds = bounds
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        self._connection = Channel(bounds)
        self.certificate: bytes | None = None
        """Of the client's application with its chain, as it sent them."""
        self._greeted = False
        self._held = False
        self._wrong = 0
        self._places = asyncio.Semaphore(bounds.parallel_calls)
        self._line: dict[asyncio.Task[Any], int] = {}
        """Slow requests that wait for a place, with their handles."""
        self._given_up: set[asyncio.Task[Any]] = set()
        """Those of them that the client has cancelled."""
        self.tasks: set[asyncio.Task[Any]] = set()
        """Requests in work beside the one that the connection is at."""

    @property
    def active(self) -> bool:
        """True while somebody is logged in on this channel."""
        return self.session is not None and self.session.state == SessionState.Activated

    @property
    def stage(self) -> int:
        """How far the connection has come: nothing, greeted, a channel, a session, logged in."""
        if self.active:
            return LOGGED_IN
        if self.session is not None:
            return 3
        return 2 if self._connection.is_open() else int(self._greeted)

    @property
    def expired(self) -> bool:
        """True when the channel's token was not renewed in time."""
        return bool(self._connection.expired)

    # ------------------------------------------------------------------------------------------------- channel

    async def process(self, header: Any, body: Any) -> bool:
        """Process one chunk; False closes the connection."""
        kind = header.MessageType
        try:
            if kind == ua.MessageType.Hello:
                return self._hello(bytes(body))
            if kind == ua.MessageType.Error:
                log.info("client_hung_up", peer=self.peer)
                return False
            if not self._greeted:
                return self._hang_up("BadTcpMessageTypeInvalid")
            asked = None
            if kind == ua.MessageType.SecureOpen:
                asked = self._connection.begin(bytes(body))
                self._look_at(asked)
            message = self._connection.take(header, body, self._message_bytes())
            if message is None:
                return True
            if kind == ua.MessageType.SecureClose:
                self._connection.close()
                return False
            if asked is not None:
                self._open(asked, message)
                return True
        except (errors.UaError, ServiceError) as error:
            return self._hang_up(symbol(int(getattr(error, "code", code("BadSecurityChecksFailed")))))
        except Exception as error:  # noqa: BLE001 - whatever forged bytes do to the cipher, they are no message
            log.info("undecipherable_chunk", peer=self.peer, error=type(error).__name__)
            return self._hang_up("BadSecurityChecksFailed")
        return await self.process_message(message.SequenceHeader(), message.body())

    def _message_bytes(self) -> int:
        if not self.active:
            return self._bounds.message_bytes_before_login
        return self._bounds.message_bytes if self.session.caller.user else self._bounds.message_bytes_anonymous

    def _hello(self, body: bytes) -> bool:
        if self._greeted:
            raise fault("BadTcpMessageTypeInvalid")
        acknowledge = self._connection.greet(decode(ua.Hello, Reader(body)))
        self._greeted = True
        self._transport.write(binary.uatcp_to_binary(ua.MessageType.Acknowledge, acknowledge))
        return True

    def _hang_up(self, name: str) -> bool:
        """Tell the client why in a message of the transport, and close."""
        log.info("connection_refused", peer=self.peer, status=name)
        error = ua.ErrorMessage(ua.StatusCode(code(name)), name)
        if not self._transport.is_closing():
            self._transport.write(binary.uatcp_to_binary(ua.MessageType.Error, error))
        return False

    def _look_at(self, header: Any) -> None:
        """Refuse applications that may not connect, before the private key is used for them.

        Raises:
            ServiceError: nobody may with this certificate, or the channel has another one.
        """
        policy = header.SecurityPolicyURI or ""
        if policy.endswith("#None"):
            return
        der = bytes(header.SenderCertificate or b"")
        if self._connection.is_open() and not der.startswith(self._certificate() or b"?"):
            raise fault("BadCertificateInvalid")
        refusal = self.iserver.trust.judge(der)
        # Who is merely not trusted must prove first that the certificate is its own: strangers' are not kept.
        if refusal is not None and refusal not in _UNTRUSTED:
            self.iserver.auditor.certificate(refusal, der[:_AUDITED], peer=self.peer)
            raise fault(refusal)

    def _open(self, header: Any, message: Any) -> None:
        """Open or renew the channel for a bounded time."""
        reader = Reader(bytes(message.body()))
        kind = decode(ua.NodeId, reader)
        if kind != _OPEN:
            raise fault("BadTcpMessageTypeInvalid")
        requesthdr = decode(ua.RequestHeader, reader)
        params = decode(ua.OpenSecureChannelParameters, reader)
        if not self._connection.is_open():
            self._connection.select_policy(header.SecurityPolicyURI, header.SenderCertificate, params.SecurityMode)
        if not self._connection.addressed(header):
            raise fault("BadCertificateInvalid")
        if self.secured:
            self.certificate = bytes(header.SenderCertificate)
            refusal = self.iserver.trust.judge(self.certificate)
            if refusal is not None:
                self.iserver.trust.note(self.certificate)
                self.iserver.auditor.certificate(refusal, self.certificate[:_AUDITED], peer=self.peer)
                raise fault(refusal)
        response = ua.OpenSecureChannelResponse()
        try:
            response.Parameters = self._connection.issue(params, self.iserver)
        except ServiceError as error:
            self._audit_channel(params, requesthdr, symbol(int(error.code)))
            raise
        self._audit_channel(params, requesthdr, "Good")
        self.send_response(requesthdr.RequestHandle, message.SequenceHeader(), response, ua.MessageType.SecureOpen)

    def _audit_channel(self, params: Any, header: Any, outcome: str) -> None:
        if not self.secured and outcome == "Good":
            return  # nothing but discovery is possible on it
        kinds = ua.VariantType
        policy = self._connection.security_policy
        self.iserver.auditor.tell(
            "AuditOpenSecureChannelEventType",
            outcome,
            peer=self.peer,
            audit_id=_short(header.AuditEntryId),
            SecureChannelId=ua.Variant(str(self._connection.security_token.ChannelId), kinds.String),
            ClientCertificateThumbprint=ua.Variant(_thumbprint(self._certificate()), kinds.String),
            RequestType=ua.Variant(int(params.RequestType), kinds.Int32),
            SecurityPolicyUri=ua.Variant(policy.URI, kinds.String),
            SecurityMode=ua.Variant(int(policy.Mode), kinds.Int32),
        )

    @property
    def secured(self) -> bool:
        """True when the channel is signed at least."""
        return int(self._connection.security_policy.Mode) >= int(ua.MessageSecurityMode.Sign)

    @property
    def encrypted(self) -> bool:
        """True when nobody else can read the channel."""
        return int(self._connection.security_policy.Mode) == int(ua.MessageSecurityMode.SignAndEncrypt)

    @property
    def policy(self) -> Any:
        """Security policy of the channel."""
        return self._connection.security_policy

    @property
    def private_key(self) -> Any:
        """Of the certificate that this channel was opened with; the server may have a newer one."""
        return self._connection.security_policy.asymmetric_cryptography.Decryptor.host_privkey

    @property
    def host_certificate(self) -> bytes:
        """The certificate that this channel was opened with."""
        return bytes(self._connection.security_policy.host_certificate or b"")

    def _certificate(self) -> bytes | None:
        found = self._connection.security_policy.peer_certificate
        return None if found is None else bytes(found)

    def send_response(self, requesthandle: Any, seqhdr: Any, response: Any, msgtype: Any = _MESSAGE) -> None:
        """Send an answer, or say that it is more than the client takes."""
        if self._transport.is_closing():
            return
        try:
            super().send_response(requesthandle, seqhdr, response, msgtype)
        except ServiceError as error:
            super().send_response(requesthandle, seqhdr, _fault(error), msgtype)

    def _send_encoded(self, header: Any, seqhdr: Any, kind: bytes, body: bytes) -> None:
        """Send an answer that is encoded already, but for its diagnostics: there are none."""
        if self._transport.is_closing():
            return
        answered = ua.ResponseHeader(RequestHandle=header.RequestHandle)
        message = kind + bytes(binary.struct_to_binary(answered)) + body + b"\xff\xff\xff\xff"
        self._transport.write(self._connection.message_to_binary(message, request_id=seqhdr.RequestId))

    # ------------------------------------------------------------------------------------------------ requests

    async def process_message(self, seqhdr: Any, body: Any) -> bool:
        """Process one request; False closes the connection."""
        reader = Reader(bytes(body))
        try:
            kind = decode(ua.NodeId, reader)
            header = decode(ua.RequestHeader, reader)
        except ServiceError as error:  # no handle to answer to
            return self._hang_up(symbol(int(error.code)))
        number = int(kind.Identifier) if kind.NamespaceIndex == 0 and isinstance(kind.Identifier, int) else -1
        if number == _CLOSE_CHANNEL:
            return False
        if number in _SLOW and self.active:
            await self._begin(self._slow(number, header, seqhdr, reader))
        else:
            await self._guarded(header, seqhdr, self._serve(number, header, seqhdr, reader))
        return self._wrong < WRONG_LOGINS

    async def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a request be worked on beside the next ones; it ends even when the client is gone meanwhile."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.sleep(0)

    async def _slow(self, number: int, header: Any, seqhdr: Any, reader: Reader) -> None:
        async def work() -> None:
            self._require_token(header)
            self.session.touch()
            params, service = SERVICES[number]
            request = self._request(params, header, reader)
            if number == _CALL and any(_is_urgent(one) for one in request.params.MethodsToCall or ()):
                answer = await service(request)
            elif len(self.tasks) > self._bounds.parallel_calls * (1 + _QUEUE):
                raise fault("BadTooManyOperations")
            else:
                await self._stand_in_line(int(header.RequestHandle))
                try:
                    answer = await service(request)
                finally:
                    self._places.release()
            self.send_response(header.RequestHandle, seqhdr, answer)

        await self._guarded(header, seqhdr, work())

    async def _stand_in_line(self, handle: int) -> None:
        """Wait for a place among the slow requests; the client may change its mind meanwhile.

        Raises:
            ServiceError: it has.
        """
        task: Any = asyncio.current_task()
        self._line[task] = handle
        try:
            await self._places.acquire()
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            raise fault("BadRequestCancelledByClient") from None
        finally:
            self._given_up.discard(task)
            del self._line[task]

    def cancel(self, handle: int) -> int:
        """Answer requests of a handle that nothing was begun for; return how many there were (Part 4, 5.6.5).

        What is being carried out goes on: half a command is worse than one too many.
        """
        given_up = [task for task, one in self._line.items() if one == handle and task not in self._given_up]
        for task in given_up:
            self._given_up.add(task)
            task.cancel()
        answered = [one for one in self._publish_requests if int(one.requesthdr.RequestHandle) == handle]
        for one in answered:
            self._publish_requests.remove(one)
            self.send_response(handle, one.seqhdr, _fault(fault("BadRequestCancelledByClient")))
        return len(given_up) + len(answered)

    async def _guarded(self, header: Any, seqhdr: Any, work: Coroutine[Any, Any, None]) -> None:
        """Wait for a request; what goes wrong with it is told its client."""
        try:
            await work
        except (ServiceError, errors.UaStatusCodeError) as error:
            self.send_response(header.RequestHandle, seqhdr, _fault(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours costs one request
            log.error("request_failed", peer=self.peer, error=f"{type(error).__name__}: {error}", at=_place(error))
            self.send_response(header.RequestHandle, seqhdr, _fault(fault("BadInternalError")))

    def _request(self, params: Any, header: Any, reader: Reader) -> Request:
        return Request(decode(params, reader), self.session, int(header.ReturnDiagnostics), self)

    async def _serve(self, number: int, header: Any, seqhdr: Any, reader: Reader) -> None:
        if number in (_ENDPOINTS, _FIND_SERVERS):
            await self._discover(number, header, seqhdr, reader)
            return
        self._require_channel()
        if number == _CREATE:
            await self._create_session(header, seqhdr, reader)
            return
        if number == _ACTIVATE:
            await self._activate_session(header, seqhdr, reader)
            return
        self._require_token(header)
        if number == _CLOSE:
            await self._close_session(header, seqhdr, reader)
            return
        if not self.active:
            raise fault("BadSessionNotActivated")
        self.session.touch()
        if number == _PUBLISH:
            await self._publish(header, seqhdr, decode(ua.PublishParameters, reader))
            return
        if number == _READ:
            self._send_encoded(header, seqhdr, _READ_RESPONSE, await self.session.read_encoded(reader))
            return
        known = SERVICES.get(number)
        if known is None:
            raise fault("BadServiceUnsupported")
        params, service = known
        self.send_response(header.RequestHandle, seqhdr, await service(self._request(params, header, reader)))

    async def _discover(self, number: int, header: Any, seqhdr: Any, reader: Reader) -> None:
        try:
            if number == _ENDPOINTS:
                wanted = decode(ua.GetEndpointsParameters, reader)
                found = await self.iserver.get_endpoints(wanted, sockname=self.sockname)
                response = ua.GetEndpointsResponse(Endpoints=found)
            else:
                wanted = decode(ua.FindServersParameters, reader)
                wanted.ServerUris = [uri for uri in wanted.ServerUris if uri]
                response = ua.FindServersResponse(Servers=self.iserver.find_servers(wanted, sockname=self.sockname))
        except ValueError:  # it takes URLs apart
            raise fault("BadTcpEndpointUrlInvalid") from None
        self.send_response(header.RequestHandle, seqhdr, response)

    # ------------------------------------------------------------------------------------------------- publishing

    async def _publish(self, header: Any, seqhdr: Any, params: Any) -> None:
        subscriptions, results = self.session.publish(params.SubscriptionAcknowledgements)
        if len(self._publish_requests) >= self.publish_request_limit(subscriptions):
            self._evict_publish_request()
        self._publish_requests.append(PublishRequestData(requesthdr=header, seqhdr=seqhdr, results=results))
        await self._serve_waiting()

    async def _serve_waiting(self) -> None:
        """Give publish requests to the subscriptions that had something to say when there was none."""
        while self._publish_requests and self._publish_results_subs and not self._held and self.session is not None:
            number = next(iter(self._publish_results_subs))
            self._publish_results_subs.pop(number)
            subscription = self.session.subscription_service.subscriptions.get(number)
            if subscription is None or subscription.session_id != self.session.session_id:
                continue
            request = self._publish_requests.popleft()
            if not await subscription.publish_results(request):
                self._publish_requests.appendleft(request)

    def get_publish_request(self, subscription_id: Any) -> Any:
        """Return a waiting publish request; None while the client does not fetch what it has asked for."""
        if self._held:
            self._publish_results_subs[subscription_id] = True
            return None
        return super().get_publish_request(subscription_id)

    def hold(self) -> None:
        """Publish nothing: the client does not read. What its queues cannot take is discarded as it has chosen."""
        self._held = True

    def go_on(self) -> None:
        """Publish again."""
        self._held = False
        task = asyncio.get_running_loop().create_task(self._serve_waiting())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _should_close_session_on_transport_loss(self) -> bool:
        """Keep a session with subscriptions for a client that can prove to be the same when it comes back."""
        return not self.secured or bool(super()._should_close_session_on_transport_loss())

    async def close(self) -> None:
        """The connection is gone."""
        self._publish_requests.clear()
        await super().close()

    # --------------------------------------------------------------------------------------------------- sessions

    def _require_channel(self) -> None:
        """Let nothing but discovery pass on a channel without security, unless this computer's own is permitted."""
        if not self.secured and not (self.iserver.plain_loopback and is_loopback(self.peer)):
            raise fault("BadSecurityModeRejected")

    def _require_token(self, requesthdr: Any) -> None:
        session = self.session
        if session is None or session.state == SessionState.Closed:
            raise fault("BadSessionIdInvalid")
        if not _same(requesthdr.AuthenticationToken.Identifier, session.auth_token.Identifier):
            log.warning("foreign_session_token", peer=self.peer, session=session.caller.session)
            raise fault("BadSessionIdInvalid")

    async def _create_session(self, requesthdr: Any, seqhdr: Any, reader: Reader) -> None:
        params = decode(ua.CreateSessionParameters, reader)
        if self.session is not None and self.session.state != SessionState.Closed:
            raise fault("BadTooManySessions")  # one on a channel; the others would be left behind
        policy = self._connection.security_policy
        own = self._certificate()
        if self.secured and not (params.ClientCertificate or b"").startswith(own or b"?"):
            raise fault("BadCertificateInvalid")
        if self.secured and len(params.ClientNonce or b"") < MIN_NONCE:
            raise fault("BadNonceInvalid")
        if own and params.ClientDescription.ApplicationUri not in application_uris(split_chain(own)[0]):
            self.iserver.auditor.certificate("BadCertificateUriInvalid", own, peer=self.peer)
            raise fault("BadCertificateUriInvalid")
        session: Session = self.iserver.open_session(self.peer, own)
        self._audit_session("AuditCreateSessionEventType", session, requesthdr, "Good", stored=False)
        self.session = session
        self._closing = False
        response = ua.CreateSessionResponse()
        response.Parameters = result = session.open_result(params)
        wanted = ua.GetEndpointsParameters(EndpointUrl=params.EndpointUrl)
        try:
            result.ServerEndpoints = await self.iserver.get_endpoints(wanted, sockname=self.sockname)
        except ValueError:  # it takes the URL apart
            raise fault("BadTcpEndpointUrlInvalid") from None
        result.ServerCertificate = policy.host_certificate
        signed = (policy.peer_certificate or b"") + (params.ClientNonce or b"")
        result.ServerSignature.Signature = policy.asymmetric_cryptography.signature(signed)
        result.ServerSignature.Algorithm = policy.AsymmetricSignatureURI
        self.send_response(requesthdr.RequestHandle, seqhdr, response)

    async def _activate_session(self, requesthdr: Any, seqhdr: Any, reader: Reader) -> None:
        params = decode(ua.ActivateSessionParameters, reader)
        moved = self.session is None or self.session.state == SessionState.Closed
        if not moved:
            self._require_token(requesthdr)
        session: Any = self._find_session(requesthdr.AuthenticationToken) if moved else self.session
        if session.nonce is None:
            raise fault("BadSessionIdInvalid")
        policy = self._connection.security_policy
        signed = (policy.host_certificate or b"") + session.nonce
        # It is checked by the policy's own scheme anyway; who names another one is refused before.
        named = params.ClientSignature.Algorithm or policy.AsymmetricSignatureURI
        if self.secured and named != policy.AsymmetricSignatureURI:
            raise fault("BadApplicationSignatureInvalid")
        try:
            policy.asymmetric_cryptography.verify(signed, params.ClientSignature.Signature)
        except Exception:  # noqa: BLE001 - whatever a forged signature does to the cipher, it is none
            raise fault("BadApplicationSignatureInvalid") from None
        try:
            result = await session.activate(params, self)
        except ServiceError as error:
            self._wrong += 1
            outcome = symbol(int(error.code))
            # A wrong password is in the trail already, with its count.
            stored = outcome != "BadUserAccessDenied"
            self._audit_session("AuditActivateSessionEventType", session, requesthdr, outcome, stored=stored)
            raise
        self._audit_session("AuditActivateSessionEventType", session, requesthdr, "Good", stored=False)
        if moved:
            self.iserver.rebind(session, self)
        response = ua.ActivateSessionResponse()
        response.Parameters = result
        self.send_response(requesthdr.RequestHandle, seqhdr, response)

    def _find_session(self, token: Any) -> Any:
        """Find the session that this client had on a channel that broke (Part 4, 5.6.3)."""
        session = self.iserver.lookup_external_session(token)
        # Same application, by its certificate; without one nobody can prove to be the same.
        if session is None or not self.secured or session.certificate != self._certificate():
            raise fault("BadSessionIdInvalid")
        return session

    async def _close_session(self, requesthdr: Any, seqhdr: Any, reader: Reader) -> None:
        self._audit_session("AuditSessionEventType", self.session, requesthdr, "Good", stored=False)
        await self.session.close_session(decode(ua.Boolean, reader))
        self.send_response(requesthdr.RequestHandle, seqhdr, ua.CloseSessionResponse())

    def _audit_session(self, kind: str, session: Any, header: Any, outcome: str, *, stored: bool) -> None:
        self.iserver.auditor.tell(
            kind,
            outcome,
            peer=self.peer,
            caller=session.caller,
            audit_id=_short(header.AuditEntryId),
            stored=stored,
            SessionId=ua.Variant(session.session_id, ua.VariantType.NodeId),
        )

    def leave(self) -> None:
        """Forget the session: it went on to another channel."""
        self.session = None


_READ_RESPONSE: Final = bytes(binary.nodeid_to_binary(ua.NodeId(Ids.ReadResponse_Encoding_DefaultBinary)))


def _fault(error: Any) -> Any:
    response = ua.ServiceFault()
    response.ResponseHeader.ServiceResult = ua.StatusCode(int(error.code))
    return response


def _short(text: Any) -> str:
    return str(text or "")[:200]


def _thumbprint(der: bytes | None) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest() if der else ""


def _place(error: BaseException) -> str:
    """Where an error came from; a whole traceback would read source files while clients wait."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return "" if last is None else f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}"


def _is_urgent(request: Any) -> bool:
    name = request.MethodId.Identifier
    return isinstance(name, str) and name.rpartition("/")[2] in _URGENT


def _same(given: Any, token: bytes) -> bool:
    """Compare a token; how long that takes says nothing about it."""
    return isinstance(given, bytes) and hmac.compare_digest(given, token)


_AUDITED: Final = 8_192
"""Bytes of a certificate that an audit event carries."""
_UNTRUSTED: Final = frozenset({"BadCertificateUntrusted", "BadCertificateChainIncomplete"})
_OPEN: Final = ua.NodeId(Ids.OpenSecureChannelRequest_Encoding_DefaultBinary)
MIN_NONCE: Final = 32  # Part 4, 5.6.2
