"""Stage 1: landed files -> clean events -> units, with covariates from strictly before each event."""
