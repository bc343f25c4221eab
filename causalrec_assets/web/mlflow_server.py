"""MLflow's UI on a home's own store, behind the guard.

    python -m causalrec_assets.web.mlflow_server [--host 127.0.0.1] [--port 5000]

MLflow's own check lets every page of any local port in, and asks nothing of a GET.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec_assets.web.guard import App, parse_addresses
from causalrec_assets.web.serving import ADDRESS, serve

STORE = "mlflow.db"


def application(home: Home) -> App:
    """MLflow's ASGI application on the store of a home; one a process, because it reads the process's environment."""
    from mlflow.server import constants

    public = parse_addresses(os.environ.get(ADDRESS, ""))
    os.environ.update(
        {
            constants.BACKEND_STORE_URI_ENV_VAR: f"sqlite:///{home.root / STORE}",
            constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
            constants.SERVE_ARTIFACTS_ENV_VAR: "true",
            constants.ARTIFACTS_DESTINATION_ENV_VAR: str(home.root / "mlartifacts"),
            # The guard before it knows the names of this server.
            "MLFLOW_SERVER_ALLOWED_HOSTS": "*",
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(sorted(public)),
        }
    )
    from mlflow.server.fastapi_app import app

    asgi_app: App = app
    return asgi_app


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m causalrec_assets.web.mlflow_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    given = parser.parse_args(arguments)
    home = Home.current()
    try:
        if not (home.root / STORE).exists():
            raise InputError(
                f"{home.root} has no MLflow store yet ({STORE}): a training run makes it, unless data/tracking.yaml "
                "names a server, which has a UI of its own"
            )
        serve(application(home), host=given.host, port=given.port)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
