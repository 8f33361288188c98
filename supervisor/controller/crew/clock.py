"""What the kernel says of the clock: synchronised or not; asked without a disk or a child process.

NTP and PTP daemons both discipline the clock through adjtimex(2), so one question covers them.
"""

import ctypes
from functools import cache

ERROR = 5
"""TIME_ERROR of adjtimex(2): the clock is not synchronised."""
SIZE = 256
"""struct timex is 208 bytes on 64-bit Linux; with modes = 0 the call only reads."""


def synchronised() -> bool:
    """Whether the clock is disciplined; a system that does not say counts as not."""
    state = _libc().adjtimex(ctypes.create_string_buffer(SIZE))
    return 0 <= state < ERROR


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
