"""Changes to the trust list, as people make them: each moves files between the folders of `trust`, whole or not at all.

All functions block.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from opcua_model.certificates import CertificateError, write_file
from opcua_model.trust import (
    FOLDERS,
    ISSUERS,
    REJECTED,
    REVOKED,
    SUFFIXES,
    TRUSTED,
    file_name,
    load_certificate,
    read_revocations,
    reject,
    thumbprint,
)

LEAST_DIGITS = 6
"""Of a thumbprint that names a certificate."""


def certificates(folder: Path, kind: str) -> list[x509.Certificate]:
    """Return the certificates of one of the folders."""
    return [load_certificate(path) for path in _paths(folder, kind)]


def _paths(folder: Path, kind: str) -> list[Path]:
    place = folder / kind
    if kind == REVOKED or not place.is_dir():
        return []
    return sorted(one for one in place.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith("."))


def find(folder: Path, which: str) -> x509.Certificate:
    """Return the certificate of a file, or one that is known, by how its thumbprint begins.

    Raises:
        CertificateError: there is none, or more than one.
    """
    if Path(which).is_file():
        return load_certificate(Path(which))
    wanted = which.lower().replace(":", "")
    if len(wanted) < LEAST_DIGITS or set(wanted) - set("0123456789abcdef"):
        raise CertificateError(f"{which!r} is neither a file nor {LEAST_DIGITS} digits or more of a thumbprint")
    known = {thumbprint(one): one for kind in FOLDERS for one in certificates(folder, kind)}
    found = [one for print_, one in known.items() if print_.startswith(wanted)]
    if len(found) != 1:
        what = "no certificate is known" if not found else f"{len(found)} certificates are known"
        raise CertificateError(f"{what} whose thumbprint begins with {which}; `cvd cert list` shows all")
    return found[0]


def trust(folder: Path, which: str) -> x509.Certificate:
    """Let an application connect, or every one of an authority."""
    certificate = find(folder, which)
    _put(folder, TRUSTED, certificate)
    _drop(folder, certificate, REJECTED)
    return certificate


def know_issuer(folder: Path, which: str) -> x509.Certificate:
    """Know an authority between an application and one that is trusted."""
    certificate = find(folder, which)
    _put(folder, ISSUERS, certificate)
    _drop(folder, certificate, REJECTED)
    return certificate


def refuse(folder: Path, which: str) -> x509.Certificate:
    """Let an application connect no longer."""
    certificate = find(folder, which)
    reject(folder, certificate)
    _drop(folder, certificate, TRUSTED, ISSUERS)
    return certificate


def forget(folder: Path, which: str) -> x509.Certificate:
    """Remove a certificate from every folder."""
    certificate = find(folder, which)
    if not _drop(folder, certificate, TRUSTED, ISSUERS, REJECTED):
        raise CertificateError(f"{which} is in none of the folders below {folder}")
    return certificate


def use_revocations(folder: Path, path: Path) -> x509.CertificateRevocationList:
    """Use a revocation list; it takes the place of an older one of the same authority.

    Raises:
        CertificateError: it is none, or older than the one that is in use.
    """
    new = read_revocations(path)
    place = folder / REVOKED
    for known in sorted(place.iterdir()) if place.is_dir() else ():
        old = read_revocations(known)
        if old.issuer == new.issuer:
            if old.last_update_utc > new.last_update_utc:
                raise CertificateError(f"{path} is older than the list of the same authority that is in use")
            known.unlink()
    name = new.fingerprint(new.signature_hash_algorithm).hex()[:16] if new.signature_hash_algorithm else "list"
    _write(place / f"{name}.crl", new.public_bytes(serialization.Encoding.DER))
    return new


def key_words(certificate: x509.Certificate) -> str:
    """Say what key a certificate has."""
    public = certificate.public_key()
    return f"RSA, {public.key_size} bits" if isinstance(public, rsa.RSAPublicKey) else type(public).__name__


def _put(folder: Path, kind: str, certificate: x509.Certificate) -> None:
    _write(folder / kind / file_name(certificate), certificate.public_bytes(serialization.Encoding.DER))


def _write(path: Path, content: bytes) -> None:
    try:
        write_file(path, content, 0o644)
    except OSError as error:
        raise CertificateError(f"{path} cannot be written: {error.strerror}") from error


def _drop(folder: Path, certificate: x509.Certificate, *kinds: str) -> bool:
    dropped = False
    for kind in kinds:
        for path in _paths(folder, kind):
            if load_certificate(path) == certificate:
                path.unlink()
                dropped = True
    return dropped
