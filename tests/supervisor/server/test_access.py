"""Who people are: users, guessing, roles, four eyes."""

import stat
import statistics
import threading
import time
from pathlib import Path

import anyio
import pytest

from config.tool import Role
from opcua_model.interface import Refused
from supervisor.server.access.attempts import AT_ONCE, FREE, FREE_ANYWHERE, IN_LINE, Attempts
from supervisor.server.access.policy import DEFAULT, Action, Policy, Weighty, other_eyes, permit
from supervisor.server.access.users import UserStore
from supervisor.server.errors import UsersError
from tests.supervisor.server.stand import ERIKA, OLGA, OTTO, person


@pytest.fixture
def users(tmp_path: Path) -> UserStore:
    """A file with one engineer."""
    store = UserStore(tmp_path / "data" / "users.toml")
    store.add("erika", "correct horse", [Role.ENGINEER])
    return store


def test_the_right_password_gives_the_roles(users: UserStore) -> None:
    assert users.verify("erika", "correct horse") == frozenset({Role.ENGINEER})


@pytest.mark.parametrize("password", ["correct horsf", "", "correct horse ", "x" * 100_000])
def test_a_wrong_password_gives_nothing(users: UserStore, password: str) -> None:
    assert users.verify("erika", password) is None


def test_an_unknown_name_takes_as_long_as_a_wrong_password(users: UserStore) -> None:
    def taken(name: str) -> float:
        users.verify(name, "warm up")
        times = []
        for _ in range(5):
            start = time.perf_counter()
            users.verify(name, "wrong password")
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    known, unknown = taken("erika"), taken("nobody")
    assert 0.4 < unknown / known < 2.5


def test_the_file_is_readable_by_its_owner_only_and_holds_no_password(users: UserStore) -> None:
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    text = users.path.read_text()
    assert "correct horse" not in text
    assert "$argon2id$" in text


def test_a_user_added_by_the_command_line_can_log_in_at_once(users: UserStore) -> None:
    other = UserStore(users.path)
    other.add("olga", "password of olga", ["operator"])
    assert users.verify("olga", "password of olga") == frozenset({Role.OPERATOR})
    other.remove("olga")
    assert users.verify("olga", "password of olga") is None
    assert [user.name for user in users.list()] == ["erika"]


def test_two_writers_at_once_lose_nobody(users: UserStore) -> None:
    def add(number: int) -> None:
        UserStore(users.path).add(f"user{number}", "some password", ["observer"])

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(users.list()) == 7


@pytest.mark.parametrize(
    ("name", "password", "roles", "words"),
    [
        ("", "long enough", ["operator"], "no user name"),
        ("../etc", "long enough", ["operator"], "no user name"),
        ('a"b', "long enough", ["operator"], "no user name"),
        ("anna", "short", ["operator"], "8 to 1024"),
        ("anna", "long enough", ["boss"], "observer"),
        ("anna", "long enough", [], "needs a role"),
    ],
)
def test_what_cannot_be_a_user_is_refused(
    users: UserStore, name: str, password: str, roles: list[str], words: str
) -> None:
    with pytest.raises(UsersError, match=words):
        users.add(name, password, roles)


def test_removing_nobody_is_told(users: UserStore) -> None:
    with pytest.raises(UsersError, match="no user called 'anna'"):
        users.remove("anna")


@pytest.mark.parametrize("text", ["[users", "[users.a]\nroles = ['boss']\npassword = 'x'", "users = 3"])
def test_a_damaged_file_lets_nobody_in_and_says_so(users: UserStore, text: str) -> None:
    users.path.write_text(text)
    with pytest.raises(UsersError, match=r"damaged"):
        users.verify("erika", "correct horse")


def test_a_hash_that_is_none_lets_nobody_in(users: UserStore) -> None:
    users.path.write_text('[users.erika]\nroles = ["engineer"]\npassword = "plain"\n')
    assert users.verify("erika", "plain") is None


def test_each_wrong_password_doubles_the_wait_up_to_a_bound() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(FREE):
        assert attempts.wait_s("erika") == 0
        attempts.wrong("erika")
    waits = []
    for _ in range(10):
        waits.append(attempts.wait_s("erika"))
        now[0] += waits[-1]
        attempts.wrong("erika")
    assert waits[:3] == [0.5, 1.0, 2.0]
    assert max(waits) == 30.0
    assert attempts.wait_s("olga") == 0
    attempts.right("erika")
    assert attempts.wait_s("erika") == 0


def test_invented_names_do_not_fill_the_memory() -> None:
    attempts = Attempts()
    for number in range(3000):
        attempts.wrong(f"name{number}")
    assert len(attempts._records) == 1000


def test_a_role_decides_and_an_anonymous_session_may_nothing() -> None:
    permit(DEFAULT, OLGA, Action.RUN)
    for caller, action in ((OTTO, Action.RUN), (OLGA, Action.RECIPE_APPROVE), (person("", "engineer"), Action.RUN)):
        with pytest.raises(Refused) as refused:
            permit(DEFAULT, caller, action)
        assert refused.value.status == "BadUserAccessDenied"


def test_every_action_has_its_roles() -> None:
    assert set(DEFAULT.roles) == set(Action)


def test_four_eyes_are_a_policy() -> None:
    with pytest.raises(Refused, match="another person than erika"):
        other_eyes(DEFAULT, ERIKA, "erika", Weighty.APPROVE, "the approval")
    other_eyes(DEFAULT, ERIKA, "amir", Weighty.APPROVE, "the approval")
    other_eyes(Policy(DEFAULT.roles, four_eyes=frozenset()), ERIKA, "erika", Weighty.APPROVE, "the approval")


def test_a_guesser_elsewhere_keeps_nobody_waiting_at_her_own_screen() -> None:
    attempts = Attempts(lambda: 0.0)
    for _ in range(FREE + 5):
        attempts.wrong("erika", "203.0.113.9")
    assert attempts.wait_s("erika", "203.0.113.9") > 0
    assert attempts.wait_s("erika", "192.0.2.1") == 0


def test_guessing_from_many_places_is_slow_too() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(FREE_ANYWHERE + 3):
        attempts.wrong("erika", f"203.0.113.{number}")
    assert attempts.wait_s("erika", "192.0.2.1") == 4.0
    attempts.right("erika", "192.0.2.1")
    assert attempts.wait_s("erika", "192.0.2.1") == 0


@pytest.mark.anyio
async def test_many_guesses_at_once_are_no_way_around_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred guesses at the same moment: three are looked at, three more after their delay, the others are wrong."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds
        await anyio.lowlevel.checkpoint()

    now = [0.0]
    monkeypatch.setattr("supervisor.server.access.attempts.anyio.sleep", sleep)
    attempts = Attempts(lambda: now[0])
    looked_at: list[bool] = []

    async def guess() -> None:
        async with attempts.turn("erika", "203.0.113.9") as patient:
            await anyio.lowlevel.checkpoint()
            looked_at.append(patient)
            attempts.wrong("erika", "203.0.113.9")

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(guess)
    assert sum(looked_at) <= FREE + AT_ONCE
    assert len(looked_at) == 100
    assert all(wait >= 0.5 for wait in slept)
    assert attempts._lines == {}


@pytest.mark.anyio
async def test_a_program_that_opens_all_its_sessions_at_once_gets_them() -> None:
    """A flow of Node-RED has a session for each of its nodes, all of one person, all in the same moment."""
    attempts = Attempts()
    patient: list[bool] = []

    async def log_in() -> None:
        async with attempts.turn("erika", "127.0.0.1") as mine:
            await anyio.lowlevel.checkpoint()
            patient.append(mine)
            attempts.right("erika", "127.0.0.1")

    async with anyio.create_task_group() as tasks:
        for _ in range(IN_LINE):
            tasks.start_soon(log_in)
    assert patient == [True] * IN_LINE


def test_a_certificate_belongs_to_one_person_and_survives_a_new_password(users: UserStore) -> None:
    users.add("erika", "correct horse", ["engineer"])
    users.give_certificate("erika", "ab" * 32)
    users.give_certificate("robot", "cd" * 32, ["observer"])
    assert users.owner("ab" * 32) == next(user for user in users.list() if user.name == "erika")
    users.add("erika", "battery staple", ["engineer"])
    found = UserStore(users.path).owner("ab" * 32)
    assert found is not None
    assert found.name == "erika"
    assert users.owner("ef" * 32) is None
    with pytest.raises(UsersError, match="erika logs in with this certificate already"):
        users.give_certificate("robot", "ab" * 32)
    with pytest.raises(UsersError, match="add one with a role"):
        users.give_certificate("nobody", "01" * 32)


def test_who_has_a_certificate_only_has_no_password(users: UserStore) -> None:
    users.give_certificate("robot", "cd" * 32, ["observer"])
    for guess in ("", "robot", "password"):
        assert users.verify("robot", guess) is None
