"""`cvd recipe`: signed packages, so that a tool knows who stands behind a recipe that comes from elsewhere."""

import argparse
from pathlib import Path

from supervisor.cli.errors import UsageError
from supervisor.server.access.packages import SIGNERS, make_key, sign, unpack
from supervisor.server.access.signatures import Meaning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd recipe`."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    key = deeds.add_parser("key", help="make a signer's pair of keys: NAME.key stays secret, NAME.pem is for the tools")
    key.add_argument("name")
    key.add_argument("--folder", type=Path, default=Path(), help="where to put them (default: here)")
    signing = deeds.add_parser("sign", help="sign a recipe, or add a signature to a package")
    signing.add_argument("recipe", type=Path, metavar="RECIPE.json")
    signing.add_argument("--key", type=Path, required=True, help="the signer's private key")
    signing.add_argument("--user", required=True, help="the signer's name, as its public key is called on the tools")
    signing.add_argument("--meaning", choices=list(Meaning), default=Meaning.AUTHORSHIP.value)
    signing.add_argument("--output", type=Path, required=True, help="the package")
    verifying = deeds.add_parser("verify", help="say who signed a package; exit code 1 when a signature does not hold")
    verifying.add_argument("package", type=Path, metavar="PACKAGE.json")
    verifying.add_argument("--signers", type=Path, help="folder of public keys (default: that of the data folder)")
    verifying.add_argument("--data", type=Path, default=Path("cvd-data"))


def carry_out(arguments: argparse.Namespace) -> int:
    """Do what is asked for."""
    if arguments.deed == "key":
        private, public = (arguments.folder / f"{arguments.name}.{end}" for end in ("key", "pem"))
        make_key(private, public)
        print(f"{private} is secret; copy {public} to {SIGNERS} below the data folder of each tool")
        return 0
    if arguments.deed == "sign":
        package = sign(_text(arguments.recipe), arguments.key, arguments.user, arguments.meaning)
        arguments.output.write_text(package + "\n", encoding="utf-8")
        return 0
    signers = arguments.signers or arguments.data / SIGNERS
    _, signatures = unpack(_text(arguments.package), signers)
    if not signatures:
        raise UsageError(f"{arguments.package} is a recipe that nobody has signed")
    for one in signatures:
        print(f"{one.signer}: {one.meaning}, {one.signed_at}")
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
