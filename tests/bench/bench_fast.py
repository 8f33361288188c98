"""Pulses of a program at a 1 kHz scan, as a device receives them: their widths by the kernel's own receive time stamps.

The device is a process of its own (`python -m tests.bench.bench_fast`): it repeats every write of a coil and keeps the
time at which the kernel received it. A program opens and shuts sixteen valves together for 10 ms, with 10 ms between.
Meanwhile the machine is under the load of the latency benchmark: a server that feeds ten clients with a thousand tags
at 10 Hz, and a Python thread that never lets the GIL go. `CVD_PULSES` changes the number of pulses (100 000).
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from config.plan import plan_operation
from config.tool import Operation, Tool
from kernels.fast import FastOutputs
from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from kernels.tables import Command, RunState, SystemTag
from supervisor.controller.compile import compile_plan, compile_tool
from tests.bench.bench_latency import PRIORITY, load
from tests.bench.bench_scan import running
from tests.bench.figure import Figure
from tests.config.minimal_tool import minimal_data, tool_of

PULSES = int(os.environ.get("CVD_PULSES", "100000"))
VALVES = 16
WIDTH_S, PAUSE_S = 0.01, 0.01
PERIOD_NS = 1_000_000
NS = 1_000_000_000
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python does not name it
FRAME = 12
ROW = struct.Struct("<qii")


def _serve() -> None:
    """Repeat every write; when the other side ends, say when each came.

    A device is no program on the controller's machine: it is not under the load here. (Segments that wait to be read
    are made one by the kernel, and then have the stamp of the last.)
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY - 10))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rows, rest = bytearray(), b""
    while True:
        data, ancillary, _, _ = connection.recvmsg(FRAME * VALVES, 128)
        if not data:
            break
        connection.sendall(data)
        seconds, nanoseconds = struct.unpack("@qq", ancillary[0][2][:16])
        rest += data
        while len(rest) >= FRAME:
            rows += ROW.pack(seconds * NS + nanoseconds, rest[9], rest[10])
            rest = rest[FRAME:]
    sys.stdout.buffer.write(rows)


def _tool() -> Tool:
    """The smallest tool at 1 kHz with sixteen valves and an operation that pulses them."""
    data = minimal_data()
    data["scan"] = {"period_ms": 1, "log_every": 100}
    valves = [f"panel.v{n}" for n in range(VALVES)]
    for module in data["modules"]:
        for tag in module["tags"]:
            if tag["kind"] == "input":
                tag["period_s"] = 3600
        if module["name"] == "panel":
            module["tags"] += [
                {"name": f"v{n}", "kind": "output", "states": ["shut", "open"], "low": 0, "high": 1, "role": "engineer",
                 "description": f"Pulse valve {n}"} for n in range(VALVES)
            ]  # fmt: skip
    cycle = [
        {"name": "open", "set": dict.fromkeys(valves, 1), "min_s": WIDTH_S},
        {"name": "shut", "set": dict.fromkeys(valves, 0), "min_s": PAUSE_S},
    ]
    cycles = PULSES // VALVES
    data.setdefault("operations", []).append(
        {"name": "pulses", "title": "Pulses", "description": "Pulses", "bound_s": 2 * cycles * (WIDTH_S + PAUSE_S) + 10,
         "hold": dict.fromkeys(valves, 0), "steps": [{"name": "cycle", "repeat": cycles, "steps": cycle}]}
    )  # fmt: skip
    return tool_of(data)


@contextmanager
def _device() -> Iterator[tuple[socket.socket, "subprocess.Popen[bytes]"]]:
    command = [sys.executable, "-m", "tests.bench.bench_fast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        connection = socket.create_connection(("127.0.0.1", int(child.stdout.readline())))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        try:
            yield connection, child
        finally:
            connection.close()
            child.kill()


def _scan(tool: Tool, image: Image) -> tuple[Scan, Any]:
    """A scan with the program of the pulses loaded; its inputs stay as they are."""
    compiled = compile_tool(tool)
    _ = image
    scan = Scan(compiled.tables)
    readings = {"chamber.pressure_torr": 0.1, "chamber.temperature_c": 25.0, "chamber.wall_c": 25.0,
                "vacuum.pump.running": 1.0, "panel.sih4.flow_sccm": 0.0}  # fmt: skip
    tags = np.array([compiled.layout.index[tag] for tag in readings], np.int32)
    zeros = np.zeros(len(tags))
    scan.post_many(tags, np.array(list(readings.values())), zeros.astype(np.uint32), zeros.astype(np.int64) + 1)
    scan.advance(2)
    scan.command(Command.ARM, 0, 0.0)
    operation: Operation = next(one for one in tool.operations if one.name == "pulses")
    scan.load(0, compile_plan(compiled, plan_operation(operation, tool)).program)
    scan.command(Command.LOAD, 0, 0.0)
    scan.advance(2)
    return scan, compiled


def measure() -> tuple[np.ndarray, dict[str, int], np.ndarray, list[str]]:
    """What the device received, the thread's counters, its log of late edges, and what was not permitted."""
    with _device() as (connection, child), running(1000, 200, 20) as (_, image, *_rest):
        tool = _tool()
        scan, compiled = _scan(tool, image)
        frames = [(0, bytes.fromhex(f"0000000000060105{n:04x}0000"), 0) for n in range(VALVES)]
        slots = [(compiled.layout.index[f"panel.v{n}"], n, 10, 0xFF, 0xFF, 0) for n in range(VALVES)]
        fast = FastOutputs([(True, NS, 3600 * NS)], frames, slots, limit_ns=PERIOD_NS, stall_ns=NS)
        thread = ScanThread(scan, period_ns=PERIOD_NS, priority=PRIORITY)
        thread.attach(fast)
        refused = [*fast.start(priority=PRIORITY - 1), *thread.start()]
        fast.offer(0, connection.fileno())
        with load(image):
            time.sleep(1.0)
            scan.command(Command.START, 0, 0.0)
            patience_s = time.monotonic() + 3 * PULSES / VALVES * (WIDTH_S + PAUSE_S) + 60
            state = RunState.IDLE
            while state not in {RunState.COMPLETE, RunState.ABORTED, RunState.STOPPED}:
                assert time.monotonic() < patience_s, f"the program is {state.name}; {fast.fault(0)}"
                time.sleep(0.2)
                state = RunState(int(scan.values()[0][SystemTag.RUN_STATE]))
        thread.stop()
        time.sleep(0.2)
        counts, fault = fast.counts(0), fast.fault(0)
        log, _ = fast.log()
        while not fast.withdraw(0):
            time.sleep(0.001)
        fast.stop()
        assert not fault, fault
        assert state is RunState.COMPLETE, state
        connection.shutdown(socket.SHUT_WR)
        assert child.stdout is not None
        rows = np.frombuffer(child.stdout.read(), np.dtype([("ns", "<i8"), ("valve", "<i4"), ("on", "<i4")]))
    return rows, counts, log, refused


def figures() -> list[Figure]:
    """Measure."""
    rows, counts, log, refused = measure()
    errors, wrong = list[np.ndarray](), 0
    for valve in range(VALVES):
        mine = rows[rows["valve"] == valve][1:]  # the first is how it stood when the link was lent
        on, off = mine[::2], mine[1::2]
        wrong += abs(len(mine) - 2 * (PULSES // VALVES)) + int((on["on"] == 0).sum() + (off["on"] != 0).sum())
        pairs = min(len(on), len(off))
        errors.append(np.abs(off["ns"][:pairs] - on["ns"][:pairs] - round(WIDTH_S * NS)) / 1e6)
    error = np.concatenate(errors)
    told = " (SCHED_FIFO refused)" if any("SCHED_FIFO" in one for one in refused) else ""
    late = log[log["outcome"] == 1]
    numbers = len(np.unique(late["number"])) == len(late)
    return [
        Figure(f"{len(error)} pulses of 10 ms, width error p99.9{told}", float(np.percentile(error, 99.9)), "ms",
               target="≤ 1 scan"),
        Figure("the same, median", float(np.median(error)), "ms"),
        Figure("the same, greatest", float(error.max()), "ms"),
        Figure("edges lost or doubled", float(wrong), "", target="0"),
        Figure("edges told as late, each with its number" if numbers else "LATE EDGES WITHOUT A NUMBER",
               float(counts["late"]), ""),
    ]  # fmt: skip


if __name__ == "__main__":
    _serve()
