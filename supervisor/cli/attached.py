"""A client of the daemon that runs on a data folder, for commands that ask it something."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from opcua_model.client import ClientError, ToolClient, connect
from supervisor.cli.errors import UsageError
from supervisor.launcher.daemon import READY_FILE


@asynccontextmanager
async def attached(data: Path, user: str, password: str) -> AsyncGenerator[ToolClient]:
    """Log in to the daemon whose data folder this is.

    Raises:
        UsageError: no daemon is ready there, or it refuses.
    """
    # Refusals are told in our words, once.
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    try:
        ready = json.loads(await anyio.Path(data / READY_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"no daemon is ready in {data} ({error.strerror})") from error
    try:
        async with connect(ready["endpoint"], user, password) as tool:
            yield tool
    except ClientError as error:
        raise UsageError(str(error)) from error
