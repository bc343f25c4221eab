"""Whether the graph is found, how fast, and how sure it is, beside causal-learn's own tests in the same run.

python -m benchmarks.graph [--only networks] [--data DIR --network NAME] [--seeds N] [--rows N]
"""
