"""Recipes as plans for one tool.

The tool's own operations wrap the recipe outside of its steps. Inside, every step is complete by itself: it says what
flows, what is shut and what is controlled, whatever came before, so that a cycle's second pass equals its first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from config.faults import ConfigError, Fault
from config.plan.behaviour import RETURN_S, SETTLE_S, Situation, hold_block, restart_block, settled, steady
from config.plan.model import Plan, PlannedStep
from config.plan.operations import operation_steps
from config.plan.walk import gases_left_on, total_s
from config.plan.words import OPEN, SHUT, Words
from config.recipe_model import Recipe, RecipeStep, walk
from config.tool import Action, Check, Guard, Policy, Tool, Zone

GUARD_DELAY_S = 30.0
"""Temperature or pressure may be out of tolerance for so long in a deposition before it is held."""
PLASMA_GUARD_DELAY_S = 10.0
"""A plasma may be out, or off its power, for so long: a film that grows without it is another one."""
GAS_FLOWS_S = 3.0
"""Gas is waited for at least so long before a plasma is lit in it: a controller takes about 1 s, a chamber some τ."""
LEAST_TIMEOUT_S = 60.0
"""However short a conditioned step is planned, it may take this long."""
COOLDOWN_STEPS = ("cooldown", "cool_down", "cool down", "cool-down")
"""A step of such a name without a target lets the zones ramp to standby (the guide's `cooldown`)."""


def plan_recipe(recipe: Recipe, tool: Tool) -> Plan:
    """Plan a recipe on a tool.

    Raises:
        ConfigError: the tool cannot perform it; preflight tells all reasons at once, this the first.
    """
    words = Words(recipe, tool)
    planner = _Planner(words, recipe)
    inner = planner.steps(recipe.recipe_steps, "recipe_steps")
    steps = (
        *_operations(words, tool.recipe.before),
        *planner.preparation(),
        *inner,
        planner.finish(),
        *_operations(words, tool.recipe.after),
    )
    plan = Plan(recipe.name, "recipe", steps, total_s(steps))
    if left := gases_left_on(plan, tool):
        raise ConfigError([Fault("tool", "recipe.after", f"leaves {', '.join(left)} flowing after the recipe")])
    return plan


def _operations(words: Words, names: Sequence[str]) -> tuple[PlannedStep, ...]:
    return tuple(step for name in names for step in operation_steps(words.operation(name)))


@dataclass
class _Planner:
    """Goes through a recipe and remembers what the step before has left."""

    words: Words
    recipe: Recipe
    temperature_c: float | None = None
    """Where the zones were last sent; none: unknown (standby, or the inside of a cycle)."""
    flowed: bool = False
    """Gas has flowed since the chamber was last pumped."""

    # -------------------------------------------------------------------------------------------------- groups
    def steps(self, steps: Sequence[RecipeStep], path: str, *, branch: bool = False) -> tuple[PlannedStep, ...]:
        """Plan steps in sequence."""
        return tuple(self.step(step, f"{path}[{index}]", branch=branch) for index, step in enumerate(steps))

    def step(self, step: RecipeStep, path: str, *, branch: bool) -> PlannedStep:
        """Plan one step, cycle or set of branches."""
        if step.called is not None:
            return self._call(step, step.called, path, branch=branch)
        if step.when is not None:
            return self._choice(step, path, branch=branch)
        if step.steps:
            # The second pass begins where the first ended: plan the body so that both are right.
            inside = [leaf.step for leaf in walk(path, (step,), self.recipe)]
            self.flowed = self.flowed or any(inner.flows_active for inner in inside)
            if any(inner.temperature_c is not None for inner in inside):
                self.temperature_c = None
            body = self.steps(step.steps, f"{path}.steps", branch=branch)
            return PlannedStep(
                step.name, "recipe", path=path, repeat=step.passes, until=step.repeat_until,
                on_exhausted=step.on_exhausted, steps=body,
            )  # fmt: skip
        if step.parallel:
            branches = tuple(
                self.steps(inner, f"{path}.parallel[{number}]", branch=True)
                for number, inner in enumerate(step.parallel)
            )
            self.temperature_c = None
            situation = Situation(step, {}, frozenset(), None, None)
            planned_s = max(total_s(inner) for inner in branches)
            return self._planned(step, path, (), planned_s, situation, parallel=branches)
        return self.leaf(step, path, branch=branch)

    def _call(self, step: RecipeStep, called: Recipe, path: str, *, branch: bool) -> PlannedStep:
        """Plan another recipe's steps, with that recipe's words, from where this one has left the tool."""
        inner = _Planner(self.words.of(called), called, self.temperature_c, self.flowed)
        body = inner.steps(called.recipe_steps, f"{path}.called.recipe_steps", branch=branch)
        self.temperature_c, self.flowed = inner.temperature_c, inner.flowed
        return PlannedStep(step.name, "recipe", path=path, steps=body)

    def _choice(self, step: RecipeStep, path: str, *, branch: bool) -> PlannedStep:
        """Plan both ways of a choice from the same beginning; what follows must be right after either."""
        before = (self.temperature_c, self.flowed)
        then = self.steps(step.then, f"{path}.then", branch=branch)
        after = (self.temperature_c, self.flowed)
        self.temperature_c, self.flowed = before
        otherwise = self.steps(step.otherwise, f"{path}.otherwise", branch=branch)
        if self.temperature_c != after[0]:
            self.temperature_c = None
        self.flowed = self.flowed or after[1]
        return PlannedStep(step.name, "recipe", path=path, when=step.when, then=then, otherwise=otherwise)

    # ---------------------------------------------------------------------------------------------------- leaf
    def leaf(self, step: RecipeStep, path: str, *, branch: bool) -> PlannedStep:
        """Plan one step."""
        watts = self.words.plasma_power_w(step)
        if step.plasma_power_w is not None or watts:
            self.words.plasma(f"{path}.plasma_power_w")
        self.words.end_point(step, path)
        if step.flows_active:
            return self._deposition(step, path, watts)
        if watts:
            return self._plasma_alone(step, path, watts)
        words, duration_s = self.words, step.duration_s or 0.0
        written, conditions, planned_s = dict[str, float](), list[str](), duration_s
        if not branch:
            written |= words.plasma_off() | words.shut(words.gases)
        if step.target_pressure_torr is None:
            if self.flowed and not branch:
                written |= words.binding.pump_down | words.purge()
        elif words.is_pumped(step):
            written |= words.binding.pump_down
            tag = words.binding.pressure.process_value
            target = words.quantity(tag, words.value(tag, step.target_pressure_torr, "Torr"))
            conditions.append(f"{tag} <= {target}")
            self.flowed = False
        else:
            # Something must flow for a pressure to be controlled.
            written |= words.purge() | words.pressure_on(step.target_pressure_torr)
            conditions.append(words.at_pressure(step.target_pressure_torr, step))
        ramp, temperature = {}, None
        if step.temperature_c is not None:
            targets = words.zone_targets(step.temperature_c)
            written |= words.heaters_on()
            ramp = words.ramps(targets, from_process=True)
            temperature = words.at_temperature(targets, step)
            conditions.append(temperature)
            planned_s = max(planned_s, self._ramp_s(targets, step.temperature_c))
        elif any(name in step.name.lower() for name in COOLDOWN_STEPS):
            standby = words.binding.standby_temperature_c
            targets = [(zone, standby, rate) for zone, _, rate in words.zone_targets()]
            ramp = words.ramps(targets, from_process=False)
            hottest = max(target for _, target, _ in words.zone_targets(self.temperature_c))
            if words.ramp_s(hottest, targets) <= duration_s:  # else the last step of the plan ends the ramp
                self.temperature_c = standby
        action = self._action(step, conditions, planned_s, min_s=duration_s).model_copy(
            update={"set": written, "ramp": ramp}
        )
        situation = Situation(step, {}, frozenset(), None, temperature)
        return self._planned(step, path, (action,), planned_s, situation)

    def _plasma_alone(self, step: RecipeStep, path: str, watts: float) -> PlannedStep:
        """Plan a plasma without flows of the recipe's own: in the tool's plasma gas, at the pressure of the process."""
        words, flows = self.words, dict(self.words.plasma(path).gas)
        torr = step.target_pressure_torr or self.recipe.pressure_setpoints.process_pressure_torr
        temperature = None
        written = words.plasma_off() | words.shut([gas for gas in words.gases if gas not in flows])
        written |= words.pressure_on(torr) | words.open(flows)
        ramp, heating_s = {}, 0.0
        if step.temperature_c is not None:
            targets = words.zone_targets(step.temperature_c)
            written |= words.heaters_on()
            ramp, temperature = words.ramps(targets, from_process=True), words.at_temperature(targets, step)
            heating_s = self._ramp_s(targets, step.temperature_c)
        situation = Situation(step, flows, frozenset(), torr, temperature, watts)
        right = settled(words, flows, situation)
        ready = right if temperature is None else f"{temperature} and {right}"
        planned_s = heating_s + (step.duration_s or 0.0)
        timeout_s = SETTLE_S if temperature is None else self._timeout_s(step, heating_s)
        preparing = Action(
            name=f"{step.name}: gas and pressure", set=written, ramp=ramp, min_s=GAS_FLOWS_S, until=ready,
            timeout_s=timeout_s, on_timeout=step.on_timeout,
        )  # fmt: skip
        actions = (preparing, *self._lit(step, watts, planned_s, step.duration_s or 0.0))
        self.flowed = True
        guard = self._plasma_guard(step, right, watts)
        return self._planned(step, path, actions, planned_s, situation, guard=guard)

    def _lit(self, step: RecipeStep, watts: float, planned_s: float, min_s: float) -> tuple[Action, ...]:
        """Light a plasma in gas that is as it should be, keep it for the step and put it out."""
        words = self.words
        lighting = Action(
            name=f"{step.name}: light the plasma", set=words.plasma_on(watts), until=words.burning(watts),
            timeout_s=words.plasma("plasma_settings").light_s, on_timeout=step.on_timeout,
        )  # fmt: skip
        out = Action(name=f"{step.name}: plasma out", set=words.plasma_off())
        return (lighting, self._action(step, [], planned_s, min_s=min_s), out)

    def _plasma_guard(self, step: RecipeStep, right: str, watts: float) -> Guard:
        requested = self.words.plasma("plasma_settings").requested
        that = f"not {requested} or ({right} and {self.words.burning(watts)})"
        return self._guarded(step, that, PLASMA_GUARD_DELAY_S)

    def _guarded(self, step: RecipeStep, that: str, delay_s: float) -> Guard:
        """A guard with the step's own answer, where it gives one."""
        tolerance = step.tolerance
        delay_s = delay_s if tolerance.after_s is None else tolerance.after_s
        return Guard(that=that, otherwise=Policy(tolerance.otherwise), delay_s=delay_s)

    def _deposition(self, step: RecipeStep, path: str, watts: float = 0.0) -> PlannedStep:
        """Plan a step with gases: temperature first, then the safer gases and the pressure, the worst gas last."""
        words, recipe = self.words, self.recipe
        flows = {gas: step.gas_flow.get(gas, flow) for gas, flow in recipe.flows.items()}
        flows = {gas: flow for gas, flow in flows.items() if flow > 0}
        for gas in flows:
            words.gas(gas, f"{path}.flows_active")
        scheme = recipe.pulsing_scheme
        pulsed = frozenset(pulse.gas for pulse in scheme.pulses if pulse.gas in flows) if scheme else frozenset[str]()
        torr = step.target_pressure_torr or recipe.pressure_setpoints.process_pressure_torr
        last = {gas: flow for gas, flow in words.last(flows).items() if gas not in pulsed}
        first = {gas: flow for gas, flow in flows.items() if gas not in last}
        targets = words.zone_targets(step.temperature_c if step.temperature_c is not None else self.temperature_c)
        temperature = words.at_temperature(targets, step)
        situation = Situation(step, flows, pulsed, torr, temperature, watts)
        actions, planned_s = list[Action](), step.duration_s or 0.0
        heating = Action(
            name=f"{step.name}: temperature", until=temperature, timeout_s=RETURN_S, on_timeout=step.on_timeout
        )
        if step.temperature_c is not None and step.temperature_c != self.temperature_c:
            heating_s = self._ramp_s(targets, step.temperature_c)
            planned_s += heating_s
            heating = heating.model_copy(
                update={
                    "set": words.shut(last) | words.heaters_on(),
                    "ramp": words.ramps(targets, from_process=True),
                    "timeout_s": self._timeout_s(step, heating_s),
                }
            )
        # Gas never begins outside of the tolerance of temperature; at once where it is right already.
        actions.append(heating)
        begin = words.plasma_off() | words.shut([gas for gas in words.gases if gas not in flows])
        begin |= words.pressure_on(torr)
        for gas in pulsed:
            begin[words.gases[gas].valve] = SHUT
        begin |= words.open({gas: flow for gas, flow in first.items() if gas not in pulsed})
        begin |= words.open({gas: flows[gas] for gas in pulsed}, valves=False)
        before = {gas: flow for gas, flow in steady(situation).items() if gas not in last}
        if last and before:
            actions.append(
                Action(name=f"{step.name}: flows and pressure", set=begin, until=settled(words, before, situation),
                       timeout_s=SETTLE_S, on_timeout=step.on_timeout)
            )  # fmt: skip
            begin = {}
        if watts and (waited := steady(situation)):
            # Every gas flows before the plasma is lit: what it begins with would be another film.
            actions.append(
                Action(name=f"{step.name}: all gases", set=begin | words.open(last), min_s=GAS_FLOWS_S,
                       until=settled(words, waited, situation), timeout_s=SETTLE_S, on_timeout=step.on_timeout)
            )  # fmt: skip
            begin = {}
        if scheme and pulsed:
            pulses = self._pulses(step)
            pulsing_s = scheme.cycles * sum(action.min_s for action in pulses)
            actions.append(Action(name=f"{step.name}: gases", set=begin | words.open(last)))
            pulsing = Action(name=f"{step.name}: pulses", repeat=scheme.cycles, steps=pulses)
            planned_s += max(pulsing_s - (step.duration_s or 0.0), 0.0)
            rest_s = max((step.duration_s or 0.0) - pulsing_s, 0.0)
            if watts:
                lighting, rest, out = self._lit(step, watts, planned_s, rest_s)
                actions += [lighting, pulsing, rest, out]
            else:
                actions += [pulsing, self._action(step, [], planned_s, min_s=rest_s)]
        elif watts:
            actions += self._lit(step, watts, planned_s, step.duration_s or 0.0)
        else:
            action = self._action(step, [], planned_s, min_s=step.duration_s or 0.0)
            actions.append(action.model_copy(update={"set": begin | words.open(last)}))
        self.flowed = True
        guard = self._guard(step, situation, next(iter(last or first), None), temperature, torr)
        return self._planned(step, path, tuple(actions), planned_s, situation, guard=guard)

    def _guard(
        self, step: RecipeStep, situation: Situation, gas: str | None, temperature: str, torr: float
    ) -> Guard | None:
        """Temperature, pressure and flows stay right, from when the gas that matters is asked for on.

        Before that the step itself waits for them. A valve that something else has shut shows as a missing flow.
        """
        if gas is None:
            return None
        words = self.words
        setpoint = words.gases[gas].setpoint
        right = [temperature, words.at_pressure(torr, step)]
        if flows := steady(situation):
            percent = step.tolerance.flow_pct
            right.append(words.flowing(flows) if percent is None else words.flowing(flows, percent / 100.0))
        if situation.plasma_w:
            return self._plasma_guard(step, " and ".join(right), situation.plasma_w)
        asked = f"{setpoint} <= {words.quantity(setpoint, words.value(setpoint, 0.0, 'sccm'))}"
        return self._guarded(step, f"{asked} or ({' and '.join(right)})", GUARD_DELAY_S)

    def _pulses(self, step: RecipeStep) -> tuple[Action, ...]:
        """One cycle of the pulsing scheme; every pulse and purge is a wait of whole scans."""
        actions = list[Action]()
        scheme = self.recipe.pulsing_scheme
        for pulse in scheme.pulses if scheme else ():
            valve = self.words.gas(pulse.gas, "pulsing_scheme").valve
            actions.append(Action(name=f"{step.name}: {pulse.gas} pulse", set={valve: OPEN}, min_s=pulse.pulse_s))
            check = self._in_time(valve)
            actions.append(Action(name=f"{step.name}: purge", set={valve: SHUT}, min_s=pulse.purge_s, check=check))
        return tuple(actions)

    def _in_time(self, valve: str) -> tuple[Check, ...]:
        """After a pulse of a fast valve: were its edges in time?"""
        scheme, device = self.recipe.pulsing_scheme, self.words.fast_device(valve)
        if scheme is None or device is None or scheme.late_pulse == "continue":
            return ()
        reason = f"an edge of {valve} was late: its pulse was not as long as the recipe says"
        return (Check(that=f"not devices.{device}.edge_late", otherwise=Policy(scheme.late_pulse), reason=reason),)

    # ------------------------------------------------------------------------------------- around the recipe
    def preparation(self) -> tuple[PlannedStep, ...]:
        """Bring the tool to temperature and empty its chamber, where no step of the recipe does so first."""
        heated = pumped = False
        for words, _, step in self.words.leaves():
            heated = heated or step.temperature_c is not None
            pumped = pumped or words.is_pumped(step)
            if step.flows_active:
                break
        if heated and pumped:
            return ()
        words = self.words
        written = words.plasma_off() | words.shut(words.gases)
        if not pumped:
            written |= words.binding.pump_down
        ramp, until, timeout_s, planned_s = {}, None, None, 0.0
        if not heated:
            targets = words.zone_targets()
            written |= words.heaters_on()
            ramp, until = words.ramps(targets, from_process=True), words.at_temperature(targets, None)
            planned_s = words.ramp_s(words.binding.standby_temperature_c, targets)
            timeout_s = max(planned_s, LEAST_TIMEOUT_S) * words.binding.timeout_factor
        action = Action(
            name="prepare", set=written, ramp=ramp, until=until, timeout_s=timeout_s, on_timeout=Policy.HOLD
        )
        return (PlannedStep("prepare", "tool", (action,), planned_s),)

    def finish(self) -> PlannedStep:
        """Shut every gas and send the zones to standby: the last word of every recipe, whatever its steps say."""
        words = self.words
        standby = words.binding.standby_temperature_c
        ramp, planned_s = {}, 0.0
        if self.temperature_c != standby:
            targets = [(zone, standby, rate) for zone, _, rate in words.zone_targets()]
            from_c = self.temperature_c
            starts = [from_c] if from_c is not None else [target for _, target, _ in words.zone_targets()]
            planned_s = max(words.ramp_s(start, targets) for start in starts)
            ramp = words.ramps(targets, from_process=False)
        action = Action(
            name="finish",
            set=words.plasma_off() | words.shut(words.gases) | words.binding.pump_down,
            ramp=ramp,
            min_s=planned_s,
        )
        return PlannedStep("finish", "tool", (action,), planned_s)

    # --------------------------------------------------------------------------------------------------- parts
    def _ramp_s(self, targets: list[tuple[Zone, float, float]], step_c: float) -> float:
        start = self.temperature_c if self.temperature_c is not None else self.words.binding.standby_temperature_c
        self.temperature_c = step_c
        return self.words.ramp_s(start, targets)

    def _timeout_s(self, step: RecipeStep, planned_s: float) -> float:
        """The step's own, or the tool's factor over what is planned."""
        if step.timeout_s is not None:
            return step.timeout_s
        return max(planned_s, LEAST_TIMEOUT_S) * self.words.binding.timeout_factor

    def _action(self, step: RecipeStep, conditions: list[str], planned_s: float, *, min_s: float = 0.0) -> Action:
        """The waiting part of a step: its least length and all its conditions."""
        conditions = list(conditions)
        if step.end_point is not None:
            conditions.insert(0, self.words.end_point(step, ""))
        if step.until is not None:
            conditions.insert(0, f"({step.until})")
        if not conditions:
            return Action(name=step.name, min_s=min_s)
        timeout_s = self._timeout_s(step, planned_s)
        joined = " and ".join(conditions)
        return Action(name=step.name, min_s=min_s, until=joined, timeout_s=timeout_s, on_timeout=step.on_timeout)

    def _planned(
        self,
        step: RecipeStep,
        path: str,
        actions: tuple[Action, ...],
        planned_s: float,
        situation: Situation,
        *,
        guard: Guard | None = None,
        parallel: tuple[tuple[PlannedStep, ...], ...] = (),
    ) -> PlannedStep:
        words, name = self.words, step.name
        return PlannedStep(
            name=name,
            owner="recipe",
            actions=actions,
            planned_s=planned_s,
            path=path,
            guard=guard,
            limits=tuple(
                Guard(that=limit.that, otherwise=Policy(limit.otherwise), delay_s=limit.after_s)
                for limit in step.limits
            ),
            pause=hold_block(words, step.pause, situation, f"{name}: pause"),
            resume=restart_block(words, (step.pause,), situation, f"{name}: resume"),
            hold=hold_block(words, step.hold, situation, f"{name}: hold"),
            restart=restart_block(words, (step.hold, step.pause), situation, f"{name}: restart"),
            stop=None if step.stop is None else hold_block(words, step.stop, situation, f"{name}: stop"),
            timers_while_paused=step.pause.timers == "go_on",
            timers_while_held=step.hold.timers == "go_on",
            parallel=parallel,
        )
