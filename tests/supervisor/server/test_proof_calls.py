"""Proof tests as people meet them: who may record one, what is kept of it, and the alarm of what is due."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from config.proof import ProofTest
from config.tool import Tool
from opcua_model.interface import Refused
from supervisor.link.messages import CommandKind, Event, EventKind
from supervisor.server.access.policy import DEFAULT, Weighty
from supervisor.server.access.table import PolicyTable
from tests.supervisor.server.stand import AMIR, ERIKA, OLGA, Furnace, House, house, person, small_tool

pytestmark = pytest.mark.anyio
PATH = "Interlocks/over_pressure"
MAX = person("max", "maintenance")
SAID = ("gauge as calibrated", "gauge back in place")


def tool() -> Tool:
    tested = ProofTest.model_validate({"every_days": 365, "procedure": "Raise the pressure at the gauge"})
    first, *others = small_tool().interlocks
    return small_tool().model_copy(update={"interlocks": (first.model_copy(update={"proof_test": tested}), *others)})


def under_way(h: House, monkeypatch: pytest.MonkeyPatch, user: str = "max") -> str:
    """What the controller says of a test that has begun."""
    test_id = str(uuid4())
    ask = h.server.desk.controller.query

    async def query(kind: str, args: dict[str, Any] | None = None) -> dict[str, Any]:
        if kind != "care":
            return dict(await ask(kind, args or {}))
        return {"proof_test_under_way": {"interlock": "over_pressure", "test_id": test_id, "user": user}}

    monkeypatch.setattr(h.server.desk.controller, "query", query)
    return test_id


async def refusal(h: House, caller: Any, method: str, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await h.call(caller, PATH, method, *arguments)
    return caught.value


async def test_whoever_carried_a_test_out_does_not_witness_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, Furnace(tool())) as h:
        assert (await refusal(h, OLGA, "StartProofTest", "inject")).status == "BadUserAccessDenied"
        test_id = under_way(h, monkeypatch)
        record = ("RecordProofTest", test_id, True, *SAID, '{"trip_value": 501.0}', "no drift")
        alone = await refusal(h, MAX, *record)
        assert (alone.status, "four eyes" in alone.reason) == ("BadUserAccessDenied", True)
        assert (await refusal(h, OLGA, *record)).status == "BadUserAccessDenied"
        for nonsense in ("{", '{"trip_value": "high"}', '{"trip": 5}', '{"trip_value": NaN}'):
            refused = await refusal(h, ERIKA, *record[:5], nonsense, "")
            assert (refused.status, "MeasuredJson" in refused.reason) == ("BadInvalidArgument", True)
        other = ("RecordProofTest", str(uuid4()), *record[2:])
        assert (await refusal(h, ERIKA, *other)).status == "BadNotFound"
        await h.call(ERIKA, PATH, *record)
        (command,) = [one for one in h.controller.commands if one.kind is CommandKind.RECORD_PROOF_TEST]
        assert command.principal.user == "erika"
        assert (command.args["trip_value"], command.args["response_s"]) == (501.0, None)
        await h.call(OLGA, PATH, "AbortProofTest", "the pump is needed")
        assert (await refusal(h, OLGA, "ReleaseProofTest", "in a hurry")).status == "BadUserAccessDenied"
        await h.call(AMIR, PATH, "ReleaseProofTest", "a second gauge watches")
        assert [one.kind for one in h.controller.commands[-2:]] == [
            CommandKind.ABORT_PROOF_TEST, CommandKind.RELEASE_PROOF_TEST,
        ]  # fmt: skip


async def test_a_record_is_signed_where_the_policy_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = PolicyTable(signatures=(Weighty.PROOF_TEST,)).policy()
    assert Weighty.PROOF_TEST in DEFAULT.four_eyes, "four eyes are the default"
    async with house(tmp_path, Furnace(tool()), policy=policy) as h:
        test_id = under_way(h, monkeypatch)
        record = ("RecordProofTest", test_id, True, *SAID, '{"trip_value": 501.0, "response_s": 0.2}', "")
        assert (await refusal(h, ERIKA, *record)).status == "BadUserSignatureInvalid"
        h.server.desk.signatures.sign(ERIKA, "responsibility")
        await h.call(ERIKA, PATH, *record)
        (command,) = [one for one in h.controller.commands if one.kind is CommandKind.RECORD_PROOF_TEST]
        assert command.args["signature"]["user"] == "erika"
        assert command.args["signature"]["meaning"] == "responsibility"


async def test_every_end_of_a_test_is_a_row_and_stands_in_the_audit_trail(tmp_path: Path) -> None:
    journal = list[Event]()
    about: dict[str, Any] = {"name": "over_pressure", "test_id": "t-1", "method": "inject", "user": "max"}
    measured = {"trip_value": 501.5, "unit": "Torr", "scans": 0, "allowed_scans": 1}
    async with house(tmp_path, Furnace(tool()), journal=journal) as h:
        await h.controller.happen(EventKind.PROOF_TEST, stage="started", begun_ns=10**9, **about)
        await h.controller.happen(
            EventKind.PROOF_TEST, stage="recorded", begun_ns=10**9, passed=True, witness="erika", as_found="as it was",
            as_left="as it is", measured=measured, failure="", due_ns=10**18, signature={"user": "erika"}, **about,
        )  # fmt: skip
        again = about | {"test_id": "t-2"}
        await h.controller.happen(
            EventKind.PROOF_TEST, stage="aborted", begun_ns=1, reason="controller restarted", **again
        )
        await h.controller.happen(EventKind.PROOF_TEST, stage="released", reason="another gauge", **again)
        await h.server.desk.projector.caught_up()
        rows = await h.server.desk.store.read(
            lambda c: c.execute(
                "SELECT test_id, stage, passed, tester, witness, measured_value, measured_scans, reason, signature "
                "FROM proof_tests ORDER BY rowid"
            ).fetchall()
        )
        assert rows[0] == ("t-1", "recorded", True, "max", "erika", 501.5, 0, None, '{"user": "erika"}')
        assert [row[:2] for row in rows[1:]] == [("t-2", "aborted"), ("t-2", "released")]
        assert [row[7] for row in rows[1:]] == ["controller restarted", "another gauge"]
        said = await h.server.desk.store.read(
            lambda c: c.execute(
                "SELECT user_name, action, target FROM audit WHERE action LIKE 'proof test%' ORDER BY seq"
            ).fetchall()
        )
        assert said[0] == ("erika", "proof test recorded", "over_pressure")
        assert [action for _, action, _ in said[1:]] == ["proof test aborted", "proof test released"]


async def test_what_is_due_is_one_alarm_that_asks_again_when_the_list_grows(tmp_path: Path) -> None:
    name, nothing = "proof_tests", {"overdue": [], "soon": [], "failed": []}
    async with house(tmp_path, Furnace(tool())) as h:
        states = h.server.desk.alarms.states

        async def due(**lists: list[str]) -> None:
            await h.controller.happen(EventKind.PROOF_DUE, **(nothing | lists))
            await h.server.desk.projector.caught_up()

        await due()
        assert not states[name].active
        await due(soon=["over_pressure"])
        await h.until(lambda: states[name].active)
        low = states[name].severity
        assert states[name].message == "proof test soon: over_pressure"
        await h.call(OLGA, f"Alarms/{name}", "Acknowledge", states[name].event_id, None)
        await due(overdue=["over_pressure"])
        await h.until(lambda: states[name].severity > low)
        assert (states[name].acked, states[name].message) == (False, "proof test overdue: over_pressure")
        assert h.server.backend.variables()[f"Alarms/{name}/Why"] == states[name].message
        await h.call(OLGA, f"Alarms/{name}", "Acknowledge", states[name].event_id, None)
        await due(overdue=["over_pressure"], failed=["emo"])
        await h.until(lambda: "failed: emo" in states[name].message)
        assert not states[name].acked, "another one on the list"
        shelved = await _refused(h, f"Alarms/{name}", "TimedShelve", 1000.0)
        assert shelved.status == "BadNotSupported"
        await due()
        await h.until(lambda: not states[name].active)


async def _refused(h: House, path: str, method: str, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await h.call(MAX, path, method, *arguments)
    return caught.value


async def test_the_state_of_each_test_is_shown_beside_its_interlock(tmp_path: Path) -> None:
    from supervisor.server.projection.crew import crew_variables

    row = {"name": "over_pressure", "state": "soon", "due_ns": 10**18, "passed_ns": 0}
    shown = crew_variables({"care": {"proofs": [row]}})
    assert shown[f"{PATH}/ProofTest"] == "soon"
    assert shown[f"{PATH}/ProofTestDue"].year == 2001
    assert shown[f"{PATH}/LastProofTest"] is None
    assert json.dumps(row)
