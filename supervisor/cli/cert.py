"""`cvd cert`: whom the endpoint trusts, and the server's own certificate."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from opcua_model import authorities
from opcua_model.certificates import CERTIFICATE, SERVER_DAYS, renew_identity, signing_request
from opcua_model.settings import EndpointError
from opcua_model.trust import FOLDERS, application_uris, common_name, load_certificate, thumbprint
from supervisor.cli.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `cvd cert list|show|trust|issuer|crl|reject|remove|renew|request`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every certificate that is known, and what it is")
    for name, text in (
        ("show", "what a certificate says"),
        ("trust", "let an application connect, or every application of an authority"),
        ("issuer", "know an authority between, without trusting it by itself"),
        ("crl", "use a revocation list"),
        ("reject", "let an application connect no longer"),
        ("remove", "forget a certificate"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("which", metavar="FILE|THUMBPRINT", help="a file, or how its SHA-256 thumbprint begins")
    renew = actions.add_parser("renew", help="make the server's certificate anew; a running daemon takes it at once")
    renew.add_argument("--days", type=int, default=SERVER_DAYS, help=f"how long it is valid (default: {SERVER_DAYS})")
    renew.add_argument("--new-key", action="store_true", help="make a new private key too")
    actions.add_parser("request", help="print a signing request for an authority (PEM)")
    for action in actions.choices.values():
        action.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Change or show the folders below `<data>/pki`; a running daemon follows within a second."""
    folder = arguments.data / "pki"
    try:
        _ACTIONS[arguments.action](folder, arguments)
    except EndpointError as error:
        raise UsageError(str(error)) from error
    return 0


def _list(folder: Path, _: argparse.Namespace) -> None:
    own = folder / CERTIFICATE
    if own.exists():
        _line("own", load_certificate(own))
    for kind in FOLDERS:
        for certificate in authorities.certificates(folder, kind):
            _line(kind, certificate)


def _line(kind: str, certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    expired = "" if certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc else " (not now)"
    print(f"{kind:9} {thumbprint(certificate)[:16]} until {until}{expired}  {common_name(certificate)}")


def _show(folder: Path, arguments: argparse.Namespace) -> None:
    certificate = authorities.find(folder, arguments.which)
    for name, value in (
        ("subject", certificate.subject.rfc4514_string()),
        ("issuer", certificate.issuer.rfc4514_string()),
        ("application", ", ".join(application_uris(certificate)) or "none named"),
        ("valid", f"{certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}"),
        ("key", authorities.key_words(certificate)),
        ("SHA-256", thumbprint(certificate)),
    ):
        print(f"{name:12} {value}")


def _trust(folder: Path, arguments: argparse.Namespace) -> None:
    certificate = authorities.trust(folder, arguments.which)
    print(f"{common_name(certificate)} may connect")


def _issuer(folder: Path, arguments: argparse.Namespace) -> None:
    certificate = authorities.know_issuer(folder, arguments.which)
    print(f"{common_name(certificate)} is known as an authority")


def _crl(folder: Path, arguments: argparse.Namespace) -> None:
    revoked = authorities.use_revocations(folder, Path(arguments.which))
    print(f"{len(list(revoked))} certificates of {revoked.issuer.rfc4514_string()} are revoked")


def _reject(folder: Path, arguments: argparse.Namespace) -> None:
    certificate = authorities.refuse(folder, arguments.which)
    print(f"{common_name(certificate)} may no longer connect")


def _remove(folder: Path, arguments: argparse.Namespace) -> None:
    certificate = authorities.forget(folder, arguments.which)
    print(f"{common_name(certificate)} is forgotten")


def _renew(folder: Path, arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.days <= 36_500:
        raise UsageError(f"--days is a number from 1 to 36500, not {arguments.days}")
    identity = renew_identity(folder, days=arguments.days, new_key=arguments.new_key)
    print(f"the new certificate is valid until {identity.certificate.not_valid_after_utc:%Y-%m-%d}")
    print("clients that keep a list of trusted servers must be given it", file=sys.stderr)


def _request(folder: Path, _: argparse.Namespace) -> None:
    print(signing_request(folder).decode(), end="")


_ACTIONS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "list": _list,
    "show": _show,
    "trust": _trust,
    "issuer": _issuer,
    "crl": _crl,
    "reject": _reject,
    "remove": _remove,
    "renew": _renew,
    "request": _request,
}
