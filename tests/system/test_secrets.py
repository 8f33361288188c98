"""No secret is written anywhere: passwords that people give, right or wrong, by every way that takes one."""

from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from opcua_model.client import ClientError, connect
from tests.system.daemon import PASSWORD, running

WRONG = "a wrong-but-precious password"
SIGNED_WRONG = "another wrong-but-precious password"

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120)]


def holding(folder: Path, secret: str) -> list[Path]:
    """Find the files that hold a secret, in clear or as UTF-16."""
    forms = secret.encode(), secret.encode("utf-16-le")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    return [path for path in files if any(form in path.read_bytes() for form in forms)]


async def test_no_password_is_in_any_file_of_the_daemon(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(data) as daemon:
        with pytest.raises(ClientError):
            async with connect(daemon.endpoint, "erika", WRONG):
                pass
        async with daemon.client("ada"), daemon.client("erika") as writer:
            with pytest.raises(ClientError, match="not your password"):
                await writer.call("State", "Sign", SIGNED_WRONG, "approval")
            await writer.call("State", "Sign", PASSWORD, "approval")
            with pytest.raises(ClientError, match="a signature means one of"):
                await writer.call("State", "Sign", PASSWORD, "no meaning")
        await anyio.to_thread.run_sync(daemon.terminate)
    for secret in (PASSWORD, WRONG, SIGNED_WRONG):
        assert await anyio.to_thread.run_sync(holding, data, secret) == []
    assert "wrong password" in daemon.tail()
