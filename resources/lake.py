"""The lake as an asset is given it."""

from datetime import date
from pathlib import Path

import dagster as dg

from causalrec.home import Home
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.store import Store, open_store


class Lake(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Tables in the home's lake: its `lake/` folder, or where `data/lake.yaml` says.

    Attributes:
        home: The deployment's folder; empty means what `CAUSALREC_HOME` names.
    """

    home: str = ""

    @property
    def where(self) -> Home:
        return Home(Path(self.home)) if self.home else Home.current()

    @property
    def store(self) -> Store:
        return open_store(self.where)

    def inputs(self, context: dg.AssetExecutionContext) -> Inputs:
        """The recorder of what this step reads."""
        return Inputs(
            self.where,
            self.store,
            asset=context.asset_key.path[-1],
            code=context.assets_def.code_versions_by_key[context.asset_key] or "none",
            day=date.fromisoformat(context.partition_key),
            run_id=context.run.run_id,
        )
