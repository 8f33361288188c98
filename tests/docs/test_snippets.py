"""Every snippet of the documentation does what it says.

A fence of `python` is executed in a process of its own, in the order of its page; `toml` and `json` are parsed, and
with `tool` or `recipe` behind the language also checked; `console test` runs its `$ cvd …` lines, which must succeed
and print the lines that follow (`…` stands for anything). `skip` leaves a fence out: the text says why it cannot run.
"""

import fnmatch
import json
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from config.loading import load_tool
from config.recipe import load_recipe
from tests.architecture.layout import ROOT

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
    known = {"python", "toml", "json", "console", "text", "sh", "sql", "ini", "js"}
    assert [str(fence) for fence in ALL if fence.words[0] not in known] == []


@pytest.mark.parametrize("page", sorted({fence.page for fence in of("python")}), ids=lambda p: str(p.relative_to(ROOT)))
def test_python_runs(page: Path, tmp_path: Path) -> None:
    script = "\n".join(fence.text for fence in of("python") if fence.page == page)
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fence", of("toml", "json"), ids=str)
def test_data_parses(fence: Fence, tmp_path: Path) -> None:
    if fence.words[0] == "toml":
        tomllib.loads(fence.text)
    else:
        json.loads(fence.text)
    if "tool" in fence.words:
        (tmp_path / "tool.toml").write_text(fence.text, encoding="utf-8")
        load_tool(tmp_path / "tool.toml")
    if "recipe" in fence.words:
        (tmp_path / "recipe.json").write_text(fence.text, encoding="utf-8")
        load_recipe(tmp_path / "recipe.json")


@pytest.mark.slow
@pytest.mark.parametrize("fence", [fence for fence in of("console") if "test" in fence.words], ids=str)
def test_console_shows_what_it_shows(fence: Fence, tmp_path: Path) -> None:
    expected: list[str] = []
    commands: list[tuple[str, list[str]]] = []
    for line in fence.text.splitlines():
        if line.startswith("$ "):
            expected = []
            commands.append((line[2:], expected))
        else:
            expected.append(line.rstrip())
    (tmp_path / "config").symlink_to(ROOT / "config")
    for command, wanted in commands:
        name, *arguments = shlex.split(command)
        assert name == "cvd"
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.cli", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        got = [line.rstrip() for line in done.stdout.splitlines()]
        pattern = "\n".join(wanted).replace("[", "[[]").replace("…", "*")
        assert fnmatch.fnmatchcase("\n".join(got), pattern), "\n".join(got)
