"""Every source format alike; one that is added by a line, and one that another package brings."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.clean import clean_day
from causalrec.logs.describe.report import describe_paths
from causalrec.logs.formats import FORMATS, GROUP, SourceFormat, open_bandit, source_formats
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import parse_source
from causalrec_assets.commands import demo
from causalrec_assets.commands.backfill import Built
from causalrec_assets.commands.home import create_home
from causalrec_assets.commands.simulated_shop import SimulatedShop
from tests.logs.formats.test_kuai import kuairand, kuairec
from tests.logs.formats.test_movielens import hundred_thousand, latest, one_million
from tests.logs.formats.test_open_bandit import checksum, write_wheel

SAMPLES = {
    "movielens": {"latest": latest, "one million": one_million, "hundred thousand": hundred_thousand},
    "kuairand": {"its layout": kuairand},
    "kuairec": {"its layout": kuairec},
}
"""Format -> its layouts, as folders of a few rows."""


class TwoShops:
    """A format of somebody's own: a file `shops.csv`, and settings that lie with the format."""

    name = "two_shops"
    label = "Two shops"
    fetch = None

    def __init__(self, settings: Path) -> None:
        self.settings = settings
        (settings / "sources.yaml").write_text(
            "name: two_shops\nabout: Two shops.\nfirst_day: 2026-03-02\ntime_zone: UTC\norganic_rows: none\n"
            "events:\n  columns: {time: at, item_id: item, click: clicked}\noutcomes: {click: {maturity_days: 0}}\n"
        )

    def recognise(self, folder: Path) -> str | None:
        return "holds two shops" if (folder / "shops.csv").exists() else None

    def overlay(self, folder: Path | None, home: Home) -> Path:
        return self.settings

    def land(self, folder: Path, home: Home) -> list[str]:
        target = home.landing / "events" / "day=2026-03-02" / "shops.csv"
        target.parent.mkdir(parents=True)
        target.write_bytes((folder / "shops.csv").read_bytes())
        return ["The second shop was closed on Mondays."]


@pytest.fixture
def two_shops(tmp_path: Path) -> TwoShops:
    (tmp_path / "settings").mkdir()
    return TwoShops(tmp_path / "settings")


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    folder = tmp_path / "their logs"
    folder.mkdir()
    (folder / "shops.csv").write_text("at,item,clicked\n2026-03-02T10:00:00Z,a,1\n2026-03-02T11:00:00Z,b,0\n")
    return folder


@pytest.mark.parametrize("name", [*FORMATS, "simulated"])
def test_a_format_is_one_and_its_settings_are_accepted(name, tmp_path):
    source = FORMATS.get(name) or SimulatedShop()
    assert isinstance(source, SourceFormat)
    assert source.name == name
    assert name.isidentifier()
    home = create_home(tmp_path / "home", source.overlay(None, Home(tmp_path / "home")))
    settings = (home.data / "sources.yaml").read_text()
    assert settings != (TEMPLATE / "sources.yaml").read_text()
    assert parse_source(yaml.safe_load(settings)).name
    (tmp_path / "something else").mkdir()
    assert source.recognise(tmp_path / "something else") is None
    # Nobody fetches it: then tests have folders that hold it.
    assert (source.fetch is None) == (name in SAMPLES)


@pytest.mark.parametrize(
    ("name", "layout"), [(name, layout) for name, layouts in SAMPLES.items() for layout in layouts]
)
def test_a_format_recognises_its_folder_alone_and_its_settings_read_what_it_lands(name, layout, tmp_path):
    folder = SAMPLES[name][layout](tmp_path / "data set")
    recognised = {other: source.recognise(folder) for other, source in FORMATS.items()}
    assert [other for other, words in recognised.items() if words] == [name]
    assert f"{folder} {recognised[name]}: make demo LOGS={name} DIR={folder}" in list(describe_paths([folder]))
    assert read_what_is_landed(FORMATS[name], folder, tmp_path) > 0


def test_what_the_open_bandit_format_fetches_is_what_it_lands(tmp_path, monkeypatch):
    wheel = write_wheel(tmp_path / open_bandit.WHEEL)
    monkeypatch.setattr(open_bandit, "SHA256", checksum(wheel))
    source = FORMATS["obd"]
    assert source.fetch is not None
    assert read_what_is_landed(source, source.fetch(tmp_path), tmp_path) == 18


def read_what_is_landed(source: SourceFormat, folder: Path, tmp_path: Path) -> int:
    """The events of a landing, read by the settings of the format; none of them is set aside."""
    home = Home(tmp_path / "home")
    before = source.overlay(folder, home)
    create_home(home.root, before)
    for line in source.land(folder, home):
        assert line
    # What is said of a folder before it is landed holds when only the landing is left.
    assert source.overlay(None, home) == before
    zone = LandingZone.of(home)
    rows = 0
    for number, day in enumerate(zone.events.days):
        work = tmp_path / f"{number}"
        work.mkdir()
        cleaned = clean_day(zone.landed_day(day), zone.source, CleaningRules(), work / "c.parquet", work / "a.parquet")
        assert cleaned.set_aside.is_empty()
        rows += cleaned.rows
    return rows


def test_one_line_makes_a_format_known_to_the_demo_and_to_describe_source(
    two_shops, shops, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(FORMATS, "two_shops", two_shops)
    assert f"{shops} holds two shops: make demo LOGS=two_shops DIR={shops}" in list(describe_paths([shops]))
    with pytest.raises(SystemExit):
        demo.main(["--help"])
    assert "--logs two_shops --dir DIR  Two shops" in capsys.readouterr().out
    # All but the materialising itself, which is every format's alike.
    built = []

    def materialise(home):
        built.extend(LandingZone.of(home).span)
        return Built(waits=["Nothing is built here."])

    monkeypatch.setattr(demo, "materialise", materialise)
    arguments = ["--logs", "two_shops", "--home", str(tmp_path / "home")]
    assert demo.main(arguments) == 1
    assert "nobody fetches two_shops: name the folder that holds it" in capsys.readouterr().out
    assert demo.main([*arguments, "--dir", str(shops)]) == 1
    output = capsys.readouterr().out
    assert f"Landing Two shops from {shops} in {tmp_path / 'home/data/landing'}" in output
    assert "  The second shop was closed on Mondays.\n" in output
    assert [str(day) for day in built] == ["2026-03-02"]
    assert demo.main(arguments) == 1
    assert "Logs are landed in" in capsys.readouterr().out


def installed(monkeypatch, *points: EntryPoint) -> None:
    monkeypatch.setattr("causalrec.plugins.entry_points", lambda group: [p for p in points if p.group == group])


def test_a_package_brings_a_format_by_an_entry_point(two_shops, shops, monkeypatch):
    monkeypatch.setattr("tests.logs.formats.test_all.INSTALLED", two_shops, raising=False)
    installed(monkeypatch, EntryPoint("two_shops", "tests.logs.formats.test_all:INSTALLED", GROUP))
    assert list(source_formats()) == [*FORMATS, "two_shops"]
    assert f"{shops} holds two shops: make demo LOGS=two_shops DIR={shops}" in list(describe_paths([shops]))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("gone", "no_such_package.formats:GONE", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_"),
        ("shop", "tests.logs.formats.test_all:NOT_THERE", "cannot be loaded: AttributeError"),
        ("shop", "tests.logs.formats.test_all:SAMPLES", r"is no SourceFormat: it lacks \['fetch', 'label', 'land'"),
        ("obd", "causalrec.logs.formats.kuai:KuaiRec", "another part of this group is named 'obd'"),
        ("rec", "tests.logs.formats.test_all:REC", "names itself 'kuairec': the two names must be the same"),
    ],
)
def test_a_broken_entry_point_is_named(name, value, says, monkeypatch, capsys):
    installed(monkeypatch, EntryPoint(name, value, GROUP))
    with pytest.raises(InputError, match=says):
        source_formats()
    assert demo.main(["--logs", "obd"]) == 1
    assert f"the entry point causalrec.formats: {name} = {value}" in capsys.readouterr().out


REC = FORMATS["kuairec"]
