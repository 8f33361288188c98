"""The journal folded into tables, and what is shown of the two processes: liveness, diagnostics, crew.

Journal records and the image come in; rows and values of tags go out, the same for the same journal. Imports
`records` and `store`.
"""
