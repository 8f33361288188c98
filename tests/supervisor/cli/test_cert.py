"""`cvd cert`: what a person does about certificates, without the daemon's help."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from opcua_model.certificates import CERTIFICATE, KEY, make_identity, server_identity
from opcua_model.trust import Trust
from supervisor.cli.main import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    server_identity(tmp_path / "pki", "urn:here:cvd", "LPCVD-1", ("tool.example",))
    return tmp_path


@pytest.fixture
def client(tmp_path: Path) -> Path:
    path = tmp_path / "scada.der"
    path.write_bytes(make_identity("urn:scada", "scada 7", (), days=5, server=False).der)
    return path


def thumb(path: Path) -> str:
    return x509.load_der_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


def test_a_client_is_trusted_listed_rejected_and_forgotten(
    data: Path, client: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = Trust(data / "pki", "trusted")
    assert main(["cert", "trust", str(client), "--data", str(data)]) == 0
    assert main(["cert", "list", "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "scada 7 may connect" in shown
    assert f"trusted   {thumb(client)[:16]}" in shown
    assert "own       " in shown
    trust.refresh()
    assert trust.judge(client.read_bytes()) is None
    assert main(["cert", "reject", thumb(client)[:12], "--data", str(data)]) == 0
    trust.refresh()
    assert trust.judge(client.read_bytes()) == "BadCertificateUntrusted"
    assert main(["cert", "remove", thumb(client)[:12], "--data", str(data)]) == 0
    assert main(["cert", "show", thumb(client)[:12], "--data", str(data)]) == 1
    assert "no certificate is known" in capsys.readouterr().err


def test_a_certificate_is_shown_in_words(data: Path, client: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cert", "show", str(client), "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "application  urn:scada" in shown
    assert "RSA, 2048 bits" in shown


def test_the_own_certificate_is_renewed_for_the_same_names(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pki = data / "pki"
    before, key = (pki / CERTIFICATE).read_bytes(), (pki / KEY).read_bytes()
    assert main(["cert", "renew", "--days", "100", "--data", str(data)]) == 0
    renewed = x509.load_der_x509_certificate((pki / CERTIFICATE).read_bytes())
    assert renewed.public_bytes(serialization.Encoding.DER) != before
    assert (pki / KEY).read_bytes() == key
    names = renewed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "tool.example" in names.get_values_for_type(x509.DNSName)
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:here:cvd"]
    assert main(["cert", "renew", "--new-key", "--data", str(data)]) == 0
    assert (pki / KEY).read_bytes() != key
    assert (pki / KEY).stat().st_mode & 0o777 == 0o600


def test_a_signing_request_names_what_the_certificate_names(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cert", "request", "--data", str(data)]) == 0
    request = x509.load_pem_x509_csr(capsys.readouterr().out.encode())
    assert request.is_signature_valid
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "tool.example" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("trust", "nowhere.der"), "neither a file nor"),
        (("trust", "abc"), "neither a file nor"),
        (("remove", "abcdef012345"), "no certificate is known"),
        (("crl", "nowhere.crl"), "no revocation list"),
        (("renew", "--days", "0"), "from 1 to 36500"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    data: Path, words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cert", *words, "--data", str(data)]) == 1
    told = capsys.readouterr().err
    assert reason in told
    assert told.count("\n") == 1


def test_there_is_nothing_to_renew_before_the_first_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cert", "renew", "--data", str(tmp_path)]) == 1
    assert "the daemon makes one at its start" in capsys.readouterr().err


def test_another_authority_s_certificate_is_not_replaced(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = make_identity("urn:here:cvd", "x", (), days=9, server=True)
    der = foreign.der.replace(b"cvd-supervisor", b"someone else..")
    (data / "pki" / CERTIFICATE).write_bytes(der)
    assert main(["cert", "renew", "--data", str(data)]) == 1
    assert "was issued by" in capsys.readouterr().err
