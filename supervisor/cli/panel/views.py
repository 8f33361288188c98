"""The tables of the panel: each makes its rows from the picture; `Grid` draws only what has changed."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.text import Text
from textual.widgets import DataTable

from supervisor.cli.panel.catalogue import TagInfo
from supervisor.cli.panel.picture import IN_FORCE, Picture

Row = tuple[str, Sequence[str]]
"""A key and the cells."""
Columns = Callable[[Picture], Sequence[str]]
Rows = Callable[[Picture], Iterator[Row]]

STYLES: Mapping[str, str] = {
    "Bad": "bold red",
    "Active": "bold red",
    "Latched": "red",
    "Bypassed": "bold magenta",
    "Pending": "yellow",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "open": "green",
    "Unacknowledged": "bold yellow",
}
BLOCKS = "▁▂▃▄▅▆▇█"
TRENDS = 12  # that are drawn before somebody chooses
PRESSURES = ("Torr", "mTorr", "Pa", "hPa", "kPa", "mbar", "bar")
POWERS = ("W", "kW", "V", "A", "Hz", "kHz", "MHz", "Ω", "ohm")


class Grid(DataTable[Text]):
    """A table that keeps its cursor while values change."""

    def __init__(self, identity: str, columns: Columns, rows: Rows) -> None:
        super().__init__(id=identity, cursor_type="row", zebra_stripes=True)
        self._columns, self._rows = columns, rows
        self._heads: tuple[str, ...] = ()
        self._drawn: dict[str, tuple[str, ...]] = {}

    def draw(self, picture: Picture) -> None:
        """Show the picture."""
        heads = tuple(self._columns(picture))
        rows = {key: tuple(cells) for key, cells in self._rows(picture)}
        if heads != self._heads:
            self.clear(columns=True)
            for head in heads:
                self.add_column(Text(head), key=head)
            self._heads, self._drawn = heads, {}
        if list(rows) != list(self._drawn):
            at = self.chosen
            self.clear()
            for key, cells in rows.items():
                self.add_row(*map(_styled, cells), key=key)
            if at in rows:
                self.move_cursor(row=list(rows).index(at))
        else:
            for key, cells in rows.items():
                for head, cell, before in zip(heads, cells, self._drawn[key], strict=True):
                    if cell != before:
                        self.update_cell(key, head, _styled(cell), update_width=True)
        self._drawn = rows

    @property
    def chosen(self) -> str:
        """Key of the row under the cursor; empty: there is none."""
        keys = list(self._drawn)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""


def _styled(cell: str) -> Text:
    return Text(cell, style=STYLES.get(cell, ""))


def fixed(*heads: str) -> Columns:
    """Columns that stay."""
    return lambda _: heads


def gas(picture: Picture) -> Iterator[Row]:
    """Valves and flows: state, set point or flow, and what holds them."""
    for info in picture.catalogue.tags.values():
        valve = info.name.rpartition(".")[2] in {"valve", "shut", "isolated", "run", "vent"}
        if valve or info.unit in {"sccm", "slm"}:
            yield info.path, _row(picture, info)


def process(picture: Picture) -> Iterator[Row]:
    """Temperatures, then pressures, then powers, then everything else that is measured."""
    rank = {"°C": 0, "K": 0} | dict.fromkeys(PRESSURES, 1) | dict.fromkeys(POWERS, 2)
    infos = [info for info in picture.catalogue.tags.values() if info.unit and info.unit not in {"sccm", "slm"}]
    for info in sorted(infos, key=lambda info: rank.get(info.unit, 3)):
        yield info.path, _row(picture, info)


def manual(picture: Picture) -> Iterator[Row]:
    """What this person may move."""
    for info in picture.catalogue.tags.values():
        if info.movable:
            cells = _row(picture, info)
            yield info.path, [*cells[:2], info.limits, cells[3]]


def _row(picture: Picture, info: TagInfo) -> list[str]:
    return [info.full, picture.tag(info), info.unit, "; ".join(picture.why_not(info.full))]


def alarms(picture: Picture) -> Iterator[Row]:
    """Alarms that want something."""
    for line in picture.alarms():
        yield line.name, [line.time, line.priority, line.name, line.active, line.acknowledged, line.why]


def matrix_heads(picture: Picture) -> Sequence[str]:
    """Columns of the matrix: outputs by number, because their names are longer than a column."""
    return ["interlock", "class", "state", *(str(n) for n, _ in enumerate(picture.catalogue.outputs, 1))]


def matrix(picture: Picture) -> Iterator[Row]:
    """Causes by outputs, the value at which each output is held."""
    outputs = picture.catalogue.outputs
    for row in picture.catalogue.interlocks.values():
        state = picture.text(f"Interlocks/{row.name}/State")
        yield row.name, [row.name, row.cls, state, *(row.effects.get(output, "·") for output in outputs)]


def services(picture: Picture) -> Iterator[Row]:
    """Service operations."""
    active = picture.text("Services/Active", empty="")
    for name in picture.catalogue.operations:
        told = ("State", "StepName", "ElapsedS") if name == active else ()
        yield name, [name, *(picture.text(f"Services/{one}") for one in told), *[""] * (3 - len(told))]


def overview(picture: Picture) -> list[str]:
    """The first page: what the tool does and what stands in its way."""
    text = picture.text
    progress = picture.number("Runs/ActiveRun/Progress") or 0.0
    bar = "█" * round(30 * progress) + "░" * (30 - round(30 * progress))
    lines = [
        f"Mode          {text('State/Mode')}   SEMI E10: {text('State/E10State')}",
        f"Armed         {'yes: heat, gas and power may be on' if picture.number('State/Armed') else 'no'}",
        f"Control       {text('State/ControlOwner', 'nobody')} {text('State/ControlLocation', '')}",
        "",
        f"Run           {text('Runs/ActiveRun/RunNumber')}   {text('Runs/ActiveRun/RecipeName')}",
        f"State         {text('Runs/ActiveRun/State')}   {text('Runs/ActiveRun/Cause', '')}",
        f"Step          {text('Runs/ActiveRun/StepName')}, {text('Runs/ActiveRun/StepElapsedS')} s",
        f"Progress      {bar} {100 * progress:3.0f} %, {text('Runs/ActiveRun/TimeLeftS')} s left",
        "",
        f"Service       {text('Services/Active')}   {text('Services/State', '')} {text('Services/StepName', '')}",
        f"Alarms        {text('Alarms/Active')} active, {text('Alarms/Unacknowledged')} not acknowledged",
        f"Interlocks    {text('Diagnostics/InterlocksTripped')} in force",
    ]
    for row in picture.catalogue.interlocks.values():
        state = text(f"Interlocks/{row.name}/State")
        if state in IN_FORCE and row.cls != "permissive":
            first = " first out" if picture.number(f"Interlocks/{row.name}/FirstOut") else ""
            why = text(f"Interlocks/{row.name}/Why", empty=row.condition)
            lines.append(f"  {row.name} ({state}{first}): {why}")
        elif state == "Bypassed":
            left = text(f"Interlocks/{row.name}/BypassLeftS")
            lines.append(f"  {row.name} (Bypassed, {left} s left): {text(f'Interlocks/{row.name}/BypassWhy', '')}")
    return lines


def legend(picture: Picture) -> str:
    """The outputs behind the numbers of the matrix."""
    return "   ".join(f"{number} {output}" for number, output in enumerate(picture.catalogue.outputs, 1))


def details(picture: Picture, name: str) -> list[str]:
    """Everything about one interlock."""
    row = picture.catalogue.interlocks[name]
    at = f"Interlocks/{name}"
    allowed = f"for at most {row.max_bypass_s:g} s" if row.bypassable else "never"
    return [
        f"{row.cls}, {row.priority}, {picture.text(f'{at}/State')}, tripped {picture.text(f'{at}/TripCount')} times",
        f"cause         {row.condition}",
        f"now           {picture.text(f'{at}/Why')}",
        f"consequence   {row.consequence}",
        f"action        {row.action}",
        f"effects       {', '.join(f'{output} = {value}' for output, value in row.effects.items())}",
        f"bypass        {allowed}; {picture.text(f'{at}/BypassLeftS')} s left",
        *([f"              {why}"] if (why := picture.text(f"{at}/BypassWhy", empty="")) not in {"", "?"} else []),
        f"proof test    {picture.text(f'{at}/ProofTest')}",
    ]


def default_trends(picture: Picture) -> list[str]:
    """What is drawn before somebody chooses: measured temperatures, pressures, powers and flows."""
    wanted = ("°C", *PRESSURES, "W", "kW", "sccm")
    asked = ("setpoint", "target", "mode")
    infos = [
        info
        for info in picture.catalogue.tags.values()
        if info.unit in wanted and not info.movable and not any(word in info.name for word in asked)
    ]
    return [info.path for info in sorted(infos, key=lambda info: wanted.index(info.unit))][:TRENDS]


def trends(picture: Picture, paths: Sequence[str], width: int) -> Iterator[str]:
    """A line of words and a curve for each; where a value was Bad the curve has a gap."""
    for path in paths:
        info = picture.catalogue.tags.get(path)
        if info is None:
            continue
        past = list(picture.past.get(path, ()))[-width:]
        there = [value for value in past if not math.isnan(value)]
        low, high = (min(there), max(there)) if there else (0.0, 0.0)
        yield f"{info.full}   {picture.tag(info)} {info.unit}   {low:.5g} … {high:.5g}"
        yield "".join(_block(value, low, high) for value in past)
        yield ""


def _block(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return " "
    return BLOCKS[round((len(BLOCKS) - 1) * (value - low) / (high - low)) if high > low else 0]
