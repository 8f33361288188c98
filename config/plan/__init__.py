"""Plans: what a recipe or an operation makes a certain tool do, step by step, before anything is compiled.

A recipe or operation and a tool come in; a tree of steps with actions over the tool's tags goes out, each step with
what a pause, a hold, a restart and a stop do in it. Nothing here knows the scan's tables: the controller compiles a
plan, preflight reads it. It imports the models of this room only.
"""

from config.plan.model import Block, Plan, PlannedStep, Restore
from config.plan.operations import plan_operation
from config.plan.recipes import plan_recipe
from config.plan.walk import gas_use, gases_left_on, longest_s, order, total_s

__all__ = [
    "Block",
    "Plan",
    "PlannedStep",
    "Restore",
    "gas_use",
    "gases_left_on",
    "longest_s",
    "order",
    "plan_operation",
    "plan_recipe",
    "total_s",
]
