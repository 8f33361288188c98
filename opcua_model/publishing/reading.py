"""Read: values of tags out of the snapshot in one piece, whatever else is asked for beside them one by one.

A request is taken apart once and remembered: a client that polls sends the same bytes again and again. Runs of tags
are columns; other attributes are decoded, read and encoded in small portions, so that a client that reads ten thousand
of them holds nobody up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.decoding import Reader, decode
from opcua_model.publishing.encoding import STAMPS, Columns, counted, data_values
from opcua_model.publishing.source import Source
from opcua_model.stack import Attr, binary, fault, ua

PORTION: Final = 100
"""Attributes that are read one by one before others have a turn: a few milliseconds."""
PLANS: Final = 64
PLAN_BYTES: Final = 1_000_000
"""A longer request is not remembered."""
_HEAD: Final = Struct("<dii")  # MaxAge, TimestampsToReturn, number of NodesToRead (Part 4, 5.10.2)
_STRING_ID: Final = 3
_ID_HEAD: Final = Struct("<BHi")  # encoding, namespace, length (Part 6, 5.2.2.9)
# AttributeId Value, no IndexRange, no DataEncoding: what follows the NodeId of nearly every value that is read. A null
# string and an empty one are the same (Part 6, 5.1.6).
_PLAIN: Final = frozenset(
    Struct("<IiHi").pack(int(Attr.Value), none, 0, nobody) for none in (-1, 0) for nobody in (-1, 0)
)
_TAIL: Final = 14

ReadOne = Callable[[Any, int], Any]
"""Reads one attribute: a ReadValueId and TimestampsToReturn in, a DataValue out."""


@dataclass(frozen=True)
class Plan:
    """A request taken apart."""

    stamps: int
    """TimestampsToReturn."""
    count: int
    parts: tuple[NDArray[np.int64] | tuple[Any, ...], ...]
    """In order: columns of the snapshot, or ReadValueIds."""


class Reads:
    """Takes read requests apart and answers them."""

    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._columns = _encoded_ids(source.tags)
        self._plans: OrderedDict[bytes, Plan] = OrderedDict()

    async def answer(self, reader: Reader, read_one: ReadOne, *, singly: bool = False) -> bytes:
        """Answer the parameters of a Read: the encoded array of DataValues.

        Args:
            reader: stands at the parameters.
            read_one: reads what is no column.
            singly: nothing is a column: the session may not see all tags.

        Raises:
            ServiceError: the request as a whole is refused.
        """
        plan = await (self._take_apart(reader.take(reader.end - reader.at), {}) if singly else self._plan(reader))
        parts: list[bytes] = []
        for part in plan.parts:
            if isinstance(part, tuple):
                parts += await self._one_by_one(part, plan.stamps, read_one)
            else:
                parts.append(self._columns_of(part, plan.stamps))
        return counted(plan.count, b"".join(parts))

    def _columns_of(self, indices: NDArray[np.int64], stamps: int) -> bytes:
        now, kinds = self._source.snapshot.now(), self._source.snapshot.kinds
        return data_values(
            Columns(
                now.values[indices],
                now.status[indices],
                now.source_ns[indices],
                now.time_ns,
                kinds[indices],
                STAMPS[stamps],
            )
        )

    @staticmethod
    async def _one_by_one(wanted: tuple[Any, ...], stamps: int, read_one: ReadOne) -> list[bytes]:
        parts: list[bytes] = []
        for number, one in enumerate(wanted):
            if number % PORTION == PORTION - 1:
                await asyncio.sleep(0)
            parts.append(bytes(binary.struct_to_binary(read_one(one, stamps))))
        return parts

    async def _plan(self, reader: Reader) -> Plan:
        body = reader.take(reader.end - reader.at)
        known = self._plans.get(body)
        if known is not None:
            self._plans.move_to_end(body)
            return known
        plan = await self._take_apart(body, self._columns)
        if len(body) <= PLAN_BYTES:
            self._plans[body] = plan
            if len(self._plans) > PLANS:
                self._plans.popitem(last=False)
        return plan

    async def _take_apart(self, body: bytes, columns: Mapping[bytes, int]) -> Plan:
        if len(body) < _HEAD.size:
            raise fault("BadDecodingError")
        age, stamps, count = _HEAD.unpack_from(body)
        if not age >= 0:
            raise fault("BadMaxAgeInvalid")
        if stamps not in STAMPS:
            raise fault("BadTimestampsToReturnInvalid")
        if count <= 0:
            raise fault("BadNothingToDo")
        if count > self._limit:
            raise fault("BadTooManyOperations")
        parts: list[NDArray[np.int64] | tuple[Any, ...]] = []
        run: list[int] = []
        others: list[Any] = []
        at = _HEAD.size
        for number in range(count):
            end = at + _ID_HEAD.size
            if end <= len(body) and body[at] == _STRING_ID:
                end += max(int.from_bytes(body[at + 3 : end], "little", signed=True), 0)
            column = columns.get(body[at:end])
            if column is not None and body[end : end + _TAIL] in _PLAIN:
                if others:
                    parts.append(tuple(others))
                    others = []
                run.append(column)
                at = end + _TAIL
                continue
            if run:
                parts.append(np.array(run, np.int64))
                run = []
            if number % PORTION == PORTION - 1:
                await asyncio.sleep(0)
            reader = Reader(body)
            reader.at = at
            others.append(decode(ua.ReadValueId, reader))
            at = reader.at
        if run:
            parts.append(np.array(run, np.int64))
        if others:
            parts.append(tuple(others))
        return Plan(int(stamps), int(count), tuple(parts))


def _encoded_ids(tags: Mapping[Any, int]) -> dict[bytes, int]:
    """Columns by the bytes of their NodeIds, as everybody encodes a string identifier."""
    found: dict[bytes, int] = {}
    for node, index in tags.items():
        name = str(node.Identifier).encode()
        found[_ID_HEAD.pack(_STRING_ID, node.NamespaceIndex, len(name)) + name] = index
    return found
