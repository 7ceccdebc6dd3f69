"""Studies: claims, the plan of tests, their execution, the ledger of results and the verdicts."""
