"""Proof tests: who may begin one, what it has found, when the next is due, and what a failed one stands against.

A test belongs to Maintenance with the tool safe: nothing runs, nothing is armed, every hazardous output is at its safe
value, no tag is forced and the interlock is neither bypassed nor in force. While it is under way nothing can be armed;
a failed one keeps that so until it is repeated, or an engineer takes the responsibility. The newest result of each
interlock is in the equipment's memory, every step of every test is an event of the journal. A test that a crash cut off
is told as aborted: its force died with the scan that held it.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import structlog

from config.layout import Layout
from config.proof import ProofTest
from config.tool import Interlock
from supervisor.controller.arguments import Reasoned, RecordProofTest, StartProofTest
from supervisor.controller.crew.injection import Injector, Measured
from supervisor.controller.crew.memory import Memory, Proven, Testing
from supervisor.controller.errors import CommandRefused
from supervisor.controller.records.recorder import Draft
from supervisor.controller.scanning.forces import Forces
from supervisor.controller.scanning.scanner import END_STATES, Scanner, View
from supervisor.link.messages import EquipmentMode, EventKind, Principal

log = structlog.get_logger()

DAY_NS = 24 * 3600 * 1_000_000_000
Tell = Callable[[EventKind, dict[str, Any]], object]


class ProofTests:
    """The proof tests of a tool.

    Args:
        layout: its interlocks.
        memory: what outlives this controller.
        scanner: the scan that is tested.
        forces: those that are in place; a test's own is one of them.
        tell: journals an event.
    """

    def __init__(self, layout: Layout, memory: Memory, scanner: Scanner, forces: Forces, tell: Tell) -> None:
        self._layout = layout
        self._memory = memory
        self._scanner = scanner
        self._forces = forces
        self._tell = tell
        self._declared = {row.name: row.proof_test for row in layout.tool.interlocks if row.proof_test is not None}
        self._measured: Measured | None = None
        self._announced: dict[str, list[str]] | None = None
        self.injector = Injector(layout, scanner, forces)

    @property
    def under_way(self) -> Testing | None:
        """The test that has begun and not ended."""
        return self._memory.known.testing

    # ------------------------------------------------------------------------------------------------- its limits
    def against_arming(self) -> list[str]:
        """Why nothing may be armed; empty when for no test."""
        reasons = [
            f"the last proof test of {name} failed ({one.failure}): repeat it, or an engineer releases it"
            for name, one in self._memory.known.proven.items()
            if one.failure and name in self._layout.condition_index
        ]
        return [*self.busy(), *reasons]

    def busy(self) -> list[str]:
        """Say which test is under way."""
        test = self.under_way
        if test is None:
            return []
        return [f"a proof test of {test.interlock} by {test.user} is under way: record or abort it"]

    def refuse(self, reasons: list[str], what: str) -> None:
        """Raise CommandRefused when there is a reason."""
        if reasons:
            raise CommandRefused("BadInvalidState", f"{what}: {'; '.join(reasons)}")

    # ------------------------------------------------------------------------------------------------- its steps
    async def start(
        self, view: View, mode: EquipmentMode, principal: Principal, args: StartProofTest
    ) -> dict[str, Any]:
        """Begin a test.

        Raises:
            CommandRefused: the interlock declares none, or the tool is not as it must be.
        """
        interlock, declared = self._find(args.name)
        if args.method == "inject" and declared.inject is None:
            raise CommandRefused("BadNotSupported", f"{args.name} declares no input to inject: its test is witnessed")
        self.refuse(self._unready(view, mode, interlock), f"no proof test of {args.name}")
        test = Testing(
            test_id=str(uuid4()), interlock=args.name, method=args.method, user=principal.user,
            begun_ns=view.snapshot.time_ns,
        )  # fmt: skip
        self._memory.known.testing, self._measured = test, None
        # Known on the disk before anything is forced: whoever starts after a crash tells of it.
        await self._memory.keep()
        self._say(test, "started", {"procedure": declared.procedure})
        if args.method == "inject" and declared.inject is not None:
            self.injector.begin(test, interlock, declared.inject)
        return {"test_id": test.test_id}

    def _find(self, name: str) -> tuple[Interlock, ProofTest]:
        found = next((row for row in self._layout.tool.interlocks if row.name == name), None)
        if found is None:
            raise CommandRefused("BadNotFound", f"there is no interlock {name}")
        if found.proof_test is None:
            raise CommandRefused("BadNotSupported", f"the tool file declares no proof test for {name}")
        return found, found.proof_test

    def _unready(self, view: View, mode: EquipmentMode, interlock: Interlock) -> list[str]:
        found = list(self.busy())
        if mode is not EquipmentMode.MAINTENANCE:
            found.append(f"the equipment must be in mode Maintenance, it is {mode}")
        if view.run_state not in END_STATES:
            found.append(f"a run is {view.run_state.name}")
        if view.armed:
            found.append("the tool is armed")
        open_ones = [
            name for name, tag in view.layout.declared.items() if tag.hazardous and view.value(name) != tag.safe
        ]
        if open_ones:
            found.append(f"not safe: {', '.join(open_ones)}")
        if self._forces.present:
            found.append(f"forced: {', '.join(self._forces.present)}")
        index = view.layout.condition_index[interlock.name]
        if view.bypass_left(index) > 0:
            found.append(f"{interlock.name} is bypassed")
        elif view.state(index):
            found.append(f"{interlock.name} has its cause or is latched: reset it first, so that the test shows a trip")
        return found

    async def run(self) -> None:
        """Carry out what is injected, for ever."""
        while True:
            test, measured = await self.injector.next()
            if self.under_way is not test:
                continue
            if isinstance(measured, str):
                await self.end(test, "aborted", measured)
                continue
            self._measured = measured
            self._say(test, "measured", asdict(measured))
            if measured.failure:  # known at once: nobody makes it undone by not recording it
                self._keep(test, passed=False, failure=measured.failure, witness="")
                await self._memory.keep()

    async def record(self, view: View, principal: Principal, args: RecordProofTest) -> dict[str, Any]:
        """End a test with its result.

        Raises:
            CommandRefused: it is not under way, is still being measured, or was not passed as is said.
        """
        test, declared = self._under_way(args.name, args.test_id)
        found = self._measured
        if test.method == "inject" and found is None:
            raise CommandRefused("BadInvalidState", f"{args.name} is still being measured")
        if args.passed and found is not None and found.failure:
            raise CommandRefused("BadInvalidState", f"{args.name} was not passed: {found.failure}")
        if args.passed and found is None and args.trip_value is None:
            raise CommandRefused(
                "BadInvalidArgument", f"{args.name}: a witnessed test is passed with the trip value that was read"
            )
        if args.passed and (state := view.state(view.layout.condition_index[args.name])):
            raise CommandRefused(
                "BadInvalidState", f"{args.name} still has its cause or is latched ({state!r}): reset it, then record"
            )
        failure = "" if args.passed else (found.failure if found and found.failure else args.as_found)
        kept = self._keep(test, passed=args.passed, failure=failure, witness=principal.user)
        data = {
            **args.model_dump(exclude={"name", "test_id"}),
            **({} if found is None else {"measured": asdict(found)}),
            "failure": failure,
            "witness": principal.user,
            "ended_ns": view.snapshot.time_ns,
            "due_ns": (kept.passed_ns or self._memory.known.first_ns) + round(declared.every_days * DAY_NS),
        }
        await self._finish(test, "recorded", data)
        return {"test_id": test.test_id, "due_ns": data["due_ns"]}

    def _under_way(self, name: str, test_id: str) -> tuple[Testing, ProofTest]:
        _, declared = self._find(name)
        test = self.under_way
        if test is None or test.interlock != name or test.test_id != test_id:
            raise CommandRefused("BadNotFound", f"no proof test of {name} with this id is under way")
        return test, declared

    def _keep(self, test: Testing, *, passed: bool, failure: str, witness: str) -> Proven:
        now = self._scanner.view().snapshot.time_ns
        before = self._memory.known.proven.get(test.interlock)
        passed_ns = now if passed else before.passed_ns if before else 0
        kept = Proven(
            passed=passed, failure=failure, test_id=test.test_id, time_ns=now, passed_ns=passed_ns, user=test.user,
            witness=witness,
        )  # fmt: skip
        self._memory.known.proven[test.interlock] = kept
        return kept

    async def abort(self, principal: Principal, args: Reasoned) -> None:
        """Break a test off: it has shown nothing, except what was measured as failed.

        Raises:
            CommandRefused: none of this interlock is under way.
        """
        test = self.under_way
        if test is None or test.interlock != args.name:
            raise CommandRefused("BadInvalidState", f"no proof test of {args.name} is under way")
        await self.end(test, "aborted", f"{args.reason} ({principal.user})")

    async def release(self, principal: Principal, args: Reasoned) -> None:
        """Take the lock of a failed test away; it stays due.

        Raises:
            CommandRefused: there is no failed test of this interlock.
        """
        kept = self._memory.known.proven.get(args.name)
        if kept is None or not kept.failure:
            raise CommandRefused("BadInvalidState", f"no failed proof test of {args.name} is in the way")
        failure, kept.failure = kept.failure, ""
        await self._memory.keep()
        data = {"name": args.name, "test_id": kept.test_id, "stage": "released", "user": principal.user,
                "reason": args.reason, "failure": failure}  # fmt: skip
        self._tell(EventKind.PROOF_TEST, data)
        self.announce()

    async def end(self, test: Testing, stage: str, reason: str) -> None:
        """Break a test off and take its force away."""
        await self._finish(test, stage, {"reason": reason})

    def drop(self, reason: str) -> None:
        """The same at once, without waiting for anything: the tool is made safe."""
        if (test := self.under_way) is not None:
            self._memory.known.testing, self._measured = None, None
            self.injector.drop()
            self._say(test, "aborted", {"reason": reason})

    async def _finish(self, test: Testing, stage: str, data: dict[str, Any]) -> None:
        await self.injector.release()
        self._memory.known.testing, self._measured = None, None
        await self._memory.keep()
        self._say(test, stage, data)
        self.announce()

    def recalled(self) -> None:
        """After a start: a test that was under way has ended with the controller that held it."""
        if (test := self.under_way) is not None:
            self._memory.known.testing = None
            self._say(test, "aborted", {"reason": "controller restarted"})

    def take(self, draft: Draft) -> None:
        """Follow what the scan tells."""
        self.injector.take(draft)

    def _say(self, test: Testing, stage: str, data: dict[str, Any]) -> None:
        log.info("proof test", interlock=test.interlock, stage=stage, user=test.user, test_id=test.test_id)
        about = {"name": test.interlock, "test_id": test.test_id, "stage": stage, "method": test.method}
        self._tell(EventKind.PROOF_TEST, {**about, "user": test.user, "begun_ns": test.begun_ns, **data})

    # ----------------------------------------------------------------------------------------------- its calendar
    def report(self, now_ns: int) -> list[dict[str, Any]]:
        """Each declared test with when it is due; the most urgent first."""
        return sorted((self._row(name, now_ns) for name in self._declared), key=lambda row: row["days_left"])

    def _row(self, name: str, now_ns: int) -> dict[str, Any]:
        declared, known = self._declared[name], self._memory.known
        kept, test = known.proven.get(name), self.under_way
        due_ns = ((kept.passed_ns if kept else 0) or known.first_ns) + round(declared.every_days * DAY_NS)
        left = (due_ns - now_ns) / DAY_NS
        state = "overdue" if left <= 0 else "soon" if left <= declared.early * declared.every_days else "ok"
        if kept is not None and kept.failure:
            state = "failed"
        if test is not None and test.interlock == name:
            state = "under way"
        return {
            "name": name,
            "state": state,
            "every_days": declared.every_days,
            "days_left": left,
            "due_ns": due_ns,
            "passed_ns": kept.passed_ns if kept else 0,
            "user": kept.user if kept else "",
            "witness": kept.witness if kept else "",
            "failure": kept.failure if kept else "",
        }

    def announce(self) -> None:
        """Tell when what is due has become another; nothing where no test is declared."""
        if not self._declared:
            return
        lists: dict[str, list[str]] = {"overdue": [], "soon": [], "failed": []}
        for row in self.report(self._scanner.view().snapshot.time_ns):
            if row["state"] in lists:
                lists[row["state"]].append(row["name"])
        if lists != self._announced:
            self._announced = lists
            self._tell(EventKind.PROOF_DUE, lists)
