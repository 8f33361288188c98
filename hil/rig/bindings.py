"""The tool file with the rig's own links in it: what `cvd run` is given instead of the real one."""

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from hil.errors import RigError


def rewired(text: str, endpoints: Mapping[str, str]) -> str:
    """Replace links in a tool file's text; everything else stays as it was written, comments included.

    Args:
        text: of the tool file.
        endpoints: the rig's link for each of the file's.

    Raises:
        RigError: a link is written in a way that is not understood.
    """
    for link, endpoint in endpoints.items():
        # First to marks that no link looks like: an endpoint might be spelt like another link of the file.
        text = _links(link).sub(_marking(endpoint), text)
    for endpoint in endpoints.values():
        text = text.replace(_mark(endpoint), f'"{endpoint}"')
    devices: list[dict[str, Any]] = tomllib.loads(text).get("devices", [])
    left = sorted({device["link"] for device in devices} - set(endpoints.values()))
    if left:
        raise RigError(f"these links of the tool file could not be replaced: {', '.join(left)}; write them as link = …")
    return text


def _links(link: str) -> re.Pattern[str]:
    return re.compile(rf"""((?:^|[,{{\s])link\s*=\s*)["']{re.escape(link)}["']""", re.MULTILINE)


def _marking(endpoint: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found[1]}{_mark(endpoint)}"


def _mark(endpoint: str) -> str:
    return f"\0{endpoint}\0"
