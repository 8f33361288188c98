"""From a tool's volumes, gases and exhaust: the tags that prove a purge, and the rows of the matrix that stand on them.

Like the tags of its instruments (`config.instruments`) they are made when the tool is loaded, so that no tool can miss
one. The module `gas_safety` holds, for the chamber and each hazardous gas `g`:

* `chamber.g_left_ppm`: the most that can be left of it. 1 000 000 ppm while its valve is open, or its controller
  measures a flow; else thinned by the purge gas that was measured to come in: dx/dt = −x · η · Q / N with the
  content N = p·V/(R·T), which is exp(−Q·t/V) for a sweep at constant pressure and p_low/p_high for a fill behind shut
  valves. A scan divides by 1 + η · Q · dt / N, which is never faster than the exponential.
* `chamber.air_left_ppm`: the same of air, which comes in while the door is not known to be shut.
* `chamber.purged`: every one of them is so small that any other gas may come in.
* `chamber.may_open`: every one of them is below what people may breathe and what may burn.

The temperature of the gas is taken at 20 °C and below its true one: more gas, slower purge. Every tag is at its worst
at start and where something is unknown (`otherwise`); what is not measured Good is no credit.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from config.gas_safety import GasSafety, Line
from config.gases import MIXING_PPM, Hazard, is_hazardous, never_together, species
from config.process_mode import shipped_modes
from config.tool import Effect, Gas, Interlock, InterlockClass, Module, ModuleKind, Priority, Tag, TagKind, Tool

MODULE = "gas_safety"
LEAK_PASSED, LEAK_FRESH = f"{MODULE}.leak_passed", f"{MODULE}.leak_fresh"
FULL_PPM = 1e6
LEAST_PPM = 1e-4
"""No proof claims less."""
LEAST_FLOW = 0.01
"""Share of a controller's full scale that may be its zero: no credit below it."""
LEAKS_THROUGH = 0.05
"""Share of it above which a gas counts as flowing though its valve is shut."""
GAS_K = 293.15
SCC_PER_LITRE_TORR = 1000.0 / 760.0 * 273.15 / GAS_K
"""Standard cubic centimetres in a litre at 1 Torr and 20 °C."""
MOST_LFL_PCT = 25.0
AIR_PPM = round(MIXING_PPM / 0.2095)
"""Air with so much oxygen as may be left of any gas; 20.95 % of it is oxygen (US Standard Atmosphere 1976)."""
_YES_NO = ("no", "yes")


def with_gas_rules(tool: Tool) -> Tool:
    """Add what follows from a tool's `gas_safety`; a tool without one stays as it is."""
    rules = tool.gas_safety
    if not isinstance(rules, GasSafety):
        return tool
    tags = (*_chamber(tool, rules), *_exhaust(tool, rules), *_leak(rules), *_lines(tool, rules))
    module = Module(
        name=MODULE,
        kind=ModuleKind.CONTROL,
        description="What is left of each gas, the dilution of the exhaust, and the proof of tightness",
        tags=tags,
    )
    rows = tuple(Interlock.model_validate(row) for row in _rows(tool, rules))
    return tool.model_copy(update={"modules": (*tool.modules, module), "interlocks": (*tool.interlocks, *rows)})


def tag_of(name: str) -> str:
    """The last word of a gas' tags."""
    return name.lower()


def left(name: str) -> str:
    """Full name of the tag that says what is left of a gas in the chamber."""
    return f"{MODULE}.chamber.{tag_of(name)}_left_ppm"


def hazardous(tool: Tool) -> list[Gas]:
    """Gases of the tool that are anything but inert."""
    return [gas for gas in tool.gases if is_hazardous(gas.name)]


def burning(tool: Tool) -> list[Gas]:
    """Gases that count against a lower limit of flammability."""
    return [gas for gas in tool.gases if (found := species(gas.name)) is not None and found.burns]


def pyrophoric(tool: Tool) -> list[Gas]:
    """Gases that burn in air without a spark."""
    return [g for g in tool.gases if (found := species(g.name)) is None or Hazard.PYROPHORIC in found.hazards]


def lfl_fraction(name: str) -> float:
    """Lower limit of flammability as a share; the lowest of the table for a gas without one."""
    found = species(name)
    return (found.lfl_pct if found is not None and found.lfl_pct is not None else 0.8) / 100.0


def excepted(tool: Tool, a: str, b: str) -> bool:
    """Whether a mode that the tool is set up for lets two gases meet in the chamber at once."""
    modes = shipped_modes()
    windows = [modes[name].window(a, b) for name in tool.recipe.process_modes if name in modes]
    return any(window is not None and not window.separated for window in windows)


def mixing_limit(name: str) -> float:
    """What may be left of a gas when one comes that it must never meet, ppm."""
    found = species(name)
    return 0.0 if found is None else found.mixing_ppm


# --------------------------------------------------------------------------------------------------------- tags
def _tag(name: str, description: str, expression: str, **more: Any) -> Tag:
    return Tag(name=name, kind=TagKind.COMPUTED, description=description, expression=expression, **more)


def _truth(name: str, description: str, expression: str, *, otherwise: float = 0.0) -> Tag:
    return _tag(name, description, expression, states=_YES_NO, low=0.0, high=1.0, otherwise=otherwise)


def _full_scale(tool: Tool, gas: Gas) -> float:
    declared = {f"{m.name}.{t.name}": t for m in tool.modules for t in m.tags}
    found = declared.get(gas.setpoint)
    return found.high if found is not None else 1.0


def _chamber(tool: Tool, rules: GasSafety) -> Iterator[Tag]:
    volume = rules.chamber
    content = f"(max({volume.pressure}, {volume.least_torr:g} Torr) / 1 Torr)"
    flows = " + ".join(
        f"max({gas.flow} - {LEAST_FLOW * _full_scale(tool, gas):g} sccm, 0 sccm) * {gas.valve}"
        for gas in tool.gases if gas.name in volume.purge
    )  # fmt: skip
    period_min = tool.scan.period_ms / 60_000.0
    factor = volume.mixing * period_min / (volume.litres * SCC_PER_LITRE_TORR)
    yield _tag("chamber.purge", "Share of the chamber's gas that this scan's purge gas thins", low=0.0, high=1e9,
               expression=f"({flows or '0 sccm'}) / 1 sccm / {content} * {factor!r}", otherwise=0.0)  # fmt: skip
    for gas in hazardous(tool):
        yield from _residue(tool, gas)
    yield _truth("chamber.air_enters", "Air can come into the chamber", volume.opened, otherwise=1.0)
    yield _left("air", "air", f"{MODULE}.chamber.air_enters", f"{MODULE}.chamber.purge")
    yield _truth("chamber.purged", "Any gas may come in: little enough is left of the others, and of air",
                 _purged(tool))  # fmt: skip
    limits = [
        f"{left(gas.name)} < {found.opening_ppm:g} ppm" if (found := species(gas.name)) else f"{left(gas.name)} < 0 ppm"
        for gas in hazardous(tool) if found_dangerous(gas.name)
    ]  # fmt: skip
    yield _truth("chamber.may_open", "What is left of every gas may be opened to the room",
                 " and ".join(limits) or "system.armed or not system.armed")  # fmt: skip


def _purged(tool: Tool) -> str:
    """Expression: any gas may come in, as far as what is left of the others goes."""
    parts = [f"{left(gas.name)} < {mixing_limit(gas.name):g} ppm" for gas in hazardous(tool)]
    return " and ".join([*parts, f"{left('air')} < {AIR_PPM:g} ppm"])


def found_dangerous(name: str) -> bool:
    """Whether a gas poisons or burns, so that a volume with it is not opened."""
    found = species(name)
    return found is None or found.watched_ppm is not None


def _residue(tool: Tool, gas: Gas) -> Iterator[Tag]:
    name, margin = tag_of(gas.name), LEAKS_THROUGH * _full_scale(tool, gas)
    flows = f"{gas.flow} > {margin:g} sccm"
    enters, shut = f"{gas.valve} or {flows}", f"not {gas.valve} and not {flows}"
    if gas.vent is not None:  # its flow goes on to the vent while its valve is shut
        enters, shut = gas.valve, f"not {gas.valve}"
    yield _truth(f"chamber.{name}_enters", f"{gas.name} comes into the chamber", enters)
    yield _truth(f"chamber.{name}_shut", f"{gas.name} is known not to come in: purge gas counts", shut)
    purge = f"{MODULE}.chamber.purge * {MODULE}.chamber.{name}_shut"
    yield _left(name, gas.name, f"{MODULE}.chamber.{name}_enters", purge)


def _left(name: str, title: str, enters: str, purge: str) -> Tag:
    own = f"{MODULE}.chamber.{name}_left_ppm"
    return _tag(
        f"chamber.{name}_left_ppm", f"The most that can be left of {title} in the chamber",
        f"max({enters} * {FULL_PPM:.0f} ppm, {own} / (1 + {purge}), {LEAST_PPM} ppm)",
        unit="ppm", low=0.0, high=FULL_PPM, otherwise=FULL_PPM,
    )  # fmt: skip


def _exhaust(tool: Tool, rules: GasSafety) -> Iterator[Tag]:
    gases = burning(tool)
    if not gases:
        return
    shares = " + ".join(f"max({gas.flow}, 0 sccm) / 1 sccm / {lfl_fraction(gas.name):g}" for gas in gases)
    total = " + ".join(f"max({gas.flow}, 0 sccm)" for gas in gases)
    yield _tag("lfl_pct", "Gas that burns in the diluted exhaust, in per cent of its lower limit of flammability "
               "(Le Chatelier)", f"100 % * ({shares}) / (({total} + max({rules.dilution}, 0 slm)) / 1 sccm)",
               unit="%", low=0.0, high=1e9)  # fmt: skip


def _leak(rules: GasSafety) -> Iterator[Tag]:
    if rules.leak is None:
        return
    yield Tag(
        name="leak_passed",
        kind=TagKind.SETPOINT,
        states=_YES_NO,
        low=0.0,
        high=1.0,
        description=f"{rules.leak.operation} has been passed lately; kept over restarts by the controller",
    )
    yield _truth("leak_fresh", "The chamber is proven tight, and has not been opened since",
                 f"{MODULE}.leak_passed and not ({rules.leak.void}) and "
                 f"({MODULE}.leak_fresh or not {MODULE}.leak_seen)")  # fmt: skip
    yield _truth("leak_seen", "What leak_passed was in the scan before: a proof begins with its change",
                 f"{MODULE}.leak_passed")  # fmt: skip


def _lines(tool: Tool, rules: GasSafety) -> Iterator[Tag]:
    unit = {f"{m.name}.{t.name}": t.unit for m in tool.modules for t in m.tags}
    valves = {gas.name: gas.valve for gas in tool.gases}
    for line in rules.lines:
        name, of = f"line.{tag_of(line.gas)}", unit.get(line.pressure, "kPa")
        full = f"{line.pressure} > {line.high:g} {of}"
        valve = valves.get(line.gas, line.purge)
        yield _truth(f"{name}_filled", f"A cycle of the line of {line.gas} ends: purge gas alone has filled it",
                     f"{MODULE}.{name}_empty and {full} and {line.purge} and not {valve} and "
                     f"not ({line.supplied})")  # fmt: skip
        yield _truth(f"{name}_empty", f"The line of {line.gas} has been emptied and not been filled since",
                     _emptied(line, of, name))  # fmt: skip
        yield _truth(f"{name}_supplied", f"{line.gas} can come into its line", line.supplied, otherwise=1.0)
        share = line.mixing * (1.0 - line.low / line.high)
        own = f"{MODULE}.{name}_left_ppm"
        yield _tag(f"{name}_left_ppm", f"The most that can be left of {line.gas} in its line",
                   f"max({MODULE}.{name}_supplied * {FULL_PPM:.0f} ppm, "
                   f"{own} * (1 - {MODULE}.{name}_filled * {share!r}), {LEAST_PPM} ppm)",
                   unit="ppm", low=0.0, high=FULL_PPM, otherwise=FULL_PPM)  # fmt: skip


def _emptied(line: Line, unit: str, name: str) -> str:
    low, high = f"{line.pressure} < {line.low:g} {unit}", f"{line.pressure} > {line.high:g} {unit}"
    return f"not ({line.supplied}) and ({low} or ({MODULE}.{name}_empty and not {high}))"


# --------------------------------------------------------------------------------------------------------- rows
def _shut(gases: Iterable[Gas]) -> tuple[Effect, ...]:
    """Valves; and set points of those whose flow does not go to a vent."""
    outputs = [o for gas in gases for o in ((gas.valve,) if gas.vent is not None else (gas.valve, gas.setpoint))]
    return tuple(Effect(output=output, value=0.0) for output in dict.fromkeys(outputs))


def _rows(tool: Tool, rules: GasSafety) -> Iterator[dict[str, Any]]:
    yield from _dilution(tool, rules)
    for gas in hazardous(tool):
        others = [
            other.name for other in hazardous(tool)
            if never_together(gas.name, other.name) is not None and not excepted(tool, gas.name, other.name)
        ]  # fmt: skip
        if others:
            when = " or ".join(f"{left(other)} > {mixing_limit(other):g} ppm" for other in others)
            yield _permissive(
                f"{tag_of(gas.name)}_before_purge",
                when,
                _shut([gas]),
                f"{gas.name} waits until the chamber is proven free of {', '.join(others)}",
                f"Valve of {gas.name} is held shut",
                "Purge: only gas that is measured to flow counts",
            )
    airless = [gas for gas in tool.gases if never_together(gas.name, "O2") is not None]
    if airless:
        yield _permissive(
            "air_before_purge",
            f"{left('air')} > {AIR_PPM:g} ppm",
            _shut(airless),
            "Gas that burns waits until the chamber is proven free of air",
            "Its valves are held shut",
            "Shut the door, pump down, purge",
        )
    if rules.leak is not None and (gases := pyrophoric(tool)):
        yield _permissive(
            "leak_check_due",
            f"not {MODULE}.leak_fresh",
            _shut(gases),
            f"What burns in air needs {rules.leak.operation} passed within {rules.leak.within_h:g} h, "
            "and the chamber shut since",
            "Its valves are held shut",
            f"Run {rules.leak.operation}",
        )
    locks = tuple(Effect(output=output, value=0.0) for output in rules.locks)
    yield _permissive(
        "gas_behind_door",
        f"not {MODULE}.chamber.may_open",
        locks,
        "The door stays shut until the chamber is proven free of gas",
        "The door cannot be opened",
        "Purge until what is left of each gas is below its limit: see gas_safety.chamber",
    )


def _permissive(name: str, when: str, effects: tuple[Effect, ...], description: str, consequence: str,
                action: str) -> dict[str, Any]:  # fmt: skip
    return {"name": name, "class": InterlockClass.PERMISSIVE, "description": description, "when": when, "latch": False,
            "priority": Priority.LOW, "consequence": consequence, "action": action, "response_time_s": 3600.0,
            "effects": effects}  # fmt: skip


def _dilution(tool: Tool, rules: GasSafety) -> Iterator[dict[str, Any]]:
    gases = burning(tool)
    if not gases:
        return
    yield {
        "name": "exhaust_not_diluted", "class": InterlockClass.TRIP,
        "description": f"Gas that burns above {MOST_LFL_PCT:g} % of its lower limit of flammability in the exhaust, or "
        f"less than {rules.least_dilution_slm:g} slm to dilute it",
        "when": f"{MODULE}.lfl_pct > {MOST_LFL_PCT:g} % or {rules.dilution} < {rules.least_dilution_slm:g} slm",
        "on_delay_s": 1.0, "priority": Priority.CRITICAL, "response_time_s": 60.0,
        "consequence": "The exhaust could burn",
        "action": "Restore the dilution of the exhaust, find out which flow is too great, then reset",
        "effects": _shut(gases),
    }  # fmt: skip
