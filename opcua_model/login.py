"""Who is behind a session: identity tokens are opened here and checked by the daemon."""

import hmac
from collections.abc import Iterable
from struct import unpack_from
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from opcua_model.settings import Settings, is_loopback
from opcua_model.stack import crypto, fault, ua
from opcua_model.trust import fits_person, thumbprint

_DECRYPT: Final = {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": crypto.decrypt_rsa_oaep,  # of Basic256Sha256 and Aes128
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": crypto.decrypt_rsa_oaep_sha256,  # of Aes256_Sha256_RsaPss
}
_VERIFY: Final = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": crypto.verify_sha256,  # of Basic256Sha256 and Aes128
    "http://opcfoundation.org/UA/security/rsa-pss-sha2-256": crypto.verify_pss_sha256,  # of Aes256_Sha256_RsaPss
}
"""By algorithm. Which one it must be is the policy's: a person's token has none other than the channel's, or none at
all (Part 4, 7.41), so a scheme that the policy does not name is refused however strong it is."""
_TOKENS: Final = {
    ua.AnonymousIdentityToken: ua.UserTokenType.Anonymous,
    ua.UserNameIdentityToken: ua.UserTokenType.UserName,
    ua.X509IdentityToken: ua.UserTokenType.Certificate,
}
MAX_PASSWORD: Final = 512
MAX_USER: Final = 128


def check_policy(token: Any, endpoints: Iterable[Any], uri: str, mode: int) -> None:
    """See that a token is of one of the policies that the endpoint of its channel has offered (Part 4, 7.41).

    Args:
        token: as the client sent it; none at all is an anonymous one without a policy.
        endpoints: descriptions of all endpoints.
        uri: of the security policy of the channel.
        mode: security mode of the channel.

    Raises:
        ServiceError: nobody is let in by such a token there, or it names a policy that was not offered for it.
    """
    if token is None or _is_null(token):
        return
    kind = next((number for known, number in _TOKENS.items() if isinstance(token, known)), None)
    offered = [
        policy.PolicyId
        for endpoint in endpoints
        if endpoint.SecurityPolicyUri == uri and int(endpoint.SecurityMode) == mode
        for policy in endpoint.UserIdentityTokens
        if policy.TokenType == kind
    ]
    if not offered:
        raise fault("BadIdentityTokenRejected")
    if token.PolicyId not in offered:
        raise fault("BadIdentityTokenInvalid")


def admit_anonymous(settings: Settings, peer: str) -> None:
    """Let an anonymous session in or not.

    Raises:
        ServiceError: the settings do not permit it from there.
    """
    if settings.anonymous != "loopback" or not is_loopback(peer):
        raise fault("BadIdentityTokenRejected")


def open_password(token: Any, key: Any, nonce: bytes | None, policy: Any, *, encrypted: bool) -> tuple[str, str]:
    """Return user and password of a token.

    Args:
        token: UserNameIdentityToken.
        key: the server's private key.
        nonce: what the server gave the client last; an encrypted password carries it, so that none can be replayed.
        policy: security policy of the channel, whose scheme the password is encrypted by.
        encrypted: whether the channel is; a password in clear text is taken only there.

    Raises:
        ServiceError: the token is malformed, of another nonce or scheme, or in clear text on an open channel.
    """
    user, secret = token.UserName or "", token.Password or b""
    if isinstance(secret, str):
        secret = secret.encode()
    if token.EncryptionAlgorithm:
        if token.EncryptionAlgorithm != policy.AsymmetricEncryptionURI:
            raise fault("BadIdentityTokenRejected")
        secret = _decrypt(token.EncryptionAlgorithm, secret, key, nonce)
    elif not encrypted:
        raise fault("BadSecurityModeInsufficient")
    if not 0 < len(user) <= MAX_USER or len(secret) > MAX_PASSWORD:
        raise fault("BadIdentityTokenInvalid")
    try:
        return user.encode().decode(), secret.decode()
    except UnicodeError:
        raise fault("BadIdentityTokenInvalid") from None


def prove_certificate(token: Any, signature: Any, signed: bytes, policy: Any) -> str:
    """Return the SHA-256 thumbprint of a person's certificate, who has signed with its key.

    Args:
        token: X509IdentityToken.
        signature: UserTokenSignature.
        signed: the server's certificate and what it gave the client last.
        policy: security policy of the channel, whose scheme the signature is of.

    Raises:
        ServiceError: the certificate is none, weak or out of its time, or the signature is not its owner's.
    """
    try:
        certificate = x509.load_der_x509_certificate(token.CertificateData or b"")
        fit = fits_person(certificate)
    except (ValueError, UnsupportedAlgorithm):
        raise fault("BadIdentityTokenInvalid") from None
    if not fit:
        raise fault("BadIdentityTokenRejected")
    verify = _VERIFY.get(signature.Algorithm)
    if verify is None or signature.Algorithm != policy.AsymmetricSignatureURI:
        raise fault("BadUserSignatureInvalid")
    try:
        verify(certificate, signed, signature.Signature or b"")
    except Exception:  # noqa: BLE001 - whatever a forged signature does to the cipher, it is none
        raise fault("BadUserSignatureInvalid") from None
    return thumbprint(certificate)


def _decrypt(algorithm: str, secret: bytes, key: Any, nonce: bytes | None) -> bytes:
    try:
        plain = _DECRYPT[algorithm](key, secret)
        length = int(unpack_from("<I", plain)[0])
    except Exception:  # noqa: BLE001 - whatever the bytes do to the cipher, the token is invalid
        raise fault("BadIdentityTokenInvalid") from None
    content = plain[4 : 4 + length]
    proof = nonce or b""
    if len(content) != length or length < len(proof) or not proof:
        raise fault("BadIdentityTokenInvalid")
    if not hmac.compare_digest(content[length - len(proof) :], proof):
        raise fault("BadIdentityTokenInvalid")
    return content[: length - len(proof)]


def is_anonymous(token: Any) -> bool:
    """Tell whether a token names nobody; an empty one does too (Part 4, 5.6.3)."""
    return token is None or isinstance(token, ua.AnonymousIdentityToken) or _is_null(token)


def _is_null(token: Any) -> bool:
    return isinstance(token, ua.ExtensionObject) and token.TypeId.is_null()
