"""The connection of a panel: it follows the tool, comes back by itself, and carries requests out."""

from collections.abc import Callable
from typing import Any

import anyio

from opcua_model.client import ClientError, ToolClient, connect
from supervisor.cli.panel.catalogue import read_catalogue
from supervisor.cli.panel.picture import Picture

PUBLISH_MS = 500.0
PROBE_S = 2.0
AGAIN_S = 2.0
REFUSALS = frozenset({"BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid"})
"""Answers to a login that another try does not change."""


class LoginRefusedError(Exception):
    """This person is not let in."""


class Session:
    """Follows one endpoint into a picture.

    Args:
        endpoint: address of the daemon.
        user: name of the person.
        password: of that person.
        picture: what to keep up to date.
        tell: gets a line whenever the connection comes or goes.
    """

    def __init__(self, endpoint: str, user: str, password: str, picture: Picture, tell: Callable[[str], None]) -> None:
        self._endpoint, self.user, self._password = endpoint, user, password
        self._picture, self._tell = picture, tell
        self._client: ToolClient | None = None

    async def follow(self) -> None:
        """Keep the picture up to date for ever.

        Raises:
            LoginRefusedError: the person is not let in.
        """
        while True:
            try:
                await self._once()
            except (ClientError, OSError, TimeoutError) as error:
                if isinstance(error, ClientError) and error.status in REFUSALS and not self._picture.catalogue.tool:
                    raise LoginRefusedError(str(error)) from error
                self._tell(f"no connection: {error}; trying again")
            finally:
                self._client = None
                self._picture.lose()
            await anyio.sleep(AGAIN_S)

    async def _once(self) -> None:
        async with connect(self._endpoint, self.user, self._password) as client:
            self._picture.begin(await read_catalogue(client))
            async with client.subscribe(self._picture.paths(), PUBLISH_MS, self._picture.take):
                self._client = client
                self._tell(f"connected to {self._endpoint}")
                while True:
                    await anyio.sleep(PROBE_S)
                    await client.read_all(["State/Mode"])

    async def call(self, path: str, method: str, *arguments: Any) -> Any:
        """Call a method.

        Raises:
            ClientError: it was refused, or there is no connection.
        """
        return await self._connected().call(path, method, *arguments)

    async def write(self, path: str, value: float) -> None:
        """Move a tag.

        Raises:
            ClientError: it was refused, or there is no connection.
        """
        await self._connected().write(path, value)

    async def read(self, path: str) -> Any:
        """Read a value.

        Raises:
            ClientError: it is Bad, or there is no connection.
        """
        return await self._connected().read(path)

    def _connected(self) -> ToolClient:
        if self._client is None:
            raise ClientError("BadNotConnected", "there is no connection to the daemon", self._endpoint)
        return self._client
