"""A run as such: its recipe made ready for the scan, its life and summary, its gas, and what a crash left of it.

Recipes, the scan's records and the journal come in; programs, the life of the present run and what may be resumed
go out. Imports `scanning` and `compile`; knows neither people's commands nor the equipment around the run.
"""
