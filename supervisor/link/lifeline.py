"""A half does not outlive its launcher: SIGTERM when the parent dies, and so the safe sequence even then."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
"""prctl(2), linux/prctl.h."""


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM on the parent's death; raise it at once if that has already happened."""
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent or parent == 1:
        os.kill(os.getpid(), signal.SIGTERM)
