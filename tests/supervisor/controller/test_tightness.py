"""A leak check counts for its time, over restarts, and until the chamber is opened for as little as one scan."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config.gas_rules import LEAK_FRESH, LEAK_PASSED
from kernels.tables import Status
from supervisor.controller.crew.memory import Done, Memory
from supervisor.controller.crew.tightness import HOUR_NS, Tightness
from supervisor.controller.scanning.scanner import View
from tests.supervisor.controller.test_gas_violations import Attack

DOOR, ATMOSPHERE, SILANE = "wafer_handling.door_closed", "chamber.at_atmosphere", "gas_panel.sih4.valve"


class Days:
    """A furnace, what its crew remembers, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.memory = Memory(folder, ())
        self.now_ns = 1_000 * HOUR_NS
        self.start()

    def start(self) -> None:
        """A controller starts: its scan knows nothing yet."""
        self.furnace = Attack("lpcvd_furnace")
        self.tightness = Tightness(self.furnace.tool, self.memory)

    def look(self, times: int = 1) -> None:
        """Let the crew look, once a second, and the scan carry out what it writes."""
        for _ in range(times):
            values, status, _ = self.furnace.scan.values()
            snapshot: Any = SimpleNamespace(values=values, status=status, time_ns=self.now_ns)
            tables: Any = None
            for tag, value in self.tightness.look(View(self.furnace.layout, tables, snapshot), self.now_ns):
                self.furnace.write(tag, value)
            self.furnace.step(3)
            self.now_ns += 1_000_000_000

    def prove(self) -> None:
        """A leak check passes, as its operation does it."""
        self.furnace.recover()
        self.look()
        for value in (0.0, 1.0):
            self.furnace.write(LEAK_PASSED, value)
            self.furnace.step(2)
        self.memory.known.operations["leak_check"] = Done(run_number="r", time_ns=self.now_ns)
        self.look(2)

    def silane(self) -> bool:
        """Whether silane can be let in by hand."""
        self.furnace.recover()
        self.furnace.purge()
        self.furnace.write(SILANE, 1.0)
        self.furnace.step(2)
        opened = self.furnace.value(SILANE) == 1.0
        self.furnace.write(SILANE, 0.0)
        self.furnace.step(2)
        return opened


def test_silane_waits_for_the_check_and_flows_behind_it(tmp_path: Path) -> None:
    days = Days(tmp_path)
    assert not days.silane()
    days.prove()
    assert days.silane()


def test_a_proof_survives_a_restart_and_its_day(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.prove()
    days.now_ns += 20 * HOUR_NS
    days.start()
    days.look()  # no instrument has spoken yet
    assert days.furnace.value(LEAK_PASSED) == 0.0
    days.furnace.recover()
    days.look(3)
    assert days.furnace.value(LEAK_FRESH) == 1.0
    assert days.silane()
    days.now_ns += 5 * HOUR_NS
    days.look(3)
    assert days.furnace.value(LEAK_PASSED) == 0.0
    assert not days.silane()


def test_a_door_that_was_open_for_one_scan_ends_the_proof(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.prove()
    days.furnace.true[DOOR] = 0.0
    days.furnace.step(1)
    days.furnace.true[DOOR] = 1.0
    days.furnace.step(1)
    assert days.furnace.value(LEAK_FRESH) == 0.0
    assert not days.silane()
    days.look(3)
    assert days.memory.known.leak_ns == 0
    assert "leak_check" not in days.memory.known.operations
    days.start()
    days.furnace.recover()
    days.look(3)
    assert not days.silane()


def test_a_door_contact_that_says_nothing_ends_it_too(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.prove()
    days.furnace.status[DOOR] = int(Status.BAD)
    days.furnace.step(1)
    days.furnace.status[DOOR] = int(Status.GOOD)
    days.look(3)
    assert days.furnace.value(LEAK_FRESH) == 0.0
    assert not days.silane()


def test_a_chamber_that_stands_open_at_the_start_has_no_proof(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.prove()
    days.start()
    days.furnace.true[ATMOSPHERE] = 1.0
    days.furnace.step(5)
    days.look(2)
    assert days.memory.known.leak_ns == 0
    assert not days.silane()


def test_a_clock_that_was_set_back_ends_it(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.prove()
    days.now_ns -= HOUR_NS
    days.look(3)
    assert not days.silane()
