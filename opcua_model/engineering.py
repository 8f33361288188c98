"""Units as OPC UA says them: EUInformation, with UN/ECE codes where there is one (Part 8, 5.6.4.3)."""

from typing import Any

from config.units import NAMESPACE, Unit, unit_id
from opcua_model.stack import ua


def engineering_units(unit: Unit) -> Any:
    """The variant of a property EngineeringUnits."""
    return information(unit_id(unit), unit.symbol, unit.name)


def information(number: int, symbol: str, words: str) -> Any:
    """The variant of an EUInformation."""
    said = ua.EUInformation()
    said.NamespaceUri = NAMESPACE
    said.UnitId = number
    said.DisplayName = ua.LocalizedText(symbol)
    said.Description = ua.LocalizedText(words)
    return ua.Variant(said, ua.VariantType.ExtensionObject)
