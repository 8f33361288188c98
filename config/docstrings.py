"""The text below each field of a model, read from its source when somebody asks for a schema.

pydantic would read it whenever a class is made (`use_attribute_docstrings`): half of what an import of the models
costs, in every process, for schemas that hardly any of them writes.
"""

import ast
import inspect
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

_wanted = ContextVar("wanted", default=True)


@contextmanager
def no_texts() -> Generator[None, None, None]:
    """Schemas made herein have no texts: nobody reads them, and no source is read from the disk."""
    token = _wanted.set(False)
    try:
        yield
    finally:
        _wanted.reset(token)


def field_texts(kind: type) -> dict[str, str]:
    """Return what stands below the fields of a class and of its bases; nothing where it is not wanted."""
    return _all_texts(kind) if _wanted.get() else {}


@cache
def _all_texts(kind: type) -> dict[str, str]:
    found = dict[str, str]()
    for base in reversed(kind.__mro__):
        found |= _classes(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _classes(module: str) -> dict[str, dict[str, str]]:
    """Texts of all classes of a module, by their qualified names."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return {}
    found = dict[str, dict[str, str]]()
    waiting: list[tuple[str, ast.stmt]] = [("", statement) for statement in tree.body]
    while waiting:
        above, statement = waiting.pop()
        if isinstance(statement, ast.ClassDef):
            name = f"{above}{statement.name}"
            found[name] = _texts(statement)
            waiting += [(f"{name}.", inner) for inner in statement.body]
    return found


def _texts(kind: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in zip(kind.body, kind.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
