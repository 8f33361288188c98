"""What is written down: the journal with its worker, events with their names and causes, checkpoints of a run.

Drafts and the scan's records come in; journal records go out, in order and on the disk. Imports `runs` and `scanning`.
"""
