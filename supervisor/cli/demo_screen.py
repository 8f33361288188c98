"""What ``cvd demo`` draws: steps with their bars, live values with a short past, and the final table."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BLOCKS = " ▁▂▃▄▅▆▇█"
PAST = 38  # values of a trend: one character each


@dataclass(frozen=True)
class Signal:
    """A value that the screen follows: its title, its unit and how many decimals people read."""

    title: str
    unit: str
    decimals: int


@dataclass(frozen=True)
class Step:
    """A step of the recipe as planned: its name and least duration in seconds."""

    name: str
    duration_s: float


@dataclass
class Board:
    """The state of the screen; ``draw`` makes a picture of it."""

    steps: Sequence[Step]
    signals: Mapping[str, Signal]
    speed: float
    run_number: str = ""
    state: str = "IDLE"
    service: str = ""
    step_index: int = -1
    step_elapsed_s: float = 0.0
    elapsed_s: float = 0.0
    trips: int = 0
    taken: dict[int, float] = field(default_factory=dict[int, float])
    values: dict[str, float | None] = field(default_factory=dict[str, "float | None"])
    past: dict[str, deque[float]] = field(default_factory=dict[str, "deque[float]"])

    def enter(self, index: int, elapsed_s: float) -> None:
        """Follow the run into a step, or on within it; what the step has taken so far is kept."""
        self.step_index, self.step_elapsed_s = index, elapsed_s
        if index >= 0:
            self.taken[index] = max(elapsed_s, self.taken.get(index, 0.0))

    def show(self, name: str, value: float | None) -> None:
        """Put a live value on the screen; None stands for Bad quality and is shown as such."""
        self.values[name] = value
        if value is not None:
            self.past.setdefault(name, deque(maxlen=PAST)).append(value)

    def draw(self) -> RenderableType:
        """Make the picture."""
        return Group(self._steps(), self._signals())

    def _steps(self) -> Panel:
        grid = Table.grid(padding=(0, 1))
        for column in ({"width": 1}, {"width": 12}, {"width": 42}, {"width": 16, "justify": "right"}):
            grid.add_column(**column)  # pyright: ignore[reportArgumentType]  (rich's literals)
        finished = self.state == "COMPLETE"
        for index, step in enumerate(self.steps):
            past = index < self.step_index or finished
            now = index == self.step_index and not past
            taken = self.taken.get(index, 0.0)
            share = 1.0 if past else min(taken / step.duration_s, 1.0) if now and step.duration_s else 0.0
            mark = Text("✓", "green") if past else Text("▶", "cyan") if now else Text("·", "dim")
            bar = ProgressBar(total=1.0, completed=share, width=42, complete_style="cyan", finished_style="green")
            clock = f"{taken:.0f} / {step.duration_s:.0f} s" if taken else f"{step.duration_s:.0f} s"
            grid.add_row(mark, Text(step.name, "bold" if now else ""), bar, Text(clock, "" if taken else "dim"))
        title = f"{self.run_number or 'waiting'} · [bold]{self.state}[/bold]"
        if self.service:
            title += f" · {self.service}"
        trips = f"[red]{self.trips} interlocks tripped[/red]" if self.trips else "no interlock tripped"
        foot = f"{self.elapsed_s:,.0f} s of process at {self.speed:g} × real time · {trips}"
        return Panel(grid, title=title, subtitle=foot, title_align="left", subtitle_align="left", width=80)

    def _signals(self) -> Panel:
        grid = Table.grid(padding=(0, 1))
        for column in ({"width": 16}, {"width": 11, "justify": "right"}, {"width": 5}, {"width": PAST}):
            grid.add_column(**column)  # pyright: ignore[reportArgumentType]  (rich's literals)
        for name, signal in self.signals.items():
            value = self.values.get(name)
            if name not in self.values:
                told = Text("…", "dim")
            elif value is None:
                told = Text("Bad", "bold red")
            else:
                told = Text(f"{value:,.{signal.decimals}f}", "bold")
            grid.add_row(signal.title, told, signal.unit, Text(trend(self.past.get(name, ())), "cyan"))
        return Panel(grid, title="live over OPC UA", title_align="left", width=80)


def trend(values: Sequence[float] | deque[float]) -> str:
    """Draw values as blocks between their own least and greatest; a flat line is drawn low."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = high - low
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[1 + round((value - low) / span * (top - 1))] if span else BLOCKS[1] for value in values)


@dataclass(frozen=True)
class Verdict:
    """One line of the final table: what was measured, what was wanted, and whether it is met."""

    what: str
    measured: str
    wanted: str
    met: bool


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Lay the verdicts out, a mark in front of each."""
    shown = Table(width=80, title="Result", title_justify="left")
    shown.add_column("", width=1)
    for heading in ("what", "measured", "wanted"):
        shown.add_column(heading)
    for line in verdicts:
        shown.add_row(Text("✓", "green") if line.met else Text("✗", "bold red"), line.what, line.measured, line.wanted)
    return shown
