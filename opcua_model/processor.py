"""One client's channel: which requests pass, on whose behalf, and what is answered.

asyncua decodes, encrypts and dispatches; what it lets through too easily is stopped here first: a channel without
security does nothing but discovery, a request must carry the token of the session of this very channel, and messages
have a bound before anybody has logged in.
"""

from struct import error as StructError  # noqa: N812 - the name of an exception class
from typing import Any, Final

from opcua_model.certificates import judge_client
from opcua_model.desk import log
from opcua_model.services import SERVICES, Request
from opcua_model.session import Session
from opcua_model.settings import Limits, is_loopback
from opcua_model.stack import Buffer, Ids, SessionState, UaProcessor, binary, code, errors, fault, symbol, ua

_MESSAGE: Final = ua.MessageType.SecureMessage
MIN_BUFFER: Final = 8192  # Part 6, 7.1.2.3


class StrictBuffer(Buffer):
    """Bytes to decode. A negative length is no length: asyncua would step back and read on for ever."""

    def read(self, size: int) -> bytes:
        """Take bytes off the front."""
        if size < 0:
            raise fault("BadDecodingError")
        return super().read(size)

    def copy(self, size: int = -1) -> Any:
        """Return a view that is strict too."""
        return StrictBuffer(self._data, self._cur_pos, self._size if size == -1 or size > self._size else size)


def _ids(*names: str) -> frozenset[int]:
    return frozenset(int(getattr(Ids, f"{name}Request_Encoding_DefaultBinary")) for name in names)


_DISCOVERY: Final = _ids("GetEndpoints", "FindServers")
(_CREATE,) = _ids("CreateSession")
(_ACTIVATE,) = _ids("ActivateSession")
(_CLOSE,) = _ids("CloseSession")
(_CLOSE_CHANNEL,) = _ids("CloseSecureChannel")
(_PUBLISH,) = _ids("Publish")


class Processor(UaProcessor):
    """Requests of one connection."""

    def __init__(self, iserver: Any, transport: Any, limits: Any, bounds: Limits) -> None:
        super().__init__(iserver, transport, limits)
        self._bounds = bounds
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        self._greeted = False

    @property
    def active(self) -> bool:
        """True while somebody is logged in on this channel."""
        return self.session is not None and self.session.state == SessionState.Activated

    # ------------------------------------------------------------------------------------------------- channel

    async def process(self, header: Any, body: Any) -> bool:
        """Process one chunk; False closes the connection."""
        kind = header.MessageType
        if kind == ua.MessageType.Hello:
            return self._hello(body)
        if not self._greeted:
            return self._hang_up("BadTcpMessageTypeInvalid")
        limit = self._bounds.message_bytes if self.active else self._bounds.message_bytes_before_login
        if self._connection._incoming_size + header.body_size > limit:  # noqa: SLF001 - asyncua's count of a message
            return self._hang_up("BadRequestTooLarge")
        if kind != ua.MessageType.SecureOpen and not self._connection.is_open():
            return self._hang_up("BadSecureChannelIdInvalid")
        try:
            return await super().process(header, body)
        except errors.UaError as error:
            return self._hang_up(symbol(int(getattr(error, "code", code("BadSecurityChecksFailed")))))

    def _hello(self, body: Any) -> bool:
        hello = binary.struct_from_binary(ua.Hello, body)
        if self._greeted or min(hello.ReceiveBufferSize, hello.SendBufferSize) < MIN_BUFFER:
            return self._hang_up("BadConnectionRejected")
        self._greeted = True
        ack = self._limits.create_acknowledge_and_set_limits(hello)
        self._transport.write(binary.uatcp_to_binary(ua.MessageType.Acknowledge, ack))
        return True

    def _hang_up(self, name: str) -> bool:
        """Tell the client why in a message of the transport, and close."""
        log.info("connection_refused", peer=self.peer, status=name)
        error = ua.ErrorMessage(ua.StatusCode(code(name)), name)
        self._transport.write(binary.uatcp_to_binary(ua.MessageType.Error, error))
        return False

    def open_secure_channel(self, algohdr: Any, seqhdr: Any, body: Any) -> None:
        """Open or renew the channel, for applications that may connect at all, and for a bounded time."""
        request = binary.struct_from_binary(ua.OpenSecureChannelRequest, StrictBuffer(bytes(body)))
        if not self._connection.is_open():
            certificate = algohdr.SenderCertificate
            self._connection.select_policy(algohdr.SecurityPolicyURI, certificate, request.Parameters.SecurityMode)
            if self.secured:
                refusal = judge_client(self._certificate() or b"", self.iserver.trusted)
                if refusal is not None:
                    raise fault(refusal)
        longest = int(self._bounds.channel_lifetime_s * 1000)
        wanted = int(request.Parameters.RequestedLifetime)
        request.Parameters.RequestedLifetime = min(wanted, longest) if wanted else longest
        response = ua.OpenSecureChannelResponse()
        response.Parameters = self._connection.open(request.Parameters, self.iserver)
        self.send_response(request.RequestHeader.RequestHandle, seqhdr, response, ua.MessageType.SecureOpen)

    @property
    def secured(self) -> bool:
        """True when the channel is signed at least."""
        return int(self._connection.security_policy.Mode) >= int(ua.MessageSecurityMode.Sign)

    @property
    def encrypted(self) -> bool:
        """True when nobody else can read the channel."""
        return int(self._connection.security_policy.Mode) == int(ua.MessageSecurityMode.SignAndEncrypt)

    def _certificate(self) -> bytes | None:
        found = self._connection.security_policy.peer_certificate
        return None if found is None else bytes(found)

    def send_response(self, requesthandle: Any, seqhdr: Any, response: Any, msgtype: Any = _MESSAGE) -> None:
        """Send an answer; a client that fetches none of them is given up."""
        if self._transport.is_closing():
            return
        super().send_response(requesthandle, seqhdr, response, msgtype)
        if self._transport.get_write_buffer_size() > self._bounds.unsent_bytes:
            log.warning("connection_dropped", peer=self.peer, reason="it does not fetch its answers")
            self._transport.abort()

    # ------------------------------------------------------------------------------------------------ requests

    async def process_message(self, seqhdr: Any, body: Any) -> bool:
        """Process one request."""
        return await super().process_message(seqhdr, StrictBuffer(bytes(body)))

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        number = typeid.Identifier if typeid.NamespaceIndex == 0 else -1
        if number in _DISCOVERY or number == _CLOSE_CHANNEL:
            return await super()._process_message(typeid, requesthdr, seqhdr, body)
        self._require_channel()
        if number == _CREATE:
            return await self._create_session(requesthdr, seqhdr, body)
        if number == _ACTIVATE:
            return await self._activate_session(requesthdr, seqhdr, body)
        self._require_token(requesthdr)
        if number == _CLOSE:
            return await self._close_session(requesthdr, seqhdr, body)
        if not self.active:
            raise fault("BadSessionNotActivated")
        self.session.touch()
        if number == _PUBLISH:
            return await super()._process_message(typeid, requesthdr, seqhdr, body)
        known = SERVICES.get(number)
        if known is None:
            raise fault("BadServiceUnsupported")
        params, service = known
        request = Request(self._decode(params, body), self.session, int(requesthdr.ReturnDiagnostics), self)
        self.send_response(requesthdr.RequestHandle, seqhdr, await service(request))
        return True

    def _decode(self, kind: Any, body: Any) -> Any:
        try:
            return binary.struct_from_binary(kind, body)
        except (errors.UaError, StructError, ValueError, TypeError, RecursionError) as error:
            log.info("undecodable_request", peer=self.peer, request=kind.__name__, error=str(error)[:200])
            raise fault("BadDecodingError") from None

    def _require_channel(self) -> None:
        """Let nothing but discovery pass on a channel without security, unless this computer's own is permitted."""
        if not self.secured and not (self.iserver.plain_loopback and is_loopback(self.peer)):
            raise fault("BadSecurityModeRejected")

    def _require_token(self, requesthdr: Any) -> None:
        session = self.session
        if session is None or session.state == SessionState.Closed:
            raise fault("BadSessionIdInvalid")
        if requesthdr.AuthenticationToken != session.auth_token:
            log.warning("foreign_session_token", peer=self.peer, session=session.caller.session)
            raise fault("BadSessionIdInvalid")

    async def _create_session(self, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        params = self._decode(ua.CreateSessionParameters, body)
        if self.session is not None and self.session.state != SessionState.Closed:
            raise fault("BadTooManySessions")  # one on a channel; the others would be left behind
        policy = self._connection.security_policy
        own = self._certificate()
        if self.secured and not (params.ClientCertificate or b"").startswith(own or b"?"):
            raise fault("BadCertificateInvalid")
        if self.secured and len(params.ClientNonce or b"") < MIN_NONCE:
            raise fault("BadNonceInvalid")
        session: Session = self.iserver.open_session(self.peer, own)
        self.session = session
        self._closing = False
        response = ua.CreateSessionResponse()
        response.Parameters = result = session.open_result(params)
        wanted = ua.GetEndpointsParameters(EndpointUrl=params.EndpointUrl)
        result.ServerEndpoints = await self.iserver.get_endpoints(wanted, sockname=self.sockname)
        result.ServerCertificate = policy.host_certificate
        signed = (policy.peer_certificate or b"") + (params.ClientNonce or b"")
        result.ServerSignature.Signature = policy.asymmetric_cryptography.signature(signed)
        result.ServerSignature.Algorithm = policy.AsymmetricSignatureURI
        self.send_response(requesthdr.RequestHandle, seqhdr, response)
        return True

    async def _activate_session(self, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        params = self._decode(ua.ActivateSessionParameters, body)
        moved = self.session is None or self.session.state == SessionState.Closed
        if not moved:
            self._require_token(requesthdr)
        session: Any = self._find_session(requesthdr.AuthenticationToken) if moved else self.session
        if session.nonce is None:
            raise fault("BadSessionIdInvalid")
        policy = self._connection.security_policy
        signed = (policy.host_certificate or b"") + session.nonce
        try:
            policy.asymmetric_cryptography.verify(signed, params.ClientSignature.Signature)
        except Exception:  # noqa: BLE001 - whatever a forged signature does to the cipher, it is none
            raise fault("BadApplicationSignatureInvalid") from None
        result = await session.activate(params, encrypted=self.encrypted, secured=self.secured)
        if moved:
            self.iserver.rebind(session, self)
        response = ua.ActivateSessionResponse()
        response.Parameters = result
        self.send_response(requesthdr.RequestHandle, seqhdr, response)
        return True

    def _find_session(self, token: Any) -> Any:
        """Find the session that this client had on a channel that broke (Part 4, 5.6.3)."""
        session = self.iserver.lookup_external_session(token)
        # Same application, by its certificate; without one nobody can prove to be the same.
        if session is None or not self.secured or session.certificate != self._certificate():
            raise fault("BadSessionIdInvalid")
        return session

    async def _close_session(self, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        await self.session.close_session(bool(binary.Primitives.Boolean.unpack(body)))
        self.send_response(requesthdr.RequestHandle, seqhdr, ua.CloseSessionResponse())
        return True

    def leave(self) -> None:
        """Forget the session: it went on to another channel."""
        self.session = None


MIN_NONCE: Final = 32  # Part 4, 5.6.2
