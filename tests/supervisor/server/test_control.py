"""Who operates the tool, as the server judges it before the controller does."""

from dataclasses import replace
from pathlib import Path

import pytest

from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import DEFAULT
from supervisor.server.calls.control import Control, place
from tests.supervisor.server.stand import ERIKA, OLGA
from tests.supervisor.server.test_life import house, refusal

NEAR = Caller("olga", frozenset({"operator"}), "s1", "10.0.0.7")


def test_an_installation_may_ask_for_an_owner_first() -> None:
    made = Control(DEFAULT, required=True)
    with pytest.raises(Refused, match="take the control first"):
        made.require(NEAR)
    made.may_take(NEAR)
    made.give(NEAR)
    made.require(NEAR)


def test_what_the_token_refuses_comes_with_its_status() -> None:
    made = Control(DEFAULT, timeout_s=100.0)
    made.give(NEAR)
    other = replace(NEAR, user="erik", session="s2")
    with pytest.raises(Refused, match="for 100 s more") as refused:
        made.may_take(other)
    assert refused.value.status == "BadUserAccessDenied"
    with pytest.raises(Refused, match="give a reason") as refused:
        made.may_take(other, " ")
    assert refused.value.status == "BadInvalidArgument"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("127.0.0.1", "local"), ("127.0.0.1:51000", "local"), ("::1", "local"), ("10.0.0.7", "remote"), ("", "remote"),
     ("fe80::1%eth0", "remote"), ("local:panel", "remote")],
)  # fmt: skip
def test_local_is_what_the_address_says_and_not_what_a_client_calls_itself(peer: str, expected: str) -> None:
    assert place(replace(NEAR, peer=peer)) == expected


@pytest.mark.anyio
async def test_the_controller_has_the_last_word_and_a_new_server_learns_it(tmp_path: Path) -> None:
    """What it refuses is not held here either; who holds it there is the owner here after an attachment."""
    async with house(tmp_path) as h:
        h.controller.refuse[CommandKind.TAKE_CONTROL] = ("BadUserAccessDenied", "amir controls the tool at the tool")
        assert "amir controls" in (await refusal(h, OLGA, "State", "TakeControl")).reason
        assert h.server.desk.control.owner is None
        del h.controller.refuse[CommandKind.TAKE_CONTROL]
        await h.call(OLGA, "State", "TakeControl")
        taken = h.controller.commands[-1]
        assert (taken.kind, taken.principal.session, taken.args["timeout_s"]) == ("take_control", OLGA.session, 900.0)
        # A session that ends gives it back there too.
        h.server.backend.closed(OLGA.session)
        await h.until(lambda: h.controller.commands[-1].kind is CommandKind.RELEASE_CONTROL)
        assert h.controller.commands[-1].principal.session == OLGA.session
        h.server.desk.control.adopt({"user": "amir", "session": "s7", "place": "local", "since_ns": 1, "left_s": 30.0})
        assert "amir controls the tool" in (await refusal(h, ERIKA, "Services", "Start", "leak_check")).reason
