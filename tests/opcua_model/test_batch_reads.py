"""Reads of many values at once: what is in the snapshot in one piece, everything else beside it, in the order asked."""

from typing import Any

import anyio
import numpy as np
import pytest

from opcua_model.client import connect
from opcua_model.server import UaServer
from opcua_model.stack import Attr, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon

pytestmark = pytest.mark.anyio

BAD = 0x80310000


def as_user(server: UaServer) -> Any:
    return connect(server.endpoint, "otto", PASSWORDS["otto"])


def wanted(tool: Any, *paths: Any, stamps: int = 2, age: float = 0.0) -> Any:
    """A read request: paths, or path with attribute, range and encoding."""
    params = ua.ReadParameters(MaxAge=age, TimestampsToReturn=ua.TimestampsToReturn(stamps))
    for path in paths:
        name, attribute, part = path if isinstance(path, tuple) else (path, Attr.Value, None)
        node = name if isinstance(name, ua.NodeId) else tool.node(name)
        params.NodesToRead.append(ua.ReadValueId(NodeId=node, AttributeId=attribute, IndexRange=part))
    return params


def all_tags(daemon: FakeDaemon) -> list[str]:
    return [f"Equipment/{name.replace('.', '/', 1)}" for name in daemon.layout.tags]


async def test_every_tag_at_once_with_its_type_status_and_times(server: UaServer, daemon: FakeDaemon) -> None:
    random = np.random.default_rng(3)
    size = len(daemon.layout.tags)
    daemon.set_all(np.where(random.random(size) < 0.5, 1.0, 0.0))
    daemon._values.status[::7] = BAD
    daemon._values.status[3::7] = 0x40900000
    async with as_user(server) as tool:
        together = await tool._client.uaclient.read(wanted(tool, *all_tags(daemon)))
        singly = [(await tool._client.uaclient.read(wanted(tool, path)))[0] for path in all_tags(daemon)[:30]]
    kinds = server._tree.snapshot.kinds if server._tree else ()
    assert len(together) == size
    for index, data in enumerate(together):
        assert data.StatusCode.value == daemon._values.status[index]
        assert (data.SourceTimestamp is not None, data.ServerTimestamp is not None) == (True, True)
        if not data.StatusCode.value & 0x80000000:
            assert int(data.Value.VariantType) == kinds[index]
            assert float(data.Value.Value) == daemon._values.values[index]
    assert singly == together[:30]


async def test_tags_and_other_attributes_come_in_the_order_that_they_were_asked_for(server: UaServer) -> None:
    zones = "Telemetry/temperature_zones_c"
    async with as_user(server) as tool:
        asked = [
            "Equipment/heater/zone1.temperature_c", ("State/Mode", Attr.DisplayName, None), "State/Mode", zones,
            (zones, Attr.Value, "0"), "Equipment/heater/zone1.mode", "Nowhere", ("State/Mode", 99, None),
            (ua.NodeId(2256), Attr.Value, None), "Telemetry/chamber_pressure_torr",
        ]  # fmt: skip
        for _ in range(2):  # the second time from memory
            found = await tool._client.uaclient.read(wanted(tool, *asked))
            names = [data.StatusCode.name for data in found]
            assert names == ["Good"] * 6 + ["BadNodeIdUnknown", "BadAttributeIdInvalid", "Good", "Good"]
            assert found[1].Value.Value.Text == "Mode"
            assert found[2].Value.Value == "Ready"
            assert found[4].Value.Value == [0.0]
            assert found[9].Value.Value == 0.0


async def test_what_is_remembered_of_a_request_is_not_its_answer(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server) as tool:
        for value in (1.0, 2.0, 3.0):
            daemon.set("chamber.pressure_torr", value)
            (data,) = await tool._client.uaclient.read(wanted(tool, "Telemetry/chamber_pressure_torr"))
            assert data.Value.Value == value
        for stamps, expected in ((0, (True, False)), (1, (False, True)), (2, (True, True)), (3, (False, False))):
            (data,) = await tool._client.uaclient.read(wanted(tool, "Telemetry/chamber_pressure_torr", stamps=stamps))
            assert (data.SourceTimestamp is not None, data.ServerTimestamp is not None) == expected
    assert server._internal.reads is not None
    assert len(server._internal.reads._plans) <= 64


async def test_requests_that_make_no_sense_are_refused_as_a_whole(server: UaServer) -> None:
    limit = server._settings.limits.nodes_per_read
    async with as_user(server) as tool:
        read = tool._client.uaclient.read
        with pytest.raises(errors.BadNothingToDo):
            await read(wanted(tool))
        with pytest.raises(errors.BadMaxAgeInvalid):
            await read(wanted(tool, "State/Mode", age=-1.0))
        with pytest.raises(errors.BadTooManyOperations):
            await read(wanted(tool, *["State/Mode"] * (limit + 1)))


async def test_a_client_that_reads_thousands_of_attributes_does_not_hold_up_another_one(server: UaServer) -> None:
    """Portions: between two of them the other client gets its answers."""
    limit = server._settings.limits.nodes_per_read
    async with as_user(server) as greedy, as_user(server) as modest:
        params = wanted(greedy, *[("State/Mode", Attr.Description, None)] * limit)
        answered, finished = 0, False

        async def ask() -> None:
            nonlocal answered
            while not finished:
                await modest.read("State/Mode")
                answered += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await greedy._client.uaclient.read(params)
            finished = True
        assert answered > 2
