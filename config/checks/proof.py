"""Checks of proof tests: what is injected must be what the interlock reads, within the input's range."""

from config.checks.report import Report
from config.faults import join
from config.tool import TagKind


def check_proof_tests(report: Report) -> None:
    """Check the proof test of every interlock that declares one."""
    for i, interlock in enumerate(report.tool.interlocks):
        declared = interlock.proof_test
        if declared is None or declared.inject is None:
            continue
        inject, path = declared.inject, join(f"interlocks[{i}]", "proof_test", "inject")
        tag = report.find(join(path, "tag"), inject.tag, TagKind.INPUT)
        if tag is None:
            continue
        if inject.tag not in report.layout.inputs_of(interlock.when):
            report.add(join(path, "tag"), f"{interlock.name} does not read '{inject.tag}': forcing it proves nothing")
        for word, value in (("from", inject.begin), ("to", inject.to)):
            if not tag.low <= value <= tag.high:
                report.add(
                    join(path, word), f"{value:g} is outside the range {tag.low:g} … {tag.high:g} of '{inject.tag}'"
                )
