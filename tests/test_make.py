"""What people give to `make` is text: it reaches the commands as it was given, and is run by nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from causalrec.home import CHECKOUT

RECORDER = """#!/bin/sh
{ for given in "$@"; do printf '%s\\0' "$given"; done; } > "$RECORDED.arguments"
for name in CAUSALREC_HOME CAUSALREC_USER_ID; do
  eval "printf '%s=%s\\0' $name \\"\\$$name\\""
done > "$RECORDED.environment"
"""
HOSTILE = {
    "make's shell": "$(shell touch planted)",
    "a shell's": "$(touch planted)",
    "backticks": "`touch planted`",
    "a quote that ends": '"; touch planted; "',
    "an apostrophe that ends": "'; touch planted; '",
    "a semicolon": "x; touch planted",
    "a line of its own": "x\ntouch planted",
    "blanks": "two  words and a tab\there",
    "a dollar": "u$17",
    "two dollars": "$$HOME ${HOME}",
    "a comment": "a#b",
    "an option": "--help",
    "a name of make's": "$(MAKEFLAGS)%:",
}
VARIABLES = {
    "demo": ("LOGS", "DIR"),
    "describe-source": ("FILE", "DIR"),
    "home": ("DIR",),
    "ui": ("DIR", "HOST", "PORT"),
    "backfill": ("FROM", "TO", "WORKERS", "DIR"),
    "plan": ("DIR",),
    "sweep": ("DIR",),
    "forget": ("USER_ID", "DIR"),
    "mlflow": ("DIR", "HOST", "PORT"),
    "realism": ("SAMPLES", "OUT"),
}
"""Target -> what reaches its command as it is given."""
SWITCHES = {
    "backfill": ("ONLY",),
    "plan": ("LOGS",),
    "sweep": ("DRY",),
    "ui": ("LOGS",),
    "mlflow": ("LOGS",),
    "forget": ("LOGS",),
}
"""Target -> what only decides something."""
NEEDED = {
    "describe-source": {"FILE": "x.csv"},
    "home": {"DIR": "shop"},
    "backfill": {"FROM": "2026-03-02", "TO": "2026-03-03"},
    "forget": {"USER_ID": "u1"},
    "realism": {"SAMPLES": "samples"},
}


@dataclass(frozen=True)
class Made:
    """What a `make` ended with, and what its command was given."""

    status: int
    said: str
    arguments: list[str]
    environment: dict[str, str]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The real Makefile, in a folder whose name has a blank, with a recorder in place of Python and the demo's home."""
    folder = tmp_path / "a checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".home" / "demo").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "requirements-cuda.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, folder)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(RECORDER)
    python.chmod(0o755)
    (folder / ".venv" / "installed").touch()
    return folder


def run_make(checkout: Path, target: str, given: dict[str, str], environment: dict[str, str] | None = None) -> Made:
    recorded = checkout / "recorded"
    for old in checkout.glob("recorded.*"):
        old.unlink()
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    ended = subprocess.run(
        ["make", target, *(f"{name}={value}" for name, value in given.items())],
        cwd=checkout,
        env={**clean, "RECORDED": str(recorded), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    arguments, found = Path(f"{recorded}.arguments"), Path(f"{recorded}.environment")
    return Made(
        ended.returncode,
        ended.stdout + ended.stderr,
        arguments.read_text().split("\0")[:-1] if arguments.exists() else [],
        dict(one.split("=", 1) for one in found.read_text().split("\0")[:-1]) if found.exists() else {},
    )


def planted(checkout: Path) -> list[str]:
    return [str(path) for path in checkout.rglob("planted*")]


@pytest.mark.parametrize("target", VARIABLES)
def test_what_is_given_arrives_as_it_is_and_is_not_run(checkout: Path, target: str) -> None:
    for name in VARIABLES[target]:
        for kind, text in HOSTILE.items():
            made = run_make(checkout, target, NEEDED.get(target, {}) | {name: text})
            assert planted(checkout) == [], f"{target} {name}: {kind} was run"
            assert made.status == 0, f"{target} {name}={text!r}: {made.said}"
            reached = [*made.arguments, *made.environment.values()]
            options = {one.partition("=")[2] for one in made.arguments if one.startswith("--")}
            assert text in reached or text in options, f"{target} {name}={text!r} arrived as {reached}"


@pytest.mark.parametrize("target", SWITCHES)
def test_switches_run_nothing(checkout: Path, target: str) -> None:
    for name in SWITCHES[target]:
        for kind, text in HOSTILE.items():
            run_make(checkout, target, NEEDED.get(target, {}) | {name: text})
            assert planted(checkout) == [], f"{target} {name}: {kind} was run"


def test_what_stands_in_the_environment_is_text_too(checkout: Path) -> None:
    for text in HOSTILE.values():
        made = run_make(checkout, "sweep", {}, {"DIR": text})
        assert planted(checkout) == []
        assert made.environment["CAUSALREC_HOME"] == text


def test_every_variable_of_the_makefile_is_tried() -> None:
    lines = (CHECKOUT / "Makefile").read_text().splitlines()
    named = {
        name for line in lines if line.startswith(("GIVEN :=", "SAID :=")) for name in line.partition(":=")[2].split()
    }
    tried = {name for names in (*VARIABLES.values(), *SWITCHES.values()) for name in names}
    assert named - tried == {"PYTHON", "BIN"}
    recipes = [line for line in lines if line.startswith("\t")]
    pasted = [line for line in recipes for name in named if f"$({name})" in line]
    assert pasted == []


def test_the_interpreter_may_have_blanks_in_its_path(checkout: Path) -> None:
    other = checkout / "another place" / "python"
    other.parent.mkdir()
    shutil.copy(checkout / ".venv" / "bin" / "python", other)
    made = run_make(checkout, "sweep", {"BIN": str(other.parent)})
    assert made.status == 0
    assert made.arguments[-1] == "causalrec_assets.commands.sweep"


def test_an_id_or_a_host_of_the_surroundings_is_not_taken_for_one_that_was_given(checkout: Path) -> None:
    refused = run_make(checkout, "forget", {}, {"USER_ID": "1000"})
    assert refused.status != 0
    assert "name the user" in refused.said
    assert refused.arguments == []
    opened = run_make(checkout, "ui", {}, {"HOST": "workstation", "PORT": "80"})
    assert opened.arguments == ["-W", "ignore", "-m", "causalrec_assets.commands.ui"]


def test_a_user_id_is_in_no_list_of_processes(checkout: Path) -> None:
    made = run_make(checkout, "forget", {"USER_ID": "u$17"})
    assert made.environment["CAUSALREC_USER_ID"] == "u$17"
    assert not any("17" in one for one in made.arguments)


def test_logs_that_no_demo_has_open_no_home(checkout: Path) -> None:
    for target in ("ui", "sweep", "mlflow"):
        for logs in ("nonesuch", "obd"):
            made = run_make(checkout, target, {"LOGS": logs})
            assert made.status != 0
            assert f"no demo has the logs LOGS={logs}, or it is not made yet (there is no .home/{logs})" in made.said
            assert made.arguments == []


def test_a_demo_that_was_made_is_opened_by_its_logs_whatever_they_are(checkout: Path) -> None:
    (checkout / ".home" / "a new format").mkdir()
    for given, home in (({}, "demo"), ({"LOGS": "simulated"}, "demo"), ({"LOGS": "a new format"}, "a new format")):
        assert run_make(checkout, "ui", given).environment["CAUSALREC_HOME"] == f".home/{home}"
