"""Whether the endpoint's address is free, asked before anything is started."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from supervisor.launcher.errors import EndpointError

LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (include/net/tcp_states.h)."""


def require_free(endpoint: str) -> None:
    """Bind the endpoint's address for a moment.

    Raises:
        EndpointError: the URL is none of OPC UA's, or the address cannot be bound.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme != "opc.tcp" or not host or port is None:
        raise EndpointError(f"{endpoint!r} is no endpoint; it looks like opc.tcp://127.0.0.1:4840/cvd")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise EndpointError(
            f"the endpoint {endpoint} cannot be opened: {error.strerror}{_held_by(port)}; "
            "stop what holds it, or give another with --endpoint"
        ) from error


def _held_by(port: int) -> str:
    """Name the process that listens on a port, where /proc lets us see it."""
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, _lines(Path("/proc/net") / table))
        if len(fields) > 9 and fields[3] == LISTEN and fields[1].endswith(f":{port:04X}")
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in wanted:
                return f" (process {descriptor.parent.parent.name})"
        except OSError:
            continue
    return ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
