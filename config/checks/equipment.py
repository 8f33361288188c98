"""Checks of what a crew does: needs, operations that ask for one another, results, counters, tasks, modes."""

from collections.abc import Iterable

from config.checks.report import Report
from config.equipment import Counter, Need, Recency
from config.faults import join, suggestion
from config.tool import TagKind

DIFFERENCE = {"°C": "K"}
"""Units whose differences are measured in another one."""
MUST_REACH = ("Standby", "Maintenance")
"""Without a way there nobody could take the tool out of operation."""


def check_equipment(report: Report) -> None:
    """Check everything that `config.equipment` declares."""
    tool = report.tool
    _needs(report, "recipe", tool.recipe.needs, tool.recipe.requires)
    for i, operation in enumerate(tool.operations):
        path = f"operations[{i}]"
        _needs(report, path, operation.needs, operation.requires)
        _known(report, join(path, "voids"), operation.voids)
        for n, name in enumerate(operation.answers):
            tag = report.find(join(path, "answers", n), name, TagKind.SETPOINT)
            if tag is not None and tag.role is None:
                report.add(join(path, "answers", n), f"'{name}' has no role: nobody could answer by it")
        report.unique(
            ((join(path, "findings", n, "name"), one.name) for n, one in enumerate(operation.findings)), "result"
        )
        for n, finding in enumerate(operation.findings):
            at = join(path, "findings", n)
            measured = report.find(join(at, "tag"), finding.tag)
            if finding.below is not None and finding.above is not None:
                report.add(at, "is judged by one limit: below or above")
            for word, limit in (("below", finding.below), ("above", finding.above)):
                bound = None if limit is None else report.find(join(at, word), limit)
                if measured is not None and bound is not None and measured.unit != bound.unit:
                    report.add(join(at, word), f"is in {bound.unit}, the result in {measured.unit}")
    for i, row in enumerate(tool.transitions):
        _needs(report, f"transitions[{i}]", row.needs, ())
    for mode in MUST_REACH:
        if not any(row.to == mode for row in tool.transitions):
            report.add("transitions", f"no row leads to {mode}")
    _check_care(report)


def _needs(report: Report, path: str, needs: Iterable[Need], requires: Iterable[Recency]) -> None:
    for n, need in enumerate(needs):
        report.condition(join(path, "needs", n, "that"), need.that)
    _known(report, join(path, "requires"), (one.operation for one in requires))


def _known(report: Report, path: str, names: Iterable[str]) -> None:
    known = [operation.name for operation in report.tool.operations]
    for n, name in enumerate(names):
        if name not in known:
            report.add(join(path, n), f"there is no operation '{name}'{suggestion(name, known)}")


def _check_calibrations(report: Report) -> None:
    operations = {operation.name: operation for operation in report.tool.operations}
    for n, one in enumerate(report.tool.care.calibrations):
        path = f"care.calibrations[{n}]"
        measured = report.find(join(path, "tag"), one.tag, TagKind.INPUT)
        operation = operations.get(one.operation)
        if operation is None:
            _known(report, path, [one.operation])
            continue
        if not one.operation.startswith("calibrate"):
            report.add(
                join(path, "operation"), f"'{one.operation}' does not begin with calibrate: nobody could start it so"
            )
        for word, name in (("offset", one.offset), ("gain", one.gain)):
            finding = next((finding for finding in operation.findings if finding.name == name), None)
            if name is None:
                continue
            if finding is None:
                report.add(join(path, word), f"'{one.operation}' has no finding '{name}'")
                continue
            found = report.find(join(path, word), finding.tag)
            wanted = "1" if word == "gain" else DIFFERENCE.get(measured.unit, measured.unit) if measured else ""
            if found is not None and measured is not None and found.unit != wanted:
                report.add(join(path, word), f"'{name}' is in {found.unit}, not in {wanted}")


def _check_care(report: Report) -> None:
    care = report.tool.care
    _check_calibrations(report)
    report.unique(((f"care.counters[{n}].tag", one.tag) for n, one in enumerate(care.counters)), "counter")
    report.unique(((f"care.tasks[{n}].name", one.name) for n, one in enumerate(care.tasks)), "task")
    for n, counter in enumerate(care.counters):
        _check_counter(report, f"care.counters[{n}]", counter)
    counted = [one.tag for one in care.counters]
    for n, task in enumerate(care.tasks):
        if task.counter is not None and task.counter not in counted:
            report.add(f"care.tasks[{n}].counter", f"'{task.counter}' is no counter{suggestion(task.counter, counted)}")
    for word, name in (("clock", care.clock), ("warnings", care.warnings)):
        if name is not None:
            _unmoved(report, f"care.{word}", name)
    if care.horn_silenced is not None:
        report.find("care.horn_silenced", care.horn_silenced, TagKind.SETPOINT)


def _check_counter(report: Report, path: str, counter: Counter) -> None:
    _unmoved(report, join(path, "tag"), counter.tag)
    report.find(join(path, "of"), counter.of)
    if counter.only is not None:
        report.find(join(path, "only"), counter.only)
    _known(report, join(path, "renewed_by"), counter.renewed_by)
    tag = report.layout.declared.get(counter.tag)
    if counter.kind == "hours" and tag is not None and tag.unit != "h":
        report.add(join(path, "tag"), f"counts hours, but '{counter.tag}' is in {tag.unit}")


def _unmoved(report: Report, path: str, name: str) -> None:
    """What the controller keeps is a set point that no person moves."""
    tag = report.find(path, name, TagKind.SETPOINT)
    if tag is not None and tag.role is not None:
        report.add(path, f"'{name}' is kept by the controller: it has no role that moves it by hand")
