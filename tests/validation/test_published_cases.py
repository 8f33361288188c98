"""Every case of the validation table is within its tolerance."""

import pytest

from tests.validation.__main__ import cases, main
from tests.validation.case import Case

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_is_within_its_tolerance(case: Case) -> None:
    assert case.got() == pytest.approx(case.expected, rel=case.tolerance)


def test_the_table_prints_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    assert all(case.name[:12] in printed for case in CASES)
