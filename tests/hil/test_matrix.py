"""Every row of the fault matrix on every kind of wire: nothing wrong is Good, and everything comes back by itself."""

from collections import Counter

import anyio
import pytest

from config.profile import CodecName
from config.profiles import available, find_profile
from tests.hil.matrix import TRANSPORTS, Matrix, left_behind

GROUPS = [list(TRANSPORTS)[first : first + 3] for first in range(0, len(TRANSPORTS), 3)]


@pytest.fixture(params=GROUPS, ids=[" + ".join(names) for names in GROUPS])
def matrix(request, tmp_path) -> Matrix:
    return Matrix(request.param, tmp_path, seed=7)


@pytest.mark.anyio
async def test_no_fault_of_a_wire_makes_a_wrong_value_good_and_each_heals(matrix) -> None:
    """Nothing is left behind either: no task, thread, descriptor, nor anything that remembers a link."""
    before, tasks = left_behind(), len(anyio.get_running_tasks())
    assert await matrix.run() == []
    assert left_behind() - before == Counter()
    assert len(anyio.get_running_tasks()) == tasks


def test_every_kind_of_link_and_every_codec_has_its_cells() -> None:
    """A link or a codec that is added has to come into the matrix."""
    profiles = {name: find_profile(one.profile) for name, one in TRANSPORTS.items()}
    assert {one.codec for one in profiles.values()} == set(CodecName)
    links = {one.link.partition(":")[0] for one in TRANSPORTS.values()}
    assert links >= {kind for name in available() for kind in find_profile(name).links}
