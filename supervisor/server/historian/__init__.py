"""History of every tag: from the logging ring into hot rows, from there to Parquet, and back to whoever asks.

Rows of the image's logging ring and the runs' begin and end come in; trends and files go out. It may import `store`,
`config`, `kernels` and Arrow (through `arrow`), and nothing of the address space.
"""
