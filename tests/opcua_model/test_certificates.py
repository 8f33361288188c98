"""Certificates: made once, kept safe, and refused when they are not what they should be."""

from pathlib import Path

import pytest
from cryptography import x509

from opcua_model.certificates import (
    CERTIFICATE,
    KEY,
    CertificateError,
    make_identity,
    server_identity,
)

URI = "urn:here:cvd-supervisor:LPCVD-1"


def test_first_start_makes_a_certificate_that_clients_can_check(tmp_path: Path) -> None:
    identity = server_identity(tmp_path / "pki", URI, "LPCVD-1", ("tool.example", "192.0.2.7"))
    names = identity.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [URI]
    assert "tool.example" in names.get_values_for_type(x509.DNSName)
    assert "192.0.2.7" in [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    usage = identity.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usage


def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    server_identity(tmp_path / "pki", URI, "LPCVD-1", ())
    assert (tmp_path / "pki" / KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "pki").iterdir()) == [CERTIFICATE, KEY]


def test_later_starts_keep_the_certificate(tmp_path: Path) -> None:
    first = server_identity(tmp_path, URI, "LPCVD-1", ())
    assert server_identity(tmp_path, URI, "LPCVD-1", ()).der == first.der


def test_a_first_start_that_broke_off_goes_on_with_its_key(tmp_path: Path) -> None:
    first = server_identity(tmp_path, URI, "LPCVD-1", ())
    (tmp_path / CERTIFICATE).unlink()
    again = server_identity(tmp_path, URI, "LPCVD-1", ())
    assert again.key.public_key() == first.key.public_key()
    assert again.der != first.der


def test_a_certificate_without_its_key_is_not_replaced_silently(tmp_path: Path) -> None:
    server_identity(tmp_path, URI, "LPCVD-1", ())
    (tmp_path / KEY).unlink()
    with pytest.raises(CertificateError, match=r"server\.key is missing"):
        server_identity(tmp_path, URI, "LPCVD-1", ())


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    server_identity(tmp_path, URI, "LPCVD-1", ())
    other = make_identity(URI, "other", (), days=10, server=True)
    (tmp_path / CERTIFICATE).write_bytes(other.der)
    with pytest.raises(CertificateError, match="was not made for"):
        server_identity(tmp_path, URI, "LPCVD-1", ())


@pytest.mark.parametrize("name", [CERTIFICATE, KEY])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    server_identity(tmp_path, URI, "LPCVD-1", ())
    (tmp_path / name).write_bytes(b"\x00 not a certificate")
    with pytest.raises(CertificateError, match=name):
        server_identity(tmp_path, URI, "LPCVD-1", ())


def test_an_expired_certificate_says_until_when(tmp_path: Path) -> None:
    server_identity(tmp_path, URI, "LPCVD-1", ())
    identity = server_identity(tmp_path, URI, "LPCVD-1", ())
    expired = make_identity(URI, "old", (), days=0, server=True, key=identity.key)
    (tmp_path / CERTIFICATE).write_bytes(expired.der)
    with pytest.raises(CertificateError, match="check the clock"):
        server_identity(tmp_path, URI, "LPCVD-1", ())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CertificateError, match="cannot be written"):
        server_identity(tmp_path / "file" / "pki", URI, "LPCVD-1", ())
