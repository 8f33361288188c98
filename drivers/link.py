"""A tool file's `link`, taken apart: `serial:///dev/ttyS0?baud=19200&parity=odd`."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from config.wire import SerialSettings
from drivers.errors import LinkError

MODBUS_PORT = 502  # Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3


@dataclass(frozen=True)
class Link:
    """Where a wire begins.

    Attributes:
        scheme: kind of wire.
        host: of a socket; empty for others.
        port: of a socket; 0 for others.
        path: file of a serial port, channel of a CAN bus, or VISA resource name.
        options: everything behind the `?`.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    options: dict[str, str] = field(default_factory=dict[str, str])

    def serial(self, default: SerialSettings | None) -> SerialSettings:
        """Settings of the serial line: the link's own, else the profile's; raises LinkError for nonsense."""
        base = default or SerialSettings(baud=9600)
        own = {
            "baud": int(self.options.get("baud", base.baud)),
            "data_bits": int(self.options.get("data_bits", base.data_bits)),
            "parity": self.options.get("parity", base.parity),
            "stop_bits": int(self.options.get("stop_bits", base.stop_bits)),
        }
        try:
            return SerialSettings.model_validate(own)
        except ValueError as error:
            raise LinkError(f"the serial settings of {self.path} cannot be used: {error}") from None


def parse_link(text: str) -> Link:
    """Take a link apart.

    Raises:
        LinkError: it does not say where the wire is.
    """
    scheme, _, rest = text.partition("://")
    if scheme == "visa":
        name, _, query = rest.partition("?")
        return Link(scheme, path=unquote(name), options=dict(parse_qsl(query)))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise LinkError(f"the link {text} cannot be read: {error}") from None
    options = dict(parse_qsl(parts.query))
    if scheme in {"tcp", "modbus-tcp"} or (scheme == "modbus-rtu" and host):
        if port is None:
            port = MODBUS_PORT if scheme == "modbus-tcp" else 0
        if not host or not port:
            raise LinkError(f"the link {text} must name host and port, as in {scheme}://10.0.0.7:4001")
        return Link(scheme, host=host, port=port, options=options)
    path = parts.path or parts.netloc
    if not path:
        raise LinkError(f"the link {text} does not say which port: {scheme}:///dev/ttyS0")
    return Link(scheme, path=path, options=options)


Kind = Literal["stream", "can"]


def kind_of(link: Link) -> Kind:
    """Whether bytes or CAN frames travel on it."""
    return "can" if link.scheme == "can" else "stream"
