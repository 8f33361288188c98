"""Application certificates: the server's, made at its first start, and throwaway ones of clients.

All functions here block (files, key generation): call them in a worker thread.
"""

import ipaddress
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opcua_model.settings import EndpointError

CERTIFICATE = "server.der"
KEY = "server.key"
KEY_BITS = 2048  # Basic256Sha256 takes 2048 to 4096 (Part 7, 6.6.165)
SERVER_DAYS = 3650  # a tool's controller outlives the usual year; replacing the two files renews it at any time
CLIENT_DAYS = 2
BACKDATED = timedelta(hours=1)  # clocks of other computers may be behind


class CertificateError(EndpointError):
    """The certificate or key cannot be used; the text says which file, why and what to do."""


@dataclass(frozen=True)
class Identity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        """The certificate as it crosses the wire."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def make_identity(
    uri: str,
    common_name: str,
    names: tuple[str, ...],
    *,
    days: int,
    server: bool,
    key: rsa.RSAPrivateKey | None = None,
) -> Identity:
    """Make a self-signed application certificate as Part 6, 6.2.2 wants it, and a key unless there is one."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "cvd-supervisor"),
        ]
    )
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    now = datetime.now(UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(_alternatives(uri, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=True,
                data_encipherment=True,
                key_agreement=False,
                key_cert_sign=True,  # it signs itself
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return Identity(builder.sign(key, hashes.SHA256()), key)


def _alternatives(uri: str, names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def server_identity(folder: Path, uri: str, tool: str, names: tuple[str, ...]) -> Identity:
    """Load the server's certificate and key, or make them at the first start.

    Raises:
        CertificateError: a file is missing, unreadable or cannot be written, of another key, or out of its time.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if certificate.exists():
        if not key.exists():
            raise CertificateError(f"{key} is missing; put it back, or remove {certificate} to have both made anew")
        return _load(certificate, key)
    own = ("localhost", "127.0.0.1", socket.gethostname(), *names)
    # The key is written first: a first start that ended in between goes on with it.
    given = _load_key(key) if key.exists() else None
    identity = make_identity(uri, f"cvd-supervisor {tool}", own, days=SERVER_DAYS, server=True, key=given)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if given is None:
            pem = identity.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _write(key, pem, 0o600)
        _write(certificate, identity.der, 0o644)
    except OSError as error:
        raise CertificateError(f"the server's certificate cannot be written to {folder}: {error.strerror}") from error
    return identity


def _load_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{path} cannot be read: {error}; remove it to have a new one made") from error
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < KEY_BITS:
        raise CertificateError(f"{path} holds no RSA key of {KEY_BITS} bits or more, which Basic256Sha256 needs")
    return private


def _load(certificate: Path, key: Path) -> Identity:
    private = _load_key(key)
    try:
        loaded = read_certificate(certificate)
    except (OSError, ValueError) as error:
        raise CertificateError(f"{certificate} cannot be read: {error}; remove it to have it made anew") from error
    if private.public_key() != loaded.public_key():
        raise CertificateError(f"{certificate} was not made for {key}; remove it to have it made anew")
    now = datetime.now(UTC)
    if not loaded.not_valid_before_utc <= now <= loaded.not_valid_after_utc:
        raise CertificateError(
            f"{certificate} is valid from {loaded.not_valid_before_utc} to {loaded.not_valid_after_utc}, not now; "
            "check the clock, or remove the certificate to have it made anew with the same key"
        )
    return Identity(loaded, private)


def read_certificate(path: Path) -> x509.Certificate:
    """Read a certificate, DER or PEM."""
    content = path.read_bytes()
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)


def trusted_thumbprints(folder: Path) -> frozenset[bytes]:
    """SHA-256 thumbprints of every certificate in a folder.

    Raises:
        CertificateError: the folder or one of its files cannot be read as certificates.
    """
    found: set[bytes] = set()
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in {".der", ".crt", ".cer", ".pem"}:
                found.add(read_certificate(path).fingerprint(hashes.SHA256()))
    except (OSError, ValueError) as error:
        raise CertificateError(f"trusted client certificates in {folder} cannot be read: {error}") from error
    return frozenset(found)


def judge_client(der: bytes, trusted: frozenset[bytes] | None) -> str | None:
    """Return the status code that refuses a client's certificate, None when it may connect."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        public: Any = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "BadCertificateInvalid"
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < KEY_BITS:
        return "BadCertificatePolicyCheckFailed"
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return "BadCertificateTimeInvalid"
    if trusted is not None and certificate.fingerprint(hashes.SHA256()) not in trusted:
        return "BadCertificateUntrusted"
    return None


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is there whole or not at all, never readable by others before its mode says so."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
