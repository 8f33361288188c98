"""Every snippet of the documentation does what it says.

Fences of `python` and `console test` are executed in the order of their page (page.py); `toml` and `json` are parsed,
and with `tool` or `recipe` behind the language also checked. `skip` leaves a fence out; the text then says why.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from config.loading import load_tool
from config.recipe import load_recipe
from tests.architecture.layout import ROOT
from tests.processes import uncounted

PAGE_S = 200.0  # far above what a page takes, for machines with other things to do
READERS = 2
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Fence:
    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(page: Path) -> list[Fence]:
    return [
        Fence(page, (token.map or [0])[0] + 1, tuple(token.info.split()), token.content)
        for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
        if token.type == "fence" and token.info and "skip" not in token.info.split()
    ]


ALL = [fence for page in PAGES for fence in fences(page)]


def of(*languages: str) -> list[Fence]:
    return [fence for fence in ALL if fence.words[0] in languages]


def test_every_fence_says_what_it_is() -> None:
    known = {"python", "toml", "json", "console", "text", "sh", "sql", "ini", "js", "yaml"}
    assert [str(fence) for fence in ALL if fence.words[0] not in known] == []


def acts(fence: Fence) -> bool:
    return fence.words[0] == "python" or (fence.words[0] == "console" and "test" in fence.words)


def read(page: Path, folder: Path) -> tuple[int, str]:
    """Go through a page in a process of its own; return its exit code and what it printed."""
    told = [
        {"language": fence.words[0], "text": fence.text, "where": str(fence)}
        for fence in ALL
        if fence.page == page and acts(fence)
    ]
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("page.py"))]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=uncounted(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as reader:
        try:
            printed, _ = reader.communicate(json.dumps(told), PAGE_S)
        except subprocess.TimeoutExpired:
            reader.terminate()
            printed, _ = reader.communicate()
    logs = "".join(log.read_text()[-3000:] for log in sorted(folder.glob("daemon-*.log")))
    return reader.returncode, f"{printed}\n{logs}"


@pytest.fixture(scope="module")
def readings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Path, Future[tuple[int, str]]]]:
    """Pages mostly wait for their daemons: two are read at a time, the longest first."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = {spec.params.get("page") for spec in specs if spec is not None}
    pages = sorted(chosen & {fence.page for fence in ALL if acts(fence)}, key=lambda page: -len(page.read_text()))
    with ThreadPoolExecutor(READERS) as pool:
        yield {page: pool.submit(read, page, tmp_path_factory.mktemp(page.stem)) for page in pages}


@pytest.mark.slow
@pytest.mark.timeout(2 * PAGE_S)
@pytest.mark.parametrize("page", sorted({f.page for f in ALL if acts(f)}), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_does_what_it_shows(page: Path, readings: dict[Path, Future[tuple[int, str]]]) -> None:
    code, printed = readings[page].result()
    assert code == 0, printed


@pytest.mark.parametrize("fence", of("toml", "json"), ids=str)
def test_data_parses(fence: Fence, tmp_path: Path) -> None:
    if fence.words[0] == "toml":
        tomllib.loads(fence.text)
    elif "recipe" not in fence.words:  # a recipe may have comments
        json.loads(fence.text)
    if "tool" in fence.words:
        (tmp_path / "tool.toml").write_text(fence.text, encoding="utf-8")
        load_tool(tmp_path / "tool.toml")
    if "recipe" in fence.words:
        (tmp_path / "recipe.json").write_text(fence.text, encoding="utf-8")
        load_recipe(tmp_path / "recipe.json")
