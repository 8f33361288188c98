"""The methods of the contract as data: where each stands, what goes in and out, and which roles may call it.

The address space is built from this table, calls are checked against it, and the client types its arguments by it.
Documents cross as JSON text, identifiers as UUID text, moments as DateTime.
"""

from typing import Final

from config.tool import Role
from opcua_model.conditions.methods import CONDITION_METHODS
from opcua_model.interface import Argument, Method

_OPERATE: Final = frozenset({Role.OPERATOR.value, Role.ENGINEER.value})
_ENGINEER: Final = frozenset({Role.ENGINEER.value})
_SERVICE: Final = frozenset({Role.OPERATOR.value, Role.ENGINEER.value, Role.MAINTENANCE.value})
_MAINTAIN: Final = frozenset({Role.ENGINEER.value, Role.MAINTENANCE.value})
_ANYBODY: Final = frozenset[str]()  # every authenticated session


def _text(name: str, description: str) -> Argument:
    return Argument(name, "String", description)


def _count(name: str, description: str) -> Argument:
    return Argument(name, "UInt32", description)


_RECIPE: Final = _text("RecipeId", "The recipe's UUID.")
_VERSION: Final = _count("Version", "The version of the recipe, from 1.")
_RUN: Final = _text("RunId", "The run's UUID.")
_SKIP: Final = _count("Skip", "How many to pass over from the start of the list.")
_LIMIT: Final = _count("Limit", "How many at most; 0 for as many as the server gives at once.")
_JSON: Final = _text("Json", "The answer as a JSON document.")

STATE: Final = (
    Method("State", "TakeControl", "Become the one who operates the tool; refused while another does.", roles=_SERVICE),
    Method(
        "State",
        "TakeOverControl",
        "Take the control from whoever does not give it back; never from afar against somebody at the tool.",
        (_text("Reason", "Why; it is told and recorded."),),
        roles=_MAINTAIN,
    ),
    Method("State", "ReleaseControl", "Give the control of the tool back.", roles=_SERVICE),
    Method(
        "State",
        "SetMode",
        "Choose the equipment mode: Standby, Ready or Maintenance; the tool file says from where and when.",
        (_text("Mode", "The mode that is wanted."),),
        roles=_SERVICE,
    ),
    Method(
        "State",
        "LockOut",
        "Lock a module out for work on it: it is brought to rest, and nobody energises anything of it.",
        (_text("Module", "The module's name in the tool file."), _text("Reason", "What is being done.")),
        roles=_MAINTAIN,
    ),
    Method(
        "State",
        "RemoveLockOut",
        "Take a lock-out off.",
        (
            _text("Module", "The module's name in the tool file."),
            _text("Reason", "Needed from somebody else than who put it on."),
        ),
        roles=_MAINTAIN,
    ),
    Method(
        "State",
        "GetOwners",
        "Say who has the say over each set point and output: an interlock, a force, a loop, the program, or hand.",
        outputs=(_text("Json", "Owner by the tag's full name."),),
    ),
    Method(
        "State",
        "RequestForce",
        "Ask, in Maintenance, for a value in the place of a tag's own for a time: simulate an input, hold an output.",
        (
            _text("Tag", "The tag's full name, as in GetOwners."),
            Argument("Value", "Double", "The value, in the tag's unit."),
            _text("Reason", "Why; it is recorded."),
            Argument("DurationS", "Double", "After so long it ends by itself, s."),
        ),
        (_text("RequestId", "What another user confirms; empty: the policy asks for nobody else, it is in force."),),
        roles=_SERVICE | _MAINTAIN,
    ),
    Method(
        "State",
        "ConfirmForce",
        "Confirm the force that another user requested.",
        (_text("RequestId", "As RequestForce returned it."),),
        roles=_SERVICE | _MAINTAIN,
    ),
    Method(
        "State",
        "RemoveForce",
        "End a force now.",
        (_text("Tag", "The tag's full name."),),
        roles=_SERVICE | _MAINTAIN,
    ),
    Method(
        "State",
        "GetForces",
        "Say which tags are forced, by whom and until when, and which requests wait for a second person.",
        outputs=(_text("Json", "Forces in force, and those that wait."),),
    ),
    Method(
        "State",
        "SafeShutdown",
        "Bring the tool to its safe state now: the safe sequence runs in any mode, never queued, never refused.",
    ),
    Method(
        "State",
        "Calibrate",
        "Run a calibration routine of the tool.",
        (_text("Type", "Which calibration, by its name in the tool file."),),
        (_text("Report", "What was found, as JSON."),),
        _MAINTAIN,
    ),
    Method(
        "State",
        "CheckInterlocks",
        "Look at every interlock at this moment.",
        outputs=(
            Argument("Ok", "Boolean", "True when none stands in the way of a run."),
            _text("Report", "Each interlock with its state and the reason, as JSON."),
        ),
    ),
    Method(
        "State",
        "WhyNot",
        "Say what stands in the way: the chain from an action to the causes behind it, one link a line.",
        (_text("Target", "An output, an interlock (its reset), `start` or `arm`."),),
        (
            Argument("Held", "Boolean", "True when something stands in the way."),
            Argument("Chain", "String", "The action, then each effect, interlock, vote and cause.", array=True),
        ),
    ),
)

SIGN: Final = (
    Method(
        "State",
        "Sign",
        "Sign what you do next in this session, within two minutes: where the policy asks for a signature.",
        (
            Argument("Password", "String", "Your own, once more; it is told to nobody.", secret=True),
            _text("Meaning", "What the signature means: authorship, review, approval or responsibility."),
        ),
        (_text("SignedAt", "UTC, as it stands in the record."),),
    ),
)

PROCESS_MODES: Final = (
    Method(
        "ProcessModes",
        "CreateProcessMode",
        "Add a process mode.",
        (_text("Json", "The process mode as a JSON document."),),
        (_text("ProcessModeId", "Its UUID."),),
        _ENGINEER,
    ),
    Method(
        "ProcessModes",
        "ListProcessModes",
        "List process modes.",
        (
            _text("PressureMode", "Only those of this pressure mode; empty: all."),
            _text("EnergyMode", "Only those of this energy mode; empty: all."),
            _SKIP,
            _LIMIT,
        ),
        (_JSON,),
    ),
)

RECIPES: Final = (
    Method(
        "Recipes",
        "AddRecipe",
        "Add a recipe, or the next version of one, as a draft.",
        (_text("Json", "The recipe as a JSON document."),),
        (_RECIPE, _VERSION),
        _ENGINEER,
    ),
    Method("Recipes", "GetRecipe", "Give a recipe version with its history.", (_RECIPE, _VERSION), (_JSON,)),
    Method(
        "Recipes",
        "ListRecipes",
        "List recipe versions, newest first.",
        (_text("Status", "Only those of this status (draft, approved, retired); empty: all."), _SKIP, _LIMIT),
        (_JSON,),
    ),
    Method(
        "Recipes",
        "ValidateRecipe",
        "Check a recipe against this tool without adding it.",
        (_text("Json", "The recipe as a JSON document."),),
        (
            Argument("Ok", "Boolean", "True when the tool could run it."),
            _text("Diagnostics", "Every fault with its JSON path and reason, and the estimated duration, as JSON."),
        ),
    ),
    Method(
        "Recipes",
        "ApproveRecipe",
        "Approve a draft: it can then be run and never be changed. Another user than its author does this.",
        (_RECIPE, _VERSION, _text("Comment", "Why it is approved.")),
        roles=_ENGINEER,
    ),
    Method(
        "Recipes",
        "RetireRecipe",
        "Withdraw a recipe version: it can no longer be run.",
        (_RECIPE, _VERSION, _text("Comment", "Why it is withdrawn.")),
        roles=_ENGINEER,
    ),
    Method(
        "Recipes",
        "DiffRecipes",
        "Compare two versions of a recipe.",
        (_RECIPE, _count("VersionA", "The one version."), _count("VersionB", "The other version.")),
        (_text("Json", "The differences, each with its JSON path and both values."),),
    ),
    Method(
        "Recipes",
        "Simulate",
        "Run a recipe version on the simulated plant with values of its parameters, without the tool.",
        (
            _RECIPE,
            _VERSION,
            _text("MetadataJson", "`parameters`: values by name, as CreateRun takes them; empty: their defaults."),
        ),
        (_RUN,),
        _OPERATE,
    ),
)


def _run(name: str, description: str) -> Method:
    return Method("Runs", name, description, (_RUN,), roles=_OPERATE)


RUNS: Final = (
    Method(
        "Runs",
        "CreateRun",
        "Make a run of a recipe version; it waits to be started.",
        (
            _RECIPE,
            _VERSION,
            _text("SampleId", "The sample or lot."),
            _text("WaferId", "The wafer, or empty."),
            _text("MetadataJson", "Anything else to keep with the run, a JSON object."),
        ),
        (_RUN, _text("RunNumber", "`CVD-YYYYMMDD-HHMMSS`.")),
        _OPERATE,
    ),
    _run("StartRun", "Start a run: the controller checks the tool, then the recipe runs."),
    _run("PauseRun", "Pause at the next safe point of the step; the step's pause behaviour applies."),
    _run("ResumeRun", "Go on after a pause."),
    _run("HoldRun", "Hold: hazardous gas and energy off unless the step declares otherwise."),
    _run("RestartRun", "Go on after a hold."),
    _run("StopRun", "End in order: the step's stop behaviour, then the safe sequence."),
    _run("AbortRun", "End at once: the safe sequence starts with the next scan."),
    Method(
        "Runs",
        "RecoverRun",
        "Decide about a run that a crash has interrupted and whose recipe asks for a decision.",
        (
            _RUN,
            _text("Choice", "resume: the rest of it runs; abort: the safe sequence once more; close: nothing more."),
            _text("Comment", "Why."),
        ),
        (
            _text("RunId", "UUID of the run that does the rest; empty: none does."),
            _text("RunNumber", "Its number."),
        ),
        _OPERATE,
    ),
    Method("Runs", "GetRun", "Give a run's record.", (_RUN,), (_JSON,)),
    Method(
        "Runs",
        "ListRuns",
        "List runs, newest first.",
        (_text("Status", "Only those of this status; empty: all."), _SKIP, _LIMIT),
        (_JSON,),
    ),
    Method(
        "Runs",
        "GetTelemetry",
        "Give the telemetry of a run.",
        (
            _RUN,
            Argument("StartTime", "DateTime", "From this moment; the least DateTime for the run's begin."),
            Argument("EndTime", "DateTime", "To this moment; the least DateTime for the run's end."),
            _LIMIT,
        ),
        (_JSON,),
    ),
    Method("Runs", "GetResults", "Give the results of a run.", (_RUN,), (_JSON,)),
    Method(
        "Runs",
        "Simulate",
        "Run a recipe version on the simulated plant, without the tool.",
        (_RECIPE, _VERSION),
        (_RUN,),
        _OPERATE,
    ),
)

_TOKEN: Final = _text(
    "ClientToken",
    "Of the client's own making, the same again when it repeats a call whose answer it did not get; empty: none.",
)

QUEUE: Final = (
    Method(
        "Runs",
        "QueueRun",
        "Make a run of a recipe version with its material; it waits in the queue. The same token makes nothing twice.",
        (
            _TOKEN,
            _RECIPE,
            _VERSION,
            _text("SampleId", "The sample, or empty."),
            _text("LotId", "The lot, or empty."),
            _text("CarrierId", "The carrier or boat, or empty."),
            Argument("WaferIds", "String", "The wafers, in the order of their slots.", array=True),
            _text("MetadataJson", "Anything else to keep with the run, a JSON object."),
        ),
        (
            _RUN,
            _text("RunNumber", "`CVD-YYYYMMDD-HHMMSS`."),
            Argument("Created", "Boolean", "False when the token had made the run before."),
        ),
        _OPERATE,
    ),
    Method(
        "Runs",
        "QueueRuns",
        "Make several runs, all of them or none; they wait in this order.",
        (
            _TOKEN,
            _text(
                "Json",
                "A list of objects: recipe_id, version, sample_id, lot_id, carrier_id, wafer_ids (a list), metadata.",
            ),
        ),
        (
            _text("Json", "The runs made, each with run_id and run_number."),
            Argument("Created", "Boolean", "False when the token had made them before."),
        ),
        _OPERATE,
    ),
    Method("Runs", "ListQueue", "List waiting runs in the order in which they are started.", (_SKIP, _LIMIT), (_JSON,)),
    Method(
        "Runs",
        "MoveRun",
        "Put a waiting run to another place of the queue.",
        (_RUN, _count("Position", "0: the next; beyond the end: the last.")),
        (_count("Position", "The place that it got."),),
        _OPERATE,
    ),
    Method(
        "Runs",
        "RemoveRun",
        "Take a waiting run out of the queue; its record stays, REMOVED.",
        (_RUN, _text("Reason", "Why.")),
        roles=_OPERATE,
    ),
    Method(
        "Runs",
        "StartNextRun",
        "Start the first run of the queue; the controller checks the tool as in StartRun.",
        outputs=(_RUN,),
        roles=_OPERATE,
    ),
    Method(
        "Runs",
        "TrackMaterial",
        "Report where material is or what was done with it. Runs enter themselves.",
        (
            _text("Kind", "sample, wafer, lot or carrier."),
            _text("MaterialId", "Its id."),
            _text("What", "arrived, loaded, unloaded, left, scrapped, measured or note."),
            _text("Location", "Where it is now; empty: as before."),
            _text("Comment", "Anything else."),
        ),
        roles=_SERVICE,
    ),
    Method(
        "Runs",
        "SetSlotMap",
        "Say which wafers lie in a carrier; load and unload then enter into their histories.",
        (
            _text("CarrierId", "The carrier or boat."),
            Argument("WaferIds", "String", "The wafers, in the order of the slots; empty: no wafer.", array=True),
        ),
        roles=_SERVICE,
    ),
    Method("Runs", "GetSlotMap", "Give a carrier's wafers by slot.", (_text("CarrierId", "The carrier."),), (_JSON,)),
    Method(
        "Runs",
        "GetMaterial",
        "Give what is known of a piece of material: state, location, runs, history.",
        (_text("MaterialId", "Its id."),),
        (_JSON,),
    ),
    Method(
        "Runs",
        "GetTelemetryPart",
        "Give the telemetry of a run in parts: call again with the continuation until there is none.",
        (
            _RUN,
            Argument("StartTime", "DateTime", "From this moment; the least DateTime for the run's begin."),
            Argument("EndTime", "DateTime", "To this moment; the least DateTime for the run's end."),
            _LIMIT,
            _text("Continuation", "What the part before answered; empty for the first."),
        ),
        (_JSON, _text("Continuation", "Asks for the next part; empty: this was the last.")),
    ),
)

SERVICES: Final = (
    Method(
        "Services",
        "Start",
        "Start a service operation of the tool.",
        (_text("Name", "The operation's name in the tool file."),),
        roles=_SERVICE,
    ),
    Method("Services", "Stop", "End the service operation that runs, in order.", roles=_SERVICE),
)

CARE: Final = (
    Method(
        "Care",
        "GetReport",
        "Give every counter with its limits and forecast, every task, and when each operation was completed last.",
        outputs=(_JSON,),
    ),
    Method(
        "Care",
        "TaskDone",
        "Report that a task of the crew was carried out; its counter begins anew.",
        (_text("Task", "The task's name in the tool file."), _text("Comment", "What was found.")),
        roles=_MAINTAIN,
    ),
    Method(
        "Care",
        "AddNote",
        "Write a note into the shift log; it stays in the audit trail.",
        (_text("Text", "What the next crew should know."),),
        roles=_SERVICE,
    ),
    Method(
        "Care",
        "GetShiftLog",
        "Give what happened in a stretch of time, for the crew that comes.",
        (
            Argument("StartTime", "DateTime", "From this moment."),
            Argument("EndTime", "DateTime", "To this moment."),
            _text("WishJson", 'Language and units as JSON: {"language": "de", "units": {"Torr": "mbar"}}; or empty.'),
        ),
        (_JSON,),
    ),
)

INTERLOCKS: Final = (
    Method(
        "Interlocks/*",
        "Reset",
        "Reset a latched interlock whose cause is gone. It restores no output: only a new command does.",
        roles=_SERVICE,
    ),
    Method(
        "Interlocks/*",
        "RequestBypass",
        "Ask for a bypass; it takes effect when another user confirms it.",
        (
            _text("Reason", "Why it is needed."),
            Argument("DurationS", "Double", "For how long, s; at most what the interlock declares."),
        ),
        (_text("RequestId", "The request's UUID."),),
        _MAINTAIN,
    ),
    Method(
        "Interlocks/*",
        "ConfirmBypass",
        "Confirm the bypass that another user requested.",
        (_text("RequestId", "The request's UUID."),),
        roles=_MAINTAIN,
    ),
    Method("Interlocks/*", "RemoveBypass", "End a bypass now.", roles=_SERVICE | _MAINTAIN),
    Method(
        "Interlocks/*",
        "StartProofTest",
        "Begin a proof test, in Maintenance with the tool safe; nothing can be armed until it has ended.",
        (_text("Method", "inject: the declared input is forced and the trip measured; witness: at the instrument."),),
        (_text("TestId", "The test's UUID."),),
        _MAINTAIN,
    ),
    Method(
        "Interlocks/*",
        "RecordProofTest",
        "End a proof test with its result, as the person who witnessed it; a failed one locks arming.",
        (
            _text("TestId", "The test's UUID."),
            Argument("Passed", "Boolean", "Whether the interlock did all that it should."),
            _text("AsFound", "State of the loop before anything was touched."),
            _text("AsLeft", "The same when the test was over."),
            _text(
                "MeasuredJson",
                'What people read: {"trip_value": 6.1, "response_s": 0.2}, either may lack; empty: nothing.',
            ),
            _text("Comment", "What else was found."),
        ),
        (_text("Json", "Id of the test and when the next is due."),),
        _MAINTAIN,
    ),
    Method(
        "Interlocks/*",
        "AbortProofTest",
        "Break a proof test off; its force is taken away.",
        (_text("Reason", "Why."),),
        roles=_SERVICE | _MAINTAIN,
    ),
    Method(
        "Interlocks/*",
        "ReleaseProofTest",
        "Let the tool be armed although the last proof test failed; it stays on record.",
        (_text("Reason", "What makes it safe meanwhile."),),
        roles=_ENGINEER,
    ),
)

_LOOP: Final = _text("Loop", "The loop's name in the tool file.")
_PROPOSAL: Final = _text("ProposalId", "The proposal's UUID.")

LOOPS: Final = (
    Method(
        "Loops",
        "ProposeGains",
        "Work out gains of a loop from the telemetry of a relay or step test; nothing is changed by it.",
        (
            _text("RunId", "The test: the run's UUID or number."),
            _LOOP,
            _text("Method", "relay or step."),
            Argument("ClosedLoopS", "Double", "Step: wanted time constant of the closed loop, s; 0: tight control."),
        ),
        (_PROPOSAL, _JSON),
        _ENGINEER,
    ),
    Method(
        "Loops",
        "ApproveGains",
        "Put proposed gains in force, as another person than who proposed them; refused while a run is active.",
        (_PROPOSAL, _text("Comment", "Why they may act.")),
        (_JSON,),
        _ENGINEER,
    ),
    Method(
        "Loops",
        "RejectGains",
        "Decide against proposed gains.",
        (_PROPOSAL, _text("Comment", "Why.")),
        roles=_ENGINEER,
    ),
    Method(
        "Loops",
        "RestoreGains",
        "Put the tool file's gains of a loop in force again; refused while a run is active.",
        (_LOOP, _text("Reason", "Why.")),
        roles=_MAINTAIN,
    ),
    Method(
        "Loops",
        "ListGains",
        "Give proposals, approved and former gains of a loop with who, when and from which test, the newest first.",
        (_text("Loop", "The loop's name; empty: of all."), _SKIP, _LIMIT),
        (_JSON,),
    ),
    Method(
        "Loops", "GetGains", "Give each loop's gains in the tool file, and what is in force instead.", outputs=(_JSON,)
    ),
)

_SERIES: Final = _text("Name", "The series' name.")

SPC: Final = (
    Method(
        "Spc",
        "DefineSeries",
        "Follow a figure of the results of runs on a control chart.",
        (_text("Json", "The series as a JSON document."),),
        (_text("SeriesId", "Its UUID."),),
        _ENGINEER,
    ),
    Method("Spc", "ListSeries", "List series, oldest first.", (_SKIP, _LIMIT), (_JSON,)),
    Method(
        "Spc",
        "GetPoints",
        "Give the points of a series in order, the newest where there are more than the limit.",
        (
            _SERIES,
            Argument("StartTime", "DateTime", "From this moment; the least DateTime for the first point."),
            Argument("EndTime", "DateTime", "To this moment; the least DateTime for the last point."),
            _LIMIT,
        ),
        (_JSON,),
    ),
    Method(
        "Spc",
        "RecalculateLimits",
        "Make control limits anew of the newest points, after the process was changed on purpose.",
        (
            _SERIES,
            _count("Points", "Of how many, 8 at least; 0: as many as the baseline has."),
            _text("Reason", "What was changed."),
        ),
        roles=_ENGINEER,
    ),
    Method(
        "Spc",
        "RetireSeries",
        "End a series: it takes no more points; those that it has stay.",
        (_SERIES, _text("Reason", "Why.")),
        roles=_ENGINEER,
    ),
)

METHODS: Final[tuple[Method, ...]] = (
    *STATE, *SIGN, *PROCESS_MODES, *RECIPES, *RUNS, *QUEUE, *SERVICES, *CARE, *LOOPS, *INTERLOCKS, *SPC,
    *CONDITION_METHODS,
)  # fmt: skip


def methods_of(path: str) -> tuple[Method, ...]:
    """Methods of the object at a path below the tool (`Recipes`, `Interlocks/over_pressure`)."""
    folder, _, rest = path.partition("/")
    owner = f"{folder}/*" if rest else folder
    return tuple(method for method in METHODS if method.owner == owner)


def method_at(path: str, name: str) -> Method | None:
    """Find the method of an object by its name."""
    return next((method for method in methods_of(path) if method.name == name), None)
