"""One served furnace for the tests of a module: loading the standard's own nodes takes most of a start."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from opcua_model.server import UaServer
from opcua_model.settings import Limits
from tests.opcua_model.fake_daemon import FakeDaemon, furnace, serving


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Asyncio, with one loop for a module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def _served(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[FakeDaemon, UaServer]]:
    daemon = FakeDaemon(furnace())
    # Small, so that answers have several pages and refusals come quickly.
    limits = replace(Limits(), values_per_history_read=2_000, nodes_per_read=1_000)
    async with serving(daemon, tmp_path_factory.mktemp("served"), limits=limits) as server:
        yield daemon, server


@pytest.fixture
def server(_served: tuple[FakeDaemon, UaServer], daemon: FakeDaemon) -> UaServer:
    """The server, its daemon as on the first day."""
    return _served[1]


@pytest.fixture
def daemon(_served: tuple[FakeDaemon, UaServer]) -> FakeDaemon:
    """The daemon behind the server."""
    _served[0].reset()
    return _served[0]
