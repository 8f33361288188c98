"""Where a point stands on its wire, one model for each way of framing, and the settings of whole wires."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.base import Model


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def _template(text: str) -> str:
    try:
        text.format(value=1.0, raw=1, text="1", address=1, n=1)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ValueError(f"not a template of {{value}}, {{raw}}, {{text}} and {{address}}: {error}") from None
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_pattern)]
"""A regular expression that the whole answer must match."""
Template = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_template)]
r"""Text to send: `{value}` is the value in the wire's scale, `{raw}` the same as a whole number, `{address}` the
device's address, each with a format of Python's (`R:{raw:06d}`)."""


class SerialSettings(Model):
    """How the device's serial port is set when it leaves the factory; the link may say otherwise."""

    baud: int = Field(ge=50, le=4_000_000)
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1


class ErrorAnswer(Model):
    """An answer that is an error message."""

    matches: Pattern
    kind: Literal["configuration", "bad", "busy"]
    """configuration: the request will never work. bad: no value now. busy: worth a bounded number of repeats."""
    text: str


class LineSettings(Model):
    """Lines of text (codec `lines`)."""

    send_end: str = "\r"
    answer_end: str = "\r"
    """What ends an answer; control characters as TOML writes them."""
    encoding: Literal["ascii", "latin-1"] = "ascii"
    select: Template | None = None
    """Sent when the device addressed is another one than before on the same wire."""
    selected: Pattern | None = None
    """Its answer; none: it has none."""
    errors: tuple[ErrorAnswer, ...] = ()
    echo: bool = False
    """The device repeats each command before its answer."""
    most: int = Field(default=256, ge=1, le=65536)
    """Longest answer, bytes."""


class ModbusSettings(Model):
    """What is common to the registers of a device."""

    word_order: Literal["high", "low"] = "high"
    """Which word of a 32-bit value stands at the lower address."""
    merge_gap: int | None = Field(default=None, ge=0, le=64)
    """Points are read in one request when at most so many registers lie between them; none: each by itself."""
    most: int = Field(default=100, ge=1, le=125)
    """Most registers of one request."""


class CanSettings(Model):
    """A CANopen device."""

    bitrate: int = Field(default=500_000, ge=10_000, le=1_000_000)
    heartbeat_ms: int = Field(default=500, ge=0, le=65535)
    """Period that its heartbeat (1017h) is set to; 0: none."""
    eds: str | None = None
    """Its electronic data sheet, a file beside the profile."""


class ModbusWire(Model):
    """Modbus register or bit, addressed as in the PDU (from 0)."""

    table: Literal["coil", "discrete", "input", "holding"] = "holding"
    address: int = Field(ge=0, le=65535)
    registers: int | None = Field(default=None, ge=1, le=125)
    """Text: its length."""
    word_order: Literal["high", "low"] | None = None
    write_function: Literal[5, 6, 15, 16] | None = None
    """5 for coils, 6 for one register and 16 for more unless given."""

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row."""
        _ = number
        return self.model_copy(update={"address": self.address + shift})


class LinesWire(Model):
    """A command line and its answer; points with the same command share one exchange."""

    read: Template | None = None
    answer: Pattern | None = None
    """Must match the whole answer; its group `value` is the value."""
    length: int | None = Field(default=None, ge=1, le=4096)
    """The answer is so many bytes, not a line; `at` says where the value begins (little-endian)."""
    at: int = Field(default=0, ge=0)
    tail: str = Field(default="", max_length=8)
    """What an answer of so many bytes ends with, counted in its length."""
    write: Template | None = None
    """Command that writes it; one that differs by state stands in `writes`."""
    writes: dict[str, Template] = Field(default_factory=dict[str, str])
    """By the state's name: the command for it."""
    written: Pattern | None = None
    """Answer to a write; none: there is none."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.read is not None and (self.answer is None) == (self.length is None):
            raise ValueError("a read needs either an answer or a length")
        if self.answer is not None and "value" not in re.compile(self.answer).groupindex:
            raise ValueError("the answer needs a group named value: (?P<value>…)")
        return self

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row: its number stands in its commands, else it has its own place in the common answer."""
        data = self.model_dump_json(exclude_none=True)
        made = self.model_validate_json(data.replace("{n}", str(number)))
        return made if "{n}" in data else made.model_copy(update={"at": made.at + shift})


class MksWire(LinesWire):
    """`@address command ? ;FF`: `read` and `write` are the command alone (`PR1`), `answer` matches what follows ACK."""


class SqmWire(LinesWire):
    """Length, message, CRC: `read` and `write` are the message, `answer` matches what follows the status character."""


class PfeifferWire(Model):
    """A parameter of the Pfeiffer telegram."""

    parameter: int = Field(ge=0, le=999)
    data_type: Literal[0, 1, 2, 4, 6, 7, 10, 11]
    """0 bool of six digits, 1 u_integer, 2 u_real (hundredths), 4 string, 6 bool of one digit, 7 u_short_int, 10
    u_expo, 11 string of sixteen."""

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row."""
        _ = number
        return self.model_copy(update={"parameter": self.parameter + shift})


class AeBusWire(Model):
    """Commands of AE Bus."""

    read: int | None = Field(default=None, ge=1, le=255)
    length: int = Field(default=2, ge=1, le=255)
    """Bytes of the answer to `read`."""
    at: int = Field(default=0, ge=0, le=254)
    """Where the value begins in it; numbers are little-endian."""
    write: int | None = Field(default=None, ge=1, le=255)
    writes: dict[str, int] = Field(default_factory=dict[str, int])
    """By the state's name: the command, without data, for it."""

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row."""
        _ = number
        return self.model_copy(update={"at": self.at + shift})


class CanopenWire(Model):
    """An entry of the object dictionary."""

    index: int = Field(ge=0x1000, le=0xFFFF)
    sub: int = Field(default=0, ge=0, le=254)
    pdo: int | None = Field(default=None, ge=1, le=4)
    """Number of the transmit PDO (a read) or receive PDO (a write) that carries it; none: by SDO."""
    at: int = Field(default=0, ge=0, le=63)
    """First bit in the PDO."""

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row."""
        _ = number
        at = self.at + 8 * shift if self.pdo is not None else self.at
        return self.model_copy(update={"sub": self.sub + shift, "at": at})


class CxnWire(Model):
    """A command of the T&C protocol: command word, two parameter words, and where the value stands in the reply."""

    read: int | None = Field(default=None, ge=0, le=0xFFFF)
    length: int = Field(default=2, ge=1, le=64)
    """Bytes of data in the reply."""
    at: int = Field(default=0, ge=0, le=63)
    write: int | None = Field(default=None, ge=0, le=0xFFFF)
    """The value is the first parameter."""
    granted: bool = False
    """A write is answered by a reply besides the acknowledgement: 1 when a value other than 0 was granted."""

    def numbered(self, number: int, shift: int) -> Self:
        """One of a row."""
        _ = number
        return self.model_copy(update={"at": self.at + shift})


Wire = ModbusWire | LinesWire | MksWire | SqmWire | PfeifferWire | AeBusWire | CanopenWire | CxnWire
"""The place of a point."""
