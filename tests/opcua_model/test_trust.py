"""Certificates that are not what they should be open no channel, and what people decide holds at once."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opcua_model import authorities
from opcua_model.certificates import CERTIFICATE, CertificateError, Identity, make_identity, renew_identity
from opcua_model.client import CLIENT_URI, _throwaway, connect
from opcua_model.stack import errors, ua
from opcua_model.trust import KEPT, Trust, split_chain
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until
from tests.opcua_model.wire import HangupError, Line, server_certificate

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
DER = serialization.Encoding.DER


@cache
def key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key of the tests; making one takes a while."""
    assert number >= 0
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    name: str = "client", *, issuer: Identity | None = None, own: Any = None, ca: bool = False,
    since: datetime = NOW - DAY, until: datetime = NOW + DAY, digest: Any = None, usage: str = "all",
    purpose: Any = ExtendedKeyUsageOID.CLIENT_AUTH, uri: str = CLIENT_URI, serial: int = 0,
) -> Identity:  # fmt: skip
    """Make a certificate with something about it that is not as usual."""
    own = own or key(number=2 if ca else 1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    every = usage == "all"
    builder = builder.add_extension(
        x509.KeyUsage(
            digital_signature=every or usage == "sign",
            content_commitment=every,
            key_encipherment=every,
            data_encipherment=every,
            key_agreement=usage == "agree",
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )
    return Identity(builder.sign(issuer.key if issuer else own, digest or hashes.SHA256()), own)


@cache
def authority() -> Identity:
    return certificate("authority", ca=True, until=NOW + 100 * DAY)


def revocations(*revoked: Identity, until: datetime = NOW + DAY, since: datetime = NOW - DAY) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority().certificate.subject)
    builder = builder.last_update(since).next_update(until)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority().key, hashes.SHA256()).public_bytes(DER)


def elliptic() -> bytes:
    own: Any = ec.generate_private_key(ec.SECP256R1())
    return certificate(own=own).der


def cut_short() -> bytes:
    return certificate().der[:-20]


def tampered() -> bytes:
    return certificate().der.replace(b"client", b"somebo")


TRICKS: dict[str, tuple[Any, str | None]] = {
    "as it should be": (lambda: certificate().der, None),
    "expired": (lambda: certificate(until=NOW - timedelta(hours=1)).der, "BadCertificateTimeInvalid"),
    "not yet valid": (lambda: certificate(since=NOW + timedelta(hours=1)).der, "BadCertificateTimeInvalid"),
    "a short key": (lambda: certificate(own=key(1024)).der, "BadCertificatePolicyCheckFailed"),
    "an elliptic key": (elliptic, "BadCertificatePolicyCheckFailed"),
    "for agreeing on keys only": (lambda: certificate(usage="agree").der, "BadCertificateUseNotAllowed"),
    "for signing only": (lambda: certificate(usage="sign").der, "BadCertificateUseNotAllowed"),
    "for servers": (lambda: certificate(purpose=ExtendedKeyUsageOID.SERVER_AUTH).der, "BadCertificateUseNotAllowed"),
    "for mail": (lambda: certificate(purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION).der, "BadCertificateUseNotAllowed"),
    "signed by another key than its own": (
        lambda: certificate(issuer=Identity(certificate().certificate, key(number=2))).der,
        "BadCertificateInvalid",
    ),
    "changed after it was signed": (tampered, "BadCertificateInvalid"),
    "cut short": (cut_short, "BadCertificateInvalid"),
    "nothing": (lambda: b"", "BadCertificateInvalid"),
    "noise": (lambda: b"\x30\x82\xff\xff" + b"x" * 500, "BadCertificateInvalid"),
    "followed by noise": (lambda: certificate().der + b"noise", "BadCertificateInvalid"),
    "a chain without end": (lambda: certificate().der * 12, "BadCertificateInvalid"),
}


@pytest.mark.parametrize(("made", "refusal"), TRICKS.values(), ids=TRICKS.keys())
def test_tricks_are_seen_through(made: Any, refusal: str | None, tmp_path: Path) -> None:
    trust = Trust(tmp_path, "any")
    trust.refresh()
    assert trust.judge(made()) == refusal


def trusting(folder: Path, *files: tuple[str, bytes], policy: Any = "trusted") -> Trust:
    for number, (kind, content) in enumerate(files):
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{number}.{'crl' if kind == 'crl' else 'der'}").write_bytes(content)
    trust = Trust(folder, policy)
    assert trust.refresh()
    return trust


def test_only_who_is_on_the_list_may_connect(tmp_path: Path) -> None:
    known, stranger = certificate(), certificate()
    trust = trusting(tmp_path, ("trusted", known.der))
    assert trust.judge(known.der) is None
    assert trust.judge(stranger.der) == "BadCertificateUntrusted"
    assert trust.judge(certificate(issuer=authority()).der) == "BadCertificateChainIncomplete"


def test_an_authority_vouches_while_its_revocation_list_is_there(tmp_path: Path) -> None:
    good, bad = certificate(issuer=authority()), certificate(issuer=authority())
    trust = trusting(tmp_path, ("trusted", authority().der))
    assert trust.judge(good.der) == "BadCertificateRevocationUnknown"
    trust = trusting(tmp_path, ("trusted", authority().der), ("crl", revocations(bad)))
    assert trust.judge(good.der) is None
    assert trust.judge(bad.der) == "BadCertificateRevoked"
    late = NOW + 2 * DAY
    assert trust.judge(certificate(issuer=authority(), until=NOW + 9 * DAY).der, late) == (
        "BadCertificateRevocationUnknown"
    )


def test_a_revoked_certificate_is_refused_even_where_any_may_connect(tmp_path: Path) -> None:
    bad = certificate(issuer=authority())
    trust = trusting(tmp_path, ("issuers", authority().der), ("crl", revocations(bad)), policy="any")
    assert trust.judge(bad.der) == "BadCertificateRevoked"
    assert trust.judge(certificate(issuer=authority()).der) is None


def test_a_chain_that_the_client_sends_is_followed(tmp_path: Path) -> None:
    between = certificate("between", issuer=authority(), ca=True, own=key(number=3))
    leaf = certificate(issuer=between)
    trust = trusting(tmp_path, ("trusted", authority().der), ("crl", revocations()))
    assert trust.judge(leaf.der) == "BadCertificateChainIncomplete"
    assert trust.judge(leaf.der + between.der) == "BadCertificateRevocationUnknown"  # of the one between
    assert [one.subject for one in split_chain(leaf.der + between.der)] == [
        leaf.certificate.subject, between.certificate.subject,
    ]  # fmt: skip


def test_who_is_no_authority_vouches_for_nobody(tmp_path: Path) -> None:
    """An application's certificate that is trusted cannot issue others."""
    known = certificate("scada", own=key(number=4))
    forged = certificate(issuer=known)
    trust = trusting(tmp_path, ("trusted", known.der))
    assert trust.judge(forged.der) == "BadCertificateChainIncomplete"
    assert trust.judge(forged.der + known.der) == "BadCertificateChainIncomplete"


def test_an_issuer_out_of_time_is_named(tmp_path: Path) -> None:
    trust = trusting(tmp_path, ("trusted", authority().der), ("crl", revocations(until=NOW + 300 * DAY)))
    leaf = certificate(issuer=authority(), until=NOW + 300 * DAY)
    assert trust.judge(leaf.der, NOW + 200 * DAY) == "BadCertificateIssuerTimeInvalid"


def test_what_a_person_rejects_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    one = certificate()
    file = tmp_path / "client.der"
    file.write_bytes(one.der)
    trust = Trust(tmp_path, "any")
    authorities.refuse(tmp_path, str(file))
    trust.refresh()
    assert trust.judge(one.der) == "BadCertificateUntrusted"
    authorities.trust(tmp_path, str(file))
    trust.refresh()
    assert trust.judge(one.der) is None
    assert authorities.certificates(tmp_path, "rejected") == []


def test_rejected_certificates_are_kept_in_a_bounded_number(tmp_path: Path) -> None:
    trust = Trust(tmp_path, "trusted")
    trust.refresh()
    for number in range(KEPT + 20):
        trust.note(certificate(f"client {number}").der)
        if number % 10 == 9:
            trust.refresh()
    trust.refresh()
    assert len(authorities.certificates(tmp_path, "rejected")) == KEPT


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "scada.pem").write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError, match=r"scada\.pem is no certificate"):
        Trust(tmp_path).refresh()


# ------------------------------------------------------------------------------------------------------ over the wire


@pytest.mark.anyio
async def test_over_the_wire_tricks_open_no_channel(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    async with serving(daemon, tmp_path) as server:
        port = urlsplit(server.endpoint).port
        assert port is not None

        def attempt(identity: Identity) -> str:
            with Line(port, identity, server_certificate(port)) as line:
                try:
                    line.log_in("erika", PASSWORDS["erika"])
                except HangupError as hangup:
                    return hangup.name
                except ua.UaStatusCodeError as error:
                    return ua.StatusCode(error.code).name
                return "let in"

        for identity, expected in (
            (certificate(), "let in"),
            (certificate(until=NOW - timedelta(hours=1)), "BadCertificateTimeInvalid"),
            (certificate(usage="agree"), "BadCertificateUseNotAllowed"),
            (certificate(uri="urn:somebody:else"), "BadCertificateUriInvalid"),
            # Somebody else's certificate, without its key: the request cannot be signed.
            (Identity(certificate().certificate, key(number=5)), "BadSecurityChecksFailed"),
        ):
            assert await anyio.to_thread.run_sync(attempt, identity) == expected
        told = [(entry.action, entry.status) for entry in daemon.audited]
        await until(lambda: len(daemon.audited) >= 4)
        told = [(entry.action, entry.status) for entry in daemon.audited]
    assert ("AuditCertificateExpired", "BadCertificateTimeInvalid") in told
    assert ("AuditCertificateMismatch", "BadCertificateUseNotAllowed") in told
    assert ("AuditCertificateDataMismatch", "BadCertificateUriInvalid") in told
    assert ("AuditOpenSecureChannel", "Good") in told


@pytest.mark.anyio
async def test_a_stranger_is_kept_for_a_person_who_lets_it_in_while_the_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    own = await anyio.to_thread.run_sync(_throwaway)
    async with serving(FakeDaemon(furnace()), tmp_path, clients="trusted") as server:

        async def connects() -> bool:
            try:
                async with connect(server.endpoint, "olga", PASSWORDS["olga"]):
                    return True
            except Exception:
                return False

        assert not await connects()
        await server._guard.look()  # type: ignore[union-attr]
        rejected = await anyio.to_thread.run_sync(authorities.certificates, folder, "rejected")
        assert rejected == [own.certificate]
        thumb = own.certificate.fingerprint(hashes.SHA256()).hex()
        await anyio.to_thread.run_sync(authorities.trust, folder, thumb[:12])
        await server._guard.look()  # type: ignore[union-attr]
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
            assert await tool.read("State/Mode") == "Ready"
            # And out again: who is connected is shut out too.
            await anyio.to_thread.run_sync(authorities.refuse, folder, thumb[:12])
            await server._guard.look()  # type: ignore[union-attr]
            await until(lambda: not server._listener.clients)
        assert not await connects()


@pytest.mark.anyio
async def test_the_server_s_own_certificate_is_renewed_while_clients_are_connected(tmp_path: Path) -> None:
    async with serving(FakeDaemon(furnace()), tmp_path, renew_days=30) as server:
        port = urlsplit(server.endpoint).port
        assert port is not None
        before = await anyio.to_thread.run_sync(server_certificate, port)
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
            await anyio.to_thread.run_sync(lambda: renew_identity(tmp_path / "pki", days=10, new_key=True))
            await server._guard.look()  # type: ignore[union-attr] - takes the new one, which soon ends, and renews it
            await server._guard.look()  # type: ignore[union-attr]
            after = await anyio.to_thread.run_sync(server_certificate, port)
            assert await tool.read("State/Mode") == "Ready"  # the old channel goes on under the old key
            async with connect(server.endpoint, "erika", PASSWORDS["erika"]) as another:
                assert await another.read("State/Mode") == "Ready"
    assert after != before
    renewed = x509.load_der_x509_certificate(after)
    assert renewed.not_valid_after_utc - NOW > 1000 * DAY
    assert (tmp_path / "pki" / CERTIFICATE).read_bytes() == after


# ------------------------------------------------------------------------------------------- logins by certificate


@pytest.mark.anyio
async def test_a_person_logs_in_with_a_certificate(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    person = certificate("erika", own=key(number=6))
    thumb = person.certificate.fingerprint(hashes.SHA256()).hex()
    daemon.certificates[thumb] = "erika"
    async with serving(daemon, tmp_path) as server:
        port = urlsplit(server.endpoint).port
        assert port is not None

        def attempt(der: bytes, signing: Any, algorithm: str = "", replay: bytes = b"") -> str:
            with Line(port, _throwaway(), server_certificate(port)) as line:
                line.greet()
                line.open()
                line.create_session()
                token = ua.X509IdentityToken(PolicyId="certificate", CertificateData=der)
                signature = ua.SignatureData()
                signature.Algorithm = algorithm or "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
                from cryptography.hazmat.primitives.asymmetric import padding

                scheme: Any = padding.PKCS1v15()
                if algorithm.endswith("pss-sha2-256"):
                    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
                signature.Signature = signing.sign(replay or line.challenge(), scheme, hashes.SHA256())
                try:
                    line.activate(token, signature)
                except errors.UaStatusCodeError as error:
                    return ua.StatusCode(error.code).name
                return server._internal.sessions[0].caller.user

        async def tried(*arguments: Any) -> str:
            return await anyio.to_thread.run_sync(attempt, *arguments)

        assert await tried(person.der, person.key) == "erika"
        assert await tried(person.der, key(number=5)) == "BadUserSignatureInvalid"  # not its owner
        assert await tried(person.der, person.key, "", b"recorded elsewhere") == "BadUserSignatureInvalid"
        assert (
            await tried(person.der, person.key, "http://www.w3.org/2000/09/xmldsig#rsa-sha1")
            == "BadUserSignatureInvalid"
        )
        # A sound signature, of a scheme that this channel's policy does not have.
        pss = "http://opcfoundation.org/UA/security/rsa-pss-sha2-256"
        assert await tried(person.der, person.key, pss) == "BadUserSignatureInvalid"
        stranger = certificate("mallory", own=key(number=5))
        assert await tried(stranger.der, stranger.key) == "BadUserAccessDenied"
        old = certificate("erika", own=person.key, until=NOW - timedelta(hours=1))
        assert await tried(old.der, person.key) == "BadIdentityTokenRejected"
        assert await tried(b"nothing", person.key) == "BadIdentityTokenInvalid"


def test_a_person_s_certificate_needs_a_strong_key() -> None:
    from opcua_model.trust import fits_person

    assert fits_person(certificate().certificate)
    assert not fits_person(certificate(own=key(1024)).certificate)
    assert make_identity("urn:x", "x", (), days=1, server=False).certificate is not None
