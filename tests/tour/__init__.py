"""A user's day in the real Dagster UI, driven by a headless browser."""
