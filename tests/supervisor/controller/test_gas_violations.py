"""Every shipped tool's gas rules, attacked: random moves and readings, judged by a monitor that knows no rule's code.

The monitor follows what is truly in the chamber: perfectly mixed, exact exponential, the volume without dead legs, true
readings whatever their status. No valve may be open, and no lock released, against what it knows.
"""

import math
from collections import Counter
from random import Random

import pytest

from config.gas_rules import LEAK_PASSED
from config.gas_safety import GasSafety
from config.gases import Hazard, is_hazardous, never_together, pairs, species
from config.layout import Layout
from config.loading import load_tool, shipped
from config.process_mode import shipped_modes
from config.tool import Tag, TagKind, Tool
from kernels.scan import Scan
from kernels.tables import Command, Status
from supervisor.controller.compile.tool import compile_tool

ROUNDS = 260
QUIET = ("at_atmosphere", ".on", "lit", "opened", "bottle_open", "valid", "cs_0", "tr_req", "busy", "compt",
         "rotation.running")  # fmt: skip
WELL = {"n2_supply_kpa": 600.0, "air_kpa": 600.0, "cooling_water_l_min": 12.0, "mains_v": 230.0, "pressure_pa": -250.0,
        "guard_c": 25.0, "temperature_c": 25.0, "spike_c": 25.0}  # fmt: skip
TORR = 0.02
TOOLS = [name for name in shipped("tools", ".toml") if not name.endswith("_wired")]


def well(name: str, tag: Tag, rules: GasSafety) -> float:
    """What an input says when all is well."""
    if name == rules.dilution:
        return 1.25 * rules.least_dilution_slm
    if tag.states:
        return 0.0 if name.endswith(QUIET) else 1.0
    for word, value in WELL.items():
        if name.endswith(word):
            return value
    if name.endswith("torr"):
        return TORR if tag.high > 1.0 else min(TORR, 0.2 * tag.high)
    return min(max(0.0, tag.low), tag.high)


class Attack:
    """A tool's scan, its surroundings and the monitor."""

    def __init__(self, name: str) -> None:
        self.tool: Tool = load_tool(shipped("tools", ".toml")[name])
        assert isinstance(self.tool.gas_safety, GasSafety)
        self.rules = self.tool.gas_safety
        self.layout = Layout(self.tool)
        self.scan = Scan(compile_tool(self.tool).tables)
        self.now = self.scan.values()[0]
        self.rng = Random(f"attack {name}")
        self.inputs = {n: t for n, t in self.layout.declared.items() if t.kind is TagKind.INPUT}
        self.true = {n: well(n, t, self.rules) for n, t in self.inputs.items()}
        self.status = dict.fromkeys(self.inputs, int(Status.GOOD))
        self.flows = [gas for gas in self.tool.gases if is_hazardous(gas.name)]
        self.left = {gas.name: 1.0 for gas in self.flows} | {"air": 1.0}
        self.opened = dict.fromkeys((gas.name for gas in self.flows), False)
        self.lost = {"exhaust": 0.0, "abatement": 0.0, "lfl": 0.0}
        self.together: Counter[frozenset[str]] = Counter()
        self.proof = False
        self.passed = 0.0
        self.seen: Counter[str] = Counter()
        self.period_s = self.tool.scan.period_ms / 1000.0
        modes = [shipped_modes()[one] for one in self.tool.recipe.process_modes]
        self.excepted = {
            frozenset(window.gases) for mode in modes for window in mode.pairs if not window.separated
        }  # fmt: skip

    def value(self, name: str) -> float:
        """Of a tag, as of the last scan."""
        return float(self.now[self.layout.index[name]])

    def write(self, name: str, value: float) -> None:
        tag = self.layout.declared[name]
        self.scan.command(Command.WRITE, self.layout.index[name], min(max(value, tag.low), tag.high))

    def recover(self) -> None:
        """Everything well; reset what latched; arm."""
        self.true |= {n: well(n, t, self.rules) for n, t in self.inputs.items()}
        self.status = dict.fromkeys(self.inputs, int(Status.GOOD))
        self.step(150)
        for condition in range(len(self.layout.conditions)):
            self.scan.command(Command.RESET, condition)
            if condition % 50 == 49:
                self.step(1)
        self.step(2)
        self.scan.command(Command.ARM)
        if "vacuum.isolation_valve.shut" in self.layout.index:
            self.write("vacuum.isolation_valve.shut", 0.0)
        self.step(2)

    def purge(self) -> None:
        """Everything shut, purge gas on, until any gas may come in."""
        for _ in range(100):
            for gas in self.tool.gases:
                inert = gas.name in self.rules.chamber.purge
                self.write(gas.valve, float(inert))
                self.write(gas.setpoint, 1e9 if inert else 0.0)
            self.step(100)
            if self.value("gas_safety.chamber.purged"):
                return
        pytest.fail(f"not purged: {self.left}")

    def step(self, scans: int) -> None:
        """Post, scan and judge, one scan after the other."""
        for _ in range(scans):
            for gas in self.tool.gases:  # a controller passes what it is asked for while its valve is open
                wanted = self.value(gas.setpoint) if self.value(gas.valve) else 0.0
                if self.status[gas.flow] == Status.GOOD:
                    self.true[gas.flow] = wanted
            for name, value in self.true.items():
                self.scan.post(self.layout.index[name], value, self.status[name], 1)
            self.scan.advance(1)
            self.now = self.scan.values()[0]
            self.judge()

    # ------------------------------------------------------------------------------------------------ the monitor
    def judge(self) -> None:
        value = dict(zip(self.layout.tags, self.now.tolist(), strict=True))
        open_now = {gas.name: value[gas.valve] != 0 for gas in self.flows}
        before, self.opened = self.opened, open_now
        self._pairs(open_now)
        newly = [name for name in open_now if open_now[name] and not before[name]]
        for name in newly:
            self.seen[f"opens {name}"] += 1
            self._admitted(name, before)
        self._exhaust(value, open_now)
        self._tight(value, open_now)
        self._locks(value)
        self._mix(value, before)

    def _pairs(self, open_now: dict[str, bool]) -> None:
        """Simultaneously open: at most for the scan in which nobody could have known."""
        for a, b in pairs(open_now):
            pair = frozenset((a, b))
            if never_together(a, b) is None or pair in self.excepted:
                continue
            self.together[pair] = self.together[pair] + 1 if open_now[a] and open_now[b] else 0
            assert self.together[pair] <= 1, f"{a} and {b} are open together"

    def _admitted(self, name: str, before: dict[str, bool]) -> None:
        """One after the other: what came before is gone."""
        for other, share in self.left.items():
            meets = never_together(name, "O2") if other == "air" else never_together(name, other)
            if meets is None or frozenset((name, other)) in self.excepted or before.get(other):
                continue
            found = species(other)
            limit = 1000.0 / 0.2095 if other == "air" else found.mixing_ppm if found else 0.0
            assert share * 1e6 <= 1.001 * limit, f"{name} comes while {share * 1e6:.4g} ppm of {other} are left"

    def _exhaust(self, value: dict[str, float], open_now: dict[str, bool]) -> None:
        """Lost exhaust, lost abatement, undiluted gas: shut within the declared delay."""
        for word, contact in (("exhaust", self.rules.exhaust), ("abatement", self.rules.abatement)):
            fine = self.true[contact] == 1.0 and self.status[contact] == Status.GOOD
            self.lost[word] = 0.0 if fine else self.lost[word] + self.period_s
            if self.lost[word] > 0.55:
                self.seen[word] += 1
                assert not any(open_now.values()), f"{word} is lost and {open_now} are open"
        burning, diluted = list[str](), self.true[self.rules.dilution]
        shares = total = 0.0
        for gas in self.flows:
            found = species(gas.name)
            assert found is not None
            if {Hazard.FLAMMABLE, Hazard.PYROPHORIC} & set(found.hazards):
                burning.append(gas.name)
                assert found.lfl_pct is not None
                flow = max(0.0, self.true[gas.flow])
                shares, total = shares + flow / (found.lfl_pct / 100.0), total + flow
        measured = self.status[self.rules.dilution] == Status.GOOD
        over = not measured or diluted <= 0 or shares / (total + 1000.0 * diluted) > 0.2501
        self.lost["lfl"] = self.lost["lfl"] + self.period_s if over else 0.0
        if self.lost["lfl"] > 1.05:
            self.seen["lfl"] += 1
            assert not any(open_now[name] for name in burning), "the exhaust is not diluted"

    def _tight(self, value: dict[str, float], open_now: dict[str, bool]) -> None:
        """What burns in air flows only behind a check that has passed since the chamber was shut."""
        if self.rules.leak is None:
            return
        door, atmosphere = "wafer_handling.door_closed", "chamber.at_atmosphere"
        shut = self.true[door] == 1.0 and self.status[door] == Status.GOOD
        shut = shut and self.true[atmosphere] == 0.0 and self.status[atmosphere] == Status.GOOD
        passed = value[LEAK_PASSED]
        self.proof = shut and passed == 1.0 and (self.proof or self.passed == 0.0)
        self.passed = passed
        for gas in self.flows:
            found = species(gas.name)
            if found is not None and Hazard.PYROPHORIC in found.hazards and open_now[gas.name]:
                self.seen["pyrophoric"] += 1
                assert self.proof, f"{gas.name} flows without a proof of tightness"

    def _locks(self, value: dict[str, float]) -> None:
        for lock in self.rules.locks:
            if value[lock] != 0:
                self.seen["unlocked"] += 1
                for name, share in self.left.items():
                    found = species(name)
                    if found is not None and found.watched_ppm is not None:
                        assert share * 1e6 <= 1.001 * found.opening_ppm, f"{lock} with {share * 1e6:.4g} ppm of {name}"

    def _mix(self, value: dict[str, float], before: dict[str, bool]) -> None:
        """What truly happens in the chamber: perfect mixing, without dead legs, at its true pressure."""
        chamber = self.rules.chamber
        torr = max(value[chamber.pressure], 1e-4) if math.isfinite(value[chamber.pressure]) else 1000.0
        content = chamber.litres / 1.25 * 1000.0 / 760.0 * torr * 273.15 / 293.15
        fed = sum(self.true[gas.flow] for gas in self.tool.gases if gas.name in chamber.purge)
        thinner = math.exp(-fed / 60.0 * self.period_s / content)
        self.left = {name: share * thinner for name, share in self.left.items()}
        for name, is_open in before.items():
            if is_open:
                self.left[name] = 1.0
        if self.true["wafer_handling.door_closed"] != 1.0:
            self.left["air"] = 1.0

    # ------------------------------------------------------------------------------------------------ the attacker
    def move(self) -> None:
        """Do something, mostly clever, seldom wise."""
        rng = self.rng
        gas = rng.choice(self.tool.gases)
        inert = [one for one in self.tool.gases if one.name in self.rules.chamber.purge]
        match rng.randrange(12):
            case 0 | 1 | 2:
                self.write(gas.valve, 1.0)
                self.write(gas.setpoint, rng.choice((1.0, 1e9)))
            case 3:
                other = rng.choice(self.tool.gases)
                for one in (gas, other):
                    self.write(one.valve, 1.0)
            case 4 | 5:
                for one in self.flows:
                    self.write(one.valve, 0.0)
                    self.write(one.setpoint, 0.0)
                for one in inert:
                    self.write(one.valve, 1.0)
                    self.write(one.setpoint, 1e9)
            case 6:
                name = rng.choice([*self.inputs, self.rules.dilution, *(one.flow for one in self.flows)])
                self.status[name] = int(rng.choice((Status.BAD, Status.UNCERTAIN, Status.BAD_NO_COMMUNICATION)))
            case 7:
                name = rng.choice(("exhaust", "abatement", "dilution"))
                self.true[getattr(self.rules, name)] = 0.0
            case 8:
                self.true[rng.choice(("wafer_handling.door_closed", "chamber.at_atmosphere"))] = rng.choice((0.0, 1.0))
            case 9 if self.rules.leak is not None:
                for value in (0.0, 1.0):
                    self.write(LEAK_PASSED, value)
                    self.step(1)
            case 10:
                for lock in self.rules.locks:
                    self.write(lock, 1.0)
            case _:
                self.recover()
        self.step(rng.choice((1, 1, 2, 5, 30)))


@pytest.mark.parametrize("name", TOOLS)
def test_no_move_and_no_reading_gets_around_a_gas_rule(name: str) -> None:
    attack = Attack(name)
    attack.recover()
    for _ in range(ROUNDS):
        attack.move()
    attack.recover()
    if attack.rules.leak is not None:
        attack.write(LEAK_PASSED, 0.0)
        attack.step(1)
        attack.write(LEAK_PASSED, 1.0)
    # The rules do not simply hold everything shut: each gas can be let in when all is well.
    for gas in attack.flows:
        attack.purge()
        for _ in range(30):
            attack.write(gas.valve, 1.0)
            attack.step(2)
            if attack.value(gas.valve):
                break
            attack.step(100)  # for the delay that a hand-written row may have besides
        assert attack.value(gas.valve) == 1.0, gas.name
    for word in ("exhaust", "abatement", "dilution"):
        attack.true[getattr(attack.rules, word)] = 0.0
        attack.step(120)
        attack.true[getattr(attack.rules, word)] = 1.0
        assert attack.seen["lfl" if word == "dilution" else word], word
