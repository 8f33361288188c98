"""Audit events: told to administrators who listen, stored by the daemon, and no way to fill its disk."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from opcua_model.auditing import NOBODY, PER_PEER, Auditor
from opcua_model.client import ClientError, ToolClient, UnreachableError, connect
from opcua_model.interface import AuditEntry
from opcua_model.server import UaServer
from opcua_model.stack import Ids, ua
from tests.opcua_model import fake_daemon
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, until

pytestmark = pytest.mark.anyio
ADA = "ada"


@pytest.fixture(autouse=True)
def _administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fake_daemon.PASSWORDS, ADA, "keys-and-locks")
    monkeypatch.setitem(fake_daemon.ROLES, ADA, frozenset({"administrator"}))


@asynccontextmanager
async def listening(tool: ToolClient) -> AsyncGenerator[list[Any]]:
    """Collect the audit events that a session is told of."""
    heard: list[Any] = []

    class Ear:
        def event_notification(self, event: Any) -> None:
            heard.append(event)

    subscription = await tool._client.create_subscription(50, Ear())
    kinds = [
        tool._client.get_node(ua.NodeId(getattr(Ids, f"Audit{name}EventType")))
        for name in ("ActivateSession", "UpdateMethod", "WriteUpdate", "OpenSecureChannel", "CreateSession", "Cancel")
    ]
    await subscription.subscribe_events(evtypes=kinds)
    yield heard
    await subscription.delete()


def named(heard: list[Any]) -> list[str]:
    return [event.Message.Text for event in heard]


async def test_an_administrator_hears_who_logged_in_called_and_wrote(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, ADA, "keys-and-locks") as tool, listening(tool) as heard:
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as operator:
            await operator.call("State", "CheckInterlocks")
            with pytest.raises(ClientError):
                await operator.call("Recipes", "ApproveRecipe", "id", 1, "")
            with pytest.raises(ClientError):
                await operator.write("Equipment/heater/zone1.setpoint_c", 500.0)
            cancel = ua.CancelRequest(Parameters=ua.CancelParameters(RequestHandle=4711))
            await operator._client.uaclient.protocol.send_request(cancel)
        await until(lambda: any("Cancel" in text for text in named(heard)))
        texts = named(heard)
        call = next(event for event in heard if event.Message.Text.startswith("UpdateMethod: Good"))
        write = next(event for event in heard if event.Message.Text.startswith("WriteUpdate"))
        given_up = next(event for event in heard if event.Message.Text.startswith("Cancel"))
    for expected in (
        "OpenSecureChannel: Good",
        "CreateSession: Good",
        "ActivateSession: Good by olga",
        "UpdateMethod: Good by olga",
        "UpdateMethod: BadUserAccessDenied by olga",
        "WriteUpdate: BadUserAccessDenied by olga",
    ):
        assert expected in texts
    assert call.ClientUserId == "olga"
    assert call.MethodId == operator.node("State/CheckInterlocks")
    assert call.Status is True
    assert write.NewValue == 500.0
    assert write.Status is False
    assert given_up.EventType == ua.NodeId(Ids.AuditCancelEventType)
    assert (given_up.RequestHandle, given_up.ClientUserId, given_up.Status) == (4711, "olga", True)


async def test_nobody_else_hears_of_it(server: UaServer) -> None:
    async with (
        connect(server.endpoint, "erika", PASSWORDS["erika"]) as tool,
        listening(tool) as heard,
        connect(server.endpoint, "olga", PASSWORDS["olga"]) as operator,
    ):
        await operator.call("State", "CheckInterlocks")
        seen: list[Any] = []
        async with tool.subscribe(["State/Mode"], 50, lambda *news: seen.append(news)):
            await until(lambda: seen)
    assert heard == []


async def test_a_wrong_password_never_appears(server: UaServer, daemon: FakeDaemon) -> None:
    async with connect(server.endpoint, ADA, "keys-and-locks") as tool, listening(tool) as heard:
        with pytest.raises(UnreachableError):
            async with connect(server.endpoint, "olga", "a-password-mistyped"):
                pass
        await until(lambda: "ActivateSession: BadUserAccessDenied" in named(heard))
    assert "mistyped" not in repr([event.get_event_props_as_fields_dict() for event in heard])
    assert "mistyped" not in repr(daemon.audited)


async def test_a_flood_is_counted_instead_of_stored() -> None:
    stored: list[AuditEntry] = []

    class Daemon:
        async def audit(self, entry: AuditEntry) -> None:
            stored.append(entry)

    auditor = Auditor(Daemon(), list, "urn:server")  # type: ignore[arg-type]
    for _ in range(10_000):
        auditor.certificate("BadCertificateTimeInvalid", b"der", peer="203.0.113.9")
    auditor.tell("AuditOpenSecureChannelEventType", "Good", peer="192.0.2.1", caller=NOBODY)
    await auditor.flush()
    assert len(stored) == PER_PEER + 1
    assert stored[-1].peer == "192.0.2.1"  # somebody else's entry is not lost in the flood
    for minute in auditor._minutes.values():
        minute.began -= 61.0
    await auditor.flush()
    await auditor.flush()
    assert stored[-1].action == "AuditFlood"
    assert stored[-1].detail == {"entries_not_stored": str(10_000 - PER_PEER)}
