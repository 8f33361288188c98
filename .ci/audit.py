"""Known vulnerabilities of the locked packages: ``audit.py [--index https://pypi.org]``.

Asks the index's JSON interface for each locked version, one after another. Exit code 1 for a vulnerability that
requirements/accepted.txt does not name with a reason; 0 when none is known, and 0 with a plain word when the index
cannot be reached or answers for only a part: what could not be asked is not called sound.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from locked import LOCK, ROOT, Pin, read_lock

ACCEPTED = ROOT / "requirements" / "accepted.txt"
TIMEOUT_S = 10.0


def accepted(text: str) -> dict[str, str]:
    """Read which vulnerabilities are accepted, with the reason behind a `#`; raises ValueError without one."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, _, reason = line.partition("#")
        if name.strip() and not reason.strip():
            raise ValueError(f"accepted.txt, line {number}: {name.strip()} is accepted without a reason")
        if name.strip():
            found[name.strip()] = reason.strip()
    return found


def vulnerabilities(index: str, pin: Pin) -> list[dict[str, Any]]:
    """Return what the index knows against a version; raises OSError when it cannot be asked."""
    url = f"{index}/pypi/{pin.name}/{pin.version}/json"
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 (the index is the caller's)
        return [one for one in json.load(answer).get("vulnerabilities") or [] if not one.get("withdrawn")]


def audit(index: str, pins: list[Pin], passed_over: dict[str, str]) -> int:
    """Ask for every pin and tell; return the exit code."""
    asked, open_ones = 0, 0
    for pin in pins:
        try:
            known = vulnerabilities(index, pin)
        except (OSError, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                print(f"{pin.name} {pin.version}: not asked ({error.code} {error.reason})")
                continue
            print(f"{index} cannot be asked ({error}): {asked} of {len(pins)} packages were, the rest is unknown")
            return int(bool(open_ones))
        asked += 1
        for one in known:
            names = {str(one.get("id")), *map(str, one.get("aliases") or ())}
            if reason := next((passed_over[name] for name in sorted(names) if name in passed_over), ""):
                print(f"{pin.name} {pin.version}: {one.get('id')} is accepted: {reason}")
                continue
            open_ones += 1
            fixed = ", ".join(one.get("fixed_in") or ()) or "no version yet"
            print(f"{pin.name} {pin.version}: {one.get('id')}: {one.get('summary') or ''} (mended in {fixed})")
    print(f"{asked} of {len(pins)} packages asked, {open_ones} open vulnerabilities")
    return int(bool(open_ones))


def main() -> int:
    """Audit the lock file."""
    parser = argparse.ArgumentParser(prog="audit.py", description=__doc__)
    parser.add_argument("--index", default="https://pypi.org")
    parser.add_argument("--lock", type=Path, default=LOCK)
    arguments = parser.parse_args()
    passed_over = accepted(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.exists() else {}
    return audit(arguments.index, read_lock(arguments.lock.read_text(encoding="utf-8")), passed_over)


if __name__ == "__main__":
    sys.exit(main())
