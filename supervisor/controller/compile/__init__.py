"""From configuration to tables: a tool and its plans in the rows that the scan runs over.

A checked `config.tool.Tool` or a `config.plan.Plan` comes in; `kernels.tables` with the names that belong to their
rows go out, or a CompileError that names the tag or step which the scan cannot express. It imports `config` and
`kernels` only, and nothing here runs during a scan.
"""

from supervisor.controller.compile.plan import CompiledPlan, StepInfo, compile_plan
from supervisor.controller.compile.tool import CompiledTool, compile_tool

__all__ = ["CompiledPlan", "CompiledTool", "StepInfo", "compile_plan", "compile_tool"]
