"""The unit gives the daemon what its tool needs, and nothing else."""

import math
from pathlib import Path

import pytest

from config.loading import load_tool, shipped_tool
from supervisor.cli.main import main


def unit(capsys: pytest.CaptureFixture[str], tool: str, *more: str) -> list[str]:
    path = str(shipped_tool(tool))
    assert main(["install-service", path, "--data", "/var/lib/cvd", "--output", "-", *more]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_time_to_stop_is_that_of_the_safe_sequence(capsys) -> None:
    bound = load_tool(shipped_tool("lpcvd_furnace")).safe_sequence.bound_s
    lines = unit(capsys, "lpcvd_furnace")
    assert f"TimeoutStopSec={math.ceil(bound + 20)}" in lines
    assert {"Type=notify", "KillMode=mixed", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(lines)
    assert "ReadWritePaths=/var/lib/cvd" in lines


def test_devices_are_open_only_where_the_tool_has_them(capsys) -> None:
    assert "PrivateDevices=yes" in unit(capsys, "lpcvd_furnace")
    wired = unit(capsys, "lpcvd_furnace_wired")
    assert [line for line in wired if line.startswith("DeviceAllow=")] == [
        f"DeviceAllow=/dev/ttyS{number} rw" for number in (1, 2, 3)
    ]
    assert "PrivateDevices=yes" not in wired


def test_only_a_low_port_gives_a_capability(capsys) -> None:
    assert "CapabilityBoundingSet=" in unit(capsys, "lpcvd_furnace")
    low = unit(capsys, "lpcvd_furnace", "--endpoint", "opc.tcp://0.0.0.0:840/cvd")
    assert "CapabilityBoundingSet=CAP_NET_BIND_SERVICE" in low


def test_what_systemd_would_expand_is_quoted(capsys) -> None:
    path = str(shipped_tool("lpcvd_furnace"))
    assert main(["install-service", path, "--data", "/var/my data%h", "--output", "-"]) == 0
    assert 'ReadWritePaths="/var/my data%%h"' in capsys.readouterr().out.splitlines()
    assert main(["install-service", path, "--data", "/var/a\nb", "--output", "-"]) == 1
    assert "control character" in capsys.readouterr().err


def test_a_sites_own_profiles_are_found_by_the_service_too(capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("CVD_DEVICES", str(tmp_path))
    assert f"Environment=CVD_DEVICES={tmp_path}" in unit(capsys, "lpcvd_furnace")


def test_a_unit_is_overwritten_only_by_force(capsys, tmp_path: Path) -> None:
    file = tmp_path / "cvd.service"
    asked = ["install-service", str(shipped_tool("lpcvd_furnace")), "--data", "d", "--output", str(file)]
    assert main(asked) == 0
    assert capsys.readouterr().out.count("systemctl") == 3
    file.write_text("mine")
    assert main(asked) == 1
    assert file.read_text() == "mine"
    assert main([*asked, "--force"]) == 0
    assert file.read_text().startswith("# Written by")
    assert [path.name for path in tmp_path.iterdir()] == ["cvd.service"]


def test_a_faulty_tool_or_user_gives_no_unit(capsys, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("name = 3")
    assert main(["install-service", str(tmp_path / "t.toml"), "--data", "d", "--output", str(tmp_path / "u")]) == 1
    tool = str(shipped_tool("lpcvd_furnace"))
    assert main(["install-service", tool, "--data", "d", "--user", "a b", "--output", str(tmp_path / "u")]) == 1
    assert "--user a b" in capsys.readouterr().err
    assert not (tmp_path / "u").exists()
