"""One secure channel: tokens that expire, keys that are renewed in order, and chunks within their bounds.

asyncua signs, encrypts and counts. It never ends a token, takes token 0 for a renewal that nobody asked for, opens a
channel twice, accepts nonces of any length, mixes what a client can take up with what it may send, and answers with
more than the client can take. What it lets through is stopped here.
"""

import hashlib
import time
from typing import Any, Final

from opcua_model.decoding import Reader, decode
from opcua_model.settings import Limits
from opcua_model.stack import SecureConnection, TransportLimits, fault, policies, ua

GRACE: Final = 1.25
"""A token is taken for a quarter of its lifetime longer (Part 4, 5.5.2.1)."""
LEAST_LIFETIME_S: Final = 10.0
MIN_BUFFER: Final = 8192  # Part 6, 7.1.2.3
CHUNK: Final = 8192
"""The smallest chunk that a client must be able to send (Part 6, 7.1.2.3)."""
MAX_CERTIFICATE: Final = 16_384
"""Bytes of a certificate with its chain."""
_MESSAGES: Final = frozenset({ua.MessageType.SecureOpen, ua.MessageType.SecureMessage, ua.MessageType.SecureClose})
_RENEW: Final = ua.SecurityTokenRequestType.Renew


def transport_limits(bounds: Limits) -> Any:
    """Return what asyncua holds chunks and messages of a client against."""
    return TransportLimits(
        max_recv_buffer=bounds.chunk_bytes,
        max_send_buffer=bounds.chunk_bytes,
        max_chunk_count=bounds.message_bytes // CHUNK,
        max_message_size=bounds.message_bytes,
    )


class Channel(SecureConnection):
    """The channel of one connection."""

    def __init__(self, bounds: Limits) -> None:
        super().__init__(policies.SecurityPolicyNone(), transport_limits(bounds))
        self._bounds = bounds
        self._pending = False
        """Whether a renewal was granted and its token not used yet."""
        self._tokens = 0
        """Renewals granted since a token was used first."""
        self._expires = 0.0
        self._next_expires = 0.0
        self._largest = self._most = 0
        """What the client takes: bytes and chunks of a message; 0: as many as there are."""

    # ------------------------------------------------------------------------------------------------ the greeting

    def greet(self, hello: Any) -> Any:
        """Agree on sizes; return what the server acknowledges.

        Raises:
            ServiceError: the client's buffers are smaller than the protocol permits.
        """
        if min(hello.ReceiveBufferSize, hello.SendBufferSize) < MIN_BUFFER:
            raise fault("BadConnectionRejected")
        limits = self._limits
        limits.max_recv_buffer = min(hello.SendBufferSize, limits.max_recv_buffer)
        limits.max_send_buffer = min(hello.ReceiveBufferSize, limits.max_send_buffer)
        self._largest, self._most = int(hello.MaxMessageSize), int(hello.MaxChunkCount)
        return ua.Acknowledge(
            ReceiveBufferSize=limits.max_recv_buffer,
            SendBufferSize=limits.max_send_buffer,
            MaxMessageSize=limits.max_message_size,
            MaxChunkCount=limits.max_chunk_count,
        )

    # ------------------------------------------------------------------------------------------------- open, renew

    def begin(self, body: bytes) -> Any:
        """Look at the plain header of an OpenSecureChannel chunk, before anything is deciphered.

        Raises:
            ServiceError: it is malformed, names another policy than the channel has, or is meant for another server.
        """
        header = decode(ua.AsymmetricAlgorithmHeader, Reader(body))
        if len(header.SenderCertificate or b"") > MAX_CERTIFICATE:
            raise fault("BadCertificateInvalid")
        if self.is_open() and header.SecurityPolicyURI != self.security_policy.URI:
            raise fault("BadSecurityPolicyRejected")
        return header

    def addressed(self, header: Any) -> bool:
        """Tell whether an asymmetric header names this server's certificate; without security it names none."""
        own = self.security_policy.host_certificate
        if self.security_policy.URI == policies.SecurityPolicyNone.URI:
            return True
        thumbprint = hashlib.sha1(own or b"", usedforsecurity=False).digest()
        return bytes(header.ReceiverCertificateThumbPrint or b"") == thumbprint

    def issue(self, params: Any, server: Any) -> Any:
        """Open or renew; return the answer's parameters.

        Raises:
            ServiceError: it is opened twice, renewed before it is open, or the nonce is none.
        """
        if self.is_open() != (params.RequestType == _RENEW):
            raise fault("BadRequestTypeInvalid")
        wanted = int(self.security_policy.secure_channel_nonce_length)
        nonce = params.ClientNonce or b""
        if wanted and (len(nonce) != wanted or nonce == self.remote_nonce):
            raise fault("BadNonceInvalid")
        longest = self._bounds.channel_lifetime_s
        asked = params.RequestedLifetime / 1000.0
        lifetime = min(max(asked, LEAST_LIFETIME_S), longest) if asked else longest
        params.RequestedLifetime = int(lifetime * 1000)
        renewed = self.is_open()
        answer = super().open(params, server)
        until = time.monotonic() + lifetime * GRACE
        if renewed:
            # A number of its own for each: of two renewals on the way, only the later one's keys are known.
            self._tokens += 1
            self.next_security_token.TokenId = self.security_token.TokenId + self._tokens
            self._pending, self._next_expires = True, until
        else:
            self._expires = until
        return answer

    @property
    def expired(self) -> bool:
        """True when the token's time is over and nobody has renewed it."""
        return self.is_open() and time.monotonic() > self._expires

    def _check_sym_header(self, security_hdr: Any) -> None:
        token = security_hdr.TokenId
        if self._pending and token == self.next_security_token.TokenId:
            self._pending, self._expires, self._tokens = False, self._next_expires, 0
            self.revolve_tokens()
        elif token != self.security_token.TokenId or self.expired:
            # One that was replaced is over with the first message under the new one (Part 4, 5.5.2.1).
            raise fault("BadSecureChannelTokenUnknown")

    # ------------------------------------------------------------------------------------------------------ chunks

    def take(self, header: Any, body: Any, most: int) -> Any:
        """Take a chunk; return the message that it completes, None when there is more to come.

        Args:
            header: of the chunk.
            body: what follows, at its beginning.
            most: bytes that a message may have at the moment.

        Raises:
            ServiceError: the message has too many bytes or chunks.
            Exception: whatever decryption makes of forged bytes.
        """
        if header.MessageType not in _MESSAGES:
            raise fault("BadTcpMessageTypeInvalid")
        if self._incoming_size + header.body_size > most:
            raise fault("BadRequestTooLarge")
        if header.MessageType == ua.MessageType.SecureOpen:
            if header.ChunkType != ua.ChunkType.Single or self._incoming_parts:
                raise fault("BadTcpMessageTypeInvalid")
        elif not self.is_open():
            raise fault("BadSecureChannelIdInvalid")
        if header.ChunkType not in {ua.ChunkType.Single, ua.ChunkType.Intermediate, ua.ChunkType.Abort}:
            raise fault("BadTcpMessageTypeInvalid")
        return self.receive_from_header_and_body(header, body)

    def message_to_binary(
        self, message: bytes, message_type: Any = ua.MessageType.SecureMessage, request_id: int = 0
    ) -> bytes:
        """Sign, encrypt and cut into chunks.

        Raises:
            ServiceError: it is more than the client has said that it takes.
        """
        if message_type == ua.MessageType.SecureMessage:
            chunks = len(message) // max(self._limits.max_send_buffer - 256, 1) + 1
            if (self._largest and len(message) > self._largest) or (self._most and chunks > self._most):
                raise fault("BadResponseTooLarge")
        return bytes(super().message_to_binary(message, message_type=message_type, request_id=request_id))
