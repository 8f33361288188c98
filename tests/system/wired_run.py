"""A whole recipe over wires: a rig, a daemon that drives it, and a run from its approval to the measured film.

`python -m tests.system.wired_run --out FILE` runs a recipe of each shipped tool with instruments, the guide's on the
furnace among them, and writes what came of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio

import config
from hil.pytest_plugin import RunningRig, start_rig, stop_rig
from opcua_model.client import ToolClient
from tests.architecture.layout import ROOT
from tests.system.daemon import Daemon, approved, ended, until

RECIPES = (
    ("lpcvd_furnace", "lpcvd_sio2_100nm", 10),
    ("pecvd_showerhead", "pecvd_si3n4_50nm", 5),
    ("mocvd_rdr", "mocvd_ingan_50nm", 1),
    ("hwcvd_silicon", "hwcvd_asi_100nm", 5),
    ("lcvd_tungsten", "lcvd_w_line", 5),
    ("hdp_oxide", "hdp_sio2_300nm", 5),
)
"""Tool, recipe, and how much faster than the clock. The safe sequence with which a start begins takes up to 210 s."""
PATIENCE = 5


@dataclass
class Outcome:
    """What came of a run over wires."""

    tool: str
    recipe: str
    speed: float
    status: str
    cause: str
    target_nm: float
    thickness_nm: float | None
    lost_s: float
    """Time of the plant that the rig could not keep up with."""
    exchanges: int
    faults: int
    """Exchanges without a good answer."""
    missed_slots: int
    wall_s: float
    load: float


@contextmanager
def wired_daemon(tool: Path, folder: Path, speed: float, patience: int) -> Iterator[tuple[RunningRig, Daemon]]:
    """A rig and the daemon on its tool file."""
    rig = start_rig(tool, folder / "rig", speed=speed, patience=patience)
    try:
        daemon = Daemon(folder / "data", tool=rig.tool, sim=False)
        try:
            daemon.ready()
            yield rig, daemon
        finally:
            daemon.close()
    finally:
        stop_rig(rig)


async def at_rest(operator: ToolClient, names: list[str]) -> None:
    """Every instrument is met, and what tripped before they were is reset once its cause is gone."""
    for name in names:
        await until(operator, f"Diagnostics/Links/{name}/Armed", lambda armed: armed is True)
    await until(operator, "Services/State", lambda state: state not in {"ABORTING", "RUNNING"}, within_s=400)
    with anyio.fail_after(60):
        while True:
            rows = json.loads((await operator.call("State", "CheckInterlocks"))[1])["conditions"]
            waiting = [row["name"] for row in rows if row["state"]["latched"] and row["name"] in interlocks(rows)]
            if not waiting:
                return
            for name in waiting:
                path = f"Interlocks/{name}"
                if await operator.read(f"{path}/State") == "Latched":
                    await operator.call(path, "Reset")
            await anyio.sleep(0.05)


def interlocks(rows: list[dict[str, Any]]) -> set[str]:
    """Those conditions that are no alarms."""
    return {row["name"] for row in rows if row["class"] != "warning"}


async def run_recipe(rig: RunningRig, daemon: Daemon, document: str, *, standby: bool) -> dict[str, Any]:
    """Run a recipe to its end; its record. The film is measured at the rig: behind wires the daemon sees no wafer."""
    async with daemon.client("olga") as operator:
        await at_rest(operator, list(rig.wires))
        if standby:
            await operator.call("Services", "Start", "standby")
            operation = json.loads(await operator.call("Runs", "ListRuns", "", 0, 1))[0]
            done = await ended(operator, operation["run_id"], within_s=900)
            assert done["status"] == "COMPLETE", done
        recipe_id, version = await approved(daemon, document)
        run_id, _ = await operator.call("Runs", "CreateRun", recipe_id, version, "S1", "W1", "{}")
        await operator.call("Runs", "StartRun", run_id)
        return await ended(operator, run_id, within_s=1800)


async def links(daemon: Daemon, names: list[str]) -> tuple[int, int, int]:
    """Exchanges, those without a good answer, and slots missed, over all links."""
    async with daemon.client("otto") as observer:
        rows = [
            [await observer.read(f"Diagnostics/Links/{name}/{word}") for word in ("Requests", "Faults", "MissedSlots")]
            for name in names
        ]
    exchanges, faults, missed = (int(sum(column)) for column in zip(*rows, strict=True))
    return exchanges, faults, missed


def carried_out(stem: str, recipe: str, speed: float, folder: Path) -> Outcome:
    """Run one recipe and say what came of it."""
    document = config.shipped_recipe(recipe).read_text(encoding="utf-8")
    target = json.loads(document)["thickness_target_nm"]
    began = time.monotonic()
    with wired_daemon(config.shipped_tool(f"{stem}_wired"), folder, speed, PATIENCE) as (rig, daemon):
        run = anyio.run(lambda: run_recipe(rig, daemon, document, standby=stem == "lpcvd_furnace"))
        counted = anyio.run(links, daemon, list(rig.wires))
        lost_s, measured = rig.client.status()["lost_s"], rig.client.measure()
    return Outcome(
        stem, recipe, speed, run["status"], run.get("error_message") or "", target,
        measured.get("thickness_mean_nm"), lost_s, *counted, time.monotonic() - began, os.getloadavg()[0],
    )  # fmt: skip


def main() -> int:
    """Run all of them, write the outcome; 1 when one did not come to its end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=None, help="tools by name")
    arguments = parser.parse_args()
    found: list[Outcome] = []
    for stem, recipe, speed in RECIPES:
        if arguments.only and stem not in arguments.only:
            continue
        with tempfile.TemporaryDirectory(prefix="cvd-wired-") as folder:
            found.append(carried_out(stem, recipe, speed, Path(folder)))
        print(found[-1], flush=True)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - whichever git the shell finds
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    arguments.out.write_text(
        json.dumps({"commit": commit.stdout.strip(), "patience": PATIENCE, "runs": [asdict(one) for one in found]},
                   indent=2) + "\n"
    )  # fmt: skip
    return 0 if all(one.status == "COMPLETE" for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
