"""Where checks look things up and write down what they found."""

from collections.abc import Iterable

from config.expression import ExpressionError, Typed, compile_postfix, names, read_boolean, read_quantity
from config.faults import Fault, suggestion
from config.layout import SYSTEM_TAGS, Layout, symbol_of
from config.tool import Tag, TagKind
from config.unit_table import Unit
from config.units import Quantity, UnitError, find_unit, parse_quantity

WRITABLE = (TagKind.SETPOINT, TagKind.OUTPUT)
DEENERGISED = 0.0
"""The safe value of every hazardous output: what it has without power or permission."""
_KINDS = {TagKind.INPUT: "an input", TagKind.COMPUTED: "computed", TagKind.SETPOINT: "a set point"}
_KINDS[TagKind.OUTPUT] = "an output"


class Report:
    """A tool under examination and its faults so far."""

    def __init__(self, layout: Layout, file: str) -> None:
        self.layout = layout
        self.tool = layout.tool
        self.file = file
        self.faults: list[Fault] = []
        self.period_s = self.tool.scan.period_ms / 1000.0
        """Of the scan."""

    def add(self, path: str, reason: str) -> None:
        """Write down a fault."""
        self.faults.append(Fault(self.file, path, reason))

    def unique(self, names: Iterable[tuple[str, str]], what: str) -> None:
        """Check that no name (path, name) is used twice."""
        first: dict[str, str] = {}
        for path, name in names:
            if name in first:
                self.add(path, f"{what} '{name}' exists already, at {first[name]}")
            else:
                first[name] = path

    def find(self, path: str, name: str, *kinds: TagKind) -> Tag | None:
        """Look up a tag of one of these kinds (any tag, system tags included, without any); None with a fault."""
        tag = self.layout.declared.get(name)
        if tag is None:
            if name not in SYSTEM_TAGS:
                self.add(path, f"unknown tag '{name}'{suggestion(name, self.layout.tags)}")
            elif kinds:
                self.add(path, f"'{name}' belongs to the scan; it must be {_either(kinds)}")
            return None
        if kinds and tag.kind not in kinds:
            self.add(path, f"'{name}' is {_KINDS[tag.kind]}; it must be {_either(kinds)}")
            return None
        return tag

    def unit(self, tag: Tag) -> Unit | None:
        """The unit of a tag; None where it is at fault, which check_tags tells."""
        return symbol_of(tag).unit

    def measures(self, path: str, name: str, tag: Tag | None, symbol: str, *, exactly: bool = False) -> None:
        """Check that a tag measures what `symbol` does; with `exactly`, that this is its unit."""
        unit = None if tag is None else self.unit(tag)
        wanted = find_unit(symbol)
        if unit is None or unit is wanted:
            return
        if exactly:
            self.add(path, f"'{name}' is in {unit.symbol}; it must be in {symbol}")
        elif unit.exponents != wanted.exponents:
            self.add(path, f"'{name}' is in {unit.symbol} ({unit.dimension}); it must be a {wanted.dimension}")

    def value(self, path: str, name: str, value: float) -> Tag | None:
        """Check that a value may be written to a tag."""
        tag = self.find(path, name, *WRITABLE)
        if tag is None:
            return None
        if not tag.low <= value <= tag.high:
            unit = "" if tag.unit == "1" else f" {tag.unit}"
            self.add(path, f"{value:g}{unit} is outside the limits {tag.low:g} … {tag.high:g}{unit} of '{name}'")
        elif tag.states and value != int(value):
            self.add(
                path, f"'{name}' has the states 0 … {len(tag.states) - 1} ({', '.join(tag.states)}), not {value:g}"
            )
        return tag

    def condition(
        self, path: str, text: str, *, hysteresis: tuple[str, str] | None = None, rates: bool = False
    ) -> Typed | None:
        """Check an expression that must be true or false, with the path and text of its hysteresis."""
        period_s = self.period_s if rates else None
        try:
            typed = read_boolean(text, self.layout.scope)
            compile_postfix(typed, self.layout.index, period_s=period_s)
        except ExpressionError as error:
            self.problems(path, error)
            return None
        width = None if hysteresis is None else self._width(*hysteresis)
        certain = all(self.layout.scope[used.name].unit is not None for used in names(typed.node))
        if hysteresis is not None and width is not None and certain:
            try:
                compile_postfix(typed, self.layout.index, width, period_s=period_s)
            except ExpressionError as error:
                for problem in error.problems:
                    self.add(hysteresis[0], f"the expression {problem.reason}")
        return typed

    def quantity(self, path: str, text: str, tag: Tag, *, rates: bool = False) -> Typed | None:
        """Check an expression that must be a value for a tag."""
        unit = self.unit(tag)
        if unit is None:
            return None
        try:
            typed = read_quantity(text, self.layout.scope, unit, truth=symbol_of(tag).truth)
            compile_postfix(typed, self.layout.index, period_s=self.period_s if rates else None)
        except ExpressionError as error:
            self.problems(path, error)
            return None
        return typed

    def problems(self, path: str, error: ExpressionError) -> None:
        """Write down the faults of an expression."""
        for problem in error.problems:
            self.add(path, str(problem))

    def _width(self, path: str, text: str) -> Quantity | None:
        try:
            width = parse_quantity(text)
        except UnitError as error:
            self.add(path, str(error))
            return None
        if width.value <= 0:
            self.add(path, "must be above 0")
            return None
        return width


def _either(kinds: tuple[TagKind, ...]) -> str:
    return " or ".join(_KINDS[kind] for kind in kinds)
