"""Questions over the screen: fields to fill in, and the second step before anything is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Field:
    """One line to fill in; `check` raises ValueError with the reason when the text does not do."""

    label: str
    value: str = ""
    check: Callable[[str], object] = str


def needed(text: str) -> str:
    """Refuse an empty text."""
    if not text.strip():
        raise ValueError("must be filled in")
    return text


def positive(text: str) -> float:
    """Refuse what is no number above zero."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not 0 < number < 1e9:
        raise ValueError(f"{text} is not above zero")
    return number


class Dialog(ModalScreen[Answer]):
    """Words over the screen, and the keys that lead on."""

    KEYS: ClassVar[str]

    def __init__(self, title: str, words: Sequence[str]) -> None:
        super().__init__()
        self._title, self._words = title, words

    def compose(self) -> ComposeResult:
        """Draw the words."""
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="title", markup=False)
            for line in self._words:
                yield Static(line, markup=False)
            yield from self.below()
            yield Label(self.KEYS, classes="keys")

    def below(self) -> ComposeResult:
        """Draw what stands between the words and the keys."""
        yield from ()


class Ask(Dialog[list[str] | None]):
    """Fields to fill in: Enter goes on, Escape leaves; what does not do stays open with its reason."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave it")]
    KEYS = "Enter: go on   Escape: leave it"

    def __init__(self, title: str, words: Sequence[str], fields: Sequence[Field]) -> None:
        super().__init__(title, words)
        self._fields = fields

    def below(self) -> ComposeResult:
        """Draw the fields."""
        for index, one in enumerate(self._fields):
            yield Label(one.label, markup=False)
            yield Input(one.value, id=f"field{index}", select_on_focus=True)
        yield Static("", id="reason", markup=False)

    def on_mount(self) -> None:
        """Begin with the first field."""
        self.query_one("#field0", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field, or answer with all of them when each does."""
        texts = [self.query_one(f"#field{index}", Input).value for index in range(len(self._fields))]
        at = int((event.input.id or "field0").removeprefix("field"))
        for index, (one, text) in enumerate(zip(self._fields, texts, strict=True)):
            if index > at:
                self.query_one(f"#field{index}", Input).focus()
                return
            try:
                one.check(text)
            except ValueError as error:
                self.query_one("#reason", Static).update(f"{one.label}: {error}")
                self.query_one(f"#field{index}", Input).focus()
                return
        self.dismiss(texts)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)


class Confirm(Dialog[bool]):
    """The second step: says what will be done, and does it only on `y`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "do it"),
        Binding("n,escape", "answer(False)", "leave it"),
    ]
    KEYS = "y: do it   n: leave it"

    def action_answer(self, done: bool) -> None:
        """Answer."""
        self.dismiss(done)


class Tell(Dialog[None]):
    """Words that stay until a key is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "leave", "back")]
    KEYS = "Escape: back"

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
