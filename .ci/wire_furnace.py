"""The shipped furnace with instruments on its tags: ``wire_furnace.py --write`` makes lpcvd_furnace_wired.toml anew.

The wired file is the furnace's own file plus what stands here and in wired_furnace_devices.toml: which point each tag
is bound to, and how often that instrument can be asked. A test proves that the shipped file is what this makes.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "config" / "tools" / "lpcvd_furnace.toml"
TARGET = ROOT / "config" / "tools" / "lpcvd_furnace_wired.toml"
DEVICES = Path(__file__).with_name("wired_furnace_devices.toml")
HEAD = "# Made by .ci/wire_furnace.py from lpcvd_furnace.toml: the same furnace on instruments. Change it there.\n\n"
BEFORE = re.compile(r"^# -+ gases$", re.MULTILINE)
"""The devices stand before the gases."""
DIGITS = 32767
"""Of the coupler's analogue terminals at full scale."""


@dataclass(frozen=True)
class Bond:
    """Where a tag is bound to."""

    point: str
    full: tuple[float, float] | None = None
    """Tag at 0 and at full scale of an analogue terminal."""
    period_s: float | None = None
    """How often the instrument is asked, where that differs from the simulated furnace's own."""


def bonds() -> dict[str, Bond]:
    """Every input and output of the furnace, by its name in its module."""
    made: dict[str, Bond] = {"boat_c": Bond("boat.temperature")}
    for zone in (1, 2, 3):
        made[f"zone{zone}.temperature_c"] = Bond(f"profile{zone}.temperature", period_s=0.2)
        made[f"zone{zone}.spike_c"] = Bond(f"spike{zone}.temperature", period_s=0.2)
        made[f"zone{zone}.power_pct"] = Bond(f"io.ao_{zone - 1}", (0, 100))
    contacts = (
        "overtemperature_ok at_atmosphere dry_pump.running dry_pump.ok booster.running door_closed boat_in flow_ok "
        "abatement_ready gas_cabinet_ok gas_detector.ok emo_ok ups_ok sih4.bottle_open door_opened boat_out "
        "rotation.running wafers_present e84.valid e84.cs_0 e84.tr_req e84.busy e84.compt abatement_accepts water_dry "
        "emo.front_ok emo.rear_ok"
    )
    made |= {name: Bond(f"io.di_{n}") for n, name in enumerate(contacts.split())}
    valves = (
        "sih4.valve n2o.valve n2.valve purge.shut isolation_valve.shut dry_pump.stop booster.stop door_unlock "
        "sih4.bottle_shut sih4.bottle_release sih4.purge door_open boat.insert boat.withdraw rotation.run e84.l_req "
        "e84.u_req e84.ready e84.ho_avbl e84.es abatement_request light.red light.yellow light.green light.blue horn"
    )
    made |= {name: Bond(f"io.do_{n}") for n, name in enumerate(valves.split())}
    made |= {f"{gas}.flow_sccm": Bond(f"mfc_{gas}.flow", period_s=0.1) for gas in ("sih4", "n2o", "n2")}
    return made | {
        "sih4.setpoint_sccm": Bond("io.ao_3", (0, 200)),
        "n2o.setpoint_sccm": Bond("io.ao_4", (0, 500)),
        "n2.setpoint_sccm": Bond("mfc_n2.setpoint"),
        "manometer_torr": Bond("io.ai_0", (0, 11), 0.05),
        "cooling_water_l_min": Bond("io.ai_1", (0, 30)),
        "n2_supply_kpa": Bond("io.ai_2", (0, 1000)),
        "air_kpa": Bond("io.ai_3", (0, 1000)),
        "reflectometer_thickness_nm": Bond("io.ai_4", (0, 10000)),
        "deposition_rate_nm_min": Bond("io.ai_5", (0, 1000)),
        "sih4.line_kpa": Bond("io.ai_6", (0, 1000)),
        "pressure_pa": Bond("io.ai_7", (0, -1000)),
        "mains_v": Bond("io.ai_8", (0, 400)),
        "wide_range_torr": Bond("gauges.pressure_1", period_s=0.25),
        "foreline_torr": Bond("gauges.pressure_2", period_s=0.25),
        "throttle_valve.position_pct": Bond("throttle.position_setpoint"),
        "throttle_valve.feedback_pct": Bond("throttle.position"),
        "gas_detector.sih4_ppm": Bond("detector.concentration"),
    }


def wired() -> str:
    """The wired furnace's file; raises ValueError when the furnace has inputs or outputs that nothing is known of."""
    left = bonds()
    lines: list[str] = []
    for text in SOURCE.read_text(encoding="utf-8").splitlines():
        found = re.match(r'  \{ name = "([^"]+)", kind = "(?:input|output)"', text)
        lines.append(text if found is None else _bound(text, left.pop(found[1])))
    if left:
        raise ValueError(f"the furnace has no tags {', '.join(left)}")
    made = "\n".join(lines) + "\n"
    place = BEFORE.search(made)
    if place is None:
        raise ValueError("lpcvd_furnace.toml has no heading 'gases'")
    return HEAD + made[: place.start()] + DEVICES.read_text(encoding="utf-8") + "\n" + made[place.start() :]


def _bound(text: str, bond: Bond) -> str:
    if bond.period_s is not None:
        text = re.sub(r"period_s = [\d.]+", f"period_s = {bond.period_s:g}", text)
    words = f'point = "{bond.point}", '
    if bond.full is not None:
        words += f"scaling = {{ point = [0, {DIGITS}], tag = [{bond.full[0]:g}, {bond.full[1]:g}] }}, "
    return text.replace("description =", f"{words}description =", 1)


def main() -> int:
    """Write the file, or say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    made = wired()
    if parser.parse_args().write:
        TARGET.write_text(made, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != made:
        print(f"{TARGET.relative_to(ROOT)} is not what {Path(__file__).name} --write makes")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
