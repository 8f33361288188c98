"""`cvd recipe`: a signer's keys, a signature, and what a stranger's package is told."""

from pathlib import Path

import pytest

import config
from supervisor.cli.main import main

RECIPE = config.shipped_recipe("lpcvd_sio2_100nm")


def test_a_recipe_is_signed_by_two_and_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signers = tmp_path / "signers"
    signers.mkdir()
    for name in ("erika", "amir"):
        assert main(["recipe", "key", name, "--folder", str(tmp_path)]) == 0
        (tmp_path / f"{name}.pem").rename(signers / f"{name}.pem")
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    for source, target, name, meaning in ((RECIPE, once, "erika", "authorship"), (once, twice, "amir", "approval")):
        words = ["--key", str(tmp_path / f"{name}.key"), "--user", name, "--meaning", meaning, "--output", str(target)]
        assert main(["recipe", "sign", str(source), *words]) == 0
    capsys.readouterr()
    assert main(["recipe", "verify", str(twice), "--signers", str(signers)]) == 0
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "erika: authorship",
        "amir: approval",
    ]
    (signers / "amir.pem").unlink()
    assert main(["recipe", "verify", str(twice), "--signers", str(signers)]) == 1
    assert "nobody here knows the signer 'amir'" in capsys.readouterr().err


def test_what_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "verify", str(RECIPE), "--signers", str(tmp_path)]) == 1
    assert "nobody has signed" in capsys.readouterr().err
    picture = tmp_path / "picture.json"
    picture.write_bytes(b"\xff\xfe\x00")
    assert main(["recipe", "verify", str(picture), "--signers", str(tmp_path)]) == 1
    assert "no text in UTF-8" in capsys.readouterr().err
    assert main(["recipe", "key", "erika", "--folder", str(tmp_path)]) == 0
    assert main(["recipe", "key", "erika", "--folder", str(tmp_path)]) == 1
    assert "never overwritten" in capsys.readouterr().err
