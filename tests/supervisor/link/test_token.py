"""The token of the control: taking, losing, taking over, here and from afar."""

import pytest

from supervisor.link.token import Asker, Token, TokenError

OLGA = Asker("olga", "s1", "remote")
ERIK = Asker("erik", "s2", "remote")
MARA = Asker("mara", "s3", "local")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def token() -> tuple[Token, Clock]:
    clock = Clock()
    return Token(timeout_s=100.0, clock=clock), clock


def take(made: Token, asker: Asker) -> None:
    made.may_take(asker)
    made.give(asker)


def test_while_nobody_holds_the_control_everybody_may_act() -> None:
    made, _ = token()
    made.require("s1")
    made.require("s2")


def test_once_somebody_holds_it_nobody_else_moves_the_tool() -> None:
    made, _ = token()
    take(made, OLGA)
    with pytest.raises(TokenError, match="olga controls the tool"):
        made.require("s2")
    with pytest.raises(TokenError, match="olga controls the tool from afar, for 100 s more"):
        made.may_take(ERIK)
    # Not another session of the same person either, until they take it along.
    other = Asker("olga", "s9", "remote")
    with pytest.raises(TokenError):
        made.require("s9")
    take(made, other)
    made.require("s9")
    with pytest.raises(TokenError):
        made.require("s1")


def test_an_owner_who_asks_for_nothing_loses_it_and_one_who_acts_does_not() -> None:
    made, clock = token()
    take(made, OLGA)
    clock.now = 90.0
    made.require("s1")
    clock.now = 180.0
    assert made.owner is not None
    assert made.left_s() == 10.0
    # What others try does not keep it alive.
    with pytest.raises(TokenError):
        made.require("s2")
    clock.now = 190.0
    assert made.owner is None
    take(made, ERIK)


def test_who_is_at_the_tool_comes_before_who_is_afar() -> None:
    made, _ = token()
    take(made, OLGA)
    take(made, MARA)
    with pytest.raises(TokenError, match="mara controls the tool at the tool"):
        made.may_take(ERIK)
    with pytest.raises(TokenError, match="mara is at the tool"):
        made.may_take_over(ERIK, "she has gone for lunch")


def test_taking_over_needs_a_reason() -> None:
    made, _ = token()
    take(made, OLGA)
    with pytest.raises(TokenError, match="give a reason"):
        made.may_take_over(ERIK, " ")
    made.may_take_over(ERIK, "olga is not reached")
    assert made.give(ERIK).user == "erik"
    with pytest.raises(TokenError):
        made.may_release("s1")
    assert made.closed("s2")
    assert made.owner is None


def test_what_is_known_elsewhere_is_taken_over_with_the_time_that_is_left() -> None:
    made, clock = token()
    take(made, OLGA)
    other = Token(timeout_s=100.0, clock=clock)
    clock.now = 40.0
    other.adopt(made.owner, made.left_s())
    assert other.owner == made.owner
    assert other.left_s() == 60.0
    clock.now = 100.0
    assert other.owner is None
