"""The record of a campaign: of which commit, what came out, in docs/evidence."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def commit() -> str:
    """Name the commit; a changed work tree is said."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 (the git of this checkout)
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() or "no git checkout"


def keep(record: dict[str, Any], out: Path | None) -> None:
    """Print a record, and write it to a file if there is to be one."""
    text = json.dumps(record, indent=2, ensure_ascii=False)
    print(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
