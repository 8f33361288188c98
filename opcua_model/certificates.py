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
ORGANISATION = "cvd-supervisor"
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
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
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
            write_file(key, _key_pem(identity.key), 0o600)
        write_file(certificate, identity.der, 0o644)
    except OSError as error:
        raise CertificateError(f"the server's certificate cannot be written to {folder}: {error.strerror}") from error
    return identity


def load_identity(folder: Path) -> Identity:
    """Load the server's certificate and key.

    Raises:
        CertificateError: a file is unreadable, of another key, or out of its time.
    """
    return _load(folder / CERTIFICATE, folder / KEY)


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


def renew_identity(folder: Path, *, days: int = SERVER_DAYS, new_key: bool = False) -> Identity:
    """Make the server's certificate anew, for the same names, and put it in the old one's place.

    Raises:
        CertificateError: there is none yet, it was issued by somebody else, or the files cannot be written.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    try:
        old = read_certificate(certificate)
    except (OSError, ValueError) as error:
        raise CertificateError(f"{certificate} cannot be read: {error}; the daemon makes one at its start") from error
    if not own_making(old):
        raise CertificateError(f"{certificate} was issued by {old.issuer.rfc4514_string()}; ask there for a new one")
    uri, names, common = described(old)
    identity = make_identity(uri, common, names, days=days, server=True, key=None if new_key else _load_key(key))
    try:
        if new_key:
            write_file(key, _key_pem(identity.key), 0o600)
        write_file(certificate, identity.der, 0o644)
    except OSError as error:
        raise CertificateError(f"the certificate cannot be written to {folder}: {error.strerror}") from error
    return identity


def signing_request(folder: Path) -> bytes:
    """Return a request (PEM) with which an authority issues a certificate for the server's key and names.

    Raises:
        CertificateError: certificate or key cannot be read.
    """
    identity = _load(folder / CERTIFICATE, folder / KEY)
    uri, names, _ = described(identity.certificate)
    builder = x509.CertificateSigningRequestBuilder().subject_name(identity.certificate.subject)
    builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(uri, names)), critical=False)
    return builder.sign(identity.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def own_making(certificate: x509.Certificate) -> bool:
    """Tell whether this software has made a certificate, rather than an authority."""
    made = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return certificate.issuer == certificate.subject and any(one.value == ORGANISATION for one in made)


def described(certificate: x509.Certificate) -> tuple[str, tuple[str, ...], str]:
    """Return URI, names and common name of a certificate of ours."""
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = (*alternatives.get_values_for_type(x509.DNSName),)
    names += tuple(str(one) for one in alternatives.get_values_for_type(x509.IPAddress))
    (common, *_) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    (uri, *_) = alternatives.get_values_for_type(x509.UniformResourceIdentifier)
    return uri, names, str(common.value)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is there whole or not at all, never readable by others before its mode says so."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
