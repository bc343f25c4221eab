"""Whether logs carry an estimate, and a decision; if not, what is missing."""
