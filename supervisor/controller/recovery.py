"""What the journal says of the controller before this one: its replies, and whether a run was left without an end."""

from dataclasses import dataclass, field

from supervisor.link.journal import Journal
from supervisor.link.messages import Event, EventKind

WINDOW = 20_000
"""Records that are read at start; doubled until the last beginning or end of a run is among them."""

_BARRIERS = frozenset({EventKind.BOOT, EventKind.RUN_STARTED, EventKind.RUN_ENDED})
"""A boot is one too: it stands behind the record that closes what the controller before it left open."""


@dataclass
class Recovered:
    """What is known of the past."""

    first: bool = True
    """Nothing has ever been written."""
    clean: bool = True
    """The last controller closed the journal, or there was none."""
    commands: list[Event] = field(default_factory=list[Event])
    open_run: Event | None = None
    """RUN_STARTED of a run that has no record."""
    open_state: str = ""
    """The last state that was told of it."""
    notices: list[str] = field(default_factory=list[str])


def recover(journal: Journal) -> Recovered:
    """Read the journal's tail."""
    window = WINDOW
    while True:
        after = max(0, journal.last_seq - window)
        recovered, sure = _read(journal, after)
        if sure or after == 0:
            break
        window *= 2
    recovered.notices = list(journal.recovered)
    return recovered


def _read(journal: Journal, after: int) -> tuple[Recovered, bool]:
    found = Recovered()
    sure = False
    for event in journal.read(after):
        found.first = False
        found.clean = event.kind is EventKind.SHUTDOWN
        sure = sure or event.kind in _BARRIERS
        if event.kind is EventKind.COMMAND:
            found.commands.append(event)
        elif event.kind is EventKind.RUN_STARTED:
            found.open_run, found.open_state = event, ""
        elif event.kind is EventKind.RUN_STATE and event.data.get("run_id"):
            found.open_state = str(event.data.get("state", ""))
        elif event.kind in {EventKind.RUN_ENDED, EventKind.BOOT}:
            found.open_run, found.open_state = None, ""
    return found, sure
