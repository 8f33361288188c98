"""The client's side of the wire by hand: every byte of every layer can be another one than a client would send.

`Line` speaks to a server over a plain socket, without a loop: it says what it is told to say, in or out of order, and
hands back what comes. Tests attack with it, the fuzzer mutates what it sends.
"""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from struct import pack, unpack_from
from typing import Any, Self

from cryptography import x509

from opcua_model.certificates import Identity
from opcua_model.stack import Ids, binary, policies, ua

NONE_URI = policies.SecurityPolicyNone.URI
SIGNED_URI = policies.SecurityPolicyBasic256Sha256.URI
CHUNK = 60_000
_THEN = ua.win_epoch_to_datetime(133_000_000_000_000_000)
ANSWER_S = 20.0


class HangupError(ConnectionError):
    """The server closed the connection; `said` is the reason of its last message of the transport, 0: none."""

    def __init__(self, said: int = 0) -> None:
        super().__init__(f"closed by the server: {ua.StatusCode(said).name}")
        self.said = said
        self.name = str(ua.StatusCode(said).name)


def type_id(kind: Any) -> bytes:
    """Encode the number of a request."""
    return pack("<BBH", 1, 0, int(getattr(Ids, f"{kind}_Encoding_DefaultBinary")))


def counted(data: bytes | None) -> bytes:
    """Encode a ByteString."""
    return b"\xff\xff\xff\xff" if data is None else pack("<i", len(data)) + data


def frame(kind: bytes, body: bytes, chunk: bytes = b"F") -> bytes:
    """Put a header before a body."""
    return kind + chunk + pack("<I", 8 + len(body)) + body


def hello(url: bytes = b"opc.tcp://127.0.0.1/cvd", buffer: int = 65535, largest: int = 0, chunks: int = 0) -> bytes:
    """Make a greeting."""
    return frame(b"HEL", pack("<IIIII", 0, buffer, buffer, largest, chunks) + counted(url))


def header(token: Any = None, handle: int = 1) -> bytes:
    """Encode a RequestHeader."""
    made = ua.RequestHeader(RequestHandle=handle, TimeoutHint=60_000, Timestamp=_THEN)
    if token is not None:
        made.AuthenticationToken = token
    return binary.struct_to_binary(made)


class Line:
    """One connection."""

    def __init__(self, port: int, identity: Identity | None = None, server: bytes | None = None, *, mode: Any = None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self.identity = identity
        self.mode = mode or ua.MessageSecurityMode.SignAndEncrypt
        self.policy: Any = policies.SecurityPolicyNone()
        if identity is not None and server is not None:
            self.secure(identity, server)
        self.sequence = 0
        self.request = 0
        self.channel = 0
        self.token = 0
        self.session: Any = None
        """Authentication token of the session."""
        self.server_nonce = b""
        self._parts = b""

    def secure(self, identity: Identity, server: bytes) -> None:
        """Use a certificate from now on."""
        peer = x509.load_der_x509_certificate(server)
        self.policy = policies.SecurityPolicyBasic256Sha256(peer, identity.certificate, identity.key, self.mode)

    @property
    def secured(self) -> bool:
        """Whether it signs."""
        return self.policy.URI != NONE_URI

    def close(self) -> None:
        """Vanish."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------------------------------------------------------- sending

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def chunk(
        self,
        body: bytes,
        *,
        kind: bytes = b"MSG",
        final: bytes = b"F",
        request: int | None = None,
        sequence: int | None = None,
        token: int | None = None,
        channel: int | None = None,
        plain: Any = None,
        forged: Any = None,
    ) -> bytes:
        """Make one chunk.

        Args:
            body: of the message, or a part of it.
            kind: MSG, OPN or CLO.
            final: F, C or A.
            request: its number, or the one that the last had.
            sequence: its number, or the next.
            token: of the channel, or the one in force.
            channel: number of the channel.
            plain: changes what is signed and enciphered, (bytes) → bytes.
            forged: changes the whole chunk, (bytes) → bytes.
        """  # fmt: skip
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        crypto = self.policy.symmetric_cryptography
        if kind == b"OPN":
            crypto = self.policy.asymmetric_cryptography
            security = counted(self.policy.URI.encode())
            if self.secured:
                thumbprint = hashlib.sha1(bytes(self.policy.peer_certificate), usedforsecurity=False).digest()
                security += counted(self.policy.host_certificate) + counted(thumbprint)
            else:
                security += counted(None) * 2
        else:
            security = pack("<I", self.token if token is None else token)
        inner = pack("<II", sequence, self.request if request is None else request) + body
        if plain is not None:
            inner = plain(inner)
        inner += crypto.padding(len(inner))
        size = len(inner) + crypto.signature_size()
        size = size // crypto.plain_block_size() * crypto.encrypted_block_size()
        number = self.channel if channel is None else channel
        head = kind + final + pack("<II", 12 + len(security) + size, number) + security
        made = head + crypto.encrypt(inner + crypto.signature(head + inner))
        return made if forged is None else forged(made)

    def message(self, body: bytes) -> bytes:
        """Make a whole message, in as many chunks as it needs."""
        self.request += 1
        parts = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)] or [b""]
        chunks = [self.chunk(part, final=b"C") for part in parts[:-1]]
        return b"".join([*chunks, self.chunk(parts[-1])])

    # ------------------------------------------------------------------------------------------------- receiving

    def frame(self, within_s: float = ANSWER_S) -> bytes:
        """Wait for a frame.

        Raises:
            HangupError: the connection is closed.
            TimeoutError: nothing came.
        """
        deadline = time.monotonic() + within_s
        while True:
            found = self._next()
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the server does not answer")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionError:
                data = b""
            if not data:
                raise HangupError
            self._received += data

    def _next(self) -> bytes | None:
        if len(self._received) < 8:
            return None
        size = int.from_bytes(self._received[4:8], "little")
        if len(self._received) < size:
            return None
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    def answer(self, within_s: float = ANSWER_S) -> tuple[int, bytes]:
        """Wait for a message; return the number of its request and its body.

        Raises:
            HangupError: the server said an error of the transport, or nothing.
        """
        while True:
            given = self.frame(within_s)
            if given[:3] == b"ERR":
                raise HangupError(unpack_from("<I", given, 8)[0])
            if given[:3] == b"ACK":
                continue
            crypto = self.policy.symmetric_cryptography
            if given[:3] == b"OPN":
                crypto, at = self.policy.asymmetric_cryptography, 12
                for _ in range(3):
                    size = max(unpack_from("<i", given, at)[0], 0)
                    at += 4 + size
            else:
                at = 16
            inner = bytes(crypto.decrypt(given[at:]))
            if crypto.vsignature_size():
                inner = inner[: -crypto.vsignature_size()]
            inner = bytes(crypto.remove_padding(inner))
            number = unpack_from("<I", inner, 4)[0]
            self._parts += inner[8:]
            if given[3:4] == b"C":
                continue
            body, self._parts = self._parts, b""
            return number, body

    def refusal(self, within_s: float = ANSWER_S) -> str:
        """Wait until the server closes the connection; return its reason, "" when it gave none."""
        said = ""
        try:
            while True:
                given = self.frame(within_s)
                if given[:3] == b"ERR":
                    said = str(ua.StatusCode(unpack_from("<I", given, 8)[0]).name)
        except HangupError:
            return said

    # ------------------------------------------------------------------------------------- what a client usually does

    def greet(self) -> None:
        """Say hello and wait for the answer."""
        self.send(hello())
        given = self.frame()
        assert given[:3] == b"ACK", given

    def opening(self, *, renew: bool = False, nonce: bytes | None = None, lifetime: int = 600_000) -> bytes:
        """Make the body of an OpenSecureChannel request."""
        self.nonce = os.urandom(32) if nonce is None else nonce
        params = ua.OpenSecureChannelParameters(
            RequestType=ua.SecurityTokenRequestType.Renew if renew else ua.SecurityTokenRequestType.Issue,
            SecurityMode=self.mode if self.secured else ua.MessageSecurityMode.None_,
            ClientNonce=self.nonce if self.secured else None,
            RequestedLifetime=lifetime,
        )
        return type_id("OpenSecureChannelRequest") + header() + binary.struct_to_binary(params)

    def open(self, *, renew: bool = False, lifetime: int = 600_000) -> Any:
        """Open the channel, or renew it; the new keys are used from now on. Return the server's token."""
        body = self.opening(renew=renew, lifetime=lifetime)
        self.request += 1
        self.send(self.chunk(body, kind=b"OPN"))
        return self.opened(self.answer()[1])

    def opened(self, body: bytes) -> Any:
        """Take the answer to an OpenSecureChannel request."""
        response = self.parse(ua.OpenSecureChannelResponse, body)
        granted = response.Parameters
        self.channel, self.token = granted.SecurityToken.ChannelId, granted.SecurityToken.TokenId
        if self.secured:
            self.policy.make_local_symmetric_key(granted.ServerNonce, self.nonce)
            self.policy.make_remote_symmetric_key(self.nonce, granted.ServerNonce, 600_000)
        return granted.SecurityToken

    @staticmethod
    def parse(kind: Any, body: bytes) -> Any:
        """Decode an answer; a fault raises.

        Raises:
            ua.UaStatusCodeError: the server refused.
        """
        buffer = binary.Buffer(body)
        number = binary.nodeid_from_binary(buffer)
        if number.Identifier == Ids.ServiceFault_Encoding_DefaultBinary:
            binary.struct_from_binary(ua.ResponseHeader, buffer).ServiceResult.check()
        response = binary.struct_from_binary(kind, binary.Buffer(body))
        response.ResponseHeader.ServiceResult.check()
        return response

    def ask(self, name: str, params: Any, answer: Any) -> Any:
        """Send a request with the session's token; return the decoded answer."""
        self.send(self.message(type_id(f"{name}Request") + header(self.session) + params_of(params)))
        return self.parse(answer, self.answer()[1])

    def create_session(self, uri: str = "urn:cvd-supervisor:client", timeout_ms: float = 600_000) -> Any:
        """Create a session."""
        params = ua.CreateSessionParameters(
            ClientDescription=ua.ApplicationDescription(ApplicationUri=uri, ApplicationType=ua.ApplicationType.Client),
            EndpointUrl="opc.tcp://127.0.0.1/cvd",
            SessionName="wire",
            ClientNonce=os.urandom(32),
            ClientCertificate=self.policy.host_certificate if self.secured else None,
            RequestedSessionTimeout=timeout_ms,
        )
        result = self.ask("CreateSession", params, ua.CreateSessionResponse).Parameters
        self.session, self.server_nonce = result.AuthenticationToken, result.ServerNonce
        return result

    def activate(self, token: Any = None, signature: Any = None) -> Any:
        """Log in; anonymously without a token."""
        params = ua.ActivateSessionParameters()
        params.UserIdentityToken = token or ua.AnonymousIdentityToken(PolicyId="anonymous")
        if self.secured:
            params.ClientSignature.Algorithm = self.policy.AsymmetricSignatureURI
            params.ClientSignature.Signature = self.policy.asymmetric_cryptography.signature(self.challenge())
        if signature is not None:
            params.UserTokenSignature = signature
        result = self.ask("ActivateSession", params, ua.ActivateSessionResponse).Parameters
        self.server_nonce = result.ServerNonce
        return result

    def challenge(self) -> bytes:
        """What a client signs to log in."""
        return bytes(self.policy.peer_certificate or b"") + bytes(self.server_nonce)

    def log_in(self, user: str = "", password: str = "") -> "Line":
        """Do everything up to an open session."""
        self.greet()
        self.open()
        self.create_session()
        self.activate(
            ua.UserNameIdentityToken(PolicyId="username", UserName=user, Password=password.encode()) if user else None
        )
        return self

    def drain(self) -> Iterator[tuple[int, bytes]]:
        """Yield the answers that have come already."""
        while (found := self._next()) is not None:
            self._received[:0] = found
            yield self.answer()


def params_of(params: Any) -> bytes:
    """Encode parameters that are not encoded yet."""
    return params if isinstance(params, bytes) else binary.struct_to_binary(params)


def server_certificate(port: int) -> bytes:
    """Ask a server for its certificate."""
    with Line(port) as line:
        line.greet()
        line.open()
        params = ua.GetEndpointsParameters(EndpointUrl="opc.tcp://127.0.0.1/cvd")
        return line.ask("GetEndpoints", params, ua.GetEndpointsResponse).Endpoints[0].ServerCertificate
