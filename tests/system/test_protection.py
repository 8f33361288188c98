"""Protection as people meet it: trips and their reasons, bypasses by two, hands on set points, safe shutdown."""

import json
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from opcua_model.client import ClientError, ToolClient, connect
from tests.system.daemon import FURNACE, OXIDE, PASSWORD, Daemon, approved, cvd, refusal, serving, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TRIP = "Interlocks/purge_supply_lost"


def tripped_tool(folder: Path) -> Path:
    """Make a furnace that asks for more nitrogen than its house has: a trip that is always in force."""
    text = FURNACE.read_text().replace(
        'when = "facilities.n2_supply_kpa < 350 kPa"',
        'when = "facilities.n2_supply_kpa < 900 kPa"\nbypassable = true\nmax_bypass_s = 600',
    )
    assert "max_bypass_s = 600" in text
    tool = folder / "tripped.toml"
    tool.write_text(text)
    return tool


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("protection")
    with serving(folder / "data", tool=tripped_tool(folder), speed=20) as served:
        yield served


async def denied(client: ToolClient, tag: str, value: float) -> ClientError:
    with pytest.raises(ClientError) as caught:
        await client.write(f"Equipment/{tag}", value)
    assert caught.value.reason
    return caught.value


async def test_a_trip_says_why_and_cannot_be_reset_while_its_cause_is_there(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator:
        await until(operator, f"{TRIP}/Active", lambda active: active is True)
        why = await until(operator, f"{TRIP}/Why", lambda words: words != "")
        assert "facilities.n2_supply_kpa" in why
        assert "kPa" in why
        refused = await refusal(operator, TRIP, "Reset")
        assert refused.status == "BadInvalidState"
        assert "facilities.n2_supply_kpa" in refused.reason
        assert "Restore nitrogen" in refused.reason, "a reason says what to do"
        clear, report = await operator.call("State", "CheckInterlocks")
        assert clear is False
        assert "purge_supply_lost" in report
        assert await operator.read("Diagnostics/InterlocksTripped") >= 1


async def test_why_not_leads_from_a_gate_to_the_value_behind_it_over_opc_ua_and_in_the_terminal(daemon: Daemon) -> None:
    gate = "gas_panel.sih4.valve"
    async with daemon.client("otto") as observer:
        await until(observer, f"{TRIP}/Active", lambda active: active is True)
        held, chain = await observer.call("State", "WhyNot", gate)
        assert held is True
        assert chain[:2] == [f"{gate} = closed", "  ← held at 0"]
        (at,) = [number for number, line in enumerate(chain) if line.startswith("    ← trip purge_supply_lost")]
        assert "its cause is present: facilities.n2_supply_kpa < 900 kPa [facilities.n2_supply_kpa = " in chain[at + 1]
        assert chain[at + 1].endswith("(for its delay of 1 s)")
        held, chain = await observer.call("State", "WhyNot", "start")
        assert held is True
        assert chain[0] == "start"
        assert (await refusal(observer, "State", "WhyNot", "no.such.output")).status == "BadNotFound"

    def ask():
        tool, data = daemon.data.parent / "tripped.toml", daemon.data
        options = ("--user", "otto", "--data", data, "--password-stdin")
        return cvd("interlocks", tool, "--why", gate, *options, stdin=PASSWORD)

    told = await anyio.to_thread.run_sync(ask)
    assert told.returncode == 1
    assert told.stdout.splitlines()[:2] == [f"{gate} = closed", "  ← held at 0"]


async def test_the_matrix_in_the_terminal_says_how_each_interlock_stands(daemon: Daemon) -> None:
    def ask():
        tool, data = daemon.data.parent / "tripped.toml", daemon.data
        return cvd("interlocks", tool, "--user", "otto", "--data", data, "--password-stdin", "--json", stdin=PASSWORD)

    shown = await anyio.to_thread.run_sync(ask)
    assert shown.returncode == 1
    states = json.loads(shown.stdout)["states"]
    assert states["purge_supply_lost"] != "Normal"
    assert states["zone1_overtemperature"] == "Normal"


async def test_nothing_starts_while_a_trip_is_in_force(daemon: Daemon) -> None:
    recipe_id, version = await approved(daemon, OXIDE.read_text())
    async with daemon.client("olga") as operator:
        run_id, _ = await operator.call("Runs", "CreateRun", recipe_id, version, "S", "W", "{}")
        refused = await refusal(operator, "Runs", "StartRun", run_id)
        assert refused.status == "BadInvalidState"
        assert "purge_supply_lost" in refused.reason
        assert json.loads(await operator.call("Runs", "GetRun", run_id))["status"] == "QUEUED"
        refused = await refusal(operator, "Services", "Start", "standby")
        assert "purge_supply_lost" in refused.reason
        assert (await refusal(operator, "Services", "Start", "no such thing")).status == "BadNotFound"


async def test_a_bypass_takes_two_people_an_end_and_an_interlock_that_allows_it(daemon: Daemon) -> None:
    async with (
        daemon.client("mia") as maintenance,
        daemon.client("erika") as engineer,
        daemon.client("olga") as operator,
    ):
        never = await refusal(maintenance, "Interlocks/emergency_off", "RequestBypass", "we are in a hurry", 60.0)
        assert never.status == "BadNotSupported"
        assert (await refusal(maintenance, TRIP, "RequestBypass", "new supply", 601.0)).status == "BadOutOfRange"
        assert (await refusal(maintenance, TRIP, "RequestBypass", "new supply", float("nan"))).status.startswith("Bad")
        assert (await refusal(maintenance, TRIP, "RequestBypass", "", 60.0)).status == "BadInvalidArgument"
        assert (await refusal(operator, TRIP, "RequestBypass", "new supply", 60.0)).status == "BadUserAccessDenied"

        asked = await maintenance.call(TRIP, "RequestBypass", "new supply, gauge of its own", 600.0)
        alone = await refusal(maintenance, TRIP, "ConfirmBypass", asked)
        assert alone.status == "BadUserAccessDenied"
        assert "mia" in alone.reason
        async with daemon.client("mia") as herself:
            assert (await refusal(herself, TRIP, "ConfirmBypass", asked)).status == "BadUserAccessDenied"
        elsewhere = await refusal(engineer, "Interlocks/foreline_pressure", "ConfirmBypass", asked)
        assert elsewhere.status == "BadNotFound"
        assert await engineer.read(f"{TRIP}/Bypassed") is False
        await engineer.call(TRIP, "ConfirmBypass", asked)
        await until(engineer, f"{TRIP}/Bypassed", lambda bypassed: bypassed is True)
        assert 0 < await engineer.read(f"{TRIP}/BypassLeftS") <= 600
        # Its alarm: whose, why, how long; the safety class is not shelved; the panel and the terminal say the same.
        alarm = "Alarms/bypass_purge_supply_lost"
        why = await until(engineer, f"{TRIP}/BypassWhy", lambda words: "new supply, gauge of its own" in str(words))
        assert "asked for by mia, confirmed by erika" in why
        assert "(600 s)" in why
        await until(operator, f"{alarm}/ActiveState/Id", lambda active: active is True)
        assert await operator.read(f"{alarm}/AckedState/Id") is False
        assert await operator.read(f"{alarm}/Why") == why

        def ask():
            tool, data = daemon.data.parent / "tripped.toml", daemon.data
            return cvd("interlocks", tool, "--user", "otto", "--data", data, "--password-stdin", stdin=PASSWORD)

        printed = (await anyio.to_thread.run_sync(ask)).stdout
        assert f"BYPASSED {why}, " in printed
        assert " s left" in printed
        assert (await refusal(engineer, TRIP, "ConfirmBypass", asked)).status == "BadNotFound", "it counts once"
        await operator.call(TRIP, "RemoveBypass")
        await until(operator, f"{TRIP}/Bypassed", lambda bypassed: bypassed is False)


async def test_a_proof_test_is_measured_witnessed_by_another_person_and_on_the_calendar(daemon: Daemon) -> None:
    tested = "Interlocks/cooling_water_lost"
    async with (
        daemon.client("mia") as maintenance,
        daemon.client("erika") as engineer,
        daemon.client("olga") as operator,
    ):
        assert "Maintenance" in (await refusal(maintenance, tested, "StartProofTest", "inject")).reason
        assert (await refusal(operator, tested, "StartProofTest", "inject")).status == "BadUserAccessDenied"
        await maintenance.call("State", "SetMode", "Maintenance")
        await until(maintenance, "State/Mode", lambda mode: mode == "Maintenance")
        test_id = await maintenance.call(tested, "StartProofTest", "inject")
        await until(operator, f"{tested}/Latched", lambda latched: latched is True)
        await until(operator, f"{tested}/Active", lambda active: active is False)
        await until(operator, f"{tested}/ProofTest", lambda state: state == "under way")
        held, chain = await operator.call("State", "WhyNot", "arm")
        assert held is True
        assert any("a proof test of cooling_water_lost by mia is under way" in line for line in chain)
        await operator.call(tested, "Reset")
        await until(operator, f"{tested}/Latched", lambda latched: latched is False)
        record = (test_id, True, "meter as calibrated", "valve open again", "", "")
        assert "four eyes" in (await refusal(maintenance, tested, "RecordProofTest", *record)).reason
        kept = json.loads(await engineer.call(tested, "RecordProofTest", *record))
        assert kept["test_id"] == test_id
        await until(operator, f"{tested}/ProofTest", lambda state: state == "ok")
        assert await operator.read(f"{tested}/LastProofTest") < await operator.read(f"{tested}/ProofTestDue")
        assert await operator.read("Alarms/proof_tests/ActiveState/Id") is False
        await maintenance.call("State", "SetMode", "Standby")

    def ask():
        tool, data = daemon.data.parent / "tripped.toml", daemon.data
        options = ("--proof", "--user", "otto", "--data", data, "--password-stdin")
        return cvd("interlocks", tool, *options, stdin=PASSWORD)

    printed = await anyio.to_thread.run_sync(ask)
    assert printed.returncode == 0
    (line,) = [line for line in printed.stdout.splitlines() if line.startswith("cooling_water_lost ")]
    assert " ok " in line
    assert "never" not in line


async def test_a_tag_is_forced_in_maintenance_by_two_people_and_everybody_sees_it(daemon: Daemon) -> None:
    """An input is simulated: with a reason, for a time, beside its tag; never around an interlock without bypass."""
    supply = "facilities.n2_supply_kpa"
    owner = "Equipment/facilities/n2_supply_kpa/Owner"
    async with (
        daemon.client("mia") as maintenance,
        daemon.client("erika") as engineer,
        daemon.client("olga") as operator,
    ):
        asked = (supply, 920.0, "gauge exchange", 60.0)
        assert "Maintenance only" in (await refusal(maintenance, "State", "RequestForce", *asked)).reason
        await maintenance.call("State", "SetMode", "Maintenance")
        await until(operator, "State/Mode", lambda mode: mode == "Maintenance")
        assert (await refusal(operator, "State", "RequestForce", *asked)).status == "BadUserAccessDenied"
        never = await refusal(maintenance, "State", "RequestForce", "facilities.emo_ok", 1.0, "in a hurry", 60.0)
        assert "emergency_off, which may never be bypassed" in never.reason
        long = await refusal(maintenance, "State", "RequestForce", supply, 920.0, "gauge exchange", 3600.0)
        assert "600 s at most" in long.reason
        assert await until(operator, owner, bool) == "simulation"
        request = await maintenance.call("State", "RequestForce", *asked)
        assert (await refusal(maintenance, "State", "ConfirmForce", request)).status == "BadUserAccessDenied"
        (waits,) = json.loads(await operator.call("State", "GetForces"))["waiting"]
        assert (waits["tag"], waits["user"], waits["reason"]) == (supply, "mia", "gauge exchange")
        await engineer.call("State", "ConfirmForce", request)
        await until(operator, "Equipment/facilities/n2_supply_kpa", lambda value: value == 920.0)
        assert await until(operator, owner, lambda text: "force" in text) == "force by erika: gauge exchange"
        (force,) = json.loads(await operator.call("State", "GetForces"))["forces"]
        assert (force["tag"], force["user"], force["requested_by"]) == (supply, "erika", "mia")
        assert force["until"].endswith("+00:00")
        assert (await refusal(engineer, "State", "ConfirmForce", request)).status == "BadNotFound", "it counts once"
        await maintenance.call("State", "RemoveForce", supply)
        await until(operator, owner, lambda text: text == "simulation")
        await maintenance.call("State", "SetMode", "Standby")
        await until(operator, "State/Mode", lambda mode: mode != "Maintenance")


async def test_set_points_are_moved_by_their_role_within_their_limits(daemon: Daemon) -> None:
    async with daemon.client("olga") as operator, daemon.client("erika") as engineer:
        assert (await denied(operator, "heater.zone1.setpoint_c".replace(".", "/", 1), 650)).status == (
            "BadUserAccessDenied"
        )
        await engineer.write("Equipment/heater/zone1.setpoint_c", 650)
        await until(engineer, "Equipment/heater/zone1.setpoint_c", lambda value: value == 650)
        assert (await denied(engineer, "heater/zone1.setpoint_c", 5000)).status == "BadOutOfRange"
        assert (await denied(engineer, "heater/zone1.setpoint_c", float("nan"))).status.startswith("Bad")
        assert (await denied(engineer, "heater/zone1.temperature_c", 20)).status in {
            "BadNotWritable", "BadUserAccessDenied",
        }  # fmt: skip
        # Silane is shut by the trip and by the tool not being armed: no hand opens it, and the reason says both.
        silane = await denied(engineer, "gas_panel/sih4.valve", 1)
        assert silane.status == "BadInvalidState"
        assert "purge_supply_lost" in silane.reason
        assert "not armed" in silane.reason
        assert await engineer.read("Equipment/gas_panel/sih4.valve") == 0


async def test_one_person_controls_the_tool_and_everybody_may_make_it_safe(daemon: Daemon) -> None:
    async with (
        daemon.client("erika") as engineer,
        daemon.client("amir") as other,
        daemon.client("otto") as observer,
        connect(daemon.endpoint) as anonymous,
    ):
        await engineer.call("State", "TakeControl")
        assert (await denied(other, "heater/zone1.setpoint_c", 640)).status == "BadUserAccessDenied"
        assert "erika" in (await refusal(other, "State", "TakeControl")).reason
        assert (await refusal(observer, "State", "TakeControl")).status == "BadUserAccessDenied"
        await observer.call("State", "SafeShutdown")
        await until(observer, "Services/State", lambda state: state in {"ABORTING", "ABORTED"})
        assert await engineer.read("State/ControlOwner") == "erika"
        await engineer.call("State", "ReleaseControl")
        await other.call("State", "TakeControl")

        assert await anonymous.read("State/Mode")
        assert (await refusal(anonymous, "State", "SafeShutdown")).status == "BadUserAccessDenied"
        assert (await refusal(anonymous, "Recipes", "AddRecipe", "{}")).status == "BadUserAccessDenied"
        assert (await denied(anonymous, "heater/zone1.setpoint_c", 640)).status == "BadUserAccessDenied"
    async with daemon.client("erika") as engineer:
        # Whoever has gone controls nothing any more.
        await until(engineer, "State/ControlOwner", lambda owner: owner == "")
