"""Telling systemd how it goes (sd_notify(3)); nothing where no systemd asked."""

import os
import socket


def notify(*lines: str) -> None:
    """Send lines such as `READY=1` to the service manager."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(address)
        sock.send("\n".join(lines).encode())
