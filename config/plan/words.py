"""The words of a recipe in the tags of one tool: zones, pressure, gases, and the conditions made of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from config.faults import ConfigError, Fault
from config.gases import is_hazardous, opening_order, species
from config.layout import Layout
from config.recipe_model import Recipe, RecipeStep
from config.tool import Gas, Operation, Plasma, Ramp, Tool, Zone
from config.units import convert, convert_difference, find_unit
from kernels.tables import LoopMode

FLOW_TOLERANCE = 0.05
"""A gas flows when it is this near its set point: five times the ±1 % of set point of a mass flow controller."""
PURGE_FRACTION = 0.1
"""Purge flow over the range of its controller: inside of its control range, and little enough for the pressure to stay
controlled while it flows (engineering default)."""
OPEN, SHUT = 1.0, 0.0


class Words:
    """A recipe's words as this tool understands them."""

    def __init__(self, recipe: Recipe, tool: Tool) -> None:
        self.recipe = recipe
        self.tool = tool
        self.binding = tool.recipe
        self.declared = Layout(tool).declared
        self.gases = {gas.name: gas for gas in tool.gases}
        self.recipe_zones = {zone.zone: zone for zone in recipe.temperature_profile.zones}
        self._called: dict[int, Words] = {}

    # -------------------------------------------------------------------------------------------------- recipes
    def of(self, recipe: Recipe) -> "Words":
        """Words of a recipe that this one calls, or of itself."""
        if recipe is self.recipe:
            return self
        if id(recipe) not in self._called:
            self._called[id(recipe)] = Words(recipe, self.tool)
        return self._called[id(recipe)]

    def recipes(self) -> "Iterator[tuple[str, Words]]":
        """This recipe and every one that it calls: what its paths begin with, and its words."""
        for prefix, recipe in self.recipe.called():
            yield prefix, self.of(recipe)

    def leaves(self) -> "Iterator[tuple[Words, str, RecipeStep]]":
        """Every step that is no group, called recipes included, with the words that are in force, in order."""
        for leaf in self.recipe.walk():
            yield self.of(leaf.recipe), leaf.path, leaf.step

    def fast_device(self, tag: str) -> str | None:
        """Name of the device whose fast output moves a tag."""
        name = (self.declared[tag].point or "").partition(".")[0]
        return next((device.name for device in self.tool.devices if device.fast and device.name == name), None)

    # --------------------------------------------------------------------------------------------------- values
    def value(self, tag: str, value: float, unit: str) -> float:
        """Convert a value to the unit of a tag."""
        return convert(value, find_unit(unit), find_unit(self.declared[tag].unit))

    def difference(self, tag: str, value: float, unit: str) -> float:
        """Convert a difference to the unit of a tag."""
        return convert_difference(value, find_unit(unit), find_unit(self.declared[tag].unit))

    def quantity(self, tag: str, value: float) -> str:
        """Write a value in the unit of a tag, as expressions write quantities."""
        unit = self.declared[tag].unit
        digits = f"{value:.9f}".rstrip("0").rstrip(".")
        return digits if unit == "1" else f"{digits} {unit}"

    def within(self, tag: str, value: float, tolerance: float) -> str:
        """Condition: a tag is at a value, give or take."""
        low, high = self.quantity(tag, value - tolerance), self.quantity(tag, value + tolerance)
        return f"({tag} >= {low} and {tag} <= {high})"

    # ---------------------------------------------------------------------------------------------------- zones
    def zone_targets(self, step_temperature_c: float | None = None) -> list[tuple[Zone, float, float]]:
        """Target in °C and ramp in °C/min of every zone of the tool.

        A step's temperature moves the whole profile, by its first zone. A zone that the profile does not name follows
        the nearest one that it does.
        """
        first = self.recipe.temperature_profile.zones[0].setpoint
        shift = 0.0 if step_temperature_c is None else step_temperature_c - first
        targets = list[tuple[Zone, float, float]]()
        for zone in self.binding.zones:
            number = min(self.recipe_zones, key=lambda known: (abs(known - zone.zone), known))
            target = self.recipe_zones[number]
            targets.append((zone, target.setpoint + shift, target.ramp_rate))
        return targets

    def ramps(self, targets: Iterable[tuple[Zone, float, float]], *, from_process: bool) -> dict[str, Ramp]:
        """Ramp every zone to its target, from where the process is or from the present set point."""
        return {
            zone.setpoint: Ramp(
                to=self.value(zone.setpoint, target, "°C"),
                per_min=self.difference(zone.setpoint, rate, "°C"),
                start=zone.process_value if from_process else None,
            )
            for zone, target, rate in targets
        }

    def heaters_on(self) -> dict[str, float]:
        """Put every zone under control."""
        return {zone.mode: float(LoopMode.AUTO) for zone in self.binding.zones}

    def at_temperature(self, targets: Iterable[tuple[Zone, float, float]], step: RecipeStep | None) -> str:
        """Condition: every zone is within the step's tolerance, or the tool's."""
        tolerance = self.binding.temperature_tolerance_c
        if step is not None and step.tolerance.temperature_c is not None:
            tolerance = step.tolerance.temperature_c
        return " and ".join(
            self.within(
                zone.process_value,
                self.value(zone.process_value, target, "°C"),
                self.difference(zone.process_value, tolerance, "°C"),
            )
            for zone, target, _ in targets
        )

    def ramp_s(self, start_c: float, targets: Iterable[tuple[Zone, float, float]]) -> float:
        """Longest of the zones' ramps, in s."""
        return max((abs(target - start_c) / rate * 60.0 for _, target, rate in targets), default=0.0)

    # ------------------------------------------------------------------------------------------------- pressure
    @cached_property
    def lowest_controlled_torr(self) -> float:
        """Below this the pressure is not controlled but pumped down to."""
        tag = self.declared[self.binding.pressure.setpoint]
        return convert(tag.low, find_unit(tag.unit), find_unit("Torr"))

    def is_pumped(self, step: RecipeStep) -> bool:
        """Whether a step's target is pumped down to: the recipe's base pressure, or below what is controlled."""
        torr, base = step.target_pressure_torr, self.recipe.pressure_setpoints.base_pressure_torr
        if torr is None or step.flows_active:
            return False
        return torr < self.lowest_controlled_torr or (base is not None and torr <= base)

    def pressure_on(self, torr: float) -> dict[str, float]:
        """Control the chamber's pressure."""
        pressure = self.binding.pressure
        return {pressure.setpoint: self.value(pressure.setpoint, torr, "Torr"), pressure.mode: float(LoopMode.AUTO)}

    def at_pressure(self, torr: float, step: RecipeStep | None) -> str:
        """Condition: the pressure is within the step's tolerance, or the tool's."""
        percent = self.binding.pressure_tolerance_pct
        if step is not None and step.tolerance.pressure_pct is not None:
            percent = step.tolerance.pressure_pct
        tag = self.binding.pressure.process_value
        value = self.value(tag, torr, "Torr")
        return self.within(tag, value, value * percent / 100.0)

    # --------------------------------------------------------------------------------------------------- plasma
    def plasma_power_w(self, step: RecipeStep) -> float:
        """Power of a step's plasma: its own word, or where gas flows that of the recipe; 0 for none."""
        if step.plasma_power_w is not None:
            return step.plasma_power_w
        return self.asked if step.flows_active else 0.0

    @cached_property
    def asked(self) -> float:
        """What the recipe asks of the tool's source: W, or °C of a hot wire; 0 for nothing."""
        recipe, kind = self.recipe, self.binding.plasma.settings if self.binding.plasma else "plasma_settings"
        if kind == "filament_settings":
            return recipe.filament_settings.temperature_c if recipe.filament_settings else 0.0
        if kind == "laser_settings":
            return recipe.laser_settings.power_w if recipe.laser_settings else 0.0
        return recipe.plasma_settings.rf_power_w if recipe.plasma_settings else 0.0

    @property
    def energy_unit(self) -> str:
        """Unit of `asked`."""
        wire = self.binding.plasma is not None and self.binding.plasma.settings == "filament_settings"
        return "°C" if wire else "W"

    def plasma(self, path: str) -> Plasma:
        """The tool's plasma; raises ConfigError when it has none."""
        if self.binding.plasma is None:
            raise ConfigError([Fault("recipe", path, f"{self.tool.name} has no RF generator for a plasma step")])
        return self.binding.plasma

    def plasma_on(self, watts: float) -> dict[str, float]:
        """Ask for a plasma: everything about it first, the high frequency last."""
        plasma, settings = self.binding.plasma, self.recipe.plasma_settings
        if plasma is None:
            return {}
        written = dict[str, float]()
        if settings is not None:
            if plasma.matching is not None:
                states = self.declared[plasma.matching].states
                written[plasma.matching] = float(states.index(settings.matching_network))
            if plasma.duty is not None:
                written[plasma.duty] = self.value(plasma.duty, settings.duty_cycle * 100.0, "%")
            if plasma.pulse_frequency is not None and settings.pulse_frequency_hz is not None:
                written[plasma.pulse_frequency] = self.value(plasma.pulse_frequency, settings.pulse_frequency_hz, "Hz")
            if plasma.reflected_limit is not None and settings.reflected_limit_w is not None:
                limit = plasma.reflected_limit
                written[limit] = self.value(limit, settings.reflected_limit_w, "W")
            if plasma.bias is not None and settings.dc_bias_v is not None:
                written[plasma.bias.setpoint] = self.value(plasma.bias.setpoint, settings.dc_bias_v, "V")
                written[plasma.bias.mode] = float(LoopMode.AUTO)
        beam = self.recipe.laser_settings
        if plasma.scan is not None and beam is not None and beam.scan_speed_mm_s is not None:
            written[plasma.scan] = self.value(plasma.scan, beam.scan_speed_mm_s, "mm/s")
        written[plasma.power] = self.value(plasma.power, watts, self.energy_unit)
        if plasma.mode is not None:
            written[plasma.mode] = float(LoopMode.AUTO)
        return written | {plasma.enable: 1.0, plasma.requested: 1.0}

    def plasma_off(self) -> dict[str, float]:
        """Put the plasma out; nothing on a tool without one."""
        plasma = self.binding.plasma
        if plasma is None:
            return {}
        written = {plasma.enable: 0.0, plasma.requested: 0.0}
        if plasma.mode is None:
            written[plasma.power] = self.value(plasma.power, 0.0, self.energy_unit)
        else:
            written[plasma.mode] = float(LoopMode.OFF)
        if plasma.bias is not None:
            written[plasma.bias.mode] = float(LoopMode.OFF)
        return written

    def burning(self, watts: float) -> str:
        """Condition: the plasma burns with the power that it is asked for."""
        plasma = self.plasma("plasma_settings")
        settings = self.recipe.plasma_settings
        mean = watts * (settings.duty_cycle if settings is not None else 1.0)
        value = self.value(plasma.load, mean, self.energy_unit)
        return f"{plasma.lit} and {self.within(plasma.load, value, value * plasma.power_tolerance_pct / 100.0)}"

    # ------------------------------------------------------------------------------------------------ thickness
    def thickness_signals(self) -> dict[str, str]:
        """Telemetry signals of the tool that show a thickness as it grows, and their tags."""
        signals = self.tool.telemetry.signals
        return {name: tag for name, tag in signals.items() if name.endswith("thickness_nm") and tag in self.declared}

    def end_point(self, step: RecipeStep, path: str) -> str:
        """Condition: the film is as thick as a step's end point asks for; raises ConfigError where nothing sees it."""
        point, signals = step.end_point, self.thickness_signals()
        if point is None:
            return ""
        named = point.signal if point.signal is not None else next(iter(signals), "")
        if named not in signals or (point.signal is None and len(signals) > 1):
            there = ", ".join(signals) or "none"
            what = (
                f"has no {named!r} that shows a thickness" if point.signal else "needs a signal that shows a thickness"
            )
            reason = f"{self.tool.name} {what}; there are: {there}"
            raise ConfigError([Fault("recipe", f"{path}.end_point", reason)])
        tag = signals[named]
        return f"{tag} >= {self.quantity(tag, self.value(tag, point.thickness_nm, 'nm'))}"

    # ---------------------------------------------------------------------------------------------------- gases
    def gas(self, name: str, path: str) -> Gas:
        """The tool's feed of a gas; raises ConfigError when it has none."""
        if name not in self.gases:
            have = ", ".join(self.gases) or "none"
            raise ConfigError([Fault("recipe", path, f"{self.tool.name} has no feed for {name} (it has {have})")])
        return self.gases[name]

    def shut(self, names: Iterable[str]) -> dict[str, float]:
        """Shut gases, the most dangerous first."""
        written = dict[str, float]()
        for name in reversed(opening_order(set(names))):
            gas = self.gases[name]
            written |= {gas.valve: SHUT, gas.setpoint: self.value(gas.setpoint, 0.0, "sccm")}
        return written

    def open(self, flows: Mapping[str, float], *, valves: bool = True) -> dict[str, float]:
        """Open gases and set their flows in sccm, the most dangerous last; valves stay shut where pulses move them."""
        written = dict[str, float]()
        for name in opening_order(flows):
            gas = self.gases[name]
            if valves:
                written[gas.valve] = OPEN
            written[gas.setpoint] = self.value(gas.setpoint, flows[name], "sccm")
        return written

    def flowing(self, flows: Mapping[str, float], tolerance: float = FLOW_TOLERANCE) -> str:
        """Condition: gases flow as they are asked to.

        Compared with what is asked for, not with the tag of the set point: that one shows what has just been written
        only from the next scan on, and an output with a limited rate even later.
        """
        parts = list[str]()
        for name in opening_order(flows):
            flow = self.gases[name].flow
            asked = self.value(flow, flows[name], "sccm")
            parts.append(self.within(flow, asked, asked * tolerance))
        return " and ".join(parts)

    @cached_property
    def hazardous(self) -> list[str]:
        """Every gas of the tool that a hold shuts."""
        return [name for name in self.gases if is_hazardous(name)]

    def purge(self) -> dict[str, float]:
        """Open the purge gas at its purge flow; nothing when the tool has no feed of it."""
        gas = self.gases.get(self.binding.purge_gas)
        if gas is None:
            return {}
        return {gas.valve: OPEN, gas.setpoint: self.declared[gas.setpoint].high * PURGE_FRACTION}

    def last(self, flows: Mapping[str, float]) -> dict[str, float]:
        """The gases that open last: those of the highest hazard among several, none when all are alike or inert."""
        ranks = {name: gas.rank for name in flows if (gas := species(name)) is not None}
        highest = max(ranks.values(), default=0)
        if not highest:
            return {}
        return {name: flow for name, flow in flows.items() if ranks.get(name, highest) == highest}

    # --------------------------------------------------------------------------------------------- operations
    def operation(self, name: str) -> Operation:
        """An operation of the tool that wraps recipes."""
        for operation in self.tool.operations:
            if operation.name == name:
                return operation
        raise ConfigError([Fault("tool", "recipe", f"there is no operation {name!r}")])
