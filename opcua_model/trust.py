"""Which client applications may connect: their certificates, issuers and revocation lists, as files in folders.

Below the server's `pki` folder: `trusted/` (applications, and authorities whose applications are trusted), `issuers/`
(authorities between them that are not trusted by themselves), `crl/` (revocation lists) and `rejected/` (who was
refused: by the trust list, or by a person). Certificates are DER or PEM; files are read again when they have changed.
The order of the checks and their status codes are those of Part 4, 6.1.3.

Reading and writing files blocks: `refresh` belongs in a worker thread. `judge` works on what was read.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opcua_model.certificates import KEY_BITS, CertificateError, read_certificate, write_file

TRUSTED, ISSUERS, REVOKED, REJECTED = FOLDERS = ("trusted", "issuers", "crl", "rejected")
SUFFIXES: Final = frozenset({".der", ".crt", ".cer", ".pem"})
MOST_KEY_BITS: Final = 4096  # Basic256Sha256 (Part 7, 6.6.165)
CHAIN: Final = 5
"""Certificates of a chain, the application's own included."""
KEPT: Final = 50
"""Rejected certificates that are kept for a person to look at; the oldest goes first."""
_SOUND: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_ANY_USE: Final = x509.ObjectIdentifier("2.5.29.37.0")

Policy = Literal["any", "trusted"]


def thumbprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 thumbprint, by which people and files name a certificate."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def common_name(certificate: x509.Certificate) -> str:
    """Return whom a certificate says that it is for."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()


def file_name(certificate: x509.Certificate) -> str:
    """Return under which name a certificate is kept."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', common_name(certificate))[:40]}-{thumbprint(certificate)[:16]}.der"


def application_uris(certificate: x509.Certificate) -> list[str]:
    """Return the URIs of the application that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def split_chain(der: bytes) -> list[x509.Certificate]:
    """Take certificates that stand one behind the other apart.

    Raises:
        ValueError: there is none, or something that is none.
    """
    found: list[x509.Certificate] = []
    at = 0
    while at < len(der) and len(found) < CHAIN:
        size = _length(der, at)
        found.append(x509.load_der_x509_certificate(der[at : at + size]))
        at += size
    if not found or at != len(der):
        raise ValueError("no chain of certificates")
    return found


def _length(der: bytes, at: int) -> int:
    """Return the length of a DER element, head included (X.690, 8.1.3)."""
    if len(der) < at + 4 or der[at] != 0x30:
        raise ValueError("no certificate")
    first = der[at + 1]
    if first < 0x80:
        return first + 2
    count = first & 0x7F
    if not 1 <= count <= 3:
        raise ValueError("no certificate")
    return int.from_bytes(der[at + 2 : at + 2 + count], "big") + 2 + count


@dataclass(frozen=True)
class _Files:
    """What the folders hold."""

    trusted: tuple[x509.Certificate, ...] = ()
    issuers: tuple[x509.Certificate, ...] = ()
    revoked: tuple[x509.CertificateRevocationList, ...] = ()
    rejected: frozenset[str] = frozenset()


@dataclass
class Trust:
    """The trust list of one server."""

    folder: Path
    policy: Policy = "any"
    _files: _Files = _Files()
    _seen: Any = None
    _refused: dict[str, x509.Certificate] = field(default_factory=dict[str, x509.Certificate])

    def refresh(self) -> bool:
        """Write down who was refused, and read the folders when they have changed (blocking); True when they had.

        Raises:
            CertificateError: a file is none of what its folder is for, or cannot be read.
        """
        for one in [self._refused.pop(name) for name in list(self._refused)]:
            reject(self.folder, one)
        seen = _stamps(self.folder)
        if seen == self._seen:
            return False
        self._files = _Files(
            trusted=tuple(_certificates(self.folder / TRUSTED)),
            issuers=tuple(_certificates(self.folder / ISSUERS)),
            revoked=tuple(_lists(self.folder / REVOKED)),
            rejected=frozenset(thumbprint(one) for one in _certificates(self.folder / REJECTED)),
        )
        self._seen = seen
        return True

    def note(self, der: bytes) -> None:
        """Remember a certificate that was not trusted, whose owner has proved to hold its key."""
        if len(self._refused) < KEPT:
            leaf = split_chain(der)[0]
            self._refused[thumbprint(leaf)] = leaf

    def judge(self, der: bytes, now: datetime | None = None) -> str | None:
        """Return the status code that refuses an application's certificate, None when it may connect."""
        now = now or datetime.now(UTC)
        try:
            chain = split_chain(der)
            leaf = chain[0]
            weakness = _weak(leaf)
        except (ValueError, UnsupportedAlgorithm):
            return "BadCertificateInvalid"
        if weakness:
            return "BadCertificatePolicyCheckFailed"
        path, whole = self._path(leaf, chain[1:])
        if path is None:
            return "BadCertificateInvalid"
        refusal = self._distrust(leaf, path, whole) or _out_of_time(path, now)
        return refusal or (None if _may_connect(leaf) else "BadCertificateUseNotAllowed") or self._revoked(path, now)

    def _path(
        self, leaf: x509.Certificate, sent: Sequence[x509.Certificate]
    ) -> tuple[list[x509.Certificate] | None, bool]:
        """Follow issuers as far as they are known; None when a self-signed certificate did not sign itself."""
        path, known = [leaf], (*self._files.trusted, *self._files.issuers, *sent)
        while path[-1].issuer != path[-1].subject and len(path) < CHAIN:
            issuer = next((one for one in known if _issued(path[-1], one) and one not in path), None)
            if issuer is None:
                return path, False
            path.append(issuer)
        rooted = path[-1].issuer == path[-1].subject
        if rooted and not _signed(path[-1], path[-1]):
            return None, False
        return path, rooted

    def _distrust(self, leaf: x509.Certificate, path: Iterable[x509.Certificate], whole: bool) -> str | None:
        if thumbprint(leaf) in self._files.rejected and leaf not in self._files.trusted:
            return "BadCertificateUntrusted"
        if self.policy == "any" or leaf in self._files.trusted:
            return None
        if not whole:
            return "BadCertificateChainIncomplete"
        return None if any(one in self._files.trusted for one in path) else "BadCertificateUntrusted"

    def _revoked(self, path: Sequence[x509.Certificate], now: datetime) -> str | None:
        """Look in the revocation lists; where trust comes through an authority, its list must be there."""
        pinned = self.policy == "any" or path[0] in self._files.trusted
        for index, (one, issuer) in enumerate(pairwise(path)):
            who = "Issuer" if index else ""
            found = [
                each
                for each in self._files.revoked
                if each.issuer == issuer.subject and each.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
            ]
            if any(each.get_revoked_certificate_by_serial_number(one.serial_number) is not None for each in found):
                return f"BadCertificate{who}Revoked"
            current = any(each.next_update_utc is None or each.next_update_utc > now for each in found)
            if not current and not pinned:
                return f"BadCertificate{who}RevocationUnknown"
        return None


# ------------------------------------------------------------------------------------------------ one certificate


def _weak(certificate: x509.Certificate) -> bool:
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or not KEY_BITS <= public.key_size <= MOST_KEY_BITS:
        return True
    return not isinstance(certificate.signature_hash_algorithm, _SOUND)


def fits_person(certificate: x509.Certificate) -> bool:
    """Tell whether somebody may log in with a certificate at this moment: a strong key, within its time."""
    return not _weak(certificate) and _out_of_time([certificate], datetime.now(UTC)) is None


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether an authority that may do so has issued a certificate."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return basic.ca and usage.key_cert_sign and not _weak(issuer) and _signed(certificate, issuer)


def _out_of_time(path: Iterable[x509.Certificate], now: datetime) -> str | None:
    for index, one in enumerate(path):
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            return "BadCertificateIssuerTimeInvalid" if index else "BadCertificateTimeInvalid"
    return None


def _may_connect(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is for signing and enciphering, and for clients, as far as it says what it is for."""
    try:
        extensions = certificate.extensions
        for one in extensions:
            value = one.value
            if isinstance(value, x509.KeyUsage) and not (
                value.digital_signature and (value.key_encipherment or value.data_encipherment)
            ):
                return False
            if isinstance(value, x509.ExtendedKeyUsage) and not {ExtendedKeyUsageOID.CLIENT_AUTH, _ANY_USE} & set(
                value
            ):
                return False
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------- files


def reject(folder: Path, certificate: x509.Certificate) -> Path:
    """Put a certificate among the rejected ones; the oldest of too many go (blocking)."""
    place = folder / REJECTED
    path = place / file_name(certificate)
    if not path.exists():
        write_file(path, certificate.public_bytes(serialization.Encoding.DER), 0o644)
    kept = sorted(place.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    for one in kept[:-KEPT]:
        one.unlink(missing_ok=True)
    return path


def _stamps(folder: Path) -> Any:
    found: list[tuple[str, int, int]] = []
    try:
        for name in FOLDERS:
            place = folder / name
            if place.is_dir():
                found += [(str(one), stat.st_mtime_ns, stat.st_size) for one in place.iterdir() if (stat := one.stat())]
    except FileNotFoundError:
        return None  # somebody is at it: the next look sees it whole
    except OSError as error:
        raise CertificateError(f"{folder} cannot be read: {error.strerror}") from error
    return sorted(found)


def _files(place: Path, suffixes: frozenset[str]) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted(one for one in place.iterdir() if one.suffix.lower() in suffixes and not one.name.startswith("."))


def _certificates(place: Path) -> list[x509.Certificate]:
    return [load_certificate(path) for path in _files(place, SUFFIXES) if path.exists()]


def load_certificate(path: Path) -> x509.Certificate:
    """Read a certificate, DER or PEM.

    Raises:
        CertificateError: it is none.
    """
    try:
        return read_certificate(path)
    except (OSError, ValueError) as error:
        raise CertificateError(f"{path} is no certificate that can be read: {error}") from error


def read_revocations(path: Path) -> x509.CertificateRevocationList:
    """Read a revocation list, DER or PEM.

    Raises:
        CertificateError: it is none.
    """
    try:
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(content)
        return x509.load_der_x509_crl(content)
    except (OSError, ValueError) as error:
        raise CertificateError(f"{path} is no revocation list that can be read: {error}") from error


def _lists(place: Path) -> list[x509.CertificateRevocationList]:
    return [read_revocations(path) for path in _files(place, SUFFIXES | {".crl"})]
