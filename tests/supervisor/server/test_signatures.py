"""Who stands behind a deed: signatures with the password, signed recipe packages, and every way around them."""

import json
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from opcua_model.interface import Caller, Refused
from supervisor.server.access.packages import FORMAT, SIGNERS, make_key, sign, unpack
from supervisor.server.access.policy import DEFAULT, Policy, Weighty
from supervisor.server.access.signatures import VALID_S, Meaning, Signatures
from supervisor.server.access.users import UserStore
from supervisor.server.errors import PackageError
from tests.supervisor.server.stand import AMIR, ERIKA
from tests.supervisor.server.test_life import RECIPE, furnace_house, refusal

SIGNING = Policy(DEFAULT.roles, signatures=frozenset({Weighty.APPROVE}))


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_signature_is_for_one_deed_of_one_session_and_for_two_minutes() -> None:
    clock = Clock()
    book = Signatures(SIGNING, clock)
    with pytest.raises(Refused, match="needs your signature"):
        book.use(ERIKA, Weighty.APPROVE)
    book.sign(ERIKA, "approval")
    elsewhere = Caller(ERIKA.user, ERIKA.roles, "another session")
    with pytest.raises(Refused, match="needs your signature"):
        book.use(elsewhere, Weighty.APPROVE)
    entry = book.use(ERIKA, Weighty.APPROVE)["signature"]
    assert entry["user"] == "erika"
    assert entry["meaning"] == "approval"
    with pytest.raises(Refused, match="needs your signature"):
        book.use(ERIKA, Weighty.APPROVE)
    book.sign(ERIKA, "review")
    clock.now += VALID_S + 1
    with pytest.raises(Refused, match="within 120 s"):
        book.use(ERIKA, Weighty.APPROVE)
    assert book.use(ERIKA, Weighty.BYPASS) == {}
    with pytest.raises(Refused, match="authorship, review"):
        book.sign(ERIKA, "because")


@pytest.mark.anyio
async def test_an_approval_is_signed_with_the_password_and_the_trail_shows_it(tmp_path: Path) -> None:
    async with furnace_house(tmp_path, policy=SIGNING) as h:
        recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", RECIPE)
        unsigned = await refusal(h, AMIR, "Recipes", "ApproveRecipe", recipe_id, version, "good")
        assert unsigned.status == "BadUserSignatureInvalid"
        wrong = await refusal(h, AMIR, "State", "Sign", "not his password", "approval")
        assert wrong.status == "BadUserAccessDenied"
        await refusal(h, AMIR, "Recipes", "ApproveRecipe", recipe_id, version, "good")
        users = UserStore(h.data / "users.toml")
        await anyio.to_thread.run_sync(users.add, "amir", "amir's own password", ["engineer"])
        await h.call(AMIR, "State", "Sign", "amir's own password", "approval")
        await h.call(AMIR, "Recipes", "ApproveRecipe", recipe_id, version, "good")
        history: list[dict[str, Any]] = json.loads((await h.call(AMIR, "Recipes", "GetRecipe", recipe_id, version))[0])[
            "history"
        ]
        detail = json.loads(next(row["detail"] for row in history if row["action"] == "approve_recipe"))
        assert detail["signature"]["user"] == "amir"
        assert detail["signature"]["meaning"] == "approval"
        assert len(detail["sha256"]) == 64


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    """Erika is known, Mallory is not."""
    folder = tmp_path / SIGNERS
    folder.mkdir(parents=True)
    make_key(tmp_path / "erika.key", folder / "erika.pem")
    make_key(tmp_path / "mallory.key", tmp_path / "mallory.pem")
    return folder


def test_a_package_holds_until_one_letter_is_changed(tmp_path: Path, signers: Path) -> None:
    package = sign(RECIPE, tmp_path / "erika.key", "erika", Meaning.AUTHORSHIP)
    text, signatures = unpack(package, signers)
    assert text == RECIPE
    assert [(one.signer, one.meaning) for one in signatures] == [("erika", "authorship")]
    assert (tmp_path / "erika.key").stat().st_mode & 0o077 == 0
    found = json.loads(package)
    for changed in (
        found | {"recipe": RECIPE.replace("100.0", "900.0")},
        found | {"signatures": [found["signatures"][0] | {"meaning": "approval"}]},
        found | {"signatures": [found["signatures"][0] | {"signed_at": "2020-01-01T00:00:00+00:00"}]},
        found | {"signatures": [found["signatures"][0] | {"signature": "AAAA"}]},
    ):
        with pytest.raises(PackageError, match="does not hold"):
            unpack(json.dumps(changed), signers)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"signatures": []}, "signatures"),
        ({"extra": 1}, "extra"),
        ({"format": "cvd-recipe-package/2"}, "format"),
        ({"signatures": [{"signer": "../../erika", "meaning": "review", "signed_at": "", "signature": ""}]}, "nobody"),
        ({"signatures": [{"signer": "erika", "meaning": "review", "signed_at": "", "signature": "*"}]}, "be read"),
    ],
)
def test_what_is_no_package_is_refused_with_the_reason(signers: Path, changed: dict[str, Any], why: str) -> None:
    signature = {"signer": "e", "meaning": "review", "signed_at": "", "signature": ""}
    package: dict[str, Any] = {"format": FORMAT, "recipe": "{}", "signatures": [signature]}
    with pytest.raises(PackageError, match=why):
        unpack(json.dumps(package | changed), signers)


def test_an_unknown_signer_or_another_s_key_is_told_with_all_others(tmp_path: Path, signers: Path) -> None:
    once = sign(RECIPE, tmp_path / "mallory.key", "mallory", Meaning.REVIEW)
    twice = sign(once, tmp_path / "mallory.key", "erika", Meaning.APPROVAL)
    with pytest.raises(PackageError, match=r"nobody here knows the signer 'mallory'.*erika does not hold"):
        unpack(twice, signers)
    with pytest.raises(PackageError, match="never overwritten"):
        make_key(tmp_path / "mallory.key", tmp_path / "other.pem")
    with pytest.raises(PackageError, match="no private key"):
        sign(RECIPE, signers / "erika.pem", "erika", Meaning.REVIEW)


@pytest.mark.anyio
async def test_a_tool_that_takes_signed_recipes_takes_no_others(tmp_path: Path, signers: Path) -> None:
    policy = Policy(DEFAULT.roles, signed_recipes=True)
    package = await anyio.to_thread.run_sync(sign, RECIPE, tmp_path / "erika.key", "erika", Meaning.AUTHORSHIP)
    async with furnace_house(tmp_path, policy=policy) as h:
        assert h.data / SIGNERS == signers
        plain = await refusal(h, ERIKA, "Recipes", "AddRecipe", RECIPE)
        assert plain.status == "BadSecurityChecksFailed"
        changed = await refusal(h, ERIKA, "Recipes", "AddRecipe", package.replace("LPCVD Oxide", "LPCVD PolySi"))
        assert "does not hold" in changed.reason
        recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", package)
        (text,) = await h.call(AMIR, "Recipes", "GetRecipe", recipe_id, version)
        detail = json.loads(json.loads(text)["history"][0]["detail"])
        assert detail["signatures"][0]["signer"] == "erika"
