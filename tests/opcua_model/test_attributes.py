"""Read and Write: set points move by hand where tag and role permit it, everything else stays."""

from typing import Any

import pytest

from opcua_model.client import ClientError, ToolClient, connect
from opcua_model.interface import Refused
from opcua_model.server import UaServer
from opcua_model.stack import Attr, Ids, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon

pytestmark = pytest.mark.anyio

SETPOINT = "Equipment/heater/zone1.setpoint_c"
MODE = "Equipment/heater/zone1.mode"


def as_user(server: UaServer, user: str) -> Any:
    return connect(server.endpoint, user, PASSWORDS.get(user, ""))


async def raw_write(tool: ToolClient, path: str, variant: Any, **changes: Any) -> str:
    one = ua.WriteValue(NodeId=tool.node(path), AttributeId=Attr.Value, Value=ua.DataValue(variant))
    for name, value in changes.items():
        setattr(one, name, value)
    (status,) = await tool._client.uaclient.write(ua.WriteParameters(NodesToWrite=[one]))
    return str(status.name)


async def test_an_engineer_moves_a_set_point(server: UaServer, daemon: FakeDaemon) -> None:
    async with as_user(server, "erika") as tool:
        await tool.write(SETPOINT, 650.0)
        await tool.write(MODE, 2)
        assert await tool.read(SETPOINT) == 650.0
    assert [(caller.user, tag, value) for caller, tag, value in daemon.writes] == [
        ("erika", "heater.zone1.setpoint_c", 650.0),
        ("erika", "heater.zone1.mode", 2.0),
    ]


@pytest.mark.parametrize("user", ["otto", "olga", "max", ""])
async def test_who_has_not_the_tag_s_role_does_not(server: UaServer, daemon: FakeDaemon, user: str) -> None:
    async with as_user(server, user) as tool:
        with pytest.raises(ClientError) as refusal:
            await tool.write(SETPOINT, 650.0)
    assert refusal.value.status == "BadUserAccessDenied"
    assert daemon.writes == []


async def test_the_daemon_s_refusal_comes_back_with_its_reason(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.refusal = Refused("BadInvalidState", "a recipe runs; it moves the set points")
    async with as_user(server, "erika") as tool:
        with pytest.raises(ClientError, match="a recipe runs; it moves the set points"):
            await tool.write(SETPOINT, 650.0)


@pytest.mark.parametrize("value", [5000.0, -300.0])
async def test_a_value_outside_of_the_tag_s_range_says_the_range(
    server: UaServer, daemon: FakeDaemon, value: float
) -> None:
    async with as_user(server, "erika") as tool:
        with pytest.raises(ClientError, match=r"°C is outside .* … ") as refusal:
            await tool.write(SETPOINT, value)
    assert refusal.value.status == "BadOutOfRange"
    assert daemon.writes == []


@pytest.mark.parametrize(
    ("variant", "status"),
    [
        (ua.Variant(float("nan"), ua.VariantType.Double), "BadOutOfRange"),
        (ua.Variant(float("inf"), ua.VariantType.Double), "BadOutOfRange"),
        (ua.Variant(600, ua.VariantType.Int32), "BadTypeMismatch"),
        (ua.Variant("600", ua.VariantType.String), "BadTypeMismatch"),
        (ua.Variant([600.0], ua.VariantType.Double), "BadTypeMismatch"),
        (ua.Variant(None, ua.VariantType.Null), "BadTypeMismatch"),
    ],
)
async def test_what_is_no_number_of_the_node_s_type_is_refused(
    server: UaServer, daemon: FakeDaemon, variant: Any, status: str
) -> None:
    async with as_user(server, "erika") as tool:
        assert await raw_write(tool, SETPOINT, variant) == status
    assert daemon.writes == []


@pytest.mark.parametrize("value", [3, 2**32 - 1])
async def test_a_state_that_the_tag_does_not_have_is_refused(server: UaServer, daemon: FakeDaemon, value: int) -> None:
    """A heater zone is off, manual or auto; there is no fourth mode."""
    async with as_user(server, "erika") as tool:
        assert await raw_write(tool, MODE, ua.Variant(value, ua.VariantType.UInt32)) == "BadOutOfRange"
        assert await raw_write(tool, MODE, ua.Variant([1], ua.VariantType.UInt32, is_array=True)) == "BadTypeMismatch"
    assert daemon.writes == []


async def test_what_a_node_does_not_let_be_read_is_neither_read_nor_followed(server: UaServer) -> None:
    """AccessLevel counts for reading too, one by one, among others and in a subscription."""
    path = "State/ControlLocation"
    space = server._tree.space  # type: ignore[union-attr] - its nodes can all be read; so one is closed here
    attributes = space._aspace[space.tool_id(path)].attributes
    usual = attributes[Attr.AccessLevel]
    attributes[Attr.AccessLevel] = space._constant("Byte", 0, ua.VariantType.Byte)
    try:
        async with as_user(server, "erika") as tool:
            wanted = [ua.ReadValueId(tool.node(one), Attr.Value) for one in ("State/Mode", path, SETPOINT)]
            read = await tool._client.uaclient.read(ua.ReadParameters(NodesToRead=wanted))
            assert [one.StatusCode.name for one in read] == ["Good", "BadNotReadable", "Good"]
            assert read[1].Value is None or read[1].Value.Value is None
            subscription = await tool._client.create_subscription(100, None)
            items = [
                ua.MonitoredItemCreateRequest(one, ua.MonitoringMode.Reporting, ua.MonitoringParameters(number))
                for number, one in enumerate(wanted)
            ]
            made = await tool._client.uaclient.create_monitored_items(
                ua.CreateMonitoredItemsParameters(subscription.subscription_id, ua.TimestampsToReturn.Both, items)
            )
            assert [one.StatusCode.name for one in made] == ["Good", "BadNotReadable", "Good"]
    finally:
        attributes[Attr.AccessLevel] = usual


async def test_a_status_or_a_part_of_a_value_cannot_be_written(server: UaServer, daemon: FakeDaemon) -> None:
    number = ua.Variant(600.0, ua.VariantType.Double)
    bad = ua.DataValue(number, ua.StatusCode(0x80310000))
    async with as_user(server, "erika") as tool:
        assert await raw_write(tool, SETPOINT, number, Value=bad) == "BadWriteNotSupported"
        assert await raw_write(tool, SETPOINT, number, IndexRange="0") == "BadWriteNotSupported"
    assert daemon.writes == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Equipment/heater/zone1.temperature_c", "BadNotWritable"),
        ("Telemetry/chamber_pressure_torr", "BadNotWritable"),
        ("State/Mode", "BadNotWritable"),
        ("Recipes", "BadNotWritable"),
        ("Nowhere", "BadNodeIdUnknown"),
    ],
)
async def test_what_nobody_moves_cannot_be_written(
    server: UaServer, daemon: FakeDaemon, path: str, status: str
) -> None:
    async with as_user(server, "erika") as tool:
        assert await raw_write(tool, path, ua.Variant(1.0, ua.VariantType.Double)) == status
    assert daemon.writes == []


@pytest.mark.parametrize("attribute", ["DisplayName", "AccessLevel", "Historizing"])
async def test_only_values_are_written_never_the_node(server: UaServer, attribute: str) -> None:
    async with as_user(server, "erika") as tool:
        text = ua.Variant(ua.LocalizedText("mine"), ua.VariantType.LocalizedText)
        wanted = getattr(Attr, attribute)
        assert await raw_write(tool, SETPOINT, text, AttributeId=wanted) == "BadNotWritable"


async def test_standard_nodes_cannot_be_written_either(server: UaServer) -> None:
    async with as_user(server, "erika") as tool:
        node = ua.NodeId(Ids.Server_ServiceLevel)
        assert await raw_write(tool, "x", ua.Variant(0, ua.VariantType.Byte), NodeId=node) == "BadNotWritable"


async def test_each_user_reads_what_they_may_do(server: UaServer) -> None:
    for user, writable in (("erika", True), ("otto", False), ("", False)):
        async with as_user(server, user) as tool:
            node = tool._client.get_node(tool.node(SETPOINT))
            own = await node.read_attribute(Attr.UserAccessLevel)
            all_users = await node.read_attribute(Attr.AccessLevel)
            assert bool(own.Value.Value & 0x02) is writable
            assert all_users.Value.Value & 0x02


async def test_source_and_server_time_come_as_asked(server: UaServer, daemon: FakeDaemon) -> None:
    daemon.set("chamber.pressure_torr", 0.3)
    async with as_user(server, "otto") as tool:
        wanted = ua.ReadValueId(NodeId=tool.node("Telemetry/chamber_pressure_torr"), AttributeId=Attr.Value)
        for stamps, source, from_server in (
            (ua.TimestampsToReturn.Source, True, False),
            (ua.TimestampsToReturn.Server, False, True),
            (ua.TimestampsToReturn.Both, True, True),
            (ua.TimestampsToReturn.Neither, False, False),
        ):
            params = ua.ReadParameters(TimestampsToReturn=stamps, NodesToRead=[wanted])
            (data,) = await tool._client.uaclient.read(params)
            assert (data.SourceTimestamp is not None, data.ServerTimestamp is not None) == (source, from_server)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1.0]),
        ("0:1", [0.0, 1.0]),
        ("2:99", [2.0, 3.0]),
        ("9", "BadIndexRangeNoData"),
        ("3:1", "BadIndexRangeInvalid"),
        ("1,2", "BadIndexRangeNoData"),
        ("x", "BadIndexRangeInvalid"),
    ],
)
async def test_a_part_of_an_array_can_be_read(server: UaServer, daemon: FakeDaemon, text: str, expected: Any) -> None:
    for number, full in enumerate(daemon.layout.tool.telemetry.temperature_zones_c.values()):
        daemon.set(full, float(number))
    async with as_user(server, "otto") as tool:
        wanted = ua.ReadValueId(NodeId=tool.node("Telemetry/temperature_zones_c"), AttributeId=Attr.Value)
        wanted.IndexRange = text
        (data,) = await tool._client.uaclient.read(ua.ReadParameters(NodesToRead=[wanted]))
        assert expected == (data.Value.Value if data.StatusCode.is_good() else data.StatusCode.name)


async def test_too_many_or_no_nodes_at_once_are_refused(server: UaServer) -> None:
    async with as_user(server, "otto") as tool:
        one = ua.ReadValueId(NodeId=tool.node("State/Mode"), AttributeId=Attr.Value)
        with pytest.raises(errors.BadTooManyOperations):
            await tool._client.uaclient.read(ua.ReadParameters(NodesToRead=[one] * 1001))
        with pytest.raises(errors.BadNothingToDo):
            await tool._client.uaclient.read(ua.ReadParameters(NodesToRead=[]))
        with pytest.raises(errors.BadMaxAgeInvalid):
            await tool._client.uaclient.read(ua.ReadParameters(MaxAge=-1.0, NodesToRead=[one]))


async def test_unknown_nodes_and_attributes_say_so_one_by_one(server: UaServer) -> None:
    async with as_user(server, "otto") as tool:
        wanted = [
            ua.ReadValueId(NodeId=tool.node("Nowhere"), AttributeId=Attr.Value),
            ua.ReadValueId(NodeId=tool.node("Recipes"), AttributeId=Attr.Value),
            ua.ReadValueId(NodeId=tool.node("State/Mode"), AttributeId=Attr.Value),
        ]
        results = await tool._client.uaclient.read(ua.ReadParameters(NodesToRead=wanted))
    assert [data.StatusCode.name for data in results] == ["BadNodeIdUnknown", "BadAttributeIdInvalid", "Good"]
