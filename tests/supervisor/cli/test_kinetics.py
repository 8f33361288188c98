"""`cvd kinetics tabulate`: a table on the disk with its error told, or one clear line."""

from pathlib import Path

import pytest

from kernels import lookup
from supervisor.cli.main import main

RANGES = ["--temperature", "1150:1250:3", "--pressure", "2666", "--tolerance", "0.02", "--held-out", "20"]


def test_a_mechanism_becomes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "diamond.npz"
    words = ["kinetics", "tabulate", "diamond.yaml", "--surface", "diamond_100", *RANGES, "--fraction", "H=1e-3:2e-3:4"]
    assert main([*words, "--output", str(to)]) == 0
    told = capsys.readouterr()
    assert "growth:diamond: error at most" in told.out
    assert "points: largest error" in told.err
    assert lookup.load(to)(temperature=1200.0, pressure=2666.0, H=1.4291e-3)["growth:diamond"] > 0.0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["none.yaml"], "none.yaml"),
        (["diamond.yaml", "--surface", "diamond_100", "--fraction", "H"], "GAS=LOW:HIGH:COUNT"),
        (["diamond.yaml", "--surface", "diamond_100", "--base", "H2;1"], "GAS:SHARE"),
        (["h2o2.yaml"], "residence time"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "table.npz"
    assert main(["kinetics", "tabulate", *words, *RANGES, "--output", str(to)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert reason in lines[0]
    assert not to.exists()
