"""The one reader of YAML files that people write: strict, bounded, and with the line in every message.

YAML lets the last of two equal keys win, grows a few lines into gigabytes by aliases, and makes objects of tags. Here
each is an error. A message names file and line and never repeats what the file says: it may hold a secret.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from causalrec.answers import InputError
from causalrec.home import Home

MOST_BYTES = 64 * 1024**2
MOST_CHARACTERS = 10_000
"""Of one value: a whole file that slipped into a quoted text is no setting."""
MOST_LEVELS = 50
MOST_COPIES = 10_000
"""So many values may come from aliases (`*name`)."""

_CORE = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)

_DATE = "tag:yaml.org,2002:timestamp"
_TEXT = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"})


class Section(dict[str, Any]):
    """A mapping of a settings file. Messages show values by `repr`: of a whole section they show its keys.

    Attributes:
        lines: Key -> the line that it stands on, from 1.
    """

    lines: Mapping[Any, int]

    def __init__(self, values: Mapping[str, Any] | None = None, lines: Mapping[Any, int] | None = None) -> None:
        super().__init__(values or {})
        self.lines = lines or {}

    def __repr__(self) -> str:
        return f"a mapping of {len(self)} key(s)"


class Entries(list[Any]):
    """A list of a settings file, in messages its length.

    Attributes:
        lines: The line on which each entry begins, from 1.
    """

    lines: Sequence[int] = ()

    def __repr__(self) -> str:
        return f"a list of {len(self)} value(s)"


# libyaml's reader is ten times as fast; a list of many users is long.
_READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_READER):  # type: ignore[misc]
    """Reads mappings and lists that know their lines; what an alias shares stays shared."""

    def section(self, node: yaml.MappingNode) -> Iterator[Section]:
        section = Section()
        yield section
        section.update(self.construct_mapping(node))
        section.lines = {self.construct_object(key): key.start_mark.line + 1 for key, _ in node.value}

    def entries(self, node: yaml.SequenceNode) -> Iterator[Entries]:
        entries = Entries()
        yield entries
        entries.extend(self.construct_sequence(node))
        entries.lines = [item.start_mark.line + 1 for item in node.value]


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.section)
_Loader.add_constructor("tag:yaml.org,2002:seq", _Loader.entries)
yaml.SafeDumper.add_representer(Section, yaml.SafeDumper.represent_dict)
yaml.SafeDumper.add_representer(Entries, yaml.SafeDumper.represent_list)


def read_yaml(path: Path) -> Section:
    """Parse a settings file.

    Raises:
        InputError: The file cannot be read, is not such YAML as a setting is, holds nothing, or is no mapping.
    """
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a settings file.

    Raises:
        InputError: It cannot be opened, is no UTF-8, or holds nothing: a kill or a full disk leaves such files.
    """
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise InputError(f"{path} has {size / 1024**2:,.0f} MB; no settings file is that large. Restore your own.")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    if not content.strip():
        raise InputError(
            f"{path} is empty. A kill or a full disk may have emptied it: restore it, from a backup or the checkout's "
            "data/ folder. If nothing is to be set in it, write {} into it."
        )
    return text_of(content, str(path))


def text_of(content: bytes, file: str) -> str:
    """Bytes as text.

    Raises:
        InputError: They are no UTF-8; the message has the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError(f"{file} is UTF-16; save it as UTF-8") from None
        line = content[: error.start].count(b"\n") + 1
        message = (
            f"{file}, line {line}: the byte {content[error.start]:#04x} is no UTF-8; save the file in that encoding"
        )
        raise InputError(message) from None


def parse_yaml(text: str, file: str) -> Section:
    """Parse the text of a settings file.

    Args:
        file: Its name, for messages.

    Raises:
        InputError: It is not such YAML as a setting is, holds nothing, or is no mapping.
    """
    loader, node = _composed(text, file)
    try:
        if node is None or node.tag.endswith(":null"):
            raise InputError(
                f"{file} says nothing: all of it is comment. Restore it, or write {{}} into it if nothing is to be set."
            )
        if not isinstance(node, yaml.MappingNode):
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "one value"
            raise InputError(f"{file} must be a mapping of keys to values (`key: value`), it is {kind}")
        for key, _ in node.value:
            if not key.tag.endswith((":str", ":merge")):
                raise _at(key.start_mark, file, f"the key `{str(key.value)[:80]}` is no text; put it in quotes")
        parsed = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise _not_yaml(error, file, text) from error
    finally:
        loader.dispose()
    settings: Section = parsed
    return settings


def compose(text: str, file: str) -> yaml.Node | None:
    """The nodes of a YAML text, which know their lines; None where it holds nothing.

    Args:
        file: Its name, for messages.

    Raises:
        InputError: It is no YAML; a key is there twice; a number is NaN or infinite; a value is of no plain kind; or it
            is nested, grown by aliases or long beyond what a setting is.
    """
    loader, node = _composed(text, file, dates=False)
    loader.dispose()
    return node


def _composed(text: str, file: str, dates: bool = True) -> tuple[Any, yaml.Node | None]:
    """`dates`: whether those are read here; a reader that takes values as text names the key of a wrong one itself."""
    try:
        _refuse_depth(text, file)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            _Checker(loader, file, _TEXT if dates else _TEXT | {_DATE}).expanded(node)
        return loader, node
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _not_yaml(error, file, text) from error


def _refuse_depth(text: str, file: str) -> None:
    """By the events, which take no stack: composing takes one frame a level."""
    # A level takes a bracket or, with another that stands as far left, a column: most files need no second look.
    brackets, columns = text.count("[") + text.count("{"), max(map(_columns, text.splitlines()), default=0)
    if brackets + 2 * columns < MOST_LEVELS:
        return
    level = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            if level > MOST_LEVELS:
                raise _at(event.start_mark, file, f"values are nested more than {MOST_LEVELS} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


def _columns(line: str) -> int:
    return len(line) - len(line.lstrip()) + line.count("- ") + line.count("? ") + line.count("-\t")


@dataclass
class _Checker:
    """Looks at each node once, and counts what its aliases make of it."""

    loader: Any
    file: str
    taken_as_text: frozenset[str]
    sizes: dict[int, int] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    copies: int = 0

    def expanded(self, node: yaml.Node) -> int:
        """How many values a node stands for, each alias counted as often as it is used.

        Raises:
            InputError: As `compose` says.
        """
        if isinstance(node, yaml.ScalarNode):
            self.scalar(node)
            return 1
        if id(node) in self.inside:
            raise self.wrong(node, "an alias (`*name`) stands inside of what it names")
        if id(node) in self.sizes:
            self.copies += self.sizes[id(node)]
            if self.copies > MOST_COPIES:
                raise self.wrong(node, f"its aliases (`*name`) stand for more than {MOST_COPIES:,} values")
            return self.sizes[id(node)]
        self.known(node)
        self.inside.add(id(node))
        size = 1
        if isinstance(node, yaml.MappingNode):
            self.keys(node)
            size += sum(self.expanded(key) + self.expanded(value) for key, value in node.value)
        else:
            size += sum(self.expanded(item) for item in node.value)
        self.inside.discard(id(node))
        self.sizes[id(node)] = size
        return size

    def keys(self, node: yaml.MappingNode) -> None:
        """Raises InputError: a key is there twice, or is none."""
        first: dict[Hashable, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key, "a key must be one value, here it is a list or a mapping")
            # `on` and `yes` are the same key, and so are 1 and 1.0.
            value = self.scalar(key)
            if value in first:
                fault = f"the key `{str(key.value)[:80]}` is there twice, first on line {first[value]}"
                raise self.wrong(key, f"{fault}; YAML would read the last one only")
            first[value] = key.start_mark.line + 1

    def known(self, node: yaml.Node) -> None:
        """Raises InputError: a tag asks for something that is no setting."""
        if node.tag not in _CORE:
            raise self.wrong(node, "a value with a tag (`!...`): settings are plain texts, numbers, dates and lists")

    def scalar(self, node: yaml.Node) -> Hashable:
        """One value as it will be read.

        Raises:
            InputError: It is none.
        """
        self.known(node)
        if len(node.value) > MOST_CHARACTERS:
            raise self.wrong(node, f"a text of {len(node.value):,} characters; no setting is that long")
        if node.tag in self.taken_as_text:
            return str(node.value)
        try:
            value: Hashable = self.loader.construct_object(node)
        except (ValueError, OverflowError, yaml.YAMLError) as error:
            kind = node.tag.rpartition(":")[2].replace("timestamp", "date")
            kind = kind.replace("int", "whole number").replace("float", "number")
            raise self.wrong(node, f"what looks like a {kind} is none; if it is text, put it in quotes") from error
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(node, "a number must be finite; this one is NaN, infinite, or beyond what can be counted")
        return value

    def wrong(self, node: yaml.Node, says: str) -> InputError:
        return _at(node.start_mark, self.file, says)


def _at(mark: Any, file: str, says: str) -> InputError:
    return InputError(f"{file}, line {mark.line + 1}: {says}")


def _not_yaml(error: Exception, file: str, text: str) -> InputError:
    """What a parser said, in words, without the lines that it repeats."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    line = mark.line if mark is not None else None
    if isinstance(error, yaml.reader.ReaderError):
        position = next((k for k, c in enumerate(text) if not yaml.reader.Reader.NON_PRINTABLE.sub("", c)), 0)
        problem, line = "a control character", text[:position].count("\n")
    problem = " ".join(str(problem or type(error).__name__).split())[:200]
    lines = text.splitlines()
    if line is not None and line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]:
        problem = "the line begins with a tab; YAML indents with spaces only"
    elif "'\\t'" in problem or "\t" in problem:
        problem = "a tab stands where YAML wants spaces"
    elif "alias" in problem:
        problem += "; put a pattern that begins with * in quotes"
    elif "single document" in problem:
        problem = "a second document (`---`); a settings file has one"
    at = f"{file}, line {line + 1}" if line is not None else file
    return InputError(f"{at}: this is not valid YAML: {problem}")


def line_of(settings: object, keys: Sequence[str | int]) -> int | None:
    """The line of a key, or of the nearest one around it that is there; None where nobody knows.

    Args:
        settings: As it was read from a file; what a program made knows no lines.
        keys: The way to it: names of mappings' keys, and numbers of lists' entries from 0.
    """
    line = None
    for key in keys:
        if isinstance(settings, Section) and isinstance(key, str) and key in settings:
            line, settings = settings.lines.get(key, line), settings[key]
        elif isinstance(settings, Entries) and isinstance(key, int) and key < len(settings.lines):
            line, settings = settings.lines[key], settings[key]
        else:
            break
    return line


def read_setting(home: Home, file: str) -> Section:
    """Parse a settings file.

    Raises:
        InputError: The file is missing, empty, no mapping, or no such YAML as `settings_file` reads.
    """
    return read_yaml(setting_path(home, file))


def setting_path(home: Home, file: str) -> Path:
    """Where a settings file is.

    Raises:
        InputError: Neither the home nor the template has it.
    """
    path = home.setting(file)
    if not path.exists():
        raise InputError(f"{home.data / file} is missing; copy the one in the checkout's data/ folder")
    return path
