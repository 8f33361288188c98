"""Every alarm of a tool as people meet it: the declared ones, the trips and holds among the interlocks, and bypasses.

A trip or a hold asks for an answer like any alarm, and more urgently; a permissive does not: that it is in force is
usual. What the scan calls a condition is a point of an alarm here. An interlock that may be bypassed has one alarm
more, that nobody declares and nobody can shelve: it stands while the bypass does. A series of process control has one
that comes with the series (`series_alarm`): it stands while the newest point breaks a rule. All proof tests have one.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from config.alarms import AlarmPoint, Limit, points
from config.expression import ExpressionError, names, read_boolean
from config.layout import Layout
from config.tool import Alarm, AlarmKind, Interlock, InterlockClass, Priority, Suppression

SEVERITY = {Priority.CRITICAL: 900, Priority.HIGH: 700, Priority.MEDIUM: 500, Priority.LOW: 200}
"""OPC UA severities of the priorities."""


class Watches(StrEnum):
    """What makes an alarm active."""

    CAUSE = "cause"  # the cause of its points
    BYPASS = "bypass"  # that its interlock is bypassed
    PROOF = "proof"  # that proof tests are due, coming up or failed
    SERIES = "series"  # that the newest point of its series of process control breaks a rule


@dataclass(frozen=True)
class AlarmDefinition:
    """One alarm with its points, the most urgent first."""

    name: str
    declared: Interlock | Alarm
    points: tuple[Interlock | AlarmPoint, ...]
    module: str
    """The module that it belongs to: of its tag, or of the first one in its cause."""
    tag: str | None
    """What it watches, where that is one tag."""
    watches: Watches = Watches.CAUSE
    interlock: str | None = None
    """The interlock whose bypass it watches."""
    series: str | None = None
    """The series of process control that it watches."""

    @property
    def alarm(self) -> Alarm | None:
        """The declaration; None of an interlock."""
        return self.declared if isinstance(self.declared, Alarm) else None

    @property
    def source(self) -> str:
        """Path of what it is an alarm of."""
        if self.watches is Watches.SERIES:
            return "Spc"
        return f"Interlocks/{self.interlock}" if self.interlock else f"Equipment/{self.module}"

    @property
    def kind(self) -> AlarmKind | None:
        """Kind of the declaration; None of an interlock."""
        return None if self.alarm is None else self.alarm.kind

    @property
    def safety(self) -> bool:
        """Of the safety class: interlocks always, alarms as declared."""
        return self.alarm is None or self.alarm.safety

    @property
    def confirm(self) -> bool:
        """Whether somebody confirms that the action was taken."""
        return self.alarm is not None and self.alarm.confirm

    @property
    def max_shelve_s(self) -> float:
        """Longest time on the shelf; 0: never."""
        return 0.0 if self.alarm is None or self.safety else self.alarm.max_shelve_s

    @property
    def re_alarm_s(self) -> float:
        """Time until it asks again; 0: never."""
        return 0.0 if self.alarm is None else self.alarm.re_alarm_s

    @property
    def suppress(self) -> Suppression:
        """When it is suppressed by design."""
        return Suppression() if self.alarm is None else self.alarm.suppress

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each point by its name."""
        return {point.name: place for place, point in enumerate(self.points)}

    def limit(self, place: int) -> Limit | None:
        """Limit of a point."""
        point = self.points[place]
        return point.limit if isinstance(point, AlarmPoint) else None

    def severity(self, place: int) -> int:
        """OPC UA severity while this is the most urgent point."""
        return SEVERITY[self.points[place].priority]


def alarm_list(layout: Layout) -> dict[str, AlarmDefinition]:
    """All alarms of a tool by name, in the order of the file: trips and holds, their bypasses, then the declared."""
    found: dict[str, AlarmDefinition] = {}
    for interlock in layout.tool.interlocks:
        if interlock.cls is not InterlockClass.PERMISSIVE:
            module, tag = _place(layout, interlock.when)
            found[interlock.name] = AlarmDefinition(interlock.name, interlock, (interlock,), module, tag)
    for interlock in layout.tool.interlocks:
        if interlock.bypassable:
            made = _of_bypass(layout, interlock)
            found[made.name] = made
    if any(interlock.proof_test is not None for interlock in layout.tool.interlocks):
        found[PROOF_TESTS] = _of_proof_tests()
    of_alarm: dict[str, list[AlarmPoint]] = {}
    for point in layout.conditions:
        if isinstance(point, AlarmPoint):
            of_alarm.setdefault(point.alarm.name, []).append(point)
    for alarm in layout.tool.alarms:
        watched = alarm.tag or (alarm.tags[0] if alarm.tags else None)
        module, tag = (watched.partition(".")[0], watched) if watched else _place(layout, alarm.when or "")
        found[alarm.name] = AlarmDefinition(alarm.name, alarm, tuple(of_alarm[alarm.name]), module, tag)
    return found


def bypass_alarm(interlock: str) -> str:
    """Name of the alarm that stands while an interlock is bypassed."""
    return f"bypass_{interlock}"


def series_alarm(series: str, parameter: str) -> AlarmDefinition:
    """The alarm of a series of process control: first a point beyond a limit, then one that belongs to a pattern."""
    name = f"spc_{series}"
    alarm = Alarm(
        name="spc",
        kind=AlarmKind.DISCRETE,
        when="0",
        priority=Priority.MEDIUM,
        description="of process control",
        consequence="Films drift out of their specification",
        action="Look at the chart and at what changed on the tool before the next run",
        response_time_s=3600.0,
    ).model_copy(update={"name": name, "description": f"{series}: {parameter} breaks a rule of its control chart"})
    made = (("limit", Priority.MEDIUM, "beyond a limit"), ("pattern", Priority.LOW, "breaks a rule of patterns"))
    both = tuple(
        AlarmPoint(f"{name}.{place}", alarm, None, f"{parameter} {words}", priority, f"{series}: {parameter} {words}")
        for place, priority, words in made
    )
    return AlarmDefinition(name, alarm, both, "Spc", None, Watches.SERIES, series=series)


PROOF_TESTS = "proof_tests"
"""Name of the alarm of proof tests that are due."""


def _of_proof_tests() -> AlarmDefinition:
    """One alarm for all of them, since most fall due together; its points in the order of urgency."""
    alarm = Alarm(
        name=PROOF_TESTS,
        kind=AlarmKind.DISCRETE,
        when="0",
        priority=Priority.MEDIUM,
        description="proof tests of interlocks are due",
        consequence="A fault that only a test would show stays hidden",
        action="Plan the tests (cvd interlocks TOOL.toml --proof), in Maintenance with the tool safe",
        safety=True,
        max_shelve_s=0.0,
    )
    due = AlarmPoint(f"{PROOF_TESTS}.due", alarm, None, "0", Priority.MEDIUM, "proof tests are overdue or failed")
    soon = AlarmPoint(f"{PROOF_TESTS}.soon", alarm, None, "0", Priority.LOW, "proof tests are due soon")
    return AlarmDefinition(PROOF_TESTS, alarm, (due, soon), "system", None, Watches.PROOF)


def _of_bypass(layout: Layout, interlock: Interlock) -> AlarmDefinition:
    """The alarm of a bypass: of the safety class, so it is never shelved, suppressed, disabled or out of service."""
    name = bypass_alarm(interlock.name)
    urgent = {Priority.CRITICAL: Priority.HIGH, Priority.HIGH: Priority.HIGH}
    alarm = Alarm(
        name=name,
        kind=AlarmKind.DISCRETE,
        when="0",
        priority=urgent.get(interlock.priority, Priority.MEDIUM),
        description=f"{interlock.name} is bypassed",
        consequence=f"Nothing stands in the way meanwhile: {interlock.consequence}",
        action="Watch by other means what it would have seen, and end the bypass as soon as it is not needed",
        safety=True,
        max_shelve_s=0.0,
    )
    module, _ = _place(layout, interlock.when)
    return AlarmDefinition(name, alarm, points(alarm), module, None, Watches.BYPASS, interlock.name)


def _place(layout: Layout, when: str) -> tuple[str, str | None]:
    """Module of the first tag of an expression, and that tag where it is the only one."""
    try:
        used = list(dict.fromkeys(node.name for node in names(read_boolean(when, layout.scope).node)))
    except ExpressionError:  # a tool file with it does not pass `cvd check`
        used = []
    first = used[0] if used else "system.run_state"
    return first.partition(".")[0], first if len(used) == 1 else None
