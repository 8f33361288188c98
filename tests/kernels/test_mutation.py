"""A fault planted in the kernel's source is caught by the comparison with the oracle; the full count is a campaign."""

import pytest

from tests.kernels.comparison import Tally, compare
from tests.kernels.edges import bench, edges
from tests.kernels.mutation import EQUIVALENT, PLACES, attempt, mutants, sample
from tests.kernels.oracle import Oracle


def test_every_function_of_the_interlock_code_has_operators_to_change() -> None:
    every = mutants()
    assert len(every) >= 250
    assert {(one.file, one.function) for one in every} >= {
        ("condition.pxd", "delayed"), ("gate.pxd", "gate"), ("expression.pxd", "vote"), ("command.pxd", "bypass_scans"),
    }  # fmt: skip
    assert {one.file for one in every} == set(PLACES)
    assert all(one.before != one.after for one in every)
    assert set(EQUIVALENT) <= {one.words for one in every}, "an equivalent that is no mutant any more"


def test_the_story_at_the_edges_meets_every_rule() -> None:
    tool, tally = bench(), Tally()
    assert compare(tool, edges(tool), Oracle, tally) is None
    assert {"CONDITION", "BYPASS_EXPIRED", "RUN_STATE", "COMMAND", "SKIPPED", "STEP"} <= set(tally.events)
    assert {"RUNNING", "HELD", "ABORTED"} <= set(tally.states)


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_a_seeded_mutant_is_caught_and_the_original_is_not() -> None:
    assert attempt(None, cases=2) == ""
    (mutant,) = sample(1, seed=68)
    caught = attempt(mutant, cases=15)
    assert caught, mutant.words
    assert not caught.startswith("does not compile"), caught
