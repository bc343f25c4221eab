"""Stage 3: item texts -> vectors."""
