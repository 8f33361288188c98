"""The settings file of an installation: everything may be left out, and every fault is told at once."""

from pathlib import Path

import pytest

from config.faults import ConfigError
from opcua_model.settings import Limits
from supervisor.server.configuration import ServerTable, read_settings, ua_settings


def settings(tmp_path: Path, text: str) -> ServerTable:
    path = tmp_path / "daemon.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    made = ua_settings(settings(tmp_path, ""), folder=tmp_path, endpoint="opc.tcp://127.0.0.1:1/x", revision="1")
    assert made.limits == Limits()
    assert (made.clients, made.anonymous, made.plain_loopback) == ("any", "loopback", False)


def test_what_is_written_is_what_the_endpoint_gets_across_a_restart(tmp_path: Path) -> None:
    table = settings(
        tmp_path,
        """
        [server]
        clients = "trusted"
        anonymous = "never"
        names = ["furnace-7.fab.example"]
        renew_days = 0

        [server.restricted]
        Recipes = ["engineer", "operator"]

        [server.limits]
        sessions = 12
        session_timeout_s = [1.0, 30]
        """,
    )
    again = ServerTable.model_validate_json(table.model_dump_json(exclude_defaults=True))
    made = ua_settings(again, folder=tmp_path, endpoint="opc.tcp://127.0.0.1:1/x", revision="1")
    assert (made.clients, made.anonymous, made.names, made.renew_days) == (
        "trusted", "never", ("furnace-7.fab.example",), 0,
    )  # fmt: skip
    assert made.restricted == {"Recipes": frozenset({"engineer", "operator"})}
    assert (made.limits.sessions, made.limits.session_timeout_s) == (12, (1.0, 30))
    assert made.limits.connections == Limits().connections


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(
            tmp_path,
            """
            [server]
            clients = "friends"
            anonymus = "never"

            [server.restricted]
            Recipes = ["king"]

            [server.limits]
            session = 3
            queue_size = -1
            connections = 2.5
            publishing_interval_ms = 100
            unsent_bytes = [1, 2]
            """,
        )
    told = str(refused.value)
    for words in (
        "server.clients", "anonymus", "restricted", "did you mean 'sessions'", "queue_size is greater than 0",
        "connections is a whole number", "publishing_interval_ms is two numbers", "unsent_bytes is one number",
    ):  # fmt: skip
        assert words in told
