"""Who operates the tool: taking, losing, taking over, here and from afar."""

from dataclasses import replace

import pytest

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import DEFAULT
from supervisor.server.calls.control import Control

OLGA = Caller("olga", frozenset({"operator"}), "s1", "10.0.0.7")
ERIK = Caller("erik", frozenset({"engineer"}), "s2", "10.0.0.8")
LOCAL = Caller("mara", frozenset({"maintenance"}), "s3", "127.0.0.1")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def control(**options: bool) -> tuple[Control, Clock]:
    clock = Clock()
    return Control(DEFAULT, timeout_s=100.0, clock=clock, **options), clock


def test_while_nobody_holds_the_control_everybody_may_act() -> None:
    made, _ = control()
    made.require(OLGA)
    made.require(ERIK)


def test_an_installation_may_ask_for_an_owner_first() -> None:
    made, _ = control(required=True)
    with pytest.raises(Refused, match="take the control first"):
        made.require(OLGA)
    made.take(OLGA)
    made.require(OLGA)


def test_once_somebody_holds_it_nobody_else_moves_the_tool() -> None:
    made, _ = control()
    assert made.take(OLGA).place == "remote"
    with pytest.raises(Refused, match="olga controls the tool"):
        made.require(ERIK)
    with pytest.raises(Refused, match="olga controls the tool from afar, for 100 s more"):
        made.take(ERIK)
    # Not another session of the same person either, until they take it along.
    other = replace(OLGA, session="s9")
    with pytest.raises(Refused):
        made.require(other)
    made.take(other)
    made.require(other)


def test_an_owner_who_asks_for_nothing_loses_it_and_one_who_acts_does_not() -> None:
    made, clock = control()
    made.take(OLGA)
    clock.now = 90.0
    made.require(OLGA)
    clock.now = 180.0
    assert made.owner is not None
    assert made.left_s() == 10.0
    # What others try does not keep it alive.
    with pytest.raises(Refused):
        made.require(ERIK)
    clock.now = 190.0
    assert made.owner is None
    made.take(ERIK)


def test_who_is_at_the_tool_comes_before_who_is_afar() -> None:
    made, _ = control()
    made.take(OLGA)
    assert made.take(LOCAL).place == "local"
    with pytest.raises(Refused, match="mara controls the tool at the tool"):
        made.take(ERIK)
    with pytest.raises(Refused, match="mara is at the tool"):
        made.take_over(ERIK, "she has gone for lunch")


def test_taking_over_needs_a_reason() -> None:
    made, _ = control()
    made.take(OLGA)
    with pytest.raises(Refused, match="give a reason"):
        made.take_over(ERIK, " ")
    assert made.take_over(ERIK, "olga is not reached").user == "erik"
    with pytest.raises(Refused):
        made.release(OLGA)
    assert made.closed("s2")
    assert made.owner is None


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("127.0.0.1", "local"), ("127.0.0.1:51000", "local"), ("::1", "local"), ("10.0.0.7", "remote"), ("", "remote"),
     ("fe80::1%eth0", "remote"), ("local:panel", "remote")],
)  # fmt: skip
def test_local_is_what_the_address_says_and_not_what_a_client_calls_itself(peer: str, expected: str) -> None:
    made, _ = control()
    assert made.take(replace(OLGA, peer=peer)).place == expected
