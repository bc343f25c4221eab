"""Dagster's web server behind the guard; takes the options of `dagster-webserver`.

    python -m causalrec_assets.web.dagster_server -w workspace.yaml -h 127.0.0.1 -p 3000

Dagster's own runs mutations that come by GET, and looks neither at Origin nor at Host.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

from causalrec.answers import InputError
from causalrec_assets.web.serving import serve


def main() -> None:
    from dagster_webserver import cli

    served: Any = cli
    # Dagster makes its application and hands it to `uvicorn.run`; it has no option for what stands before it.
    if not hasattr(served, "uvicorn"):
        sys.exit("this dagster-webserver serves in a way that the guard does not know, and is not started without it")
    served.uvicorn = SimpleNamespace(run=serve)
    try:
        served.main()
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
