"""Statistical process control: charts, rules, and the films of real runs on them."""

import json
import math
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opcua_model.conditions.state import AlarmState, Shelf
from supervisor.link.messages import EventKind
from supervisor.server.spc.charts import (
    D2,
    LSL,
    NELSON,
    RULES,
    SPREAD,
    USL,
    WESTERN_ELECTRIC,
    Limits,
    Point,
    broken,
    c4,
    capability,
    estimate,
    moving_range,
    outside,
    subgroup,
)
from tests.supervisor.server.stand import AMIR, ERIKA, OLGA, OTTO, House
from tests.supervisor.server.test_life import approved, audited, furnace_house, refusal

LEAST = datetime(1601, 1, 1)  # noqa: DTZ001 - as asyncua reads OPC UA's least DateTime
UNIT = Limits(0.0, 1.0, individuals=True)


def points(*values: float) -> list[Point]:
    """Individuals without moving ranges: what the rules of patterns see."""
    return [Point(value) for value in values]


# ------------------------------------------------------------------------------------------------------------ charts
def test_the_constants_are_those_of_the_tables() -> None:
    """Montgomery, appendix VI: c4(2) = 0.7979, c4(5) = 0.9400, c4(25) = 0.9896; d2(2) = 1.128; D4(2) = 3.267."""
    assert [round(c4(count), 4) for count in (2, 5, 25)] == [0.7979, 0.94, 0.9896]
    assert round(D2, 3) == 1.128
    low, high = Limits(10.0, 1.0 / D2, individuals=True).spread(1)  # of a mean moving range of one
    assert low == 0.0
    assert round(high, 3) == 3.267


def test_the_standard_s_own_example_of_individuals() -> None:
    """NIST/SEMATECH e-Handbook, 6.3.2.2: batches of a flow rate, mean 50.81, mean moving range 1.8778."""
    flows = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    made = [Point(value, moving_range(value, before)) for value, before in zip(flows, [None, *flows[:-1]], strict=True)]
    limits = estimate(made, individuals=True)
    assert round(limits.mean, 2) == 50.81
    assert limits.upper(1) == pytest.approx(55.8041, abs=0.002)  # the book rounds d2 to 1.128
    assert limits.lower(1) == pytest.approx(45.8159, abs=0.002)
    assert broken(made, limits, tuple(WESTERN_ELECTRIC)) == []


def test_means_of_few_wafers_have_wider_limits_than_means_of_many() -> None:
    limits = Limits(100.0, 2.0, individuals=False)
    assert limits.upper(4) == 103.0
    assert limits.upper(25) == pytest.approx(101.2)
    low, high = limits.spread(5)  # B3 is 0, B4 is 2.089 of c4 · sigma
    assert (low, round(high / (c4(5) * 2.0), 3)) == (0.0, 2.089)


@given(st.lists(st.lists(st.floats(90, 110), min_size=3, max_size=9), min_size=8, max_size=20), st.integers(-50, 50))
def test_limits_move_with_the_process_and_not_with_its_level(groups: list[list[float]], shift: int) -> None:
    made = [subgroup(group) for group in groups]
    if sum(point.spread or 0.0 for point in made) < 1e-6:
        with pytest.raises(ValueError, match=r"same value"):
            estimate([subgroup([100.0, 100.0, 100.0])] * 8, individuals=False)
        return
    here = estimate(made, individuals=False)
    there = estimate([subgroup([value + shift for value in group]) for group in groups], individuals=False)
    assert there.mean == pytest.approx(here.mean + shift)
    assert there.sigma == pytest.approx(here.sigma, rel=1e-6, abs=1e-9)


def test_a_process_in_control_finds_its_own_spread_again() -> None:
    random = Random(7)
    values = [random.gauss(100.0, 0.8) for _ in range(4000)]
    made = [Point(value, moving_range(value, before)) for value, before in zip(values[1:], values[:-1], strict=True)]
    limits = estimate(made, individuals=True)
    assert limits.sigma == pytest.approx(stdev(values), rel=0.04)


BREAKERS: dict[str, list[float]] = {
    "WE1": [0.0, 3.1],
    "WE2": [2.1, 0.0, 2.2],
    "WE3": [1.1, 1.2, -0.3, 1.3, 1.4],
    "WE4": [0.2] * 8,
    "N1": [0.0, -3.1],
    "N2": [-0.2] * 9,
    "N3": [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5],
    "N4": [0.5, -0.5] * 7,
    "N5": [-2.1, 0.0, -2.2],
    "N6": [-1.1, -1.2, 0.3, -1.3, -1.4],
    "N7": [0.5, -0.5, 0.2] * 5,
    "N8": [1.5, -1.5, 1.2, -1.2] * 2,
}


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_broken_by_its_pattern_and_not_one_point_earlier(name: str) -> None:
    pattern = BREAKERS[name]
    assert broken(points(*pattern), UNIT, (name,)) == [name]
    assert broken(points(*pattern[1:-1], 0.0), UNIT, (name,)) == []
    if len(pattern) > 2:
        assert broken(points(*pattern[1:]), UNIT, (name,)) == []
    # Mirrored it is the same rule.
    assert broken(points(*(-one for one in pattern)), UNIT, (name,)) == [name]


@pytest.mark.parametrize("rules", [WESTERN_ELECTRIC, NELSON])
@given(z=st.lists(st.floats(-4, 4), min_size=1, max_size=30), scale=st.floats(0.1, 50), level=st.floats(-500, 500))
def test_a_verdict_does_not_depend_on_the_unit(
    rules: dict[str, Any], z: list[float], scale: float, level: float
) -> None:
    z = [round(one, 3) + 0.0005 for one in z]
    plain = broken(points(*z), UNIT, tuple(rules))
    scaled = broken(points(*(one * scale + level for one in z)), Limits(level, scale, individuals=True), tuple(rules))
    steps = {"N3", "N4"}  # equal neighbours may differ by rounding
    assert set(scaled) - steps == set(plain) - steps


def test_a_leap_is_told_by_the_moving_range_and_a_specification_by_itself() -> None:
    assert broken([Point(1.5), Point(-2.3, 3.8)], UNIT, ()) == [SPREAD]
    assert outside(105.0, 95.0, 104.0) == [USL]
    assert outside(94.0, 95.0, None) == [LSL]
    assert outside(95.0, 95.0, 95.0) == []


def test_capability_needs_what_it_is_made_of() -> None:
    assert capability(100.0, 1.0, 94.0, 106.0) == (2.0, 2.0)
    assert capability(101.5, 1.0, 94.0, 106.0) == (2.0, 1.5)
    assert capability(100.0, 1.0, 97.0, None) == (None, 1.0)
    assert capability(100.0, 1.0, None, None) == (None, None)


# -------------------------------------------------------------------------------------------------------------- runs
async def a_film(h: House, recipe: tuple[str, int], *thicknesses: float, **film: Any) -> str:
    """A run from its creation to its result."""
    run_id, number = await h.call(OLGA, "Runs", "CreateRun", *recipe, "lot 7", "W01", "{}")
    await h.call(OLGA, "Runs", "StartRun", run_id)
    h.furnace.run(5)
    await h.controller.finish(run_id, film="SiO2", thickness_map=list(thicknesses), **film)
    await h.until(lambda: ("Results", number) in h.space.entries)
    await h.until(lambda: h.server.desk.projector.settled)
    return run_id


async def define(h: House, **wanted: Any) -> str:
    """A series of Erika's."""
    document = {"name": "oxide thickness", "parameter": "thickness_mean_nm", **wanted}
    return (await h.call(ERIKA, "Spc", "DefineSeries", json.dumps(document)))[0]


async def given_points(h: House, name: str = "oxide thickness") -> list[dict[str, Any]]:
    """What the series has."""
    return json.loads((await h.call(OTTO, "Spc", "GetPoints", name, LEAST, LEAST, 0))[0])


@pytest.mark.anyio
async def test_films_become_points_limits_and_events(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        series_id = await define(h, baseline=8, target=100.0, lsl=90.0, usl=110.0, recipe_id=recipe[0])
        for number in range(8):
            await a_film(h, recipe, 99.0 + 0.5 * (number % 3), 101.0)
        await h.until(lambda: h.space.entries["Spc", "oxide thickness"].fields["Points"] == 8)
        shown = h.space.entries["Spc", "oxide thickness"].fields
        assert shown["SeriesId"] == series_id
        assert shown["LimitsFrom"] == "baseline"
        assert shown["Lcl"] < shown["Mean"] < shown["Ucl"]
        assert shown["Cp"] > 1.0
        assert shown["LastViolation"] == ""
        assert not [one for one in h.space.occurrences if one.source.startswith("Spc/")]
        odd = await a_film(h, recipe, 110.0, 114.0)
        await h.until(lambda: any(one.source == "Spc/oxide thickness" for one in h.space.occurrences))
        (told,) = [one for one in h.space.occurrences if one.source == "Spc/oxide thickness"]
        assert (told.type, told.severity) == ("SpcEventType", 600)
        assert told.fields["RunId"] == odd
        assert "beyond a control limit" in told.message
        assert "above the upper specification limit" in told.message
        last = (await given_points(h))[-1]
        assert last["violation_rules"] == ["WE1", "SPREAD", "USL"]
        assert last["ucl"] == pytest.approx(shown["Ucl"])
        results = json.loads((await h.call(OTTO, "Runs", "GetResults", odd))[0])
        (kept,) = results["spc_snapshot"]
        assert kept == {"series": "oxide thickness", "value": 112.0, "violation": True,
                        "violation_rules": ["WE1", "SPREAD", "USL"]}  # fmt: skip


@pytest.mark.anyio
async def test_a_film_that_is_measured_again_keeps_its_place(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        await define(h, mean=100.0, std_dev=1.0)
        first = await a_film(h, recipe, 108.0, 108.0)
        await a_film(h, recipe, 100.0, 100.0)
        await h.controller.happen(EventKind.METROLOGY, run_id=first, film="SiO2", thickness_map=[100.0, 101.0])
        await h.until(lambda: h.space.entries["Spc", "oxide thickness"].fields["Points"] == 2)
        found = await given_points(h)
        while found[0]["value"] != 100.5:
            found = await given_points(h)
        assert found[0]["run_id"] == first
        assert [point["violation_rules"] for point in found] == [[], ["SPREAD"]]


@pytest.mark.anyio
async def test_only_runs_of_the_recipe_and_of_the_tool_itself_count(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        other = json.loads((await h.call(OTTO, "Recipes", "GetRecipe", *recipe))[0])
        assert other
        await define(h, process_mode="PECVD Nitride" if "PECVD Nitride" in str(other) else None)
        await define(h, name="map", chart="xbar", mean=100.0, std_dev=1.0)
        # A service operation measures nothing of a recipe, whatever comes with it.
        started = await h.controller.happen(
            EventKind.RUN_STARTED, run_id="0e0c9d1a-0000-4000-8000-000000000001", run_number="CVD-op",
            kind="operation", name="leak check", steps=[],
        )  # fmt: skip
        await h.controller.finish(str(started.data["run_id"]), film="SiO2", thickness_map=[50.0, 51.0])
        await h.until(lambda: ("Results", "CVD-op") in h.space.entries)
        assert await given_points(h) == []
        await a_film(h, recipe, 100.0, 101.0, 99.0, 100.0)
        (point,) = await given_points(h, "map")
        assert (point["subgroup_size"], point["value"], point["ucl"]) == (4, 100.0, 101.5)
        assert math.isclose(point["spread"], stdev([100.0, 101.0, 99.0, 100.0]))


@pytest.mark.anyio
async def test_series_survive_a_restart_and_stand_in_the_folder(tmp_path: Path) -> None:
    journal: list[Any] = []
    async with furnace_house(tmp_path, journal=journal) as h:
        await define(h, mean=100.0, std_dev=1.0)
        await a_film(h, await approved(h), 100.0, 102.0)
    async with furnace_house(tmp_path, journal=journal) as h:
        shown = h.space.entries["Spc", "oxide thickness"].fields
        assert (shown["Points"], shown["LastValue"], shown["Ucl"]) == (1, 101.0, 103.0)
        total, listed = await h.server.backend.entries("Spc", 0, 10)
        assert (total, [one.name for one in listed]) == (1, ["oxide thickness"])


@pytest.mark.anyio
async def test_limits_are_made_anew_by_an_engineer_with_a_reason(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        await define(h, mean=50.0, std_dev=1.0, ucl=52.0)
        assert "8 points" in (await refusal(h, AMIR, "Spc", "RecalculateLimits", "oxide thickness", 3, "x")).reason
        refused = await refusal(h, AMIR, "Spc", "RecalculateLimits", "oxide thickness", 8, "new boat")
        assert "has 0 points yet" in refused.reason
        for number in range(8):
            await a_film(h, recipe, 100.0 + number % 2)
        await h.until(lambda: h.space.entries["Spc", "oxide thickness"].fields["Points"] == 8)
        await h.call(AMIR, "Spc", "RecalculateLimits", "oxide thickness", 8, "new boat")
        shown = h.space.entries["Spc", "oxide thickness"].fields
        assert (shown["Mean"], shown["LimitsFrom"]) == (100.5, "recalculated")
        assert shown["Ucl"] == pytest.approx(100.5 + 3 / D2)
        # Rules of patterns look at no point from before: eight below the old mean say nothing of the new one.
        await a_film(h, recipe, 100.0)
        await h.until(lambda: h.space.entries["Spc", "oxide thickness"].fields["Points"] == 9)
        assert (await given_points(h))[-1]["violation_rules"] == []
        await h.call(AMIR, "Spc", "RetireSeries", "oxide thickness", "another chart follows it")
        await a_film(h, recipe, 100.0)
        assert len(await given_points(h)) == 9
        actions = [(user, action) for user, action, _ in await audited(h)]
        assert ("amir", "recalculate_spc_limits") in actions
        assert ("amir", "retire_spc_series") in actions


SPC = "spc_oxide thickness"
ALARM = f"Alarms/{SPC}"


def alarm_of(h: House) -> AlarmState:
    return h.server.desk.alarms.states[SPC]


async def told_of_alarm(h: House, source: str) -> list[str]:
    """What the history of events says of the alarm at a notifier, oldest first."""
    found = await h.server.backend.past_events(0, 2**62, 1000, source, None)
    return [one.occurrence.message for one in found if one.occurrence.source == ALARM]


@pytest.mark.anyio
async def test_a_violation_is_an_alarm_that_people_answer(tmp_path: Path) -> None:
    journal: list[Any] = []
    async with furnace_house(tmp_path, journal=journal) as h:
        recipe = await approved(h)
        await define(h, mean=100.0, std_dev=1.0)
        assert h.space.added == [SPC]
        await a_film(h, recipe, 100.0, 100.0)
        assert not alarm_of(h).active
        await a_film(h, recipe, 104.0, 104.0)
        await h.until(lambda: alarm_of(h).active)
        first = alarm_of(h)
        assert (first.active, first.acked, first.retain, first.severity) == (True, False, True, 500)
        assert "oxide thickness: thickness_mean_nm = 104 of CVD-" in first.message
        assert "beyond a control limit" in first.message
        assert (first, True) in h.space.alarms
        assert h.server.backend.variables()[f"{ALARM}/Why"] == first.message
        await h.call(OLGA, ALARM, "Acknowledge", first.event_id, "the boat is new")
        assert (alarm_of(h).acked, alarm_of(h).comment, alarm_of(h).active) == (True, "the boat is new", True)
        # Another film beyond the limit is another question.
        await a_film(h, recipe, 104.5, 104.5)
        await h.until(lambda: "= 104.5 of" in alarm_of(h).message)
        second = alarm_of(h)
        assert (second.active, second.acked, second.occurrences) == (True, False, 1)
        refused = await refusal(h, OTTO, ALARM, "Acknowledge", second.event_id, "")
        assert refused.status == "BadUserAccessDenied"
        assert (await refusal(h, OLGA, ALARM, "Acknowledge", b"made up", "")).status == "BadEventIdUnknown"
        await h.call(OLGA, ALARM, "TimedShelve", 3_600_000.0)
        assert alarm_of(h).shelf is Shelf.TIMED
    async with furnace_house(tmp_path, journal=journal) as h:
        h.furnace.run(200)  # the new controller's clock begins where the old one's did
        assert h.space.added == [SPC]
        kept = alarm_of(h)
        assert (kept.active, kept.acked, kept.shelf, kept.message) == (True, False, Shelf.TIMED, second.message)
        await h.controller.happen(EventKind.BOOT, tool="x")
        await h.until(lambda: h.server.desk.projector.settled)
        assert alarm_of(h).verified, "a controller that starts knows nothing of films"
        recipe = await approved(h)
        await a_film(h, recipe, 100.0, 100.0)
        await h.until(
            lambda: alarm_of(h).message.endswith("moving range or standard deviation beyond its control limit")
        )
        await a_film(h, recipe, 100.0, 100.0)
        await h.until(lambda: not alarm_of(h).active)
        assert alarm_of(h).message.endswith("in control")
        assert alarm_of(h).retain, "nobody has answered the last question"
        words = await told_of_alarm(h, "")
        assert len(words) == 6  # raised, acknowledged, asked again, shelved, asked again, in control
        assert await told_of_alarm(h, "Spc") == await told_of_alarm(h, ALARM) == words
        assert await told_of_alarm(h, "Equipment") == []


@pytest.mark.anyio
async def test_the_alarm_of_a_series_ends_with_the_series_and_not_with_an_old_film(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        await define(h, mean=100.0, std_dev=1.0)
        first = await a_film(h, recipe, 100.0, 100.0)
        await a_film(h, recipe, 100.5, 100.5)
        # The older film is measured again and is odd: the chart says so; the process stands as its newest film does.
        await h.controller.happen(EventKind.METROLOGY, run_id=first, film="SiO2", thickness_map=[110.0, 110.0])
        while (await given_points(h))[0]["violation"] is False:
            await h.until(lambda: h.server.desk.projector.settled)
        await a_film(h, recipe, 110.0, 110.0)
        await h.until(lambda: alarm_of(h).active)
        assert alarm_of(h).occurrences == 1, "the old film asked nobody anything"
        await h.call(AMIR, "Spc", "RetireSeries", "oxide thickness", "another chart follows it")
        assert not alarm_of(h).active
        assert alarm_of(h).message == "oxide thickness: it was retired"
        assert alarm_of(h).retain, "nobody has answered it yet"


@pytest.mark.anyio
async def test_what_cannot_be_followed_is_refused_with_every_reason(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        assert (await refusal(h, OLGA, "Spc", "DefineSeries", "{}")).status == "BadUserAccessDenied"
        wrong = {"name": "a/b", "parameter": "colour", "baseline": 2, "cpk": 1.3}
        reason = (await refusal(h, ERIKA, "Spc", "DefineSeries", json.dumps(wrong))).reason
        for word in ("name", "parameter", "baseline", "cpk"):
            assert word in reason
        for document, words in (
            ({"mean": 1.0}, "mean and std_dev go together"),
            ({"lsl": 2.0, "usl": 1.0}, "lsl must be below usl"),
            ({"ucl": 2.0}, "lcl and ucl need mean"),
            ({"rules": ["WE1", "WE9"]}, "no rule 'WE9'"),
            ({"parameter": "stress_mpa", "chart": "xbar"}, "points of the thickness map"),
            ({"process_mode": "nothing"}, "no process mode 'nothing'"),
            ({"recipe_id": "0e0c9d1a-0000-4000-8000-000000000001"}, "no recipe"),
            ({"name": "GetPoints"}, "is a node of the folder"),
        ):
            asked = json.dumps({"name": "x", "parameter": "thickness_mean_nm", **document})
            assert words in (await refusal(h, ERIKA, "Spc", "DefineSeries", asked)).reason
        await define(h)
        again = json.dumps({"name": "oxide thickness", "parameter": "stress_mpa"})
        assert (await refusal(h, ERIKA, "Spc", "DefineSeries", again)).status == "BadBrowseNameDuplicated"
        assert (await refusal(h, OTTO, "Spc", "GetPoints", "nothing", LEAST, LEAST, 0)).status == "BadNotFound"
