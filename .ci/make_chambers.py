"""Tool files of the composed chambers: ``make_chambers.py --write`` makes config/tools/<name>.toml of each anew.

What the tools have in common stands in chamber_modules.py, chamber_interlocks.py and chamber_operations.py, what
distinguishes them in chamber_tools_*.py. A file stands on its own for whoever reviews it; a test proves that each
shipped one is what this makes.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import chamber_care
from chamber_interlocks import alarms, interlocks
from chamber_modules import least_dilution_slm, modules
from chamber_operations import binding, loops, operations, proves_leak, safe_sequence
from chamber_proof import proven
from chamber_service import COUNTS_KPA, MIXING, emptied_kpa
from chamber_signals import signals
from chamber_spec import Gas, Spec
from chamber_text import WIDTH, heading, pairs, table, tables
from chamber_tools_energy import SPECS as ENERGY
from chamber_tools_epitaxy import SPECS as EPITAXY
from chamber_tools_plasma import SPECS as PLASMA
from chamber_tools_thermal import SPECS as THERMAL

from hil.chamber.parameters import Parameters

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "config" / "tools"
MADE = (
    "Made by .ci/make_chambers.py; change it there. Outputs whose value 0 is the energised or closed state of pumps, "
    "purge and isolation valve (`stop`, `shut`) are named after what 1 does: at 0 they are on or open."
)
DEAD_LEGS = 1.25
"""A chamber is purged as though it had a quarter more than its volume (engineering default)."""
SPECS = (*THERMAL, *ENERGY, *PLASMA, *EPITAXY)


def text(spec: Spec) -> str:
    """The whole file of a tool."""
    return "\n".join(_lines(spec)).rstrip() + "\n"


def _lines(spec: Spec) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(" ".join((*spec.head, MADE)), WIDTH))
    yield ""
    yield from pairs({"schema_version": 1, "name": spec.name, "title": spec.title})
    yield ""
    yield from table("identification", {"manufacturer": "cvd-supervisor", "model": spec.model,
                                        "serial_number": spec.serial})  # fmt: skip
    yield from table("scan", {"period_ms": 10, "log_every": 10, "flight_s": 10, "log_s": 120, "priority": 80})
    yield heading("modules")
    yield from tables("modules", modules(spec))
    yield heading("gases")
    yield from tables("gases", (_feed(gas) for gas in spec.gases))
    yield heading("gas safety")
    yield "# Of this follow what is left of each gas, the dilution of the exhaust and their rows (config.gas_rules)."
    yield from _gas_safety(spec)
    yield heading("interlocks: cause and effect")
    yield "# Every cause is also present when one of its readings is Bad. Contacts are closed (1) when all is well."
    yield from tables("interlocks", (_given(proven(one)) for one in interlocks(spec)))
    yield heading("alarms")
    yield from tables("alarms", alarms(spec))
    yield heading("control")
    yield from tables("loops", loops(spec))
    yield from tables("maps", (*spec.maps, *chamber_care.maps()))
    yield heading("recipes")
    yield from table("recipe", binding(spec))
    yield from table("telemetry", _telemetry(spec))
    yield heading("safe sequence")
    yield from table("safe_sequence", safe_sequence(spec))
    yield heading("operations")
    yield from tables("operations", operations(spec))
    yield heading("care")
    yield from table("care", chamber_care.care(spec))
    yield heading("simulated plant")
    yield "# Geometry and all else that is not listed are the defaults of hil.chamber.parameters."
    yield from _plant(spec)


def _feed(gas: Gas) -> dict[str, object]:
    kind = "bubbler" if gas.bubbler_c else gas.line.get("kind", "gas")
    carried = {"kind": kind} if kind in {"bubbler", "mist", "generator"} else {}
    vents = {"vent": gas.vent} if gas.vents else {}
    return {"name": gas.formula} | carried | {"flow": gas.flow, "setpoint": gas.setpoint, "valve": gas.valve} | vents


def _gas_safety(spec: Spec) -> Iterator[str]:
    yield from table("gas_safety", {
        "exhaust": "exhaust.flow_ok", "abatement": "exhaust.abatement_ready", "dilution": "exhaust.dilution_slm",
        "least_dilution_slm": least_dilution_slm(spec), "locks": ["wafer_handling.door_unlock"],
    })  # fmt: skip
    v = spec.vacuum
    litres = DEAD_LEGS * spec.plant["volume_l"]
    yield from table("gas_safety.chamber", {
        "litres": round(litres, 3), "pressure": "chamber.pressure_torr", "least_torr": 0.001 * v.full,
        "mixing": spec.mixing, "purge": [gas.formula for gas in spec.gases if gas.inert],
        "opened": "not wafer_handling.door_closed",
    })  # fmt: skip
    yield from tables("gas_safety.lines", ({
        "gas": gas.formula, "pressure": f"gas_panel.{gas.tag}.line_kpa", "low": emptied_kpa(spec), "high": COUNTS_KPA,
        "mixing": MIXING, "purge": f"gas_panel.{gas.tag}.purge", "supplied": f"gas_panel.{gas.tag}.bottle_open",
    } for gas in spec.gases if gas.bottled))  # fmt: skip
    if proves_leak(spec):
        yield from table("gas_safety.leak", {
            "operation": "leak_check", "within_h": 24,
            "void": "not wafer_handling.door_closed or chamber.at_atmosphere",
        })  # fmt: skip


def _given(one: dict[str, object]) -> dict[str, object]:
    return {name: item for name, item in one.items() if item is not None}


def _telemetry(spec: Spec) -> dict[str, object]:
    zones = {f"zone{z}": f"heater.zone{z}.temperature_c" for z in range(1, spec.heat.zones + 1)}
    return {
        "chamber_pressure_torr": "chamber.pressure_torr", "temperature_zones_c": zones,
        "gas_flows_sccm": {gas.formula: gas.flow for gas in spec.gases}, "signals": signals(spec),
    }  # fmt: skip


def _plant(spec: Spec) -> Iterator[str]:
    plant: dict[str, object] = {"model": "chamber", "seed": spec.seed}
    if spec.plant_source:
        plant["source"] = spec.plant_source
    yield from table("plant", plant)
    usual = asdict(Parameters())
    yield from table("plant.parameters", {name: of for name, of in spec.plant.items() if of != usual[name]})
    yield from tables("plant.films", spec.films)
    for gas in spec.gases:
        line = dict(gas.line) | ({"vents": True} if gas.vents else {})
        if gas.bubbler_c is not None:
            line = {"kind": "bubbler", "bath_c": gas.bubbler_c[2]} | line
        if line:
            yield from table(f"plant.lines.{gas.formula}", line)


def main() -> int:
    """Write the files, or say which is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    writing, wrong = parser.parse_args().write, 0
    for spec in SPECS:
        file, made = TOOLS / f"{spec.file}.toml", text(spec)
        if writing:
            file.write_text(made, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != made:
            print(f"{file.relative_to(ROOT)} is not what {Path(__file__).name} --write makes")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
