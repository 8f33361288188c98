"""Who is let in at the socket: places are shared by peer, so that nobody can take them all.

A peer is an address, or the /64 network of an IPv6 one. A connection that nobody has logged in on is *half open*; when
room is needed, the half-open one that has come least far goes, and of those the oldest. Handshakes cost a private-key
operation each: a peer that asks for too many in a row waits.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, Protocol

from opcua_model.settings import Limits

PEERS: Final = 1_000
"""Peers whose handshakes are remembered; the one not seen for longest goes first."""


class Visitor(Protocol):
    """A connection as the door sees it; the stage is how far it has come."""

    peer: str
    stage: int


LOGGED_IN: Final = 4
"""The stage of a connection that somebody has logged in on."""


@dataclass
class _Bucket:
    tokens: float
    at: float


def peer_of(address: Any) -> str:
    """Return under which name a socket's address is counted."""
    host = str(address[0]) if address else ""
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)


class Door:
    """Decides who makes room, and how long a handshake waits."""

    def __init__(self, bounds: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def makes_room(self, peer: str, inside: Sequence[Visitor]) -> tuple[bool, Any]:
        """Tell whether a new connection of a peer may come in, and which one must leave for it.

        Args:
            peer: of the new connection.
            inside: connections that are there, oldest first.
        """
        bounds = self._bounds
        own = [one for one in inside if one.peer == peer]
        waiting = [one for one in own if one.stage < LOGGED_IN]
        if len(waiting) >= bounds.half_open_per_peer:
            return True, _least(waiting)
        if len(own) >= bounds.connections_per_peer:
            return bool(waiting), _least(waiting)
        if len(inside) < bounds.connections:
            return True, None
        by_peer: dict[str, list[Visitor]] = {}
        for one in inside:
            if one.stage < LOGGED_IN:
                by_peer.setdefault(one.peer, []).append(one)
        if not by_peer:
            return False, None
        return True, _least(max(by_peer.values(), key=len))

    def handshake_wait_s(self, peer: str) -> float:
        """Count a handshake of a peer; return how long it has to wait."""
        now, rate, burst = self._clock(), self._bounds.handshakes_per_s, float(self._bounds.handshake_burst)
        bucket = self._buckets.pop(peer, None) or _Bucket(burst, now)
        bucket.tokens = max(min(bucket.tokens + (now - bucket.at) * rate, burst) - 1.0, -burst)
        bucket.at = now
        self._buckets[peer] = bucket
        if len(self._buckets) > PEERS:
            self._buckets.popitem(last=False)
        return max(0.0, -bucket.tokens / rate)


def _least(waiting: Sequence[Visitor]) -> Any:
    return min(waiting, key=lambda one: one.stage, default=None)
