"""Processes that tests start: the environment that they get."""

import os


def uncounted() -> dict[str, str]:
    """The environment without the measuring of coverage: that doubles what a process of ours costs.

    What the halves, the commands and the scripts consist of is counted where tests call it in their own process.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
