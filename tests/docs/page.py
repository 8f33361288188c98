"""One page of the documentation as a program: its fences in order, in one folder, as its reader would go through it.

`python` fences share one namespace. A `console` fence that is marked `test` runs its `$ …` lines in a shell: each must
succeed and print the lines below it (`…` stands for anything). A line that ends in `&` is a daemon: it is started, the
next line waits until it is ready, and it is ended with the page. Port 4840 becomes one that is free.
"""

import fnmatch
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PORT = 4840
READY_S = 60.0
STOP_S = 30.0
COMMAND_S = 100.0
CVD = f'cvd() {{ {shlex.quote(sys.executable)} -W error -m supervisor.cli "$@"; }}\n'


class Page:
    """Runs fences in a folder; ends its daemons when it is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._space: dict[str, Any] = {"__name__": "__main__"}
        self._daemons: list[subprocess.Popen[bytes]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        (self.folder / "config").symlink_to(ROOT / "config")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for daemon in self._daemons:
            daemon.send_signal(signal.SIGTERM)
        for daemon in self._daemons:
            code = daemon.wait(STOP_S)
            assert code == 0 or error is not None, f"a daemon of the page ended with code {code}"

    def python(self, text: str, where: str) -> None:
        """Execute a python fence."""
        exec(compile(self._on_port(text), where, "exec"), self._space)  # noqa: S102 - our own documentation

    def console(self, text: str) -> None:
        """Execute a console fence."""
        commands: list[tuple[str, list[str]]] = []
        for line in text.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line.rstrip())
        for command, wanted in commands:
            if command.endswith("&"):
                self._daemon(command.removesuffix("&"))
            else:
                self._command(self._on_port(command), wanted)

    def _command(self, command: str, wanted: list[str]) -> None:
        done = subprocess.run(
            ["/bin/bash", "-c", CVD + command],
            cwd=self.folder, capture_output=True, text=True, timeout=COMMAND_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        got = "\n".join(line.rstrip() for line in done.stdout.splitlines())
        pattern = "\n".join(wanted).replace("[", "[[]").replace("…", "*")
        assert fnmatch.fnmatchcase(got, pattern), f"{command}\n{got}"

    def _daemon(self, command: str) -> None:
        """Start `cvd run …` in the background and wait until it is ready."""
        name, *arguments = shlex.split(command)
        assert name == "cvd", command
        if "--endpoint" not in arguments:
            arguments += ["--endpoint", f"opc.tcp://127.0.0.1:{PORT}/cvd"]
        data = self.folder / (arguments[arguments.index("--data") + 1] if "--data" in arguments else "cvd-data")
        log = self.folder / f"daemon-{len(self._daemons)}.log"
        with log.open("wb") as output:
            words = [self._on_port(word) for word in arguments]
            started = subprocess.Popen(
                [sys.executable, "-m", "supervisor.cli", *words],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self._daemons.append(started)
        end = time.monotonic() + READY_S
        while not (data / "ready.json").exists():
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def _on_port(self, text: str) -> str:
        return text.replace(f":{PORT}", f":{self._port}")


def main() -> None:
    """Execute a page's fences, given as JSON on standard input, in the present folder."""
    import json

    # Whoever loses patience with this page still gets its daemons ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    fences: list[dict[str, str]] = json.load(sys.stdin)
    with Page(Path.cwd()) as page:
        for fence in fences:
            if fence["language"] == "python":
                page.python(fence["text"], fence["where"])
            else:
                page.console(fence["text"])


if __name__ == "__main__":
    sys.path.insert(0, os.fspath(ROOT))
    main()
