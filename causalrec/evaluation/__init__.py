"""Stage 6: off-policy values, effects and the verdict, in a report that a product manager understands."""
