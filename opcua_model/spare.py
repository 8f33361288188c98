"""Memory that asyncua's standard address space takes and nobody needs: a third of a small tool's server.

Its six thousand nodes are made by a megabyte of generated functions, which stay loaded, and each node and reference
has names and ids of its own, though most are the same. A daemon that runs for months forgets the functions and lets
equal values be one, before it makes the nodes of its tool in the place that becomes free.
"""

import ctypes
import gc
import sys
from typing import Any

from opcua_model.stack import Attr, ua

_GENERATED = "asyncua.server.standard_address_space"
_REFERENCE = ("ReferenceTypeId", "NodeId", "TypeDefinition", "BrowseName", "DisplayName")
# Attributes that nobody changes in place; access and event bits are changed so by asyncua.
_FIXED = tuple(
    getattr(Attr, name)
    for name in (
        "NodeId",
        "NodeClass",
        "BrowseName",
        "DisplayName",
        "Description",
        "DataType",
        "ValueRank",
        "ArrayDimensions",
        "IsAbstract",
        "MinimumSamplingInterval",
    )
)


def spare(aspace: Any) -> None:
    """Forget the generated functions and share equal values of all nodes that there are (half a second)."""
    for name in [name for name in sys.modules if name.startswith(_GENERATED)]:
        del sys.modules[name]
    vars(sys.modules["asyncua.server"]).pop(_GENERATED.rpartition(".")[2], None)
    pool: dict[Any, Any] = {}
    for node in list(aspace._nodes.values()):  # noqa: SLF001 - there is no other way to all of them
        for reference in node.references:
            for field in _REFERENCE:
                value = getattr(reference, field)
                key = _key(value)
                if key is not None:
                    setattr(reference, field, pool.setdefault((type(value), key), value))
        for attribute in _FIXED:
            there = node.attributes.get(attribute)
            if there is None or there.value is None or there.value.Value is None or there.value_callback is not None:
                continue
            variant = there.value.Value
            key = _key(variant.Value)
            if key is not None:
                # Whole cells: they outnumber the values.
                node.attributes[attribute] = pool.setdefault((variant.VariantType, type(variant.Value), key), there)
    pool.clear()
    gc.collect()


def give_back() -> None:
    """Hand memory that was freed on the way back to the system, where the C library can (glibc's malloc_trim)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _key(value: Any) -> Any:
    """What makes a value equal to another; None for one that is left alone."""
    if isinstance(value, ua.QualifiedName):
        return (value.NamespaceIndex, value.Name)
    if isinstance(value, ua.LocalizedText):
        return (value.Locale, value.Text)
    if isinstance(value, (ua.NodeId, int, str)):
        return value
    return None
