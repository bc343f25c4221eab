import yaml

from causalrec.home import TEMPLATE
from causalrec.settings.model import ModelSettings

TEMPLATE_SETTINGS = yaml.safe_load((TEMPLATE / "model.yaml").read_text())


def test_the_template_is_readable():
    assert ModelSettings.parse(TEMPLATE_SETTINGS).folds >= 3
