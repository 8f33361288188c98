"""What the tables hold, a kind to a module: recipes, runs, results, queue, material, equipment times, audit, exports.

Statements and values come in; rows go out. Imports `store` and `historian`; knows no OPC UA session and no controller.
"""
