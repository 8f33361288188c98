"""`cvd nodeset`: a tool's OPC UA address space as a NodeSet2 file."""

import argparse
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import anyio

import config
from config.layout import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("tool", type=Path, help="the tool file")
    parser.add_argument("--output", type=Path, help="where to write; otherwise to standard output")


def carry_out(arguments: argparse.Namespace) -> int:
    """Write the file."""
    # asyncua takes a second to load; other commands do without.
    from opcua_model.offline import nodeset_of

    layout = Layout(config.load_tool(arguments.tool))

    async def made() -> str:
        return await nodeset_of(layout, revision=version("cvd-supervisor"), moment=datetime.now(UTC))

    text = anyio.run(made)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0
