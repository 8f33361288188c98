"""A load lock for a chamber tool: tags, permissives and hand-off. The tool's spec takes them in."""

from collections.abc import Sequence
from typing import Any

from chamber_modules import NO_YES, choice, contact, reading

Table = dict[str, Any]
LOCK = "load_lock"
ROBOT = {
    "l_req": "load is wanted",
    "u_req": "unload is wanted",
    "ready": "ready for the transfer",
    "ho_avbl": "hand-off is available",
}
FROM_ROBOT = {
    "valid": "its signals are valid",
    "cs_0": "this port is selected",
    "tr_req": "it asks for the transfer",
    "busy": "the transfer is going on",
    "compt": "the transfer is complete",
}
MOVES = {
    "slit.open": "Opens the slit valve; it stands without a command",
    "slit.shut": "Shuts the slit valve; it stands without a command",
    "arm.extend": "Moves the arm into the chamber; it stands without a command",
    "arm.retract": "Moves the arm home",
    "fork.raise": "Lifts what lies on the stage",
    "fork.lower": "Sets down what lies on the fork",
}
STILL: tuple[str, ...] = (
    *(f"{LOCK}.{name}" for name in MOVES),
    f"{LOCK}.vent_valve",
    *(f"{LOCK}.e84.{name}" for name in ROBOT),
)
"""What the safe state wants at 0: everything stands where it is, and the robot is asked for nothing."""
STAND = dict.fromkeys(STILL, 0)
VACUUM_TORR = 0.001
"""Below it the lock is as empty as the chamber needs."""
MATCH_TORR = 0.002
PURGES = 3


def module() -> Table:
    """Its tags."""
    moves = [
        choice(name, what, ["stand", "move"], "output", safe=0) | {"role": "maintenance"}
        for name, what in MOVES.items()
    ]
    robot = [
        choice(f"e84.{name}", f"SEMI E84, to the robot: {what}", NO_YES, "output", safe=0) | {"role": "maintenance"}
        for name, what in ROBOT.items()
    ]
    return {
        "name": LOCK,
        "kind": "load_lock",
        "description": "Load lock: pump, vent and door of its own, slit valve to the chamber, arm with a fork",
        "tags": [
            reading("pressure_torr", "Pressure of the load lock", "Torr", 0, 1500),
            contact("at_atmosphere", "Pressure switch of the load lock, 750 Torr"),
            contact("pump_ok", "Pump of the load lock at speed", ["fault", "ok"]),
            contact("slit.closed", "Slit valve shut", NO_YES),
            contact("slit.opened", "Slit valve fully open"),
            contact("arm.home", "Arm at home in the load lock"),
            contact("arm.inside", "Arm above the stage"),
            contact("fork.up", "Fork above"),
            contact("fork.down", "Fork below"),
            contact("wafer_in", "A wafer lies on the fork"),
            contact("door_closed", "Door of the load lock shut", ["open", "closed"]),
            contact("door_opened", "Door of the load lock fully open"),
            *(contact(f"e84.{name}", f"SEMI E84, from the robot: {what}") for name, what in FROM_ROBOT.items()),
            choice("pump_valve", "Valve to the pump of the load lock", ["closed", "open"], "output", safe=0),
            choice("vent_valve", "Lets nitrogen into the load lock", ["closed", "open"], "output", safe=0),
            *moves,
            choice("door_unlock", "Releases the door of the load lock", ["locked", "unlocked"], "output", safe=0)
            | {"role": "operator"},
            choice(
                "door_open",
                "Drives the door of the load lock open; without it the door shuts",
                ["shut", "open"],
                "output",
                safe=0,
            )
            | {"role": "operator"},
            *robot,
            {
                k: v
                for k, v in choice(
                    "e84.es", "SEMI E84, to the robot: no emergency stop", NO_YES, "output", safe=0
                ).items()
                if k != "role"
            },
            {
                "name": "e84.es_wanted",
                "kind": "computed",
                "states": NO_YES,
                "low": 0,
                "high": 1,
                "expression": "facilities.emo_ok and system.tripped == 0",
                "description": "No emergency stop and no trip: a robot may move",
            },
            {
                "name": "purges_left",
                "kind": "setpoint",
                "low": 0,
                "high": 100,
                "initial": PURGES,
                "description": "Purges that are due before the door of the load lock opens",
            },
        ],
    }


def _row(name: str, description: str, when: str, consequence: str, action: str, *outputs: str, **more: Any) -> Table:
    return {
        "name": name,
        "class": "permissive",
        "description": description,
        "when": when,
        "latch": False,
        **more,
        "priority": "low",
        "response_time_s": 3600,
        "consequence": consequence,
        "action": action,
        "effects": [{"output": f"{LOCK}.{output}", "value": 0} for output in outputs],
    }


def interlocks(hazardous: Sequence[str], hot_c: float) -> tuple[Table, ...]:
    """Rows of the cause-and-effect table.

    Args:
        hazardous: outputs of process gas: valves and set points.
        hot_c: above this no wafer is moved.
    """
    valves = [output for output in hazardous if output.endswith(".valve")]
    gas = " or ".join(valves)
    differ = f"abs({LOCK}.pressure_torr - chamber.wide_range_torr)"
    match = f"({differ} > {MATCH_TORR:g} Torr and not ({LOCK}.at_atmosphere and chamber.at_atmosphere))"
    return (
        {
            "name": "slit_open_in_process",
            "class": "trip",
            "description": "Slit valve not shut while process gas is open",
            "when": f"not {LOCK}.slit.closed and ({gas})",
            "group": "process",
            "priority": "critical",
            "response_time_s": 60,
            "consequence": "Process gas reaches the load lock",
            "action": "Shut the slit valve; purge both; check the contact",
            "effects": [{"output": output, "value": 0} for output in hazardous],
        },
        {
            "name": "slit_shut_for_gas",
            "class": "permissive",
            "description": "Process gas needs a shut slit valve",
            "when": f"not {LOCK}.slit.closed",
            "latch": False,
            "priority": "low",
            "response_time_s": 3600,
            "consequence": "Valves of process gas are held shut",
            "action": "Take the arm home and shut the slit valve",
            "effects": [{"output": output, "value": 0} for output in hazardous],
        },
        _row(
            "slit_opens",
            "The slit valve opens only between equal pressures, with doors shut, without process gas and "
            f"below {hot_c:g} °C",
            f"{match} or not {LOCK}.door_closed or not wafer_handling.door_closed or {gas} or "
            f"heater.zone1.temperature_c > {hot_c:g} °C or {LOCK}.vent_valve",
            "It stays shut",
            "Bring the load lock to the chamber's pressure first",
            "slit.open",
        ),
        _row(
            "slit_shuts",
            "The slit valve shuts only on an arm that is at home",
            f"not {LOCK}.arm.home",
            "It stays open",
            "Take the arm home first",
            "slit.shut",
        ),
        _row(
            "arm_extends",
            f"The arm moves in only through the fully open slit valve, below {hot_c:g} °C",
            f"not {LOCK}.slit.opened or {LOCK}.slit.shut or heater.zone1.temperature_c > {hot_c:g} °C",
            "It stands",
            "Open the slit valve first",
            "arm.extend",
        ),
        _row(
            "arm_retracts",
            "The arm comes home only through the fully open slit valve",
            f"not {LOCK}.slit.opened or {LOCK}.slit.shut",
            "It stands",
            "Open the slit valve first",
            "arm.retract",
        ),
        _row(
            "fork_moves",
            "The fork moves at either end of the arm's way only",
            f"not {LOCK}.arm.home and not {LOCK}.arm.inside",
            "It stands",
            "Bring the arm to an end of its way",
            "fork.raise",
            "fork.lower",
        ),
        _row(
            "lock_vents",
            "Nitrogen into the load lock only while slit valve and pump valve are shut",
            f"not {LOCK}.slit.closed or {LOCK}.slit.open or {LOCK}.pump_valve or {LOCK}.pressure_torr > 790 Torr",
            "The chamber or the pump would be vented",
            "Shut the slit valve and the pump valve first",
            "vent_valve",
        ),
        _row(
            "lock_pumps",
            "The load lock is pumped only with its door shut",
            f"not {LOCK}.door_closed or {LOCK}.door_unlock",
            "The pump does not suck the room's air",
            "Shut and lock the door first",
            "pump_valve",
        ),
        _row(
            "lock_door",
            "The door of the load lock is released at atmosphere only, purged, with a shut slit valve and "
            "the arm at home",
            f"not {LOCK}.at_atmosphere or {LOCK}.purges_left > 0 or not {LOCK}.slit.closed or "
            f"{LOCK}.slit.open or not {LOCK}.arm.home",
            "It cannot be opened",
            "Purge and vent the load lock first",
            "door_unlock",
            accept_uncertain=False,
        ),
        _row(
            "lock_door_drive",
            "The door of the load lock is driven only when it is released",
            f"not {LOCK}.door_unlock or not {LOCK}.at_atmosphere",
            "It does not open",
            "Unlock it first",
            "door_open",
        ),
        _row(
            "lock_transfer",
            "A robot is let in through the open door of the load lock only, and never while somebody "
            "has pressed the emergency-off",
            f"not {LOCK}.door_opened or not facilities.emo_ok",
            "READY and HO_AVBL stay off: the robot waits",
            "Open the door of the load lock first",
            "e84.ready",
            "e84.ho_avbl",
        ),
    )


MAPS: tuple[Table, ...] = ({"source": f"{LOCK}.e84.es_wanted", "target": f"{LOCK}.e84.es", "x": [0, 1], "y": [0, 1]},)


def operations() -> tuple[Table, ...]:
    """Load, transfer in, transfer out, unload."""
    return (
        _hand_over("load", "Load wafers", 1, "TP3: wafers arrive"),
        _transfer_in(),
        _transfer_out(),
        _hand_over("unload", "Unload wafers", 0, "TP3: wafers leave"),
        _bring_home(),
    )


def _bring_home() -> Table:
    """After a transfer that was aborted: the arm stands where it was, with what it holds."""
    return {
        "name": "arm_home",
        "title": "Bring the arm home",
        "description": "After an aborted transfer: the arm comes home with what it holds, and the slit valve shuts",
        "bound_s": 200,
        "needs": [
            {
                "that": f"{LOCK}.slit.opened or {LOCK}.arm.home",
                "reason": "the slit valve is not open, and the arm not home",
            },
        ],
        "hold": dict(STAND),
        "steps": _home(),
    }


def _at(**moves: float) -> Table:
    """Commands of the moving parts: these, all others stand."""
    given = {f"{LOCK}.{name.replace('__', '.')}": value for name, value in moves.items()}
    return dict.fromkeys((f"{LOCK}.{name}" for name in MOVES), 0) | given


def _pumped() -> Table:
    return {
        "name": "pump the load lock",
        "set": STAND | {f"{LOCK}.pump_valve": 1},
        "min_s": 2,
        "until": f"{LOCK}.pressure_torr < {VACUUM_TORR:g} Torr",
        "timeout_s": 300,
        "on_timeout": "stop",
    }


def _vented() -> list[Table]:
    """Purged and at atmosphere."""
    return [
        {
            "name": "purge the load lock",
            "repeat": PURGES,
            "steps": [
                {
                    "name": "pump it",
                    "set": STAND | {f"{LOCK}.pump_valve": 1},
                    "min_s": 1,
                    "until": f"{LOCK}.pressure_torr < 1 Torr",
                    "timeout_s": 200,
                    "on_timeout": "stop",
                },
                {"name": "shut the pump valve", "set": {f"{LOCK}.pump_valve": 0}, "min_s": 0.5},
                {
                    "name": "fill it",
                    "set": {f"{LOCK}.vent_valve": 1},
                    "until": f"{LOCK}.pressure_torr > 100 Torr",
                    "timeout_s": 200,
                    "on_timeout": "stop",
                    "store": {f"{LOCK}.purges_left": f"max({LOCK}.purges_left - 1, 0)"},
                },
            ],
        },
        {
            "name": "vent the load lock",
            "set": {f"{LOCK}.vent_valve": 1},
            "until": f"{LOCK}.at_atmosphere",
            "timeout_s": 300,
            "on_timeout": "stop",
        },
        {"name": "shut the vent", "set": {f"{LOCK}.vent_valve": 0}, "min_s": 2},
    ]


def _hand_over(name: str, title: str, loads: int, arrives: str) -> Table:
    there = f"{LOCK}.wafer_in" if loads else f"not {LOCK}.wafer_in"
    asks = f"{LOCK}.e84.{'l_req' if loads else 'u_req'}"
    needs: list[Table] = [
        {
            "that": f"{LOCK}.slit.closed and {LOCK}.arm.home",
            "reason": "the arm is not at home behind a shut slit valve",
        },
        {"that": "facilities.emo_ok", "reason": "the emergency-off chain is open"},
        {"that": f"{LOCK}.pump_ok", "reason": "the pump of the load lock does not run"},
        {
            "that": f"not {LOCK}.wafer_in",
            "reason": "wafers are in the load lock already: run transfer_in or unload first",
        }
        if loads
        else {"that": f"{LOCK}.wafer_in", "reason": "there is nothing in the load lock: run transfer_out first"},
    ]
    quiet = {f"{LOCK}.e84.{signal}": 0 for signal in ROBOT}
    guard = {"that": f"{LOCK}.door_opened", "otherwise": "abort", "delay_s": 1}
    robot = f"{LOCK}.e84"
    return {
        "name": name,
        "title": title,
        "description": "Purges and vents the load lock, opens its door, hands over by SEMI "
        "E84, shuts the door and pumps",
        "bound_s": 2500,
        "needs": needs,
        "hold": dict(STAND),
        "steps": [
            *_vented(),
            {"name": "unlock the door", "set": quiet | {f"{LOCK}.door_unlock": 1}, "min_s": 1},
            {
                "name": "door opens",
                "set": {f"{LOCK}.door_open": 1},
                "until": f"{LOCK}.door_opened",
                "timeout_s": 30,
                "on_timeout": "stop",
            },
            {
                "name": "ask the robot",
                "set": {asks: 1, f"{robot}.ho_avbl": 1},
                "until": f"{robot}.valid and {robot}.cs_0",
                "timeout_s": 60,
                "on_timeout": "stop",
            },
            {"name": "TP1: transfer is asked for", "until": f"{robot}.tr_req", "timeout_s": 10, "on_timeout": "stop"},
            {
                "name": "TP2: robot moves",
                "set": {f"{robot}.ready": 1},
                "until": f"{robot}.busy",
                "timeout_s": 10,
                "on_timeout": "stop",
            },
            {"name": arrives, "until": there, "timeout_s": 60, "on_timeout": "stop", "guard": guard},
            {
                "name": "TP4: robot is done",
                "set": {asks: 0},
                "until": f"not {robot}.busy and {robot}.compt",
                "timeout_s": 60,
                "on_timeout": "stop",
            },
            {
                "name": "TP5: robot is gone",
                "set": {f"{robot}.ready": 0},
                "until": f"not {robot}.valid",
                "timeout_s": 10,
                "on_timeout": "stop",
            },
            {
                "name": "door shuts",
                "set": quiet | {f"{LOCK}.door_open": 0},
                "until": f"{LOCK}.door_closed",
                "timeout_s": 30,
                "on_timeout": "stop",
            },
            {"name": "lock the door", "set": {f"{LOCK}.door_unlock": 0}, "min_s": 0.5},
            _pumped() | {"store": {f"{LOCK}.purges_left": f"{PURGES}"}},
            {"name": "shut the pump valve", "set": {f"{LOCK}.pump_valve": 0}, "min_s": 1},
        ],
    }


def _move(name: str, until: str, **moves: float) -> Table:
    return {"name": name, "set": _at(**moves), "until": until, "timeout_s": 60, "on_timeout": "stop"}


def _between() -> list[Table]:
    return [
        _pumped(),
        {
            "name": "equal pressures",
            "set": {f"{LOCK}.pump_valve": 1},
            "min_s": 1,
            "until": f"abs({LOCK}.pressure_torr - chamber.wide_range_torr) < {MATCH_TORR:g} Torr",
            "timeout_s": 120,
            "on_timeout": "stop",
        },
        _move("open the slit valve", f"{LOCK}.slit.opened", slit__open=1)
        | {"store": {f"{LOCK}.purges_left": f"{PURGES}"}},
    ]


def _home() -> list[Table]:
    return [
        _move("arm comes home", f"{LOCK}.arm.home", arm__retract=1),
        _move("shut the slit valve", f"{LOCK}.slit.closed", slit__shut=1),
        {"name": "stand", "set": _at() | {f"{LOCK}.pump_valve": 0}, "min_s": 1},
    ]


def _transfer(name: str, title: str, description: str, needs: list[Table], moves: list[Table]) -> Table:
    both: list[Table] = [
        {
            "that": f"{LOCK}.slit.closed and {LOCK}.arm.home",
            "reason": "the arm is not at home behind a shut slit valve",
        },
        {"that": f"{LOCK}.door_closed", "reason": "the door of the load lock is open"},
        {"that": f"{LOCK}.pump_ok", "reason": "the pump of the load lock does not run"},
        {"that": "chamber.pressure_torr < 0.002 Torr", "reason": "the chamber is not pumped: run pump_down first"},
    ]
    return {
        "name": name,
        "title": title,
        "description": description,
        "bound_s": 900,
        "needs": [*both, *needs],
        "hold": dict(STAND),
        "steps": [*_between(), *moves, *_home()],
    }


def _transfer_in() -> Table:
    return _transfer(
        "transfer_in",
        "Bring wafers into the chamber",
        "Through the slit valve between equal pressures onto the stage; the arm comes home",
        [
            {"that": f"{LOCK}.wafer_in", "reason": "there is nothing in the load lock: run load first"},
            {
                "that": "not wafer_handling.wafer_in",
                "reason": "wafers are in the chamber already: run transfer_out first",
            },
        ],
        [
            _move("lift", f"{LOCK}.fork.up", fork__raise=1),
            _move("arm moves in", f"{LOCK}.arm.inside", arm__extend=1),
            _move("set down", f"{LOCK}.fork.down and wafer_handling.wafer_in", fork__lower=1),
        ],
    )


def _transfer_out() -> Table:
    return _transfer(
        "transfer_out",
        "Fetch wafers out of the chamber",
        "Through the slit valve between equal pressures from the stage; the arm comes home",
        [
            {"that": "wafer_handling.wafer_in", "reason": "there is nothing in the chamber"},
            {"that": f"not {LOCK}.wafer_in", "reason": "wafers are in the load lock already: run unload first"},
        ],
        [
            _move("fork below", f"{LOCK}.fork.down", fork__lower=1),
            _move("arm moves in", f"{LOCK}.arm.inside", arm__extend=1),
            _move("lift", f"{LOCK}.fork.up and {LOCK}.wafer_in", fork__raise=1),
        ],
    )
