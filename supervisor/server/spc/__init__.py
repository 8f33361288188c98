"""Statistical process control: what a run's film says of the process, beside the films before it.

In come results of runs, as they are projected, and what engineers declare of a series; out go points with their
verdict, limits, capability, and events. `charts` is plain arithmetic and imports nothing of ours; the others may
import what the server may.
"""
