"""Reference pages that are generated, and every link in the Markdown files: ``docs.py --output build/docs``.

Pages and sections of pages come from the models and the command line themselves, so they cannot be out of date; with
``--write`` the sections are renewed (sections.py). A link to a file or heading that does not exist is a fault; links
to other hosts are not followed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from itertools import pairwise
from pathlib import Path
from unittest import mock

from markdown_it import MarkdownIt
from markdown_it.token import Token
from sections import outdated

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # tests say what they cover


def pages() -> list[Path]:
    """Return the Markdown files that git knows, those not yet committed included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in sorted(set(listing.stdout.splitlines())) if (ROOT / name).exists()]


@cache
def tokens(page: Path) -> list[Token]:
    """Parse a page, once: many lead to it."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """Yield the targets of links and images of a page."""
    for block in tokens(page):
        for token in block.children or []:
            target = token.attrGet("href") or token.attrGet("src")
            if isinstance(target, str):
                yield target


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as repository hosts make them."""
    blocks = tokens(page)
    headings = [b.content for a, b in pairwise(blocks) if a.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    """Yield one complaint for each link of a page that leads nowhere."""
    for target in links(page):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        where = f"{page.relative_to(ROOT)}: {target}"
        if not file.exists():
            yield f"{where}: there is no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{where}: there is no such heading"


def unlisted(found: list[Path]) -> Iterator[str]:
    """Yield the pages of docs/ that no index leads to."""
    reached = {(page.parent / target.partition("#")[0]).resolve() for page in found for target in links(page)}
    for page in found:
        if page.is_relative_to(ROOT / "docs") and page != ROOT / "docs" / "index.md" and page not in reached:
            yield f"{page.relative_to(ROOT)}: no page leads here"


def command_line() -> str:
    """Describe `cvd` by its own help."""
    from supervisor.cli.main import COMMANDS, main

    parts = ["# Command line\n"]
    with mock.patch.dict(os.environ, COLUMNS="100"):
        for command in COMMANDS:
            shown = StringIO()
            with redirect_stdout(shown), suppress(SystemExit):
                main([command, "--help"])
            parts.append(f"## cvd {command}\n\n```text\n{shown.getvalue().strip()}\n```\n")
    return "\n".join(parts)


def main() -> int:
    """Write the generated pages, then print every fault; exit status 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="renew the sections that are made from the code")
    arguments = parser.parse_args()
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    from config.schema import schema

    (output / "command-line.md").write_text(command_line(), encoding="utf-8")
    for kind in ("tool", "recipe"):
        (output / f"{kind}.schema.json").write_text(json.dumps(schema(kind), indent=2) + "\n", encoding="utf-8")
    found = pages()
    faults = outdated(found, ROOT, write=arguments.write)
    faults += [fault for page in found for fault in broken(page)] + list(unlisted(found))
    print(*faults or [f"{len(found)} pages, every link leads somewhere; generated pages are in {output}"], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
