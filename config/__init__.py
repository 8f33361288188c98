"""The tool model: tags, modules, interlocks, gases, process modes, recipes and device profiles as typed data.

TOML and JSON come in, frozen and checked models go out, or every fault at once with file, field path and reason. The
shipped data lies beside the code in `tools/`, `recipes/` and `devices/`. It may import `kernels` only.
"""
