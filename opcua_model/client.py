"""A client for one tool, by the names of the contract: what `cvd demo`, tests and the documentation use.

```python
async with connect("opc.tcp://127.0.0.1:4840/cvd", "erika", password) as tool:
    recipe_id, version = await tool.call("Recipes", "AddRecipe", document)
    pressure = await tool.read("Telemetry/chamber_pressure_torr")
```
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import anyio
import anyio.to_thread
from cryptography import x509

from opcua_model.certificates import CLIENT_DAYS, Identity, make_identity
from opcua_model.methods import method_at
from opcua_model.space import WRITE, variant, variant_type
from opcua_model.stack import Attr, Client, binary, code, errors, policies, symbol, ua
from opcua_model.types import TOOL_NAMESPACE

TIMEOUT_S: Final = 30.0  # preflight of a long recipe is a request like any other
WATCHDOG_S: Final = 10.0  # a busy computer is no dead server
CLIENT_URI: Final = "urn:cvd-supervisor:client"
SUBSCRIBE_AT_ONCE: Final = 500
DIAGNOSTICS: Final = 0x03FF
"""Every word about a request that the server has (Part 4, 7.33)."""

Callback = Callable[[str, Any, bool], None]
"""Called with path, value and whether its quality is good; the value is None when it is Bad."""


class ClientError(Exception):
    """The server refused: `status` is its symbolic status code, `reason` its words, empty when it gave none."""

    def __init__(self, status: str, reason: str, what: str) -> None:
        super().__init__(f"{what}: {status}{': ' if reason else ''}{reason}")
        self.status = status
        self.reason = reason


class UnreachableError(ClientError, ConnectionError):
    """There is no server, or it did not let this client in."""


@cache
def _throwaway() -> Identity:
    """The certificate of this process; nobody keeps it."""
    return make_identity(CLIENT_URI, "cvd client", ("localhost",), days=CLIENT_DAYS, server=False)


@asynccontextmanager
async def connect(
    endpoint: str, user: str = "", password: str = "", *, timeout_s: float = TIMEOUT_S
) -> AsyncGenerator["ToolClient"]:
    """Log in over a signed and encrypted channel; without a user as an anonymous observer.

    Raises:
        UnreachableError: there is no server, or it refused the login.
    """
    client = Client(endpoint, timeout=timeout_s, watchdog_intervall=WATCHDOG_S)
    client.application_uri, client.name = CLIENT_URI, "cvd client"
    client.session_timeout = 60_000
    identity = await anyio.to_thread.run_sync(_throwaway)
    if user:
        client.set_user(user)
        client.set_password(password)
    try:
        await _secure(client, identity)
        await client.connect()
    except errors.UaStatusCodeError as error:
        raise UnreachableError(symbol(int(error.code)), "", f"login at {endpoint}") from error
    except (OSError, TimeoutError, errors.UaError) as error:
        raise UnreachableError("BadConnectionRejected", str(error) or type(error).__name__, endpoint) from error
    try:
        yield await ToolClient.of(client)
    finally:
        with anyio.CancelScope(shield=True):
            await client.disconnect()


async def _secure(client: Any, identity: Identity) -> None:
    policy, mode = policies.SecurityPolicyBasic256Sha256, ua.MessageSecurityMode.SignAndEncrypt
    endpoints = await client.connect_and_get_server_endpoints()
    offered = next((one for one in endpoints if one.SecurityPolicyUri == policy.URI and one.SecurityMode == mode), None)
    if offered is None:
        raise UnreachableError(
            "BadSecurityPolicyRejected", "it offers no encrypted endpoint", str(client.server_url.netloc)
        )
    peer = x509.load_der_x509_certificate(offered.ServerCertificate)
    client.security_policy = policy(peer, identity.certificate, identity.key, mode)
    client.uaclient.set_security(client.security_policy)


class ToolClient:
    """One tool, addressed by paths below its object (`Runs/ActiveRun/State`)."""

    def __init__(self, client: Any, namespace: int, tool: str) -> None:
        self._client = client
        self._namespace = namespace
        self.tool = tool
        """Name of the tool."""

    @classmethod
    async def of(cls, client: Any) -> "ToolClient":
        """Find the tool that the server of a connected asyncua client shows."""
        for index, uri in enumerate(await client.get_namespace_array()):
            if uri.startswith(TOOL_NAMESPACE):
                return cls(client, index, uri.removeprefix(TOOL_NAMESPACE))
        raise UnreachableError("BadNotFound", "it shows no tool", str(client.server_url.geturl()))

    def node(self, path: str) -> Any:
        """NodeId of what stands at a path; the tool object itself is `.`."""
        return ua.NodeId(path, self._namespace)

    async def call(self, path: str, method: str, *arguments: Any) -> Any:
        """Call a method: nothing, its one output, or a list of its outputs.

        Raises:
            ClientError: it was refused; status and reason say why.
        """
        what = f"{path}/{method}"
        declared = method_at(path, method)
        types = () if declared is None else tuple(argument.type for argument in declared.inputs)
        request = ua.CallRequest()
        request.RequestHeader.ReturnDiagnostics = DIAGNOSTICS
        one = ua.CallMethodRequest(ObjectId=self.node(path), MethodId=self.node(what))
        if declared is not None and declared.standard:
            one.MethodId = ua.NodeId(declared.standard)
        one.InputArguments = [
            variant(value, types[index]) if index < len(types) else ua.Variant(value)
            for index, value in enumerate(arguments)
        ]
        request.Parameters.MethodsToCall = [one]
        response = await self._ask(request, ua.CallResponse, what)
        result = response.Results[0]
        self._check(result.StatusCode, response.DiagnosticInfos, what)
        outputs = [output.Value for output in result.OutputArguments or ()]
        return outputs if len(outputs) > 1 else outputs[0] if outputs else None

    async def read(self, path: str) -> Any:
        """Read a value.

        Raises:
            ClientError: there is no such value, or its quality is Bad.
        """
        value, status = (await self.read_all([path]))[path]
        if status & 0x80000000:
            raise ClientError(symbol(status), "", path)
        return value

    async def read_all(self, paths: Sequence[str]) -> dict[str, tuple[Any, int]]:
        """Read values with their status codes; a Bad one has the value None."""
        return await self._read_all(paths, Attr.Value)

    async def movable(self, paths: Sequence[str]) -> set[str]:
        """Find those of some paths whose value this session may write."""
        found = await self._read_all(paths, Attr.UserAccessLevel)
        return {path for path, (level, _) in found.items() if level is not None and int(level) & WRITE}

    async def _read_all(self, paths: Sequence[str], attribute: Any) -> dict[str, tuple[Any, int]]:
        found: dict[str, tuple[Any, int]] = {}
        for start in range(0, len(paths), SUBSCRIBE_AT_ONCE):
            some = paths[start : start + SUBSCRIBE_AT_ONCE]
            request = ua.ReadRequest()
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
            request.Parameters.NodesToRead = [
                ua.ReadValueId(NodeId=self.node(path), AttributeId=attribute) for path in some
            ]
            response = await self._ask(request, ua.ReadResponse, "read")
            for path, data in zip(some, response.Results, strict=True):
                found[path] = _value(data)
        return found

    async def write(self, path: str, value: float | bool) -> None:
        """Move a set point by hand.

        Raises:
            ClientError: it was refused; status and reason say why.
        """
        data_type = (await self._attribute(path, Attr.DataType)).Identifier
        name = {1: "Boolean", 7: "UInt32"}.get(data_type, "Double")
        fit = {"Boolean": bool, "UInt32": int, "Double": float}[name]
        request = ua.WriteRequest()
        request.RequestHeader.ReturnDiagnostics = DIAGNOSTICS
        one = ua.WriteValue(NodeId=self.node(path), AttributeId=Attr.Value)
        one.Value = ua.DataValue(ua.Variant(fit(value), variant_type(name)))
        request.Parameters.NodesToWrite = [one]
        response = await self._ask(request, ua.WriteResponse, path)
        self._check(response.Results[0], response.DiagnosticInfos, path)

    async def children(self, path: str = ".") -> list[str]:
        """Names of what stands below an object."""
        node = self._client.get_node(self.node(path))
        found = await node.get_references(
            refs=ua.ObjectIds.HierarchicalReferences, direction=ua.BrowseDirection.Forward
        )
        return list(dict.fromkeys(str(reference.BrowseName.Name) for reference in found))

    @asynccontextmanager
    async def subscribe(self, paths: Sequence[str], interval_ms: float, callback: Callback) -> AsyncGenerator[None]:
        """Follow values: `callback(path, value, good)` at once and with every change, until the block is left.

        Raises:
            ClientError: one of the paths cannot be followed.
        """
        handles: dict[int, str] = dict(enumerate(paths, start=1))

        async def publish(result: Any) -> None:
            for note in result.NotificationMessage.NotificationData or ():
                for item in getattr(note, "MonitoredItems", ()) or ():
                    value, status = _value(item.Value)
                    callback(handles[item.ClientHandle], value, not status >> 30)

        params = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval_ms,
            RequestedLifetimeCount=3000,
            RequestedMaxKeepAliveCount=max(1, int(5000 / interval_ms)),
            PublishingEnabled=True,
        )
        number = (await self._client.uaclient.create_subscription(params, publish)).SubscriptionId
        try:
            await self._monitor(number, handles)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self._client.uaclient.delete_subscriptions([number])

    async def _monitor(self, number: int, handles: Mapping[int, str]) -> None:
        entries = list(handles.items())
        for start in range(0, len(entries), SUBSCRIBE_AT_ONCE):
            some = entries[start : start + SUBSCRIBE_AT_ONCE]
            params = ua.CreateMonitoredItemsParameters(SubscriptionId=number)
            params.TimestampsToReturn = ua.TimestampsToReturn.Both
            for handle, path in some:
                item = ua.MonitoredItemCreateRequest()
                item.ItemToMonitor = ua.ReadValueId(NodeId=self.node(path), AttributeId=Attr.Value)
                item.MonitoringMode = ua.MonitoringMode.Reporting
                item.RequestedParameters = ua.MonitoringParameters(
                    ClientHandle=handle, SamplingInterval=-1.0, QueueSize=1, DiscardOldest=True
                )
                params.ItemsToCreate.append(item)
            results = await self._client.uaclient.create_monitored_items(params)
            for (_, path), result in zip(some, results, strict=True):
                self._check(result.StatusCode, (), path)

    async def _attribute(self, path: str, attribute: Any) -> Any:
        data = await self._client.get_node(self.node(path)).read_attribute(attribute, raise_on_bad_status=False)
        self._check(data.StatusCode, (), path)
        return data.Value.Value

    async def _ask(self, request: Any, answer: Any, what: str) -> Any:
        try:
            body = await self._client.uaclient.session._send_request(request)  # noqa: SLF001 - no service call takes a header
        except errors.UaStatusCodeError as error:
            raise ClientError(symbol(int(error.code)), "", what) from error
        return binary.struct_from_binary(answer, body)

    @staticmethod
    def _check(status: Any, diagnostics: Any, what: str) -> None:
        if status.value & code("Bad"):
            words = next((str(one.AdditionalInfo) for one in diagnostics or () if one.AdditionalInfo), "")
            raise ClientError(str(status.name), words, what)


def _value(data: Any) -> tuple[Any, int]:
    """Value and status code of a DataValue."""
    status = 0 if data.StatusCode is None else int(data.StatusCode.value)
    value = None if data.Value is None or status & 0x80000000 else data.Value.Value
    return value, status
