"""Signed recipe packages: a recipe's text with the signatures of people whose public keys an installation knows.

A package is a JSON document, `format` = `cvd-recipe-package/1`. Each signature is Ed25519 (RFC 8032) over the format,
the SHA-256 of the text, the signer's name, the meaning and the moment, as canonical JSON. Known signers are files
`<name>.pem` in a folder; the name in a signature has to be that of the file whose key it fits.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from supervisor.server.access.signatures import Meaning
from supervisor.server.access.users import NAME
from supervisor.server.errors import PackageError

FORMAT = "cvd-recipe-package/1"
SIGNERS = "pki/signers"
"""Below the data folder: the public keys of people who sign recipes."""
MOST_SIGNATURES = 20


@dataclass(frozen=True)
class RecipeSignature:
    """Who stands behind a recipe."""

    signer: str
    meaning: str
    signed_at: str
    signature: str
    """Base64."""


class _Signature(BaseModel):
    model_config = ConfigDict(extra="forbid")

    signer: str = Field(max_length=64)
    meaning: Meaning
    signed_at: str = Field(max_length=64)
    signature: str = Field(max_length=128)


class _Package(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["cvd-recipe-package/1"]
    recipe: str
    signatures: list[_Signature] = Field(min_length=1, max_length=MOST_SIGNATURES)


def make_key(private: Path, public: Path) -> None:
    """Make a signer's pair of keys; the private file is readable by its owner only.

    Raises:
        PackageError: one of the files is there already.
    """
    for path in (private, public):
        if path.exists():
            raise PackageError(f"{path} is there already; a key is never overwritten")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def sign(text: str, key_file: Path, signer: str, meaning: str) -> str:
    """Return a package: a recipe's text, or a package that somebody has signed already, with one more signature.

    Raises:
        PackageError: name, meaning, key or package cannot be used.
    """
    if not NAME.fullmatch(signer):
        raise PackageError(f"{signer!r} is no name of a person: letters, digits, `_`, `.`, `@` and `-`")
    if meaning not in set(Meaning):
        raise PackageError(f"a signature means one of {', '.join(Meaning)}, not {meaning!r}")
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PackageError(f"{key_file} is no private key that can be used: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PackageError(f"{key_file} is no Ed25519 key; `cvd recipe key` makes one")
    recipe, given = (text, []) if (package := _package(text)) is None else (package.recipe, package.signatures)
    if len(given) >= MOST_SIGNATURES:
        raise PackageError(f"a package has at most {MOST_SIGNATURES} signatures")
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    mark = base64.b64encode(key.sign(_signed(recipe, signer, meaning, moment))).decode()
    signatures = [one.model_dump(mode="json") for one in given]
    signatures.append(asdict(RecipeSignature(signer, meaning, moment, mark)))
    return json.dumps({"format": FORMAT, "recipe": recipe, "signatures": signatures}, indent=1, ensure_ascii=False)


def unpack(text: str, signers: Path) -> tuple[str, Sequence[RecipeSignature]]:
    """Return a recipe's text and who signed it; text that is no package has no signatures.

    Raises:
        PackageError: a signature does not hold, or nobody here knows its signer. All of them are told.
    """
    package = _package(text)
    if package is None:
        return text, ()
    faults = [fault for one in package.signatures if (fault := _fault(package.recipe, one, signers))]
    if faults:
        raise PackageError("; ".join(faults))
    return package.recipe, [RecipeSignature(**one.model_dump(mode="json")) for one in package.signatures]


def _package(text: str) -> _Package | None:
    """Read a package; None when the text is none (a recipe, or anything else)."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "format" not in found:
        return None
    try:
        return _Package.model_validate(found)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise PackageError(f"this is no recipe package: {'; '.join(lines)}") from error


def _fault(recipe: str, one: _Signature, signers: Path) -> str:
    """Say what is wrong with a signature; empty: nothing."""
    file = signers / f"{one.signer}.pem"
    if not NAME.fullmatch(one.signer) or not file.is_file():
        return f"nobody here knows the signer {one.signer!r}: put the public key to {signers}"
    try:
        key = load_pem_public_key(file.read_bytes())
        mark = base64.b64decode(one.signature, validate=True)
    except (ValueError, UnsupportedAlgorithm, binascii.Error) as error:
        return f"the signature of {one.signer} cannot be read: {error}"
    if not isinstance(key, Ed25519PublicKey):
        return f"{file} is no Ed25519 key"
    try:
        key.verify(mark, _signed(recipe, one.signer, one.meaning, one.signed_at))
    except InvalidSignature:
        return f"the signature of {one.signer} does not hold: something of it was changed, or another key signed"
    return ""


def _signed(recipe: str, signer: str, meaning: str, moment: str) -> bytes:
    """Return what a signature is over."""
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    return json.dumps([FORMAT, digest, signer, str(meaning), moment], separators=(",", ":")).encode()
