"""`make ui`: dagster dev on the home of the environment, its web server behind the guard."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest

from causalrec.answers import InputError
from causalrec.home import CHECKOUT, Home
from causalrec_assets.commands import ui
from causalrec_assets.commands.home import create_home


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Environment and folder are put back after the test."""
    for name in ("CAUSALREC_HOME", "DAGSTER_HOME", "PYTHONWARNINGS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
def test_the_home_goes_by_the_environment_and_the_checkouts_env_file_does_not_count(tmp_path: Path) -> None:
    home = create_home(tmp_path / "a shop")
    (tmp_path / ".env").write_text("CAUSALREC_HOME=/some/other\nDAGSTER_HOME=/some/other/dagster\n")
    ui.open_home(home)
    assert os.environ["CAUSALREC_HOME"] == str(home.root)
    assert os.environ["DAGSTER_HOME"] == str(home.dagster)
    # Dagster reads the .env of the folder it is started in.
    assert Path.cwd() == home.root


@pytest.mark.usefixtures("elsewhere")
def test_an_env_file_of_the_home_that_names_another_home_is_refused(tmp_path: Path) -> None:
    home = create_home(tmp_path / "shop")
    (home.root / ".env").write_text("CAUSALREC_ALERT_WEBHOOK=https://x.example\nCAUSALREC_HOME=/some/other\n")
    with pytest.raises(InputError, match=r"shop/\.env sets CAUSALREC_HOME=/some/other, another home"):
        ui.open_home(home)
    (home.root / ".env").write_text(f"CAUSALREC_ALERT_WEBHOOK=https://x.example\nCAUSALREC_HOME={home.root}\n")
    ui.open_home(home)


@pytest.mark.usefixtures("elsewhere")
def test_a_folder_that_is_no_home_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAUSALREC_HOME", str(tmp_path / "none"))
    assert ui.main([]) == 1
    assert f"there is no home at {tmp_path / 'none'}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("elsewhere")
def test_dagster_dev_starts_the_guarded_server_in_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster._cli import dev

    started: list[list[str]] = []
    given: dict[str, object] = {}
    monkeypatch.setattr(dev, "open_ipc_subprocess", lambda parts, **_: started.append(list(parts)))

    def dagster_dev(**options: object) -> None:
        given.update(options)
        for module in ("dagster_webserver", "dagster._daemon"):
            dev.open_ipc_subprocess(["python", "-m", module, "--port", "1"])
        with pytest.raises(RuntimeError, match="the guard does not know"):
            dev.open_ipc_subprocess(["python", "-m", "dagster_other_server"])

    monkeypatch.setattr(dev, "dev_command_impl", dagster_dev)
    monkeypatch.setenv("CAUSALREC_HOME", str(create_home(tmp_path / "shop").root))
    assert ui.main(["--port", "3100"]) == 0
    assert [parts[2] for parts in started] == ["causalrec_assets.web.dagster_server", "dagster._daemon"]
    assert (given["host"], given["port"]) == ("127.0.0.1", "3100")


def test_dagster_dev_still_starts_its_server_where_it_is_replaced() -> None:
    from dagster._cli import dev
    from dagster_webserver import cli

    source = inspect.getsource(dev.dev_command_impl)
    assert source.count("open_ipc_subprocess(") == 2
    assert '[sys.executable, "-m", "dagster_webserver"]' in source
    served = inspect.getsource(cli.host_dagster_ui_with_workspace_process_context)
    assert served.count("uvicorn.run(") == 1


def test_a_home_greets_nobody_and_tells_the_vendor_nothing(tmp_path: Path) -> None:
    import dagster as dg

    home: Home = create_home(tmp_path / "shop")
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert not instance.nux_enabled
        assert not instance.telemetry_enabled


def test_what_listens_is_in_the_documentation() -> None:
    said = (CHECKOUT / "docs" / "operations.md").read_text()
    for server in (
        "make ui",
        "make mlflow",
        "tensorboard",
        "causalrec_assets.web.dagster_server",
        "CAUSALREC_UI_TOKEN",
    ):
        assert server in said
    for bare in ("ExecStart=/srv/causalrec/.venv/bin/dagster-webserver", "mlflow ui"):
        assert bare not in said
