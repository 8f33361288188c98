"""`python -m hil.rig TOOL.toml OUT [SPEED [PATIENCE [SCENARIO.toml]]]`: a rig for tests; people use `cvd hil`."""

import sys
from pathlib import Path

import anyio

from config.faults import ConfigError
from hil.errors import PlantError
from hil.rig.serving import Settings, serve


def main(words: list[str]) -> int:
    """Serve until told to stop; 1 with one line for each fault."""
    tool, out, *rest = words
    speed = float(rest.pop(0)) if rest else 1.0
    patience = int(rest.pop(0)) if rest else 1
    scenario = Path(rest[0]) if rest else None
    settings = Settings(tool=Path(tool), out=Path(out), scenario=scenario, speed=speed, patience=patience)
    try:
        anyio.run(serve, settings, _tell)
    except (ConfigError, PlantError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - its output
        return 1
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
