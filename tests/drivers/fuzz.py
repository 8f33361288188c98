"""Fuzzed answers: `python -m tests.drivers.fuzz --answers 1000000 --seed 7 --out FILE`.

A good answer is damaged (bits, cuts, insertions, noise, a doubled one, digits changed) and handed to the codec in
pieces, as a wire would. The codec may wait, refuse, or return values; when it returns values they must be those that
a second reading of the same frame finds (tests.drivers.device_answers). Anything else, a crash above all, is a failure.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from drivers.errors import BadFrame, DeviceRefused
from tests.drivers.device_answers import CASES, Case, Values

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Tally:
    """What came of the answers."""

    answers: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def damaged(rng: Random, good: bytes) -> bytes:
    """One way or another not what the device said; sometimes untouched."""
    frame = bytearray(good)
    match rng.randrange(9):
        case 0:
            return good
        case 1:
            for _ in range(rng.randint(1, 4)):
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        case 2:
            del frame[rng.randrange(len(frame)) :]
        case 3:
            at = rng.randrange(len(frame) + 1)
            frame[at:at] = rng.randbytes(rng.randint(1, 5))
        case 4:
            del frame[rng.randrange(len(frame))]
        case 5:
            return rng.randbytes(rng.randint(0, 40))
        case 6:
            frame[rng.randrange(len(frame))] = rng.choice(b"\r\n;*!@R?E.-+0123456789\x06\x15\xff\x00")
        case 7:
            return good + good
        case _:
            a, b = sorted(rng.randrange(len(frame) + 1) for _ in range(2))
            frame[a:b] = reversed(frame[a:b])
    return bytes(frame)


def same(values: Values, expected: Values) -> bool:
    """Equal, and NaN in the same places."""
    return repr([float(value) for value in values]) == repr([float(value) for value in expected])


def one(case: Case, rng: Random, tally: Tally) -> None:
    """One answer."""
    tally.answers += 1
    sent = case.codec.ask(case.fetch)
    received = damaged(rng, case.answer(rng, sent))
    piece = rng.randint(1, max(1, len(received)))
    try:
        length = 0
        for end in range(piece, len(received) + piece, piece):
            length = case.codec.cut(received[:end], case.fetch)
            if length:
                break
        if not length:
            tally.outcomes["incomplete"] += 1
            return
        frame = received[:length]
        values = list(case.codec.read(case.fetch, frame))
    except BadFrame:
        tally.outcomes["bad frame"] += 1
        return
    except DeviceRefused:
        tally.outcomes["refused"] += 1
        return
    except Exception as error:
        tally.failures.append(f"{received.hex(' ')}: {error!r}")
        return
    expected = case.carried(frame, sent)
    tally.outcomes["values"] += 1
    if expected is None or not same(values, expected):
        tally.failures.append(f"{frame.hex(' ')}: {values} instead of {expected}")


def campaign(name: str, answers: int, seed: int) -> Tally:
    """Many answers of one codec."""
    case, rng, tally = CASES[name](), Random(f"{seed}/{name}"), Tally()
    for _ in range(answers):
        one(case, rng, tally)
    return tally


def main() -> int:
    """Run the campaign; exit status 1 on any failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=1_000_000, help="of each codec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    began = time.monotonic()
    result: dict[str, object] = {}
    failures = 0
    for name in CASES:
        tally = campaign(name, arguments.answers, arguments.seed)
        failures += len(tally.failures)
        result[name] = {"answers": tally.answers, **tally.outcomes, "failures": len(tally.failures)}
        print(name, result[name], *tally.failures[:3], flush=True)
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 (the git of this checkout)
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    record = {
        "campaign": "fuzzed answers of instruments",
        "commit": told.stdout.strip(),
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - began, 1),
        "codecs": result,
        "failures": failures,
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
