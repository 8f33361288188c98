"""`cvd version`."""

import argparse
import platform
from importlib import metadata


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the command has no options."""
    del parser


def carry_out(arguments: argparse.Namespace) -> int:
    """Print what is installed, as a report of a problem needs it."""
    del arguments
    print(f"cvd-supervisor {metadata.version('cvd-supervisor')} (Python {platform.python_version()})")
    return 0
