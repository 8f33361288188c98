"""Questions that change nothing: status, timing, interlocks, preflight, and why not."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import anyio
from pydantic import Field

from config.faults import ConfigError, Fault
from config.plan import order
from config.preflight import preflight
from config.recipe import load_recipe
from config.tool import Tool
from kernels.tables import ConditionClass, SystemTag, TagKind
from supervisor.controller import arguments as arg
from supervisor.controller.commands.dispatch import Commands
from supervisor.controller.crew.crew import Crew
from supervisor.controller.errors import CommandRefused
from supervisor.controller.permissions import permit
from supervisor.controller.records.events import state_words
from supervisor.controller.records.recorder import Recorder
from supervisor.controller.runs.life import Runs
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.forces import Forces
from supervisor.controller.scanning.ownership import owners
from supervisor.controller.scanning.scanner import Scanner
from supervisor.controller.scanning.timing import timing_now
from supervisor.link.messages import CommandKind, EquipmentMode, Principal, Query, Reply


class WhyOutput(arg.Arguments):
    """Why is an output not what it is asked to be?"""

    output: str


class WhyTarget(arg.Arguments):
    """What stands in the way of an output, of the reset of an interlock, of a start or of arming?"""

    target: str


class WhyCommand(arg.Arguments):
    """Why would a command be refused?"""

    command: CommandKind = Field(strict=False)
    args: dict[str, Any] = Field(default_factory=dict[str, Any])
    user: str = ""
    roles: tuple[str, ...] = Field(default=(), strict=False)


class Preflight(arg.Arguments):
    """Would a recipe run on this tool?"""

    recipe: str = Field(max_length=4_000_000)
    process_mode: str | None = None


@dataclass(frozen=True)
class About:
    """What is fixed from the start."""

    version: str
    sim: bool
    speed: float
    notices: tuple[str, ...]


class Queries:
    """Answers questions."""

    def __init__(
        self,
        tool: Tool,
        about: Callable[[], About],
        scanner: Scanner,
        recorder: Recorder,
        runs: Runs,
        forces: Forces,
        commands: Commands,
        crew: Crew,
        mode: Callable[[], EquipmentMode],
    ) -> None:
        self._tool = tool
        self._about = about
        self._scanner = scanner
        self._recorder = recorder
        self._runs = runs
        self._forces = forces
        self._commands = commands
        self._crew = crew
        self._mode = mode

    async def answer(self, query: Query) -> Reply:
        """Answer a question; a bad one gets a refusal."""
        try:
            match query.kind:
                case "status":
                    result = self._status()
                case "timing":
                    result = timing_now(self._scanner.image.timing())
                case "check_interlocks":
                    result = self._check_interlocks()
                case "why":
                    result = self._why(query.args)
                case "care":
                    result = self._crew.report(self._scanner.view())
                case "preflight":
                    args = arg.read_arguments(Preflight, "preflight", query.args)
                    result = await anyio.to_thread.run_sync(self._preflight, args)
        except CommandRefused as refusal:
            return Reply(id=query.id, status=refusal.status, reason=str(refusal))
        return Reply(id=query.id, result=result)

    def _status(self) -> dict[str, Any]:
        view, about = self._scanner.view(), self._about()
        run = self._runs.active or self._runs.last
        scan = self._tool.scan
        return {
            "scan": view.snapshot.scan,
            "time_ns": view.snapshot.time_ns,
            "mode": self._mode().value,
            "armed": view.armed,
            "run_state": view.run_state.name,
            "run": run.progress(view.snapshot.scan, view.system(SystemTag.STEP_ELAPSED_S)) if run else None,
            "interrupted": self._commands.interrupted.words(),
            "active": self._runs.active is not None,
            "journal": {
                "writable": self._recorder.trouble is None,
                "reason": self._recorder.trouble or "",
                "pending": self._recorder.pending,
                "last_seq": self._recorder.synced_seq,
            },
            "server_loss": {"policy": scan.server_loss, "after_s": scan.server_loss_s},
            "forces": [force.words() for force in self._forces.present.values()],
            "owners": owners(view, self._forces.present),
            "care": self._crew.summary(view),
            "control": self._crew.control.words(),
            "locks": {name: lock.model_dump() for name, lock in self._crew.locks.present.items()},
            "sim": about.sim,
            "speed": about.speed,
            "pid": os.getpid(),
            "version": about.version,
            "notices": list(about.notices),
        }

    def _check_interlocks(self) -> dict[str, Any]:
        view = self._scanner.view()
        explainer = Explainer(view)
        rows: list[dict[str, Any]] = []
        for index, declared in enumerate(view.layout.conditions):
            state = view.state(index)
            words = state_words(state)
            rows.append(
                {
                    "name": declared.name,
                    "class": ConditionClass(int(view.tables.conditions["cls"][index])).name.lower(),
                    "in_force": view.in_force(index),
                    "state": words,
                    "first_out": words["first_out"],
                    "trips": int(view.snapshot.conditions["trips"][index]),
                    "bypass_left_s": view.bypass_left(index) * view.tables.period_s,
                    "why": explainer.condition(index) if state else "",
                }
            )
        return {"all_clear": not view.engaged(), "conditions": rows}

    def _why(self, args: dict[str, Any]) -> dict[str, Any]:
        if "output" in args:
            return self._why_output(arg.read_arguments(WhyOutput, "why", args).output)
        if "target" in args:
            return self._why_target(arg.read_arguments(WhyTarget, "why", args).target)
        asked = arg.read_arguments(WhyCommand, "why", args)
        try:
            self._judge(asked)
        except CommandRefused as refusal:
            return {"allowed": False, "status": refusal.status, "reasons": [str(refusal)]}
        return {"allowed": True, "status": "Good", "reasons": []}

    def _judge(self, asked: WhyCommand) -> None:
        principal = Principal(user=asked.user, roles=asked.roles)
        permit(principal, asked.command)
        self._commands.judge(asked.command, principal, asked.args)

    def _why_target(self, target: str) -> dict[str, Any]:
        """Answer with the chain of causes, one link a line."""
        view = self._scanner.view()
        explainer = Explainer(view)
        if target in {"start", "arm"}:
            classes = (ConditionClass.TRIP,) if target == "arm" else (ConditionClass.TRIP, ConditionClass.HOLD)
            found, proofs = view.engaged(*classes), self._crew.proofs.against_arming()
            chain = [target, *explainer.chains(found), *(f"  ← {words}" for words in proofs)]
            return {"target": target, "held": bool(found or proofs), "chain": chain}
        index = view.layout.condition_index.get(target)
        if index is not None:
            head, *links = explainer.links(index)
            held = bool(view.state(index)) or bool(explainer.reset_waits(index))
            return {"target": target, "held": held, "chain": [head, *(f"  ← {link}" for link in links)]}
        held = bool(self._why_output(target)["held"])
        return {"target": target, "held": held, "chain": explainer.chain(target)}

    def _why_output(self, name: str) -> dict[str, Any]:
        view = self._scanner.view()
        index = view.layout.index.get(name)
        if index is None or int(view.tables.tags["kind"][index]) != TagKind.OUTPUT:
            words = f"there is no output or interlock {name}; one can ask of start and arm, too"
            raise CommandRefused("BadNotFound", words)
        explainer = Explainer(view)
        reasons = explainer.output(name)
        return {"output": name, "value": explainer.value(index), "held": bool(reasons), "reasons": reasons}

    def _preflight(self, args: Preflight) -> dict[str, Any]:
        return preflight_answer(self._tool, args.recipe, args.process_mode)


def preflight_answer(tool: Tool, text: str, process_mode: str | None) -> dict[str, Any]:
    """Say whether a recipe's text would run on a tool, with every reason why not."""
    try:
        report = preflight(load_recipe(text, process_mode=process_mode), tool)
    except ConfigError as error:
        return {"ok": False, "diagnostics": _words("error", error.faults), "planned_s": None, "steps": []}
    steps = order(report.plan.steps) if report.plan is not None else ()
    return {
        "ok": report.ok,
        "diagnostics": [*_words("error", report.faults), *_words("warning", report.warnings)],
        "planned_s": report.planned_s if report.ok else None,
        "steps": [{"name": s.name, "planned_s": s.planned_s, "owner": s.operation or s.owner} for s in steps],
        "gas_use_l": report.gas_use,
        "hazard_level": report.hazard_level,
    }


def _words(severity: str, faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [{"path": fault.path, "reason": fault.reason, "severity": severity} for fault in faults]
