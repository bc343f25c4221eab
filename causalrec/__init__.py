"""causalrec: recommendations that stand on cause."""

import os

# Idle OpenMP threads of the tree learner spin by default; on a machine with more runnable threads than cores (a test
# suite, two steps at once) small fits then take minutes instead of seconds. Read when the library is first loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
