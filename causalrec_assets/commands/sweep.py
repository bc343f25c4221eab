"""Remove what `lake.yaml` lets go of: old versions, what killed runs left, old quarantine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.settings.deployment.lake import LAKE, LakeSettings
from causalrec.settings.file import read_setting
from causalrec_assets.lake.retention import sweep
from causalrec_assets.lake.store import open_store


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.sweep",
        description="Remove what lake.yaml lets go of from the lake of CAUSALREC_HOME.",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
    given = parser.parse_args(arguments)
    home = Home.current()
    try:
        settings = LakeSettings.parse(read_setting(home, LAKE), str(home.setting(LAKE))).retention
        store = open_store(home)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    swept = sweep(store, settings, datetime.now(UTC), dry_run=given.dry_run)
    print(f"{'Would remove' if given.dry_run else 'Removed'} from {store.objects.where('')}")
    print("\n".join(swept.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
