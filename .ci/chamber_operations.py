"""Recipe binding, safe sequence and service operations of a chamber tool."""

from collections.abc import Iterator

from chamber_bake import bake_out
from chamber_gains import scheduled
from chamber_service import ready, service
from chamber_spec import Source, Spec
from chamber_words import OPEN_TO_PUMP, PURGED, Table, Words, operation

from config.gases import Hazard, species


def binding(spec: Spec) -> Table:
    """How a recipe's words become tags."""
    words, v, heat = Words(spec), spec.vacuum, spec.heat
    pump_down = dict(words.no_gas) | {"gas_panel.purge.shut": 0 if words.exhausts else 1} | OPEN_TO_PUMP
    made: Table = {
        "process_modes": list(spec.modes), "pump_down": pump_down, "purge_gas": spec.purge,
        "standby_temperature_c": heat.standby_c, "temperature_tolerance_c": heat.tolerance_c,
        "pressure_tolerance_pct": v.tolerance_pct, "before": list(spec.before), "after": ["purge"], "timeout_factor": 3,
        "zones": [{"zone": z, "setpoint": f"heater.zone{z}.setpoint_c",
                   "process_value": f"heater.zone{z}.temperature_c", "mode": f"heater.zone{z}.mode"}
                  for z in words.zones],
        "pressure": {"setpoint": "chamber.pressure_setpoint_torr", "process_value": "chamber.pressure_torr",
                     "mode": "vacuum.throttle_valve.mode", "valve": "vacuum.throttle_valve.position_pct"},
    }  # fmt: skip
    made["needs"] = [{"that": "wafer_handling.door_closed", "reason": "the door is open"}] + [
        {"that": f"gas_panel.{gas.tag}.bottle_open",
         "reason": f"the bottle of {gas.formula} is shut: finish change_bottle_{gas.tag} first"}
        for gas in spec.gases if gas.bottled
    ]  # fmt: skip
    source = spec.source
    if source is not None and source.settings:
        made["plasma"] = _energy(spec, source)
    return made


def _energy(spec: Spec, source: Source) -> Table:
    """How a recipe asks for the source."""
    bound: Table = {"settings": source.settings, "requested": f"{source.name}.requested",
                    "enable": f"{source.name}.enable", "power": f"{source.name}.power_w",
                    "load": f"{source.name}.load_w", "lit": source.lit, "power_tolerance_pct": source.tolerance_pct,
                    "light_s": source.light_s}  # fmt: skip
    if source.reflects:
        bound |= {"reflected_limit": f"{source.name}.reflected_limit_w", "duty": f"{source.name}.duty_pct",
                  "frequencies_mhz": [source.frequency_mhz], "gas": dict(source.gas)}  # fmt: skip
    if source.match:
        bound["matching"] = "match.mode"
    bound |= dict(source.words)
    if spec.source is not None and source.bias_w:
        bound["bias"] = {"setpoint": "bias.bias_setpoint_v", "process_value": "bias.bias_v", "mode": "bias.bias_mode"}
    return bound


def loops(spec: Spec) -> Iterator[Table]:
    """Control loops."""
    heat, v = spec.heat, spec.vacuum
    for zone in range(1, heat.zones + 1):
        z = f"heater.zone{zone}"
        yield {"name": f"zone{zone}", "pv": f"{z}.temperature_c", "sp": f"{z}.setpoint_c", "out": f"{z}.power_pct",
               "mode": f"{z}.mode", "kp": heat.kp, "ti_s": heat.ti_s, "low": 0, "high": 100, "off": 0}  # fmt: skip
    pressure: Table = {"name": "pressure", "pv": "chamber.pressure_torr", "sp": "chamber.pressure_setpoint_torr",
                       "out": "vacuum.throttle_valve.position_pct", "mode": "vacuum.throttle_valve.mode",
                       "direction": -1, "kp": v.kp, "ti_s": v.ti_s, "low": 0, "high": 100, "rate_per_s": 80,
                       "off": 100}  # fmt: skip
    if v.usual:
        volume, full = (spec.plant[name] for name in ("volume_l", "throttle_full_l_s"))
        pressure["schedule"] = {"tag": "chamber.pressure_setpoint_torr",
                                "rows": scheduled(volume, full, v.usual, v.closed_loop_s)}  # fmt: skip
    yield pressure
    if spec.source is not None and spec.source.bias_w:
        yield {"name": "bias", "pv": "bias.bias_v", "sp": "bias.bias_setpoint_v", "out": "bias.power_w",
               "mode": "bias.bias_mode", "direction": -1, "kp": 1.0, "ti_s": 0.5, "low": 0, "high": spec.source.bias_w,
               "rate_per_s": spec.source.bias_w, "off": 0}  # fmt: skip
    yield from (dict(one) for one in spec.loops)


def safe_sequence(spec: Spec) -> Table:
    """Isolate, purge, pump; nothing in it waits for what a fault may have taken away."""
    words, v = Words(spec), spec.vacuum
    last: Table = {"name": "pump", "set": words.no_purge(), "min_s": 10,
                   "until": f"chamber.pressure_torr < {max(2.0, 10 * v.empty):g} Torr", "timeout_s": 120,
                   "on_timeout": "continue"}  # fmt: skip
    if words.exhausts:
        last = {"name": "leave the trickle purge on", "set": words.no_purge(), "min_s": 1}
    steps = [
        {
            "name": "sources out, isolate, heat off",
            "set": words.shut | words.cold | dict.fromkeys(spec.still, 0),
            "min_s": 0.5,
        },
        {"name": "open the way out", "set": dict(OPEN_TO_PUMP), "min_s": 1},
        {"name": "purge", "set": words.purge(spec.purge_sccm) | {"gas_panel.purge.shut": 0}, "min_s": spec.purge_s},
        last,
    ]
    return {"name": "safe_sequence", "title": "Safe sequence", "description": "Puts sources out, shuts process gas, "
            "takes the heat away, purges through the open way out and leaves the trickle purge on",
            "bound_s": spec.purge_s + 150, "steps": steps}  # fmt: skip


def proves_leak(spec: Spec) -> bool:
    """Whether the tool has something pyrophoric, which waits for a leak check."""
    kinds = [found.hazards for gas in spec.gases if (found := species(gas.formula)) is not None]
    return any(Hazard.PYROPHORIC in one for one in kinds)


def operations(spec: Spec) -> Iterator[Table]:
    """Service operations."""
    words = Words(spec)
    if not words.exhausts:
        yield from _vacuum(spec, words)
    else:
        yield operation("cycle_purge", "Purge before", f"Flow purge for {4 * spec.purge_s:g} s at least, until "
                         "any gas may come in: t = P·V/Q · ln(c0/cf)", 1830, words.no_gas, [
            {"name": "gas shut, purge", "set": words.no_gas | OPEN_TO_PUMP | words.purge(spec.vent_sccm)
             | {"gas_panel.purge.shut": 0}, "min_s": 4 * spec.purge_s, "until": PURGED, "timeout_s": 1800},
            {"name": "ready", "set": words.no_purge() | dict(spec.running), "min_s": 1},
        ])  # fmt: skip
    yield operation("purge", "Purge", "Flow purge after a process, t = P·V/Q · ln(c0/cf); then the trickle purge "
                     "stays on", spec.purge_s + 60, words.shut, [
        {"name": "isolate", "set": words.shut | OPEN_TO_PUMP, "min_s": 1},
        {"name": "purge", "set": words.purge(spec.purge_sccm), "min_s": spec.purge_s},
        {"name": "trickle", "set": words.no_purge() | {"gas_panel.purge.shut": 0}, "min_s": 1},
    ])  # fmt: skip
    heat_s = 60.0 * spec.heat.most_c / spec.heat.per_min
    yield operation("standby", "Standby", f"Idle: {spec.heat.standby_c:g} °C, trickle purge, way out open",
                     2 * heat_s + 1900, words.shut, [
        {"name": "gas to idle", "set": words.no_gas | OPEN_TO_PUMP | {"gas_panel.purge.shut": 0}
         | dict.fromkeys(spec.running, 0), "min_s": 1},
        {"name": "idle temperature", "set": {f"heater.zone{z}.mode": 2 for z in words.zones}, "ramp": words.warm(),
         "until": words.at_idle(), "timeout_s": 2 * heat_s + 1800, "on_timeout": "stop"},
    ])  # fmt: skip
    yield from (dict(one) for one in spec.operations)
    yield from service(spec)
    if not words.exhausts:
        yield bake_out(spec)


def _vacuum(spec: Spec, words: Words) -> Iterator[Table]:
    v, heat = spec.vacuum, spec.heat
    heat_s = 60.0 * heat.most_c / heat.per_min
    yield operation("pump_down", "Pump down", f"From any pressure to below {v.base:g} Torr", 920, words.quiet, [
        {"name": "sources out, all gas shut", "set": words.quiet, "min_s": 1},
        {"name": "pump", "set": dict(OPEN_TO_PUMP), "min_s": 5, "until": f"chamber.pressure_torr < {v.base:g} Torr",
         "timeout_s": 900, "store": {"control.base_pressure_torr": "chamber.pressure_torr"}},
    ], needs=ready(spec)[1:], findings=[{"name": "base_pressure", "tag": "control.base_pressure_torr"}])  # fmt: skip
    fill_s = 100.0 * round(1.0 + 1.5 * spec.cold_volume_l * 600.0 / spec.vent_sccm)
    yield operation("vent", "Vent", "Fills the chamber to atmosphere so that the door can be opened",
                     fill_s + 1000, words.quiet, [
        {"name": "sources out, process gas shut", "set": words.shut, "min_s": 1},
        {"name": "purge the chamber before it is opened", "set": OPEN_TO_PUMP | words.purge(spec.purge_sccm),
         "min_s": spec.purge_s, "until": "gas_safety.chamber.may_open", "timeout_s": 900},
        {"name": "fill", "set": {"vacuum.isolation_valve.shut": 1} | words.purge(spec.vent_sccm),
         "until": "chamber.at_atmosphere", "timeout_s": fill_s},
        {"name": "shut the purge", "set": words.no_purge() | {"gas_panel.purge.shut": 1}, "min_s": 1},
    ], needs=ready(spec)[1:], voids=["leak_check", "cycle_purge", "pump_down"])  # fmt: skip
    proof = proves_leak(spec)
    yield operation("leak_check", "Leak check", "Rate of rise of the isolated chamber; ends at idle temperature, so "
                     "that a recipe never starts cold", heat_s + 2500,
                     words.quiet | {"vacuum.isolation_valve.shut": 0}, [
        {"name": "heat on, gas shut", "set": words.quiet | OPEN_TO_PUMP | {f"heater.zone{z}.mode": 2
                                                                          for z in words.zones}
         | ({"gas_safety.leak_passed": 0} if proof else {}),
         "ramp": words.warm(), "min_s": 1},
        {"name": "base pressure", "min_s": 20, "until": f"chamber.pressure_torr < {v.base:g} Torr", "timeout_s": 300},
        {"name": "isolate and settle", "set": {"vacuum.isolation_valve.shut": 1}, "min_s": 10,
         "store": {"control.leak_start_torr": "chamber.wide_range_torr"}},
        {"name": "rate of rise", "min_s": 60,
         "store": {"control.leak_rate_mtorr_min": "(chamber.wide_range_torr - control.leak_start_torr) / 60 s"},
         "check": [{"that": "control.leak_rate_mtorr_min < control.leak_limit_mtorr_min", "otherwise": "abort",
                    "reason": "the chamber leaks more than the limit"}]},
        {"name": "open to the pump", "set": {"vacuum.isolation_valve.shut": 0}
         | ({"gas_safety.leak_passed": 1} if proof else {}), "min_s": 5},
        {"name": "idle temperature", "until": words.at_idle(), "timeout_s": heat_s + 1800},
    ], needs=ready(spec), findings=[{"name": "leak_rate", "tag": "control.leak_rate_mtorr_min",
                                     "below": "control.leak_limit_mtorr_min"}])  # fmt: skip
    yield operation("cycle_purge", "Cycle purge", f"Six fills to {v.fill:g} Torr, each pumped to {v.empty:g} Torr: "
                     "n = ln(c0/cf) / ln(P_hi/P_lo), never fewer than 5; then until any gas may come in", 1350,
                     words.quiet | {"vacuum.isolation_valve.shut": 0}, [
        {"name": "prepare", "set": words.quiet | OPEN_TO_PUMP, "min_s": 1,
         "until": f"chamber.pressure_torr < {v.empty:g} Torr", "timeout_s": 120},
        {"name": "cycles", "repeat": 6, "steps": [
            {"name": "fill", "set": {"vacuum.isolation_valve.shut": 1} | words.purge(0.6 * spec.vent_sccm),
             "until": f"chamber.pressure_torr > {v.fill:g} Torr", "timeout_s": 60},
            {"name": "pump", "set": words.no_purge() | {"vacuum.isolation_valve.shut": 0}, "min_s": 1,
             "until": f"chamber.pressure_torr < {v.empty:g} Torr", "timeout_s": 80},
        ]},
        {"name": "proof", "set": words.purge(spec.purge_sccm), "min_s": 1, "until": PURGED, "timeout_s": 300},
        {"name": "ready", "set": words.no_purge() | dict(spec.running), "min_s": 1},
    ])  # fmt: skip
