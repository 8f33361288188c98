"""Events in words: where they come from, how severe they are, and a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.alarm_list import SEVERITY
from config.alarms import AlarmPoint
from config.tool import Interlock
from supervisor.link.messages import Event, EventKind
from supervisor.server.texts import ENGLISH, Texts

BOUNDARY = 500


@dataclass(frozen=True)
class Told:
    """An event for people."""

    source: str
    """Path below the tool's object."""
    severity: int
    message: str


_FIXED: dict[EventKind, tuple[str, int, str]] = {
    EventKind.BOOT: ("Diagnostics", 100, "controller {version} started, process {pid}"),
    EventKind.RUN_STARTED: ("Runs/ActiveRun", 200, "{run_number} started"),
    EventKind.RUN_STATE: ("Runs/ActiveRun", 200, "run is {state}, was {previous} ({cause})"),
    EventKind.STEP: ("Runs/ActiveRun", 100, "step {index}: {name}"),
    EventKind.CHECKPOINT: ("Diagnostics", 1, "checkpoint"),
    EventKind.RUN_INTERRUPTED: (
        "Runs/ActiveRun",
        700,
        "{run_number} was interrupted by a crash and waits for a decision (RecoverRun)",
    ),
    EventKind.RUN_ENDED: ("Runs/ActiveRun", 200, "run ended: {state}"),
    EventKind.METROLOGY: ("Results", 100, "film measured"),
    EventKind.TIMEOUT: ("Runs/ActiveRun", 700, "step {step} waited {waited_s} s in vain: {policy}"),
    EventKind.GUARD: ("Runs/ActiveRun", 700, "guard of step {step} failed: {policy}"),
    EventKind.CHECK_FAILED: ("Runs/ActiveRun", 700, "check of step {step} failed: {reason} ({policy})"),
    EventKind.LOOP_FAULT: ("Equipment", 700, "loop {loop} lost its measurement and went off"),
    EventKind.CONTROL: ("Equipment", 300, "control of {group} is {control}, was {previous}"),
    EventKind.PROGRAM_FAULT: ("Runs/ActiveRun", 900, "the program of the run is faulty; the run was aborted"),
    EventKind.BYPASS_EXPIRED: ("Interlocks", 500, "bypass of {name} ended"),
    EventKind.FORCE_EXPIRED: ("Equipment", 500, "force on {tag} ended"),
    EventKind.SKIPPED: ("Diagnostics", 300, "{slots} scan slots skipped"),
    EventKind.LOST: ("Diagnostics", 500, "{events} events were lost: more than their buffer holds"),
    EventKind.MODE: ("State", 200, "equipment is {mode}, was {previous}"),
    EventKind.NOTICE: ("Diagnostics", 100, "{text}"),
    EventKind.CALIBRATION: (
        "Equipment",
        200,
        "{tag} was calibrated by {user}, version {version}: offset {offset} {unit}, gain {gain}",
    ),
    EventKind.PROOF_TEST: ("Interlocks", 300, "proof test of {name} by {user}: {stage}"),
    EventKind.TUNED: (
        "Equipment",
        300,
        "gains of {loop} {stage} by {user}: kp {kp}, ti {ti_s} s, were {kp_before}, {ti_s_before} s",
    ),
    EventKind.PROOF_DUE: ("Care", 200, "proof tests overdue: {overdue}, soon: {soon}, failed: {failed}"),
    EventKind.SHUTDOWN: ("Diagnostics", 100, "controller stopped: {reason}"),
}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def tell(event: Event, conditions: Mapping[str, Interlock | AlarmPoint], texts: Texts = ENGLISH) -> Told:
    """Put an event in words."""
    if event.kind is EventKind.COMMAND:
        return _command(event.data, texts)
    if event.kind is EventKind.CONDITION:
        return _condition(event.data, conditions, texts)
    source, severity, words = _FIXED[event.kind]
    name = event.data.get("name")
    if event.kind in {EventKind.BYPASS_EXPIRED, EventKind.PROOF_TEST} and name:
        source = f"Interlocks/{name}"
    said = event.data | {
        key: texts.sentence(str(event.data[key])) for key in ("reason", "text") if isinstance(event.data.get(key), str)
    }
    return Told(source, severity, texts(words).format_map(_Known(said)))


def _command(data: dict[str, Any], texts: Texts) -> Told:
    principal = data.get("principal")
    user = str(principal.get("user", "?")) if isinstance(principal, dict) else "?"  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]  (JSON)
    status, words = str(data.get("status", "Good")), f"{user}: {data.get('kind', '?')}"
    if status != "Good":
        return Told(
            "State", 300, f"{words} {texts('refused')} ({status}): {texts.sentence(str(data.get('reason', '')))}"
        )
    return Told("State", 100, words)


def _condition(data: dict[str, Any], conditions: Mapping[str, Interlock | AlarmPoint], texts: Texts) -> Told:
    name = str(data.get("name", "?"))
    declared = conditions.get(name)
    source = f"Interlocks/{name}"
    if isinstance(declared, AlarmPoint):
        source = f"Alarms/{declared.alarm.name}"
    severity = SEVERITY[declared.priority] if declared else BOUNDARY
    description = texts(declared.description) if declared else name
    if data.get("active"):
        words = f"{description} ({texts('first out')})" if data.get("first_out") else description
    elif data.get("latched"):
        words, severity = f"{texts('cause gone, still latched')}: {description}", min(severity, 300)
    else:
        words, severity = f"{texts('back to normal')}: {description}", 100
    if data.get("bypassed"):
        words = f"{texts('bypassed')}; {words}"
    return Told(source, severity, words)
