"""A tape of a whole run, as the controller makes one, but of a run at full speed on the simulated plant."""

from collections.abc import Mapping
from pathlib import Path

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.plan import plan_recipe
from config.recipe import load_recipe
from hil.plant import create
from kernels.scan import Scan
from kernels.tables import TapeKind
from supervisor.controller.compile import compile_plan, compile_tool
from supervisor.controller.simulate import END_STATES, _Run
from supervisor.controller.tapes.tape_file import TapeFile, TapeHeader, TapeStart
from tests.hil.chambers import CHAMBERS
from tests.hil.variants import OTHERS

SHIPPED: Mapping[str, str] = CHAMBERS | OTHERS
"""Tool by shipped recipe."""


class _Taped(_Run):
    """A simulated run whose every input, command and digest is kept."""

    path: Path
    file: TapeFile | None = None
    proofs: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scan = Scan(self.compiled.tables, tape=True)
        self.scan.attach(self.plant.capsule)

    def begin(self, start: tuple[str, str, str]) -> None:
        """Take the scan's state; what comes from here on is the tape."""
        self._drain()
        self.scan.load(0, self.program.program)
        number, tool, recipe = start
        header = TapeHeader(number, number, self.compiled.tool.name, "0", 0, self.scan.index, slot=0)
        begun = TapeStart(header, self.compiled.tables, self.program.program, self.scan.state(), tool, recipe)
        self.file = TapeFile(self.path, begun)

    def _advance(self) -> None:
        super()._advance()
        self._drain()

    def _drain(self) -> None:
        while len(records := self.scan.tape()):
            if self.file is not None:
                self.file.write(records)
                self.proofs += int((records["kind"] == TapeKind.DIGEST).sum())

    def finish(self) -> None:
        """Go on to the digest that proves the last scan of the run, and close the tape."""
        assert self.file is not None
        before = self.proofs
        while self.proofs == before:
            self._advance()
        if self.scan.tape_lost:
            raise AssertionError(f"{self.scan.tape_lost} records of the tape were lost")
        self.file.close(self.scan.index, self.state.name)


def taped(recipe_name: str, path: Path) -> float:
    """Run a shipped recipe to its end on its tool and write its tape; return how long it is, s."""
    tool_path, recipe_path = shipped_tool(SHIPPED[recipe_name]), shipped_recipe(recipe_name)
    tool = load_tool(tool_path)
    plan = plan_recipe(load_recipe(recipe_path), tool)
    compiled = compile_tool(tool)
    run = _Taped(compiled, plan, compile_plan(compiled, plan), create(tool), [])
    run.path = path
    run.prepare()
    run.begin((recipe_name, tool_path.read_text(encoding="utf-8"), recipe_path.read_text(encoding="utf-8")))
    first = run.scan.index
    run.run()
    assert run.state in END_STATES
    assert run.state.name == "COMPLETE", f"{recipe_name} is {run.state.name} because of {run.cause}"
    run.finish()
    return (run.scan.index - first) * run.scan.period_s
