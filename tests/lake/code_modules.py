"""Which modules are part of which assets' code versions, as text: `python -m tests.lake.code_modules > FILE`."""

import dagster as dg

from causalrec_assets.lake.code import code_of
from causalrec_assets.operate.assets import ASSETS


def asset_modules():
    """Each asset -> the module in which it is declared."""
    declared = [asset for asset in ASSETS if isinstance(asset, dg.AssetsDefinition)]
    return {asset.key.path[-1]: asset.op.compute_fn.decorated_fn.__module__ for asset in declared}


def listing():
    """A line for each module, with the assets that a change of it makes stale."""
    modules = asset_modules()
    stale = {}
    for asset, declared_in in modules.items():
        for module in code_of(declared_in):
            stale.setdefault(module, []).append(asset)
    lines = (f"{name}: {'all' if len(assets) == len(modules) else ' '.join(assets)}" for name, assets in stale.items())
    return "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    print(listing(), end="")
