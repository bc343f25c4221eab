"""`data/discovery.yaml`."""

from pathlib import Path

import yaml

from causalrec.settings.discovery import Search

SHIPPED = yaml.safe_load((Path(__file__).resolve().parents[2] / "data" / "discovery.yaml").read_text())


def test_the_shipped_file_parses():
    assert Search.parse(SHIPPED).floor == 0.01
