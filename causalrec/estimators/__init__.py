"""Pure maths that several stages share: weights, effects, off-policy values, clustered intervals, scores."""
