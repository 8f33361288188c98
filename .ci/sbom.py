"""The software bill of materials as CycloneDX 1.5 JSON, made of the lock file: ``sbom.py [--output build/sbom.json]``.

Every package has its version, its package URL and the SHA-256 of each file that pip accepts for it; licences come from
what is installed. The same lock file gives the same document to the byte, whatever the day.
"""

import argparse
import json
import sys
import tomllib
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from locked import LOCK, ROOT, Pin, read_lock


def licence_of(name: str) -> str:
    """Return the licence expression or text of an installed package; empty: it is not installed, or says nothing."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ""
    expression = said.get("License-Expression") or ""
    classifiers = [c.split(" :: ")[-1] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    text = (said.get("License") or "").strip()
    return expression or ", ".join(classifiers) or (text if "\n" not in text else "")


def component(pin: Pin) -> dict[str, Any]:
    """One package as a component."""
    purl = f"pkg:pypi/{pin.name.lower()}@{pin.version}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": pin.name,
        "version": pin.version,
        "purl": purl,
        "hashes": [],
        "properties": [{"name": "pip:sha256", "value": digest} for digest in pin.hashes],
    }
    if pin.marker:
        found["properties"].append({"name": "pip:marker", "value": pin.marker})
    if licence := licence_of(pin.name):
        found["licenses"] = [{"license": {"name": licence}}]
    return found


def document(pins: list[Pin], project: dict[str, Any]) -> dict[str, Any]:
    """The whole bill."""
    reference = f"pkg:pypi/{project['name']}@{project['version']}"
    components = [component(pin) for pin in sorted(pins, key=lambda one: (one.name.lower(), one.version))]
    identity = json.dumps([reference, [one["bom-ref"] for one in components]])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"name": project["license"]}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": reference, "dependsOn": [one["bom-ref"] for one in components]}],
    }


def main() -> int:
    """Write the bill."""
    parser = argparse.ArgumentParser(prog="sbom.py", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "sbom.json")
    output: Path = parser.parse_args().output
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made = document(read_lock(LOCK.read_text(encoding="utf-8")), project)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{output}: {len(made['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
