"""The command line answers in one clear line and an exit code, never with a traceback."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from supervisor.cli import version as version_command
from supervisor.cli.main import COMMANDS, main
from supervisor.launcher.errors import DataFolderError


def test_version_says_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"cvd-supervisor {metadata.version('cvd-supervisor')} (Python 3.")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: cvd {command}")


def test_an_unknown_command_is_refused_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deposit"])
    assert ended.value.code == 2
    assert "'simulate'" in capsys.readouterr().err


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(version_command, "carry_out", fail)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataFolderError("the data folder x is in use"), 1, "cvd version: the data folder x is in use\n"),
        (ExceptionGroup("", [DataFolderError("one"), ExceptionGroup("", [DataFolderError("two")])]), 1,
         "cvd version: one\ncvd version: two\n"),
        (ZeroDivisionError("division by zero"), 70, "cvd version: internal error: ZeroDivisionError: division by zero"),
        (ExceptionGroup("", [KeyError("tag")]), 70, "cvd version: internal error: KeyError: 'tag'"),
        (FileNotFoundError(2, "No such file", "/nope"), 1, "cvd version: /nope: No such file"),
        (KeyboardInterrupt(), 130, ""),
        (BaseExceptionGroup("", [KeyboardInterrupt()]), 130, ""),
    ],
)  # fmt: skip
def test_an_error_becomes_one_line_and_a_code(error, code: int, told: str, monkeypatch, capsys) -> None:
    failing(error, monkeypatch)
    assert main(["version"]) == code
    err = capsys.readouterr().err
    assert err.startswith(told)
    assert "Traceback" not in err


def test_the_traceback_of_an_internal_error_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(ZeroDivisionError("division by zero"), monkeypatch)
    monkeypatch.setenv("CVD_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["version"])


@pytest.mark.parametrize(
    ("file", "text"), [("top_level.txt", "supervisor\n"), ("RECORD", "bin/x,,\nsupervisor/__init__.py,sha256=1,2\n")]
)
def test_a_foreign_package_in_our_place_is_refused_by_name(
    file: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyPI has other distributions that install a `supervisor` or `kernels` (decision record 0002)."""
    other = tmp_path / "supervisor-4.2.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: supervisor\nVersion: 4.2\n")
    (other / file).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["version"]) == 1
    assert "'supervisor' also belongs to the distribution 'supervisor'" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["main(['version'])", "import supervisor.cli.run"])
def test_a_short_answer_and_a_launcher_do_not_load_the_halves(said: str) -> None:
    """`cvd version` answers, and `cvd run` starts the halves, without asyncua or DuckDB."""
    script = f"import sys; from supervisor.cli.main import main; {said}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncua", "duckdb", "pyarrow", "rich"}
