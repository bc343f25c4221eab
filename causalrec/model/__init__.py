"""Stage 4: treatment propensities, action propensities, effects, and the potential-outcome model."""
