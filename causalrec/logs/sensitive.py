"""Sensitive attributes of users: nuisances may read them, a policy only where somebody allows it and says why."""

from __future__ import annotations

from collections.abc import Collection

from causalrec.answers import InputError
from causalrec.settings.policy import FILE, KEY


def refuse_withheld(reader: str, reads: Collection[str], withheld: Collection[str]) -> None:
    """A policy that reads what no policy may is not judged and does not serve.

    Args:
        reader: The policy, in words.

    Raises:
        InputError: It reads such an attribute; the message says what to do.
    """
    if refused := sorted(set(reads) & set(withheld)):
        raise InputError(
            f"{reader} reads {refused}, declared sensitive (sources.yaml: users.sensitive) and not allowed ({FILE}: "
            f"{KEY}); train it again, roll back to a release that does not read it, or allow it with who and why"
        )
