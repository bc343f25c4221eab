"""Stage 5: what to recommend: ranking by L + lambda R, with exploration and exact action propensities."""
