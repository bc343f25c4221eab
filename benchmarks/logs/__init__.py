"""How fast and how small the log stage, the gate and the simulator are, beside what a user would otherwise pick.

python -m benchmarks.logs [--only day] [--scale 0.1] [--data DIR]
"""
