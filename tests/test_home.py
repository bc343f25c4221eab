from causalrec_assets import home as homes
from causalrec_assets.home import create_home


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
