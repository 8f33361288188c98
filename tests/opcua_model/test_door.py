"""Places at the socket are shared by peer: nobody takes them all, and who is logged in keeps his."""

from dataclasses import dataclass, replace

from opcua_model.door import LOGGED_IN, Door, peer_of
from opcua_model.settings import Limits

LIMITS = replace(
    Limits(), connections=6, connections_per_peer=4, half_open_per_peer=3, handshakes_per_s=10.0, handshake_burst=5
)


@dataclass
class Guest:
    peer: str
    stage: int = 0


def test_a_peer_s_fourth_half_open_connection_takes_the_place_of_its_own() -> None:
    inside = [Guest("mallory", 2), Guest("olga", LOGGED_IN), Guest("mallory", 1), Guest("mallory", 1)]
    admitted, leaves = Door(LIMITS).makes_room("mallory", inside)
    assert (admitted, leaves) == (True, inside[2])  # the one that came least far, and of those the oldest


def test_when_all_places_are_taken_the_greediest_gives_one_up() -> None:
    inside = [Guest("scada"), *(Guest("mallory") for _ in range(2)), *(Guest("olga", LOGGED_IN) for _ in range(3))]
    assert Door(LIMITS).makes_room("erika", inside) == (True, inside[1])


def test_who_is_logged_in_is_never_put_out() -> None:
    inside = [Guest(f"user{number}", LOGGED_IN) for number in range(6)]
    assert Door(LIMITS).makes_room("mallory", inside) == (False, None)
    own = [Guest("gateway", LOGGED_IN) for _ in range(4)]
    assert Door(LIMITS).makes_room("gateway", own) == (False, None)


def test_handshakes_of_a_peer_wait_and_those_of_others_do_not() -> None:
    now = [0.0]
    door = Door(LIMITS, lambda: now[0])
    waits = [door.handshake_wait_s("mallory") for _ in range(8)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:] == [0.1, 0.2, 0.3]
    assert door.handshake_wait_s("olga") == 0.0
    for _ in range(1_000):
        door.handshake_wait_s("mallory")
    assert door.handshake_wait_s("mallory") <= 0.5  # nobody is locked out for good
    now[0] += 10.0
    assert door.handshake_wait_s("mallory") == 0.0


def test_invented_peers_do_not_fill_the_memory() -> None:
    door = Door(LIMITS)
    for number in range(3_000):
        door.handshake_wait_s(f"peer{number}")
    assert len(door._buckets) == 1_000


def test_a_network_of_ipv6_is_one_peer() -> None:
    assert peer_of(("2001:db8:1:2:aaaa::1", 4840)) == peer_of(("2001:db8:1:2:bbbb::7", 1)) == "2001:db8:1:2::/64"
    assert peer_of(("::ffff:192.0.2.1", 1)) == peer_of(("192.0.2.1", 2)) == "192.0.2.1"
    assert peer_of(("fe80::1%eth0", 1)).startswith("fe80::/64")
    assert peer_of(None) == ""
