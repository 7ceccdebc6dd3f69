"""Sources: one provider a module, each turning an external series into a plain frame.

A source returns a `RawSeries` or raises: `SourceError` when the provider cannot deliver, `DataError` when what arrived
breaks the contract of the frame.
"""
