"""Computed tags that remember: what they keep, and what becomes of it when something is unknown."""

import pytest

from kernels.scan import Scan
from kernels.tables import Status
from tests.kernels.tables_builder import ToolBuilder, tag

FULL = 1e6
PER_SCAN = 0.5


class Vessel:
    """What is left in it is full while a valve is open, and else thinned by what a flow meter measures."""

    def __init__(self) -> None:
        tool = ToolBuilder(0.01)
        self.flow = tool.input(0.0, 1e4)
        self.valve = tool.setpoint(0.0, 1.0, 0.0)
        self.credit = tool.keeper(tag(self.flow) * PER_SCAN, 0.0)
        own = self.credit + 1
        self.left = tool.keeper(
            tag(own) / (tag(self.credit) + 1.0) + (tag(self.valve) * FULL - tag(own)) * tag(self.valve), FULL
        )
        self.scan = Scan(tool.build())

    def purge(self, flow: float, status: int = Status.GOOD, scans: int = 1) -> float:
        """Say a flow, wait, and return what is left."""
        self.scan.post(self.flow, flow, status, 1)
        self.scan.advance(scans)
        values, statuses, _ = self.scan.values()
        assert int(statuses[self.left]) == Status.GOOD
        return float(values[self.left])


def test_before_anything_is_known_everything_is_assumed_to_be_there() -> None:
    values, statuses, _ = Vessel().scan.values()
    assert values[-1] == FULL
    assert statuses[-1] == Status.GOOD


def test_what_is_measured_thins_scan_by_scan() -> None:
    assert Vessel().purge(1.0, scans=10) == pytest.approx(FULL / 1.5**10)


@pytest.mark.parametrize("status", [Status.BAD, Status.UNCERTAIN, Status.BAD_NO_COMMUNICATION])
def test_a_flow_that_is_not_good_thins_nothing_and_loses_nothing(status: int) -> None:
    vessel = Vessel()
    before = vessel.purge(1.0, scans=3)
    assert vessel.purge(1.0, status, scans=50) == before
    assert vessel.purge(1.0) == pytest.approx(before / 1.5)


def test_a_value_out_of_range_or_not_finite_is_no_credit() -> None:
    vessel = Vessel()
    before = vessel.purge(1.0)
    assert vessel.purge(1e9, scans=9) == before
    assert vessel.purge(float("nan"), scans=9) == before


def test_a_state_that_is_kept_and_taken_up_goes_on_where_it_was() -> None:
    vessel, other = Vessel(), Vessel()
    vessel.purge(1.0, scans=7)
    other.scan.restore(vessel.scan.state())
    assert other.purge(1.0) == vessel.purge(1.0)
