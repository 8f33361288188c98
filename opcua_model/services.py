"""Services of an open session: how each is decoded, what carries it out, and what its answer looks like."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from opcua_model.session import Session
from opcua_model.stack import Ids, ua


@dataclass(frozen=True)
class Request:
    """A decoded request with what a service may need beside its parameters."""

    params: Any
    session: Session
    diagnostics: int
    """ReturnDiagnostics of its header."""
    processor: Any
    """Where notifications of its subscriptions go."""


Service = Callable[[Request], Awaitable[Any]]


async def _write(request: Request) -> Any:
    results, refusals = await request.session.write_all(request.params)
    words = await request.session.explain(refusals, request.diagnostics)
    return ua.WriteResponse(Results=results, DiagnosticInfos=words)


async def _call(request: Request) -> Any:
    results, refusals = await request.session.call_all(request.params)
    words = await request.session.explain(refusals, request.diagnostics)
    return ua.CallResponse(Results=results, DiagnosticInfos=words)


async def _history_read(request: Request) -> Any:
    return ua.HistoryReadResponse(Results=await request.session.history_read(request.params))


async def _browse(request: Request) -> Any:
    return ua.BrowseResponse(Results=await request.session.browse(request.params))


async def _browse_next(request: Request) -> Any:
    response = ua.BrowseNextResponse()
    response.Parameters.Results = await request.session.browse_next(request.params)
    return response


async def _translate(request: Request) -> Any:
    found = await request.session.translate_browsepaths_to_nodeids(request.params.BrowsePaths)
    return ua.TranslateBrowsePathsToNodeIdsResponse(Results=found)


async def _register(request: Request) -> Any:
    response = ua.RegisterNodesResponse()
    response.Parameters.RegisteredNodeIds = request.session.register(request.params.NodesToRegister)
    return response


async def _unregister(_request: Request) -> Any:
    return ua.UnregisterNodesResponse()


async def _cancel(request: Request) -> Any:
    response = ua.CancelResponse()
    response.Parameters.CancelCount = request.session.cancel(request.params.RequestHandle, request.processor)
    return response


async def _create_subscription(request: Request) -> Any:
    processor = request.processor
    result = await request.session.create_subscription(
        request.params, processor.forward_publish_response, request_callback=processor.get_publish_request
    )
    return ua.CreateSubscriptionResponse(Parameters=result)


async def _modify_subscription(request: Request) -> Any:
    return ua.ModifySubscriptionResponse(Parameters=request.session.modify_subscription(request.params))


async def _delete_subscriptions(request: Request) -> Any:
    return ua.DeleteSubscriptionsResponse(Results=await request.session.delete_asked(request.params.SubscriptionIds))


async def _transfer(request: Request) -> Any:
    processor = request.processor
    response = ua.TransferSubscriptionsResponse()
    response.Parameters.Results = await request.session.take_over(
        request.params, processor.forward_publish_response, processor.get_publish_request
    )
    return response


async def _republish(request: Request) -> Any:
    return ua.RepublishResponse(NotificationMessage=request.session.republish(request.params))


async def _set_publishing_mode(request: Request) -> Any:
    response = ua.SetPublishingModeResponse()
    response.Parameters.Results = await request.session.set_publishing_mode(request.params)
    return response


async def _create_items(request: Request) -> Any:
    return ua.CreateMonitoredItemsResponse(Results=await request.session.create_monitored_items(request.params))


async def _modify_items(request: Request) -> Any:
    return ua.ModifyMonitoredItemsResponse(Results=await request.session.modify_monitored_items(request.params))


async def _delete_items(request: Request) -> Any:
    return ua.DeleteMonitoredItemsResponse(Results=await request.session.delete_monitored_items(request.params))


async def _set_monitoring_mode(request: Request) -> Any:
    response = ua.SetMonitoringModeResponse()
    response.Parameters.Results = await request.session.set_monitoring_mode(request.params)
    return response


async def _set_triggering(request: Request) -> Any:
    response = ua.SetTriggeringResponse()
    response.Parameters.AddResults, response.Parameters.RemoveResults = request.session.set_triggering(request.params)
    return response


def _number(name: str) -> int:
    return int(getattr(Ids, f"{name}Request_Encoding_DefaultBinary"))


SERVICES: Final[dict[int, tuple[Any, Service]]] = {
    _number(name): (getattr(ua, f"{name}Parameters"), service)
    for name, service in (
        ("Write", _write),
        ("Call", _call),
        ("HistoryRead", _history_read),
        ("Browse", _browse),
        ("BrowseNext", _browse_next),
        ("TranslateBrowsePathsToNodeIds", _translate),
        ("RegisterNodes", _register),
        ("UnregisterNodes", _unregister),
        ("Cancel", _cancel),
        ("CreateSubscription", _create_subscription),
        ("ModifySubscription", _modify_subscription),
        ("DeleteSubscriptions", _delete_subscriptions),
        ("TransferSubscriptions", _transfer),
        ("Republish", _republish),
        ("SetPublishingMode", _set_publishing_mode),
        ("CreateMonitoredItems", _create_items),
        ("ModifyMonitoredItems", _modify_items),
        ("DeleteMonitoredItems", _delete_items),
        ("SetMonitoringMode", _set_monitoring_mode),
        ("SetTriggering", _set_triggering),
    )
}
"""By the number of the request: its parameters and what carries it out. Publish and Read have paths of their own."""
