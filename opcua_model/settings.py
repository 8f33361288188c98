"""What can be configured of the OPC UA endpoint, with the shipped defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

DEFAULT_ENDPOINT = "opc.tcp://127.0.0.1:4840/cvd"


class EndpointError(Exception):
    """The endpoint cannot be opened; the text says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """Bounds that hold for every client; those of services are advertised as OperationLimits and enforced."""

    connections: int = 200
    """Sockets. When all are taken, the peer with the most half-open ones gives one up."""
    connections_per_peer: int = 150
    """Of one address, or of one /64 network of IPv6."""
    half_open_per_peer: int = 40
    """Sockets of a peer on which nobody has logged in; one more takes the place of the one that came least far."""
    activation_s: float = 10.0
    """A socket without an activated session is closed after this time."""
    handshakes_per_s: float = 20.0
    """OpenSecureChannel requests of a peer, in the long run; more wait."""
    handshake_burst: int = 60
    """So many at once do not wait."""
    sessions: int = 60
    sessions_per_user: int = 20
    sessions_anonymous: int = 20
    subscriptions: int = 200
    subscriptions_per_session: int = 20
    subscriptions_per_user: int = 100
    """Of one person's sessions together, or of all without a user."""
    items_per_subscription: int = 20_000
    items: int = 200_000
    items_per_user: int = 150_000
    """As subscriptions_per_user."""
    queue_size: int = 1_000
    unacknowledged: int = 32
    """Messages kept for Republish, a subscription."""
    continuation_points: int = 32
    """Of a session, for Browse and HistoryRead each; the oldest goes first."""
    session_timeout_s: tuple[float, float] = (5.0, 600.0)
    channel_lifetime_s: float = 3600.0
    publishing_interval_ms: tuple[float, float] = (50.0, 3_600_000.0)
    keep_alive_count: int = 5_000
    lifetime_count: int = 15_000
    message_bytes: int = 4 * 1024 * 1024
    message_bytes_before_login: int = 64 * 1024
    message_bytes_anonymous: int = 1024 * 1024
    chunk_bytes: int = 65_535
    pending_messages: int = 50
    """Requests of a connection that wait behind the one in work; its socket is not read while they are so many."""
    parallel_calls: int = 8
    """Calls and history reads of a connection at the same time; what else it asks does not wait for them."""
    unsent_bytes: int = 1024 * 1024
    """Answers that a client has not fetched; while they are more, nothing else of it is answered or published."""
    stalled_s: float = 30.0
    """A client that fetches nothing for so long, while answers wait, loses its connection."""
    nodes_per_read: int = 10_000
    """Values of tags are read in one piece, everything else in portions that let others in between."""
    nodes_per_write: int = 100
    nodes_per_browse: int = 200
    references_per_node: int = 1_000
    references_per_browse: int = 10_000
    """Of all nodes of a request together; the rest follows with BrowseNext."""
    nodes_per_translate: int = 500
    nodes_per_call: int = 20
    nodes_per_history_read: int = 100
    values_per_history_read: int = 50_000
    """A megabyte: what a client takes in one message by default."""
    monitored_items_per_call: int = 2_000


@dataclass(frozen=True)
class Settings:
    """The endpoint and who may use it."""

    folder: Path
    """Where the certificate and the private key are, and where they are made at the first start."""
    endpoint: str = DEFAULT_ENDPOINT
    """`opc.tcp://host:port/path`; port 0 takes a free one (tests)."""
    anonymous: Literal["loopback", "never"] = "loopback"
    """Sessions without a user read, browse and subscribe, never more; and only from this computer, or not at all."""
    plain_loopback: bool = False
    """Offer an endpoint without encryption too: anonymous, from this computer only."""
    clients: Literal["any", "trusted"] = "any"
    """Which client applications may connect: any that owns its certificate and was not rejected (users are then what
    protects the tool), or those of the trust list in `folder` only."""
    restricted: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Parts of the tree by path, and the roles that see them; others find nothing there."""
    moving: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Parts of the tree by path, and the only roles that may call or write there, of those that the contract names."""
    renew_days: int = 30
    """A certificate of our own making is renewed so many days before its end; 0: never."""
    names: tuple[str, ...] = ()
    """Further DNS names or addresses under which clients reach this server (subject alternative names)."""
    software_revision: str = "0"
    spare_memory: bool = False
    """Spend half a second of the start on 25 MB (opcua_model.spare); a daemon does, a test of a minute does not."""
    refresh_s: float = 0.1
    """How often values that are not tags are looked at."""
    limits: Limits = field(default_factory=Limits)

    @property
    def host(self) -> str:
        """Address or name to listen on."""
        host = urlsplit(self.endpoint).hostname
        if host is None:
            raise ValueError(f"endpoint {self.endpoint!r} names no host; write opc.tcp://host:port/path")
        return host

    @property
    def port(self) -> int:
        """TCP port to listen on."""
        port = urlsplit(self.endpoint).port
        return 4840 if port is None else port


def is_loopback(address: str) -> bool:
    """Tell whether a peer's address, or a host by name, is this computer's own."""
    if address == "localhost":
        return True
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback
