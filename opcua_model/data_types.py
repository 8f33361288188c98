"""Our DataTypes: enumerations, and a structure for each kind of thing that is shown.

A structure holds in one value what an object shows in its variables, so that a client reads a run, a recipe or an
interlock at once and of one moment.
"""

from collections.abc import Mapping
from dataclasses import field, make_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from config.process_mode import ChemistryType, EnergyMode, PressureMode, ReactorType
from config.tool import InterlockClass, ModuleKind
from kernels.tables import RunState
from opcua_model.publishing.encoding import BAD
from opcua_model.space import ARRAY, SCALAR, Space, number_id, stamped, variant_type
from opcua_model.stack import Attr, Ids, StatusCodes, ua
from opcua_model.variables import CODE, CONDITION, Variable

ENUMERATIONS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "EquipmentModeEnum": (
        "Mode of the equipment.",
        ("Init", "Standby", "Ready", "Processing", "Maintenance", "Fault"),
    ),
    "E10StateEnum": (
        "SEMI E10 state of the equipment.",
        ("Productive", "Standby", "Engineering", "Scheduled Downtime", "Unscheduled Downtime", "Non-Scheduled"),
    ),
    "RunStateEnum": ("ISA-88 state of a run.", tuple(state.name for state in RunState)),
    "ModuleKindEnum": ("Kind of a module.", tuple(kind.value for kind in ModuleKind)),
    "InterlockClassEnum": ("What an interlock does.", tuple(one.value for one in InterlockClass)),
    "InterlockStateEnum": ("State of an interlock.", ("Normal", "Pending", "Active", "Latched", "Bypassed")),
    "RecipeStatusEnum": ("Status of a recipe version.", ("draft", "approved", "retired")),
    "RunStatusEnum": (
        "Status of a run: what it is before it starts, then its ISA-88 state.",
        ("QUEUED", "STARTING", "REFUSED", "REMOVED", *(state.name for state in RunState)),
    ),
    "RunKindEnum": ("Kind of a run.", ("recipe", "operation", "simulation")),
    "PressureModeEnum": ("Pressure regime of a process mode.", tuple(one.value for one in PressureMode)),
    "EnergyModeEnum": ("Activation of a process mode.", tuple(one.value for one in EnergyMode)),
    "ReactorTypeEnum": ("Reactor of a process mode.", tuple(one.value for one in ReactorType)),
    "ChemistryTypeEnum": ("Chemistry of a process mode.", tuple(one.value for one in ChemistryType)),
    "SpcChartEnum": ("Which pair of control charts.", ("individuals", "xbar")),
}
"""Text and names, numbered from 0."""
CODES: Final[dict[str, dict[str, str]]] = {
    "RecipeType": {"Status": "RecipeStatusEnum"},
    "RunType": {"Status": "RunStatusEnum", "Kind": "RunKindEnum"},
    "ProcessModeType": {
        "PressureMode": "PressureModeEnum",
        "EnergyMode": "EnergyModeEnum",
        "ReactorType": "ReactorTypeEnum",
        "ChemistryType": "ChemistryTypeEnum",
    },
    "SpcSeriesType": {"Chart": "SpcChartEnum"},
}
"""Fields of what comes and goes that have a twin in an enumeration (docs/decisions/0014)."""
SAME: Final = "The same as a value of an enumeration."
"""Description of a twin."""


def _texts(**named: str) -> tuple[Variable, ...]:
    return tuple(Variable(name, "String", text) for name, text in named.items())


def _numbers(**named: str) -> tuple[Variable, ...]:
    return tuple(Variable(name, "Double", text) for name, text in named.items())


STRUCTURES: Final[dict[str, tuple[str, tuple[Variable, ...]]]] = {
    "ToolDataType": (
        "The name plate of a tool.",
        _texts(
            Manufacturer="Who made the tool.",
            Model="Its model.",
            SerialNumber="Its serial number.",
            SoftwareRevision="Version of the supervisor.",
        ),
    ),
    "ModuleDataType": (
        "A module of a tool.",
        (
            *_texts(Name="Its name.", Description="What it is."),
            Variable("Kind", "ModuleKindEnum", "Its kind."),
            Variable("Tags", "UInt32", "How many tags it has."),
        ),
    ),
    "ProcessModeDataType": (
        "A process mode.",
        _texts(
            ProcessModeId="Its UUID.",
            PressureMode="Pressure regime.",
            EnergyMode="Activation.",
            ReactorType="Reactor.",
            ChemistryType="Chemistry.",
            Variant="Variant, or empty.",
        ),
    ),
    "RecipeDataType": (
        "A recipe version.",
        (
            *_texts(RecipeId="Its UUID.", Name="Its name."),
            Variable("Version", "Int64", "Its version."),
            Variable("Status", "RecipeStatusEnum", "Its status."),
            *_texts(FilmTarget="The film."),
            *_numbers(ThicknessTargetNm="Thickness to reach, nm.", UniformityTargetPct="Uniformity to reach, %."),
            Variable("SafetyHazardLevel", "Int64", "Hazard level, 1 to 5."),
            *_texts(
                CreatedBy="Who wrote it.",
                CreatedAt="When.",
                ApprovedBy="Who approved it, or empty.",
                ApprovedAt="When, or empty.",
                Sha256="Digest of its document.",
            ),
        ),
    ),
    "RunDataType": (
        "A run.",
        (
            *_texts(
                RunId="Its UUID.",
                RunNumber="Its number.",
                Status="QUEUED, REMOVED, or its ISA-88 state.",
                Kind="recipe, operation or simulation.",
                RecipeId="UUID of its recipe, or empty.",
            ),
            Variable("RecipeVersion", "Int64", "Version of its recipe."),
            *_texts(
                SampleId="The sample.",
                WaferId="The first wafer.",
                LotId="The lot.",
                CarrierId="The carrier.",
                WaferIds="All wafers, with commas between.",
                OrganisationId="UUID of the organisation.",
                EquipmentPath="ISA-95 path of the equipment.",
                Operator="Who made it.",
            ),
            Variable("Engineering", "Boolean", "True for an engineering run."),
            *_texts(StartTime="When it began, or empty.", EndTime="When it ended, or empty."),
            *_numbers(DurationS="How long it took, s.", Progress="Part that is done, 0 to 1."),
            *_texts(Error="What went wrong, or empty."),
        ),
    ),
    "ResultDataType": (
        "The result of a run.",
        (
            *_texts(FilmMaterial="The film."),
            *_numbers(
                ThicknessMeanNm="Mean thickness, nm.",
                ThicknessStdNm="Standard deviation of the thickness, nm.",
                ThicknessUniformityPct="Half range over mean, %.",
                ThicknessMinNm="Least thickness, nm.",
                ThicknessMaxNm="Greatest thickness, nm.",
                RefractiveIndex="Refractive index.",
                ExtinctionCoefficient="Extinction coefficient.",
                StressMpa="Stress, MPa.",
                ConformalityScore="Conformality, 0 to 1.",
                SelectivityScore="Selectivity, 0 to 1.",
                StepCoveragePct="Step coverage, %.",
                DefectDensityPerCm2="Defects, 1/cm².",
                RoughnessRmsNm="Roughness (RMS), nm.",
            ),
        ),
    ),
    "SpcSeriesDataType": (
        "A series of statistical process control.",
        (
            *_texts(SeriesId="Its UUID.", Parameter="What it follows."),
            *_numbers(
                Target="Target.",
                Ucl="Upper control limit.",
                Lcl="Lower control limit.",
                Usl="Upper specification limit.",
                Lsl="Lower specification limit.",
                Mean="Mean.",
                StdDev="Standard deviation.",
                Cp="Capability.",
                Cpk="Capability, off-centre.",
            ),
        ),
    ),
    "InterlockDataType": (
        "An interlock as it stands.",
        (
            *_texts(Name="Its name."),
            *(
                Variable(one.path, "InterlockStateEnum" if one.path == "State" else one.type, one.description)
                for one in CONDITION
                if not one.path.endswith(CODE)
            ),
        ),
    ),
}
"""Text and fields."""

RECORD: Final = "Record"
RECORDS: Final = {
    "IdentificationType": "ToolDataType",
    "ModuleType": "ModuleDataType",
    "ProcessModeType": "ProcessModeDataType",
    "RecipeType": "RecipeDataType",
    "RunType": "RunDataType",
    "ResultType": "ResultDataType",
    "SpcSeriesType": "SpcSeriesDataType",
    "InterlockType": "InterlockDataType",
}
"""Which object type's instances have a `Record` of which structure."""
_EMPTY: Final[dict[str, Any]] = {
    "String": "",
    "Double": float("nan"),
    "Int64": 0,
    "UInt32": 0,
    "Boolean": False,
    "DateTime": None,
}
_NEVER: Final = datetime(1601, 1, 1)  # noqa: DTZ001 - OPC UA's least DateTime, as asyncua writes it
_CLASSES: Final = {
    "String": ua.String,
    "Double": ua.Double,
    "Int64": ua.Int64,
    "UInt32": ua.UInt32,
    "Boolean": ua.Boolean,
    "DateTime": ua.DateTime,
}


def enumeration_value(name: str, text: str) -> int:
    """Number of a named value of an enumeration; the first one where the name is none of them."""
    names = ENUMERATIONS[name][1]
    return names.index(text) if text in names else 0


def coded(name: str, text: Any, status: int) -> tuple[int | None, int]:
    """Return number and status that say in an enumeration what a text and its status say; an unknown text is Bad."""
    names = ENUMERATIONS[name][1]
    if status & int(BAD):
        return None, status
    return (names.index(text), status) if text in names else (None, int(StatusCodes.BadOutOfRange))


def data_type_id(space: Space, name: str) -> Any:
    """NodeId of a built-in type or one of ours."""
    return space.type_id(name) if name in ENUMERATIONS or name in STRUCTURES else number_id(int(variant_type(name)))


def build_data_types(space: Space) -> None:
    """Create all of them."""
    for name, (text, names) in ENUMERATIONS.items():
        node = space.add_type(name, number_id(Ids.Enumeration), text, ua.NodeClass.DataType)
        fields = [
            ua.EnumField(Value=number, Name=one, DisplayName=ua.LocalizedText(one)) for number, one in enumerate(names)
        ]
        space.add_attribute(node, Attr.DataTypeDefinition, ua.EnumDefinition(Fields=fields))
        strings = ua.Variant([ua.LocalizedText(one) for one in names], ua.VariantType.LocalizedText, is_array=True)
        space.add_property(node, "EnumStrings", Ids.LocalizedText, strings, f"Names of the values of {name}.", ARRAY)
    for name, (text, members) in STRUCTURES.items():
        node = space.add_type(name, number_id(Ids.Structure), text, ua.NodeClass.DataType)
        encoding = ua.NodeId(f"{name}/Default Binary", space.types)
        space.add_object(
            encoding,
            "Default Binary",
            node,
            description=f"Binary encoding of {name}.",
            kind=number_id(Ids.DataTypeEncodingType),
            reference=Ids.HasEncoding,
            namespace=0,
        )
        fields = [
            ua.StructureField(
                Name=one.path,
                Description=ua.LocalizedText(one.description),
                DataType=data_type_id(space, one.type),
                ValueRank=SCALAR,
                IsOptional=False,  # asyncua's default is True: a client would look for a mask of what is there
            )
            for one in members
        ]
        definition = ua.StructureDefinition(
            DefaultEncodingId=encoding,
            BaseDataType=number_id(Ids.Structure),
            StructureType=ua.StructureType.Structure,
            Fields=fields,
        )
        space.add_attribute(node, Attr.DataTypeDefinition, definition)
        _class(name, space.types)


@cache
def _class(name: str, namespace: int) -> Any:
    """The class that asyncua writes a structure by."""
    node = ua.NodeId(name, namespace)
    members: list[Any] = [
        (one.path, _CLASSES.get(one.type, ua.Int32), field(default=_EMPTY.get(one.type, 0)))
        for one in STRUCTURES[name][1]
    ]
    made = make_dataclass(name, members, namespace={"data_type": node})
    ua.register_extension_object(name, ua.NodeId(f"{name}/Default Binary", namespace), made, node)
    return made


def record(space: Space, name: str, values: Mapping[str, Any]) -> Any:
    """Make a structure's variant from the values of an object; what is not among them keeps its empty value."""
    given: dict[str, Any] = {}
    for one in STRUCTURES[name][1]:
        value = values.get(one.path)
        if one.type in ENUMERATIONS:
            given[one.path] = enumeration_value(one.type, str(value))
        elif one.type == "DateTime":
            given[one.path] = value or _NEVER
        elif value is None:
            continue
        elif one.type in {"Int64", "UInt32"}:
            given[one.path] = int(value)
        else:
            given[one.path] = {"Double": float, "Boolean": bool, "String": str}[one.type](value)
    return ua.Variant(_class(name, space.types)(**given), ua.VariantType.ExtensionObject)


def add_record(space: Space, owner: str, kind: str, values: Mapping[str, Any]) -> Any:
    """Give the object at a path its `Record`; return its node."""
    name = RECORDS[kind]
    return space.add_variable(
        space.tool_id(f"{owner}/{RECORD}"),
        RECORD,
        space.tool_id(owner),
        description=f"{owner.rpartition('/')[2]} in one value.",
        data_type=space.type_id(name),
        value=stamped(record(space, name, values)),
    )
