"""Thousands of recipes and runs: short folders, pages that fill when browsed, and clients that are told of changes."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from opcua_model.interface import Entry
from opcua_model.stack import Client, ua
from tests.opcua_model.fake_daemon import FakeDaemon, furnace, serving

pytestmark = pytest.mark.anyio
MANY = 10_000
CHILDREN = 100


def run(number: int, status: str = "COMPLETE") -> Entry:
    """A run as the daemon shows it."""
    return Entry("Runs", f"CVD-{number:05d}", {"RunId": f"id {number}", "Status": status})


async def children(client: Any, node: Any) -> dict[str, Any]:
    """Children by name; a folder is read in one answer."""
    found = await client.get_node(node).get_children_descriptions()
    assert len(found) <= CHILDREN
    return {one.BrowseName.Name: one.NodeId for one in found}


async def plain(server: Any) -> Any:
    """A client of the open endpoint, as far as reading goes."""
    return Client(server.endpoint.replace("0.0.0.0", "127.0.0.1"))


async def test_ten_thousand_runs_are_browsed_page_by_page(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    async with serving(daemon, tmp_path, plain_loopback=True) as server:
        daemon.kept["Runs"] = [run(number) for number in range(MANY)]
        for entry in daemon.kept["Runs"][-CHILDREN:]:
            await server.show(entry)
        async with await plain(server) as client:
            tool = await client.get_namespace_index("urn:cvd-supervisor:tool:LPCVD-1")
            runs = await children(client, ua.NodeId("Runs", tool))
            assert "CVD-09999" in runs
            assert "CVD-09900" not in runs, "the folder itself shows the newest"
            pages = await children(client, runs["Pages"])
            assert len(pages) == MANY // CHILDREN
            nodes = len(server._internal.aspace._nodes)
            for name in ("000001", "000101", "005001", "009901", "000001"):
                page = await children(client, pages[name])
                first = int(name) - 1
                assert list(page) == [f"CVD-{number:05d}" for number in range(first, first + CHILDREN)]
                some = await children(client, page[f"CVD-{first + 7:05d}"])
                assert await client.get_node(some["RunId"]).read_value() == f"id {first + 7}"
            # Of the pages that were browsed three stay filled: the space does not grow with the history.
            assert len(server._internal.aspace._nodes) - nodes <= 3 * CHILDREN * 5
            # A run that is shown in its page and in the folder is one node.
            assert (await children(client, pages["009901"]))["CVD-09999"] == runs["CVD-09999"]
            # A new run makes the last page as it must be now.
            daemon.kept["Runs"].append(run(MANY))
            await server.show(daemon.kept["Runs"][-1])
            pages = await children(client, runs["Pages"])
            assert len(pages) == CHILDREN
            assert "000001" not in pages, "of more than a hundred pages the newest are shown"
            assert list(await children(client, pages["010001"])) == [f"CVD-{MANY:05d}"]


class Changes:
    """Keeps what a client is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def event_notification(self, event: Any) -> None:
        self.events.append(event)


async def test_clients_are_told_when_runs_come_and_go(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    async with serving(daemon, tmp_path, plain_loopback=True) as server, await plain(server) as client:
        tool = await client.get_namespace_index("urn:cvd-supervisor:tool:LPCVD-1")
        version = client.get_node(ua.NodeId("Runs/NodeVersion", tool))
        before = await version.read_value()
        seen = Changes()
        subscription = await client.create_subscription(50, seen)
        await subscription.subscribe_events(
            client.nodes.server, evtypes=ua.NodeId(ua.ObjectIds.GeneralModelChangeEventType)
        )
        await server.show(run(1, "QUEUED"))
        await server.show(run(1, "RUNNING"))  # a change of values is none of the model
        await server.hide("Runs", "CVD-00001")
        with anyio.fail_after(10):
            while len(seen.events) < 2:  # noqa: ASYNC110 - it comes over a socket
                await anyio.sleep(0.01)
        verbs = [[(one.Affected.Identifier, one.Verb) for one in event.Changes] for event in seen.events]
        assert verbs == [[("Runs/CVD-00001", 1), ("Runs", 4)], [("Runs/CVD-00001", 2), ("Runs", 8)]]
        assert await version.read_value() != before


async def test_nothing_of_ours_may_be_called_pages(tmp_path: Path) -> None:
    async with serving(FakeDaemon(furnace()), tmp_path) as server:
        with pytest.raises(ValueError, match="cannot be the name"):
            await server.show(Entry("Runs", "Pages"))
