"""Tables of the reference pages that are made from the models: each stands in a page between two markers.

``<!-- made: interlocks -->`` … ``<!-- /made -->``: what is between them is written by ``docs.py --write`` and must be
what the code says now. So a reader of the repository finds the whole page, and none of it can be out of date.
"""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from string import ascii_uppercase

from config import Layout, load_tool, shipped_tool
from config.alarms import declared_limits, points
from config.matrix import manner, matrix
from config.tool import Action, Alarm, Tag, Tool

SECTION = re.compile(
    r"(?P<open><!-- made: (?P<name>[a-z0-9_-]+) -->\n)(?P<body>.*?)(?P<close><!-- /made -->)", re.DOTALL
)


FURNACE = "lpcvd_furnace"
REACTOR = "pecvd_showerhead"


def furnace(name: str = FURNACE) -> Tool:
    """Load a shipped tool, the furnace unless named."""
    return load_tool(shipped_tool(name))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; `|` inside of a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def code(value: object) -> str:
    """Write a name or an expression."""
    return f"`{value}`" if value != "" else ""


# ------------------------------------------------------------------------------------------------------- OPC UA
def methods() -> str:
    """The methods of the contract."""
    from opcua_model.methods import METHODS

    rows = [
        (
            code(method.owner),
            code(method.name),
            ", ".join(f"{a.name}: {a.type}" for a in method.inputs),
            ", ".join(f"{a.name}: {a.type}" for a in method.outputs),
            ", ".join(sorted(method.roles)) or "every user",
            method.description,
        )
        for method in METHODS
    ]
    return table(("object", "method", "in", "out", "roles", "does"), rows)


def variables() -> str:
    """Values of the contract that are not tags."""
    from opcua_model.variables import VARIABLES

    return table(("path", "type", "says"), ((code(one.path), one.type, one.description) for one in VARIABLES))


def nodeset() -> str:
    """Our types as the NodeSet2 file has them."""
    from datetime import UTC, datetime
    from xml.etree import ElementTree as ET

    import anyio

    from opcua_model.nodeset import XML
    from opcua_model.offline import nodeset_of

    async def made() -> str:
        return await nodeset_of(Layout(furnace()), revision="0", moment=datetime(2026, 1, 1, tzinfo=UTC))

    own = "ns=1;s="
    rows: list[tuple[str, str, str]] = []
    members: dict[str, list[str]] = {}
    for node in ET.fromstring(anyio.run(made)):  # noqa: S314 - of our own making
        name = (node.get("NodeId") or "").removeprefix(own)
        if not (node.get("NodeId") or "").startswith(own):
            continue
        owner, _, member = name.partition("/")
        if member and "/" not in member:
            members.setdefault(owner, []).append(member)
        if node.tag in {f"{{{XML}}}UAObjectType", f"{{{XML}}}UADataType"}:
            rows.append((name, node.tag.rpartition("}UA")[2], node.findtext(f"{{{XML}}}Description") or ""))
            fields = node.findall(f"{{{XML}}}Definition/{{{XML}}}Field")
            members.setdefault(name, []).extend(field.get("Name") or "" for field in fields)
    hidden = {"EnumStrings", "Default Binary"}
    return table(
        ("type", "class", "is", "holds"),
        ((code(n), kind, text, ", ".join(m for m in members.get(n, []) if m not in hidden)) for n, kind, text in rows),
    )


def conditions() -> str:
    """What each interlock and alarm shows."""
    from opcua_model.variables import CONDITION

    return table(("name", "type", "says"), ((code(one.path), one.type, one.description) for one in CONDITION))


def events() -> str:
    """Event types with their own fields."""
    from opcua_model.types import EVENT_FIELDS, EVENT_TYPES

    rows = [
        (code(name), ", ".join(f"{one.path}: {one.type}" for one in EVENT_FIELDS[name]), text)
        for name, text in EVENT_TYPES.items()
    ]
    return table(("type", "its own fields", "when"), rows)


def limits() -> str:
    """Bounds for every client."""
    from opcua_model.settings import Limits

    said = documented(Limits)
    rows = [(code(f.name), f"{f.default!s}".strip("()"), said.get(f.name, "")) for f in dataclasses.fields(Limits)]
    return table(("limit", "value", ""), rows)


# --------------------------------------------------------------------------------------------------------- data
def database() -> str:
    """Tables and columns as the migrations make them, and the view of telemetry."""
    import duckdb

    from supervisor.server.historian.tagset import create_view, register
    from supervisor.server.store.migrate import migrate, migrations

    tool = furnace()
    with duckdb.connect() as connection:
        migrate(connection, migrations())
        create_view(connection, register(connection, Layout(tool)), tool.telemetry, Path())
        found = connection.execute(
            "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index) "
            "FROM duckdb_columns() WHERE NOT internal GROUP BY table_name ORDER BY table_name"
        ).fetchall()
    return table(("table or view", "columns"), ((code(name), columns) for name, columns in found))


# ------------------------------------------------------------------------------------------------------ furnace
def tags(tool: str = FURNACE) -> str:
    """Modules with their tags."""
    rows = [
        (code(f"{module.name}.{tag.name}"), tag.kind.value, _range(tag), _extras(tag), tag.description)
        for module in furnace(tool).modules
        for tag in module.tags
    ]
    return table(("tag", "kind", "range", "", "is"), rows)


def _range(tag: Tag) -> str:
    if tag.states:
        return " / ".join(tag.states)
    return f"{tag.low:g} … {tag.high:g}" + ("" if tag.unit == "1" else f" {tag.unit}")


def _extras(tag: Tag) -> str:
    said = ["hazardous"] if tag.hazardous else []
    if tag.kind.value == "output":
        said.append(f"safe {tag.states[int(tag.safe)] if tag.states else f'{tag.safe:g}'}")
    if tag.kind.value == "setpoint" and tag.initial:
        said.append(f"initially {tag.states[int(tag.initial)] if tag.states else f'{tag.initial:g}'}")
    if tag.period_s:
        said.append(f"every {tag.period_s:g} s")
    if tag.role is not None:
        said.append(f"by hand: {tag.role.value}")
    return ", ".join(said)


def interlocks(tool: str = FURNACE) -> str:
    """The cause-and-effect matrix, its columns named by a list below it."""
    shown = matrix(furnace(tool))
    columns = dict(zip(shown.outputs, ascii_uppercase, strict=False))
    if len(columns) < len(shown.outputs):
        raise ValueError("more outputs than letters: the matrix needs another form")
    rows = [
        (
            code(row.name),
            row.cls,
            *("" if value is None else f"{value:g}" for value in row.values),
            code(row.cause),
            row.manner,
            row.description,
        )
        for row in shown.rows
    ]
    listed = "".join(f"* {letter}: `{output}`\n" for output, letter in columns.items())
    return table(("interlock", "class", *columns.values(), "cause", "", "is"), rows) + "\n" + listed


def alarms(tool: str = FURNACE) -> str:
    """What only tells, rationalised: what each alarm is for, and what is to be done about it in which time."""
    rows = [
        (
            code(a.name), a.kind.value, _priority(a), ", ".join(code(one.when) for one in points(a)),
            ", ".join(filter(None, (manner(a), _life(a)))), a.consequence, a.action, f"{a.response_time_s:g} s",
        )
        for a in furnace(tool).alarms
    ]  # fmt: skip
    return table(("alarm", "kind", "priority", "cause", "", "consequence", "action", "within"), rows)


def _priority(alarm: Alarm) -> str:
    said = alarm.priority.value
    if alarm.outer_priority is not None:
        outer = ", ".join(limit.value for limit in declared_limits(alarm) if limit.outer)
        said += f"; {outer}: {alarm.outer_priority.value}"
    return said


def _life(alarm: Alarm) -> str:
    said = ["safety class"] if alarm.safety else []
    if alarm.confirm:
        said.append("to be confirmed")
    if alarm.re_alarm_s:
        said.append(f"again after {alarm.re_alarm_s:g} s")
    when = [*alarm.suppress.modes, *alarm.suppress.steps, *(["idle"] if alarm.suppress.idle else [])]
    if when:
        said.append(f"suppressed: {', '.join(when)}")
    return ", ".join(said)


def operations(tool: str = FURNACE) -> str:
    """Service operations and the safe sequence."""
    shown = furnace(tool)
    rows = [
        (code(o.name), o.description, f"{o.bound_s:g} s", ", ".join(_names(o.steps)))
        for o in (*shown.operations, shown.safe_sequence)
    ]
    return table(("operation", "does", "ends within", "steps"), rows)


def _names(steps: Sequence[Action]) -> Iterator[str]:
    for step in steps:
        yield f"{step.repeat} × ({', '.join(_names(step.steps))})" if step.steps else step.name


def loops(tool: str = FURNACE) -> str:
    """Control loops."""
    rows = [
        (
            code(p.name),
            code(p.pv),
            code(p.sp),
            code(p.out),
            f"{p.direction * p.kp:g}",
            f"{p.ti_s:g}",
            f"{p.low:g} … {p.high:g}",
        )
        for p in furnace(tool).loops
    ]
    return table(("loop", "measures", "set point", "moves", "gain", "Ti, s", "limits"), rows)


# -------------------------------------------------------------------------------------------------------- plant
def parameters(plant: str = "furnace") -> str:
    """What a simulated tool is made of."""
    kind = importlib.import_module(f"hil.{plant}.parameters").Parameters
    said = documented(kind)
    rows = [(code(f.name), f"{f.default:g}", said.get(f.name, "")) for f in dataclasses.fields(kind)]
    return table(("parameter", "value", "source or meaning"), rows)


def documented(kind: type) -> dict[str, str]:
    """Return the text below each field of a class and of those that it inherits from."""
    found: dict[str, str] = {}
    for part in reversed([one for one in kind.__mro__ if dataclasses.is_dataclass(one)]):
        body = ast.parse(inspect.getsource(part)).body[0]
        assert isinstance(body, ast.ClassDef)  # noqa: S101 - it is the source of a class
        for field, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found


# --------------------------------------------------------------------------------------------------- instruments
def device_profile(name: str) -> str:
    """One instrument: its wire, points, watchdog and what has to be proven on the device."""
    from config.profiles import find_profile

    profile = find_profile(name)
    watchdog = profile.watchdog
    facts: list[tuple[str, object]] = [
        ("function", profile.identity.function),
        ("links", ", ".join(code(link) for link in profile.links)),
        ("codec", code(profile.codec)),
        ("documents", "; ".join(profile.identity.documents)),
        ("every fact seen in a document", "yes" if profile.verified else "no: see the probes"),
        ("longest answer", f"{profile.timing.answer_s:g} s, quiet after {profile.timing.quiet_s:g} s"),
        ("polls", ", ".join(f"{code(n)} {g.period_s:g} s ({g.priority})" for n, g in profile.poll.items())),
    ]
    if watchdog == "none":
        facts.append(("watchdog", "none"))
    else:
        kept = "forgotten at a restart" if watchdog.volatile else "kept over a restart"
        facts.append(("watchdog", f"{watchdog.action} after {watchdog.timeout_s:g} s; fed by {watchdog.feed}; {kept}"))
    parts = [profile.notes.strip().replace("\n", " "), "", table(("fact", ""), facts), ""]
    rows = [
        (
            code(point.name),
            point.access,
            "" if point.unit == "1" else point.unit,
            "" if abs(point.low) >= 1e30 else f"{point.low:g} … {point.high:g}",
            point.poll or "",
            point.write if point.writable else "",
            f"{point.description}{'' if point.verified else ' (to be proven)'}",
            point.source,
        )
        for point in profile.points
    ]
    parts.append(table(("point", "access", "unit", "limits", "poll", "written", "says", "source"), rows))
    probes = [("identify", probe) for probe in profile.identify]
    probes += [("commissioning", probe) for probe in profile.commissioning]
    if probes:
        parts += ["", table(("when", "reads", "shows that"), ((when, code(p.point), p.what) for when, p in probes))]
    return "\n".join(parts)


def devices() -> str:
    """Every shipped profile."""
    from config.profiles import available, find_profile

    rows = []
    for name in available():
        profile = find_profile(name)
        title = f"{profile.identity.manufacturer} {profile.identity.model}"
        watchdog = (
            "none" if profile.watchdog == "none" else f"{profile.watchdog.action}, {profile.watchdog.timeout_s:g} s"
        )
        seen = "yes" if profile.verified else "no"
        rows.append((profile.identity.function, f"[{title}](devices/{name}.md)", code(name), watchdog, seen))
    return table(("function", "instrument", "profile", "watchdog", "every fact seen"), sorted(rows))


def fault_matrix() -> str:
    """The rows of the fault matrix on every kind of wire, as its test is parametrised."""
    from hil.rig.faults import Kind
    from tests.hil.matrix import TRANSPORTS, impossible, unseen

    notes: list[str] = []

    def cell(name: str, kind: Kind) -> str:
        why = impossible(TRANSPORTS[name], kind)
        reason = why or unseen(TRANSPORTS[name], kind)
        if not reason:
            return "●"
        if reason not in notes:
            notes.append(reason)
        return f"{'—' if why else '○'} {notes.index(reason) + 1}"

    rows = [(name, code(one.profile), *(cell(name, kind) for kind in Kind)) for name, one in TRANSPORTS.items()]
    count = sum(not cell.startswith("—") for row in rows for cell in row[2:])
    told = "".join(f"{n}. {reason}\n" for n, reason in enumerate(notes, 1))
    return f"{count} cells:\n\n{table(('wire', 'instrument', *(code(kind) for kind in Kind)), rows)}\n{told}"


def killed() -> str:
    """Instruments whose own watchdog makes outputs safe, as the test that kills the controller has them."""
    from config.profiles import find_profile
    from tests.drivers.test_killed import WIRES

    rows: list[tuple[str, ...]] = []
    for profile, link, _, named in WIRES.values():
        watchdog = find_profile(profile).watchdog
        if watchdog != "none":
            outputs = ", ".join(code(point) for point in named)
            rows.append((code(profile), link.partition(":")[0], f"{watchdog.timeout_s:g} s", outputs))
    return table(("instrument", "link", "its watchdog", "at 0 after the kill"), rows)


def _shipped_profiles() -> dict[str, Callable[[], str]]:
    from config.profiles import SHIPPED

    return {f"device-{path.stem}": partial(device_profile, path.stem) for path in sorted(SHIPPED.glob("*.toml"))}


SECTIONS: dict[str, Callable[[], str]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        methods, variables, nodeset, conditions, events, limits, database, tags, interlocks, alarms,
        operations, loops, parameters, devices, fault_matrix, killed,
    )
} | _shipped_profiles()  # fmt: skip
SECTIONS |= {f"pecvd-{one.__name__}": partial(one, REACTOR) for one in (tags, interlocks, alarms, operations, loops)}
SECTIONS["pecvd-parameters"] = partial(parameters, "showerhead")


def refreshed(text: str) -> str:
    """Return a page with its sections as the code says them now; raises KeyError for an unknown one."""
    return SECTION.sub(lambda found: f"{found['open']}\n{SECTIONS[found['name']]().rstrip()}\n\n{found['close']}", text)


def outdated(pages: Iterable[Path], root: Path, *, write: bool) -> list[str]:
    """Compare, or write, the sections of pages; return a complaint for each page that is out of date."""
    return list(chain.from_iterable(_check(page, root, write=write) for page in pages))


def _check(page: Path, root: Path, *, write: bool) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    if "<!-- made:" not in text:
        return
    try:
        now = refreshed(text)
    except KeyError as error:
        yield f"{page.relative_to(root)}: there is no section {error}; there are {', '.join(SECTIONS)}"
        return
    if now == text:
        return
    if write:
        page.write_text(now, encoding="utf-8")
    else:
        yield (
            f"{page.relative_to(root)}: a table is not what the code says; "
            "run .venv/bin/python .ci/docs.py --output build/docs --write"
        )
