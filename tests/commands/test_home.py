import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.settings.logs.sources import parse_source
from causalrec_assets.commands import home as homes
from causalrec_assets.commands.home import create_home
from causalrec_assets.env_file import say_env_file


def test_a_new_home_has_every_setting_and_the_overlay_wins(tmp_path):
    home = create_home(tmp_path / "home", "simulated")
    assert (home.data / "contracts" / "units.yaml").exists()
    assert "window_days: 10" in (home.data / "learning.yaml").read_text()
    assert not (home.data / "demos").exists()


def test_a_file_that_a_person_edited_is_never_touched_and_others_follow_the_template(tmp_path, monkeypatch):
    template = tmp_path / "template"
    template.mkdir()
    for name in ("one.yaml", "two.yaml"):
        (template / name).write_text("version: 1\n")
    monkeypatch.setattr(homes, "TEMPLATE", template)
    home = create_home(tmp_path / "home")
    (home.data / "one.yaml").write_text("mine: true\n")
    for name in ("one.yaml", "two.yaml"):
        (template / name).write_text("version: 2\n")
    create_home(tmp_path / "home")
    assert (home.data / "one.yaml").read_text() == "mine: true\n"
    assert (home.data / "two.yaml").read_text() == "version: 2\n"


def test_the_environment_names_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALREC_HOME", str(tmp_path))
    assert homes.Home.current().root == tmp_path.resolve()


def template_of(tmp_path, monkeypatch, **files):
    template = tmp_path / "template"
    template.mkdir(exist_ok=True)
    for name, text in files.items():
        (template / f"{name}.yaml").write_text(text)
    monkeypatch.setattr(homes, "TEMPLATE", template)
    return template


def test_making_a_home_moves_nobody_elses_and_needs_no_env_file(tmp_path, monkeypatch, capsys):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "dagster.yaml").write_bytes((homes.CHECKOUT / "dagster.yaml").read_bytes())
    monkeypatch.setattr(homes, "CHECKOUT", checkout)
    assert homes.main([str(tmp_path / "a home")]) == 0
    assert not (checkout / ".env").exists()
    assert f"make ui DIR='{tmp_path / 'a home'}'" in capsys.readouterr().out
    (checkout / ".env").write_text("WANDB_MODE=offline\nexport CAUSALREC_HOME=/another\n")
    assert homes.main([str(tmp_path / "a home")]) == 0
    said = capsys.readouterr().err
    assert f"{checkout / '.env'} names a home (export CAUSALREC_HOME=/another)" in said
    assert "WANDB" not in said


def test_an_env_file_that_names_a_home_is_said_once_to_whoever_starts_dagster_there(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CAUSALREC_SAID_ENV_FILE", raising=False)
    (tmp_path / ".env").write_text("MLFLOW_TRACKING_TOKEN=secret\n")
    say_env_file(tmp_path)
    assert capsys.readouterr().err == ""
    (tmp_path / ".env").write_text("DAGSTER_HOME=/another/dagster\n")
    say_env_file(tmp_path)
    say_env_file(tmp_path)
    assert capsys.readouterr().err.count("names a home") == 1


def test_a_home_whose_making_was_killed_before_the_record_is_made_whole_and_follows_the_template(tmp_path, monkeypatch):
    template = template_of(tmp_path, monkeypatch, one="version: 1\n", two="version: 1\n", three="version: 1\n")
    whole, calls = homes.write_whole, []

    def killed(path, content):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        whole(path, content)

    monkeypatch.setattr(homes, "write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        create_home(tmp_path / "home")
    monkeypatch.setattr(homes, "write_whole", whole)
    create_home(tmp_path / "home")
    (template / "one.yaml").write_text("version: 2\n")
    home = create_home(tmp_path / "home")
    assert [(home.data / f"{name}.yaml").read_text() for name in ("one", "two")] == ["version: 2\n", "version: 1\n"]
    assert (home.dagster / "dagster.yaml").read_bytes() == (homes.CHECKOUT / "dagster.yaml").read_bytes()
    assert not list(home.root.rglob("*.tmp"))


def test_homes_made_at_once_are_one_whole_home(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create_home(tmp_path / "home", "simulated"), range(8)))
    assert len({home.root for home in made}) == 1
    record = json.loads((made[0].data / ".copied.json").read_text())
    files = {p.relative_to(made[0].data).as_posix(): p for p in made[0].data.rglob("*.yaml")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == record


@pytest.mark.parametrize("content", [b"", b'{"one.yaml": ', b"[1]", b'{"one.yaml": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_record_of_copies_that_cannot_be_read_is_said_and_no_setting_is_touched(tmp_path, monkeypatch, content):
    template = template_of(tmp_path, monkeypatch, one="version: 1\n")
    home = create_home(tmp_path / "home")
    (template / "one.yaml").write_text("version: 2\n")
    (home.data / ".copied.json").write_bytes(content)
    with pytest.raises(InputError, match=r"\.copied\.json .*Remove it to go on"):
        create_home(tmp_path / "home")
    assert (home.data / "one.yaml").read_text() == "version: 1\n"


@pytest.mark.parametrize("wrong", [[], ["a", "b"], ["--help"]])
def test_a_home_is_made_of_one_folder(wrong):
    with pytest.raises(SystemExit, match="usage"):
        homes.main(wrong)


def test_a_home_that_cannot_be_made_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="no home can be made"):
        homes.main([str(tmp_path / "file")])


def test_the_template_claims_nothing_of_a_shop():
    def said(file):
        return yaml.safe_load((homes.TEMPLATE / file).read_text())

    # Whose experts, what a purchase brings, what money is worth, how impressions were logged: nobody has said it yet.
    expert = said("expert_graph.yaml")
    assert all(not expert[kind] for kind in ("tiers", "required", "forbidden", "settled"))
    assert said("objective.yaml") == {"satisfying": "click"}
    source = said("sources.yaml")
    assert source["about"] == "" and source["organic_rows"] == "none" and source["purchase_needs_click"] is False
    assert not {"items", "users"} & set(source) and set(source["outcomes"]) == {"click"}
    assert said("calendar.yaml") == {"holidays": {}} and said("covariates.yaml") == {"leave_out": []}
    parse_source(source)


def test_a_strangers_home_holds_nothing_of_the_demos(tmp_path):
    home = create_home(tmp_path / "home")
    words = "\n".join(path.read_text() for path in home.data.rglob("*.yaml"))
    for claim in ("recommender team", "checkout team", "front-end team", "simulated shop", "nothing moves the clock"):
        assert claim not in words
