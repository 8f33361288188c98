"""A mutation fuzzer for every layer of the protocol, from the greeting to filters within filters.

Message number `n` of seed `s` is always the same bytes before encryption, so that any of them can be sent again. What
once hurt a server is kept in `corpus.json` and sent again by a test.
"""

import contextlib
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from struct import error as StructError  # noqa: N812 - the name of an exception class
from struct import pack, pack_into, unpack_from
from typing import Any

from opcua_model.certificates import Identity
from opcua_model.stack import Attr, Ids, ua
from tests.opcua_model.wire import HangupError, Line, frame, header, hello, params_of, type_id

NODES = (
    ua.NodeId(Ids.Server), ua.NodeId(Ids.RootFolder), ua.NodeId(Ids.Server_ServerStatus), ua.NodeId(Ids.BaseEventType),
    *(ua.NodeId(path, space) for space in (2, 3) for path in (
        "LPCVD-1", "Telemetry", "Telemetry/chamber_pressure_torr", "Telemetry/temperature_zones_c", "Recipes", "Runs",
        "Equipment/heater/zone1.temperature_c", "Equipment/heater/zone1.setpoint_c", "State/Mode", "Interlocks",
    )),
)  # fmt: skip
METHODS = (
    ("Recipes", "Recipes/AddRecipe"), ("Recipes", "Recipes/ListRecipes"), ("Recipes", "Recipes/ValidateRecipe"),
    ("Runs", "Runs/ListRuns"), ("Runs", "Runs/GetTelemetry"), ("State", "State/CheckInterlocks"),
    ("Runs", "Runs/GetRun"),
    ("ProcessModes", "ProcessModes/ListProcessModes"), ("Interlocks/door_lost", "Interlocks/door_lost/RequestBypass"),
)  # fmt: skip
NUMBERS = (0, 1, -1, -2, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, -(2**31), 2**32 - 1, 1 << 20)
SESSION_MESSAGES = 4_000
"""So many go through a session before another one is opened: what a session may hold has a bound, and is freed."""
BATCH = 40
LARGEST = 150_000
"""Bytes of a request: longer ones are an attack of their own, and end the connection."""
HANG_S = 60.0


# ------------------------------------------------------------------------------------------------------------ seeds


def _variants() -> list[Any]:
    kinds = ua.VariantType
    return [
        ua.Variant(1.5), ua.Variant("text"), ua.Variant(True), ua.Variant(7, kinds.UInt32), ua.Variant(b"bytes"),
        ua.Variant([1.0, 2.0, 3.0]), ua.Variant(["a", None, "c"], kinds.String),
        ua.Variant([[1, 2], [3, 4]], kinds.Int64),
        ua.Variant(ua.NodeId("x" * 40, 3)), ua.Variant(ua.LocalizedText("t")), ua.Variant(ua.QualifiedName("q", 1)),
        ua.Variant(ua.DataValue(ua.Variant(2.0))), ua.Variant([ua.Variant(1), ua.Variant("v")], kinds.Variant),
        ua.Variant(ua.Range(0.0, 1.0)), ua.Variant(ua.StatusCode(0)), ua.Variant(None, kinds.Null),
    ]  # fmt: skip


def _filters() -> list[Any]:
    select = ua.SimpleAttributeOperand(
        TypeDefinitionId=ua.NodeId(Ids.BaseEventType),
        BrowsePath=[ua.QualifiedName("EventId", 0)],
        AttributeId=Attr.Value,
    )
    literal = ua.LiteralOperand(ua.Variant(ua.NodeId(Ids.BaseEventType)))
    of_type = ua.ContentFilterElement(FilterOperator=ua.FilterOperator.OfType, FilterOperands=[literal])
    both = ua.ContentFilterElement(
        FilterOperator=ua.FilterOperator.And, FilterOperands=[ua.ElementOperand(Index=1), ua.ElementOperand(Index=2)]
    )
    equal = ua.ContentFilterElement(FilterOperator=ua.FilterOperator.Equals, FilterOperands=[select, literal])
    events = ua.EventFilter(SelectClauses=[select] * 5)
    events.WhereClause.Elements = [both, of_type, equal, of_type]
    change = ua.DataChangeFilter()
    change.DeadbandType, change.DeadbandValue = 1, 0.5
    aggregate = ua.AggregateFilter(AggregateType=ua.NodeId(Ids.AggregateFunction_Average), ProcessingInterval=1000.0)
    return [None, events, change, aggregate]


def _item(node: Any, attribute: int, chosen: Any) -> Any:
    item = ua.MonitoredItemCreateRequest(MonitoringMode=ua.MonitoringMode.Reporting)
    item.ItemToMonitor = ua.ReadValueId(NodeId=node, AttributeId=attribute)
    item.RequestedParameters = ua.MonitoringParameters(
        ClientHandle=1, SamplingInterval=10.0, QueueSize=5, DiscardOldest=True, Filter=chosen
    )
    return item


def _history() -> list[Any]:
    start, end = ua.get_win_epoch(), ua.win_epoch_to_datetime(2**62)
    raw = ua.ReadRawModifiedDetails(StartTime=start, EndTime=end, NumValuesPerNode=10, ReturnBounds=True)
    processed = ua.ReadProcessedDetails(StartTime=start, EndTime=end, ProcessingInterval=1000.0)
    processed.AggregateType = [ua.NodeId(Ids.AggregateFunction_Average)]
    events = ua.ReadEventDetails(NumValuesPerNode=5, StartTime=start, EndTime=end)
    events.Filter = _filters()[1]
    return [raw, processed, ua.ReadAtTimeDetails(ReqTimes=[start, end], UseSimpleBounds=True), events]


@cache
def wishes() -> tuple[tuple[str, Any], ...]:
    """Return valid parameters of every service, by name."""
    found: list[tuple[str, Any]] = [
        ("Read", ua.ReadParameters(NodesToRead=[ua.ReadValueId(node, attribute) for node in NODES]))
        for attribute in (1, 3, 4, 5, 12, 13, 14, 17, 24, 25, 26, 27)
    ]
    ranged = ua.ReadValueId(NODES[7], Attr.Value, IndexRange="0:1", DataEncoding=ua.QualifiedName("Default Binary", 0))
    found.append(("Read", ua.ReadParameters(NodesToRead=[ranged] * 3, TimestampsToReturn=2, MaxAge=5.0)))
    for value in _variants():
        wanted = [ua.WriteValue(node, Attr.Value, Value=ua.DataValue(value)) for node in NODES[-6:]]
        found.append(("Write", ua.WriteParameters(NodesToWrite=wanted)))
        for owner, method in METHODS:
            call = ua.CallMethodRequest(
                ua.NodeId(owner, 3), ua.NodeId(method, 3), [value, ua.Variant(1, ua.VariantType.UInt32)]
            )
            found.append(("Call", ua.CallParameters(MethodsToCall=[call])))
    for direction in (0, 1, 2):
        wanted = [ua.BrowseDescription(node, direction, ua.NodeId(Ids.References), True, 0, 63) for node in NODES]
        found.append(("Browse", ua.BrowseParameters(RequestedMaxReferencesPerNode=5, NodesToBrowse=wanted)))
    found.append(("BrowseNext", ua.BrowseNextParameters(ContinuationPoints=[b"p" * 16, b""])))
    steps = [
        ua.RelativePathElement(ua.NodeId(Ids.HierarchicalReferences), False, True, ua.QualifiedName("Server", 0))
    ] * 3
    path = ua.BrowsePath(ua.NodeId(Ids.ObjectsFolder), ua.RelativePath(steps))
    found.append(("TranslateBrowsePathsToNodeIds", ua.TranslateBrowsePathsToNodeIdsParameters(BrowsePaths=[path] * 3)))
    found.append(("RegisterNodes", ua.RegisterNodesParameters(NodesToRegister=list(NODES))))
    found.append(("CreateSubscription", ua.CreateSubscriptionParameters(100.0, 300, 10, 100, True, 1)))
    found.append(("ModifySubscription", ua.ModifySubscriptionParameters(1, 100.0, 300, 10, 100, 1)))
    for number in range(1, 4):
        found.append(("DeleteSubscriptions", ua.DeleteSubscriptionsParameters(SubscriptionIds=[number])))
        found.append(("SetPublishingMode", ua.SetPublishingModeParameters(True, [number])))
        found.append(("TransferSubscriptions", ua.TransferSubscriptionsParameters([number], True)))
        found.append(("Republish", ua.RepublishParameters(number, 1)))
        found.append(("SetMonitoringMode", ua.SetMonitoringModeParameters(number, 1, [1, 2, 3])))
        found.append(("DeleteMonitoredItems", ua.DeleteMonitoredItemsParameters(number, [1, 2, 3])))
        found.append(("SetTriggering", ua.SetTriggeringParameters(number, 1, [2, 3], [4])))
        for chosen in _filters():
            items = [_item(node, 12 if isinstance(chosen, ua.EventFilter) else 13, chosen) for node in NODES[:12]]
            found.append(("CreateMonitoredItems", ua.CreateMonitoredItemsParameters(number, 2, items)))
            change = ua.MonitoredItemModifyRequest(MonitoredItemId=1)
            change.RequestedParameters = items[0].RequestedParameters
            found.append(("ModifyMonitoredItems", ua.ModifyMonitoredItemsParameters(number, 2, [change])))
    for details in _history():
        wanted = [ua.HistoryReadValueId(NodeId=node) for node in NODES[4:8]]
        found.append(("HistoryRead", ua.HistoryReadParameters(details, ua.TimestampsToReturn.Both, False, wanted)))
    acks = [ua.SubscriptionAcknowledgement(1, 1), ua.SubscriptionAcknowledgement(2, 7)]
    found.append(("Publish", ua.PublishParameters(SubscriptionAcknowledgements=acks)))
    return tuple(found)


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return the same, encoded."""
    return tuple((name, params_of(params)) for name, params in wishes())


@cache
def handshakes() -> tuple[tuple[str, bytes], ...]:
    """Return valid parameters of what is asked before anybody has logged in."""
    application = ua.ApplicationDescription(ApplicationUri="urn:fuzz", DiscoveryUrls=["opc.tcp://x"])
    create = ua.CreateSessionParameters(ClientDescription=application, SessionName="fuzz", ClientNonce=b"n" * 32)
    activate = ua.ActivateSessionParameters(LocaleIds=["en", "de"])
    tokens = [
        ua.AnonymousIdentityToken(PolicyId="anonymous"),
        ua.UserNameIdentityToken(
            PolicyId="username", UserName="erika", Password=b"x" * 256, EncryptionAlgorithm="http://x"
        ),
        ua.X509IdentityToken(PolicyId="certificate", CertificateData=b"\x30\x82" + b"c" * 400),
        ua.IssuedIdentityToken(PolicyId="issued", TokenData=b"t" * 50),
    ]
    made = [("CreateSession", params_of(create))]
    for token in tokens:
        activate.UserIdentityToken = token
        made.append(("ActivateSession", params_of(activate)))
    made.append(("GetEndpoints", params_of(ua.GetEndpointsParameters("opc.tcp://127.0.0.1/cvd", ["en"], ["p"]))))
    made.append(("FindServers", params_of(ua.FindServersParameters("opc.tcp://127.0.0.1/cvd", ["en"], ["urn:x"]))))
    return tuple(made)


# --------------------------------------------------------------------------------------------------------- mutations


def _nested(levels: int) -> bytes:
    """Nest arrays of variants."""
    return (b"\x98" + pack("<i", 1)) * levels + b"\x01\x01"


def bombs() -> tuple[bytes, ...]:
    """Return what costs its sender little and a credulous reader much."""
    many = pack("<i", 2**31 - 1)
    return (
        b"\x80" + many,  # an array of nulls
        b"\xc6" + pack("<i", 0) + pack("<iii", 2, 1000, 1000),  # a matrix of a million elements that are not there
        b"\xc6" + pack("<ii", 1, 5) + pack("<i", 400) + pack("<i", 1) * 400,
        b"\x98" + pack("<i", 4000) + b"\x00" * 4000,
        _nested(50), _nested(99), _nested(101), _nested(5000),
        b"\x16" + (b"\x01\x00\x00" * 1),
        (b"\x17\x01" * 3000) + b"\x00",  # data values within data values
        b"\x40" * 5000 + b"\x00",  # diagnostics within diagnostics
        b"\x03" + pack("<Hi", 3, 60_000) + b"n" * 60_000,  # a giant node id
        b"\x8c" + many, b"\x95" + many, b"\x94" + pack("<i", -5),
        b"\x0c" + pack("<i", 4) + b"\xff\xfe\xfd\xfc",  # text that is none
        b"\x0b" + pack("<d", float("nan")), b"\x0d" + pack("<q", -(2**63)), b"\x0d" + pack("<q", 2**63 - 1),
    )  # fmt: skip


BOMBS = bombs()


_WAYS = (0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8)
"""Small changes are likelier: most of what is cut or pushed in ends in the decoder."""


def mutate(chance: random.Random, data: bytes, donors: Sequence[bytes]) -> bytes:
    """Change bytes in one to four ways."""
    body = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        at = chance.randrange(len(body) + 1)
        way = chance.choice(_WAYS)
        if way == 0 and body:
            body[at % len(body)] ^= 1 << chance.randrange(8)
        elif way == 1 and body:
            body[at % len(body)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif way == 2 and len(body) >= 4:
            pack_into("<I", body, min(at, len(body) - 4), chance.choice(NUMBERS) & 0xFFFFFFFF)
        elif way == 3:
            del body[at : at + chance.randrange(1, 32)]
        elif way == 4:
            body[at:at] = chance.randbytes(chance.randrange(1, 32))
        elif way == 5:
            body[at:at] = body[at : at + chance.randrange(1, 64)] * chance.randrange(1, 8)
        elif way == 6:
            donor = chance.choice(donors)
            start = chance.randrange(len(donor) + 1)
            body[at : at + chance.randrange(64)] = donor[start : start + chance.randrange(1, 200)]
        elif way == 7:
            body[at : at + chance.randrange(16)] = chance.choice(BOMBS)
        else:
            del body[at:]
    return bytes(body[:LARGEST])


TEXTS = ("", "x", "\x00", "../" * 9, "%s%n", "9" * 400, "0:1", "1:0", "0:4294967295", "ä" * 1000, "a" * 60_000, None)
MOMENTS = tuple(ua.win_epoch_to_datetime(at) for at in (0, 1, 133_000_000_000_000_000, 2**62, 2**63 - 1))


def _other(chance: random.Random, value: Any) -> Any:
    """Return another value of the same kind, an extreme one most likely."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return chance.choice((0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"), float("-inf"), 0.001, 49.9, 100.0))
    if isinstance(value, int):
        return chance.choice(list(type(value))) if isinstance(value, Enum) else chance.choice(NUMBERS)
    if value is None or isinstance(value, str):
        return chance.choice(TEXTS)
    if isinstance(value, bytes):
        return chance.choice((b"", b"x", b"y" * 5000, None))
    if isinstance(value, datetime):
        return chance.choice(MOMENTS)
    if isinstance(value, ua.NodeId):
        return chance.choice(
            (*NODES, ua.NodeId(), ua.NodeId("?" * 5000, 3), ua.NodeId(2**32 - 1, 65535), ua.NodeId(b"z", 1))
        )
    return value


def vary(chance: random.Random, value: Any, steps: int = 12) -> Any:
    """Return parameters with one value somewhere within them changed: they decode, and ask for something odd."""
    if isinstance(value, list):
        if not value or steps < 0 or chance.random() < 0.15:
            return (value * chance.choice((0, 2, 2, 20, 100)))[:1500]
        at = chance.randrange(len(value))
        return [*value[:at], vary(chance, value[at], steps - 1), *value[at + 1 :]]
    if is_dataclass(value) and not isinstance(value, ua.NodeId | ua.Variant) and steps > 0:
        names = [one.name for one in fields(value) if one.init]
        if names:
            made = copy(value)
            name = chance.choice(names)
            object.__setattr__(made, name, vary(chance, getattr(value, name), steps - 1))
            return made
    if isinstance(value, ua.Variant):
        return chance.choice(_variants())
    return _other(chance, value)


def odd(chance: random.Random, token: Any) -> bytes:
    """Make a request that decodes and asks for something odd; one that cannot be encoded is drawn again."""
    while True:
        name, params = chance.choice(wishes())
        for _ in range(chance.choice((1, 1, 2, 4))):
            params = vary(chance, params)
        try:
            made = type_id(f"{name}Request") + header(token) + params_of(params)
            if len(made) < LARGEST:
                return made
        except (ua.UaError, StructError, TypeError, AttributeError, ValueError, KeyError):
            continue


def request(chance: random.Random, chosen: Sequence[tuple[str, bytes]], token: Any) -> bytes:
    """Make a request with mutated parameters, or with another service's."""
    dice = chance.random()
    if dice < 0.5 and chosen is seeds():
        return odd(chance, token)
    name, params = chance.choice(chosen)
    if dice < 0.96:
        params = mutate(chance, params, [data for _, data in chosen])
    else:
        name = chance.choice((*chosen, *seeds()))[0]
    return type_id(f"{name}Request") + header(token) + params


def headed(chance: random.Random, chosen: Sequence[tuple[str, bytes]], token: Any) -> bytes:
    """Make a request with a mutated header; where nobody can be answered the connection is closed."""
    name, params = chance.choice(chosen)
    start, head = type_id(f"{name}Request"), header(token)
    if chance.random() < 0.7:
        return start + mutate(chance, head, BOMBS) + params
    return mutate(chance, start, BOMBS) + head + params


# ------------------------------------------------------------------------------------------------------------- attacks


class HangError(AssertionError):
    """The server has not answered in time what it always answers."""


@dataclass
class Tally:
    """What came of it."""

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    @property
    def total(self) -> int:
        """Messages that were sent."""
        return sum(self.sent.values())


@dataclass
class Fuzzer:
    """Sends mutated messages to a server.

    Attributes:
        port: of the server.
        seed: of everything.
        identity: of the client's application.
        certificate: of the server; None: attacks without security only.
        user: who sends commands; empty: nobody does.
        password: of the user.
    """

    port: int
    seed: int
    identity: Identity | None = None
    certificate: bytes | None = None
    user: str = ""
    password: str = ""
    tally: Tally = field(default_factory=Tally)
    _lines: dict[str, tuple[Line, int]] = field(default_factory=dict[str, tuple[Line, int]])
    _number: int = 0

    def run(
        self, count: int, each: Callable[[Tally], None] = lambda _: None, *, within_s: float = float("inf")
    ) -> Tally:
        """Send so many messages, or those that there is time for; `each` is called now and then."""
        end = time.monotonic() + within_s
        attacks: list[tuple[Callable[[], None], int]] = [
            (self._greetings, 2), (self._channels, 2), (self._chunks, 3), (self._before_login, 8), (self._requests, 45),
            (self._headers, 6),
        ]  # fmt: skip
        if self.certificate is not None:
            attacks += [(self._secure_channels, 1), (self._secure_chunks, 1)]
            attacks += [(self._commands, 20)] if self.user else []
        order = random.Random(self.seed)
        weights = [weight for _, weight in attacks]
        while self.tally.total < count and time.monotonic() < end:
            (attack,) = order.choices([one for one, _ in attacks], weights)
            began = time.monotonic()
            attack()
            self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - began)
            each(self.tally)
        for line, _ in self._lines.values():
            line.close()
        return self.tally

    def _chance(self, layer: str) -> random.Random:
        self._number += 1
        self.tally.sent[layer] += 1
        return random.Random(f"{self.seed}:{self._number}")

    def _line(self, *, secure: bool = False) -> Line:
        line = Line(self.port, self.identity if secure else None, self.certificate if secure else None)
        line.socket.settimeout(HANG_S)
        return line

    def _until_closed(self, line: Line) -> None:
        """Let the server see the end, and wait until it closes."""
        with contextlib.suppress(OSError):
            line.socket.shutdown(socket.SHUT_WR)
        try:
            self.tally.answers[line.refusal(HANG_S) or "closed"] += 1
        except TimeoutError:
            raise HangError("the connection stays open after its client has left") from None
        line.close()

    def _greetings(self) -> None:
        for _ in range(10):
            chance = self._chance("greeting")
            start = chance.choice(
                (hello(), hello(largest=100, chunks=1), frame(b"ACK", bytes(20)), frame(b"ERR", bytes(8)))
            )
            line = self._line()
            self._throw(line, mutate(chance, start, (start, *BOMBS)))
            self._until_closed(line)

    def _throw(self, line: Line, data: bytes) -> bool:
        try:
            line.send(data)
        except OSError:
            return False
        return True

    def _channels(self, *, secure: bool = False) -> None:
        for _ in range(10):
            chance = self._chance("secure channel" if secure else "channel")
            line = self._line(secure=secure)
            line.greet()
            body = line.opening(nonce=chance.randbytes(32))
            dice = chance.random()
            if dice < 0.4:
                made = line.chunk(mutate(chance, body, BOMBS), kind=b"OPN")
            elif dice < 0.6:
                made = line.chunk(body, kind=b"OPN", plain=lambda inner, c=chance: mutate(c, inner, BOMBS))
            else:
                made = line.chunk(body, kind=b"OPN", forged=lambda whole, c=chance: mutate(c, whole, BOMBS))
            self._throw(line, made)
            self._until_closed(line)

    def _secure_channels(self) -> None:
        self._channels(secure=True)

    def _chunks(self, *, secure: bool = False) -> None:
        """Mutate headers, sequence and chunking of messages on an open channel."""
        line = self._line(secure=secure)
        line.greet()
        line.open()
        for _ in range(10):
            chance = self._chance("secure chunk" if secure else "chunk")
            body = type_id("GetEndpointsRequest") + header() + handshakes()[-2][1]
            line.request += 1
            way = chance.randrange(7)
            options: dict[str, Any] = {}
            if way == 0:
                options["sequence"] = chance.choice(NUMBERS) & 0xFFFFFFFF
            elif way == 1:
                options["token"] = chance.choice(NUMBERS) & 0xFFFFFFFF
            elif way == 2:
                options["channel"] = chance.choice(NUMBERS) & 0xFFFFFFFF
            elif way == 3:
                options["final"] = chance.choice((b"C", b"A", b"F", b"X", b"\x00"))
            elif way == 4:
                options["kind"] = chance.choice((b"CLO", b"MSG", b"HEL", b"ACK", b"ERR"))
            elif way == 5:
                options["plain"] = lambda inner, c=chance: mutate(c, inner, BOMBS)
            else:
                options["forged"] = lambda whole, c=chance: mutate(c, whole, BOMBS)
            if not self._throw(line, line.chunk(body, **options)):
                break
        self._until_closed(line)

    def _secure_chunks(self) -> None:
        self._chunks(secure=True)

    def _before_login(self) -> None:
        secure = self.certificate is not None and self._number % 4 == 0
        line = self._line(secure=secure)
        line.greet()
        line.open()
        if self._number % 3 == 0 and not secure:
            line.create_session()
        self._batch(line, "handshake", handshakes())
        line.close()

    def _headers(self) -> None:
        line = self._line()
        line.log_in()
        chance = self._chance("header")
        line.send(line.message(headed(chance, seeds(), line.session)))
        self._until_closed(line)

    def _requests(self) -> None:
        self._session("request", "", secure=False)

    def _commands(self) -> None:
        self._session("command", self.user, secure=True)

    def _session(self, layer: str, user: str, *, secure: bool) -> None:
        line, used = self._lines.pop(layer, (None, 0))
        if line is None:
            line = self._line(secure=secure)
            try:
                line.log_in(user, self.password if user else "")
            except HangupError:
                self.tally.answers["no place"] += 1
                return
        if self._batch(line, layer, seeds()) and used + BATCH < SESSION_MESSAGES:
            self._lines[layer] = line, used + BATCH
        else:
            line.close()

    def _batch(self, line: Line, layer: str, chosen: Sequence[tuple[str, bytes]]) -> bool:
        """Send a batch and something that is always answered; tell whether the connection still lives."""
        last = type_id("GetEndpointsRequest") + header() + handshakes()[-2][1]
        made = [line.message(request(self._chance(layer), chosen, line.session)) for _ in range(BATCH)]
        made.append(line.message(last))
        wanted = line.request
        if not self._throw(line, b"".join(made)):
            return False
        try:
            while True:
                number, body = line.answer(HANG_S)
                if number == wanted:
                    return self._alive(body)
                self.tally.answers[_outcome(body)] += 1
        except HangupError as hangup:
            self.tally.answers[f"closed: {hangup.name}"] += 1
            return False
        except TimeoutError:
            raise HangError(f"no answer within {HANG_S:g} s after message {self._number} of seed {self.seed}") from None

    @staticmethod
    def _alive(body: bytes) -> bool:
        return len(body) > 4


def _outcome(body: bytes) -> str:
    """Name the status of an answer."""
    if unpack_from("<H", body, 2)[0] != int(Ids.ServiceFault_Encoding_DefaultBinary):
        return "answered"
    return str(ua.StatusCode(unpack_from("<I", body, 16)[0]).name)
