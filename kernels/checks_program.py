"""What must be true of a program before the scan may run it (docs/reference/scan.md, last section).

Jumps stay inside, every operand exists, and no path comes back to where it was without waiting at least one scan.
"""

from typing import Any

from kernels.checks import (
    check_expressions,
    check_form,
    check_index,
    check_no_rates,
    check_not_negative,
    check_writable,
    fault,
)
from kernels.tables import CHANNELS, CODE, EXPRESSION, GUARDS, INSTRUCTION, STEP, Instr, Policy, Program

INSTRUCTIONS, POLICIES = frozenset(Instr), frozenset(Policy)
WRITES = frozenset({Instr.SET, Instr.RAMP, Instr.STORE, Instr.RESTORE})
JUMPS = frozenset({Instr.LOOP, Instr.BRANCH, Instr.JUMP})
BLOCKS = ("pause", "resume", "hold", "restart", "stop")


def check_program(program: Program, kinds: list[int], *, name: str, safe: bool = False) -> None:
    """Refuse a program that the scan could not trust; `kinds` are those of the tool's tags."""
    table = f"{name}.instructions"
    check_form(table, program.instructions, INSTRUCTION)
    check_form(f"{name}.steps", program.steps, STEP)
    check_form(f"{name}.expressions", program.expressions, EXPRESSION)
    check_form(f"{name}.code", program.code, CODE)
    check_expressions(f"{name}.", program.expressions, program.code, len(kinds))
    check_no_rates(f"{name}.", program.code)
    instructions = [dict(zip(INSTRUCTION.names or (), row, strict=True)) for row in program.instructions.tolist()]
    if not instructions:
        raise ValueError(f"{table}: a program has at least one instruction")
    check_not_negative(table, program.instructions, ("rate", "timeout"))
    for row, instruction in enumerate(instructions):
        _check_instruction(table, row, instruction, program, kinds)
        if safe and instruction["op"] in {Instr.START, Instr.JOIN}:
            raise fault(table, row, "op", "the safe sequence has one channel: no START, no JOIN")
    if instructions[-1]["op"] not in {Instr.END, Instr.JUMP}:
        raise fault(table, len(instructions) - 1, "op", "the last instruction is neither END nor JUMP")
    _check_channels(name, program, instructions)
    _check_steps(name, program)
    _check_blocks(name, program, instructions)
    _check_waits(table, instructions)


def _check_instruction(table: str, row: int, i: dict[str, Any], program: Program, kinds: list[int]) -> None:
    op, arg, jump = i["op"], i["arg"], i["jump"]
    expressions, count = len(program.expressions), len(program.instructions)
    if op not in INSTRUCTIONS:
        raise fault(table, row, "op", f"{op} is no instruction")
    if op in WRITES:
        check_writable(table, row, "arg", arg, kinds)
    if op in JUMPS:
        check_index(table, row, "jump", jump, count, "instructions")
    if op in {Instr.WAIT, Instr.CHECK} and i["policy"] not in POLICIES:
        raise fault(table, row, "policy", f"{i['policy']} is no policy")
    if op in {Instr.WAIT, Instr.RAMP} and i["n"] < 0:
        raise fault(table, row, "n", f"{i['n']} is negative")
    match op:
        case Instr.STEP:
            check_index(table, row, "arg", arg, len(program.steps), "steps")
        case Instr.RAMP:
            check_index(table, row, "jump", jump, len(kinds), "tags", optional=True)
        case Instr.STORE:
            check_index(table, row, "jump", jump, expressions, "expressions")
        case Instr.WAIT | Instr.ENDLOOP:
            check_index(table, row, "arg", arg, expressions, "expressions", optional=True)
        case Instr.BRANCH | Instr.CHECK:
            check_index(table, row, "arg", arg, expressions, "expressions")
        case Instr.START | Instr.JOIN:
            check_index(table, row, "arg", arg, len(program.channels), "channels")
            if arg == 0:
                raise fault(table, row, "arg", "the main channel is neither started nor joined")
        case _:
            pass


def _check_channels(name: str, program: Program, instructions: list[dict[str, Any]]) -> None:
    if not 1 <= len(program.channels) <= CHANNELS:
        raise ValueError(f"{name}.channels: {len(program.channels)} channels; a program has 1 to {CHANNELS}")
    for channel, first in enumerate(program.channels):
        if not 0 <= first < len(instructions):
            raise ValueError(f"{name}.channels[{channel}]: {first} leads nowhere: {len(instructions)} instructions")
        for row in _reachable(instructions, first):
            if instructions[row]["op"] == Instr.START and instructions[row]["arg"] == channel:
                raise fault(f"{name}.instructions", row, "arg", f"channel {channel} starts itself")


def _check_steps(name: str, program: Program) -> None:
    table, count = f"{name}.steps", len(program.instructions)
    for row, step in enumerate(program.steps):
        for block in BLOCKS:
            check_index(table, row, block, int(step[block]), count, "instructions", optional=True)
        check_index(table, row, "guard", int(step["guard"]), len(program.expressions), "expressions", optional=True)
        if int(step["guard_policy"]) not in POLICIES:
            raise fault(table, row, "guard_policy", f"{step['guard_policy']} is no policy")
        _check_chain(table, row, program)
    check_not_negative(table, program.steps, ("guard_delay",))


def _check_chain(table: str, row: int, program: Program) -> None:
    """Refuse guards that lead nowhere, back, or on for longer than a scan may take."""
    also = program.steps["also"]
    here = row
    for _ in range(GUARDS):
        following = int(also[here])
        if not following:
            return
        check_index(table, here, "also", following, len(program.steps), "steps")
        if following <= here:
            raise fault(table, here, "also", f"{following} is no later row")
        here = following
    raise fault(table, row, "also", f"more than {GUARDS} guards")


def _check_blocks(name: str, program: Program, instructions: list[dict[str, Any]]) -> None:
    """Refuse a block that leads into a channel: a hold must not go on with the recipe."""
    channels = {
        row: channel for channel, first in enumerate(program.channels) for row in _reachable(instructions, first)
    }
    for row, step in enumerate(program.steps):
        for block in BLOCKS:
            first = int(step[block])
            if first >= 0 and (shared := channels.keys() & _reachable(instructions, first)):
                raise fault(
                    f"{name}.steps", row, block, f"leads to {min(shared)}, which is of channel {channels[min(shared)]}"
                )


# ------------------------------------------------------------------------------------------------------- paths
def _onward(instructions: list[dict[str, Any]], row: int) -> list[int]:
    """Return where an instruction may lead within a scan, the way back of a cycle aside."""
    op, jump = instructions[row]["op"], instructions[row]["jump"]
    if op == Instr.END:
        return []
    if op == Instr.JUMP or (op == Instr.LOOP and instructions[row]["n"] <= 0):
        return [jump]
    after = [row + 1] if row + 1 < len(instructions) else []  # behind the last one lies a fault, not a path
    return [*after, jump] if op == Instr.BRANCH else after


def _reachable(instructions: list[dict[str, Any]], first: int) -> set[int]:
    """Return the instructions that a channel may come to (the body of a cycle is reached by its LOOP)."""
    seen, ahead = {first}, [first]
    while ahead:
        for row in _onward(instructions, ahead.pop()):
            if row not in seen:
                seen.add(row)
                ahead.append(row)
    return seen


def _check_waits(table: str, instructions: list[dict[str, Any]]) -> None:
    """Refuse a closed path that holds no WAIT of at least one scan: a depth-first search for a way back.

    An ENDLOOP may lead to the body of any LOOP: which one is on top is known only when the program runs. For cycles
    that are properly nested this finds a path without a wait exactly when there is one.
    """
    waits = [i["op"] == Instr.WAIT and i["n"] > 0 for i in instructions]
    bodies = [row + 1 for row, i in enumerate(instructions[:-1]) if i["op"] == Instr.LOOP and i["n"] > 0]
    done, on_path = set[int](), set[int]()

    def successors(row: int) -> list[int]:
        return _onward(instructions, row) + (bodies if instructions[row]["op"] == Instr.ENDLOOP else [])

    for first in range(len(instructions)):
        if first in done or waits[first]:
            continue
        path = [(first, iter(successors(first)))]
        on_path.add(first)
        while path:
            row, ahead = path[-1]
            following = next((r for r in ahead if not waits[r] and r not in done), None)
            if following is None:
                done.add(row)
                on_path.discard(row)
                path.pop()
            elif following in on_path:
                raise fault(table, row, "op", f"leads back to {following} without a WAIT of at least one scan")
            else:
                on_path.add(following)
                path.append((following, iter(successors(following))))
