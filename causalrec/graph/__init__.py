"""Stage 2: units -> discovered graph -> causal graph -> adjustment sets."""
