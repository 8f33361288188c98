"""Reaching people: by real web and mail servers, through failures, restarts, floods and quiet hours."""

import hashlib
import hmac
import json
import re
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from config.layout import Layout
from supervisor.link.messages import Event, EventKind
from supervisor.server.notify.courier import Courier
from supervisor.server.notify.outbox import ASIDE, Message, Outbox
from supervisor.server.notify.rules import quiet_until
from supervisor.server.notify.table import NotifyTable, Quiet
from supervisor.server.projection.fold import Projection
from supervisor.server.store.connection import Store
from supervisor.server.store.opening import FILE_NAME
from supervisor.server.texts import Texts, catalogue, wording
from tests.supervisor.server.loopback import Receiver, mail, web
from tests.supervisor.server.stand import small_tool

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
NOW_S = 1_800_000_000.0


@dataclass
class Post:
    """A courier and the events that it looks at."""

    store: Store
    courier: Courier
    projection: Projection
    clock: list[float]
    seq: int = 0
    silent: set[str] = field(default_factory=set[str])

    async def happens(self, kind: EventKind, **data: Any) -> None:
        self.seq += 1
        event = Event(seq=self.seq, time_ns=int(self.clock[0] * SECOND), scan=self.seq, kind=kind, data=data)
        await self.store.write(lambda connection: self.projection.project(connection, [event]) and None)

    async def trips(self, name: str = "over_pressure") -> None:
        await self.happens(EventKind.CONDITION, name=name, active=True, trips=1, **{"class": "trip"})

    async def tell(self, name: str = "chat") -> float:
        await self.courier.collect()
        return await self.courier.deliver(name, self.courier._table.targets[name])

    async def waiting(self) -> list[Message]:
        return await anyio.to_thread.run_sync(self.courier.outbox.waiting)

    async def aside(self) -> int:
        """How many have been put aside."""
        return await anyio.to_thread.run_sync(lambda: len(list((self.courier.outbox.folder / ASIDE).glob("*"))))


@asynccontextmanager
async def post(folder: Path, table: dict[str, Any], silent: set[str] | None = None) -> AsyncGenerator[Post]:
    layout = Layout(small_tool())
    conditions = {one.name: one for one in layout.conditions}
    clock, quiet = [NOW_S], silent if silent is not None else set[str]()
    notify = NotifyTable.model_validate_json(json.dumps(table))
    async with Store(folder / FILE_NAME) as store:
        courier = Courier(store, folder, "T-1", notify, conditions, quiet.__contains__, lambda: clock[0])
        made = Post(store, courier, Projection(conditions), clock, silent=quiet)
        await courier.collect()  # the first look: nothing that was before
        yield made


def hook(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"webhooks": [{"name": "chat", "url": f"http://127.0.0.1:{receiver.port}/hook?a=1", **more}]}


def letter(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {
        "mails": [
            {"name": "crew", "host": "127.0.0.1", "port": receiver.port, "sender": "cvd@fab.example",
             "to": ["crew@fab.example"], **more}
        ]
    }  # fmt: skip


async def test_a_trip_reaches_a_web_hook_signed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    await anyio.Path(secret).write_text("hush\n")
    with web() as receiver:
        async with post(tmp_path, hook(receiver, secret_file=str(secret))) as here:
            await here.trips()
            await here.tell()
            assert await here.waiting() == []
    (told,) = receiver.came
    (message,) = told["messages"]
    assert (told["tool"], message["kind"]) == ("T-1", "trips")
    assert "Action: " in message["text"]
    signature = hmac.new(b"hush", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert receiver.headers[0]["X-CVD-Signature"] == f"sha256={signature}"


async def test_the_end_of_a_run_reaches_people_by_mail_in_their_language(tmp_path: Path) -> None:
    with mail() as receiver:
        async with post(tmp_path, {"language": "de", **letter(receiver)}) as here:
            await here.happens(EventKind.RUN_ENDED, run_id="r", run_number="CVD-1", state="COMPLETE")
            await here.tell("crew")
            assert await here.waiting() == []
    (got,) = receiver.came
    assert got["Subject"] == "T-1: Lauf beendet: COMPLETE"
    assert got["To"] == "crew@fab.example"
    assert "Lauf beendet" in got.get_content()


async def test_a_receiver_that_is_down_is_tried_again_and_nothing_is_lost_by_a_restart(tmp_path: Path) -> None:
    with web() as receiver:
        table = hook(receiver)
        receiver.answers = [503, 503]
        async with post(tmp_path, table) as here:
            await here.trips()
            await here.tell()
            (kept,) = await here.waiting()
            assert (kept.tries, kept.fault) == (1, "503 Service Unavailable")
            await here.tell()
            assert len(receiver.bodies) == 1  # not before its time
            here.clock[0] += 6
            await here.tell()
            (kept,) = await here.waiting()
            assert kept.not_before_ns - int(here.clock[0] * SECOND) == 10 * SECOND
        # Another process, the same data folder.
        async with post(tmp_path, table) as here:
            here.clock[0] += 60
            await here.tell()
            assert await here.waiting() == []
    assert len(receiver.came) == 1
    assert len({one["Idempotency-Key"] for one in receiver.headers}) == 1


async def test_an_event_that_came_while_nobody_looked_is_told_after_the_start(tmp_path: Path) -> None:
    with web() as receiver:
        async with post(tmp_path, hook(receiver)) as here:
            await here.trips()
        async with post(tmp_path, hook(receiver)) as here:
            await here.tell()
    assert len(receiver.came) == 1


@pytest.mark.parametrize("status", [301, 404, 410])
async def test_what_is_refused_for_good_is_put_aside(tmp_path: Path, status: int) -> None:
    with web() as receiver:
        receiver.answers = [status]
        async with post(tmp_path, hook(receiver)) as here:
            await here.trips()
            await here.tell()
            assert await here.waiting() == []
            assert await here.aside() == 1


async def test_a_mail_server_that_is_busy_is_tried_again_and_one_that_refuses_is_not(tmp_path: Path) -> None:
    with mail() as receiver:
        receiver.answers = [451, 550]
        async with post(tmp_path, letter(receiver)) as here:
            await here.trips()
            await here.tell("crew")
            assert (await here.waiting())[0].fault.startswith("451")
            here.clock[0] += 10
            await here.tell("crew")
            assert await here.waiting() == []
            assert await here.aside() == 1
    assert receiver.came == []


async def test_a_flood_goes_together_and_a_receiver_has_its_hour(tmp_path: Path) -> None:
    with web() as receiver:
        async with post(tmp_path, hook(receiver, per_hour=2)) as here:
            for _ in range(40):
                await here.trips()
            await here.tell()
            await here.trips()
            await here.tell()
            await here.trips()
            await here.tell()
            assert [len(one["messages"]) for one in receiver.came] == [40, 1]
            assert len(await here.waiting()) == 1
            here.clock[0] += 3601
            await here.tell()
            assert [len(one["messages"]) for one in receiver.came] == [40, 1, 1]


async def test_in_quiet_hours_only_what_is_severe_is_told(tmp_path: Path) -> None:
    with web() as receiver:
        begin = datetime.fromtimestamp(NOW_S).astimezone()
        quiet = [{"begin": f"{begin:%H:%M}", "end": f"{(begin.hour + 1) % 24:02}:{begin.minute:02}", "below": 900}]
        async with post(tmp_path, {"quiet": quiet, **hook(receiver)}) as here:
            await here.happens(EventKind.RUN_ENDED, run_id="r", run_number="CVD-1", state="COMPLETE")
            await here.tell()
            assert receiver.came == []
            await here.trips()
            await here.tell()
            assert [one["messages"][0]["kind"] for one in receiver.came] == ["trips"]
            here.clock[0] += 3700
            await here.tell()
            assert receiver.came[-1]["messages"][0]["kind"] == "runs"


async def test_who_wants_to_know_what_is_a_matter_of_the_table(tmp_path: Path) -> None:
    with web() as receiver:
        silent = set[str]()
        async with post(tmp_path, hook(receiver, about=["runs"]), silent) as here:
            await here.trips()
            await here.happens(EventKind.STEP, run_id="r", index=1, name="heat")
            await here.happens(EventKind.RUN_STATE, run_id="r", state="HELD", previous="HOLDING", cause="timeout")
            await here.tell()
            assert await here.waiting() == []
        assert receiver.came == []  # a hold has severity 200, this hook wants 400


async def test_without_receivers_nothing_runs_and_nothing_is_written(tmp_path: Path) -> None:
    async with Store(tmp_path / FILE_NAME) as store:
        courier = Courier(store, tmp_path, "T-1", NotifyTable(), {}, lambda _: False)
        with anyio.fail_after(1):
            await courier.run()
    assert not await anyio.Path(tmp_path / "outbox").exists()


def test_a_torn_message_is_put_aside_and_the_others_go(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(Message("chat", 1, 900, "trips", "a", "a"))
    (tmp_path / "outbox" / "00000000000000000000-x.json").write_text('{"target": "cha')
    assert [one.subject for one in outbox.waiting()] == ["a"]
    assert len(list((tmp_path / "outbox" / ASIDE).iterdir())) == 1


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("21:59", None), ("22:00", "06:00"), ("02:30", "06:00"), ("05:59", "06:00"), ("06:00", None), ("12:00", None)],
)
def test_quiet_hours_go_over_midnight(clock: str, expected: str | None) -> None:
    now = datetime.fromisoformat(f"2026-11-24T{clock}:30+00:00")
    end = quiet_until((Quiet(begin="22:00", end="06:00", below=900),), 500, now)
    assert (f"{end:%H:%M}" if end else None) == expected
    assert end is None or 0 < (end - now).total_seconds() <= 8 * 3600
    assert quiet_until((Quiet(begin="22:00", end="06:00", below=900),), 900, now) is None


# ---------------------------------------------------------------------------------------------------------- texts
def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_german_says_everything_that_is_told_of_events() -> None:
    german = catalogue("de")
    wanted = [words for _, _, words in wording._FIXED.values()]
    assert [text for text in wanted if text not in german] == []
    for english, text in german.items():
        assert placeholders(english) == placeholders(text), english


def test_the_words_of_the_code_are_in_the_catalogue() -> None:
    """Every literal that goes through `texts(…)`, found in the source."""
    root = Path(wording.__file__).parent
    german = catalogue("de")
    for path in (*root.glob("*.py"), *root.glob("notify/*.py")):
        for literal in re.findall(r"texts\([\"']([^\"']+)[\"']\)", path.read_text(encoding="utf-8")):
            assert literal in german, f"{path.name}: {literal}"


def test_what_a_catalogue_does_not_know_is_told_in_english() -> None:
    assert Texts.of("de")("no such words") == "no such words"
    assert Texts.of("en")("Leak check") == "Leak check"
    assert Texts.of("de")("Leak check") == "Lecktest"
