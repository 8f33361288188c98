"""Recipe documents: the guide's JSON in, a checked `Recipe` out, and back in one canonical form with its digest.

The only liberties taken with a document are the named ones: `//` comments are stripped, the process mode comes by
name, omitted fields take the defaults of `config.recipe_model`, fields that belong to a store (`status` and its like)
are ignored: what is imported is a draft.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from config.faults import ConfigError, Fault, suggestion
from config.process_mode import shipped_modes
from config.recipe_calls import Library, embed
from config.recipe_model import Behaviour, Recipe, RecipeStep
from config.recipe_parameters import NUMBERS, TRUTHS, Values, bind
from config.text import Syntax, parse_text, read_text
from config.validation import validate
from kernels.tables import LOOP_DEPTH

__all__ = ["Behaviour", "Recipe", "RecipeDocument", "RecipeStep", "is_open"]
__all__ += ["load_recipe", "read_recipe", "recipe_document", "recipe_schema", "with_version"]

# Columns of the guide's table that a store fills in. In a document they are ignored.
STORE_FIELDS = frozenset({
    "id", "org_id", "process_mode_id", "status", "approval_date", "approved_by_id", "created_by_id", "created_at",
    "updated_at",
})  # fmt: skip
# Steps of these names let gas flow when no step of the recipe says `flows_active` (the guide's PECVD and MOCVD
# examples). A step that sets a flow of its own does so too.
FLOW_STEPS = ("deposition", "growth", "layer", "nucleation")
NO_FLOW_STEPS = ("clean",)

SEQUENCES = ("steps", "then", "otherwise")
"""Words of a group that hold steps in sequence."""
GROUPS = (*SEQUENCES, "parallel")

EXPRESSION = "An expression over the recipe's parameters, with its units: 2 * growth + 30 s."

_FLOW_WORD = re.compile(r"([A-Z][A-Za-z0-9]{0,15})_flow")
_FLOW_PATH = re.compile(r"\.gas_flow(?:\.(\w+))?")


class RecipeDocument(str):
    """A recipe's canonical JSON: sorted keys, defaults written out, one line. Equal recipes have equal documents."""

    __slots__ = ("__dict__",)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the UTF-8 text."""
        return hashlib.sha256(self.encode()).hexdigest()


def load_recipe(
    source: Path | str,
    *,
    process_mode: str | None = None,
    file: str = "",
    values: Values | None = None,
    library: Library | None = None,
) -> Recipe:
    """Read a recipe, with the values of one run for its parameters.

    Args:
        source: a Path to a file, or the text itself. Text is never taken for a path: it may come from a network.
        process_mode: name of the process mode, where the document has none.
        file: what faults call the source; the path, or `recipe`, unless given.
        values: of its parameters; their defaults where none is given.
        library: where recipes that it calls are found. Without one it calls what its document holds already.

    Raises:
        ConfigError: with every fault of the document.
    """
    return read_recipe(source, process_mode=process_mode, file=file, values=values, library=library)[0]


def read_recipe(
    source: Path | str,
    *,
    process_mode: str | None = None,
    file: str = "",
    values: Values | None = None,
    library: Library | None = None,
) -> tuple[Recipe, RecipeDocument]:
    """Read a recipe as `load_recipe` does; give also its document as it is approved.

    That document is whole: the recipes that it calls are in it, its parameters are open. Where there are none, it is
    the recipe's own canonical document.
    """
    if isinstance(source, Path):
        file = file or str(source)
        source = read_text(source)
    file = file or "recipe"
    open_data, faults = embed(parse_text(source, Syntax.JSON_WITH_COMMENTS, file), library, file)
    bound, unbound = bind(open_data, values or {}, file)
    data, wrong = _normalise(bound, process_mode, file)
    faults += [*unbound, *wrong]
    try:
        recipe = validate(data, Recipe, file)
    except ConfigError as error:
        told = [fault.path for fault in faults]
        found = [_as_written(fault) for fault in error.faults]
        raise ConfigError([*faults, *(fault for fault in found if not _follows(fault.path, told))]) from None
    for prefix, one in recipe.called():
        faults += [Fault(file, prefix + path, reason) for path, reason in _contradictions(one)]
    if faults:
        raise ConfigError(faults)
    return recipe, _open_document(open_data) if is_open(open_data) else recipe_document(recipe)


def _follows(path: str, told: list[str]) -> bool:
    """Whether a fault is of a place of which something was told already: it says the same in other words."""
    return any(one == path or one.startswith((f"{path}.", f"{path}[")) for one in told if path)


def is_open(data: Mapping[str, Any]) -> bool:
    """Whether a document has parameters whose values are still to be chosen."""
    found = data.get("parameters")
    parameters = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return any(isinstance(one, dict) and "value" not in one for one in parameters.values())


def with_version(document: RecipeDocument, version: int) -> RecipeDocument:
    """Give an open document its version."""
    return _open_document(json.loads(document) | {"version": version})


def _open_document(data: Mapping[str, Any]) -> RecipeDocument:
    kept = {name: value for name, value in data.items() if name not in STORE_FIELDS}
    return RecipeDocument(json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def recipe_document(recipe: Recipe) -> RecipeDocument:
    """Write a recipe in its canonical form; `load_recipe` gives the same recipe back."""
    data = _written_recipe(recipe.model_dump(mode="json", exclude_none=True))
    return RecipeDocument(json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe document."""
    schema = Recipe.model_json_schema()
    recipe, step = schema["$defs"]["Recipe"], schema["$defs"]["RecipeStep"]
    by_gas = step["properties"].pop("gas_flow")["patternProperties"]
    step["patternProperties"] = {f"^{_FLOW_WORD.pattern}$": flow for flow in by_gas.values()}
    for name in sorted(STORE_FIELDS):
        recipe["properties"][name] = {"description": "Belongs to a store; ignored in a document."}
    for model in schema["$defs"].values():
        for words in (model.get("properties", {}), model.get("patternProperties", {})):
            for name, word in words.items():
                if name in NUMBERS or name in TRUTHS or name.endswith("_flow$"):
                    words[name] = {"anyOf": [word, {"type": "string", "description": EXPRESSION}]}
    return {**recipe, "$defs": schema["$defs"]}


# ------------------------------------------------------------------------------------------------ normalisation
def _normalise(data: Mapping[str, Any], mode: str | None, file: str) -> tuple[dict[str, Any], list[Fault]]:
    """Apply the named liberties; what they cannot take is told."""
    faults = list[Fault]()
    known = {name: value for name, value in data.items() if name not in STORE_FIELDS}
    said = known.get("process_mode")
    if mode is not None and said is not None and said != mode:
        faults.append(Fault(file, "process_mode", f"is {said!r}, but {mode!r} was asked for"))
    if said is None:
        # An identifier of a store says nothing here, unless it is already a name.
        named = data.get("process_mode_id")
        known["process_mode"] = mode or (named if named in shipped_modes() else None)
    steps = known.get("recipe_steps")
    if isinstance(steps, list):
        entries = cast("list[Any]", steps)
        implied = not any("flows_active" in step for step in _mappings(entries))
        known["recipe_steps"] = [
            _read_step(step, f"recipe_steps[{index}]", faults, file, implied=implied)
            for index, step in enumerate(entries)
        ]
    return known, faults


def _mappings(entries: list[Any]) -> Iterator[dict[str, Any]]:
    """Every step of a document, those inside of cycles and branches included."""
    for entry in entries:
        if isinstance(entry, list):
            yield from _mappings(cast("list[Any]", entry))
        elif isinstance(entry, dict):
            step = cast("dict[str, Any]", entry)
            yield step
            for inner in GROUPS:
                if isinstance(step.get(inner), list):
                    yield from _mappings(step[inner])


def _read_step(entry: Any, path: str, faults: list[Fault], file: str, *, implied: bool) -> Any:
    """Gather `<Gas>_flow` words, fill `flows_active` in; anything that is no step is left for the model to refuse."""
    if isinstance(entry, list):
        return [
            _read_step(one, f"{path}[{i}]", faults, file, implied=implied)
            for i, one in enumerate(cast("list[Any]", entry))
        ]
    if not isinstance(entry, dict):
        return entry
    step = dict[str, Any]()
    flows = dict[str, Any]()
    for name, value in cast("dict[str, Any]", entry).items():
        word = _FLOW_WORD.fullmatch(name)
        if word:
            flows[word[1]] = value
        elif name == "gas_flow":
            faults.append(
                Fault(file, f"{path}.gas_flow", "unknown field; a flow of a step is a word of its own: SiH4_flow")
            )
        elif name == "called" and isinstance(value, dict):
            inside, found = _normalise(cast("dict[str, Any]", value), None, file)
            faults += [replace(fault, path=f"{path}.called.{fault.path}") for fault in found]
            step[name] = inside
        elif name in GROUPS and isinstance(value, list):
            step[name] = [
                _read_step(one, f"{path}.{name}[{i}]", faults, file, implied=implied)
                for i, one in enumerate(cast("list[Any]", value))
            ]
        else:
            step[name] = value
    if flows:
        step["gas_flow"] = flows
    if implied and not {*GROUPS, "call"} & step.keys():
        name = str(step.get("name", "")).lower()
        named = any(word in name for word in FLOW_STEPS) and not any(word in name for word in NO_FLOW_STEPS)
        step["flows_active"] = bool(flows) or named
    return step


def _as_written(fault: Fault) -> Fault:
    """Name a flow as the document does."""
    path = _FLOW_PATH.sub(lambda match: f".{match[1]}_flow" if match[1] else "", fault.path)
    return Fault(fault.file, path, fault.reason.removeprefix("as a key: "))


def _written_recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    """Turn a dumped recipe back into the document's words."""
    recipe["recipe_steps"] = [_written(step) for step in recipe["recipe_steps"]]
    return recipe


def _written(step: dict[str, Any]) -> dict[str, Any]:
    """Turn a dumped step back into the document's words."""
    flows = step.pop("gas_flow")
    step |= {f"{gas}_flow": flow for gas, flow in flows.items()}
    for inside in SEQUENCES:
        step[inside] = [_written(inner) for inner in step[inside]]
    step["parallel"] = [[_written(inner) for inner in branch] for branch in step["parallel"]]
    if "called" in step:
        step["called"] = _written_recipe(step["called"])
    return step


# ----------------------------------------------------------------------------------------------- contradictions
def _contradictions(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """What no single field can know."""
    flows = recipe.flows
    scheme = recipe.pulsing_scheme
    pulsed = {pulse.gas for pulse in scheme.pulses} if scheme else set[str]()
    for index, gas in enumerate(recipe.gas_flows.gases):
        path = f"gas_flows.gases[{index}].timing"
        if gas.timing == "pulsed" and gas.name not in pulsed:
            yield path, f"is pulsed, but pulsing_scheme has no pulse of {gas.name}"
        if gas.timing == "continuous" and gas.name in pulsed:
            yield path, f"is continuous, but pulsing_scheme pulses {gas.name}"
    for index, pulse in enumerate(scheme.pulses if scheme else ()):
        if pulse.gas not in flows:
            yield (
                f"pulsing_scheme.pulses[{index}].gas",
                f"{pulse.gas} is not in gas_flows{suggestion(pulse.gas, flows)}",
            )
    for path, step, _ in recipe.leaves():
        for gas in step.gas_flow:
            if gas not in flows:
                yield f"{path}.{gas}_flow", f"{gas} is not in gas_flows{suggestion(gas, flows)}"
        if step.gas_flow and not step.flows_active:
            yield f"{path}.flows_active", "is false, but the step sets a flow"
        if step.plasma_power_w is not None and recipe.plasma_settings is None:
            yield f"{path}.plasma_power_w", "the recipe has no plasma_settings"
    for index, step in enumerate(recipe.recipe_steps):
        yield from _nesting(step, f"recipe_steps[{index}]", 1, branch=False)


def _nesting(step: RecipeStep, path: str, depth: int, *, branch: bool) -> Iterator[tuple[str, str]]:
    if step.flows_active and branch:
        yield f"{path}.flows_active", "gas is switched by the main sequence only, never by a branch"
    if step.steps and depth >= LOOP_DEPTH:  # one level is left for the pulses of a step
        yield f"{path}.steps", f"cycles are nested more than {LOOP_DEPTH - 1} deep"
        return
    for word in ("when", "repeat_until"):
        if branch and getattr(step, word) is not None:
            yield f"{path}.{word}", "what is decided by a condition belongs to the main sequence, never to a branch"
    if branch and step.limits:
        yield f"{path}.limits", "limits belong to steps of the main sequence, never to those of a branch"
    for inside in SEQUENCES:
        deeper = depth + (inside == "steps")
        for index, inner in enumerate(cast("tuple[RecipeStep, ...]", getattr(step, inside))):
            yield from _nesting(inner, f"{path}.{inside}[{index}]", deeper, branch=branch)
    if step.called is not None:
        for index, inner in enumerate(step.called.recipe_steps):
            yield from _nesting(inner, f"{path}.called.recipe_steps[{index}]", depth, branch=branch)
    if step.parallel and branch:
        yield f"{path}.parallel", "branches inside of a branch"
        return
    for number, steps in enumerate(step.parallel):
        for index, inner in enumerate(steps):
            yield from _nesting(inner, f"{path}.parallel[{number}][{index}]", depth, branch=True)
