"""Values of the contract that are not tags: what the daemon must tell, and what follows from the image.

The paths are those of `Backend.variables()`. A daemon may tell more; the further ones get their type from their first
value. What it does not tell stays at BadWaitingForInitialData.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kernels.image import Snapshot
from kernels.tables import ConditionState
from opcua_model.publishing.encoding import BAD
from opcua_model.publishing.snapshot import moment


@dataclass(frozen=True)
class Variable:
    """A variable of the contract: path below the tool object, OPC UA type, text."""

    path: str
    type: str
    description: str


STATE: Final = (
    Variable("State/Mode", "String", "Mode of the equipment: Init, Standby, Ready, Processing, Maintenance or Fault."),
    Variable("State/ModeCode", "EquipmentModeEnum", "The same as a value of an enumeration."),
    Variable("State/E10State", "String", "SEMI E10 state of the equipment."),
    Variable("State/E10StateCode", "E10StateEnum", "The same as a value of an enumeration."),
    Variable("State/ControlOwner", "String", "User who holds the control of the tool; empty: nobody."),
    Variable("State/ControlLocation", "String", "From where the tool is controlled: Local, Remote, or empty."),
    Variable("State/ControlTimeLeftS", "Double", "Time until the owner loses the control unless they act, s."),
    Variable("State/DisplayLanguage", "String", "Language in which people here want to read: en, de."),
    Variable("State/DisplayUnits", "String", 'Units in which they want to read, as JSON: {"Torr": "mbar"}.'),
    Variable("State/LockedModules", "String", "Modules that are locked out, each with who and why; empty: none."),
    Variable("State/E10StateS", "Double", "Time in the present SEMI E10 state, s."),
    Variable("State/E10ProductiveS", "Double", "Time in Productive since the records began, s."),
    Variable("State/E10StandbyS", "Double", "Time in Standby since the records began, s."),
    Variable("State/E10EngineeringS", "Double", "Time in Engineering since the records began, s."),
    Variable("State/E10ScheduledDowntimeS", "Double", "Time in Scheduled Downtime since the records began, s."),
    Variable("State/E10UnscheduledDowntimeS", "Double", "Time in Unscheduled Downtime since the records began, s."),
    Variable("State/E10NonScheduledS", "Double", "Time in Non-Scheduled since the records began, s."),
    Variable("State/E10UptimePct", "Double", "Uptime as part of operations time, %: Productive, Standby, Engineering."),
)

ACTIVE_RUN: Final = (
    Variable("Runs/ActiveRun/RunId", "String", "UUID of the run that is active, or was last; empty: none yet."),
    Variable("Runs/ActiveRun/RunNumber", "String", "Its number."),
    Variable("Runs/ActiveRun/RecipeName", "String", "Name of its recipe."),
    Variable("Runs/ActiveRun/RecipeVersion", "Int64", "Version of its recipe."),
    Variable("Runs/ActiveRun/State", "String", "ISA-88 state: IDLE, RUNNING, HOLDING, HELD, COMPLETE …"),
    Variable("Runs/ActiveRun/StateCode", "RunStateEnum", "The same as a value of an enumeration."),
    Variable("Runs/ActiveRun/Cause", "String", "Why it came into this state."),
    Variable("Runs/ActiveRun/StepIndex", "Int64", "Index of the step that runs, from 0; -1 outside of one."),
    Variable("Runs/ActiveRun/StepName", "String", "Name of the step that runs."),
    Variable("Runs/ActiveRun/StepElapsedS", "Double", "Time in this step, s."),
    Variable("Runs/ActiveRun/ElapsedS", "Double", "Time in this run, s."),
    Variable("Runs/ActiveRun/TimeLeftS", "Double", "Time that is left by plan, s."),
    Variable("Runs/ActiveRun/Progress", "Double", "Part of the plan that is done, 0 to 1."),
)

RECOVERY: Final = (
    Variable("Runs/InterruptedRunId", "String", "UUID of a run that a crash has interrupted; empty: none waits."),
    Variable("Runs/InterruptedRun", "String", "Its number."),
    Variable("Runs/InterruptedStep", "String", "Name of the step in which it was."),
    Variable("Runs/InterruptedElapsedS", "Double", "How long it had run, s."),
    Variable("Runs/RecoveryOffers", "String", "What RecoverRun can be asked for: resume, abort, close."),
    Variable("Runs/RecoveryReason", "String", "Why it cannot be resumed; empty: it can."),
)

SERVICES: Final = (
    Variable("Services/Active", "String", "Name of the service operation that runs; empty: none."),
    Variable("Services/State", "String", "Its state, as of a run."),
    Variable("Services/StateCode", "RunStateEnum", "The same as a value of an enumeration."),
    Variable("Services/StepName", "String", "Name of its step."),
    Variable("Services/ElapsedS", "Double", "Time since it was started, s."),
)

CARE: Final = (
    Variable("Care/Due", "Int64", "Tasks of the crew that are due."),
    Variable("Care/Soon", "Int64", "Tasks that fall due soon."),
    Variable("Care/DueTitles", "String", "Titles of those that are due."),
    Variable("Care/Stopped", "String", "Counters beyond their stop limits: no recipe starts; empty: none."),
)

DIAGNOSTICS: Final = (
    Variable("Diagnostics/ControllerAlive", "Boolean", "True while the real-time half answers."),
    Variable("Diagnostics/ScanPeriodUs", "Double", "Declared period of the scan, µs."),
    Variable("Diagnostics/ScanDurationUs", "Double", "Duration of the last scan, publishing included, µs."),
    Variable("Diagnostics/WakeupLatencyP50Us", "Double", "Median lateness of the scan's start, µs."),
    Variable("Diagnostics/WakeupLatencyP99Us", "Double", "99 % of scans start with less lateness, µs."),
    Variable("Diagnostics/WakeupLatencyMaxUs", "Double", "Greatest lateness since the start, µs."),
    Variable("Diagnostics/Overruns", "Int64", "Scans that took longer than their period."),
    Variable("Diagnostics/SkippedSlots", "Int64", "Scan slots that were skipped since the start."),
    Variable("Diagnostics/RealTime", "Boolean", "True when the scan runs with real-time priority."),
    Variable("Diagnostics/InterlocksTripped", "Int64", "Trips and holds in force."),
    Variable("Diagnostics/HistorianLagS", "Double", "Age of the newest row that is safe on disk, s."),
    Variable("Diagnostics/TimeSync", "String", "State of the clock's synchronisation."),
    Variable("Diagnostics/Sessions", "Int64", "OPC UA sessions that are open."),
)

ALARMS: Final = (
    Variable("Alarms/Active", "Int64", "Alarms whose cause is present."),
    Variable("Alarms/Standing", "Int64", "Those of them that are neither shelved, suppressed nor out of service."),
    Variable("Alarms/Unacknowledged", "Int64", "Alarms that nobody has acknowledged."),
    Variable("Alarms/Unconfirmed", "Int64", "Acknowledged alarms whose action nobody has confirmed."),
    Variable("Alarms/Shelved", "Int64", "Alarms on the shelf."),
    Variable(
        "Alarms/Suppressed", "Int64", "Alarms that are suppressed: by design in this mode or step, or by a method."
    ),
    Variable("Alarms/OutOfService", "Int64", "Alarms out of service."),
    Variable("Alarms/Disabled", "Int64", "Alarms that are disabled."),
    Variable("Alarms/ActiveCritical", "Int64", "Active alarms of critical priority."),
    Variable("Alarms/ActiveHigh", "Int64", "Active alarms of high priority."),
    Variable("Alarms/ActiveMedium", "Int64", "Active alarms of medium priority."),
    Variable("Alarms/ActiveLow", "Int64", "Active alarms of low priority."),
    Variable("Alarms/Rate10Min", "Int64", "Alarms that asked for an answer in the last ten minutes."),
    Variable("Alarms/RateHour", "Int64", "In the last hour."),
    Variable("Alarms/RateDay", "Int64", "In the last day."),
    Variable("Alarms/Peak10Min", "Int64", "The most in any ten minutes since the server started."),
    Variable("Alarms/Flood", "Boolean", "True from more than 10 in ten minutes until fewer than 5."),
    Variable("Alarms/Floods", "Int64", "Floods since the server started, those of the day before it included."),
    Variable("Alarms/Chattering", "Int64", "Alarms that came three times or more in the last minute."),
    Variable("Alarms/ChatteringNames", "String", "Their names."),
    Variable("Alarms/Stale", "Int64", "Alarms that have been active for more than a day."),
    Variable("Alarms/StaleNames", "String", "Their names."),
    Variable("Alarms/MostFrequent", "String", "The ten most frequent ones of the last day with their counts."),
)
"""The figures of ISA-18.2 by which an alarm system is judged."""

VARIABLES: Final[tuple[Variable, ...]] = (*STATE, *ACTIVE_RUN, *RECOVERY, *SERVICES, *CARE, *DIAGNOSTICS, *ALARMS)

CONDITION: Final = (
    Variable("State", "String", "Normal, Pending (in its delay), Active, Latched or Bypassed."),
    Variable("StateCode", "InterlockStateEnum", "The same as a value of an enumeration."),
    Variable("Active", "Boolean", "True while the cause is present."),
    Variable("Latched", "Boolean", "True from the trip until a reset."),
    Variable("Bypassed", "Boolean", "True while it is bypassed."),
    Variable("FirstOut", "Boolean", "True when it was the first of its group."),
    Variable("TripCount", "Int64", "How often it tripped since the controller started."),
    Variable("LastTrip", "DateTime", "When it tripped last."),
    Variable("BypassLeftS", "Double", "Time until the bypass ends by itself, s."),
    Variable("BypassWhy", "String", "While it is bypassed: until when, why, who asked for it and who confirmed it."),
    Variable("ProofTest", "String", "Of its proof test: none, ok, soon, overdue, failed or under way."),
    Variable("ProofTestDue", "DateTime", "When the next one is due; null: none is declared."),
    Variable("LastProofTest", "DateTime", "When one was passed last; null: never."),
    Variable("Why", "String", "The cause in words with the values that made it, while there is one."),
)
"""What every interlock shows; what is in `TOLD` comes from the daemon, as `Interlocks/<name>/Why`."""
TOLD: Final = {"Why": "", "BypassWhy": "", "ProofTest": "none", "ProofTestDue": None, "LastProofTest": None}
"""What stands there where the daemon says nothing."""


CODE: Final = "Code"
"""Ending of the name of a state's twin, whose DataType is an enumeration (docs/decisions/0014)."""


def controller_gone(now: Snapshot) -> bool:
    """Tell whether the image has no living source: every status is Bad."""
    return len(now.status) > 0 and bool((now.status & BAD).all())


def condition_values(now: Snapshot, period_s: float) -> list[dict[str, Any]]:
    """Turn the conditions' rows of the image into what their objects show, by name; `Why` is not among it."""
    rows = now.conditions
    shown: list[dict[str, Any]] = []
    period_ns = int(period_s * 1e9)
    for state, trips, last, left in zip(
        rows["state"].tolist(),
        rows["trips"].tolist(),
        rows["last_trip"].tolist(),
        rows["bypass_left"].tolist(),
        strict=True,
    ):
        tripped = moment(now.time_ns - (now.scan - last) * period_ns) if last >= 0 and trips else None
        shown.append(
            {
                "State": state_text(state),
                "Active": bool(state & ConditionState.ACTIVE),
                "Latched": bool(state & ConditionState.LATCHED),
                "Bypassed": bool(state & ConditionState.BYPASSED),
                "FirstOut": bool(state & ConditionState.FIRST_OUT),
                "TripCount": trips,
                "LastTrip": tripped,
                "BypassLeftS": max(0, left) * period_s,
            }
        )
    return shown


def state_text(state: int) -> str:
    """Name the state of a condition."""
    for bit, text in (
        (ConditionState.BYPASSED, "Bypassed"),
        (ConditionState.ACTIVE, "Active"),
        (ConditionState.LATCHED, "Latched"),
        (ConditionState.RAW, "Pending"),
    ):
        if state & bit:
            return text
    return "Normal"


def same(before: Any, after: Any) -> bool:
    """Tell whether a value stayed; NaN stays NaN."""
    if isinstance(before, float) and isinstance(after, float):
        return before == after or bool(np.isnan(before) and np.isnan(after))
    return type(before) is type(after) and before == after
