"""Every row of the fault matrix on every kind of wire: nothing wrong is Good, and everything comes back by itself."""

from pathlib import Path

import pytest

from tests.hil.matrix import TRANSPORTS, Matrix

GROUPS = [list(TRANSPORTS)[first : first + 3] for first in range(0, len(TRANSPORTS), 3)]


def descriptors() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(params=GROUPS, ids=[" + ".join(names) for names in GROUPS])
def matrix(request, tmp_path) -> Matrix:
    return Matrix(request.param, tmp_path, seed=7)


@pytest.mark.anyio
async def test_no_fault_of_a_wire_makes_a_wrong_value_good_and_each_heals(matrix) -> None:
    before = descriptors()
    assert await matrix.run() == []
    assert descriptors() <= before
