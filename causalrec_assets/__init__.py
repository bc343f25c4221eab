"""causalrec as a pipeline: Dagster assets from daily interaction logs to a released policy."""
