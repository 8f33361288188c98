"""`cvd user` changes who may log in, and never shows or keeps a password."""

import io
from pathlib import Path

import pytest

from opcua_model.certificates import make_identity
from opcua_model.trust import thumbprint
from supervisor.cli.main import main
from supervisor.server.access.users import UserStore


def given_password(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))


def test_a_person_can_be_added_listed_and_removed(tmp_path: Path, monkeypatch, capsys) -> None:
    given_password(monkeypatch, "a long pass phrase")
    where = ["--data", str(tmp_path)]
    assert main(["user", "add", "olga", "--role", "operator", "--password-stdin", *where]) == 0
    assert UserStore(tmp_path / "users.toml").verify("olga", "a long pass phrase") == frozenset({"operator"})
    assert (tmp_path / "users.toml").stat().st_mode & 0o077 == 0
    assert "pass phrase" not in (tmp_path / "users.toml").read_text()
    assert main(["user", "list", *where]) == 0
    assert main(["user", "remove", "olga", *where]) == 0
    assert "operator" in capsys.readouterr().out
    assert UserStore(tmp_path / "users.toml").verify("olga", "a long pass phrase") is None


def test_an_unknown_role_is_refused(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["user", "add", "olga", "--role", "boss", "--data", str(tmp_path)])
    assert "'maintenance'" in capsys.readouterr().err


def test_without_a_terminal_the_password_must_come_from_somewhere(tmp_path: Path, monkeypatch, capsys) -> None:
    given_password(monkeypatch, "a long pass phrase")
    assert main(["user", "add", "olga", "--role", "operator", "--data", str(tmp_path)]) == 1
    assert "--password-stdin" in capsys.readouterr().err


def test_an_empty_password_and_an_unknown_person_are_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    given_password(monkeypatch, "")
    assert main(["user", "add", "olga", "--role", "operator", "--password-stdin", "--data", str(tmp_path)]) == 1
    assert main(["user", "remove", "nobody", "--data", str(tmp_path)]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_person_can_log_in_with_a_certificate(tmp_path: Path, capsys) -> None:
    identity = make_identity("urn:erika", "erika", (), days=5, server=False)
    file = tmp_path / "erika.der"
    file.write_bytes(identity.der)
    where = ["--data", str(tmp_path)]
    assert main(["user", "certificate", "erika", str(file), "--role", "engineer", *where]) == 0
    owner = UserStore(tmp_path / "users.toml").owner(thumbprint(identity.certificate))
    assert owner is not None
    assert (owner.name, owner.roles) == ("erika", frozenset({"engineer"}))
    assert main(["user", "certificate", "erika", str(tmp_path / "none.der"), *where]) == 1
    assert "no certificate that can be read" in capsys.readouterr().err
