"""Whether Weights & Biases is configured; it is never imported where it is not."""

from __future__ import annotations

import importlib.util
import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit


def wandb_wanted() -> bool:
    """Whether a person has configured an API key: in `WANDB_API_KEY`, or by `wandb login`, which keeps it in the
    netrc file."""
    if os.environ.get("WANDB_MODE", "").strip().lower() == "disabled":
        return False
    return bool(os.environ.get("WANDB_API_KEY", "").strip()) or _logged_in()


def wandb_installed() -> bool:
    return importlib.util.find_spec("wandb") is not None


def _logged_in() -> bool:
    file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    if not file.exists():
        return False
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname
    try:
        found = netrc.netrc(file).authenticators(host or "")
    except netrc.NetrcParseError:
        # Not ours to judge: other programs read that file, too. Without a readable key there is none.
        return False
    return bool(found and found[2])
