"""Historical access: raw values in pages, values at moments, aggregates, and events, out of the daemon's history.

In come HistoryRead's details and the daemon's rows (`interface.Backend`); out go encoded HistoryData and HistoryEvent.
`series`, `interpolation` and `aggregates` are plain numpy and know nothing of OPC UA but status codes; it may import
`publishing` and what that may.
"""
