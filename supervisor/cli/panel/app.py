"""The screen of `cvd panel`: eight pages, one key each, and a second step before anything moves."""

from collections.abc import Awaitable
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from opcua_model.client import ClientError
from supervisor.cli.panel import views
from supervisor.cli.panel.dialogs import Ask, Confirm, Field, Tell, needed, positive
from supervisor.cli.panel.picture import Picture
from supervisor.cli.panel.session import LoginRefusedError, Session
from supervisor.cli.panel.views import Grid, fixed

REDRAW_S = 0.5
TREND_S = 1.0
PAGES = ("overview", "gas", "process", "alarms", "interlocks", "trends", "services", "manual")
TAG_HEADS = fixed("tag", "value", "unit", "why not")
ALARM_HEADS = fixed("time", "priority", "alarm", "state", "acknowledged", "why")
RUN_ACTIONS = {
    "pause": ("PauseRun", "pause at the next safe point of the step"),
    "resume": ("ResumeRun", "go on after the pause"),
    "hold": ("HoldRun", "hold: hazardous gas and energy off, unless the step declares otherwise"),
    "restart": ("RestartRun", "go on after the hold"),
    "stop": ("StopRun", "end in order, then the safe sequence"),
    "abort": ("AbortRun", "end at once: the safe sequence starts with the next scan"),
}


class Panel(App[None]):
    """The tool on a terminal.

    Args:
        endpoint: address of the daemon.
        user: name of the person who operates.
        password: of that person.
    """

    TITLE = "cvd panel"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #status { height: 1; background: $primary; color: $text; }
    #said { height: 1; background: $surface; }
    TabbedContent { height: 1fr; }
    ContentSwitcher, TabPane { height: 1fr; padding: 0; }
    .dialog { width: 80%; max-width: 100; height: auto; padding: 1 2; border: round $primary; background: $surface; }
    .title { text-style: bold; }
    .keys { text-style: dim; margin-top: 1; }
    ModalScreen { align: center middle; }
    #legend { height: auto; max-height: 6; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"page('{name}')", name) for n, name in enumerate(PAGES, 1)),
        Binding("c", "control", "control"),
        Binding("p", "run('pause')", "pause", show=False),
        Binding("u", "run('resume')", "resume", show=False),
        Binding("h", "run('hold')", "hold"),
        Binding("g", "run('restart')", "restart", show=False),
        Binding("e", "run('stop')", "end", show=False),
        Binding("A", "run('abort')", "abort"),
        Binding("S", "safe", "SAFE"),
        Binding("a", "acknowledge", "ack", show=False),
        Binding("f", "confirm_alarm", "confirm", show=False),
        Binding("s", "shelve", "shelve", show=False),
        Binding("r", "reset", "reset", show=False),
        Binding("b", "bypass", "bypass", show=False),
        Binding("k", "confirm_bypass", "confirm bypass", show=False),
        Binding("x", "stop_service", "stop service", show=False),
        Binding("t", "trend", "trend", show=False),
        Binding("q", "quit", "quit"),
    ]
    HINTS: ClassVar[dict[str, str]] = {
        "overview": "p pause  u resume  h hold  g restart  e end in order  A abort",
        "gas": "Enter: move it, if you may   t: trend",
        "process": "Enter: move it, if you may   t: trend",
        "alarms": "Enter: what to do   a acknowledge  f confirm  s shelve",
        "interlocks": "Enter: cause and effects   r reset  b ask for a bypass  k confirm another's bypass",
        "trends": "t on a tag of another page puts it here, or takes it away",
        "services": "Enter: start   x: stop in order",
        "manual": "Enter: move it",
    }

    def __init__(self, endpoint: str, user: str, password: str) -> None:
        super().__init__()
        self.picture = Picture()
        self.session = Session(endpoint, user, password, self.picture, self.say)
        self.refused = ""
        """Why the person was not let in."""
        self._trends: list[str] = []

    # ------------------------------------------------------------------------------------------------ the screen
    def compose(self) -> ComposeResult:
        """Draw the frame and the pages."""
        yield Static("", id="status", markup=False)
        with TabbedContent(initial="overview"):
            with TabPane("1 Overview", id="overview"):
                yield VerticalScroll(Static("", id="lines", markup=False))
            with TabPane("2 Gas", id="gas"):
                yield Grid("gas-grid", TAG_HEADS, views.gas)
            with TabPane("3 Process", id="process"):
                yield Grid("process-grid", TAG_HEADS, views.process)
            with TabPane("4 Alarms", id="alarms"):
                yield Grid("alarms-grid", ALARM_HEADS, views.alarms)
            with TabPane("5 Interlocks", id="interlocks"):
                yield Static("", id="legend", markup=False)
                yield Grid("interlocks-grid", views.matrix_heads, views.matrix)
            with TabPane("6 Trends", id="trends"):
                yield VerticalScroll(Static("", id="curves", markup=False))
            with TabPane("7 Services", id="services"):
                yield Grid("services-grid", fixed("operation", "state", "step", "s"), views.services)
            with TabPane("8 Manual", id="manual"):
                yield Grid("manual-grid", fixed("tag", "value", "limits", "why not"), views.manual)
        yield Static("connecting …", id="said", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to follow the tool."""
        self.follow()
        self.set_interval(REDRAW_S, self.redraw)
        self.set_interval(TREND_S, self.remember)

    @work
    async def follow(self) -> None:
        """Keep the picture up to date; leave when the person is not let in."""
        try:
            await self.session.follow()
        except LoginRefusedError as error:
            self.refused = str(error)
            self.exit()

    def say(self, text: str) -> None:
        """Put a line below the pages."""
        if self.is_running:
            self.query_one("#said", Static).update(text)

    @property
    def page(self) -> str:
        """Name of the page that is shown."""
        return self.query_one(TabbedContent).active

    @property
    def grid(self) -> Grid | None:
        """The table of the page that is shown."""
        found = self.query(f"#{self.page}-grid")
        return found.first(Grid) if found else None

    def redraw(self) -> None:
        """Show the picture on the page that is seen."""
        picture = self.picture
        tool = picture.catalogue.tool or "no tool"
        link = "" if picture.connected else "   NO CONNECTION: nothing is known"
        self.query_one("#status", Static).update(
            f" {tool}   {picture.text('State/Mode')}   run {picture.text('Runs/ActiveRun/State')}   "
            f"{picture.text('Alarms/Active')} alarms   control: {picture.text('State/ControlOwner', 'nobody')}   "
            f"you: {self.session.user}{link}"
        )
        if self.page == "overview":
            self.query_one("#lines", Static).update("\n".join([*views.overview(picture), "", self.HINTS["overview"]]))
        elif self.page == "trends":
            width = max(20, self.size.width - 4)
            self.query_one("#curves", Static).update("\n".join(views.trends(picture, self._trends, width)))
        if self.page == "interlocks":
            self.query_one("#legend", Static).update(views.legend(picture))
        if self.grid is not None:
            self.grid.draw(picture)

    def remember(self) -> None:
        """Lengthen the trends."""
        if not self._trends and self.picture.connected:
            self._trends = views.default_trends(self.picture)
        self.picture.remember(self._trends)

    # --------------------------------------------------------------------------------------------------- the keys
    def action_page(self, name: str) -> None:
        """Turn to a page."""
        self.query_one(TabbedContent).active = name
        self.say(self.HINTS[name])
        grid = self.grid
        if grid is not None:
            grid.focus()
        self.call_later(self.redraw)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Do what Enter does on this page."""
        event.stop()
        grid = self.grid
        if grid is None or not grid.chosen:
            return
        if self.page in {"gas", "process", "manual"}:
            self.move_tag(grid.chosen)
        elif self.page == "alarms":
            self.tell_alarm(grid.chosen)
        elif self.page == "interlocks":
            self.push_screen(Tell(grid.chosen, views.details(self.picture, grid.chosen)))
        elif self.page == "services":
            self.start_service(grid.chosen)

    def tell_alarm(self, name: str) -> None:
        """Show what an alarm means and what it asks for."""
        info = self.picture.catalogue.alarms[name]
        within = f" within {info.response_s:g} s" if info.response_s else ""
        self.push_screen(
            Tell(name, [f"priority      {info.priority}", f"consequence   {info.consequence}",
                        f"action{within}   {info.action}"])
        )  # fmt: skip

    @work
    async def move_tag(self, path: str) -> None:
        """Move an output or a set point: a value within its limits, then the second step."""
        info = self.picture.catalogue.tags[path]
        why = await self._why(info.full)
        if not info.movable:
            await self.push_screen_wait(Tell(info.full, why or ["Your roles do not move it, or nobody does by hand."]))
            return
        now = self.picture.tag(info)
        answer = await self.push_screen_wait(
            Ask(f"Move {info.full}", [f"now {now} {info.unit}", *why], [Field(info.limits, now, info.entered)])
        )
        if answer is None:
            return
        value = info.entered(answer[0])
        to = info.shown(value, good=True)
        if await self.push_screen_wait(Confirm(f"Move {info.full}", [f"{now} → {to} {info.unit}", *why])):
            await self._do(f"{info.full} = {to}", self.session.write(path, value))

    async def _why(self, output: str) -> list[str]:
        """Ask the daemon for the whole chain from an output to the causes behind it."""
        try:
            held, chain = await self.session.call("State", "WhyNot", output)
        except (ClientError, OSError, TimeoutError):
            return self.picture.why_not(output)
        return [str(line) for line in chain] if held else []

    @work
    async def start_service(self, name: str) -> None:
        """Start a service operation."""
        if await self.push_screen_wait(Confirm(f"Start {name}", ["The controller checks the tool first."])):
            await self._do(f"{name} started", self.session.call("Services", "Start", name))

    @work
    async def action_stop_service(self) -> None:
        """End the service operation that runs, in order."""
        name = self.picture.text("Services/Active", empty="")
        if self.page == "services" and await self.push_screen_wait(Confirm(f"Stop {name}", ["It ends in order."])):
            await self._do(f"{name} stopped", self.session.call("Services", "Stop"))

    @work
    async def action_run(self, action: str) -> None:
        """Command the active run."""
        method, words = RUN_ACTIONS[action]
        number = self.picture.text("Runs/ActiveRun/RunNumber")
        if await self.push_screen_wait(Confirm(f"{action} {number}", [words])):
            run = self.picture.text("Runs/ActiveRun/RunId", empty="")
            await self._do(f"{action}: {number}", self.session.call("Runs", method, run))

    @work
    async def action_safe(self) -> None:
        """Bring the tool to its safe state."""
        if await self.push_screen_wait(
            Confirm("SAFE SHUTDOWN", ["The safe sequence runs now, whatever the tool does."])
        ):
            await self._do("safe shutdown", self.session.call("State", "SafeShutdown"))

    @work
    async def action_control(self) -> None:
        """Take the control of the tool, or give it back."""
        mine = self.picture.text("State/ControlOwner", empty="") == self.session.user
        method = "ReleaseControl" if mine else "TakeControl"
        words = (
            "Others can operate it then." if mine else "Only you can operate it then; holding and stopping stay open."
        )
        if await self.push_screen_wait(Confirm(method, [words])):
            await self._do(method, self.session.call("State", method))

    @work
    async def action_acknowledge(self) -> None:
        """Say that the alarm under the cursor has been seen."""
        await self._alarm("Acknowledge")

    @work
    async def action_confirm_alarm(self) -> None:
        """Say that what the alarm asks for has been done."""
        await self._alarm("Confirm")

    async def _alarm(self, method: str) -> None:
        name = self._chosen_on("alarms")
        if not name:
            return
        answer = await self.push_screen_wait(Ask(f"{method} {name}", [], [Field("comment")]))
        if answer is not None:
            await self._do(f"{method} {name}", self._alarm_call(name, method, answer[0]))

    async def _alarm_call(self, name: str, method: str, comment: str) -> None:
        event = await self.session.read(f"Alarms/{name}/EventId")
        await self.session.call(f"Alarms/{name}", method, event, comment)

    @work
    async def action_shelve(self) -> None:
        """Put the alarm under the cursor on the shelf for a time."""
        name = self._chosen_on("alarms")
        if not name:
            return
        answer = await self.push_screen_wait(Ask(f"Shelve {name}", [], [Field("minutes", "15", positive)]))
        if answer is not None:
            call = self.session.call(f"Alarms/{name}", "TimedShelve", positive(answer[0]) * 60_000.0)
            await self._do(f"{name} shelved for {answer[0]} min", call)

    @work
    async def action_reset(self) -> None:
        """Reset the latched interlock under the cursor."""
        name = self._chosen_on("interlocks")
        words = ["It restores no output: only a new command does."]
        if name and await self.push_screen_wait(Confirm(f"Reset {name}", words)):
            await self._do(f"{name} reset", self.session.call(f"Interlocks/{name}", "Reset"))

    @work
    async def action_bypass(self) -> None:
        """Ask for a bypass of the interlock under the cursor; another person confirms it."""
        name = self._chosen_on("interlocks")
        if not name:
            return
        row = self.picture.catalogue.interlocks[name]
        fields = [Field("reason", check=needed), Field("seconds", f"{min(row.max_bypass_s, 600):g}", positive)]
        answer = await self.push_screen_wait(Ask(f"Ask for a bypass of {name}", [row.consequence], fields))
        if answer is None or not await self.push_screen_wait(
            Confirm(f"Ask for a bypass of {name}", [f"{answer[0]}, for {answer[1]} s", row.consequence])
        ):
            return
        try:
            request = await self.session.call(f"Interlocks/{name}", "RequestBypass", answer[0], positive(answer[1]))
        except (ClientError, OSError, TimeoutError) as error:
            self._refuse(error)
        else:
            await self.push_screen_wait(Tell("Another person confirms it", [f"on this page with k, request {request}"]))

    @work
    async def action_confirm_bypass(self) -> None:
        """Confirm what another person asked for."""
        name = self._chosen_on("interlocks")
        if not name:
            return
        answer = await self.push_screen_wait(Ask(f"Confirm a bypass of {name}", [], [Field("request", check=needed)]))
        if answer is not None and await self.push_screen_wait(
            Confirm(f"Bypass {name}", ["It protects nobody meanwhile.", *views.details(self.picture, name)])
        ):
            await self._do(f"{name} bypassed", self.session.call(f"Interlocks/{name}", "ConfirmBypass", answer[0]))

    def action_trend(self) -> None:
        """Put the tag under the cursor among the trends, or take it away."""
        grid = self.grid
        path = "" if grid is None else grid.chosen
        if path not in self.picture.catalogue.tags:
            return
        if path in self._trends:
            self._trends.remove(path)
        else:
            self._trends.append(path)
        self.say(f"{self.picture.catalogue.tags[path].full}: {'drawn' if path in self._trends else 'no longer drawn'}")

    def _chosen_on(self, page: str) -> str:
        grid = self.grid
        return grid.chosen if self.page == page and grid is not None else ""

    async def _do(self, words: str, request: Awaitable[object]) -> None:
        """Carry a request out; say that it was done, or why not in one line."""
        try:
            await request
        except (ClientError, OSError, TimeoutError) as error:
            self._refuse(error)
        else:
            self.say(f"done: {words}")

    def _refuse(self, error: Exception) -> None:
        reason = getattr(error, "reason", "") or str(error) or type(error).__name__
        self.say(f"refused: {reason}")
        self.notify(reason, title="refused", severity="error", markup=False)
