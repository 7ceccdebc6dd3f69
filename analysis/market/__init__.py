"""Market data: the catalogue, frozen snapshots, calendars, clocks, returns, states and record highs."""
