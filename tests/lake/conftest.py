"""The lake's tests run on a folder and on a bucket, as the gate's do."""

from tests.gate.conftest import attempt, home, lake_settings, new_bucket, store

__all__ = ["attempt", "home", "lake_settings", "new_bucket", "store"]
