"""The control port: one JSON object a line, in both directions, on the loopback interface only.

`{"id": 1, "do": "inject", "instrument": "mfc_n2", "fault": "silent"}` is answered by
`{"id": 1, "ok": true, "result": …}` or `{"id": 1, "ok": false, "error": "…"}`.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import ValidationError

from hil.errors import PlantError, RigError
from hil.rig.faults import WireFault
from hil.rig.rig import Rig

LONGEST = 65536
HOST = "127.0.0.1"
Answer = Callable[[Rig, dict[str, Any]], Any]


async def serve_control(rig: Rig, port: int, *, started: Callable[[int], None], stop: Callable[[], None]) -> None:
    """Answer until cancelled.

    Args:
        rig: what is asked about.
        port: 0 for any.
        started: told the port.
        stop: called when someone says `stop`.
    """
    listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)

    async def talk(stream: SocketStream) -> None:
        lines = BufferedByteReceiveStream(stream)
        async with stream:
            while True:
                try:
                    line = await lines.receive_until(b"\n", LONGEST)
                except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.DelimiterNotFound):
                    return
                reply, over = respond(rig, line)
                try:
                    await stream.send(json.dumps(reply, allow_nan=False).encode() + b"\n")
                except anyio.BrokenResourceError:
                    return
                if over:
                    stop()

    async with listener:
        started(int(listener.extra(SocketAttribute.local_port)))  # noqa: S610 - anyio's, not Django's
        await listener.serve(talk)


def respond(rig: Rig, line: bytes) -> tuple[dict[str, Any], bool]:
    """Answer one line; also whether the rig is to end."""
    number: Any = None
    try:
        said: Any = json.loads(line)
        if not isinstance(said, dict):
            raise RigError("a line holds one JSON object")
        request = cast("dict[str, Any]", said)
        number = request.pop("id", None)
        word = request.pop("do", None)
        answer = WORDS.get(word) if isinstance(word, str) else None
        if answer is None:
            raise RigError(f"do: there is no {word!r}; there are {', '.join(WORDS)}")
        return {"id": number, "ok": True, "result": _plain(answer(rig, request))}, word == "stop"
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error}"
    except ValidationError as error:
        reason = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
    except PlantError as error:
        reason = str(error)
    return {"id": number, "ok": False, "error": reason}, False


def _status(rig: Rig, request: dict[str, Any]) -> Any:
    _nothing_more(request)
    return {
        "tool": rig.tool.name,
        "speed": rig.speed,
        "plant_s": rig.plant_s,
        "lost_s": rig.lost_s,
        "wires": [
            {
                "link": wire.link,
                "endpoint": wire.endpoint,
                "instruments": [one.name for one in wire.instruments],
                "faults": wire.named(),
            }
            for wire in rig.wires
        ],
        "instruments": {
            name: {
                "profile": one.profile.name,
                "address": one.address,
                "power_ups": one.power_ups,
                "watchdog_acted": one.tripped,
            }
            for name, one in rig.instruments.items()
        },
        "waiting_events": rig.director.waiting,
        "happened": rig.happened,
    }


def _inject(rig: Rig, request: dict[str, Any]) -> Any:
    if "plant" in request:
        fault = request.pop("plant")
        _nothing_more(request)
        if not isinstance(fault, dict):
            raise RigError("plant: an object as in cvd simulate --faults")
        rig.inject_plant(cast("dict[str, Any]", fault))
    else:
        rig.inject(WireFault.model_validate_json(json.dumps(request)))
    return None


def _clear(rig: Rig, request: dict[str, Any]) -> Any:
    name = request.pop("instrument", None)
    _nothing_more(request)
    rig.clear(name)


def _truth(rig: Rig, request: dict[str, Any]) -> Any:
    _nothing_more(request)
    return {
        "plant_s": rig.plant_s,
        "readings": rig.coupling.readings,
        "outputs": rig.coupling.outputs,
        "state": rig.coupling.state(),
    }


def _read(rig: Rig, request: dict[str, Any]) -> Any:
    instrument, point = rig.instrument(_text(request, "instrument")), _text(request, "point")
    _nothing_more(request)
    if point not in instrument.points:
        raise RigError(f"{instrument.name} has no point {point!r}")
    return {"raw": instrument.raw[point], "value": instrument.value(point)}


def _show(rig: Rig, request: dict[str, Any]) -> Any:
    instrument, point = rig.instrument(_text(request, "instrument")), _text(request, "point")
    value = request.pop("value", None)
    _nothing_more(request)
    if point not in instrument.points:
        raise RigError(f"{instrument.name} has no point {point!r}")
    if isinstance(value, str):
        instrument.raw[point] = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        instrument.show(point, float(value))
    else:
        raise RigError("value: a number, or text for a point of text")


def _writes(rig: Rig, request: dict[str, Any]) -> Any:
    since, most = request.pop("since", 0), request.pop("most", 1000)
    _nothing_more(request)
    if not isinstance(since, int) or not isinstance(most, int) or not 1 <= most <= 10_000:
        raise RigError("since is the number of a write, most 1 … 10000")
    found = [asdict(write) for write in rig.writes if write.number > since]
    return found[:most]


def _step(rig: Rig, request: dict[str, Any]) -> Any:
    name = _text(request, "name")
    _nothing_more(request)
    rig.director.step(name, rig.plant_s)


def _load(rig: Rig, request: dict[str, Any]) -> Any:
    _nothing_more(request)
    if rig.coupling.plant is None:
        raise RigError(f"{rig.tool.name} has no [plant]")
    rig.coupling.plant.load_wafers()


def _measure(rig: Rig, request: dict[str, Any]) -> Any:
    _nothing_more(request)
    if rig.coupling.plant is None:
        raise RigError(f"{rig.tool.name} has no [plant]")
    return rig.coupling.plant.measure()


def _stop(rig: Rig, request: dict[str, Any]) -> Any:
    _ = rig
    _nothing_more(request)


WORDS: dict[str, Answer] = {
    "status": _status,
    "inject": _inject,
    "clear": _clear,
    "truth": _truth,
    "read": _read,
    "set": _show,
    "writes": _writes,
    "step": _step,
    "load_wafers": _load,
    "measure": _measure,
    "stop": _stop,
}


def _text(request: dict[str, Any], word: str) -> str:
    value = request.pop(word, None)
    if not isinstance(value, str):
        raise RigError(f"{word}: text is needed")
    return value


def _nothing_more(request: dict[str, Any]) -> None:
    if request:
        raise RigError(f"unknown: {', '.join(sorted(request))}")


def _plain(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value
