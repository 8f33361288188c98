"""What a pause, a hold and a restart do in a recipe's step.

A hold shuts every hazardous gas of the tool in the scan that meets it, whatever the step; only a step that says
`"gases": "keep"` is excepted. A restart gives back what was taken, in the order of safety: heat, then inert gas and
oxidisers, and the most dangerous gas only when temperature, pressure and those flows are right again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.plan.model import Block, Restore
from config.plan.words import Words
from config.recipe_model import Behaviour, RecipeStep
from config.tool import Action, Policy
from kernels.tables import LoopMode

SETTLE_S = 120.0
"""Flows and pressure settle within this, or something is wrong: a controller takes about 1 s, a chamber some τ."""
RETURN_S = 3600.0
"""A zone is back at its temperature within this, or a person should look."""
STANDBY_RAMP_C_PER_MIN = 10.0
"""To standby during a hold; the guide's furnace ramp."""


@dataclass(frozen=True)
class Situation:
    """What a step has on while it runs."""

    step: RecipeStep
    flows: Mapping[str, float]
    """Gases that flow, in sccm; empty when none do."""
    pulsed: frozenset[str]
    """Those of them whose valves pulse: their flow is not steady."""
    pressure_torr: float | None
    """Controlled pressure, while gas flows."""
    temperature: str | None
    """Condition: at temperature; none where the step waits for nothing."""
    plasma_w: float = 0.0
    """Power of its plasma; 0: it has none."""


def hold_block(words: Words, behaviour: Behaviour, situation: Situation, name: str) -> Block:
    """Make what a pause, hold or stop writes."""
    written = words.plasma_off() if situation.plasma_w and behaviour.rf == "off" else dict[str, float]()
    if behaviour.gases == "purge":
        written |= words.shut(words.hazardous)
        if situation.flows:
            written |= words.purge()
    elif behaviour.gases == "off":
        written |= words.shut(words.gases)
    if behaviour.heat == "off":
        written |= {zone.mode: float(LoopMode.OFF) for zone in words.binding.zones}
    ramp = {}
    if behaviour.heat == "standby":
        standby = words.binding.standby_temperature_c
        ramp = words.ramps(
            [(zone, standby, STANDBY_RAMP_C_PER_MIN) for zone in words.binding.zones], from_process=False
        )
    if not written and not ramp:
        return ()
    return (Action(name=name, set=written, ramp=ramp),)


def restart_block(words: Words, behaviours: tuple[Behaviour, ...], situation: Situation, name: str) -> Block:
    """Make what gives back whatever these behaviours took."""
    taken = list[str]()
    for behaviour in behaviours:
        for part in hold_block(words, behaviour, situation, name):
            if isinstance(part, Action):
                taken += [*part.set, *part.ramp]
    lit = words.plasma_off()
    plasma = tuple(dict.fromkeys(tag for tag in reversed(taken) if tag in lit))
    taken = [tag for tag in taken if tag not in lit]
    last_gases = words.last(situation.flows)
    last_tags = {tag for gas in last_gases for tag in (words.gases[gas].valve, words.gases[gas].setpoint)}
    first = tuple(dict.fromkeys(tag for tag in taken if tag not in last_tags and not _feeds_gas(words, tag)))
    gases = tuple(dict.fromkeys(tag for tag in taken if tag not in last_tags and _feeds_gas(words, tag)))
    # Valve first, then flow, the other way round than they were shut.
    last = tuple(dict.fromkeys(tag for tag in taken if tag in last_tags))
    block = list[Action | Restore]()
    if first:
        block.append(Restore(first))
    if situation.flows and situation.temperature is not None:
        block.append(_wait(f"{name}: temperature", situation.temperature, RETURN_S))
    if gases:
        block.append(Restore(gases))
    if last:
        before = {gas: flow for gas, flow in steady(situation).items() if gas not in last_gases}
        if before:
            block.append(_wait(f"{name}: flows and pressure", settled(words, before, situation), SETTLE_S))
        block.append(Restore(last))
    if plasma:
        # Never into gas that is not yet as it should be.
        if flows := steady(situation):
            block.append(_wait(f"{name}: gas for the plasma", settled(words, flows, situation), SETTLE_S))
        block.append(Restore(plasma))
    return tuple(block)


def steady(situation: Situation) -> dict[str, float]:
    """Gases whose flow can be waited for."""
    return {gas: flow for gas, flow in situation.flows.items() if gas not in situation.pulsed}


def settled(words: Words, flows: Mapping[str, float], situation: Situation) -> str:
    """Condition: flows are as asked for, and the pressure is right where it is controlled at this moment."""
    parts = [words.flowing(flows)]
    if situation.pressure_torr is not None:
        mode = words.binding.pressure.mode
        at_pressure = words.at_pressure(situation.pressure_torr, situation.step)
        parts.append(f"({mode} < {float(LoopMode.AUTO):g} or {at_pressure})")
    return " and ".join(parts)


def _wait(name: str, until: str, timeout_s: float) -> Action:
    return Action(name=name, until=until, timeout_s=timeout_s, on_timeout=Policy.HOLD)


def _feeds_gas(words: Words, tag: str) -> bool:
    return any(tag in (gas.valve, gas.setpoint) for gas in words.gases.values())
