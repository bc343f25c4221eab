"""Settings files are read by one strict reader; what is wrong is said with file and line, and never repeated."""

import pickle

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec.graph.knowledge.entries import read_knowledge
from causalrec.home import TEMPLATE, Home
from causalrec.settings.file import parse_yaml, read_setting, read_yaml

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key `a` is there twice, first on line 1"),
        ("a:\n  b: 1\n  c: [{d: 1, d: 2}]\n", "line 3: the key `d` is there twice, first on line 3"),
        ("x: {on: 1, yes: 2}", "line 1: the key `yes` is there twice"),
        ("x: {1: a, 1.0: b}", "line 1: the key `1.0` is there twice"),
        ("x: 1\non: 2", "line 2: the key `on` is no text; put it in quotes"),
        ("a: 1\nb: .nan", "line 2: a number must be finite"),
        ("a: [1, -.inf]", "line 1: a number must be finite"),
        ("a: 1.0e+999", "line 1: a number must be finite"),
        ("a: !!float nan", "line 1: a number must be finite"),
        ("a: 2026-02-30", "line 1: what looks like a date is none"),
        ("a: " + "9" * 5000, "line 1: what looks like a whole number is none"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: a value with a tag"),
        ("a: !secret x", "line 1: a value with a tag"),
        ("a: &x [*x]", "line 1: an alias (`*name`) stands inside of what it names"),
        (BOMB, "its aliases (`*name`) stand for more than 10,000 values"),
        ("a: " + "[" * 5000, "line 1: values are nested more than 50 levels deep"),
        ("\n".join(" " * k + "a:" for k in range(200)), "line 51: values are nested more than 50 levels deep"),
        ("- " * 3000 + "a", "line 1: values are nested more than 50 levels deep"),
        ("a: " + "x" * 10_001, "line 1: a text of 10,001 characters; no setting is that long"),
        ("a:\n\tb: 1", "line 2: this is not valid YAML: the line begins with a tab"),
        ("a: 1\nb: [1, 2", "this is not valid YAML"),
        ("a: *name", "line 1: this is not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", "this is not valid YAML: "),
        ("a: 1\nb: \x07", "line 2: this is not valid YAML: a control character"),
        ("? [a]\n: 1", "line 1: a key must be one value"),
        ("- a\n- b", "must be a mapping of keys to values (`key: value`), it is a list"),
        ("just a text", "must be a mapping of keys to values (`key: value`), it is one value"),
        ("# nothing\n", "says nothing: all of it is comment"),
        ("", "says nothing"),
    ],
)
def test_what_is_no_setting_is_said_with_its_line(text, says):
    with pytest.raises(InputError) as error:
        parse_yaml(text, "any.yaml")
    assert str(error.value).startswith("any.yaml")
    assert says in str(error.value)


def test_what_is_a_setting_is_read_as_yaml_reads_it():
    text = "\ufeffa: {b: 1, c: [x, 2.5, true, null]}\nd: 2026-03-02\ne: &e {f: 1}\ng: {<<: *e, h: 2}\ni: ''\n"
    read = parse_yaml(text.removeprefix("\ufeff"), "any.yaml")
    assert read == yaml.safe_load(text)
    assert yaml.safe_load(yaml.safe_dump(read)) == read == pickle.loads(pickle.dumps(read))
    assert parse_yaml("{}", "any.yaml") == {}


def test_every_file_of_the_template_is_read_as_yaml_reads_it():
    files = sorted(TEMPLATE.rglob("*.yaml"))
    assert len(files) > 50
    for path in files:
        assert read_yaml(path) == yaml.safe_load(path.read_text())


@given(st.text(alphabet="ab: \n\t-[]{}*&!?#'\"|>%@`.0123456789\x00\u00e9\ufeff\ud800", max_size=60))
def test_any_text_is_a_mapping_or_an_input_error(text):
    try:
        read = parse_yaml(text, "any.yaml")
    except InputError as error:
        assert str(error).startswith("any.yaml")
    else:
        assert isinstance(read, dict)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"is empty\. A kill or a full disk"),
        (b" \n\n", "is empty"),
        (b"\xff\xfea\x00", "is UTF-16; save it as UTF-8"),
        (b"a: 1\nb: M\xfcnchen\n", "line 2: the byte 0xfc is no UTF-8"),
    ],
)
@pytest.mark.parametrize("file", ["sources.yaml", "forgotten.yaml", "contracts/units.yaml", "lake.yaml"])
def test_an_emptied_or_foreign_file_is_no_setting(tmp_path, content, says, file):
    home = Home(tmp_path)
    (home.data / file).parent.mkdir(parents=True)
    (home.data / file).write_bytes(content)
    with pytest.raises(InputError, match=says) as error:
        read_setting(home, file)
    assert str(home.data / file) in str(error.value)


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path):
    (tmp_path / "data" / "sources.yaml").mkdir(parents=True)
    with pytest.raises(InputError, match=r"sources\.yaml cannot be read: Is a directory"):
        read_setting(Home(tmp_path), "sources.yaml")


def test_messages_show_no_section_of_a_file(tmp_path):
    secret = "hunter2 and more"
    read = parse_yaml(f"a: {{password: {secret}}}\nb: [{secret}]", "any.yaml")
    assert f"got {read!r}, {read['a']!r} and {read['b']}" == (
        "got a mapping of 2 key(s), a mapping of 1 key(s) and a list of 1 value(s)"
    )
    for text in (
        f"a: {secret}\n  b: [",
        f"a: [{secret}",
        f"{secret}: a: {secret}",
        f"a: '{secret}",
        f"a: \x00{secret}",
    ):
        with pytest.raises(InputError) as error:
            parse_yaml(text, "any.yaml")
        assert secret not in str(error.value)


def test_an_expert_graph_is_read_as_strictly():
    with pytest.raises(InputError, match="line 2: the key `required` is there twice"):
        read_knowledge("required: []\nrequired: []\n", "expert_graph.yaml")
    with pytest.raises(InputError, match="aliases"):
        read_knowledge("required: []\nforbidden:\n- " + BOMB.replace("\n", "\n  "), "expert_graph.yaml")
