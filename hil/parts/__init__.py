"""Parts of every simulated tool: noise, instruments, orders of the fault script, gas lines, pumps with their valves.

Each is a file of inline C over a struct of its own, which a plant puts into its state and steps at its own rate; the
Python beside them wires tags to instruments, reads fault scripts and answers for a plant. They know no tool. They may
import `config` and `kernels`.
"""
