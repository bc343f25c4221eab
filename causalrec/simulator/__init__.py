"""A world whose causal graph and potential outcomes are known: it writes logs and keeps the truth."""
