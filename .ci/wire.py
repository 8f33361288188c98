"""Shipped tools with instruments on their tags: ``wire.py --write`` makes each ``config/tools/…_wired.toml`` anew.

A wired file is the tool's own file plus what follows from wiring.toml: which point of which device carries each input
and output, how its digits become the tag's value, and how often that instrument can be asked. A test proves that the
shipped files are what this makes; ``wire.py TOOL`` prints the wired file of any tool of the same kind.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.loading import load_tool
from config.profile import Profile
from config.profiles import find_profile
from config.tool import LinkLoss, Tag, TagKind

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "config" / "tools"
WIRING = Path(__file__).with_name("wiring.toml")
GASES = re.compile(r"^# -+ gases$", re.MULTILINE)
"""The devices stand before the gases."""
DIGITS = 32767
"""Of the couplers' analogue terminals at full scale."""
SLOWEST_S = 1.0
HEAD = """# Made by .ci/wire.py from {source}: the same tool on instruments. Change it there, or in .ci/wiring.toml.

"""
DEVICES = """# ------------------------------------------------------------------------------------------ instruments
# What the tags above are wired to; `--sim` puts the plant in the place of all of it, `cvd hil` simulated instruments
# on the same protocols.
"""


@dataclass
class Wired:
    """A device and what is known of its place.

    Attributes:
        profile: what kind it is.
        link: its wire.
        address: on it, where it has one.
    """

    profile: Profile
    link: str
    address: int | None


@dataclass
class Wiring:
    """The devices of a tool while its tags are given to them.

    Attributes:
        tool: its file's stem.
        rules: of wiring.toml.
        couplers: what carries the rest.
        devices: by name, in the order of their first use.
        taken: the next free bit or word of each coupler, by `device.kind`.
    """

    tool: str
    rules: list[dict[str, Any]]
    couplers: dict[str, dict[str, str]]
    devices: dict[str, Wired] = field(default_factory=dict[str, Wired])
    taken: dict[str, int] = field(default_factory=dict[str, int])

    def point(self, name: str, tag: Tag) -> tuple[str, str]:
        """Device and point that carry a tag."""
        for rule in self.rules:
            found = re.fullmatch(rule["tag"], name)
            if found is None or self.tool not in rule.get("tools", [self.tool]):
                continue
            if rule.get("hazardous", tag.hazardous) != tag.hazardous:
                continue
            device = found.expand(rule["device"])
            self._meet(device, rule["profile"], found.expand(rule["link"]))
            named = rule["point"]
            return device, named if isinstance(named, str) else named[found[rule.get("by", 1)]]
        return self._rest(tag)

    def _rest(self, tag: Tag) -> tuple[str, str]:
        coupler = self.couplers["held" if tag.kind is TagKind.OUTPUT and tag.safe else "zeroed"]
        self._meet(coupler["device"], coupler["profile"], coupler["link"])
        kind = ("d" if tag.states else "a") + ("i" if tag.kind is TagKind.INPUT else "o")
        key = f"{coupler['device']}.{kind}"
        number = self.taken[key] = self.taken.get(key, -1) + 1
        return coupler["device"], f"{kind}_{number}"

    def _meet(self, name: str, profile: str, link: str) -> None:
        if name in self.devices:
            return
        known = find_profile(profile)
        address = sum(one.link == link for one in self.devices.values()) + 1 if known.address else None
        self.devices[name] = Wired(known, link, address)

    def text(self) -> Iterator[str]:
        """The devices as the tool file declares them."""
        yield DEVICES.rstrip()
        for name, one in self.devices.items():
            watchdog = one.profile.watchdog
            loss = LinkLoss.NONE if watchdog == "none" else watchdog.takes_outputs_to
            yield f'[[devices]]\nname = "{name}"\nprofile = "{one.profile.name}"\nlink = "{one.link}"'
            if one.address is not None:
                yield f"address = {one.address}"
            yield f'on_link_loss = "{loss.value}"\n'


def wired(stem: str) -> str:
    """The wired file of a tool; raises ValueError when its file is not written as the shipped ones are."""
    wiring = tomllib.loads(WIRING.read_text(encoding="utf-8"))
    source = TOOLS / f"{stem}.toml"
    tags = {f"{module.name}.{tag.name}": tag for module in load_tool(source).modules for tag in module.tags}
    making = Wiring(stem, wiring["rules"], wiring["couplers"])
    lines, module, bound = list[str](), "", 0
    for text in source.read_text(encoding="utf-8").splitlines():
        if lines and lines[-1] == "[[modules]]" and (named := re.match(r'name = "([^"]+)"', text)):
            module = named[1]
        found = re.match(r'  \{ name = "([^"]+)", kind = "(?:input|output)"', text)
        if found:
            name = f"{module}.{found[1]}"
            lines.append(_bound(text, tags[name], *_pair(making, name, tags[name])))
            bound += 1
        else:
            lines.append(text)
    if bound != sum(tag.kind in {TagKind.INPUT, TagKind.OUTPUT} for tag in tags.values()):
        raise ValueError(f"{source.name}: not every input and output stands on a line of its own")
    made = "\n".join(lines) + "\n"
    place = GASES.search(made)
    if place is None:
        raise ValueError(f"{source.name} has no heading 'gases'")
    devices = "\n".join(making.text())
    return HEAD.format(source=source.name) + made[: place.start()] + devices + "\n" + made[place.start() :]


def _pair(making: Wiring, name: str, tag: Tag) -> tuple[str, Profile]:
    device, point = making.point(name, tag)
    return f"{device}.{point}", making.devices[device].profile


def _bound(text: str, tag: Tag, point: str, profile: Profile) -> str:
    """A tag's line with its point, its scaling where digits stand for it, and the period of the poll."""
    own = profile.by_name[point.partition(".")[2]]
    if tag.kind is TagKind.INPUT:
        group = profile.poll.get(own.poll or "")
        period_s = max(tag.period_s, group.period_s if group else SLOWEST_S)
        text = re.sub(r"period_s = [\d.]+", f"period_s = {period_s:g}", text)
    words = f'point = "{point}", '
    if not tag.states and own.name[:2] in {"ai", "ao"}:
        full = max(abs(tag.low), abs(tag.high))
        words += f"scaling = {{ point = [0, {DIGITS}], tag = [0, {full:.6g}] }}, "
    return text.replace("description =", f"{words}description =", 1)


def main() -> int:
    """Write the files, or say whether they are as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("tool", nargs="?", help="print the wired file of this tool")
    arguments = parser.parse_args()
    if arguments.tool:
        print(wired(arguments.tool), end="")
        return 0
    stale = 0
    for stem in tomllib.loads(WIRING.read_text(encoding="utf-8"))["tools"]:
        made, target = wired(stem), TOOLS / f"{stem}_wired.toml"
        if arguments.write:
            target.write_text(made, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != made:
            print(f"{target.relative_to(ROOT)} is not what {Path(__file__).name} --write makes")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
