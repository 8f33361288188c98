"""Real receivers on the loopback: a web server and a mail server that can be told to fail."""

import contextlib
import email
import json
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Receiver:
    """What has come, and how the next ones are answered."""

    port: int = 0
    came: list[Any] = field(default_factory=list[Any])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    bodies: list[bytes] = field(default_factory=list[bytes])
    answers: list[int] = field(default_factory=list[int])
    """Statuses of the next answers; then all is well."""


@contextmanager
def web() -> Generator[Receiver]:
    """Serve HTTP."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = told.answers.pop(0) if told.answers else 204
            told.headers.append(dict(self.headers.items()))
            told.bodies.append(body)
            if status < 300:
                told.came.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

    yield from _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), told)


@contextmanager
def mail() -> Generator[Receiver]:
    """Serve SMTP as far as a sender needs it (RFC 5321)."""
    told = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 loopback ESMTP")
            while line := self.rfile.readline():
                word = line.strip().split(b" ")[0].upper()
                if word == b"DATA":
                    self._data()
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                elif word == b"MAIL" and told.answers:
                    self._say(f"{told.answers.pop(0)} not now")
                else:
                    self._say("250 well")

        def _data(self) -> None:
            self._say("354 go on")
            body = b""
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                body += line
            told.came.append(cast("EmailMessage", email.message_from_bytes(body, policy=policy.default)))
            self._say("250 taken")

        def _say(self, text: str) -> None:
            with contextlib.suppress(OSError):
                self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    yield from _serving(Server(("127.0.0.1", 0), Handler), told)


def _serving(server: Any, told: Receiver) -> Generator[Receiver]:
    told.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
