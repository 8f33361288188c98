"""What single kinds of instruments do by themselves that is no data: units at power-up, commands that depend on others.

Each is named after its profile in `CHARACTERS`. Loads are simple where no plant stands behind a point: a generator's
power is what it was set to, a pump is at speed at once.
"""

import math
import time

from config.profile import Watchdog
from hil.rig.character import Character
from hil.rig.raw import Raw, Reason, Refused


class Watlow(Character):
    """EZ-ZONE PM: speaks °F until register 2490 says otherwise; 65 is an open thermocouple."""

    CELSIUS, FAHRENHEIT = 15.0, 30.0

    def delivered(self) -> dict[str, Raw]:
        """°F, control off, no input error."""
        return {"display_units": self.FAHRENHEIT, "mode": 62.0, "input_error": 61.0}

    def reading(self, name: str, raw: Raw) -> Raw:
        """Temperatures in °F."""
        if self._fahrenheit(name) and not isinstance(raw, str):
            return raw * 1.8 + 32.0
        return raw

    def written(self, name: str, raw: Raw) -> Raw:
        """Temperatures in °F."""
        if self._fahrenheit(name) and not isinstance(raw, str):
            return (raw - 32.0) / 1.8
        return raw

    def sensor_failure(self, status: str) -> Raw:
        """Open sensor."""
        _ = status
        return 65.0

    def _fahrenheit(self, name: str) -> bool:
        return self._own.points[name].unit == "°C" and self._own.raw["display_units"] != self.CELSIUS


class Bronkhorst(Character):
    """EL-FLOW: counts in mln/min, and its flow follows the set point of its own."""

    def delivered(self) -> dict[str, Raw]:
        """Nitrogen, 20 °C."""
        return {"unit_name": "mln/min", "fluid": "N2", "full_scale": 500.0, "temperature": 20.0}


class Beckhoff(Character):
    """BK9050: its watchdog has registers of its own, acts once, and then wants BECFh and AFFEh."""

    RESET = (0xBECF, 0xAFFE)

    _first = False

    def delivered(self) -> dict[str, Raw]:
        """The watchdog is on as delivered, 1000 ms, and every telegram feeds it."""
        return {"watchdog_ms": 1000.0, "watchdog_type": 1.0}

    def power_up(self) -> None:
        """Outputs are 0."""
        self._first = False

    def feeds(self, watchdog: Watchdog, wrote: str | None) -> bool:
        """Type 1: every telegram; 0: only writes."""
        _ = watchdog
        return self._own.raw["watchdog_type"] == 1.0 or wrote is not None

    def watchdog_s(self, watchdog: Watchdog) -> float | None:
        """Register 1120h."""
        _ = watchdog
        own_ms = self._own.raw["watchdog_ms"]
        if isinstance(own_ms, str) or own_ms == 0.0 or not math.isfinite(self._own.heard_s):
            return None
        return own_ms / 1000.0

    def after_write(self, name: str, value: float) -> None:
        """The two words of the reset in their order; outputs stay at 0 while the watchdog has acted."""
        if name == "watchdog_reset":
            if self._first and value == self.RESET[1]:
                self._own.tripped = False
            self._first = value == self.RESET[0]
        elif self._own.tripped and name in self._own.outputs:
            self._own.show(name, 0.0)


class AdvancedEnergy(Character):
    """RF generator: takes set points from the host that has control (mode 2); its watchdog counts in 10 ms."""

    HOST = 2.0

    def allow(self, name: str, value: float) -> None:
        """RF and set point only under host control."""
        if name in {"setpoint", "rf"} and value != 0.0 and self._own.value("control_mode") != self.HOST:
            raise Refused("mode")

    def after_write(self, name: str, value: float) -> None:
        """Power follows."""
        _ = name, value
        self._follow()

    def watchdog_s(self, watchdog: Watchdog) -> float | None:
        """Command 39; 0 is off."""
        _ = watchdog
        limit_s = self._own.value("communications_watchdog") * 0.01
        return limit_s if limit_s > 0.0 and math.isfinite(self._own.heard_s) else None

    def expire(self, watchdog: Watchdog) -> None:
        """RF off; the watchdog is ready again."""
        super().expire(watchdog)
        self._own.put("rf", 0.0)
        self._own.tripped, self._own.heard_s = False, math.inf
        self._follow()

    def power_up(self) -> None:
        """RF is off, and control is at the panel."""
        for name in ("rf", "setpoint", "control_mode"):
            self._own.show(name, 0.0)
        self._follow()

    def _follow(self) -> None:
        on = self._own.value("rf") == 1.0
        self._own.show("rf_on", float(on))
        for name in ("forward_power", "load_power"):
            self._own.show(name, self._own.value("setpoint") if on else 0.0)


class TncMatch(Character):
    """Generator with match: control has to be asked for, and is lost after 2 s without a request."""

    def allow(self, name: str, value: float) -> None:
        """Only who has control may command."""
        if name != "control" and value != 0.0 and self._own.value("control") != 1.0:
            raise Refused("mode")

    def after_write(self, name: str, value: float) -> None:
        """Power follows."""
        if name == "control" and value == 1.0:
            self._own.tripped = False
        self._follow()

    def expire(self, watchdog: Watchdog) -> None:
        """Control is lost."""
        super().expire(watchdog)
        for name in ("control", "rf", "setpoint"):
            self._own.put(name, 0.0)
        self._own.tripped = False
        self._follow()

    def _follow(self) -> None:
        on = self._own.value("rf") == 1.0
        power_w = self._own.value("setpoint")
        self._own.show("rf_on", float(on))
        self._own.show("setpoint_shown", power_w)
        for name in ("forward_power", "load_power"):
            self._own.show(name, power_w if on else 0.0)


class Genesys(Character):
    """Supply on a load of 2 Ω: obeys its port in remote mode only."""

    LOAD_OHM = 2.0

    def delivered(self) -> dict[str, Raw]:
        """Local."""
        return {"identity": "LAMBDA,GEN60-40", "remote": "LOC", "output": "OFF"}

    def allow(self, name: str, value: float) -> None:
        """Not in local mode."""
        _ = value
        if name != "remote" and self._own.raw["remote"] == "LOC":
            raise Refused("mode")

    def after_write(self, name: str, value: float) -> None:
        """Voltage or current, whichever limits."""
        _ = name, value
        on = self._own.raw["output"] == "ON"
        volts = min(self._own.value("voltage_setpoint"), self._own.value("current_setpoint") * self.LOAD_OHM)
        self._own.show("voltage", volts if on else 0.0)
        self._own.show("current", volts / self.LOAD_OHM if on else 0.0)

    def says(self, command: str) -> str | None:
        """`STT?` as the manual's example prints it."""
        if command != "STT?":
            return None
        names = ("voltage", "voltage_setpoint", "current", "current_setpoint")
        volts, volts_set, amps, amps_set = (self._own.value(name) for name in names)
        words = [int(self._own.value(name)) for name in ("status", "fault_register")]
        measured = f"MV({volts:.5g}),PV({volts_set:.5g}),MC({amps:.5g}),PC({amps_set:.5g})"
        return f"{measured},SR({words[0]:02X}),FR({words[1]:02X})"

    def error_text(self, reason: Reason) -> str | None:
        """E01 for what set points do not allow, C01 for what it does not understand (manual, error messages)."""
        return {"range": "E01", "mode": "C05", "unknown": "C01", "not_understood": "C01", "read_only": "C01"}[reason]


class Pfeiffer(Character):
    """Turbo pump: runs when its pumping station and its motor are on."""

    FULL_HZ = 1000.0

    def delivered(self) -> dict[str, Raw]:
        """No error; as it stands."""
        return {"error": "000000", "electronics_temperature": 30.0}

    def after_write(self, name: str, value: float) -> None:
        """At speed at once."""
        _ = name, value
        on = self._own.value("station") == 1.0 and self._own.value("motor") == 1.0
        self._own.show("speed", self.FULL_HZ if on else 0.0)
        self._own.show("at_speed", float(on))


class Edwards(Character):
    """Scroll pump."""

    FULL_HZ = 30.0

    def delivered(self) -> dict[str, Raw]:
        """As it names itself."""
        return {"pump_type": "nXDS10i;D37480000;00:00", "pump_temperature": 25.0, "controller_temperature": 25.0}

    def after_write(self, name: str, value: float) -> None:
        """At speed at once."""
        if name == "run":
            self._own.show("speed", self.FULL_HZ * value)
            self._own.show("running", value)
            self._own.show("at_speed", value)


class Eurotherm(Character):
    """Its working set point follows the remote one."""

    def after_write(self, name: str, value: float) -> None:
        """Follow."""
        if name == "remote_setpoint":
            self._own.show("working_setpoint", value)
            self._own.show("target_setpoint", value)


class Kuhne(Character):
    """Microwave generator: no RF without bias."""

    def delivered(self) -> dict[str, Raw]:
        """Firmware."""
        return {"version": "KU SG 2.45-250A V1.2", "temperature": 30.0}

    def allow(self, name: str, value: float) -> None:
        """Bias first."""
        if name == "rf" and value == 1.0 and self._own.value("bias") != 1.0:
            raise Refused("mode")

    def after_write(self, name: str, value: float) -> None:
        """Power follows; RF falls with the bias."""
        if name == "bias" and value == 0.0:
            self._own.show("rf", 0.0)
        self._own.show("forward_power", self._own.value("setpoint") if self._own.value("rf") == 1.0 else 0.0)


class Ipg(Character):
    """Fibre laser: says `Off` for its power while it does not emit."""

    def delivered(self) -> dict[str, Raw]:
        """As it names itself."""
        return {"model_name": "YAR-20-LP-SF", "power": "Off", "case_temperature": 25.0}

    def after_write(self, name: str, value: float) -> None:
        """Power follows."""
        _ = name, value
        on = self._own.value("emission") == 1.0
        self._own.show("emission_state", float(on))
        self._own.raw["power"] = self._own.raw["setpoint"] if on else "Off"

    def says(self, command: str) -> str | None:
        """Answers repeat the command, a colon and a space."""
        own = self._own
        match command:
            case "STA":
                bits = (point for point in own.points.values() if point.bits is not None)
                return f"STA: {sum(int(own.value(one.name)) << (one.bits or (0, 0))[0] for one in bits)}"
            case "ROP":
                power = own.raw["power"]
                return f"ROP: {power if isinstance(power, str) else f'{power:.4g}'}"
            case "RPS":
                return f"RPS: {own.value('setpoint'):.4g}"
            case _:
                return None

    def confirms(self, name: str) -> str | None:
        """`SPS: 9.7`, `EMON`."""
        if name == "setpoint":
            return f"SPS: {self._own.value('setpoint'):.4g}"
        return "EMON" if self._own.value("emission") == 1.0 else "EMOFF"

    def error_text(self, reason: Reason) -> str | None:
        """Words behind `ERR: `."""
        return "ERR: Out of Range" if reason == "range" else "ERR: Command Not Valid"


class Sqm160(Character):
    """Crystal monitor: says once after power-up that it restarted."""

    def delivered(self) -> dict[str, Raw]:
        """Firmware and good crystals."""
        crystals = {name: 100.0 for name in self._own.points if name.startswith("crystal_life")}
        return {"firmware": "MON Ver 4.13", **crystals}

    def was_asked(self, command: str) -> None:
        """The flag clears itself."""
        if command == "Y":
            self._own.raw["restarted"] = 0.0

    def says(self, command: str) -> str | None:
        """Rates and thickness with a space on both sides, frequencies with three decimals."""
        own, letter, rest = self._own, command[:1], command[1:].rstrip("?")
        match letter:
            case "M" | "L":
                return f" {own.raw['rate' if letter == 'M' else f'rate_{rest}']:.2f} "
            case "O":
                return f" {own.raw['thickness']:.3f} "
            case "P":
                return f"{own.raw[f'frequency_{rest}']:.3f}"
            case _:
                return None


class Rga200(Character):
    """Residual gas analyser."""

    def delivered(self) -> dict[str, Raw]:
        """As it names itself."""
        return {"identity": "SRSRGA200VER0.24SN12345"}


class Vat(Character):
    """Throttle valve: obeys in remote mode; its mode says what it was told last."""

    POSITION, CLOSED, OPEN, PRESSURE = 2.0, 3.0, 4.0, 5.0

    def delivered(self) -> dict[str, Raw]:
        """Local, open."""
        return {"access_mode": "0", "control_mode": self.OPEN, "position": 1000.0}

    def allow(self, name: str, value: float) -> None:
        """Not in local mode."""
        _ = value
        if name != "access_mode" and self._own.raw["access_mode"] != "1":
            raise Refused("mode")

    def after_write(self, name: str, value: float) -> None:
        """Go where it was told."""
        own = self._own
        if name == "position_setpoint":
            own.show("control_mode", self.POSITION)
            own.show("position", value)
        elif name == "pressure_setpoint":
            own.show("control_mode", self.PRESSURE)
        elif name == "motion" and value < 2.0:
            own.show("control_mode", self.OPEN if value else self.CLOSED)
            own.put("position_setpoint", 100.0 * value)
            own.show("position", 100.0 * value)


class LakeShore(Character):
    """Temperature monitor: eight inputs, each with a sign and three decimals."""

    def delivered(self) -> dict[str, Raw]:
        """As it names itself, at room temperature."""
        room = {name: 295.0 for name in self._own.points if name.startswith("temperature_")}
        return {"identity": "LSCI,MODEL218S,218123,032301", **room}

    def says(self, command: str) -> str | None:
        """`+295.000`."""
        if not command.startswith("KRDG? "):
            return None
        return f"{self._own.value(f'temperature_{command[6:]}'):+08.3f}"


class Midas(Character):
    """Gas detector: monitoring."""

    def delivered(self) -> dict[str, Raw]:
        """State 1."""
        return {"monitor_state": 1.0}


class Cia404(Character):
    """CANopen transducer: watches a heartbeat (1016h) and takes its output to 0 when it stops."""

    def watchdog_s(self, watchdog: Watchdog) -> float | None:
        """Low word of 1016h:01, in ms."""
        _ = watchdog
        raw = self._own.raw["consumer_heartbeat"]
        limit_ms = 0 if isinstance(raw, str) else int(raw) & 0xFFFF
        return limit_ms / 1000.0 if limit_ms and math.isfinite(self._own.heard_s) else None

    def expire(self, watchdog: Watchdog) -> None:
        """Error value of the output; the next heartbeat ends the error."""
        super().expire(watchdog)
        self._own.put("output", 0.0)
        self._own.tripped, self._own.heard_s = False, math.inf

    def heartbeat(self, producer: int) -> None:
        """A heartbeat was seen on the bus."""
        raw = self._own.raw["consumer_heartbeat"]
        if not isinstance(raw, str) and int(raw) >> 16 & 0x7F == producer:
            self._own.heard_s = time.monotonic()


CHARACTERS: dict[str, type[Character]] = {
    "watlow_ez_zone_pm": Watlow,
    "bronkhorst_el_flow": Bronkhorst,
    "beckhoff_bk9050": Beckhoff,
    "lakeshore_218": LakeShore,
    "beckhoff_bk9050_holding": Beckhoff,
    "ae_rf": AdvancedEnergy,
    "tnc_match": TncMatch,
    "tdk_genesys": Genesys,
    "pfeiffer_tc400": Pfeiffer,
    "edwards_nxds": Edwards,
    "eurotherm_3200": Eurotherm,
    "kuhne_kusg245": Kuhne,
    "ipg_yar": Ipg,
    "inficon_sqm160": Sqm160,
    "srs_rga200": Rga200,
    "vat_65": Vat,
    "honeywell_midas": Midas,
    "cia404_transducer": Cia404,
}
"""By the profile's name."""
