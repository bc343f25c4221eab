"""Shared fixtures. Tests run against a home of their own, never against the developer's."""

import os
import tempfile
from pathlib import Path

# Definitions read their first day from the home when they are imported: give them one before anything imports them.
_home = Path(tempfile.mkdtemp(prefix="causalrec-tests-"))
os.environ["CAUSALREC_HOME"] = str(_home)
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
