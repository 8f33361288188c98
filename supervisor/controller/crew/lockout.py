"""Modules that are locked out for maintenance: nobody energises anything of them until the lock is taken off.

A lock holds in every mode and over restarts. Taking things off stays possible: a tag of a locked module may be
written to its safe value, and the safe sequence is never asked. Whoever put a lock on takes it off; somebody else of
the crew only by giving a reason, which is journalled.
"""

from collections.abc import Iterable, Iterator

from config.equipment import Role
from config.tool import Tag, TagKind, Tool
from kernels.tables import Instr, Program
from supervisor.controller.crew.memory import LockOut, Memory
from supervisor.controller.errors import CommandRefused
from supervisor.controller.scanning.scanner import View
from supervisor.link.messages import Principal

CREW = frozenset({Role.ENGINEER, Role.MAINTENANCE})
LEAST_REASON = 3


class LockOuts:
    """The locks of a tool.

    Args:
        tool: whose modules they are.
        memory: where they are kept.
    """

    def __init__(self, tool: Tool, memory: Memory) -> None:
        self._tool = tool
        self._memory = memory

    @property
    def present(self) -> dict[str, LockOut]:
        """Locks by module."""
        return self._memory.known.locks

    def put_on(self, principal: Principal, module: str, reason: str, now_ns: int) -> None:
        """Lock a module out.

        Raises:
            CommandRefused: there is no such module, or it is locked already.
        """
        names = [one.name for one in self._tool.modules]
        if module not in names:
            raise CommandRefused("BadNotFound", f"there is no module {module}; there are {', '.join(names)}")
        if (lock := self.present.get(module)) is not None:
            raise CommandRefused("BadInvalidState", _words(module, lock))
        self.present[module] = LockOut(user=principal.user, reason=reason, time_ns=now_ns)

    def take_off(self, principal: Principal, module: str, reason: str) -> None:
        """Unlock a module.

        Raises:
            CommandRefused: it is not locked, or it is another person's lock and there is no reason.
        """
        lock = self.present.get(module)
        if lock is None:
            raise CommandRefused("BadInvalidState", f"{module} is not locked out")
        if lock.user != principal.user and len(reason.strip()) < LEAST_REASON:
            raise CommandRefused("BadUserAccessDenied", f"{_words(module, lock)}; give a reason to take off their lock")
        del self.present[module]

    def refuse_any(self, what: str) -> None:
        """Refuse while any module is locked out."""
        if self.present:
            locks = "; ".join(_words(module, lock) for module, lock in self.present.items())
            raise CommandRefused("BadInvalidState", f"{what}: {locks}")

    def check_write(self, view: View, tag: str, value: float) -> None:
        """Refuse to energise something of a locked module.

        Raises:
            CommandRefused: it would.
        """
        module = tag.partition(".")[0]
        lock = self.present.get(module)
        declared = view.tag(tag)
        if lock is not None and declared is not None and value != rest_value(declared):
            raise CommandRefused("BadInvalidState", f"{tag} cannot be moved: {_words(module, lock)}")

    def check_program(self, view: View, program: Program, name: str) -> None:
        """Refuse a program that would energise something of a locked module.

        Raises:
            CommandRefused: it would; says which.
        """
        if not self.present:
            return
        for tag in energised(view, program):
            module = tag.partition(".")[0]
            if (lock := self.present.get(module)) is not None:
                raise CommandRefused("BadInvalidState", f"{name} needs {tag}: {_words(module, lock)}")

    def rest(self, module: str) -> Iterator[tuple[str, float]]:
        """What a lock brings to rest: loops off first, then outputs to their safe values."""
        modes = {loop.mode for loop in self._tool.loops}
        for one in self._tool.modules:
            if one.name == module:
                yield from ((f"{module}.{tag.name}", 0.0) for tag in one.tags if f"{module}.{tag.name}" in modes)
                yield from ((f"{module}.{tag.name}", tag.safe) for tag in one.tags if tag.kind is TagKind.OUTPUT)


def rest_value(tag: Tag) -> float:
    """What a tag is at rest: an output's safe value; a set point's initial one."""
    return tag.safe if tag.kind is TagKind.OUTPUT else tag.initial


def energised(view: View, program: Program) -> Iterable[str]:
    """Set points and outputs that a program brings away from rest."""
    rows, found = program.instructions, dict[str, None]()
    ops: list[int] = rows["op"].tolist()
    args: list[int] = rows["arg"].tolist()
    values: list[float] = rows["value"].tolist()
    for op, arg, value in zip(ops, args, values, strict=True):
        if op not in {Instr.SET, Instr.RAMP}:
            continue
        name = view.layout.tags[arg]
        declared = view.tag(name)
        if declared is not None and value != rest_value(declared):
            found[name] = None
    return found


def _words(module: str, lock: LockOut) -> str:
    return f"{module} is locked out by {lock.user or 'nobody known'}: {lock.reason}"
