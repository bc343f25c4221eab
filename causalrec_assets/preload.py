"""What the server of a run imports once, so that its steps, which are forked from it, need not.

Nothing here starts a thread of its own that a fork would lose; tests/dagster/test_executor.py runs steps this way.
"""

import tempfile
from pathlib import Path

import causallearn.search.ConstraintBased.PC
import dagster as dg
import great_expectations
import lightning
import matplotlib.pyplot
import pandas
import scipy.stats
import sklearn.ensemble
import torch
import transformers

import causalrec_assets.gate.expectations.causal
import causalrec_assets.gate.staged_engine
from causalrec_assets.definitions import defs

# The asset graph, and the code of the storage that each step opens: a second of every step otherwise.
defs.get_repository_def()
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "dagster.yaml").touch()
    dg.DagsterInstance.local_temp(folder).dispose()
