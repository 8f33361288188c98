"""`cvd install-service`: a systemd unit with the rights that the tool needs, and no others."""

import argparse
import math
import os
import re
import sys
from pathlib import Path

from config.loading import load_tool
from config.profiles import FOLDER, profiles_of
from config.tool import Tool
from supervisor.cli.errors import UsageError
from supervisor.launcher.daemon import CONTROLLER_MARGIN_S, ENDPOINT, SERVER_STOP_S

UNIT = Path("/etc/systemd/system/cvd.service")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
"""systemd's strict names of users (https://systemd.io/USER_NAMES/)."""
PORT = re.compile(r"(?:(?:modbus-rtu|serial|can)://|visa://ASRL)(?P<file>/[^?:\s]+)")
TEXT = """\
# Written by `cvd install-service`; the tool's safe sequence may take {bound:g} s.
[Unit]
Description=cvd-supervisor of {tool}
After=network-online.target time-sync.target
Wants=network-online.target
# A tool is better watched by a daemon that keeps trying.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={user}
{environment}ExecStart={command}
# The settings file again, where no run is active; see the log for what became of it.
ExecReload=/bin/kill -HUP $MAINPID
# Fed while the scan is healthy; else the daemon is ended with its safe sequence, as by SIGTERM, and started again.
WatchdogSec=60
WatchdogSignal=SIGTERM
Restart=on-failure
RestartSec=2
# SIGTERM to the launcher alone: it ends the controller first, its safe sequence included, and the server last.
KillMode=mixed
TimeoutStopSec={stop}
UMask=0027
# What the scan thread asks for; without it the daemon says so once and runs on the ordinary scheduler.
LimitRTPRIO={priority}
LimitMEMLOCK=infinity
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ReadWritePaths={data}
ProtectHome={home}
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies={families}
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
{devices}
[Install]
WantedBy=multi-user.target
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd install-service`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml", help="the tool file")
    parser.add_argument("--data", type=Path, required=True, help="data folder of the daemon")
    parser.add_argument("--endpoint", default=ENDPOINT, help=f"OPC UA endpoint (default: {ENDPOINT})")
    parser.add_argument("--user", default="cvd", help="whom the daemon runs as (default: cvd)")
    parser.add_argument(
        "--output", default=str(UNIT), metavar="FILE|-", help=f"the unit (default: {UNIT}); -: print it"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the unit")


def carry_out(arguments: argparse.Namespace) -> int:
    """Write the unit and say what is left to do; the service itself is not touched."""
    text = _unit(arguments)
    if arguments.output == "-":
        sys.stdout.write(text)
        return 0
    path = Path(arguments.output)
    if path.exists() and not arguments.force:
        raise UsageError(f"{path} exists: look at it, then give --force to overwrite it")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{path}: written; the user {arguments.user} must exist and own {arguments.data.absolute()}. Now, as root:")
    print(f"systemctl daemon-reload\nsystemctl enable --now {path.name}\nsystemctl status {path.name}")
    return 0


def _unit(arguments: argparse.Namespace) -> str:
    tool = load_tool(arguments.tool)
    profiles_of(tool)
    if not USER.fullmatch(arguments.user):
        raise UsageError(f"--user {arguments.user}: not a name that systemd accepts")
    if not re.fullmatch(r"opc\.tcp://\S+", arguments.endpoint):
        raise UsageError(f"--endpoint {arguments.endpoint}: not of the form {ENDPOINT}")
    data, file = arguments.data.absolute(), arguments.tool.absolute()
    command = [sys.executable, "-m", "supervisor.cli", "run", str(file), "--data", str(data)]
    command += ["--endpoint", arguments.endpoint, "--log", "json"]
    port = re.search(r":(\d+)(?:/|$)", arguments.endpoint.removeprefix("opc.tcp://"))
    low = port is not None and int(port[1]) < 1024
    at_home = any(path.is_relative_to(top) for path in (data, file, Path(sys.executable)) for top in ("/home", "/root"))
    can = any(device.link.startswith("can://") for device in tool.devices)
    return TEXT.format(
        tool=tool.name.replace("%", "%%"),
        user=arguments.user,
        bound=tool.safe_sequence.bound_s,
        command=" ".join(_word(word).replace("$", "$$") for word in command),
        environment=f"Environment={_word(f'{FOLDER}={Path(site).absolute()}')}\n"
        if (site := os.environ.get(FOLDER))
        else "",
        stop=math.ceil(tool.safe_sequence.bound_s + CONTROLLER_MARGIN_S + SERVER_STOP_S),
        priority=tool.scan.priority,
        capabilities="CAP_NET_BIND_SERVICE" if low else "",
        data=_word(str(data)),
        home="no" if at_home else "yes",
        families="AF_UNIX AF_INET AF_INET6 AF_NETLINK" + (" AF_CAN" if can else ""),
        devices=_devices(tool),
    )


def _devices(tool: Tool) -> str:
    """Let the daemon open the serial ports of its instruments only; none where it has none."""
    ports = sorted({match["file"] for device in tool.devices if (match := PORT.match(device.link))})
    unknown = any(re.match(r"visa://(?!ASRL|TCPIP)", device.link) for device in tool.devices)
    if not ports and not unknown:
        return "PrivateDevices=yes\n"
    allowed = "".join(f"DeviceAllow={_word(port)} rw\n" for port in ports)
    if unknown:
        allowed += "# An instrument on VISA whose device node the link does not tell: add DeviceAllow=NODE rw.\n"
    return f"DevicePolicy=closed\n{allowed}SupplementaryGroups=dialout\n"


def _word(text: str) -> str:
    """Quote a word as systemd.syntax(7) reads it."""
    if re.search(r"[\x00-\x1f]", text):
        raise UsageError(f"{text!r} cannot stand in a unit: it has a control character")
    text = text.replace("%", "%%")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if re.search(r"[\s\"'\\;]", text) else text
