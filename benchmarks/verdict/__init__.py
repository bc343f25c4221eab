"""What the verdict promises, measured against the truth.

python -m benchmarks.verdict TABLE [...]
"""
