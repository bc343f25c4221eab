"""The Dagster UI of a home, with the daemon that runs its schedules and sensors, on this machine only.

    python -m causalrec_assets.commands.ui [--host 127.0.0.1] [--port 3000]        the home that CAUSALREC_HOME names

It is `dagster dev`, with the web server behind a guard (causalrec_assets/web/guard.py): pages of other servers neither
read nor change anything. The home goes to all processes by their environment. Dagster reads a `.env` in its folder
before the environment; the folder is the home, so secrets of a deployment may stand in HOME/.env, and none of the
checkout counts.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from causalrec.answers import InputError
from causalrec.home import CHECKOUT, Home
from causalrec_assets.web.serving import rules_of

SERVER = "causalrec_assets.web.dagster_server"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.ui",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; beyond loopback a token is asked for")
    parser.add_argument("--port", type=int, help="3000, or a free one where that is taken")
    given = parser.parse_args(arguments)
    home = Home.current()
    try:
        rules_of(given.host, given.port or 0, os.environ)
        open_home(home)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    _run(given.host, given.port)
    return 0


def open_home(home: Home) -> None:
    """Make a home that of this process and its children.

    Raises:
        InputError: There is none; or its `.env`, which Dagster puts before the environment, names another.
    """
    if not (home.dagster / "dagster.yaml").is_file():
        raise InputError(f"there is no home at {home.root}: run `make demo` (LOGS=...) or `make home DIR=path` first")
    from dotenv import dotenv_values

    wanted = {"CAUSALREC_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)}
    file_values = dotenv_values(home.root / ".env")
    for name, value in wanted.items():
        if file_values.get(name, value) != value:
            raise InputError(f"{home.root / '.env'} sets {name}={file_values[name]}, another home: remove that line")
    os.environ.update(wanted)
    # Of versions to come, for whoever develops this; a hundred lines at each start.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    os.chdir(home.root)


def _run(host: str, port: int | None) -> None:
    """`dagster dev` until it is stopped, its web server replaced by the guarded one."""
    from dagster._cli import dev
    from dagster_shared.cli import WorkspaceOpts

    started: Any = dev
    start = started.open_ipc_subprocess

    def start_guarded(parts: Sequence[str], **options: Any) -> Any:
        module = parts[2]
        if module not in ("dagster_webserver", "dagster._daemon"):
            raise RuntimeError(f"dagster dev starts {module}, which the guard does not know")
        return start([*parts[:2], SERVER if module == "dagster_webserver" else module, *parts[3:]], **options)

    started.open_ipc_subprocess = start_guarded
    dev.dev_command_impl(
        code_server_log_level="warning",
        log_level="info",
        log_format="colored",
        port=str(port) if port else None,
        host=host,
        use_legacy_code_server_behavior=False,
        shutdown_pipe=None,
        verbose=False,
        workspace_opts=WorkspaceOpts(workspace=[str(CHECKOUT / "workspace.yaml")]),
    )


if __name__ == "__main__":
    sys.exit(main())
