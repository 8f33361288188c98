"""What a crew relies on: guarded modes, lock-outs, operations done lately, results, counters, work that is due."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.expression import compile_postfix, read_boolean
from config.layout import Layout
from config.loading import load_model
from config.text import Syntax
from config.tool import Tool
from supervisor.controller.crew import memory as kept
from supervisor.controller.scanning.judging import evaluate
from supervisor.link.messages import Command, CommandKind, EventKind
from tests.kernels.oracle_expression import evaluate as oracle
from tests.kernels.oracle_image import OracleImage, rows
from tests.supervisor.controller.stand import PEOPLE, running, tool_text

CREW = Path(__file__).with_name("crew.toml")


def crew_text() -> str:
    """The small tool with what its crew needs."""
    return tool_text() + "\n" + CREW.read_text(encoding="utf-8")


@pytest.mark.anyio
async def test_a_mode_is_changed_only_where_a_transition_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        await stand.done("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")
        stand.post(pressure_torr=20.0)
        await stand.until(lambda: stand.value("chamber.pressure_torr") == 20.0)
        refused = await stand.command("olga", CommandKind.SET_MODE, mode="Ready")
        assert refused.status == "BadInvalidState"
        assert refused.reason == "Ready: the chamber is not pumped [chamber.pressure_torr = 20 Torr]"
        stand.post(pressure_torr=0.1)
        await stand.until(lambda: stand.value("chamber.pressure_torr") == 0.1)
        await stand.done("olga", CommandKind.SET_MODE, mode="Ready")
        await stand.hear(EventKind.MODE, mode="Ready")
        no_way = await stand.command("olga", CommandKind.SET_MODE, mode="Ready")
        assert no_way.reason == "from Ready there is no way to Ready; it is chosen in Standby, Maintenance"
        stranger = await stand.command("erik", CommandKind.SET_MODE, mode="Maintenance")
        assert stranger.status == "BadUserAccessDenied"
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.hear(EventKind.MODE, mode="Maintenance")
        # Whoever repairs provokes trips: the mode stays, the trip acts.
        stand.post(pressure_torr=200.0)
        await stand.hear(EventKind.CONDITION, name="over_pressure", active=True)
        assert (await stand.ask("status"))["mode"] == "Maintenance"


@pytest.mark.anyio
async def test_a_locked_module_is_brought_to_rest_and_energised_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        await stand.done("mara", CommandKind.RESET_INTERLOCK, name="over_pressure")
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.setpoint_sccm", value=5.0)
        assert (
            "lock out is not allowed"
            in (await stand.command("olga", CommandKind.LOCK_OUT, module="panel", reason="line is open")).reason
        )
        await stand.done("mara", CommandKind.LOCK_OUT, module="panel", reason="line is open")
        assert stand.value("panel.sih4.setpoint_sccm") == 0.0
        await stand.done("olga", CommandKind.SET_MODE, mode="Standby")
        for attempt in (
            await stand.command("mara", CommandKind.WRITE, tag="panel.sih4.setpoint_sccm", value=5.0),
            await stand.start(name="soak"),
            await stand.command("olga", CommandKind.SET_MODE, mode="Ready"),
        ):
            assert "panel is locked out by mara: line is open" in attempt.reason
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.setpoint_sccm", value=0.0)
        await stand.done("olga", CommandKind.SAFE_SHUTDOWN)
        await stand.until(lambda: stand.run_state == "ABORTED")
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        assert (await stand.ask("status"))["locks"]["panel"]["user"] == "mara"
        theirs = await stand.command("erik", CommandKind.REMOVE_LOCK_OUT, module="panel")
        assert theirs.reason == "panel is locked out by mara: line is open; give a reason to take off their lock"
        await stand.done("erik", CommandKind.REMOVE_LOCK_OUT, module="panel", reason="mara has gone home, line is shut")
        assert (await stand.start(name="probe")).status == "Good"


@pytest.mark.anyio
async def test_locks_that_cannot_be_read_lock_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file is never an empty one."""
    (tmp_path / kept.FILE_NAME).write_text('{"sha256": "0", "document": "{}"}')
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        status = await stand.ask("status")
        assert set(status["locks"]) == {"panel", "chamber", "vacuum", "care"}
        assert any("every module is locked out" in notice for notice in status["notices"])
        assert "locked out by nobody known" in (await stand.start(name="soak")).reason


@pytest.mark.anyio
async def test_what_must_have_been_done_lately_is_asked_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        await stand.done("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")
        never = await stand.start(name="after_probe")
        assert never.reason.startswith("Probe (probe) must have been completed within 2 h: it has not been completed")
        assert (await stand.start(name="probe", run_id="p1")).status == "Good"
        record = await stand.hear(EventKind.RUN_ENDED, run_id="p1")
        finding = record.data["summary"]["findings"]["pressure"]
        assert (finding["value"], finding["below"], finding["passed"], finding["unit"]) == (0.1, 5.0, True, "Torr")
        stand.post(pump__running=0.0)
        await stand.until(lambda: stand.value("vacuum.pump.running") == 0.0)
        assert "the pump stands [vacuum.pump.running" in (await stand.start(name="after_probe", run_id="a1")).reason
        stand.post(pump__running=1.0)
        await stand.until(lambda: stand.value("vacuum.pump.running") == 1.0)
        assert (await stand.start(name="after_probe", run_id="a2")).status == "Good"
        await stand.hear(EventKind.RUN_ENDED, run_id="a2")
        document = stand.controller.crew.memory.known
        document.operations["probe"].time_ns -= int(2.5 * 3600e9)
        old = await stand.start(name="after_probe", run_id="a3")
        assert "CVD-20260101-p1 was 2.5 h ago" in old.reason
        document.operations["probe"].time_ns += 24 * 3600 * 10**9
        assert "the clock has been set back" in (await stand.start(name="after_probe", run_id="a4")).reason
        assert (await stand.start(name="open_up", run_id="o1")).status == "Good"
        await stand.hear(EventKind.RUN_ENDED, run_id="o1")
        assert "it has not been completed since" in (await stand.start(name="after_probe", run_id="a5")).reason


@pytest.mark.anyio
async def test_counters_count_are_shown_and_outlive_the_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=crew_text(), speed=20) as stand:
        await stand.done("mara", CommandKind.RESET_INTERLOCK, name="over_pressure")
        await stand.done("mara", CommandKind.ARM)
        stand.post(sih4__flow_sccm=2.0)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
        await stand.until(lambda: stand.value("care.bottle_g") < 480.0)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=0.0)
        await stand.until(lambda: stand.value("care.strokes") == 1.0)
        report = await stand.ask("care")
        rows_by = {row["tag"]: row for row in report["counters"]}
        bottle = rows_by["care.bottle_g"]
        assert bottle["a_day"] == pytest.approx(500.0 - bottle["value"])
        assert bottle["days_left"] == pytest.approx((bottle["value"] - 10.0) / bottle["a_day"])
        assert rows_by["care.pump_h"]["value"] > 0.0
        assert {task["name"]: task["state"] for task in report["tasks"]} == {"oil": "ok", "filter": "ok"}
    document = json.loads((tmp_path / kept.FILE_NAME).read_text())
    left = json.loads(document["document"])["counters"]["care.bottle_g"]
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        await stand.until(lambda: stand.value("care.bottle_g") == pytest.approx(left, abs=0.1))
        assert "there is no tag" not in (await stand.start(name="open_up", run_id="o1")).reason
        await stand.hear(EventKind.RUN_ENDED, run_id="o1")
        await stand.until(lambda: stand.value("care.strokes") == 0.0)


@pytest.mark.anyio
async def test_work_falls_due_and_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        known = stand.controller.crew.memory.known
        known.counters["care.pump_h"], known.first_ns = 480.0, known.first_ns - 31 * 86400 * 10**9

        async def tasks() -> dict[str, str]:
            return {task["name"]: task["state"] for task in (await stand.ask("care"))["tasks"]}

        assert await tasks() == {"filter": "due", "oil": "soon"}
        refused = await stand.command("olga", CommandKind.TASK_DONE, name="oil")
        assert refused.status == "BadUserAccessDenied"
        await stand.done("mara", CommandKind.TASK_DONE, name="oil", comment="5 l")
        await stand.done("mara", CommandKind.TASK_DONE, name="filter")
        assert await tasks() == {"filter": "ok", "oil": "ok"}
        assert known.counters["care.pump_h"] < 1.0
        unknown = await stand.command("mara", CommandKind.TASK_DONE, name="tyres")
        assert unknown.reason == "the tool has no task tyres; it has oil, filter"


@pytest.mark.anyio
async def test_a_drill_strikes_with_what_is_appended_and_tells_what_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = anyio.Path(tmp_path / "drill.jsonl")
    await path.write_text('{"fault": "of yesterday"}\n')
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:
        await anyio.sleep(0.15)
        async with await path.open("a") as file:
            await file.write('{"fault": "power_loss"}\n[1]\n{"no": 1}\n{"fault": "half a')
        await stand.until(lambda: len(stand.told(EventKind.NOTICE)) >= 3)
        assert stand.hands.faults == [{"fault": "power_loss"}, {"no": 1}]
        told = [event.data["text"] for event in stand.told(EventKind.NOTICE)]
        assert any("power_loss" in text for text in told)
        assert sum("is no fault" in text for text in told) == 2


def test_a_memory_that_a_crash_has_torn_is_the_one_before(tmp_path: Path) -> None:
    memory = kept.Memory(tmp_path, ("panel",))
    memory.recall(1)
    memory.known.counters["care.strokes"] = 1.0
    anyio.run(memory.keep)
    memory.known.counters["care.strokes"] = 2.0
    anyio.run(memory.keep)
    whole = (tmp_path / kept.FILE_NAME).read_bytes()
    (tmp_path / kept.FILE_NAME).write_bytes(whole[: len(whole) // 2])
    again = kept.Memory(tmp_path, ("panel",))
    (notice,) = again.recall(2)
    assert "cannot be read" in notice
    assert again.known.counters["care.strokes"] == 1.0
    assert again.known.locks == {}


CONDITIONS = (
    "chamber.pressure_torr > 5 Torr and not vacuum.pump.running",
    "vote(2, chamber.pressure_torr > 5 Torr, vacuum.pump.running, chamber.temperature_c > 100 °C)",
    "not (chamber.pressure_torr / panel.sih4.flow_sccm > chamber.pressure_torr / 3 sccm or bad(chamber.temperature_c))",
    "abs(min(chamber.temperature_c, chamber.wall_c) - 27 °C) < max(-panel.sih4.flow_sccm / 1 sccm * 1 K, 3 K)",
    "good(panel.sih4.flow_sccm) or sqrt(panel.sih4.flow_sccm * panel.sih4.flow_sccm) >= 3 sccm",
)


@pytest.mark.parametrize("text", CONDITIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_condition_judged_at_a_moment_is_what_the_scan_would_say(text: str, data: st.DataObject) -> None:
    """Compared with the oracle of the specification, over any values and qualities."""
    layout = Layout(load_model(tool_text(), Tool, syntax=Syntax.TOML))
    code = compile_postfix(read_boolean(text, layout.scope), layout.index)
    count = len(layout.tags)
    number = st.sampled_from([0.0, 1.0, -1.0, 3.0, 5.0, 1e3, float("nan")])
    values = np.array(data.draw(st.lists(number, min_size=count, max_size=count)))
    qualities = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    status = np.array([quality << 30 for quality in qualities], np.uint32)

    class Image:
        value = values.tolist()

        @staticmethod
        def q(tag: int) -> int:
            return qualities[tag]

    expected = oracle(rows(code), cast("OracleImage", Image()), limit=1)
    found = evaluate(code, values, status)
    assert np.array_equal(np.array(found), np.array(expected), equal_nan=True)


@pytest.mark.anyio
async def test_the_controller_obeys_nobody_but_the_owner_of_the_control(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a server that is not itself says: past the owner go protection, and a takeover with role and reason."""
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:

        async def asked(who: str, session: str, what: CommandKind, place: str = "remote", **args: object) -> str:
            principal = PEOPLE[who].model_copy(update={"session": session, "place": place})
            reply = await stand.send(Command(id=uuid4(), principal=principal, kind=what, args=args))
            return reply.reason if reply.status != "Good" else ""

        take, write = CommandKind.TAKE_CONTROL, CommandKind.SET_MODE
        assert "belongs to a session" in await asked("olga", "", take)
        assert await asked("otto", "s8", take) != ""
        assert await asked("olga", "s1", take, timeout_s=600.0) == ""
        # Each way around the owner.
        assert "olga controls the tool" in await asked("mara", "s3", write, mode="Standby")
        assert "olga controls the tool" in await asked("olga", "another", write, mode="Standby")
        assert "olga controls the tool" in await asked("olga", "", CommandKind.RESET_INTERLOCK, name="over_pressure")
        assert "olga controls the tool" in await asked("mara", "s3", CommandKind.ARM)
        assert "for 600 s more" in await asked("erik", "s2", take)
        assert "this session does not control" in await asked("erik", "s2", CommandKind.RELEASE_CONTROL)
        assert "needs the role" in await asked("olga", "s5", take, reason="I would like to")
        assert "timeout_s" in await asked("olga", "s1", take, timeout_s=1e9)
        # Protection is everybody's.
        assert await asked("mara", "s3", CommandKind.DISARM) == ""
        assert await asked("mara", "s3", CommandKind.LOCK_OUT, module="panel", reason="new seal") == ""
        assert await asked("mara", "s3", CommandKind.REMOVE_LOCK_OUT, module="panel", reason="") == ""
        assert await asked("mara", "s3", CommandKind.SAFE_SHUTDOWN) == ""
        held = (await stand.ask("status"))["control"]
        assert (held["user"], held["session"], held["place"]) == ("olga", "s1", "remote")
    # Another controller, and another server, that tells of sessions as it likes.
    async with running(tmp_path, monkeypatch, text=crew_text()) as stand:

        async def now(who: str, session: str, what: CommandKind, place: str = "remote", **args: object) -> str:
            principal = PEOPLE[who].model_copy(update={"session": session, "place": place})
            reply = await stand.send(Command(id=uuid4(), principal=principal, kind=what, args=args))
            return reply.reason if reply.status != "Good" else ""

        assert (await stand.ask("status"))["control"]["user"] == "olga"
        assert "olga controls the tool" in await now("erik", "s2", CommandKind.ARM)
        # The same person from a new session takes it along; somebody at the tool takes it; nobody afar takes it back.
        assert await now("olga", "s9", take) == ""
        assert await now("mara", "s3", take, "local") == ""
        assert "mara is at the tool" in await now("erik", "s2", take, reason="she has gone for lunch")
        assert "mara controls the tool" in await now("olga", "s9", CommandKind.ARM)
        assert await now("erik", "s4", take, "local", reason="she has gone for lunch") == ""
        assert await now("erik", "s4", CommandKind.RELEASE_CONTROL) == ""
        assert (await stand.ask("status"))["control"] is None
        record = next(one for one in reversed(stand.events) if one.data.get("kind") == "take_control")
        assert record.data["args"]["reason"] == "she has gone for lunch"
        assert record.data["principal"]["user"] == "erik"
