"""The shape of the code, counted: where things live, and what may know what."""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("causalrec", "resources", "causalrec_assets")
MOST_FILES, MOST_LINES, MOST_PARAMETERS = 12, 400, 7


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of the three packages but for the front door: `import causalrec` names what is public."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    files.remove(ROOT / "causalrec" / "__init__.py")
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in files}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


def imported(name: str, types: bool = True) -> set[str]:
    """The modules of ours that a module imports, also inside functions; with `types`, also for annotations alone."""
    imports = set()
    annotations = {
        id(node)
        for block in ast.walk(tree(name))
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in block.body
    }
    for node in ast.walk(tree(name)):
        if not types and id(node) in annotations:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            imports |= inside & modules().keys()
            if not inside <= modules().keys():
                imports.add(node.module)
        elif isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
    return imports & modules().keys()


def room(name: str) -> str:
    """The folder that a module lies in; what lists the parts of a folder (its `__init__.py`) stands above them."""
    path = modules()[name].relative_to(ROOT)
    return ".".join(path.with_suffix("").parts if path.name == "__init__.py" else path.parent.parts)


def arrows() -> dict[str, set[str]]:
    """Folder -> the folders that its modules import from."""
    seen: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        seen[room(name)] |= {room(other) for other in imported(name)} - {room(name), f"{room(name)}.__init__"}
    return seen


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Some circle of a graph, as a path that ends where it begins; empty where there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if cycle := walk(other, [*path, node]):
                return cycle
        done.add(node)
        return []

    return next((cycle for node in sorted(graph) if (cycle := walk(node, []))), [])


def test_the_circle_finder_finds_one():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_folder_holds_more_than_twelve_files():
    counted = Counter(room(name) for name, path in modules().items() if path.name != "__init__.py")
    assert {folder: files for folder, files in counted.items() if files > MOST_FILES} == {}


def test_no_module_is_longer_than_an_idea():
    lines = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert {name: length for name, length in lines.items() if length > MOST_LINES} == {}


def test_folders_import_each_other_in_no_circle():
    cycle = circle(arrows())
    why = [
        f"{name} imports {other}"
        for step in pairwise(cycle)
        for name in modules()
        for other in imported(name)
        if (room(name), room(other)) == step
    ]
    assert not cycle, "\n".join(why)


def test_modules_import_each_other_in_no_circle():
    assert circle({name: imported(name, types=False) for name in modules()}) == []


def test_no_arrow_goes_back_up():
    """The library knows neither the resources nor the pipeline; resources know of the pipeline its lake alone."""
    known = {"causalrec": ("causalrec",), "resources": ("resources", "causalrec", "causalrec_assets.lake")}
    back = {
        (name, other)
        for name in modules()
        for other in imported(name)
        if not f"{other}.".startswith(tuple(f"{one}." for one in known.get(name.split(".")[0], PACKAGES)))
    }
    assert back == set()


def test_no_function_takes_more_than_seven_parameters():
    over = {}
    for name in modules():
        for node in ast.walk(tree(name)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            named = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            count = len(named) - (named[:1] in (["self"], ["cls"]))
            if count > MOST_PARAMETERS:
                over[f"{name}.{node.name}"] = count
    assert over == {}


def test_nobody_but_its_own_file_names_an_estimator_in_quotes():
    """Who reads estimates asks the registry by role, so that a newcomer is left out nowhere."""
    own: dict[str, set[str]] = defaultdict(set)
    for registry in (EFFECT_ESTIMATORS, POLICY_VALUE_ESTIMATORS):
        for name, estimator in registry.items():
            own[name].add(type(estimator).__module__)
    del own["naive"]  # the word of a role too
    named = [
        f"{module}:{node.lineno}: {node.value}"
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and node.value in own and module not in own[node.value]
    ]
    assert named == []


def test_the_guide_for_newcomers_links_the_lines_it_means():
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    links = re.findall(r"\[([^\]]+)\]\(([\w/.]+\.py)#L(\d+)\)", guide)
    assert len(links) >= 10
    for words, file, line in links:
        there = (ROOT / file).read_text().splitlines()[int(line) - 1]
        name = words if words.isidentifier() else "STRATEGIES"
        assert re.match(rf"(def )?{name}\b", there), f"{file}:{line} is `{there}`, and {words} stands elsewhere"
    paths = set(re.findall(r"`((?:causalrec|causalrec_assets|resources|tests|data)/[a-z_/.]+)`", guide))
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
