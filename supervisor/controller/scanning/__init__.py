"""The scan from outside its thread: its view, its commands, what its conditions mean, its forces, its instruments.

Snapshots of the image, instruments' values and typed operations come in; operations with the scan's own answer,
reasons in words and instruments' writes go out. Imports `compile`, `drivers`, `hil`, `config` and `kernels`; of its
siblings only what commands look like.
"""
