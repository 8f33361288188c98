"""The door to asyncua: every name of that library which this room uses, in one place.

asyncua ships annotations that a strict type checker cannot follow, and private names of its server are used here (its
version is pinned for that reason, docs/decisions/0003). So its names enter as `Any`, and what leaves the room is
typed again: settings, the client, the server.
"""

from typing import Any

from asyncua import ua as _ua
from asyncua.client import client, ua_client
from asyncua.common import connection, events, utils
from asyncua.crypto import security_policies, uacrypto
from asyncua.server import (
    address_space,
    binary_server_asyncio,
    internal_server,
    internal_session,
    internal_subscription,
    monitored_item_service,
    server,
    subscription_service,
    uaprocessor,
)
from asyncua.ua import ua_binary, uaerrors, uaprotocol_auto

ua: Any = _ua
StatusCodes: Any = ua.StatusCodes
Ids: Any = ua.ObjectIds
Attr: Any = ua.AttributeIds

# What the decoder makes; `ua.DataChangeFilter` is a subclass of it, for clients.
DataChangeFilter: Any = uaprotocol_auto.DataChangeFilter

Client: Any = client.Client
Server: Any = server.Server
UaClient: Any = ua_client.UaClient

# Classes that ours extend; stack.pyi tells a type checker what it needs to know of them.
InternalServer = internal_server.InternalServer
InternalSession = internal_session.InternalSession
UaProcessor = uaprocessor.UaProcessor
SecureConnection = connection.SecureConnection
OpcuaProtocol = binary_server_asyncio.OPCUAProtocol
BinaryServer = binary_server_asyncio.BinaryServer
SubscriptionService = subscription_service.SubscriptionService
InternalSubscription = internal_subscription.InternalSubscription
MonitoredItemService = monitored_item_service.MonitoredItemService
WhereClauseEvaluator = monitored_item_service.WhereClauseEvaluator
SessionState: Any = internal_session.SessionState

AttributeValue: Any = address_space.AttributeValue
NodeData: Any = address_space.NodeData
Event: Any = events.Event

PublishRequestData: Any = uaprocessor.PublishRequestData
TransportLimits: Any = connection.TransportLimits
Buffer = utils.Buffer
ServiceError: Any = utils.ServiceError
create_nonce: Any = utils.create_nonce
policies: Any = security_policies
crypto: Any = uacrypto
errors: Any = uaerrors
binary: Any = ua_binary


def code(name: str) -> int:
    """Return the number of a symbolic status code; an unknown name is a fault of ours and says so to the client."""
    return int(getattr(StatusCodes, name, StatusCodes.BadInternalError))


def status(name: str) -> Any:
    """Make a status code from its symbolic name."""
    return ua.StatusCode(code(name))


def symbol(number: int) -> str:
    """Return the symbolic name of a status code."""
    return str(ua.StatusCode(number).name)


def fault(name: str) -> Exception:
    """Make the exception that answers a whole request with a status code."""
    return ServiceError(code(name))
