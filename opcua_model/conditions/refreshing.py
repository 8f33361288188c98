"""ConditionRefresh and ConditionRefresh2: a client that has just come asks for all conditions as they are."""

from typing import Any, Final

from opcua_model.conditions.nodes import Conditions
from opcua_model.eventing.items import EventItem
from opcua_model.interface import Refused
from opcua_model.stack import Ids, status, ua

_ONE: Final = int(Ids.ConditionType_ConditionRefresh2)
_METHODS: Final = {int(Ids.ConditionType_ConditionRefresh): 1, _ONE: 2}
_OBJECT: Final = int(Ids.ConditionType)


def is_refresh(request: Any) -> bool:
    """Whether a call asks for a refresh."""
    return request.MethodId.NamespaceIndex == 0 and request.MethodId.Identifier in _METHODS


def refresh(conditions: Conditions, owned: list[Any], request: Any) -> tuple[Any, Refused | None, str]:
    """Tell the items of a subscription, or one of them, all conditions; `owned` are those of the session."""
    result = ua.CallMethodResult()
    target = "ConditionType/ConditionRefresh" + ("2" if request.MethodId.Identifier == _ONE else "")
    try:
        conditions.refresh(_listening(owned, request, result))
    except Refused as refused:
        result.StatusCode = status(refused.status)
        return result, refused, target
    return result, None, target


def _listening(owned: list[Any], request: Any, result: Any) -> list[EventItem]:
    if request.ObjectId != ua.NodeId(_OBJECT):
        raise Refused("BadMethodInvalid", "a refresh is asked of the node ConditionType")
    given = list(request.InputArguments or ())
    wanted = _METHODS[request.MethodId.Identifier]
    if len(given) != wanted:
        few = len(given) < wanted
        raise Refused("BadArgumentsMissing" if few else "BadTooManyArguments", f"a refresh takes {wanted} numbers")
    numbers: list[int] = []
    for one in given:
        good = one.VariantType == ua.VariantType.UInt32
        result.InputArgumentResults.append(ua.StatusCode() if good else status("BadTypeMismatch"))
        if good:
            numbers.append(int(one.Value))
    if len(numbers) < wanted:
        raise Refused("BadInvalidArgument", "subscription and monitored item are numbers (UInt32)")
    result.InputArgumentResults = []
    subscription = next((one for one in owned if one.data.SubscriptionId == numbers[0]), None)
    if subscription is None:
        raise Refused("BadSubscriptionIdInvalid", f"this session has no subscription {numbers[0]}")
    known: dict[int, Any] = subscription.monitored_item_srv._monitored_items  # noqa: SLF001 - where its items are
    if wanted == 1:
        return [item for item in known.values() if isinstance(item, EventItem)]
    item = known.get(numbers[1])
    if not isinstance(item, EventItem):
        raise Refused("BadMonitoredItemIdInvalid", f"the subscription has no event item {numbers[1]}")
    return [item]
