"""Monitored items on events: how one is made, and which events pass its filter."""

from typing import Any

from opcua_model.stack import Ids, WhereClauseEvaluator, ua


class EventWhere(WhereClauseEvaluator):
    """Where clauses whose OfType takes subtypes too (Part 4, 7.7.3)."""

    def _eval_el(self, index: int, event: Any) -> Any:
        element = self.elements[index]
        if element.FilterOperator != ua.FilterOperator.OfType:
            return super()._eval_el(index, event)
        wanted = self._eval_op(element.FilterOperands[0], event)
        kind = event.EventType
        while kind is not None:
            if kind == wanted:
                return True
            kind = next(
                (
                    ref.NodeId
                    for ref in self._aspace[kind].references
                    if not ref.IsForward and ref.ReferenceTypeId.Identifier == Ids.HasSubtype
                ),
                None,
            )
        return False


def create_event_item(service: Any, item: Any) -> Any:
    """Create a monitored item on the events of a node in a subscription's service; return its result."""
    wanted = item.RequestedParameters.Filter
    if not isinstance(wanted, ua.EventFilter):
        return ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadEventFilterInvalid))
    result = service._create_events_monitored_item(item)  # noqa: SLF001 - asyncua's own
    data = service._monitored_items.get(result.MonitoredItemId)  # noqa: SLF001 - the same
    if data is not None:
        data.where_clause_evaluator = EventWhere(service.logger, service.aspace, wanted.WhereClause)
    return result
