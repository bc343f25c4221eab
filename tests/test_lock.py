"""What is installed is what was locked: every file by its hash, nothing resolved, nothing beside."""

import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from causalrec.home import CHECKOUT

HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def locked(name):
    """Name -> version and hashes."""
    found = {}
    current = None
    for line in (CHECKOUT / name).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith(" "):
            assert HASH.fullmatch(line), line
            found[current][1].append(line.split("sha256:")[1].removesuffix(" \\"))
            continue
        assert line.endswith(" \\"), f"{line} has no hash"
        asked = Requirement(line.removesuffix(" \\"))
        (pinned,) = asked.specifier
        assert pinned.operator == "==" and "*" not in pinned.version, line
        current = canonicalize_name(asked.name)
        assert current not in found, f"{current} is there twice"
        found[current] = (pinned.version, [])
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-cuda.lock"])
def test_every_line_has_a_version_and_hashes(name):
    for package, (version, hashes) in locked(name).items():
        assert "+" not in version, f"{package} is pinned to one machine's build"
        assert hashes, package
        assert len(set(hashes)) == len(hashes), package


def test_all_that_the_project_names_is_locked_within_its_ranges():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    wanted += project["build-system"]["requires"]
    pins = locked("requirements.lock")
    for asked in map(Requirement, wanted):
        version, _ = pins[canonicalize_name(asked.name)]
        assert asked.specifier.contains(version, prereleases=True), f"{asked} is locked at {version}"


def test_nothing_that_a_locked_package_requires_is_missing():
    """Nothing is resolved when it is installed, so what is missing in the lock would be missing in the environment."""
    import importlib.metadata as metadata

    pins = locked("requirements.lock")
    missing = set()
    for package, (version, _) in pins.items():
        try:
            found = metadata.distribution(package)
        except metadata.PackageNotFoundError:
            continue
        if found.version.partition("+")[0] != version:
            continue
        for asked in map(Requirement, found.requires or ()):
            needed = asked.marker is None or asked.marker.evaluate({"extra": ""})
            if needed and canonicalize_name(asked.name) not in pins:
                missing.add((package, asked.name))
    assert {name for _, name in missing} <= {"pip"}, missing


def test_torch_is_taken_as_the_machine_has_it():
    version, hashes = locked("requirements.lock")["torch"]
    # The builds of PyPI for several systems and interpreters, and those of machines that locked.
    assert len(hashes) > 5
    written = (CHECKOUT / "requirements-cuda.in").read_text()
    assert f"torch {version} " in written
    pins = locked("requirements-cuda.lock")
    for line in written.splitlines():
        if not line.startswith("#"):
            asked = Requirement(line)
            assert asked.specifier.contains(pins[canonicalize_name(asked.name)][0]), line
    # Gigabytes that a CPU build has no use for.
    assert not set(pins) & set(locked("requirements.lock"))


def test_what_installs_demands_the_hashes():
    makefile = (CHECKOUT / "Makefile").read_text()
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]
    assert len(installs) == 4
    assert all("--no-deps" in line for line in installs)
    assert all("--require-hashes" in line or "--no-build-isolation --editable ." in line for line in installs)
    # What is fetched without a hash is not installed by this line.
    assert makefile.count("$(PIP)") == 5
    assert "$(PIP) download --no-deps --dest $(OWN)" in makefile


def test_torch_is_parted_from_the_others_and_nothing_is_lost(tmp_path):
    makefile = (CHECKOUT / "Makefile").read_text()
    commands = [line.strip() for line in makefile.splitlines() if "awk" in line or "sed -n" in line]
    assert len(commands) == 3
    (tmp_path / "own").mkdir()
    lock = (CHECKOUT / "requirements.lock").read_text()
    (tmp_path / "requirements.lock").write_text(lock)
    for command in commands:
        subprocess.run(command.lstrip("@").replace("$(OWN)", "own"), shell=True, check=True, cwd=tmp_path)
    torch, others = ((tmp_path / "own" / f"{name}.lock").read_text() for name in ("torch", "others"))
    assert torch.startswith("torch==")
    assert sum(not line.startswith(" ") for line in torch.splitlines()) == 1
    assert (tmp_path / "own" / "torch.txt").read_text() == torch.partition(" ")[0] + "\n"
    assert "torch==" not in re.sub(r"(pytorch|open)[a-z-]*==", "", others)
    assert sorted((torch + others).splitlines()) == sorted(lock.splitlines())
