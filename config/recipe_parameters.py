"""Parameters of a recipe: what they are, the values of one run, and the words of the document in which they stand.

A document with parameters and the values of a run come in; the same document with plain numbers goes out, each
parameter with the value that was used. Wherever a number of a recipe may stand, a text is an expression over the
parameters, in the unit of the word (`"duration_s": "thickness / rate"`). Conditions over tags (`until`, `limits` …)
may name parameters too. A condition over parameters only (`when`) is decided here; nothing of it reaches the tool.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, cast

from pydantic import Field, model_validator

from config.base import Model, Name, Text
from config.expression import ExpressionError, Symbol, evaluate, names, parse, read_boolean, read_quantity, to_text
from config.expression import Node as Tree
from config.expression.tree import Arithmetic, Call, Comparison, Logical, Negate, Not, Number, Vote
from config.expression.tree import Name as Named
from config.faults import ConfigError, Fault, join, suggestion
from config.text import kind_of
from config.units import UnitError, find_unit
from config.validation import validate

Value = float | int | bool


@dataclass(frozen=True)
class Chosen:
    """A value that nobody gave: what chose it is recorded."""

    value: Value
    basis: str


Values = Mapping[str, Value] | Mapping[str, Value | Chosen]

_UNITS = {
    "s": ("duration_s", "timeout_s", "pulse_s", "purge_s", "pumpdown_time_s", "after_s"),
    "Torr": ("target_pressure_torr", "process_pressure_torr", "base_pressure_torr"),
    "°C": ("target_temp_c", "temp_c", "setpoint", "temperature_c"),
    "K/min": ("ramp_rate",),
    "W": ("plasma_power_w", "rf_power_w", "reflected_limit_w", "power_w"),
    "V": ("dc_bias_v",),
    "A": ("current_a",),
    "MHz": ("frequency_mhz",),
    "Hz": ("pulse_frequency_hz", "repetition_hz"),
    "sccm": ("flow_sccm",),
    "%": ("pressure_pct", "flow_pct", "power_pct", "uniformity_target_pct"),
    "nm": ("thickness_target_nm", "thickness_nm", "wavelength_nm"),
    "1": ("duty_cycle", "repeat", "cycles", "at_most"),
}
NUMBERS = {word: unit for unit, words in _UNITS.items() for word in words}
"""Words of a recipe that hold a number, and its unit."""
WHOLE = frozenset({"repeat", "cycles", "at_most"})
TRUTHS = frozenset({"flows_active"})
CONDITIONS = frozenset({"until", "repeat_until", "when", "that"})
"""Words that hold a condition over tags, in which parameters may stand."""
FLOW = re.compile(r"[A-Z][A-Za-z0-9]{0,15}_flow")
MOST = 64


class Scaling(Model):
    """How a parameter follows from the thickness that is wanted, when nobody gives it a value."""

    basis: Literal["model", "last_runs"]
    """model: the tool's simulated plant grows thickness_target_nm with it; last_runs: what the last measured runs of
    this recipe took for each nm."""
    runs: int = Field(default=3, ge=1, le=50)
    """How many of the last runs."""


class Parameter(Model):
    """Something that a run may choose, within limits that were approved."""

    type: Literal["number", "integer", "boolean"] = "number"
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    default: float | bool
    value: float | bool | None = None
    """What this run uses; written when the recipe is bound."""
    scale: Scaling | None = None
    chosen: Text | None = None
    """Why it has its value, where it was chosen and not given; written when the recipe is bound."""
    description: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            find_unit(self.unit)
        except UnitError as error:
            raise ValueError(f"unit: {error}") from None
        if self.type == "boolean":
            if self.scale is not None:
                raise ValueError("scale: a boolean does not follow from a thickness")
            if self.low is not None or self.high is not None or self.unit != "1":
                raise ValueError("a boolean has no unit and no limits")
        elif self.low is None or self.high is None:
            raise ValueError("needs low and high: what is approved is everything between them")
        elif self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        elif self.type == "integer" and self.unit != "1":
            raise ValueError("an integer has no unit")
        if reason := self.refusal(self.default):
            raise ValueError(f"default: {reason}")
        return self

    def refusal(self, value: Any) -> str | None:
        """Say why a value cannot be this parameter's, or nothing."""
        if self.type == "boolean":
            return None if isinstance(value, bool) else f"must be true or false, is {kind_of(value)}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"must be a number in {self.unit}, is {kind_of(value)}"
        if self.type == "integer" and value != int(value):
            return f"must be a whole number, is {value:g}"
        low, high = cast("float", self.low), cast("float", self.high)
        return None if low <= value <= high else f"{value:g} is outside of {low:g} … {high:g} {self.unit}"

    @property
    def corners(self) -> tuple[Value, ...]:
        """The values at which a recipe is judged before it is approved."""
        if self.type == "boolean":
            return (False, True)
        return (cast("float", self.low), cast("float", self.high))


class _Declared(Model):
    parameters: dict[Name, Parameter] = Field(default_factory=dict[str, Parameter], max_length=MOST)


def bind(data: Mapping[str, Any], values: Values, file: str) -> tuple[dict[str, Any], list[Fault]]:
    """Write the values of a run into a document, and into the recipes that it calls.

    Args:
        data: the document, the recipes that it calls embedded.
        values: of some of its parameters, in their own units; the others take their defaults.
        file: what faults call it.

    Returns:
        The document with numbers in the place of expressions, and every fault of the parameters, the values and the
        expressions; what has a fault is left as it is.
    """
    faults = list[Fault]()
    return _bind(data, values, file, "", faults), faults


def declared(data: Mapping[str, Any], file: str) -> dict[str, Parameter]:
    """The parameters of a document; raises ConfigError with every fault of theirs."""
    return dict(validate({"parameters": data.get("parameters") or {}}, _Declared, file).parameters)


def _bind(
    data: Mapping[str, Any], values: Values, file: str, path: str, faults: list[Fault], *, named: str = ""
) -> dict[str, Any]:
    try:
        parameters = declared(data, file)
    except ConfigError as error:
        faults += [replace(fault, path=_joined(path, fault.path)) for fault in error.faults]
        parameters = dict[str, Parameter]()
    used, chosen = dict[str, Value](), dict[str, str]()
    where = named or "values"
    for name in values.keys() - parameters.keys():
        hint = suggestion(name, parameters) or (f"; it has {', '.join(parameters)}" if parameters else "; it has none")
        faults.append(Fault(file, join(where, name), f"the recipe has no parameter {name!r}{hint}"))
    for name, parameter in parameters.items():
        given = parameter.default if parameter.value is None else parameter.value
        value = values.get(name, given)
        if isinstance(value, Chosen):
            value, chosen[name] = value.value, value.basis
        reason = parameter.refusal(value)
        if reason is None and parameter.value is not None and value != parameter.value:
            reason = f"is bound to {parameter.value!r} already: give values to the recipe as it was written"
        if reason:
            faults.append(Fault(file, join(where, name), reason))
            value = parameter.default
        used[name] = value if isinstance(value, bool) else float(value)
    binder = _Binder(file, parameters, used, faults)
    bound = {name: binder.word(name, value, join(path, name)) for name, value in data.items() if name != "parameters"}
    if parameters:
        bound["parameters"] = {
            name: parameter.model_copy(
                update={"value": used[name], "chosen": chosen.get(name, parameter.chosen)}
            ).model_dump(mode="json", exclude_none=True)
            for name, parameter in parameters.items()
        }
    return bound


def _joined(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path and rest else path or rest


@dataclass
class _Binder:
    """Goes through one document with its parameters."""

    file: str
    parameters: dict[str, Parameter]
    values: dict[str, Value]
    faults: list[Fault]
    scope: dict[str, Symbol] = field(init=False)

    def __post_init__(self) -> None:
        self.scope = {
            name: Symbol(find_unit(parameter.unit), truth=parameter.type == "boolean")
            for name, parameter in self.parameters.items()
        }

    def word(self, name: str, value: Any, path: str) -> Any:
        """Bind what stands at one word of the document."""
        if isinstance(value, str):
            return self._text(name, value, path)
        if isinstance(value, dict):
            return self._table(name, cast("dict[str, Any]", value), path)
        if isinstance(value, list):
            bound = list[Any]()
            for index, entry in enumerate(cast("list[Any]", value)):
                one = self.word(name, entry, join(path, index))
                if one is not _GONE:
                    bound.append(one)
            return bound
        return value

    def _table(self, name: str, table: dict[str, Any], path: str) -> Any:
        if name == "metadata":
            return table
        decided = table.get("when") if isinstance(table.get("when"), str) else None
        if decided is not None and "then" in table and self._is_static(decided):
            return self._decided(table, decided, path)
        bound = dict[str, Any]()
        for key, value in table.items():
            here = join(path, key)
            if key == "call" and isinstance(value, dict):
                bound[key] = self._call(cast("dict[str, Any]", value), here)
            elif key == "called":
                continue  # once its values are known
            elif key == "temperature_c" and name == "tolerance" and isinstance(value, str):
                bound[key] = self._quantity(value, "K", here)
            else:
                bound[key] = self.word(key, value, here)
        if isinstance(table.get("called"), dict):
            given = cast("dict[str, Any]", bound.get("call") or {}).get("values")
            values = cast("dict[str, Value]", given) if isinstance(given, dict) else {}
            inside = join(path, "called")
            named = join(path, "call", "values")
            bound["called"] = _bind(table["called"], values, self.file, inside, self.faults, named=named)
        return bound

    def _call(self, call: dict[str, Any], path: str) -> dict[str, Any]:
        """Values for the recipe that is called, each in the unit that its parameter has there."""
        bound = dict(call)
        given = call.get("values")
        if isinstance(given, dict):
            units = cast("dict[str, str]", call.get("units") or {})
            bound["values"] = {
                name: self._given(value, units.get(name, "1"), join(path, "values", name))
                if isinstance(value, str)
                else value
                for name, value in cast("dict[str, Any]", given).items()
            }
        bound.pop("units", None)
        return bound

    def _given(self, text: str, unit: str, path: str) -> Value | str:
        if unit == "boolean":
            return self._condition(text, path)
        return self._quantity(text, unit, path)

    def _decided(self, table: dict[str, Any], text: str, path: str) -> Any:
        """A branch on parameters is no branch of the program: what is not chosen is not there."""
        chosen = "then" if self._condition(text, join(path, "when")) else "otherwise"
        steps = table.get(chosen, [])
        if not steps:
            return _GONE
        return {"name": table.get("name"), "steps": self.word("steps", steps, join(path, chosen))}

    def _text(self, name: str, text: str, path: str) -> Any:
        if not self.parameters:
            return text  # the model tells that it is no number
        if FLOW.fullmatch(name):
            return self._quantity(text, "sccm", path)
        if name in NUMBERS:
            return self._quantity(text, NUMBERS[name], path, whole=name in WHOLE)
        if name in TRUTHS:
            return self._condition(text, path)
        if name in CONDITIONS:
            return self._substituted(text)
        return text

    # ------------------------------------------------------------------------------------------------ expressions
    def _is_static(self, text: str) -> bool:
        try:
            found = {name.name for name in names(parse(text))}
        except ExpressionError:
            return False  # told where the condition is read
        return bool(found) and found <= self.parameters.keys()

    def _quantity(self, text: str, unit: str, path: str, *, whole: bool = False) -> Value | str:
        try:
            value = float(evaluate(read_quantity(text, self.scope, find_unit(unit)), self.values))
        except ExpressionError as error:
            self.faults.append(Fault(self.file, path, f"{error}{self._hint(text)}"))
            return text
        if whole and value != int(value):
            self.faults.append(Fault(self.file, path, f"{text!r} is {value:g}: it must be a whole number"))
            return text
        return int(value) if whole else value

    def _condition(self, text: str, path: str) -> bool:
        try:
            return bool(evaluate(read_boolean(text, self.scope), self.values))
        except ExpressionError as error:
            self.faults.append(Fault(self.file, path, f"{error}{self._hint(text)}"))
            return False

    def _hint(self, text: str) -> str:
        known = ", ".join(self.parameters)
        try:
            unknown = [name.name for name in names(parse(text)) if name.name not in self.parameters]
        except ExpressionError:
            unknown = list[str]()
        hint = suggestion(unknown[0], self.parameters) if unknown else ""
        return f" (of the recipe's parameters: {known}){hint}" if known else " (the recipe has no parameters)"

    def _substituted(self, text: str) -> str:
        """Parameters in a condition over tags become quantities; faults are told where the condition is read."""
        try:
            tree = parse(text)
        except ExpressionError:
            return text
        if not {name.name for name in names(tree)} & self.parameters.keys():
            return text
        return to_text(self._replaced(tree))

    def _replaced(self, node: Tree) -> Tree:
        match node:
            case Named(name) if name in self.parameters:
                value = float(self.values[name])
                number = Number(abs(value), find_unit(self.parameters[name].unit).symbol)
                return Negate(number) if value < 0 else number
            case Negate(operand) | Not(operand):
                return replace(node, operand=self._replaced(operand))
            case Arithmetic() | Comparison():
                return replace(node, left=self._replaced(node.left), right=self._replaced(node.right))
            case Call():
                return replace(node, arguments=tuple(map(self._replaced, node.arguments)))
            case Logical() | Vote():
                return replace(node, operands=tuple(map(self._replaced, node.operands)))
            case _:
                return node


_GONE = object()
"""A step that the values leave out."""
