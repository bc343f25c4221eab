"""causalrec: recommendations that stand on cause.

In a notebook, `import causalrec as cr`. Each name is loaded when it is first used.
"""

import os
from typing import TYPE_CHECKING

# Idle OpenMP threads of the tree learner spin by default; on a machine with more runnable threads than cores (a test
# suite, two steps at once) small fits then take minutes instead of seconds. Read when the library is first loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from causalrec.answers import Answer, InputError, Status
    from causalrec.estimators.policy_value.rounds import Rounds
    from causalrec.notebook.effects import AIPW, SNIPS, FrontDoor, InstrumentalVariable, NaiveDifference
    from causalrec.notebook.graph import causal_graph, identify
    from causalrec.notebook.named_values import named_values
    from causalrec.notebook.policy_values import policy_value
    from causalrec.notebook.slates import PlackettLuce

__all__ = [
    "AIPW",
    "SNIPS",
    "Answer",
    "FrontDoor",
    "InputError",
    "InstrumentalVariable",
    "NaiveDifference",
    "PlackettLuce",
    "Rounds",
    "Status",
    "causal_graph",
    "identify",
    "named_values",
    "policy_value",
]

_MODULES = {
    "causalrec.answers": ("Answer", "InputError", "Status"),
    "causalrec.estimators.policy_value.rounds": ("Rounds",),
    "causalrec.notebook.effects": ("AIPW", "FrontDoor", "InstrumentalVariable", "NaiveDifference", "SNIPS"),
    "causalrec.notebook.graph": ("causal_graph", "identify"),
    "causalrec.notebook.named_values": ("named_values",),
    "causalrec.notebook.policy_values": ("policy_value",),
    "causalrec.notebook.slates": ("PlackettLuce",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            from importlib import import_module

            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
